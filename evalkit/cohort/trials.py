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
from evalkit.cohort.before import known_before, months_back, scored
from evalkit.cohort.clock import clocked, due, refuse_a_longer_lag
from evalkit.cohort.flow import refuse_lines_between, rows_held, side
from evalkit.cohort.history import RUN_DATES_BACK
from evalkit.cohort.nouns import Cohort
from evalkit.errors import NotComparable
from evalkit.results import COMPARISON, PROGRAMME, Count
from evalkit.rfgv.people import padded
from evalkit.store import Store
from evalkit.study import Study
from evalkit.study.programme import TABLES

if TYPE_CHECKING:
    import duckdb
    import pandas as pd


def build(store: Store, study: Study) -> Cohort:
    """The trials of every run date in the funding period, on police records."""
    store.require(*TABLES[study.programme.source])
    with store.connection() as connection:
        refuse_a_longer_lag(connection, study)
        rfgv.prepare(connection, study.programme.recorded.rfgv, study.root)
        dates = _run_dates(connection, study)
        considered = _considered(connection, dates, study)
        at_risk = considered[considered["at_risk"]]
        if at_risk.empty:
            raise NotComparable(
                f"on none of the {len(dates)} run dates of {study.period.label} could anybody have been chosen: nobody "
                "on record was eligible and free. Check the score's eligibility, and the areas of the people."
            )
        rows = _first_choice(known_before(connection, at_risk, dates))
        people = clocked(connection, _with_episodes(connection, rows, study), study)
        _refuse_hindsight(people, at_risk)
        flow = tuple(_flow(connection, store, considered, people, study))
        linked = tuple(_linked(connection, people, study))
    refuse_lines_between(flow)
    return Cohort(people=people, flow=flow, linked=linked)


def _run_dates(connection: duckdb.DuckDBPyConnection, study: Study) -> list[date]:
    """The run dates of the monthly list in the funding period, as far as they are known."""
    first, last = study.period.first_day, min(study.period.last_day, study.extract_date - timedelta(days=1))
    rows = connection.execute(
        "SELECT DISTINCT run_date FROM selections "
        "WHERE route = $route AND run_date BETWEEN $first AND $last ORDER BY run_date",
        {"route": study.programme.recorded.list_route, "first": first, "last": last},
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

    rows = scored(connection, _earlier(connection, dates, study), study)
    rows = rows[rows["area"].isin([area.slug for area in study.areas])]
    listed = _listed(connection, dates, study)
    busy = pd.concat([_busy(connection, day, study) for day in dates], ignore_index=True)
    rows = rows.merge(listed, on=["person_id", "run_date"], how="left").merge(
        busy, on=["person_id", "run_date"], how="left"
    )
    is_eligible, chosen = rows["eligible"] != "no", rows["chosen"].eq(True)
    return rows.assign(
        chosen=chosen,
        arm=chosen.map({True: PROGRAMME, False: COMPARISON}),
        is_eligible=is_eligible,
        at_risk=is_eligible & rows["why_not"].isna() & rows["busy"].isna() & rows["is_held"],
    )


def _earlier(connection: duckdb.DuckDBPyConnection, dates: Sequence[date], study: Study) -> dict[date, date]:
    """The third run date before each; before the lists begin, the same day three months earlier."""
    every = [
        day
        for (day,) in connection.execute(
            "SELECT DISTINCT run_date FROM selections WHERE route = $route ORDER BY 1",
            {"route": study.programme.recorded.list_route},
        ).fetchall()
    ]
    places = {day: every.index(day) for day in dates}
    return {
        day: every[place - RUN_DATES_BACK] if place >= RUN_DATES_BACK else months_back(day)
        for day, place in places.items()
    }


def _listed(connection: duckdb.DuckDBPyConnection, dates: Sequence[date], study: Study) -> pd.DataFrame:
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
        {"route": study.programme.recorded.list_route, "dates": list(dates)},
    ).df()
    return found.assign(run_date=pd.to_datetime(found["run_date"]))


def _busy(connection: duckdb.DuckDBPyConnection, day: date, study: Study) -> pd.DataFrame:
    """Who could not be chosen on a run date, as far as the records told it by then."""
    import pandas as pd

    chosen = study.programme.recorded
    found = rfgv.busy(connection, day, programme=study.programme.slug, wash_out_days=chosen.wash_out_days)
    return found.rename(columns={"reason": "busy"}).assign(run_date=pd.Timestamp(day))


def _first_choice(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows without those on which somebody was chosen a second time in the period: one index date a person."""
    chosen = rows[rows["arm"] == PROGRAMME].sort_values("index_date")
    return rows.drop(index=chosen.index[chosen.duplicated("person_id")])


def _with_episodes(connection: duckdb.DuckDBPyConnection, rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The rows with the spell in the programme that began on the very day on which somebody was chosen."""
    spells = connection.execute(
        f"""
        SELECT person_id, accepted_on AS index_date, min(episode_id) AS episode_id,
               arg_min(discharged_on, episode_id) AS discharged_on
        FROM (SELECT humans.person_id, episodes.* EXCLUDE (person_id)
              FROM {padded("episodes", "accepted_on DATE", "discharged_on DATE")}
              JOIN humans ON humans.id = episodes.person_id)
        WHERE programme = $programme AND arm = 'programme' AND accepted_on < $known GROUP BY ALL
        """,
        {"programme": study.programme.slug, "known": study.extract_date},
    ).df()
    found = rows.merge(spells, on=["person_id", "index_date"], how="left")
    chosen = found["arm"].eq(PROGRAMME)
    return found.assign(**{name: found[name].where(chosen) for name in ("episode_id", "discharged_on")})


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
    yield from rows_held(connection, store, study)
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


def _sides(connection: duckdb.DuckDBPyConnection, people: pd.DataFrame, study: Study) -> Iterator[Count]:
    """From everybody chosen in the period to those who are counted; the comparison enters on the run dates."""
    chosen = people[people["arm"] == PROGRAMME]
    compared = people[people["arm"] == COMPARISON]
    routes = _chosen_by_route(connection, study)
    from_list = {person for person, route in routes if route == study.programme.recorded.list_route}
    otherwise = {person for person, _ in routes} - from_list
    out = len(from_list - set(chosen["person_id"]))
    yield side("referred", "Chosen in the funding period", len(from_list | otherwise), None)
    partner = "Referred by a partner, outside the monthly list: nobody can tell who else could have been"
    yield side("partner", partner, len(otherwise), None, left_out=True)
    yield side("not_at_risk", "Chosen, though not eligible or not free by the records", out, None, left_out=True)
    is_due = due(people, study, study.horizon_days)
    in_trials = compared["person_id"].nunique()
    yield side("trials", "Chosen, or not chosen on the same run dates", len(chosen), in_trials)
    due_rows = people[is_due & (people["days_followed"] > 0)]
    counted = {arm: due_rows.loc[due_rows["arm"] == arm, "person_id"].nunique() for arm in (PROGRAMME, COMPARISON)}
    waiting = chosen[~is_due[chosen.index]]["person_id"].nunique()
    analysed = counted[PROGRAMME]
    lost = len(chosen) - waiting - analysed
    late = in_trials - compared.loc[is_due[compared.index], "person_id"].nunique()
    yield side("not_due", "Window not over by the last day of data", waiting, late, left_out=True)
    yield side("lost", "Left the area on the next day", lost, in_trials - late - counted[COMPARISON], left_out=True)
    yield side("analysed", "Counted", analysed, counted[COMPARISON])


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
