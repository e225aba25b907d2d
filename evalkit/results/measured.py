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
        "rate_difference": 0.0,
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
        "rate_difference": "per_100",
        "harm_ratio": "ratio",
        "odds_ratio": "ratio",
        "hazard_ratio": "ratio",
        "share": "percent",
    }
)
CONTRASTS = ("between", "within", "did", "share")
VARIANTS: Mapping[str, str] = types.MappingProxyType(
    {
        "": "",
        "adjusted": "adjusted for what was known before",
        "near_the_line": "people near the line alone",
        "matched": "matched people",
        "at_liberty": "days in custody left out",
        "placebo": "people next below the line, who were not chosen",
        "other_reading": "by the other reading of the score",
        "missing_worse": "missing assessments taken to be worse",
        "missing_bounds": "whatever the missing assessments would have shown",
    }
)
"""Ways of putting the same question: the planned one, and those that stand beside it."""
PROGRAMME, COMPARISON = "programme", "comparison"
EXAMPLE_REDUCTION = 0.30  # true reduction of which a report says how often it would be missed


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
    """One side of a contrast: distinct people, those with an event or the events, days observed where they count.

    `people_with` are the distinct people behind `events` where these count events and not people.
    """

    label: str
    people: int
    events: int
    exposure_days: float | None = None
    people_with: int | None = None


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
    linked : tuple of (arm, share)
        Share of each arm whose police records were found; empty where nobody can tell.
    """

    assignment: str
    plan: str
    followed: tuple[Followed, ...]
    set_aside: int = 0
    gates: tuple[tuple[str, bool], ...] = ()
    linked: tuple[tuple[str, float], ...] = ()

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
    variant : str
        A key of VARIANTS: which way of putting the question this is.
    per_hundred : tuple of two floats, or None
        Of a ratio of rates: events in every hundred people of the programme over the horizon, and what the model
        expects of the same people without it.
    judged_by : str or None
        Whose judgement it is, of what was assessed: a key of REPORTERS.
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
    variant: str = ""
    per_hundred: tuple[float, float] | None = None
    judged_by: str | None = None

    def __post_init__(self) -> None:
        if self.measure not in NULL_VALUE:
            raise ValueError(f"measure {self.measure!r} is not one of {sorted(NULL_VALUE)}")
        if self.contrast not in CONTRASTS:
            raise ValueError(f"contrast {self.contrast!r} is not one of {CONTRASTS}")
        if self.variant not in VARIANTS:
            raise ValueError(f"variant {self.variant!r} is not one of {sorted(VARIANTS)}")
        if not all(map(math.isfinite, (self.value, self.low, self.high))):
            raise ValueError(f"{self.outcome}: an Estimate must be finite; use NotEstimable")
        if not self.low <= self.value <= self.high:
            raise ValueError(f"{self.outcome}: {self.value} lies outside its own interval")
        if self.p_value is not None and not 0 <= self.p_value <= 1:
            raise ValueError(f"{self.outcome}: {self.p_value} is not a probability")

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return _effect_id(self)

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
    variant: str = ""

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return _effect_id(self)


def _effect_id(result: Estimate | NotEstimable) -> str:
    name = f"{result.strand}.{result.outcome}.{result.horizon_days}.{result.measure}"
    return f"{name}.{result.variant}" if result.variant else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One step of the participant flow: distinct people (or rows of an extract) still there, or left out and why.

    `programme` and `comparison` are None where the arm of what was counted is not known. `total` is None where the arms
    may share people, so that they do not add up.
    """

    step: str
    label: str
    total: int | None
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
    None where the covariate does not vary. Means are over the people whose value is held. `smd_before` is the same
    before matching, where the sides were matched and the other figures are those of the matched sides.

    `part_of` names the covariate of which this is one group; `people_with` is the smaller side's number of people whose
    value is not zero, and `largest_shares` what one person, and two, make up at most of a side's sum (None of a share).
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
    smd_before: float | None = None
    part_of: str | None = None
    people_with: int | None = None
    largest_shares: tuple[float, float] | None = None

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
    basis : str
        `share`, of people with the event, or `count`, of events a person.
    typical : float
        Share of everybody, both arms together, with the event; or events expected of a person without the programme.
    people_comparison : int
        Distinct people.
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
    typical: float
    reduction: float | None
    missed_of_ten: int
    method: str
    example_reduction: float = EXAMPLE_REDUCTION
    power: float = 0.80
    level: float = 0.95
    basis: str = "share"

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return f"{self.strand}.{self.outcome}.{self.horizon_days}.detectable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Events of the programme's own people before and after, and what would have been expected without the programme.

    The one form in which a before/after figure exists: it cannot be had without its expectation.

    Attributes
    ----------
    people : int
        Distinct people of the programme whose whole window is over.
    before, after : int
        Their events on the `horizon_days` days before the index date, and on days 1 to `horizon_days` after it.
    people_before, people_after : int
        Distinct people behind these events.
    without, low, high : float
        Events expected after without the programme, with the interval of a new such group.
    naive : Interval
        after / before, with the interval that a before/after evaluation would print.
    everybody : tuple of two ints
        Events of everybody on record in these areas in the same calendar windows, before and after.
    """

    strand: str
    outcome: str
    horizon_days: int
    event_label: str
    people: int
    before: int
    after: int
    people_before: int
    people_after: int
    without: float
    low: float
    high: float
    naive: Interval
    everybody: tuple[int, int]
    design: Design
    method: str
    level: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.without <= self.high < math.inf or not self.before:
            raise ValueError(f"{self.outcome}: an expectation must be finite, and there must be events before")

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return f"{self.strand}.{self.outcome}.{self.horizon_days}.expected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Months:
    """Events of one arm in every hundred people, in each stretch of 30 days before and after the index date.

    `months` run from -24 (days -720 to -691) to 11 (days 331 to 360); month -1 ends the day before the index date and
    month 0 begins the day after. All tuples have one length. The comparison is weighted to look like the programme;
    `people` and `people_with` are distinct people, observed in that month and with an event in it.
    """

    strand: str
    outcome: str
    arm: str
    event_label: str
    months: tuple[int, ...]
    per_hundred: tuple[float, ...]
    people: tuple[int, ...]
    people_with: tuple[int, ...]
    method: str

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return f"{self.strand}.{self.outcome}.months.{self.arm}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One check that the comparison must pass before an effect may be shown.

    Attributes
    ----------
    found : str
        What was measured, in words without any count of people.
    needed : str
        What is asked for.
    mend : str
        What would mend it.
    part, of : int or None
        Of how many people of the programme `found` tells how many; `of` alone where it tells of all of them.
    """

    name: str
    label: str
    found: str
    needed: str
    passed: bool
    mend: str
    part: int | None = None
    of: int | None = None

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return f"gate.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How likely people of each arm were to be chosen, in bands that hold about equally many of the programme's people.

    `edges` are the ends of the bands, as chances of being chosen at one run date, one more than there are bands.
    `programme` and `comparison` count distinct people by band; one of the comparison may stand in several.
    """

    edges: tuple[float, ...]
    programme: tuple[int, ...]
    comparison: tuple[int, ...]
    people_programme: int
    people_comparison: int

    @property
    def id(self) -> str:
        """The name by which decisions, findings and pages speak of it."""
        return "overlap"
