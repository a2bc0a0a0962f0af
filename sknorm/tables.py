"""Tables with text, dates and gaps: read from files, and prepared for a model."""

from sknorm._tables.encoder import TableEncoder
from sknorm._tables.errors import TableError
from sknorm._tables.pipeline import make_table_pipeline
from sknorm._tables.reading import read_table

__all__ = ["TableEncoder", "TableError", "make_table_pipeline", "read_table"]
