"""What the police hold of a made-up world: ids, people, links, records and custody, as typed frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evalkit.study import Synthetic
from evalkit.synthetic.world import BURN_IN_DAYS, CODES, NEVER, NON_CRIME, World, stream

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from evalkit.synthetic.world import Flags, Ints

    Words = NDArray[np.object_]

RECORDED, DELAY_LOG_SD = 0.9, 1.604  # of incidents; days lognormal about a median of 1, so that 95 in 100 take up to 14
DUPLICATED, VICTIM_NOT_HELD, CANCELLED, CANCELLED_WITHIN_DAYS = 0.01, 0.02, 0.005, 30.0
OFFENDER = 0.15
SEX = {"male": 0.84, "female": 0.14, "not_held": 0.02}
ETHNICITY = {"white": 0.78, "asian": 0.07, "black": 0.04, "mixed": 0.03, "other": 0.02, "not_held": 0.06}
RELATIONSHIP = {"partner": 0.45, "ex_partner": 0.38, "family": 0.17}
RISK = {"standard": 0.60, "medium": 0.29, "high": 0.11}
REPORTED_BY = {"victim": 0.58, "third_party": 0.17, "agency": 0.08, "police": 0.17}
REMAND = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Pseudonyms, by number: of human beings with their aliases and victims, and of incidents."""

    human: Words
    incident: Words


def names(settings: Synthetic, world: World) -> Names:
    """Ids in which nothing can be read, every one another, the same for every effect."""
    humans = max(len(world.human_of), int(world.events.victim.max()) + 1)
    return Names(
        human=scrambled("h", humans, stream(settings, "human ids")),
        incident=scrambled("i", len(world.events.day), stream(settings, "incident ids")),
    )


def scrambled(kind: str, number: int, rng: np.random.Generator) -> Words:
    """So many different ids of one kind: an odd factor never takes two whole numbers of 64 bits to one."""
    factor, shift = rng.integers(2**62, 2**63, size=2, dtype=np.uint64)
    values = np.arange(1, number + 1, dtype=np.uint64) * (factor | np.uint64(1)) + shift
    return np.array([f"{kind}{value:016x}" for value in values.tolist()], dtype=object)


def days(settings: Synthetic, day: Ints, known: Flags | None = None) -> Any:
    """The dates of whole days; missing where they are not known, or not before the extract."""
    origin = np.datetime64(settings.first_record_date, "D") - BURN_IN_DAYS
    found = (origin + np.minimum(day, 10**6).astype("timedelta64[D]")).astype("datetime64[s]")
    seen = found < np.datetime64(settings.extract_date, "s")
    return np.where(seen if known is None else seen & known, found, np.datetime64("NaT"))


def day_numbers(settings: Synthetic, dates: Any) -> Ints:
    """The whole days of dates, as `days` writes them; NEVER where one is missing."""
    origin = np.datetime64(settings.first_record_date, "D") - BURN_IN_DAYS
    found = np.asarray(dates, dtype="datetime64[D]")
    return np.where(np.isnat(found), NEVER, (found - origin).astype(np.int64))


def people(settings: Synthetic, world: World, ids: Names) -> pd.DataFrame:
    """One row per id of a person who may cause harm, aliases too, in the order of their number."""
    import pandas as pd

    rng = stream(settings, "descriptions")
    humans, who = world.humans, world.human_of
    return pd.DataFrame({
        "person_id": ids.human[: len(who)],
        "birth_year": humans.birth_year[who],
        "sex": drawn(rng, SEX, len(humans.area))[who],
        "ethnicity_group": drawn(rng, ETHNICITY, len(humans.area))[who],
        "area": np.array(list(settings.areas), dtype=object)[humans.area[who]],
        "died_on": days(settings, humans.died[who], humans.died[who] <= humans.left[who]),
        "left_force_on": days(settings, humans.left[who], humans.left[who] < humans.died[who]),
    })  # fmt: skip


def drawn(rng: np.random.Generator, shares: dict[str, float], number: int) -> Words:
    """So many words, drawn with these shares."""
    return np.array(list(shares), dtype=object)[rng.choice(len(shares), size=number, p=list(shares.values()))]


def person_links(world: World, ids: Names) -> pd.DataFrame:
    """One row per alias."""
    import pandas as pd

    alias = np.arange(len(world.humans.area), len(world.human_of))
    certain = world.person_of[alias] == world.human_of[alias]
    return pd.DataFrame({
        "person_id": ids.human[alias],
        "same_as": ids.human[world.human_of[alias]],
        "strength": np.where(certain, "certain", "probable").astype(object),
    })  # fmt: skip


def incidents(settings: Synthetic, world: World, ids: Names) -> pd.DataFrame:
    """One row per record of what would happen without a programme, in the order in which it is recorded.

    `event` is its place among the world's events. An incident is recorded with a chance of 0.9, after a delay of 1 day
    at the median and 14 at the 95th percentile; one in a hundred twice, under one incident_id.
    """
    import pandas as pd

    rng = stream(settings, "recording")
    events = world.events
    written = np.flatnonzero((rng.random(len(events.day)) < RECORDED) & (events.day >= BURN_IN_DAYS))
    event = np.concatenate([written, written[rng.random(len(written)) < DUPLICATED]])
    rows = len(event)
    recorded = events.day[event] + rng.lognormal(0.0, DELAY_LOG_SD, rows).astype(np.int64)
    cancelled = recorded + 1 + rng.exponential(CANCELLED_WITHIN_DAYS, rows).astype(np.int64)
    code = np.array(CODES, dtype=object)[events.code[event]]
    abuse = events.is_domestic_abuse[event]
    victim = np.where(abuse & (rng.random(rows) >= VICTIM_NOT_HELD), events.victim[event], -1)
    crime = code != NON_CRIME
    kin = drawn(rng, RELATIONSHIP, len(ids.human))
    frame = pd.DataFrame({
        "event": event,
        "record_id": scrambled("r", rows, stream(settings, "record ids")),
        "incident_id": ids.incident[event],
        "person_id": ids.human[events.written_as[event]],
        "role": np.where(rng.random(rows) < OFFENDER, "offender", "suspect").astype(object),
        "victim_id": only(victim >= 0, ids.human[victim]),
        "occurred_on": days(settings, events.day[event]),
        "recorded_on": days(settings, recorded),
        "cancelled_on": days(settings, cancelled, rng.random(rows) < CANCELLED),
        "record_type": np.where(crime, "crime", "non_crime_incident").astype(object),
        "offence_code": only(crime, code),
        "offence_code_system": only(crime, np.full(rows, "HO_class", dtype=object)),
        "is_domestic_abuse": abuse,
        "relationship": only(victim >= 0, kin[victim]),
        "risk_grade": only(abuse, drawn(rng, RISK, rows)),
        "reported_by": drawn(rng, REPORTED_BY, rows),
        "area": np.array(list(settings.areas), dtype=object)[world.humans.area[events.human[event]]],
    })  # fmt: skip
    known = frame[frame["recorded_on"].notna()]
    return known.sort_values(["recorded_on", "record_id"], ignore_index=True)


def latest_victims(world: World, happens: Flags, person: Ints, day: Ints) -> Ints:
    """Whom each of these persons harmed last before the day, as a number of the ids; -1 where nobody."""
    events = world.events
    real = np.flatnonzero(happens & (events.victim >= 0))
    place = np.searchsorted(events.person[real] * NEVER + events.day[real], person * NEVER + day) - 1
    last = real[np.maximum(place, 0)]
    return np.where((place >= 0) & (events.person[last] == person), events.victim[last], -1)


def only(chosen: Flags, words: Words) -> Words:
    """The words where they are chosen, and nothing elsewhere."""
    return np.where(chosen, words, np.array(None, dtype=object))


def custody(settings: Synthetic, world: World, ids: Names, held: Flags) -> pd.DataFrame:
    """One row per spell in custody of one person, after the events marked `held`; what overlaps or meets is one spell.

    Nobody is in custody before the first record, after death or after a move; a release after the extract is not known.
    """
    import pandas as pd

    events = world.events
    first = np.maximum(events.held_from, BURN_IN_DAYS)
    until = np.minimum(events.held_until, world.humans.gone[events.human])
    real = np.flatnonzero(held & (first < until))
    real = real[np.lexsort((first[real], events.person[real]))]
    person, first, until = events.person[real], first[real], until[real]
    reach = np.maximum.accumulate(person * NEVER + until) - person * NEVER  # of this and the person's earlier spells
    begins = np.ones(len(real), dtype=bool)
    begins[1:] = (person[1:] != person[:-1]) | (first[1:] > reach[:-1])
    ends = np.append(begins[1:], True)[: len(real)]
    frame = pd.DataFrame({
        "person_id": ids.human[person[begins]],
        "from_on": days(settings, first[begins]),
        "until_on": days(settings, reach[ends]),
        "kind": np.where(events.strictness[real][begins] % 1 < REMAND, "remand", "sentence").astype(object),
        "reason_is_domestic_abuse": True,
    })  # fmt: skip
    return frame[frame["from_on"].notna()].reset_index(drop=True)
