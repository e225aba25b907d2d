"""What the records say of people in windows around their index date, as known on the extract date."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit import rfgv
from evalkit.store import Store
from evalkit.study import RfgvSpec, Study

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Numbers = np.ndarray[Any, Any]

Windows = Mapping[str, tuple[int, int]]
"""Name of a window: its first and its last day, both counted, from the index date (day 0, which is in none)."""
PERSON = (
    1_000_000  # days that no date reaches: a person's place times this, plus a day, orders events by person and day
)


def counted(people: pd.DataFrame, store: Store, study: Study, windows: Windows) -> pd.DataFrame:
    """Domestic-abuse events by window, a column each: one row per row of `people`, in its order.

    An event is what one person did to the same victims on one day, whatever the number of records (`rfgv.events`). In
    a window after the index date only days on which the person was followed count.
    """
    import numpy as np
    import pandas as pd

    keys, index_days = _keys(people, store, study)
    followed = people["days_followed"].to_numpy()
    counts = {}
    for name, (first, last) in windows.items():
        ends = np.minimum(last, followed) if first > 0 else np.full(len(people), last)
        found = np.searchsorted(keys, index_days + ends, "right") - np.searchsorted(keys, index_days + first, "left")
        counts[name] = np.maximum(found, 0)
    return pd.DataFrame(counts, index=people.index)


def days_to_first(people: pd.DataFrame, store: Store, study: Study) -> pd.Series[float]:
    """Days from the index date to the first domestic-abuse event after it, while followed; missing where none is."""
    import numpy as np
    import pandas as pd

    keys, index_days = _keys(people, store, study)
    place = np.searchsorted(keys, index_days + 1, "left")
    ago = np.append(keys, np.iinfo("int64").max)[place] - index_days
    return pd.Series(ago, index=people.index, dtype="float64").where(ago <= people["days_followed"])


def _keys(people: pd.DataFrame, store: Store, study: Study) -> tuple[Numbers, Numbers]:
    """The events in the order of person and day, and where each row's index date stands in it."""
    import numpy as np
    import pandas as pd

    persons, keys = _ordered(store, study)
    codes = persons.get_indexer(pd.Index(people["person_id"]))
    codes = np.where(codes < 0, len(persons), codes).astype("int64")
    return keys, codes * PERSON + people["index_date"].to_numpy("datetime64[D]").astype("int64")


def _ordered(store: Store, study: Study) -> tuple[pd.Index, Numbers]:
    import numpy as np
    import pandas as pd

    events = _events(store, study)
    persons = pd.Index(events["person_id"].unique())
    days = events["day"].to_numpy("datetime64[D]").astype("int64")
    return persons, np.sort(persons.get_indexer(pd.Index(events["person_id"])).astype("int64") * PERSON + days)


def everybody_counted(people: pd.DataFrame, store: Store, study: Study, horizon_days: int) -> tuple[int, int]:
    """Domestic-abuse events of everybody on record in the study's areas, in the calendar windows of these people.

    Before and after, the days of each window summed over the index dates of `people` (a day that lies in the windows of
    several people counts for each of them).
    """
    import numpy as np

    events = _events(store, study)
    mine = events["area"].isin([area.slug for area in study.areas])
    days = np.sort(events.loc[mine, "day"].to_numpy("datetime64[D]").astype("int64"))
    index_days = people["index_date"].to_numpy("datetime64[D]").astype("int64")

    def between(first: int, last: int) -> int:
        found = np.searchsorted(days, index_days + last, "right") - np.searchsorted(days, index_days + first, "left")
        return int(found.sum())

    return between(-horizon_days, -1), between(1, horizon_days)


def _events(store: Store, study: Study) -> pd.DataFrame:
    """Domestic-abuse events known on the extract date, one row each: person_id, area, day."""
    return _read(store, study.programme.recorded.rfgv.model_dump_json(), study.extract_date, study.root)


@functools.lru_cache(maxsize=2)
def _read(store: Store, spec: str, known_before: date, root: Path) -> pd.DataFrame:
    with store.connection() as connection:
        rfgv.prepare(connection, RfgvSpec.model_validate_json(spec), root)
        events = rfgv.events(connection, known_before)
        return connection.execute(
            f"SELECT person_id, area, day FROM {events} AS events JOIN known_people USING (person_id) "
            "WHERE is_domestic_abuse ORDER BY person_id, day"
        ).df()


def in_custody(people: pd.DataFrame, store: Store, study: Study, horizon_days: int) -> pd.Series[int]:
    """Days in custody from day 1 to the horizon, while followed, by row of `people`."""
    rows = people[["person_id", "index_date"]].assign(
        place=range(len(people)), days=people["days_followed"].clip(upper=horizon_days)
    )
    with store.connection() as connection:
        rfgv.prepare(connection, study.programme.recorded.rfgv, study.root)
        connection.register("rows", rows)
        found = connection.execute(
            """
            SELECT place,
                   sum(greatest(0, least(coalesce(until_on, end_on), end_on) - greatest(from_on, first_on))) AS held
            FROM (SELECT place, person_id, CAST(index_date AS DATE) + 1 AS first_on,
                         CAST(index_date AS DATE) + 1 + CAST(days AS INTEGER) AS end_on FROM rows)
            JOIN (SELECT humans.person_id, from_on, until_on FROM custody JOIN humans ON humans.id = custody.person_id)
            USING (person_id) WHERE from_on < end_on GROUP BY place
            """
        ).df()
    held = found.set_index("place")["held"].reindex(range(len(people))).fillna(0).astype("int64")
    return held.set_axis(people.index).clip(upper=rows["days"])
