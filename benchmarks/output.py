"""The figures as a table on the terminal, as JSON, and as Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from benchmarks.figure import Figure, short

# The figures of the README: one column each, on the data before the colon.
HEADLINE = {
    "1,000,000 × 50": (
        "StandardScaler.fit",
        "StandardScaler.transform",
        "StandardScaler.fit_transform",
        "Normalizer, l2",
    )
}


# Terminal ----------------------------------------------------------------------------------------


def heading(machine: dict[str, str]) -> str:
    return "\n".join(f"{name:<15} {text}" for name, text in machine.items())


def line(figure: Figure) -> str:
    """Return a figure with its spread, its bar, and what it was taken from."""
    verdict = "" if figure.bar is None else "met" if figure.is_met else "MISSED"
    spread = f"{short(figure.low)}-{short(figure.high)}"
    sources = f"{_amount(figure.ours, figure.unit)} / {_amount(figure.other, figure.unit)}"
    return (
        f"  {figure.name:<32} {figure.column:<16} {short(figure.value):>8} {spread:>15}"
        f"  {figure.bar_text:>8} {verdict:<7} {sources}"
    )


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit:
        return f"{short(value)} {unit}"
    return f"{value * 1e3:,.1f} ms" if value >= 1e-3 else f"{value * 1e6:,.1f} µs"


def summary(figures: Iterable[Figure]) -> str:
    with_bar = [figure for figure in figures if figure.bar is not None]
    missed = [figure for figure in with_bar if not figure.is_met]
    lines = [
        f"{len(with_bar) - len(missed)} of {len(with_bar)} bars met" + "; missed:" * bool(missed)
    ]
    return "\n".join(lines + [f"  {figure.group}\n{line(figure)}" for figure in missed])


# JSON --------------------------------------------------------------------------------------------


def write_json(path: Path, machine: dict[str, str], figures: Iterable[Figure]) -> None:
    content = {"machine": machine, "figures": [asdict(figure) for figure in figures]}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> tuple[dict[str, str], list[Figure]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return content["machine"], [Figure(**figure) for figure in content["figures"]]


# Markdown ----------------------------------------------------------------------------------------


def write_markdown(path: Path, machine: dict[str, str], figures: list[Figure]) -> None:
    """Fill those sections that the page has, between ``<!-- name -->`` and ``<!-- end -->``."""
    headline = [figure for figure in figures if figure.name in HEADLINE.get(figure.group, ())]
    sections = {
        "machine": "\n".join(f"- {name}: {text}" for name, text in machine.items()),
        "machine in short": f"On {machine['processor']}, with {machine['versions']}.",
        "headline": _table(headline, lambda figure: short(figure.value)),
        "tables": "\n\n".join(_tables(figures)),
        "missed": _missed(figures),
    }
    for name, text in sections.items():
        replace_section(path, name, text)


def replace_section(path: Path, name: str, text: str) -> None:
    """Fill a section of a page, between ``<!-- name -->`` and ``<!-- end -->``, if it is there."""
    page = path.read_text(encoding="utf-8")
    pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
    filled = re.sub(pattern, lambda m: f"{m[1]}\n{text}\n\n{m[2]}", page, flags=re.DOTALL)
    path.write_text(filled, encoding="utf-8")


def _tables(figures: list[Figure]) -> Iterable[str]:
    for group in dict.fromkeys(figure.group for figure in figures):
        yield f"### {group}"
        yield _table([figure for figure in figures if figure.group == group], _cell)


def _table(figures: list[Figure], cell) -> str:
    columns = list(dict.fromkeys(figure.column for figure in figures))
    cells = {(figure.name, figure.column): cell(figure) for figure in figures}
    rows = [["", *columns], ["---"] + ["--:"] * len(columns)]
    for name in dict.fromkeys(figure.name for figure in figures):
        rows.append([name, *(cells.get((name, column), "") for column in columns)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _cell(figure: Figure) -> str:
    value = short(figure.value)
    if figure.bar is None:
        return value
    return f"{value} ({figure.bar_text})" if figure.is_met else f"**{value}** ({figure.bar_text})"


def _missed(figures: list[Figure]) -> str:
    missed = [figure for figure in figures if not figure.is_met]
    if not missed:
        return "None."
    rows = ["| on | what | reached | interquartile range | target |", "|---|---|--:|--:|--:|"]
    for figure in missed:
        where = f"{figure.group}, {figure.column}"
        spread = f"{short(figure.low)} to {short(figure.high)}"
        value = short(figure.value)
        rows.append(f"| {where} | {figure.name} | {value} | {spread} | {figure.bar_text} |")
    return "\n".join(rows)
