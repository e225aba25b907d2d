"""The comparison: two sides that can be set beside each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evalkit.cohort import due
from evalkit.results import (
    COMPARISON,
    EXAMPLE_REDUCTION,
    PROGRAMME,
    Arm,
    Design,
    Detectable,
    Difference,
    Followed,
    Gate,
    Overlap,
)
from evalkit.study import ALL_AREAS, Outcome, Study

if TYPE_CHECKING:
    import pandas as pd

MOST_MISSING = 0.40  # of an outcome that should be known; above this share no effect is given
ONE_AREA = (
    "one area alone cannot carry an effect",
    "the report of all areas together; an area's own is shown once areas are pooled",
)
ONE_GROUP = (
    "there is one group only, so nobody can tell what would have happened without the programme",
    "a waiting list, people of another area, or referral dates with a list of all who could have come",
)


def paired(pairs: Iterable[tuple[int, int, float]] = ()) -> pd.DataFrame:
    """The frame of `Comparison.pairs`."""
    import pandas as pd

    frame = pd.DataFrame(list(pairs), columns=["programme_row", "comparison_row", "weight"])
    return frame.astype({"programme_row": "int64", "comparison_row": "int64", "weight": "float64"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Programme and comparison side by side: the only thing an outcome accepts.

    Attributes
    ----------
    people : pandas.DataFrame
        One row per person and index date, as in the cohort. Of police records also match_weight. In sequential trials
        it is 1 for somebody of the programme with matches, for a row of the comparison the shares in which it stands
        for people of the programme, 0 for whoever is matched with nobody; elsewhere it is 1 for everybody.
    balance : tuple of Difference
        How far the sides are apart in each covariate, all known before the index date.
    design : Design
        What the grade of the evidence hangs on.
    gates : tuple of Gate
        The checks that the comparison had to pass, with what was found; the names and verdicts stand in `design`.
    overlap : tuple of Overlap
        How likely people of each side were to be chosen; empty where chance decided.
    pairs : pandas.DataFrame
        Who lends a date that only the programme has, such as a discharge, to whom: programme_row and comparison_row are
        index labels of `people`, weight the share in which the second stands for the first. Of sequential trials the
        matches; where chance decided, somebody of the same area and month. Empty where there is nobody to lend to.
    """

    people: pd.DataFrame
    balance: tuple[Difference, ...]
    design: Design
    gates: tuple[Gate, ...] = ()
    overlap: tuple[Overlap, ...] = ()
    pairs: pd.DataFrame = field(default_factory=paired)

    @property
    def failed(self) -> Gate | None:
        """The first check that an effect hangs on and that was not passed."""
        passed = dict(self.design.gates)
        return next((gate for gate in self.gates if not passed.get(gate.name, True)), None)


def followed(people: pd.DataFrame, study: Study, horizon_days: int) -> tuple[Followed, ...]:
    """Attrition over one horizon, programme first: of those whose window is over, how many were observed to its end.

    Distinct people, at their first row; whoever died was observed to the end. Of one group there is one arm.
    """
    counted = people[due(people, study, horizon_days)]
    whole = counted["days_followed"].ge(horizon_days)
    if "death_day" in counted:
        whole |= counted["death_day"].notna()
    first = counted.assign(whole=whole).drop_duplicates(["person_id", "arm"])
    arms = (PROGRAMME,) if study.programme.design == "single_group" else (PROGRAMME, COMPARISON)
    sides = [(arm, first[first["arm"] == arm]) for arm in arms]
    return tuple(Followed(label=arm, allocated=len(side), followed=int(side["whole"].sum())) for arm, side in sides)


def shared_by(comparison: Comparison, outcome: Outcome, study: Study) -> dict[str, Any]:
    """What every result of one outcome says of itself, estimated or not."""
    horizon = study.horizon_of(outcome)
    return {
        "strand": outcome.strand,
        "outcome": outcome.name,
        "horizon_days": horizon,
        "design": dataclasses.replace(comparison.design, followed=followed(comparison.people, study, horizon)),
        "event_label": study.programme.event,
        "planned": outcome.planned,
    }


def detectable_share(arms: tuple[Arm, Arm], shared: Mapping[str, Any], study: Study) -> Detectable:
    """The smallest fall in the share of people with an event that two arms so large could have shown.

    `arms` count distinct people and those with the event, the programme first; `shared` is what the outcome's results
    say of themselves.
    """
    from evalkit import estimators

    people = {"people_1": arms[0].people, "people_0": arms[1].people}
    pooled = sum(arm.events for arm in arms) / sum(people.values())
    power = estimators.power_of_reduction(reduction=EXAMPLE_REDUCTION, pooled_share=pooled, **people, level=study.level)
    return Detectable(
        **{name: shared[name] for name in ("strand", "outcome", "horizon_days", "event_label")},
        people_programme=arms[0].people,
        people_comparison=arms[1].people,
        typical=pooled,
        reduction=estimators.detectable_reduction(pooled_share=pooled, **people, level=study.level),
        missed_of_ten=round(10 * (1 - power)),
        method="exact power of the mid-p test and Newcombe's interval agreeing, the groups not told apart",
        level=study.level,
    )


def why_no_effect(comparison: Comparison, study: Study) -> tuple[str, str] | None:
    """Why no effect may be given whatever the outcome, and what would mend it; None where the design allows one."""
    if study.programme.design == "single_group":
        return ONE_GROUP
    if study.area != ALL_AREAS and study.programme.police is not None:
        return ONE_AREA
    gate = comparison.failed
    return (gate_in_words(gate), gate.mend) if gate else None


def gate_in_words(gate: Gate) -> str:
    """What a check that was not passed asked for, and what was found."""
    return f"a check was not passed: {gate.label[0].lower()}{gate.label[1:]} ({gate.found}; needed: {gate.needed})"


def behind(values: pd.Series[float], people: pd.Series[str]) -> tuple[int, tuple[float, float]]:
    """How many people's values are not zero, and what one person, and two, make up at most of their sum."""
    sizes = values.abs().groupby(people).sum().sort_values(ascending=False)
    total = float(sizes.sum())
    if not total:
        return 0, (0.0, 0.0)
    return int((sizes > 0).sum()), (float(sizes.iloc[0]) / total, float(sizes.iloc[:2].sum()) / total)


def behind_both(sides: Iterable[tuple[pd.Series[float], pd.Series[str]]]) -> dict[str, Any]:
    """What a difference in a number says of the people behind it: the smaller number, the larger shares."""
    found = [behind(values, people) for values, people in sides]
    shares = [each for _, each in found]
    return {
        "people_with": min(people for people, _ in found),
        "largest_shares": (max(one for one, _ in shares), max(two for _, two in shares)),
    }
