"""The list of a run date: who ranks where, who is passed over and why, and who is selected."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import date
from typing import TYPE_CHECKING

from evalkit.rfgv.people import columns_of, padded

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

REASONS = ("on_caseload", "wash_out", "in_custody")
"""Why somebody eligible is passed over, the first that holds; after them whatever a caller's list says."""
NOT_ELIGIBLE = "not_eligible"
CUSTODY_DAYS = 30
WASH_OUT_DAYS = 365


def select(
    scored: pd.DataFrame,
    *,
    run_date: date,
    capacity: Mapping[str, int],
    caseload: Collection[str] = (),
    recent: Collection[str] = (),
    in_custody: Collection[str] = (),
    excluded: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """The rows of `score` with `rank`, `selected`, `exclusion_reason` and `distance_to_line`, by area and rank.

    In each area those who are eligible, or whose age alone is in doubt, are ranked by score, then gravity, number of
    events and days since the last (fewer first), then by the SHA-256 of run date and `person_id`. Passed over are
    those on the caseload, selected or discharged in the wash-out (`recent`), in custody, or in `excluded` (person_id:
    reason); the first as many as the area has `capacity` for (none where it is not named) of those left are selected.
    `distance_to_line` is the score less that of the last one selected in the area, empty where nobody is.
    """
    people = scored.assign(is_listed=scored["eligible"].ne("no"))
    listed = _in_order(people[people["is_listed"]], run_date)
    rank = listed.groupby("area").cumcount() + 1
    reason = _reason(listed["person_id"], (caseload, recent, in_custody), excluded or {})
    free = listed[reason.isna()]
    selected = free.groupby("area").cumcount() < free["area"].map(capacity).fillna(0)
    line = free[selected].groupby("area")["score"].last()
    return (
        people.assign(
            rank=rank.astype("Int64"),
            selected=selected.reindex(people.index, fill_value=False),
            exclusion_reason=reason.reindex(people.index).where(people["is_listed"], NOT_ELIGIBLE),
            distance_to_line=people["score"] - people["area"].map(line),
        )
        .drop(columns="is_listed")
        .sort_values(["area", "rank", "person_id"], ignore_index=True)
    )


def _in_order(people: pd.DataFrame, run_date: date) -> pd.DataFrame:
    lot = [hashlib.sha256(f"{run_date:%Y-%m-%d}{person}".encode()).hexdigest() for person in people["person_id"]]
    by = ["score", "gravity", "n_incidents", "days_since_last", "lot"]
    return people.assign(lot=lot).sort_values(by, ascending=[False, False, False, True, True])


def _reason(
    people: pd.Series[str], standing: tuple[Collection[str], ...], excluded: Mapping[str, str]
) -> pd.Series[str]:
    reason = people.map(excluded).astype("object")
    for words, who in reversed(list(zip(REASONS, standing, strict=True))):
        reason = reason.mask(people.isin(set(who)), words)
    return reason


def busy(
    connection: duckdb.DuckDBPyConnection,
    run_date: date,
    *,
    programme: str | None = None,
    wash_out_days: int = WASH_OUT_DAYS,
) -> pd.DataFrame:
    """`person_id` and the first `reason` of REASONS that holds for each who cannot be selected on this run date.

    From `episodes` (of the programme, or of any; its arm `programme` alone), `selections` and `custody`, as far as the
    connection holds them, every id merged. On the caseload: accepted before the run date and not discharged before
    it. Wash-out: selected or discharged in the `wash_out_days` before it. In custody: on each of the 30 days before.
    """
    held = {table for table, _ in columns_of(connection)}
    found = [query for table, query in _STANDING if table in held]
    return connection.execute(
        f"""
        WITH asked AS (SELECT $day::DATE AS day, $day::DATE - $days::INTEGER AS since, $programme::VARCHAR AS programme)
        SELECT person_id, $reasons[min(place)] AS reason FROM ({" UNION ALL ".join((_NOBODY, *found))})
        GROUP BY person_id ORDER BY person_id
        """,
        {"day": run_date, "days": wash_out_days, "programme": programme, "reasons": list(REASONS)},
    ).df()


_NOBODY = "SELECT NULL::VARCHAR AS person_id, NULL::INTEGER AS place FROM asked WHERE false"
_EPISODES = padded("episodes", "accepted_on DATE", "discharged_on DATE")
_STANDING = (
    (
        "episodes",
        f"""
        SELECT humans.person_id, CASE WHEN discharged_on < asked.day THEN 2 ELSE 1 END
        FROM {_EPISODES} JOIN humans ON humans.id = episodes.person_id, asked
        WHERE arm = 'programme' AND coalesce(episodes.programme = asked.programme, true)
          AND (accepted_on < asked.day AND coalesce(discharged_on >= asked.day, true)
               OR discharged_on >= asked.since AND discharged_on < asked.day)
        """,
    ),
    (
        "selections",
        """
        SELECT humans.person_id, 2 FROM selections JOIN humans ON humans.id = selections.person_id, asked
        WHERE selected AND run_date >= asked.since AND run_date < asked.day
        """,
    ),
    (
        "custody",
        f"""
        SELECT humans.person_id, 3
        FROM {padded("custody", "until_on DATE")} JOIN humans ON humans.id = custody.person_id, asked,
          range(1, {CUSTODY_DAYS + 1}) AS before(days)
        WHERE from_on < asked.day AND coalesce(until_on > asked.day - {CUSTODY_DAYS}, true)
          AND from_on <= asked.day - days::INTEGER AND coalesce(until_on > asked.day - days::INTEGER, true)
        GROUP BY humans.person_id HAVING count(DISTINCT days) = {CUSTODY_DAYS}
        """,
    ),
)
"""What each table says of who cannot be selected: the person and the place of the reason in REASONS, from 1."""


def by_person(connection: duckdb.DuckDBPyConnection, reasons: Mapping[str, str]) -> dict[str, str]:
    """Reasons by id as reasons by `person_id`, the first where one person has several; unknown ids are left out."""
    rows = connection.execute(
        """
        SELECT humans.person_id, arg_min(reason, place) FROM (
          SELECT unnest($ids::VARCHAR[]) AS id, unnest($reasons::VARCHAR[]) AS reason, unnest(range(len($ids))) AS place
        ) JOIN humans USING (id) GROUP BY 1
        """,
        {"ids": list(reasons), "reasons": list(reasons.values())},
    ).fetchall()
    return dict(rows)
