"""Two sides that can be set beside each other, how alike they are, and what their design allows to be said."""

from __future__ import annotations

from evalkit.cohort import Cohort
from evalkit.matching.chance import dealt_out
from evalkit.matching.nouns import (
    MOST_MISSING,
    Comparison,
    detectable_share,
    followed,
    gate_in_words,
    shared_by,
    why_no_effect,
)
from evalkit.store import remembered
from evalkit.study import Study

__all__ = [
    "MOST_MISSING", "Comparison", "dealt_out", "detectable_share", "followed", "gate_in_words", "match", "shared_by",
    "why_no_effect",
]  # fmt: skip


@remembered(Comparison)
def match(cohort: Cohort, study: Study) -> Comparison:
    """The comparison that the study's design asks for.

    `randomised`: everybody as allocated (`chance`). `sequential_trials`: everybody who could have been chosen on a run
    date, chosen or not, with matches among them to look at (`risk_set`). `single_group`: the programme's own people and
    nobody else (`alone`). All as they began, whatever happened next (intention to treat).
    """
    from evalkit.matching import alone, chance, risk_set

    designs = {"randomised": chance.match, "sequential_trials": risk_set.match, "single_group": alone.match}
    return designs[study.programme.design](cohort, study)
