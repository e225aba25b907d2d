"""The checks that assessments must pass before they may be set beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from evalkit.outcomes.abuse_types.assessments import FEWEST_COVERED, Assessed, reporters
from evalkit.results import REPORTERS, Gate
from evalkit.study import Study

if TYPE_CHECKING:
    import pandas as pd

FEWEST_ALIKE = 0.95  # of a reporter's cases assessed twice; with more pairs lost the rest tell of the others no longer
FEWEST_BY_ONE = 0.95  # of the cases assessed twice, by the same reporter


def checks(found: Assessed, study: Study) -> Iterator[Gate]:
    """Whether enough were asked, by the same reporter at both ends, over windows alike.

    `coverage` holds of the reporter whose judgement carries the effect; `equal_windows_<reporter>` of each reporter,
    and one that is not passed takes away all that this reporter would tell of a change.
    """
    reporter, enough = found.primary(study)
    if reporter is None:
        return
    yield _coverage(found.covered(reporter), reporter, enough)
    yield from _same_reporter(found)
    for name in reporters(study):
        yield from _equal_windows(found, name)


def _coverage(covered: pd.Series[bool], reporter: str, enough: bool) -> Gate:
    share = _percent(covered.mean()) if len(covered) else "none"
    return Gate(
        name="coverage",
        label="Enough cases with a victim who is supported were judged at intake",
        found=f"{share} of these cases, by {REPORTERS[reporter]}",
        needed=f"{_percent(FEWEST_COVERED)} or more",
        passed=enough,
        mend="an assessment at intake for every victim who is supported",
        part=int(covered.sum()),
        of=len(covered),
    )


def _same_reporter(found: Assessed) -> Iterator[Gate]:
    """Of the cases judged at intake and later by anybody, how many one and the same reporter judged at both."""
    cases = found.judged.assign(intake=found.judged["intake"].notna()).groupby("case")
    twice = cases[["intake", "judged_later", "twice"]].any()
    twice = twice[twice["intake"] & twice["judged_later"]]
    if len(twice):
        share = twice["twice"].mean()
        yield Gate(
            name="same_reporter",
            label="The same reporter judged at intake and later",
            found=f"{_percent(share)} of the cases judged at both; the others count as not assessed later",
            needed=f"{_percent(FEWEST_BY_ONE)} or more",
            passed=bool(share >= FEWEST_BY_ONE),
            mend="the later assessment by whoever made the first",
            part=int(twice["twice"].sum()),
            of=len(twice),
        )


def _equal_windows(found: Assessed, reporter: str) -> Iterator[Gate]:
    mine = found.by(reporter)
    alike = mine[mine["twice"]].groupby("case")["alike"].all()
    if len(alike):
        share = alike.mean()
        yield Gate(
            name=f"equal_windows_{reporter}",
            label=f"Assessments by {REPORTERS[reporter]} look back equally far at intake and later",
            found=f"{_percent(share)} of the cases judged at both, within a fifth of the longer window",
            needed=f"{_percent(FEWEST_ALIKE)} or more",
            passed=bool(share >= FEWEST_ALIKE),
            mend="one look-back window for every assessment, written in its window_days",
            part=int(alike.sum()),
            of=len(alike),
        )


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
