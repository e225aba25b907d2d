"""Means of a number, such as a score: adjusted differences between groups, and how far it came of the way it could."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalkit.estimators.models import (
    UNVARYING,
    NotFitted,
    Numbers,
    gathered,
    grouped,
    inflated,
    information,
    made_ready,
    row_weights,
    t_quantile,
    t_two_sided,
)
from evalkit.results import Interval


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearFit:
    """A difference of means, other columns held equal.

    Attributes
    ----------
    difference : Interval
        For one more of the column asked for, in the unit of the outcome; below 0 is a lower mean.
    standard_error : float
        Of the difference, by cluster.
    p_value : float
        Two-sided, of no difference, by t with `df` degrees of freedom.
    df : int
        Distinct treated clusters less one.
    mean_with, mean_without : float
        Weighted mean over the treated rows of what the model expects with the column asked for at 1, and at 0.
    dropped : tuple of str
        Columns left out because they are the same in all rows or follow from others.
    clusters, influence : array
        The distinct clusters, in order, and how far each moves the difference; the squares add up to that of
        `standard_error`.
    """

    difference: Interval
    standard_error: float
    p_value: float
    df: int
    mean_with: float
    mean_without: float
    dropped: tuple[str, ...]
    clusters: NDArray[Any]
    influence: Numbers


def linear_difference(
    *,
    outcome: ArrayLike,
    columns: Mapping[str, ArrayLike],
    of: str,
    clusters: ArrayLike,
    treated: ArrayLike,
    factors: Mapping[str, ArrayLike] | None = None,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> LinearFit:
    """Difference of means for one more of the column `of`, by (weighted) least squares, with its spread by cluster.

    With the outcome before treatment among the columns it is the analysis of covariance. The spread is that of
    `quasi_poisson`: residuals are added up by cluster after `models.inflated`, their variance is multiplied by
    n / (n - 1) and referred to t with n - 1 degrees of freedom, n the distinct treated clusters. Rows need not be
    normal nor equally spread. Weights are taken as known.

    NotFitted where `of` is the same for all or follows from the others, where fewer than two clusters are treated,
    where there are as many columns as rows, or where nothing is left unexplained.

    Liang & Zeger (1986), Biometrika 73:13-22; MacKinnon & White (1985), Journal of Econometrics 29:305-325.
    """
    people, flags = grouped(clusters, treated=treated)
    reach = t_quantile(level, people.treated - 1)
    seen, weighted = _numbers(outcome, len(flags)), row_weights(weights, len(flags))
    raw = gathered(columns=columns, factors=factors or {}, rows=len(flags), last=of)
    ready = made_ready(raw, fitted=np.ones_like(flags))
    values = ready.values
    if of in ready.dropped:
        raise NotFitted(
            f"{of} is the same in all rows or follows from the other columns, so it has no difference of its own"
        )
    if len(values) <= values.shape[1]:
        raise NotFitted("there are as many columns as rows")
    weighted = weighted / weighted.mean()
    inverse = information(values, weighted, without_columns=1.0)
    centre = seen.mean()
    coefficients = inverse @ (values.T @ (weighted * (seen - centre)))
    expected = centre + values @ coefficients
    scores = inflated(values, weighted, weighted * (seen - expected), inverse)
    influence = people.sums(scores * (values @ inverse[:, -1])) * ready.unit * people.correction**0.5
    gap, error = float(coefficients[-1] * ready.unit), float(np.sqrt(influence @ influence))
    if not error > UNVARYING * np.abs(seen).max():
        raise NotFitted("the columns explain the outcome of every row, so its difference has no interval")
    without = expected - gap * np.asarray(columns[of], dtype=float)
    bare = float(np.average(without[flags], weights=weighted[flags]))
    return LinearFit(
        difference=Interval(value=gap, low=gap - reach * error, high=gap + reach * error),
        standard_error=error,
        p_value=t_two_sided(gap / error, people.treated - 1),
        df=people.treated - 1,
        mean_with=bare + gap,
        mean_without=bare,
        dropped=ready.dropped,
        clusters=people.ids,
        influence=influence,
    )


def _numbers(values: ArrayLike, rows: int) -> Numbers:
    numbers = np.asarray(values, dtype=float)
    if numbers.shape != (rows,) or not np.isfinite(numbers).all():
        raise ValueError("a value is missing or infinite, or there is not one for each row: leave such rows out first")
    return numbers


def mean_of(
    *, values: ArrayLike, clusters: ArrayLike, weights: ArrayLike | None = None, level: float = 0.95
) -> Interval:
    """Weighted mean of the values, one a row, with its interval by cluster.

    `ratio_of_falls` of the values to 1: with one row a cluster and no weights, the t interval of a mean.
    """
    ones = np.ones(np.shape(values))
    return ratio_of_falls(fall=values, attainable=ones, clusters=clusters, weights=weights, level=level)


def ratio_of_falls(
    *,
    fall: ArrayLike,
    attainable: ArrayLike,
    clusters: ArrayLike,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> Interval:
    """Weighted total of the falls over that of the falls that were attainable, with its interval by cluster.

    1 is all of it, 0 none; above 1 or below 0 where people fell further, or rose. A row may have nothing attainable,
    or less than that. By the delta method: a cluster moves the ratio by its fall less the ratio times what it could
    fall, over the total attainable; variance times n / (n - 1) and t with n - 1 degrees of freedom for n clusters.
    No width where every row has the same ratio.

    ValueError where nothing was attainable in total; NotFitted where there are fewer than two clusters.

    Cochran (1977), Sampling Techniques, 3rd ed., section 6.3.
    """
    people, flags = grouped(clusters, treated=np.ones(np.shape(clusters), dtype=bool))
    reach = t_quantile(level, people.treated - 1)
    weighted = row_weights(weights, len(flags))
    fell, could = (weighted * _numbers(numbers, len(flags)) for numbers in (fall, attainable))
    total = could.sum()
    if not total > UNVARYING * np.abs(could).max():
        raise ValueError("nothing was attainable, so there is no share of it that came")
    ratio = float(fell.sum() / total)
    moved = people.sums(fell - ratio * could) / total
    far = reach * float(np.sqrt(people.correction * (moved @ moved)))
    return Interval(value=ratio, low=ratio - far, high=ratio + far)
