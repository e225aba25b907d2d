"""From examined extracts to the store: one DuckDB file, whole or not there at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

import duckdb

from evalkit import __version__
from evalkit.contracts import FAULTS, Parameters, admissible, quoted
from evalkit.errors import ContractBroken, RunFailed
from evalkit.store.intake.examination import Examination, Examined, examine, forget
from evalkit.store.intake.faultlist import keep_out_of_outputs
from evalkit.store.work import OWNER_FOLDER, in_words
from evalkit.study import OWNER_FILE

DRAFT = ".admitting"


def admit(
    folder: str | Path, store_file: str | Path, *, contracts_folder: str | Path, extract_date: date | None = None
) -> Examination:
    """Return what `check` does, and write what keeps its contracts as the store.

    Raises ContractBroken, and writes nothing, where anything is refused. Whatever happens while it writes, the old
    store stays until the new one is whole.
    """
    file = keep_out_of_outputs(store_file)
    examination = examine(folder, contracts_folder=contracts_folder, extract_date=extract_date)
    if examination.is_refused:
        raise ContractBroken(examination.in_words())
    with in_words(file.name), _drafted(file) as draft:
        _write(examination, draft)
    forget(examination)
    return examination


@contextmanager
def _drafted(file: Path) -> Iterator[Path]:
    """Where the new store is written, out of everybody's sight; it takes the place of the old one when it is whole."""
    file.parent.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
    room, mark = _room(file)
    try:
        draft = room / file.name
        yield draft
        os.chmod(draft, OWNER_FILE)
        with draft.open("r+b") as stream:
            os.fsync(stream.fileno())
        os.replace(draft, file)
    finally:
        shutil.rmtree(room, ignore_errors=True)
        _let_go(mark)


def _room(file: Path) -> tuple[Path, int | None]:
    """A new folder of mode 0700 beside the store, with the mark that says somebody is at work in it.

    One whose mark nobody holds was left by a process that was killed, and goes.
    """
    door = _take(file.parent, wait=True)
    try:
        for left in file.parent.iterdir():
            if left.name.startswith(f".{file.name}.") and left.name.endswith(DRAFT):
                mark = _take(left, wait=False)
                if mark is not None:
                    shutil.rmtree(left, ignore_errors=True)
                    _let_go(mark)
        room = Path(tempfile.mkdtemp(prefix=f".{file.name}.", suffix=DRAFT, dir=file.parent))
        return room, _take(room, wait=True)
    finally:
        _let_go(door)


def _take(folder: Path, *, wait: bool) -> int | None:
    """Hold a folder until `_let_go` or the end of the process; None where another holds it, and on Windows."""
    if os.name != "posix":
        return None
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(handle)
        return None
    return handle


def _let_go(handle: int | None) -> None:
    if handle is not None:
        os.close(handle)


def _write(examination: Examination, draft: Path) -> None:
    connection = examination.connection
    try:
        connection.execute("ATTACH $file AS store", {"file": str(draft)})
        for table in examination.tables:
            _write_table(connection, table)
        _write_quarantined(connection)
        _write_manifest(connection, examination)
        connection.execute("CHECKPOINT store")
        connection.execute("DETACH store")
        stopped = "log that is not finished" if draft.with_name(f"{draft.name}.wal").exists() else ""
    except duckdb.Error as error:  # its message may quote a cell
        stopped = type(error).__name__
    finally:
        with suppress(duckdb.Error):
            connection.execute("DETACH DATABASE IF EXISTS store")
    if stopped:
        raise RunFailed(
            f"{draft.name} could not be written: DuckDB stopped with a {stopped}. The disk may be full. "
            "Free some space and run again; the store that was there before is as it was."
        )


def _write_table(connection: duckdb.DuckDBPyConnection, table: Examined) -> None:
    bind = Parameters()
    rows = admissible(table.contract, table.columns, table.relation, bind)
    name = quoted(table.contract.table)
    connection.execute(f"CREATE TABLE store.{name} AS SELECT *, {bind(table.input)} AS input FROM ({rows})", bind)


def _write_quarantined(connection: duckdb.DuckDBPyConnection) -> None:
    """One row for each rule that a row set aside breaks: enough to count them, nothing of what they hold."""
    connection.execute(
        f"""
        CREATE TABLE store.quarantined AS
        SELECT "table", "table" || '.csv' AS input, row AS file_row, "column", rule
        FROM {FAULTS} WHERE severity = 'quarantine' ORDER BY "table", row, number
        """
    )


def _write_manifest(connection: duckdb.DuckDBPyConnection, examination: Examination) -> None:
    """One row for each input: what was read, under which contract and by which version. No clock time, no path."""
    connection.execute(
        "CREATE TABLE store.manifest (input VARCHAR, sha256 VARCHAR, bytes BIGINT, rows BIGINT, contract_id VARCHAR, "
        "contract_version VARCHAR, contract_sha256 VARCHAR, evalkit_version VARCHAR, extract_date DATE)"
    )
    for table in examination.tables:
        contract, file = table.contract, [table.input, table.sha256, table.size, table.verdict.rows_read]
        terms = [contract.id, contract.version, contract.sha256, __version__, examination.extract_date]
        connection.execute("INSERT INTO store.manifest VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [*file, *terms])
