"""A comparison in words: the verdict, the four promises one by one, what to be wary of."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from sknorm._compare.analysis.decisions import BETTER, EQUIVALENT, UNDECIDED, WORSE
from sknorm._compare.analysis.design import Design
from sknorm._compare.analysis.measured import Measured
from sknorm._compare.analysis.metrics import Metrics
from sknorm._compare.names import NONE, counted
from sknorm._compare.text.details import warnings_by_kind
from sknorm._compare.text.numbers import (
    capitalized,
    display_name,
    format_number,
    format_percent,
    listing,
    whole,
)
from sknorm._compare.text.tables import partial_note, percent
from sknorm._compare.text.verdict import verdict


@dataclass(frozen=True, slots=True)
class Summary:
    """The parts of a summary; the promises are answers by their question."""

    done: str
    verdict: str
    claims: dict[str, str]
    caution: str

    def lines(self) -> list[str]:
        """Return what is found beside the verdict, one line each."""
        return [self.done, *(f"{q} {said}" for q, said in self.claims.items()), self.caution]


def sections(measured: Measured) -> Summary:
    """Return the whole comparison in words."""
    measures, design = measured.metrics, measured.design
    return Summary(
        done=_what_was_done(measures, design, len(measured.runs)),
        verdict=verdict(measured),
        claims={
            "1. Faster training?": _convergence(measures, design),
            "2. Stabler training?": _stability(measures),
            "3. Better on new data?": _generalization(measures, design),
            "4. Less dependent on the initialization?": _sensitivity(measures, design),
        },
        caution=_caution(measures, design),
    )


def _what_was_done(measures: dict[str, Metrics], design: Design, n_runs: int) -> str:
    text = (
        f"Compared {len(design.names)} ways to normalize before {design.model}, on "
        f"{counted(design.n_rows, 'row')} and {counted(design.n_columns, 'column')}: "
        f"{design.n_folds} folds"
        f"{' (' + design.splitting + ')' if design.splitting else ''} x "
        f"{f'{design.n_repeats} repeats x ' if design.n_repeats > 1 else ''}"
        f"{counted(design.n_seeds, 'initialization')}, {counted(n_runs, 'fit')}, "
        f"scored by {design.score_name}. {design.why_score}"
    ).strip()
    note = partial_note(design, n_runs)
    return f"{note}; everything below rests on those. {text}" if note else text


def _by(measures: dict[str, Metrics], holds: Callable[[Metrics], bool]) -> list[str]:
    return [row.normalizer for row in measures.values() if holds(row)]


def _convergence(measures: dict[str, Metrics], design: Design) -> str:
    base = measures[design.baseline]
    if all(math.isnan(row.epochs) for row in measures.values()):
        if not any(row.n_scored for row in measures.values()):
            return "No fit gave a score, so nothing was measured."
        return "This model does not train in epochs or iterations, so there is nothing to measure."
    if math.isnan(base.epochs_to_target) and design.target_loss is None:
        against = display_name(design.baseline)
        return f"There is nothing to measure against: no fit with {against} ended with a loss."
    by_speed = {
        word: sorted(
            (row for row in measures.values() if row.speed == word and row.n_scored),
            key=lambda row: (-row.reached, row.differences["epochs_ratio"].estimate),
        )
        for word in ("faster", "fewer epochs", "slower", "unclear")
    }
    parts = [_reference_pace(base, design)]
    for word, shown in (
        ("faster", "shown to need fewer"),
        ("fewer epochs", "shown to need fewer, but more seconds for the whole fit"),
        ("slower", "shown to need more, or not to get there"),
    ):
        listed = [f"{row.normalizer} ({_pace(row, base, design)})" for row in by_speed[word]]
        if listed:
            parts.append(f"{shown}: {listing(listed)}")
    if by_speed["unclear"]:
        parts.append(f"no difference shown: {listing(r.normalizer for r in by_speed['unclear'])}")
    return "; ".join(parts) + "."


def _pace(row: Metrics, base: Metrics, design: Design) -> str:
    """Return how many epochs a normalizer takes, in parts of the baseline's, and who gets there."""
    ratio, parts = row.differences["epochs_ratio"].estimate, []
    if row.reached > 0 and not math.isnan(ratio):
        # Where a run stopped short of its target, that it takes longer is all that is known.
        bound = {(True, False): "at least ", (False, True): "at most "}
        short = row.reached < 1, base.reached < 1
        parts.append(f"{bound.get(short, '')}{format_percent(ratio)} of the {design.unit}")
    if row.reached != base.reached:
        parts.append(
            f"{format_percent(row.reached)} of fits get there, {format_percent(base.reached)} with "
            f"{display_name(base.normalizer)}"
        )
    return "; ".join(parts)


def _reference_pace(base: Metrics, design: Design) -> str:
    against, median = display_name(design.baseline), f"{whole(base.epochs)} {design.unit}, median"
    if math.isinf(base.epochs_to_target):
        goal = "The target loss" if design.has_losses else "Convergence"
        return f"{goal} is out of reach for most fits with {against} (they stop after {median})"
    takes = f"With {against}, training takes {whole(base.epochs_to_target)} {design.unit} (median)"
    if not design.has_losses:
        return f"{takes} until the solver converges"
    if design.target_loss is not None:
        return f"{takes} to bring the loss down to {design.target_loss:g}"
    return f"{takes} to its final loss, which is the target for the others"


def _stability(measures: dict[str, Metrics]) -> str:
    if not any(row.n_fits for row in measures.values()):
        return "No fit was finished, so nothing was measured."
    parts = []
    for kind, word in (
        ("diverged", "diverged"),
        ("failed", "failed"),
        ("unconverged", "stopped before converging"),
    ):
        shares = {row.normalizer: getattr(row, kind) for row in measures.values()}
        listed = [
            f"{display_name(name)} ({format_percent(part)})"
            for name, part in shares.items()
            if part > 0
        ]
        if listed:
            parts.append(f"{word}: {listing(listed)}")
    if not parts:
        complete = all(row.n_fits for row in measures.values())
        return f"Every fit converged{', with or without a normalizer' if complete else ''}."
    steadier = _by(measures, lambda row: row.differences["instability"].high < 0)
    shakier = _by(measures, lambda row: row.differences["instability"].low > 0)
    if steadier:
        parts.append(f"shown to be more stable than the baseline: {listing(steadier)}")
    if shakier:
        parts.append(f"shown to be less stable: {listing(shakier)}")
    return f"Share of fits that {'; '.join(parts)}."


def _generalization(measures: dict[str, Metrics], design: Design) -> str:
    groups, barred = [], _by(measures, _lost_too_many)
    for word in (BETTER, WORSE, EQUIVALENT, UNDECIDED):
        names = _by(measures, lambda row, word=word: row.verdict == word)  # type: ignore[misc]
        names = [name for name in names if name not in barred]
        if names:
            shown = "undecided" if word == UNDECIDED else f"shown to be {word}"
            groups.append(f"{shown}: {listing(names)}")
    if barred:
        groups.append(f"scored higher, but lost more fits, so not judged: {listing(barred)}")
    base = measures[design.baseline]
    if not base.n_scored:
        return f"With {display_name(design.baseline)} no fit gave a score to compare with."
    height = f"{design.score_name} {format_number(base.test_score.estimate)}"
    overfitting = [
        f"{display_name(row.normalizer)} ({format_number(row.train_score)} on training rows, "
        f"{format_number(row.test_score.estimate)} on others)"
        for row in measures.values()
        if row.overfits
    ]
    over = f" Overfitting: {listing(overfitting)}." if overfitting else ""
    against = f"Against {display_name(design.baseline)} ({height}), "
    return f"{against}{'; '.join(groups) or 'nothing'}.{over}"


def _lost_too_many(row: Metrics) -> bool:
    """Tell whether only its lost fits keep a normalizer from being called better."""
    return row.verdict == UNDECIDED and row.difference.low > 0


def _sensitivity(measures: dict[str, Metrics], design: Design) -> str:
    if design.n_seeds < 2:
        return "Not measured: there was one initialization per fold."
    spreads = [row.seed_std for row in measures.values() if not math.isnan(row.seed_std)]
    if not spreads:
        return "Not measured: no fold has scores of two initializations."
    if max(spreads) == 0:
        return "No score varies from one initialization to the next, whatever the normalizer."
    less = _by(measures, lambda row: row.differences["seed_std"].high < 0)
    more = _by(measures, lambda row: row.differences["seed_std"].low > 0)
    base = measures[design.baseline]
    text = f"With {display_name(design.baseline)} {_variation(base.seed_std)}"
    if less:
        text += f"; shown to vary less: {listing(less)}"
    if more:
        text += f"; shown to vary more: {listing(more)}"
    return (
        f"{text}." if less or more else f"{text}; none of the normalizers is shown to change that."
    )


def _variation(spread: float) -> str:
    if math.isnan(spread):
        return "there are too few scores to tell how much they vary"
    how = (
        "does not vary"
        if spread == 0
        else f"varies by {format_number(spread)} (standard deviation)"
    )
    return f"the score {how} from one initialization to the next"


def _caution(measures: dict[str, Metrics], design: Design) -> str:
    parts = [
        f"The intervals of one question hold together in {percent(design)} of comparisons such as "
        "this one.",
        *design.hazards,
    ]
    failed = [row for row in measures.values() if row.failed > 0]
    errors = {row.normalizer: (row.error or "").rstrip(".") for row in failed}
    parts += [
        f"{capitalized(display_name(name))} failed with {error}."
        if name != NONE
        else f"Fits on {display_name(name)} failed with {error}."
        for name, error in errors.items()
    ]
    raised = warnings_by_kind(measures)
    if raised:
        parts.append(f"Warnings raised by the fits: {raised}.")
    return " ".join(parts)
