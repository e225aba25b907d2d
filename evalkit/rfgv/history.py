"""What one person did on one day: records gathered into incidents, incidents into events, as known on any day.

A record is known from the day after it was recorded to the day it was cancelled. What an incident is (whether of
domestic abuse, its day, its victims, its weight) depends on which of its records are known, and so does what is one
event. That is worked out once: an event has a row for each face it ever had, with the span of days on which that face
is the one known, so that whoever asks what was known before a day has only to filter.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.rfgv.gathering import EVENTS, gather
from evalkit.rfgv.people import merge
from evalkit.rfgv.weighing import weigh
from evalkit.study import RfgvSpec

if TYPE_CHECKING:
    import duckdb

CERTAIN = frozenset({"certain"})
ALREADY_IN = {"gravity_of_incident", "gravity_of_event", "non_crime_weight", "counts_non_crime", "weights_sha256"}
"""The settings that `prepare` has used: whoever changes one must prepare again."""
PART_ROWS = 400_000  # records gathered at a time: what that takes of memory does not grow with the number of records


def prepare(
    connection: duckdb.DuckDBPyConnection, spec: RfgvSpec, root: Path, *, links: Collection[str] = CERTAIN
) -> None:
    """Work out on this connection, once, all that `score`, `events`, `busy` and `forget` read.

    The connection names `people` and `incidents`, and `person_links` where there is one, with the columns and types of
    the contracts; it may be to a file that is read-only, for everything made is temporary. Two tables are for others
    to use as well: `humans` (`id`, the `person_id` that stands for it) and `known_people` (the row of `people` kept for
    each `person_id`). `links` are the strengths of link by which ids are merged. Records that are added later are not
    seen; records that are to go are named to `forget`.

    Counted are records in which the person is suspect or offender. `StudyError` where the file of harm weights, below
    `root`, is not the one the settings were read with.
    """
    weigh(connection, spec, root)
    merge(connection, links)
    used = spec.model_dump(mode="json", include=ALREADY_IN)
    connection.execute("CREATE OR REPLACE TEMP TABLE rfgv_prepared AS SELECT $used AS used", {"used": json.dumps(used)})
    connection.execute("CREATE OR REPLACE TEMP TABLE rfgv_forgotten (record_id VARCHAR)")
    connection.execute(EVENTS)
    [(rows,)] = connection.execute("SELECT count(*) FROM incidents").fetchall()
    parts = rows // PART_ROWS + 1
    for part in range(parts):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE rfgv_scope AS FROM rfgv_ids WHERE number % {parts} = {part}")
        gather(connection, used)


def forget(connection: duckdb.DuckDBPyConnection, record_ids: Iterable[str]) -> None:
    """Make it as if these records had never been made, for all that is asked of this connection from now on.

    Only the people whom the records name are worked out again. The table `incidents` itself is left as it is; ids of
    records that it does not hold do nothing.
    """
    records = {"records": list(record_ids)}
    connection.execute("INSERT INTO rfgv_forgotten SELECT unnest($records::VARCHAR[])", records)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE rfgv_scope AS FROM rfgv_ids WHERE number IN (SELECT number FROM incidents "
        "JOIN rfgv_ids ON id = person_id WHERE record_id IN (SELECT unnest($records::VARCHAR[])))",
        records,
    )
    connection.execute("DELETE FROM rfgv_events WHERE person IN (SELECT number FROM rfgv_scope)")
    gather(connection, prepared(connection))


def prepared(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The settings named in ALREADY_IN that this connection was prepared with."""
    [(used,)] = connection.execute("SELECT used FROM rfgv_prepared").fetchall()
    return dict(json.loads(used))


def events(connection: duckdb.DuckDBPyConnection, known_before: date) -> str:
    """The name of a temporary view of all events, of any age, as known before that day; one row an event.

    Columns: `person_id`, `day`, `gravity`, `n_victims`, `victims` (a list of ids), `is_domestic_abuse`. Where that is
    false, the incidents have no record flagged as domestic abuse; they are gathered in the same way.
    """
    name = f"rfgv_events_before_{known_before:%Y%m%d}"
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP VIEW {name} AS
        WITH known AS (
          FROM rfgv_events WHERE known_from < DATE '{known_before}' AND known_until >= DATE '{known_before}'
        ), names AS (SELECT number, person_id AS name FROM humans WHERE id = person_id)
        SELECT name AS person_id, day, CAST(gravity AS DOUBLE) AS gravity, n_victims, victims, is_domestic_abuse FROM (
          SELECT person, day, gravity, n_victims, CASE WHEN victim IS NULL THEN [] ELSE [name] END AS victims,
            is_domestic_abuse
          FROM known LEFT JOIN names ON names.number = victim WHERE n_victims < 2
          UNION ALL
          SELECT person, day, max(gravity), n_victims, list(name ORDER BY name), is_domestic_abuse
          FROM known JOIN names ON names.number = victim WHERE n_victims > 1
          GROUP BY person, event, day, n_victims, is_domestic_abuse
        ) JOIN names ON names.number = person
        """
    )
    return name
