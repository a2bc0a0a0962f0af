"""Spark's data frames: executors fit a scaler on each partition, and the driver merges them."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from itertools import chain
from typing import Any

from sknorm._sources.arrow import ArrowStream, as_batch
from sknorm._sources.lazy import LazyFrame
from sknorm._sources.learning import Reader
from sknorm._sources.source import Work
from sknorm._sources.streams import apply_in_turn, learn_in_turn


class SparkFrame(LazyFrame):
    """A DataFrame of Spark, classic or Connect."""

    is_in_turn = False

    def __init__(self, frame: Any) -> None:
        super().__init__(frame, "the Spark DataFrame")

    def learn(self, reader: Reader, sample_weight: Any) -> Any:
        """Return what a reader finds out of all rows, or None if there are none."""
        self.refuse_weights(sample_weight)

        def of_partition(batches: Iterator[Any]) -> Iterator[Any]:
            arrow = _arrow()
            schema = arrow.schema([("part", arrow.binary())])
            stream = _stream(batches)
            part = None if stream is None else learn_in_turn(reader, stream.blocks())
            yield arrow.record_batch([arrow.array([pickle.dumps(part)], arrow.binary())], schema)

        rows = self.frame.mapInArrow(of_partition, "part binary").collect()
        return reader.merge(pickle.loads(bytes(row.part)) for row in rows)

    def map_blocks(self, work: Work) -> Any:
        """Return a DataFrame of results that Spark computes batch by batch."""
        fields = {field.name: field.dataType.simpleString() for field in self.frame.schema.fields}
        kinds = {fields[name] for name in fields if name not in work.keys}
        other = "float" if kinds == {"float"} else "double"
        names = work.names or self.names or []
        kept = {name: fields[name] if name in work.keys else other for name in names}
        quoted = {name.replace("`", "``"): kind for name, kind in kept.items()}
        schema = ", ".join(f"`{name}` {kind}" for name, kind in quoted.items())

        def of_partition(batches: Iterator[Any]) -> Iterator[Any]:
            stream = _stream(batches)
            if stream is None:
                return
            kinds = stream.result_schema(work)
            for result in apply_in_turn(work, stream.blocks()):
                yield as_batch(result, kinds)

        return self.frame.mapInArrow(of_partition, schema)


def _stream(batches: Iterator[Any]) -> ArrowStream | None:
    """Return the batches of a partition as a stream, or None if there are none."""
    first = next(batches, None)
    if first is None:
        return None
    reader = _arrow().RecordBatchReader.from_batches(first.schema, chain([first], batches))
    return ArrowStream(reader, "the Spark DataFrame")


def _arrow() -> Any:
    return sys.modules["pyarrow"]
