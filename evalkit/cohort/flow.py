"""What every flow from police records has in common: the rows it began with, and that its steps add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from evalkit.cohort.nouns import lines_between
from evalkit.results import COMPARISON, PROGRAMME, Count
from evalkit.store import Store
from evalkit.study import Study

if TYPE_CHECKING:
    import duckdb


def rows_held(
    connection: duckdb.DuckDBPyConnection, store: Store, study: Study, *, spells: str | None = None
) -> Iterator[Count]:
    """Rows of the extracts, and those that cannot count.

    Where the people come from a table of `spells`, its broken rows are people of whom nothing is known: they are the
    step `set_aside`, and those of other tables a step of their own.
    """
    sent = store.tables
    tables = [table for table in study.programme.tables if table in sent]
    broken = {table: store.rows_set_aside(table) for table in tables}
    held = connection.execute(" UNION ALL ".join(f'SELECT count(*) FROM "{table}"' for table in tables)).fetchall()
    later = connection.execute(
        "SELECT count(*) FROM incidents WHERE recorded_on >= $known", {"known": study.extract_date}
    ).fetchone()
    total = sum(rows for (rows,) in held) + sum(broken.values())
    yield Count(step="rows", label="Rows in the extracts", total=total, unit="rows")
    if spells:
        yield _rows("set_aside", "Spells that broke a rule of their data contract", broken.pop(spells))
        yield _rows("others_set_aside", "Other rows that broke a rule of a data contract", sum(broken.values()))
    else:
        yield _rows("set_aside", "Broke a rule of a data contract", sum(broken.values()))
    yield _rows("too_late", "Incidents recorded after the last day of data", later[0] if later else 0)


def _rows(step: str, label: str, total: int) -> Count:
    return Count(step=step, label=label, total=total, unit="rows", left_out=True)


def side(step: str, label: str, programme: int, comparison: int | None, *, left_out: bool = False) -> Count:
    """A step in which the sides may share people, so that they have no total."""
    return Count(step=step, label=label, total=None, programme=programme, comparison=comparison, left_out=left_out)


def refuse_lines_between(flow: Sequence[Count]) -> None:
    """Stop where the people of a side, or of both together, do not add up."""
    people = [count for count in flow if count.unit == "people"]
    if any(lines_between(people, name) for name in ("total", PROGRAMME, COMPARISON)):
        raise ValueError("the steps of the flow must add up")
