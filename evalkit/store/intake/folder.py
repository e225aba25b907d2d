"""What lies in a folder of extracts: which files are read, which are not, and when the extract was taken."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from evalkit.errors import ContractBroken, StudyError
from evalkit.study import nearest, settings_of

EXTRACT_FILE, EXTRACT_DATE = "extract.yaml", "extract_date"
CONTRACT_END = ".odcs.yaml"
OTHER_KINDS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".parquet", ".tsv", ".txt", ".json", ".gz", ".zip")
ALIKE = 0.85
"""Similarity from which the name of a file is taken for a slip of the pen."""


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
    unknown = [key for key in settings if key != EXTRACT_DATE]
    problems = [f"there is no setting called '{key}'. {nearest(key, [EXTRACT_DATE])}" for key in unknown]
    day = _day(settings.get(EXTRACT_DATE))
    if day is None and not problems:
        problems.append(f"{EXTRACT_DATE} must be the first day that is not in the extract, written as 2026-09-30.")
    if problems or day is None:
        raise ContractBroken("\n".join(f"{EXTRACT_FILE}: {words}" for words in problems))
    return day


def inputs_fingerprint(folder: str | Path, contracts_folder: str | Path) -> str:
    """Return SHA-256, in hex, over the names and bytes of the files that `admit` would read, and of their contracts."""
    folder, contracts = present(folder), Path(contracts_folder)
    digest = hashlib.sha256()
    for contract in sorted(contracts.glob(f"*{CONTRACT_END}")):
        table = folder / f"{contract.name.removesuffix(CONTRACT_END)}.csv"
        for file in (contract, table) if table.is_file() else ():
            digest.update(f"{file.name}\0{_sha256(file)}\n".encode())
    date_file = folder / EXTRACT_FILE
    if date_file.is_file():
        digest.update(f"{EXTRACT_FILE}\0{_sha256(date_file)}\n".encode())
    return digest.hexdigest()


def _of_another_kind(folder: Path, table: str) -> list[str]:
    return [
        file.name
        for file in folder.iterdir()
        if file.name.split(".")[0] == table and file.suffix.lower() in (*OTHER_KINDS, ".csv") and file.suffix != ".csv"
    ]


def _unknown(folder: Path, tables: Sequence[str]) -> list[str]:
    return [file.stem for file in folder.glob("*.csv") if file.stem not in tables]


def _day(value: Any) -> date | None:
    if isinstance(value, date):
        return None if isinstance(value, datetime) else value
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == len("2026-09-30") else None
    except ValueError:
        return None


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
