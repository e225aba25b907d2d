"""Days to the first event, with people who leave before it; one row a person, `days` counted from 1."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalkit.estimators.models import check_level


@dataclass(frozen=True, slots=True, kw_only=True)
class KaplanMeier:
    """Share still without the event, by day; all columns have one length and start at day 0 with everybody.

    Attributes
    ----------
    days : tuple of int
        Days on which somebody had the event or left, and the horizon.
    survival, low, high : tuple of float
        Share without the event from that day until the next, and the ends of its interval.
    at_risk, events : tuple of int
        People followed and without the event just before that day, and those who had it on that day.
    """

    days: tuple[int, ...]
    survival: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    at_risk: tuple[int, ...]
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictedMean:
    """Mean days without the event within the horizon; `variance`, in days squared, is of the mean, not of a person."""

    value: float
    low: float
    high: float
    standard_error: float
    variance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictedMeanDifference:
    """Mean days without the event within the horizon, arm 1 less arm 0, in days, and the two-sided p-value of none."""

    value: float
    low: float
    high: float
    standard_error: float
    p_value: float


def kaplan_meier(*, days: ArrayLike, event: ArrayLike, horizon_days: int, level: float = 0.95) -> KaplanMeier:
    """Share without the event by day, with log-log (exponential Greenwood) intervals, pointwise.

    `days` is the day of the event, or the last day followed; somebody who leaves on the day of another's event was at
    risk of it. Whatever happens after the horizon is not looked at. Where the last person leaves before the horizon the
    share stays as it was, with nobody at risk. Until the first event the interval has no width; once everybody has had
    the event its upper end stays where it was (the formula gives neither).

    Kalbfleisch & Prentice (2002), The Statistical Analysis of Failure Time Data, 2nd ed., section 1.4; computed by
    lifelines.
    """
    from lifelines import KaplanMeierFitter

    last_day, happened = _followed(days, event, horizon_days)
    check_level(level)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = KaplanMeierFitter(alpha=1 - level).fit(last_day, happened)
    table = fit.event_table
    survival = fit.survival_function_.iloc[:, 0].to_numpy(dtype=float)
    ends = fit.confidence_interval_survival_function_.to_numpy(dtype=float)
    survival = np.where(survival < 1e-12, 0.0, survival)
    low = np.where(survival == 0, 0.0, np.minimum(ends[:, 0], survival))
    high = np.maximum(ends[:, 1], survival)
    if survival[-1] == 0:
        high[survival == 0] = high[survival > 0][-1]
    columns = {
        "days": [int(day) for day in table.index],
        "survival": survival.tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
        "at_risk": [int(people) for people in table["at_risk"]],
        "events": [int(people) for people in table["observed"]],
    }
    if columns["days"][-1] < horizon_days:
        at_horizon = {"days": horizon_days, "at_risk": 0, "events": 0}
        columns = {name: [*column, at_horizon.get(name, column[-1])] for name, column in columns.items()}
    return KaplanMeier(**{name: tuple(column) for name, column in columns.items()})


def restricted_mean(*, days: ArrayLike, event: ArrayLike, horizon_days: int, level: float = 0.95) -> RestrictedMean:
    """Mean days without the event over the first `horizon_days`: the area under Kaplan-Meier, with its standard error.

    The day of the event counts as lived, so with nobody leaving early this is the mean of the smaller of `days` and
    the horizon. The variance sums over event days the squared area from that day to the horizon times d / (Y (Y - d)),
    for d events among Y at risk. It is lifelines' curve but not lifelines' variance, which is that of one person's
    days and does not shrink with more people.
    The interval is normal, cut at 0 and the horizon. Where nobody has the event the standard error is 0.

    ValueError where nobody is left at the horizon, and not because all had the event: choose an earlier one.

    Klein & Moeschberger (2003), Survival Analysis, 2nd ed., section 4.5; Uno et al. (2014), Journal of Clinical
    Oncology 32:2380-2385.
    """
    curve = kaplan_meier(days=days, event=event, horizon_days=horizon_days, level=level)
    if curve.at_risk[-1] == 0 and curve.survival[-1] > 0:
        raise ValueError(f"nobody was followed to day {horizon_days}, so the mean over those days is not known")
    steps = np.array(curve.survival[:-1]) * np.diff(curve.days)
    area_left = np.append(np.cumsum(steps[::-1])[::-1], 0.0)
    at_risk, events = np.array(curve.at_risk, dtype=float), np.array(curve.events, dtype=float)
    some_left = at_risk > events
    hazard = events[some_left] / (at_risk[some_left] * (at_risk[some_left] - events[some_left]))
    value, variance = float(steps.sum()), float((area_left[some_left] ** 2 * hazard).sum())
    reach = _normal_quantile(level) * variance**0.5
    return RestrictedMean(
        value=value,
        low=max(0.0, value - reach),
        high=min(float(horizon_days), value + reach),
        standard_error=variance**0.5,
        variance=variance,
    )


def restricted_mean_difference(
    *,
    days_1: ArrayLike,
    event_1: ArrayLike,
    days_0: ArrayLike,
    event_0: ArrayLike,
    horizon_days: int,
    level: float = 0.95,
) -> RestrictedMeanDifference:
    """Difference in mean days without the event over the first `horizon_days`, arm 1 less arm 0.

    Positive is longer without the event in arm 1. Normal interval and test, from the standard errors of both
    `restricted_mean`s. An arm without events adds nothing to the standard error, which is then too small where that arm
    is small; where neither has one there is none to go by: ValueError.
    """
    first = restricted_mean(days=days_1, event=event_1, horizon_days=horizon_days, level=level)
    other = restricted_mean(days=days_0, event=event_0, horizon_days=horizon_days, level=level)
    value, error = first.value - other.value, (first.variance + other.variance) ** 0.5
    if error == 0:
        raise ValueError("the days without the event do not vary in either arm, so their difference has no interval")
    reach = _normal_quantile(level) * error
    return RestrictedMeanDifference(
        value=value,
        low=value - reach,
        high=value + reach,
        standard_error=error,
        p_value=_two_sided(value / error),
    )


def log_rank(*, days_1: ArrayLike, event_1: ArrayLike, days_0: ArrayLike, event_0: ArrayLike) -> float:
    """Two-sided p-value of the log-rank test that both arms have the event at the same pace on every day.

    Over all the days given: cut them at the horizon first. Ties by the hypergeometric variance. 1 where no event fell
    on a day on which both arms were at risk.

    Mantel (1966), Cancer Chemotherapy Reports 50:163-170; computed by lifelines.
    """
    from lifelines.statistics import logrank_test

    last_1, happened_1 = _followed(days_1, event_1, None)
    last_0, happened_0 = _followed(days_0, event_0, None)
    both = min(last_1.max(), last_0.max())
    if not (last_1[happened_1] <= both).any() and not (last_0[happened_0] <= both).any():
        return 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        p_value = float(logrank_test(last_1, last_0, happened_1, happened_0).p_value)
    return 1.0 if np.isnan(p_value) else p_value


def _followed(
    days: ArrayLike, event: ArrayLike, horizon_days: int | None
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Last day and whether the event fell on it, as known at the horizon."""
    last_day, happened = np.asarray(days), np.asarray(event)
    if last_day.ndim != 1 or last_day.shape != happened.shape or not len(last_day):
        raise ValueError(f"{last_day.shape} days and {happened.shape} events: one of each a person, of at least one")
    if not (
        np.issubdtype(last_day.dtype, np.number) and (last_day == np.floor(last_day)).all() and last_day.min() >= 1
    ):
        raise ValueError("days are whole numbers from 1; an event on the index day itself is in neither window")
    if not np.isin(happened, (0, 1)).all():
        raise ValueError("event is true or false for each person")
    last_day, happened = last_day.astype(np.int64), happened.astype(bool)
    if horizon_days is None:
        return last_day, happened
    if horizon_days < 1:
        raise ValueError(f"a horizon lies at day 1 or later, not at {horizon_days}")
    return np.minimum(last_day, horizon_days), happened & (last_day <= horizon_days)


def _normal_quantile(level: float) -> Any:
    from scipy.stats import norm

    return float(norm.isf((1 - level) / 2))


def _two_sided(z: float) -> float:
    from scipy.stats import norm

    return float(2 * norm.sf(abs(z)))
