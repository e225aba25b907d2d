"""What was judged of each case: at intake, at its end, and on the day on which the sides are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalkit.cohort import due
from evalkit.matching import Comparison
from evalkit.results import LEVELS
from evalkit.store import Store
from evalkit.study import Assessments, Study

if TYPE_CHECKING:
    import pandas as pd

HIGH = LEVELS.index("high")
MOST_APART = 0.20  # of the longer of two look-back windows; further apart they cannot be set side by side
FEWEST_COVERED = 0.60  # of the cases with a supported victim, for a reporter to carry the effect
_OF_CASE = ["case", "arm", "reporter", "abuse_type"]
_OF_VICTIM = [*_OF_CASE, "victim_id"]
_HOW = {
    **dict.fromkeys(("intake", "later", "window_days"), "max"),
    **dict.fromkeys(("judged_later", "twice", "lost"), "any"),
    "alike": "all",
}
"""How what is known of the victims of a case becomes that of the case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """The cases of a comparison, and what was judged of them.

    Attributes
    ----------
    cases : pandas.DataFrame
        One row per case: the rows of the comparison's people that have an episode and whose day of assessment, with
        its tolerance, is over; `supported` says whether a victim of theirs was, so that somebody could be asked.
    judged : pandas.DataFrame
        One row per case, reporter and abuse type that was asked about: case (a label of `cases`), arm, reporter,
        abuse_type; intake, exit and fixed (a place in LEVELS, missing where not known); and whether a level was known
        later (judged_later), of one victim at intake and later (twice), and over windows alike wherever so (alike);
        window_days, the days that `fixed` looks back over.
    at_exit : frozenset of (reporter, arm)
        Of whom `exit` holds exit assessments; of the others, who have none, it holds the last after intake.
    """

    cases: pd.DataFrame
    judged: pd.DataFrame
    at_exit: frozenset[tuple[str, str]]

    def by(self, reporter: str) -> pd.DataFrame:
        """What one reporter judged."""
        return self.judged[self.judged["reporter"] == reporter]

    def covered(self, reporter: str) -> pd.Series[bool]:
        """Whether a reporter judged any abuse at intake, of each case with a supported victim."""
        mine = self.by(reporter)
        supported = self.cases.index[self.cases["supported"]]
        return supported.to_series().isin(mine.loc[mine["intake"].notna(), "case"])

    def primary(self, study: Study) -> tuple[str | None, bool]:
        """Whose judgement carries the effect, and whether they judged enough cases; None where nobody was judged.

        The first reporter named by the programme who judged three in five of the cases with a supported victim at
        intake; where nobody did, the first who judged anybody.
        """
        present = [name for name in reporters(study) if self.by(name)["intake"].notna().any()]
        enough = [name for name in present if len(held := self.covered(name)) and held.mean() >= FEWEST_COVERED]
        return next(iter([*enough, *present]), None), bool(enough)


def reporters(study: Study) -> tuple[str, ...]:
    """Who judges, the one trusted most first."""
    return _settings(study).reporters


def assessed(comparison: Comparison, store: Store, study: Study) -> Assessed:
    """The cases of a comparison with the levels judged of them.

    The level of a case is the worst over its victims of those that are known: `not_known` and empty are missing, never
    `none`. Later it is missing as well where a victim judged at intake was not judged then, unless another's is high,
    which nothing could make worse. `exit` is the exit assessment (where a reporter has none for an arm, the last one
    after intake); `fixed` the one nearest to the day of assessment, within its tolerance, the earlier of two as near.
    Two assessments whose look-back windows differ by more than a fifth of the longer are no pair: the later is missing.
    """
    import pandas as pd

    cases = _cases(comparison, store, study)
    rows = _rows(cases, store, study)
    intake = _first(rows[rows["timepoint"] == "intake"].sort_values(["day", "assessment_id"]))
    later = rows[rows["timepoint"] != "intake"]
    exits = later["timepoint"].eq("exit")
    at_exit = frozenset(zip(later.loc[exits, "reporter"], later.loc[exits, "arm"], strict=True))
    pairs = zip(later["reporter"], later["arm"], strict=True)
    without = pd.Series([pair not in at_exit for pair in pairs], index=later.index, dtype=bool)
    last = later[exits | without].sort_values(["day", "assessment_id"], ascending=[False, True])
    ends = _paired(intake, _first(last))
    fixed = _paired(intake, _first(_near(later, study)))
    return Assessed(cases=cases, judged=_together(ends, fixed), at_exit=at_exit)


def _cases(comparison: Comparison, store: Store, study: Study) -> pd.DataFrame:
    chosen = _settings(study)
    people = comparison.people
    people = people[people["episode_id"].notna()]
    cases = people[due(people, study, chosen.assessment_day + chosen.tolerance_days)]
    victims = store.table("victims")
    return cases.assign(supported=cases["episode_id"].isin(victims.loc[victims["supported"], "episode_id"]))


def _rows(cases: pd.DataFrame, store: Store, study: Study) -> pd.DataFrame:
    """One row per assessment of one abuse type of a case, as held on the extract date; `day` is 0 on the index date."""
    import pandas as pd

    rows = store.table("abuse_assessments")
    held = (rows["assessed_on"] < pd.Timestamp(study.extract_date)) & rows["reporter"].isin(reporters(study))
    mine = cases[["episode_id", "arm", "index_date"]].rename_axis("case").reset_index()
    rows = rows[held].merge(mine, on="episode_id")
    return rows.assign(
        level=rows["level"].map({level: place for place, level in enumerate(LEVELS)}).astype("float64"),
        day=(rows["assessed_on"] - rows["index_date"]).dt.days,
        victim_id=rows["victim_id"].fillna(""),
    )


def _first(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop_duplicates(_OF_VICTIM)[[*_OF_VICTIM, "level", "window_days"]]


def _near(later: pd.DataFrame, study: Study) -> pd.DataFrame:
    chosen = _settings(study)
    far = (later["day"] - chosen.assessment_day).abs()
    return later.assign(far=far)[far <= chosen.tolerance_days].sort_values(["far", "day", "assessment_id"])


def _paired(intake: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame:
    """Levels at intake and later, one row per case, reporter and abuse type that was judged at either."""
    both = intake.merge(later, on=_OF_VICTIM, how="outer", suffixes=("", "_later"))
    windows = both[["window_days", "window_days_later"]].astype("float64")
    alike = ~(windows.max(axis=1) - windows.min(axis=1) > MOST_APART * windows.max(axis=1))
    known = both["level_later"].where(alike)
    found = (
        both.assign(
            intake=both["level"],
            later=known,
            judged_later=both["level_later"].notna(),
            twice=both["level"].notna() & both["level_later"].notna(),
            lost=both["level"].notna() & known.isna(),
            window_days=both["window_days_later"].astype("float64"),
        )
        .assign(alike=lambda rows: alike | ~rows["twice"])
        .groupby(_OF_CASE)
        .agg(_HOW)
    )
    return found.assign(later=found["later"].where(~found["lost"] | found["later"].eq(HIGH))).drop(columns="lost")


def _together(ends: pd.DataFrame, fixed: pd.DataFrame) -> pd.DataFrame:
    both = (
        ends.drop(columns="window_days")
        .rename(columns={"later": "exit"})
        .join(fixed.rename(columns={"later": "fixed"}).drop(columns="intake"), how="outer", rsuffix="_fixed")
    )
    either = {name: both[name].eq(True) | both[f"{name}_fixed"].eq(True) for name in ("judged_later", "twice")}
    alike = both["alike"].ne(False) & both["alike_fixed"].ne(False)
    kept = ["intake", "exit", "fixed", *either, "alike", "window_days"]
    return both.assign(**either, alike=alike)[kept].reset_index()


def _settings(study: Study) -> Assessments:
    if study.programme.assessments is None:
        raise ValueError(f"{study.programme.slug}: abuse is not assessed")
    return study.programme.assessments
