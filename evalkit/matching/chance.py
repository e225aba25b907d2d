"""Sides that chance made: everybody as allocated."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from evalkit.cohort import Cohort, counted_rows
from evalkit.matching.balance import over_history
from evalkit.matching.nouns import Comparison, behind_both, followed, paired
from evalkit.results import COMPARISON, PROGRAMME, Design, Difference
from evalkit.study import Covariate, Study, plan_of

if TYPE_CHECKING:
    import pandas as pd


def match(cohort: Cohort, study: Study) -> Comparison:
    """Everybody as allocated. Chance made the groups alike, so no gate is needed; balance lets a reader see it."""
    people = cohort.people
    [set_aside] = [count.total for count in cohort.flow if count.step == "set_aside"]
    design = Design(
        assignment=study.programme.design,
        plan=plan_of(study).state,
        followed=followed(people, study, study.horizon_days),
        set_aside=set_aside or 0,
        linked=cohort.linked,
    )
    if study.programme.source == "ready_cohort":
        return Comparison(people=people, balance=tuple(_balance(people, study)), design=design)
    balance = tuple(over_history(counted_rows(people, study, study.horizon_days)))
    return Comparison(people=people.assign(match_weight=1.0), balance=balance, design=design, pairs=dealt_out(people))


def _balance(people: pd.DataFrame, study: Study) -> Iterator[Difference]:
    programme, comparison = (people[people["arm"] == arm] for arm in (PROGRAMME, COMPARISON))
    for covariate in study.programme.covariates:
        yield from _difference(programme, comparison, covariate)


def _difference(one: pd.DataFrame, other: pd.DataFrame, covariate: Covariate) -> Iterator[Difference]:
    """The difference in one covariate; nothing where a side has nobody whose value is held."""
    from evalkit import estimators

    programme, comparison = one[covariate.column], other[covariate.column]
    if not (programme.count() and comparison.count()):
        return
    found = estimators.standardised_difference(
        programme=programme.to_numpy(float), comparison=comparison.to_numpy(float)
    )
    yield Difference(
        covariate=covariate.column,
        label=covariate.label,
        mean_programme=found.mean_programme,
        mean_comparison=found.mean_comparison,
        smd=found.smd,
        denominator=estimators.POOLED_SD,
        variance_ratio=found.variance_ratio,
        missing_programme=int(programme.isna().sum()),
        missing_comparison=int(comparison.isna().sum()),
        people_programme=len(programme),
        people_comparison=len(comparison),
        is_share=covariate.kind == "yes_no",
        **behind_both((side[covariate.column].dropna(), side["person_id"]) for side in (one, other)),
    )


def dealt_out(people: pd.DataFrame) -> pd.DataFrame:
    """Each row of the others with somebody of the programme in the same area and month.

    Those of the programme are dealt out evenly, both sides in the order of a hash of their ids, which nothing about
    them can sway; nobody where the programme has nobody there.
    """
    lot = people["person_id"].map(lambda person: hashlib.sha256(person.encode()).hexdigest())
    dealt = people.assign(lot=lot, month=people["index_date"].dt.strftime("%Y-%m")).sort_values("lot", kind="stable")
    pairs: list[tuple[int, int, float]] = []
    for _, block in dealt.groupby(["area", "month"]):
        programme = block.index[block["arm"] == PROGRAMME]
        others = block.index[block["arm"] == COMPARISON]
        if len(programme):
            pairs += [(programme[place % len(programme)], row, 1.0) for place, row in enumerate(others)]
    return paired(pairs)
