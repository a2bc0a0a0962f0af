"""Lazy frames, of which narwhals makes new ones: expressions that the engine computes later."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from sknorm._sources.arrow import ArrowStream
from sknorm._sources.exporters import reader_of
from sknorm._sources.formula import Formula
from sknorm._sources.learning import Reader
from sknorm._sources.source import Source, Work, refuse_columns, refuse_repeated
from sknorm._sources.streams import learn_in_turn

# Rows of a block times columns: 32 megabytes of float64.
BLOCK_VALUES = 1 << 22


class LazyFrame(Source):
    """A lazy frame that narwhals knows, with the names and types of its columns.

    ``without_values`` are the columns of nothing but null, which have no other type.
    """

    def __init__(
        self, frame: Any, kind: str, names: Iterable[str], without_values: Iterable[str]
    ) -> None:
        self.kind = kind
        self.frame = frame
        self.names: list[str] = list(names)
        refuse_repeated(kind, self.names)
        self.schema = narwhals(kind).from_native(frame).collect_schema()
        self.n_features = len(self.names)
        self.without_values = set(without_values)

    def check_types(self, keys: Iterable[str]) -> None:
        """Refuse columns that are no numbers, but for those that are keys."""
        kinds = {name: kind for name, kind in self.schema.items() if name not in set(keys)}
        fits = [
            kind.is_numeric() or str(kind) == "Boolean" or name in self.without_values
            for name, kind in kinds.items()
        ]
        refuse_columns(self.kind, list(kinds), list(kinds.values()), fits)

    def apply(self, work: Work) -> Any:
        """Return a lazy frame of the results, of which nothing is computed yet."""
        if work.formula is None:
            return self.map_blocks(work)
        return self.with_formula(work.formula)

    def with_formula(self, formula: Formula) -> Any:
        """Return the lazy frame with an expression for each column."""
        nw = narwhals(self.kind)
        frame = nw.from_native(self.numbered())
        columns = []
        for place, (name, kind) in enumerate(zip(frame.columns, self.schema.values(), strict=True)):
            result = formula.expression(nw.col(name).cast(nw.Float64), place, nw)
            columns.append((result.cast(kind) if kind == nw.Float32 else result).alias(name))
        return self.renamed(frame.with_columns(columns).to_native(), self.names)

    def numbered(self) -> Any:
        """Return the lazy frame with numbers for names.

        Engines read some names as patterns (``*``, ``^a.*$``), as paths (``a.b``), or as the same
        but for their case.
        """
        return self.renamed(self.frame, [f"c{place}" for place in range(len(self.names))])

    def renamed(self, frame: Any, names: list[str]) -> Any:
        """Return a lazy frame whose columns have other names, in their order."""
        raise NotImplementedError

    def map_blocks(self, work: Work) -> Any:
        """Return the results of what is no expression of columns, not computed yet either."""
        raise NotImplementedError


class PolarsFrame(LazyFrame):
    """A LazyFrame of polars."""

    def __init__(self, frame: Any) -> None:
        null = sys.modules["polars"].Null
        kinds = frame.collect_schema()
        empty = (name for name, kind in kinds.items() if kind == null)
        super().__init__(frame, "the LazyFrame", kinds, empty)

    def learn(self, reader: Reader, sample_weight: Any) -> Any:
        """Return what a reader finds out of all rows, or None if there are none."""
        self.refuse_weights(sample_weight)
        return learn_in_turn(reader, self.blocks())

    def blocks(self) -> Iterator[Any]:
        """Yield frames of about 32 megabytes, as polars' streaming engine has them."""
        size = max(1, BLOCK_VALUES // max(1, len(self.names)))
        if not hasattr(self.frame, "collect_batches"):
            raise ImportError(
                "Reading a LazyFrame in batches needs a later polars, which has "
                "LazyFrame.collect_batches. Upgrade it, or pass X.collect()."
            )
        return iter(self.frame.collect_batches(chunk_size=size, engine="streaming"))

    def renamed(self, frame: Any, names: list[str]) -> Any:
        """Return a LazyFrame whose columns have other names, in their order."""
        return frame.rename(dict(zip(frame.collect_schema(), names, strict=True)))

    def map_blocks(self, work: Work) -> Any:
        """Return a LazyFrame that computes each block as it comes."""
        polars = sys.modules["polars"]
        given = self.frame.collect_schema()
        numbers = [given[name] for name in given if name not in work.keys]
        single = all(kind == polars.Float32 for kind in numbers)
        other = polars.Float32 if single else polars.Float64
        names = work.names or self.names
        schema = {name: given[name] if name in work.keys else other for name in names}

        def function(block: Any) -> Any:
            if not block.height:
                return polars.DataFrame(schema=schema)
            result = work.of_block(block)
            if not isinstance(result, dict):
                result = {name: result[:, place] for place, name in enumerate(names)}
            return polars.DataFrame({name: result[name] for name in names}, schema=schema)

        return self.frame.map_batches(function, schema=schema, streamable=True)


class Relation(LazyFrame):
    """A relation of DuckDB."""

    def __init__(self, relation: Any) -> None:
        names, kinds = relation.columns, relation.types
        empty = (n for n, kind in zip(names, kinds, strict=True) if str(kind) == '"NULL"')
        super().__init__(relation, "the relation", names, empty)

    def learn(self, reader: Reader, sample_weight: Any) -> Any:
        """Return what a reader finds out of all rows, or None if there are none."""
        return self._stream().learn(reader, sample_weight)

    def renamed(self, frame: Any, names: list[str]) -> Any:
        """Return a relation whose columns have other names, in their order."""
        quoted = (name.replace('"', '""') for name in names)
        return frame.project(", ".join(f'#{k} AS "{n}"' for k, n in enumerate(quoted, start=1)))

    def map_blocks(self, work: Work) -> Any:
        """Return a reader of Arrow's record batches: DuckDB has no way back to a relation."""
        return self._stream().apply(work)

    def _stream(self) -> ArrowStream:
        return ArrowStream(reader_of(self.frame, self.kind), self.kind)


def narwhals(kind: str) -> Any:
    """Return the library that speaks the languages of all lazy frames.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        return importlib.import_module("narwhals")
    except ImportError as error:
        raise ImportError(
            f"X is {kind.removeprefix('the ')}, which needs narwhals, and that is not installed: "
            "pip install 'sknorm[frames]'."
        ) from error
