"""Where no effect may be given: the reason, and what the records of the programme's own people say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from evalkit import estimators
from evalkit.cohort import counted, counted_rows
from evalkit.matching import Comparison, shared_by
from evalkit.outcomes.reoffending.counting import RECORDED_ONLY
from evalkit.results import PROGRAMME, Arm, Estimate, NotEstimable, Result
from evalkit.store import Store
from evalkit.study import ALL_AREAS, Outcome, Study

if TYPE_CHECKING:
    import pandas as pd

MEASURES = {
    "event_count": ("rate_ratio",),
    "any_event": ("risk_difference", "risk_ratio"),
    "time_to_event": ("restricted_mean_days",),
}


def estimate(comparison: Comparison, store: Store, study: Study, why: str, mend: str) -> Iterator[Result]:
    """The refusal of every planned outcome; of one area or one group also how many of its people had an event."""
    for outcome in study.planned_of("reoffending"):
        shared = shared_by(comparison, outcome, study)
        for measure in MEASURES[outcome.name]:
            yield NotEstimable(measure=measure, why=why, mend=mend, **shared)
        if outcome.name == "any_event" and (study.area != ALL_AREAS or not comparison.failed):
            yield from _own_share(comparison, store, outcome, study)


def _own_share(comparison: Comparison, store: Store, outcome: Outcome, study: Study) -> Iterator[Estimate]:
    """The share of the programme's own people with an event by the horizon: it describes, and compares with nobody."""
    shared = shared_by(comparison, outcome, study)
    horizon = shared["horizon_days"]
    rows = counted_rows(comparison.people, study, horizon)
    rows = rows[rows["arm"].eq(PROGRAMME) & followed_to(rows, horizon)]
    if rows.empty:
        return
    event = counted(rows, store, study, {"after": (1, horizon)})["after"].gt(0)
    found = estimators.wilson(events=int(event.sum()), people=len(rows), level=study.level)
    yield Estimate(
        measure="share",
        contrast="share",
        population="att",
        value=found.value,
        low=found.low,
        high=found.high,
        arms=(Arm(label=PROGRAMME, people=len(rows), events=int(event.sum())),),
        method="Wilson's interval for a proportion",
        level=study.level,
        caveats=(RECORDED_ONLY,),
        **{**shared, "planned": "exploratory"},
    )


def followed_to(rows: pd.DataFrame, horizon_days: int) -> pd.Series[bool]:
    """Whether what happened by the horizon is known: followed to it, or died before (the dead have no more events)."""
    return rows["days_followed"].ge(horizon_days) | rows["death_day"].le(horizon_days)
