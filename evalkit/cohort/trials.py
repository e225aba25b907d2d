"""One trial a run date: all who could be chosen on it, and what was known of each of them before it.

Eligibility, history and the side that a person is on are settled by what stood in the records before the run date. A
person who is not chosen this month stands among the comparison even if they are chosen later: who is chosen later is
decided by what they do later, so leaving them out would leave those who went on to offend out of the comparison alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from evalkit import rfgv
from evalkit.cohort.clock import due, known_to
from evalkit.cohort.clusters import clusters
from evalkit.cohort.history import AGE_BANDS, AGE_ENDS, CUSTODY_DAYS, EVENTS_BEFORE, HISTORY, RUN_DATES_BACK
from evalkit.cohort.nouns import Cohort, lines_between
from evalkit.errors import NotComparable
from evalkit.results import COMPARISON, PROGRAMME, Count
from evalkit.store import Store
from evalkit.study import Study

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

MONTHLY_LIST = "rfgv"
NOT_SEEN_FOR = 730  # days since the last event, of somebody who has none on record


def build(store: Store, study: Study) -> Cohort:
    """The trials of every run date in the funding period, on police records."""
    store.require(*study.programme.tables)
    with store.connection() as connection:
        _refuse_a_longer_lag(connection, study)
        rfgv.prepare(connection, study.programme.recorded.rfgv, study.root)
        dates = _run_dates(connection, study)
        considered = _considered(connection, dates, study)
        at_risk = considered[considered["at_risk"]]
        if at_risk.empty:
            raise NotComparable(
                f"on none of the {len(dates)} run dates of {study.period.label} could anybody have been chosen: nobody "
                "on record was eligible and free. Check the score's eligibility, and the areas of the people."
            )
        known = _known_before(connection, at_risk, dates, study)
        people = _clocked(connection, _first_choice(known), study)
        _refuse_hindsight(people, at_risk)
        flow = tuple(_flow(connection, store, considered, people, study))
        linked = tuple(_linked(connection, people, study))
    if any(lines_between(flow, side) for side in (PROGRAMME, COMPARISON)):
        raise ValueError("the steps of the flow must add up")
    return Cohort(people=people, flow=flow, linked=linked)


def _refuse_a_longer_lag(connection: duckdb.DuckDBPyConnection, study: Study) -> None:
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


def _run_dates(connection: duckdb.DuckDBPyConnection, study: Study) -> list[date]:
    """The run dates of the monthly list in the funding period, as far as they are known."""
    first, last = study.period.first_day, min(study.period.last_day, study.extract_date - timedelta(days=1))
    rows = connection.execute(
        "SELECT DISTINCT run_date FROM selections "
        "WHERE route = $route AND run_date BETWEEN $first AND $last ORDER BY run_date",
        {"route": MONTHLY_LIST, "first": first, "last": last},
    ).fetchall()
    if not rows:
        raise NotComparable(
            f"'selections' holds no run date of the monthly list from {first} to {last}. Correct the days of the "
            "funding period in the suite, or bring the lists."
        )
    return [day for (day,) in rows]


def _considered(connection: duckdb.DuckDBPyConnection, dates: Sequence[date], study: Study) -> pd.DataFrame:
    """Everybody on record in these areas by run date: score, `eligible`, `chosen`, and `at_risk` of being chosen.

    At risk: eligible, not on the caseload, not chosen or discharged within the wash-out, not in custody on each of the
    30 days before, without an exclusion reason on the list, in an area whose records reach back over the look-back.
    """
    import pandas as pd

    spec = study.programme.recorded.rfgv
    areas = [area.slug for area in study.areas]
    earlier = _earlier(connection, dates)
    scored = rfgv.scores(connection, sorted({*dates, *earlier.values()}), spec)
    scored = scored[scored["area"].isin(areas)].assign(run_date=lambda rows: pd.to_datetime(rows["run_date"]))
    before = scored.set_index(["person_id", "run_date"])["score"]
    rows = scored[scored["run_date"].isin(pd.to_datetime(pd.Series(dates)))]
    listed = _listed(connection, dates)
    busy = pd.concat([_busy(connection, day, study) for day in dates], ignore_index=True)
    rows = rows.merge(listed, on=["person_id", "run_date"], how="left").merge(
        busy, on=["person_id", "run_date"], how="left"
    )
    reach = _reach_back(connection, study)
    back = rows["run_date"].map({pd.Timestamp(day): pd.Timestamp(each) for day, each in earlier.items()})
    score_then = before.reindex(pd.MultiIndex.from_arrays([rows["person_id"], back])).to_numpy()
    held_then = _held(back, rows["area"], reach, spec.look_back_months)
    return rows.assign(
        chosen=rows["chosen"].eq(True),
        is_eligible=rows["eligible"] != "no",
        at_risk=(rows["eligible"] != "no")
        & rows["why_not"].isna()
        & rows["busy"].isna()
        & _held(rows["run_date"], rows["area"], reach, spec.look_back_months),
        score_change=(rows["score"] - score_then).where(held_then, 0.0).astype(float),
    )


def _earlier(connection: duckdb.DuckDBPyConnection, dates: Sequence[date]) -> dict[date, date]:
    """The third run date before each; before the lists begin, the same day three months earlier."""
    import pandas as pd

    every = [
        day
        for (day,) in connection.execute(
            "SELECT DISTINCT run_date FROM selections WHERE route = $route ORDER BY 1", {"route": MONTHLY_LIST}
        ).fetchall()
    ]
    places = {day: every.index(day) for day in dates}
    return {
        day: every[place - RUN_DATES_BACK]
        if place >= RUN_DATES_BACK
        else (pd.Timestamp(day) - pd.DateOffset(months=RUN_DATES_BACK)).date()
        for day, place in places.items()
    }


def _listed(connection: duckdb.DuckDBPyConnection, dates: Sequence[date]) -> pd.DataFrame:
    """Who was chosen from the monthly list, and who was passed over and why, by person and run date."""
    import pandas as pd

    found = connection.execute(
        """
        SELECT person_id, run_date, bool_or(selected) AS chosen,
               CASE WHEN NOT bool_or(selected) THEN any_value(exclusion_reason) END AS why_not
        FROM (SELECT humans.person_id, selections.* EXCLUDE (person_id)
              FROM selections JOIN humans ON humans.id = selections.person_id)
        WHERE route = $route AND list_contains($dates, run_date)
        GROUP BY ALL
        """,
        {"route": MONTHLY_LIST, "dates": list(dates)},
    ).df()
    return found.assign(run_date=pd.to_datetime(found["run_date"]))


def _busy(connection: duckdb.DuckDBPyConnection, day: date, study: Study) -> pd.DataFrame:
    """Who could not be chosen on a run date, as far as the records told it by then."""
    import pandas as pd

    chosen = study.programme.recorded
    found = rfgv.busy(connection, day, programme=study.programme.slug, wash_out_days=chosen.wash_out_days)
    return found.rename(columns={"reason": "busy"}).assign(run_date=pd.Timestamp(day))


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


def _known_before(
    connection: duckdb.DuckDBPyConnection, at_risk: pd.DataFrame, dates: Sequence[date], study: Study
) -> pd.DataFrame:
    """The people at risk on each run date with their history, from what was on record before that date."""
    import pandas as pd

    counted = pd.concat([_counted_before(connection, day) for day in dates], ignore_index=True)
    custody = pd.concat([_custody_before(connection, day) for day in dates], ignore_index=True)
    ages = connection.execute("SELECT person_id, birth_year FROM known_people").df()
    rows = (
        at_risk.merge(counted, on=["person_id", "run_date"], how="left")
        .merge(custody, on=["person_id", "run_date"], how="left")
        .merge(ages, on="person_id", how="left")
    )
    filled = {name: rows[name].fillna(0) for name, *_ in EVENTS_BEFORE}
    return rows.assign(
        **filled,
        custody_days=rows["custody_days"].fillna(0),
        days_since_last=rows["days_since_last"].fillna(NOT_SEEN_FOR),
        age_band=_age_band(rows["run_date"].dt.year - rows["birth_year"]),
        arm=rows["chosen"].map({True: PROGRAMME, False: COMPARISON}),
        index_date=rows["run_date"],
    )[["person_id", "area", "index_date", "arm", "age_band", *HISTORY]]


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


def _first_choice(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows without those on which somebody was chosen a second time in the period: one index date a person."""
    chosen = rows[rows["arm"] == PROGRAMME].sort_values("index_date")
    return rows.drop(index=chosen.index[chosen.duplicated("person_id")])


def _clocked(connection: duckdb.DuckDBPyConnection, rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The rows with their cluster, the days they were followed and a death within them."""
    import pandas as pd

    ends = connection.execute("SELECT person_id, died_on, left_force_on FROM known_people").df()
    rows = rows.merge(ends, on="person_id", how="left").merge(clusters(connection, study), on="person_id", how="left")
    end, moved = pd.Timestamp(known_to(study)), pd.to_datetime(rows["left_force_on"])
    observed_to = moved.where(moved < end, end)
    days = (observed_to - rows["index_date"]).dt.days.sub(1).clip(lower=0, upper=study.longest_horizon_days)
    death_day = (pd.to_datetime(rows["died_on"]) - rows["index_date"]).dt.days
    return (
        rows.drop(columns=["died_on", "left_force_on"])
        .assign(
            days_followed=days.astype("int64"), death_day=death_day.where(death_day.between(1, days)).astype("float64")
        )
        .sort_values(["index_date", "person_id"], ignore_index=True)
    )


def _refuse_hindsight(people: pd.DataFrame, at_risk: pd.DataFrame) -> None:
    """Stop where the comparison was thinned by what happened later: everybody at risk and not chosen must be in it."""
    untreated = at_risk[~at_risk["chosen"]]
    comparison = people[people["arm"] == COMPARISON]
    if len(untreated) != len(comparison) or people.duplicated(["person_id", "index_date"]).any():
        raise ValueError("the comparison must be everybody at risk who was not chosen on that run date, once each")


def _linked(connection: duckdb.DuckDBPyConnection, people: pd.DataFrame, study: Study) -> Iterator[tuple[str, float]]:
    """The share of all chosen whose police records were found; the comparison comes from these records itself."""
    chosen = people.loc[people["arm"] == PROGRAMME, "person_id"].unique().tolist()
    found = connection.execute(
        """
        SELECT count(DISTINCT humans.person_id) FROM episodes JOIN humans ON humans.id = episodes.person_id
        WHERE programme = $programme AND police_link = 'linked' AND list_contains($chosen, humans.person_id)
        """,
        {"programme": study.programme.slug, "chosen": chosen},
    ).fetchone()
    if chosen and found:
        yield PROGRAMME, found[0] / len(chosen)


def _flow(
    connection: duckdb.DuckDBPyConnection, store: Store, considered: pd.DataFrame, people: pd.DataFrame, study: Study
) -> Iterator[Count]:
    yield from _rows(connection, store, study)
    everybody = considered.groupby("person_id")[["is_eligible", "at_risk"]].any()
    yield Count(step="on_record", label="On record in these areas", total=len(everybody))
    never = ~everybody["is_eligible"]
    yield Count(step="not_eligible", label="Eligible on no run date", total=int(never.sum()), left_out=True)
    taken = everybody["is_eligible"] & ~everybody["at_risk"]
    busy = "Eligible, but never free to be chosen (on the caseload, lately discharged, in custody or excluded)"
    yield Count(step="not_free", label=busy, total=int(taken.sum()), left_out=True)
    yield Count(
        step="could_be_chosen", label="Could be chosen on a run date or more", total=int(everybody["at_risk"].sum())
    )
    yield from _sides(connection, people, study)


def _rows(connection: duckdb.DuckDBPyConnection, store: Store, study: Study) -> Iterator[Count]:
    """Rows of the extracts, and those that cannot count."""
    tables = study.programme.tables
    aside = sum(store.rows_set_aside(table) for table in tables)
    held = connection.execute(" UNION ALL ".join(f'SELECT count(*) FROM "{table}"' for table in tables)).fetchall()
    later = connection.execute(
        "SELECT count(*) FROM incidents WHERE recorded_on >= $known", {"known": study.extract_date}
    ).fetchone()
    total = sum(rows for (rows,) in held) + aside
    yield Count(step="rows", label="Rows in the extracts", total=total, unit="rows")
    yield Count(step="set_aside", label="Broke a rule of a data contract", total=aside, unit="rows", left_out=True)
    late = "Incidents recorded after the last day of data"
    yield Count(step="too_late", label=late, total=later[0] if later else 0, unit="rows", left_out=True)


def _sides(connection: duckdb.DuckDBPyConnection, people: pd.DataFrame, study: Study) -> Iterator[Count]:
    """From everybody chosen in the period to those who are counted; the comparison enters on the run dates."""
    chosen = people[people["arm"] == PROGRAMME]
    compared = people[people["arm"] == COMPARISON]
    routes = _chosen_by_route(connection, study)
    from_list = {person for person, route in routes if route == MONTHLY_LIST}
    otherwise = {person for person, _ in routes} - from_list
    out = len(from_list - set(chosen["person_id"]))
    yield _side("referred", "Chosen in the funding period", len(from_list | otherwise), None)
    partner = "Referred by a partner, outside the monthly list: nobody can tell who else could have been"
    yield _side("partner", partner, len(otherwise), None, left_out=True)
    yield _side("not_at_risk", "Chosen, though not eligible or not free by the records", out, None, left_out=True)
    is_due = due(people, study, study.horizon_days)
    in_trials = compared["person_id"].nunique()
    yield _side("trials", "Chosen, or not chosen on the same run dates", len(chosen), in_trials)
    due_rows = people[is_due & (people["days_followed"] > 0)]
    counted = {arm: due_rows.loc[due_rows["arm"] == arm, "person_id"].nunique() for arm in (PROGRAMME, COMPARISON)}
    waiting = chosen[~is_due[chosen.index]]["person_id"].nunique()
    analysed = counted[PROGRAMME]
    lost = len(chosen) - waiting - analysed
    late = in_trials - compared.loc[is_due[compared.index], "person_id"].nunique()
    yield _side("not_due", "Window not over by the last day of data", waiting, late, left_out=True)
    yield _side("lost", "Left the area on the next day", lost, in_trials - late - counted[COMPARISON], left_out=True)
    yield _side("analysed", "Counted", analysed, counted[COMPARISON])


def _chosen_by_route(connection: duckdb.DuckDBPyConnection, study: Study) -> list[tuple[str, str]]:
    """Everybody chosen in the period in these areas, with the route by which they came."""
    first, last = study.period.first_day, min(study.period.last_day, study.extract_date - timedelta(days=1))
    rows: list[tuple[str, str]] = connection.execute(
        """
        SELECT DISTINCT humans.person_id, route FROM selections JOIN humans ON humans.id = selections.person_id
        JOIN known_people ON known_people.person_id = humans.person_id
        WHERE selected AND run_date BETWEEN $first AND $last AND list_contains($areas, known_people.area)
        """,
        {"first": first, "last": last, "areas": [area.slug for area in study.areas]},
    ).fetchall()
    return rows


def _side(step: str, label: str, programme: int, comparison: int | None, *, left_out: bool = False) -> Count:
    return Count(step=step, label=label, total=None, programme=programme, comparison=comparison, left_out=left_out)
