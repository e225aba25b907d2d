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
from evalkit.cohort import counted, counted_rows, days_to_first, history, in_custody
from evalkit.matching import Comparison, shared_by
from evalkit.results import (
    COMPARISON,
    PROGRAMME,
    VARIANTS,
    Arm,
    Curve,
    Detectable,
    Estimate,
    Gate,
    LeftOut,
    Months,
    NotEstimable,
    Result,
)
from evalkit.store import Store
from evalkit.study import ALL_AREAS, Outcome, Study

if TYPE_CHECKING:
    import pandas as pd

RECORDED_ONLY = "Recorded events are not all events."
CHOSEN_LATER = "People of the comparison may have been chosen later, which makes a real effect look smaller."
NO_SECOND = "No second method could be set beside it."
NO_BOUND = "too few of the comparison had an event for the ratio to have a bound"
ONE_AREA_WHY = "one area alone cannot carry an effect"
ONE_AREA_MEND = "the report of all areas together; an area's own is shown once areas are pooled"
AT_LIBERTY_APART = 0.15  # relative difference beyond which custody may explain part of what was found
NEAR_THE_LINE = 0.05  # quantile of the programme's scores from which rows count as near the line
FIRST_MONTH, DAYS_A_MONTH = -24, 30
EXAMPLE_REDUCTION = 0.30


def estimate(comparison: Comparison, store: Store, study: Study) -> Iterator[Result]:
    """The results of every planned outcome of this strand; for one area alone, what its people's records say."""
    mine = [outcome for outcome in study.outcomes if outcome.strand == "reoffending"]
    for outcome in mine:
        if study.area != ALL_AREAS:
            yield from _of_one_area(comparison, store, outcome, study)
        elif comparison.failed:
            yield from _refused(comparison, outcome, study)
        else:
            yield from _OUTCOMES[outcome.name](comparison, store, outcome, study)
    if study.area == ALL_AREAS and not comparison.failed:
        yield from _months(comparison, store, study)


def rate_ratio(
    people: pd.DataFrame, store: Store, study: Study, shared: dict[str, Any], *, variant: str = ""
) -> Estimate | NotEstimable:
    """The ratio of recorded events a person-day, adjusted for history: one way of putting the question.

    `people` are rows of a comparison whose arm says who counts as chosen.
    """
    try:
        fit = _fitted(people, store, study, shared["horizon_days"], variant)
    except estimators.NotFitted as error:
        return _not_fitted(error, "rate_ratio", shared, variant)
    return _ratio(fit, people, store, study, shared, variant)


def _event_count(comparison: Comparison, store: Store, outcome: Outcome, study: Study) -> Iterator[Result]:
    shared = shared_by(comparison, outcome, study)
    horizon = shared["horizon_days"]
    rows = counted_rows(comparison.people, study, horizon)
    if not rows["arm"].eq(PROGRAMME).any():
        yield _nobody_yet("rate_ratio", shared)
        return
    try:
        fit = _fitted(rows, store, study, horizon)
    except estimators.NotFitted as error:
        yield _not_fitted(error, "rate_ratio", shared)
        return
    yield _detectable(fit, rows, store, study, shared)
    main, beside = _ratio(fit, rows, store, study, shared), {**shared, "planned": "exploratory"}
    matched = tuple(_matched(fit, rows, comparison, store, study, beside))
    if isinstance(matched[0], NotEstimable):
        main = dataclasses.replace(main, caveats=(*main.caveats, NO_SECOND))
    liberty = rate_ratio(rows, store, study, beside, variant="at_liberty")
    yield _with_custody(main, liberty)
    yield _difference(fit, main, {**shared, "planned": "secondary"})
    yield liberty
    yield rate_ratio(_near_the_line(rows), store, study, beside, variant="near_the_line")
    yield from matched


def _fitted(
    rows: pd.DataFrame, store: Store, study: Study, horizon_days: int, variant: str = ""
) -> estimators.CountFit:
    exposure = rows["days_followed"].clip(upper=horizon_days)
    if variant == "at_liberty":
        exposure = exposure - in_custody(rows, store, study, horizon_days)
    kept = rows[exposure > 0]
    days = exposure[exposure > 0].to_numpy(float)
    known, treated = history(kept, study), kept["arm"].eq(PROGRAMME).to_numpy()
    return estimators.quasi_poisson(
        counts=counted(kept, store, study, {"after": (1, horizon_days)})["after"].to_numpy(float),
        exposure_days=days,
        columns={PROGRAMME: treated.astype(float), **known.columns},
        factors=known.factors,
        of=PROGRAMME,
        treated=treated,
        clusters=kept["cluster_id"].to_numpy(),
        weights=kept["match_weight"].to_numpy(float) if variant == "matched" else None,
        level=study.level,
    )


def _ratio(
    fit: estimators.CountFit, rows: pd.DataFrame, store: Store, study: Study, shared: dict[str, Any], variant: str = ""
) -> Estimate:
    programme, comparison = _arms(rows, store, study, shared["horizon_days"])
    among = f"; {VARIANTS[variant]}" if variant else ""
    return Estimate(
        measure="rate_ratio",
        population="att",
        value=fit.rate_ratio.value,
        low=fit.rate_ratio.low,
        high=fit.rate_ratio.high,
        p_value=fit.p_value,
        p_method=f"t test of the log ratio, {fit.df} degrees of freedom",
        arms=(programme, comparison),
        method=(
            "quasi-Poisson model of everybody at risk on the same run dates, adjusted for score, history, age, area "
            f"and run date; cluster sandwich with leverage correction{among}"
        ),
        level=study.level,
        caveats=(RECORDED_ONLY, CHOSEN_LATER),
        variant=variant,
        per_hundred=_per_hundred(fit, shared["horizon_days"]),
        **shared,
    )


def _arms(rows: pd.DataFrame, store: Store, study: Study, horizon_days: int) -> tuple[Arm, Arm]:
    """Distinct people, their events and days; whoever stands in several trials of the comparison counts in each."""
    events = counted(rows, store, study, {"after": (1, horizon_days)})["after"]
    days = rows["days_followed"].clip(upper=horizon_days)

    def arm(label: str) -> Arm:
        side = rows["arm"].eq(label)
        return Arm(
            label=label,
            people=rows.loc[side, "person_id"].nunique(),
            events=int(events[side].sum()),
            exposure_days=float(days[side].sum()),
            people_with=rows.loc[side & events.gt(0), "person_id"].nunique(),
        )

    return arm(PROGRAMME), arm(COMPARISON)


def _difference(fit: estimators.CountFit, main: Estimate, shared: dict[str, Any]) -> Estimate:
    """Events fewer or more in every hundred people than the model expects of the same people without the programme."""
    days = 100 * shared["horizon_days"]
    return Estimate(
        measure="rate_difference",
        population="att",
        value=days * fit.daily_difference.value,
        low=days * fit.daily_difference.low,
        high=days * fit.daily_difference.high,
        p_value=main.p_value,
        p_method=main.p_method,
        arms=main.arms,
        method="the same model, averaged over the people of the programme with and without it; delta method by cluster",
        level=main.level,
        caveats=main.caveats,
        per_hundred=main.per_hundred,
        **shared,
    )


def _per_hundred(fit: estimators.CountFit, horizon_days: int) -> tuple[float, float]:
    """Events in every hundred people of the programme over the whole horizon, with it and without."""
    return 100 * horizon_days * fit.daily_with, 100 * horizon_days * fit.daily_without


def _with_custody(main: Estimate, liberty: Estimate | NotEstimable) -> Estimate:
    """The estimate with a caveat where leaving out days in custody tells another story."""
    if isinstance(liberty, NotEstimable) or abs(liberty.value / main.value - 1) <= AT_LIBERTY_APART:
        return main
    words = "Per day at liberty the ratio is clearly another: time in custody may explain part of what was found."
    return dataclasses.replace(main, caveats=(*main.caveats, words))


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
        refused = NotEstimable(measure="rate_ratio", why=_gate_words(bad), mend=bad.mend, variant="matched", **shared)
        yield refused
        return
    kept = rows[rows["match_weight"] > 0]
    try:
        fit = _fitted(kept, store, study, shared["horizon_days"], "matched")
    except estimators.NotFitted as error:
        yield _not_fitted(error, "rate_ratio", shared, "matched")
        return
    yield _ratio(fit, kept, store, study, shared, "matched")
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


def _detectable(
    fit: estimators.CountFit, rows: pd.DataFrame, store: Store, study: Study, shared: dict[str, Any]
) -> Detectable:
    treated = rows["arm"].eq(PROGRAMME)
    untreated = rows[~treated]
    events = counted(untreated, store, study, {"after": (1, shared["horizon_days"])})["after"]
    people = rows.loc[treated, "person_id"].nunique()
    given: dict[str, Any] = {
        "people_1": people,
        "effective_people_0": estimators.effective_people(untreated["person_id"].value_counts().to_numpy(float)),
        "mean_count": float(events.mean()),
        "dispersion": fit.dispersion,
        "level": study.level,
    }
    power = estimators.power_of_rate_reduction(reduction=EXAMPLE_REDUCTION, **given)
    return Detectable(
        strand=shared["strand"],
        outcome=shared["outcome"],
        horizon_days=shared["horizon_days"],
        event_label=study.programme.event,
        people_programme=people,
        people_comparison=untreated["person_id"].nunique(),
        typical=given["mean_count"],
        reduction=estimators.detectable_rate_reduction(**given),
        missed_of_ten=round(10 * (1 - power)),
        method="normal approximation with the dispersion of the records, the groups not told apart",
        example_reduction=EXAMPLE_REDUCTION,
        level=study.level,
        basis="count",
    )


def _any_event(comparison: Comparison, store: Store, outcome: Outcome, study: Study) -> Iterator[Result]:
    shared = shared_by(comparison, outcome, study)
    horizon = shared["horizon_days"]
    rows = counted_rows(comparison.people, study, horizon)
    known = rows[_followed_to(rows, horizon)]
    if not known["arm"].eq(PROGRAMME).any():
        yield from (_nobody_yet(measure, shared) for measure in ("risk_difference", "risk_ratio"))
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
        yield from (_not_fitted(error, measure, shared) for measure in ("risk_difference", "risk_ratio"))
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
        yield _nobody_yet("restricted_mean_days", shared)
        return
    timed = _timed(rows, store, study, horizon)
    try:
        for arm in (PROGRAMME, COMPARISON):
            yield _curve(timed[timed["arm"] == arm], arm, outcome, study)
        found = estimators.incident_free_days_difference(
            **_arrays(timed), treated=timed["arm"].eq(PROGRAMME).to_numpy(), horizon_days=horizon, level=study.level
        )
    except ValueError as error:
        yield _not_fitted(error, "restricted_mean_days", shared)
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


def _of_one_area(comparison: Comparison, store: Store, outcome: Outcome, study: Study) -> Iterator[Result]:
    """One area alone: no effect, but how many of its own people had a recorded event."""
    shared = shared_by(comparison, outcome, study)
    for measure in _MEASURES[outcome.name]:
        yield NotEstimable(measure=measure, why=ONE_AREA_WHY, mend=ONE_AREA_MEND, **shared)
    if outcome.name != "any_event":
        return
    horizon = shared["horizon_days"]
    rows = counted_rows(comparison.people, study, horizon)
    rows = rows[rows["arm"].eq(PROGRAMME) & _followed_to(rows, horizon)]
    if rows.empty:
        return
    event = counted(rows, store, study, {"after": (1, horizon)})["after"].gt(0)
    found = estimators.wilson(events=int(event.sum()), people=len(rows), level=study.level)
    yield Estimate(
        measure="share",
        contrast="share",
        population="att",
        value=found.value,
        low=found.low,
        high=found.high,
        arms=(Arm(label=PROGRAMME, people=len(rows), events=int(event.sum())),),
        method="Wilson's interval for a proportion",
        level=study.level,
        caveats=(RECORDED_ONLY,),
        **{**shared, "planned": "exploratory"},
    )


def _refused(comparison: Comparison, outcome: Outcome, study: Study) -> Iterator[NotEstimable]:
    gate = comparison.failed
    if gate:
        shared = shared_by(comparison, outcome, study)
        for measure in _MEASURES[outcome.name]:
            yield NotEstimable(measure=measure, why=_gate_words(gate), mend=gate.mend, **shared)


def _gate_words(gate: Gate) -> str:
    return f"a check was not passed: {gate.label[0].lower()}{gate.label[1:]} ({gate.found}; needed: {gate.needed})"


def _nobody_yet(measure: str, shared: dict[str, Any]) -> NotEstimable:
    why = f"nobody of the programme has been followed for {shared['horizon_days']} days yet"
    return NotEstimable(measure=measure, why=why, mend="a later extract", **shared)


def _not_fitted(error: Exception, measure: str, shared: dict[str, Any], variant: str = "") -> NotEstimable:
    mend = "more people, or a longer period"
    return NotEstimable(measure=measure, why=str(error), mend=mend, variant=variant, **shared)


def _followed_to(rows: pd.DataFrame, horizon_days: int) -> pd.Series[bool]:
    """Whether what happened by the horizon is known: followed to it, or died before (the dead have no more events)."""
    return rows["days_followed"].ge(horizon_days) | rows["death_day"].le(horizon_days)


_MEASURES = {
    "event_count": ("rate_ratio",),
    "any_event": ("risk_difference", "risk_ratio"),
    "time_to_event": ("restricted_mean_days",),
}
_OUTCOMES = {"event_count": _event_count, "any_event": _any_event, "time_to_event": _time_to_event}
