"""From which level at intake to which level later: a description, never without what was to be expected in any case."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from evalkit import estimators
from evalkit.outcomes.abuse_types.assessments import HIGH, Assessed, reporters
from evalkit.results import (
    ABUSE_TYPES,
    COMPARISON,
    LEVELS,
    PROGRAMME,
    REPORTERS,
    ExpectedShare,
    Interval,
    ReportersAgree,
    Transition,
)
from evalkit.study import Outcome, Study

if TYPE_CHECKING:
    import pandas as pd

    Described = Transition | ExpectedShare

FEWEST_COMPARED = 30  # of the comparison, high at intake and assessed later: on fewer no share may stand
LIKELY_CORRELATIONS = (0.30, 0.85)  # between severity at intake and later, of cases that nothing is done about
LOWEST_PREVALENCE = 0.05  # of a high level among those referred, of whom the cases found at one are the worst
HIGHEST_PREVALENCE = 0.99  # with everybody at a high level nothing can be reckoned


def transitions(found: Assessed, reporter: str, shared: dict[str, Any], study: Study) -> Iterator[Described]:
    """Of each abuse type as one reporter judged it: the levels of both arms, and the share no longer at a high level.

    Cases are all of those whose day of assessment is over with the type judged at intake; those not judged later stand
    in a column of their own and are never counted as better.
    """
    mine = found.by(reporter)
    for abuse_type in ABUSE_TYPES:
        rows = mine[mine["abuse_type"].eq(abuse_type) & mine["intake"].notna()]
        sides = {arm: rows[rows["arm"] == arm] for arm in (PROGRAMME, COMPARISON)}
        method = {arm: _method(found, reporter, arm) for arm in sides}
        is_banded = sides[PROGRAMME].loc[sides[PROGRAMME]["intake"] == HIGH, "exit"].notna().any()
        for arm, side in sides.items():
            if len(side):
                found_of = _transition(side, abuse_type, arm, reporter, method[arm], shared, study)
                yield found_of if is_banded else dataclasses.replace(found_of, high_change=None, any_change=None)
        if is_banded:
            yield _no_longer_high(sides, abuse_type, reporter, method, shared, study)


def _method(found: Assessed, reporter: str, arm: str) -> str:
    when = "the exit assessment" if (reporter, arm) in found.at_exit else "the last assessment after intake"
    own = "; assessed by the delivering service" if reporter == "practitioner" else ""
    return f"levels at intake and at {when}, the worst over the victims of a case, judged by {REPORTERS[reporter]}{own}"


def _transition(
    side: pd.DataFrame, abuse_type: str, arm: str, reporter: str, method: str, shared: dict[str, Any], study: Study
) -> Transition:
    missing = len(LEVELS)
    pairs = list(zip(side["intake"].astype(int), side["exit"].fillna(missing).astype(int), strict=True))
    twice = side[side["exit"].notna()]
    return Transition(
        strand=shared["strand"],
        outcome=abuse_type,
        horizon_days=shared["horizon_days"],
        arm=arm,
        judged_by=reporter,
        counts=tuple(tuple(pairs.count((first, later)) for later in range(missing + 1)) for first in range(missing)),
        high_change=_change(twice, HIGH, study),
        any_change=_change(twice, 1, study),
        method=f"{method}; change by Newcombe's interval for paired proportions (1998, method 10)",
        level=study.level,
    )


def _change(twice: pd.DataFrame, fewest: int, study: Study) -> Interval | None:
    """Share at this level or a higher one, later less intake, of the cases judged at both."""
    if twice.empty:
        return None
    first, later = twice["intake"].ge(fewest), twice["exit"].ge(fewest)
    return estimators.paired_difference(
        both=int((first & later).sum()),
        first_only=int((first & ~later).sum()),
        second_only=int((~first & later).sum()),
        neither=int((~first & ~later).sum()),
        level=study.level,
    )


def _no_longer_high(
    sides: dict[str, pd.DataFrame],
    abuse_type: str,
    reporter: str,
    methods: dict[str, str],
    shared: dict[str, Any],
    study: Study,
) -> ExpectedShare:
    """Expected from the comparison where it was judged at the same point and is large enough, else reckoned."""
    method = methods[PROGRAMME]
    high = {arm: side[side["intake"] == HIGH] for arm, side in sides.items()}
    known = {arm: side["exit"].dropna() for arm, side in high.items()}
    better = {arm: int((levels < HIGH).sum()) for arm, levels in known.items()}
    people = len(known[PROGRAMME])
    share = estimators.wilson(events=better[PROGRAMME], people=people, level=study.level)
    if len(known[COMPARISON]) >= FEWEST_COMPARED and methods[COMPARISON] == method:
        expected = estimators.share_of_a_new_group(
            events=better[COMPARISON], people=len(known[COMPARISON]), new_people=people, level=study.level
        )
        without: float | None = expected.value
        ends, basis = (expected.low, expected.high), "people of the comparison group, judged likewise"
        method = f"{method}; range of a new such group (Newcombe)"
    else:
        without, ends = None, _reckoned(len(high[PROGRAMME]) / len(sides[PROGRAMME]))
        basis = (
            "how far abuse at its height falls back by itself, with a correlation of "
            f"{LIKELY_CORRELATIONS[0]:.2f} to {LIKELY_CORRELATIONS[1]:.2f} between two assessments"
        )
        method = (
            f"{method}; expectation by a bivariate normal severity, for shares at a high level from "
            f"{100 * LOWEST_PREVALENCE:.0f}% to that found at intake, which is of cases chosen because abuse was high"
        )
    return ExpectedShare(
        outcome=f"no_longer_high_{abuse_type}_by_{reporter}",
        had=f"{ABUSE_TYPES[abuse_type]} no longer at a high level",
        people=people,
        people_with=better[PROGRAMME],
        not_known=len(high[PROGRAMME]) - people,
        value=share.value,
        low=share.low,
        high=share.high,
        without=without,
        without_low=ends[0],
        without_high=ends[1],
        basis=basis,
        method=f"{method}; Wilson's interval",
        judged_by=reporter,
        level=study.level,
        **{name: shared[name] for name in ("strand", "horizon_days", "design")},
    )


def _reckoned(share_high: float) -> tuple[float, float]:
    """The lowest and the highest share that would no longer be at a high level with no programme at all.

    From the share found at a high level, of cases chosen because it was, down to what it may be among those referred.
    """
    most = min(max(share_high, LOWEST_PREVALENCE), HIGHEST_PREVALENCE)
    ends = [
        estimators.no_longer_high(prevalence=prevalence, correlation=correlation)
        for prevalence, correlation in itertools.product((LOWEST_PREVALENCE, most), LIKELY_CORRELATIONS)
    ]
    return min(ends), max(ends)


def agreement(found: Assessed, outcome: Outcome, study: Study) -> Iterator[ReportersAgree]:
    """How far each two reporters agree on each abuse type at intake, of the cases that both judged then."""
    intake = found.judged.dropna(subset="intake").pivot(
        index=["abuse_type", "case"], columns="reporter", values="intake"
    )
    named = [reporter for reporter in reporters(study) if reporter in intake]
    for one, other in itertools.combinations(named, 2):
        for abuse_type in ABUSE_TYPES:
            both = intake[intake.index.get_level_values("abuse_type") == abuse_type][[one, other]].dropna()
            pairs = list(zip(both[one].astype(int), both[other].astype(int), strict=True))
            table = [[pairs.count((first, second)) for second in range(len(LEVELS))] for first in range(len(LEVELS))]
            try:
                kappa = estimators.weighted_kappa(table=table, level=study.level)
            except ValueError:  # fewer than two levels were used, so that agreement means nothing
                continue
            yield ReportersAgree(
                strand=outcome.strand,
                outcome=abuse_type,
                one=one,
                other=other,
                people=len(pairs),
                kappa=kappa,
                method="Cohen's kappa with linear weights, at intake",
                level=study.level,
            )
