"""The one place that decides what an input is: what is read in blocks, or refused by name.

A library is looked at only once it is imported, as it is where somebody has an object of it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from sknorm._compat import root_of, root_of_class
from sknorm._sources.source import Source

# By the library and the name of a class: the module here and its function or class.
OPENERS = {
    ("polars", "LazyFrame"): ("lazy", "PolarsFrame"),
    ("duckdb", "DuckDBPyRelation"): ("lazy", "Relation"),
    ("_duckdb", "DuckDBPyRelation"): ("lazy", "Relation"),
    ("pyarrow", "RecordBatchReader"): ("arrow", "open_reader"),
    ("pyarrow", "Dataset"): ("arrow", "open_dataset"),
    ("pyarrow", "Scanner"): ("arrow", "open_dataset"),
    ("pyarrow", "ParquetFile"): ("parquet", "open_file"),
    ("ibis", "Table"): ("arrow", "open_exporter"),
    ("dask", "Array"): ("dask_arrays", "DaskArray"),
    ("dask", "DataFrame"): ("dask_frames", "DaskFrame"),
    ("pyspark", "DataFrame"): ("spark", "SparkFrame"),
    ("h5py", "Dataset"): ("stored_arrays", "StoredArray"),
    ("zarr", "Array"): ("stored_arrays", "StoredArray"),
    ("torch", "DataLoader"): ("streams", "Batches"),
    ("tensorflow", "Dataset"): ("streams", "Batches"),
    ("polars", "_CollectBatches"): ("streams", "Batches"),
}

# Arrays with labels, and which attribute is the array of another library that they label.
LABELED = {("xarray", "DataArray"): "data"}

# What is refused, with what to pass in its place.
WAYS_OUT = {
    ("narwhals", "LazyFrame"): "X.to_native()",
    ("dask", "Delayed"): "X.compute()",
    ("dask", "Bag"): "X.to_dataframe()",
    ("dask", "Series"): "X.to_frame()",
    ("ray", "Dataset"): "iter(X.iter_batches(batch_format='pyarrow')), or X.to_pandas()",
    ("datasets", "Dataset"): "X.with_format('arrow').iter(10_000), or X.to_pandas()",
    ("datasets", "IterableDataset"): "an iterator of its batches as arrays",
    ("datasets", "DatasetDict"): "one of its parts, such as X['train'].to_pandas()",
    ("h5py", "Group"): "one of its data sets, X['name']",
    ("_io", "_IOBase"): "its path, if it is a Parquet file, or what pandas.read_csv makes of it",
    ("pandas", "DataFrameGroupBy"): "the frame before groupby, or use GroupScaler(by=...)",
    ("polars", "GroupBy"): "the frame before group_by, or use GroupScaler(by=...)",
    ("polars", "LazyGroupBy"): "the LazyFrame before group_by, or use GroupScaler(by=...)",
    ("dask", "GroupBy"): "the DataFrame before groupby, or use GroupScaler(by=...)",
    ("pyspark", "Column"): "a DataFrame with it, as of frame.select(column)",
    ("pyspark", "GroupedData"): "the DataFrame before groupBy, or use GroupScaler(by=...)",
    ("pyspark", "RDD"): "X.toDF()",
    ("sparse", "SparseArray"): "X.asformat('coo').to_scipy_sparse()",
    ("xarray", "Dataset"): "X.to_dataframe()",
    ("zarr", "Group"): "one of its arrays, X['name']",
    ("torch", "Dataset"): "an array of its samples",
}


def open_source(X: Any) -> Source | None:
    """Return what reads X in blocks, or None where X is in memory, or is nothing known here."""
    X = _unwrapped(X)
    opener = _opener(X)
    if opener is None:
        return None
    module, name = opener
    source: Source = getattr(importlib.import_module(f"sknorm._sources.{module}"), name)(X)
    return source


def is_source(X: Any) -> bool:
    """Tell whether X is not in memory, and would be read in blocks."""
    return _opener(_unwrapped(X)) is not None


def _unwrapped(X: Any) -> Any:
    """Return the array that another one has labels for, which may not be in memory."""
    attribute = _entry(X, LABELED)
    return X if attribute is None else getattr(X, attribute)


def _opener(X: Any) -> tuple[str, str] | None:
    """Return the module and the name of what reads X in blocks, if anything does."""
    if isinstance(X, np.ndarray) or sparse.issparse(X) or isinstance(X, (list, tuple)):
        return None
    if isinstance(X, (str, os.PathLike)):
        return "parquet", "open_parquet"
    opener: tuple[str, str] | None = _entry(X, OPENERS)
    if opener is None and exports_arrow(X):
        opener = "arrow", "open_exporter"
    elif opener is None and isinstance(X, Iterator):
        opener = "streams", "Batches"
    return None if opener is None or way_out(X) is not None else opener


def exports_arrow(X: Any) -> bool:
    """Tell whether X has a table or a stream for whoever speaks Arrow, and is no array itself."""
    has_any = hasattr(X, "__arrow_c_stream__") or hasattr(X, "__arrow_c_array__")
    return has_any and not hasattr(X, "__array__") and root_of(X) != "pyarrow"


def way_out(X: Any) -> str | None:
    """Return what to pass instead of something that is refused, or None if it is not listed."""
    found: str | None = _entry(X, WAYS_OUT)
    return found


def _entry(X: Any, table: dict[tuple[str, str], Any]) -> Any:
    """Return what a table has for the class of X, or for one that it is derived from."""
    names = ((root_of_class(cls), cls.__name__) for cls in type(X).__mro__)
    return next((table[name] for name in names if name in table), None)
