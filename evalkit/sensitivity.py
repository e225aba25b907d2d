"""Does the conclusion survive? The checks that ask the same question where the answer is known, or in another way."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from evalkit.cohort import counted_rows
from evalkit.matching import Comparison, shared_by
from evalkit.outcomes import score_decline
from evalkit.outcomes.reoffending import AT_RISK, rate_ratio
from evalkit.results import COMPARISON, PROGRAMME, Result
from evalkit.store import Store, remembered
from evalkit.study import ALL_AREAS, Outcome, Study

if TYPE_CHECKING:
    import pandas as pd


@remembered(tuple)
def checks(comparison: Comparison, store: Store, study: Study) -> tuple[Result, ...]:
    """The checks of the primary outcomes that their design allows; none of a comparison that chance made.

    The placebo cohort: the people next below the line, who were not chosen, stand in for those who were, who are left
    out. Nothing was done to them, so their ratio of events should be 1, and their difference in the mean score nought,
    within what chance leaves open.
    """
    if study.programme.design != "sequential_trials" or study.area != ALL_AREAS or comparison.failed:
        return ()
    people = placebo_cohort(comparison.people)
    rows = counted_rows(people, study, study.horizon_days)
    if not rows["arm"].eq(PROGRAMME).any():
        return ()
    asked = Outcome(strand="reoffending", name="event_count", planned="exploratory")
    stood_in = dataclasses.replace(comparison, people=people)
    shared = shared_by(dataclasses.replace(comparison, people=rows), asked, study)
    ratio = rate_ratio(rows, store, study, shared, AT_RISK, variant="placebo")
    return (ratio, *score_decline.placebo(stood_in, store, study))


def placebo_cohort(people: pd.DataFrame) -> pd.DataFrame:
    """The rows of a comparison with the next below the line of each area and run date in place of those chosen.

    As many as were chosen there, by score, the first row where scores tie; each person stands in once, on the first
    date on which they are next.
    """
    chosen = people["arm"].eq(PROGRAMME)
    places = ["area", "index_date"]
    wanted = people[chosen].groupby(places).size().rename("wanted")
    rows = people[~chosen].join(wanted, on=places)
    order = rows.sort_values("score", ascending=False, kind="stable").groupby(places).cumcount()
    is_next = order.reindex(rows.index) < rows["wanted"].fillna(0)
    first = rows[is_next].sort_values("index_date", kind="stable").drop_duplicates("person_id").index
    kept = rows[~is_next | rows.index.isin(first)].drop(columns="wanted")
    stands_in = kept.index.isin(first)
    return kept.assign(arm=[PROGRAMME if each else COMPARISON for each in stands_in])
