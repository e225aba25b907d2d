"""Two sides that can be set beside each other, how alike they are, and what their design allows to be said."""

from __future__ import annotations

from evalkit.cohort import Cohort
from evalkit.matching.nouns import Comparison, followed, shared_by
from evalkit.store import remembered
from evalkit.study import Study

__all__ = ["Comparison", "followed", "match", "shared_by"]


@remembered(Comparison)
def match(cohort: Cohort, study: Study) -> Comparison:
    """The comparison that the study's design asks for.

    `randomised`: everybody as allocated (`chance`). `sequential_trials`: everybody who could have been chosen on a run
    date, chosen or not, with matches among them to look at (`risk_set`). Both as they began, whatever happened next
    (intention to treat).
    """
    from evalkit.matching import chance, risk_set

    return {"randomised": chance.match, "sequential_trials": risk_set.match}[study.programme.design](cohort, study)
