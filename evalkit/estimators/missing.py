"""An event that is not known of everybody: what the difference between two groups is under named assumptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evalkit.estimators.logistic import penalised_where_needed
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

CERTAIN = 1e-12  # a share this near to 0 or 1 is not moved any nearer


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedFit:
    """Shares with an event, had everybody been treated or nobody, standardised over everybody of both groups.

    Attributes
    ----------
    difference : Interval
        `share_with` less `share_without`, in the unit of a proportion.
    standard_error : float
        Of the difference, by cluster.
    p_value : float
        Two-sided, of no difference, by t with `df` degrees of freedom.
    df : int
        Distinct treated clusters less one.
    share_with, share_without : float
        Mean over all rows of the model's chance of the event with the column asked for at 1, and at 0.
    dropped : tuple of str
        Columns left out because they are the same in all rows with a known event, or follow from others.
    """

    difference: Interval
    standard_error: float
    p_value: float
    df: int
    share_with: float
    share_without: float
    dropped: tuple[str, ...]


def assessed_difference(
    *,
    event: ArrayLike,
    columns: Mapping[str, ArrayLike],
    of: str,
    clusters: ArrayLike,
    treated: ArrayLike,
    factors: Mapping[str, ArrayLike] | None = None,
    shift_sd: float = 0.0,
    level: float = 0.95,
) -> AssessedFit:
    """Difference in the chance of an event for the column `of` at 1 and at 0, over all rows, some events not known.

    `event` is 0 or 1, or NaN where it is not known. A logistic model of the rows where it is known gives the chance in
    the others, which supposes that those not known of are like the rest of the same group, columns and factors. With
    `shift_sd` they are taken to be worse, in both groups: the normal quantile of their chance is moved up by so many
    standard deviations of severity (down where it is below 0). The model is fitted again to events known and filled
    in, which changes nothing where nothing was moved, and its chances are averaged over all rows. This is the limit of
    multiple imputation with many imputations.

    The spread is by cluster, through both fits and the average (delta method), with residuals, n / (n - 1) and t as in
    `quasi_poisson`; the interval is cut at -1 and 1. Where columns separate those with the event from the others the
    fit is Firth's (see `logistic.penalised_where_needed`).

    NotFitted where the event is known of nobody with it or without it, where `of` sets them apart or follows from the
    others, where a row with the event not known is unlike all the others in a column, or where fewer than two clusters
    are treated.

    Robins (1986), Mathematical Modelling 7:1393-1512; Steingrimsson, Hanley & Rosenblum (2017), Contemporary Clinical
    Trials 54:18-24; for the shift Carpenter & Kenward (2013), Multiple Imputation and its Application, chapter 10.
    """
    people, flags = grouped(clusters, treated=treated)
    reach = t_quantile(level, people.treated - 1)
    happened = np.asarray(event, dtype=float)
    known = ~np.isnan(happened)
    if happened.shape != flags.shape or not np.isin(happened[known], (0, 1)).all():
        raise ValueError("event is true, false or not known for each row")
    raw = gathered(columns=columns, factors=factors or {}, rows=len(flags), last=of)
    _, deciding = decided(raw, floor=known & (happened == 0), top=known & (happened == 1))
    if of in deciding:
        raise NotFitted(f"{of} sets those with the event apart from the others, so the shares cannot be compared")
    ready = made_ready(raw, fitted=known, predicted=~known, whose="rows of which it is not known")
    if of in ready.dropped:
        raise NotFitted(f"{of} is the same in all rows or follows from the other columns, so nothing is known of it")
    shares, influence = _standardised(ready, happened, known, np.asarray(columns[of], dtype=float), shift_sd)
    moved = people.sums(influence)
    gap, error = shares[0] - shares[1], float(np.sqrt(people.correction * (moved @ moved)))
    if not error > UNVARYING:
        raise NotFitted("the shares do not vary, so their difference has no interval")
    return AssessedFit(
        difference=Interval(value=gap, low=max(-1.0, gap - reach * error), high=min(1.0, gap + reach * error)),
        standard_error=error,
        p_value=t_two_sided(gap / error, people.treated - 1),
        df=people.treated - 1,
        share_with=shares[0],
        share_without=shares[1],
        dropped=ready.dropped,
    )


def _standardised(
    ready: Ready, event: Numbers, known: Flags, column: Numbers, shift_sd: float
) -> tuple[tuple[float, float], Numbers]:
    """Both shares, and how far each row moves their difference: through both fits, and by being one of those averaged.

    A row moves the coefficients of the second fit by its own residual there, and through the events filled in by its
    residual in the first.
    """
    from scipy.special import expit

    values, observed = ready.values, ready.values[known]
    coefficients, chances, inverse = penalised_where_needed(observed, event[known])
    guessed, slope = _worse(expit(values[~known] @ coefficients), shift_sd)
    completed = event.copy()
    completed[~known] = guessed
    second, expected, second_inverse = penalised_where_needed(values, completed)
    means, gradient, contrast = [], np.zeros(len(second)), np.zeros(len(values))
    for value, sign in ((1.0, 1.0), (0.0, -1.0)):
        held = values.copy()
        held[:, -1] += (value - column) * ready.unit
        chance = expit(held @ second)
        means.append(float(chance.mean()))
        gradient += sign * ((chance * (1 - chance)) @ held) / len(values)
        contrast += sign * (chance - chance.mean()) / len(values)
    direct = second_inverse @ gradient
    through = inverse @ (values[~known].T @ (slope * (values[~known] @ direct)))
    variance, residual = chances * (1 - chances), completed - expected
    contrast += np.where(known, 0.0, residual) * (values @ direct)
    contrast[known] += inflated(observed, variance, residual[known], inverse) * (observed @ direct)
    contrast[known] += inflated(observed, variance, event[known] - chances, inverse) * (observed @ through)
    return (means[0], means[1]), contrast


def _worse(chance: Numbers, shift_sd: float) -> tuple[Numbers, Numbers]:
    """The chances with severity moved by so many standard deviations, and how they move with the log odds."""
    from scipy.special import ndtr, ndtri

    chance = np.clip(chance, CERTAIN, 1 - CERTAIN)
    severity = ndtri(chance)
    steeper = np.exp((severity**2 - (severity + shift_sd) ** 2) / 2)
    return ndtr(severity + shift_sd), steeper * chance * (1 - chance)


def missing_bounds(
    *, events_1: int, known_1: int, people_1: int, events_0: int, known_0: int, people_0: int
) -> tuple[float, float]:
    """The least and the most that the share with an event in arm 1 less that in arm 0 can be, whoever is not known of.

    Of `people` in an arm `known` are known of and `events` of those had it. The least: nobody not known of in arm 1 had
    it and everybody in arm 0; the most: the other way round. They are no interval: chance comes on top.

    Manski (1990), American Economic Review Papers and Proceedings 80:319-323.
    """
    for events, known, people in ((events_1, known_1, people_1), (events_0, known_0, people_0)):
        if not 0 <= events <= known <= people or people == 0:
            raise ValueError(f"{events} events among {known} known of {people} people cannot be")
    least_1, least_0 = events_1 / people_1, events_0 / people_0
    most_1, most_0 = least_1 + 1 - known_1 / people_1, least_0 + 1 - known_0 / people_0
    return least_1 - most_0, most_1 - least_0
