"""What a comparison of two shares, or of two rates, could have shown, and how many more people it would have taken.

A difference of shares is shown where two-sided mid-p and Newcombe's interval both say so, as a report asks of them
before it names a direction. In large equal arms the two say the same; with 100 people against 3,000 both together are
some 20 points rarer than mid-p alone. Chances are exact, by adding up the tables that show it. The normal approximation
was measured up to 26 points too hopeful with 20 people an arm; from some 200 an arm on it is within 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalkit.estimators.models import check_level

ROUNDING = 1e-12  # so that a mid-p of exactly 1 - level counts as seen
REDUCTION_STEP = 1e-6


def detectable_reduction(
    *, pooled_share: float, people_1: int, people_0: int, power: float = 0.8, level: float = 0.95
) -> float | None:
    """Smallest relative reduction (1 - ratio) in arm 1 that is shown with that power, to a millionth.

    0.30 is three in ten fewer than in arm 0. The share of everybody with the event is held at `pooled_share`, so that
    only the total is used and not which arm did better: see `power_of_reduction`. None where even a fall to nobody in
    arm 1 would be missed.
    """
    if not 0 < power < 1:
        raise ValueError(f"a power lies between 0 and 1, not at {power}")

    def shown(reduction: float) -> bool:
        chance = power_of_reduction(
            reduction=reduction, pooled_share=pooled_share, people_1=people_1, people_0=people_0, level=level
        )
        return chance >= power

    if not shown(1.0):
        return None
    missed, enough = 0.0, 1.0
    while enough - missed > REDUCTION_STEP:
        middle = (missed + enough) / 2
        missed, enough = (missed, middle) if shown(middle) else (middle, enough)
    return enough


def power_of_reduction(
    *, reduction: float, pooled_share: float, people_1: int, people_0: int, level: float = 0.95
) -> float:
    """Probability of showing fewer events in arm 1 if the true relative reduction there is this one.

    Shown: mid-p is at most 1 - level, and the whole of Newcombe's interval at that level lies below 0.

    The two risks share that reduction and average `pooled_share` over everybody. Where that would put more than
    everybody of arm 0 at risk, all of arm 0 have the event and the average falls short of `pooled_share`.
    """
    _check(people_1=people_1, people_0=people_0, level=level)
    if not (0 <= reduction <= 1 and 0 <= pooled_share <= 1):
        raise ValueError(f"reduction and share lie between 0 and 1, not at {reduction} and {pooled_share}")
    people = people_1 + people_0
    risk_0 = min(1.0, pooled_share * people / (people_1 * (1 - reduction) + people_0))
    return _chance(risk_1=risk_0 * (1 - reduction), risk_0=risk_0, people_1=people_1, people_0=people_0, level=level)


def more_people_needed(
    *,
    events_1: int,
    people_1: int,
    events_0: int,
    people_0: int,
    power: float = 0.8,
    level: float = 0.95,
    most: int = 10_000,
) -> int | None:
    """How many people to add, both arms together in their present proportion, if the true risks were those observed.

    With that many the power is reached, with one fewer it is not. 0 where the people there are
    already give that power (which can miss, or find, a difference all the same). None where the observed risks are
    equal: no number would do. `most` + 1 where it would take more than `most`.
    """
    _check(people_1=people_1, people_0=people_0, level=level)
    if not (0 <= events_1 <= people_1 and 0 <= events_0 <= people_0):
        raise ValueError(f"{events_1} of {people_1} and {events_0} of {people_0} people cannot have the event")
    if not 0 < power < 1:
        raise ValueError(f"a power lies between 0 and 1, not at {power}")
    if events_1 * people_0 == events_0 * people_1:
        return None
    lower, higher = sorted([(events_1 / people_1, people_1), (events_0 / people_0, people_0)])
    people = people_1 + people_0

    def enough(added: int) -> bool:
        fewer = round(lower[1] * (people + added) / people)
        chance = _chance(
            risk_1=lower[0], risk_0=higher[0], people_1=fewer, people_0=people + added - fewer, level=level
        )
        return chance >= power

    if enough(0):
        return 0
    if not enough(most):
        return most + 1
    short, reached = 0, most
    while reached - short > 1:
        middle = (short + reached) // 2
        short, reached = (short, middle) if enough(middle) else (middle, reached)
    return reached


def detectable_rate_reduction(
    *,
    people_1: int,
    effective_people_0: float,
    mean_count: float,
    dispersion: float,
    power: float = 0.8,
    level: float = 0.95,
) -> float | None:
    """Smallest relative reduction (1 - ratio) of a rate in arm 1 that is shown with that power.

    `power_of_rate_reduction` turned round. None where nothing could be shown: one person in arm 1, who has no spread,
    or no incidents to be expected.
    """
    from scipy.stats import t

    if not 0.5 <= power < 1:
        raise ValueError(f"a power to plan for lies between 0.5 and 1, not at {power}")
    _check(people_1=people_1, people_0=1, level=level)
    error = _log_ratio_error(people_1, effective_people_0, mean_count, dispersion)
    if people_1 == 1 or not np.isfinite(error):
        return None
    reach = t.isf((1 - level) / 2, people_1 - 1) + t.isf(1 - power, people_1 - 1)
    return float(-np.expm1(-reach * error))


def power_of_rate_reduction(
    *,
    reduction: float,
    people_1: int,
    effective_people_0: float,
    mean_count: float,
    dispersion: float,
    level: float = 0.95,
) -> float:
    """Probability that the interval of a rate ratio lies below 1 if the true relative reduction in arm 1 is this one.

    The log ratio has variance d / (n1 m) + d / (n0 m) and is referred to t with n1 - 1 degrees of freedom: m is the
    count expected of a person without the programme, d the dispersion (variance over mean), n1 the people in arm 1, n0
    the effective number in arm 0 (`effective_people`). An approximation: the variance is that of no reduction, and what
    adjustment adds or takes away is left out. 0 where nothing could be shown.

    Zhu & Lakkis (2014), Statistics in Medicine 33:376-387, with the variance under no reduction and quantiles of t.
    """
    from scipy.stats import t

    if not 0 <= reduction < 1:
        raise ValueError(f"a reduction lies between 0 and 1, not at {reduction}")
    _check(people_1=people_1, people_0=1, level=level)
    error = _log_ratio_error(people_1, effective_people_0, mean_count, dispersion)
    if people_1 == 1 or not np.isfinite(error):
        return 0.0
    reach = t.isf((1 - level) / 2, people_1 - 1)
    return float(t.cdf(-np.log1p(-reduction) / error - reach, people_1 - 1))


def _log_ratio_error(people_1: int, effective_people_0: float, mean_count: float, dispersion: float) -> float:
    """Standard error of the log rate ratio; inf where no incidents are expected."""
    if not (mean_count >= 0 and dispersion > 0 and effective_people_0 > 0 and np.isfinite(mean_count + dispersion)):
        raise ValueError("a mean count is 0 or more, dispersion and effective people above 0, and all are known")
    each = dispersion / mean_count if mean_count else np.inf
    return float((each / people_1 + each / effective_people_0) ** 0.5)


def _chance(*, risk_1: float, risk_0: float, people_1: int, people_0: int, level: float) -> float:
    """Probability that arm 1 is shown to have fewer events, over all pairs of counts that are not negligible."""
    from scipy.stats import binom

    risk_1, risk_0 = round(risk_1, 15), round(risk_0, 15)  # scipy overflows at the smallest numbers there are
    counts_1, counts_0 = _likely(people_1, risk_1), _likely(people_0, risk_0)
    totals = np.arange(counts_1[0] + counts_0[0], counts_1[-1] + counts_0[-1] + 1)
    fewest_0 = totals - _most_by_mid_p(totals, people_1, people_0, level)
    highest_total = totals[0] - 1 + np.searchsorted(fewest_0, counts_0, side="right")
    most_1 = np.minimum(highest_total - counts_0, _most_by_interval(counts_0, people_1, people_0, level))
    shown = binom.pmf(counts_0, people_0, risk_0) * binom.cdf(most_1, people_1, risk_1)
    return float(min(1.0, shown.sum()))


def _most_by_mid_p(totals: NDArray[Any], people_1: int, people_0: int, level: float) -> NDArray[Any]:
    """For each total of events, the most of them in arm 1 at which lower-tail mid-p is at most (1 - level) / 2."""
    people = people_1 + people_0
    spread = int(9 * (1 + np.sqrt(min(people_1, people_0)) / 2))
    first = max(0, int(totals[0] * people_1 / people) - spread)
    last = min(people_1, int(totals[-1] * people_1 / people) + 1)
    counts = np.arange(first, last + 1)[:, None]
    others = totals - counts
    possible = (others >= 0) & (others <= people_0)
    log_chance = (
        _log_choices(people_1, counts)
        + _log_choices(people_0, np.where(possible, others, 0))
        - _log_choices(people, totals)
    )
    chance = np.exp(np.where(possible, log_chance, -np.inf))
    lower_tail = np.cumsum(chance, axis=0) - chance / 2
    most: NDArray[Any] = first - 1 + (lower_tail <= (1 - level) / 2 + ROUNDING).sum(axis=0)
    return most


def _most_by_interval(counts_0: NDArray[Any], people_1: int, people_0: int, level: float) -> NDArray[Any]:
    """For each count in arm 0, the most events in arm 1 at which Newcombe's interval lies below 0; -1 for none."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    most, too_many = np.full_like(counts_0, -1), np.full_like(counts_0, people_1)
    while (too_many - most > 1).any():
        middle = (most + too_many) // 2
        _, high = confint_proportions_2indep(
            np.maximum(middle, 0), people_1, counts_0, people_0, method="newcomb", compare="diff", alpha=1 - level
        )
        below = (middle < 0) | (high < 0)
        most, too_many = np.where(below, middle, most), np.where(below, too_many, middle)
    return most


def _log_choices(people: int, chosen: NDArray[Any]) -> NDArray[Any]:
    from scipy.special import gammaln

    ways: NDArray[Any] = gammaln(people + 1) - gammaln(chosen + 1) - gammaln(people - chosen + 1)
    return ways


def _likely(people: int, risk: float) -> NDArray[Any]:
    """The counts of events, of so many people, that are not negligibly improbable: below 1e-13 at each end.

    By Bernstein's inequality.
    """
    reach = 20 + 8 * (people * risk * (1 - risk)) ** 0.5
    return np.arange(max(0, int(people * risk - reach)), min(people, int(people * risk + reach) + 1) + 1)


def _check(*, people_1: int, people_0: int, level: float) -> None:
    if min(people_1, people_0) < 1:
        raise ValueError(f"both arms need people, not {people_1} and {people_0}")
    check_level(level)
