"""The only sentences that depend on a number: each says no more than its tier allows, absolute figures first."""

from __future__ import annotations

import math
from collections.abc import Mapping

from evalkit.evidence.grading import sets_apart
from evalkit.results import (
    NULL_VALUE,
    Arm,
    Curve,
    Detectable,
    Difference,
    Estimate,
    NotEstimable,
)

MOST_MORE_PEOPLE = 10_000
FAILS_DENIED = "This should not be taken to mean that the programme fails."


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


def reached(result: Curve, last: Mapping[str, float]) -> str:
    """Where a curve ends; `last` is its last point as released, shares in every hundred."""
    share, low, high = (whole(last[column]) for column in ("share", "low", "high"))
    return (
        f"By day {last['day']} a recorded {result.event_label} had followed for {share} in every hundred of the "
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
