"""The programme month by month: everybody is scored, practitioners choose, and what follows is thinned."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evalkit import rfgv
from evalkit.study import RfgvSpec, Synthetic
from evalkit.synthetic.records import Names, custody, day_numbers, days, drawn, only, scrambled
from evalkit.synthetic.world import BURN_IN_DAYS, NEVER, Events, World, displacements, standing, stream

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from evalkit.synthetic.world import Flags, Floats, Ints

NOTICE_DAYS, STARTED_DAYS, STARTED = (3, 22), (14, 43), 0.85
HELD_DAYS, LONG_DAYS, HELD_LONG = (91, 154), (154, 366), 0.1  # three to five months, one in ten up to twelve
DISCHARGED_AS = {"planned": 0.62, "disengaged": 0.26, "custody": 0.08, "withdrawn_by_service": 0.04}
PATHWAY = {"therapeutic": 0.5, "enforcement": 0.3, "both": 0.2}
POLICE_LINK = {"linked": 0.97, "not_found": 0.02, "not_tried": 0.01}
DAYS_TO_REFERRAL = 26
INTAKE_WITHIN_DAYS, ASSESSED_AFTER_DAYS = 14, 28
PLACES_LEFT = -1e6
SHOWN = (
    "person_id", "person", "area", "day", "route", "selected", "exclusion_reason", "rank", "score", "distance_to_line",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What the programme did, and what then happened.

    Attributes
    ----------
    tables : mapping of str to pandas.DataFrame
        `episodes`, one row per person taken on or compared, and what else the way in has left on paper.
    cases : pandas.DataFrame
        One row per episode, in their order: episode_id, person_id, person and index day as numbers, area, `treated`
        where in the programme, and `told` where the truth is told of it.
    visits : pandas.DataFrame
        One row per assessment that is planned: `case`, the place of the case, `day`, timepoint, interim_number (0
        where it is no interim).
    since : array of int
        For each person the day of the first entry into the programme; NEVER where there is none.
    happens, held : array of bool
        For each event of the world whether it still happens, and whether custody follows it.
    lines : array of float or None
        Of monthly lists, by run date and area, the sum of score and judgement that was just enough to be chosen: below
        any score where places were left, infinite where there were none.
    """

    tables: Mapping[str, pd.DataFrame]
    cases: pd.DataFrame
    visits: pd.DataFrame
    since: Ints
    happens: Flags
    held: Flags
    lines: Floats | None = None


def enrol(
    settings: Synthetic, spec: RfgvSpec, root: Path, world: World, ids: Names, tables: Mapping[str, pd.DataFrame]
) -> Enrolment:
    """Lists and choices from the first run date on, each from what was on record before it.

    Practitioners see the list of an area and take on as many as there are places: those with the highest sum of score
    and judgement (Gumbel) among the eligible who are not passed over. Partner agencies bring some of the others.
    """
    import duckdb
    import pandas as pd

    since = np.full(len(tables["people"]), NEVER)
    happens, held = with_programme(settings, world, since)
    shape = (settings.enrolment_months, len(since))
    judgement = stream(settings, "judgement").gumbel(0, settings.judgement_sd, shape)
    lot, delay = stream(settings, "referral").random((2, *shape))
    record_id, event = (tables["incidents"][column].to_numpy() for column in ("record_id", "event"))
    shown, taken, lines = [], [], []
    with duckdb.connect() as connection:
        for name, frame in tables.items():
            put(connection, name, frame)
        rfgv.prepare(connection, spec, root)
        for month in range(settings.enrolment_months):
            put(connection, "custody", custody(settings, world, ids, held))
            listed = _listed(settings, connection, spec, world, ids, month)
            listed, line = _chosen(settings, listed, judgement[month], month)
            referred = _referred(settings, world, listed, lot[month], delay[month], month)
            on_list = listed.loc[listed["is_shown"], list(SHOWN)]
            shown += [on_list, referred]
            taken += [on_list[on_list["selected"]], referred]
            lines.append(line)
            taken_on = pd.concat(taken, ignore_index=True)
            episodes = _episodes(settings, world, taken_on)
            run_date = days(settings, taken_on["day"].to_numpy())
            put(connection, "selections", taken_on[["person_id", "selected"]].assign(run_date=run_date))
            put(connection, "episodes", episodes)
            np.minimum.at(since, taken_on["person"], taken_on["day"])
            before, (happens, held) = happens, with_programme(settings, world, since)
            if (gone := record_id[(before & ~happens)[event]]).size:
                rfgv.forget(connection, gone)
    selections = pd.concat(shown, ignore_index=True)
    run_date = days(settings, selections["day"].to_numpy())
    cases = taken_on[["person_id", "person", "day", "area"]].assign(
        episode_id=episodes["episode_id"], treated=True, told=taken_on["route"].eq("rfgv")
    )
    return Enrolment(
        tables={"selections": selections.assign(run_date=run_date), "episodes": episodes},
        cases=cases,
        visits=visits(settings, world, cases, exits=day_numbers(settings, episodes["discharged_on"])),
        since=since, happens=happens, held=held, lines=np.array(lines),
    )  # fmt: skip


def visits(
    settings: Synthetic, world: World, cases: pd.DataFrame, *, exits: Ints, interims: Sequence[Ints] = ()
) -> pd.DataFrame:
    """When the cases are to be assessed: within 14 days of the index date, on the days of interims, and at the exit."""
    import pandas as pd

    person, index = cases["person"].to_numpy(), cases["day"].to_numpy()
    notice = stream(settings, "intake").integers(1, INTAKE_WITHIN_DAYS + 1, size=len(world.person_of))
    planned = [("intake", 0, index + notice[person])]
    planned += [("interim", number, day) for number, day in enumerate(interims, start=1)]
    planned += [("exit", 0, exits)]
    rows = [
        pd.DataFrame({"case": np.arange(len(cases)), "day": day, "timepoint": timepoint, "interim_number": number})
        for timepoint, number, day in planned
    ]
    found = pd.concat(rows, ignore_index=True)
    return found[found["day"] < day_of(settings, settings.extract_date)].reset_index(drop=True)


def assessment_day(settings: Synthetic) -> int:
    """How many days after the index date the two sides are assessed: 28 after the planned end."""
    return settings.planned_days + ASSESSED_AFTER_DAYS


def with_programme(settings: Synthetic, world: World, since: Ints) -> tuple[Flags, Flags]:
    """Which events still happen, and which are followed by custody, where people are in the programme since these days.

    From the day after the selection on, for ever, an event happens with the chance `effect`; a second selection changes
    nothing more. What an event that did not happen would have displaced stays displaced, so that the effect on any
    person and window is `effect` itself. Custody beyond what the world has anyway (`enforcement`) displaces more.
    """
    events = world.events
    in_programme = events.day > since[events.person]
    happens = thinned(settings, events, events.person, in_programme, events.luck)
    return happens, happens & (events.strictness <= np.where(in_programme, settings.enforcement, 1.0))


def thinned(settings: Synthetic, events: Events, who: Ints, in_programme: Flags, luck: Floats) -> Flags:
    """Which of these events, in order of `who` and day, still happen; of several columns of luck, one answer each."""
    prevented = in_programme & (settings.effect <= luck.T)
    more = in_programme & (events.strictness > 1) & (events.strictness <= settings.enforcement)
    by, displaced = displacements(who, events.day, events.held_from, events.held_until, more)
    return standing(~prevented.T, by=by, displaced=displaced)


def put(connection: duckdb.DuckDBPyConnection, name: str, frame: pd.DataFrame) -> None:
    """Make the frame a table of the connection: times become dates, and what pandas calls an object a text."""
    kinds = {"M": "DATE", "O": "VARCHAR"}
    casts = ", ".join(
        f"CAST({column} AS {kinds[dtype.kind]}) AS {column}"
        for column, dtype in frame.dtypes.items()
        if dtype.kind in kinds
    )
    connection.register("made_up", frame)
    connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * REPLACE ({casts}) FROM made_up")
    connection.unregister("made_up")


def places(settings: Synthetic, month: int, share: float = 1.0) -> dict[str, int]:
    """How many are taken on in each area that has begun; a fraction of a place is carried over to the next month."""
    found = {}
    for slug, area in settings.areas.items():
        done = month - area.starts_after_months
        if done >= 0:
            yearly = Fraction(area.selected_a_year) * Fraction(str(share))
            found[slug] = math.floor((done + 1) * yearly / 12) - math.floor(done * yearly / 12)
    return found


def day_of(settings: Synthetic, day: date) -> int:
    """The whole number of a date."""
    return (day - settings.first_record_date).days + BURN_IN_DAYS


def _listed(
    settings: Synthetic, connection: duckdb.DuckDBPyConnection, spec: RfgvSpec, world: World, ids: Names, month: int
) -> pd.DataFrame:
    """Everybody with an event on record, or eligible without, in the areas that have begun; by area and rank.

    `is_shown` on the list, `is_busy` where passed over for the caseload, the wash-out or custody.
    """
    run_date, capacity = settings.months[month], places(settings, month)
    scored, busy = rfgv.score(connection, run_date, spec), rfgv.busy(connection, run_date)
    noticed = scored["n_incidents"].gt(0) | scored["eligible"].ne("no")
    caseload, recent, in_custody = (busy.loc[busy["reason"].eq(each), "person_id"].tolist() for each in rfgv.REASONS)
    listed = rfgv.select(
        scored[noticed & scored["area"].isin(list(capacity))], run_date=run_date, capacity=capacity,
        caseload=caseload, recent=recent, in_custody=in_custody,
    )  # fmt: skip
    return listed.assign(
        person=person_numbers(world, ids, listed["person_id"]),
        day=day_of(settings, run_date),
        route="rfgv",
        is_shown=listed["rank"].notna(),
        is_busy=listed["person_id"].isin(busy["person_id"]),
    )


def person_numbers(world: World, ids: Names, person_id: pd.Series[str]) -> Ints:
    """The numbers of these persons, under whichever of their ids."""
    import pandas as pd

    person = world.person_of
    return person[pd.Index(ids.human[: len(person)]).get_indexer(pd.Index(person_id))]


def _chosen(settings: Synthetic, listed: pd.DataFrame, judgement: Floats, month: int) -> tuple[pd.DataFrame, Floats]:
    """The list with those whom practitioners chose and the distance to the last of them; the line of every area."""
    capacity = places(settings, month)
    wanted = (listed["score"] + judgement[listed["person"]]).where(listed["is_shown"] & ~listed["is_busy"])
    selected = wanted.groupby(listed["area"]).rank(ascending=False) <= listed["area"].map(capacity)
    last = listed[selected].groupby("area")["score"].last()
    line = np.full(len(settings.areas), np.inf)
    for number, slug in enumerate(settings.areas):
        if capacity.get(slug):
            taken = wanted[selected & listed["area"].eq(slug)]
            line[number] = taken.min() if len(taken) == capacity[slug] else PLACES_LEFT
    return listed.assign(selected=selected, distance_to_line=listed["score"] - listed["area"].map(last)), line


def _referred(
    settings: Synthetic, world: World, listed: pd.DataFrame, lot: Floats, delay: Floats, month: int
) -> pd.DataFrame:
    """Those whom partner agencies bring before the next run date, by lot from who has an event on record."""
    free = listed[~listed["is_busy"] & ~listed["selected"]]
    day = free["day"] + 1 + (DAYS_TO_REFERRAL * delay[free["person"]]).astype(np.int64)
    free = free.assign(day=day, lot=lot[free["person"]])[day < world.humans.gone[world.human_of[free["person"]]]]
    number = free["area"].map(places(settings, month, settings.partner_referred))
    taken = free[free.groupby("area")["lot"].rank() <= number]
    return taken[["person_id", "person", "area", "day"]].assign(route="partner_agency", selected=True)


def _episodes(settings: Synthetic, world: World, taken_on: pd.DataFrame) -> pd.DataFrame:
    """One row per person taken on, in that order; what lies after the extract is not known."""
    import pandas as pd

    rng, people = stream(settings, "episodes"), len(world.person_of)
    notice, starts, held, long = (
        rng.integers(*span, people) for span in (NOTICE_DAYS, STARTED_DAYS, HELD_DAYS, LONG_DAYS)
    )
    held = np.where(rng.random(people) < HELD_LONG, long, held)
    has_started = rng.random(people) < STARTED
    reason, pathway, link = (drawn(rng, shares, people) for shares in (DISCHARGED_AS, PATHWAY, POLICE_LINK))
    who, accepted = taken_on["person"].to_numpy(), taken_on["day"].to_numpy()
    human = world.human_of[who]
    died, gone = world.humans.died[human], world.humans.gone[human]
    leaves = np.minimum(accepted + held[who], gone)
    why = np.where(leaves < gone, reason[who], np.where(died == gone, "died", "moved"))
    discharged = days(settings, leaves)
    return pd.DataFrame({
        "episode_id": scrambled("e", len(taken_on), rng),
        "person_id": taken_on["person_id"],
        "programme": settings.programme,
        "arm": "programme",
        "accepted_on": days(settings, accepted),
        "notice_on": days(settings, accepted + notice[who], accepted + notice[who] < leaves),
        "started_on": days(settings, accepted + starts[who], has_started[who] & (accepted + starts[who] < leaves)),
        "discharged_on": discharged,
        "discharge_reason": only(~np.isnat(discharged), why),
        "pathway": pathway[who],
        "police_link": link[who],
        "area": taken_on["area"],
    })  # fmt: skip
