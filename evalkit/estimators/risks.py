"""The share of the treated with an event, as it is and as it would have been, by a logistic model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evalkit.estimators.logistic import logistic, penalised_where_needed
from evalkit.estimators.models import (
    UNVARYING,
    Flags,
    NotFitted,
    Numbers,
    Ready,
    decided,
    gathered,
    grouped,
    inflated,
    made_ready,
    t_quantile,
    t_two_sided,
)
from evalkit.results import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardisedRisk:
    """Risk of an event among the treated, with and without the treatment.

    Attributes
    ----------
    risk_with, risk_without : Interval
        Mean over the treated rows of the model's risk with the column asked for at 1, and at 0.
    difference : Interval
        The first less the second, in the unit of a proportion.
    ratio : Interval
        The first over the second; `high` is inf where the second cannot be told from 0.
    p_value : float
        Two-sided, of no difference, by t with `df` degrees of freedom.
    df : int
        Distinct treated clusters less one.
    dropped : tuple of str
        Columns left out because they are the same in all rows, follow from others, or alone say that rows have the
        event or have it not (such rows keep what was observed, with and without).
    """

    risk_with: Interval
    risk_without: Interval
    difference: Interval
    ratio: Interval
    p_value: float
    df: int
    dropped: tuple[str, ...]


def standardised_risk(
    *,
    event: ArrayLike,
    columns: Mapping[str, ArrayLike],
    of: str,
    clusters: ArrayLike,
    treated: ArrayLike,
    factors: Mapping[str, ArrayLike] | None = None,
    level: float = 0.95,
) -> StandardisedRisk:
    """Risks of the treated with the column `of` at 1 and at 0, by logistic regression and standardisation over them.

    The spread is that of `quasi_poisson`, by cluster with the same leverage, carried to the risks by the delta method;
    that of who came to be treated is in it. Intervals are by t on the scale of the difference, cut at -1 and 1; by
    Fieller's set for the ratio, which lies on the same side of no difference; on the log odds for each risk.

    NotFitted where `of` sets those with the event apart or follows from the others, where the columns together do so,
    or where fewer than two clusters are treated.

    Greenland (2004), American Journal of Epidemiology 160:301-305; Fieller (1954), Journal of the Royal Statistical
    Society B 16:175-185.
    """
    people, flags = grouped(clusters, treated=treated)
    df = people.treated - 1
    reach = t_quantile(level, df)
    happened = np.asarray(event)
    if happened.shape != flags.shape or not np.isin(happened, (0, 1)).all():
        raise ValueError("event is true or false for each row")
    happened = happened.astype(bool)
    raw = gathered(columns=columns, factors=factors or {}, rows=len(flags), last=of)
    apart, deciding = decided(raw, floor=~happened, top=happened)
    if of in deciding:
        raise NotFitted(f"{of} sets those with the event apart from the others, so the risks cannot be compared")
    ready = made_ready(raw, fitted=~apart)
    if of in ready.dropped:
        raise NotFitted(f"{of} is the same in all rows or follows from the other columns, so nothing is known of it")
    risks, influences = _standardised(ready, happened, flags, apart, np.asarray(columns[of], dtype=float))
    moved = np.column_stack([people.sums(rows) for rows in influences])
    spread = people.correction * moved.T @ moved
    gap, error = float(risks[0] - risks[1]), float(np.sqrt(spread[0, 0] - 2 * spread[0, 1] + spread[1, 1]))
    if not error > UNVARYING:
        raise NotFitted("the risks do not vary, so their difference has no interval")
    return StandardisedRisk(
        risk_with=_on_log_odds(risks[0], reach * spread[0, 0] ** 0.5),
        risk_without=_on_log_odds(risks[1], reach * spread[1, 1] ** 0.5),
        difference=Interval(value=gap, low=max(-1.0, gap - reach * error), high=min(1.0, gap + reach * error)),
        ratio=_fieller(risks, reach**2 * spread),
        p_value=t_two_sided(gap / error, df),
        df=df,
        dropped=tuple(dict.fromkeys((*deciding, *ready.dropped))),
    )


def _standardised(
    ready: Ready, event: Flags, treated: Flags, apart: Flags, column: Numbers
) -> tuple[Numbers, list[Numbers]]:
    """Both risks, and how far each row moves each of them: through the coefficients, and by being among the treated."""
    from scipy.special import expit

    used = ready.values[~apart]
    coefficients, shares, inverse = logistic(used, event[~apart])
    scores = np.zeros(len(event))
    scores[~apart] = inflated(used, shares * (1 - shares), event[~apart] - shares, inverse)
    people = int(treated.sum())
    risks, influences = [], []
    for value in (1.0, 0.0):
        held = ready.values.copy()
        held[:, -1] += (value - column) * ready.unit
        risk = np.where(apart, event, expit(held @ coefficients))
        slope = np.where(apart, 0.0, risk * (1 - risk))[treated] @ held[treated] / people
        mean = risk[treated].mean()
        risks.append(mean)
        influences.append(scores * (ready.values @ (inverse @ slope)) + treated * (risk - mean) / people)
    return np.array(risks), influences


def _on_log_odds(risk: float, reach: float) -> Interval:
    odds, far = math.log(risk / (1 - risk)), reach / (risk * (1 - risk))
    value, low, high = (1 / (1 + math.exp(-x)) for x in (odds, odds - far, odds + far))
    return Interval(value=float(risk), low=min(low, value), high=max(high, value))


def _fieller(risks: Numbers, spread: Numbers) -> Interval:
    """The ratios R, 0 or more, at which the first risk less R times the second is within its reach of 0."""
    square, product, constant = (risks[i] * risks[j] - spread[i, j] for i, j in ((1, 1), (0, 1), (0, 0)))
    root = math.sqrt(max(0.0, product**2 - square * constant))
    return Interval(
        value=float(risks[0] / risks[1]),
        low=float(constant / (product + root)) if constant > 0 else 0.0,
        high=float((product + root) / square) if square > 0 else math.inf,
    )


def expected_share(
    *,
    event: ArrayLike,
    columns: Mapping[str, ArrayLike],
    clusters: ArrayLike,
    treated: ArrayLike,
    factors: Mapping[str, ArrayLike] | None = None,
    level: float = 0.95,
) -> Interval:
    """Share of the treated rows to be expected with an event had they not been treated, learned from the untreated.

    The logistic model is of untreated rows only; the events of the treated are not looked at, and may be missing. The
    interval is for the share that would have been observed, not only for its mean: the variance of the mean by cluster
    (delta method, with the leverage of `quasi_poisson`) and what people do by chance, a cluster's rows going up and
    down together. Whoever stands in both groups is taken to be two, which widens it. By t with one less degree of
    freedom than there are treated clusters, cut at 0 and 1. Where columns separate the untreated with the event from
    the others the fit is Firth's (see `logistic.penalised_where_needed`).

    NotFitted where nobody or everybody of the untreated has the event, where a treated row is unlike every untreated
    one in a column, or where fewer than two clusters are treated.
    """
    from scipy.special import expit

    people, flags = grouped(clusters, treated=treated)
    reach = t_quantile(level, people.treated - 1)
    happened = np.asarray(event, dtype=float)
    if happened.shape != flags.shape or not np.isin(happened[~flags], (0, 1)).all():
        raise ValueError("event is true or false for each untreated row")
    if np.unique(happened[~flags]).size < 2:
        raise NotFitted("there are no untreated rows to learn from, or all of them or none had the event")
    raw = gathered(columns=columns, factors=factors or {}, rows=len(flags))
    values = made_ready(raw, fitted=~flags, predicted=flags).values
    learned, asked = values[~flags], values[flags]
    coefficients, shares, inverse = penalised_where_needed(learned, happened[~flags])
    chance = expit(asked @ coefficients)
    variance, share = chance * (1 - chance), float(chance.mean())
    scores = np.zeros(len(flags))
    scores[~flags] = inflated(learned, shares * (1 - shares), happened[~flags] - shares, inverse) * (
        learned @ (inverse @ (variance @ asked))
    )
    of_mean, together = people.sums(scores), np.bincount(people.codes[flags], weights=np.sqrt(variance))
    far = reach * float(np.sqrt(people.correction * (of_mean @ of_mean) + together @ together)) / len(asked)
    return Interval(value=share, low=max(0.0, share - far), high=min(1.0, share + far))
