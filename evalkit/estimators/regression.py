"""Cox's model: the pace of events in one group over that in another, with other columns held equal."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalkit.estimators.models import NotFitted, check_level
from evalkit.estimators.survival import _followed
from evalkit.results import Interval

UNBOUNDED = 10.0  # log hazard ratio, or its standard error, for one standard deviation of a column: e^10 is no estimate
LARGEST_LOG = 700.0  # e to more than this is no number to a computer


@dataclass(frozen=True, slots=True, kw_only=True)
class CoxTerm:
    """What the model says of one column.

    Attributes
    ----------
    hazard_ratio : Interval
        For one more of the column's unit, other columns held equal; below 1 is a slower pace of events.
    p_value : float
        Wald, two-sided, of a ratio of 1.
    proportionality_p : float or None
        Of the test that the ratio is the same on all days; small speaks against one ratio. None where all events fell
        on one day. Approximate: see `cox`.
    """

    hazard_ratio: Interval
    p_value: float
    proportionality_p: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoxFit:
    """A fitted model: its terms by column, in the order given, and the people and events that it rests on."""

    terms: Mapping[str, CoxTerm]
    people: int
    events: int


def cox(*, days: ArrayLike, event: ArrayLike, columns: Mapping[str, ArrayLike], level: float = 0.95) -> CoxFit:
    """Hazard ratio of each column with its Wald interval, from Cox's model with Efron's handling of ties.

    Over all the days given: cut them at the horizon first. One value a person in each column, none missing. The test of
    proportionality is of scaled Schoenfeld residuals against Kaplan-Meier time, in the approximation that takes their
    variance as the same on all days; it reads the day only, not the order of rows among ties.

    NotFitted where nobody has the event, a column is the same for all or follows from the others, a column sets those
    with the event apart so well that its ratio has no bound, or the fit does not settle.

    Cox (1972), Journal of the Royal Statistical Society B 34:187-220; Efron (1977), Journal of the American Statistical
    Association 72:557-565; Grambsch & Therneau (1994), Biometrika 81:515-526; computed by lifelines.
    """
    last_day, happened = _followed(days, event, None)
    check_level(level)
    names, values = _columns(columns, len(last_day))
    if not happened.any():
        raise NotFitted("nobody had the event, so there is no pace of events to compare")
    scale = _spread(names, values)
    fitted, proportionality = _fit(names, last_day, happened, (values - values.mean(axis=0)) / scale, level)
    terms = {}
    for name, (*log_ratios, p_value), unit, unlike in zip(names, fitted, scale, proportionality, strict=True):
        if max(map(abs, log_ratios)) / unit > LARGEST_LOG:
            raise NotFitted(f"one unit of {name} is far more than people differ in it: give it in a smaller unit")
        ratio, low, high = (math.exp(log_ratio / unit) for log_ratio in log_ratios)
        terms[name] = CoxTerm(
            hazard_ratio=Interval(value=ratio, low=low, high=high),
            p_value=float(p_value),
            proportionality_p=float(unlike) if math.isfinite(unlike) else None,
        )
    return CoxFit(terms=terms, people=len(last_day), events=int(happened.sum()))


def _columns(columns: Mapping[str, ArrayLike], people: int) -> tuple[list[str], NDArray[np.float64]]:
    names = list(columns)
    arrays = [np.asarray(columns[name], dtype=float) for name in names]
    if not names or any(array.shape != (people,) for array in arrays):
        raise ValueError(f"a model needs at least one column, with one value for each of {people} people")
    values = np.column_stack(arrays)
    if not np.isfinite(values).all():
        raise ValueError("a column has a value that is missing or infinite: leave those people out first")
    return names, values


def _spread(names: list[str], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation of each column, all of which must vary, and in ways of their own."""
    same = [name for name, low, high in zip(names, values.min(axis=0), values.max(axis=0), strict=True) if low == high]
    if same:
        raise NotFitted(f"{', '.join(same)} is the same for everybody, so it cannot be compared")
    scale: NDArray[np.float64] = values.std(axis=0)
    if np.linalg.matrix_rank((values - values.mean(axis=0)) / scale) < len(names):
        raise NotFitted(f"one of {', '.join(names)} follows from the others, so their ratios cannot be told apart")
    return scale


def _fit(
    names: list[str],
    last_day: NDArray[np.int64],
    happened: NDArray[np.bool_],
    standardised: NDArray[np.float64],
    level: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By column: log ratio, its low and high, p-value; and the p-value of proportionality."""
    import pandas as pd
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError
    from lifelines.statistics import proportional_hazard_test

    people = pd.DataFrame(standardised).assign(day=last_day, event=happened).rename(columns=str)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            fit = CoxPHFitter(alpha=1 - level).fit(people, "day", "event")
        except (ConvergenceError, np.linalg.LinAlgError) as problem:
            raise NotFitted("the fit did not settle: too few events for so many columns") from problem
        log_ratios, errors = fit.params_.to_numpy(), fit.standard_errors_.to_numpy()
        bounded = (np.abs(log_ratios) <= UNBOUNDED) & (errors <= UNBOUNDED)  # False for NaN too
        if not bounded.all():
            apart = ", ".join(name for name, kept in zip(names, bounded, strict=True) if not kept)
            raise NotFitted(f"{apart} sets those with the event apart so well that the hazard ratio has no bound")
        # lifelines also warns of columns before it tries them; only what it says of the search itself counts
        if any("Newton-Raphson" in str(warning.message) for warning in said):
            raise NotFitted("the fit did not settle: the columns set those with the event apart too well")
        test = proportional_hazard_test(fit, people, time_transform="km")
    ends, p_values = fit.confidence_intervals_.to_numpy(), fit.summary["p"].to_numpy()
    return np.column_stack([log_ratios, ends, p_values]), np.asarray(test.p_value, dtype=float)
