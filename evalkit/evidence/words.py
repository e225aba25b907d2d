"""The only sentences that depend on an effect: each says no more than its tier allows, absolute figures first."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from evalkit.evidence import rates, shares
from evalkit.evidence.grading import NOT_STABLE, PLACEBO, sets_apart
from evalkit.evidence.numbers import counted_in_hundreds, size, times, whole
from evalkit.results import VARIANTS, Arm, Estimate, NotEstimable

FAILS_DENIED = "This should not be taken to mean that the programme fails."
NO_EFFECT_DENIED = "This does not mean that the programme had no effect."


def sentence(
    result: Estimate,
    tier: str,
    arms: tuple[Arm, ...],
    *,
    p_adjusted: float | None = None,
    reasons: tuple[str, ...] = (),
) -> str:
    """What may be said of an estimate: absolute figures first, then the range, in the words of its tier.

    `arms` are the arms as released, so that no sentence holds a count that a table may not; `reasons` are what held the
    grade and the words down.
    """
    if result.variant == PLACEBO:
        return _placebo(result)
    said = _said(result, tier, arms, differ=sets_apart(result, p_adjusted), conclusion=_conclusion(tier, reasons))
    if not result.variant:
        return said
    return f"{VARIANTS[result.variant].capitalize()}: {said[0].lower()}{said[1:]}"


def _said(result: Estimate, tier: str, arms: tuple[Arm, ...], *, differ: bool, conclusion: str) -> str:
    if result.measure == "risk_difference" and not _is_modelled(result):
        return shares.sentence(result, tier, arms, differ=differ, conclusion=conclusion)
    if result.measure == "rate_ratio" and result.planned == "primary":
        return rates.sentence(result, tier, differ=differ, conclusion=conclusion)
    if result.measure == "share":
        return _own_share(result, arms)
    return _BESIDE[result.measure](result)


def _is_modelled(result: Estimate) -> bool:
    """Whether the comparison is what a model expects of the same people, so that no arm counts it."""
    return result.design.assignment == "sequential_trials"


def _conclusion(tier: str, reasons: tuple[str, ...]) -> str:
    """What follows, or does not, below a claim."""
    if tier == "T1":
        return "The design cannot carry a conclusion, so this difference speaks neither for nor against the programme."
    if tier == "T2":
        unstable = NOT_STABLE in reasons
        return f"{NOT_STABLE[0].upper()}{NOT_STABLE[1:]}. {FAILS_DENIED}" if unstable else FAILS_DENIED
    return "but this depends on checks of hidden differences that were not made or did not hold."


def _placebo(result: Estimate) -> str:
    if result.measure != "rate_ratio":
        raise ValueError(f"nothing is laid down to say of a {result.measure} among {VARIANTS[PLACEBO]}")
    events = f"recorded {result.event_label}s"
    found = (
        f"Among {VARIANTS[PLACEBO]}, no difference is to be expected: there were {times(result.value)} times as many "
        f"{events} as their history made likely (between {times(result.low)} and {times(result.high)})"
    )
    if result.interval_sets_apart:
        return f"{found}. That leaves out 1, which should not be, so the comparison cannot carry a conclusion."
    return f"{found}. That range includes 1, so the check is passed; it does not show that nothing is left."


def refusal(result: NotEstimable) -> str:
    """What is said where there is no estimate (T0)."""
    why, mend = counted_in_hundreds(result.why), f"What would mend it: {result.mend}."
    if result.variant == PLACEBO:
        return f"Whether {VARIANTS[PLACEBO]}, differ could not be looked at, because {why}. {mend}"
    what = _WHAT[result.measure].format(event=result.event_label, days=result.horizon_days)
    way = f" ({VARIANTS[result.variant]})" if result.variant else ""
    return f"We cannot report on {what}{way}, because {why}. {NO_EFFECT_DENIED} {mend}"


_WHAT = {
    "risk_difference": "people with a recorded {event} within {days} days",
    "risk_ratio": "the ratio of people with a recorded {event} within {days} days",
    "share": "the share of the programme group with a recorded {event} within {days} days",
    "rate_ratio": "how many recorded {event}s there were within {days} days",
    "rate_difference": "how many recorded {event}s more or fewer there were within {days} days",
    "restricted_mean_days": "days without a recorded {event}",
    "hazard_ratio": "how soon a recorded {event} came",
}


def may_be_said(
    result: Estimate, tier: str, *, p_adjusted: float | None = None, reasons: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What can and what cannot be said on the strength of a primary result."""
    if result.measure not in _PRIMARY:
        raise ValueError(f"nothing is laid down that may be said of a {result.measure} as a primary outcome")
    recorded = (
        f"It cannot be said that people are safer: a recorded {result.event_label} is what reached the records, "
        "not all that was done."
    )
    can, cannot = _PRIMARY[result.measure](result, tier, differ=sets_apart(result, p_adjusted) or tier > "T2")
    if tier == "T1":
        return (can,), ("It cannot be said that the programme made the difference.", recorded)
    if tier == "T2" and NOT_STABLE in reasons:
        return ("The methods do not agree, so none of their figures is relied on.",), (cannot, recorded)
    if tier == "T2":
        fails = "It cannot be said that the programme had no effect, or that it fails."
        return (can, "More people would be needed to tell."), (cannot, fails, recorded)
    return (can,), (cannot, recorded)


_PRIMARY: Mapping[str, Callable[..., tuple[str, str]]] = {
    "risk_difference": shares.may_be_said,
    "rate_ratio": rates.may_be_said,
}


def _own_share(result: Estimate, arms: tuple[Arm, ...]) -> str:
    share, low, high = (whole(100 * number) for number in (result.value, result.low, result.high))
    counted = f"{arms[0].events} of {arms[0].people} people" if arms else "people"
    return (
        f"In the programme group {counted} ({share}%, between {low} and {high}) had a recorded {result.event_label} "
        f"within {result.horizon_days} days. By itself that says nothing about the programme."
    )


def _risk(result: Estimate) -> str:
    """The difference of two shares where the second is what a model expects of the same people."""
    had = f"had a recorded {result.event_label} within {result.horizon_days} days"
    apart = f"{_more_or_fewer(100 * result.value)} than expected of the same people without it"
    ends = f"(between {_more_or_fewer(100 * result.low)} and {_more_or_fewer(100 * result.high)})"
    mine = f"{whole(result.per_hundred[0])} {had}, " if result.per_hundred else ""
    verb = "" if mine else f" {had}"
    return f"Of every hundred people of the programme {mine}{apart}{verb} {ends}."


def _more_or_fewer(number: float) -> str:
    return f"{size(number)} {'fewer' if number < 0 else 'more'}"


def _ratio(result: Estimate) -> str:
    shared = f"share of people with a recorded {result.event_label} within {result.horizon_days} days"
    other = "what was expected of the same people" if _is_modelled(result) else "that of the comparison group"
    return (
        f"The {shared} is {times(result.value)} times {other} "
        f"(between {times(result.low)} and {times(result.high)}; 1 would be no difference)."
    )


def _rate_difference(result: Estimate) -> str:
    low, high = _more_or_fewer(result.low), _more_or_fewer(result.high)
    return (
        f"For every hundred people of the programme there were {_more_or_fewer(result.value)} recorded "
        f"{result.event_label}s within {result.horizon_days} days than expected of the same people without it "
        f"(between {low} and {high})."
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
    number = whole(abs(days))
    if not number:
        return "no difference"
    return f"{number} {'day' if number == 1 else 'days'} {'more' if days > 0 else 'fewer'}"


def _hazard(result: Estimate) -> str:
    return (
        f"Over the whole time, a first recorded {result.event_label} came at {times(result.value)} times the rate of "
        f"the comparison group (between {times(result.low)} and {times(result.high)}; 1 would be no difference)."
    )


_BESIDE: Mapping[str, Callable[[Estimate], str]] = {
    "risk_difference": _risk,
    "risk_ratio": _ratio,
    "rate_ratio": rates.beside,
    "rate_difference": _rate_difference,
    "restricted_mean_days": _days,
    "hazard_ratio": _hazard,
}
