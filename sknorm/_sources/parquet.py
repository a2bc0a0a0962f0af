"""Parquet files that a path or a glob pattern names, in parts of their row groups."""

from __future__ import annotations

import glob
import importlib
import os
import sys
from collections.abc import Iterator
from typing import Any

from sknorm._sources.arrow import BUFFER_BYTES, MOST_BYTES, ArrowStream, rows_of


def open_parquet(path: Any) -> ArrowStream:
    """Return a stream of the Parquet files that a path or a glob pattern names.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    FileNotFoundError
        If there is no such file.
    ValueError
        If a file is not a Parquet file.
    """
    text = os.fspath(path)
    found = sorted(glob.glob(text, recursive=True)) if glob.has_magic(text) else [text]
    if not found or not os.path.exists(found[0]):
        raise FileNotFoundError(
            f"X is text, which is read as the path of Parquet files, and there is no {text!r}."
        )
    try:
        dataset = importlib.import_module("pyarrow.dataset")
        importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ImportError(
            "Parquet files are read by pyarrow, which is not installed: pip install "
            "'sknorm[frames]'."
        ) from error
    try:
        files = dataset.dataset(found[0] if len(found) == 1 else found, format="parquet")
    except (OSError, sys.modules["pyarrow"].ArrowException) as error:
        raise ValueError(
            f"{text!r} cannot be read as Parquet. Pass what another library reads from it, such as "
            f"polars.scan_csv or numpy.load(..., mmap_mode='r'). ({error})"
        ) from error
    return ArrowStream(ParquetFiles(files), repr(text))


def open_file(X: Any) -> ArrowStream:
    """Return a stream of a ``ParquetFile`` that is open."""
    readers = sys.modules["pyarrow"].RecordBatchReader
    reader = readers.from_batches(X.schema_arrow, _batches(X))
    return ArrowStream(reader, "the ParquetFile", is_read_again=True)


class ParquetFiles:
    """The files of a data set without conditions, which are read one after the other.

    The scanner of a data set has two row groups in memory, whatever their size.
    """

    def __init__(self, files: Any) -> None:
        self._files = files
        self.schema = files.schema

    def to_batches(self) -> Iterator[Any]:
        """Yield record batches of the columns that the first file has."""
        for fragment in self._files.get_fragments():
            try:
                yield from self._of(fragment)
            except (OSError, sys.modules["pyarrow"].ArrowException) as error:
                raise ValueError(
                    f"{fragment.path!r} cannot be read as Parquet with the columns of the first "
                    f"file: {error}"
                ) from error

    def _of(self, fragment: Any) -> Iterator[Any]:
        if fragment.physical_schema.equals(self.schema):
            return _parts(fragment.path)
        return iter(fragment.to_batches(self.schema, use_threads=False))


def _parts(path: str) -> Iterator[Any]:
    parquet = sys.modules["pyarrow.parquet"]
    with parquet.ParquetFile(path, pre_buffer=False, buffer_size=BUFFER_BYTES) as file:
        yield from _batches(file)


def _batches(file: Any) -> Iterator[Any]:
    """Return row groups, or parts of large ones: reading is faster with few and large parts."""
    found = file.metadata
    group = found.row_group(0).num_rows if found.num_row_groups else 0
    most = rows_of(MOST_BYTES, found.num_columns)
    batches: Iterator[Any] = file.iter_batches(batch_size=max(1024, min(group, most)))
    return batches
