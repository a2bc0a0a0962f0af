"""What was measured: one value, with its spread and its bar."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A ratio of times (unit "") or megabytes, of which half of the rounds lay in low to high.

    ``ours`` and ``other`` are what it was taken from: seconds, or megabytes.
    """

    group: str
    column: str
    name: str
    value: float
    low: float
    high: float
    ours: float
    other: float | None
    bar: float | None = None
    at_least: bool = False
    unit: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.group, self.name, self.column

    @property
    def is_met(self) -> bool:
        if self.bar is None:
            return True
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    @property
    def bar_text(self) -> str:
        if self.bar is None:
            return ""
        return f"{'≥' if self.at_least else '≤'} {self.bar:g}{self.unit and f' {self.unit}'}"


def short(value: float) -> str:
    """Return a number with three digits, as far as they matter."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
