"""The words of scores: how far apart the means are, in points, and how many people had a lower score than at first.

A high score means that much was recorded of a person. Scores fall by themselves as records grow old, so that a share of
people with a lower score is told only beside the share that was to be expected.
"""

from __future__ import annotations

from evalkit.evidence.numbers import how_many, size, whole, without_conclusion
from evalkit.results import Estimate, NotEstimable

BUILT_FROM_RECORDS = "A score is built from records: the higher it is, the more was recorded."
OF_THE_DISCHARGED = "This is of people who were discharged alone, which the programme itself may bring about."


def sentence(result: Estimate, tier: str, *, differ: bool, conclusion: str) -> str:
    """Of the planned difference of means: how far apart, the range, and the claim; all else without a claim."""
    if result.measure == "risk_difference":
        return _shares(result)
    if result.measure != "mean_difference":
        raise ValueError(f"nothing is laid down to say of a {result.measure} of scores")
    if result.planned != "primary" or result.variant:
        ends = f"(between {_points(result.low)} and {_points(result.high)})"
        return " ".join(filter(None, (f"{_apart(result)} {ends}.", _of_whom(result))))
    found = f"{_apart(result)}; {_range(result, tier, differ=differ)}"
    return " ".join((found, _claim(result, tier, conclusion), BUILT_FROM_RECORDS))


def may_be_said(result: Estimate, tier: str, *, differ: bool) -> tuple[str, str]:
    """What can be said, and what the programme cannot be said to have done."""
    if tier in ("T1", "T2"):
        low, high = _fitting(result, differ=differ)
        but = ", but no conclusion is drawn from that" if differ or tier == "T1" else ""
        against = "against what was expected without the programme"
        can = f"In the mean score the data fit everything from {low} to {high}, {against}{but}."
        return can, "It cannot be said that the programme lowered or raised the score."
    can = f"People of the programme had a {_side(result)} mean score than expected of the same people without it"
    can = f"{can}: by {_between(result)}."
    if result.design.assignment == "randomised":
        return can, "It cannot be said that the same would be seen elsewhere or with other people."
    return can, (
        "It cannot be said that the programme made the difference: those who were chosen may differ in what no record "
        "holds, and elsewhere or with other people it may be another."
    )


def beside_history(result: Estimate) -> str:
    """The mean score of people to whom nothing was done, beside what their history made likely."""
    ends = f"(between {_points(result.low)} and {_points(result.high)})"
    return f"their mean score {_when(result)} was {_points(result.value)} than their history made likely {ends}"


def asked(result: Estimate | NotEstimable) -> str:
    """What was asked about scores, as it reads after "we cannot report on"."""
    if "lower_score" in result.outcome:
        return f"how many people had a {_lower(result)} score {_when(result)} than on the index date"
    return f"the mean score {_when(result)}"


def _when(result: Estimate | NotEstimable) -> str:
    after = "discharge" if _is_of_the_discharged(result) else "the index date"
    return f"{result.horizon_days} days after {after}"


def _is_of_the_discharged(result: Estimate | NotEstimable) -> bool:
    return "after_discharge" in result.outcome


def _lower(result: Estimate | NotEstimable) -> str:
    return "materially lower" if "materially" in result.outcome else "lower"


def _shares(result: Estimate) -> str:
    low, high = (_people(end) for end in (result.low, result.high))
    lower = f"a {_lower(result)} score {_when(result)} than on the index date"
    if result.per_hundred is None:
        found = f"Of every hundred people of the programme {_people(result.value)} had {lower} than expected of them"
        return " ".join(filter(None, (f"{found} without it (between {low} and {high}).", _of_whom(result))))
    mine, without = map(whole, result.per_hundred)
    aside = "" if mine - without == whole(100 * result.value) else "; figures are rounded separately"
    found = (
        f"Of every hundred people of the programme {mine} had {lower}; {without} were expected to without it. That is "
        f"{_people(result.value)} (between {low} and {high}{aside})."
    )
    return " ".join(filter(None, (found, _of_whom(result))))


def _people(share: float) -> str:
    return f"{size(100 * share)} {'fewer' if share < 0 else 'more'}" if share else "no difference"


def _of_whom(result: Estimate) -> str:
    return OF_THE_DISCHARGED if _is_of_the_discharged(result) else ""


def _apart(result: Estimate) -> str:
    if not result.value:
        return f"The mean score of people of the programme {_when(result)} was what was expected of them without it"
    return (
        f"The mean score of people of the programme {_when(result)} was {_points(result.value)} than expected of the "
        "same people without it"
    )


def _range(result: Estimate, tier: str, *, differ: bool) -> str:
    low, high = _fitting(result, differ=differ)
    if tier == "T1" or (tier == "T2" and differ):
        return without_conclusion(low, high, tier)
    if tier == "T2":
        more = how_many(result.more_people, fewer=result.value < 0)
        return f"the data fit everything from {low} to {high}; more people would be needed to tell{more}."
    return f"the range that fits the data is {_side(result)} by {_between(result)}."


def _fitting(result: Estimate, *, differ: bool) -> tuple[str, str]:
    """Both ends of the range; where test and interval disagree the nearer end is no difference."""
    low, high = result.low, result.high
    if not differ and low * high > 0:
        low, high = min(low, 0.0), max(high, 0.0)
    return _points(low), _points(high)


def _points(difference: float) -> str:
    if not difference:
        return "no difference"
    return f"{_size(difference)} {'lower' if difference < 0 else 'higher'}"


def _size(difference: float) -> str:
    return f"{size(difference)} {'point' if whole(abs(difference)) <= 1 else 'points'}"


def _between(result: Estimate) -> str:
    near, far = sorted((abs(result.low), abs(result.high)))
    return f"between {size(near)} and {_size(far)}"


def _side(result: Estimate) -> str:
    return "lower" if result.value < 0 else "higher"


def _claim(result: Estimate, tier: str, conclusion: str) -> str:
    others = "the comparison group" if result.design.assignment == "randomised" else "similar people"
    if tier in ("T1", "T2"):
        return conclusion
    if tier == "T3":
        return f"The programme group had a {_side(result)} mean score than {others}, {conclusion}"
    if tier == "T4":
        way = "fall" if result.value < 0 else "rise"
        found = f"The programme group had a {_side(result)} mean score than {others}"
        return f"{found}; this is consistent with a {way} in recorded offending due to the programme."
    near, far = sorted((abs(result.low), abs(result.high)))
    made = "reduced" if result.value < 0 else "raised"
    return f"The programme {made} the mean score by about {_size(result.value)} ({size(near)} to {size(far)})."
