"""What the strands on abuse and on scores return beside estimates: unrounded, never shown to a reader."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass

from evalkit.results.measured import (
    Count,
    Curve,
    Design,
    Detectable,
    Difference,
    Estimate,
    Expected,
    Gate,
    Interval,
    Months,
    NotEstimable,
    Overlap,
)

LEVELS = ("none", "standard", "moderate", "high")
ABUSE_TYPES: Mapping[str, str] = types.MappingProxyType(
    {
        "physical": "physical abuse",
        "sexual": "sexual abuse",
        "harassment_stalking": "harassment and stalking",
        "jealous_controlling": "jealous and controlling behaviour",
    }
)
REPORTERS: Mapping[str, str] = types.MappingProxyType(
    {
        "victim": "the victim",
        "idva": "the victim's independent adviser",
        "practitioner": "the delivering service",
        "client": "the person in the programme",
    }
)
CLOCKS = ("index", "discharge")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedShare:
    """How many of the programme's own people had something, and how many would have had it without the programme.

    The one form in which a share of one group is told as a change: it cannot be had without what was to be expected.

    Attributes
    ----------
    outcome : str
        What was looked at; of assessments with the abuse type and who judged (`no_longer_high_physical_by_idva`).
    horizon_days : int
        Days after the index date, or after discharge where `clock` says so.
    had : str
        What those counted had, as it reads after "had": "a lower score than when they were chosen".
    people, people_with, not_known : int
        Distinct people of the programme of whom it is known, those who had it, and those of whom it is not known.
    value, low, high : float
        The share of those of whom it is known, with its interval.
    without, without_low, without_high : float
        The share expected without the programme; `without` is None where only the ends can be told.
    basis : str
        Where the expectation comes from, as it reads after "expected from".
    judged_by : str or None
        A key of REPORTERS, of an assessment.
    """

    strand: str
    outcome: str
    horizon_days: int
    had: str
    people: int
    people_with: int
    not_known: int
    value: float
    low: float
    high: float
    without: float | None
    without_low: float
    without_high: float
    basis: str
    design: Design
    method: str
    clock: str = "index"
    judged_by: str | None = None
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.clock not in CLOCKS:
            raise ValueError(f"clock {self.clock!r} is not one of {CLOCKS}")
        if not 0 <= self.low <= self.value <= self.high <= 1:
            raise ValueError(f"{self.outcome}: a share lies between 0 and 1, within its own interval")
        if not 0 <= self.without_low <= self.without_high <= 1:
            raise ValueError(f"{self.outcome}: what was to be expected lies between 0 and 1, its ends in order")

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return f"{self.strand}.{self.outcome}.{self.horizon_days}.expected_share"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """From which level of one abuse type at intake to which level later, in one arm, as one reporter judged both.

    Attributes
    ----------
    outcome : str
        The abuse type.
    counts : tuple of tuple of int
        Distinct cases: a row for each of LEVELS at intake, a column for each of LEVELS later and, last, for those not
        assessed later, or not over an equal window.
    high_change, any_change : Interval or None
        Of those assessed twice: share at a high level, and at any level above none, later less intake; None where
        nobody was assessed twice.
    """

    strand: str
    outcome: str
    horizon_days: int
    arm: str
    judged_by: str
    counts: tuple[tuple[int, ...], ...]
    high_change: Interval | None
    any_change: Interval | None
    method: str
    level: float = 0.95

    def __post_init__(self) -> None:
        if len(self.counts) != len(LEVELS) or any(len(row) != len(LEVELS) + 1 for row in self.counts):
            raise ValueError(
                f"{self.outcome}: a transition has a row for each level, and a column for each and one more"
            )

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return f"{self.strand}.{self.outcome}.{self.horizon_days}.transition.{self.judged_by}.{self.arm}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportersAgree:
    """How far two reporters agree on the level of one abuse type, of the same case at the same time.

    Weighted kappa: 1 is full agreement, 0 what chance alone would give. `people` are distinct cases.
    """

    strand: str
    outcome: str
    one: str
    other: str
    people: int
    kappa: Interval
    method: str
    level: float = 0.95

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return f"{self.strand}.{self.outcome}.kappa.{self.one}.{self.other}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """The mean score of one arm at the index date and at fixed days after it.

    All tuples have one length; the first entry is the index date itself (day 0). The comparison is weighted to look
    like the programme where people were chosen.

    Attributes
    ----------
    days : tuple of int
        Planned days of the readings; each is taken on the run date nearest to it.
    mean, low, high : tuple of float
        Mean score, with its interval, of those who are read on that day.
    floor : tuple of float
        Mean score of the same people had nothing been recorded after their index date: what time alone would do.
    realised : tuple of (Interval or None)
        Fall of the mean since the index date over the fall to the floor: the share of the attainable fall that came;
        None at day 0 and where nothing was attainable.
    people : tuple of int
        Distinct people read.
    in_custody, still_open : tuple of (int or None)
        Of these, in custody on that day, and still held by the programme on it; None on the index date, on which
        neither is looked at.
    """

    strand: str
    outcome: str
    arm: str
    days: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    floor: tuple[float, ...]
    realised: tuple[Interval | None, ...]
    people: tuple[int, ...]
    in_custody: tuple[int | None, ...]
    still_open: tuple[int | None, ...]
    method: str
    level: float = 0.95

    def __post_init__(self) -> None:
        columns = (
            self.days, self.mean, self.low, self.high, self.floor, self.realised, self.people, self.in_custody,
            self.still_open,
        )  # fmt: skip
        if len({len(column) for column in columns}) != 1:
            raise ValueError(f"{self.outcome}: the columns of readings must be of one length")

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return f"{self.strand}.{self.outcome}.readings.{self.arm}"


Result = (
    Estimate
    | NotEstimable
    | Count
    | Difference
    | Curve
    | Detectable
    | Expected
    | Months
    | Gate
    | Overlap
    | ExpectedShare
    | Transition
    | ReportersAgree
    | Readings
)
