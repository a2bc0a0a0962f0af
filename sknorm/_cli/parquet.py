"""Parquet files, read with pyarrow or polars into lists of values by column."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

Columns = list[tuple[str, list[Any]]]
# What pandas calls the columns of an index that has no name.
UNNAMED_INDEX = re.compile(r"__index_level_\d+__")


def read_parquet(path: Path, notes: list[str]) -> Columns | None:
    """Return the columns, and note what is done to them; None where no library can read them."""
    for name, read in READERS.items():
        try:
            library = importlib.import_module(name)
        except ImportError:
            continue
        columns, metadata = read(library, path)
        return _settle_index(columns, _index_names(metadata), notes)
    return None


def _with_pyarrow(parquet: Any, path: Path) -> tuple[Columns, Any]:
    table = parquet.read_table(path)
    columns = [(n, c.to_pylist()) for n, c in zip(table.column_names, table.columns, strict=True)]
    return columns, (table.schema.metadata or {}).get(b"pandas")


def _with_polars(polars: Any, path: Path) -> tuple[Columns, Any]:
    columns = [(column.name, column.to_list()) for column in polars.read_parquet(path)]
    # Older polars has no such function; there only an index without a name is known.
    read_metadata = getattr(polars, "read_parquet_metadata", None)
    return columns, None if read_metadata is None else read_metadata(path).get("pandas")


READERS: dict[str, Callable[[Any, Path], tuple[Columns, Any]]] = {
    "pyarrow.parquet": _with_pyarrow,
    "polars": _with_polars,
}


def _index_names(metadata: str | bytes | None) -> list[str]:
    """Return the columns that pandas says were the index; ranges have none."""
    found = json.loads(metadata or "{}").get("index_columns", [])
    return [name for name in found if isinstance(name, str)]


def _settle_index(columns: Columns, index: list[str], notes: list[str]) -> Columns:
    """Leave out an index without a name, and put one with a name first, as CSV files have it.

    pandas writes it last, where it would be taken as the target.
    """
    unnamed = [name for name, _ in columns if UNNAMED_INDEX.fullmatch(name)]
    named = [name for name in index if name not in unnamed]
    if unnamed:
        notes.append("Left out, the index of a pandas frame, which has no name.")
    if named:
        notes.append(f"Taking the index of a pandas frame as columns: {', '.join(named)}.")
    columns = [(name, values) for name, values in columns if name not in unnamed]
    return sorted(columns, key=lambda column: column[0] not in named)
