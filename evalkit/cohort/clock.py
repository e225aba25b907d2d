"""How far the data reach, how long people are followed, and whose window is over."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from evalkit.cohort.clusters import clusters
from evalkit.errors import NotComparable, StudyError
from evalkit.store import Store
from evalkit.study import Study

if TYPE_CHECKING:
    import duckdb
    import pandas as pd


def known_to(study: Study) -> date:
    """The first day for which follow-up is no longer credited: the extract date, less the lag of police recording."""
    chosen = study.programme.police
    return study.extract_date - timedelta(days=chosen.recording_lag_days if chosen else 0)


def due(people: pd.DataFrame, study: Study, horizon_days: int) -> pd.Series[bool]:
    """Whether a person's whole window lies before the end of the data, by row of `people`.

    Judged for all people indexed in one calendar month together, so that no month is counted by those who happened to
    come early in it. Whoever is not due yet is neither counted nor lost.
    """
    import pandas as pd

    months = people["index_date"].dt.to_period("M")
    last_index_date = people.groupby(months)["index_date"].transform("max")
    return last_index_date + pd.Timedelta(days=1 + horizon_days) <= pd.Timestamp(known_to(study))


def counted_rows(people: pd.DataFrame, study: Study, horizon_days: int) -> pd.DataFrame:
    """The rows whose whole window is over and who were there on its first day."""
    return people[due(people, study, horizon_days) & people["days_followed"].gt(0)]


def refuse_days_not_held(store: Store, study: Study) -> None:
    """Refuse an `as_of` that the extracts do not reach, or extracts that do not say how far they reach."""
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


def refuse_a_longer_lag(connection: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Refuse where one domestic-abuse record in twenty of the last year came later than the lag that is credited."""
    lag = study.programme.recorded.recording_lag_days
    late = connection.execute(
        "SELECT quantile_disc(recorded_on - occurred_on, 0.95) FROM incidents "
        "WHERE is_domestic_abuse AND recorded_on < $known AND recorded_on >= $known - INTERVAL 365 DAY",
        {"known": study.extract_date},
    ).fetchone()
    if late and late[0] is not None and late[0] > lag:
        raise NotComparable(
            f"one domestic-abuse record in twenty of the last year was entered more than {lag} days after the day, so "
            f"follow-up to {lag} days before the extract would miss incidents. Set recording_lag_days to {late[0]} or "
            "more in the programme's file; recent people are then counted later."
        )


def clocked(connection: duckdb.DuckDBPyConnection, rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The rows with their cluster, the days they were followed, a death within them, and the day of discharge.

    `discharged_on` becomes `discharge_day`: days from the index date; missing while the spell goes on as far as is
    known on the extract date, and where there is none.
    """
    import pandas as pd

    ends = connection.execute("SELECT person_id, died_on, left_force_on FROM known_people").df()
    rows = rows.merge(ends, on="person_id", how="left").merge(clusters(connection, study), on="person_id", how="left")
    end, moved = pd.Timestamp(known_to(study)), pd.to_datetime(rows["left_force_on"])
    observed_to = moved.where(moved < end, end)
    days = (observed_to - rows["index_date"]).dt.days.sub(1).clip(lower=0)
    death_day = (pd.to_datetime(rows["died_on"]) - rows["index_date"]).dt.days
    discharged_on = pd.to_datetime(rows["discharged_on"])
    discharged_on = discharged_on.where(discharged_on < pd.Timestamp(study.extract_date))
    return (
        rows.drop(columns=["died_on", "left_force_on", "discharged_on"])
        .assign(
            cluster_id=rows["cluster_id"].fillna(rows["person_id"]),
            days_followed=days.astype("int64"),
            death_day=death_day.where(death_day.between(1, days)).astype("float64"),
            episode_id=rows["episode_id"].astype("string"),
            discharge_day=(discharged_on - rows["index_date"]).dt.days.astype("float64"),
        )
        .sort_values(["index_date", "person_id"], ignore_index=True)
    )
