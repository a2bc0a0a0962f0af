"""A comparison in one sentence: which normalizer suits the data, as far as the intervals say."""

from __future__ import annotations

import math

from sknorm._compare.analysis.metrics import Design, Metrics
from sknorm._compare.text.tables import (
    capitalized,
    display_name,
    format_interval,
    format_number,
    format_percent,
    listing,
    partial_note,
    percent,
    signed,
    verb,
)


def verdict(measures: dict[str, Metrics], ties: list[str], design: Design, best: str | None) -> str:
    """Return what is shown to be better than the baseline, and what has the highest score."""
    note = partial_note(design, sum(row.n_fits for row in measures.values()))
    if best is None:
        said = "No fit gave a score, so nothing can be said about any normalizer"
    else:
        higher = _higher_but_lost(measures, measures[best])
        parts = [
            _comparison(measures, design, measures[best], among=_among(measures[best], higher)),
            _undecided([name for name in ties if measures[name] not in higher], design, best),
            *(_set_aside(row, design) for row in higher),
        ]
        said = "; ".join(part for part in parts if part)
    text = capitalized(said)
    return f"{note}. {text}." if note else f"{text}."


def _comparison(
    measures: dict[str, Metrics], design: Design, winner: Metrics, *, among: str
) -> str:
    against, name = display_name(design.baseline), display_name(winner.normalizer)
    height = _height(winner, design)
    has = verb(winner.normalizer, "has", "have")
    top = f"{name} {has} the highest score{among and ' ' + among} ({height})"
    if measures[design.baseline].n_scored == 0:
        return f"{top}; with {against} no fit gave a score at all"
    if sum(row.n_scored > 0 for row in measures.values()) == 1:
        return f"Only {name} gave a score ({height}), so there is nothing to compare it with"
    shown = _shown_better(measures, winner)
    if shown and shown[0] is winner:
        return f"{top} and {_claim(winner, design)}{_also(shown)}"
    if shown:
        lead = shown[0]
        claim = f"{lead.normalizer} ({_height(lead, design)}) {_claim(lead, design)}"
        doubt = "" if winner.verdict == "baseline" else f", but {_doubt(winner, design)}"
        return f"{claim}{_also(shown)}; {top}{doubt}"
    if winner.verdict == "baseline":
        start = f"{among[0].upper()}{among[1:]}, nothing" if among else "Nothing"
        worse = [row.normalizer for row in measures.values() if row.verdict.endswith("worse")]
        end = f"; shown to be worse: {listing(worse)}" if worse else ""
        return f"{start} scored higher than {against} ({height}){end}"
    return f"Nothing is shown to be better than {against}: {top}, but {_doubt(winner, design)}"


def _height(row: Metrics, design: Design) -> str:
    return f"{design.score_name} {format_number(row.test_score.estimate)}"


def _shown_better(measures: dict[str, Metrics], winner: Metrics) -> list[Metrics]:
    """Return what the intervals show to be better: the winner first, then by what they show."""
    shown = [row for row in measures.values() if row.verdict in ("better", "mostly better")]
    return sorted(
        shown,
        key=lambda row: (row is not winner, row.verdict != "better", -row.test_score.estimate),
    )


def _also(shown: list[Metrics]) -> str:
    """Name the others shown to be better, unless the first speaks for them with its own score."""
    others = [row.normalizer for row in shown[1:] if row.verdict == "better"]
    best_is_shown = shown[0].verdict == "better" and all(
        row.test_score.estimate <= shown[0].test_score.estimate for row in shown
    )
    return "" if best_is_shown or not others else f"; also shown to be better: {listing(others)}"


def _claim(row: Metrics, design: Design) -> str:
    """Say in what a normalizer is better than the baseline, with the interval that shows it."""
    against = display_name(design.baseline)
    if row.verdict == "better":
        return (
            f"is better than {against} by {format_number(row.difference.estimate)} "
            f"({percent(design)} interval {format_interval(row.difference)})"
        )
    wins = row.differences["wins"]
    return (
        f"beats {against} in {format_percent(wins.estimate)} of paired fits ({percent(design)} "
        f"interval {format_interval(wins, format_percent)}), though the mean difference is too "
        "uncertain to tell"
    )


def _doubt(row: Metrics, design: Design) -> str:
    """Say why the difference to the baseline shows nothing."""
    difference, against = row.difference, display_name(design.baseline)
    if math.isnan(difference.estimate):
        return f"there is no fit with {against} in the same fold to compare it with"
    if row.verdict == "mostly worse":
        wins = format_percent(row.differences["wins"].estimate)
        return f"it beats {against} in only {wins} of paired fits"
    if math.isnan(difference.low):
        return (
            f"the difference, {signed(difference.estimate)}, comes from one fold, which is too few "
            "for an interval"
        )
    return (
        f"the difference, {signed(difference.estimate)}, could be anything from "
        f"{format_interval(difference, signed)}"
    )


def _undecided(ties: list[str], design: Design, best: str) -> str:
    others = [name for name in ties if name not in (best, design.baseline)]
    if not others or best == design.baseline:
        return ""
    return f"{listing(others)} cannot be told apart from it"


def _higher_but_lost(measures: dict[str, Metrics], winner: Metrics) -> list[Metrics]:
    """Return who scored higher in the fits that it did not lose: that may be luck in losing."""
    height = winner.test_score.estimate
    return [row for row in measures.values() if row.n_scored and row.test_score.estimate > height]


def _set_aside(row: Metrics, design: Design) -> str:
    name, height = display_name(row.normalizer), _height(row, design)
    its = verb(row.normalizer, "its", "their")
    return f"{name} scored higher ({height}), but lost {format_percent(row.lost)} of {its} fits"


def _among(winner: Metrics, higher: list[Metrics]) -> str:
    if not higher:
        return ""
    return "of those that lost no fits" if winner.lost == 0 else "of those that lost fewest fits"
