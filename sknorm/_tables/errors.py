"""The error of the tables, and the libraries that they need."""

from __future__ import annotations

import importlib
from typing import Any


class TableError(ValueError):
    """A table that cannot be read or used, with what is wrong and what to do."""


def load(name: str) -> Any:
    """Return a library of the extra ``table``."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        top = name.partition(".")[0]
        raise ImportError(
            f"Tables with text, dates or gaps need {top}: pip install 'sknorm[table]'."
        ) from error
