"""Data frames whose columns are read where they lie: the bits of the same numbers in one array."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from sknorm import BatchStatScaler, LayerScaler, PowerNormScaler, SquashingScaler

N = 5000
rng = np.random.default_rng(5)
X = rng.normal(3.0, 2.0, size=(N, 5)) * [1.0, 1e-3, 1e6, 1e100, 1.0]
NAMES = list("abcde")
GAPS = np.where(rng.random(X.shape) < 0.1, np.nan, X)
MIXED = {
    "float": X[:, 0],
    "single": X[:, 1].astype(np.float32),
    "whole": (X[:, 2]).astype(np.int32),
    "flag": X[:, 0] > 3,
    "gaps": GAPS[:, 4],
}
WIDE = np.column_stack([np.asarray(column, dtype=float) for column in MIXED.values()])


def nullable(frame):
    kinds = {"float": "Float64", "single": "Float32", "whole": "Int32", "flag": "boolean"}
    return frame.astype(kinds | {"gaps": "double[pyarrow]"})


KINDS = {
    "pandas": (pd.DataFrame(X, columns=NAMES), X),
    "pandas mixed": (pd.DataFrame(MIXED), WIDE),
    "pandas nullable": (nullable(pd.DataFrame(MIXED)), WIDE),
    "pandas of another order": (pd.DataFrame(np.asfortranarray(X), columns=NAMES)[NAMES[::-1]],
                                X[:, ::-1]),
    "pandas rows": (pd.DataFrame(MIXED)[::2].reset_index(), None),
    "polars": (pl.DataFrame(GAPS, schema=NAMES), GAPS),
    "polars null": (pl.DataFrame(GAPS, schema=NAMES).fill_nan(None), GAPS),
    "polars mixed": (pl.DataFrame(MIXED), WIDE),
    "polars chunks": (pl.concat([pl.DataFrame(X[:999], schema=NAMES),
                                 pl.DataFrame(X[999:], schema=NAMES)], rechunk=False), X),
    "Arrow": (pl.DataFrame(GAPS, schema=NAMES).to_arrow(), GAPS),
    "Arrow mixed": (pl.DataFrame(MIXED).to_arrow(), WIDE),
    "Arrow chunks": (pl.concat([pl.DataFrame(X[:999], schema=NAMES),
                                pl.DataFrame(X[999:], schema=NAMES)], rechunk=False).to_arrow(), X),
}  # fmt: skip
KINDS["pandas rows"] = (KINDS["pandas rows"][0], KINDS["pandas rows"][0].to_numpy(dtype=float))
every = pytest.mark.parametrize("kind", KINDS)
SCALERS = [
    BatchStatScaler(),
    BatchStatScaler(gamma=2.0, beta=1.0, eps=1e-3),
    BatchStatScaler(with_mean=False),
    PowerNormScaler(),
    BatchStatScaler(n_jobs=2),
]


@every
@pytest.mark.parametrize("scaler", SCALERS, ids=repr)
def test_bits(scaler, kind):
    frame, numbers = KINDS[kind]
    numbers = np.asfortranarray(numbers)
    found, expected = clone(scaler).fit(frame), clone(scaler).fit(numbers)
    for name in ("mean_", "var_", "scale_", "mean_square_", "n_samples_seen_"):
        if hasattr(expected, name):
            ours, theirs = getattr(found, name), getattr(expected, name)
            # Integers are converted in blocks in an array, and at once as a column.
            np.testing.assert_allclose(ours, theirs, rtol=1e-14)
    scaled = found.transform(frame)
    assert scaled.dtype == np.float64
    np.testing.assert_array_equal(scaled, bare(found).transform(numbers))


def bare(scaler):
    """Return the scaler without names, for arrays."""
    other = clone(scaler)
    other.__dict__.update(scaler.__dict__)
    del other.feature_names_in_
    return other


@every
def test_weights(kind):
    frame, numbers = KINDS[kind]
    weights = rng.random(len(numbers))
    found = BatchStatScaler().fit(frame, sample_weight=weights)
    expected = BatchStatScaler().fit(numbers, sample_weight=weights)
    np.testing.assert_allclose(found.mean_, expected.mean_, rtol=1e-14)
    np.testing.assert_allclose(found.var_, expected.var_, rtol=1e-13)


@every
@pytest.mark.parametrize("scaler", [LayerScaler(), SquashingScaler()], ids=repr)
def test_scalers_that_need_a_matrix(scaler, kind):
    frame, numbers = KINDS[kind]
    np.testing.assert_allclose(
        clone(scaler).fit_transform(frame), clone(scaler).fit_transform(numbers), rtol=1e-12
    )


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(X[:, :3].astype(np.float32)).rename(columns=str).astype({"0": "Float32"}),
        pl.DataFrame(X[:, :3].astype(np.float32)),
        pl.DataFrame(X[:, :3].astype(np.float32)).to_arrow(),
    ],
    ids=["nullable", "polars", "Arrow"],
)
def test_float32_stays(frame):
    assert BatchStatScaler().fit_transform(frame).dtype == np.float32


@every
def test_the_frame_is_left_alone(kind):
    frame, _ = KINDS[kind]
    before = pl.DataFrame(frame).to_dict(as_series=False)
    BatchStatScaler().fit(frame).transform(frame)
    LayerScaler().fit(frame).transform(frame)
    after = pl.DataFrame(frame).to_dict(as_series=False)
    assert repr(after) == repr(before)


@pytest.mark.parametrize("form", [pd.DataFrame, pl.DataFrame, lambda d: pl.DataFrame(d).to_arrow()])
def test_infinity_is_named(form):
    bad = dict(MIXED, gaps=np.where(np.arange(N) == 4321, np.inf, MIXED["gaps"]))
    scaler = BatchStatScaler().fit(form(MIXED))
    for method in (scaler.fit, scaler.partial_fit, scaler.transform):
        with pytest.raises(ValueError, match=r"infinity.*feature 4 \('gaps'\), row 4321"):
            method(form(bad))


@pytest.mark.parametrize("form", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("n_rows", [3, N])
def test_names_are_checked_as_by_scikit_learn(form, n_rows):
    frame = form({name: X[:n_rows, k] for k, name in enumerate("abc")})
    ours, theirs = BatchStatScaler().fit(frame), StandardScaler().fit(frame)
    assert list(ours.feature_names_in_) == list(theirs.feature_names_in_)
    assert ours.feature_names_in_.dtype == object
    for names in ("acb", "abx", "ab", "abcd"):
        other = form({name: X[:n_rows, k] for k, name in enumerate(names)})
        messages = []
        for scaler in (ours, theirs):
            with pytest.raises(ValueError, match="feature") as raised:
                scaler.transform(other)
            messages.append(str(raised.value))
        assert messages[0].replace("BatchStat", "Standard") == messages[1]


def test_a_frame_of_numbers_for_names():
    frame = pd.DataFrame(X)
    assert not hasattr(BatchStatScaler().fit(frame), "feature_names_in_")
    with pytest.raises(TypeError, match="names are only supported if all"):
        BatchStatScaler().fit(frame.rename(columns={0: "a"}))


def test_floats_of_other_sizes():
    half = X[:, :2].astype(np.float16)
    given = pa.table({"a": pa.array(half[:, 0]), "b": pa.array(half[:, 1])})
    scaled = BatchStatScaler().fit_transform(given)
    assert scaled.dtype == np.float16
    np.testing.assert_array_equal(scaled, BatchStatScaler().fit_transform(half))
    long = pd.DataFrame({"a": X[:, 0], "b": X[:, 1].astype(np.longdouble)})
    found = BatchStatScaler().fit_transform(long)
    np.testing.assert_allclose(found, BatchStatScaler().fit_transform(X[:, :2]), rtol=1e-12)


def test_complex_columns_are_refused():
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1] + 1j})
    scaler = BatchStatScaler().fit(X[:, :2])
    for method in (scaler.fit, scaler.transform):
        with pytest.raises(ValueError, match="Complex data not supported"):
            method(frame)


def test_frames_without_rows_or_columns():
    for frame in (pd.DataFrame(X)[:0], pd.DataFrame(index=range(5)), pl.DataFrame(X)[:0]):
        with pytest.raises(ValueError, match=r"0 (sample|feature)\(s\)"):
            BatchStatScaler().fit(frame)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_of_arrow_are_in_memory_that_arrow_uses_again(dtype):
    """The system clears what is new: streams of batches took a fifth longer."""
    rows = np.random.default_rng(0).normal(size=(5_000, 3)).astype(dtype)
    table = pa.table(list(rows.T), names=list("abc"))
    scaler = BatchStatScaler().fit(table)
    before = pa.total_allocated_bytes()
    result = scaler.transform(table)
    assert pa.total_allocated_bytes() - before >= rows.nbytes
    assert result.flags.writeable
    assert result.flags.f_contiguous
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, scaler.transform(pl.from_arrow(table)))
    part = result[:, 1]
    del result
    np.testing.assert_array_equal(part, scaler.transform(table)[:, 1])
    del part
    assert pa.total_allocated_bytes() == before


def test_a_chunk_of_one_row_of_float32():
    rows = np.random.default_rng(0).normal(3.0, 2.0, size=(20_000, 4)).astype(np.float32)
    whole = pa.table(list(rows.T), names=list("abcd"))
    cut = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    scaler = BatchStatScaler().fit(whole)
    np.testing.assert_array_equal(scaler.transform(cut), scaler.transform(whole))


def test_weights_of_chunks_of_integers_and_floats():
    """A chunk of integers is of floats where it has null."""
    rows = np.random.default_rng(0).integers(0, 9, 12_000).astype(float)
    weights = np.random.default_rng(1).random(rows.size)
    rows[9_000] = np.nan
    chunks = [
        pl.Series(None if np.isnan(x) else int(x) for x in part) for part in np.split(rows, 3)
    ]
    frame = pl.DataFrame({"a": pl.concat(chunks, rechunk=False)})
    assert {chunk.to_numpy().dtype.kind for chunk in frame["a"].get_chunks()} == {"i", "f"}
    found = BatchStatScaler().fit(frame, sample_weight=weights)
    expected = BatchStatScaler().fit(rows[:, None], sample_weight=weights)
    np.testing.assert_allclose(found.mean_, expected.mean_, rtol=1e-14)
    np.testing.assert_allclose(found.var_, expected.var_, rtol=1e-13)
