"""Scores after: are they lower than they would have been, and how many would be lower anyway?"""

from __future__ import annotations

from evalkit.matching import Comparison
from evalkit.results import Result
from evalkit.store import Store, remembered
from evalkit.study import Study

__all__ = ["estimate", "placebo"]


@remembered(tuple)
def estimate(comparison: Comparison, store: Store, study: Study) -> tuple[Result, ...]:
    """What the plan asks of scores, in its order; every score is read on a run date, as known on it.

    `mean_score`: the difference in the mean score so many days after the index date, and the mean of each side at fixed
    days. `lower_score`: the share with a lower score than on the index date, and with a materially lower one.
    `after_discharge`: both again by days after discharge, where the comparison borrows the clock of those it stands
    for. A share of the programme alone comes with the share to be expected without it, of a single group too.
    """
    from evalkit.outcomes.score_decline import planned

    return tuple(planned.results(comparison, store, study))


def placebo(comparison: Comparison, store: Store, study: Study) -> tuple[Result, ...]:
    """The planned mean score again, of people to whom nothing was done: they stand in for those of the programme."""
    from evalkit.outcomes.score_decline import planned

    return tuple(planned.placebo(comparison, store, study))
