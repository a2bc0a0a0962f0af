"""Sparse arrays whose parts were changed after they were made are refused, by name and place."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import by_reference, some
from scipy import sparse

from sknorm import (
    BatchStatScaler,
    L1Normalizer,
    L2Normalizer,
    LayerScaler,
    MaxNormalizer,
    PowerNormScaler,
    SquashingScaler,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 7)) * (rng.random((40, 7)) < 0.4)
ESTIMATORS = [
    BatchStatScaler(),
    BatchStatScaler(gamma=2.0, n_channels=7),
    PowerNormScaler(),
    LayerScaler(),
    LayerScaler(n_groups=7),
    L1Normalizer(),
    L2Normalizer(keep_norm=True),
    MaxNormalizer(),
    SquashingScaler(),
]
MAKERS = [sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.csc_matrix]


def assigned(**parts):
    """Return what assigns parts, each made from the array."""

    def ruin(x):
        for name, make in parts.items():
            setattr(x, name, make(x))

    return ruin


def unsigned(x):
    """Return an index that only unsigned integers hold, and the indices as such."""
    return np.uint64(2**64 - 1), x.indices.astype(np.uint64)


def put(name, position, value):
    """Return what writes a value into one of the parts."""

    def ruin(x):
        part = getattr(x, name)
        part[position] = value

    return ruin


RUINS = {
    "index past the end": (put("indices", 5, 1000), r"indices\[5\] is 1000"),
    "index just past the end": (
        lambda x: put("indices", 5, x.shape[x.format == "csr"])(x),
        r"indices\[5\] is",
    ),
    "index far": (put("indices", 3, 2**30), r"indices\[3\]"),
    "index negative": (put("indices", 0, -1), r"indices\[0\] is -1"),
    "pointer past the end": (put("indptr", -1, 1000), "indptr ends at 1000"),
    "pointer short of the end": (put("indptr", -1, 1), "indptr falls"),
    "pointer far": (put("indptr", 4, 2**30), "indptr falls.* at position 5"),
    "pointer negative": (put("indptr", 4, -(2**30)), "indptr falls.* at position 4"),
    "first pointer": (put("indptr", 0, 1), "indptr starts at 1"),
    "first pointer negative": (put("indptr", 0, -5), "indptr starts at -5"),
    "short data": (assigned(data=lambda x: x.data[:10].copy()), "data has 10 entries"),
    "short indices": (assigned(indices=lambda x: x.indices[:10].copy()), "indices has 10 entries"),
    "short pointers": (assigned(indptr=lambda x: x.indptr[:-1].copy()), "indptr has"),
    "long pointers": (assigned(indptr=lambda x: np.r_[x.indptr, x.indptr[-1]]), "indptr has"),
    "no pointers": (assigned(indptr=lambda x: x.indptr[:0]), "indptr has 0 entries"),
    "indices of floats": (assigned(indices=lambda x: x.indices + 0.5), "indices has dtype float64"),
    "pointers of objects": (assigned(indptr=lambda x: x.indptr.astype(object)), "indptr has dtype"),
    "data of two axes": (assigned(data=lambda x: x.data[:, None]), "data has 2 axes"),
    "data that is no array": (assigned(data=lambda x: list(x.data)), "data is a list"),
    "unsigned index": (
        assigned(indices=lambda x: np.where(x.indices == x.indices[3], *unsigned(x))),
        "is not well-formed|not a well-formed",
    ),
    "shape": (assigned(_shape=lambda x: (x.shape[0] + 1, x.shape[1] + 1)), "indptr has"),
    "narrow shape": (
        lambda x: setattr(x, "_shape", (40, 2) if x.format == "csr" else (2, 7)),
        r"indices\[|expecting 7 features",
    ),
}


def methods_of(estimator, good):
    """Return the methods of a fitted estimator that take a sparse array."""
    names = ["fit", "partial_fit", "transform", "fit_transform", "inverse_transform"]
    estimator.fit(good)
    return [getattr(estimator, name) for name in names if hasattr(estimator, name)]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("kind", RUINS)
def test_malformed_parts_are_refused(kind, index, estimator, make):
    ruin, message = RUINS[kind]
    x = make(X)
    x.indices, x.indptr = x.indices.astype(index), x.indptr.astype(index)
    ruin(x)
    before = [np.array(part, dtype=object) for part in (x.data, x.indices, x.indptr)]
    for method in methods_of(estimator, make(X)):
        if method.__name__ == "inverse_transform" and not hasattr(estimator, "scale_"):
            continue
        for bad in (x, pickle.loads(pickle.dumps(x))):
            with pytest.raises(ValueError, match=message):
                method(bad)
            with pytest.raises(ValueError, match=message):
                by_reference(lambda method=method, bad=bad: method(bad))
    for part, was in zip((x.data, x.indices, x.indptr), before, strict=True):
        np.testing.assert_array_equal(np.array(part, dtype=object), was)


def describes_an_array(x):
    """Tell what scipy's own check leaves out in part: it trusts pointers that end at 0."""
    pointers, minor = x.indptr.tolist(), x.shape[x.format == "csr"]
    return (
        pointers[0] == 0
        and pointers == sorted(pointers)
        and pointers[-1] <= x.indices.size
        and all(0 <= index < minor for index in x.indices[: pointers[-1]].tolist())
    )


@some
@given(st.data())
def test_any_edit_is_refused_or_read_as_scipy_does(data):
    make = data.draw(st.sampled_from(MAKERS))
    x = make(X)
    name = data.draw(st.sampled_from(["indices", "indptr"]))
    part = getattr(x, name)
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, part.size - 1))
        near = st.integers(-2, int(part.max()) + 2)
        part[position] = data.draw(near | st.integers(-(2**31), 2**31 - 1))
    if not describes_an_array(x):
        for estimator in ESTIMATORS:
            with pytest.raises(ValueError, match="well-formed"):
                estimator.fit_transform(x)
        return
    for estimator in ESTIMATORS:
        if x.indices.size == x.indptr[-1]:
            z = estimator.fit_transform(x)
            expected = type(estimator)(**estimator.get_params()).fit_transform(make(x.toarray()))
            np.testing.assert_allclose(z.toarray(), expected.toarray(), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("rows", [50, 90_000])
def test_indices_of_results_are_copies_in_any_size(rows, make):
    """Large ones go past the caches, and are looked at piece by piece."""
    x = sparse.random_array((rows, 1000), density=0.1, rng=np.random.default_rng(0), format="csr")
    x = make(x)
    assert (x.indices.nbytes > 2**25) == (rows > 50)
    scaler = BatchStatScaler().fit(x)
    z = scaler.transform(x)
    for part in ("indices", "indptr"):
        np.testing.assert_array_equal(getattr(z, part), getattr(x, part))
        assert not np.shares_memory(getattr(z, part), getattr(x, part))
    x.indices[-1] = 90_000
    for method in (scaler.transform, BatchStatScaler().fit, scaler.partial_fit):
        with pytest.raises(ValueError, match=rf"indices\[{x.indices.size - 1}\] is 90000"):
            method(x)


def test_surplus_entries_are_left_out():
    for make in MAKERS:
        x, whole = make(X), make(X)
        x.data, x.indices = np.r_[x.data, np.inf], np.r_[x.indices, 10**6].astype(np.int32)
        for estimator in ESTIMATORS:
            np.testing.assert_array_equal(
                estimator.fit_transform(x).toarray(), estimator.fit_transform(whole).toarray()
            )


FORMATS = {
    "coo": lambda x: x.coords[0].__setitem__(0, 1000),
    "bsr": lambda x: x.indices.__setitem__(0, 1000),
    "bsr pointers": lambda x: x.indptr.__setitem__(3, 1000),
    # scipy's own check believes pointers that end at 0.
    "bsr pointers that end at 0": lambda x: x.indptr.__setitem__([5, -1], [2**30, 0]),
    "bsr pointers of floats": lambda x: setattr(x, "indptr", x.indptr + 0.5),
    "bsr blocks": lambda x: setattr(x, "data", x.data[:3]),
    "bsr shape": lambda x: setattr(x, "_shape", (80, 7)),
    "dia": lambda x: setattr(x, "data", x.data[:1]),
    "lil": lambda x: x.rows[0].append(3),
    "lil index": lambda x: x.rows.__setitem__(0, [1000] * len(x.rows[0])),
    "dok": lambda x: x._dict.__setitem__((1000, 0), 1.0),
}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("base", [sparse.csr_array, sparse.csr_matrix])
def test_malformed_parts_of_other_formats_are_refused(kind, base):
    x = base(X).asformat(kind.split()[0])
    assert BatchStatScaler().fit_transform(x).shape == X.shape
    FORMATS[kind](x)
    for estimator in ESTIMATORS:
        with pytest.raises(ValueError, match="well-formed"):
            estimator.fit_transform(x)


@pytest.mark.parametrize("ndim", [1, 3])
def test_other_dimensions_are_refused(ndim):
    x = sparse.coo_array(np.ones((3,) * ndim))
    for estimator in ESTIMATORS:
        with pytest.raises(ValueError, match=f"{ndim} dimensions"):
            estimator.fit(x)


class Subclass(sparse.csr_matrix):
    """A subclass, as other libraries have."""


class View(np.ndarray):
    """A view, as other libraries have of arrays on disk."""


PARTS = {
    "read-only": lambda part: np.frombuffer(part.tobytes(), part.dtype),
    "strided": lambda part: np.repeat(part, 2)[::2],
    "reversed": lambda part: part[::-1].copy()[::-1],
    "byte-swapped": lambda part: part.astype(part.dtype.newbyteorder()),
    "unaligned": lambda part: np.frombuffer(b"0" + part.tobytes(), part.dtype, offset=1),
    "a subclass": lambda part: part.view(View),
}


@pytest.mark.parametrize("make", [*MAKERS, Subclass])
@pytest.mark.parametrize("which", ["data", "indices", "indptr", "all"])
@pytest.mark.parametrize("layout", PARTS)
@pytest.mark.parametrize("copy", [True, False])
def test_parts_of_any_layout(make, which, layout, copy):
    for prototype in ESTIMATORS:
        estimator = type(prototype)(**{**prototype.get_params(), "copy": copy})
        x, plain = make(X), (sparse.csr_matrix if make is Subclass else make)(X)
        for name in ("data", "indices", "indptr") if which == "all" else (which,):
            setattr(x, name, PARTS[layout](getattr(x, name)))
        dense, parts = x.toarray(), [x.data, x.indices, x.indptr]
        z = estimator.fit(x).transform(x)
        expected = prototype.fit(plain).transform(plain)
        np.testing.assert_array_equal(z.toarray(), expected.toarray())
        assert type(z) is type(expected)
        assert all(type(part) is np.ndarray for part in (z.data, z.indices, z.indptr))
        if copy or not x.data.flags.writeable:
            np.testing.assert_array_equal(x.toarray(), dense)
            for part in (z.data, z.indices, z.indptr):
                assert not any(np.shares_memory(part, own) for own in parts)
        assert [x.data, x.indices, x.indptr][0] is parts[0]


def test_unsorted_indices_behind_a_flag_that_says_otherwise():
    for make in MAKERS[:2]:
        x = make(X)
        assert x.has_canonical_format
        for j in range(x.indptr.size - 1):
            one = slice(x.indptr[j], x.indptr[j + 1])
            x.indices[one], x.data[one] = x.indices[one][::-1].copy(), x.data[one][::-1].copy()
        for estimator in (L1Normalizer(), L2Normalizer(), MaxNormalizer(), BatchStatScaler()):
            expected = estimator.fit_transform(make(X)).toarray()
            np.testing.assert_allclose(estimator.fit_transform(x).toarray(), expected, rtol=1e-12)
