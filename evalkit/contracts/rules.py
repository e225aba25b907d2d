"""Every rule of a contract as one statement in DuckDB's SQL that yields the rows which break it.

A new kind of rule is one function here and one line in OWN (or in KINDS, where the standard has a word for it).
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, NamedTuple

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
    select: Select | None = None
    needs_extract_date: bool = False
    scope: str = "rows"


class Found(NamedTuple):
    """Rows that were found to break a rule while the file was read; row 1 is a whole column, None a whole file."""

    check: Check
    rows: Sequence[int | None]


def checks(contract: Contract, present: Sequence[Field]) -> Iterator[Check]:
    """Yield every check of a file with these fields; ValueError says which rule makes no sense.

    Of a column that the file lacks, which is empty in every row, it is only asked whether it may be.
    """
    for rule in contract.rules:
        yield from KINDS[rule.kind](contract, None, rule)
    for field in (*present, *(each for each in contract.fields if each not in present)):
        for rule in field.rules:
            if field in present or rule.kind == "required_when":
                yield from KINDS[rule.kind](contract, field, rule)


def _type(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    if field.type == "string":
        return
    words = TYPES[field.type][1]
    written = " or ".join(map(date_format_words, field.date_formats))
    yield _of_cells(
        field, rule, lambda bind: f"{quoted(field.name)} IS NOT NULL AND {typed(field, bind)} IS NULL",
        label=f"not {words}", hint=f"must be {words}" + (f" written {written}" if field.type == "date" else ""),
    )  # fmt: skip


def _required(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    empty = f"{quoted(field.name)} IS NULL"
    yield _of_cells(field, rule, lambda bind: empty, label="empty", hint="must not be empty")


def _required_when(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    """Empty in a row whose other field holds one of its codes; null stands for another field that is empty too."""
    for name, code in rule.arguments.items():
        other = contract.field(name)
        if other is None or other is field or not (code is None or str(code) in other.codes):
            raise ValueError(f"'{name}: {code}' does not name another field with one of its codes, or null for empty")
        words = f"empty where {name} is {code or 'empty'}"
        wrong = partial(_empty_when, field, other, code)
        yield _of_cells(field, rule, wrong, label=words, hint=f"must not be {words}")


def _empty_when(field: Field, other: Field, code: str | None, bind: Bind) -> str:
    is_so = f"{typed(other, bind)} = {bind(code)}" if code else f"{quoted(other.name)} IS NULL"
    return f"{quoted(field.name)} IS NULL AND {is_so}"


def _code(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    theirs, ours = list(field.code_map), list(rule.arguments["codes"])
    yield _of_cells(
        field, rule, lambda bind: f"NOT list_contains({bind(ours + theirs)}, {quoted(field.name)})",
        label="code that is not on the agreed list", hint=f"must be one of: {', '.join(theirs or ours)}",
    )  # fmt: skip


def _pattern(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    pattern = rule.arguments["pattern"]
    yield _of_cells(
        field, rule, lambda bind: f"NOT regexp_full_match({quoted(field.name)}, {bind(pattern)})",
        label="not written in the agreed way", hint=f"must be written as {pattern}",
    )  # fmt: skip


PLACES: Mapping[str, tuple[str, str, str]] = types.MappingProxyType(
    {
        "before": (">=", "on or after {}", "must be before {}"),
        "notAfter": (">", "after {}", "must not be after {}"),
        "after": ("<=", "on or before {}", "must be after {}"),
        "notBefore": ("<", "before {}", "must not be before {}"),
        "otherThan": ("=", "the same as {}", "must not be the same as {}"),
    }
)
LIMITS: Mapping[str, tuple[str, str, str]] = types.MappingProxyType(
    {
        "minimum": ("<", "below {}", "must be {} or more"),
        "exclusiveMinimum": ("<=", "{} or below", "must be above {}"),
        "maximum": (">", "above {}", "must be {} or less"),
        "exclusiveMaximum": (">=", "{} or above", "must be below {}"),
    }
)
"""Limit: the comparison that is wrong, what is then wrong in words, and what would be right."""

DAY_LIMITS = {
    **PLACES,
    "minimum": PLACES["notBefore"],
    "exclusiveMinimum": PLACES["after"],
    "maximum": PLACES["notAfter"],
    "exclusiveMaximum": PLACES["before"],
}


def _range(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    if field.type not in ORDERED:
        raise ValueError(f"a limit has no meaning for {TYPES[field.type][1]}")
    limits = DAY_LIMITS if field.type == "date" else LIMITS
    for argument, limit in rule.arguments.items():
        is_extract_date = field.type == "date" and limit == EXTRACT_DATE
        if argument not in limits or not (is_extract_date or _is_limit(field, limit)):
            known, day = ", ".join(limits), f"a date as '1900-01-01' or {EXTRACT_DATE}"
            raise ValueError(
                f"'{argument}: {limit}' is not one of {known} with a number or {day}; for fields use 'order'"
            )
        operator, label, hint = limits[argument]
        words = "the extract date" if is_extract_date else limit
        yield _of_cells(
            field, rule, partial(_beyond, field, operator, limit), label=label.format(words), hint=hint.format(words),
            needs_extract_date=is_extract_date,
        )  # fmt: skip


def _is_limit(field: Field, limit: object) -> bool:
    if field.type != "date":
        return isinstance(limit, int | float) and not isinstance(limit, bool)
    try:
        return bool(date.fromisoformat(str(limit))) and isinstance(limit, str)
    except ValueError:
        return False


def _beyond(field: Field, operator: str, limit: object, bind: Bind) -> str:
    bound = f"${EXTRACT_DATE}" if limit == EXTRACT_DATE else bind(limit)
    return f"{typed(field, bind)} {operator} CAST({bound} AS {'DATE' if field.type == 'date' else 'DOUBLE'})"


def _order(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    for argument, named in rule.arguments.items():
        if argument not in PLACES:
            raise ValueError(f"a rule 'order' knows {', '.join(PLACES)}, not '{argument}'")
        for name in named if isinstance(named, list) else [named]:
            yield _in_order(contract, field, rule, argument, str(name))


def _in_order(contract: Contract, field: Field, rule: Rule, argument: str, name: str) -> Check:
    other = contract.field(name)
    has_order = field.type in ORDERED or argument == "otherThan"
    if other is None or other.type != field.type or not has_order:
        raise ValueError(
            f"'{argument}: {name}' does not name another field of the type '{field.type}' that has an order"
        )
    operator, label, hint = PLACES[argument]
    return _of_cells(
        field, rule, lambda bind: f"{typed(field, bind)} {operator} {typed(other, bind)}",
        label=label.format(name), hint=hint.format(name),
    )  # fmt: skip


def _unique(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    yield _check(
        field, rule, lambda relation, bind: _repeated(relation, (field,), _shown(field), bind),
        label="repeated", hint="must stand only once in the column",
    )  # fmt: skip


def _primary_key(contract: Contract, field: Field, rule: Rule) -> Iterator[Check]:
    """An empty part of the key, named in its own column; a repeated key, named in the first column of the key."""
    yield _check(
        field, rule, lambda relation, bind: f"SELECT file_row, '' FROM {relation} WHERE {quoted(field.name)} IS NULL",
        label="empty, and part of the key", hint="must not be empty", severity=REFUSE,
    )  # fmt: skip
    key = contract.key
    if field is key[0]:
        names = " + ".join(each.name for each in key)
        yield _check(
            field, rule, lambda relation, bind: _repeated(relation, key, "''", bind),
            label="repeated identifier" if len(key) == 1 else f"repeated key {names}",
            hint=f"{names} must stand only once in the file", severity=REFUSE,
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


def _of_cells(field: Field, rule: Rule, wrong: Callable[[Bind], str], **words: Any) -> Check:
    """A rule that is judged a row at a time: `wrong` is the condition of the rows that break it."""

    def select(relation: str, bind: Bind) -> str:
        return f"SELECT file_row, {_shown(field)} FROM {relation} WHERE {wrong(bind)}"

    return _check(field, rule, select, **words)


def _check(field: Field, rule: Rule, select: Select, *, severity: str = "", **words: Any) -> Check:
    return Check(column=field.name, rule=rule.kind, severity=severity or rule.severity, select=select, **words)


def _shown(field: Field) -> str:
    """SQL of what a list of faults may show of a cell."""
    return "''" if field.classification == IDENTIFYING else f"coalesce({quoted(field.name)}, '')"


OWN = {"range": _range, "order": _order, "required_when": _required_when}
"""Kinds for which the standard has no word: they stand under `quality` with `engine: evalkit`."""

KINDS: Mapping[str, Callable[..., Iterator[Check]]] = types.MappingProxyType(
    {
        **OWN,
        "type": _type,
        "required": _required,
        "code": _code,
        "pattern": _pattern,
        "unique": _unique,
        "primary_key": _primary_key,
        "not_empty": _not_empty,
    }
)
"""Kind of rule: what turns a contract, one of its fields (None for the table) and the rule into checks."""
