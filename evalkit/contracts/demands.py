"""What a contract must say beyond the standard, and what of the standard is not read: nothing in it is ignored.

Where a rule stands in a contract
---------------------------------
- `required`, `unique`, `primaryKey`, and limits and patterns under `logicalTypeOptions`: the standard's own words.
- A code list: the standard's quality metric `invalidValues`, with the labels beside the codes.
- Everything else (`rules.OWN`): a quality rule of the standard's type `custom` with `engine: evalkit`, for instance
  `implementation: {rule: order, notBefore: index_date}`. The type `sql` would state the same in a dialect, give a
  count instead of rows, and run whatever stands in a file; a custom property would have no place for the severity,
  the dimension and the description that every quality rule has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from open_data_contract_standard.model import (
    CustomProperty,
    DataQuality,
    OpenDataContractStandard,
    SchemaObject,
    SchemaProperty,
)

from evalkit.contracts.cells import TYPES, unknown_directives
from evalkit.contracts.contract import CLASSIFICATIONS, PLAIN_NAME
from evalkit.contracts.rules import LIMITS, OWN
from evalkit.study import nearest

ENGINE = "evalkit"
ENCODINGS = ("utf-8", "cp1252")
RESERVED = {"schema": ("manifest", "quarantined"), "properties": ("file_row", "input")}
OF_A_TABLE: Mapping[str, type] = {
    "encoding": str,
    "missingTokens": list,
    "numericColumnPrefix": str,
    "answerColumnPrefix": str,
}
OF_A_FIELD: Mapping[str, type] = {"headerSynonyms": list, "codeMap": dict, "dateFormats": list}
NOT_READ = {
    "schema": ("relationships", "synonyms", "physicalName"),
    "properties": ("relationships", "synonyms", "physicalName", "enum", "properties", "items", "map", "partitioned"),
}
"""Settings of the standard that say something about the data which is not checked: better refused than ignored."""


def custom(properties: Iterable[CustomProperty] | None) -> dict[str, Any]:
    """Return custom properties by name."""
    return {str(each.property): each.value for each in properties or []}


def demands(document: OpenDataContractStandard) -> Iterator[str]:
    """Yield in words what is missing from a contract, or stands in it and would not be checked."""
    if not str(document.apiVersion).startswith(("v3.1.", "v3.2.")):
        yield "apiVersion: must be v3.1.0."
    if document.kind != "DataContract":
        yield "kind: must be DataContract."
    yield from (f"{name}: is missing." for name in ("id", "version") if not getattr(document, name))
    if not (document.description and document.description.purpose):
        yield "description: purpose is missing. Say what the table is for."
    tables = document.schema_ or []
    if len(tables) != 1:
        yield f"schema: holds {len(tables)} tables. One contract describes one table."
    for table in tables:
        yield from (f"table '{table.name}': {words}" for words in _of_table(table))
        for field in table.properties or []:
            yield from (f"field '{field.name}': {words}" for words in _of_field(field))


def _of_table(table: SchemaObject) -> Iterator[str]:
    if not (table.dataGranularityDescription or "").strip():
        yield (
            "dataGranularityDescription is missing. Say what one row is: "
            "whoever does not know it cannot choose a denominator."
        )
    yield from _name(table.name, RESERVED["schema"])
    yield from _unread(table, "schema")
    yield from _custom_properties(table.customProperties, OF_A_TABLE)
    if (encoding := custom(table.customProperties).get("encoding", "utf-8")) not in ENCODINGS:
        yield f"encoding: '{encoding}' is not one of {', '.join(ENCODINGS)}."
    if any(not _is_row_count(quality) for quality in table.quality or [] if quality.type != "text"):
        yield "quality: of a whole table only {metric: rowCount, mustBeGreaterThan: 0} is checked."
    fields = table.properties or []
    if not any(field.primaryKey for field in fields):
        yield "no field is the primaryKey. Say which fields together tell one row from another."
    repeated = sorted({str(field.name) for field in fields if [each.name for each in fields].count(field.name) > 1})
    yield from (f"the field '{name}' is described twice." for name in repeated)


def _is_row_count(quality: DataQuality) -> bool:
    return quality.metric == "rowCount" and quality.mustBeGreaterThan == 0


def _of_field(field: SchemaProperty) -> Iterator[str]:
    yield from _name(field.name, RESERVED["properties"])
    for setting in ("businessName", "description"):
        if not getattr(field, setting):
            yield f"{setting} is missing."
    if field.logicalType not in TYPES:
        yield f"logicalType: '{field.logicalType}' is not one of {', '.join(TYPES)}."
        return
    if field.classification not in CLASSIFICATIONS:
        yield f"classification: '{field.classification}' is not one of {', '.join(CLASSIFICATIONS)}."
    yield from _unread(field, "properties")
    misshapen = list(_custom_properties(field.customProperties, OF_A_FIELD))
    yield from misshapen or _codes_and_dates(field)
    yield from _options(field)
    for quality in field.quality or []:
        yield from _quality(quality)


def _name(name: str | None, reserved: tuple[str, ...]) -> Iterator[str]:
    if not PLAIN_NAME.fullmatch(name or ""):
        yield "its name must be small letters, digits and _, beginning with a letter."
    if name in reserved:
        yield f"the names {' and '.join(reserved)} are kept for what the store says of itself."


def _unread(element: SchemaObject | SchemaProperty, kind: str) -> Iterator[str]:
    for setting in NOT_READ[kind]:
        if getattr(element, setting, None):
            yield f"{setting}: is not checked by this version; take it out, so that nobody relies on it."


def _custom_properties(properties: Iterable[CustomProperty] | None, known: Mapping[str, type]) -> Iterator[str]:
    for each in properties or []:
        expected = known.get(str(each.property))
        if expected is None:
            yield f"there is no custom property called '{each.property}'. {nearest(str(each.property), known)}"
        elif not isinstance(each.value, expected) or not all(isinstance(part, str) for part in _parts(each.value)):
            yield f"{each.property}: must be {_SHAPES[expected]}; put numbers and dates in quotes."


_SHAPES: Mapping[type, str] = {str: "text", list: "a list of texts", dict: "a list of 'theirs: ours', both texts"}


def _parts(value: Any) -> Iterable[Any]:
    return [*value, *value.values()] if isinstance(value, dict) else value


def _options(field: SchemaProperty) -> Iterator[str]:
    known = ["pattern"] if field.logicalType == "string" else [] if field.logicalType == "boolean" else list(LIMITS)
    for option, value in (field.logicalTypeOptions or {}).items():
        if option not in known:
            meant = nearest(option, known)
            yield f"logicalTypeOptions: '{option}' is not checked for the type {field.logicalType}. {meant}"
        elif option == "pattern" and not _is_pattern(value):
            yield "logicalTypeOptions: pattern is not a regular expression that DuckDB knows."


def _is_pattern(value: Any) -> bool:
    import duckdb

    try:
        duckdb.connect().execute("SELECT regexp_full_match('', $1)", [str(value)])
    except duckdb.Error:
        return False
    return isinstance(value, str)


def _quality(quality: DataQuality) -> Iterator[str]:
    if quality.severity not in (None, "error", "warning"):
        yield f"quality: severity '{quality.severity}' is neither error nor warning."
    if quality.type == "text":
        return
    if quality.metric == "invalidValues":
        yield from _code_list(quality)
    elif quality.type != "custom" or quality.engine != ENGINE or not isinstance(quality.implementation, dict):
        yield (
            "quality: only the metric invalidValues, and rules of the type custom with engine: evalkit and an "
            "implementation such as {rule: order, notBefore: index_date}, are checked."
        )
    elif (kind := str(quality.implementation.get("rule"))) not in OWN:
        yield f"quality: there is no rule called '{kind}'. {nearest(kind, OWN)}"
    elif len(quality.implementation) < 2:
        yield f"quality: the rule '{kind}' says nothing to compare with."


def _code_list(quality: DataQuality) -> Iterator[str]:
    codes = (quality.arguments or {}).get("validValues")
    labels = custom(quality.customProperties).get("labels")
    if set(quality.arguments or {}) != {"validValues"} or not isinstance(codes, list) or not codes:
        yield "quality: invalidValues needs arguments: {validValues: [...]} and nothing else."
    elif not isinstance(labels, dict) or set(labels) != set(codes) or not all(map(_is_text, _parts(labels))):
        yield "quality: invalidValues needs a custom property 'labels' with one label for each code, all of them texts."
    if quality.mustBe != 0:
        yield "quality: invalidValues needs mustBe: 0, because every code off the list is a fault."


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _codes_and_dates(field: SchemaProperty) -> Iterator[str]:
    facts = custom(field.customProperties)
    lists = [quality.arguments or {} for quality in field.quality or [] if quality.metric == "invalidValues"]
    if lists and field.logicalType != "string":
        yield "a code list needs logicalType: string."
    codes = {code for each in lists for code in each.get("validValues", ())}
    if field.logicalType == "boolean":
        codes = {"yes", "no"}
    if not set(facts.get("codeMap", {}).values()) <= codes:
        yield "codeMap: maps to a code that is not on the code list."
    formats = facts.get("dateFormats", [])
    if formats and field.logicalType != "date":
        yield "dateFormats: belongs to a field of logicalType: date."
    for each in formats:
        if unknown := unknown_directives(str(each)):
            yield f"dateFormats: '{each}' holds {', '.join(unknown)}, which is not known here."
