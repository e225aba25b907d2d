"""The harm weight of each offence code, from a file that anybody can read and replace."""

from __future__ import annotations

import csv
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.errors import StudyError
from evalkit.study import RfgvSpec

if TYPE_CHECKING:
    import duckdb

WEIGHT = "DECIMAL(18, 4)"
"""Weights are summed exactly, so that no order of rows moves a sum over the edge of a band."""
DECIMALS = 4
COLUMNS = ("offence_code_system", "offence_code", "value", "source", "version")


def weigh(connection: duckdb.DuckDBPyConnection, spec: RfgvSpec, root: Path) -> None:
    """Make `rfgv_weights` from the file of harm weights; a `StudyError` that names every fault of the file."""
    spec = spec.weighing_by(spec.weights, root)
    content = (root / spec.weights).read_bytes()
    try:
        rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    except UnicodeDecodeError:
        raise StudyError(f"{spec.weights}: is not a text file in UTF-8.") from None
    faults = _faults(rows)
    if faults:
        raise StudyError("\n".join(f"{spec.weights}: {fault}" for fault in faults))
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE rfgv_weights AS
        SELECT unnest($systems::VARCHAR[]) AS offence_code_system, unnest($codes::VARCHAR[]) AS offence_code,
          CAST(unnest($values::VARCHAR[]) AS {WEIGHT}) AS value
        """,
        {
            "systems": [row["offence_code_system"] for row in rows],
            "codes": [row["offence_code"] for row in rows],
            "values": [row["value"] for row in rows],
        },
    )


def _faults(rows: list[dict[str, str]]) -> list[str]:
    missing = [column for column in COLUMNS if not rows or column not in rows[0]]
    if missing:
        return [f"needs the columns {', '.join(COLUMNS)} and a row for each offence code."]
    codes = [(row["offence_code_system"], row["offence_code"]) for row in rows]
    repeated = sorted({" ".join(code) for code in codes if codes.count(code) > 1})
    found = [f"offence codes that stand twice: {', '.join(repeated)}."] if repeated else []
    wrong = sorted(row["offence_code"] for row in rows if not _is_weight(row["value"]))
    if wrong:
        found.append(f"a weight is a number of 0 or more with at most {DECIMALS} decimals; not so: {', '.join(wrong)}.")
    if len({row["version"] for row in rows}) > 1:
        found.append("holds more than one version; scores by different versions cannot be compared.")
    return found


def _is_weight(text: str) -> bool:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return False
    return value.is_finite() and 0 <= value < 10**9 and value == round(value, DECIMALS)
