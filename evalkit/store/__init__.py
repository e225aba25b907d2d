"""The only reader and writer of person-level files and of the secure work folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.errors import NotComparable, RunFailed
from evalkit.store.memory import remembered, shelf
from evalkit.store.work import (
    decisions_file,
    in_words,
    owned,
    read_json,
    study_key,
    work_folder,
    write_json,
)
from evalkit.study import Study, write_whole

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
            if inputs_fingerprint(study.data_folder, contracts) != name:
                file.unlink()
                raise RunFailed("an extract was changed while it was being admitted. Run again.")
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
    def set_aside(self) -> tuple[str, ...]:
        """In words, the rows that were set aside on admission: counts, columns and rules."""
        query = (
            'SELECT input, "column", rule, count(*) AS rows FROM quarantined '
            'GROUP BY ALL ORDER BY input, rows DESC, "column", rule'
        )
        return tuple(
            f"{input_}: {rows} rows were set aside, {column or 'the line'} ({rule})"
            for input_, column, rule, rows in self._frame(query).itertuples(index=False)
        )

    @property
    def extract_date(self) -> date | None:
        """The first day that the extracts do not include; None where they do not say."""
        found = self._frame("SELECT min(extract_date) AS day FROM manifest")["day"].iloc[0]
        return None if found is None or found != found else found.date()  # NaT is not itself

    def _frame(self, query: str, parameters: list[object] | None = None) -> pd.DataFrame:
        import duckdb

        with duckdb.connect(str(self.file), read_only=True) as connection:
            return connection.execute(query, parameters or []).df()
