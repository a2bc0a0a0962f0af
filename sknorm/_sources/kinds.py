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
    opener = _opener(X)
    if opener is None:
        return None
    module, name = opener
    source: Source = getattr(importlib.import_module(f"sknorm._sources.{module}"), name)(X)
    return source


def is_source(X: Any) -> bool:
    """Tell whether X is not in memory, and would be read in blocks."""
    return _opener(X) is not None


def _opener(X: Any) -> tuple[str, str] | None:
    """Return the module and the name of what reads X in blocks, if anything does."""
    if isinstance(X, np.ndarray) or sparse.issparse(X) or isinstance(X, (list, tuple)):
        return None
    if isinstance(X, (str, os.PathLike)):
        return "arrow", "open_parquet"
    for cls in type(X).__mro__:
        opener = OPENERS.get((cls.__module__.partition(".")[0], cls.__name__))
        if opener is not None:
            return opener
    return ("streams", "Batches") if isinstance(X, Iterator) else None
