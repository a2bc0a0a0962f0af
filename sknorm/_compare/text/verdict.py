"""A comparison in a few sentences: which normalizer to use, and how sure that is."""

from __future__ import annotations

import math

from sknorm._compare.advice import advice
from sknorm._compare.analysis.decisions import BETTER, EQUIVALENT, UNDECIDED, WORSE
from sknorm._compare.analysis.design import Design
from sknorm._compare.analysis.measured import Measured
from sknorm._compare.analysis.metrics import Metrics
from sknorm._compare.names import NONE
from sknorm._compare.text.numbers import (
    capitalized,
    display_name,
    format_interval,
    format_number,
    format_percent,
    listing,
    signed,
    verb,
)
from sknorm._compare.text.tables import partial_note, percent

MAX_TIES = 6


def verdict(measured: Measured) -> str:
    """Return what to use, how it compares, and what guessing gets."""
    return " ".join(verdict_sentences(measured))


def verdict_sentences(measured: Measured) -> list[str]:
    """Return the verdict in sentences, of which the first says what to use."""
    measures, design, best = measured.metrics, measured.design, measured.best
    note = partial_note(design, sum(row.n_fits for row in measures.values()))
    if best is None:
        said = ["No fit gave a score, so nothing can be said about any normalizer."]
    else:
        said = [*_sentences(measured, measures[best]), chance_sentence(design)]
        said += _below_chance(measures[best], design)
    return [*([f"{note}."] if note else []), *(capitalized(one) for one in said if one)]


def _sentences(measured: Measured, best: Metrics) -> list[str]:
    measures, design, standing = measured.metrics, measured.design, measured.standing
    is_alone = sum(row.n_scored > 0 for row in measures.values()) == 1
    if is_alone and (best.verdict == "baseline" or len(measures) == 1):
        name = display_name(best.normalizer)
        only = f"Only {name} gave a score ({_height(best, design)})"
        return [f"{only}, so there is nothing to compare {_it(best)} with."]
    chosen = measures[standing.recommended or best.normalizer]
    higher = _higher_but_lost(measures, best)
    return [
        _recommendation(measures, chosen, best, design),
        _against_reference(chosen, design),
        _highest(chosen, best, design, among_all=not higher),
        _ties(measured, best),
        _also_better(measures, chosen, design),
        *(_set_aside(row, design) for row in higher),
        _overfitting(chosen, design),
    ]


def _recommendation(
    measures: dict[str, Metrics], chosen: Metrics, best: Metrics, design: Design
) -> str:
    """Return what to use, and what the comparison with the baseline shows of it."""
    base, name = measures[design.baseline], display_name(chosen.normalizer)
    against, height = display_name(design.baseline), _height(chosen, design)
    if chosen is base:
        worse = [row.normalizer for row in measures.values() if row.verdict == WORSE]
        end = f"; shown to be worse: {listing(worse)}" if worse else ""
        if best is base:
            among = (
                "of those that lost the fewest fits, " if _higher_but_lost(measures, best) else ""
            )
            return f"Keep {name} ({height}): {among}nothing scored higher{end}."
        shown = [row.normalizer for row in measures.values() if row.verdict == BETTER]
        if shown:
            return f"Keep {name} ({height}): {listing(shown)} gain less than {_rope(design)}{end}."
        return f"Keep {name} ({height}): nothing is shown to be better{end}."
    if not base.n_scored:
        return f"Use {name} ({height}): with {against} no fit gave a score at all."
    if chosen.verdict == BETTER:
        return f"Use {name} ({height}): {_claim(chosen, design)}."
    if chosen.verdict == EQUIVALENT:
        return f"Use {name} ({height}): {_why_not_baseline(chosen, base, design)}."
    return _nothing_shown(chosen, design)


def _claim(row: Metrics, design: Design) -> str:
    """Say in what a normalizer is better than the baseline, and what shows it."""
    against, size = display_name(design.baseline), format_number(row.difference.estimate)
    wins = f"scores higher in {format_percent(row.differences['wins'].estimate)} of paired fits"
    interval = f"{percent(design)} interval {format_interval(row.difference, signed)}"
    if row.difference.low > 0:
        return f"it is better than {against} by {size} ({interval}), and {wins}"
    return (
        f"it is better than {against} and {wins}, though by how much is uncertain: {size} on "
        f"average ({interval})"
    )


def _why_not_baseline(chosen: Metrics, base: Metrics, design: Design) -> str:
    """Return in what an equivalent normalizer is better than the baseline."""
    against = display_name(design.baseline)
    scores = f"the scores are practically equivalent to those of {against}"
    if chosen.lost < base.lost:
        return f"{scores}, of whose fits {format_percent(base.lost)} were lost"
    if chosen.unconverged < base.unconverged:
        return f"{scores}, of whose fits {format_percent(base.unconverged)} did not converge"
    if chosen.seconds < base.seconds:
        return f"{scores}, whose fits take {format_number(base.seconds)} s, not " \
               f"{format_number(chosen.seconds)} s"  # fmt: skip
    return scores


def _nothing_shown(row: Metrics, design: Design) -> str:
    """Say that the difference to the baseline shows nothing, why, and what would."""
    difference, against = row.difference, display_name(design.baseline)
    start = (
        f"Nothing is shown to be better than {against}: {display_name(row.normalizer)} "
        f"{verb(row.normalizer, 'has', 'have')} {_height(row, design)}"
    )
    if math.isnan(difference.estimate):
        return f"{start}, but there is no fit with {against} in the same fold to compare with."
    if math.isnan(difference.low):
        return (
            f"{start}, but the difference, {signed(difference.estimate)}, comes from one fold, "
            "which is too few for an interval."
        )
    if difference.low > 0:
        return f"{start}, but more of its fits were lost, which may be why."
    return (
        f"{start}, but the difference, {signed(difference.estimate)}, could be anything from "
        f"{format_interval(difference, signed)}. {_what_would_decide(row)}"
    )


def _what_would_decide(row: Metrics) -> str:
    if row.repeats is None:
        return "Only more rows would decide that."
    return (
        f"If it stays like that, drawing the folds {row.repeats} times ({advice().repeats} "
        f"{row.repeats}) would probably decide it."
    ).replace("= ", "=")


def _against_reference(row: Metrics, design: Design) -> str:
    """Return how what to use compares with what a scikit-learn user has."""
    reference = design.reference
    if reference is None or row.normalizer == reference or math.isnan(row.reference.low):
        return ""
    shown = f"{signed(row.reference.estimate)}, {format_interval(row.reference, signed)}"
    # Differences of the last digit are none.
    is_wide = row.reference.high - row.reference.low > 1e-6 * design.rope
    interval = f" ({shown})" if is_wide else ""
    said = {
        BETTER: f"{_its_score(row)} better than with {reference}{interval}",
        WORSE: f"{_its_score(row)} worse than with {reference}{interval}",
        EQUIVALENT: f"{_its_score(row)} practically equivalent to {reference}'s{interval}",
        UNDECIDED: f"against {reference} it is undecided{interval}",
    }
    return f"{said[row.reference_verdict]}." if row.reference_verdict in said else ""


def _its_score(row: Metrics) -> str:
    return f"{verb(row.normalizer, 'its', 'their')} score is"


def _highest(chosen: Metrics, best: Metrics, design: Design, *, among_all: bool) -> str:
    """Return what scored highest, and why that is not what to use."""
    if chosen is best:
        if among_all or chosen.verdict == "baseline":
            return ""
        return "It scored highest of those that lost the fewest fits."
    among = "" if among_all else " of those that lost the fewest fits"
    top = f"{display_name(best.normalizer)} scored highest{among} ({_height(best, design)})"
    if best.test_score.estimate - chosen.test_score.estimate <= design.rope:
        return f"{top}, within {_rope(design)} of that; it was chosen as the simpler one."
    return (
        f"{top}, but the difference to {display_name(design.baseline)}, "
        f"{signed(best.difference.estimate)}, could be anything from "
        f"{format_interval(best.difference, signed)}."
    )


def _rope(design: Design) -> str:
    return f"{design.rope:g}"


def _ties(measured: Measured, best: Metrics) -> str:
    """Return what cannot be told from the best, or makes no difference that matters."""
    standing, design = measured.standing, measured.design
    parts = []
    # How it compares with the baseline and the reference was said.
    skipped = {standing.recommended, best.normalizer, design.baseline, design.reference}
    name = display_name(best.normalizer)
    for names, said in (
        (standing.equivalent, f"practically equivalent to {name}"),
        (standing.undecided, f"not decided against {name}"),
    ):
        higher = {row.normalizer for row in _higher_but_lost(measured.metrics, best)}
        listed = [one for one in names if one not in skipped | higher]
        if listed:
            parts.append(f"{said}: {_some(listed)}")
    return f"{capitalized('; '.join(parts), always=True)}." if parts else ""


def _some(names: list[str]) -> str:
    if len(names) <= MAX_TIES:
        return listing(names)
    return f"{', '.join(map(display_name, names[:MAX_TIES]))} and {len(names) - MAX_TIES} more"


def _also_better(measures: dict[str, Metrics], chosen: Metrics, design: Design) -> str:
    """Name what is shown to be better than the baseline, where what to use is not."""
    if chosen.verdict == BETTER:
        return ""
    names = [row.normalizer for row in measures.values() if row.verdict == BETTER]
    return (
        f"Shown to be better than {display_name(design.baseline)}: {listing(names)}."
        if names
        else ""
    )


def _higher_but_lost(measures: dict[str, Metrics], best: Metrics) -> list[Metrics]:
    """Return who scored higher in the fits that it did not lose: that may be luck in losing."""
    height = best.test_score.estimate
    return [row for row in measures.values() if row.n_scored and row.test_score.estimate > height]


def _set_aside(row: Metrics, design: Design) -> str:
    name, its = display_name(row.normalizer), verb(row.normalizer, "its", "their")
    return (
        f"{name} scored higher ({_height(row, design)}), but lost {format_percent(row.lost)} of "
        f"{its} fits."
    )


def _overfitting(row: Metrics, design: Design) -> str:
    if not row.overfits:
        return ""
    return (
        f"{capitalized(_it(row), always=True)} overfits: {format_number(row.train_score)} on "
        f"training rows, {format_number(row.test_score.estimate)} on others."
    )


def _it(row: Metrics) -> str:
    return "it" if row.normalizer != NONE else "the model"


def _height(row: Metrics, design: Design) -> str:
    return f"{design.score_name} {format_number(row.test_score.estimate)}"


def chance_sentence(design: Design) -> str:
    """Return what guessing gets, and how frequent the largest class is."""
    if design.is_classification:
        name, count = design.classes[0]
        largest = f"the largest class ({name!r}, {count:,} of {design.n_rows:,} rows)"
        if math.isnan(design.chance):
            return f"{largest} is {format_percent(count / design.n_rows)} of the rows."
        return f"Always guessing {largest} gets {format_number(design.chance)}."
    if math.isnan(design.chance):
        return ""
    return f"Always guessing the mean of the target gets {format_number(design.chance)}."


def _below_chance(best: Metrics, design: Design) -> list[str]:
    if math.isnan(design.chance) or math.isnan(best.test_score.low):
        return []
    if best.test_score.estimate <= design.chance:
        return ["No score is above that: the model has learned nothing that helps on new rows."]
    if best.test_score.low <= design.chance:
        return ["No score is shown to be above that."]
    return []
