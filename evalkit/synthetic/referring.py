"""Who comes to notice in a month, by records and by severity, and what a referral says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evalkit.study import Synthetic
from evalkit.synthetic.enrolment import places
from evalkit.synthetic.records import day_numbers, drawn, only
from evalkit.synthetic.severity import Severity, levels
from evalkit.synthetic.world import World, stream

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.synthetic.records import Words
    from evalkit.synthetic.world import Flags, Floats, Ints

RECENT_DAYS = 91
RISK_LEVEL = np.array(["standard", "standard", "medium", "high"], dtype=object)  # by level of abuse
RELATIONSHIP = {"married": 0.14, "cohabiting": 0.34, "divorced": 0.05, "separated": 0.43, "other": 0.04}
EMPLOYMENT = {"employed": 0.41, "unemployed": 0.42, "unable_to_work": 0.11, "not_held": 0.06}
SAID_YES = {"escalation": 0.55, "other_services_2y": 0.35, "child_protection": 0.3, "participation_issue": 0.35}


@dataclass(frozen=True, slots=True, kw_only=True)
class OnRecord:
    """Records of domestic abuse as they would be without a programme: event of the world, person, day, day recorded."""

    event: Ints
    person: Ints
    day: Ints
    recorded: Ints


def abuse_on_record(settings: Synthetic, world: World, incidents: pd.DataFrame) -> OnRecord:
    """The records of domestic abuse among these."""
    abuse = incidents[incidents["is_domestic_abuse"]]
    event = abuse["event"].to_numpy()
    recorded = day_numbers(settings, abuse["recorded_on"])
    return OnRecord(event=event, person=world.events.person[event], day=world.events.day[event], recorded=recorded)


def noticed(
    world: World, records: OnRecord, severity: Severity, *, day: int, least: int, happens: Flags | None = None,
    since: Ints | None = None, shift: float = 0.0,
) -> Ints:  # fmt: skip
    """The persons of whom a recent event is on record on this day, and whose abuse of any type is at least so severe.

    Recent is one of the 91 days before; severity is that of the month of the day before.
    """
    seen = (records.day >= day - RECENT_DAYS) & (records.day < day) & (records.recorded < day)
    person = np.unique(records.person[seen if happens is None else seen & happens[records.event]])
    person = person[world.humans.gone[world.human_of[person]] > day]
    since = None if since is None else since[person]
    z = severity.worst(world.human_of[person], np.full(len(person), day), 1, since=since, shift=shift)
    return person[levels(z).max(axis=1) >= least]


def by_lot(settings: Synthetic, world: World, person: Ints, lot: Floats, month: int, share: float) -> Ints:
    """As many of these persons, by lot, as each area has places in the month, times a share; by area and lot."""
    area = world.humans.area[world.human_of[person]]
    capacity = places(settings, month, share)
    number = np.array([capacity.get(slug, 0) for slug in settings.areas])
    order = np.lexsort((lot[person], area))
    return person[order][ranks(lot[person], area)[order] < number[area[order]]]


def ranks(value: Floats, group: Ints) -> Ints:
    """The place of each value, from 0, among those of its group."""
    order = np.lexsort((value, group))
    found = np.empty(len(order), dtype=np.int64)
    found[order] = np.arange(len(order)) - np.searchsorted(group[order], group[order])
    return found


def told_by_referrers(settings: Synthetic, world: World, severity: Severity, person: Ints, day: Ints) -> dict[str, Any]:
    """What the referrals of these persons say on these days, by column."""
    rng, people = stream(settings, "referrals"), len(world.person_of)
    z = severity.worst(world.human_of[person], day, RECENT_DAYS)
    found: dict[str, Words | Flags | str] = {
        name: (rng.random(people) < share)[person] for name, share in SAID_YES.items()
    }
    return found | {
        "risk_tool": "DASH",
        "risk_level": RISK_LEVEL[levels(z).max(axis=1)],
        "relationship_status": drawn(rng, RELATIONSHIP, people)[person],
        "employment_status": drawn(rng, EMPLOYMENT, people)[person],
    }


def why_left(world: World, person: Ints, leaves: Ints, reason: Words, known: Flags) -> Words:
    """Why each spell ended: the reason given, unless by death or a move; nothing where the end is not known."""
    human = world.human_of[person]
    died, gone = world.humans.died[human], world.humans.gone[human]
    return only(known, np.where(leaves < gone, reason, np.where(died == gone, "died", "moved")))
