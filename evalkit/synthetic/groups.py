"""Made-up group programme: referrals by many routes, decisions, groups that fill up, and the sessions of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from evalkit.results import LEVELS
from evalkit.study import Synthetic
from evalkit.study.programme import Criterion
from evalkit.synthetic.enrolment import POLICE_LINK, Enrolment, day_of, visits, with_programme
from evalkit.synthetic.records import Names, days, drawn, only, scrambled
from evalkit.synthetic.referring import abuse_on_record, by_lot, noticed, told_by_referrers, why_left
from evalkit.synthetic.severity import Severity
from evalkit.synthetic.world import NEVER, World, stream

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.synthetic.records import Words
    from evalkit.synthetic.world import Flags, Ints

ROUTES = {"self": 0.18, "partner_agency": 0.42, "police_scene": 0.2, "family_or_friend": 0.08, "court": 0.12}
LEAST = LEVELS.index("moderate")
REFERRED_WITHIN_DAYS = 28
DECIDED_DAYS = (14, 37)  # and then the next of the weekly meetings
ACCEPTED, WITHDREW, NOT_SAID = 0.7, 0.2, 0.05
MODULES, SESSIONS, MOST, FEWEST = 3, 7, 12, 4
WAIT_DAYS, NOTICE_DAYS, WEEK = 91, 7, 7
DROPS_OUT = 0.3
ATTENDED = {"yes": 0.78, "notified": 0.08, "missed": 0.14}
ASSESSED_AFTER_DAYS = 14


def fill_groups(
    settings: Synthetic, criteria: Sequence[Criterion], world: World, ids: Names, tables: Mapping[str, pd.DataFrame],
    severity: Severity,
) -> Enrolment:  # fmt: skip
    """Referrals month by month, of whom 7 in 10 are accepted; groups of at most 12, and what then happened.

    Referred are, by lot and once, people with a recent event on record and at least moderate abuse. A person is in the
    programme from the day of acceptance, whether or not a group begins.
    """
    import pandas as pd

    referrals = _referrals(settings, criteria, world, ids, tables["incidents"], severity)
    taken = referrals[referrals["decision"].eq("accepted")].sort_values(["decided", "referral_id"])
    human = world.human_of[taken["person"]]
    cases = pd.DataFrame({
        "episode_id": scrambled("e", len(taken), stream(settings, "episode ids")),
        "person_id": taken["person_id"].to_numpy(),
        "person": taken["person"].to_numpy(),
        "day": taken["decided"].to_numpy(),
        "area": np.array(list(settings.areas), dtype=object)[world.humans.area[human]],
        "treated": True,
        "told": True,
    })  # fmt: skip
    since = np.full(len(world.person_of), NEVER)
    since[cases["person"]] = cases["day"]
    happens, held = with_programme(settings, world, since)
    group, begins = _groups(settings, cases, world.humans.gone[human])
    leaves, reason = _left(settings, world, cases, begins)
    sessions = _sessions(settings, cases, group, begins, leaves)
    came = sessions[sessions["attended"].eq("yes")].groupby("episode_id")["held_on"].min()
    discharged = days(settings, leaves)
    who = cases["person"].to_numpy()
    episodes = pd.DataFrame({
        "episode_id": cases["episode_id"],
        "referral_id": taken["referral_id"].to_numpy(),
        "person_id": cases["person_id"],
        "programme": settings.programme,
        "arm": "programme",
        "accepted_on": days(settings, cases["day"].to_numpy()),
        "started_on": cases["episode_id"].map(came),
        "discharged_on": discharged,
        "discharge_reason": why_left(world, who, leaves, reason, ~np.isnat(discharged)),
        "police_link": drawn(stream(settings, "police link"), POLICE_LINK, len(since))[who],
        "area": cases["area"],
    })  # fmt: skip
    after = stream(settings, "assessed about").integers(ASSESSED_AFTER_DAYS, size=len(since))[who]
    ends = [begins + number * _module_days(settings) for number in range(1, MODULES)]
    planned = visits(
        settings, world, cases, exits=leaves + after, interims=[np.where(day < leaves, day, NEVER) for day in ends]
    )
    return Enrolment(
        tables={"episodes": episodes, "referrals": referrals, "sessions": sessions}, cases=cases, visits=planned,
        since=since, happens=happens, held=held,
    )  # fmt: skip


def _referrals(
    settings: Synthetic, criteria: Sequence[Criterion], world: World, ids: Names, incidents: pd.DataFrame,
    severity: Severity,
) -> pd.DataFrame:  # fmt: skip
    """One row per referral, with a column for the answer on each criterion; `person` and `decided` are numbers."""
    import pandas as pd

    person, day = _referred(settings, world, incidents, severity)
    rng, people = stream(settings, "decisions"), len(world.person_of)
    luck, withdrew = rng.random((2, people))
    decided = day + rng.integers(*DECIDED_DAYS, people)[person]
    decided += -decided % WEEK
    gone = decided >= world.humans.gone[world.human_of[person]]
    is_open = decided >= day_of(settings, settings.extract_date)
    accepted = (luck[person] < ACCEPTED) & ~gone
    unmet = rng.integers(len(criteria), size=people)[person] if criteria else np.full(len(person), -1)
    unmet = np.where(accepted | gone | (withdrew[person] < WITHDREW), -1, unmet)
    failed = [f"not met: {criterion.slug}" for criterion in criteria]
    reason = np.array([*failed, "withdrew before a decision"], dtype=object)[unmet]
    answers = rng.random((len(criteria), people))[:, person] >= NOT_SAID
    return pd.DataFrame({
        "referral_id": scrambled("f", len(person), stream(settings, "referral ids")),
        "person_id": ids.human[person],
        "person": person,
        "decided": decided,
        "programme": settings.programme,
        "route": drawn(rng, ROUTES, people)[person],
        "referred_on": days(settings, day),
        "decision": np.where(is_open, "waiting", np.where(accepted, "accepted", "declined")).astype(object),
        "decided_on": days(settings, decided),
        "decline_reason": only(~is_open & ~accepted, np.where(gone, "died or moved away before a decision", reason)),
        "consent_recorded": accepted | (withdrew[person] >= WITHDREW),
        "information_sharing_signed": accepted,
        **told_by_referrers(settings, world, severity, person, day),
        **{
            f"criterion_{criterion.slug}": _answer(criterion, unmet == place, said)
            for place, (criterion, said) in enumerate(zip(criteria, answers, strict=True))
        },
    })  # fmt: skip


def _referred(settings: Synthetic, world: World, incidents: pd.DataFrame, severity: Severity) -> tuple[Ints, Ints]:
    """Who is referred, once, and on which day of the month."""
    records = abuse_on_record(settings, world, incidents)
    people = len(world.person_of)
    rng = stream(settings, "group lot")
    lot, within = rng.random((settings.enrolment_months, people)), rng.integers(REFERRED_WITHIN_DAYS, size=people)
    fresh, found, days_found = np.ones(people, dtype=bool), [], []
    for month, first in enumerate(settings.months):
        day = day_of(settings, first)
        person = noticed(world, records, severity, day=day, least=LEAST)
        person = person[fresh[person] & (day + within[person] < world.humans.gone[world.human_of[person]])]
        found.append(by_lot(settings, world, person, lot[month], month, 1 / ACCEPTED))
        days_found.append(day + within[found[-1]])
        fresh[found[-1]] = False
    return np.concatenate(found), np.concatenate(days_found)


def _answer(criterion: Criterion, unmet: Flags, said: Flags) -> Words:
    """Yes, no or unknown on one criterion."""
    good, bad = ("yes", "no") if criterion.rule == "must" else ("no", "yes")
    return np.where(unmet, bad, np.where(said, good, "unknown")).astype(object)


def _groups(settings: Synthetic, cases: pd.DataFrame, gone: Ints) -> tuple[Ints, Ints]:
    """For each case the number of its group, -1 where none, and the day on which it begins, NEVER where none does.

    Nobody who has died or moved by then is in a group.
    """
    group, begins = np.full(len(cases), -1), np.full(len(cases), NEVER)
    number = 0
    for _, here in cases.groupby("area", sort=True):
        places, day = here.index.to_numpy(), here["day"].to_numpy()
        for first, after, start in _full(day):
            members = places[first:after][gone[places[first:after]] > start]
            group[members], begins[members] = number, start
            number += 1
    return group, begins


def _full(day: Ints) -> Iterator[tuple[int, int, int]]:
    """Groups of people in the order of their days: the first, the one after the last, and when it begins.

    A week after the twelfth is accepted, or, with four or more, once somebody has waited for thirteen weeks.
    """
    first = 0
    for place in range(1, len(day) + 1):
        late = place == len(day) or day[place] > day[first] + WAIT_DAYS
        if place - first == MOST:
            yield first, place, int(day[place - 1]) + NOTICE_DAYS
        elif late and place - first >= FEWEST:
            yield first, place, max(int(day[place - 1]), int(day[first]) + WAIT_DAYS) + NOTICE_DAYS
        else:
            continue
        first = place


def _module_days(settings: Synthetic) -> int:
    return settings.planned_days // MODULES


def _left(settings: Synthetic, world: World, cases: pd.DataFrame, begins: Ints) -> tuple[Ints, Words]:
    """When each person leaves, and whether as planned or by dropping out."""
    rng, people = stream(settings, "dropping out"), len(world.person_of)
    who = cases["person"].to_numpy()
    drops, share = (rng.random(people) < DROPS_OUT)[who], rng.random(people)[who]
    length = MODULES * _module_days(settings)
    stays = np.where(drops, WEEK + (share * (length - WEEK)).astype(np.int64), length)
    leaves = np.minimum(begins + stays, world.humans.gone[world.human_of[who]])
    return leaves, np.where(drops, "disengaged", "planned").astype(object)


def _sessions(settings: Synthetic, cases: pd.DataFrame, group: Ints, begins: Ints, leaves: Ints) -> pd.DataFrame:
    """One row per session offered before the person left and before the extract, by case and day.

    A module begins with a session for one alone; the group meets in the weeks that follow, seven times where the module
    is long enough.
    """
    import pandas as pd

    each = 1 + min(SESSIONS, max(1, _module_days(settings) // WEEK - 1))
    module, number = np.divmod(np.arange(MODULES * each), each)
    case = np.repeat(np.arange(len(cases)), len(module))
    place = np.tile(np.arange(len(module)), len(cases))
    day = begins[case] + module[place] * _module_days(settings) + number[place] * WEEK
    offered = (group[case] >= 0) & (day < leaves[case]) & (day < day_of(settings, settings.extract_date))
    case, place, day = case[offered], place[offered], day[offered]
    together = number[place] > 0
    rng = stream(settings, "sessions")
    groups = scrambled("g", int(group.max(initial=-1)) + 1, rng)
    return pd.DataFrame({
        "session_id": scrambled("s", len(case), rng),
        "episode_id": cases["episode_id"].to_numpy()[case],
        "group_id": only(together, groups[group[case]]) if len(case) else np.empty(0, dtype=object),
        "held_on": days(settings, day),
        "kind": np.where(together, "group", "one_to_one").astype(object),
        "module": module[place] + 1,
        "number": np.maximum(number[place], 1),
        "attended": drawn(rng, ATTENDED, len(case)),
    })  # fmt: skip
