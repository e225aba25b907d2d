"""Recorded events a person, programme against comparison: the ratio of rates, whatever the design that asks for it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalkit import estimators
from evalkit.cohort import counted, history, in_custody
from evalkit.results import (
    COMPARISON,
    EXAMPLE_REDUCTION,
    PROGRAMME,
    VARIANTS,
    Arm,
    Detectable,
    Estimate,
    NotEstimable,
)
from evalkit.store import Store
from evalkit.study import Study

if TYPE_CHECKING:
    import pandas as pd

RECORDED_ONLY = "Recorded events are not all events."
AT_LIBERTY_APART = 0.15  # relative difference beyond which custody may explain part of what was found


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """How a design asks for a ratio of events: of which population, by a model of whom, with what to bear in mind.

    Attributes
    ----------
    words : str
        Of whom, and adjusted for what, as it reads after "model of".
    by_history : bool
        Whether it is adjusted for all of `history`, or for the area alone.
    """

    population: str
    words: str
    caveats: tuple[str, ...]
    by_history: bool = True


def rate_ratio(
    people: pd.DataFrame, store: Store, study: Study, shared: dict[str, Any], model: Model, *, variant: str = ""
) -> Estimate | NotEstimable:
    """The ratio of recorded events a person-day: one way of putting the question.

    `people` are rows of a comparison whose arm says who counts as chosen.
    """
    try:
        fit = fitted(people, store, study, shared["horizon_days"], model, variant)
    except estimators.NotFitted as error:
        return not_fitted(error, "rate_ratio", shared, variant)
    return ratio(fit, people, store, study, shared, model, variant)


def fitted(
    rows: pd.DataFrame, store: Store, study: Study, horizon_days: int, model: Model, variant: str = ""
) -> estimators.CountFit:
    """The model of the events of these rows on days 1 to the horizon; NotFitted where it cannot be fitted."""
    exposure = rows["days_followed"].clip(upper=horizon_days)
    if variant == "at_liberty":
        exposure = exposure - in_custody(rows, store, study, horizon_days)
    kept = rows[exposure > 0]
    days = exposure[exposure > 0].to_numpy(float)
    known, treated = history(kept, study), kept["arm"].eq(PROGRAMME).to_numpy()
    columns, factors = (known.columns, known.factors) if model.by_history else ({}, {"area": known.factors["area"]})
    return estimators.quasi_poisson(
        counts=counted(kept, store, study, {"after": (1, horizon_days)})["after"].to_numpy(float),
        exposure_days=days,
        columns={PROGRAMME: treated.astype(float), **columns},
        factors=factors,
        of=PROGRAMME,
        treated=treated,
        clusters=kept["cluster_id"].to_numpy(),
        weights=kept["match_weight"].to_numpy(float) if variant == "matched" else None,
        level=study.level,
    )


def ratio(
    fit: estimators.CountFit,
    rows: pd.DataFrame,
    store: Store,
    study: Study,
    shared: dict[str, Any],
    model: Model,
    variant: str = "",
) -> Estimate:
    """The ratio of rates of a fitted model, with the people and events of both sides."""
    programme, comparison = _arms(rows, store, study, shared["horizon_days"])
    among = f"; {VARIANTS[variant]}" if variant else ""
    return Estimate(
        measure="rate_ratio",
        population=model.population,
        value=fit.rate_ratio.value,
        low=fit.rate_ratio.low,
        high=fit.rate_ratio.high,
        p_value=fit.p_value,
        p_method=f"t test of the log ratio, {fit.df} degrees of freedom",
        arms=(programme, comparison),
        method=f"quasi-Poisson model of {model.words}; cluster sandwich with leverage correction{among}",
        level=study.level,
        caveats=model.caveats,
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


def _per_hundred(fit: estimators.CountFit, horizon_days: int) -> tuple[float, float]:
    """Events in every hundred people of the programme over the whole horizon, with it and without."""
    return 100 * horizon_days * fit.daily_with, 100 * horizon_days * fit.daily_without


def difference(fit: estimators.CountFit, main: Estimate, shared: dict[str, Any]) -> Estimate:
    """Events fewer or more in every hundred people than the model expects of the same people without the programme."""
    days = 100 * shared["horizon_days"]
    return Estimate(
        measure="rate_difference",
        population=main.population,
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


def with_custody(main: Estimate, liberty: Estimate | NotEstimable) -> Estimate:
    """The estimate with a caveat where leaving out days in custody tells another story."""
    if isinstance(liberty, NotEstimable) or abs(liberty.value / main.value - 1) <= AT_LIBERTY_APART:
        return main
    words = "Per day at liberty the ratio is clearly another: time in custody may explain part of what was found."
    return dataclasses.replace(main, caveats=(*main.caveats, words))


def detectable(
    fit: estimators.CountFit, rows: pd.DataFrame, store: Store, study: Study, shared: dict[str, Any]
) -> Detectable:
    """The smallest fall in events a person that so many people could have shown."""
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


def nobody_yet(measure: str, shared: dict[str, Any], arm: str = PROGRAMME) -> NotEstimable:
    """No estimate, for nobody of one side has been followed long enough."""
    why = f"nobody of the {arm} has been followed for {shared['horizon_days']} days yet"
    return NotEstimable(measure=measure, why=why, mend="a later extract", **shared)


def not_fitted(error: Exception, measure: str, shared: dict[str, Any], variant: str = "") -> NotEstimable:
    """No estimate, for the reason that the estimator gives."""
    mend = "more people, or a longer period"
    return NotEstimable(measure=measure, why=str(error), mend=mend, variant=variant, **shared)
