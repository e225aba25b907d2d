"""What people score at fixed days after a date of theirs, read on the run dates nearest to those days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalkit import rfgv
from evalkit.rfgv.people import padded
from evalkit.store import Store
from evalkit.study import RfgvSpec, Study

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pandas as pd

    Dates = np.ndarray[Any, Any]

FARTHEST_DAYS = 31  # from the day planned to the run date on which it is read
MATERIAL_POINTS = 20.0
READ, NOT_SEEN, OPEN, NO_RUN_DATE, NOT_DUE = "read", "not_seen", "open", "no_run_date", "not_due"
DIED, MOVED = "died", "moved"
"""What became of a reading: taken; or why not, the first that holds."""


def readings(asked: pd.DataFrame, store: Store, study: Study, spec: RfgvSpec) -> pd.DataFrame:
    """The readings asked for, with the columns of `asked` kept: one row per person, index date and planned day.

    `asked` holds person_id, index_date, days_followed, clock_day (days from the index date to the day from which is
    counted; missing where that never came) and days (planned, after that). Added are

    - read_on: the run date nearest to the planned day, the earlier of two as near, and at most FARTHEST_DAYS from it;
      and became: READ, or why not. NOT_SEEN: followed for no day, as where no police records were found. OPEN: the
      clock never began. NOT_DUE: not everybody indexed in the same calendar month whose clock began can be read by the
      extract date. DIED and MOVED: before the run date.
    - score_before, score_then and floor: on the index date, on the run date, and on the run date had nothing happened
      from the index date on; each as known on its day, by `spec`.
    - lower (1 or 0): a score below that of the index date, or below eligibility for the list by somebody who was not
      below it then; materially_lower: by MATERIAL_POINTS or more, or below eligibility likewise.
    - in_custody and held (1 or 0): in custody, and still held by the programme, on the run date.

    All of the last are missing where nothing was read.
    """
    with store.connection() as connection:
        rfgv.prepare(connection, spec, study.root)
        placed = _placed(asked, connection, study).reset_index(drop=True)
        taken = placed[placed["became"] == READ]
        found = placed.join(_scored(taken, connection, spec)).join(_whereabouts(taken, connection, study))
    return found.set_axis(asked.index)


def _placed(asked: pd.DataFrame, connection: duckdb.DuckDBPyConnection, study: Study) -> pd.DataFrame:
    """The rows with the run date of each reading, and what became of it."""
    import numpy as np
    import pandas as pd

    ends = connection.execute("SELECT person_id, died_on, left_force_on FROM known_people").df().set_index("person_id")
    died, left = (pd.to_datetime(asked["person_id"].map(ends[name])) for name in ("died_on", "left_force_on"))
    planned = asked["index_date"] + pd.to_timedelta(asked["clock_day"] + asked["days"], unit="D")
    nearest = _nearest(planned, _run_dates(connection, asked["index_date"].min(), study))
    read_on = nearest.where((nearest - planned).abs() <= pd.Timedelta(days=FARTHEST_DAYS))
    last = read_on.groupby([asked["index_date"].dt.to_period("M"), asked["days"]]).transform("max")
    reasons = {
        NOT_SEEN: asked["days_followed"].le(0),
        OPEN: planned.isna(),
        NO_RUN_DATE: read_on.isna(),
        NOT_DUE: last > pd.Timestamp(study.extract_date),
        DIED: died < read_on,
        MOVED: left < read_on,
    }
    return asked.assign(read_on=read_on, became=np.select(list(reasons.values()), list(reasons), READ))


def _nearest(planned: pd.Series, run_dates: Dates) -> pd.Series:
    """The run date nearest to each day, the earlier of two as near; missing where the day is."""
    import numpy as np
    import pandas as pd

    days = planned.to_numpy("datetime64[D]")
    after = np.searchsorted(run_dates, days).clip(1, len(run_dates) - 1)
    earlier, later = run_dates[after - 1], run_dates[after]
    nearest = np.where(days - earlier <= later - days, earlier, later)
    return pd.Series(pd.to_datetime(nearest), index=planned.index).where(planned.notna())


def _run_dates(connection: duckdb.DuckDBPyConnection, first: pd.Timestamp, study: Study) -> Dates:
    """The days of the monthly lists where these are sent; after the last, or where there are none, firsts of the month.

    They run on past the extract date, so that a reading that is due on a day still to come is not taken on one before.
    """
    import numpy as np
    import pandas as pd

    listed = []
    if "selections" in study.programme.tables:
        listed = connection.execute(
            "SELECT DISTINCT run_date FROM selections WHERE route = $route ORDER BY 1",
            {"route": study.programme.recorded.list_route},
        ).fetchall()
    known = np.array([day for (day,) in listed], dtype="datetime64[D]")
    begin = pd.Timestamp(known[-1]) + pd.Timedelta(days=1) if len(known) else first
    more = pd.date_range(begin, pd.Timestamp(study.extract_date) + pd.DateOffset(months=2), freq="MS")
    return np.concatenate([known, more.to_numpy("datetime64[D]")])


def _scored(taken: pd.DataFrame, connection: duckdb.DuckDBPyConnection, spec: RfgvSpec) -> pd.DataFrame:
    import pandas as pd

    people, later = taken[["person_id"]], taken[["person_id"]].assign(on=taken["read_on"])
    before = rfgv.features_at(connection, people.assign(on=taken["index_date"]), spec)
    after = rfgv.features_at(connection, later, spec)
    floor = rfgv.scores_at(connection, later.assign(only_before=taken["index_date"]), spec)
    fallen_out = _could_be_listed(before, spec) & ~_could_be_listed(after, spec)
    fall = before["score"] - after["score"]
    return pd.DataFrame(
        {
            "score_before": before["score"],
            "score_then": after["score"],
            "floor": floor,
            "lower": (fall.gt(0) | fallen_out).astype(float),
            "materially_lower": (fall.ge(MATERIAL_POINTS) | fallen_out).astype(float),
        }
    )


def _could_be_listed(features: pd.DataFrame, spec: RfgvSpec) -> pd.Series[bool]:
    rule = spec.eligibility
    return features["n_incidents"].ge(rule.fewest_incidents) & features["n_victims"].ge(rule.fewest_victims)


def _whereabouts(taken: pd.DataFrame, connection: duckdb.DuckDBPyConnection, study: Study) -> pd.DataFrame:
    """Whether each was in custody on the run date, and still held by the programme."""
    connection.register("taken", taken[["person_id", "read_on"]].assign(place=taken.index))
    found = connection.execute(
        f"""
        WITH asked AS (SELECT place, id, read_on::DATE AS day FROM taken JOIN humans USING (person_id)),
        inside AS (
          SELECT DISTINCT place FROM asked JOIN {padded("custody", "until_on DATE")} ON person_id = id
          WHERE from_on <= day AND coalesce(until_on > day, true)
        ), kept AS (
          SELECT DISTINCT place FROM asked JOIN {padded("episodes", *_SPELL)} ON person_id = id
          WHERE programme = $programme AND arm = 'programme'
            AND coalesce(accepted_on, allocated_on) <= day AND coalesce(discharged_on > day, true)
        )
        SELECT place, place IN (FROM inside) AS in_custody, place IN (FROM kept) AS held FROM taken
        """,
        {"programme": study.programme.slug},
    ).df()
    connection.unregister("taken")
    return found.set_index("place").astype(float)


_SPELL = ("allocated_on DATE", "accepted_on DATE", "discharged_on DATE")
