"""Recorded reoffending where people were chosen month by month, against everybody at risk of being chosen.

Every effect is of being chosen now against not being chosen now, whatever happens later (intention to treat): somebody
of the comparison may be chosen the month after, which makes a real effect look smaller, never larger.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from evalkit import estimators
from evalkit.cohort import counted, counted_rows, days_to_first, history
from evalkit.matching import Comparison, gate_in_words, shared_by
from evalkit.outcomes.reoffending.counting import (
    RECORDED_ONLY,
    Model,
    detectable,
    difference,
    fitted,
    nobody_yet,
    not_fitted,
    rate_ratio,
    ratio,
    with_custody,
)
from evalkit.outcomes.reoffending.refused import followed_to
from evalkit.results import COMPARISON, PROGRAMME, Arm, Curve, Estimate, Gate, LeftOut, Months, NotEstimable, Result
from evalkit.store import Store
from evalkit.study import Outcome, Study

if TYPE_CHECKING:
    import pandas as pd

CHOSEN_LATER = "People of the comparison may have been chosen later, which makes a real effect look smaller."
NO_SECOND = "No second method could be set beside it."
NO_BOUND = "too few of the comparison had an event for the ratio to have a bound"
AT_RISK = Model(
    population="att",
    words="everybody at risk on the same run dates, adjusted for score, history, age, area and run date",
    caveats=(RECORDED_ONLY, CHOSEN_LATER),
)
NEAR_THE_LINE = 0.05  # quantile of the programme's scores from which rows count as near the line
FIRST_MONTH, DAYS_A_MONTH = -24, 30


def estimate(comparison: Comparison, store: Store, study: Study) -> Iterator[Result]:
    """The results of every planned outcome of this strand, and the months before and after."""
    for outcome in study.planned_of("reoffending"):
        yield from _OUTCOMES[outcome.name](comparison, store, outcome, study)
    yield from _months(comparison, store, study)


def _event_count(comparison: Comparison, store: Store, outcome: Outcome, study: Study) -> Iterator[Result]:
    shared = shared_by(comparison, outcome, study)
    horizon = shared["horizon_days"]
    rows = counted_rows(comparison.people, study, horizon)
    if not rows["arm"].eq(PROGRAMME).any():
        yield nobody_yet("rate_ratio", shared)
        return
    try:
        fit = fitted(rows, store, study, horizon, AT_RISK)
    except estimators.NotFitted as error:
        yield not_fitted(error, "rate_ratio", shared)
        return
    yield detectable(fit, rows, store, study, shared)
    main, beside = ratio(fit, rows, store, study, shared, AT_RISK), {**shared, "planned": "exploratory"}
    matched = tuple(_matched(fit, rows, comparison, store, study, beside))
    if isinstance(matched[0], NotEstimable):
        main = dataclasses.replace(main, caveats=(*main.caveats, NO_SECOND))
    liberty = rate_ratio(rows, store, study, beside, AT_RISK, variant="at_liberty")
    yield with_custody(main, liberty)
    yield difference(fit, main, {**shared, "planned": "secondary"})
    yield liberty
    yield rate_ratio(_near_the_line(rows), store, study, beside, AT_RISK, variant="near_the_line")
    yield from matched


def _near_the_line(rows: pd.DataFrame) -> pd.DataFrame:
    line = rows.loc[rows["arm"] == PROGRAMME, "score"].quantile(NEAR_THE_LINE)
    return rows[rows["score"] >= line]


def _matched(
    main: estimators.CountFit,
    rows: pd.DataFrame,
    comparison: Comparison,
    store: Store,
    study: Study,
    shared: dict[str, Any],
) -> Iterator[Result]:
    """The same among the matched, adjusted again, and whether both agree within what chance leaves open."""
    bad = next((gate for gate in comparison.gates if gate.name == "balance" and not gate.passed), None)
    if bad:
        refused = NotEstimable(measure="rate_ratio", why=gate_in_words(bad), mend=bad.mend, variant="matched", **shared)
        yield refused
        return
    kept = rows[rows["match_weight"] > 0]
    try:
        fit = fitted(kept, store, study, shared["horizon_days"], AT_RISK, "matched")
    except estimators.NotFitted as error:
        yield not_fitted(error, "rate_ratio", shared, "matched")
        return
    yield ratio(fit, kept, store, study, shared, AT_RISK, "matched")
    yield _agreement(main, fit)


def _agreement(one: estimators.CountFit, other: estimators.CountFit) -> Gate:
    agreed = estimators.agree(one, other)
    return Gate(
        name="agreement",
        label="Everybody adjusted, and matched people, tell the same story",
        found="within two standard errors of their difference" if agreed else "farther apart than that",
        needed="within two standard errors of their difference",
        passed=agreed,
        mend="more people; until then trust neither alone",
    )


def _any_event(comparison: Comparison, store: Store, outcome: Outcome, study: Study) -> Iterator[Result]:
    shared = shared_by(comparison, outcome, study)
    horizon = shared["horizon_days"]
    rows = counted_rows(comparison.people, study, horizon)
    known = rows[followed_to(rows, horizon)]
    if not known["arm"].eq(PROGRAMME).any():
        yield from (nobody_yet(measure, shared) for measure in ("risk_difference", "risk_ratio"))
        return
    covariates, treated = history(known, study), known["arm"].eq(PROGRAMME).to_numpy()
    event = counted(known, store, study, {"after": (1, horizon)})["after"].gt(0)
    try:
        fit = estimators.standardised_risk(
            event=event.to_numpy(),
            columns={PROGRAMME: treated.astype(float), **covariates.columns},
            factors=covariates.factors,
            of=PROGRAMME,
            treated=treated,
            clusters=known["cluster_id"].to_numpy(),
            level=study.level,
        )
    except estimators.NotFitted as error:
        yield from (not_fitted(error, measure, shared) for measure in ("risk_difference", "risk_ratio"))
        return
    for measure, found in (("risk_difference", fit.difference), ("risk_ratio", fit.ratio)):
        if found.high == math.inf:
            yield NotEstimable(measure=measure, why=NO_BOUND, mend="a longer follow-up or more people", **shared)
            continue
        yield Estimate(
            measure=measure,
            population="att",
            value=found.value,
            low=found.low,
            high=found.high,
            p_value=fit.p_value if measure == "risk_difference" else None,
            p_method="t test of the difference" if measure == "risk_difference" else None,
            arms=_arms_with_any(known, event),
            method="logistic model of everybody at risk, averaged over the people of the programme; cluster sandwich",
            level=study.level,
            caveats=(RECORDED_ONLY, CHOSEN_LATER),
            left_out=_moved(rows, known),
            per_hundred=(100 * fit.risk_with.value, 100 * fit.risk_without.value),
            **shared,
        )


def _arms_with_any(rows: pd.DataFrame, event: pd.Series[bool]) -> tuple[Arm, Arm]:
    """Distinct people, and of them those with an event in one of their windows or more."""

    def arm(label: str) -> Arm:
        side = rows[rows["arm"] == label]
        with_any = side.loc[event[side.index], "person_id"].nunique()
        return Arm(label=label, people=side["person_id"].nunique(), events=with_any)

    return arm(PROGRAMME), arm(COMPARISON)


def _moved(rows: pd.DataFrame, known: pd.DataFrame) -> tuple[LeftOut, ...]:
    programme = [side.loc[side["arm"] == PROGRAMME, "person_id"].nunique() for side in (rows, known)]
    if programme[0] == programme[1]:
        return ()
    return (LeftOut(people=programme[0] - programme[1], of=programme[0], why="of the programme who moved away"),)


def _time_to_event(comparison: Comparison, store: Store, outcome: Outcome, study: Study) -> Iterator[Result]:
    """How soon a first event came among the matched, death competing; it describes and carries no conclusion."""
    shared = shared_by(comparison, outcome, study)
    horizon = shared["horizon_days"]
    rows = counted_rows(comparison.people, study, horizon)
    rows = rows[rows["match_weight"] > 0]
    if rows["arm"].nunique() < 2:
        yield nobody_yet("restricted_mean_days", shared)
        return
    timed = _timed(rows, store, study, horizon)
    try:
        for arm in (PROGRAMME, COMPARISON):
            yield _curve(timed[timed["arm"] == arm], arm, outcome, study)
        found = estimators.incident_free_days_difference(
            **_arrays(timed), treated=timed["arm"].eq(PROGRAMME).to_numpy(), horizon_days=horizon, level=study.level
        )
    except ValueError as error:
        yield not_fitted(error, "restricted_mean_days", shared)
        return
    yield Estimate(
        measure="restricted_mean_days",
        population="att",
        **dataclasses.asdict(found.difference),
        p_value=found.p_value,
        p_method=f"t test, {found.df} degrees of freedom",
        arms=_arms_with_any(timed, timed["kind"].eq(estimators.EVENT)),
        method=f"areas above the two cumulative incidence curves to day {horizon}, death competing; matched people",
        level=study.level,
        caveats=(RECORDED_ONLY, "Matched, not adjusted: it describes."),
        **shared,
    )


def _timed(rows: pd.DataFrame, store: Store, study: Study, horizon_days: int) -> pd.DataFrame:
    """`rows` with `days` to the first event, a death or the end of follow-up, and which `kind` of end it was."""
    first = days_to_first(rows, store, study)
    last = rows["days_followed"].clip(upper=horizon_days)
    death = rows["death_day"].where(rows["death_day"] <= last)
    has_event = first.le(last) & ~death.lt(first)
    days = first.where(has_event, death.where(death.notna(), last)).astype("int64")
    kind = has_event * estimators.EVENT + (~has_event & death.notna()) * estimators.DIED
    return rows.assign(days=days, kind=kind)


def _arrays(timed: pd.DataFrame) -> dict[str, Any]:
    columns = {"days": "days", "kind": "kind", "weights": "match_weight", "clusters": "cluster_id"}
    return {name: timed[column].to_numpy() for name, column in columns.items()}


def _curve(side: pd.DataFrame, arm: str, outcome: Outcome, study: Study) -> Curve:
    """The curve of one side; at risk and with an event are distinct people, who may stand in several trials."""
    import numpy as np

    horizon = study.horizon_of(outcome)
    last = np.sort(side.groupby("person_id")["days"].max().to_numpy())
    event = side[side["kind"] == estimators.EVENT].groupby("days")["person_id"].nunique()
    found = estimators.cumulative_incidence(**_arrays(side), horizon_days=horizon, level=study.level)
    return Curve(
        strand="reoffending",
        outcome=outcome.name,
        horizon_days=horizon,
        arm=arm,
        event_label=study.programme.event,
        days=found.days,
        share=found.share,
        low=found.low,
        high=found.high,
        at_risk=tuple((len(last) - np.searchsorted(last, found.days)).tolist()),
        events=tuple(event.reindex(found.days, fill_value=0).tolist()),
        method="cumulative incidence by day, death competing (Aalen and Johansen 1978), matched people",
        level=study.level,
    )


def _months(comparison: Comparison, store: Store, study: Study) -> Iterator[Months]:
    horizon = study.longest_horizon_days
    rows = counted_rows(comparison.people, study, horizon)
    if not rows["arm"].eq(PROGRAMME).any():
        horizon = study.horizon_days
        rows = counted_rows(comparison.people, study, horizon)
    rows = rows[rows["match_weight"] > 0]
    months = tuple(range(FIRST_MONTH, horizon // DAYS_A_MONTH))
    windows = {f"m{place}": _days_of(month) for place, month in enumerate(months)}
    events = counted(rows, store, study, windows)
    for arm in (PROGRAMME, COMPARISON):
        side = rows["arm"].eq(arm)
        if side.any():
            yield _months_of(rows[side], events[side], months, arm, study)


def _days_of(month: int) -> tuple[int, int]:
    """First and last day of a stretch of 30 days: month 0 is days 1 to 30, month -1 days -30 to -1."""
    first = DAYS_A_MONTH * month
    return (first + 1, first + DAYS_A_MONTH) if month >= 0 else (first, first + DAYS_A_MONTH - 1)


def _months_of(side: pd.DataFrame, events: pd.DataFrame, months: tuple[int, ...], arm: str, study: Study) -> Months:
    import numpy as np

    weights = side["match_weight"].to_numpy(float)
    followed_days = side["days_followed"].to_numpy(float)
    rates, people, people_with = [], [], []
    for place, month in enumerate(months):
        first, _ = _days_of(month)
        days = np.clip(followed_days - first + 1, 0, DAYS_A_MONTH) if month >= 0 else np.full(len(side), DAYS_A_MONTH)
        seen, happened = days > 0, events[f"m{place}"].to_numpy()
        observed = float((weights * days).sum())
        rates.append(100 * DAYS_A_MONTH * float((weights * happened).sum()) / observed if observed else 0.0)
        people.append(int(side.loc[seen, "person_id"].nunique()))
        people_with.append(int(side.loc[happened > 0, "person_id"].nunique()))
    return Months(
        strand="reoffending",
        outcome="event_count",
        arm=arm,
        event_label=study.programme.event,
        months=months,
        per_hundred=tuple(rates),
        people=tuple(people),
        people_with=tuple(people_with),
        method="events in every hundred people in 30 days; the comparison matched and weighted, not adjusted",
    )


_OUTCOMES = {"event_count": _event_count, "any_event": _any_event, "time_to_event": _time_to_event}
