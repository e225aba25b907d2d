"""What lies in a folder of extracts: which files are read, which are not, and when the extract was taken."""

from __future__ import annotations

import difflib
import functools
import hashlib
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from evalkit.contracts import contract_files
from evalkit.errors import ContractBroken, StudyError
from evalkit.study import nearest, settings_of

EXTRACT_FILE, EXTRACT_DATE = "extract.yaml", "extract_date"
OTHER_KINDS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".parquet", ".tsv", ".txt", ".json", ".gz", ".zip")
ALIKE = 0.85
"""Similarity from which the name of a file is taken for a slip of the pen."""
SETTLED_NS = 2_000_000_000
"""Two seconds: the coarsest clock by which a disk notes when a file was written."""


def present(folder: str | Path) -> Path:
    """Return the folder; ContractBroken where there is none."""
    if not Path(folder).is_dir():
        raise ContractBroken(
            f"{folder}: there is no such folder. Give the folder in which the CSV files of the extract lie."
        )
    return Path(folder)


def misplaced(folder: Path, tables: Sequence[str]) -> Iterator[str]:
    """Yield in words the files that look like a missing table, but are of another kind or misspelt."""
    for table in tables:
        if not (folder / f"{table}.csv").is_file():
            for name in sorted(_of_another_kind(folder, table)):
                yield f"{name}: only CSV is read in this version. Save it as {table}.csv, in UTF-8."
            for name in difflib.get_close_matches(table, _unknown(folder, tables), n=1, cutoff=ALIKE):
                yield f"{name}.csv: no contract is for a table of this name. Did you mean {table}.csv?"


def not_read(folder: Path, tables: Sequence[str]) -> Iterator[str]:
    """Yield in words the files that were passed over, though the folder is sound without them."""
    for table in tables:
        if (folder / f"{table}.csv").is_file():
            for name in sorted(_of_another_kind(folder, table)):
                yield f"{name} was not read: only CSV is read in this version, and {table}.csv lies beside it."
    for name in sorted(_unknown(folder, tables)):
        yield f"{name}.csv was not read: no contract is for it."


def extract_date_of(folder: str | Path) -> date | None:
    """Return the first day that a folder of extracts does not include, from its extract.yaml; None without one."""
    file = Path(folder) / EXTRACT_FILE
    if not file.exists():
        return None
    try:
        settings = settings_of(file)
    except StudyError as error:
        raise ContractBroken(str(error)) from None
    for key in settings:
        if key != EXTRACT_DATE:
            meant = nearest(key, [EXTRACT_DATE])
            raise ContractBroken(f"{EXTRACT_FILE}: there is no setting called '{key}'. {meant}")
    try:
        return date.fromisoformat(str(settings.get(EXTRACT_DATE)))
    except ValueError:
        right = "the first day that is not in the extract, written as 2026-09-30"
        raise ContractBroken(f"{EXTRACT_FILE}: {EXTRACT_DATE} must be {right}.") from None


def inputs_fingerprint(folder: str | Path, contracts_folder: str | Path) -> str:
    """Return SHA-256, in hex, over the names and bytes of the files that `admit` would read, and of their contracts."""
    folder, contracts = present(folder), contract_files(Path(contracts_folder))
    pairs = [(contract, folder / f"{table}.csv") for table, contract in contracts.items()]
    files = [file for pair in pairs if pair[1].is_file() for file in pair]
    digest = hashlib.sha256()
    for file in (*files, folder / EXTRACT_FILE):
        if file.is_file():
            digest.update(f"{file.name}\0{_sha256(file)}\n".encode())
    return digest.hexdigest()


def _of_another_kind(folder: Path, table: str) -> list[str]:
    return [
        file.name
        for file in folder.iterdir()
        if file.name.split(".")[0] == table and file.suffix.lower() in (*OTHER_KINDS, ".csv") and file.suffix != ".csv"
    ]


def _unknown(folder: Path, tables: Sequence[str]) -> list[str]:
    return [file.stem for file in folder.glob("*.csv") if file.stem not in tables]


def _sha256(file: Path) -> str:
    """SHA-256 of a file, in hex; read once in this process for as long as its size, times and place stay the same.

    One that was written just now is read each time: if it is written again at once, its times need not change.
    """
    marks = file.stat()
    has_settled = time.time_ns() - marks.st_mtime_ns > SETTLED_NS
    read = _read_once if has_settled else _read_once.__wrapped__
    return read(file.resolve(), marks.st_size, marks.st_mtime_ns, marks.st_ctime_ns, marks.st_ino)


@functools.lru_cache(maxsize=256)
def _read_once(file: Path, *marks: int) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
