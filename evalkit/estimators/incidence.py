"""Days to the first event where people may die before it; one row per person and trial, `days` counted from 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalkit.estimators.models import UNVARYING, Numbers, grouped, row_weights, t_quantile, t_two_sided
from evalkit.results import Interval

CENSORED, EVENT, DIED = 0, 1, 2
NOBODY = 1e-12  # a share this small is what rounding leaves of nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class CumulativeIncidence:
    """Share who have had the event, by day; all columns have one length and start at day 0 with nobody.

    Attributes
    ----------
    days : tuple of int
        Days on which somebody had the event, died or left, and the horizon.
    share, low, high : tuple of float
        Weighted share with the event from that day until the next, and the ends of its interval.
    at_risk, events, deaths : tuple of int
        Rows, without weights, followed and without either just before that day; with the event on it; died on it.
    weight_at_risk : tuple of float
        Sum of the weights of those at risk.
    """

    days: tuple[int, ...]
    share: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    at_risk: tuple[int, ...]
    events: tuple[int, ...]
    deaths: tuple[int, ...]
    weight_at_risk: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFreeDays:
    """Mean days without the event within the horizon, treated and untreated, and by how many the treated have more.

    The interval of `difference` and its two-sided `p_value` are by t with `df` degrees of freedom.
    """

    treated: float
    untreated: float
    difference: Interval
    standard_error: float
    p_value: float
    df: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Group:
    """One group's daily course, day 0 to the horizon, and how far each cluster moves it.

    `share`, its `error` and `weight_at_risk` by day; `incident_free` days over the horizon, their `influence` one a
    cluster; `known` where somebody was followed to the horizon, or nobody was left who could have been.
    """

    share: Numbers
    error: Numbers
    weight_at_risk: Numbers
    incident_free: float
    influence: Numbers
    known: bool


def cumulative_incidence(
    *,
    days: ArrayLike,
    kind: ArrayLike,
    clusters: ArrayLike,
    horizon_days: int,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> CumulativeIncidence:
    """Share of people who have had the event by each day, with death as the end of their chance of it.

    `days` is the day of what `kind` says: CENSORED was last followed then, EVENT had the event, DIED died without it.
    Who leaves or dies on the day of another's event was at risk of it. Nobody is taken to have the event after dying:
    the share is of everybody, not of those alive. Whatever happens after the horizon is not looked at. Where the last
    person leaves before it the share stays as it was, with nobody at risk.

    The daily discrete Aalen-Johansen estimate. Its spread adds up by cluster what each row moves it by, times
    n / (n - 1), by t with n - 1 degrees of freedom for n clusters, on the log of minus the log of the share without.
    Until the first event the interval has no width; once nobody is left without it stays where it was.

    Aalen & Johansen (1978), Scandinavian Journal of Statistics 5:141-150; Andersen et al. (1993), Statistical Models
    Based on Counting Processes, section IV.4.
    """
    last_day, kinds, weighted = _followed(days, kind, weights, horizon_days)
    people, _ = grouped(clusters, treated=np.ones(np.shape(clusters), dtype=bool))
    reach = t_quantile(level, people.treated - 1)
    found = _course(last_day, kinds, weighted, people.codes, len(people.ids), horizon_days)
    low, high = _ends(found.share, reach * people.correction**0.5 * found.error)
    leaving, events, deaths = (
        np.bincount(last_day, which, horizon_days + 1).astype(int)
        for which in (kinds >= CENSORED, kinds == EVENT, kinds == DIED)
    )
    at_risk = np.cumsum(leaving[::-1])[::-1]
    shown = np.unique([0, *last_day.tolist(), horizon_days])
    return CumulativeIncidence(
        days=tuple(shown.tolist()),
        share=tuple(found.share[shown].tolist()),
        low=tuple(low[shown].tolist()),
        high=tuple(high[shown].tolist()),
        at_risk=tuple(at_risk[shown].tolist()),
        events=tuple(events[shown].tolist()),
        deaths=tuple(deaths[shown].tolist()),
        weight_at_risk=tuple(found.weight_at_risk[shown].tolist()),
    )


def _followed(
    days: ArrayLike, kind: ArrayLike, weights: ArrayLike | None, horizon_days: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], Numbers]:
    """Last day, what happened on it and weight of each row, as known at the horizon."""
    last_day, kinds = np.asarray(days, dtype=float), np.asarray(kind)
    if last_day.shape != kinds.shape or last_day.ndim != 1:
        raise ValueError("each row needs a day, and what happened on it")
    weighted = row_weights(weights, len(last_day))
    if not ((last_day == np.floor(last_day)).all() and (last_day >= 1).all() and np.isfinite(last_day).all()):
        raise ValueError("days are whole numbers from 1; an event on the index day itself is in neither window")
    if not np.isin(kinds, (CENSORED, EVENT, DIED)).all():
        raise ValueError(f"what happened is {CENSORED} (last followed), {EVENT} (the event) or {DIED} (died)")
    if horizon_days < 1:
        raise ValueError(f"a horizon lies at day 1 or later, not at {horizon_days}")
    seen = np.where(last_day <= horizon_days, kinds, CENSORED)
    return np.minimum(last_day, horizon_days).astype(np.int64), seen.astype(np.int64), weighted


def _course(
    last_day: NDArray[np.int64],
    kinds: NDArray[np.int64],
    weights: Numbers,
    codes: NDArray[np.intp],
    clusters: int,
    horizon_days: int,
) -> _Group:
    """The share with the event by day, and what each cluster moves it by: the delta method along the recursion.

    On each day the share with the event grows by `free * pace` and `free`, the share with neither, shrinks by
    `free * ending`: the hazards of the event, and of event or death. A row at risk moves a hazard by its weight times
    its own outcome less the hazard, over the weight at risk.
    """
    at_risk: Numbers = np.cumsum(np.bincount(last_day, weights, horizon_days + 1)[::-1])[::-1].astype(float)
    own_at_risk = np.bincount(codes, weights, clusters)
    share, error = np.zeros(horizon_days + 1), np.zeros(horizon_days + 1)
    free, moved_free, moved_share, moved_area = 1.0, *np.zeros((3, clusters))
    order = np.argsort(last_day, kind="stable")
    days, starts = np.unique(last_day[order], return_index=True)
    for day, before, rows in zip(days, [0, *days], np.split(order, starts[1:]), strict=False):
        moved_area = moved_area + (day - before) * moved_share
        own_event, own_ending = (
            np.bincount(codes[rows], weights[rows] * outcome[rows], clusters)
            for outcome in (kinds == EVENT, kinds != CENSORED)
        )
        pace, ending = own_event.sum() / at_risk[day], own_ending.sum() / at_risk[day]
        moved_share = moved_share + moved_free * pace + free * (own_event - pace * own_at_risk) / at_risk[day]
        moved_free = moved_free * (1 - ending) - free * (own_ending - ending * own_at_risk) / at_risk[day]
        share[day:] += free * pace
        error[day:] = np.sqrt(moved_share @ moved_share)
        free *= 1 - ending
        own_at_risk = own_at_risk - np.bincount(codes[rows], weights[rows], clusters)
    return _Group(
        share=np.minimum(share, 1.0),
        error=error,
        weight_at_risk=at_risk,
        incident_free=float((1 - share[:horizon_days]).sum()),
        influence=-(moved_area + (horizon_days - days[-1]) * moved_share),
        known=bool(at_risk[horizon_days] > 0 or free < NOBODY),
    )


def _ends(share: Numbers, reach: Numbers) -> tuple[Numbers, Numbers]:
    """Ends on the log of minus the log of the share without; they stay as they were once that is nobody."""
    low, high = share.copy(), share.copy()
    some, full = (share > 0) & (share < 1 - NOBODY), share >= 1 - NOBODY
    without = 1 - share[some]
    wider = np.exp(reach[some] / (without * -np.log(without)))
    low[some], high[some] = 1 - without ** (1 / wider), 1 - without**wider
    low[full] = low[~full][-1]
    return low, high


def incident_free_days_difference(
    *,
    days: ArrayLike,
    kind: ArrayLike,
    treated: ArrayLike,
    clusters: ArrayLike,
    horizon_days: int,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> IncidentFreeDays:
    """Mean days without the event over the first `horizon_days`, treated less untreated: positive is longer without.

    The area above each group's `cumulative_incidence`; the day of the event counts as free of it. Death is not an
    event, and days after it count as free of events, as nothing more will be recorded: this is not time alive and well,
    so deaths belong beside it. With no deaths it is the difference of `restricted_mean`s.

    A cluster may have several rows, in either group or in both: what it moves the one by is taken from what it moves
    the other by before squaring. Variance times n / (n - 1) and t with n - 1 degrees of freedom, n the distinct treated
    clusters. Weights are taken as known.

    ValueError where in either group nobody was followed to the horizon while some might still have had the event.

    Andersen (2013), Statistics in Medicine 32:5278-5285.
    """
    last_day, kinds, weighted = _followed(days, kind, weights, horizon_days)
    people, flags = grouped(clusters, treated=treated)
    if flags.all():
        raise ValueError("there are no untreated rows to compare with")
    reach = t_quantile(level, people.treated - 1)
    first, other = (
        _course(last_day[rows], kinds[rows], weighted[rows], people.codes[rows], len(people.ids), horizon_days)
        for rows in (flags, ~flags)
    )
    if not (first.known and other.known):
        raise ValueError(
            f"nobody in a group was followed to day {horizon_days}, so the mean over those days is not known"
        )
    moved = first.influence - other.influence
    gap, error = first.incident_free - other.incident_free, float(np.sqrt(people.correction * (moved @ moved)))
    if not error > UNVARYING:
        raise ValueError("the days without the event do not vary in either group, so their difference has no interval")
    return IncidentFreeDays(
        treated=first.incident_free,
        untreated=other.incident_free,
        difference=Interval(value=gap, low=gap - reach * error, high=gap + reach * error),
        standard_error=error,
        p_value=t_two_sided(gap / error, people.treated - 1),
        df=people.treated - 1,
    )
