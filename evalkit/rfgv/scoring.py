"""The score of everybody on a run date, from what was known before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from evalkit.errors import NotComparable
from evalkit.rfgv.gathering import GATHERED
from evalkit.rfgv.history import ALREADY_IN, prepared
from evalkit.study import RfgvSpec
from evalkit.study.rfgv import Feature

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pandas as pd

NONE_FOR_NOTHING = frozenset({"n_incidents", "n_victims"})
"""The features whose value 0 gives no points; of the others 0 lies in the first band."""


def scores(connection: duckdb.DuckDBPyConnection, run_dates: Iterable[date], spec: RfgvSpec) -> pd.DataFrame:
    """The rows of `score` for each run date, as known on it, with the column `run_date`."""
    import pandas as pd

    found = [score(connection, day, spec).assign(run_date=pd.Timestamp(day)) for day in run_dates]
    return pd.concat(found, ignore_index=True)


def score(
    connection: duckdb.DuckDBPyConnection,
    run_date: date,
    spec: RfgvSpec,
    *,
    as_known: bool = True,
    known_before: date | None = None,
) -> pd.DataFrame:
    """Features and score of everybody in `known_people`, by `person_id`; one row a person.

    Counted are events of domestic abuse on the days from `spec.opens(run_date)` to the day before the run date, as
    known before the run date. `known_before` puts another day in its place: an earlier one tells what time alone does
    to a score; `as_known=False` (a sensitivity) needs the extract date there. Who has no event scores 0; their
    `mean_gap_days` is the whole look-back, as for those with one event, and `days_since_last` is empty. `eligible` is
    yes, no, or unknown where only the age is in doubt.

    The connection is one that `prepare` was called on; bands, convention and eligibility may differ from those given
    there. `NotComparable` where more events than `spec.most_unmapped` hold a crime without a harm weight.
    """
    import pandas as pd

    if not as_known and known_before is None:
        raise ValueError("as_known=False needs known_before: the first day that the extract does not include")
    counted = _counted(connection, run_date, known_before or run_date, spec)
    found = _coverage(counted)
    _refuse_unmapped(found.events, found.unmapped, run_date, spec)
    people = connection.execute(
        "SELECT number, person_id, CAST(area AS rfgv_area) AS area, "
        "CAST(CASE WHEN least(died_on, left_force_on) < $day THEN -1 "
        "ELSE coalesce(sign(year($day::DATE) - birth_year - $youngest::INTEGER), 0) END AS TINYINT) AS old_enough "
        "FROM known_people ORDER BY rowid",
        {"day": run_date, "youngest": spec.eligibility.youngest_age},
    ).df()
    look_back = (run_date - spec.opens(run_date)).days
    features = _features(counted.reindex(people["number"], fill_value=0), look_back)
    told = {"score": _score(features, spec), "eligible": _eligible(people["old_enough"].to_numpy(), features, spec)}
    area = people["area"].astype(object)  # one text for each area, not for each person
    return pd.DataFrame({"person_id": people["person_id"], "area": area, **features, **told})


def _counted(connection: duckdb.DuckDBPyConnection, run_date: date, known: date, spec: RfgvSpec) -> pd.DataFrame:
    """One row for each person with an event in the window: the sums that every feature is made from."""
    _refuse_other_settings(connection, spec)
    opens = spec.opens(run_date)
    return connection.execute(
        f"""
        SELECT person, {_sums(f"DATE '{run_date}'", f"DATE '{opens}'", spec)}, countif(unmapped)::INTEGER AS n_unmapped,
          countif(n_victims = 0)::INTEGER AS n_without_victim
        FROM rfgv_events
        WHERE is_domestic_abuse AND day >= DATE '{opens}' AND day < DATE '{run_date}'
          AND known_from < DATE '{known}' AND known_until >= DATE '{known}'
        GROUP BY person
        """
    ).df().set_index("person")  # fmt: skip


def _refuse_other_settings(connection: duckdb.DuckDBPyConnection, spec: RfgvSpec) -> None:
    asked = spec.model_dump(mode="json", include=ALREADY_IN)
    other = sorted(name for name, used in prepared(connection).items() if asked[name] != used)
    if other:
        raise ValueError(f"this connection was prepared with another {', '.join(other)}: call prepare again")


def _sums(run_date: str, opens: str, spec: RfgvSpec) -> str:
    """SQL of what is summed over a person's events in a window from `opens` to the day before `run_date`."""
    return f"""countif(is_first)::INTEGER AS n_incidents, (max(day) - min(day))::INTEGER AS days_between,
          ({run_date} - max(day))::INTEGER AS days_since_last,
          {GATHERED[spec.gravity_over_window]}(gravity)::DOUBLE AS gravity,
          countif(victim_before < {opens})::INTEGER AS n_victims"""


def _refuse_unmapped(events: int, unmapped: float, run_date: date, spec: RfgvSpec) -> None:
    if unmapped > spec.most_unmapped:
        raise NotComparable(
            f"the score of {run_date} is withheld: {unmapped:.2%} of {events:,} events hold a crime whose "
            f"offence code has no harm weight in {spec.weights}, more than {spec.most_unmapped:.2%}. Add the codes to "
            "that file, or map them in the contract of incidents."
        )


def _features(counted: pd.DataFrame, look_back_days: Any) -> dict[str, np.ndarray[Any, Any]]:
    """The features from the sums; `look_back_days`, one number or one a row, where there is no gap to measure."""
    import numpy as np

    count = counted["n_incidents"].to_numpy("int64")
    gap = counted["days_between"].to_numpy() / np.maximum(count - 1, 1)
    return {
        "n_incidents": count,
        "mean_gap_days": np.where(count > 1, gap, look_back_days),
        "days_since_last": np.where(count > 0, counted["days_since_last"].to_numpy(), np.nan),
        "gravity": counted["gravity"].to_numpy("float64"),
        "n_victims": counted["n_victims"].to_numpy("int64"),
    }


def _score(features: dict[str, np.ndarray[Any, Any]], spec: RfgvSpec) -> np.ndarray[Any, Any]:
    points = sum(part.weight * _points(features[part.feature], part.feature, spec) for part in spec.parts)
    return points * (features["n_incidents"] > 0)


def _points(values: np.ndarray[Any, Any], feature: Feature, spec: RfgvSpec) -> np.ndarray[Any, Any]:
    import numpy as np

    bands = spec.bands[feature]
    edges = [band.up_to for band in bands if band.up_to is not None]
    points = np.array([band.points for band in bands])[np.searchsorted(edges, values)]
    return points * (values > 0) if feature in NONE_FOR_NOTHING else points


def _eligible(
    old_enough: np.ndarray[Any, Any], features: dict[str, np.ndarray[Any, Any]], spec: RfgvSpec
) -> np.ndarray[Any, Any]:
    """`old_enough`: 1 certainly, 0 perhaps, -1 not, or neither alive nor in the force."""
    import numpy as np

    rule, words = spec.eligibility, np.array(["unknown", "yes", "no"], dtype=object)
    enough = (features["n_incidents"] >= rule.fewest_incidents) & (features["n_victims"] >= rule.fewest_victims)
    return words[np.where(enough, old_enough, -1)]


def scores_at(connection: duckdb.DuckDBPyConnection, rows: pd.DataFrame, spec: RfgvSpec) -> pd.Series[float]:
    """The score in `features_at` alone."""
    return features_at(connection, rows, spec)["score"]


def features_at(connection: duckdb.DuckDBPyConnection, rows: pd.DataFrame, spec: RfgvSpec) -> pd.DataFrame:
    """Features and score of people each on a run date of their own, in the order and with the index of `rows`.

    `rows` holds `person_id` and the date `on`; each row is that of `score` on that run date, as known on it, whether
    or not the person is alive and in the force by then. With a date `only_before` the events from that day on are left
    out: what time alone would have made of the score. One that is empty, or not before the run date, leaves out none.

    By the `conventional` reading a score of time alone is never above the one with the events, and never rises from
    month to month once all that happened before is on record. By the `literal_note` both fail, as events that leave the
    window can make those that stay look closer together.

    The refusals are those of `score`, for everybody on each of these run dates.
    """
    import pandas as pd

    _refuse_other_settings(connection, spec)
    on = pd.to_datetime(rows["on"])
    opens = pd.to_datetime(on.map({day: pd.Timestamp(spec.opens(day.date())) for day in on.drop_duplicates()}))
    ends = on if "only_before" not in rows else on.clip(upper=pd.to_datetime(rows["only_before"]).fillna(on))
    asked = rows[["person_id"]].assign(place=range(len(rows)), run_on=on, opens=opens, ends=ends)
    connection.register("asked", asked)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE rfgv_asked AS SELECT place, number AS person, run_on::DATE AS run_on, "
        "opens::DATE AS opens, ends::DATE AS ends FROM asked LEFT JOIN humans ON humans.id = asked.person_id"
    )
    connection.unregister("asked")
    for run_date, events, unmapped in connection.execute(_UNMAPPED).fetchall():
        _refuse_unmapped(events, unmapped, run_date, spec)
    counted = connection.execute(
        f"""
        SELECT place, {_sums("run_on", "opens", spec)} FROM rfgv_asked JOIN rfgv_events USING (person)
        WHERE is_domestic_abuse AND day >= opens AND day < ends AND known_from < run_on AND known_until >= run_on
        GROUP BY place, run_on, opens
        """
    ).df().set_index("place")  # fmt: skip
    features = _features(counted.reindex(range(len(rows)), fill_value=0), (on - opens).dt.days.to_numpy())
    return pd.DataFrame({**features, "score": _score(features, spec)}, index=rows.index)


_UNMAPPED = """
SELECT run_on, count(*), countif(unmapped) / count(*)
FROM (SELECT DISTINCT run_on, opens FROM rfgv_asked) JOIN (FROM rfgv_events WHERE is_domestic_abuse AND is_first)
ON day >= opens AND day < run_on AND known_from < run_on AND known_until >= run_on GROUP BY 1 ORDER BY 1
"""
"""Of each run date asked for, the events in the window and the share of them without a harm weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What the score of a run date could not see, over everybody's events in the window.

    Attributes
    ----------
    events : int
        How many there are.
    unmapped, without_victim : float
        The share of them with a crime that has no harm weight, and the share that names no victim; between 0 and 1.
    """

    events: int
    unmapped: float
    without_victim: float


def coverage(
    connection: duckdb.DuckDBPyConnection, run_date: date, spec: RfgvSpec, *, known_before: date | None = None
) -> Coverage:
    """What the score of this run date could not see."""
    return _coverage(_counted(connection, run_date, known_before or run_date, spec))


def _coverage(counted: pd.DataFrame) -> Coverage:
    total = int(counted["n_incidents"].sum())
    unmapped, nobody = (int(counted[name].sum()) / max(total, 1) for name in ("n_unmapped", "n_without_victim"))
    return Coverage(events=total, unmapped=unmapped, without_victim=nobody)
