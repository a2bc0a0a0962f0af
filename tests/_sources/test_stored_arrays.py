"""Arrays in files: the numbers of the same rows in memory, of which a block is read at a time."""

import tracemalloc

import dask.array
import numpy as np
import pytest
from inputs import GAPS, LEARNERS, NORMS, ROW_WISE, ROWS, assert_same_statistics
from sklearn.base import clone
from sklearn.linear_model import Ridge

from sknorm import BatchStatScaler, GroupScaler, SquashingScaler, compare_normalizers

h5py = pytest.importorskip("h5py")
xarray = pytest.importorskip("xarray")
EXACT = [scaler for scaler in LEARNERS if not isinstance(scaler, SquashingScaler)]


@pytest.fixture
def file(tmp_path):
    with h5py.File(tmp_path / "rows.h5", "w") as opened:
        yield opened


def stored(file, values, **options):
    """Return an array in a file."""
    return file.create_dataset(f"d{len(file)}", data=values, **options)


@pytest.mark.parametrize("scaler", [*EXACT, *ROW_WISE, *NORMS], ids=repr)
@pytest.mark.parametrize("chunks", [None, (7, 3), (3000, 1)], ids=str)
def test_same_as_in_memory(scaler, chunks, file, monkeypatch):
    monkeypatch.setattr("sknorm._sources.stored_arrays.BLOCK_BYTES", 3200)
    rows = ROWS if scaler in NORMS else GAPS
    X = stored(file, rows, chunks=chunks)
    expected, found = clone(scaler).fit(rows), clone(scaler).fit(X)
    assert_same_statistics(found, expected)
    result = found.transform(X)
    assert type(result) is np.ndarray
    np.testing.assert_allclose(result, expected.transform(rows), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(clone(scaler).fit_transform(X), result)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int16", "bool", ">f8"])
def test_dtypes_as_in_memory(dtype, file):
    rows = np.nan_to_num(GAPS).clip(-100, 100).astype(dtype)
    expected = BatchStatScaler().fit_transform(rows)
    found = BatchStatScaler().fit_transform(stored(file, rows))
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_channels_with_positions(file):
    images = GAPS[:2990].reshape(26, 5, 92)
    X = stored(file, images)
    expected = BatchStatScaler().fit(images)
    assert_same_statistics(BatchStatScaler().fit(X), expected, rtol=1e-13)
    np.testing.assert_allclose(expected.transform(X), expected.transform(images))


def test_weights_are_those_of_the_rows(file, monkeypatch):
    monkeypatch.setattr("sknorm._sources.stored_arrays.BLOCK_BYTES", 3200)
    weights = np.arange(len(GAPS)) % 7
    X = stored(file, GAPS)
    expected = BatchStatScaler().fit(GAPS, sample_weight=weights)
    assert_same_statistics(BatchStatScaler().fit(X, sample_weight=weights), expected, rtol=1e-13)
    of_file = BatchStatScaler().fit(X, sample_weight=stored(file, weights))
    assert_same_statistics(of_file, expected, rtol=1e-13)
    one_each = BatchStatScaler().fit(X, sample_weight=1.0)
    np.testing.assert_allclose(one_each.mean_, BatchStatScaler().fit(GAPS).mean_)
    scaler = BatchStatScaler().fit(GAPS)
    with pytest.raises(ValueError, match=r"sample_weight.shape == \(5,\), expected \(3000,\)"):
        scaler.fit(X, sample_weight=weights[:5])
    assert scaler.n_samples_seen_.max() <= 3000


def test_groups_beside_it(file):
    groups = np.arange(len(GAPS)) % 11
    X = stored(file, GAPS)
    expected = GroupScaler().fit(GAPS, groups=groups)
    found = GroupScaler().fit(X, groups=groups)
    np.testing.assert_array_equal(
        found.transform(X, groups=groups), expected.transform(GAPS, groups=groups)
    )
    assert str(found.check_drift(X, groups=groups)) == str(
        expected.check_drift(GAPS, groups=groups)
    )
    with_key = stored(file, np.column_stack([groups, GAPS]))
    by_column = GroupScaler(by=0).fit(with_key)
    np.testing.assert_allclose(
        by_column.transform(with_key)[:, 1:], expected.transform(GAPS, groups=groups)
    )


def test_momentum_takes_it_for_one_batch(file, monkeypatch):
    monkeypatch.setattr("sknorm._sources.stored_arrays.BLOCK_BYTES", 3200)
    expected = BatchStatScaler(momentum=0.3).partial_fit(GAPS + 1).partial_fit(GAPS)
    found = BatchStatScaler(momentum=0.3).partial_fit(GAPS + 1).partial_fit(stored(file, GAPS))
    assert_same_statistics(found, expected, rtol=1e-13)


def test_the_file_is_not_written(file):
    X = stored(file, GAPS)
    BatchStatScaler(copy=False).fit_transform(X)
    BatchStatScaler(copy=False).fit(X).transform(X)
    np.testing.assert_array_equal(X[:], GAPS)


def test_set_output(file):
    frame = BatchStatScaler().set_output(transform="pandas").fit_transform(stored(file, GAPS))
    assert list(frame) == ["x0", "x1", "x2", "x3"]


def test_fit_reads_a_block_at_a_time(file):
    X = file.create_dataset("large", shape=(400_000, 20), dtype="f8", chunks=(5000, 20))
    X[:5000] = 3.0
    BatchStatScaler().fit(X)
    tracemalloc.start()
    try:
        scaler = BatchStatScaler().fit(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert scaler.n_samples_seen_ == 400_000
    assert peak < X.size * 8 * 0.3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros(5), "Expected 2D array, got 1D array instead: X is the h5py Dataset of shape"),
        (h5py.Empty("f8"), "got 0D array instead"),
        (np.zeros((0, 3)), "Found no rows"),
        (np.array([[b"a"], [b"b"]]), "feature 0 has .* not numeric"),
        (np.array([[0.0], [np.inf]]), "contains infinity.*feature 0, row 1"),
    ],
    ids=["1d", "empty", "no rows", "text", "infinity"],
)
def test_refused(values, message, file):
    scaler = BatchStatScaler().fit(GAPS)
    before = scaler.mean_.copy()
    with pytest.raises(ValueError, match=message):
        scaler.fit(stored(file, values))
    np.testing.assert_array_equal(scaler.mean_, before)


def test_files_and_comparisons_are_refused_with_a_way_out(file):
    X = stored(file, GAPS)
    with pytest.raises(TypeError, match=r"Pass one of its data sets, X\['name'\] instead"):
        BatchStatScaler().fit(file)
    with pytest.raises(TypeError, match="Read it into an array"):
        compare_normalizers(Ridge(), X, GAPS[:, 0])


def test_labeled_array_in_memory_and_of_dask():
    labeled = xarray.DataArray(GAPS, dims=("row", "column"))
    expected = BatchStatScaler().fit(GAPS)
    result = BatchStatScaler().fit_transform(labeled)
    np.testing.assert_array_equal(result, expected.transform(GAPS))
    lazy = BatchStatScaler().fit_transform(labeled.chunk({"row": 500}))
    assert isinstance(lazy, dask.array.Array)
    np.testing.assert_allclose(lazy.compute(), result, rtol=1e-12)


@pytest.mark.engine
def test_zarr(tmp_path):
    import zarr

    X = zarr.create_array(tmp_path / "rows.zarr", data=GAPS, chunks=(500, 4))
    expected = BatchStatScaler().fit(GAPS)
    found = BatchStatScaler().fit(X)
    assert_same_statistics(found, expected)
    np.testing.assert_array_equal(found.transform(X), expected.transform(GAPS))
