"""Who is counted, from which date, followed until when, and who was left out and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalkit.errors import NotComparable, StudyError
from evalkit.results import COMPARISON, PROGRAMME, Count
from evalkit.store import Store, remembered
from evalkit.study import Study

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The people of a study with their clock.

    Attributes
    ----------
    people : pandas.DataFrame
        One row per person, in the order of person_id: person_id, area, index_date, arm (programme or comparison),
        days_followed (whole days after the index date, at most the longest horizon), event_day (days from the index
        date to the first event within days_followed; missing where there was none), and the study's covariates, known
        before the index date.
    flow : tuple of Count
        Every step from the extract to the people analysed; each step and what left before it add up.
    """

    people: pd.DataFrame
    flow: tuple[Count, ...]


@remembered(Cohort)
def build(store: Store, study: Study) -> Cohort:
    """The cohort of a study, from a comparison that was made elsewhere (`ready_cohort`: one row per person).

    Day 1 is the day after the index date and the last is day `horizon_days`; the index day is in no window. Somebody
    no longer observed on day d is followed for d - 1 days. Nothing on or after the day after `as_of` is known.
    """
    _refuse_days_not_held(store, study)
    rows = store.table("ready_cohort")
    asked = _asked_for(rows, study)
    inside = _indexed_in_period(asked, study)
    people = _clocked(inside, study)
    return Cohort(people=people, flow=tuple(_flow(store, rows, asked, people, study)))


def due(people: pd.DataFrame, study: Study, horizon_days: int) -> pd.Series[bool]:
    """Whether a person's whole window lies before the end of the data, by row of `people`.

    Judged for all people indexed in one calendar month together, so that no month is counted by those who happened to
    come early in it. Whoever is not due yet is neither counted nor lost.
    """
    import pandas as pd

    months = people["index_date"].dt.to_period("M")
    last_index_date = people.groupby(months)["index_date"].transform("max")
    return last_index_date + pd.Timedelta(days=1 + horizon_days) <= pd.Timestamp(study.extract_date)


def _refuse_days_not_held(store: Store, study: Study) -> None:
    held_to = store.extract_date
    if held_to is None and study.protection != "open_data":
        raise StudyError(
            f"{study.data}: holds no extract.yaml, so nobody can tell up to which day these data were taken. Write one "
            "line in it: 'extract_date: 2026-10-01', the first day that is not included."
        )
    if held_to is not None and study.extract_date > held_to:
        raise StudyError(
            f"as_of is {study.as_of}, but the extract was taken on {held_to} and holds nothing from that day on. "
            f"Choose an as_of before {held_to} or bring a later extract."
        )


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
    longest = max(study.horizon_of(outcome) for outcome in study.outcomes)
    days_followed = (known_to - inside["index_date"]).dt.days.sub(1).clip(lower=0, upper=longest)
    event_day = (inside["first_event_on"] - inside["index_date"]).dt.days
    return (
        inside[["person_id", "area", "index_date", *(item.column for item in study.programme.covariates)]]
        .assign(
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
