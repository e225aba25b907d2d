"""Who is tied to whom by the records: the groups within which outcomes are not independent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.rfgv.people import components
from evalkit.study import Study

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

LARGEST_SHARE = 0.01  # of everybody; beyond it the groups hold strangers together and each person stands alone


def clusters(connection: duckdb.DuckDBPyConnection, study: Study) -> pd.DataFrame:
    """person_id and cluster_id: connected over every record, known on the extract date, that names two people.

    The cluster_id is one of the ids of the group. Where the largest group holds more than
    LARGEST_SHARE of everybody (and more than two), cluster_id is person_id.
    """
    people = connection.execute("SELECT person_id FROM known_people ORDER BY 1").df()
    ties = connection.execute(
        """
        SELECT DISTINCT one.person_id, other.person_id
        FROM incidents JOIN humans AS one ON one.id = incidents.person_id
        JOIN humans AS other ON other.id = incidents.victim_id
        WHERE recorded_on < $known AND one.person_id <> other.person_id ORDER BY ALL
        """,
        {"known": study.extract_date},
    ).fetchall()
    group = components(ties)
    found = people.assign(cluster_id=people["person_id"].map(lambda person: group.get(person, person)))
    largest = int(found["cluster_id"].value_counts().max()) if len(found) else 0
    if largest > max(2, LARGEST_SHARE * len(found)):
        return found.assign(cluster_id=found["person_id"])
    return found
