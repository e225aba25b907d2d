"""What the scores of each side did, and how many of the programme's people would score lower anyway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from evalkit import estimators
from evalkit.cohort.readings import READ
from evalkit.matching import Comparison
from evalkit.outcomes.score_decline.clocks import READING_DAYS, by_index
from evalkit.outcomes.score_decline.effects import covariates, is_reached, with_attrition
from evalkit.results import COMPARISON, PROGRAMME, ExpectedShare, Interval, Readings
from evalkit.store import Store
from evalkit.study import Study

if TYPE_CHECKING:
    import pandas as pd

HAD = {
    "sequential_trials": "a lower score than when they were chosen",
    "randomised": "a lower score than when they were allocated",
    "single_group": "a lower score than when they were accepted",
}
BASIS = {
    "sequential_trials": "the scores of people who could have been chosen on the same run dates and were not",
    "randomised": "the scores of the people allocated to the comparison",
    "single_group": "the scores of other people on record in the same areas and months",
}
BY_HISTORY = ", by their history"
BORROWED = f"{BY_HISTORY}, each read on the clock of somebody of the programme"


def expected(rows: pd.DataFrame, study: Study, shared: dict[str, Any], variant: str) -> Iterator[ExpectedShare]:
    """The share of those of the programme with a lower score on one day, beside the one expected without it.

    The expectation is learnt from the others alone and asked of the same people; nothing is told where it cannot be.
    """
    taken = rows[rows["became"] == READ]
    if not is_reached(rows):
        return
    treated, known = taken["arm"].eq(PROGRAMME), covariates(taken, study, variant)
    try:
        without = estimators.expected_share(
            event=taken["lower"].to_numpy(),
            columns=known.columns,
            factors=known.factors,
            treated=treated.to_numpy(),
            clusters=taken["cluster_id"].to_numpy(),
            level=study.level,
        )
    except estimators.NotFitted:
        return
    mine = taken.loc[treated, "lower"]
    found = estimators.wilson(events=int(mine.sum()), people=len(mine), level=study.level)
    design, [clock] = study.programme.design, rows["clock"].unique()
    yield ExpectedShare(
        strand=shared["strand"],
        outcome=shared["outcome"],
        horizon_days=shared["horizon_days"],
        had=HAD[design],
        people=len(mine),
        people_with=int(mine.sum()),
        not_known=int(rows["arm"].eq(PROGRAMME).sum()) - len(mine),
        value=found.value,
        low=found.low,
        high=found.high,
        without=without.value,
        without_low=without.low,
        without_high=without.high,
        basis=BASIS[design] + (BORROWED if clock == "discharge" else BY_HISTORY),
        design=with_attrition(shared["design"], rows),
        method="logistic model of those not in the programme, by history; range of a new such group; Wilson's interval",
        clock=clock,
        level=study.level,
    )


def readings(comparison: Comparison, store: Store, study: Study) -> Iterator[Readings]:
    """The mean score of each side of a comparison on the index date and on each day that was reached.

    A side of trials is read as it was matched; of a single group there is one side.
    """
    people = comparison.people
    people = people[people["match_weight"].gt(0) & people["days_followed"].gt(0)]
    rows = by_index(people, READING_DAYS, store, study, study.programme.recorded.rfgv)
    taken = rows[rows["became"] == READ]
    for arm in (PROGRAMME, COMPARISON):
        began, side = people[people["arm"] == arm], taken[taken["arm"] == arm]
        reached = [day for day in READING_DAYS if side.loc[side["days"] == day, "cluster_id"].nunique() > 1]
        if reached:
            yield _readings(began, [(day, side[side["days"] == day]) for day in reached], arm, study)


def _readings(began: pd.DataFrame, taken: list[tuple[int, pd.DataFrame]], arm: str, study: Study) -> Readings:
    start = _mean(began, began["score"], began["match_weight"], study)
    means = [_mean(side, side["score_then"], side["weight"], study) for _, side in taken]
    floors = [_mean(side, side["floor"], side["weight"], study).value for _, side in taken]
    first = began.drop_duplicates("person_id")
    return Readings(
        strand="score_decline",
        outcome="mean_score",
        arm=arm,
        days=(0, *(day for day, _ in taken)),
        mean=(start.value, *(mean.value for mean in means)),
        low=(start.low, *(mean.low for mean in means)),
        high=(start.high, *(mean.high for mean in means)),
        floor=(start.value, *floors),
        realised=(None, *(_realised(side, study) for _, side in taken)),
        people=(len(first), *(side["person_id"].nunique() for _, side in taken)),
        in_custody=(None, *(_distinct(side, "in_custody") for _, side in taken)),
        still_open=(None, *(_distinct(side, "held") for _, side in taken)),
        method="mean of those read, t interval by cluster; the comparison weighted as matched",
        level=study.level,
    )


def _mean(side: pd.DataFrame, values: pd.Series[float], weights: pd.Series[float], study: Study) -> Interval:
    return estimators.mean_of(
        values=values.to_numpy(float),
        clusters=side["cluster_id"].to_numpy(),
        weights=weights.to_numpy(float),
        level=study.level,
    )


def _realised(side: pd.DataFrame, study: Study) -> Interval | None:
    """Fall since the index date over the fall that time alone would have brought; None where it would bring none."""
    try:
        return estimators.ratio_of_falls(
            fall=(side["score_before"] - side["score_then"]).to_numpy(float),
            attainable=(side["score_before"] - side["floor"]).to_numpy(float),
            clusters=side["cluster_id"].to_numpy(),
            weights=side["weight"].to_numpy(float),
            level=study.level,
        )
    except ValueError:
        return None


def _distinct(side: pd.DataFrame, column: str) -> int:
    return int(side.loc[side[column] == 1, "person_id"].nunique())
