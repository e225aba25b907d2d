"""A comparison that was made elsewhere: one row per person, each with a clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from evalkit.cohort.clock import due
from evalkit.cohort.nouns import Cohort
from evalkit.errors import NotComparable
from evalkit.results import COMPARISON, PROGRAMME, Count
from evalkit.store import Store
from evalkit.study import Study

if TYPE_CHECKING:
    import pandas as pd


def build(store: Store, study: Study) -> Cohort:
    """The cohort of a `ready_cohort`. Somebody no longer observed on day d is followed for d - 1 days."""
    rows = store.table("ready_cohort")
    asked = _asked_for(rows, study)
    inside = _indexed_in_period(asked, study)
    people = _clocked(inside, study)
    return Cohort(people=people, flow=tuple(_flow(store, rows, asked, people, study)))


def _asked_for(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Rows of this study's programme, areas and funding period."""
    areas = [area.slug for area in study.areas]
    mine = (
        (rows["programme"] == study.programme.slug) & rows["area"].isin(areas) & (rows["period"] == study.period.name)
    )
    if not mine.any():
        raise NotComparable(
            f"none of the {len(rows)} admitted rows of ready_cohort belongs to programme '{study.programme.slug}', "
            f"area {', '.join(areas)}, period '{study.period.name}'. The data hold: "
            + "; ".join(
                f"{column} {', '.join(sorted(rows[column].unique()))}" for column in ("programme", "area", "period")
            )
            + ". Bring the missing extract, or correct the names in the suite."
        )
    return rows[mine]


def _indexed_in_period(asked: pd.DataFrame, study: Study) -> pd.DataFrame:
    first, last = study.period.first_day.isoformat(), study.period.last_day.isoformat()
    known = asked["index_date"] < study.extract_date.isoformat()
    inside = asked[asked["index_date"].between(first, last) & known]
    if inside.empty:
        raise NotComparable(
            f"none of the {len(asked)} people of period '{study.period.name}' has an index date from {first} to "
            f"{last}. The funding period lies outside the data: correct its days in the suite."
        )
    return inside


def _clocked(inside: pd.DataFrame, study: Study) -> pd.DataFrame:
    import pandas as pd

    missing = [item.column for item in study.programme.covariates if item.column not in inside]
    if missing:
        raise NotComparable(
            f"ready_cohort holds no column {', '.join(missing)}, which {study.programme.name} names as a covariate. "
            "Bring an extract that has it, or take it out of the programme's file."
        )
    extract_date = pd.Timestamp(study.extract_date)
    known_to = inside["observed_until"].where(inside["observed_until"] < extract_date, extract_date)
    days_followed = (known_to - inside["index_date"]).dt.days.sub(1).clip(lower=0, upper=study.longest_horizon_days)
    event_day = (inside["first_event_on"] - inside["index_date"]).dt.days
    return (
        inside[["person_id", "area", "index_date", *(item.column for item in study.programme.covariates)]]
        .assign(
            cluster_id=inside["person_id"],
            arm=inside["arm"].eq("programme").map({True: PROGRAMME, False: COMPARISON}),
            days_followed=days_followed.astype("int64"),
            event_day=event_day.where(event_day.between(1, days_followed)).astype("float64"),
        )
        .sort_values("person_id", ignore_index=True)
    )


def _flow(store: Store, rows: pd.DataFrame, asked: pd.DataFrame, people: pd.DataFrame, study: Study) -> Iterator[Count]:
    aside = store.rows_set_aside("ready_cohort")
    yield Count(step="rows", label="Rows in the extract", total=len(rows) + aside, unit="rows")
    yield Count(step="set_aside", label="Broke a rule of the data contract", total=aside, unit="rows", left_out=True)
    other = len(rows) - len(asked)
    yield Count(step="elsewhere", label="Another programme, area or period", total=other, unit="rows", left_out=True)
    arms = asked["arm"].eq("programme")
    yield _count("referred", f"In the trial: {study.period.label}", arms)
    outside = ~asked["person_id"].isin(people["person_id"])
    yield _count("outside", "Index date outside the funding period or the data", arms[outside], left_out=True)
    programme = people["arm"].eq(PROGRAMME)
    is_due = due(people, study, study.horizon_days)
    followed = people["days_followed"] >= study.horizon_days
    yield _count("not_due", "Window not over by the last day of data", programme[~is_due], left_out=True)
    yield _count("allocated", "Allocated by chance", programme[is_due])
    lost = f"Not followed for all {study.horizon_days} days"
    yield _count("lost", lost, programme[is_due & ~followed], left_out=True)
    yield _count("analysed", "Analysed as allocated", programme[is_due & followed])


def _count(step: str, label: str, in_programme: pd.Series[bool], *, left_out: bool = False) -> Count:
    total, programme = len(in_programme), int(in_programme.sum())
    return Count(
        step=step, label=label, total=total, programme=programme, comparison=total - programme, left_out=left_out
    )
