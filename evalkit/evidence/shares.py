"""The words of a difference of two shares of people: absolute figures first, then the range, as its tier allows.

Of recorded events the shares are counted in each group. Of assessed abuse they are reckoned over all cases, those not
assessed among them, so that no group's count stands in for them.
"""

from __future__ import annotations

from evalkit.evidence.numbers import how_many, size, whole, without_conclusion
from evalkit.evidence.strands import reported
from evalkit.results import Arm, Estimate

ABUSE = "abuse_types"


def sentence(result: Estimate, tier: str, arms: tuple[Arm, ...], *, differ: bool, conclusion: str) -> str:
    """Rates, difference, range and claim; `arms` as released, `conclusion` what is said below a claim."""
    rates = _reckoned(result) if result.strand == ABUSE else _rates(result, arms)
    found = f"{_difference(result)}; {_range(result, tier, differ=differ)}"
    return " ".join(filter(None, (rates, found, _claim(result, tier, conclusion))))


def beside(result: Estimate) -> str:
    """The difference in assessed abuse, with its range alone, by another way of treating those not assessed."""
    low, high, whose = _end(result.low), _end(result.high), reported(result.judged_by)
    if result.variant == "missing_bounds":
        return f"The groups may differ by anything from {low} to {high} in {_group(result)}{whose}."
    apart = f"{size(100 * result.value)} {_side(result)}" if result.value else "no more and no fewer"
    found = f"In every hundred there were {apart} {_group(result)} than in the comparison group{whose}"
    return f"{found} (between {low} and {high})."


def may_be_said(result: Estimate, tier: str, *, differ: bool) -> tuple[str, str]:
    """What can be said, and what the programme cannot be said to have done."""
    group = _group(result)
    low, high = _fitting(result, differ=differ)
    if tier in ("T1", "T2"):
        but = ", but no conclusion is drawn from that" if differ or tier == "T1" else ""
        can = f"As to {group}, the data fit every difference from {low} to {high}{but}."
        return can, f"It cannot be said that the programme lowered or raised the share of {group}."
    can = f"There were {_side(result)} {group} in the programme group: from {low} to {high}."
    return can, "It cannot be said that the same would be seen elsewhere or with other people."


def _group(result: Estimate) -> str:
    if result.strand == ABUSE:
        return "cases with abuse at a high level"
    return f"people with a recorded {result.event_label}"


def _side(result: Estimate) -> str:
    return "fewer" if result.value < 0 else "more"


def _reckoned(result: Estimate) -> str:
    if result.per_hundred is None:
        return ""
    mine, other = map(whole, result.per_hundred)
    return (
        f"{result.horizon_days} days after the index date abuse was at a high level in {mine} of every hundred cases "
        f"of the programme group and in {other} of the comparison group{reported(result.judged_by)}; both are reckoned "
        "over all cases, those not assessed among them."
    )


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
        of = "cases" if result.strand == ABUSE else "people"
        found = f"That is {size(100 * result.value)} {_side(result)} in every hundred {of}"
    return found if _adds_up(result) else f"{found} (rates and difference are rounded separately)"


def _adds_up(result: Estimate) -> bool:
    if result.strand != ABUSE:
        one, other = (whole(100 * arm.events / arm.people) for arm in result.arms)
    elif result.per_hundred:
        one, other = map(whole, result.per_hundred)
    else:
        return True
    return one - other == whole(100 * result.value)


def _range(result: Estimate, tier: str, *, differ: bool) -> str:
    """The range in the words of a tier; what the interval leaves open is never said to be settled."""
    low, high = _fitting(result, differ=differ)
    if tier == "T1" or (tier == "T2" and differ):
        return without_conclusion(low, high, tier)
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
    group, side = _group(result), _side(result)
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
