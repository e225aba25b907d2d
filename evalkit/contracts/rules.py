"""Every rule of a contract as one statement in DuckDB's SQL that yields the rows which break it.

A new kind of rule is one function here and one line in KINDS.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import NamedTuple

from evalkit.contracts.cells import TYPES, Bind, date_format_words, quoted, typed
from evalkit.contracts.contract import IDENTIFYING, REFUSE, Contract, Field, Rule

EXTRACT_DATE = "extract_date"
ORDERED = ("date", "integer", "number")
"""Types whose values have a lowest and a highest."""

Select = Callable[[str, Bind], str]
"""From a relation and a Bind: SQL of (row, value) of what breaks the rule; $extract_date stands for that date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule of one column, ready to be run.

    Attributes
    ----------
    label : str
        What is wrong, for the screen.
    hint : str
        What would be right, for the list of faults. Neither holds anything that stands in a cell.
    reads : tuple of str
        Columns without which it cannot be run.
    select : callable or None
        None where the rows are found by whoever reads the file.
    scope : str
        `rows`, `column` or `file`: what the fault is a fault of.
    """

    column: str
    rule: str
    severity: str
    label: str
    hint: str
    reads: tuple[str, ...] = ()
    select: Select | None = None
    needs_extract_date: bool = False
    scope: str = "rows"


class Found(NamedTuple):
    """Rows that were found to break a rule while the file was read; row 1 is a whole column, None a whole file."""

    check: Check
    rows: Sequence[int | None]


def checks(contract: Contract, fields: Iterable[Field]) -> Iterator[Check]:
    """Yield every check of a contract over these of its fields; ValueError says which rule makes no sense."""
    for rule in contract.rules:
        yield from KINDS[rule.kind](contract, None, rule)
    for field in fields:
        for rule in field.rules:
            yield from KINDS[rule.kind](contract, field, rule)


def _type(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    if field.type == "string":
        return
    words = TYPES[field.type][1]
    formats = " or ".join(date_format_words(each) for each in field.date_formats)
    written = f"{words} written {formats}" if field.type == "date" else words

    def wrong(bind: Bind) -> str:
        return f"{quoted(field.name)} IS NOT NULL AND {typed(field, bind)} IS NULL"

    yield _of_cells(field, rule, wrong, label=f"not {words}", hint=f"must be {written}")


def _required(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    def wrong(bind: Bind) -> str:
        return f"{quoted(field.name)} IS NULL"

    yield _of_cells(field, rule, wrong, label="empty", hint="must not be empty")


def _code(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    theirs, ours = list(field.code_map), list(rule.arguments["codes"])

    def wrong(bind: Bind) -> str:
        return f"NOT list_contains({bind(ours + theirs)}, {quoted(field.name)})"

    hint = f"must be one of: {', '.join(theirs or ours)}"
    yield _of_cells(field, rule, wrong, label="code that is not on the agreed list", hint=hint)


def _pattern(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    def wrong(bind: Bind) -> str:
        return f"NOT regexp_full_match({quoted(field.name)}, {bind(rule.arguments['pattern'])})"

    hint = f"must be written as {rule.arguments['pattern']}"
    yield _of_cells(field, rule, wrong, label="not written in the agreed way", hint=hint)


LIMITS: Mapping[str, tuple[str, str, str]] = types.MappingProxyType(
    {
        "minimum": ("<", "below {}", "must be {} or more"),
        "exclusiveMinimum": ("<=", "{} or below", "must be above {}"),
        "maximum": (">", "above {}", "must be {} or less"),
        "exclusiveMaximum": (">=", "{} or above", "must be below {}"),
    }
)
DAY_LIMITS: Mapping[str, tuple[str, str, str]] = types.MappingProxyType(
    {
        "minimum": ("<", "before {}", "must be {} or later"),
        "exclusiveMinimum": ("<=", "on or before {}", "must be after {}"),
        "maximum": (">", "after {}", "must be {} or earlier"),
        "exclusiveMaximum": (">=", "on or after {}", "must be before {}"),
    }
)
PLACES: Mapping[str, tuple[str, str, str]] = types.MappingProxyType(
    {
        "before": (">=", "on or after {}", "must be before {}"),
        "notAfter": (">", "after {}", "must not be after {}"),
        "after": ("<=", "on or before {}", "must be after {}"),
        "notBefore": ("<", "before {}", "must not be before {}"),
    }
)
"""Limit: the comparison that is wrong, what is then wrong in words, and what would be right."""


def _range(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    if field.type not in ORDERED:
        raise ValueError(f"a limit has no meaning for {TYPES[field.type][1]}")
    limits = DAY_LIMITS if field.type == "date" else LIMITS
    for argument, limit in rule.arguments.items():
        if argument in PLACES:
            yield _against_extract_date(field, rule, argument, limit)
            continue
        if argument not in limits or not _is_limit(field, limit):
            known = ", ".join(limits)
            raise ValueError(
                f"'{argument}: {limit}' is not one of {known} with a number, or with a date as '1900-01-01'"
            )
        operator, label, hint = limits[argument]
        wrong = partial(_beyond, field, operator, limit)
        yield _of_cells(field, rule, wrong, label=label.format(limit), hint=hint.format(limit))


def _is_limit(field: Field, limit: object) -> bool:
    if field.type != "date":
        return isinstance(limit, int | float) and not isinstance(limit, bool)
    try:
        return bool(date.fromisoformat(str(limit))) and isinstance(limit, str)
    except ValueError:
        return False


def _beyond(field: Field, operator: str, limit: object, bind: Bind) -> str:
    bound = f"CAST({bind(limit)} AS {TYPES[field.type][0] if field.type == 'date' else 'DOUBLE'})"
    return f"{typed(field, bind)} {operator} {bound}"


def _against_extract_date(field: Field, rule: Rule, argument: str, other: object) -> Check:
    if field.type != "date" or other != EXTRACT_DATE:
        raise ValueError(
            f"'{argument}' in a rule 'range' goes with a date and {EXTRACT_DATE}; for two fields use 'order'"
        )
    operator, label, hint = PLACES[argument]

    def wrong(bind: Bind) -> str:
        return f"{typed(field, bind)} {operator} CAST($extract_date AS DATE)"

    words = "the extract date"
    return _of_cells(field, rule, wrong, label=label.format(words), hint=hint.format(words), needs_extract_date=True)


def _order(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    for argument, name in rule.arguments.items():
        if argument not in PLACES:
            raise ValueError(f"a rule 'order' knows {', '.join(PLACES)}, not '{argument}'")
        yield _in_order(contract, field, rule, argument, str(name))


def _in_order(contract: Contract, field: Field, rule: Rule, argument: str, name: str) -> Check:
    other = contract.field(name)
    if other is None or other.type != field.type or field.type not in ORDERED:
        raise ValueError(
            f"'{argument}: {name}' does not name another field of the type '{field.type}' that has an order"
        )
    operator, label, hint = PLACES[argument]

    def wrong(bind: Bind) -> str:
        return f"{typed(field, bind)} {operator} {typed(other, bind)}"

    both = (field.name, name)
    return _of_cells(field, rule, wrong, label=label.format(name), hint=hint.format(name), reads=both)


def _unique(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    shown = _shown(field)
    yield _check(
        field, rule, label="repeated", hint="must stand only once in the column",
        select=lambda relation, bind: _repeated(relation, (field,), shown, bind),
    )  # fmt: skip


def _primary_key(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    """An empty part of the key, named in its own column; a repeated key, named in the first column of the key."""
    yield _check(
        field, rule, label="empty, and part of the key", hint="must not be empty", severity=REFUSE,
        select=lambda relation, bind: f"SELECT file_row, '' FROM {relation} WHERE {quoted(field.name)} IS NULL",
    )  # fmt: skip
    key = contract.key
    if field is not key[0]:
        return
    names = " + ".join(each.name for each in key)
    label = "repeated identifier" if len(key) == 1 else f"repeated key {names}"
    yield _check(
        field, rule, label=label, hint=f"{names} must stand only once in the file", severity=REFUSE,
        reads=tuple(each.name for each in key), select=lambda relation, bind: _repeated(relation, key, "''", bind),
    )  # fmt: skip


def _repeated(relation: str, fields: tuple[Field, ...], shown: str, bind: Bind) -> str:
    """All but the first of every repeated combination; by hash first, so that no sort of the whole file is needed."""
    parts = ", ".join(f"coalesce(CAST({typed(each, bind)} AS VARCHAR), {quoted(each.name)})" for each in fields)
    filled = " AND ".join(f"{quoted(each.name)} IS NOT NULL" for each in fields)
    return (
        f"WITH again AS (SELECT hash({parts}) AS h FROM {relation} WHERE {filled} GROUP BY h HAVING count(*) > 1) "
        f"SELECT file_row, {shown} FROM {relation} WHERE {filled} AND hash({parts}) IN (SELECT h FROM again) "
        f"QUALIFY row_number() OVER (PARTITION BY {parts} ORDER BY file_row) > 1"
    )


def _not_empty(contract: Contract, field: None, rule: Rule) -> Iterator[Check]:
    yield Check(
        column="", rule="required", severity=REFUSE, label="a header and no rows that can be read",
        hint="must hold at least one row", scope="file",
        select=lambda relation, bind: f"SELECT NULL, '' WHERE (SELECT count(*) FROM {relation}) = 0",
    )  # fmt: skip


def _of_cells(
    field: Field, rule: Rule, wrong: Callable[[Bind], str], *, label: str, hint: str,
    reads: tuple[str, ...] = (), needs_extract_date: bool = False,
) -> Check:  # fmt: skip
    """A rule that is judged a row at a time: `wrong` is the condition of the rows that break it."""
    shown = _shown(field)
    return _check(
        field, rule, label=label, hint=hint, reads=reads, needs_extract_date=needs_extract_date,
        select=lambda relation, bind: f"SELECT file_row, {shown} FROM {relation} WHERE {wrong(bind)}",
    )  # fmt: skip


def _check(
    field: Field, rule: Rule, *, label: str, hint: str, select: Select,
    severity: str = "", reads: tuple[str, ...] = (), needs_extract_date: bool = False,
) -> Check:  # fmt: skip
    return Check(
        column=field.name, rule=rule.kind, severity=severity or rule.severity, label=label, hint=hint,
        reads=reads or (field.name,), select=select, needs_extract_date=needs_extract_date,
    )  # fmt: skip


def _shown(field: Field) -> str:
    """SQL of what a list of faults may show of a cell."""
    return "''" if field.classification == IDENTIFYING else f"coalesce({quoted(field.name)}, '')"


KINDS: Mapping[str, Callable[..., Iterator[Check]]] = types.MappingProxyType(
    {
        "type": _type,
        "required": _required,
        "code": _code,
        "range": _range,
        "pattern": _pattern,
        "unique": _unique,
        "primary_key": _primary_key,
        "order": _order,
        "not_empty": _not_empty,
    }
)
"""Kind of rule: what turns a contract, one of its fields (None for the table) and the rule into checks."""

OF_THE_STANDARD = ("type", "required", "code", "pattern", "unique", "primary_key", "not_empty")
"""Kinds for which the standard has words of its own; the others stand under `quality` with `engine: evalkit`."""
