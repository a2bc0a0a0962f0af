"""Dask's data frames: as its arrays, with a name for each column."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from sknorm._sources.arrow import is_number
from sknorm._sources.dask_arrays import merged, tokenize
from sknorm._sources.learning import Reader
from sknorm._sources.source import Source, Work, refuse_columns, refuse_repeated
from sknorm._sources.streams import located, within


class DaskFrame(Source):
    """A DataFrame of Dask."""

    is_in_turn = False

    def __init__(self, X: Any) -> None:
        self.kind = "the Dask DataFrame"
        self._X = X
        self._columns = list(X.columns)
        self.n_features = len(self._columns)
        # scikit-learn's rule: names count where all of them are text.
        if all(isinstance(name, str) for name in self._columns):
            refuse_repeated(self.kind, self._columns)
            self.names = self._columns

    def learn(self, reader: Reader, sample_weight: Any) -> Any:
        """Return what a reader finds out of all rows, or None if there are none."""
        operands = [] if sample_weight is None else [self._weights(sample_weight)]
        parts = self._X.map_partitions(
            _learn, reader, *operands, meta=_meta(), enforce_metadata=False
        )
        whole = merged(parts.values, reader).compute()
        return np.asarray(whole, dtype=object).item()

    def apply(self, work: Work) -> Any:
        """Return a DataFrame of the same partitions, of which nothing is computed yet."""
        names = work.names or self._columns
        rows = self._X._meta_nonempty
        meta = _as_frame(work.of_block.example(rows), names, rows).iloc[:0]
        return self._X.map_partitions(
            partial(_apply, work, names, meta), meta=meta, token=f"sknorm-{tokenize(work)}"
        )

    def check_types(self, keys: Iterable[str]) -> None:
        """Refuse columns that are no numbers, but for those that are keys."""
        kinds = zip(self._columns, self._X.dtypes, strict=True)
        kept = {str(name): kind for name, kind in kinds if name not in set(keys)}
        fits = [_is_number(kind) for kind in kept.values()]
        refuse_columns(self.kind, list(kept), list(kept.values()), fits)

    def _weights(self, sample_weight: Any) -> Any:
        if not hasattr(sample_weight, "divisions"):
            raise TypeError(
                "The rows of a Dask DataFrame have no number, so sample_weight has to be a Dask "
                f"Series of the same partitions, not a {type(sample_weight).__name__}."
            )
        return sample_weight


def _is_number(kind: Any) -> bool:
    """Tell whether a dtype of pandas is one of numbers, of categories of numbers too."""
    if hasattr(kind, "categories"):
        return kind.categories is not None and kind.categories.dtype.kind in "biuf"
    return kind.kind in "biuf" or (hasattr(kind, "pyarrow_dtype") and is_number(kind.pyarrow_dtype))


def _meta() -> Any:
    return importlib.import_module("pandas").Series([], dtype=object, name="part")


def _series(part: Any) -> Any:
    series = importlib.import_module("pandas").Series([None], dtype=object, name="part")
    series.iloc[0] = part
    return series


def _learn(block: Any, reader: Reader, weights: Any = None, partition_info: Any = None) -> Any:
    given = None if weights is None else np.asarray(weights)
    return _series(located(lambda b: reader.part(b, given), block, _where(partition_info)))


def _apply(work: Work, names: list[Any], meta: Any, block: Any, partition_info: Any = None) -> Any:
    if not len(block):
        return meta
    return _as_frame(located(work.of_block, block, _where(partition_info)), names, block)


def _where(partition_info: Any) -> str:
    """Return which partition Dask says that this is, where it does."""
    return within(f"partition {partition_info['number']}" if partition_info else "a partition")


def _as_frame(result: Any, names: list[Any], block: Any) -> Any:
    pandas = importlib.import_module("pandas")
    if isinstance(result, dict):
        return pandas.DataFrame({name: result[name] for name in names}, index=block.index)
    return pandas.DataFrame(result, columns=names, index=block.index)
