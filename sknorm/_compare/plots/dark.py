"""Pictures on pages that may be dark: the colors of light ones, and what they become."""

from __future__ import annotations

import re

INK, PAPER, SHADE, LINES = "#1a1a1a", "#ffffff", "#f3f3f3", "#cccccc"
# Beside those of text and paper: black lines, and colors too dark to see on a dark page.
DARK = {
    INK: "#e8e8e8",
    PAPER: "#16181b",
    SHADE: "#23272c",
    LINES: "#444444",
    "#dddddd": "#3a3a3a",
    "#555555": "#b5b5b5",
    "#000000": "#ffffff",
    "#0072b2": "#4db2f0",
    "#d55e00": "#ff8a3d",
    "#009e73": "#2fd3a3",
    "#6a51a3": "#a892e8",
    "#8c564b": "#c8897c",
    "#6e6e6e": "#a5a5a5",
}
SETTINGS = {
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def with_dark_mode(svg: str) -> str:
    """Return a picture that follows the reader's choice of a light or a dark page.

    matplotlib writes each color where it is used, in an attribute that a style can look for.
    """
    rules = "".join(
        f'[style*="{kind}: {light}"]{{{kind}:{dark}!important}}'
        for light, dark in DARK.items()
        for kind in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
    return re.sub(r"(<svg\b[^>]*>)", lambda match: match[1] + style, svg, count=1)
