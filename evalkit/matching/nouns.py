"""The comparison: two sides that can be set beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalkit.cohort import due
from evalkit.results import COMPARISON, PROGRAMME, Design, Difference, Followed, Gate, Overlap
from evalkit.study import Study

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Programme and comparison side by side: the only thing an outcome accepts.

    Attributes
    ----------
    people : pandas.DataFrame
        One row per person and index date, as in the cohort. Of sequential trials also match_weight: 1 for somebody of
        the programme with matches, for a row of the comparison the shares in which it stands for people of the
        programme, 0 for whoever is matched with nobody.
    balance : tuple of Difference
        How far the sides are apart in each covariate, all known before the index date.
    design : Design
        What the grade of the evidence hangs on.
    gates : tuple of Gate
        The checks that the comparison had to pass, with what was found; the names and verdicts stand in `design`.
    overlap : tuple of Overlap
        How likely people of each side were to be chosen; empty where chance decided.
    """

    people: pd.DataFrame
    balance: tuple[Difference, ...]
    design: Design
    gates: tuple[Gate, ...] = ()
    overlap: tuple[Overlap, ...] = ()

    @property
    def failed(self) -> Gate | None:
        """The first check that an effect hangs on and that was not passed."""
        passed = dict(self.design.gates)
        return next((gate for gate in self.gates if not passed.get(gate.name, True)), None)


def followed(people: pd.DataFrame, study: Study, horizon_days: int) -> tuple[Followed, ...]:
    """Attrition over one horizon, programme first: of those whose window is over, how many were observed to its end.

    Distinct people, at their first row; whoever died was observed to the end.
    """
    counted = people[due(people, study, horizon_days)]
    whole = counted["days_followed"].ge(horizon_days)
    if "death_day" in counted:
        whole |= counted["death_day"].notna()
    first = counted.assign(whole=whole).drop_duplicates(["person_id", "arm"])
    sides = [(arm, first[first["arm"] == arm]) for arm in (PROGRAMME, COMPARISON)]
    return tuple(Followed(label=arm, allocated=len(side), followed=int(side["whole"].sum())) for arm, side in sides)
