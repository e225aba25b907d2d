"""What a step returns: unrounded, kept in the secure work folder, never shown to a reader."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import dataclass

NULL_VALUE: Mapping[str, float | None] = types.MappingProxyType(
    {
        "risk_difference": 0.0,
        "mean_difference": 0.0,
        "restricted_mean_days": 0.0,
        "risk_ratio": 1.0,
        "rate_ratio": 1.0,
        "harm_ratio": 1.0,
        "odds_ratio": 1.0,
        "hazard_ratio": 1.0,
        "share": None,
    }
)
UNIT: Mapping[str, str] = types.MappingProxyType(
    {
        "risk_difference": "points",
        "mean_difference": "score",
        "restricted_mean_days": "days",
        "risk_ratio": "ratio",
        "rate_ratio": "ratio",
        "harm_ratio": "ratio",
        "odds_ratio": "ratio",
        "hazard_ratio": "ratio",
        "share": "percent",
    }
)
CONTRASTS = ("between", "within", "did", "share")
PROGRAMME, COMPARISON = "programme", "comparison"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A number with the ends of its interval, in one unit.

    `low` may be -inf and `high` inf where the data set no bound; whoever makes an `Estimate` of it must then refuse.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One side of a contrast: distinct people, those with an event or the events, days observed where they count."""

    label: str
    people: int
    events: int
    exposure_days: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """People whom an estimate does not count: how many, of how many, and why, as it reads after "people"."""

    people: int
    of: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """How many of an arm were allocated or selected, and of how many the primary outcome is known."""

    label: str
    allocated: int
    followed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What the grade of the evidence hangs on; copied from the comparison into every result.

    Attributes
    ----------
    assignment : str
        How people came to be in the programme: the study's design.
    plan : str
        A key of PLAN_STATES.
    followed : tuple of Followed
        Attrition by arm, programme first, of the outcome in hand.
    set_aside : int
        Rows that broke the data contract: people of whom nothing is known, the arm included.
    gates : tuple of (name, passed)
        Checks of the comparison that were made; empty where the design needs none.
    sensitivity : bool or None
        Whether the conclusion survives the planned sensitivity analyses; None where none was run.
    """

    assignment: str
    plan: str
    followed: tuple[Followed, ...]
    set_aside: int = 0
    gates: tuple[tuple[str, bool], ...] = ()
    sensitivity: bool | None = None

    def __post_init__(self) -> None:
        if self.plan not in PLAN_STATES:
            raise ValueError(f"plan {self.plan!r} is not one of {PLAN_STATES}")


PLAN_STATES = ("locked", "locked_late", "changed_after_lock", "not_locked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One contrast with its interval. Never shown to a reader: see `Finding`.

    Attributes
    ----------
    measure : str
        A key of NULL_VALUE; fixes the value that means "no difference" (None for a share).
    value, low, high : float
        Point estimate and the ends of its interval, as a proportion, a ratio, or in days.
    arms : tuple of Arm
        What was contrasted, the reference last.
    contrast : str
        One of CONTRASTS: between groups, within one group, difference in differences, or a share.
    level : float
        Coverage of the interval, between 0 and 1.
    p_value : float or None
        Of the test named in `p_method`, two-sided.
    more_people : int or None
        People to be added, both arms together in their present proportion, for 80 % power at the observed difference.
    planned : str
        `primary`, `secondary` or `exploratory`, as the plan says.
    caveats, left_out
        What to bear in mind: in words without any count of people, and people left out, whose number may be protected.
    """

    strand: str
    outcome: str
    horizon_days: int
    measure: str
    population: str
    value: float
    low: float
    high: float
    arms: tuple[Arm, ...]
    method: str
    design: Design
    event_label: str
    contrast: str = "between"
    level: float = 0.95
    p_value: float | None = None
    p_method: str | None = None
    more_people: int | None = None
    planned: str = "secondary"
    caveats: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def __post_init__(self) -> None:
        if self.measure not in NULL_VALUE:
            raise ValueError(f"measure {self.measure!r} is not one of {sorted(NULL_VALUE)}")
        if self.contrast not in CONTRASTS:
            raise ValueError(f"contrast {self.contrast!r} is not one of {CONTRASTS}")
        if not all(map(math.isfinite, (self.value, self.low, self.high))):
            raise ValueError(f"{self.outcome}: an Estimate must be finite; use NotEstimable")
        if not self.low <= self.value <= self.high:
            raise ValueError(f"{self.outcome}: {self.value} lies outside its own interval")
        if self.p_value is not None and not 0 <= self.p_value <= 1:
            raise ValueError(f"{self.outcome}: {self.p_value} is not a probability")

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return f"{self.strand}.{self.outcome}.{self.horizon_days}.{self.measure}"

    @property
    def interval_sets_apart(self) -> bool:
        """Whether the interval leaves out the value that means no difference; False for a share."""
        null = NULL_VALUE[self.measure]
        return null is not None and not self.low <= null <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class NotEstimable:
    """The reason why there is no estimate, and what would mend it."""

    strand: str
    outcome: str
    horizon_days: int
    measure: str
    why: str
    mend: str
    design: Design
    event_label: str
    planned: str = "secondary"

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return f"{self.strand}.{self.outcome}.{self.horizon_days}.{self.measure}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One step of the participant flow: distinct people (or rows of an extract) still there, or left out and why.

    `programme` and `comparison` are None where the arm of what was counted is not known.
    """

    step: str
    label: str
    total: int
    programme: int | None = None
    comparison: int | None = None
    unit: str = "people"
    left_out: bool = False

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return f"flow.{self.step}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far apart the two sides are in one covariate before the outcome.

    `smd` is the standardised mean difference, programme less comparison, over the denominator named in `denominator`;
    None where the covariate does not vary. Means are over the people whose value is held.
    """

    covariate: str
    label: str
    mean_programme: float
    mean_comparison: float
    smd: float | None
    denominator: str
    variance_ratio: float | None
    missing_programme: int
    missing_comparison: int
    people_programme: int
    people_comparison: int
    is_share: bool = False

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return f"balance.{self.covariate}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Cumulative share of one arm with the event, by day, with its interval and the people still followed.

    `days` rise strictly from 0; the share holds from its day to the next. All tuples have one length.
    """

    strand: str
    outcome: str
    horizon_days: int
    arm: str
    event_label: str
    days: tuple[int, ...]
    share: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    at_risk: tuple[int, ...]
    events: tuple[int, ...]
    method: str
    level: float = 0.95

    def __post_init__(self) -> None:
        columns = (self.days, self.share, self.low, self.high, self.at_risk, self.events)
        if len({len(column) for column in columns}) != 1:
            raise ValueError(f"{self.outcome}: the columns of a curve must be of one length")

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return f"{self.strand}.{self.outcome}.{self.horizon_days}.curve.{self.arm}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detectable:
    """The smallest reduction that the study could reliably have seen, reckoned without looking at the arms apart.

    Attributes
    ----------
    pooled_share : float
        Share of everybody, both arms together, with the event.
    reduction : float or None
        Smallest relative reduction seen with probability `power`; None where even a fall to nobody would be missed.
    missed_of_ten : int
        Of ten studies like this one, how many would miss a true reduction of `example_reduction`.
    """

    strand: str
    outcome: str
    horizon_days: int
    event_label: str
    people_programme: int
    people_comparison: int
    pooled_share: float
    reduction: float | None
    missed_of_ten: int
    method: str
    example_reduction: float = 0.30
    power: float = 0.80
    level: float = 0.95

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return f"{self.strand}.{self.outcome}.{self.horizon_days}.detectable"


Result = Estimate | NotEstimable | Count | Difference | Curve | Detectable
