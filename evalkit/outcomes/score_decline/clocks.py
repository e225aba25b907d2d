"""Who is read how long after what: rows of a comparison, each with its planned days and what became of its readings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalkit import cohort
from evalkit.cohort.readings import readings
from evalkit.matching import Comparison, dealt_out
from evalkit.results import PROGRAMME
from evalkit.store import Store
from evalkit.study import RfgvSpec, Study

if TYPE_CHECKING:
    import pandas as pd

READING_DAYS = (122, 213, 304, 487)
AFTER_DISCHARGE_DAYS = (91, 182, 365)


def everybody(comparison: Comparison, store: Store, study: Study) -> pd.DataFrame:
    """The rows of a comparison; of a single group those of everybody else on record with them."""
    import pandas as pd

    if study.programme.design != "single_group":
        return comparison.people
    others = cohort.everybody_else(store, study).assign(match_weight=1.0)
    return pd.concat([comparison.people, others], ignore_index=True)


def by_index(people: pd.DataFrame, days: Sequence[int], store: Store, study: Study, spec: RfgvSpec) -> pd.DataFrame:
    """Every row once for each of these days after its index date, with its reading (`cohort.readings`)."""
    rows = people.assign(clock="index", clock_day=0.0, weight=people["match_weight"])
    return _each_day(rows, days, store, study, spec)


def by_discharge(
    people: pd.DataFrame, comparison: Comparison, days: Sequence[int], store: Store, study: Study, spec: RfgvSpec
) -> pd.DataFrame:
    """Those of the programme once for each of these days after their discharge; the others on a borrowed clock.

    A row of the comparison stands once for each of the programme that it is paired with, and is read as many days after
    its own index date as that one was held, and the days more; `weight` is that of the pair, and 1 for those of the
    programme with a pair, 0 for those without. Everybody else beside a single group borrows from it as the comparison
    of a trial does: of the same area and month, dealt out evenly.
    """
    import pandas as pd

    pairs = dealt_out(people) if study.programme.design == "single_group" else comparison.pairs
    mine = people[people["arm"] == PROGRAMME]
    others = people.loc[pairs["comparison_row"]].assign(
        clock_day=people["discharge_day"].loc[pairs["programme_row"]].to_numpy(), weight=pairs["weight"].to_numpy()
    )
    mine = mine.assign(clock_day=mine["discharge_day"], weight=mine.index.isin(pairs["programme_row"]).astype(float))
    rows = pd.concat([mine, others], ignore_index=True).assign(clock="discharge")
    return _each_day(rows, days, store, study, spec)


def _each_day(rows: pd.DataFrame, days: Sequence[int], store: Store, study: Study, spec: RfgvSpec) -> pd.DataFrame:
    import pandas as pd

    asked = pd.concat([rows.assign(days=day) for day in sorted(set(days))], ignore_index=True)
    return readings(asked, store, study, spec)
