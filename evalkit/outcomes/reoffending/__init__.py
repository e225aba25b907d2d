"""Recorded reoffending: were there fewer recorded events, did fewer people have one, and did it come later?"""

from __future__ import annotations

from evalkit.matching import Comparison, why_no_effect
from evalkit.outcomes.reoffending.chosen import AT_RISK
from evalkit.outcomes.reoffending.counting import rate_ratio
from evalkit.results import Result
from evalkit.store import Store, remembered
from evalkit.study import Study

__all__ = ["AT_RISK", "estimate", "rate_ratio"]


@remembered(tuple)
def estimate(comparison: Comparison, store: Store, study: Study) -> tuple[Result, ...]:
    """What the plan asks of recorded reoffending, programme against comparison, in the order of the plan.

    Days 1 to the outcome's horizon after the index date; the index day itself is in no window. `event_count`: events
    a person (of police records alone). `any_event`: distinct people with at least one event, of those followed to the
    horizon. `time_to_event`: everybody, until the first event, their death or the end of their follow-up. Where no
    effect may be given, the reason stands in its place (`refused`).
    """
    from evalkit.outcomes.reoffending import allocated, chosen, enrolled, refused

    if study.programme.source == "ready_cohort":
        mine = study.planned_of("reoffending")
        return tuple(
            found for outcome in mine for found in allocated.OUTCOMES[outcome.name](comparison, outcome, study)
        )
    if refusal := why_no_effect(comparison, study):
        return tuple(refused.estimate(comparison, store, study, *refusal))
    design = {"sequential_trials": chosen.estimate, "randomised": enrolled.estimate}[study.programme.design]
    return tuple(design(comparison, store, study))
