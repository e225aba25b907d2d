"""The only sentences that depend on an effect: each says no more than its tier allows, absolute figures first."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from evalkit.evidence import rates, scores, shares
from evalkit.evidence.grading import HANGS_ON_MISSING, NOT_STABLE, PLACEBO, sets_apart
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
    if result.strand == "score_decline":
        return scores.sentence(result, tier, differ=differ, conclusion=conclusion)
    if result.strand == shares.ABUSE and result.variant:
        return shares.beside(result)
    if result.measure == "risk_difference" and not _is_modelled(result):
        return shares.sentence(result, tier, arms, differ=differ, conclusion=conclusion)
    if result.measure == "rate_ratio" and result.planned == "primary":
        return rates.sentence(result, tier, differ=differ, conclusion=conclusion)
    if result.measure == "share":
        return _own_share(result, arms)
    return _BESIDE[result.measure](result)


def _is_modelled(result: Estimate) -> bool:
    """Whether the comparison is what a model expects of the same people, so that no arm counts it."""
    is_reckoned = result.per_hundred is not None and result.strand != shares.ABUSE
    return is_reckoned or result.design.assignment == "sequential_trials"


def _conclusion(tier: str, reasons: tuple[str, ...]) -> str:
    """What follows, or does not, below a claim."""
    if tier == "T1":
        return "The design cannot carry a conclusion, so this difference speaks neither for nor against the programme."
    if tier == "T2":
        doubts = [f"{doubt[0].upper()}{doubt[1:]}." for doubt in (NOT_STABLE, HANGS_ON_MISSING) if doubt in reasons]
        return " ".join((*doubts, FAILS_DENIED))
    return "but this depends on checks of hidden differences that were not made or did not hold."


def _placebo(result: Estimate) -> str:
    expected = f"Among {VARIANTS[PLACEBO]}, no difference is to be expected"
    if result.measure == "rate_ratio":
        none, ends = "1", f"(between {times(result.low)} and {times(result.high)})"
        events = f"recorded {result.event_label}s"
        found = f"there were {times(result.value)} times as many {events} as their history made likely {ends}"
    elif result.measure == "mean_difference":
        none, found = "no difference", scores.beside_history(result)
    else:
        raise ValueError(f"nothing is laid down to say of a {result.measure} among {VARIANTS[PLACEBO]}")
    if result.interval_sets_apart:
        which = f"That leaves out {none}, which should not be"
        return f"{expected}: {found}. {which}, so the comparison cannot carry a conclusion."
    passed = "so the check is passed; it does not show that nothing is left"
    return f"{expected}: {found}. That range includes {none}, {passed}."


def refusal(result: NotEstimable) -> str:
    """What is said where there is no estimate (T0): what was asked, why nobody can tell, and what would mend it.

    Of one group that is compared with nobody, what would mend it is a comparison that could still be made.
    """
    why, mend = counted_in_hundreds(result.why), f"What would mend it: {result.mend}."
    if result.variant == PLACEBO:
        return f"Whether {VARIANTS[PLACEBO]}, differ could not be looked at, because {why}. {mend}"
    what = _asked(result)
    way = f" ({VARIANTS[result.variant]})" if result.variant else ""
    if result.design.assignment == "single_group":
        lead = f"We cannot say whether the programme made a difference to {what}{way}, because {why}."
        return f"{lead} {NO_EFFECT_DENIED} What could still be done: {result.mend}."
    return f"We cannot report on {what}{way}, because {why}. {NO_EFFECT_DENIED} {mend}"


def _asked(result: Estimate | NotEstimable) -> str:
    """What was asked, as it reads after "we cannot report on"."""
    if result.strand == "score_decline":
        return scores.asked(result)
    if result.strand == shares.ABUSE:
        when = f"{result.horizon_days} days after the index date"
        return f"abuse at a high level {when}" if result.outcome == "high_abuse" else "how levels of abuse changed"
    return _WHAT[result.measure].format(event=result.event_label, days=result.horizon_days)


_WHAT = {
    "risk_difference": "how many people had a recorded {event} within {days} days",
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
    recorded = f"It cannot be said that people are safer: {_stands_for(result)}, not all that was done."
    can, cannot = _PRIMARY[result.measure](result, tier, differ=sets_apart(result, p_adjusted) or tier > "T2")
    if tier == "T1":
        return (can,), ("It cannot be said that the programme made the difference.", recorded)
    if tier == "T2" and NOT_STABLE in reasons:
        return ("The methods do not agree, so none of their figures is relied on.",), (cannot, recorded)
    if tier == "T2" and HANGS_ON_MISSING in reasons:
        return (can, "Fuller assessments of both groups would be needed to tell."), (cannot, recorded)
    if tier == "T2":
        fails = "It cannot be said that the programme had no effect, or that it fails."
        return (can, "More people would be needed to tell."), (cannot, fails, recorded)
    return (can,), (cannot, recorded)


def _stands_for(result: Estimate) -> str:
    if result.strand == "score_decline":
        return "a score is built from what reached the records"
    if result.strand == shares.ABUSE:
        return "a level of abuse is what was told and judged"
    return f"a recorded {result.event_label} is what reached the records"


_PRIMARY: Mapping[str, Callable[..., tuple[str, str]]] = {
    "risk_difference": shares.may_be_said,
    "rate_ratio": rates.may_be_said,
    "mean_difference": scores.may_be_said,
}


def _own_share(result: Estimate, arms: tuple[Arm, ...]) -> str:
    share, low, high = (whole(100 * number) for number in (result.value, result.low, result.high))
    ends = f"between {low} and {high}"
    counted = f"{share}% of people ({ends})"
    if arms:
        counted = f"{arms[0].events} of {arms[0].people} people ({share}%, {ends})"
    had = f"had a recorded {result.event_label} within {result.horizon_days} days"
    return f"In the programme group {counted} {had}. By itself that says nothing about the programme."


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
