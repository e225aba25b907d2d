"""The chance of an event as a logistic model gives it: of being treated, and of any incident with and without that."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evalkit.estimators.models import Flags, NotFitted, Numbers, check_settled, gathered, information, made_ready

MOST_STEPS = 40
FIRTH_STEPS = 200
LONGEST_STEP = 2.0  # of one coefficient, for one standard deviation of its column
UNMOVED = 1e-7
FARTHEST = 40.0  # log odds: nobody, or everybody, to a computer
ROUNDING = 1e-12  # of a log-likelihood, relative


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Propensity:
    """How likely each row was to be treated.

    Attributes
    ----------
    logit : array
        Log odds of each row, in the order given.
    method : str
        Which of the two fits it is.
    dropped : tuple of str
        Columns left out because they are the same in all rows or follow from others.
    """

    logit: Numbers
    method: str
    dropped: tuple[str, ...]


def propensity(
    *, columns: Mapping[str, ArrayLike], treated: ArrayLike, factors: Mapping[str, ArrayLike] | None = None
) -> Propensity:
    """Log odds of being treated given the columns, by logistic regression.

    Where columns separate the treated from the others, so that the likelihood has no largest value, by Firth's
    penalised likelihood, which always has one (of several, that reached from even odds): it takes half of log|X'WX| to
    the log-likelihood and so draws the odds a little towards even. NotFitted where nobody or everybody is treated.

    Firth (1993), Biometrika 80:27-38; Heinze & Schemper (2002), Statistics in Medicine 21:2409-2419; the unpenalised
    fit by statsmodels.
    """
    flags = np.asarray(treated)
    if flags.ndim != 1 or not np.isin(flags, (0, 1)).all():
        raise ValueError("treated is true or false for each row")
    flags = flags.astype(bool)
    if flags.all() or not flags.any():
        raise NotFitted("nobody, or everybody, is treated, so there is nothing to compare")
    raw = gathered(columns=columns, factors=factors or {}, rows=len(flags))
    ready = made_ready(raw, fitted=np.ones_like(flags))
    try:
        coefficients, *_ = logistic(ready.values, flags)
        method = "logistic regression"
    except NotFitted:
        coefficients, method = _firth(ready.values, flags), "logistic regression with Firth's penalty"
    return Propensity(logit=ready.values @ coefficients, method=method, dropped=ready.dropped)


def penalised_where_needed(values: Numbers, event: Flags | Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """As `logistic`; where columns separate the rows, by Firth's penalised likelihood with a constant of its own.

    The constant, the first column, is then moved until the shares add up to the events, as without a penalty they do.

    Puhr et al. (2017), Statistics in Medicine 36:2302-2317.
    """
    from scipy.optimize import brentq
    from scipy.special import expit

    try:
        return logistic(values, event)
    except NotFitted:
        coefficients = _firth(values, event)
    odds = values @ coefficients
    coefficients[0] += brentq(lambda moved: expit(odds + moved).sum() - event.sum(), -FARTHEST, FARTHEST)
    shares: Numbers = expit(values @ coefficients)
    weights = shares * (1 - shares)
    return coefficients, shares, information(values, weights, without_columns=_of_constant(event))


def _of_constant(event: Flags | Numbers) -> float:
    """A row's weight in the model of the constant alone."""
    return float(event.mean() * (1 - event.mean()))


def logistic(values: Numbers, event: Flags | Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Coefficients, each row's share and the inverse of the information; NotFitted where columns separate the rows.

    An event may be a chance between 0 and 1.
    """
    import statsmodels.api as sm
    from scipy.special import expit

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = sm.Logit(event.astype(float), values, check_rank=False)
            start = np.zeros(values.shape[1])
            fit = model.fit(method="newton", start_params=start, maxiter=MOST_STEPS, tol=1e-10, ridge_factor=0, disp=0)
        except (np.linalg.LinAlgError, ValueError) as problem:
            raise NotFitted("the fit did not settle: the columns set those with the event apart too well") from problem
    coefficients = np.asarray(fit.params)
    shares: Numbers = expit(values @ coefficients)
    inverse = information(values, shares * (1 - shares), without_columns=_of_constant(event))
    check_settled(values, event - shares, inverse)
    return coefficients, shares, inverse


def _firth(values: Numbers, event: Flags | Numbers) -> Numbers:
    """Largest penalised likelihood by Fisher's steps: halved until they lead upwards, and once they turn back."""
    coefficients, length = np.zeros(values.shape[1]), 1.0
    reached, step = _penalised(values, event, coefficients)
    for _ in range(FIRTH_STEPS):
        move = step * min(length, LONGEST_STEP / max(np.abs(step).max(), UNMOVED))
        while (higher := _penalised(values, event, coefficients + move))[0] < reached - ROUNDING * (1 + abs(reached)):
            move = move / 2
        coefficients = coefficients + move
        length = length / 2 if higher[1] @ step < 0 else length
        reached, step = higher
        if np.abs(step).max() < UNMOVED:
            return coefficients
    raise NotFitted("the fit did not settle: too few rows for so many columns")


def _penalised(values: Numbers, event: Flags | Numbers, coefficients: Numbers) -> tuple[float, Numbers]:
    """The penalised log-likelihood, and the step that Fisher would take from there."""
    from scipy.special import expit, log_expit

    odds = values @ coefficients
    shares = expit(odds)
    weights = shares * (1 - shares)
    matrix = (values * weights[:, None]).T @ values
    sign, log_size = np.linalg.slogdet(matrix)
    if not (sign > 0 and np.linalg.cond(matrix) < 1 / ROUNDING):
        return -np.inf, np.zeros_like(coefficients)
    inverse = np.linalg.inv(matrix)
    leverage = weights * ((values @ inverse) * values).sum(axis=1)
    step = inverse @ (values.T @ (event - shares + leverage * (0.5 - shares)))
    likelihood = event @ log_expit(odds) + (1 - event) @ log_expit(-odds)
    return float(likelihood + log_size / 2), step
