"""The world without a programme: who lives where, what they would do, to whom, and when custody stops them.

Days are whole numbers from the first simulated day. Everything here is drawn from streams that know nothing of the
programme, so that another effect thins the very same world.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from evalkit.study import Synthetic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

BURN_IN_DAYS = 365
YEAR_DAYS = 365.25
NEVER = 2**31
FRAILTY_SHAPE, FRAILTY_CORRELATION = 0.6, 0.4
EVENTS_A_YEAR, AREA_SPREAD, OTHER_EVENTS_A_YEAR = 0.8, 0.25, 0.6
STATE_DAYS, STATE_FACTOR = np.array([540.0, 90.0]), np.array([0.15, 10.0])  # calm, active
MEAN_FACTOR = float(STATE_DAYS @ STATE_FACTOR / STATE_DAYS.sum())
FOLLOWED_BY, FOLLOWED_WITHIN_DAYS = 0.25, 20.0  # events set off by one event, and after how many days on average
SEASON, TREND_A_YEAR, RECORDING_STEP = 0.10, 0.03, 0.93
DEATHS_A_YEAR, MOVES_A_YEAR, MOVES_WHEN_ACTIVE = 0.006, 0.045, 1.5
CUSTODY_AFTER_SERIOUS, UNTIL_CUSTODY_DAYS, CUSTODY_LEAST_DAYS, CUSTODY_MORE_DAYS = 0.25, 20.0, 30, 90.0
NEW_VICTIM = (1.6, 4.0)  # of the beta distribution of a person's chance that an event has a new victim
MUTUAL_DYADS = 0.15
ALIASES, ALIAS_CERTAIN, ALIAS_USED = 0.03, 0.8, 0.4

NON_CRIME = ""
DOMESTIC_ABUSE = {
    NON_CRIME: 0.40, "105A": 0.17, "8N": 0.13, "8L": 0.10, "58D": 0.08, "8Q": 0.06, "3B": 0.03, "5D": 0.02, "19C": 0.01,
}  # fmt: skip
SERIOUS = ("8N", "3B", "5D", "19C")
OTHER_CRIME = {"49": 0.5, "9A": 0.35, "30C": 0.15}
CODES = (*DOMESTIC_ABUSE, *OTHER_CRIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Humans:
    """One entry a human being who may cause harm; `died` and `left` are days, NEVER where it does not happen.

    `rate` is how many events of domestic abuse are expected in a year.
    """

    area: Ints
    rate: Floats
    birth_year: Ints
    died: Ints
    left: Ints

    @property
    def gone(self) -> Ints:
        """The first day on which the police of this force can no longer record them."""
        return np.minimum(self.died, self.left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """One entry an event that happens if nobody is chosen, in order of person and day.

    Attributes
    ----------
    human, day, code : array of int
        Who did it, on which day, and what, as a place in CODES.
    written_as, person : array of int
        The id under which it is recorded, and the person whom the force takes that for.
    victim : array of int
        A human being, or from the number of those ids on somebody who causes no harm; -1 for other crime.
    luck : array of float
        Between 0 and 1, one for each person and day: what a programme prevents, it prevents by this.
    held_from, held_until : array of int
        The days `[held_from, held_until)` in custody that may follow.
    strictness : array of float
        The least factor on custody at which they do: up to 1 without a programme; infinite where the event is not
        serious.
    """

    human: Ints
    day: Ints
    code: Ints
    written_as: Ints
    person: Ints
    victim: Ints
    luck: Floats
    held_from: Ints
    held_until: Ints
    strictness: Floats

    @property
    def is_domestic_abuse(self) -> Flags:
        """Whether the event is domestic abuse."""
        return self.code < len(DOMESTIC_ABUSE)

    def at(self, places: Ints) -> Events:
        """The events at these places, in this order."""
        return Events(**{field.name: getattr(self, field.name)[places] for field in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A world without a programme.

    Attributes
    ----------
    humans, events
        Who there is, and what they do.
    human_of, person_of : array of int
        For each id of somebody who may cause harm, first one for each human being and then the aliases: the human
        being behind it, and the person whom the force takes it for. An alias that is only probably somebody's is a
        person of its own.
    """

    humans: Humans
    human_of: Ints
    person_of: Ints
    events: Events


def stream(settings: Synthetic, purpose: str) -> np.random.Generator:
    """The random numbers of one purpose: no draw for another purpose, and no other effect, ever moves them."""
    return np.random.default_rng([settings.seed, *purpose.encode()])


def draw_world(settings: Synthetic) -> World:
    """Everything that happens to the people of all areas from a year before the first record to the extract."""
    days = (settings.extract_date - settings.first_record_date).days + BURN_IN_DAYS
    rng = stream(settings, "people")
    area, rate, other_rate = _rates(rng, settings)
    people = len(area)
    path = state_path(rng, people, days)
    humans = Humans(
        area=area,
        rate=rate,
        birth_year=settings.first_run_date.year - 16 - np.minimum(rng.gamma(2.2, 8.5, people), 60).astype(np.int64),
        died=_whole(BURN_IN_DAYS + rng.exponential(YEAR_DAYS / DEATHS_A_YEAR, people), days),
        left=_whole(_moves(rng, path, people), days),
    )
    aliased = np.flatnonzero(rng.random(people) < ALIASES)
    own = people + np.arange(len(aliased))
    taken_for = np.where(rng.random(len(aliased)) < ALIAS_CERTAIN, aliased, own)
    human_of, person_of = (np.concatenate([np.arange(people), each]) for each in (aliased, taken_for))
    possible = _offended(stream(settings, "offending"), common_shocks(settings, days), path, rate, other_rate)
    events = _lived(stream(settings, "living"), humans, human_of, person_of, possible)
    return World(humans=humans, human_of=human_of, person_of=person_of, events=events)


def _rates(rng: np.random.Generator, settings: Synthetic) -> tuple[Ints, Floats, Floats]:
    """Area, and expected events a year of domestic abuse and of other crime; the frailties share a gamma part."""
    sizes = [area.number_of_people for area in settings.areas.values()]
    area = np.repeat(np.arange(len(sizes)), sizes)
    level = EVENTS_A_YEAR * np.exp(AREA_SPREAD * rng.standard_normal(len(sizes)))
    shared = rng.gamma(FRAILTY_SHAPE * FRAILTY_CORRELATION, size=len(area))
    own, other = rng.gamma(FRAILTY_SHAPE * (1 - FRAILTY_CORRELATION), size=(2, len(area)))
    return area, level[area] * (shared + own) / FRAILTY_SHAPE, OTHER_EVENTS_A_YEAR * (shared + other) / FRAILTY_SHAPE


@dataclass(frozen=True, slots=True, kw_only=True)
class StatePath:
    """One entry a spell of one state (0 calm, 1 active) of one human being, in order of both: `[first, last)`."""

    human: Ints
    state: Ints
    first: Floats
    last: Floats


def state_path(rng: np.random.Generator, people: int, days: int) -> StatePath:
    """Alternating exponential spells that cover all days, begun in the long-run shares of the two states."""
    begun = (rng.random(people) < STATE_DAYS[1] / STATE_DAYS.sum()).astype(np.int64)
    lengths = np.empty((people, 0))
    while not lengths.shape[1] or (lengths.sum(axis=1) < days).any():
        block = rng.standard_exponential((people, 8))
        lengths = np.hstack([lengths, block * STATE_DAYS[(begun[:, None] + np.arange(8)) % 2]])
    last = np.cumsum(lengths, axis=1)
    first = last - lengths
    human, place = np.nonzero(first < days)
    return StatePath(
        human=human,
        state=(begun[human] + place) % 2,
        first=first[human, place],
        last=np.minimum(last[human, place], days),
    )


def _moves(rng: np.random.Generator, path: StatePath, people: int) -> Floats:
    """The time of a move out of the force, from the end of the burn-in on; infinite where there is none."""
    hazard = MOVES_A_YEAR / YEAR_DAYS * np.where(path.state == 1, MOVES_WHEN_ACTIVE, 1.0)
    length = np.clip(path.last - np.maximum(path.first, BURN_IN_DAYS), 0, None)
    total = np.cumsum(hazard * length)
    ends = np.searchsorted(path.human, np.arange(people), side="right")
    before = np.concatenate([[0.0], total[ends[:-1] - 1]])
    due = before + rng.standard_exponential(people)
    spell = np.minimum(np.searchsorted(total, due), ends - 1)
    time = path.last[spell] - (total[spell] - due) / hazard[spell]
    return np.where(due <= total[ends - 1], time, np.inf)


def _whole(time: Floats, days: int) -> Ints:
    return np.where(time < days, time, NEVER).astype(np.int64)


def common_shocks(settings: Synthetic, days: int) -> Floats:
    """What each day does to everybody's rate: season, a trend up or down, and a change of recording if set."""
    trend = stream(settings, "trend").uniform(-TREND_A_YEAR, TREND_A_YEAR)
    first_day = settings.first_record_date - timedelta(days=BURN_IN_DAYS)
    years = np.arange(days) / YEAR_DAYS
    midsummer = (date(first_day.year, 7, 15) - first_day).days / YEAR_DAYS
    factor = (1 + SEASON * np.cos(2 * np.pi * (years - midsummer))) * np.exp(trend * years)
    if settings.recording_change_on:
        factor[max(0, (settings.recording_change_on - first_day).days) :] *= RECORDING_STEP
    return factor


def _offended(
    rng: np.random.Generator, shock: Floats, path: StatePath, rate: Floats, other_rate: Floats
) -> tuple[Ints, Floats, Ints, Ints]:
    """Who, when, what and set off by which event, before death, moves and custody; in order of who and when."""
    human, time, parent = abuse(rng, shock, path, rate)
    number = rng.poisson(other_rate * len(shock) / YEAR_DAYS)
    other, other_time = np.repeat(np.arange(len(number)), number), rng.uniform(0, len(shock), number.sum())
    code = np.concatenate([
        rng.choice(len(DOMESTIC_ABUSE), size=len(human), p=list(DOMESTIC_ABUSE.values())),
        len(DOMESTIC_ABUSE) + rng.choice(len(OTHER_CRIME), size=len(other), p=list(OTHER_CRIME.values())),
    ])  # fmt: skip
    parent = np.append(parent, len(human) + np.arange(len(other)))
    human, time = np.append(human, other), np.append(time, other_time)
    order = np.lexsort((time, human))
    return human[order], time[order], code[order], np.argsort(order)[parent[order]]


def abuse(rng: np.random.Generator, shock: Floats, path: StatePath, rate: Floats) -> tuple[Ints, Floats, Ints]:
    """Who, when, and set off by which event (itself where by none) of every event of domestic abuse.

    A self-exciting process, drawn as a branching process: the events that state and season bring, then generation by
    generation those that each of them sets off. On average there are `rate` a year, times the shock of the day.

    Hawkes and Oakes (1974), Journal of Applied Probability 11:493-503.
    """
    hazard = rate[path.human] / YEAR_DAYS * STATE_FACTOR[path.state] / MEAN_FACTOR * (1 - FOLLOWED_BY) * shock.max()
    number = rng.poisson(hazard * (path.last - path.first))
    spell = np.repeat(np.arange(len(number)), number)
    time = rng.uniform(path.first[spell], path.last[spell])
    kept = rng.random(len(time)) < shock[time.astype(np.int64)] / shock.max()
    human, time = path.human[spell][kept], time[kept]
    parent = np.arange(len(time))
    newest = parent
    while len(newest):
        origin = np.repeat(newest, rng.poisson(FOLLOWED_BY, len(newest)))
        then = time[origin] + rng.exponential(FOLLOWED_WITHIN_DAYS, len(origin))
        origin, then = origin[then < len(shock)], then[then < len(shock)]
        newest = len(time) + np.arange(len(then))
        human, time, parent = np.append(human, human[origin]), np.append(time, then), np.append(parent, origin)
    return human, time, parent


def _lived(
    rng: np.random.Generator, humans: Humans, human_of: Ints, person_of: Ints, possible: tuple[Ints, Floats, Ints, Ints]
) -> Events:
    """What really happens: nothing in custody, after death or after a move, nor what that would have set off."""
    human, time, code, parent = possible
    day = time.astype(np.int64)
    held_from = day + 1 + rng.exponential(UNTIL_CUSTODY_DAYS, len(day)).astype(np.int64)
    held_until = held_from + CUSTODY_LEAST_DAYS + rng.exponential(CUSTODY_MORE_DAYS, len(day)).astype(np.int64)
    serious = np.isin(code, [CODES.index(each) for each in SERIOUS])
    strictness = np.where(serious, rng.random(len(day)) / CUSTODY_AFTER_SERIOUS, np.inf)
    by, displaced = displacements(human, day, held_from, held_until, strictness <= 1)
    kept = standing(day < humans.gone[human], by=by, displaced=displaced, parent=parent)
    human, day, code = human[kept], day[kept], code[kept]
    written_as = _written_as(rng, human, human_of, len(humans.area))
    person = person_of[written_as]
    first, same_day = np.unique(person * NEVER + day, return_index=True, return_inverse=True)[1:]
    events = Events(
        human=human, day=day, code=code, written_as=written_as, person=person,
        victim=_victims(rng, human, code, humans.area, len(human_of)),
        luck=rng.random(len(human))[first][same_day],
        held_from=held_from[kept], held_until=held_until[kept], strictness=strictness[kept],
    )  # fmt: skip
    return events.at(np.lexsort((day, person)))


def displacements(who: Ints, day: Ints, held_from: Ints, held_until: Ints, held: Flags) -> tuple[Ints, Ints]:
    """Pairs of events, the second in the custody that follows the first of the same one; in order of `who` and day."""
    by = np.flatnonzero(held)
    when, own = who * NEVER + day, who[by] * NEVER
    low, high = np.searchsorted(when, own + held_from[by]), np.searchsorted(when, own + held_until[by])
    return np.repeat(by, high - low), ranges(low, high - low)


def ranges(first: Ints, number: Ints) -> Ints:
    """Of each place so many in a row: `first`, `first` + 1, ..."""
    return np.arange(number.sum()) + np.repeat(first - np.cumsum(number) + number, number)


def standing(possible: Flags, *, by: Ints, displaced: Ints, parent: Ints | None = None) -> Flags:
    """Which possible events happen, where one is displaced by another that happens or was set off by one that does not.

    An event hangs only on earlier ones, so that going over all of them until nothing changes ends with the one answer.
    Several worlds can be answered at once: one a column.
    """
    found = possible
    while True:
        now = possible.copy() if parent is None else possible & (found[parent] | (parent == np.arange(len(parent))))
        np.logical_and.at(now, displaced, ~found[by])
        if np.array_equal(now, found):
            return found
        found = now


def _written_as(rng: np.random.Generator, human: Ints, human_of: Ints, humans: int) -> Ints:
    """The id under which each event is recorded: some of those of somebody with an alias stand under the alias."""
    alias = np.full(humans, -1)
    alias[human_of[humans:]] = np.arange(humans, len(human_of))
    return np.where((alias[human] >= 0) & (rng.random(len(human)) < ALIAS_USED), alias[human], human)


def _victims(rng: np.random.Generator, human: Ints, code: Ints, area: Ints, first_free: int) -> Ints:
    """Whom each event harms, somebody harmed before or anew; couples harm each other. -1 for other crime."""
    abusive = np.flatnonzero(code < len(DOMESTIC_ABUSE))
    who = human[abusive]
    begins = np.concatenate([[True], who[1:] != who[:-1]])
    new = begins | (rng.random(len(who)) < rng.beta(*NEW_VICTIM, len(area))[who])
    so_far = np.cumsum(new)
    before = (so_far - 1)[begins][np.cumsum(begins) - 1]  # dyads of people earlier in the order
    own = so_far - before
    dyad = before + np.where(new, own - 1, (rng.random(len(who)) * own).astype(np.int64))
    victim_of = first_free + np.arange(so_far[-1])
    one, other = _couples(rng, who[begins], area, round(MUTUAL_DYADS * len(victim_of) / 2))
    first_dyad = np.zeros(len(area), dtype=np.int64)
    first_dyad[who[begins]] = (so_far - 1)[begins]
    victim_of[first_dyad[one]], victim_of[first_dyad[other]] = other, one
    victim = np.full(len(human), -1)
    victim[abusive] = victim_of[dyad]
    return victim


def _couples(rng: np.random.Generator, people: Ints, area: Ints, most: int) -> tuple[Ints, Ints]:
    """Couples of one area, by chance, nobody twice."""
    mixed = rng.permutation(people)
    mixed = mixed[np.argsort(area[mixed], kind="stable")]
    one, other = mixed[:-1:2], mixed[1::2]
    alike = np.flatnonzero(area[one] == area[other])
    chosen = rng.permutation(alike)[:most]
    return one[chosen], other[chosen]
