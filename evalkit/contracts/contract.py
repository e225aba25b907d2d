"""What an extract must look like: a contract, its fields and their rules."""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IDENTIFYING = "identifying"
CLASSIFICATIONS = (IDENTIFYING, "sensitive", "confidential", "public")
QUARANTINE, REFUSE, WARN = "quarantine", "refuse", "warn"
ISO_DATE = "%Y-%m-%d"
PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]*")
NOTHING: Mapping[str, str] = types.MappingProxyType({})
ANSWERS: Mapping[str, str] = types.MappingProxyType({"yes": "Yes", "no": "No", "unknown": "Not known"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule as a contract states it.

    Attributes
    ----------
    kind : str
        A key of `rules.KINDS`, and the rule's name in a list of faults.
    arguments : mapping
        What the kind needs to know: a limit, a list of codes, the name of another field.
    severity : str
        What becomes of a row that breaks it: `quarantine` or `warn`. The rules of a key refuse the file whatever this.
    """

    kind: str
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=lambda: NOTHING)
    severity: str = QUARANTINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of an extract.

    Attributes
    ----------
    type : str
        A key of `cells.TYPES`.
    classification : str
        One of CLASSIFICATIONS; the cells of an identifying column never stand in a list of faults.
    date_formats : tuple of str
        Ways in which a date may be written, tried in this order.
    code_map : mapping
        The supplier's codes and what they become here.
    synonyms : tuple of str
        Headers under which the supplier may send it.
    """

    name: str
    label: str
    description: str
    type: str
    classification: str
    rules: tuple[Rule, ...]
    is_key: bool = False
    date_formats: tuple[str, ...] = (ISO_DATE,)
    code_map: Mapping[str, str] = dataclasses.field(default_factory=lambda: NOTHING)
    synonyms: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        """Whether a file without this column is refused."""
        return any(rule.kind in ("required", "primary_key") for rule in self.rules)

    @property
    def codes(self) -> Mapping[str, str]:
        """The agreed codes with their labels; empty where any text will do."""
        return next((rule.arguments["codes"] for rule in self.rules if rule.kind == "code"), NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What one incoming table must look like. Made by `Contract.read` from a file of the Open Data Contract Standard.

    Attributes
    ----------
    one_row_is : str
        What a row stands for: the denominator of whatever is counted.
    rules : tuple of Rule
        Rules of the table as a whole.
    missing_tokens : tuple of str
        Cells that mean the same as an empty one.
    number_prefix, answer_prefix : str or None
        A column whose name starts so is an optional number, or one of ANSWERS, though the contract does not list it.
    sha256 : str
        Of the bytes of `file`.
    """

    id: str
    version: str
    table: str
    purpose: str
    one_row_is: str
    fields: tuple[Field, ...]
    file: Path
    sha256: str
    rules: tuple[Rule, ...] = ()
    encoding: str = "utf-8"
    missing_tokens: tuple[str, ...] = ()
    number_prefix: str | None = None
    answer_prefix: str | None = None

    @classmethod
    def read(cls, file: str | Path) -> Contract:
        """Return the contract in a file; StudyError names everything that is wrong with it, and where."""
        from evalkit.contracts.reading import read

        return read(Path(file))

    @property
    def key(self) -> tuple[Field, ...]:
        """The fields that together tell one row from another, in the order of the contract."""
        return tuple(field for field in self.fields if field.is_key)

    def field(self, name: str) -> Field | None:
        """Return the field of this name, which may be one that only a prefix allows; else None."""
        listed = next((field for field in self.fields if field.name == name), None)
        return listed or self._prefixed(name)

    def _prefixed(self, name: str) -> Field | None:
        for prefix, kind in ((self.number_prefix, _NUMBER), (self.answer_prefix, _ANSWER)):
            if prefix and name.startswith(prefix) and name != prefix:
                return dataclasses.replace(kind, name=name, label=name.removeprefix(prefix).replace("_", " "))
        return None


_NUMBER = Field(
    name="", label="", description="A covariate measured before the index date.", type="number",
    classification="confidential", rules=(Rule(kind="type"),),
)  # fmt: skip
_ANSWER = Field(
    name="", label="", description="Whether this held when it was asked.", type="string", classification="sensitive",
    rules=(Rule(kind="code", arguments={"codes": ANSWERS}),),
)  # fmt: skip
