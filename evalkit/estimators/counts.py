"""Counts of incidents over days at risk: rate ratios, what was to be expected, and totals before and after.

Incidents of one person, and of people known to the same victim, are not independent events: every spread here is by
cluster, and none assumes a Poisson variance.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalkit.estimators.models import (
    UNVARYING,
    Flags,
    NotFitted,
    Numbers,
    Ready,
    check_settled,
    decided,
    gathered,
    grouped,
    inflated,
    information,
    made_ready,
    row_weights,
    t_quantile,
    t_two_sided,
)
from evalkit.estimators.regression import LARGEST_LOG
from evalkit.results import Interval

MOST_STEPS = 40
WIDEST_AGREEMENT = 2.0  # standard errors of the difference


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountFit:
    """A rate ratio, and what the model behind it expects.

    Attributes
    ----------
    rate_ratio : Interval
        For one more of the column asked for, the others held equal; below 1 is fewer incidents a day.
    log_ratio, standard_error : float
        Its natural logarithm, and the standard error of that by cluster.
    p_value : float
        Two-sided, of a ratio of 1, by t with `df` degrees of freedom.
    df : int
        Distinct treated clusters less one.
    dispersion : float
        Pearson: the variance of a count over its mean, with the model's mean taken as right.
    means, means_without : array
        Expected count of each row; and with the column asked for at 0.
    daily_with, daily_without : float
        Counts a day expected of the treated rows, on average over them, with the column asked for at 1 and at 0.
    daily_difference : Interval
        The first less the second, by the delta method over all coefficients.
    clusters, influence : array
        The distinct clusters, in order, and how far each moves `log_ratio`; the squares add up to that of
        `standard_error`.
    dropped : tuple of str
        Columns left out because they are the same in all rows, follow from others, or alone say that rows have no
        incidents (such rows have mean 0).
    """

    rate_ratio: Interval
    log_ratio: float
    standard_error: float
    p_value: float
    df: int
    dispersion: float
    means: Numbers
    means_without: Numbers
    daily_with: float
    daily_without: float
    daily_difference: Interval
    clusters: NDArray[Any]
    influence: Numbers
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExpectedCount:
    """What the treated would have been expected to count without treatment.

    Attributes
    ----------
    total : Interval
        Sum over the treated rows; the interval is for the count that would have been observed, not only for its mean.
    standard_error : float
        Of the logarithm of the total: the model's and the people's own together.
    df : int
        Distinct treated clusters less one.
    dispersion : float
        Pearson, in the untreated rows.
    means : array
        Expected count of each treated row, in the order given.
    dropped : tuple of str
        As in `CountFit`.
    """

    total: Interval
    standard_error: float
    df: int
    dispersion: float
    means: Numbers
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioOfTotals:
    """Total after over total before, its p-value of 1, and the standard error of its logarithm, by t with `df`."""

    ratio: Interval
    p_value: float
    standard_error: float
    df: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fit:
    """A fitted log-linear model: of all rows the mean, of those fitted what their clusters' influence is made of."""

    coefficients: Numbers
    means: Numbers
    scores: Numbers
    inverse: Numbers
    values: Numbers
    dispersion: float

    def influence(self, direction: Numbers) -> Numbers:
        """How far each row moves the coefficients in a direction; 0 for rows that were not fitted."""
        moved: Numbers = self.scores * (self.values @ (self.inverse @ direction))
        return moved


def quasi_poisson(
    *,
    counts: ArrayLike,
    exposure_days: ArrayLike,
    columns: Mapping[str, ArrayLike],
    of: str,
    clusters: ArrayLike,
    treated: ArrayLike,
    factors: Mapping[str, ArrayLike] | None = None,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> CountFit:
    """Ratio of rates for one more of the column `of`, from a log-linear model of counts, with its spread by cluster.

    One value a row in `counts` (0 or more; sums of weights do as well), `exposure_days` and each of `columns` and
    `factors`; a factor's first level in order is the one compared with. Only the mean is taken from the Poisson
    likelihood. Scores are added up by cluster after `models.inflated`, their variance is multiplied by n / (n - 1) and
    referred to t with n - 1 degrees of freedom, n the distinct treated clusters. Weights are taken as known.

    Rows that one column alone says have no incidents are fitted as such and say nothing of the ratio. NotFitted where
    that column is `of`, where `of` is the same for all or follows from the others, where fewer than two clusters are
    treated, or where the fit does not settle.

    Wedderburn (1974), Biometrika 61:439-447; Liang & Zeger (1986), Biometrika 73:13-22; the fit by statsmodels.
    """
    people, flags = grouped(clusters, treated=treated)
    reach = t_quantile(level, people.treated - 1)
    counted, days, weighted = _observed(counts, exposure_days, weights, len(flags))
    raw = gathered(columns=columns, factors=factors or {}, rows=len(flags), last=of)
    apart, deciding = decided(raw, floor=np.ones_like(flags), top=counted > 0)
    if of in deciding:
        raise NotFitted(f"without {of}, or with it, nobody has an incident, so the rate ratio has no bound")
    ready = made_ready(raw, fitted=~apart)
    if of in ready.dropped:
        raise NotFitted(
            f"{of} is the same in all rows or follows from the other columns, so it has no ratio of its own"
        )
    fit = _fitted(ready.values, counted, days, weighted, ~apart)
    last = np.zeros(len(fit.coefficients))
    last[-1] = ready.unit
    influence = people.sums(fit.influence(last)) * people.correction**0.5
    log_ratio, error = float(fit.coefficients @ last), float(np.sqrt(influence @ influence))
    if not error > UNVARYING:
        raise NotFitted("the counts do not vary, so their ratio has no interval")
    column = np.asarray(columns[of], dtype=float)
    without = fit.means * np.exp(-log_ratio * column)
    rates, gradient = _rates_of_treated(ready, fit, without / days, log_ratio, column, flags)
    moved = people.sums(fit.influence(gradient)) * people.correction**0.5
    gap, apart_by = rates[0] - rates[1], reach * float(np.sqrt(moved @ moved))
    return CountFit(
        rate_ratio=_exponential(log_ratio, reach * error),
        log_ratio=log_ratio,
        standard_error=error,
        p_value=t_two_sided(log_ratio / error, people.treated - 1),
        df=people.treated - 1,
        dispersion=fit.dispersion,
        means=fit.means,
        means_without=without,
        daily_with=rates[0],
        daily_without=rates[1],
        daily_difference=Interval(value=gap, low=gap - apart_by, high=gap + apart_by),
        clusters=people.ids,
        influence=influence,
        dropped=tuple(dict.fromkeys((*deciding, *ready.dropped))),
    )


def _rates_of_treated(
    ready: Ready, fit: _Fit, without: Numbers, log_ratio: float, column: Numbers, treated: Flags
) -> tuple[tuple[float, float], Numbers]:
    """Mean daily rates of the treated rows with and without, and how their difference moves with each coefficient."""
    rows, bare = ready.values[treated], without[treated]
    held = {value: rows.copy() for value in (1.0, 0.0)}
    for value, values in held.items():
        values[:, -1] += (value - column[treated]) * ready.unit
    with_it = bare * np.exp(log_ratio)
    gradient: Numbers = (with_it @ held[1.0] - bare @ held[0.0]) / len(rows)
    return (float(with_it.mean()), float(bare.mean())), gradient


def _observed(
    counts: ArrayLike, exposure_days: ArrayLike, weights: ArrayLike | None, rows: int
) -> tuple[Numbers, Numbers, Numbers]:
    counted, days = np.asarray(counts, dtype=float), np.asarray(exposure_days, dtype=float)
    if not counted.shape == days.shape == (rows,):
        raise ValueError(f"each of {rows} rows needs a count and days at risk")
    if not (np.isfinite(counted).all() and (counted >= 0).all()):
        raise ValueError("a count is negative, missing or infinite")
    if not (np.isfinite(days).all() and (days > 0).all()):
        raise ValueError("days at risk are above 0 and known in every row: leave the other rows out first")
    return counted, days, row_weights(weights, rows)


def _fitted(values: Numbers, counts: Numbers, days: Numbers, weights: Numbers, rows: Flags) -> _Fit:
    """The model of `rows`, with a mean of 0 in the others."""
    used, observed, exposed = values[rows], counts[rows], days[rows]
    weighted = weights[rows] / weights[rows].mean()
    spare = len(used) - used.shape[1]
    if spare < 1:
        raise NotFitted("there are as many columns as rows")
    coefficients = _coefficients(used, observed, exposed, weighted)
    expected = _means(used, coefficients, exposed)
    inverse = information(used, weighted * expected, without_columns=float((weighted * observed).mean()))
    residuals = weighted * (observed - expected)
    check_settled(used, residuals, inverse)
    means, scores = np.zeros(len(values)), np.zeros(len(values))
    means[rows], scores[rows] = expected, inflated(used, weighted * expected, residuals, inverse)
    return _Fit(
        coefficients=coefficients,
        means=means,
        scores=scores,
        inverse=inverse,
        values=values,
        dispersion=float((residuals * (observed - expected) / expected).sum() / spare),
    )


def _coefficients(values: Numbers, counts: Numbers, days: Numbers, weights: Numbers) -> Numbers:
    """Largest likelihood by Newton's steps, from the first step that reweighted least squares would take."""
    import statsmodels.api as sm

    near = (counts + counts.mean()) / 2
    working = values * (weights * near)[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            start = np.linalg.solve(working.T @ values, working.T @ (np.log(near / days) + counts / near - 1))
            model = sm.GLM(counts, values, family=sm.families.Poisson(), offset=np.log(days), var_weights=weights)
            fit = model.fit(method="newton", start_params=start, maxiter=MOST_STEPS, tol=1e-10, ridge_factor=0, disp=0)
        except (np.linalg.LinAlgError, ValueError) as problem:
            raise NotFitted("the fit did not settle: too few incidents for so many columns") from problem
    return np.asarray(fit.params)


def _means(values: Numbers, coefficients: Numbers, days: Numbers) -> Numbers:
    with np.errstate(all="ignore"):
        means: Numbers = days * np.exp(values @ coefficients)
    if not (np.isfinite(means).all() and (means > 0).all()):
        raise NotFitted("the fit did not settle: it expects more incidents of some rows than can be counted, or none")
    return means


def _exponential(log_value: float, reach: float) -> Interval:
    if abs(log_value) + reach > LARGEST_LOG:
        raise NotFitted("there are too few treated people and incidents for an interval with an end")
    return Interval(value=math.exp(log_value), low=math.exp(log_value - reach), high=math.exp(log_value + reach))


def agree(one: CountFit, other: CountFit) -> bool:
    """Whether two log rate ratios differ by at most WIDEST_AGREEMENT standard errors of their difference.

    That standard error adds up, squared, how far each cluster moves the one less how far it moves the other; a cluster
    that one of them does not rest on does not move it.
    """
    ids = np.concatenate([one.clusters, other.clusters])
    _, codes = np.unique(ids, return_inverse=True)
    apart = np.bincount(codes, weights=np.concatenate([one.influence, -other.influence]))
    gap = abs(one.log_ratio - other.log_ratio)
    return bool(gap <= WIDEST_AGREEMENT * np.sqrt(apart @ apart))


def expected_count(
    *,
    counts: ArrayLike,
    exposure_days: ArrayLike,
    columns: Mapping[str, ArrayLike],
    clusters: ArrayLike,
    treated: ArrayLike,
    factors: Mapping[str, ArrayLike] | None = None,
    level: float = 0.95,
) -> ExpectedCount:
    """Total count to be expected of the treated rows had they not been treated, learned from the untreated ones.

    The model is that of `quasi_poisson`, of untreated rows only; the counts of the treated are not looked at. The
    variance of the total is that of its mean by cluster (delta method) and what people do by chance: of a count with
    mean m, m + a m^2, with `a` from the untreated rows by moments, a cluster's rows going up and down together. (The
    treated have larger means than most; the dispersion times m, which holds on average, was measured to give intervals
    of 95 % that hold 86 to 91 % of the totals.) Whoever stands in both groups is taken to be two, which widens the
    interval. It is made on the logarithm, by t with one less degree of freedom than there are treated clusters.

    NotFitted as there, and where a treated row is unlike every untreated one in a column.

    Breslow (1984), Applied Statistics 33:38-44, for the variance.
    """
    people, flags = grouped(clusters, treated=treated)
    reach = t_quantile(level, people.treated - 1)
    counted, days, weighted = _observed(counts, exposure_days, None, len(flags))
    if flags.all():
        raise NotFitted("there are no untreated rows to learn from")
    raw = gathered(columns=columns, factors=factors or {}, rows=len(flags))
    apart, deciding = decided(raw, floor=~flags, top=~flags & (counted > 0))
    fitted = ~flags & ~apart
    ready = made_ready(raw, fitted=fitted, predicted=flags)
    fit = _fitted(ready.values, counted, days, weighted, fitted)
    means = _means(ready.values[flags], fit.coefficients, days[flags])
    total = float(means.sum())
    of_mean = people.sums(fit.influence(means @ ready.values[flags]))
    expected = fit.means[fitted]
    growth = max(0.0, float(((counted[fitted] - expected) ** 2 - expected).sum() / (expected**2).sum()))
    together = np.bincount(people.codes[flags], weights=np.sqrt(means + growth * means**2))
    variance = people.correction * float(of_mean @ of_mean) + float(together @ together)
    error = variance**0.5 / total
    return ExpectedCount(
        total=_exponential(math.log(total), reach * error),
        standard_error=error,
        df=people.treated - 1,
        dispersion=fit.dispersion,
        means=means,
        dropped=tuple(dict.fromkeys((*deciding, *ready.dropped))),
    )


def ratio_of_totals(*, after: ArrayLike, before: ArrayLike, clusters: ArrayLike, level: float = 0.95) -> RatioOfTotals:
    """Total count after over total count before of the same rows: what a before/after comparison prints.

    It says nothing of what would have happened anyway. The ratio and spread of `quasi_poisson` on the rows twice, after
    and before, of equal length: a cluster moves the logarithm by its share of the total after less its share of that
    before, a little more for the leverage of one row among so many. ValueError where a total is 0 or there are fewer
    than two clusters.
    """
    later, earlier, people = np.asarray(after, dtype=float), np.asarray(before, dtype=float), np.asarray(clusters)
    if not later.shape == earlier.shape == people.shape or later.ndim != 1:
        raise ValueError("each row needs a count before, a count after and a cluster")
    if not (later.any() and earlier.any()):
        raise ValueError("the total before or after is 0, so they have no ratio")
    is_later = np.repeat([True, False], len(people))
    found = quasi_poisson(
        counts=np.concatenate([later, earlier]),
        exposure_days=np.ones(len(is_later)),
        columns={"later": is_later},
        of="later",
        clusters=np.concatenate([people, people]),
        treated=is_later,
        level=level,
    )
    return RatioOfTotals(
        ratio=found.rate_ratio, p_value=found.p_value, standard_error=found.standard_error, df=found.df
    )
