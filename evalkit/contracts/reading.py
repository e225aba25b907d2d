"""From a file of the Open Data Contract Standard to a Contract, or every mistake in it in words."""

from __future__ import annotations

import hashlib
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from open_data_contract_standard.model import (
    CustomProperty,
    DataQuality,
    Description,
    OpenDataContractStandard,
    Relationship,
    SchemaObject,
    SchemaProperty,
    Team,
)
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from evalkit.contracts import rules
from evalkit.contracts.contract import ISO_DATE, QUARANTINE, WARN, Contract, Field, Rule
from evalkit.contracts.demands import custom, demands
from evalkit.errors import StudyError
from evalkit.study import nearest, settings_of, shown

ENDING = ".odcs.yaml"
SEVERITIES = {None: QUARANTINE, "error": QUARANTINE, "warning": WARN}


def contract_files(folder: Path) -> dict[str, Path]:
    """Return the files of a folder of contracts by the table that each is for; StudyError where there is none."""
    files = {file.name.removesuffix(ENDING): file for file in sorted(folder.glob(f"*{ENDING}"))}
    if not files:
        raise StudyError(f"{shown(folder)} holds no contract: a contract is a file called TABLE{ENDING}.")
    return files


def read_all(files: Iterable[Path]) -> tuple[Contract, ...]:
    """Return the contracts in these files, in their order; StudyError names the mistakes of all of them."""
    contracts, problems = [], []
    for file in files:
        try:
            contracts.append(read(file))
        except StudyError as error:
            problems.append(str(error))
    if problems:
        raise StudyError("\n".join(problems))
    return tuple(contracts)


def read(file: Path) -> Contract:
    """Return the contract in a file. StudyError says everything that is wrong with it."""
    raw = settings_of(file)
    document = _modelled(raw, file)
    _stop_at(demands(document), file)
    contract = _contract(document, file)
    _stop_at(_senseless(contract), file)
    return contract


def _stop_at(problems: Iterator[str], file: Path) -> None:
    listed = list(dict.fromkeys(problems))
    if listed:
        lines = "".join(f"\n  {problem}" for problem in listed)
        raise StudyError(f"{shown(file)} cannot be used as a data contract:{lines}")


def _modelled(raw: dict[str, Any], file: Path) -> OpenDataContractStandard:
    try:
        return OpenDataContractStandard.model_validate(raw, strict=True, extra="forbid")
    except ValidationError as error:
        details = error.errors(include_url=False)
    _stop_at((f"{_place(raw, detail['loc'])}{_words(detail)}" for detail in details), file)
    raise AssertionError("a contract that is not valid has at least one mistake")


_MODELS: dict[str, type[BaseModel]] = {
    "schema": SchemaObject,
    "properties": SchemaProperty,
    "quality": DataQuality,
    "customProperties": CustomProperty,
    "description": Description,
    "relationships": Relationship,
    "team": Team,
}


def _words(detail: ErrorDetails) -> str:
    setting = str(detail["loc"][-1])
    if detail["type"] != "extra_forbidden":
        message = detail["msg"]
        return f"{setting}: {message[0].lower()}{message[1:]}."
    around = [part for part in detail["loc"][:-1] if part in _MODELS]
    model = _MODELS[str(around[-1])] if around else OpenDataContractStandard
    valid = [field.alias or name for name, field in model.model_fields.items()]
    return f"there is no setting called '{setting}'. {nearest(setting, valid)}"


def _place(raw: Any, location: tuple[int | str, ...]) -> str:
    """Where in the file a mistake is: the innermost thing on the way to it that has a name."""
    name, kind, inside = "", "", ""
    for part in location[:-1]:
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            break
        kind = part if isinstance(part, str) else kind
        if isinstance(raw, dict) and raw.get("name") and kind in ("schema", "properties"):
            name, inside = f"{'table' if kind == 'schema' else 'field'} '{raw['name']}'", ""
        elif isinstance(part, str) and part not in ("schema", "properties"):
            inside = f", {part}"
    return f"{name}{inside}: " if name else f"{inside.removeprefix(', ')}: " if inside else ""


def _senseless(contract: Contract) -> Iterator[str]:
    """Rules that cannot be turned into a check: found when the contract is read, not when an extract is."""
    if contract.file.name != f"{contract.table}{ENDING}":
        yield f"table '{contract.table}': its contract must be in a file called {contract.table}{ENDING}."
    for field in contract.fields:
        for rule in field.rules:
            try:
                list(rules.KINDS[rule.kind](contract, field, rule))
            except ValueError as error:
                yield f"field '{field.name}', rule '{rule.kind}': {error}."


def _contract(document: OpenDataContractStandard, file: Path) -> Contract:
    [table] = document.schema_ or []
    facts = custom(table.customProperties)
    return Contract(
        id=str(document.id),
        version=str(document.version),
        table=str(table.name),
        purpose=str(document.description and document.description.purpose),
        one_row_is=str(table.dataGranularityDescription),
        fields=tuple(map(_field, table.properties or [])),
        rules=tuple(Rule(kind="not_empty") for quality in table.quality or [] if quality.metric == "rowCount"),
        encoding=facts.get("encoding", "utf-8"),
        missing_tokens=tuple(facts.get("missingTokens", ())),
        number_prefix=facts.get("numericColumnPrefix"),
        answer_prefix=facts.get("answerColumnPrefix"),
        file=file,
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
    )


def _field(element: SchemaProperty) -> Field:
    facts = custom(element.customProperties)
    return Field(
        name=str(element.name),
        label=str(element.businessName),
        description=str(element.description),
        type=str(element.logicalType),
        classification=str(element.classification),
        rules=tuple(_rules(element)),
        is_key=bool(element.primaryKey),
        date_formats=tuple(facts.get("dateFormats", (ISO_DATE,))),
        code_map=types.MappingProxyType(facts.get("codeMap", {})),
        synonyms=tuple(facts.get("headerSynonyms", ())),
    )


def _rules(element: SchemaProperty) -> Iterator[Rule]:
    """The rules of a field: those that the standard has a word for, and then those under `quality`."""
    yield Rule(kind="type")
    if element.primaryKey:
        yield Rule(kind="primary_key")
    elif element.required:
        yield Rule(kind="required")
    if element.unique and not element.primaryKey:
        yield Rule(kind="unique")
    options = dict(element.logicalTypeOptions or {})
    if "pattern" in options:
        yield Rule(kind="pattern", arguments=types.MappingProxyType({"pattern": options.pop("pattern")}))
    if options:
        yield Rule(kind="range", arguments=types.MappingProxyType(options))
    for quality in element.quality or []:
        if quality.type != "text":
            yield _quality_rule(quality)


def _quality_rule(quality: DataQuality) -> Rule:
    given = dict(quality.implementation) if isinstance(quality.implementation, dict) else {}
    if quality.metric == "invalidValues":
        labels = custom(quality.customProperties)["labels"]
        given = {"rule": "code", "codes": {code: labels[code] for code in (quality.arguments or {})["validValues"]}}
    kind = given.pop("rule")
    return Rule(kind=kind, arguments=types.MappingProxyType(given), severity=SEVERITIES[quality.severity])
