"""A comparison in words: a verdict in one sentence, and a summary."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from sknorm._compare_details import warnings_by_kind
from sknorm._compare_measures import Measures, Setting
from sknorm._compare_text import called, listing, number, percent, share, signed, span, whole


@dataclass(frozen=True, slots=True)
class Sections:
    """The parts of a summary; the promises are answers by their question."""

    done: str
    verdict: str
    promises: dict[str, str]
    caution: str

    def lines(self) -> list[str]:
        """Return what is found beside the verdict, a line each."""
        return [self.done, *(f"{q} {said}" for q, said in self.promises.items()), self.caution]


def verdict(
    measures: dict[str, Measures], ties: list[str], setting: Setting, best: str | None
) -> str:
    """Return in one sentence which normalizer suits the data, as far as the intervals say."""
    if best is None:
        return "No fit gave a score, so nothing can be said about any normalizer."
    winner, base = measures[best], measures[setting.baseline]
    against = called(setting.baseline)
    height = f"{setting.score_name} {number(winner.test_score.estimate)}"
    if best == setting.baseline:
        sentence = _baseline_wins(measures, against, height)
    elif base.n_scored == 0:
        sentence = (
            f"{best} has the highest score ({height}); with {against} no fit gave a score at all"
        )
    elif winner.verdict == "mostly better":
        sentence = (
            f"{best} has the highest score ({height}) and beats {against} in "
            f"{share(winner.differences['wins'].estimate)} of paired fits ({percent(setting)} "
            f"interval {span(winner.differences['wins'], share)}), though the mean difference is "
            "too uncertain to tell"
        )
    elif winner.verdict == "better":
        sentence = (
            f"{best} has the highest score ({height}) and is better than {against} by "
            f"{number(winner.difference.estimate)} ({percent(setting)} interval "
            f"{span(winner.difference)})"
        )
    else:
        sentence = (
            f"Nothing is shown to be better than {against}: {best} has the highest score "
            f"({height}), but the difference, "
            f"{signed(winner.difference.estimate)}, could be anything from "
            f"{span(winner.difference, signed)}"
        )
    others = [name for name in ties if name not in (best, setting.baseline)]
    if others and best != setting.baseline:
        sentence += f"; {listing(others)} cannot be told apart from it"
    return f"{sentence}."


def _baseline_wins(measures: dict[str, Measures], against: str, height: str) -> str:
    worse = [row.normalizer for row in measures.values() if row.verdict.endswith("worse")]
    sentence = f"Nothing scored higher than {against} ({height})"
    return f"{sentence}; {listing(worse)} are shown to be worse" if worse else sentence


def sections(
    measures: dict[str, Measures], ties: list[str], setting: Setting, best: str | None, n_runs: int
) -> Sections:
    """Return the whole comparison in words."""
    return Sections(
        done=_what_was_done(measures, setting, n_runs),
        verdict=verdict(measures, ties, setting, best),
        promises={
            "1. Faster training?": _convergence(measures, setting),
            "2. Stabler training?": _stability(measures),
            "3. Better on new data?": _generalization(measures, setting),
            "4. Less dependent on the initialisation?": _sensitivity(measures, setting),
        },
        caution=_caution(measures, setting),
    )


def _what_was_done(measures: dict[str, Measures], setting: Setting, n_runs: int) -> str:
    text = (
        f"Compared {len(setting.names)} ways to normalize before {setting.model}, on "
        f"{setting.n_rows:,} rows and {setting.n_columns:,} columns: {setting.n_folds} folds x "
        f"{setting.n_seeds} initialisation{'s' if setting.n_seeds > 1 else ''}, {n_runs} fits, "
        f"scored by {setting.score_name}."
    )
    if setting.stopped is not None:
        text = (
            f"PARTIAL: {setting.stopped} after {n_runs} of {setting.n_planned} fits; everything "
            f"below rests on those. {text}"
        )
    return text


def _by(measures: dict[str, Measures], holds: Callable[[Measures], bool]) -> list[str]:
    return [row.normalizer for row in measures.values() if holds(row)]


def _convergence(measures: dict[str, Measures], setting: Setting) -> str:
    base = measures[setting.baseline]
    if all(math.isnan(row.epochs) for row in measures.values()):
        return "This model does not train in epochs, so there is nothing to measure."
    if math.isnan(base.epochs_to_target) and setting.target_loss is None:
        return f"There is no yardstick: {called(setting.baseline)} never ended with a loss."
    by_speed = {
        word: sorted(
            (row for row in measures.values() if row.speed == word and row.n_scored),
            key=lambda row: (row.differences["epochs_ratio"].estimate, -row.reached),
        )
        for word in ("faster", "slower", "unclear")
    }
    parts = [_yardstick(base, setting)]
    if by_speed["faster"]:
        listed = [
            f"{row.normalizer} ({share(row.differences['epochs_ratio'].estimate)} of the epochs)"
            for row in by_speed["faster"]
        ]
        parts.append(f"shown to need fewer: {listing(listed)}")
    if by_speed["slower"]:
        listed = [f"{r.normalizer} ({share(r.reached)} get there)" for r in by_speed["slower"]]
        parts.append(f"shown to need more, or not to get there: {listing(listed)}")
    if by_speed["unclear"]:
        parts.append(f"no difference shown: {listing(r.normalizer for r in by_speed['unclear'])}")
    return "; ".join(parts) + "."


def _yardstick(base: Measures, setting: Setting) -> str:
    what = "The training loss to reach takes" if setting.has_losses else "The solver converges in"
    if math.isinf(base.epochs_to_target):
        what = "The training loss to reach" if setting.has_losses else "Convergence"
        return (
            f"{what} is out of reach for most fits with {called(setting.baseline)} (they stop "
            f"after {whole(base.epochs)} epochs, median)"
        )
    return f"{what} {whole(base.epochs_to_target)} epochs (median) with {called(setting.baseline)}"


def _stability(measures: dict[str, Measures]) -> str:
    parts = []
    for kind, word in (
        ("diverged", "diverged"),
        ("failed", "failed"),
        ("unconverged", "stopped before converging"),
    ):
        shares = {row.normalizer: getattr(row, kind) for row in measures.values()}
        listed = [f"{called(name)} ({share(part)})" for name, part in shares.items() if part > 0]
        if listed:
            parts.append(f"{word}: {listing(listed)}")
    if not parts:
        return "Every fit converged, with or without a normalizer."
    steadier = _by(measures, lambda row: row.differences["trouble"].high < 0)
    shakier = _by(measures, lambda row: row.differences["trouble"].low > 0)
    if steadier:
        parts.append(f"shown to have less of such trouble than the baseline: {listing(steadier)}")
    if shakier:
        parts.append(f"shown to have more: {listing(shakier)}")
    return f"Share of fits that {'; '.join(parts)}."


def _generalization(measures: dict[str, Measures], setting: Setting) -> str:
    groups = []
    for word in ("better", "mostly better", "worse", "mostly worse", "unclear"):
        names = _by(measures, lambda row, word=word: row.verdict == word)  # type: ignore[misc]
        if names:
            shown = "no difference shown" if word == "unclear" else f"shown to be {word}"
            groups.append(f"{shown}: {listing(names)}")
    base = measures[setting.baseline]
    height = f"{setting.score_name} {number(base.test_score.estimate)}"
    return f"Against {called(setting.baseline)} ({height}), {'; '.join(groups) or 'nothing'}."


def _sensitivity(measures: dict[str, Measures], setting: Setting) -> str:
    if setting.n_seeds < 2:
        return "Not measured: there was one initialisation a fold."
    less = _by(measures, lambda row: row.differences["seed_std"].high < 0)
    more = _by(measures, lambda row: row.differences["seed_std"].low > 0)
    base = measures[setting.baseline]
    text = (
        f"With {called(setting.baseline)} the score varies by {number(base.seed_std)} (standard "
        "deviation) from one initialisation to the next"
    )
    if less:
        text += f"; shown to vary less: {listing(less)}"
    if more:
        text += f"; shown to vary more: {listing(more)}"
    return f"{text}." if less or more else f"{text}; no normalizer is shown to change that."


def _caution(measures: dict[str, Measures], setting: Setting) -> str:
    parts = [
        f"Each interval covers one comparison in {percent(setting)} of cases; with "
        f"{len(setting.names) - 1} of them, some may mislead by chance."
    ]
    failed = [row for row in measures.values() if row.failed > 0]
    parts += [f"{called(row.normalizer)} failed with {row.error}." for row in failed]
    raised = warnings_by_kind(measures)
    if raised:
        parts.append(f"Warnings raised by the fits: {raised}.")
    return " ".join(parts)
