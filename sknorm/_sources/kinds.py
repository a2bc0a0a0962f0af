"""The one place that decides what an input is: what is listed here is read in blocks.

A library is looked at only once it is imported, as it is where somebody has an object of it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from sknorm._sources.source import Source

# By the library and the name of a class: the module here and its function or class.
OPENERS = {
    ("polars", "LazyFrame"): ("lazy", "PolarsFrame"),
    ("duckdb", "DuckDBPyRelation"): ("lazy", "Relation"),
    ("_duckdb", "DuckDBPyRelation"): ("lazy", "Relation"),
    ("pyarrow", "RecordBatchReader"): ("arrow", "open_reader"),
    ("pyarrow", "Dataset"): ("arrow", "open_dataset"),
    ("pyarrow", "Scanner"): ("arrow", "open_dataset"),
    ("dask", "Array"): ("dask_arrays", "DaskArray"),
    ("dask", "DataFrame"): ("dask_frames", "DaskFrame"),
    ("pyspark", "DataFrame"): ("spark", "SparkFrame"),
    ("torch", "DataLoader"): ("streams", "Batches"),
    ("tensorflow", "Dataset"): ("streams", "Batches"),
    ("polars", "_CollectBatches"): ("streams", "Batches"),
}


def open_source(X: Any) -> Source | None:
    """Return what reads X in blocks, or None where X is in memory, or is nothing known here."""
    if isinstance(X, np.ndarray) or sparse.issparse(X) or isinstance(X, (list, tuple)):
        return None
    if isinstance(X, (str, os.PathLike)):
        return _opened("arrow", "open_parquet", X)
    for cls in type(X).__mro__:
        opener = OPENERS.get((cls.__module__.partition(".")[0], cls.__name__))
        if opener is not None:
            return _opened(*opener, X)
    return _opened("streams", "Batches", X) if isinstance(X, Iterator) else None


def _opened(module: str, name: str, X: Any) -> Source:
    source: Source = getattr(importlib.import_module(f"sknorm._sources.{module}"), name)(X)
    return source
