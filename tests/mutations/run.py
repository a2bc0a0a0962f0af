"""Take decisions out of the code, one at a time, and show that a test notices each.

    python tests/mutations/run.py            all of them, in a copy of the tree
    python tests/mutations/run.py ddof eps   those whose name contains one of these words

Each mutation replaces one piece of text, which must be in its file exactly once, and runs the tests
that should fail. The exit code is 1 if one survives or its text is not found: then a test is
missing, or the list below is out of date. Built loops are copied along, and are not mutated.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCALERS = "tests/_scalers"
STATE = f"{SCALERS}/test_state.py"
CONTAINERS = f"{SCALERS}/test_containers.py"
BAD_INPUT = f"{SCALERS}/test_bad_input.py"
MOMENTS_TESTS = "tests/_statistics tests/_scalers/test_exactness.py"


@dataclass(frozen=True)
class Mutation:
    """One piece of text to replace, and the tests that should notice."""

    name: str
    file: str
    old: str
    new: str
    tests: str
    reference: bool = False


MOMENTS = "_statistics/moments.py"
SHRINKAGE = "_statistics/shrinkage.py"
INFERENCE = "_drift/inference.py"
GROUPS = f"{SCALERS}/test_group.py"
DRIFT = f"{SCALERS}/test_drift.py"
TENSORS = "tests/_sources/test_tensors.py"
STREAMS = "tests/_sources/test_streams.py"
DASK = "tests/_sources/test_dask.py"
ONNX = "tests/_exports/test_onnx.py"
MUTATIONS = [
    Mutation("merge: no between term", MOMENTS, "delta * step * a[0]", "0.0 * step", MOMENTS_TESTS),
    Mutation("merge: no swap by count", MOMENTS, "if swap.any():", "if False:", MOMENTS_TESTS),
    Mutation(
        "merge: low part lost",
        "_statistics/double_double.py",
        "    high, error = two_sum(high, error + low)\n    return two_sum(high, error + low_error)",
        "    return high, 0.0 * low",
        MOMENTS_TESTS,
    ),
    Mutation(
        "ddof of the variance",
        MOMENTS,
        "np.maximum(self.table[4], 0.0) / filled",
        "np.maximum(self.table[4], 0.0) / np.maximum(filled - 1, 1)",
        f"{SCALERS}/test_batch.py",
    ),
    Mutation(
        "decay: weights swapped",
        MOMENTS,
        "self.with_count(1.0 - momentum).merge(batch.with_count(momentum))",
        "self.with_count(momentum).merge(batch.with_count(1.0 - momentum))",
        f"{SCALERS}/test_batch.py",
    ),
    Mutation(
        "decay: count of the last batch",
        MOMENTS,
        "mixed.with_count(first[0] + second[0])",
        "mixed.with_count(second[0])",
        f"{SCALERS}/test_batch.py {SCALERS}/test_power.py {STATE}",
    ),
    Mutation(
        "decay: vanishing momentum",
        MOMENTS,
        "table[4:6] = table[4:6] / np.where(filled, self._count, 1.0) * table[0]",
        "table[4:6] *= table[0] / np.where(filled, self._count, 1.0)",
        STATE,
    ),
    Mutation(
        "eps of channels with a unit of their own",
        MOMENTS,
        "np.hypot(np.sqrt(square), np.sqrt(eps) * one)",
        "np.sqrt(square)",
        STATE,
    ),
    Mutation(
        "eps outside of the root",
        MOMENTS,
        "np.where(constant, 1.0, np.sqrt(square + eps))",
        "np.where(constant, 1.0, np.sqrt(square) + eps)",
        f"{SCALERS}/test_batch.py {SCALERS}/test_power.py",
    ),
    Mutation(
        "constant: bound grows",
        MOMENTS,
        "bound = CONSTANT * self.unit_mean",
        "bound = CONSTANT * self.unit_mean * np.maximum(self._count, 1)",
        STATE,
    ),
    Mutation(
        "constant: no bound",
        MOMENTS,
        "bound = CONSTANT * self.unit_mean",
        "bound = 0.0 * self.unit_mean",
        f"{SCALERS}/test_dropin.py {SCALERS}/test_exactness.py",
    ),
    Mutation(
        "units: exponent ignored",
        MOMENTS,
        "change = np.maximum(self.table[6] - exponent, -2000.0)",
        "change = 0.0 * np.maximum(self.table[6] - exponent, -2000.0)",
        MOMENTS_TESTS,
    ),
    Mutation(
        "weights: not scaled",
        MOMENTS,
        "if abs(exponent) <= WEIGHT_EXPONENT:\n        return weights, 0",
        "if True:\n        return weights, 0",
        STATE,
    ),
    Mutation(
        "weights: unit forgotten in merge",
        MOMENTS,
        "scaled[:2] = np.ldexp(self.table[:2], weight_change)",
        "pass",
        STATE,
    ),
    Mutation(
        "pooling: half of the positions",
        MOMENTS,
        "half : 2 * half]",
        "half : 2 * half] * 1.5",
        f"{SCALERS}/test_batch.py tests/_statistics",
    ),
    Mutation(
        "about zero: mean left out",
        MOMENTS,
        "table[4:6] = double_double.add(square, (self.table[4], self.table[5]))",
        "pass",
        f"{SCALERS}/test_power.py",
    ),
    Mutation(
        "product: error lost",
        "_statistics/double_double.py",
        "return two_sum(high, error + (a[0] * b[1] + a[1] * b[0]))",
        "return high, 0.0 * error",
        "tests/_statistics",
    ),
    Mutation(
        "state: digits not compared",
        "_scalers/state.py",
        "agrees &= _same(moments.unit_var_of(ddof), var)",
        "pass",
        STATE,
    ),
    Mutation(
        "state: mean not compared",
        "_scalers/state.py",
        "edited = ~_same(table.mean, mean)",
        "edited = np.zeros(count.shape, bool)",
        STATE,
    ),
    Mutation(
        "state: failures commit",
        "_scalers/state.py",
        "if self.__dict__ is not before:\n                commit(self, before)",
        "if False:\n                commit(self, before)",
        STATE,
    ),
    Mutation(
        "state: fit does not forget",
        "_scalers/state.py",
        "if not (forget and name in LEARNED)",
        "if True",
        STATE,
    ),
    Mutation(
        "state: reader is live",
        "_scalers/state.py",
        "    reader.__dict__ = scaler.__dict__\n    return reader",
        "    return scaler",
        STATE,
    ),
    Mutation(
        "attributes: shape unchecked",
        "_scalers/state.py",
        "if array.shape != (n_channels,):",
        "if False:",
        STATE,
    ),
    Mutation(
        "attributes: byte order unchecked",
        "_scalers/state.py",
        "and value.dtype == FLOAT64",
        "and value.dtype.kind == 'f'",
        STATE,
    ),
    Mutation(
        "eps after fit ignored",
        "_scalers/affine_map.py",
        "if not in_unit and is_same:",
        "if not in_unit:",
        STATE,
    ),
    Mutation(
        "with_mean after fit ignored",
        "_scalers/batch.py",
        "        return bool(self.with_mean)\n\n    def _scales",
        "        return bool(self._centered)\n\n    def _scales",
        STATE,
    ),
    Mutation(
        "merge: parameters unchecked",
        "_scalers/channel.py",
        "gamma_and_beta(self, moments.count.size)\n",
        "pass\n",
        STATE,
    ),
    Mutation("auto does not warn", "_scalers/batch.py", "if dense.size:", "if False:", STATE),
    Mutation(
        "sparse: implicit zeros",
        "_backends/sparse.py",
        "return stored.merge(_implicit_zeros(x, weight, stored))",
        "return stored",
        f"{SCALERS}/test_sparse.py",
    ),
    Mutation(
        "sparse: rows of weight 0",
        "_backends/sparse.py",
        "empty = full | (count <= 0)",
        "empty = count <= 0",
        STATE,
    ),
    Mutation(
        "sparse: gamma beyond the range",
        "_backends/sparse.py",
        "if power is None and _leave_range(factor, gamma):",
        "if False:",
        STATE,
    ),
    Mutation(
        "sparse: indices unchecked",
        "_backends/structure.py",
        "    if indices is Indices.NOW and not kernels.indices_are_below(x.indices, n_minor):",
        "    if False:",
        "tests/_backends/test_structure.py",
    ),
    Mutation(
        "sparse: read-only overwritten",
        "_backends/dispatch.py",
        "return x if copy or x.data.flags.writeable else x.copy()",
        "return x",
        "tests/_backends/test_structure.py",
    ),
    Mutation(
        "sparse: shared pointers",
        "_backends/structure.py",
        "np.empty_like(x.indices), x.indptr.copy()",
        "np.empty_like(x.indices), x.indptr",
        "tests/_backends/test_structure.py",
    ),
    Mutation(
        "dense: infinity passes",
        "_backends/dense.py",
        "    if in_place and allow_nan is not None:\n        check_finite(",
        "    if False:\n        check_finite(",
        BAD_INPUT,
    ),
    Mutation(
        "dense: copy=True overwrites",
        "_backends/dense.py",
        "in_place = not copy and",
        "in_place = True and",
        f"{SCALERS}/test_batch.py {SCALERS}/test_citizenship.py {SCALERS}/test_layer.py",
    ),
    Mutation(
        "dense: last rows of narrow matrices",
        "_backends/dense.py",
        "if whole < rows:",
        "if False:",
        f"{SCALERS}/test_batch.py tests/_backends/test_parity.py",
    ),
    Mutation(
        "threads: pieces taken twice",
        "_backends/threads.py",
        "k = next(self._next, None)",
        "k = next(self._next, None)\n                self._function(self._pieces[0])",
        "tests/_backends/test_threads.py",
    ),
    Mutation(
        "threads: overlap of pieces",
        "_backends/threads.py",
        "slice(first, min(first + step, length))",
        "slice(first, min(first + step + 1, length))",
        "tests/_backends/test_threads.py",
    ),
    Mutation(
        "reference: NaN not left out",
        "_backends/reference.py",
        "    missing = xp.isnan(x)\n    if weight",
        "    missing = xp.zeros_like(x) > 0\n    if weight",
        f"{SCALERS}/test_batch.py",
        reference=True,
    ),
    Mutation(
        "reference: count of the mean square",
        "_backends/reference_sparse.py",
        "square_sum / np.where(count > 0, count, 1.0)",
        "square_sum / np.where(count > 0, count + 1, 1.0)",
        f"{SCALERS}/test_layer.py {SCALERS}/test_sparse.py",
        reference=True,
    ),
    Mutation(
        "reference: no correction of the mean",
        "_backends/reference.py",
        "s2 - s1 * (s1 / filled))\n    nothing = np.zeros_like(count)\n    return",
        "1.01 * s2)\n    nothing = np.zeros_like(count)\n    return",
        f"{SCALERS}/test_batch.py",
        reference=True,
    ),
    Mutation(
        "ddof ignored in the divisor",
        "_statistics/moments.py",
        "degrees = self._count - np.ldexp(float(ddof), -self.weight_exponent)",
        "degrees = self._count",
        f"{SCALERS}/test_known.py",
    ),
    Mutation(
        "pool_by: odd columns dropped",
        "_statistics/moments.py",
        "kept = np.delete(np.arange(codes.size), left + 1)",
        "kept = left",
        f"{SCALERS}/test_blocks.py",
    ),
    Mutation(
        "channels: feature left out",
        "_scalers/blocks.py",
        "if (left := np.flatnonzero(codes < 0)).size:",
        "if False:",
        f"{SCALERS}/test_blocks.py",
    ),
    Mutation(
        "columns: named twice",
        "_scalers/columns.py",
        "if (counts > 1).any():",
        "if False:",
        f"{SCALERS}/test_columns.py",
    ),
    Mutation(
        "select: digits not cut",
        "_scalers/channel_transform.py",
        "array[..., channels].copy()",
        "array[..., np.sort(channels)].copy()",
        f"{SCALERS}/test_columns.py",
    ),
    Mutation(
        "known: zero scale",
        "_scalers/known.py",
        "bad | (array <= 0)",
        "bad | (array < 0)",
        f"{SCALERS}/test_known.py",
    ),
    Mutation(
        "undo: products overflow",
        "_scalers/layer_statistics.py",
        "half = 0.5 if far else 1.0",
        "half = 1.0",
        f"{SCALERS}/test_keep_statistics.py",
    ),
    Mutation(
        "quantiles: interpolation",
        "_backends/quantiles.py",
        "np.where(part >= 0.5, b - step * (1.0 - part), a + step * part)",
        "a + step * part * 0.999",
        f"{SCALERS}/test_squashing.py",
    ),
    Mutation(
        "quantiles: bounds believed",
        "_backends/quantiles.py",
        "if not below <= rank < to_high:",
        "if False:",
        f"{SCALERS}/test_squashing.py",
    ),
    Mutation(
        "quantiles: overflow of what is kept",
        "_backends/quantiles.py",
        "if inner and filled > self._near.shape[2]:",
        "if False:",
        f"{SCALERS}/test_squashing.py",
    ),
    Mutation(
        "squash: zero weights in the extent",
        "_scalers/squashing.py",
        "dispatch.extents(X, codes, flat, weights)",
        "dispatch.extents(X, codes, flat, None)",
        f"{SCALERS}/test_squashing.py",
    ),
    Mutation(
        "squash: duplicates of sparse apart",
        "_scalers/squashing.py",
        "X = dispatch.without_duplicates(X)  # the squash",
        "X = X  # the squash",
        "tests/_backends/test_structure.py",
    ),
    Mutation(
        "squash: unit of extreme numbers",
        "_statistics/affine.py",
        "exponent = np.where(np.abs(exponent) >= SAFE, exponent // 2, 0)",
        "exponent = np.zeros_like(exponent)",
        f"{SCALERS}/test_squashing.py",
    ),
    Mutation(
        "coefficients: offset",
        "_scalers/coefficients.py",
        "offset = beta - affine_map.shift * slope",
        "offset = beta - affine_map.shift",
        f"{SCALERS}/test_coefficients.py",
    ),
    Mutation(
        "containers: float32 widened",
        "_scalers/frames.py",
        'kept = dtype.kind == "f"',
        "kept = False",
        CONTAINERS,
    ),
    Mutation(
        "containers: mask ignored",
        "_scalers/containers.py",
        "if not mask.any():",
        "if True:",
        CONTAINERS,
    ),
    Mutation(
        "containers: dates as numbers",
        "_scalers/objects.py",
        "if any(issubclass(cls, DATES) or cls.__name__ in DATE_NAMES for cls in types):",
        "if False:",
        CONTAINERS,
    ),
    Mutation(
        "containers: pandas.NA",
        "_scalers/objects.py",
        'if any(cls.__name__ == "NAType" for cls in types):',
        "if False:",
        CONTAINERS,
    ),
    Mutation(
        "names unchecked on the way back",
        "_scalers/validation.py",
        "        check_names_out(estimator, given)\n",
        "        pass\n",
        CONTAINERS,
    ),
    Mutation(
        "kept norm takes a name",
        "_scalers/kept.py",
        "itertools.chain([name], numbered)",
        "iter([name])",
        CONTAINERS,
    ),
    Mutation(
        "interval: no correction for shared rows",
        "_compare/analysis/intervals.py",
        "np.sqrt(1 / n_splits + test_ratio)",
        "np.sqrt(1 / n_splits)",
        "tests/_compare/test_intervals.py",
    ),
    Mutation(
        "joint intervals: each for itself",
        "_compare/analysis/simultaneous.py",
        "level = joint_level(np.array(varying), confidence) if varying else 1 - confidence",
        "level = 1 - confidence",
        "tests/_compare/test_simultaneous.py",
    ),
    Mutation(
        "decisions: nothing is equivalent",
        "_compare/analysis/decisions.py",
        "if -rope <= interval.low and interval.high <= rope:",
        "if False:",
        "tests/_compare/test_simultaneous.py",
    ),
    Mutation(
        "decisions: ranks against the mean",
        "_compare/analysis/decisions.py",
        "if interval.estimate > 0 and any(",
        "if any(",
        "tests/_compare/test_simultaneous.py",
    ),
    Mutation(
        "scores: no floor",
        "_compare/analysis/fold_metrics.py",
        "np.maximum(self.raw_scores, floor)",
        "self.raw_scores",
        "tests/_compare/test_simultaneous.py",
    ),
    Mutation(
        "recommendation: who lost fits too",
        "_compare/analysis/standing.py",
        "    tied = [row for row in tied if row.lost == fewest]\n",
        "",
        "tests/_compare/test_simultaneous.py",
    ),
    Mutation(
        "splits: groups are taken apart",
        "_compare/splits.py",
        "'KFold' if groups is None else 'GroupKFold'",
        "'KFold'",
        "tests/_compare/test_scoring.py",
    ),
    Mutation(
        "hazards: any whole numbers are row numbers",
        "_compare/hazards.py",
        "bool(values.max() - values.min() + 1 <= 2 * len(values))",
        "True",
        "tests/_compare/test_hazards.py",
    ),
    Mutation(
        "tables: 1,100 is what comes first",
        "_tables/numerals.py",
        "        if decimal is None:\n            raise AmbiguousNumbersError",
        "        if False:\n            raise AmbiguousNumbersError",
        "tests/_tables/test_convert.py",
    ),
    Mutation(
        "tables: #N/A begins a comment",
        "_tables/records.py",
        "if len(cells) != n_columns:",
        "if True:",
        "tests/_tables/test_reading.py",
    ),
    Mutation(
        "tables: dates in text are missing where they are dates already",
        "_tables/columns.py",
        '_refuse_other(column, "date", {"date"})\n    if column.isna().all():',
        "if True:",
        "tests/_tables/test_encoder.py",
    ),
    Mutation(
        "tables: numbers read as the text around them",
        "_tables/convert.py",
        "are_numbers = column.map(is_number).to_numpy(dtype=bool)",
        "are_numbers = np.zeros(len(column), dtype=bool)",
        "tests/_tables/test_encoder.py",
    ),
    Mutation(
        "tables: formulas without values are missing ones",
        "_tables/excel.py",
        "first = first or cell.coordinate",
        'first = ""',
        "tests/_tables/test_reading.py",
    ),
    Mutation(
        "tables: a title is a header",
        "_tables/header.py",
        "return place + 1 + first_row(rows[place + 1 :])",
        "return place",
        "tests/_tables/test_reading.py",
    ),
    Mutation(
        "tables: a title of few cells is a header",
        "_tables/header.py",
        "narrower or 2 * _n_filled(above[0]) <=",
        "narrower or -2 * _n_filled(above[0]) >",
        "tests/_tables/test_around.py",
    ),
    Mutation(
        "tables: any comment above is names",
        "_tables/wrapped.py",
        "if len(names) == width == len(set(names)) and",
        "if len(names) == width and",
        "tests/_tables/test_wrapped.py",
    ),
    Mutation(
        "tables: a first row is names of other separators",
        "_tables/wrapped.py",
        "found.other not in (found.sign, BLANK)",
        "True",
        "tests/_tables/test_wrapped.py",
    ),
    Mutation(
        "tables: durations later are numbers",
        "_tables/columns.py",
        '_refuse_other(column, kind, {"number"} if kind == "number" else set())',
        "pass",
        "tests/_tables/test_types.py",
    ),
    Mutation(
        "tables: dates but for many",
        "_tables/convert.py",
        "if n_odd > MAX_ODD_SHARE * sum(counts[cell] for cell in known):",
        "if False:",
        "tests/_tables/test_types.py",
    ),
    Mutation(
        "tables: noon is midnight",
        "_tables/clock.py",
        'int(found["hours"]) % 12',
        'int(found["hours"])',
        "tests/_tables/test_types.py",
    ),
    Mutation(
        "tables: remarks are rows",
        "_tables/below.py",
        "end = first + int(gaps[0]) if len(gaps) else end",
        "pass",
        "tests/_tables/test_around.py",
    ),
    Mutation(
        "tables: rows of one cell are remarks",
        "_tables/below.py",
        "(n_filled[:first] == 1).any()",
        "False",
        "tests/_tables/test_around.py",
    ),
    Mutation(
        "tables: another table is rows",
        "_tables/below.py",
        "return any(are_numbers(above.iloc[:, place], fewest=2) for place in places)",
        "return False",
        "tests/_tables/test_around.py",
    ),
    Mutation(
        "tables: words of any row below a gap are a header",
        "_tables/below.py",
        "if not is_block or not len(below) or below.iloc[:, beside].notna().any(axis=None):",
        "if False:",
        "tests/_tables/test_around.py",
    ),
    Mutation(
        "tables: a short last line is a remark",
        "_tables/below.py",
        "while first < len(lines) and not _begins_remarks(lines[first]):",
        "while False:",
        "tests/_tables/test_around.py",
    ),
    Mutation(
        "tables: a header of two rows loses its groups",
        "_tables/rows.py",
        'if "" in lower or len(set(lower)) < len(lower):',
        "if False:",
        "tests/_tables/test_around.py",
    ),
    Mutation(
        "tables: hidden sheets in their place",
        "_tables/excel.py",
        'key=lambda sheet: sheet.sheet_state != "visible"',
        "key=lambda sheet: 0",
        "tests/_tables/test_around.py",
    ),
    Mutation(
        "tables: signs that nobody sees stay",
        "_tables/cells.py",
        "return text.strip() if text.isascii() else text.strip(AROUND)",
        "return text.strip()",
        "tests/_tables/test_around.py",
    ),
    Mutation(
        "tables: odd blanks around numbers",
        "_tables/cells.py",
        "PLAIN_NUMBERS.parse(stripped(cell))",
        "PLAIN_NUMBERS.parse(cell)",
        "tests/_tables/test_around.py",
    ),
    Mutation(
        "tables: names by DuckDB",
        "_tables/parquet.py",
        "frame.columns = distinct_names(_names_in(schema), notes)",
        "pass",
        "tests/_tables/test_reading.py",
    ),
    Mutation(
        "stored: weights of the first rows for all blocks",
        "_sources/streams.py",
        "weights[first_row : first_row + block.shape[0]]",
        "weights[: block.shape[0]]",
        "tests/_sources/test_stored_arrays.py",
    ),
    Mutation(
        "stored: labels around a lazy array",
        "_sources/kinds.py",
        "return X if attribute is None else getattr(X, attribute)",
        "return X",
        "tests/_sources/test_stored_arrays.py",
    ),
    Mutation(
        "groups: quantiles in units of their own",
        "_statistics/shrinkage.py",
        "return [np.ldexp(value, -self.exponent) for value in values]",
        "return list(values)",
        "tests/_scalers/test_group.py",
    ),
    Mutation(
        "coefficients: beyond the largest number",
        "_scalers/coefficients.py",
        "if not (lost.any() or also_lost.any()):",
        "if True:",
        "tests/_scalers/test_coefficients.py",
    ),
    Mutation(
        "tables: rows of several lines",
        "_tables/records.py",
        "if _is_open(waiting[0], signs):",
        "if False:",
        "tests/_tables/test_reading.py",
    ),
    Mutation(
        "tables: blank cells in the first lines",
        "_tables/dialect.py",
        "for width in (len, width_of)",
        "for width in (width_of,)",
        "tests/_tables/test_reading.py",
    ),
    Mutation(
        "tables: all dates in one number",
        "_tables/convert.py",
        "if are_compact_dates(some) and are_compact_dates(_known_cells(column)):",
        "if are_compact_dates(some):",
        "tests/_tables/test_convert.py",
    ),
    Mutation(
        "tables: a quote that stays open",
        "_tables/records.py",
        "    return 1\n\n\ndef _is_open",
        "    return len(lines)\n\n\ndef _is_open",
        "tests/_tables/test_reading.py",
    ),
    Mutation(
        "tables: words in the first row are units",
        "_tables/rows.py",
        "NO_NUMBER.match(cell) is not None and not is_missing_number(cell)",
        "not is_missing_number(cell)",
        "tests/_tables/test_rows.py",
    ),
    Mutation(
        "tables: any last row of the word is a total",
        "_tables/rows.py",
        "if near.all() and",
        "if",
        "tests/_tables/test_rows.py",
    ),
    Mutation(
        "tables: numbers are no names",
        "_tables/header.py",
        "if _count_columns(row, fewest) and not any(map(_count_columns, others)):",
        "if False:",
        "tests/_tables/test_reading.py",
    ),
    Mutation(
        "tables: rows that count are names",
        "_tables/header.py",
        "if _count_columns(row, fewest) and not any(map(_count_columns, others)):",
        "if _count_columns(row, fewest):",
        "tests/_tables/test_reading.py",
    ),
    Mutation(
        "tables: a comma separates wherever it is",
        "_tables/dialect.py",
        "if present >= ALIKE:",
        "if False:",
        "tests/_tables/test_reading.py",
    ),
    Mutation(
        "tables: a title of as many words is a header",
        "_tables/blanks.py",
        "if top == 0 and _has_gap(above) and",
        "if False and",
        "tests/_tables/test_reading.py",
    ),
    Mutation(
        "hazards: copies in small tables",
        "_compare/hazards.py",
        "or max(n_distinct) >= KEY_SHARE * (len(rows) - n_copies)",
        "",
        "tests/_compare/test_hazards.py",
    ),
    Mutation(
        "lazy: columns by their names",
        "_sources/lazy.py",
        'return self.renamed(self.frame, [f"c{place}" for place in range(len(self.names))])',
        "return self.frame",
        STREAMS,
    ),
    Mutation(
        "streams: encoded numbers are none",
        "_sources/arrow.py",
        "own = kind.value_type if _is_encoded(kind) else kind",
        "own = kind",
        STREAMS,
    ),
    Mutation(
        "keys: categories that do not occur are groups",
        "_scalers/keys.py",
        "codes, used = renumber(column.codes, len(column.values))",
        "codes, used = column.codes, np.arange(len(column.values))",
        f"{SCALERS}/test_encoded.py",
    ),
    Mutation(
        "groups: numbers that no row has are groups",
        "_backends/groups.py",
        "    if not counts.all():",
        "    if False:",
        f"{SCALERS}/test_group.py",
    ),
    Mutation(
        "groups: channels without a value are as many as the samples",
        "_statistics/counted_later.py",
        "where=(count == 0.0) & (low <= high)",
        "where=count == 0.0",
        "tests/_statistics/test_counted_later.py",
    ),
    Mutation(
        "groups: the last columns of a frame are left out",
        "_backends/groups.py",
        "ends = [*range(lanes, x.shape[1] - lanes + 1, lanes), x.shape[1]]",
        "ends = list(range(lanes, x.shape[1] + 1, lanes))",
        f"{SCALERS}/test_group.py",
    ),
    Mutation(
        "groups: their keys share memory with what finds them",
        "_scalers/keys.py",
        "return self._keys.copy() if isinstance(self._keys, np.ndarray) else as_array(self._keys)",
        "return self._keys if isinstance(self._keys, np.ndarray) else as_array(self._keys)",
        f"{SCALERS}/test_group.py",
    ),
    Mutation(
        "groups: blocks of copied samples end a group",
        "_backends/groups.py",
        'first = int(np.searchsorted(self._starts, samples.start, side="right")) - 1',
        'first = int(np.searchsorted(self._starts, samples.start, side="left"))',
        f"{SCALERS}/test_group.py",
    ),
    Mutation(
        "keys: missing ones are the first",
        "_scalers/encoded.py",
        "places = np.where(missing, len(values), codes)",
        "places = np.where(missing, 0, codes)",
        f"{SCALERS}/test_encoded.py",
    ),
    Mutation(
        "keys: dates by NumPy's order",
        "_scalers/keys.py",
        "key=date_order if are_dates else None",
        "key=None",
        GROUPS,
    ),
    Mutation(
        "keys: dates in units that do not hold them",
        "_scalers/dates.py",
        "return found if found.astype(moment.dtype) == moment else None",
        "return found",
        GROUPS,
    ),
    Mutation(
        "affine: known statistics at the ends of the range",
        "_scalers/affine_map.py",
        "is_same:\n        return Affine(shift, scale, gamma, beta).in_safe_units()",
        "is_same:\n        return Affine(shift, scale, gamma, beta)",
        f"{SCALERS}/test_known.py",
    ),
    Mutation(
        "copy: shared memory overwritten",
        "_backends/layout.py",
        "if size > 1 and stride < reach:",
        "if False:",
        "tests/_backends/test_layout.py",
    ),
    Mutation(
        "onnx: columns joined in float32",
        "_exports/onnx.py",
        "return types.DoubleTensorType if _has_double(operator) else types.FloatTensorType",
        "return types.FloatTensorType",
        ONNX,
    ),
    Mutation(
        "flattener: any width on the way back",
        "_scalers/flattener.py",
        "X = validation.check_output(reader, X, extra=more)",
        "X = validation.check_output(reader, X, extra=more, any_width=True)",
        f"{SCALERS}/test_flattener.py",
    ),
    Mutation(
        "tables: unseen text is an error",
        "_tables/columns.py",
        'handle_unknown="ignore"',
        'handle_unknown="error"',
        "tests/_tables/test_encoder.py",
    ),
    Mutation(
        "groups: means are not drawn",
        SHRINKAGE,
        "mean + pull * (self.mean - mean)",
        "mean + 0.0 * pull",
        "tests/_statistics/test_shrinkage.py",
    ),
    Mutation(
        "groups: noise of the mean without its number",
        SHRINKAGE,
        "pull = np.where(count > 0, _share(var / filled, self.between), 1.0)",
        "pull = np.where(count > 0, _share(var, self.between), 1.0)",
        "tests/_statistics/test_shrinkage.py",
    ),
    Mutation(
        "groups: one step instead of two",
        SHRINKAGE,
        "for _ in range(2):",
        "for _ in range(1):",
        "tests/_statistics/test_shrinkage.py",
    ),
    Mutation(
        "groups: bias of the logarithm",
        SHRINKAGE,
        "log_var + bias",
        "log_var",
        "tests/_statistics/test_shrinkage.py",
    ),
    Mutation(
        "groups: weightless keys stay",
        "_scalers/group_state.py",
        "there[codes[weights > 0]] = True",
        "there[codes] = True",
        f"{SCALERS}/test_estimator_checks.py",
    ),
    Mutation(
        "groups: missing keys are many",
        "_scalers/keys.py",
        "if is_missing(value):",
        "if False:",
        GROUPS,
    ),
    Mutation(
        "groups: unseen ones are the last group",
        "_scalers/moment_groups.py",
        "if not (groups < 0).any():",
        "if True:",
        GROUPS,
    ),
    Mutation(
        "groups: a failed merge is kept",
        "_scalers/group_state.py",
        "prepared = state.draft(self, forget=forget)",
        "prepared = self",
        GROUPS,
    ),
    Mutation(
        "drift: the smaller deviation",
        INFERENCE,
        "np.abs(by_new) < np.abs(by_training)",
        "np.abs(by_new) > np.abs(by_training)",
        DRIFT,
    ),
    Mutation(
        "drift: no correction", INFERENCE, "alpha / (TESTS * samples.ratio.size)", "alpha", DRIFT
    ),
    Mutation("drift: heavy tails are told", INFERENCE, "HEAVY = 0.1", "HEAVY = 10.0", DRIFT),
    Mutation(
        "drift: any size matters", INFERENCE, "np.abs(shift) >= threshold", "shift == shift", DRIFT
    ),
    Mutation(
        "drift: weights are rows",
        "_scalers/drift.py",
        "return float(weights.sum() / (weights**2).sum())",
        "return 1.0",
        DRIFT,
    ),
    Mutation(
        "drift: the range of the first batch",
        "_statistics/training.py",
        "np.minimum(a[0], b[0]), np.maximum(a[1], b[1])",
        "a[0], a[1]",
        DRIFT,
    ),
    Mutation(
        "drift: momentum forgets nothing",
        "_statistics/training.py",
        "share**2 / np.maximum(effective, 1e-300)",
        "share / np.maximum(effective, 1e-300)",
        DRIFT,
    ),
    Mutation(
        "tensor: no view of the host's memory",
        "_sources/tensors.py",
        "return _known(X.detach().resolve_conj().resolve_neg().numpy())",
        "return _known(X.detach().clone().numpy())",
        TENSORS,
    ),
    Mutation(
        "tensor: a stand-in device taken for the host",
        "_sources/tensors.py",
        "str(X.device) != _strict_cpu()",
        "False",
        TENSORS,
    ),
    Mutation(
        "tensor: in place is not noticed",
        "_scalers/sourced.py",
        "given_X if result is X else as_tensor(result, given_X)",
        "as_tensor(result, given_X)",
        TENSORS,
    ),
    Mutation(
        "stream: batches of a loader pooled under a momentum",
        "_scalers/sourced.py",
        "if isinstance(source, Batches) and not forget and",
        "if False and",
        STREAMS,
    ),
    Mutation(
        "stream: momentum of the parts kept",
        "_sources/learning.py",
        "plain.set_params(**dict.fromkeys(momentum))",
        "plain",
        STREAMS,
    ),
    Mutation(
        "stream: the rows before a batch are not counted",
        "_sources/streams.py",
        "first_row + block.shape[0]\n        del block  #",
        "first_row\n        del block  #",
        STREAMS,
    ),
    Mutation(
        "stream: a lazy result of the state as it will be",
        "_scalers/sourced.py",
        "frozen = deepcopy(state.draft(reader, forget=False))\n    inverse",
        "frozen = scaler\n    inverse",
        STREAMS,
    ),
    Mutation(
        "stream: batches are written into",
        "_scalers/sourced.py",
        "    frozen.copy = True\n",
        "",
        STREAMS,
    ),
    Mutation(
        "stream: names are not looked at",
        "_scalers/feature_names.py",
        "names is not None and expected is not None and names != expected",
        "False",
        STREAMS,
    ),
    Mutation(
        "formula: no exponent",
        "_sources/formula.py",
        "return 0 if exponent is None else int(exponent[place])",
        "return 0",
        STREAMS,
    ),
    Mutation(
        "formula: squares overflow",
        "_sources/formula.py",
        "ratio = z.clip(-FAR * bound, FAR * bound) / bound",
        "ratio = z / bound",
        STREAMS,
    ),
    Mutation(
        "exporter: an iterator is taken for one that can be read again",
        "_sources/arrow.py",
        "is_read_again=not isinstance(X, Iterator)",
        "is_read_again=True",
        "tests/_sources/test_exporters.py",
    ),
    Mutation(
        "stream: two arrays of one width taken for rows",
        "_sources/streams.py",
        'if isinstance(batch, tuple) and len(batch) > 1 and hasattr(batch[0], "shape"):',
        "if False:",
        STREAMS,
    ),
    Mutation(
        "Arrow: rows left over are lost",
        "_sources/arrow.py",
        "    if waiting:\n        yield",
        "    if False:\n        yield",
        STREAMS,
    ),
    Mutation(
        "stream: parameters looked at when all is read",
        "_scalers/seen.py",
        "gamma_and_beta(self, seen.n_channels)",
        "pass",
        STREAMS,
    ),
    Mutation(
        "stream: what was learned by parts forgotten at a batch that is a source",
        "_scalers/sourced.py",
        "    scaler._settle()\n    MergeMixin",
        "    MergeMixin",
        STREAMS,
    ),
    Mutation(
        "Arrow: numbers that become NaN are no null",
        "_backends/frame_columns.py",
        "missing if _makes_no_nan(affine_map) else None",
        "missing",
        STREAMS,
    ),
    Mutation(
        "Arrow: NaN in the last piece of a column only",
        "_backends/frame_columns.py",
        "missing[place] |= found == MISSING",
        "missing[place] = found == MISSING",
        STREAMS,
    ),
    Mutation(
        "columns: chunks of floats get the weights of the first",
        "_backends/frame_columns.py",
        "            yield part, slice(row, row + size)\n            row += size",
        "            yield part, slice(row, row + size)",
        f"{SCALERS}/test_frames.py",
    ),
    Mutation(
        "Dask: blocks without rows",
        "_sources/learning.py",
        "if not block.shape[0] or",
        "if",
        DASK,
    ),
    Mutation(
        "Dask: blocks of columns",
        "_sources/dask_arrays.py",
        "X if all(size == 1 for size in X.numblocks[1:]) else X.rechunk(whole)",
        "X",
        DASK,
    ),
    Mutation(
        "Dask: one token for all results",
        "_sources/dask_arrays.py",
        "token = tokenize(self._X.name, work)",
        "token = tokenize(self._X.name)",
        DASK,
    ),
    Mutation(
        "converted blocks: rows beyond the last eight are left out",
        "_backends/dense_moments.py",
        "view = view[whole:]",
        "view = view[rows:]",
        "tests/_backends/test_blocks.py",
    ),
    Mutation(
        "converted blocks: the first weights for all",
        "_backends/dense_moments.py",
        "own = None if weights is None else weights[block]",
        "own = None if weights is None else weights[: block.stop - block.start]",
        "tests/_backends/test_blocks.py",
    ),
    Mutation(
        "Arrow: a batch that is cut loses its end",
        "_sources/arrow.py",
        "for start in range(0, batch.num_rows, most):",
        "for start in range(0, min(batch.num_rows, most), most):",
        "tests/_sources/test_arrow_blocks.py",
    ),
    Mutation(
        "columns: infinity passes",
        "_backends/frame_columns.py",
        "            if infinite:\n",
        "            if infinite and False:\n",
        f"{SCALERS}/test_frames.py",
    ),
    Mutation(
        "columns: integers of another byte order",
        "_backends/frame_columns.py",
        'else piece.dtype.newbyteorder("=")',
        "else piece.dtype",
        "tests/_backends/test_blocks.py",
    ),
    Mutation(
        "columns: the parts of all columns for one",
        "_backends/frame_columns.py",
        "return argument[..., place : place + 1].copy()",
        "return argument[..., place : place + 1]",
        f"{SCALERS}/test_frames.py",
    ),
    Mutation(
        "columns: results of Arrow in new memory",
        "_scalers/frames.py",
        "return of_library(X, MEMORIES) or np.empty",
        "return np.empty",
        f"{SCALERS}/test_frames.py",
    ),
    Mutation(
        "columns: frames of many arrays are copied",
        "_scalers/frames.py",
        "            if _is_one_array(X):",
        "            if len(set(X.dtypes)) == 1:",
        "tests/_backends/test_memory.py",
    ),
    Mutation(
        "parquet: columns of another file as they are",
        "_sources/parquet.py",
        "if fragment.physical_schema.equals(self.schema):",
        "if fragment.physical_schema:",
        "tests/_sources/test_arrow_blocks.py",
    ),
    Mutation(
        "parquet: half of a row group",
        "_sources/parquet.py",
        "max(1024, min(group, most))",
        "max(1024, min(group // 2, most))",
        "tests/_sources/test_arrow_blocks.py",
    ),
    Mutation(
        "fold: offset without the slope",
        "_scalers/coefficients.py",
        "offset = beta - affine_map.shift * slope",
        "offset = beta - affine_map.shift",
        f"{SCALERS}/test_folding.py",
    ),
    Mutation(
        "fold: lost digits",
        "_scalers/folding.py",
        "if not (lost <= tolerance).all():",
        "if False:",
        f"{SCALERS}/test_folding.py",
    ),
    Mutation(
        "onnx: float32 where digits are lost",
        "_exports/onnx.py",
        "(np.abs(shift) > FAR * scale).any()",
        "(np.abs(shift) > 1e300 * scale).any()",
        ONNX,
    ),
    Mutation(
        "onnx: missing values counted",
        "_exports/onnx.py",
        "present = self.where(missing, self.constant(0.0), self.constant(1.0))",
        "present = self.where(missing, self.constant(1.0), self.constant(1.0))",
        ONNX,
    ),
    Mutation(
        "onnx: constant rows",
        "_exports/onnx.py",
        "return graph.where(constant, graph.constant(0.0), z)",
        "return z",
        ONNX,
    ),
    Mutation(
        "plain state: changed content",
        "_scalers/plain_state.py",
        "unchanged = codec.digest(content) == plain",
        "unchanged = True or plain",
        f"{SCALERS}/test_plain_state.py",
    ),
    Mutation(
        "plain state: NaN",
        "_scalers/plain_state.py",
        "bad = np.isnan(array) & (counts > 0)",
        "bad = np.zeros(array.shape, dtype=bool)",
        f"{SCALERS}/test_plain_state.py",
    ),
    Mutation(
        "pickle: no warning of another version",
        "_scalers/plain_state.py",
        "if written_by != version():",
        "if False:",
        f"{SCALERS}/test_plain_state.py",
    ),
    Mutation(
        "pickle: the version is not kept",
        "_scalers/plain_state.py",
        "return {**state, VERSION_OF_PICKLE: version()}",
        "return {**state}",
        f"{SCALERS}/test_plain_state.py",
    ),
    Mutation(
        "pickle: a scale set by hand is lost",
        "_scalers/packed.py",
        "return found.tobytes() == scale.tobytes()",
        "return True",
        f"{SCALERS}/test_packed.py",
    ),
    Mutation(
        "pickle: -0.0 is 0.0",
        "_scalers/packed.py",
        "bits = table.view(np.int64)",
        "bits = table",
        f"{SCALERS}/test_packed.py",
    ),
    Mutation(
        "tensors: second derivatives are lost",
        "_backends/tensor_blocks.py",
        "create_graph=is_differentiated",
        "create_graph=False",
        "tests/_sources/test_tensor_blocks.py",
    ),
    Mutation(
        "tensors: whole, not in blocks",
        "_backends/tensor_blocks.py",
        "if is_traced(x) or not n_values:",
        "if True:",
        "tests/_sources/test_tensor_blocks.py",
    ),
    Mutation(
        "arrow: NaN is not null",
        "_sources/arrow.py",
        "arrow.array(values, from_pandas=has_missing)",
        "arrow.array(values)",
        STREAMS,
    ),
    Mutation(
        "onnx: the fused node at any opset",
        "_exports/onnx.py",
        "if graph.opset < HAS_FUSED:",
        "if False:",
        ONNX,
    ),
    Mutation(
        "onnx: the fused node without its eps",
        "_exports/onnx.py",
        'axis=-1, epsilon=layer["eps"]',
        "axis=-1, epsilon=1e-5",
        ONNX,
    ),
    Mutation(
        "loader: the slowest build first",
        "_backends/loader.py",
        "if level >= needed:",
        "if level > 9:",
        "tests/_backends/test_loader.py",
    ),
]


def copy_of_the_tree(target: Path) -> None:
    """Copy what the tests need, the built loops included."""
    for name in ("sknorm", "tests", "docs", "examples", "benchmarks"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, target)


def survives(mutation: Mutation, tree: Path) -> str:
    """Return how a mutation ends: killed, or why it is not."""
    path = tree / "sknorm" / mutation.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutation.old) != 1:
        return f"NOT FOUND ({text.count(mutation.old)} times)"
    path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
    settings = {"SKNORM_FORCE_REFERENCE": "1"} if mutation.reference else {}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    try:
        result = subprocess.run(
            [*command, *mutation.tests.split()],
            cwd=tree,
            env=os.environ | settings,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        path.write_text(text, encoding="utf-8")
    if result.returncode == 1:
        return "killed"
    return "SURVIVED" if result.returncode == 0 else f"NOT RUN ({result.returncode})"


def main() -> int:
    """Run the mutations whose names contain one of the words given, or all."""
    words = sys.argv[1:]
    chosen = [m for m in MUTATIONS if not words or any(word in m.name for word in words)]
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        copy_of_the_tree(tree)
        for mutation in chosen:
            started = time.monotonic()
            how = survives(mutation, tree)
            bad += how != "killed"
            seconds = time.monotonic() - started
            print(f"{how:<12} {seconds:5.0f} s  {mutation.file:<34} {mutation.name}", flush=True)
    print(f"{len(chosen) - bad} of {len(chosen)} killed")
    return int(bool(bad))


if __name__ == "__main__":
    raise SystemExit(main())
