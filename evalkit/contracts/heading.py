"""Which column of a file is which field of the contract, and what is wrong with a header."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from evalkit.contracts.contract import PLAIN_NAME, REFUSE, Contract, Field
from evalkit.contracts.rules import Check, Found

ALIKE = 0.85
"""Similarity from which a name that the contract does not know is taken for a slip of the pen. `first_evnt_on` and
`first_event_on` are 0.96 alike, `height` and `weight` 0.83."""

Columns = Sequence[tuple[str, Field | None]]
"""The names of a header with the field that each of them means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """The header of one file, read with a contract in hand.

    Attributes
    ----------
    fields : tuple of Field or None
        One for each column of the file; None where the column is not read.
    left_out : tuple of str
        Columns that the contract does not know. They are never stored.
    found : tuple of Found
        What is wrong with the header; each refuses the file.
    """

    fields: tuple[Field | None, ...]
    left_out: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()


def heading(contract: Contract, headers: Sequence[str]) -> Heading:
    """Return how a contract reads a header.

    No name is shown of a first line that holds less than half of the columns which must be there: it may be a person's
    row, one cell of which happens to be the name of a column.
    """
    names = [header.strip() for header in headers]
    meant = [_field_of(contract, name) for name in names]
    columns = list(zip(names, meant, strict=True))
    slips = _slips(contract, columns)
    must = [field for field in contract.fields if field.required]
    if 2 * sum(field in meant or field.name in slips for field in must) < len(must):
        return Heading(fields=tuple(None for _ in names), found=(_no_header(must, names),))
    unknown = [name for name, field in columns if not field and name not in slips.values()]
    return Heading(
        fields=tuple(None if field in meant[:place] else field for place, field in enumerate(meant)),
        left_out=tuple(name or "(a column without a name)" for name in unknown),
        found=tuple(_found(contract, columns, slips)),
    )


def _field_of(contract: Contract, header: str) -> Field | None:
    by_synonym = {synonym: field for field in contract.fields for synonym in field.synonyms}
    return by_synonym.get(header) or contract.field(header)


def _slips(contract: Contract, columns: Columns) -> dict[str, str]:
    """Fields that the file lacks, with the unknown name in it that was probably meant."""
    unknown = [name for name, field in columns if not field]
    lacking = [field.name for field in contract.fields if field not in [each for _, each in columns]]
    likely = {field: max(unknown, key=partial(_likeness, field), default="") for field in lacking}
    return {field: name for field, name in likely.items() if _likeness(field, name) >= ALIKE}


def _likeness(field: str, name: str) -> float:
    """From 0 to 1, whatever the case; 1 for the same letters in another order."""
    given = name.casefold()
    return 1.0 if sorted(given) == sorted(field) else difflib.SequenceMatcher(None, field, given).ratio()


def _found(contract: Contract, columns: Columns, slips: Mapping[str, str]) -> Iterator[Found]:
    times = Counter(field.name for _, field in columns if field)
    for field in contract.fields:
        if field.name not in times and field.name in slips:
            label = f"there is no such column, but one called '{slips[field.name]}'. Did you mean '{field.name}'?"
            yield _of_header(field.name, "required", label, "rename it, or list it as a headerSynonym in the contract")
        elif field.name not in times and field.required:
            hint = "add it, or list the supplier's name for it as a headerSynonym in the contract"
            yield _of_header(field.name, "required", "there is no such column", hint)
    for name in times:
        if times[name] > 1:
            yield _of_header(name, "unique", "stands more than once in the header", "keep one of the columns")
        if not PLAIN_NAME.fullmatch(name):
            yield _of_header(name, "pattern", "a name that is not in small letters, digits and _", "rename it")


def _of_header(column: str, rule: str, label: str, hint: str) -> Found:
    return Found(Check(column=column, rule=rule, severity=REFUSE, label=label, hint=hint, scope="column"), (1,))


def _no_header(must: Sequence[Field], names: Sequence[str]) -> Found:
    separator = next((words for sign, words in _SEPARATORS.items() if names and sign in names[0]), None)
    if len(names) == 1 and separator:
        label = f"the fields are separated by {separator}, not by commas"
        hint = "save the file again as CSV with commas"
    else:
        label = "the first line is not the header: hardly a name in it is known"
        hint = f"the first line must name the columns, at least {', '.join(field.name for field in must)}"
    return Found(Check(column="", rule="required", severity=REFUSE, label=label, hint=hint, scope="file"), (None,))


_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
