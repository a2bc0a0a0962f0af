"""What is allocated beside the data, as tracemalloc sees it: NumPy reports its arrays to it."""

import gc
import tracemalloc
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sknorm import (
    BatchStatScaler,
    L1Normalizer,
    L2Normalizer,
    LayerScaler,
    MaxNormalizer,
    PowerNormScaler,
)
from sknorm._backends.dispatch import uses_kernels

ROWS, COLUMNS = 160_000, 50  # 64 MB of float64
EVERY_CLASS = [
    *(BatchStatScaler, PowerNormScaler, LayerScaler),
    *(L1Normalizer, L2Normalizer, MaxNormalizer),
]
DTYPES = ["float64", "float32", "int32", "bool"]
LAYOUTS = ["C", "F", "every other column", "every other row", "three axes"]


def bound(n_features=COLUMNS):
    """Return how many bytes a call may need, whatever the number of samples."""
    # The readable path has up to seven temporary arrays of a block of samples, of 512 kB each.
    block = 2_000_000 if uses_kernels(np.empty(0)) else 5_000_000
    return block + 1_000 * n_features


@lru_cache(maxsize=1)
def make(dtype, layout):
    rows = 2 * ROWS if layout == "every other row" else ROWS
    columns = 2 * COLUMNS if layout == "every other column" else COLUMNS
    X = np.empty((rows, columns), dtype, order="F" if layout == "F" else "C")
    # Small values, so that no dtype overflows; no column and no row is constant.
    for first in range(4):
        X[first::4] = (np.arange(columns) + first) % 3
    if layout.startswith("every other"):
        return X[:, ::2] if layout.endswith("column") else X[::2]
    return X.reshape(-1, COLUMNS, 40) if layout == "three axes" else X


def peak(call):
    """Return how many bytes were allocated at the peak of a call, and its result."""
    gc.collect()
    tracemalloc.start()
    try:
        result = call()
        return tracemalloc.get_traced_memory()[1], result
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("scaler", EVERY_CLASS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_fit_allocates_nothing_of_the_datas_size(dtype, layout, scaler):
    X = make(dtype, layout)
    used, _ = peak(lambda: scaler().fit(X))
    assert used < bound()


@pytest.mark.parametrize("scaler", EVERY_CLASS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_transform_allocates_the_output_only(dtype, layout, scaler):
    X = make(dtype, layout)
    fitted = scaler().fit(X[:100])
    used, result = peak(lambda: fitted.transform(X))
    assert used - result.nbytes < bound()


@pytest.mark.parametrize("scaler", EVERY_CLASS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_transform_in_place_allocates_nothing_of_the_datas_size(dtype, layout, scaler):
    X = make(dtype, layout)
    fitted = scaler().fit(X[:100])
    used, result = peak(lambda: fitted.transform(X, copy=False))
    make.cache_clear()
    assert result is X
    assert used < bound()


@pytest.mark.parametrize("scaler", EVERY_CLASS)
def test_transform_keeps_nothing_per_sample(scaler):
    X = np.ones((1_000_000, 8))
    X[:, ::2] = 2
    fitted = scaler().fit(X[:100])
    used, result = peak(lambda: fitted.transform(X))
    assert used - result.nbytes < bound(8)


@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_fit_and_transform_of_a_data_frame(dtype, layout):
    # A copy would be refused: the view that pandas gives is the array itself.
    X = pd.DataFrame(make(dtype, layout), copy=False)
    scaler = BatchStatScaler().fit(X[:100])
    used, result = peak(lambda: scaler.transform(X))
    assert used - result.nbytes < bound()
    used, _ = peak(lambda: scaler.fit(X))
    assert used < bound()


def test_fit_of_a_data_frame_of_columns():
    X = pd.DataFrame({f"x{i}": np.arange(ROWS) + 0.5 * i for i in range(COLUMNS)})
    BatchStatScaler().fit(X[:100])
    used, _ = peak(lambda: BatchStatScaler().fit(X))
    assert used < bound()


def test_fit_of_a_data_frame_to_which_columns_were_added():
    X = pd.DataFrame(make("float64", "F"), copy=False)
    X = X.assign(**{"x 1": np.arange(ROWS) * 0.5}).rename(columns=str)
    expected = BatchStatScaler().fit(X.to_numpy())
    used, scaler = peak(lambda: BatchStatScaler().fit(X))
    tells_of_copies = int(pd.__version__.partition(".")[0]) >= 3
    assert used < bound() + (0 if tells_of_copies else X.size * 8)
    np.testing.assert_array_equal(scaler.mean_, expected.mean_)


@pytest.mark.parametrize("missing", [0.0, 0.01])
@pytest.mark.parametrize("weighted", [False, True])
def test_fit_with_weights_and_missing_values(weighted, missing):
    X = make("float64", "C").copy()
    rng = np.random.default_rng(0)
    X[rng.random(X.shape) < missing] = np.nan
    weights = rng.random(len(X)) if weighted else None
    used, _ = peak(lambda: BatchStatScaler().fit(X, sample_weight=weights))
    # Checking the weights takes a few arrays of their size.
    assert used < bound() + (2 * weights.nbytes if weighted else 0)


@pytest.mark.parametrize("scaler", [BatchStatScaler, PowerNormScaler])
@pytest.mark.parametrize("form", ["csr", "csc"])
def test_fit_of_a_sparse_array(form, scaler):
    X = sparse.csr_array(make("float64", "C")).asformat(form)
    used, _ = peak(lambda: scaler().fit(X))
    assert used < bound() + X.indptr.nbytes
