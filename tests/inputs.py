"""The same numbers as every kind of input, and results of every kind as arrays."""

import numpy as np

from sknorm import (
    BatchStatScaler,
    L1Normalizer,
    L2Normalizer,
    LayerScaler,
    PowerNormScaler,
    SquashingScaler,
)

NAMES = list("abcd")
rng = np.random.default_rng(7)
ROWS = rng.normal(2.0, 3.0, size=(3000, 4)) * [1.0, 1e-3, 1e5, 1.0]
GAPS = np.where(rng.random(ROWS.shape) < 0.05, np.nan, ROWS)

LEARNERS = [
    BatchStatScaler(),
    BatchStatScaler(with_mean=False, gamma=2.0, beta=1.0),
    BatchStatScaler(n_channels=2, eps=1e-5),
    BatchStatScaler(with_std=False),
    PowerNormScaler(),
    SquashingScaler(),
    SquashingScaler(squash="tanh", max_absolute_value=5.0),
    SquashingScaler(squash="clip", gamma=0.5),
    SquashingScaler(squash=None),
]
ROW_WISE = [LayerScaler(), LayerScaler(n_groups=2, keep_statistics=True)]
NORMS = [L1Normalizer(), L2Normalizer(keep_norm=True)]


class ArrowTable:
    """A table of a library that nobody knows here, for whoever speaks Arrow."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


def as_array(result):
    """Return what any kind of result stands for."""
    if hasattr(result, "collect"):  # a LazyFrame
        result = result.collect()
    elif hasattr(result, "read_all"):  # a RecordBatchReader
        result = result.read_all()
    elif hasattr(result, "fetchall"):  # a DuckDB relation
        result = result.df()
    elif hasattr(result, "compute"):  # of Dask
        result = result.compute()
    if hasattr(result, "to_pandas"):
        result = result.to_pandas()
    if hasattr(result, "toarray"):
        return result.toarray()
    if hasattr(result, "__next__"):
        return np.concatenate([np.asarray(part) for part in result])
    return np.asarray(result)


def assert_same_statistics(found, expected, rtol=1e-14):
    """Compare what two scalers have learned."""
    assert vars(found).keys() == vars(expected).keys()
    for name in ("mean_", "var_", "mean_square_", "center_", "scale_", "n_samples_seen_"):
        if getattr(expected, name, None) is not None:
            ours, theirs = getattr(found, name), getattr(expected, name)
            np.testing.assert_allclose(ours, theirs, rtol=rtol, err_msg=name)
