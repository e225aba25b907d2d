"""What was known of a person on a run date, as the models use it: fixed beforehand, never chosen by what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalkit.study import Study

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

AGE_BANDS = ("under 25", "25 to 34", "35 to 44", "45 to 54", "55 and over", "not held")
AGE_ENDS = (25, 35, 45, 55)
EVENTS_BEFORE: tuple[tuple[str, bool, int, int], ...] = (
    ("da_1_30", True, 1, 30),
    ("da_31_91", True, 31, 91),
    ("da_92_182", True, 92, 182),
    ("da_183_365", True, 183, 365),
    ("da_366_730", True, 366, 730),
    ("other_1_182", False, 1, 182),
    ("other_183_730", False, 183, 730),
)
"""Column, whether it counts domestic abuse, and the days before the run date that it counts, both ends included."""
SCORE_KNOTS = (55.0, 70.0, 80.0, 88.0, 95.0)
CUSTODY_DAYS = 182
RUN_DATES_BACK = 3
FEWEST_A_COLUMN = 10
HISTORY: dict[str, str] = {
    "score": "Score on the run date",
    "score_change": "Score less the score three run dates before",
    "da_1_30": "Domestic abuse, days 1 to 30 before (events)",
    "da_31_91": "Domestic abuse, days 31 to 91 before (events)",
    "da_92_182": "Domestic abuse, days 92 to 182 before (events)",
    "da_183_365": "Domestic abuse, days 183 to 365 before (events)",
    "da_366_730": "Domestic abuse, days 366 to 730 before (events)",
    "other_1_182": "Other offences, days 1 to 182 before (events)",
    "other_183_730": "Other offences, days 183 to 730 before (events)",
    "days_since_last": "Days since the last domestic-abuse event",
    "n_victims": "Victims in 24 months",
    "gravity": "Gravity of 24 months on the scale in use",
    "custody_days": "Days in custody in the last 182",
}
"""The columns of a cohort that hold what was known before, with their labels; `age_band` and `area` go with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the models are given: numbers by name, and groups by name, a value a row."""

    columns: dict[str, np.ndarray[Any, Any]]
    factors: dict[str, np.ndarray[Any, Any]]

    def affordable_by(self, people: int) -> bool:
        """Whether so many people can carry a model with all of it: FEWEST_A_COLUMN for each column, whatever happened.

        Where chance made the sides alike, history is there for precision alone, and among few people it takes more
        than it gives: with six people a column the standard error of a ratio of counts was an eighth above that by
        area alone, with ten the two were equal.
        """
        groups = sum(len(set(values)) - 1 for values in self.factors.values())
        return people >= FEWEST_A_COLUMN * (len(self.columns) + groups)


def history(people: pd.DataFrame, study: Study) -> History:
    """The covariates of every model of this design, in the form in which they enter it.

    Counts as log(1 + count), days since the last event as log(days + 3), gravity as log(gravity + 0.5), the score by a
    restricted cubic spline; age band, area and run date as groups (of episodes the month of the index date).
    """
    import numpy as np

    columns = {name: np.log1p(people[name].to_numpy(float)) for name, *_ in EVENTS_BEFORE}
    score = people["score"].to_numpy(float)
    columns |= {
        "days_since_last": np.log(people["days_since_last"].to_numpy(float) + 3),
        "n_victims": people["n_victims"].to_numpy(float),
        "gravity": np.log(people["gravity"].to_numpy(float) + 0.5),
        **score_curve(score),
        "custody_days": people["custody_days"].to_numpy(float),
        "score_change": people["score_change"].to_numpy(float),
    }
    dates = people["index_date"]
    when = dates.dt.strftime("%Y-%m") if study.programme.source == "episodes" else dates.astype(str)
    factors = {name: people[name].astype(str).to_numpy() for name in ("age_band", "area")}
    factors["index_date"] = when.to_numpy()
    return History(columns=columns, factors=factors)


def score_curve(score: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The score as it enters a model: itself, and the parts of a restricted cubic spline with SCORE_KNOTS.

    People are chosen from the top of the score, where a parabola cannot bend enough: it expected 5 in 100 too many
    events above 85. Straight below the first knot and above the last.

    Harrell (2015), Regression Modeling Strategies, section 2.4.5.
    """
    import numpy as np

    *inner, before_last, last = SCORE_KNOTS
    span = (last - SCORE_KNOTS[0]) ** 2

    def cube(knot: float) -> np.ndarray[Any, Any]:
        return np.maximum(score - knot, 0.0) ** 3 / span

    curve = {
        f"score_{place}": cube(knot)
        - (cube(before_last) * (last - knot) - cube(last) * (before_last - knot)) / (last - before_last)
        for place, knot in enumerate(inner, start=1)
    }
    return {"score": score, **curve}
