"""What a comparison returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, cast

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sknorm._compare.analysis.measured import Measured
from sknorm._compare.analysis.metrics import Metrics
from sknorm._compare.fitting.task import Run, set_seed, weights_of_steps
from sknorm._compare.html import report
from sknorm._compare.text import summary, tables
from sknorm._compare.text.snippet import snippet
from sknorm._compare.typed import ComparisonTable, Display, Kind, RunsTable


class NormalizerComparison:
    """What :func:`compare_normalizers` measured; it is what makes these.

    Parameters
    ----------
    measured : object
        The runs, and how they were made.

    Attributes
    ----------
    best_name_ : str or None
        The normalizer with the highest mean test score, of those that lost the fewest fits. Whether
        it is shown to be better is another question: see :meth:`verdict`.
    recommended_ : str or None
        The normalizer to use: the simplest of those that score as high, for all that matters.
    baseline_ : str
        What the others are compared with.
    partial_ : bool
        Whether it was stopped before all fits were made.
    setting_ : object
        What was compared: rows, columns, folds, seeds, score.

    See Also
    --------
    compare_normalizers : Makes a comparison.
    NormalizerComparisonDisplay : Shows it.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sknorm import compare_normalizers
    >>> comparison = compare_normalizers(
    ...     KNeighborsClassifier(), *load_wine(return_X_y=True),
    ...     normalizers=["none", "BatchStatScaler"], random_state=0,
    ... )
    >>> comparison.best_name_
    'BatchStatScaler'
    >>> comparison.fit_best().predict(load_wine().data[:2])
    array([0, 0])
    """

    display_class: ClassVar[type[Display]]

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self.setting_ = measured.design
        self.baseline_ = measured.design.baseline
        self.partial_ = measured.design.stopped is not None

    @property
    def measures_(self) -> dict[str, Metrics]:
        """The measures of each normalizer, as objects."""
        return self._measured.metrics

    @property
    def best_name_(self) -> str | None:
        """The normalizer with the highest mean test score, of those that lost the fewest fits."""
        return self._measured.best

    @property
    def recommended_(self) -> str | None:
        """The normalizer to use: the simplest of those that score as high, for all that matters."""
        return self._measured.standing.recommended

    @property
    def table(self) -> ComparisonTable:
        """One row per normalizer, as a dict of columns: ``pandas.DataFrame(comparison.table)``."""
        return cast(ComparisonTable, tables.table_columns(self.measures_))

    @property
    def runs(self) -> RunsTable:
        """One row per fit, as a dict of columns."""
        fields = [field.name for field in dataclasses.fields(Run)]
        runs = self._measured.runs
        return cast(RunsTable, {name: [getattr(run, name) for run in runs] for name in fields})

    def snippet(self, *, data: str = "") -> str:
        """Return code to paste that builds the pipeline with the recommended normalizer.

        Parameters
        ----------
        data : str, default=""
            Code that makes ``X`` and ``y``, to put before it.

        Returns
        -------
        code : str
            Imports, the pipeline, and its fit.

        Raises
        ------
        ValueError
            If no fit gave a score.
        """
        return snippet(self._measured.pipelines[self._chosen()], data=data)

    def _chosen(self) -> str:
        if self.recommended_ is None:
            raise ValueError("No fit gave a score, so there is no best pipeline.")
        return self.recommended_

    def fit_best(self) -> Pipeline:
        """Fit the recommended normalizer's pipeline on all of X and y.

        Returns
        -------
        pipeline : Pipeline
            A new one in each call, with the first seed of the comparison.

        Raises
        ------
        ValueError
            If no fit gave a score.
        """
        measured = self._measured
        pipeline = clone(measured.pipelines[self._chosen()])
        set_seed(pipeline, measured.runs[0].random_state)
        weights = weights_of_steps(pipeline, measured.weights)
        return pipeline.fit(measured.X, measured.y, **weights)

    @cached_property
    def _summary(self) -> summary.Summary:
        """What was found, in words."""
        return summary.sections(self._measured)

    def verdict(self) -> str:
        """Return which normalizer to use, how it compares, and what guessing gets.

        Returns
        -------
        sentences : str
            Nothing is called better unless its interval against the baseline says so.
        """
        return self._summary.verdict

    def summary(self) -> str:
        """Return what was found, in summary.

        Returns
        -------
        text : str
            What was done, the verdict, the four promises one by one, and what to be wary of.
        """
        done, *found = self._summary.lines()
        return "\n".join([done, f"Verdict: {self._summary.verdict}", *found])

    def __repr__(self) -> str:
        state = f"partial ({self.setting_.stopped}), " if self.partial_ else ""
        return (
            f"<NormalizerComparison: {state}{len(self.setting_.names)} normalizers, "
            f"{len(self._measured.runs)} fits, best: {self.best_name_}>"
        )

    def __str__(self) -> str:
        table = tables.as_text(*tables.table_cells(self.measures_, self.setting_, self.best_name_))
        note = tables.partial_note(self.setting_, len(self._measured.runs))
        return f"{note}\n\n{table}" if note else table

    def _repr_html_(self) -> str:
        return report.fragment(self._measured)

    def plot(self, *, kind: Kind = "all", ax: Any = None) -> Display:
        """Draw the comparison; needs matplotlib.

        Parameters
        ----------
        kind : {"all", "scores", "loss", "sensitivity", "distributions"}, default="all"
            What to draw.
        ax : matplotlib Axes or array of 4 of them, default=None
            Where to draw. Four pictures take the place of a single one.

        Returns
        -------
        display : NormalizerComparisonDisplay
            What was drawn.
        """
        return self.display_class(self).plot(kind=kind, ax=ax)

    def to_html(
        self,
        path: str | Path,
        *,
        title: str | None = None,
        notes: Sequence[str] = (),
        data: str = "",
    ) -> Path:
        """Write one self-contained page: summary, tables and, with matplotlib, pictures.

        Parameters
        ----------
        path : str or Path
            The file to write.
        title : str, default=None
            Heading of the page.
        notes : list of str, default=()
            What readers should know of the data.
        data : str, default=""
            Code that makes ``X`` and ``y``, for the code to paste.

        Returns
        -------
        path : Path
            Where the page is.
        """
        path = Path(path)
        path.write_text(report.page(self._measured, title, notes, data), encoding="utf-8")
        return path
