"""Abuse that victims live with, as it was assessed: was less of it at a high level, and what was to be expected?"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from evalkit.matching import Comparison, gate_in_words
from evalkit.outcomes.abuse_types.assessments import Assessed, assessed, reporters
from evalkit.outcomes.abuse_types.checks import checks
from evalkit.outcomes.abuse_types.compared import NOBODY_YET, at_risk, high_abuse, refusal
from evalkit.outcomes.abuse_types.described import agreement, transitions
from evalkit.results import Design, Followed, Gate, NotEstimable, Result
from evalkit.store import Store, remembered
from evalkit.study import Outcome, Study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["estimate"]

EVENT_LABEL = "high level of abuse"
MEASURES = {"high_abuse": "risk_difference", "level_change": "share"}
NOT_ASSESSED = (
    "abuse is not assessed in this programme",
    "assessments of each type of abuse by one reporter, at intake and later, over windows of one length",
)
NOT_SENT = ("the extracts hold no assessments of abuse", "abuse_assessments.csv and victims.csv in the next extract")
AS_TOLD = "Abuse that nobody told of is not counted."
NOT_COVERED = "Abuse was judged at intake of fewer than three in five cases with a supported victim."
OWN_JUDGEMENT = "Assessed by the delivering service."


@remembered(tuple)
def estimate(comparison: Comparison, store: Store, study: Study) -> tuple[Result, ...]:
    """What the plan asks of assessed abuse, with the checks that assessments must pass, in the order of the plan.

    `high_abuse`: the difference in the share of cases with any type of abuse at a high level on the fixed day of
    assessment, as the reporter judged whom the programme's file names first of those who judged enough.
    `level_change`: for each reporter, type and arm how levels moved from intake to exit, with the share no longer at a
    high level beside that expected in any case, and how far reporters agree. A case is a row of the comparison's people
    that has an episode; cases whose day of assessment is not over yet are neither counted nor lost.
    """
    asked = study.planned_of("abuse_types")
    if study.programme.assessments is None:
        return tuple(_not_estimable(outcome, NOT_ASSESSED, comparison.design, study) for outcome in asked)
    if not asked:
        return ()
    if not {"abuse_assessments", "victims"} <= set(store.tables):
        return tuple(_not_estimable(outcome, NOT_SENT, comparison.design, study) for outcome in asked)
    found = assessed(comparison, store, study)
    gates = {gate.name: gate for gate in checks(found, study)}
    answers = (_ANSWERS[outcome.name](outcome, found, gates, comparison, study) for outcome in asked)
    return (*gates.values(), *itertools.chain.from_iterable(answers))


def _not_estimable(outcome: Outcome, why: tuple[str, str], design: Design, study: Study, by: str = "") -> NotEstimable:
    shared = _shared(outcome, design, study)
    return NotEstimable(
        measure=MEASURES[outcome.name],
        why=why[0],
        mend=why[1],
        **{**shared, "outcome": f"{outcome.name}_by_{by}" if by else outcome.name},
    )


def _shared(outcome: Outcome, design: Design, study: Study) -> dict[str, Any]:
    return {
        "strand": outcome.strand,
        "outcome": outcome.name,
        "horizon_days": study.horizon_of(outcome),
        "design": design,
        "event_label": EVENT_LABEL,
        "planned": outcome.planned,
    }


def _high_abuse(
    outcome: Outcome, found: Assessed, gates: Mapping[str, Gate], comparison: Comparison, study: Study
) -> Iterator[Result]:
    reporter, enough = found.primary(study)
    cases = None if reporter is None else at_risk(found, reporter)
    design = comparison.design
    if cases is not None:
        design = _with_attrition(design, cases["arm"], cases["event"].notna())
    why = refusal(cases, gates.get(f"equal_windows_{reporter}"), comparison, study)
    if why or cases is None:
        yield _not_estimable(outcome, why or NOBODY_YET, design, study)
        return
    caveats = (AS_TOLD, *([NOT_COVERED] * (not enough)), *([OWN_JUDGEMENT] * (reporter == "practitioner")))
    yield from high_abuse(cases, caveats, _shared(outcome, design, study), study)


def _level_change(
    outcome: Outcome, found: Assessed, gates: Mapping[str, Gate], comparison: Comparison, study: Study
) -> Iterator[Result]:
    """Each reporter apart, never averaged; one whose windows differ too often tells of no change."""
    if found.primary(study)[0] is None:
        yield _not_estimable(outcome, NOBODY_YET, comparison.design, study)
        return
    for reporter in reporters(study):
        mine = found.by(reporter)
        cases = mine[mine["intake"].notna()].assign(known=mine["exit"].notna()).groupby("case")
        begun = cases.agg({"arm": "first", "known": "any"})
        design = _with_attrition(comparison.design, begun["arm"], begun["known"])
        windows = gates.get(f"equal_windows_{reporter}")
        if windows and not windows.passed:
            yield _not_estimable(outcome, (gate_in_words(windows), windows.mend), design, study, by=reporter)
            continue
        yield from transitions(found, reporter, _shared(outcome, design, study), study)
    yield from agreement(found, outcome, study)


def _with_attrition(design: Design, arm: pd.Series[str], known: pd.Series[bool]) -> Design:
    """The design with the attrition of assessments: of the cases judged at intake, how many were judged later."""
    counts = {
        side.label: (int(arm.eq(side.label).sum()), int(known[arm == side.label].sum())) for side in design.followed
    }
    followed = tuple(Followed(label=label, allocated=begun, followed=later) for label, (begun, later) in counts.items())
    return dataclasses.replace(design, followed=followed)


_ANSWERS: Mapping[str, Callable[..., Iterator[Result]]] = {"high_abuse": _high_abuse, "level_change": _level_change}
