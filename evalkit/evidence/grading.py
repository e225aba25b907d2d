"""How far a result can be trusted: the grade of its design and the tier of its words, both computed, never chosen.

Grades follow the Maryland Scientific Methods Scale (1 to 5). A check that does not exist yet holds a result down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from evalkit import estimators
from evalkit.results import (
    Design,
    Estimate,
    NotEstimable,
    Result,
)
from evalkit.study import ALL_AREAS, Study

MOST_LOST = Fraction(20, 100)  # of everybody allocated; more breaks what chance did (What Works Centre scale, level 5)
MOST_LOST_APART = Fraction(5, 100)  # between the groups
MOST_MISSING, MOST_MISSING_APART = Fraction(30, 100), Fraction(10, 100)  # of the outcome; more costs a grade
FEWEST_FOR_DIRECTION = 60
GRADE_WORDS = {
    1: "one group before and after, or groups that were not made alike",
    2: "a comparison that cannot carry a conclusion",
    3: "a comparison with similar people, planned in advance",
    4: "a comparison as good as chance",
    5: "allocation by chance, honoured",
}
BY_CHANCE = "allocation by chance, but not all that it promises"
TEST_LEVEL = 0.05  # of the primary outcomes together, whatever the coverage of the intervals


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """How far a design can be trusted, from 1 to 5, in words, and every reason that held it down."""

    value: int
    words: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Grade, tier and adjusted p-value of one result."""

    grade: Grade
    tier: str
    p_adjusted: float | None = None


def grade(design: Design) -> Grade:
    """The grade that a design reaches, with what held it down.

    5 = random allocation of individuals, analysed as allocated, of whom at most 20 % are lost to follow-up, with at
    most 5 points between the groups. Without a locked plan, or with a failed gate, at most 2; with more than 30 % of
    the outcome missing, or 10 points between the groups, one less; with fewer than 60 people in the programme at most
    3.
    """
    value, reasons = _by_assignment(design)
    lost, apart = _lost(design)
    if lost > MOST_MISSING or apart > MOST_MISSING_APART:
        value -= 1
        reasons.append("much of the outcome is missing, or far more in one group than in the other")
    if design.plan != "locked":
        value = min(value, 2)
        reasons.append(_PLAN_REASONS[design.plan])
    failed = [name for name, passed in design.gates if not passed]
    if failed:
        value = min(value, 2)
        reasons.append(f"failed: {', '.join(failed)}")
    if design.followed[0].followed < FEWEST_FOR_DIRECTION and value > 3:
        value = 3
        reasons.append("too few people")
    value = max(value, 1)
    words = BY_CHANCE if design.assignment == "randomised" and value < 5 else GRADE_WORDS[value]
    return Grade(value=value, words=words, reasons=tuple(reasons))


_PLAN_REASONS = {
    "not_locked": "the analysis was not planned in advance",
    "changed_after_lock": "the analysis differs from the plan that was locked",
    "locked_late": "the plan was locked after the data were to hand",
}


def _by_assignment(design: Design) -> tuple[int, list[str]]:
    if design.assignment != "randomised":
        return 1, ["there is no comparison whose likeness was shown"]
    lost, apart = _lost(design)
    if lost > MOST_LOST or apart > MOST_LOST_APART:
        return 2, ["too many were lost to follow-up for chance to have kept the groups alike"]
    return 5, []


def _lost(design: Design) -> tuple[Fraction, Fraction]:
    """The share lost to follow-up, and how far the groups are apart in it."""
    shares = [_share(side.allocated - side.followed, side.allocated) for side in design.followed]
    everybody = sum(side.allocated for side in design.followed) + design.set_aside
    lost = _share(everybody - sum(side.followed for side in design.followed), everybody)
    return lost, max(shares) - min(shares)


def _share(part: int, whole: int) -> Fraction:
    """An exact share: a limit that is just reached is not passed by a rounding error. All, where there is nobody."""
    return Fraction(part, whole) if whole else Fraction(1)


def decide(results: Iterable[Result], study: Study) -> Mapping[str, Verdict]:
    """The verdict on every estimate of one study, by its id; primary outcomes are corrected together by Holm.

    Only the study of all areas carries p-values and sentences with a direction.
    """
    effects = [result for result in results if isinstance(result, Estimate | NotEstimable)]
    corrected = _holm(effects) if study.area == ALL_AREAS else {}
    verdicts = {}
    for result in effects:
        found = grade(result.design)
        adjusted = corrected.get(result.id)
        reached = tier(result, found, p_adjusted=adjusted, directional=study.area == ALL_AREAS)
        verdicts[result.id] = Verdict(grade=found, tier=reached, p_adjusted=adjusted)
    return verdicts


def _holm(effects: list[Estimate | NotEstimable]) -> dict[str, float]:
    """Adjusted p-values of the primary outcomes; one that could not be estimated still counts as a question asked."""
    family = [one for one in effects if one.planned == "primary"]
    raw = [one.p_value if isinstance(one, Estimate) and one.p_value is not None else 1.0 for one in family]
    adjusted = zip(family, estimators.holm(raw), strict=True)
    return {one.id: p_value for one, p_value in adjusted if isinstance(one, Estimate) and one.p_value is not None}


def tier(
    result: Estimate | NotEstimable, found: Grade, *, p_adjusted: float | None = None, directional: bool = True
) -> str:
    """How far a sentence may go, T0 to T5.

    T0 no estimate; T1 grade 1 or 2; T2 the interval includes no difference, or the test does not agree that it is left
    out, or too few people, or one area alone, or an exploratory outcome; T3 a direction, sensitivity not shown to hold;
    T4 it holds; T5 it holds and the grade is 4 or 5.
    """
    if isinstance(result, NotEstimable):
        return "T0"
    if found.value <= 2:
        return "T1"
    few = result.arms[0].people < FEWEST_FOR_DIRECTION
    if not sets_apart(result, p_adjusted) or few or not directional or result.planned == "exploratory":
        return "T2"
    if result.design.sensitivity is not True:
        return "T3"
    return "T5" if found.value >= 4 else "T4"


def sets_apart(result: Estimate, p_adjusted: float | None = None) -> bool:
    """Whether interval and test agree that the groups differ; a test that was not made does not object."""
    p_value = result.p_value if p_adjusted is None else p_adjusted
    return result.interval_sets_apart and (p_value is None or p_value <= TEST_LEVEL)
