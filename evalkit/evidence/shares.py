"""The words of a difference of two shares of people: absolute figures first, then the range, as its tier allows."""

from __future__ import annotations

from evalkit.evidence.numbers import how_many, size, whole
from evalkit.results import Arm, Estimate


def sentence(result: Estimate, tier: str, arms: tuple[Arm, ...], *, differ: bool, conclusion: str) -> str:
    """Rates, difference, range and claim; `arms` as released, `conclusion` what is said below a claim."""
    found = f"{_difference(result)}; {_range(result, tier, differ=differ)}"
    return " ".join((_rates(result, arms), found, _claim(result, tier, conclusion)))


def may_be_said(result: Estimate, tier: str, *, differ: bool) -> tuple[str, str]:
    """What can be said, and what the programme cannot be said to have done."""
    group = f"people with a recorded {result.event_label}"
    low, high = _fitting(result, differ=differ)
    if tier in ("T1", "T2"):
        but = ", but no conclusion is drawn from that" if differ or tier == "T1" else ""
        can = f"The data fit every difference from {low} to {high}{but}."
        return can, f"It cannot be said that the programme lowered or raised the share of {group}."
    more = "Fewer" if result.value < 0 else "More"
    can = f"{more} people of the programme group had a recorded {result.event_label}: from {low} to {high}."
    return can, "It cannot be said that the same would be seen elsewhere or with other people."


def _rates(result: Estimate, arms: tuple[Arm, ...]) -> str:
    one, other = (
        f"in the {arm.label} group {arm.events} of {arm.people} people ({whole(100 * true.events / true.people)}%)"
        for arm, true in zip(arms, result.arms, strict=True)
    )
    had = f"had a recorded {result.event_label} within {result.horizon_days} days"
    return f"{one[0].upper()}{one[1:]} {had}; {other} had one."


def _difference(result: Estimate) -> str:
    if not result.value:
        found = "That is no difference"
    else:
        found = f"That is {size(100 * result.value)} {'fewer' if result.value < 0 else 'more'} in every hundred people"
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
        more = how_many(result.more_people, fewer=result.value < 0)
        return f"the data fit a share that is {_open(result)}; more people would be needed to tell{more}."
    near, far = sorted((abs(result.low), abs(result.high)))
    side = "lower" if result.value < 0 else "higher"
    return f"the range that fits the data is {side} by between {size(100 * near)} and {size(100 * far)} in a hundred."


def _fitting(result: Estimate, *, differ: bool) -> tuple[str, str]:
    """Both ends of the range; where test and interval disagree the nearer end is no difference."""
    low, high = result.low, result.high
    if not differ and low * high > 0:
        low, high = (low, 0.0) if high < 0 else (0.0, high)
    return _end(low), _end(high)


def _end(share: float) -> str:
    if not share:
        return "no difference"
    return f"{size(100 * share)} {'fewer' if share < 0 else 'more'} in a hundred"


def _open(result: Estimate) -> str:
    sides = (("lower", result.low < 0, result.low), ("higher", result.high > 0, result.high))
    ends = [f"{word} by {_as_many(end)} in a hundred" for word, reaches, end in sides if reaches]
    return ", or ".join(ends if len(ends) > 1 else [*ends, "no different"])


def _as_many(share: float) -> str:
    return f"as many as {size(100 * share)}" if whole(100 * share) else "less than 1"


def _claim(result: Estimate, tier: str, conclusion: str) -> str:
    group = f"people with a recorded {result.event_label}"
    side = "fewer" if result.value < 0 else "more"
    if tier in ("T1", "T2"):
        return conclusion
    if tier == "T3":
        return f"The programme group had {side} {group} than the comparison group, {conclusion}"
    if tier == "T4":
        verb = "reduction" if result.value < 0 else "rise"
        found = f"The programme group had {side} {group} than similar people"
        return f"{found}; this is consistent with a {verb} due to the programme."
    near, far = sorted((abs(result.low), abs(result.high)))
    made = "reduced" if result.value < 0 else "raised"
    return (
        f"The programme {made} the share of {group} by about {whole(100 * abs(result.value))} in every hundred "
        f"({size(100 * near)} to {size(100 * far)})."
    )
