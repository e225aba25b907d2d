"""Recorded reoffending: were there fewer recorded events, did fewer people have one, and did it come later?"""

from __future__ import annotations

from evalkit.matching import Comparison
from evalkit.outcomes.reoffending.chosen import rate_ratio
from evalkit.results import Result
from evalkit.store import Store, remembered
from evalkit.study import Study

__all__ = ["estimate", "rate_ratio"]


@remembered(tuple)
def estimate(comparison: Comparison, store: Store, study: Study) -> tuple[Result, ...]:
    """What the plan asks of recorded reoffending, programme against comparison, in the order of the plan.

    Days 1 to the outcome's horizon after the index date; the index day itself is in no window. `event_count`: events
    a person (`chosen` alone). `any_event`: distinct people with at least one event, of those followed to the horizon.
    `time_to_event`: everybody, until the first event, their death or the end of their follow-up.
    """
    from evalkit.outcomes.reoffending import allocated, chosen

    if study.programme.design == "sequential_trials":
        return tuple(chosen.estimate(comparison, store, study))
    mine = [outcome for outcome in study.outcomes if outcome.strand == "reoffending"]
    return tuple(found for outcome in mine for found in allocated.OUTCOMES[outcome.name](comparison, outcome, study))
