"""Abuse at a high level on a fixed day after the index date, programme against comparison."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from evalkit import estimators
from evalkit.matching import MOST_MISSING, Comparison, detectable_share, gate_in_words, why_no_effect
from evalkit.outcomes.abuse_types.assessments import HIGH, MOST_APART, Assessed
from evalkit.results import (
    ABUSE_TYPES,
    COMPARISON,
    LEVELS,
    PROGRAMME,
    Arm,
    Estimate,
    Gate,
    NotEstimable,
    Result,
)
from evalkit.study import Study

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Groups = np.ndarray[Any, Any]

MEASURE = "risk_difference"
FEWEST_AT_A_LEVEL = 10  # cases; a level with fewer stands together with its neighbour
NOBODY_YET = ("nobody was assessed at intake whose day of assessment is over", "assessments, or a later extract")
FROM_OTHERS = "What those not assessed on that day would have shown is taken from others like them."
WORSE_SD = 0.5  # by which missing assessments are taken to be worse than others alike


def at_risk(found: Assessed, reporter: str) -> pd.DataFrame:
    """The cases of which a reporter judged any abuse at intake, and whether any was at a high level on the fixed day.

    One row per case: the columns of the comparison's people, the level of each abuse type at intake (missing where not
    known), `event`: 1 where any type was high on the fixed day, 0 where all four were known and none was, else missing;
    and window_days, over which was looked back then.
    """
    import numpy as np

    mine = found.by(reporter)
    levels = {
        time: mine.pivot(index="case", columns="abuse_type", values=time).reindex(columns=list(ABUSE_TYPES))
        for time in ("intake", "fixed")
    }
    high, whole = levels["fixed"].eq(HIGH).any(axis=1), levels["fixed"].notna().all(axis=1)
    event = high.astype(float).where(high | whole, np.nan)
    begun = levels["intake"].dropna(how="all")
    windows = mine.groupby("case")["window_days"].max()
    return found.cases.join(begun.assign(event=event, window_days=windows), how="inner")


def refusal(
    cases: pd.DataFrame | None, windows: Gate | None, comparison: Comparison, study: Study
) -> tuple[str, str] | None:
    """Why no effect can be given, and what would mend it; None where one can.

    `cases` are those of `at_risk`, None where nobody was judged at intake; `windows` is the check of the primary
    reporter's look-back windows.
    """
    if reasons := why_no_effect(comparison, study):
        return reasons
    if cases is None:
        return NOBODY_YET
    known = cases["event"].notna()
    for arm in (PROGRAMME, COMPARISON):
        if not known[cases["arm"] == arm].any():
            why = f"nobody of the {arm} was assessed at intake and again on the day of assessment"
            return why, "assessments of both groups by the same reporter, or a later extract"
    if windows and not windows.passed:
        return gate_in_words(windows), windows.mend
    looked_back = cases[known].groupby("arm")["window_days"].median()
    if looked_back.max() - looked_back.min() > MOST_APART * looked_back.max():
        why = "the assessments of one group look back farther than those of the other, so they would find more abuse"
        return why, "one look-back window for every assessment, written in its window_days"
    if (1 - known.groupby(cases["arm"]).mean()).max() > MOST_MISSING:
        why = "on the day of assessment more than two cases in five of a group were not assessed"
        return why, "fuller follow-up of victims in both groups"
    return None


def high_abuse(cases: pd.DataFrame, caveats: tuple[str, ...], shared: dict[str, Any], study: Study) -> Iterator[Result]:
    """The difference in the share with any abuse at a high level, and what missing assessments may make of it.

    `cases` are those of `at_risk`. The headline takes who was not assessed to be like others of the same arm who began
    as they did. Beside it stand the same with the missing worse by half a standard deviation of severity in both arms,
    and the ends that no answer of theirs could pass.
    """
    known = cases[cases["event"].notna()]
    arms = (_arm(known, PROGRAMME), _arm(known, COMPARISON))
    yield detectable_share(arms, shared, study)
    beside = {**shared, "planned": "exploratory"}
    told = {"arms": arms, "caveats": (*caveats, *[FROM_OTHERS] * (len(known) < len(cases)))}
    main = _estimate(cases, {**shared, **told}, study)
    yield main
    if isinstance(main, Estimate) and len(known) < len(cases):
        yield _estimate(cases, {**beside, **told, "variant": "missing_worse"}, study, shift_sd=WORSE_SD)
        yield _bounds(main, cases)


def _arm(known: pd.DataFrame, label: str) -> Arm:
    side = known.loc[known["arm"] == label, "event"]
    return Arm(label=label, people=len(side), events=int(side.sum()))


def _estimate(
    cases: pd.DataFrame, rest: dict[str, Any], study: Study, *, shift_sd: float = 0.0
) -> Estimate | NotEstimable:
    treated = cases["arm"].eq(PROGRAMME).to_numpy()
    try:
        fit = estimators.assessed_difference(
            event=cases["event"].to_numpy(float),
            columns={PROGRAMME: treated.astype(float)},
            factors={**{name: _grouped(cases, name) for name in ABUSE_TYPES}, "area": cases["area"].to_numpy(str)},
            of=PROGRAMME,
            treated=treated,
            clusters=cases["cluster_id"].to_numpy(),
            level=study.level,
            shift_sd=shift_sd,
        )
    except estimators.NotFitted as error:
        said = {name: rest[name] for name in rest if name not in ("arms", "caveats")}
        return NotEstimable(measure=MEASURE, why=str(error), mend="more people, or a longer period", **said)
    worse = f"; whoever was not assessed taken to be worse by {shift_sd:g} standard deviations" if shift_sd else ""
    return Estimate(
        measure=MEASURE,
        population="itt",
        value=fit.difference.value,
        low=fit.difference.low,
        high=fit.difference.high,
        p_value=None if shift_sd else fit.p_value,
        p_method=None if shift_sd else "t test of the difference",
        method=(
            "logistic model of all cases as allocated, adjusted for the level of each type of abuse at intake and for "
            f"area, averaged over the cases of both groups; cluster sandwich{worse}"
        ),
        level=study.level,
        more_people=None if shift_sd else _more_people(rest["arms"], study),
        per_hundred=(100 * fit.share_with, 100 * fit.share_without),
        **rest,
    )


def _more_people(arms: tuple[Arm, ...], study: Study) -> int | None:
    counts = {
        f"{name}_{1 - place}": getattr(arm, name) for place, arm in enumerate(arms) for name in ("events", "people")
    }
    return estimators.more_people_needed(**counts, level=study.level)


def _grouped(cases: pd.DataFrame, abuse_type: str) -> Groups:
    """The level at intake as it enters a model: neighbours together until each group has ten cases of known outcome.

    So do those of whom it is not known; where they are fewer they stand with the lowest.
    """
    import numpy as np

    held = cases.loc[cases["event"].notna(), abuse_type].fillna(-1).value_counts()
    group, people, groups = 0, 0, {}
    for level in range(len(LEVELS)):
        groups[level] = group
        people += held.get(level, 0)
        if people >= FEWEST_AT_A_LEVEL:
            group, people = group + 1, 0
    last = max(group - 1, 0)  # what is left over stands with the group before
    known = cases[abuse_type].map({level: min(group, last) for level, group in groups.items()})
    own = len(LEVELS) if held.get(-1, 0) >= FEWEST_AT_A_LEVEL else 0
    return np.asarray(known.fillna(own).astype(int).astype(str))


def _bounds(main: Estimate, cases: pd.DataFrame) -> Estimate:
    """The headline between the ends that it would reach had all missing of one arm been high and none of the other."""
    held = {arm.label: len(cases[cases["arm"] == arm.label]) for arm in main.arms}
    low, high = estimators.missing_bounds(
        events_1=main.arms[0].events,
        known_1=main.arms[0].people,
        people_1=held[PROGRAMME],
        events_0=main.arms[1].events,
        known_0=main.arms[1].people,
        people_0=held[COMPARISON],
    )
    return dataclasses.replace(
        main,
        low=min(low, main.value),
        high=max(high, main.value),
        p_value=None,
        p_method=None,
        more_people=None,
        method="the ends reached if everybody not assessed of one group, and nobody of the other, were at a high level",
        variant="missing_bounds",
        planned="exploratory",
    )
