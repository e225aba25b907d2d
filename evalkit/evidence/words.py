"""The only sentences that depend on a number: each says no more than its tier allows, absolute figures first."""

from __future__ import annotations

import math
from collections.abc import Mapping

from evalkit.evidence.grading import sets_apart
from evalkit.results import (
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
    if result.measure != "risk_difference":
        return _SECONDARY[result.measure](result)
    found = f"{_difference(result)}; {_range(result, tier, differ=sets_apart(result, p_adjusted))}"
    return " ".join((_rates(result, arms), found, _claim(result, tier)))


def grade_sentence(value: int, words: str, reasons: tuple[str, ...]) -> str:
    """How strong the evidence is, with what held it down."""
    held = f" Held down because {'; '.join(reasons)}." if reasons else ""
    return f"How far the design can be trusted: grade {value} of 5 ({words}). This is no mark for the programme.{held}"


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
        f"By day {last['day']}, {share} in every hundred of the {result.arm} group had a recorded "
        f"{result.event_label} (between {low} and {high})."
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
    event = f"recorded {result.event_label} within {result.horizon_days} days"
    seen = f"With a {event} for {events} of {people} people, whichever their group, this report could"
    times = f"{result.missed_of_ten} {'time' if result.missed_of_ten == 1 else 'times'} in 10"
    missed = f"a true {whole(100 * result.example_reduction)}% reduction would be missed {times}"
    if result.reduction is None:
        return f"{seen} not reliably detect any reduction; {missed}."
    return f"{seen} reliably detect only reductions of {math.ceil(100 * result.reduction)}% or more; {missed}."


def may_be_said(
    result: Estimate, tier: str, *, p_adjusted: float | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What can and what cannot be said on the strength of a primary result, a difference of two shares."""
    if result.measure != "risk_difference":
        raise ValueError(f"nothing is laid down that may be said of a {result.measure} as a primary outcome")
    recorded = (
        f"It cannot be said that people are safer: a recorded {result.event_label} is what reached the records, "
        "not all that was done."
    )
    group = f"people with a recorded {result.event_label}"
    if tier == "T1":
        can: tuple[str, ...] = ("How often a recorded event followed in each group.",)
        cannot: tuple[str, ...] = ("It cannot be said that the programme made the difference.",)
    elif tier == "T2":
        low, high = _fitting(result, differ=sets_apart(result, p_adjusted))
        can = (f"The data fit every difference from {low} to {high}.", "More people would be needed to tell.")
        cannot = (
            f"It cannot be said that the programme lowered or raised the share of {group}.",
            "It cannot be said that the programme had no effect, or that it fails.",
        )
    else:
        low, high = _fitting(result, differ=True)
        more = "Fewer" if result.value < 0 else "More"
        can = (f"{more} people of the programme group had a recorded {result.event_label}: from {low} to {high}.",)
        cannot = ("It cannot be said that the same would be seen elsewhere or with other people.",)
    return can, (*cannot, recorded)


def _rates(result: Estimate, arms: tuple[Arm, ...]) -> str:
    one, other = (
        f"in the {arm.label} group {arm.events} of {arm.people} people ({whole(100 * true.events / true.people)}%)"
        for arm, true in zip(arms, result.arms, strict=True)
    )
    had = f"had a recorded {result.event_label} within {result.horizon_days} days"
    return f"{one[0].upper()}{one[1:]} {had}; {other} had one."


def _difference(result: Estimate) -> str:
    size, side = whole(100 * abs(result.value)), "fewer" if result.value < 0 else "more"
    if not result.value:
        found = "That is no difference"
    else:
        found = f"That is {size or 'less than 1'} {side} in every hundred people"
    return found if _adds_up(result) else f"{found} (rates and difference are rounded separately)"


def _adds_up(result: Estimate) -> bool:
    one, other = (whole(100 * arm.events / arm.people) for arm in result.arms)
    return one - other == whole(100 * result.value)


def _range(result: Estimate, tier: str, *, differ: bool) -> str:
    """The range in the words of a tier; what the interval leaves open is never said to be settled."""
    low, high = _fitting(result, differ=differ)
    if tier == "T1":
        return f"the range that fits the data runs from {low} to {high}."
    if tier == "T2" and differ:
        return f"the range that fits the data runs from {low} to {high}, but no conclusion is drawn from it here."
    if tier == "T2":
        return f"the data fit a share that is {_open(result)}; more people would be needed to tell{_how_many(result)}."
    near, far = sorted((abs(result.low), abs(result.high)))
    side = "lower" if result.value < 0 else "higher"
    sizes = f"{whole(100 * near) or 'less than 1'} and {whole(100 * far) or 'less than 1'}"
    return f"the range that fits the data is {side} by between {sizes} in a hundred."


def _fitting(result: Estimate, *, differ: bool) -> tuple[str, str]:
    """Both ends of the range; where test and interval disagree the nearer end is no difference."""
    low, high = result.low, result.high
    if not differ and low * high > 0:
        low, high = min(low, 0.0), max(high, 0.0)
        low, high = (low, 0.0) if result.high < 0 else (0.0, high)
    return _end(low), _end(high)


def _end(share: float) -> str:
    if not share:
        return "no difference"
    size = whole(100 * abs(share)) or "less than 1"
    return f"{size} {'fewer' if share < 0 else 'more'} in a hundred"


def _open(result: Estimate) -> str:
    sides = (("lower", result.low < 0, result.low), ("higher", result.high > 0, result.high))
    ends = [f"{word} by {_as_many(end)} in a hundred" for word, reaches, end in sides if reaches]
    return ", or ".join(ends if len(ends) > 1 else [*ends, "no different"])


def _as_many(share: float) -> str:
    size = whole(100 * abs(share))
    return f"as many as {size}" if size else "less than 1"


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
    near, far = (whole(100 * end) or "less than 1" for end in sorted((abs(result.low), abs(result.high))))
    verb = "reduction" if result.value < 0 else "rise"
    if tier == "T4":
        found = f"The programme group had {side} {group} than similar people"
        return f"{found}; this is consistent with a {verb} due to the programme."
    made = "reduced" if result.value < 0 else "raised"
    return (
        f"The programme {made} the share of {group} by about {whole(100 * abs(result.value))} in every hundred "
        f"({near} to {far})."
    )


def _ratio(result: Estimate) -> str:
    shared = f"share of people with a recorded {result.event_label} within {result.horizon_days} days"
    return (
        f"The {shared} is {times(result.value)} times that of the comparison group "
        f"(between {times(result.low)} and {times(result.high)}; 1 would be no difference)."
    )


def _days(result: Estimate) -> str:
    went = f"Over {result.horizon_days} days people in the programme group went on average"
    without = f"without a recorded {result.event_label} as the comparison group"
    ends = f"(between {_days_end(result.low)} and {_days_end(result.high)})"
    if not whole(abs(result.value)):
        return f"{went} about as many days {without} {ends}."
    longer = f"without a recorded {result.event_label} than the comparison group"
    return f"{went} {_days_end(result.value)} {longer} {ends}."


def _days_end(days: float) -> str:
    size = whole(abs(days))
    if not size:
        return "no difference"
    return f"{size} {'day' if size == 1 else 'days'} {'more' if days > 0 else 'fewer'}"


def _hazard(result: Estimate) -> str:
    adjusted = ", with the groups set alike in what was known before" if result.outcome.endswith("_adjusted") else ""
    return (
        f"Over the whole time, a first recorded {result.event_label} came at {times(result.value)} times the rate of "
        f"the comparison group (between {times(result.low)} and {times(result.high)}; 1 would be no difference)"
        f"{adjusted}."
    )


_SECONDARY = {"risk_ratio": _ratio, "restricted_mean_days": _days, "hazard_ratio": _hazard}


def times(ratio: float) -> str:
    """A ratio with two decimals, or three where two would hide on which side of no difference it lies."""
    hidden = ratio != 1 and f"{ratio:.2f}" == "1.00"
    return f"{ratio:.3f}" if hidden else f"{ratio:.2f}"


def whole(number: float) -> int:
    """The nearest whole number, halves away from zero, and never a minus zero."""
    return int(math.copysign(math.floor(abs(number) + 0.5), number))
