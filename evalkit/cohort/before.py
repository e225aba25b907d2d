"""What was on record of people before a date: their score, events, custody and age, as known by then."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import TYPE_CHECKING

from evalkit import rfgv
from evalkit.cohort.history import AGE_BANDS, AGE_ENDS, CUSTODY_DAYS, EVENTS_BEFORE, HISTORY, RUN_DATES_BACK
from evalkit.study import Study

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

NOT_SEEN_FOR = 730  # days since the last event, of somebody who has none on record


def months_back(day: date) -> date:
    """The same day as many months earlier as `score_change` looks back in run dates."""
    import pandas as pd

    return (pd.Timestamp(day) - pd.DateOffset(months=RUN_DATES_BACK)).date()


def scored(connection: duckdb.DuckDBPyConnection, earlier: Mapping[date, date], study: Study) -> pd.DataFrame:
    """Everybody on record by `run_date`, the keys of `earlier`: what `rfgv.score` tells, `is_held`, `score_change`.

    `is_held`: the records of their area reach back over the look-back. The change is from the earlier date named to
    the run date; 0 where the records do not reach back over the look-back of that one.
    """
    import pandas as pd

    spec = study.programme.recorded.rfgv
    every = rfgv.scores(connection, sorted({*earlier, *earlier.values()}), spec)
    every = every.assign(run_date=pd.to_datetime(every["run_date"]))
    before = every.set_index(["person_id", "run_date"])["score"]
    rows = every[every["run_date"].isin(pd.to_datetime(pd.Series(list(earlier))))]
    reach = _reach_back(connection, study)
    back = rows["run_date"].map({pd.Timestamp(day): pd.Timestamp(each) for day, each in earlier.items()})
    score_then = before.reindex(pd.MultiIndex.from_arrays([rows["person_id"], back])).to_numpy()
    held_then = _held(back, rows["area"], reach, spec.look_back_months)
    return rows.assign(
        is_held=_held(rows["run_date"], rows["area"], reach, spec.look_back_months),
        score_change=(rows["score"] - score_then).where(held_then, 0.0).astype(float),
    )


def _reach_back(connection: duckdb.DuckDBPyConnection, study: Study) -> dict[str, date]:
    """The first day of the month in which an area's first record was made; an old offence reported late is no reach."""
    areas = [area.slug for area in study.areas]
    rows = connection.execute(
        "SELECT area, date_trunc('month', min(recorded_on))::DATE FROM incidents "
        "WHERE list_contains($areas, area) GROUP BY 1",
        {"areas": areas},
    ).fetchall()
    return dict(rows)


def _held(days: pd.Series, areas: pd.Series, reach: dict[str, date], look_back_months: int) -> pd.Series[bool]:
    import pandas as pd

    first = pd.to_datetime(areas.map(reach))
    return first.notna() & (days - pd.DateOffset(months=look_back_months) >= first)


def known_before(
    connection: duckdb.DuckDBPyConnection, rows: pd.DataFrame, dates: Collection[date], keep: Collection[str] = ()
) -> pd.DataFrame:
    """Rows of `scored` with an `arm` as rows of a cohort: their history from what was on record before the run date.

    Columns: person_id, area, index_date, arm, age_band, those of HISTORY, and those named in `keep`.
    """
    import pandas as pd

    counted = pd.concat([_counted_before(connection, day) for day in dates], ignore_index=True)
    custody = pd.concat([_custody_before(connection, day) for day in dates], ignore_index=True)
    ages = connection.execute("SELECT person_id, birth_year FROM known_people").df()
    rows = (
        rows.merge(counted, on=["person_id", "run_date"], how="left")
        .merge(custody, on=["person_id", "run_date"], how="left")
        .merge(ages, on="person_id", how="left")
    )
    filled = {name: rows[name].fillna(0) for name, *_ in EVENTS_BEFORE}
    return rows.assign(
        **filled,
        custody_days=rows["custody_days"].fillna(0),
        days_since_last=rows["days_since_last"].fillna(NOT_SEEN_FOR),
        age_band=_age_band(rows["run_date"].dt.year - rows["birth_year"]),
        index_date=rows["run_date"],
    )[["person_id", "area", "index_date", "arm", "age_band", *HISTORY, *keep]]


def _counted_before(connection: duckdb.DuckDBPyConnection, day: date) -> pd.DataFrame:
    """Events on record before a run date, in the windows of EVENTS_BEFORE."""
    import pandas as pd

    events = rfgv.events(connection, day)
    counts = ", ".join(
        f"count(*) FILTER (WHERE is_domestic_abuse = {abuse} AND ago BETWEEN {first} AND {last}) AS {name}"
        for name, abuse, first, last in EVENTS_BEFORE
    )
    longest = max(last for *_, last in EVENTS_BEFORE)
    found = connection.execute(
        f"SELECT person_id, {counts} FROM (SELECT *, CAST($day AS DATE) - day AS ago FROM {events}) "
        f"WHERE ago BETWEEN 1 AND {longest} GROUP BY 1",
        {"day": day},
    ).df()
    return found.assign(run_date=pd.Timestamp(day))


def _custody_before(connection: duckdb.DuckDBPyConnection, day: date) -> pd.DataFrame:
    """Days in custody in the CUSTODY_DAYS before a run date."""
    import pandas as pd

    found = connection.execute(
        f"""
        SELECT humans.person_id, sum(greatest(0, least(coalesce(until_on, $day), $day)
               - greatest(from_on, CAST($day AS DATE) - {CUSTODY_DAYS}))) AS custody_days
        FROM custody JOIN humans ON humans.id = custody.person_id WHERE from_on < $day GROUP BY 1
        """,
        {"day": day},
    ).df()
    return found.assign(custody_days=found["custody_days"].clip(upper=CUSTODY_DAYS), run_date=pd.Timestamp(day))


def _age_band(years: pd.Series) -> pd.Series[str]:
    import pandas as pd

    bands = pd.cut(years, [-1, *AGE_ENDS, 200], right=False, labels=list(AGE_BANDS[:-1]))
    return bands.astype("object").fillna(AGE_BANDS[-1]).astype(str)
