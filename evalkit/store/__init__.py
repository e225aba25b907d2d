"""The only reader and writer of person-level files and of the secure work folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.errors import NotComparable
from evalkit.store.memory import remembered, shelf
from evalkit.store.work import (
    decisions_file,
    in_words,
    owned,
    read_json,
    study_key,
    work_folder,
    write_json,
    write_whole,
)
from evalkit.study import Study

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Store", "decisions_file", "in_words", "owned", "read_json", "remembered", "shelf", "study_key", "work_folder",
    "write_json", "write_whole",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The admitted tables of one data cut, read-only: one DuckDB file, written once.

    Attributes
    ----------
    file : Path
        Where it lies, in the secure work folder.
    """

    file: Path

    @classmethod
    def open(cls, study: Study) -> Store:
        """The store of a study's extracts, which are admitted first if these very files have not been.

        Raises `ContractBroken` where the extracts do not keep their contracts.
        """
        from evalkit.store.intake import admit, inputs_fingerprint

        contracts = study.root / "data_contracts"
        name = inputs_fingerprint(study.data_folder, contracts)
        file = owned(work_folder(study.root) / "stores") / f"{name[:32]}.duckdb"
        if not file.is_file():
            admit(study.data_folder, file, contracts_folder=contracts)
        return cls(file=file)

    def table(self, name: str) -> pd.DataFrame:
        """All admitted rows of one table, in the order of the file."""
        if name not in self.tables:
            raise NotComparable(
                f"the data hold no table called '{name}', which this programme is evaluated from. "
                f"Add {name}.csv to the folder of extracts."
            )
        return self._frame(f'SELECT * FROM "{name}" ORDER BY input, file_row')

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the admitted tables."""
        names = self._frame("SELECT table_name FROM duckdb_tables() ORDER BY table_name")["table_name"]
        return tuple(name for name in names if name not in ("manifest", "quarantined"))

    def rows_set_aside(self, table: str) -> int:
        """How many rows of a table were set aside on admission because they broke a rule of its contract."""
        frame = self._frame('SELECT count(DISTINCT file_row) AS rows FROM quarantined WHERE "table" = ?', [table])
        return int(frame["rows"].iloc[0])

    @property
    def manifest(self) -> pd.DataFrame:
        """One row per input file: its name, hash and size, its contract, and when the extract was taken."""
        return self._frame("SELECT * FROM manifest ORDER BY input")

    def _frame(self, query: str, parameters: list[object] | None = None) -> pd.DataFrame:
        import duckdb

        with duckdb.connect(str(self.file), read_only=True) as connection:
            return connection.execute(query, parameters or []).df()
