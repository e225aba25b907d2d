"""How far a result can be trusted, and the words that it may therefore be put in.

Grades are computed from the design on the scale of the Maryland Scientific Methods Scale (1 to 5), never chosen.
Tiers T0 to T5 say what a sentence may claim; the sentences below are the only ones that depend on a number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evalkit import estimators
from evalkit.results import (
    NULL_VALUE,
    Arm,
    Curve,
    Design,
    Detectable,
    Difference,
    Estimate,
    NotEstimable,
    Result,
)
from evalkit.study import ALL_AREAS, Study

MOST_LOST = 0.20  # of everybody allocated; more breaks what chance did (What Works Centre scale, level 5)
MOST_LOST_APART = 0.05  # between the groups
MOST_MISSING, MOST_MISSING_APART = 0.30, 0.10  # of the outcome; more costs a grade
FEWEST_FOR_DIRECTION = 60
MOST_MORE_PEOPLE = 10_000
FAILS_DENIED = "This should not be taken to mean that the programme fails."
GRADE_WORDS = {
    1: "one group before and after, or groups that were not made alike",
    2: "a comparison that cannot carry a conclusion",
    3: "a comparison with similar people, planned in advance",
    4: "a comparison as good as chance",
    5: "allocation by chance, honoured",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """How far a design can be trusted, from 1 to 5, in words, and every reason that held it down."""

    value: int
    words: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Grade, tier and adjusted p-value of one result."""

    grade: Grade
    tier: str
    p_adjusted: float | None = None


def grade(design: Design) -> Grade:
    """The grade that a design reaches, with what held it down.

    5 = random allocation of individuals, analysed as allocated, of whom at most 20 % are lost to follow-up, with at
    most 5 points between the groups. Without a locked plan, or with a failed gate, at most 2; with more than 30 % of
    the outcome missing, or 10 points between the groups, one less; with fewer than 60 people in the programme at most
    3.
    """
    value, reasons = _by_assignment(design)
    lost, apart = _lost(design)
    if lost > MOST_MISSING or apart > MOST_MISSING_APART:
        value -= 1
        reasons.append("much of the outcome is missing, or far more in one group than in the other")
    if design.plan != "locked":
        value = min(value, 2)
        reasons.append(_PLAN_REASONS[design.plan])
    failed = [name for name, passed in design.gates if not passed]
    if failed:
        value = min(value, 2)
        reasons.append(f"failed: {', '.join(failed)}")
    if design.followed[0].followed < FEWEST_FOR_DIRECTION and value > 3:
        value = 3
        reasons.append("too few people")
    value = max(value, 1)
    return Grade(value=value, words=GRADE_WORDS[value], reasons=tuple(reasons))


_PLAN_REASONS = {
    "not_locked": "the analysis was not planned in advance",
    "changed_after_lock": "the analysis differs from the plan that was locked",
    "locked_late": "the plan was locked after the data were to hand",
}


def _by_assignment(design: Design) -> tuple[int, list[str]]:
    if design.assignment != "randomised":
        return 1, ["there is no comparison whose likeness was shown"]
    lost, apart = _lost(design)
    if lost > MOST_LOST or apart > MOST_LOST_APART:
        return 2, ["too many were lost to follow-up for chance to have kept the groups alike"]
    return 5, []


def _lost(design: Design) -> tuple[float, float]:
    """The share lost to follow-up, and how far the groups are apart in it."""
    shares = [1 - side.followed / side.allocated if side.allocated else 1.0 for side in design.followed]
    everybody = sum(side.allocated for side in design.followed)
    lost = 1 - sum(side.followed for side in design.followed) / everybody if everybody else 1.0
    return lost, max(shares) - min(shares)


def decide(results: Iterable[Result], study: Study) -> Mapping[str, Verdict]:
    """The verdict on every estimate of one study, by its id; primary outcomes are corrected together by Holm.

    Only the study of all areas carries p-values and sentences with a direction.
    """
    effects = [result for result in results if isinstance(result, Estimate | NotEstimable)]
    corrected = _holm(effects) if study.area == ALL_AREAS else {}
    verdicts = {}
    for result in effects:
        found = grade(result.design)
        adjusted = corrected.get(result.id)
        reached = tier(result, found, p_adjusted=adjusted, directional=study.area == ALL_AREAS)
        verdicts[result.id] = Verdict(grade=found, tier=reached, p_adjusted=adjusted)
    return verdicts


def _holm(effects: list[Estimate | NotEstimable]) -> dict[str, float]:
    family = [
        one for one in effects if isinstance(one, Estimate) and one.planned == "primary" and one.p_value is not None
    ]
    if not family:
        return {}
    adjusted = estimators.holm([float(one.p_value) for one in family if one.p_value is not None])
    return {one.id: p_value for one, p_value in zip(family, adjusted, strict=True)}


def tier(
    result: Estimate | NotEstimable, found: Grade, *, p_adjusted: float | None = None, directional: bool = True
) -> str:
    """How far a sentence may go, T0 to T5.

    T0 no estimate; T1 grade 1 or 2; T2 the interval includes no difference, or the test does not agree that it is left
    out, or too few people, or one area alone, or an exploratory outcome; T3 a direction, sensitivity not shown to hold;
    T4 it holds; T5 it holds and the grade is 4 or 5.
    """
    if isinstance(result, NotEstimable):
        return "T0"
    if found.value <= 2:
        return "T1"
    few = result.arms[0].people < FEWEST_FOR_DIRECTION
    if not sets_apart(result, p_adjusted) or few or not directional or result.planned == "exploratory":
        return "T2"
    if result.design.sensitivity is not True:
        return "T3"
    return "T5" if found.value >= 4 else "T4"


def sets_apart(result: Estimate, p_adjusted: float | None = None) -> bool:
    """Whether interval and test agree that the groups differ; a test that was not made does not object."""
    p_value = result.p_value if p_adjusted is None else p_adjusted
    return result.interval_sets_apart and (p_value is None or p_value <= 1 - result.level)


def sentence(result: Estimate, tier: str, arms: tuple[Arm, ...], *, p_adjusted: float | None = None) -> str:
    """What may be said of an estimate: absolute figures first, then the range, in the words of its tier.

    `arms` are the arms as released, so that no sentence holds a count that a table may not.
    """
    differ = sets_apart(result, p_adjusted)
    if result.measure == "risk_difference":
        return " ".join(filter(None, (_rates(result, arms), _difference(result, differ), _claim(result, tier))))
    return _SECONDARY[result.measure](result)


def grade_sentence(value: int, words: str, reasons: tuple[str, ...]) -> str:
    """How strong the evidence is, with what held it down."""
    held = f" Held down because {'; '.join(reasons)}." if reasons else ""
    return f"Strength of the evidence: grade {value} of 5, {words}.{held}"


def followed(analysed: int, allocated: int) -> str:
    """How many of those allocated were followed to the end; both counts as released."""
    return f"{analysed} of {allocated} people were followed to the end of the window."


def apart(result: Difference) -> str:
    """How far the groups are apart in one covariate."""
    if result.smd is None:
        return f"{result.label}: the same for everybody."
    size = abs(result.smd)
    return f"{result.label}: the groups are {size:.2f} standard deviations apart."


def reached(result: Curve) -> str:
    """Where a curve ends."""
    share, low, high = (whole(100 * column[-1]) for column in (result.share, result.low, result.high))
    return (
        f"By day {result.days[-1]} a recorded {result.event_label} had followed for {share} in every hundred of the "
        f"{result.arm} group (between {low} and {high})."
    )


def refusal(result: NotEstimable) -> str:
    """What is said where there is no estimate (T0)."""
    return (
        f"We cannot report on {_WHAT[result.measure].format(event=result.event_label, days=result.horizon_days)}, "
        f"because {result.why}. This does not mean that the programme had no effect. What would mend it: {result.mend}."
    )


_WHAT = {
    "risk_difference": "people with a recorded {event} within {days} days",
    "risk_ratio": "the ratio of people with a recorded {event} within {days} days",
    "restricted_mean_days": "days without a recorded {event}",
    "hazard_ratio": "how soon a recorded {event} came",
}


def detectable(result: Detectable, people: int, events: int) -> str:
    """What the study could have seen, said before any result; `people` and `events` as released."""
    counted = f"With a recorded {result.event_label} for {events} of {people} people, whichever their group"
    seen = f"{counted}, this report could"
    missed = (
        f"a true {whole(100 * result.example_reduction)}% reduction would be missed {result.missed_of_ten} times in 10"
    )
    if result.reduction is None:
        return f"{seen} not reliably detect any reduction; {missed}."
    return f"{seen} reliably detect only reductions of {whole(100 * result.reduction)}% or more; {missed}."


def may_be_said(result: Estimate, tier: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What can and what cannot be said on the strength of a primary result."""
    event = result.event_label
    reached = f"a recorded {event} is what reached the records, not all that was done"
    recorded = f"It cannot be said that people are safer: {reached}."
    if tier == "T1":
        return (
            ("How often a recorded event followed in each group.",),
            ("It cannot be said that the programme made the difference.", recorded),
        )
    if tier == "T2":
        return (
            (f"The data fit every difference between {_range(result)}.", "More people would be needed to tell."),
            (
                f"It cannot be said that the programme lowered or raised the share of people with a recorded {event}.",
                "It cannot be said that the programme had no effect, or that it fails.",
                recorded,
            ),
        )
    direction = "Fewer" if result.value < 0 else "More"
    return (
        (
            f"{direction} people of the programme group had a recorded {event}; "
            f"the difference lies between {_range(result)}.",
        ),
        (
            "It cannot be said that the same would be seen elsewhere or with other people.",
            recorded,
        ),
    )


def _rates(result: Estimate, arms: tuple[Arm, ...]) -> str:
    one, other = (
        f"in the {arm.label} group {arm.events} of {arm.people} people ({whole(100 * true.events / true.people)}%)"
        for arm, true in zip(arms, result.arms, strict=True)
    )
    had = f"had a recorded {result.event_label} within {result.horizon_days} days"
    return f"{one[0].upper()}{one[1:]} {had}; {other} had one."


def _difference(result: Estimate, differ: bool) -> str:
    size = whole(100 * abs(result.value))
    side = "fewer" if result.value < 0 else "more"
    found = (
        f"That is {size} {side} in every hundred people"
        if size
        else "That is no more than one in every hundred people apart"
    )
    note = "" if _adds_up(result) else " (rates and difference are rounded separately)"
    return f"{found}{note}; {_compatible(result, differ)}"


def _adds_up(result: Estimate) -> bool:
    one, other = (whole(100 * arm.events / arm.people) for arm in result.arms)
    return one - other == whole(100 * result.value)


def _compatible(result: Estimate, differ: bool) -> str:
    low, high = whole(100 * result.low), whole(100 * result.high)
    if differ:
        ends = sorted((abs(low), abs(high)))
        return f"the range that fits the data is {_side(result)} by between {ends[0]} and {ends[1]} in a hundred."
    ends_in_words = [
        f"{word} by as many as {abs(end)} in a hundred"
        for word, end, is_there in (("lower", low, result.low < 0), ("higher", high, result.high > 0))
        if is_there and end
    ]
    if len(ends_in_words) < 2:
        ends_in_words.append("no different")
    fits = f"the data fit a share that is {', or '.join(ends_in_words)}"
    return f"{fits}; more people would be needed to tell{_how_many(result)}."


def _how_many(result: Estimate) -> str:
    """How many more people, only where the estimate lies on the side that was asked about."""
    if not result.more_people or result.value >= 0:
        return ""
    most = result.more_people > MOST_MORE_PEOPLE
    number = "more than 10,000" if most else f"about {_two_figures(result.more_people):,}"
    return f" ({number} more, in the same proportions, for a four in five chance if the true rates are those seen)"


def _two_figures(number: int) -> int:
    """A planning figure, rounded up to two significant figures: more would pretend to be exact."""
    unit = 10 ** max(len(str(number)) - 2, 0)
    return math.ceil(number / unit) * unit


def _claim(result: Estimate, tier: str) -> str:
    group = f"people with a recorded {result.event_label}"
    side = "fewer" if result.value < 0 else "more"
    if tier == "T1":
        return "The design cannot carry a conclusion, so this difference speaks neither for nor against the programme."
    if tier == "T2":
        return FAILS_DENIED
    if tier == "T3":
        return (
            f"The programme group had {side} {group} than the comparison group, but this depends on checks of hidden "
            "differences that were not made or did not hold."
        )
    ends = sorted((abs(whole(100 * result.low)), abs(whole(100 * result.high))))
    verb = "reduction" if result.value < 0 else "rise"
    if tier == "T4":
        found = f"The programme group had {side} {group} than similar people"
        return f"{found}; this is consistent with a {verb} due to the programme."
    made = "reduced" if result.value < 0 else "raised"
    return (
        f"The programme {made} the share of {group} by about {whole(100 * abs(result.value))} in every hundred "
        f"({ends[0]} to {ends[1]})."
    )


def _ratio(result: Estimate) -> str:
    shared = f"share of people with a recorded {result.event_label} within {result.horizon_days} days"
    return (
        f"The {shared} is {result.value:.2f} times that of the comparison group "
        f"(between {result.low:.2f} and {result.high:.2f}; 1 would be no difference)."
    )


def _days(result: Estimate) -> str:
    size, side = whole(abs(result.value)), "more" if result.value >= 0 else "fewer"
    ends = (
        f"between {_days_end(result.low)} and {_days_end(result.high)}"
        if whole(result.low) != whole(result.high)
        else f"about {_days_end(result.low)}"
    )
    return (
        f"Over {result.horizon_days} days people in the programme group went on average {size} days {side} without a "
        f"recorded {result.event_label} than the comparison group ({ends})."
    )


def _days_end(days: float) -> str:
    size = whole(abs(days))
    return f"{size} days {'more' if days >= 0 else 'fewer'}" if size else "no different"


def _hazard(result: Estimate) -> str:
    adjusted = ", with the groups set alike in what was known before" if result.outcome.endswith("_adjusted") else ""
    return (
        f"Day by day, a first recorded {result.event_label} was {result.value:.2f} times as frequent in the programme "
        f"group (between {result.low:.2f} and {result.high:.2f}; 1 would be no difference){adjusted}."
    )


_SECONDARY = {"risk_ratio": _ratio, "restricted_mean_days": _days, "hazard_ratio": _hazard}


def _range(result: Estimate) -> str:
    low, high = whole(100 * result.low), whole(100 * result.high)
    return f"{_end(low)} and {_end(high)}"


def _end(points: int) -> str:
    if not points:
        return "none"
    return f"{abs(points)} {'fewer' if points < 0 else 'more'} people in a hundred"


def _side(result: Estimate) -> str:
    return "lower" if result.value < (NULL_VALUE[result.measure] or 0) else "higher"


def whole(number: float) -> int:
    """The nearest whole number, halves away from zero, and never a minus zero."""
    return int(math.copysign(math.floor(abs(number) + 0.5), number))
