"""A folder of extracts held against its contracts: what was read, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from evalkit.contracts import FAULTS, Contract, Verdict, contract_files, explain, faults, quoted, read_all, unreadable
from evalkit.errors import ContractBroken, RunFailed
from evalkit.store.intake.extracts import Unreadable, read, survey
from evalkit.store.intake.folder import extract_date_of, misplaced, not_read, present


class Fault(NamedTuple):
    """One fault of one cell, row, column (row 1) or file (no row). Its value is somebody's: never show it or log it."""

    table: str
    row: int | None
    column: str
    rule: str
    severity: str
    value: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One file, held against its contract.

    Attributes
    ----------
    input : str
        Name of the file.
    left_out : tuple of str
        Columns that the contract does not know: never stored.
    columns : tuple of str
        Columns that were read.
    """

    input: str
    verdict: Verdict
    sha256: str = ""
    size: int = 0
    left_out: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def contract(self) -> Contract:
        """The contract that it was held against."""
        return self.verdict.contract

    @property
    def relation(self) -> str:
        """Where its text lies while it is examined."""
        return f"text_{self.contract.table}"

    def as_json(self) -> dict[str, Any]:
        """Return counts, columns and rules for another program; no value of a cell."""
        verdict = self.verdict
        counts = {name: getattr(verdict, name) for name in ("rows_read", "refused", "quarantined", "admitted")}
        return {
            "table": self.contract.table,
            "input": self.input,
            "contract": f"{self.contract.id} {self.contract.version}",
            **counts,
            "left_out": list(self.left_out),
            "not_checked": [{"column": column, "hint": hint} for column, hint in verdict.not_checked],
            "dates": [{"column": one.column, "format": one.date_format, "cells": one.cells} for one in verdict.dates],
            "faults": [
                {name: getattr(breach.check, name) for name in ("column", "rule", "severity", "label", "hint")}
                | {"rows": breach.rows}
                for breach in verdict.breaches
            ],
        }

    def in_words(self) -> str:
        """Return what was read and what is wrong, in counts, columns and rules."""
        verdict = self.verdict
        lines = [f"{self.input}: {verdict.rows_read} rows read, {self._where_to()}."]
        lines += [f"  Dates: {', '.join(_dates(verdict))}."] if any(one.cells for one in verdict.dates) else []
        left_out = ", ".join(self.left_out)
        lines += [f"  Left out, because the contract does not know them: {left_out}."] if left_out else []
        waiting = "; ".join(f"{column} {hint}" for column, hint in verdict.not_checked)
        lines += [f"  Not checked, because no extract date was given: {waiting}."] if waiting else []
        return "\n".join([*lines, *filter(None, [explain(verdict, file=self.input)])])

    def _where_to(self) -> str:
        verdict = self.verdict
        if verdict.is_refused:
            return "none admitted"
        return f"{verdict.admitted} admitted" + (f", {verdict.quarantined} set aside" if verdict.quarantined else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """A folder of extracts, held against its contracts. Shows no value of a cell but through `faults`.

    Attributes
    ----------
    problems : tuple of str
        What is wrong with the folder itself; each refuses all of it.
    notes : tuple of str
        Files that were not read.
    """

    folder: Path
    extract_date: date | None
    tables: tuple[Examined, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    connection: duckdb.DuckDBPyConnection = field(repr=False, compare=False)

    @property
    def is_refused(self) -> bool:
        """Whether nothing may be admitted."""
        return bool(self.problems) or any(table.verdict.is_refused for table in self.tables)

    @property
    def is_clean(self) -> bool:
        """Whether every row that was read may be admitted."""
        return not self.is_refused and not any(table.verdict.quarantined for table in self.tables)

    def faults(self) -> Iterator[Fault]:
        """Yield every fault, table by table and row by row."""
        if not any(table.verdict.breaches for table in self.tables):
            return
        names = ", ".join(quoted(name) for name in Fault._fields)
        ordered = f'SELECT {names} FROM {FAULTS} ORDER BY "table", row NULLS FIRST, number'
        self.connection.execute(ordered)
        while rows := self.connection.fetchmany(10_000):
            yield from map(Fault._make, rows)

    def in_words(self) -> str:
        """Return what was read and what is wrong, in counts, columns and rules."""
        return "\n\n".join("\n".join(part) for part in self._parts() if part)

    def _parts(self) -> Iterator[Sequence[str]]:
        yield [table.in_words() for table in self.tables]
        yield ["Nothing of this folder can be admitted:", *self.problems] if self.problems else []
        yield self.notes

    def as_json(self) -> dict[str, Any]:
        """Return the same for another program."""
        return {
            "extract_date": self.extract_date and self.extract_date.isoformat(),
            "refused": self.is_refused,
            "problems": list(self.problems),
            "notes": list(self.notes),
            "tables": [table.as_json() for table in self.tables],
        }


def check(folder: str | Path, *, contracts_folder: str | Path, extract_date: date | None = None) -> Examination:
    """Return what is wrong with a folder of extracts; writes nothing.

    Without `extract_date` the one in the folder's extract.yaml holds; without that too, the rules which need it are
    listed as not checked. Raises ContractBroken only where there is nothing to examine.
    """
    examination = examine(folder, contracts_folder=contracts_folder, extract_date=extract_date)
    forget(examination)
    return examination


def examine(folder: str | Path, *, contracts_folder: str | Path, extract_date: date | None) -> Examination:
    """Return what `check` does, and keep the text of every table on the connection."""
    files = contract_files(Path(contracts_folder))
    folder, names = present(folder), list(files)
    problems = list(misplaced(folder, names))
    extract_date = extract_date or _extract_date(folder, problems)
    there = [table for table in names if (folder / f"{table}.csv").is_file()]
    if not there:
        nothing = (
            f"{folder} holds no table that a contract knows. These would be read: {', '.join(names)}, each as .csv."
        )
        raise ContractBroken("\n".join([nothing, *problems]))
    contracts, connection = read_all(files[table] for table in there), _connection()
    tables = tuple(_examined(connection, folder, contract, extract_date) for contract in contracts)
    return Examination(
        folder=folder, extract_date=extract_date, tables=tables, problems=tuple(problems),
        notes=tuple(not_read(folder, names)), connection=connection,
    )  # fmt: skip


def forget(examination: Examination) -> None:
    """Drop the text of every table from memory; the faults stay."""
    for table in examination.tables:
        examination.connection.execute(f"DROP VIEW IF EXISTS {quoted(table.relation)}")
        examination.connection.execute(f"DROP TABLE IF EXISTS {quoted(f'lines_{table.contract.table}')}")


def _extract_date(folder: Path, problems: list[str]) -> date | None:
    try:
        return extract_date_of(folder)
    except ContractBroken as error:
        problems.append(str(error))
    return None


def _connection() -> duckdb.DuckDBPyConnection:
    """A database in memory which never writes to a disk of its own accord and never asks a network for an extension."""
    never = {"temp_directory": "", "autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    return duckdb.connect(":memory:", config={**never, "preserve_insertion_order": "true"})


def _examined(
    connection: duckdb.DuckDBPyConnection, folder: Path, contract: Contract, extract_date: date | None
) -> Examined:
    file = folder / f"{contract.table}.csv"
    try:
        surveyed = survey(file, contract)
        extract = read(connection, file, contract, surveyed)
        verdict = faults(
            connection, contract, extract.relation, extract_date, headers=extract.headers, found=extract.malformed
        )
    except Unreadable as error:
        return Examined(input=file.name, verdict=unreadable(connection, contract, error.label, error.hint))
    except OSError:
        hint = "ask whoever owns the file for the right to read it"
        return Examined(input=file.name, verdict=unreadable(connection, contract, "not to be opened", hint))
    except duckdb.Error as error:  # its message may quote a cell
        kind = type(error).__name__
    else:
        return Examined(
            input=file.name, verdict=verdict, sha256=surveyed.sha256, size=surveyed.size,
            left_out=extract.heading.left_out,
            columns=tuple(each.name for each in extract.heading.fields if each),
        )  # fmt: skip
    raise RunFailed(f"{file.name} could not be checked: DuckDB stopped with a {kind}. Nothing was admitted.")


def _dates(verdict: Verdict) -> Iterator[str]:
    for one in verdict.dates:
        if one.cells:
            yield f"{one.column} {one.cells} as {one.date_format}"
