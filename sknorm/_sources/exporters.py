"""Tables and streams of any library that hands them on by Arrow's C data interface.

Ibis and DataFusion do, and DuckDB.
"""

from __future__ import annotations

import importlib
from typing import Any


def reader_of(X: Any, kind: str) -> Any:
    """Return a pyarrow reader of what X hands on; ``kind`` is what errors call it."""
    try:
        arrow = importlib.import_module("pyarrow")
    except ImportError as error:
        raise ImportError(
            f"{kind} is read by pyarrow, which is not installed: pip install 'sknorm[frames]'."
        ) from error
    try:
        if hasattr(X, "__arrow_c_stream__"):
            return arrow.RecordBatchReader.from_stream(X)
        return arrow.Table.from_batches([arrow.record_batch(X)]).to_reader()
    except (arrow.ArrowException, RuntimeError) as error:
        raise ValueError(
            f"{kind} has no table to hand on: {error}. One that is read only once has to be opened "
            "anew."
        ) from error
