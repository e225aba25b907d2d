"""Recorded reoffending of everybody whom chance allocated, as police records tell it (intention to treat)."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from evalkit import estimators
from evalkit.cohort import counted_rows, days_to_first, history
from evalkit.matching import Comparison, shared_by
from evalkit.outcomes.reoffending import allocated
from evalkit.outcomes.reoffending.counting import (
    RECORDED_ONLY,
    Model,
    detectable,
    difference,
    fitted,
    nobody_yet,
    not_fitted,
    rate_ratio,
    ratio,
    with_custody,
)
from evalkit.results import COMPARISON, PROGRAMME, Result
from evalkit.store import Store
from evalkit.study import Outcome, Study

if TYPE_CHECKING:
    import pandas as pd

BY_HISTORY = Model(
    population="itt",
    words="everybody allocated, adjusted for score, history, age, area and month of allocation",
    caveats=(RECORDED_ONLY,),
)
BY_AREA = Model(
    population="itt",
    words="everybody allocated, adjusted for area alone: there are too few people to adjust for their history",
    caveats=(RECORDED_ONLY,),
    by_history=False,
)


def estimate(comparison: Comparison, store: Store, study: Study) -> Iterator[Result]:
    """The results of every planned outcome of this strand.

    Whoever dies has no more events and is followed on, so the curves are of cumulative incidence, death competing.
    """
    people = comparison.people
    seen = dataclasses.replace(comparison, people=people.assign(event_day=days_to_first(people, store, study)))
    for outcome in study.planned_of("reoffending"):
        if outcome.name == "event_count":
            yield from _event_count(seen, store, outcome, study)
        else:
            yield from allocated.OUTCOMES[outcome.name](seen, outcome, study)


def _event_count(comparison: Comparison, store: Store, outcome: Outcome, study: Study) -> Iterator[Result]:
    shared = shared_by(comparison, outcome, study)
    rows = counted_rows(comparison.people, study, shared["horizon_days"])
    for arm in (PROGRAMME, COMPARISON):
        if not rows["arm"].eq(arm).any():
            yield nobody_yet("rate_ratio", shared, arm)
            return
    try:
        model, fit = _best(rows, store, study, shared["horizon_days"])
    except estimators.NotFitted as error:
        yield not_fitted(error, "rate_ratio", shared)
        return
    yield detectable(fit, rows, store, study, shared)
    main = ratio(fit, rows, store, study, shared, model)
    liberty = rate_ratio(rows, store, study, {**shared, "planned": "exploratory"}, model, variant="at_liberty")
    yield with_custody(main, liberty)
    yield difference(fit, main, {**shared, "planned": "secondary"})
    yield liberty


def _best(rows: pd.DataFrame, store: Store, study: Study, horizon_days: int) -> tuple[Model, estimators.CountFit]:
    """The model by history, or by area alone where there are too few people for that or it cannot be fitted."""
    if history(rows, study).affordable_by(len(rows)):
        with contextlib.suppress(estimators.NotFitted):
            return BY_HISTORY, fitted(rows, store, study, horizon_days, BY_HISTORY)
    return BY_AREA, fitted(rows, store, study, horizon_days, BY_AREA)
