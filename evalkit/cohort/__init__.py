"""Who is counted, from which date, followed until when, and who was left out and why."""

from __future__ import annotations

from evalkit.cohort.clock import counted_rows, due, known_to, refuse_days_not_held
from evalkit.cohort.enrolled import everybody_else
from evalkit.cohort.history import AGE_BANDS, HISTORY, history, score_curve
from evalkit.cohort.nouns import Cohort, lines_between
from evalkit.cohort.windows import counted, days_to_first, everybody_counted, in_custody
from evalkit.store import Store, remembered
from evalkit.study import Study

__all__ = [
    "AGE_BANDS", "HISTORY", "Cohort", "build", "counted", "counted_rows", "days_to_first", "due", "everybody_counted",
    "everybody_else", "history", "in_custody", "known_to", "lines_between", "score_curve",
]  # fmt: skip


@remembered(Cohort)
def build(store: Store, study: Study) -> Cohort:
    """The cohort of a study, from the source that its programme names.

    `ready_cohort`: a comparison that was made elsewhere, one row per person. `police_records`: one trial for every run
    date, of all who could be chosen on it, those who were and those who were not (Hernan and Robins 2016, American
    Journal of Epidemiology 183:758-764; Danaei et al. 2013, Statistical Methods in Medical Research 22:70-96).
    `episodes`: everybody allocated or accepted in the funding period, one row per person.

    Day 1 is the day after the index date and the last is day `horizon_days`; the index day is in no window. Nothing on
    or after the day after `as_of` is known.
    """
    from evalkit.cohort import enrolled, ready, trials

    refuse_days_not_held(store, study)
    source = {"ready_cohort": ready.build, "police_records": trials.build, "episodes": enrolled.build}
    return source[study.programme.source](store, study)
