"""A comparison as HTML: a fragment for notebooks, and a page that needs nothing else."""

from __future__ import annotations

import base64
import importlib
import importlib.metadata
import io
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from sknorm._compare.analysis.measured import Measured
from sknorm._compare.html import alt_text
from sknorm._compare.plots.dark import SETTINGS, with_dark_mode
from sknorm._compare.plots.kinds import PANELS, shown_kinds
from sknorm._compare.plots.style import picture_height
from sknorm._compare.text import summary, tables
from sknorm._compare.text.details import detail_cells, detail_legend
from sknorm._compare.text.snippet import snippet
from sknorm._compare.text.verdict import verdict_sentences

# What tells a page of ours, and so one that may be written over, from any other file.
GENERATOR = '<meta name="generator" content="sknorm">'
PAGE_STYLE = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
TABLE_STYLE = files(__package__).joinpath("table.css").read_text(encoding="utf-8")


def fragment(measured: Measured) -> str:
    """Return the verdict and the tables, for notebooks."""
    return (
        f"<div><style>{TABLE_STYLE}</style>{_partial(measured)}"
        f"<p>{escape(summary.sections(measured).verdict)}</p>{_table(measured)}"
        f"<details><summary>Details</summary>{_details(measured)}</details></div>"
    )


def page(measured: Measured, title: str | None, notes: Sequence[str] = (), data: str = "") -> str:
    """Return the whole page."""
    title = title or f"Which normalizer suits {measured.design.model} on these data?"
    said = summary.sections(measured)
    figures = _figures(measured)
    parts = [
        f"<h1>{escape(title)}</h1>",
        _partial(measured),
        _verdict(measured),
        figures.pop("scores", ""),
        _snippet(measured, data),
        "<h2>What was done</h2>",
        _list([*notes, said.done]),
        "<h2>The four promises</h2>",
        *(f"<h3>{escape(q)}</h3><p>{escape(answer)}</p>" for q, answer in said.claims.items()),
        f"<p><strong>Caveats:</strong> {escape(said.caution)}</p>",
        "<h2>The numbers</h2>",
        _scrollable(_table(measured), "Table of numbers"),
        _scrollable(_details(measured), "Table of details"),
        "<h3>How to read the tables</h3>",
        _list([*tables.legend(measured.design), *detail_legend(measured.design)]),
        "<h2>More pictures</h2>" if figures else "",
        *figures.values(),
        f"<footer><p>Made by sknorm {escape(importlib.metadata.version('sknorm'))} with "
        f"scikit-learn {escape(importlib.metadata.version('scikit-learn'))}.</p></footer>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{GENERATOR}\n<title>{escape(title)}</title>\n<style>{PAGE_STYLE}{TABLE_STYLE}</style>\n</head>\n"
        "<body>\n<main>\n" + "\n".join(part for part in parts if part) + "\n</main>\n</body>\n"
        "</html>\n"
    )


def _verdict(measured: Measured) -> str:
    """Return the verdict, of which the first sentence says what to use."""
    first, *others = verdict_sentences(measured)
    rest = f"<p>{escape(' '.join(others))}</p>" if others else ""
    return f'<div class="verdict"><p><strong>{escape(first)}</strong></p>{rest}</div>'


def _snippet(measured: Measured, data: str) -> str:
    """Return the code that builds what is recommended."""
    chosen = measured.standing.recommended
    if chosen is None:
        return ""
    code = escape(snippet(measured.pipelines[chosen], data=data))
    return f"<h2>To use it</h2>{_scrollable(f'<pre><code>{code}</code></pre>', 'Code to paste')}"


def _partial(measured: Measured) -> str:
    design = measured.design
    if design.stopped is None:
        return ""
    return (
        f'<p class="partial"><strong>Partial:</strong> {escape(design.stopped)} after '
        f"{len(measured.runs)} of {design.n_planned} fits.</p>"
    )


def _list(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"


def _table(measured: Measured) -> str:
    design = measured.design
    header, rows = tables.table_cells(measured.metrics, design, measured.best)
    caption = (
        f"{design.model} on {design.n_rows:,} rows: {design.n_folds} folds x "
        f"{design.n_seeds} initializations"
    )
    return _as_html(caption, header, rows)


def _details(measured: Measured) -> str:
    header, rows = detail_cells(measured.metrics, measured.design)
    return _as_html("Details", header, rows)


def _as_html(caption: str, header: list[str], rows: list[list[str]]) -> str:
    """Return a table, of which the row with a star is set in bold."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    body = "".join(
        f"<tr{' class=' + chr(34) + 'best' + chr(34) if cells[0].endswith('*') else ''}>"
        f'<th scope="row">{escape(cells[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells[1:])
        + "</tr>"
        for cells in rows
    )
    return (
        f'<table class="sknorm-table"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _scrollable(content: str, label: str) -> str:
    return f'<div class="wide" tabindex="0" role="region" aria-label="{label}">{content}</div>'


def _figures(measured: Measured) -> dict[str, str]:
    """Return the pictures by kind."""
    try:
        figure_module = importlib.import_module("matplotlib.figure")
    except ImportError:
        return {"scores": "<p>Pictures need matplotlib: pip install matplotlib.</p>"}
    return {kind: _figure(figure_module, kind, measured) for kind in shown_kinds(measured)}


def _figure(figure_module: Any, kind: str, measured: Measured) -> str:
    """Return a picture, which is another one where the page is narrow."""
    wide, narrow = (_draw(figure_module, kind, measured, *size) for size in ((7.5, 10), (3.5, 7)))
    image = (
        f'<picture><source media="(max-width: 640px)" srcset="{narrow}">'
        f'<img alt="{escape(alt_text.alternative(kind, measured))}" src="{wide}"></picture>'
    )
    return (
        f"<figure>{image}<figcaption>{escape(alt_text.CAPTIONS[kind])}</figcaption>"
        f"{_numbers_below(kind, measured)}</figure>"
    )


def _draw(figure_module: Any, kind: str, measured: Measured, width: float, letters: float) -> str:
    """Return a picture of some width in inches, as the address of an image."""
    buffer = io.StringIO()
    # The date and random ids would make two reports of the same runs differ.
    options = SETTINGS | {"svg.hashsalt": "sknorm", "font.size": letters}
    with importlib.import_module("matplotlib").rc_context(options):
        height = picture_height(len(measured.design.names))
        figure = figure_module.Figure(figsize=(width, height), layout="constrained")
        PANELS[kind](figure.subplots(), measured)
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    encoded = base64.b64encode(with_dark_mode(buffer.getvalue()).encode()).decode("ascii")
    return f"data:image/svg+xml;base64,{encoded}"


def _numbers_below(kind: str, measured: Measured) -> str:
    table = alt_text.table_below(kind, measured)
    if table is None:
        return ""
    label = f"Numbers of the picture: {kind}"
    return f"<details><summary>{label}</summary>{_scrollable(_as_html(*table), label)}</details>"
