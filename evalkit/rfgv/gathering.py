"""Records gathered into incidents, and incidents into events, with the days on which each was what was known."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from evalkit.rfgv.people import padded
from evalkit.rfgv.weighing import WEIGHT

if TYPE_CHECKING:
    import duckdb

OPTIONAL = ("victim_id VARCHAR", "cancelled_on DATE", "offence_code_system VARCHAR", "offence_code VARCHAR")
GATHERED = {"largest": "max", "sum": "sum"}
EVENTS = f"""
CREATE OR REPLACE TEMP TABLE rfgv_events (
  person INTEGER, event INTEGER, is_domestic_abuse BOOLEAN, day DATE, known_from DATE, known_until DATE,
  gravity {WEIGHT}, unmapped BOOLEAN, is_first BOOLEAN, n_victims SMALLINT, victim INTEGER, victim_before DATE
)
"""
"""One row for each face of an event and each of its victims, `known_from` < known before <= `known_until`.

A face without a victim has one row. `is_first` marks one row a face: it carries the gravity and counts for the event,
the others are there for their victim alone. `victim_before` is the day of the person's last earlier event with that
victim, as known on the same days: a victim is new in a window where it lies before the window. It is 0001-01-01 where
there is no such event, and 9999-12-31 where there is no victim. Known only of domestic abuse or only of other events.
"""


def gather(connection: duckdb.DuckDBPyConnection, used: Mapping[str, Any]) -> None:
    """Add to `rfgv_events` all events of the people in `rfgv_scope`, by the settings that `prepare` was given."""
    connection.execute(
        _GATHER.format(
            incidents=padded("incidents", *OPTIONAL),
            counts_non_crime=used["counts_non_crime"],
            non_crime_weight=Decimal(str(used["non_crime_weight"])),
            weight=WEIGHT,
            of_incident=GATHERED[used["gravity_of_incident"]],
            of_event=GATHERED[used["gravity_of_event"]],
            incident_faces=_faces("several", "person, incident"),
            day_faces=_faces("crowd", "person, is_domestic_abuse, day"),
            earlier_faces=_faces("near", "row"),
        )
    )


def _faces(rows: str, group: str) -> str:
    """SQL of the rows of each group that are known together, once for each span of days in which they stay the same."""
    return f"""(
    SELECT rows.* EXCLUDE (known_from, known_until), since AS known_from, upto AS known_until
    FROM {rows} AS rows JOIN (
      SELECT {group}, unnest(points[:-2]) AS since, unnest(points[2:]) AS upto FROM (
        SELECT {group}, list_sort(list_distinct(list(known_from) || list(known_until))) AS points
        FROM {rows} GROUP BY {group}
      )
    ) USING ({group}) WHERE rows.known_from <= since AND upto <= rows.known_until)"""


# From records to incidents: one of a single record is as that record; of several, each face is gathered from those of
# them that are known. From incidents to events: on a day on which one person has one incident, it is the event; on a
# crowded day, those that share a victim are one, by way of others too. From events to victims: `victim_before` is the
# row before in the order of days, unless that row was not known on all days on which this one was.
_GATHER = """
INSERT INTO rfgv_events
WITH RECURSIVE records AS MATERIALIZED (
  SELECT doer.number AS person, incident_id AS incident, is_domestic_abuse AS is_flagged,
    is_domestic_abuse AND ({counts_non_crime} OR record_type = 'crime') AS counts,
    occurred_on AS day, recorded_on AS known_from, coalesce(cancelled_on, DATE '9999-12-31') AS known_until,
    CAST(CASE WHEN record_type = 'crime' THEN coalesce(value, 0) ELSE {non_crime_weight} END AS {weight}) AS gravity,
    record_type = 'crime' AND value IS NULL AS unmapped, nullif(harmed.number, doer.number) AS victim
  FROM {incidents}
  JOIN rfgv_scope AS doer ON doer.id = incidents.person_id
  LEFT JOIN rfgv_ids AS harmed ON harmed.id = victim_id
  LEFT JOIN rfgv_weights USING (offence_code_system, offence_code)
  ANTI JOIN rfgv_forgotten USING (record_id)
  WHERE role IN ('suspect', 'offender') AND known_until > known_from
),
repeated AS MATERIALIZED (
  SELECT person, incident, row_number() OVER () AS number FROM records GROUP BY person, incident HAVING count(*) > 1
),
several AS MATERIALIZED (
  SELECT records.* REPLACE (number AS incident) FROM records JOIN repeated USING (person, incident)
),
incidents_known AS MATERIALIZED (
  SELECT person, -row_number() OVER () AS incident, is_flagged AS is_domestic_abuse, day, known_from, known_until,
    gravity, unmapped, CASE WHEN victim IS NULL THEN [] ELSE [victim] END AS victims
  FROM records ANTI JOIN repeated USING (person, incident) WHERE is_flagged = counts
  UNION ALL
  SELECT person, incident, bool_or(counts), coalesce(min(day) FILTER (counts), min(day)), known_from, known_until,
    CAST({of_incident}(gravity) AS {weight}), bool_or(unmapped),
    coalesce(CASE WHEN bool_or(counts) THEN list(DISTINCT victim) FILTER (counts AND victim IS NOT NULL)
                  ELSE list(DISTINCT victim) FILTER (victim IS NOT NULL) END, [])
  FROM {incident_faces} GROUP BY person, incident, known_from, known_until HAVING bool_or(is_flagged) = bool_or(counts)
),
crowded AS MATERIALIZED (
  SELECT person, is_domestic_abuse, day FROM incidents_known GROUP BY ALL HAVING min(incident) <> max(incident)
),
crowd AS MATERIALIZED (FROM incidents_known SEMI JOIN crowded USING (person, is_domestic_abuse, day)),
crowd_known AS MATERIALIZED (SELECT row_number() OVER () AS node, * FROM {day_faces}),
harmed AS MATERIALIZED (SELECT * EXCLUDE (victims), unnest(victims) AS victim FROM crowd_known),
reached AS (
  SELECT node, node AS other FROM crowd_known
  UNION
  SELECT reached.node, two.node FROM reached JOIN harmed AS one ON one.node = other
  JOIN harmed AS two USING (person, is_domestic_abuse, day, known_from, victim)
),
roots AS MATERIALIZED (SELECT node, min(other) AS root FROM reached GROUP BY node),
events_known AS MATERIALIZED (
  SELECT row_number() OVER () AS event, * FROM (
    SELECT person, is_domestic_abuse, day, known_from, known_until, gravity, unmapped, victims
    FROM incidents_known ANTI JOIN crowded USING (person, is_domestic_abuse, day)
    UNION ALL
    SELECT person, is_domestic_abuse, day, known_from, known_until, CAST({of_event}(gravity) AS {weight}),
      bool_or(unmapped), list_distinct(flatten(list(victims)))
    FROM crowd_known JOIN roots USING (node) GROUP BY person, is_domestic_abuse, day, known_from, known_until, root
  )
),
seen AS MATERIALIZED (
  SELECT row_number() OVER () AS row, *, lag(day) OVER chain AS before,
    victim IS NULL OR before IS NULL OR (before < day AND lag(known_from) OVER chain <= known_from
      AND lag(known_until) OVER chain >= known_until) AS is_in_order
  FROM (
    SELECT * EXCLUDE (victims), len(victims) AS n_victims, true AS is_first, victims[1] AS victim FROM events_known
    UNION ALL
    SELECT * EXCLUDE (victims) REPLACE (0 AS gravity, false AS unmapped), len(victims), false, unnest(victims[2:])
    FROM events_known WHERE len(victims) > 1
  ) WINDOW chain AS (PARTITION BY person, is_domestic_abuse, victim ORDER BY day, known_from)
),
near AS MATERIALIZED (
  SELECT row, NULL::DATE AS before, known_from, known_until FROM seen WHERE NOT is_in_order
  UNION ALL
  SELECT one.row, other.day, greatest(one.known_from, other.known_from), least(one.known_until, other.known_until)
  FROM seen AS one JOIN seen AS other USING (person, is_domestic_abuse, victim)
  WHERE NOT one.is_in_order AND other.day < one.day
    AND other.known_from < one.known_until AND other.known_until > one.known_from
),
placed AS (
  SELECT row, known_from, known_until, max(before) AS before FROM {earlier_faces} GROUP BY ALL
)
SELECT person, event, is_domestic_abuse, day, known_from, known_until, gravity, unmapped, is_first, n_victims, victim,
  CASE WHEN victim IS NULL THEN DATE '9999-12-31' ELSE coalesce(before, DATE '0001-01-01') END
FROM (
  SELECT * EXCLUDE (row, is_in_order) FROM seen WHERE is_in_order
  UNION ALL BY NAME
  SELECT seen.* EXCLUDE (row, is_in_order, known_from, known_until, before), placed.* EXCLUDE (row)
  FROM seen JOIN placed USING (row)
)
"""
