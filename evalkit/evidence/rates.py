"""The words of a ratio of rates: events for every hundred people first, then the range, the ratio itself last."""

from __future__ import annotations

from evalkit.evidence.numbers import change, how_many, size, times, whole
from evalkit.results import Estimate


def sentence(result: Estimate, tier: str, *, differ: bool, conclusion: str) -> str:
    """Rates, range, claim and ratio; `conclusion` is what is said below a claim."""
    parts = (rates(result), _range(result, tier, differ=differ), _claim(result, tier, conclusion), _ratio(result))
    return " ".join(filter(None, parts))


def beside(result: Estimate) -> str:
    """Rates and ratio alone, of an outcome or a variant that stands beside the planned one."""
    return " ".join(filter(None, (rates(result), ratio_to_expected(result))))


def may_be_said(result: Estimate, tier: str, *, differ: bool) -> tuple[str, str]:
    """What can be said, and what the programme cannot be said to have done."""
    events = f"recorded {result.event_label}s"
    if tier in ("T1", "T2"):
        low, high = _fitting(result, differ=differ)
        against = "against what was expected without the programme"
        but = ", but no conclusion is drawn from that" if differ or tier == "T1" else ""
        can = f"In {events} the data fit everything between {low} and {high}, {against}{but}."
        return can, f"It cannot be said that the programme lowered or raised the number of {events}."
    side = "Fewer" if result.value < 1 else "More"
    can = f"{side} {events} than expected of the same people without the programme: {_apart(result)}."
    if _by_chance(result):
        return can, "It cannot be said that the same would be seen elsewhere or with other people."
    return can, (
        "It cannot be said that the programme made the difference: those who were chosen may differ in what no record "
        "holds, and elsewhere or with other people it may be another."
    )


def _by_chance(result: Estimate) -> bool:
    return result.design.assignment == "randomised"


def rates(result: Estimate) -> str:
    """Events for every hundred people of the programme, and as expected of them; empty where they were not reckoned."""
    if result.per_hundred is None:
        return ""
    mine, without = (whole(number) for number in result.per_hundred)
    true = result.per_hundred[0] - result.per_hundred[1]
    apart = f"that is {size(true)} {'fewer' if true < 0 else 'more'}" if true else "that is no difference"
    aside = "" if mine - without == whole(true) else " (rates and difference are rounded separately)"
    over = f"within {result.horizon_days} days"
    if result.variant == "at_liberty":
        over = f"in {result.horizon_days} days at liberty"
    return (
        f"For every hundred people of the programme there were {mine:,} recorded {result.event_label}s {over}, where "
        f"{without:,} would have been expected of the same people without it; {apart}{aside}."
    )


def ratio_to_expected(result: Estimate) -> str:
    """The ratio with its range, said as a multiple of what was expected."""
    return f"There were {times(result.value)} times as many recorded {result.event_label}s as expected {_ends(result)}."


def _range(result: Estimate, tier: str, *, differ: bool) -> str:
    low, high = _fitting(result, differ=differ)
    if tier == "T1":
        return f"The range that fits the data lies between {low} and {high}."
    if tier == "T2" and differ:
        return f"The range that fits the data lies between {low} and {high}, but no conclusion is drawn from it here."
    if tier == "T2":
        more = how_many(result.more_people, fewer=result.value < 1)
        return f"The data fit everything between {low} and {high}; more people would be needed to tell{more}."
    return f"The range that fits the data is {_apart(result)}."


def _fitting(result: Estimate, *, differ: bool) -> tuple[str, str]:
    """Both ends of the range; where test and interval disagree the nearer end is no difference."""
    low, high = result.low, result.high
    if not differ and (low > 1 or high < 1):
        low, high = min(low, 1.0), max(high, 1.0)
    return change(low), change(high)


def _apart(result: Estimate) -> str:
    near, far = _from_near(result)
    return f"between {size(100 * (near - 1))}% and {change(far)}"


def _from_near(result: Estimate) -> list[float]:
    return sorted((result.low, result.high), key=lambda end: abs(end - 1))


def _claim(result: Estimate, tier: str, conclusion: str) -> str:
    events = f"recorded {result.event_label}s"
    side = "fewer" if result.value < 1 else "more"
    if tier in ("T1", "T2"):
        return conclusion
    if tier == "T3":
        others = "the comparison group" if _by_chance(result) else "similar people"
        return f"The programme group had {side} {events} than {others}, {conclusion}"
    if tier == "T4":
        others = "the comparison group" if _by_chance(result) else "similar people who were not chosen"
        found = f"The programme group had {_apart(result)} {events} than {others}"
        return f"{found}; this is consistent with a {'reduction' if result.value < 1 else 'rise'} due to the programme."
    near, far = (size(100 * (end - 1)) for end in _from_near(result))
    made = "reduced" if result.value < 1 else "raised"
    return f"The programme {made} {events} by about {size(100 * (result.value - 1))}% ({near} to {far})."


def _ratio(result: Estimate) -> str:
    return f"As a ratio that is {times(result.value)} {_ends(result)}."


def _ends(result: Estimate) -> str:
    return f"(between {times(result.low)} and {times(result.high)}; 1 would be no difference)"
