"""How severe the abuse of each made-up person is, month by month and type by type: what assessments see darkly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from evalkit.results import ABUSE_TYPES, LEVELS
from evalkit.study import Synthetic
from evalkit.synthetic.enrolment import day_of
from evalkit.synthetic.world import World, stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evalkit.synthetic.world import Floats, Ints

    Bytes = NDArray[np.int8]

MONTH_DAYS = 30.4
EARLIER_DAYS = 400  # before the first run date, so that the longest window of an intake lies within
OF_THE_PERSON, PERSISTENCE, SHARED, WITH_FRAILTY = 0.35, 0.75, 0.6, 0.4
SHARES = {
    "physical": (0.55, 0.15, 0.17, 0.13),
    "sexual": (0.82, 0.07, 0.07, 0.04),
    "harassment_stalking": (0.45, 0.20, 0.20, 0.15),
    "jealous_controlling": (0.35, 0.22, 0.25, 0.18),
}
"""Of each type, the shares of all people's months at the levels none, standard, moderate and high."""
CUTS = np.array([[NormalDist().inv_cdf(sum(SHARES[kind][: n + 1])) for n in range(3)] for kind in ABUSE_TYPES])
HIGH = LEVELS.index("high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Severity:
    """Severity without a programme, in standard deviations of all people's months.

    Attributes
    ----------
    z : array of float
        By month of 30.4 days, human being and type of abuse.
    first_day : int
        The day on which the first of the months begins.
    """

    z: Floats
    first_day: int

    def worst(
        self, human: Ints, day: Ints, window_days: int, *, since: Ints | None = None, shift: float = 0.0
    ) -> Floats:
        """The worst severity of these people in the window that ends the day before, by row and type.

        The window is so many whole months, at least one, of which the last is that of the day before. Months that begin
        after the day `since` are shifted.
        """
        last = np.floor((day - 1 - self.first_day) / MONTH_DAYS).astype(np.int64)
        found = np.full((len(human), len(ABUSE_TYPES)), -np.inf)
        for back in range(max(1, round(window_days / MONTH_DAYS))):
            month = last - back
            begins = self.first_day + MONTH_DAYS * month
            moved = 0.0 if since is None else np.where(begins > since, shift, 0.0)[:, None]
            found = np.maximum(found, self.z[month, human] + moved)
        return found


def draw_severity(settings: Synthetic, world: World) -> Severity:
    """Severity z = sqrt(.35) b + sqrt(.65) a of every human being, month and type; b stays, a forgets.

    `a` keeps .75 of itself from month to month. Of b and of a, 60 % is common to the four types; what is common in b
    goes with how often the police hear of the person (a correlation of .4 of ranks), so that whoever is referred after
    an event is somewhat worse than the average.
    """
    rng = stream(settings, "severity")
    people = len(world.humans.area)
    first_day = day_of(settings, settings.first_run_date) - EARLIER_DAYS
    months = math.ceil((day_of(settings, settings.extract_date) - first_day) / MONTH_DAYS)
    rank = np.argsort(np.argsort(world.humans.rate, kind="stable"))
    frail = np.sort(rng.standard_normal(people))[rank]
    common = WITH_FRAILTY * frail + math.sqrt(1 - WITH_FRAILTY**2) * rng.standard_normal(people)
    stays = _mixed(rng, common)
    passing = _mixed(rng, rng.standard_normal(people))
    z = np.empty((months, people, len(ABUSE_TYPES)))
    for month in range(months):
        z[month] = math.sqrt(OF_THE_PERSON) * stays + math.sqrt(1 - OF_THE_PERSON) * passing
        fresh = _mixed(rng, rng.standard_normal(people))
        passing = PERSISTENCE * passing + math.sqrt(1 - PERSISTENCE**2) * fresh
    return Severity(z=z, first_day=first_day)


def _mixed(rng: np.random.Generator, common: Floats) -> Floats:
    """By person and type, a standard normal of which 60 % of the variance is common to the types."""
    own = rng.standard_normal((len(common), len(ABUSE_TYPES)))
    return math.sqrt(SHARED) * common[:, None] + math.sqrt(1 - SHARED) * own


def levels(z: Floats) -> Ints:
    """The level, 0 for none to 3 for high, of a severity by type; the types are the last axis."""
    return (z[..., None] >= CUTS).sum(axis=-1)
