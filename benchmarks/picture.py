"""The figures as dots on logarithmic scales, with their bars."""

from __future__ import annotations

from pathlib import Path

from benchmarks.figure import Figure, short

# Colors of Okabe and Ito, which color-blind people can tell apart; in gray, the marks differ.
MARKS = {
    "float64 C": {"marker": "o", "color": "#0072B2"},
    "float64 F": {"marker": "o", "color": "#0072B2", "markerfacecolor": "white"},
    "float32 C": {"marker": "^", "color": "#D55E00"},
    "float32 F": {"marker": "^", "color": "#D55E00", "markerfacecolor": "white"},
    "CSR": {"marker": "s", "color": "#009E73"},
    "CSC": {"marker": "s", "color": "#009E73", "markerfacecolor": "white"},
    "200 × 20": {"marker": "D", "color": "#000000"},
    "1 × 50": {"marker": "D", "color": "#000000", "markerfacecolor": "white"},
}
# What the rows of each table begin with.
GROUPS = {
    "1,000,000 × 50": "",
    "1,000,000 × 50, 1 % missing": "1 % missing",
    "200,000 × 5,000, sparse, 1 %": "sparse",
    "Small": "",
}
ROW = 0.27


def draw(path: Path, machine: dict[str, str], figures: list[Figure]) -> None:
    from matplotlib.figure import Figure as Canvas

    shown = [f for f in figures if f.group in GROUPS and f.column in MARKS]
    small = [f for f in shown if f.group == "Small"]
    panels = [
        ("Times as fast as … (further right is better)", [f for f in shown if f.at_least]),
        (
            "Time, in units of that after the slash (further left is better)",
            [f for f in shown if not f.at_least and f not in small],
        ),
        ("The same for small calls", small),
    ]
    panels = [(title, part) for title, part in panels if part]
    heights = [len(_rows(part)) + 1 for _, part in panels]
    canvas = Canvas(figsize=(8, ROW * sum(heights) + 1.6), layout="constrained")
    grid = canvas.subplots(len(panels), 1, squeeze=False, height_ratios=heights)
    for axes, (title, part) in zip(grid[:, 0], panels, strict=True):
        _panel(axes, title, part)
    handles, labels = _legend(grid[:, 0])
    canvas.legend(handles, labels, loc="outside upper left", ncols=5, frameon=False, fontsize=8)
    canvas.supxlabel(f"{machine['processor']}; {machine['loops']}", fontsize=7)
    canvas.savefig(path, dpi=120)


def _rows(figures: list[Figure]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((figure.group, figure.name) for figure in figures))


def _panel(axes, title: str, figures: list[Figure]) -> None:
    rows = _rows(figures)
    for number, row in enumerate(rows):
        part = [figure for figure in figures if (figure.group, figure.name) == row]
        for place, figure in enumerate(part):
            y = number + 0.7 * ((place + 0.5) / len(part) - 0.5)
            axes.plot(figure.value, y, linestyle="none", markersize=5, label=figure.column,
                      zorder=3, **MARKS[figure.column])  # fmt: skip
            if figure.bar is not None:
                axes.plot(figure.bar, y, linestyle="none", marker="|", markersize=6, color="0.3",
                          markeredgewidth=1.5, label="target", zorder=2)  # fmt: skip
        if number % 2:
            axes.axhspan(number - 0.5, number + 0.5, color="0.95", zorder=0)
    axes.axvline(1, color="0.5", linewidth=0.8, zorder=1)
    axes.set_xscale("log")
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_yticks(range(len(rows)), [_label(*row) for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    _ticks(axes)


def _ticks(axes) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    low, high = axes.get_xlim()
    places = [m * 10.0**e for e in range(-3, 5) for m in (1, 2, 5) if low <= m * 10.0**e <= high]
    axes.xaxis.set_major_locator(FixedLocator(places))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: short(value).rstrip("0").rstrip("."))
    )
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _label(group: str, name: str) -> str:
    where = GROUPS[group]
    return f"{where}: {name}" if where else name


def _legend(panels) -> tuple[list, list[str]]:
    found = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)
