"""A comparison as HTML: a fragment for notebooks, and a page that needs nothing else."""

from __future__ import annotations

import base64
import importlib
import importlib.metadata
import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from sknorm._compare.html import alt_text
from sknorm._compare.plots.kinds import PANELS, shown_kinds
from sknorm._compare.plots.style import picture_height
from sknorm._compare.text import tables
from sknorm._compare.text.details import detail_cells, detail_legend

# What tells a page of ours, and so one that may be written over, from any other file.
GENERATOR = '<meta name="generator" content="sknorm">'
STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --page: #ffffff; --soft: #f2f4f6;
  --rule: #8a9099; --good: #00543d; --bad: #8f2d00; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --page: #16181b;
  --soft: #23272c; --rule: #9aa1aa; --good: #6fdcb4; --bad: #ffb089; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
h1 { line-height: 1.2; margin-bottom: .5rem; } h2 { margin-top: 2.2rem; }
h3 { margin: 1.1rem 0 .2rem; } h3 + p { margin-top: 0; }
.verdict { font-size: 1.15rem; border-left: .35rem solid var(--good); padding: .6rem 1rem;
  background: var(--soft); }
.partial { border-left: .35rem solid var(--bad); padding: .6rem 1rem; background: var(--soft); }
.wide { overflow-x: auto; margin: 1rem 0; background:
  linear-gradient(to right, var(--page) 30%, transparent) left / 3rem 100% no-repeat local,
  linear-gradient(to left, var(--page) 30%, transparent) right / 3rem 100% no-repeat local,
  linear-gradient(to right, var(--rule), transparent) left / .8rem 100% no-repeat scroll,
  linear-gradient(to left, var(--rule), transparent) right / .8rem 100% no-repeat scroll; }
figure { margin: 1.5rem 0; }
figure .wide { margin: 0; }
figure img { display: block; width: 100%; min-width: 48rem; max-width: 60rem; height: auto;
  background: #fff; }
@media print { figure img { min-width: 0; } }
figure .sknorm-table td:last-child { white-space: nowrap; }
summary { cursor: pointer; }
figcaption { font-size: .95rem; }
"""
TABLE_STYLE = """
.sknorm-table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .85rem; }
.sknorm-table caption { text-align: left; padding: .3rem 0; }
.sknorm-table th, .sknorm-table td { padding: .3rem .45rem; text-align: right;
  border-bottom: 1px solid #8a9099; white-space: nowrap; }
.sknorm-table thead th { vertical-align: bottom; white-space: normal; }
.sknorm-table thead th:first-child { text-align: left; }
.sknorm-table tbody th { text-align: left; font-weight: 600; white-space: normal;
  overflow-wrap: anywhere; min-width: 9rem; }
.sknorm-table td:last-child { white-space: normal; }
.sknorm-table .best { font-weight: 700; }
"""


def fragment(comparison: Any) -> str:
    """Return the verdict and the tables, for notebooks."""
    return (
        f"<div><style>{TABLE_STYLE}</style>{_partial(comparison)}"
        f"<p>{escape(comparison.verdict())}</p>{_table(comparison)}"
        f"<details><summary>Details</summary>{_details(comparison)}</details></div>"
    )


def page(comparison: Any, title: str | None, notes: Sequence[str] = ()) -> str:
    """Return the whole page."""
    title = title or f"Which normalizer suits {comparison.setting_.model} on these data?"
    said = comparison._sections
    parts = [
        f"<h1>{escape(title)}</h1>",
        _partial(comparison),
        f'<p class="verdict">{escape(said.verdict)}</p>',
        "<h2>What was done</h2>",
        _list([*notes, said.done]),
        "<h2>The four promises</h2>",
        *(f"<h3>{escape(q)}</h3><p>{escape(answer)}</p>" for q, answer in said.promises.items()),
        f"<p><strong>Be wary:</strong> {escape(said.caution)}</p>",
        "<h2>The numbers</h2>",
        _scrollable(_table(comparison), "Table of numbers"),
        _scrollable(_details(comparison), "Table of details"),
        "<h3>How to read the tables</h3>",
        _list([*tables.legend(comparison.setting_), *detail_legend(comparison.setting_)]),
        "<h2>Pictures</h2>",
        *_figures(comparison),
        f"<footer><p>Made by sknorm {escape(importlib.metadata.version('sknorm'))} with "
        f"scikit-learn {escape(importlib.metadata.version('scikit-learn'))}.</p></footer>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{GENERATOR}\n<title>{escape(title)}</title>\n<style>{STYLE}{TABLE_STYLE}</style>\n</head>\n"
        "<body>\n<main>\n" + "\n".join(part for part in parts if part) + "\n</main>\n</body>\n"
        "</html>\n"
    )


def _partial(comparison: Any) -> str:
    if not comparison.partial_:
        return ""
    setting = comparison.setting_
    return (
        f'<p class="partial"><strong>Partial:</strong> {escape(setting.stopped)} after '
        f"{len(comparison._runs)} of {setting.n_planned} fits.</p>"
    )


def _list(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"


def _table(comparison: Any) -> str:
    setting = comparison.setting_
    header, rows = tables.table_cells(comparison.measures_, setting, comparison.best_name_)
    caption = (
        f"{setting.model} on {setting.n_rows:,} rows: {setting.n_folds} folds x "
        f"{setting.n_seeds} initializations"
    )
    return _as_html(caption, header, rows)


def _details(comparison: Any) -> str:
    header, rows = detail_cells(comparison.measures_, comparison.setting_)
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


def _figures(comparison: Any) -> list[str]:
    try:
        figure_module = importlib.import_module("matplotlib.figure")
    except ImportError:
        return ["<p>Pictures need matplotlib: pip install matplotlib.</p>"]
    figures = []
    for kind in shown_kinds(comparison):
        height = picture_height(len(comparison.setting_.names))
        figure = figure_module.Figure(figsize=(9.5, height), layout="constrained")
        PANELS[kind](figure.subplots(), comparison)
        figures.append(_figure(figure, kind, comparison))
    return figures


def _figure(figure: Any, kind: str, comparison: Any) -> str:
    buffer = io.BytesIO()
    # The date and random ids would make two reports of the same runs differ.
    with importlib.import_module("matplotlib").rc_context({"svg.hashsalt": "sknorm"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    image = (
        f'<img alt="{escape(alt_text.alternative(kind, comparison))}" '
        f'src="data:image/svg+xml;base64,{encoded}">'
    )
    return (
        f"<figure>{_scrollable(image, f'Picture: {kind}')}"
        f"<figcaption>{escape(alt_text.CAPTIONS[kind])}</figcaption>"
        f"{_numbers_below(kind, comparison)}</figure>"
    )


def _numbers_below(kind: str, comparison: Any) -> str:
    table = alt_text.table_below(kind, comparison)
    if table is None:
        return ""
    label = f"Numbers of the picture: {kind}"
    return f"<details><summary>{label}</summary>{_scrollable(_as_html(*table), label)}</details>"
