"""What would have been expected with no programme at all, of people who were chosen at their worst moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from evalkit import estimators
from evalkit.cohort import counted, counted_rows, everybody_counted, everybody_else, history
from evalkit.matching import Comparison
from evalkit.results import PROGRAMME, Design, Expected, Interval
from evalkit.store import Store, remembered
from evalkit.study import Study

if TYPE_CHECKING:
    import pandas as pd

STRAND, OUTCOME = "reoffending", "event_count"
LEARNT_FROM = {
    "sequential_trials": "everybody at risk while not chosen, by history",
    "randomised": "people allocated to no programme, by history",
    "single_group": "other people on record in these areas, by history, who may differ in what no record holds",
}
BY_AREA = "people allocated to no programme, by area alone: there are too few of them to learn more from"


@remembered(tuple)
def expected(comparison: Comparison, store: Store, study: Study) -> tuple[Expected, ...]:
    """Recorded events before, after, and expected after without the programme, over each horizon that counts events.

    The expectation is learnt from people without the programme (LEARNT_FROM), with what was known of each before their
    index date, and then asked of those in it. Only of police records: a ready cohort holds no history. None where no
    model can be fitted. The primary horizon comes first.
    """
    if study.programme.police is None or comparison.failed:
        return ()
    people = comparison.people
    if study.programme.design == "single_group":
        people = _with_everybody_else(people, store, study)
    named = {study.horizon_of(each) for each in study.outcomes if each.name in ("event_count", "any_event")}
    horizons = [study.horizon_days, *sorted(named - {study.horizon_days})]
    return tuple(found for horizon in horizons for found in _over(people, comparison.design, store, study, horizon))


def _with_everybody_else(people: pd.DataFrame, store: Store, study: Study) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([people, everybody_else(store, study)], ignore_index=True)


def _over(people: pd.DataFrame, design: Design, store: Store, study: Study, horizon_days: int) -> Iterator[Expected]:
    rows = counted_rows(people, study, horizon_days)
    treated = rows["arm"].eq(PROGRAMME)
    if not treated.any() or treated.all():
        return
    windows = {"before": (-horizon_days, -1), "after": (1, horizon_days)}
    events = counted(rows, store, study, windows)
    mine = events[treated]
    if not mine["before"].sum() or not mine["after"].sum():
        return
    try:
        without, learnt_from = _without(rows, events["after"], study, horizon_days)
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
        design=design,
        method=f"quasi-Poisson model of {learnt_from}; range of a new such group",
        level=study.level,
    )


def _without(rows: pd.DataFrame, after: pd.Series[int], study: Study, horizon_days: int) -> tuple[Interval, str]:
    """What was to be expected of the treated rows, and from whom and by what it was learnt."""
    known, treated = history(rows, study), rows["arm"].eq(PROGRAMME).to_numpy()
    columns, factors, learnt_from = known.columns, known.factors, LEARNT_FROM[study.programme.design]
    if study.programme.design == "randomised" and not known.affordable_by(int((~treated).sum())):
        columns, factors, learnt_from = {}, {"area": known.factors["area"]}, BY_AREA
    found = estimators.expected_count(
        counts=after.to_numpy(float),
        exposure_days=rows["days_followed"].clip(upper=horizon_days).to_numpy(float),
        columns=columns,
        factors=factors,
        clusters=rows["cluster_id"].to_numpy(),
        treated=treated,
        level=study.level,
    )
    return found.total, learnt_from
