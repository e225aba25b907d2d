"""The only reader and writer of person-level files and of the secure work folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.errors import NotComparable
from evalkit.store.cut import DataCut, admitted, cut_of
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
    import duckdb
    import pandas as pd

__all__ = [
    "DataCut", "Store", "cut_of", "decisions_file", "in_words", "owned", "read_json", "remembered", "shelf",
    "study_key", "work_folder", "write_json", "write_whole",
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
        return cls(file=admitted(study))

    def table(self, name: str) -> pd.DataFrame:
        """All admitted rows of one table, in the order of the file."""
        self.require(name)
        return self._frame(f'SELECT * FROM "{name}" ORDER BY input, file_row')

    @contextmanager
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that reads the admitted tables; what is made on it is temporary and goes with it."""
        import duckdb

        with duckdb.connect(str(self.file), read_only=True) as connection:
            yield connection

    def require(self, *tables: str) -> None:
        """Refuse where the data lack one of these tables."""
        absent = [name for name in tables if name not in self.tables]
        if absent:
            raise NotComparable(
                f"the data hold no table called {', '.join(absent)}, which this programme is evaluated from. Add "
                f"{', '.join(f'{name}.csv' for name in absent)} to the folder of extracts; a table without any row "
                "is a file with its heading alone."
            )

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
        with self.connection() as connection:
            return connection.execute(query, parameters or []).df()
