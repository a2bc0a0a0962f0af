"""Streams of Arrow's record batches, from readers and data sets."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._sources.exporters import reader_of
from sknorm._sources.learning import Reader
from sknorm._sources.source import Source, Work, refuse_columns, refuse_repeated
from sknorm._sources.streams import apply_in_turn, learn_in_turn

# Batches are joined until they have so many bytes of float64, and split where they have more than
# the most; those that have results earlier, so that the memory of results before is used again.
LEAST_BYTES, RESULT_BYTES, MOST_BYTES = 5 << 20, 20 << 20, 48 << 20
# Of a column in a Parquet file, a page and so many bytes are in memory. It would be a row group's.
BUFFER_BYTES = 64 << 10


class ArrowStream(Source):
    """What Arrow reads in record batches. In results, what is missing is null."""

    def __init__(self, reader: Any, kind: str, *, is_read_again: bool | None = None) -> None:
        self.kind = kind
        self._reader = reader
        is_used_up = hasattr(reader, "read_next_batch")
        self.is_read_again = not is_used_up if is_read_again is None else is_read_again
        self._schema = reader.schema
        names = list(self._schema.names)
        refuse_repeated(kind, names)
        self.names: list[str] = names
        self.n_features = len(names)

    def learn(self, reader: Reader, sample_weight: Any) -> Any:
        """Return what a reader finds out of all rows, or None if there are none."""
        self.refuse_weights(sample_weight)
        return learn_in_turn(reader, self.blocks())

    def apply(self, work: Work) -> Any:
        """Return a reader of the results, which it computes as they are read."""
        arrow = sys.modules["pyarrow"]
        schema = self.result_schema(work)
        results = apply_in_turn(work.of_block.with_missing, self.blocks(RESULT_BYTES))
        batches = map(partial(as_batch, schema=schema), results)
        return arrow.RecordBatchReader.from_batches(schema, batches)

    def result_schema(self, work: Work) -> Any:
        """Return the names and types of the results."""
        arrow = sys.modules["pyarrow"]
        kept = {name: self._schema.field(name).type for name in work.keys}
        numbers = [self._schema.field(n).type for n in self.names if n not in work.keys]
        is_single = all(kind in (arrow.float32(), arrow.float16()) for kind in numbers)
        other = arrow.float32() if is_single else arrow.float64()
        return arrow.schema([(name, kept.get(name, other)) for name in work.names or self.names])

    def blocks(self, most_bytes: int = MOST_BYTES) -> Iterator[Any]:
        """Yield tables of some megabytes, whose numbers are of types that NumPy has too."""
        return map(_with_plain_numbers, _joined(self._batches(), most_bytes))

    def check_types(self, keys: Iterable[str]) -> None:
        """Refuse columns that are no numbers, but for those that are keys."""
        names = [name for name in self.names if name not in set(keys)]
        kinds = [self._schema.field(name).type for name in names]
        refuse_columns(self.kind, names, kinds, [is_number(kind) for kind in kinds])

    def _batches(self) -> Iterator[Any]:
        if hasattr(self._reader, "scanner"):
            return iter(self._reader.scanner(**_without_read_ahead(self._reader)).to_batches())
        if hasattr(self._reader, "to_batches"):
            return iter(self._reader.to_batches())
        return iter(self._reader)


def with_names(schema: Any, batches: Iterable[Any], names: list[str]) -> Any:
    """Return a reader of batches whose columns have other names, in their order."""
    arrow = sys.modules["pyarrow"]
    fields = [field.with_name(name) for field, name in zip(schema, names, strict=True)]
    renamed = (batch.rename_columns(names) for batch in batches)
    return arrow.RecordBatchReader.from_batches(arrow.schema(fields), renamed)


def open_reader(X: Any) -> ArrowStream:
    """Return a stream of a pyarrow RecordBatchReader."""
    return ArrowStream(X, "the RecordBatchReader")


def open_dataset(X: Any) -> ArrowStream:
    """Return a stream of a pyarrow Dataset or Scanner."""
    if not hasattr(X, "schema"):
        return ArrowStream(X.to_reader(), "the Scanner")
    return ArrowStream(X, "the Dataset")


def open_exporter(X: Any) -> ArrowStream:
    """Return a stream of an object that has ``__arrow_c_stream__`` or ``__arrow_c_array__``."""
    kind = f"the {type(X).__name__}"
    return ArrowStream(reader_of(X, kind), kind, is_read_again=not isinstance(X, Iterator))


def _without_read_ahead(dataset: Any) -> dict[str, Any]:
    """Return the options by which a data set is not read ahead of what is done with it.

    By default all of it may be in memory, where reading is faster.
    """
    options: dict[str, Any] = {"batch_readahead": 0, "fragment_readahead": 0}
    options["use_threads"] = False
    if getattr(getattr(dataset, "format", None), "default_extname", "") == "parquet":
        options_of_parquet = sys.modules["pyarrow.dataset"].ParquetFragmentScanOptions
        options["fragment_scan_options"] = options_of_parquet(
            pre_buffer=False, use_buffered_stream=True, buffer_size=BUFFER_BYTES
        )
    return options


def is_number(kind: Any) -> bool:
    """Tell whether a type of Arrow is one of numbers, or true and false."""
    types = sys.modules["pyarrow"].types
    tests = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_null)
    own = kind.value_type if _is_encoded(kind) else kind
    return any(test(own) for test in tests)


def _is_encoded(kind: Any) -> bool:
    """Tell whether values are kept once each, or once per run: as those of categories are."""
    types = sys.modules["pyarrow"].types
    return bool(types.is_dictionary(kind) or types.is_run_end_encoded(kind))


def as_batch(found: tuple[Any, NDArray[np.bool_] | None], schema: Any) -> Any:
    """Return a result, which is an array of numbers or columns by name, as a record batch.

    With it comes which columns have NaN, where that is known.
    """
    arrow = sys.modules["pyarrow"]
    result, missing = found
    columns = result if isinstance(result, dict) else None
    arrays = []
    for place, field in enumerate(schema):
        values = result[:, place] if columns is None else columns[field.name]
        if isinstance(values, arrow.ChunkedArray):
            values = values.combine_chunks()
        if isinstance(values, np.ndarray):
            values = np.ascontiguousarray(values)
            # Arrow copies what may have NaN to be null, which takes longer than to look for it.
            has_missing = _may_have_nan(values) if missing is None else bool(missing[place])
            values = arrow.array(values, from_pandas=has_missing)
        arrays.append(values if values.type == field.type else values.cast(field.type))
    return arrow.record_batch(arrays, schema=schema)


def _may_have_nan(values: NDArray[Any]) -> bool:
    return values.dtype.kind != "f" or bool(np.isnan(values.min(initial=np.inf)))


def _joined(batches: Iterable[Any], most_bytes: int) -> Iterator[Any]:
    """Yield tables of LEAST_BYTES or more: batches joined, or parts of one that has too many.

    None is kept while the next one is read.
    """
    waiting: list[Any] = []
    n_rows = 0
    for batch in batches:
        least, most = (rows_of(size, batch.num_columns) for size in (LEAST_BYTES, most_bytes))
        for start in range(0, batch.num_rows, most):
            waiting.append(batch.slice(start, most))
            n_rows += waiting[-1].num_rows
            if n_rows >= least:
                n_rows = 0
                yield _taken(waiting)
        del batch
    if waiting:
        yield _taken(waiting)


def rows_of(n_bytes: int, n_columns: int) -> int:
    """Return how many rows of float64 take so many bytes."""
    return max(1, n_bytes // (8 * max(1, n_columns)))


def _taken(waiting: list[Any]) -> Any:
    """Return a table of batches, and empty their list."""
    table = sys.modules["pyarrow"].Table.from_batches(waiting)
    waiting.clear()
    return table


def _with_plain_numbers(table: Any) -> Any:
    """Return a table with decimals, encoded numbers and columns of nothing but null as float64."""
    arrow = sys.modules["pyarrow"]
    types = arrow.types
    for place, field in enumerate(table.schema):
        is_encoded = _is_encoded(field.type) and is_number(field.type)
        if is_encoded or types.is_decimal(field.type) or types.is_null(field.type):
            values = _decoded(table.column(place)) if is_encoded else table.column(place)
            table = table.set_column(place, field.name, values.cast(arrow.float64()))
    return table


def _decoded(column: Any) -> Any:
    """Return the values of a column that is kept as numbers of others, or as runs."""
    if sys.modules["pyarrow"].types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return importlib.import_module("pyarrow.compute").run_end_decode(column)
