"""Whoever was allocated or accepted, from the spells of a programme, with what police records know of them.

The clock starts on the day of the decision, so that everybody counts from the same point whether they came or not:
with any later day those who took part would have been sure to get that far.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from evalkit import rfgv
from evalkit.cohort.before import known_before, months_back, scored
from evalkit.cohort.clock import clocked, counted_rows, due, refuse_a_longer_lag
from evalkit.cohort.flow import refuse_lines_between, rows_held, side
from evalkit.cohort.nouns import Cohort
from evalkit.errors import NotComparable
from evalkit.results import COMPARISON, PROGRAMME, Count
from evalkit.rfgv.people import padded
from evalkit.store import Store, remembered
from evalkit.study import Study
from evalkit.study.programme import TABLES

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

INDEXED_ON = {"randomised": "allocated_on", "single_group": "accepted_on"}
OPTIONAL = (
    "allocated_on DATE", "accepted_on DATE", "started_on DATE", "discharged_on DATE", "discharge_reason VARCHAR",
)  # fmt: skip
WORDS = {
    "randomised": ("Allocated by chance", "Spells without a day of allocation"),
    "single_group": ("Accepted", "Spells on a waiting list or in usual care, or without a day of acceptance"),
}


def build(store: Store, study: Study) -> Cohort:
    """The people of `episodes`: each at their first spell of the programme in the funding period and the areas.

    Indexed on the day of allocation where chance decided, else on the day of acceptance. Of somebody whose police
    records were not found nothing is known: they count with no day of follow-up.
    """
    store.require(*TABLES[study.programme.source])
    with store.connection() as connection:
        refuse_a_longer_lag(connection, study)
        rfgv.prepare(connection, study.programme.recorded.rfgv, study.root)
        spells, undated = _spells(connection, study)
        mine = _first_of_each(spells)
        inside = mine[mine["in_period"]]
        if inside.empty:
            first, last = study.period.first_day, study.period.last_day
            raise NotComparable(
                f"none of the {len(spells)} spells of {study.programme.name} in {study.area_label} began from {first} "
                f"to {last}. Correct the days of the funding period in the suite, or bring the missing extract."
            )
        people = _with_clock(connection, inside, study)
        referred = _referred(connection, mine, study) if "referrals" in store.tables else None
        repeated = len(spells) - len(mine)
        flow = (
            *rows_held(connection, store, study, spells="episodes"),
            *_spells_left(undated, repeated, study),
            *_flow(mine, people, referred, study),
        )
    refuse_lines_between(flow)
    return Cohort(people=people, flow=flow, linked=tuple(_linked(inside)))


def _spells(connection: duckdb.DuckDBPyConnection, study: Study) -> tuple[pd.DataFrame, int]:
    """The spells of the programme in these areas in the order of their index dates, and how many have none.

    Columns: person_id, episode_id, area, arm, index_date, started, completed, discharged_on, is_linked, in_period.
    Nothing of the extract date or later is known.
    """
    import pandas as pd

    rows = connection.execute(
        f"""
        SELECT humans.person_id, episode_id, episodes.area, arm, {INDEXED_ON[study.programme.design]} AS index_date,
          coalesce(started_on < $known, false) AS started, discharged_on,
          coalesce(discharged_on < $known AND discharge_reason = 'planned', false) AS completed,
          police_link = 'linked' AND humans.person_id IN (SELECT person_id FROM known_people) AS is_linked,
          coalesce(index_date BETWEEN $first AND $last, false) AS in_period
        FROM {padded("episodes", *OPTIONAL)} JOIN humans ON humans.id = episodes.person_id
        WHERE programme = $programme AND list_contains($areas, episodes.area)
          AND coalesce(index_date < $known, true)
        ORDER BY index_date, episode_id
        """,
        _asked(study),
    ).df()
    dated = rows["index_date"].notna()
    if study.programme.design == "single_group":
        dated &= rows["arm"].eq("programme")
    arm = rows["arm"].eq("programme").map({True: PROGRAMME, False: COMPARISON})
    spells = rows.assign(arm=arm, index_date=pd.to_datetime(rows["index_date"]))
    return spells[dated].reset_index(drop=True), int((~dated).sum())


def _asked(study: Study) -> dict[str, object]:
    return {
        "programme": study.programme.slug,
        "areas": [area.slug for area in study.areas],
        "first": study.period.first_day,
        "last": study.period.last_day,
        "known": study.extract_date,
    }


def _first_of_each(spells: pd.DataFrame) -> pd.DataFrame:
    """One spell a person: the first in the funding period, of those who have one, else the first of all."""
    order = spells.sort_values("in_period", ascending=False, kind="stable")
    return order.drop_duplicates("person_id").sort_index(ignore_index=True)


def _with_clock(connection: duckdb.DuckDBPyConnection, inside: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The people with their history and follow-up; history 0 and no follow-up where no police records were found."""
    rows = inside.rename(columns={"index_date": "run_date"})
    dates = [day.date() for day in rows["run_date"].drop_duplicates()]
    known = scored(connection, {day: months_back(day) for day in dates}, study).drop(columns="area")
    rows = rows.merge(known, on=["person_id", "run_date"], how="left")
    rows = rows.assign(**{name: rows[name].fillna(0.0) for name in ("score", "score_change", "gravity", "n_victims")})
    keep = ("episode_id", "discharged_on", "is_linked")
    people = clocked(connection, known_before(connection, rows, dates, keep), study)
    return people.assign(
        days_followed=people["days_followed"].where(people["is_linked"], 0),
        death_day=people["death_day"].where(people["is_linked"]),
    ).drop(columns="is_linked")


def _referred(connection: duckdb.DuckDBPyConnection, mine: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Everybody referred in the funding period and these areas, by person_id, and whether all theirs was `declined`.

    A referral names no area: it is that of the person, or of their spell.
    """
    return connection.execute(
        f"""
        SELECT person_id, bool_and(decision = 'declined' AND coalesce(decided_on < $known, true)) AS declined
        FROM (SELECT humans.person_id, referrals.* EXCLUDE (person_id)
              FROM {padded("referrals", "decided_on DATE")} JOIN humans ON humans.id = referrals.person_id)
        LEFT JOIN known_people USING (person_id)
        WHERE programme = $programme AND referred_on BETWEEN $first AND $last AND referred_on < $known
          AND coalesce(list_contains($areas, area) OR list_contains($taken_on, person_id), false)
        GROUP BY 1
        """,
        {**_asked(study), "taken_on": mine["person_id"].tolist()},
    ).df()


def _spells_left(undated: int, repeated: int, study: Study) -> Iterator[Count]:
    _, without = WORDS[study.programme.design]
    yield Count(step="not_indexed", label=without, total=undated, unit="rows", left_out=True)
    yield Count(step="repeat", label="Other spells of the same people", total=repeated, unit="rows", left_out=True)


def _flow(mine: pd.DataFrame, people: pd.DataFrame, referred: pd.DataFrame | None, study: Study) -> Iterator[Count]:
    """From everybody referred to those analysed, one step a line; then what became of those analysed."""
    of_period = set(mine.loc[mine["in_period"], "person_id"])
    if referred is not None:
        yield from _decided(referred, mine, of_period)
        mine = mine[mine["in_period"] | mine["person_id"].isin(referred["person_id"])]
    words, _ = WORDS[study.programme.design]
    rows = people.merge(mine[["person_id", "is_linked", "started", "completed"]], on="person_id")
    is_due, linked = due(rows, study, study.horizon_days), rows["is_linked"]
    analysed = rows.index.isin(counted_rows(rows, study, study.horizon_days).index)
    yield _step("accepted", words, mine, study)
    outside = mine[~mine["in_period"]]
    yield _step("outside", "Taken on outside the funding period", outside, study, left_out=True)
    yield _step("not_due", "Window not over by the last day of data", rows[~is_due], study, left_out=True)
    yield _step("allocated", f"{words} in the funding period, and the window is over", rows[is_due], study)
    yield _step("not_linked", "Not found in police records", rows[is_due & ~linked], study, left_out=True)
    yield _step("lost", "Left the area on the next day", rows[is_due & linked & ~analysed], study, left_out=True)
    yield _step("analysed", "Counted", rows[analysed], study)
    for step, label in (("started", "Of these, started"), ("completed", "Of these, discharged as planned")):
        yield side(step, label, int((analysed & rows["arm"].eq(PROGRAMME) & rows[step]).sum()), None)


def _decided(referred: pd.DataFrame, mine: pd.DataFrame, of_period: set[str]) -> Iterator[Count]:
    """Whoever was referred, and of them those who were not taken on."""
    open_ = referred[~referred["person_id"].isin(mine["person_id"])]
    declined = int(open_["declined"].sum())
    everybody = len(of_period | set(referred["person_id"]))
    yield Count(step="referred", label="Referred or taken on in the funding period", total=everybody)
    yield Count(step="declined", label="Declined or not eligible", total=declined, left_out=True)
    waiting = "Waiting for a decision, or not yet taken on"
    yield Count(step="waiting", label=waiting, total=len(open_) - declined, left_out=True)


def _step(step: str, label: str, rows: pd.DataFrame, study: Study, *, left_out: bool = False) -> Count:
    programme = int(rows["arm"].eq(PROGRAMME).sum())
    comparison = len(rows) - programme if study.programme.design == "randomised" else None
    return Count(step=step, label=label, total=len(rows), programme=programme, comparison=comparison, left_out=left_out)


def _linked(inside: pd.DataFrame) -> Iterator[tuple[str, float]]:
    """The share of each arm whose police records were found, not due yet or lost included."""
    for arm in (PROGRAMME, COMPARISON):
        found = inside.loc[inside["arm"] == arm, "is_linked"]
        if len(found):
            yield arm, float(found.mean())


def everybody_else(store: Store, study: Study) -> pd.DataFrame:
    """Other people on record, from whom it is learnt what is to be expected without the programme.

    One row per person and first day of a month of the funding period, with the columns of `Cohort.people` and arm
    `comparison`: everybody on record in the study's areas, alive and there, with a domestic-abuse event in the
    look-back of the score, whom the programme had not accepted by that day. No comparison group: nobody knows who of
    them could have been referred.
    """
    return _everybody_else(store, study).people


@remembered(Cohort)
def _everybody_else(store: Store, study: Study) -> Cohort:
    with store.connection() as connection:
        rfgv.prepare(connection, study.programme.recorded.rfgv, study.root)
        dates = _firsts_of_months(study)
        rows = scored(connection, {day: months_back(day) for day in dates}, study)
        there = rows["area"].isin([area.slug for area in study.areas]) & rows["is_held"] & rows["n_incidents"].gt(0)
        rows = _still_there(connection, rows[there], study).assign(arm=COMPARISON, episode_id=None, discharged_on=None)
        known = known_before(connection, rows, dates, ("episode_id", "discharged_on"))
        return Cohort(people=clocked(connection, known, study), flow=())


def _firsts_of_months(study: Study) -> list[date]:
    import pandas as pd

    last = min(study.period.last_day, study.extract_date - timedelta(days=1))
    return [day.date() for day in pd.date_range(study.period.first_day.replace(day=1), last, freq="MS")]


def _still_there(connection: duckdb.DuckDBPyConnection, rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The rows of people who had neither died, nor left, nor been accepted by their run date."""
    import pandas as pd

    ends = connection.execute(
        f"""
        SELECT known_people.person_id, least(died_on, left_force_on, min(accepted_on)) AS until
        FROM known_people LEFT JOIN (
          SELECT humans.person_id, accepted_on FROM {padded("episodes", "accepted_on DATE")}
          JOIN humans ON humans.id = episodes.person_id WHERE programme = $programme AND arm = 'programme'
        ) AS taken_on USING (person_id) GROUP BY known_people.person_id, died_on, left_force_on
        """,
        {"programme": study.programme.slug},
    ).df()
    found = rows.merge(ends, on="person_id", how="left")
    return found[~(pd.to_datetime(found["until"]) <= found["run_date"])].drop(columns="until")
