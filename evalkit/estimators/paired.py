"""The same people judged twice: how far a share moved, how far two judges agree, and what chance alone would move."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from evalkit.estimators.models import check_level
from evalkit.estimators.proportions import wilson
from evalkit.results import Interval

NEAREST_TO_ONE = 1 - 1e-9  # a correlation beyond which nothing is left to look for
TO_AN_EMPTY_CELL = 0.5  # people


def paired_difference(*, both: int, first_only: int, second_only: int, neither: int, level: float = 0.95) -> Interval:
    """Share with something the second time less the share with it the first time, of people looked at twice.

    `both` had it both times, `first_only` only then, and so on. In the unit of a proportion: -0.08 is eight fewer in
    every hundred people. Newcombe's score interval from Wilson's for the two shares and their correlation, which is
    taken as smaller by half a person where it is positive; it keeps a width where nobody changed.

    Newcombe (1998), Statistics in Medicine 17:2635-2650, method 10.
    """
    people = both + first_only + second_only + neither
    first = wilson(events=both + first_only, people=people, level=level)
    second = wilson(events=both + second_only, people=people, level=level)
    correlation = _correlation(both, first_only, second_only, neither)
    value = second.value - first.value
    below = _apart(second.value - second.low, first.high - first.value, correlation)
    above = _apart(second.high - second.value, first.value - first.low, correlation)
    return Interval(value=value, low=max(-1.0, value - below), high=min(1.0, value + above))


def _correlation(both: int, first_only: int, second_only: int, neither: int) -> float:
    """Phi of the two times, made smaller for continuity where it is positive; 0 where one of them is constant."""
    if min(both, first_only, second_only, neither) < 0:
        raise ValueError("people are counted in whole numbers from 0")
    together = both * neither - first_only * second_only
    people = both + first_only + second_only + neither
    numerator = max(together - people / 2, 0.0) if together > 0 else together
    first, second = (both + first_only) * (second_only + neither), (both + second_only) * (first_only + neither)
    return numerator / math.sqrt(first) / math.sqrt(second) if first and second else 0.0


def _apart(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * correlation * one * other + other * other))


def weighted_kappa(*, table: ArrayLike, level: float = 0.95) -> Interval:
    """How far two judges agree on ordered levels, beyond chance, with linear weights: 1 is fully, 0 as chance would.

    `table` counts people, a row for each level by one judge and a column for each by the other, in the same order.
    Levels two apart count as twice the disagreement of neighbours. Normal interval, cut at -1 and 1; no width where
    they agree on everybody. ValueError where each of them gave one level to everybody, or nobody was judged.

    Cohen (1968), Psychological Bulletin 70:213-220; Fleiss, Cohen & Everitt (1969), Psychological Bulletin 72:323-327;
    computed by statsmodels.
    """
    from scipy.stats import norm
    from statsmodels.stats.inter_rater import cohens_kappa

    check_level(level)
    counts = np.asarray(table, dtype=float)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not (np.isfinite(counts).all() and counts.min() >= 0):
        raise ValueError("a table of two judges has as many columns as rows, and counts from 0")
    rows, across = (np.flatnonzero(counts.sum(axis=axis)) for axis in (1, 0))
    if len(np.union1d(rows, across)) < 2:
        raise ValueError("both judges gave everybody the same level, so their agreement cannot be told from chance")
    found = cohens_kappa(counts, wt="linear")
    value = min(1.0, float(found.kappa))
    reach = float(norm.isf((1 - level) / 2) * np.sqrt(max(0.0, float(found.var_kappa))))
    return Interval(value=value, low=max(-1.0, value - reach), high=min(1.0, value + reach))


def tetrachoric(*, table: ArrayLike) -> float:
    """Correlation of two normal severities of which is known only whether each was above a line of its own.

    `table` counts people: rows by the one (not above, above), columns by the other. The correlation at which as many
    would be above both as were, given as many above each; half a person is added to every cell where one is empty.
    ValueError where nobody, or everybody, was above one of the lines.

    Pearson (1900), Philosophical Transactions of the Royal Society A 195:1-47.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    counts = np.asarray(table, dtype=float)
    if counts.shape != (2, 2) or not (np.isfinite(counts).all() and counts.min() >= 0):
        raise ValueError("a correlation of two lines needs a table of two rows and two columns, and counts from 0")
    if not (counts.sum(axis=0).all() and counts.sum(axis=1).all()):
        raise ValueError("nobody, or everybody, was above one of the lines, so there is no correlation to tell")
    if not counts.all():
        counts = counts + TO_AN_EMPTY_CELL
    shares = counts / counts.sum()
    one, other = float(norm.ppf(shares[1].sum())), float(norm.ppf(shares[:, 1].sum()))

    def too_many(correlation: float) -> float:
        return _both_below(one, other, correlation) - float(shares[1, 1])

    return float(brentq(too_many, -NEAREST_TO_ONE, NEAREST_TO_ONE))


def _both_below(one: float, other: float, correlation: float) -> float:
    """Chance that two standard normal numbers of that correlation lie below these two, by one integral.

    Sheppard's formula in the angle; Drezner & Wesolowsky (1990), Journal of Statistical Computation and Simulation
    35:101-107.
    """
    from scipy.integrate import quad
    from scipy.stats import norm

    def density(angle: float) -> float:
        return math.exp(-(one**2 + other**2 - 2 * one * other * math.sin(angle)) / (2 * math.cos(angle) ** 2))

    area, _ = quad(density, 0, math.asin(correlation), epsabs=1e-12, limit=200)
    return float(norm.cdf(one) * norm.cdf(other) + area / (2 * math.pi))


def no_longer_high(*, prevalence: float, correlation: float) -> float:
    """Share of people at a high level at the start who are not at it later, where nothing changed but by chance.

    `prevalence` is the share at a high level in the population they come from, at either time; `correlation` that of
    severity at the two times, taken as normal. With 0.12 and 0.5 it is 0.65: two in three would no longer be high.
    The smaller the prevalence and the correlation, the larger it is.
    """
    from scipy.stats import norm

    if not 0 < prevalence < 1:
        raise ValueError(f"a share at a high level lies between 0 and 1, not at {prevalence}")
    if not -1 < correlation < 1:
        raise ValueError(f"a correlation lies between -1 and 1, not at {correlation}")
    line = float(norm.ppf(prevalence))
    return min(1.0, max(0.0, 1 - _both_below(line, line, correlation) / prevalence))
