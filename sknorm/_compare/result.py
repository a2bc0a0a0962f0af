"""What a comparison returns."""

from __future__ import annotations

import dataclasses
import functools
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from sknorm._compare.analysis.distributions import Distributions, feature_distributions
from sknorm._compare.analysis.intervals import FoldSeedArray, corrected_interval, fold_means
from sknorm._compare.analysis.metrics import Design, Metrics, measure
from sknorm._compare.fitting.task import Run, set_seed
from sknorm._compare.html import report
from sknorm._compare.text import summary, tables


class NormalizerComparison:
    """What :func:`compare_normalizers` measured; it is what makes these.

    Parameters
    ----------
    runs : list
        What was measured in each fit.
    setting : object
        What was compared, and how.
    pipelines : dict of Pipeline
        The unfitted pipeline of each normalizer.
    step : str
        The step of the normalizer in them.
    X, y : array-like
        The data.

    Attributes
    ----------
    best_name_ : str or None
        The normalizer with the highest mean test score, of those that lost the fewest fits. Whether
        it is shown to be better is another question: see :meth:`verdict`.
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
    >>> comparison.best_.predict(load_wine().data[:2])
    array([0, 0])
    """

    display_class: ClassVar[Any]

    def __init__(
        self,
        runs: list[Run],
        setting: Design,
        pipelines: dict[str, Any],
        step: str,
        X: Any,
        y: Any,
    ) -> None:
        self.setting_ = setting
        self.baseline_ = setting.baseline
        self.partial_ = setting.stopped is not None
        self._runs = runs
        self._pipelines = pipelines
        self._step = step
        self._X = X
        self._y = y

    @functools.cached_property
    def measures_(self) -> dict[str, Metrics]:
        """The measures of each normalizer, as objects."""
        return measure(self._runs, self.setting_)

    @property
    def table(self) -> Any:
        """One row a normalizer: a pandas DataFrame if pandas is installed, else a dict of lists."""
        return _frame(tables.table_columns(self.measures_), index="normalizer")

    @property
    def runs(self) -> Any:
        """One row a fit, in the same container as :attr:`table`."""
        fields = [field.name for field in dataclasses.fields(Run)]
        return _frame({name: [getattr(run, name) for run in self._runs] for name in fields})

    @functools.cached_property
    def best_name_(self) -> str | None:
        """The normalizer with the highest mean test score, of those that lost the fewest fits."""
        scored = [row for row in self.measures_.values() if row.n_scored]
        if not scored:
            return None
        fewest = min(row.lost for row in scored)
        complete = [row for row in scored if row.lost == fewest]
        return max(complete, key=lambda row: row.test_score.estimate).normalizer

    @functools.cached_property
    def best_(self) -> Any:
        """The best normalizer's pipeline, fitted on all of X and y when first asked for."""
        if self.best_name_ is None:
            raise ValueError("No fit gave a score, so there is no best pipeline.")
        seed = self._runs[0].random_state
        pipeline = set_seed(self._pipeline(self.best_name_), seed)
        return pipeline.fit(self._X, self._y)

    def _pipeline(self, name: str) -> Any:
        from sklearn.base import clone

        return clone(self._pipelines[name])

    @functools.cached_property
    def _ties(self) -> list[str]:
        """The normalizers whose interval of the difference to the best one includes 0."""
        if self.best_name_ is None:
            return []
        scores = {
            name: self._grid(name).values(lambda run: run.test_score)
            for name in self.setting_.names
        }
        best = scores[self.best_name_]
        return [
            name
            for name, values in scores.items()
            if np.isfinite(values).any()
            and not corrected_interval(
                fold_means(values - best), self.setting_.test_ratio, self.setting_.confidence
            ).excludes(0)
        ]

    def _grid(self, name: str) -> FoldSeedArray:
        runs = (run for run in self._runs if run.normalizer == name)
        return FoldSeedArray(runs, self.setting_.n_folds, self.setting_.n_seeds)

    @functools.cached_property
    def distributions_(self) -> Distributions | None:
        """Quantiles of some features as they come out of each normalizer fitted on all data.

        Without those that ended a worker process: here they would end this one.
        """
        deadly = {run.normalizer for run in self._runs if run.ended_worker}
        safe = {name: made for name, made in self._pipelines.items() if name not in deadly}
        return feature_distributions(safe, self._step, self._X, self._y)

    @functools.cached_property
    def _sections(self) -> summary.Summary:
        """What was found, in summary."""
        return summary.sections(
            self.measures_, self._ties, self.setting_, self.best_name_, len(self._runs)
        )

    def verdict(self) -> str:
        """Return in one sentence which normalizer suits the data, if the intervals say so.

        Returns
        -------
        sentence : str
            Nothing is called better unless its interval against the baseline says so.
        """
        return self._sections.verdict

    def summary(self) -> str:
        """Return what was found, in summary.

        Returns
        -------
        text : str
            What was done, the verdict, the four promises one by one, and what to be wary of.
        """
        done, *found = self._sections.lines()
        return "\n".join([done, f"Verdict: {self._sections.verdict}", *found])

    def __repr__(self) -> str:
        state = f"partial ({self.setting_.stopped}), " if self.partial_ else ""
        return (
            f"<NormalizerComparison: {state}{len(self.setting_.names)} normalizers, "
            f"{len(self._runs)} fits, best: {self.best_name_}>"
        )

    def __str__(self) -> str:
        table = tables.as_text(*tables.table_cells(self.measures_, self.setting_, self.best_name_))
        note = tables.partial_note(self.setting_, len(self._runs))
        return f"{note}\n\n{table}" if note else table

    def _repr_html_(self) -> str:
        return report.fragment(self)

    def plot(self, *, kind: str = "all", ax: Any = None) -> Any:
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
        self, path: str | Path, *, title: str | None = None, notes: Sequence[str] = ()
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

        Returns
        -------
        path : Path
            Where the page is.
        """
        path = Path(path)
        path.write_text(report.page(self, title, notes), encoding="utf-8")
        return path


def _frame(columns: dict[str, list[Any]], index: str | None = None) -> Any:
    """Return a pandas DataFrame if pandas is installed, else the columns as they are."""
    try:
        pandas = importlib.import_module("pandas")
    except ImportError:
        return columns
    frame = pandas.DataFrame(columns)
    return frame if index is None else frame.set_index(index)
