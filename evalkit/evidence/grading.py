"""How far a result can be trusted: the grade of its design and the tier of its words, both computed, never chosen.

Grades follow the Maryland Scientific Methods Scale (1 to 5). A check that does not exist yet holds a result down.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from evalkit import estimators
from evalkit.results import Design, Estimate, Gate, NotEstimable, Result
from evalkit.study import ALL_AREAS, Study

MOST_LOST = Fraction(20, 100)  # of everybody allocated; more breaks what chance did (What Works Centre scale, level 5)
MOST_LOST_APART = Fraction(5, 100)  # between the groups
MOST_MISSING, MOST_MISSING_APART = Fraction(30, 100), Fraction(10, 100)  # of the outcome; more costs a grade
FEWEST_LINKED = 0.90  # of an arm's police records, found
FEWEST_FOR_DIRECTION = 60
GRADE_WORDS = {
    1: "one group alone, or groups that were not made alike",
    2: "a comparison that cannot carry a conclusion",
    3: "a comparison with similar people, under a locked plan",
    4: "a comparison as good as chance",
    5: "allocation by chance, honoured",
}
BY_CHANCE = "allocation by chance, but not all that it promises"
TOO_FEW = "too few people"
NOT_STABLE = "the estimates are not stable across methods"
HANGS_ON_MISSING = "the answer hangs on what the missing assessments would have shown"
AGREEMENT, PLACEBO, MISSING_WORSE = "agreement", "placebo", "missing_worse"
AGREEMENT_OF = "reoffending"  # the strand that has a second method beside it
TEST_LEVEL = 0.05  # of the primary outcomes together, whatever the coverage of the intervals


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """How far a design can be trusted, from 1 to 5, in words, and every reason that held it or its words down."""

    value: int
    words: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Grade, tier and adjusted p-value of one result."""

    grade: Grade
    tier: str
    p_adjusted: float | None = None


def grade(design: Design, *, placebo_passed: bool | None = None) -> Grade:
    """The grade that a design reaches, with what held it down.

    5 = random allocation of individuals, analysed as allocated, of whom at most 20 % are lost to follow-up, with at
    most 5 points between the groups. 3 = sequential trials whose checks were made and passed, with at least 90 % of the
    police records found, and no difference among people next below the line (`placebo_passed`; None where that check
    was not made). 1 = one group that is compared with nobody. Without a locked plan, or with a failed check, at most 2;
    with more than 30 % of the outcome missing, or 10 points between the groups, one less; with fewer than 60 people in
    the programme at most 3.
    """
    value, reasons = _by_assignment(design, placebo_passed)
    lost, apart = _lost(design)
    if lost > MOST_MISSING or apart > MOST_MISSING_APART:
        value -= 1
        reasons.append("much of the outcome is missing, or far more in one group than in the other")
    if design.plan != "locked":
        value = min(value, 2)
        reasons.append(_PLAN_REASONS[design.plan])
    failed = [name.replace("_", " ") for name, passed in design.gates if not passed]
    if failed:
        value = min(value, 2)
        reasons.append(f"failed: {', '.join(failed)}")
    few = design.followed[0].followed < FEWEST_FOR_DIRECTION
    if few and value > 3:
        value = 3
        reasons.append(f"fewer than {FEWEST_FOR_DIRECTION} people of the programme were followed")
    value = max(value, 1)
    by_chance = design.assignment == "randomised" and value < 5
    words = TOO_FEW if few and value == 3 else BY_CHANCE if by_chance else GRADE_WORDS[value]
    return Grade(value=value, words=words, reasons=tuple(reasons))


_PLAN_REASONS = {
    "not_locked": "the analysis was not planned in advance",
    "changed_after_lock": "the analysis differs from the plan that was locked",
    "locked_late": "the plan was locked after the data were to hand",
}


def _by_assignment(design: Design, placebo_passed: bool | None) -> tuple[int, list[str]]:
    if design.assignment == "sequential_trials":
        short = list(_shortcomings(design, placebo_passed))
        return 2 if short else 3, short
    if design.assignment == "single_group":
        return 1, ["everybody was in the programme, so there is nobody to compare them with"]
    if design.assignment != "randomised":
        return 1, ["there is no comparison whose likeness was shown"]
    lost, apart = _lost(design)
    if lost > MOST_LOST or apart > MOST_LOST_APART:
        return 2, ["too many were lost to follow-up for chance to have kept the groups alike"]
    return 5, []


def _shortcomings(design: Design, placebo_passed: bool | None) -> Iterator[str]:
    """What a comparison with similar people lacks, beside checks that it failed."""
    if not design.gates:
        yield "no check of the comparison was made"
    if not design.linked:
        yield "it is not known of how many people the police records were found"
    if any(share < FEWEST_LINKED for _, share in design.linked):
        yield "the police records of more than one person in ten were not found"
    if placebo_passed is None:
        yield "the check with people next below the line was not made"
    if placebo_passed is False:
        yield "people next below the line, who were not chosen, differ as well, which they should not"


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

    Only the study of all areas carries p-values and sentences with a direction. An estimate is judged by the check with
    people next below the line on the same outcome and horizon. Where the methods do not agree (the gate `agreement`
    among the results failed, which is of recorded reoffending) no estimate of that strand goes beyond T2, and neither
    does one that taking the missing assessments to be worse leaves without its direction.
    """
    every = tuple(results)
    effects = [result for result in every if isinstance(result, Estimate | NotEstimable)]
    stable = all(gate.passed for gate in every if isinstance(gate, Gate) and gate.name == AGREEMENT)
    corrected = _holm(effects) if study.area == ALL_AREAS else {}
    verdicts = {}
    for result in effects:
        found = grade(result.design, placebo_passed=_placebo_passed(result, effects))
        adjusted = corrected.get(result.id)
        doubts = () if stable or result.strand != AGREEMENT_OF else (NOT_STABLE,)
        if not _survives_missing(result, effects):
            doubts = (*doubts, HANGS_ON_MISSING)
        reached = tier(result, found, p_adjusted=adjusted, directional=not doubts and study.area == ALL_AREAS)
        found = dataclasses.replace(found, reasons=(*found.reasons, *doubts))
        verdicts[result.id] = Verdict(grade=found, tier=reached, p_adjusted=adjusted)
    return verdicts


def _placebo_passed(result: Estimate | NotEstimable, effects: Sequence[Estimate | NotEstimable]) -> bool | None:
    """Whether people next below the line show no difference in the same outcome; None where nobody could look."""
    asked = (result.strand, result.outcome, result.horizon_days)
    checks = [
        each for each in effects if each.variant == PLACEBO and (each.strand, each.outcome, each.horizon_days) == asked
    ]
    if not checks or any(isinstance(each, NotEstimable) for each in checks):
        return None
    return not any(isinstance(each, Estimate) and each.interval_sets_apart for each in checks)


def _survives_missing(result: Estimate | NotEstimable, effects: Sequence[Estimate | NotEstimable]) -> bool:
    """Whether a difference keeps its side when missing assessments are taken to be worse; true where none is seen."""
    if not isinstance(result, Estimate) or result.variant or not result.interval_sets_apart:
        return True
    asked = (result.strand, result.outcome, result.horizon_days, MISSING_WORSE)
    worse = [each for each in effects if (each.strand, each.outcome, each.horizon_days, each.variant) == asked]
    return all(
        isinstance(each, Estimate) and each.interval_sets_apart and (each.value < 0) == (result.value < 0)
        for each in worse
    )


def _holm(effects: list[Estimate | NotEstimable]) -> dict[str, float]:
    """Adjusted p-values of the primary outcomes; one that could not be estimated still counts as a question asked."""
    family = [one for one in effects if one.planned == "primary" and not one.variant]
    raw = [one.p_value if isinstance(one, Estimate) and one.p_value is not None else 1.0 for one in family]
    adjusted = zip(family, estimators.holm(raw), strict=True)
    return {one.id: p_value for one, p_value in adjusted if isinstance(one, Estimate) and one.p_value is not None}


def tier(
    result: Estimate | NotEstimable, found: Grade, *, p_adjusted: float | None = None, directional: bool = True
) -> str:
    """How far a sentence may go, T0 to T3.

    T0 no estimate; T1 grade 1 or 2, and what is no contrast of the programme (its own share, or the check with people
    next below the line); T2 the interval includes no difference, or the test does not agree that it is left out, or
    too few people, or one area alone, or an exploratory outcome; T3 a direction, sensitivity not shown to hold. The
    words of T4 and T5 exist, but no result reaches them before the checks of hidden differences do.
    """
    if isinstance(result, NotEstimable):
        return "T0"
    if found.value <= 2 or result.contrast == "share" or result.variant == PLACEBO:
        return "T1"
    people = result.arms[0].people if result.arms else result.design.followed[0].followed
    few = people < FEWEST_FOR_DIRECTION
    if not sets_apart(result, p_adjusted) or few or not directional or result.planned == "exploratory":
        return "T2"
    return "T3"


def sets_apart(result: Estimate, p_adjusted: float | None = None) -> bool:
    """Whether interval and test agree that the groups differ; a test that was not made does not object."""
    p_value = result.p_value if p_adjusted is None else p_adjusted
    return result.interval_sets_apart and (p_value is None or p_value <= TEST_LEVEL)
