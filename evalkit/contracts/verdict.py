"""What a contract finds in a table of text: every fault in DuckDB, and a summary that holds nobody's value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from evalkit.contracts import rules
from evalkit.contracts.cells import TYPES, Bind, Parameters, date_format_words, quoted, typed, written_as
from evalkit.contracts.contract import QUARANTINE, REFUSE, WARN, Contract, Field
from evalkit.contracts.heading import heading
from evalkit.contracts.rules import Check, Found

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FAULTS = "fault_list"
"""View of every fault found on a connection: number, table, row, column, rule, severity, value, hint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One rule that one column breaks, in how many rows, of how many that were read."""

    check: Check
    rows: int
    of: int

    @property
    def how_many(self) -> str:
        """Return how many rows, or what to do where it is not a matter of rows."""
        return f"{self.rows} of {self.of} rows" if self.check.scope == "rows" else self.check.hint


@dataclass(frozen=True, slots=True, kw_only=True)
class DatesTaken:
    """How many cells of one column were dates in one format."""

    column: str
    date_format: str
    cells: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of the rows of one table: read = refused + quarantined + admitted.

    Attributes
    ----------
    refused : int
        All rows where anything refuses the file, else none.
    not_checked : tuple of (column, words)
        Rules that need the extract date, where none was given.
    """

    contract: Contract
    rows_read: int
    refused: int
    quarantined: int
    breaches: tuple[Breach, ...]
    not_checked: tuple[tuple[str, str], ...] = ()
    dates: tuple[DatesTaken, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether nothing of the table may be admitted."""
        return any(breach.check.severity == REFUSE for breach in self.breaches)

    @property
    def admitted(self) -> int:
        """Rows that may be stored."""
        return self.rows_read - self.refused - self.quarantined


def faults(
    connection: DuckDBPyConnection,
    contract: Contract,
    relation: str,
    extract_date: date | None,
    *,
    headers: Sequence[str] | None = None,
    found: Iterable[Found] = (),
) -> Verdict:
    """Return the verdict on a table of text, and put every fault in the view FAULTS of the connection.

    `relation` names a table whose columns are fields of the contract, all text as `cells.cleaned` leaves it, and
    `file_row`, the line of the file on which the row begins (the header is line 1). `headers` is the first line of the
    file; without it the columns of the table are. `found` is what was seen while the file was read: rows in it are
    not in `relation`.
    """
    _prepare(connection)
    columns = _columns(connection, relation)
    fields = [field for name in columns if (field := contract.field(name))]
    rows = _whole(contract, fields, relation)
    asked = list(rules.checks(contract, fields))
    put_off = [check for check in asked if check.needs_extract_date and extract_date is None]
    seen = tuple(found)
    counts = [_note(connection, contract, each) for each in (*heading(contract, headers or columns).found, *seen)]
    counts += [_run(connection, contract, check, rows, extract_date) for check in asked if check not in put_off]
    return _verdict(
        connection, contract, counts,
        rows_read=_number(connection, f"SELECT count(*) FROM {rows}") + sum(len(each.rows) for each in seen),
        not_checked=tuple((check.column, check.hint) for check in put_off),
        dates=tuple(_dates(connection, fields, rows, counts)),
    )  # fmt: skip


def unreadable(connection: DuckDBPyConnection, contract: Contract, label: str, hint: str) -> Verdict:
    """Return the verdict on a file that is not a table at all."""
    _prepare(connection)
    check = Check(column="", rule="type", severity=REFUSE, label=label, hint=hint, scope="file")
    return _verdict(connection, contract, [_note(connection, contract, Found(check, (None,)))], rows_read=0)


def admissible(contract: Contract, columns: Sequence[str], relation: str, bind: Bind) -> str:
    """SQL of the rows that break no rule for which rows are set aside, with the contract's columns in its types.

    An optional column that was not sent is there all the same, and holds nothing.
    """
    covariates = [field for name in columns if (field := contract.field(name)) and field not in contract.fields]
    cells = ", ".join(
        f"{typed(field, bind) if field.name in columns else f'NULL::{TYPES[field.type][0]}'} AS {quoted(field.name)}"
        for field in (*contract.fields, *covariates)
    )
    aside = f"SELECT row FROM {FAULTS} WHERE \"table\" = {bind(contract.table)} AND severity = '{QUARANTINE}'"
    return f"SELECT {cells}, file_row FROM {quoted(relation)} WHERE file_row NOT IN ({aside})"


def explain(verdict: Verdict, *, file: str) -> str:
    """Return what is wrong with a file, all of it at once, in counts, columns and rules; empty where nothing is.

    Never a cell's value: this goes to the screen and to logs.
    """
    if not verdict.breaches:
        return ""
    contract = verdict.contract
    name = f"{file} (contract {contract.id}, version {contract.version})"
    if verdict.is_refused:
        head = f"{name} was not admitted:"
    elif verdict.quarantined:
        head = f"{name}: {verdict.quarantined} of {verdict.rows_read} rows were set aside:"
    else:
        head = f"{name} was admitted, but:"
    return "\n".join((head, *_lines(verdict.breaches), _advice(verdict)))


def _lines(breaches: Sequence[Breach]) -> Iterator[str]:
    column = max(len(breach.check.column) for breach in breaches)
    label = max([len(breach.check.label) for breach in breaches if breach.check.scope == "rows"], default=0)
    for breach in breaches:
        warning = ", only a warning" if breach.check.severity == WARN else ""
        name = f"{breach.check.column:<{column}}  " if column else ""
        yield f"  {name}{breach.check.label:<{label}}  ({breach.how_many}{warning})"


def _advice(verdict: Verdict) -> str:
    if verdict.is_refused:
        return "Ask the supplier to correct these, or change the contract and say why."
    if verdict.quarantined:
        return "These rows are kept apart and counted in every report. Ask the supplier to correct them."
    return "Nothing was left out for this."


def _prepare(connection: DuckDBPyConnection) -> None:
    connection.execute(
        """
        CREATE TEMP TABLE IF NOT EXISTS fault_checks (
            number INTEGER, "table" VARCHAR, "column" VARCHAR, rule VARCHAR, severity VARCHAR, hint VARCHAR);
        CREATE TEMP TABLE IF NOT EXISTS fault_rows (number INTEGER, row BIGINT, value VARCHAR);
        CREATE TEMP VIEW IF NOT EXISTS fault_list AS
            SELECT number, "table", row, "column", rule, severity, value, hint
            FROM fault_rows JOIN fault_checks USING (number);
        """
    )


def _whole(contract: Contract, present: Sequence[Field], relation: str) -> str:
    """SQL of the table with every field of the contract: one that the file lacks is empty in every row."""
    absent = [f", CAST(NULL AS VARCHAR) AS {quoted(field.name)}" for field in contract.fields if field not in present]
    return f"(SELECT *{''.join(absent)} FROM {quoted(relation)})"


def _numbered(connection: DuckDBPyConnection, contract: Contract, check: Check) -> int:
    insert = "INSERT INTO fault_checks SELECT count(*), $1, $2, $3, $4, $5 FROM fault_checks RETURNING number"
    return _number(connection, insert, [contract.table, check.column, check.rule, check.severity, check.hint])


def _note(connection: DuckDBPyConnection, contract: Contract, found: Found) -> tuple[Check, int]:
    values = [_numbered(connection, contract, found.check), list(found.rows)]
    connection.execute("INSERT INTO fault_rows SELECT ?, unnest(CAST(? AS BIGINT[])), ''", values)
    return found.check, len(found.rows)


def _run(
    connection: DuckDBPyConnection, contract: Contract, check: Check, rows: str, extract_date: date | None
) -> tuple[Check, int]:
    bind = Parameters()
    number = bind(_numbered(connection, contract, check))
    if check.needs_extract_date:
        bind[rules.EXTRACT_DATE] = extract_date
    broken = check.select(rows, bind) if check.select else ""
    return check, _number(connection, f"INSERT INTO fault_rows SELECT {number}, * FROM ({broken})", bind)


def _verdict(
    connection: DuckDBPyConnection,
    contract: Contract,
    counts: Iterable[tuple[Check, int]],
    *,
    rows_read: int,
    **more: Any,
) -> Verdict:
    breaches = tuple(Breach(check=check, rows=count, of=rows_read) for check, count in counts if count)
    refused = any(breach.check.severity == REFUSE for breach in breaches)
    aside = f"SELECT count(DISTINCT row) FROM {FAULTS} WHERE \"table\" = $1 AND severity = '{QUARANTINE}'"
    return Verdict(
        contract=contract, breaches=breaches, rows_read=rows_read, refused=rows_read if refused else 0,
        quarantined=0 if refused else _number(connection, aside, [contract.table]), **more,
    )  # fmt: skip


def _dates(
    connection: DuckDBPyConnection, fields: Iterable[Field], rows: str, counts: Iterable[tuple[Check, int]]
) -> Iterator[DatesTaken]:
    """Of every date column, how many cells each of its formats took; a cell belongs to the first that fits."""
    no_date = {check.column: count for check, count in counts if check.rule == "type"}
    for field in (each for each in fields if each.type == "date"):
        bind = Parameters()
        cases = [
            f"count(*) FILTER ({_first_that_fits(field, place, bind)})" for place in range(len(field.date_formats) - 1)
        ]
        counted = f"SELECT count({quoted(field.name)}), {', '.join(cases)} FROM {rows}"
        filled, *taken = next(iter(connection.execute(counted, bind).fetchall()))
        taken.append(filled - sum(taken) - no_date.get(field.name, 0))
        for date_format, cells in zip(field.date_formats, taken, strict=True):
            yield DatesTaken(column=field.name, date_format=date_format_words(date_format), cells=cells)


def _first_that_fits(field: Field, place: int, bind: Bind) -> str:
    fits = [written_as(field, each, bind) for each in field.date_formats[: place + 1]]
    earlier = " AND ".join(f"{each} IS NULL" for each in fits[:-1])
    return f"{fits[-1]} IS NOT NULL" + (f" AND {earlier}" if earlier else "")


def _columns(connection: DuckDBPyConnection, relation: str) -> list[str]:
    described = connection.execute(f"SELECT * FROM {quoted(relation)} LIMIT 0").description or []
    return [column[0] for column in described if column[0] != "file_row"]


def _number(connection: DuckDBPyConnection, statement: str, values: Any = None) -> int:
    row = connection.execute(statement, values or {}).fetchone()
    return int(row[0]) if row else 0
