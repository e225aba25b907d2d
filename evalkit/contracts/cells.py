"""One cell in DuckDB's SQL: from the text of a file to a value of the type that the contract names."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping

from evalkit.contracts.contract import Contract, Field

Bind = Callable[[object], str]
"""Puts a value among a statement's parameters and returns what stands for it in the text."""

TYPES: Mapping[str, tuple[str, str]] = types.MappingProxyType(
    {
        "string": ("VARCHAR", "text"),
        "date": ("DATE", "a date"),
        "integer": ("BIGINT", "a whole number"),
        "number": ("DOUBLE", "a number"),
        "boolean": ("BOOLEAN", "yes or no"),
    }
)
"""Type of a field: DuckDB's type in the store, and its name in words."""

DIRECTIVES: Mapping[str, tuple[str, str]] = types.MappingProxyType(
    {
        "%Y": (r"\d{4}", "YYYY"),
        "%y": (r"\d{2}", "YY"),
        "%m": (r"\d{1,2}", "MM"),
        "%d": (r"\d{1,2}", "DD"),
        "%b": (r"[A-Za-z]{3}", "Mon"),
        "%B": (r"[A-Za-z]{3,9}", "Month"),
        "%H": (r"\d{1,2}", "hh"),
        "%M": (r"\d{2}", "mm"),
        "%S": (r"\d{2}", "ss"),
    }
)
"""Part of a date format: what it may look like, because strptime takes 21 for the year 21, and how readers write it."""

_DIRECTIVE = re.compile(r"%.?")
_WHOLE_NUMBER = r"[+-]?[0-9]{1,18}(\.0+)?"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"


class Parameters(dict[str, object]):
    """The values of one statement; calling it is a Bind."""

    def __call__(self, value: object) -> str:
        """Keep a value and return the name that stands for it."""
        name = f"v{len(self)}"
        self[name] = value
        return f"${name}"


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def cleaned(cell: str, contract: Contract, bind: Bind) -> str:
    """SQL of a cell without blanks at its ends, empty where it says in any agreed way that nothing is known."""
    trimmed = f"trim({cell})"
    if not contract.missing_tokens:
        return f"nullif({trimmed}, '')"
    tokens = ", ".join(bind(token) for token in contract.missing_tokens)
    return f"CASE WHEN {trimmed} IN ('', {tokens}) THEN NULL ELSE {trimmed} END"


def typed(field: Field, bind: Bind) -> str:
    """SQL of a cleaned cell as its type; empty where it is empty or is not of that type."""
    return _CASTS[field.type](field, bind)


def date_format_words(date_format: str) -> str:
    """Return a date format as people write it: DD/MM/YYYY."""
    return _DIRECTIVE.sub(lambda found: DIRECTIVES[found.group()][1], date_format)


def unknown_directives(date_format: str) -> list[str]:
    """Return the parts of a date format that are not in DIRECTIVES."""
    return [part for part in _DIRECTIVE.findall(date_format) if part not in DIRECTIVES]


def written_as(field: Field, date_format: str, bind: Bind) -> str:
    """SQL of a cell as a timestamp where it is written exactly in one format; else empty."""
    cell = quoted(field.name)
    return (
        f"CASE WHEN regexp_full_match({cell}, {bind(_pattern(date_format))}) "
        f"THEN try_strptime({cell}, {bind(date_format)}) END"
    )


def _pattern(date_format: str) -> str:
    between = _DIRECTIVE.split(date_format)
    escaped = [re.sub(r"[.^$*+?()\[\]{}|\\]", r"\\\g<0>", text) for text in between]
    parts = [DIRECTIVES[part][0] for part in _DIRECTIVE.findall(date_format)]
    return escaped[0] + "".join(part + text for part, text in zip(parts, escaped[1:], strict=True))


def _text(field: Field, bind: Bind) -> str:
    cell = quoted(field.name)
    if not field.code_map:
        return cell
    cases = " ".join(f"WHEN {bind(theirs)} THEN {bind(ours)}" for theirs, ours in field.code_map.items())
    return f"(CASE {cell} {cases} ELSE {cell} END)"


def _date(field: Field, bind: Bind) -> str:
    tried = ", ".join(written_as(field, date_format, bind) for date_format in field.date_formats)
    return f"CAST(coalesce({tried}) AS DATE)"


def _integer(field: Field, bind: Bind) -> str:
    cell = quoted(field.name)
    whole = f"TRY_CAST(split_part({cell}, '.', 1) AS BIGINT)"
    return f"(CASE WHEN regexp_full_match({cell}, {bind(_WHOLE_NUMBER)}) THEN {whole} END)"


def _number(field: Field, bind: Bind) -> str:
    cell = quoted(field.name)
    number = f"TRY_CAST({cell} AS DOUBLE)"
    return f"(CASE WHEN regexp_full_match({cell}, {bind(_NUMBER)}) AND isfinite({number}) THEN {number} END)"


def _boolean(field: Field, bind: Bind) -> str:
    return f"(CASE {_text(field, bind)} WHEN 'yes' THEN true WHEN 'no' THEN false END)"


_CASTS: Mapping[str, Callable[[Field, Bind], str]] = {
    "string": _text,
    "date": _date,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
}
