"""One group with nothing beside it: everybody accepted, and no comparison that could carry an effect."""

from __future__ import annotations

from evalkit.cohort import Cohort
from evalkit.matching.nouns import Comparison, followed
from evalkit.results import Design
from evalkit.study import Study, plan_of


def match(cohort: Cohort, study: Study) -> Comparison:
    """The programme's own people; no gate is asked, for none could make up for the side that is missing."""
    people = cohort.people.assign(match_weight=1.0)
    design = Design(
        assignment=study.programme.design,
        plan=plan_of(study).state,
        followed=followed(people, study, study.horizon_days),
        linked=cohort.linked,
    )
    return Comparison(people=people, balance=(), design=design)
