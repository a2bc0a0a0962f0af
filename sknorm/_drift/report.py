"""What ``check_drift`` returns: a table, and its picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sknorm._drift import plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOTHING = ("no drift shown", "too few values")
SHOWN = 20  # rows of the text
COLUMNS = ("shift", "spread_ratio", "missing", "outside", "verdict")


class DriftReport:
    """What changed between the data that a scaler was fitted on and new data.

    It is what ``check_drift`` returns; text and HTML forms list what drifted.

    Parameters
    ----------
    table : dict of str to ndarray
        The columns of the table, see the attribute.
    alpha : float
        The rate of false alarms.
    threshold : float
        The smallest change that matters.
    new_groups : sequence of object, default=()
        Groups of the new data that were not in fit, and are not in the table.

    Attributes
    ----------
    table : dict of str to ndarray
        One row per feature, or per group and feature; a ``pandas.DataFrame`` takes it as it is.

        ``group``
            The key of the group; only for a GroupScaler.
        ``feature``
            The name of the feature, or its position.
        ``n``
            The number, or weight, of values in the new data.
        ``shift``, ``shift_low``, ``shift_high``
            The difference of the means, new minus old, in standard deviations of the training data,
            and its interval.
        ``spread_ratio``, ``spread_low``, ``spread_high``
            The new standard deviation in old ones, and its interval; the interval is NaN where
            few values make up too much of the squares to tell.
        ``missing``, ``missing_before``
            The share of missing values, new and old.
        ``outside``
            The share of new values outside the range of the training data.
        ``p_value``
            The smallest p-value of the row, adjusted for all tests (Bonferroni).
        ``verdict``
            What drifted: "shifted", "wider", "narrower", "more missing" or "fewer missing", joined
            by "and"; else "no drift shown", or "too few values".

        The intervals hold together, with a confidence of ``1 - alpha``. A verdict needs a change
        that is not chance, by an adjusted p-value below ``alpha``, and at least ``threshold`` in
        size: a shift of that many standard deviations, a spread that differs by that factor
        (``exp(threshold)``), a share of missing values that differs by 0.05.
    drifted : list
        The features with a verdict, in the order of the table, as ``(group, feature)`` where there
        are groups.
    alpha, threshold : float
        As given.
    new_groups : list
        Groups that were not in fit.

    See Also
    --------
    BatchStatScaler.check_drift : Makes a report.

    Examples
    --------
    >>> import numpy as np
    >>> from sknorm import BatchStatScaler
    >>> rng = np.random.default_rng(0)
    >>> scaler = BatchStatScaler().fit(rng.normal(size=(1000, 2)))
    >>> report = scaler.check_drift(rng.normal([0.0, 1.0], size=(200, 2)))
    >>> report.drifted
    [1]
    >>> print(report)
    1 of 2 features drifted (alpha 0.05, threshold 0.2):
    feature  shift                spread ratio         missing  outside  verdict
    1        1.08 (0.87 to 1.29)  1.03 (0.70 to 1.51)  0.0%     1.5%     shifted
    """

    def __init__(
        self,
        table: dict[str, Any],
        alpha: float,
        threshold: float,
        new_groups: Sequence[Any] = (),
    ) -> None:
        self.table = table
        self.alpha = alpha
        self.threshold = threshold
        self.new_groups = list(new_groups)

    @property
    def drifted(self) -> list[Any]:
        """The features with a verdict."""
        features = [_plain(self.table["feature"][k]) for k in self._rows()]
        if "group" not in self.table:
            return features
        groups = [_plain(self.table["group"][k]) for k in self._rows()]
        return list(zip(groups, features, strict=True))

    def plot(self, ax: Any = None, *, max_features: int = 30) -> Figure:
        """Draw the shifts and ratios of spreads, with their intervals and the threshold.

        Parameters
        ----------
        ax : array-like of two matplotlib axes, default=None
            Where to draw; None makes a new figure.
        max_features : int, default=30
            The number of rows that are drawn: those that drifted, and the largest shifts.

        Returns
        -------
        figure : matplotlib.figure.Figure
            The figure.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        figure: Figure = plot.draw(self.table, self.threshold, self._labels(), ax, max_features)
        return figure

    def __str__(self) -> str:
        rows = self._rows()
        n, what = len(self.table["feature"]), "features"
        if "group" in self.table:
            what = "features of groups"
        known = f"(alpha {self.alpha:g}, threshold {self.threshold:g})"
        head = f"{len(rows) or 'None'} of {n} {what} drifted {known}"
        lines = [head + (":" if rows else ".")]
        if rows:
            cells = [_header("group" in self.table), *(self._cells(k) for k in rows[:SHOWN])]
            widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
            lines += ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
        if len(rows) > SHOWN:
            lines.append(f"and {len(rows) - SHOWN} more")
        if self.new_groups:
            shown = ", ".join(repr(_plain(key)) for key in self.new_groups[:8])
            more = ", …" if len(self.new_groups) > 8 else ""
            lines.append(f"Groups that were not in fit: {shown}{more}")
        return "\n".join(lines)

    __repr__ = __str__

    def _rows(self) -> list[int]:
        """Return the rows with a verdict."""
        return [k for k, verdict in enumerate(self.table["verdict"]) if verdict not in NOTHING]

    def _labels(self) -> list[str]:
        if "group" not in self.table:
            return [str(name) for name in self.table["feature"]]
        pairs = zip(self.table["group"], self.table["feature"], strict=True)
        return [f"{group}: {feature}" for group, feature in pairs]

    def _cells(self, k: int) -> list[str]:
        row = {name: values[k] for name, values in self.table.items()}
        cells = [str(row["group"])] if "group" in row else []
        return [
            *cells,
            str(row["feature"]),
            _estimate(row["shift"], row["shift_low"], row["shift_high"]),
            _estimate(row["spread_ratio"], row["spread_low"], row["spread_high"]),
            _percent(row["missing"]),
            _percent(row["outside"]),
            str(row["verdict"]),
        ]


def _header(with_group: bool) -> list[str]:
    names = ["feature", "shift", "spread ratio", "missing", "outside", "verdict"]
    return ["group", *names] if with_group else names


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _estimate(value: float, low: float, high: float) -> str:
    interval = "" if np.isnan(low) else f" ({_number(low)} to {_number(high)})"
    return f"{_number(value)}{interval}"


def _number(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 1000 else f"{value:.3g}"


def _percent(share: float) -> str:
    return "-" if np.isnan(share) else f"{100 * share:.1f}%"
