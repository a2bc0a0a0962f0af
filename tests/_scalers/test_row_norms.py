"""L1Normalizer, L2Normalizer and MaxNormalizer: rows of norm 1, and the norm kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import DENSE, matrices, ordinary, some, with_zeros
from scipy import sparse
from sklearn.preprocessing import Normalizer

from sknorm import L1Normalizer, L2Normalizer, MaxNormalizer

CLASSES = {"l1": L1Normalizer, "l2": L2Normalizer, "max": MaxNormalizer}
ORDERS = {"l1": 1, "l2": 2, "max": np.inf}
all_norms = pytest.mark.parametrize("norm", CLASSES)


@all_norms
@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, sparse.csr_array])
def test_numbers_are_those_of_normalizer(norm, form):
    x = form(with_zeros(ordinary()))
    ours, theirs = CLASSES[norm]().fit_transform(x), Normalizer(norm).fit_transform(x)
    if sparse.issparse(x):
        ours, theirs = ours.toarray(), theirs.toarray()
    np.testing.assert_allclose(ours, theirs, rtol=1e-14)


@all_norms
@pytest.mark.parametrize("shape", [(7, 6, 4), (7, 6, 4, 3), (1, 1, 5)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_positions_have_a_vector_each(norm, shape, order):
    x = np.array(np.random.default_rng(0).normal(size=shape), order=order)
    expected = x / np.linalg.norm(x, ord=ORDERS[norm], axis=1, keepdims=True)
    np.testing.assert_allclose(CLASSES[norm]().fit_transform(x), expected, rtol=1e-14)


@all_norms
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_of_zeros_stay_zero(norm, order):
    x = np.array([[0.0, 0.0], [3.0, -4.0], [0.0, -0.0]], order=order)
    z = CLASSES[norm](keep_norm=True).fit_transform(x)
    np.testing.assert_array_equal(z[[0, 2]], 0)
    assert z[1, 2] == {"l1": 7, "l2": 5, "max": 4}[norm]


@all_norms
def test_what_overflows_elsewhere(norm):
    for size in (1e200, 1e-200, 5e-324, np.finfo(float).max):
        z = CLASSES[norm]().fit_transform([[size, size], [size, -size]])
        unit = {"l1": 0.5, "l2": np.sqrt(0.5), "max": 1.0}[norm]
        np.testing.assert_allclose(z, [[unit, unit], [unit, -unit]], rtol=1e-15)


@some
@given(matrices(), st.sampled_from(list(CLASSES)), st.integers(-300, 300))
def test_the_unit_of_the_data_changes_nothing(x, norm, power):
    z = CLASSES[norm]().fit_transform(x)
    scaled = CLASSES[norm]().fit_transform(np.ldexp(x, power))
    np.testing.assert_allclose(scaled, z, rtol=1e-15)


@some
@given(matrices(), st.sampled_from(list(CLASSES)))
def test_normalizing_twice_is_normalizing_once(x, norm):
    once = CLASSES[norm]().fit_transform(x)
    np.testing.assert_allclose(CLASSES[norm]().fit_transform(once), once, rtol=1e-15)


@some
@given(matrices(), st.sampled_from(list(CLASSES)))
def test_inverse_undoes_what_kept_the_norm(x, norm):
    normalizer = CLASSES[norm](keep_norm=True).fit(x)
    for form in (np.asarray, np.asfortranarray, sparse.csr_array, sparse.csr_matrix):
        z = normalizer.transform(form(x))
        assert z.shape == (x.shape[0], x.shape[1] + 1)
        back = normalizer.inverse_transform(z)
        assert type(z) is type(back) is type(form(x))
        back = back.toarray() if sparse.issparse(back) else back
        np.testing.assert_allclose(back, x, rtol=1e-15)


@all_norms
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64])
def test_the_norm_is_kept_as_the_last_column(norm, dtype):
    x = (ordinary() * 10).round().astype(dtype)
    z = CLASSES[norm](keep_norm=True).fit_transform(x)
    assert z.dtype == (dtype if np.dtype(dtype).kind == "f" else np.float64)
    exact = np.linalg.norm(x.astype(np.float64), ord=ORDERS[norm], axis=1)
    np.testing.assert_allclose(z[:, -1], exact, rtol=2 * np.finfo(z.dtype).eps)
    np.testing.assert_array_equal(z[:, :-1], CLASSES[norm]().fit_transform(x))


@all_norms
@pytest.mark.parametrize("shape", [(7, 6, 4), (7, 6, 4, 3)])
def test_the_norm_is_kept_for_each_position(norm, shape):
    x = np.random.default_rng(0).normal(size=shape)
    normalizer = CLASSES[norm](keep_norm=True).fit(x)
    z = normalizer.transform(x)
    assert z.shape == (7, 7, *shape[2:])
    np.testing.assert_allclose(z[:, -1], np.linalg.norm(x, ord=ORDERS[norm], axis=1), rtol=1e-14)
    np.testing.assert_allclose(normalizer.inverse_transform(z), x, rtol=1e-15)


@all_norms
def test_inverse_is_there_only_where_the_norm_was_kept(norm):
    assert hasattr(CLASSES[norm](keep_norm=True), "inverse_transform")
    assert not hasattr(CLASSES[norm](), "inverse_transform")
    with pytest.raises(AttributeError) as raised:
        CLASSES[norm]().inverse_transform([[1.0]])
    assert "keep_norm=True" in str(raised.value.__cause__)


@all_norms
def test_names_out(norm):
    names = CLASSES[norm](keep_norm=True).fit([[1.0, 2.0]]).get_feature_names_out(["a", "b"])
    assert names.tolist() == ["a", "b", f"{norm}_norm"]
    names = CLASSES[norm]().fit([[1.0, 2.0]]).get_feature_names_out()
    assert names.tolist() == ["x0", "x1"]


@all_norms
@pytest.mark.parametrize("form", DENSE.values(), ids=DENSE)
def test_the_memory_layout_changes_neither_numbers_nor_the_input(norm, form):
    x = form(ordinary(600, 5))
    before = np.array(x)
    expected = CLASSES[norm]().fit_transform(before)
    np.testing.assert_allclose(CLASSES[norm]().fit_transform(x), expected, rtol=1e-15)
    np.testing.assert_array_equal(x, before)


@all_norms
@pytest.mark.parametrize("form", ["C", "F", "strided", "backwards"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_without_copy_the_result_is_the_input(norm, form, dtype):
    x = DENSE[form](ordinary().astype(dtype))
    expected = CLASSES[norm]().fit_transform(np.array(x))
    result = CLASSES[norm](copy=False).fit(x).transform(x)
    assert result is x
    np.testing.assert_allclose(result, expected, rtol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("estimator", [L1Normalizer(), L2Normalizer(), MaxNormalizer()], ids=repr)
def test_nan_is_found_at_any_place(estimator, dtype, order):
    for place in range(21):
        x = np.ones((19, 21), dtype=dtype, order=order)
        x[11, place] = np.nan
        with pytest.raises(ValueError, match=f"feature {place}, row 11"):
            estimator.fit(np.ones((2, 21))).transform(x)
