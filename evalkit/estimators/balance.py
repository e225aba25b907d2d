"""How alike two sides are in one covariate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

POOLED_SD = "pooled standard deviation before weighting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imbalance:
    """Means of one covariate on both sides, and how far apart they lie.

    Attributes
    ----------
    mean_programme, mean_comparison : float
        In the covariate's unit, weighted where weights were given.
    smd : float or None
        Standardised mean difference, programme less comparison, over POOLED_SD; None where that is zero.
    variance_ratio : float or None
        Variance on the programme side over that on the comparison side, weighted where weights were given; None where
        the comparison side does not vary or either side has one person.
    """

    mean_programme: float
    mean_comparison: float
    smd: float | None
    variance_ratio: float | None


def standardised_difference(
    *,
    programme: ArrayLike,
    comparison: ArrayLike,
    weights_programme: ArrayLike | None = None,
    weights_comparison: ArrayLike | None = None,
) -> Imbalance:
    """How far apart two sides are in one covariate, in standard deviations.

    One value a person; NaN is a value not held, and left out with its weight (the caller counts them). The denominator
    is POOLED_SD: the square root of the mean of both sides' variances (ddof 1) before weighting, so that weighting
    moves only the numerator and the differences before and after it are in one unit.

    Austin (2009), Statistics in Medicine 28:3083-3107.
    """
    values_1, weights_1 = _held(programme, weights_programme, "programme")
    values_0, weights_0 = _held(comparison, weights_comparison, "comparison")
    mean_1, mean_0 = (float(np.average(v, weights=w)) for v, w in ((values_1, weights_1), (values_0, weights_0)))
    pooled = ((_variance(values_1) or 0.0) + (_variance(values_0) or 0.0)) / 2
    variance_1, variance_0 = _variance(values_1, weights_1), _variance(values_0, weights_0)
    return Imbalance(
        mean_programme=mean_1,
        mean_comparison=mean_0,
        smd=(mean_1 - mean_0) / pooled**0.5 if pooled else None,
        variance_ratio=variance_1 / variance_0 if variance_1 is not None and variance_0 else None,
    )


def effective_people(weights: ArrayLike) -> float:
    """How many people of equal weight would give a mean the same variance: the squared sum over the sum of squares.

    One weight a person (a person's weights in several rows are to be added first; where rows are not weighted, that is
    their number). Between 1 and the number of people.

    Kish (1965), Survey Sampling.
    """
    weighted = np.asarray(weights, dtype=float)
    if weighted.ndim != 1 or not (np.isfinite(weighted).all() and (weighted >= 0).all() and weighted.any()):
        raise ValueError("weights are known and not negative, one a person, and not all 0")
    share = weighted / weighted.max()
    return float(share.sum() ** 2 / (share**2).sum())


def _held(values: ArrayLike, weights: ArrayLike | None, side: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The values that are held, with their weights."""
    every = np.asarray(values, dtype=float)
    weighted = np.ones_like(every) if weights is None else np.asarray(weights, dtype=float)
    if every.ndim != 1 or every.shape != weighted.shape:
        raise ValueError(f"the {side} side has {every.shape} values and {weighted.shape} weights: one of each a person")
    if not (np.isfinite(weighted).all() and (weighted >= 0).all()):
        raise ValueError(f"a weight on the {side} side is negative, missing or infinite")
    held = ~np.isnan(every)
    if not weighted[held].sum() > 0:
        raise ValueError(f"nobody on the {side} side has a value and a weight")
    return every[held], weighted[held]


def _variance(values: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> float | None:
    """Variance with ddof 1, for weights as unbiased when they mean reliability; None for one person."""
    weight = np.ones_like(values) if weights is None else weights
    counted, weight = values[weight > 0], weight[weight > 0]
    if len(counted) < 2:
        return None
    if np.ptp(counted) == 0:  # exact: the mean of equal values may differ from them in the last bit
        return 0.0
    share = weight / weight.sum()
    mean = np.average(counted, weights=share)
    return float((share * (counted - mean) ** 2).sum() / (1 - (share**2).sum()))
