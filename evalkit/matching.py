"""Two sides that can be set beside each other, how alike they are, and what their design allows to be said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalkit.cohort import Cohort, due
from evalkit.results import COMPARISON, PROGRAMME, Design, Difference, Followed
from evalkit.store import remembered
from evalkit.study import Covariate, Study, plan_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Programme and comparison side by side: the only thing an outcome accepts.

    Attributes
    ----------
    people : pandas.DataFrame
        One row per person, as in the cohort.
    balance : tuple of Difference
        How far the sides are apart in each covariate, all known before the index date.
    design : Design
        What the grade of the evidence hangs on.
    """

    people: pd.DataFrame
    balance: tuple[Difference, ...]
    design: Design


@remembered(Comparison)
def match(cohort: Cohort, study: Study) -> Comparison:
    """The comparison that the study's design asks for.

    `randomised`: everybody as allocated, whatever happened next (intention to treat). Chance made
    the groups alike, so no gate is needed; balance is shown so that a reader can see that it did.
    """
    people = cohort.people
    [set_aside] = [count.total for count in cohort.flow if count.step == "set_aside"]
    design = Design(
        assignment=study.programme.design,
        plan=plan_of(study).state,
        followed=followed(people, study, study.horizon_days),
        set_aside=set_aside,
    )
    return Comparison(people=people, balance=tuple(_balance(people, study)), design=design)


def followed(people: pd.DataFrame, study: Study, horizon_days: int) -> tuple[Followed, ...]:
    """Attrition over one horizon, programme first: of those whose window is over, how many were observed to its end."""
    counted = people[due(people, study, horizon_days)]
    sides = [(arm, counted[counted["arm"] == arm]) for arm in (PROGRAMME, COMPARISON)]
    return tuple(
        Followed(label=arm, allocated=len(side), followed=int(side["days_followed"].ge(horizon_days).sum()))
        for arm, side in sides
    )


def _balance(people: pd.DataFrame, study: Study) -> Iterator[Difference]:
    programme, comparison = (people[people["arm"] == arm] for arm in (PROGRAMME, COMPARISON))
    for covariate in study.programme.covariates:
        yield from _difference(programme[covariate.column], comparison[covariate.column], covariate)


def _difference(
    programme: pd.Series[float], comparison: pd.Series[float], covariate: Covariate
) -> Iterator[Difference]:
    """The difference in one covariate; nothing where a side has nobody whose value is held."""
    from evalkit import estimators

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
    )
