"""Recorded reoffending where chance decided: did fewer people have a recorded event, and did it come later?"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from evalkit import estimators
from evalkit.cohort import due
from evalkit.matching import MOST_MISSING, Comparison, detectable_share, shared_by
from evalkit.outcomes.reoffending.counting import RECORDED_ONLY
from evalkit.results import COMPARISON, PROGRAMME, Arm, Curve, Estimate, LeftOut, NotEstimable, Result
from evalkit.study import Covariate, Outcome, Study

if TYPE_CHECKING:
    import pandas as pd


def estimate(comparison: Comparison, study: Study) -> Iterator[Result]:
    """The results of every planned outcome of this strand, from the first event of each person."""
    for outcome in study.planned_of("reoffending"):
        yield from OUTCOMES[outcome.name](comparison, outcome, study)


def _any_event(comparison: Comparison, outcome: Outcome, study: Study) -> Iterator[Result]:
    horizon = study.horizon_of(outcome)
    people = comparison.people[due(comparison.people, study, horizon)]
    known = people[people["days_followed"] >= horizon]
    programme, reference = (_arm(known, arm, horizon) for arm in (PROGRAMME, COMPARISON))
    shared = shared_by(comparison, outcome, study)
    why, mend = _refusal(people, known, horizon)
    if why:
        yield NotEstimable(measure="risk_difference", why=why, mend=mend, **shared)
        yield NotEstimable(measure="risk_ratio", why=why, mend=mend, **_beside(shared))
        return
    yield detectable_share((programme, reference), shared, study)
    counts = {
        "events_1": programme.events,
        "people_1": programme.people,
        "events_0": reference.events,
        "people_0": reference.people,
    }
    contrast: dict[str, Any] = {
        "population": "itt",
        "arms": (programme, reference),
        "level": study.level,
        "caveats": (RECORDED_ONLY,),
        "left_out": _unknown(people, known),
    }
    difference = estimators.risk_difference(**counts, level=study.level)
    contrast["p_value"] = estimators.mid_p(**counts)
    contrast["p_method"] = "mid-p (twice the smaller one-sided hypergeometric probability)"
    yield Estimate(
        measure="risk_difference",
        **dataclasses.asdict(difference),
        method="Newcombe's interval for a difference of two proportions",
        more_people=estimators.more_people_needed(**counts, level=study.level),
        **shared,
        **contrast,
    )
    yield _ratio(counts, _beside({**shared, **contrast}))


def _ratio(counts: dict[str, int], rest: dict[str, Any]) -> Estimate | NotEstimable:
    unbounded = NotEstimable(
        measure="risk_ratio",
        why="a group without any event leaves the ratio without a bound",
        mend="a longer follow-up or more people",
        **_without_figures(rest),
    )
    if not counts["events_0"]:
        return unbounded
    ratio = estimators.risk_ratio(**counts, level=rest["level"])
    if not all(map(math.isfinite, (ratio.value, ratio.low, ratio.high))):
        return unbounded
    method = "MOVER-R interval for a ratio of two proportions (Donner and Zou 2012)"
    return Estimate(
        measure="risk_ratio",
        **dataclasses.asdict(ratio),
        method=method,
        **rest,
    )


def _beside(rest: dict[str, Any]) -> dict[str, Any]:
    """The same for another measure: one carries what was planned as primary, estimated or not; it stands beside it."""
    return {**rest, "planned": "secondary"} if rest["planned"] == "primary" else rest


def _time_to_event(comparison: Comparison, outcome: Outcome, study: Study) -> Iterator[Result]:
    horizon = study.horizon_of(outcome)
    timed = _timed(comparison.people, horizon)
    sides = {arm: timed[timed["arm"] == arm] for arm in (PROGRAMME, COMPARISON)}
    shared = shared_by(comparison, outcome, study)
    empty = [arm for arm, side in sides.items() if side.empty or not side["event"].any()]
    if empty:
        why = f"the {empty[0]} group has nobody, or nobody with a recorded {study.programme.event}"
        for measure in ("restricted_mean_days", "hazard_ratio"):
            yield NotEstimable(measure=measure, why=why, mend="a longer follow-up or more people", **shared)
        return
    for arm, side in sides.items():
        yield _curve(side, arm, outcome, study)
    contrast: dict[str, Any] = {
        "population": "itt",
        "arms": _arms_of(sides),
        "level": study.level,
        "caveats": (RECORDED_ONLY,),
    }
    yield _restricted_mean(sides, horizon, {**shared, **contrast})
    yield from _cox(timed, study, {**shared, **contrast}, sides)


def _restricted_mean(sides: dict[str, pd.DataFrame], horizon: int, rest: dict[str, Any]) -> Estimate | NotEstimable:
    programme, reference = sides[PROGRAMME], sides[COMPARISON]
    try:
        found = estimators.restricted_mean_difference(
            days_1=programme["days"].to_numpy(),
            event_1=programme["event"].to_numpy(),
            days_0=reference["days"].to_numpy(),
            event_0=reference["event"].to_numpy(),
            horizon_days=horizon,
            level=rest["level"],
        )
    except ValueError as error:
        mend = "a shorter horizon, or a later extract"
        return NotEstimable(measure="restricted_mean_days", why=str(error), mend=mend, **_without_figures(rest))
    return Estimate(
        measure="restricted_mean_days",
        value=found.value,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        p_method="normal approximation",
        method=f"difference of the areas under the two Kaplan-Meier curves to day {horizon} (Uno et al. 2014)",
        **rest,
    )


def _cox(
    timed: pd.DataFrame, study: Study, rest: dict[str, Any], sides: dict[str, pd.DataFrame]
) -> Iterator[Estimate | NotEstimable]:
    """The ratio of daily rates, as allocated and then adjusted for the covariates of the plan, where it has any."""
    log_rank = estimators.log_rank(
        days_1=sides[PROGRAMME]["days"].to_numpy(),
        event_1=sides[PROGRAMME]["event"].to_numpy(),
        days_0=sides[COMPARISON]["days"].to_numpy(),
        event_0=sides[COMPARISON]["event"].to_numpy(),
    )
    yield _hazard(timed, (), rest, p_value=log_rank, p_method="log-rank test")
    if study.programme.covariates:
        adjusted = {**rest, "variant": "adjusted", "planned": "exploratory"}
        yield _hazard(timed, study.programme.covariates, adjusted)


def _hazard(
    timed: pd.DataFrame,
    covariates: tuple[Covariate, ...],
    rest: dict[str, Any],
    *,
    p_value: float | None = None,
    p_method: str | None = None,
) -> Estimate | NotEstimable:
    held = timed.dropna(subset=[item.column for item in covariates])
    sides = {arm: held[held["arm"] == arm] for arm in (PROGRAMME, COMPARISON)}
    if any(side.empty for side in sides.values()):
        why = "in one group nobody is left of whom every covariate is held"
        return NotEstimable(measure="hazard_ratio", why=why, mend="fuller covariates", **_without_figures(rest))
    try:
        fit = estimators.cox(
            days=held["days"].to_numpy(),
            event=held["event"].to_numpy(),
            columns={
                PROGRAMME: held["arm"].eq(PROGRAMME).to_numpy(float),
                **{item.label: held[item.column].to_numpy(float) for item in covariates},
            },
            level=rest["level"],
        )
    except estimators.NotFitted as error:
        mend = "more people, or covariates that vary and do not follow from each other"
        return NotEstimable(measure="hazard_ratio", why=str(error), mend=mend, **_without_figures(rest))
    term = fit.terms[PROGRAMME]
    caveats = list(rest["caveats"])
    if term.proportionality_p is not None and term.proportionality_p < 1 - rest["level"]:
        caveats.append("The ratio changes over the follow-up, so one number does not describe it.")
    words = "adjusted for the covariates of the plan" if covariates else "as allocated"
    return Estimate(
        measure="hazard_ratio",
        **dataclasses.asdict(term.hazard_ratio),
        p_value=p_value,
        p_method=p_method,
        method=f"Cox regression, ties by Efron, {words}",
        **{**rest, "caveats": tuple(caveats), "left_out": _not_held(timed, held), "arms": _arms_of(sides)},
    )


def _not_held(timed: pd.DataFrame, held: pd.DataFrame) -> tuple[LeftOut, ...]:
    missing = len(timed) - len(held)
    return (LeftOut(people=missing, of=len(timed), why="of whom a covariate is not held"),) if missing else ()


def _arms_of(sides: dict[str, pd.DataFrame]) -> tuple[Arm, ...]:
    return tuple(_arm_of(side, arm) for arm, side in sides.items())


def _without_figures(rest: dict[str, Any]) -> dict[str, Any]:
    """What a refusal takes over of the estimate that it stands for."""
    fields = ("strand", "outcome", "horizon_days", "design", "event_label", "planned", "variant")
    return {name: rest[name] for name in fields if name in rest}


def _curve(side: pd.DataFrame, arm: str, outcome: Outcome, study: Study) -> Curve:
    """The share with a first event by each day: one less the Kaplan-Meier share without."""
    found = estimators.kaplan_meier(
        days=side["days"].to_numpy(),
        event=side["event"].to_numpy(),
        horizon_days=study.horizon_of(outcome),
        level=study.level,
    )
    last = sum(people > 0 for people in found.at_risk)  # nothing is known of days on which nobody was followed
    return Curve(
        strand="reoffending",
        outcome=outcome.name,
        horizon_days=study.horizon_of(outcome),
        arm=arm,
        event_label=study.programme.event,
        days=found.days[:last],
        share=tuple(1 - share for share in found.survival[:last]),
        low=tuple(1 - share for share in found.high[:last]),
        high=tuple(1 - share for share in found.low[:last]),
        at_risk=found.at_risk[:last],
        events=found.events[:last],
        method="Kaplan-Meier, interval by the log of minus the log",
        level=study.level,
    )


def _timed(people: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """`people` with `days` to the first event or the end of follow-up, and `event`; the never observed are left out."""
    days_observed = people["days_followed"].clip(upper=horizon)
    event = people["event_day"].le(days_observed)
    days = people["event_day"].where(event, days_observed).astype("int64")
    return people.assign(days=days, event=event)[days > 0]


def _arm(known: pd.DataFrame, label: str, horizon: int) -> Arm:
    side = known[known["arm"] == label]
    return Arm(label=label, people=len(side), events=int(side["event_day"].le(horizon).sum()))


def _arm_of(side: pd.DataFrame, label: str) -> Arm:
    return Arm(label=label, people=len(side), events=int(side["event"].sum()), exposure_days=float(side["days"].sum()))


def _refusal(people: pd.DataFrame, known: pd.DataFrame, horizon: int) -> tuple[str, str]:
    """Why no share can be compared, and what would mend it; two empty words where it can."""
    for arm in (PROGRAMME, COMPARISON):
        if not people["arm"].eq(arm).any():
            return f"there is nobody in the {arm} group whose window is over", "data on both groups, or a later extract"
        if not known["arm"].eq(arm).any():
            return f"nobody in the {arm} group was followed for {horizon} days", "a later extract"
    missing = 1 - len(known) / len(people)
    if missing > MOST_MISSING:
        return (
            "the outcome of more than two people in five is not known",
            "a later extract, or fuller follow-up",
        )
    return "", ""


def _unknown(people: pd.DataFrame, known: pd.DataFrame) -> tuple[LeftOut, ...]:
    lost = len(people) - len(known)
    return (LeftOut(people=lost, of=len(people), why="whose outcome is not known"),) if lost else ()


OUTCOMES: dict[str, Callable[[Comparison, Outcome, Study], Iterator[Result]]] = {
    "any_event": _any_event,
    "time_to_event": _time_to_event,
}
