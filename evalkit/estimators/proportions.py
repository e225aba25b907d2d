"""Shares of people with an event, and how far two of them lie apart."""

from __future__ import annotations

import math

from evalkit.estimators.models import check_level
from evalkit.results import Interval


def wilson(*, events: int, people: int, level: float = 0.95) -> Interval:
    """Share of people with an event, with Wilson's score interval.

    In the unit of a proportion: 0.25 is one person in four. Keeps its coverage in small groups, and has a width where
    nobody or everybody has the event.

    Wilson (1927), Journal of the American Statistical Association 22:209-212; Newcombe (1998), Statistics in Medicine
    17:857-872, method 3.
    """
    from statsmodels.stats.proportion import proportion_confint

    _check(events=events, people=people, level=level)
    low, high = proportion_confint(events, people, alpha=1 - level, method="wilson")
    return _around(events / people, low, high)


def risk_difference(*, events_1: int, people_1: int, events_0: int, people_0: int, level: float = 0.95) -> Interval:
    """Difference of two independent shares, arm 1 less arm 0, with Newcombe's hybrid score interval.

    Keeps its coverage with small groups and zero cells, where the Wald interval does not. In the unit of a proportion:
    -0.08 is eight fewer in every hundred people. Two empty or two full arms give 0 with an interval around it.

    Newcombe (1998), Statistics in Medicine 17:873-890, method 10.
    """
    from statsmodels.stats.proportion import confint_proportions_2indep

    _check(events=events_1, people=people_1, level=level)
    _check(events=events_0, people=people_0, level=level)
    low, high = confint_proportions_2indep(
        events_1, people_1, events_0, people_0, method="newcomb", compare="diff", alpha=1 - level
    )
    return _around(events_1 / people_1 - events_0 / people_0, max(low, -1.0), min(high, 1.0))


def share_of_a_new_group(*, events: int, people: int, new_people: int, level: float = 0.95) -> Interval:
    """Share with an event to be expected of a new group of `new_people`, from `people` alike of whom it is known.

    The interval is for the share that would be observed, not only for its mean: from the least to the most events in
    the new group whose difference from these shares `risk_difference` leaves open.
    """

    def is_open(new_events: int) -> bool:
        found = risk_difference(events_1=new_events, people_1=new_people, events_0=events, people_0=people, level=level)
        return found.low <= 0 <= found.high

    share = events / people if people else 0.0
    fitting = [new_events / new_people for new_events in range(new_people + 1) if is_open(new_events)]
    return Interval(value=share, low=min([share, *fitting]), high=max([share, *fitting]))


def risk_ratio(*, events_1: int, people_1: int, events_0: int, people_0: int, level: float = 0.95) -> Interval:
    """Ratio of two independent shares, arm 1 over arm 0, with the MOVER-R interval made from Wilson's.

    1 is no difference, 0.7 is three in ten fewer. Its ends are the ratios at which Newcombe's interval for
    `share_1 - ratio * share_0` just touches zero, so it lies on the same side of no difference as `risk_difference` in
    every table, and swapping the arms turns the interval upside down. Measured over every table of six designs (8 v 24
    to 100 v 100 people), where the log, adjusted log and score intervals contradict the difference in up to 24 %, 14 %
    and 5 % of tables, are undefined in some with a zero or a full arm, or fall below 90 % coverage; this one never
    contradicts it, is always defined and covers 93.7 % or more.

    Where nobody in arm 1 has the event value and low are 0; where nobody in arm 0 has it value and high are inf. Where
    nobody at all has it there is no ratio: ValueError.

    Donner & Zou (2012), Statistical Methods in Medical Research 21:347-359; Fagerland, Lydersen & Laake (2017),
    Statistical Analysis of Contingency Tables, chapter 4.
    """
    first = wilson(events=events_1, people=people_1, level=level)
    other = wilson(events=events_0, people=people_0, level=level)
    if events_1 == events_0 == 0:
        raise ValueError("nobody in either arm had the event, so their shares have no ratio")
    value = first.value / other.value if events_0 else math.inf
    low, upside_down = _lowest_ratio(first, other), _lowest_ratio(other, first)
    return _around(value, low, 1 / upside_down if upside_down else math.inf)


def mid_p(*, events_1: int, people_1: int, events_0: int, people_0: int) -> float:
    """Two-sided p-value that two independent shares are the same: twice the smaller one-sided mid-p, at most 1.

    One-sided: the probability, with both totals of the table held fixed, of fewer events in arm 1 than were seen, and
    half the probability of exactly as many. 1 where nobody or everybody has the event.

    Lancaster (1961), Journal of the American Statistical Association 56:223-234.
    """
    from scipy.stats import hypergeom

    _check(events=events_1, people=people_1)
    _check(events=events_0, people=people_0)
    totals = (people_1 + people_0, events_1 + events_0, people_1)
    half = hypergeom.pmf(events_1, *totals) / 2
    fewer, more = hypergeom.cdf(events_1, *totals) - half, hypergeom.sf(events_1, *totals) + half
    return float(min(1.0, 2 * max(0.0, min(fewer, more))))


def _lowest_ratio(first: Interval, other: Interval) -> float:
    """Lower end for `first / other`: the root of (p1 - R p0)^2 = (p1 - l1)^2 + R^2 (u0 - p0)^2 with p1 > R p0."""
    if first.value == 0:
        return 0.0
    constant = first.low * (2 * first.value - first.low)
    square = other.high * (2 * other.value - other.high)
    product = first.value * other.value
    return constant / (product + math.sqrt(max(0.0, product * product - square * constant)))


def _around(value: float, low: float, high: float) -> Interval:
    """The interval, with ends that rounding cannot put on the wrong side of its value."""
    return Interval(value=float(value), low=float(min(low, value)), high=float(max(high, value)))


def _check(*, events: int, people: int, level: float = 0.95) -> None:
    if events != int(events) or people != int(people):
        raise ValueError(f"events and people are counted in whole numbers, not {events} of {people}")
    if not 0 <= events <= people or people == 0:
        raise ValueError(f"{events} of {people} people cannot have the event")
    check_level(level)
