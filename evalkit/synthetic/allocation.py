"""Made-up case management by allocation: cases of a multi-agency panel, to the programme or to usual care by chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from evalkit.study import Synthetic
from evalkit.synthetic.enrolment import (
    DISCHARGED_AS,
    POLICE_LINK,
    STARTED,
    STARTED_DAYS,
    Enrolment,
    assessment_day,
    day_of,
    visits,
    with_programme,
)
from evalkit.synthetic.records import Names, days, drawn, latest_victims, only, scrambled
from evalkit.synthetic.referring import OnRecord, abuse_on_record, by_lot, noticed, ranks, told_by_referrers, why_left
from evalkit.synthetic.severity import HIGH, Severity
from evalkit.synthetic.world import NEVER, World, stream

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.synthetic.world import Flags, Ints

PANEL_DAY = 14  # days after the first of the month
SIDES = 2.0  # cases for each place in the programme
REPEAT_DAYS = 365
LENGTH_SD, SHORTEST_DAYS = 14.0, 28
ASSESSED_WITHIN_DAYS = 20  # of the assessment day


def allocate(
    settings: Synthetic, world: World, ids: Names, tables: Mapping[str, pd.DataFrame], severity: Severity
) -> Enrolment:
    """Cases heard month by month, half of each area's into the programme by chance, and what then happened.

    The panel hears by lot who has a recent event on record and a month of high abuse. Whoever was heard is allocated
    there and then, once; later months at which the same holds bring the person before the panel again.
    """
    import pandas as pd

    records = abuse_on_record(settings, world, tables["incidents"])
    person, month = _heard(settings, world, records, severity)
    day = _panel_days(settings)[month]
    treated = _allocated(settings, world, severity, person, month, day)
    since = np.full(len(world.person_of), NEVER)
    since[person[treated]] = day[treated]
    happens, held = with_programme(settings, world, since)
    cases = pd.DataFrame({
        "episode_id": scrambled("e", len(person), stream(settings, "episode ids")),
        "person_id": ids.human[person],
        "person": person,
        "day": day,
        "area": np.array(list(settings.areas), dtype=object)[world.humans.area[world.human_of[person]]],
        "treated": treated,
        "told": treated,
    })  # fmt: skip
    around = stream(settings, "assessed about").integers(
        -ASSESSED_WITHIN_DAYS, ASSESSED_WITHIN_DAYS + 1, size=len(world.person_of)
    )
    referral_id = scrambled("f", len(cases), stream(settings, "referral ids"))
    written = {
        "episodes": _episodes(settings, world, cases, referral_id),
        "referrals": _referrals(settings, world, severity, cases, referral_id),
        "hearings": _hearings(settings, world, ids, records, severity, cases, since, happens),
    }
    exits = day + assessment_day(settings) + around[person]
    return Enrolment(
        tables=written, cases=cases, visits=visits(settings, world, cases, exits=exits),
        since=since, happens=happens, held=held,
    )  # fmt: skip


def _panel_days(settings: Synthetic) -> Ints:
    return np.array([day_of(settings, first) + PANEL_DAY for first in settings.months])


def _heard(settings: Synthetic, world: World, records: OnRecord, severity: Severity) -> tuple[Ints, Ints]:
    """Who is heard for the first time, and in which month; nothing that a programme did can matter to it."""
    lot = stream(settings, "panel lot").random((settings.enrolment_months, len(world.person_of)))
    fresh = np.ones(len(world.person_of), dtype=bool)
    found = []
    for month, day in enumerate(_panel_days(settings)):
        person = noticed(world, records, severity, day=int(day), least=HIGH)
        found.append(by_lot(settings, world, person[fresh[person]], lot[month], month, SIDES))
        fresh[found[-1]] = False
    return np.concatenate(found), np.repeat(np.arange(len(found)), [len(each) for each in found])


def _allocated(settings: Synthetic, world: World, severity: Severity, person: Ints, month: Ints, day: Ints) -> Flags:
    """Who goes into the programme: half of each area and month, the odd one by lot, and those whom nobody left to it.

    Those put into the programme whatever chance said are the most severe of their area and month.
    """
    shape = (settings.enrolment_months, len(settings.areas))
    rng = stream(settings, "allocation")
    odd, more, lot = rng.integers(2, size=shape), rng.random(shape), rng.random(len(world.person_of))
    human = world.human_of[person]
    area = world.humans.area[human]
    block = month * len(settings.areas) + area
    size = np.bincount(block, minlength=shape[0] * shape[1])
    half = (size + odd.ravel()) // 2
    overridden = np.floor(settings.overrides * size + more.ravel()).astype(np.int64)
    worst = severity.worst(human, day, 1).sum(axis=1)
    return (ranks(lot[person], block) < half[block]) | (ranks(-worst, block) < overridden[block])


def _episodes(settings: Synthetic, world: World, cases: pd.DataFrame, referral_id: object) -> pd.DataFrame:
    """One row per case; usual care has neither a start nor a discharge. What lies after the extract is not known."""
    import pandas as pd

    rng, people = stream(settings, "managed"), len(world.person_of)
    starts, has_started = rng.integers(*STARTED_DAYS, people), rng.random(people) < STARTED
    reason, link = (drawn(rng, shares, people) for shares in (DISCHARGED_AS, POLICE_LINK))
    whole = settings.planned_days + (LENGTH_SD * rng.standard_normal(people)).astype(np.int64)
    early = rng.integers(SHORTEST_DAYS, settings.planned_days + 1, people)
    who, day, treated = (cases[name].to_numpy() for name in ("person", "day", "treated"))
    length = np.where(reason == "planned", np.maximum(whole, SHORTEST_DAYS), early)[who]
    leaves = np.minimum(day + length, world.humans.gone[world.human_of[who]])
    discharged = days(settings, np.where(treated, leaves, NEVER))
    start = day + starts[who]
    return pd.DataFrame({
        "episode_id": cases["episode_id"],
        "referral_id": referral_id,
        "person_id": cases["person_id"],
        "programme": settings.programme,
        "arm": np.where(treated, "programme", "usual_care").astype(object),
        "allocated_on": days(settings, day),
        "started_on": days(settings, start, treated & has_started[who] & (start < leaves)),
        "discharged_on": discharged,
        "discharge_reason": why_left(world, who, leaves, reason[who], ~np.isnat(discharged)),
        "police_link": link[who],
        "area": cases["area"],
    })  # fmt: skip


def _referrals(
    settings: Synthetic, world: World, severity: Severity, cases: pd.DataFrame, referral_id: object
) -> pd.DataFrame:
    """One row per case: the panel refers it on the day on which it hears it, and it is allocated at once."""
    import pandas as pd

    who, day = cases["person"].to_numpy(), cases["day"].to_numpy()
    return pd.DataFrame({
        "referral_id": referral_id,
        "person_id": cases["person_id"],
        "programme": settings.programme,
        "route": "marac",
        "referred_on": days(settings, day),
        "decision": "accepted",
        "decided_on": days(settings, day),
        **told_by_referrers(settings, world, severity, who, day),
    })  # fmt: skip


def _hearings(
    settings: Synthetic, world: World, ids: Names, records: OnRecord, severity: Severity, cases: pd.DataFrame,
    since: Ints, happens: Flags,
) -> pd.DataFrame:  # fmt: skip
    """One row per hearing of a case, by day; again where the panel's conditions hold again in a later month."""
    import pandas as pd

    first = np.full(len(world.person_of), NEVER)
    first[cases["person"]] = cases["day"]
    shift = settings.assessments.effect_sd if settings.assessments else 0.0
    person, heard = [cases["person"].to_numpy()], [cases["day"].to_numpy()]
    for day in _panel_days(settings):
        again = noticed(world, records, severity, day=int(day), least=HIGH, happens=happens, since=since, shift=shift)
        person.append(again[first[again] < day])
        heard.append(np.full(len(person[-1]), day))
    order = np.lexsort((np.concatenate(person), np.concatenate(heard)))
    who, day = np.concatenate(person)[order], np.concatenate(heard)[order]
    victim = latest_victims(world, happens, who, day)
    before = pd.Series(day).groupby(who).shift().to_numpy()
    return pd.DataFrame({
        "hearing_id": scrambled("m", len(who), stream(settings, "hearing ids")),
        "person_id": ids.human[who],
        "victim_id": only(victim >= 0, ids.human[victim]),
        "panel": "marac",
        "heard_on": days(settings, day),
        "is_repeat": day - before <= REPEAT_DAYS,
        "repeat_definition": f"heard again within {REPEAT_DAYS} days of the last hearing",
        "chair_agency": "police",
    })  # fmt: skip
