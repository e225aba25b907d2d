"""From a CSV file to a table of text in DuckDB, with the line of the file kept on every row."""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from evalkit.contracts import Check, Contract, Found, Heading, Parameters, cleaned, heading, quoted

if TYPE_CHECKING:
    from _csv import Reader

CHUNK = 1 << 20
ROWS_AT_A_TIME = 5_000
BLANKS = " \t\r\n\u00a0"
"""What may stand around a cell without being part of it."""

_SAVE_AS = "open it and save it again as CSV UTF-8"
_NOT_CSV = {
    b"PK\x03\x04": "an Excel workbook, whatever its name says",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook, whatever its name says",
    codecs.BOM_UTF16_LE: "written in UTF-16 ('Unicode text')",
    codecs.BOM_UTF16_BE: "written in UTF-16 ('Unicode text')",
}


class Unreadable(Exception):
    """A file is not a table: what is wrong with it and what to do, never what is in it."""

    def __init__(self, label: str, hint: str) -> None:
        """Keep both for the list of faults."""
        super().__init__(label)
        self.label, self.hint = label, hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What one pass over the bytes of a file tells.

    Attributes
    ----------
    encoding : str
        In which it is read: UTF-8 where it begins with the mark of UTF-8, else as its contract says. Never guessed.
    lines, commas : int
        Lines as a text editor counts them, and commas wherever they stand.
    is_plain : bool
        Whether DuckDB splits it as Python's `csv` would: text that both read alike, no blanks but spaces, and none of
        them beside a quotation mark.
    """

    sha256: str
    size: int
    encoding: str
    lines: int
    commas: int
    is_plain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """One file, read as text.

    Attributes
    ----------
    relation : str
        The table in DuckDB: the contract's fields that the file has, and `file_row`, the line on which a row begins.
    malformed : tuple of Found
        Lines with too many or too few fields; they are not in `relation`.
    """

    headers: tuple[str, ...]
    heading: Heading
    relation: str
    malformed: tuple[Found, ...] = ()


def survey(file: Path, contract: Contract) -> Survey:
    """Return what the bytes of a file tell; Unreadable where they are no text, or not in the agreed encoding."""
    digest, size, lines, commas, is_plain, last = hashlib.sha256(), 0, 0, 0, True, b""
    with file.open("rb") as stream:
        mark = codecs.BOM_UTF8 if stream.read(3) == codecs.BOM_UTF8 else b""
        encoding = "utf-8" if mark else contract.encoding
        stream.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            _refuse_binary(chunk, is_first=not size)
            if not (chunk.isascii() and last.isascii()):
                _decode(decoder, chunk, lines, encoding)
            is_plain = is_plain and _is_plain(last + chunk, encoding)
            size, commas = size + len(chunk), commas + chunk.count(b",")
            lines, last = lines + _line_ends(last, chunk), chunk[-1:]
    _decode(decoder, b"", lines, encoding)
    if size == len(mark):
        raise Unreadable("empty: it holds nothing at all", "ask the supplier for the file again")
    lines += last not in (b"\n", b"\r")
    return Survey(
        sha256=digest.hexdigest(), size=size, encoding=encoding, lines=lines, commas=commas, is_plain=is_plain
    )  # fmt: skip


def read(connection: duckdb.DuckDBPyConnection, file: Path, contract: Contract, surveyed: Survey) -> Extract:
    """Return a file as a table of text; Unreadable where it is not a table."""
    with _opened(file, surveyed) as reader:
        headers = tuple(_next(reader) or [])
    if not any(header.strip() for header in headers):
        raise Unreadable("without a header: its first line is empty", "the first line must name the columns")
    head = heading(contract, headers)
    extract = Extract(headers=headers, heading=head, relation=f"text_{contract.table}")
    if surveyed.is_plain and _split_by_duckdb(connection, file, contract, extract, surveyed):
        return extract
    malformed = _split_by_python(connection, file, contract, extract, surveyed)
    return Extract(headers=headers, heading=head, relation=extract.relation, malformed=malformed)


def _refuse_binary(chunk: bytes, *, is_first: bool) -> None:
    for start, words in _NOT_CSV.items():
        if is_first and chunk.startswith(start):
            raise Unreadable(f"not CSV but {words}", _SAVE_AS)
    if b"\0" in chunk:
        raise Unreadable("not text: it holds bytes that no text has", _SAVE_AS)


def _decode(decoder: codecs.IncrementalDecoder, chunk: bytes, lines: int, encoding: str) -> None:
    try:
        decoder.decode(chunk, final=not chunk)
    except UnicodeDecodeError as error:
        line = lines + _line_ends(b"", chunk[: error.start]) + 1
    else:
        return
    other = "save it as CSV UTF-8, or say in the contract that its encoding is cp1252"
    hint = other if encoding == "utf-8" else "save it as CSV UTF-8"
    raise Unreadable(f"not written in {encoding}, first in line {line}", hint)


def _is_plain(text: bytes, encoding: str) -> bool:
    intricate = (b"\t", b"\xc2\xa0", b'" ', b' "')
    return (encoding == "utf-8" or text.isascii()) and not any(sign in text for sign in intricate)


def _line_ends(last: bytes, chunk: bytes) -> int:
    """Ends of lines in a chunk; `last` is the byte before it, so that a \\r\\n cut in two counts once."""
    return chunk.count(b"\n") + chunk.count(b"\r") - (last + chunk).count(b"\r\n")


@contextmanager
def _opened(file: Path, surveyed: Survey) -> Iterator[Reader]:
    encoding = "utf-8-sig" if surveyed.encoding == "utf-8" else surveyed.encoding
    with file.open(encoding=encoding, newline="") as stream:
        yield csv.reader(stream, strict=True, skipinitialspace=True)


def _next(reader: Reader) -> list[str] | None:
    """Return the next row, or None after the last."""
    line = reader.line_num + 1
    try:
        return next(reader, None)
    except csv.Error:
        label = f"not CSV: its quotation marks do not pair up, first in the row that begins on line {line}"
    raise Unreadable(label, "put the field in quotation marks, and double every quotation mark inside it")


def _wanted(extract: Extract) -> list[tuple[int, str]]:
    return [(place, field.name) for place, field in enumerate(extract.heading.fields) if field]


def _split_by_duckdb(
    connection: duckdb.DuckDBPyConnection, file: Path, contract: Contract, extract: Extract, surveyed: Survey
) -> bool:
    """Whether DuckDB could read the file with one line to a row: only then is the number of a row that of its line.

    It takes no notice of an empty field too many at the end of a line, so the commas are counted; and it would look
    for other files too where the name of this one looks like a pattern.
    """
    expected = surveyed.lines * (len(extract.headers) - 1)
    path = str(file.resolve())
    if surveyed.commas != expected or any(sign in path for sign in "*?["):
        return False
    bind = Parameters()
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(extract.headers)))
    cells = [f"{cleaned(f'c{place}', contract, bind)} AS {quoted(name)}" for place, name in _wanted(extract)]
    table = quoted(f"lines_{contract.table}")
    try:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {', '.join(cells) or 'NULL AS nothing'} "
            f"FROM read_csv({bind(path)}, header = true, auto_detect = false, columns = {{{columns}}}, "
            "delim = ',', quote = '\"', escape = '\"', strict_mode = true, null_padding = false, compression = 'none')",
            bind,
        )
    except duckdb.Error:
        return False  # its message would quote the line; Python's csv finds and names every such line
    rows, last = connection.execute(f"SELECT count(*), coalesce(max(rowid), -1) FROM {table}").fetchall()[0]
    if rows != surveyed.lines - 1 or last != rows - 1:
        return False
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW {quoted(extract.relation)} AS SELECT *, rowid + 2 AS file_row FROM {table}"
    )
    return True


def _split_by_python(
    connection: duckdb.DuckDBPyConnection, file: Path, contract: Contract, extract: Extract, surveyed: Survey
) -> tuple[Found, ...]:
    """Any file that is not one line to a row: line breaks in cells, blank lines, wrong numbers of fields, cp1252."""
    table, wanted = quoted(f"lines_{contract.table}"), _wanted(extract)
    columns = "".join(f", {quoted(name)} VARCHAR" for _, name in wanted)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} (file_row BIGINT{columns})")
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {quoted(extract.relation)} AS SELECT * FROM {table}")
    bind = Parameters()
    cells = "".join(f", {cleaned(quoted(f'c{place}'), contract, bind)}" for place, _ in wanted)
    found: dict[str, list[int | None]] = {"fewer": [], "more": []}
    with _opened(file, surveyed) as reader:
        for part in _parts(reader, [place for place, _ in wanted], found):
            connection.register("part", part)
            connection.execute(f"INSERT INTO {table} SELECT file_row{cells} FROM part", bind)
            connection.unregister("part")
    return tuple(_malformed(words, rows) for words, rows in found.items() if rows)


def _parts(reader: Reader, places: list[int], found: dict[str, list[int | None]]) -> Iterator[dict[str, Any]]:
    width, starts, rows = len(_next(reader) or []), [], []
    start = reader.line_num + 1
    while (row := _next(reader)) is not None:
        if len(row) == width:
            starts.append(start)
            rows.append(row)
        elif row:
            found["more" if len(row) > width else "fewer"].append(start)
        start = reader.line_num + 1
        if len(rows) == ROWS_AT_A_TIME:
            yield _part(starts, rows, places)
            starts, rows = [], []
    yield _part(starts, rows, places)


def _part(starts: list[int], rows: list[list[str]], places: list[int]) -> dict[str, Any]:
    import numpy as np

    cells = {f"c{place}": np.array([row[place].strip(BLANKS) for row in rows], dtype=object) for place in places}
    return {"file_row": np.array(starts, dtype=np.int64), **cells}


def _malformed(words: str, rows: list[int | None]) -> Found:
    label = f"a line with {words} fields than the header"
    hint = "must have as many fields as the header; a field that holds a comma must stand in quotation marks"
    return Found(Check(column="", rule="type", severity="quarantine", label=label, hint=hint), rows)
