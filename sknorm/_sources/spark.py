"""Spark's data frames: executors fit a scaler on each partition, and the driver merges them."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from itertools import chain
from typing import Any

from sknorm._sources.arrow import ArrowStream, as_batch, with_names
from sknorm._sources.lazy import LazyFrame
from sknorm._sources.learning import Reader
from sknorm._sources.source import Work
from sknorm._sources.streams import apply_in_turn, learn_in_turn, within


class SparkFrame(LazyFrame):
    """A DataFrame of Spark, classic or Connect."""

    is_in_turn = False

    def __init__(self, frame: Any) -> None:
        fields = frame.schema.fields
        empty = (field.name for field in fields if field.dataType.typeName() == "void")
        super().__init__(frame, "the Spark DataFrame", (field.name for field in fields), empty)

    def learn(self, reader: Reader, sample_weight: Any) -> Any:
        """Return what a reader finds out of all rows, or None if there are none."""
        self.refuse_weights(sample_weight)
        names = self.names

        def of_partition(batches: Iterator[Any]) -> Iterator[Any]:
            arrow = _arrow()
            schema = arrow.schema([("part", arrow.binary())])
            stream = _stream(batches, names)
            try:
                part = None if stream is None else learn_in_turn(reader, stream.blocks())
            except (ValueError, TypeError) as error:  # which the driver raises
                part = error
            yield arrow.record_batch([arrow.array([pickle.dumps(part)], arrow.binary())], schema)

        rows = self.numbered().mapInArrow(of_partition, "part binary").collect()
        parts = [pickle.loads(bytes(row.part)) for row in rows]
        for number, part in enumerate(parts):
            if isinstance(part, Exception):
                raise type(part)(f"{within(f'partition {number}')}: {part}") from part
        return reader.merge(parts)

    def renamed(self, frame: Any, names: list[str]) -> Any:
        """Return a DataFrame whose columns have other names, in their order."""
        return frame.toDF(*names)

    def map_blocks(self, work: Work) -> Any:
        """Return a DataFrame of results that Spark computes batch by batch."""
        given = self.names
        fields = {field.name: field.dataType.simpleString() for field in self.frame.schema.fields}
        kinds = {fields[name] for name in fields if name not in work.keys}
        other = "float" if kinds == {"float"} else "double"
        names = work.names or given
        kept = [fields[name] if name in work.keys else other for name in names]
        schema = ", ".join(f"c{place} {kind}" for place, kind in enumerate(kept))

        def of_partition(batches: Iterator[Any]) -> Iterator[Any]:
            stream = _stream(batches, given)
            if stream is None:
                return
            kinds = stream.result_schema(work)
            for found in apply_in_turn(work.of_block.with_missing, stream.blocks()):
                batch = as_batch(found, kinds)
                yield batch.rename_columns([f"c{place}" for place in range(batch.num_columns)])

        return self.renamed(self.numbered().mapInArrow(of_partition, schema), names)


def _stream(batches: Iterator[Any], names: list[str]) -> ArrowStream | None:
    """Return the batches of a partition as a stream, or None if there are none."""
    first = next(batches, None)
    if first is None:
        return None
    reader = with_names(first.schema, chain([first], batches), names)
    return ArrowStream(reader, "the Spark DataFrame")


def _arrow() -> Any:
    return sys.modules["pyarrow"]
