"""What would have been expected with no programme at all, of people who were chosen at their worst moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from evalkit import estimators
from evalkit.cohort import counted, counted_rows, everybody_counted, history
from evalkit.matching import Comparison
from evalkit.results import PROGRAMME, Expected, Interval
from evalkit.store import Store, remembered
from evalkit.study import Study

if TYPE_CHECKING:
    import pandas as pd

STRAND, OUTCOME = "reoffending", "event_count"


@remembered(tuple)
def expected(comparison: Comparison, store: Store, study: Study) -> tuple[Expected, ...]:
    """Recorded events before, after, and expected after without the programme, over each horizon that counts events.

    The expectation is learnt from everybody at risk on the same run dates while they were not chosen, with what was
    known of each before that date, and then asked of those who were chosen. Only of police records: a ready cohort
    holds no history. The primary horizon comes first.
    """
    if study.programme.design != "sequential_trials" or comparison.failed:
        return ()
    named = {study.horizon_of(each) for each in study.outcomes if each.name in ("event_count", "any_event")}
    horizons = [study.horizon_days, *sorted(named - {study.horizon_days})]
    return tuple(found for horizon in horizons for found in _over(comparison, store, study, horizon))


def _over(comparison: Comparison, store: Store, study: Study, horizon_days: int) -> Iterator[Expected]:
    rows = counted_rows(comparison.people, study, horizon_days)
    treated = rows["arm"].eq(PROGRAMME)
    if not treated.any() or treated.all():
        return
    windows = {"before": (-horizon_days, -1), "after": (1, horizon_days)}
    events = counted(rows, store, study, windows)
    mine = events[treated]
    if not mine["before"].sum() or not mine["after"].sum():
        return
    try:
        without = _without(rows, events["after"], study, horizon_days)
        naive = estimators.ratio_of_totals(
            after=mine["after"].to_numpy(float),
            before=mine["before"].to_numpy(float),
            clusters=rows.loc[treated, "cluster_id"].to_numpy(),
            level=study.level,
        )
    except ValueError:  # no model, or nothing varies: then there is no before/after either
        return
    yield Expected(
        strand=STRAND,
        outcome=OUTCOME,
        horizon_days=horizon_days,
        event_label=study.programme.event,
        people=rows.loc[treated, "person_id"].nunique(),
        before=int(mine["before"].sum()),
        after=int(mine["after"].sum()),
        people_before=int((mine["before"] > 0).sum()),
        people_after=int((mine["after"] > 0).sum()),
        without=without.value,
        low=without.low,
        high=without.high,
        naive=naive.ratio,
        everybody=everybody_counted(rows[treated], store, study, horizon_days),
        design=comparison.design,
        method="quasi-Poisson model of everybody at risk while not chosen, by history; range of a new such group",
        level=study.level,
    )


def _without(rows: pd.DataFrame, after: pd.Series[int], study: Study, horizon_days: int) -> Interval:
    known = history(rows, study)
    found = estimators.expected_count(
        counts=after.to_numpy(float),
        exposure_days=rows["days_followed"].clip(upper=horizon_days).to_numpy(float),
        columns=known.columns,
        factors=known.factors,
        clusters=rows["cluster_id"].to_numpy(),
        treated=rows["arm"].eq(PROGRAMME).to_numpy(),
        level=study.level,
    )
    return found.total
