"""Tables in Parquet files, which have names and types already."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sknorm._tables.errors import TableError, load
from sknorm._tables.header import distinct_names

if TYPE_CHECKING:
    import pandas

# What pandas calls the columns of an index that has no name.
UNNAMED_INDEX = re.compile(r"__index_level_\d+__")
PANDAS_METADATA = "select value from parquet_kv_metadata(?) where key = 'pandas'::blob"
PARQUET_SCHEMA = "select name, num_children from parquet_schema(?)"


def read_parquet(path: Path, data: bytes, notes: list[str]) -> pandas.DataFrame:
    """Return the table in a Parquet file."""
    duckdb = load("duckdb")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "table.parquet"
        copy.write_bytes(data)
        connection = duckdb.connect()
        try:
            frame = connection.read_parquet(str(copy)).df()
            schema = connection.execute(PARQUET_SCHEMA, [str(copy)]).fetchall()
            metadata = connection.execute(PANDAS_METADATA, [str(copy)]).fetchone()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise TableError(f"{path} is a Parquet file that cannot be read: {reason}") from error
        finally:
            connection.close()
    frame.columns = distinct_names(_names_in(schema), notes)
    return _settle_index(frame, _index_names(metadata), notes)


def _names_in(schema: list[tuple[str, int | None]]) -> list[str]:
    """Return the names of columns, of a schema that has the parts of a column after it.

    DuckDB's own names differ where two are the same but for their case.
    """
    names = []
    parts = 0
    for name, n_parts in schema[1:]:
        if not parts:
            names.append(name)
        parts += (n_parts or 0) - (1 if parts else 0)
    return names


def _index_names(metadata: tuple[bytes] | None) -> list[str]:
    """Return the columns that pandas says were the index; ranges have none."""
    found = json.loads(metadata[0] if metadata else "{}").get("index_columns", [])
    return [name for name in found if isinstance(name, str)]


def _settle_index(frame: Any, index: list[str], notes: list[str]) -> Any:
    """Leave out an index without a name, and put one with a name first, as CSV files have it.

    pandas writes it last, where it would be taken as the target.
    """
    unnamed = [name for name in frame.columns if UNNAMED_INDEX.fullmatch(name)]
    named = [name for name in index if name not in unnamed]
    if unnamed:
        notes.append("Left out, the index of a pandas frame, which has no name.")
    if named:
        notes.append(f"Taking the index of a pandas frame as columns: {', '.join(named)}.")
    others = [name for name in frame.columns if name not in {*unnamed, *named}]
    return frame[[*named, *others]]
