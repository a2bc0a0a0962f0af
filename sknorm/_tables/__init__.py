"""Tables with text, dates and gaps: read from files, and turned into numbers for a model."""

from sknorm._tables.errors import TableError
from sknorm._tables.reading import read_table

__all__ = ["TableError", "read_table"]
