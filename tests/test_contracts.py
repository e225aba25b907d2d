"""A contract is read, or every mistake in it is named; its rules find what breaks them, in words without a value."""

from __future__ import annotations

import json
from datetime import date
from importlib import resources
from pathlib import Path

import duckdb
import jsonschema
import pytest
import yaml

from evalkit import contracts
from evalkit.contracts import Contract
from evalkit.errors import StudyError
from evalkit.store import intake

FOLDER = Path(__file__).parents[1] / "data_contracts"
READY = FOLDER / "ready_cohort.odcs.yaml"


def _field(name, kind="string", **settings):
    return {
        "name": name, "businessName": name.title(), "description": f"The {name}.", "logicalType": kind,
        "classification": "confidential", **settings,
    }  # fmt: skip


def _own(rule, **more):
    return {"type": "custom", "engine": "evalkit", "implementation": rule, **more}


def _codes(labels, **more):
    codes = {"type": "library", "metric": "invalidValues", "arguments": {"validValues": list(labels)}, "mustBe": 0}
    return {**codes, "customProperties": [{"property": "labels", "value": labels}], **more}


def _custom(**facts):
    return [{"property": name, "value": value} for name, value in facts.items()]


KEY = _field("visit_id", required=True, primaryKey=True, classification="identifying")


@pytest.fixture
def written(tmp_path):
    """`written(*fields, **changes)`: a contract for a table `visits`, with settings of the table changed."""

    def write(*fields, top=None, **changes):
        table = {"name": "visits", "dataGranularityDescription": "One visit.", "properties": [KEY, *fields], **changes}
        content = {
            "apiVersion": "v3.1.0", "kind": "DataContract", "id": "visits", "version": "2.0.0",
            "description": {"purpose": "To count visits."}, "schema": [table], **(top or {}),
        }  # fmt: skip
        file = tmp_path / "visits.odcs.yaml"
        file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return file

    return write


@pytest.fixture
def judged(written):
    """`judged(fields, table)`: the faults in a drawn table of text, and the verdict."""

    def judge(fields, table, extract_date=date(2024, 1, 1), **changes):
        contract = Contract.read(written(*fields, **changes))
        rows = [[cell.strip() or None for cell in line.split("|")] for line in table.strip().splitlines()]
        connection = duckdb.connect()
        columns = ", ".join(f"{contracts.quoted(name)} VARCHAR" for name in rows[0])
        connection.execute(f"CREATE TABLE drawn ({columns}, file_row BIGINT)")
        for line, row in enumerate(rows[1:], start=2):
            connection.execute(f"INSERT INTO drawn VALUES ({', '.join('?' * len(row))}, ?)", [*row, line])
        verdict = contracts.faults(connection, contract, "drawn", extract_date)
        found = connection.execute(
            'SELECT row, "column", rule, severity, value FROM fault_list ORDER BY ALL'
        ).fetchall()
        return found, verdict

    return judge


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.odcs.yaml")), ids=lambda file: file.name)
def test_every_contract_is_valid_by_the_schema_of_the_standard(file):
    schema = json.loads((resources.files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert list(jsonschema.Draft201909Validator(schema).iter_errors(content)) == []
    assert content["apiVersion"] == "v3.1.0"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.odcs.yaml")), ids=lambda file: file.name)
def test_every_contract_says_what_one_row_is_and_labels_every_field_and_code(file):
    contract = Contract.read(file)
    assert contract.one_row_is.startswith("One ")
    assert all(field.label and field.description for field in contract.fields)
    assert all(label for field in contract.fields for label in field.codes.values())


def test_a_ready_cohort_has_these_fields_and_this_key():
    contract = Contract.read(READY)
    assert [field.name for field in contract.fields] == [
        "person_id", "programme", "area", "period", "arm", "index_date", "observed_until", "first_event_on",
        "event_count", "exposure_days", "weight", "pair_id",
    ]  # fmt: skip
    assert [field.name for field in contract.key] == ["person_id", "programme", "period"]
    assert [field.name for field in contract.fields if not field.required] == [
        "first_event_on", "event_count", "exposure_days", "weight", "pair_id",
    ]  # fmt: skip
    assert contract.fields[4].codes["programme"] == "Offered the programme"


ROUTES = "rfgv/marac/demand_data/police_scene/partner_agency/self/family_or_friend/court/other_programme"
FIELDS = {
    "people": """
        person_id: string key    birth_year: integer    sex: string    ethnicity_group: string    area: string
        died_on: date?    left_force_on: date?    sexuality: string?    main_language: string?    disability: string?
    """,
    "person_links": "person_id: string key    same_as: string key    strength: certain/probable",
    "incidents": """
        record_id: string key    incident_id: string    person_id: string    role: suspect/offender/victim/witness
        victim_id: string?    occurred_on: date    recorded_on: date    cancelled_on: date?
        record_type: crime/non_crime_incident    offence_code: string?
        offence_code_system: HO_class/HO_subcode/local?    is_domestic_abuse: boolean
        relationship: partner/ex_partner/family?    risk_grade: standard/medium/high?
        reported_by: victim/third_party/agency/police?    outcome_type: string?    outcome_on: date?    area: string
    """,
    "selections": f"""
        person_id: string key    run_date: date key    route: {ROUTES}    selected: boolean
        exclusion_reason: string?    rank: integer?    score: number?    distance_to_line: number?
    """,
    "episodes": """
        episode_id: string key    referral_id: string?    person_id: string    programme: string
        arm: programme/usual_care/waiting_list    allocated_on: date?    accepted_on: date?    notice_on: date?
        started_on: date?    discharged_on: date?
        discharge_reason: planned/disengaged/custody/moved/died/withdrawn_by_service?
        pathway: therapeutic/enforcement/both?    police_link: linked/not_found/not_tried    area: string
    """,
    "custody": """
        person_id: string key    from_on: date key    until_on: date?    kind: remand/sentence
        reason_is_domestic_abuse: boolean?
    """,
    "referrals": f"""
        referral_id: string key    person_id: string    programme: string    route: {ROUTES}    referred_on: date
        decision: accepted/declined/waiting    decided_on: date?    decline_reason: string?
        consent_recorded: boolean?    consent_withdrawn_on: date?    information_sharing_signed: boolean?
        escalation: boolean?
        risk_tool: DASH/SARA/OASys/PPIT/idva_judgement/initial_assessment/parenting_assessment/other?
        risk_level: standard/medium/high?    relationship_status: married/cohabiting/divorced/separated/other?
        employment_status: string?    other_services_2y: boolean?    child_protection: boolean?
        participation_issue: boolean?
    """,
    "sessions": """
        session_id: string key    episode_id: string    group_id: string?    held_on: date    kind: group/one_to_one
        module: integer?    number: integer?    attended: yes/notified/missed
    """,
    "abuse_assessments": """
        assessment_id: string key    episode_id: string    victim_id: string?
        timepoint: intake/interim/exit/follow_up    interim_number: integer?    assessed_on: date
        window_days: integer    reporter: victim/idva/practitioner/client
        abuse_type: physical/sexual/harassment_stalking/jealous_controlling
        level: none/standard/moderate/high/not_known    basis: disclosed/professional_judgement?
    """,
    "risk_assessments": """
        assessment_id: string key    episode_id: string    person_id: string    victim_id: string?
        timepoint: intake/interim/exit/follow_up    reporter: victim/idva/practitioner/client
        tool: DASH/SARA/OASys/PPIT/idva_judgement    score: number?    band: low/standard/medium/high/very_high?
        change: reduced_significantly/reduced_moderately/no_change/increased/not_known?    assessed_on: date
    """,
    "victims": """
        victim_id: string key    episode_id: string key    first_contacted_on: date?    supported: boolean
        updates_invited: integer?    updates_given: integer?    children_count: integer?
    """,
    "hearings": """
        hearing_id: string key    person_id: string    victim_id: string?    panel: marac/matac/complex_da
        heard_on: date    is_repeat: boolean?    repeat_definition: string?    chair_agency: string?
    """,
}
"""Fields of each table in order, with type or codes; a question mark where they may be empty or not sent at all."""


@pytest.mark.parametrize("table", FIELDS)
def test_a_table_has_these_fields_types_codes_and_this_key(table):
    contract = Contract.read(FOLDER / f"{table}.odcs.yaml")
    stated = [
        f"{field.name}: {'/'.join(field.codes) or field.type}{' key' * field.is_key}{'' if field.required else '?'}"
        for field in contract.fields
    ]
    assert stated == [
        each.strip() for line in FIELDS[table].splitlines() for each in line.split("    ") if each.strip()
    ]
    assert contract.version == "1.0.0"


@pytest.mark.parametrize("table", FIELDS)
def test_ids_are_identifying_and_what_law_protects_is_sensitive(table):
    fields = Contract.read(FOLDER / f"{table}.odcs.yaml").fields
    protected = {
        "sex", "ethnicity_group", "sexuality", "main_language", "disability", "level", "decline_reason",
        "other_services_2y", "child_protection", "participation_issue",
    }  # fmt: skip
    for field in fields:
        is_id = field.name.endswith("_id") or field.name == "same_as"
        assert (field.classification == "identifying") == is_id, field.name
        assert (field.classification == "sensitive") == (field.name in protected), field.name


def test_a_level_of_none_is_called_what_it_is_and_an_unknown_one_is_not_none():
    [level] = [each for each in Contract.read(FOLDER / "abuse_assessments.odcs.yaml").fields if each.name == "level"]
    assert (level.codes["none"], level.codes["not_known"]) == ("no abuse recorded", "not known")


def test_any_column_after_the_prefix_of_answers_is_one_and_no_other_is_read(judged):
    table = """
        visit_id | criterion_aged_18 | criterion_ | other_thing
        V1       | yes               | yes        | yes
        V2       | unknown           |            |
        V3       |                   |            |
        V4       | perhaps           | perhaps    | perhaps
    """
    found, verdict = judged([], table, customProperties=_custom(answerColumnPrefix="criterion_"))
    assert found == [(5, "criterion_aged_18", "code", "quarantine", "perhaps")]
    answer = verdict.contract.field("criterion_aged_18")
    assert (answer.label, answer.classification, answer.required) == ("aged 18", "sensitive", False)
    assert verdict.contract.field("criterion_") is verdict.contract.field("other_thing") is None


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ({"requird": True}, "field 'ward': there is no setting called 'requird'. Did you mean 'required'?"),
        ({"required": "yes, please"}, "field 'ward': required: input should be a valid boolean."),
        (
            {"logicalType": "timestamp"},
            "logicalType: 'timestamp' is not one of string, date, integer, number, boolean.",
        ),
        ({"classification": "identifing"}, "classification: 'identifing' is not one of identifying, sensitive"),
        ({"businessName": ""}, "field 'ward': businessName is missing."),
        ({"enum": [{"value": "a"}]}, "field 'ward': enum: is not checked by this version"),
        (
            {"relationships": [{"to": "people.person_id"}]},
            "field 'ward': relationships: is not checked by this version",
        ),
        ({"logicalTypeOptions": {"maxLength": 3}}, "'maxLength' is not checked for the type string."),
        ({"logicalTypeOptions": {"pattern": "(a"}}, "pattern is not a regular expression that DuckDB knows."),
        (
            {"quality": [{"type": "sql", "query": "SELECT 1", "mustBe": 0}]},
            "only the metric invalidValues, and rules of the",
        ),
        ({"quality": [_own({"rule": "ordr", "before": "x"})]}, "there is no rule called 'ordr'. Did you mean 'order'?"),
        ({"quality": [_own({"rule": "order"})]}, "the rule 'order' says nothing to compare with."),
        (
            {"quality": [_own({"rule": "order", "before": "exit"})]},
            "'before: exit' does not name another field of the type",
        ),
        (
            {"quality": [_own({"rule": "order", "before": "visit_id"})]},
            "'before: visit_id' does not name another field of the type 'string' that has an order",
        ),
        (
            {"quality": [_own({"rule": "required_when", "visit_id": "a"})]},
            "rule 'required_when': 'visit_id: a' does not name another field with one of its codes, or null for empty.",
        ),
        ({"quality": [_own({"rule": "required_when", "exit": None})]}, "'exit: None' does not name another field"),
        ({"quality": [_own({"rule": "required_when", "ward": None})]}, "'ward: None' does not name another field"),
        ({"quality": [_own({"rule": "required_when"})]}, "the rule 'required_when' says nothing to compare with."),
        ({"quality": [_own({"rule": "range", "minimum": 1})]}, "a limit has no meaning for text"),
        (
            {"logicalType": "date", "quality": [_own({"rule": "range", "before": "soon"})]},
            "with a number or a date as '1900-01-01' or extract_date; for fields use 'order'",
        ),
        (
            {"quality": [_own({"rule": "range", "before": "x"}, severity="bad")]},
            "severity 'bad' is neither error nor warning.",
        ),
        ({"quality": [_codes({"a": "A"}, mustBe=1)]}, "invalidValues needs mustBe: 0"),
        ({"quality": [_codes({"a": ""})]}, "needs a custom property 'labels' with one label for each code"),
        ({"customProperties": _custom(codeMapp={})}, "no custom property called 'codeMapp'. Did you mean 'codeMap'?"),
        ({"customProperties": _custom(headerSynonyms="Ward")}, "headerSynonyms: must be a list of texts"),
        ({"customProperties": _custom(codeMap=["a"])}, "codeMap: must be a list of 'theirs: ours', both texts"),
        (
            {"customProperties": _custom(codeMap={"X": "b"}), "quality": [_codes({"a": "A"})]},
            "maps to a code that is not on",
        ),
        (
            {"customProperties": _custom(dateFormats=["%d/%m/%Y"])},
            "dateFormats: belongs to a field of logicalType: date.",
        ),
        ({"name": "Ward"}, "its name must be small letters, digits and _"),
        ({"name": "file_row"}, "the names file_row and input are kept"),
        ({"name": "visit_id"}, "the field 'visit_id' is described twice."),
    ],
)
def test_a_mistake_in_a_field_is_named_with_its_place(written, field, words):
    with pytest.raises(StudyError) as caught:
        Contract.read(written(_field("ward") | field))
    assert str(caught.value).startswith("visits.odcs.yaml cannot be used as a data contract:\n")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"dataGranularityDescription": " "},
            "table 'visits': dataGranularityDescription is missing. Say what one row is",
        ),
        ({"properties": [_field("ward")]}, "no field is the primaryKey."),
        ({"customProperties": _custom(encoding="utf-16")}, "encoding: 'utf-16' is not one of utf-8, cp1252."),
        (
            {"quality": [{"metric": "rowCount", "mustBe": 3}]},
            "only {metric: rowCount, mustBeGreaterThan: 0} is checked.",
        ),
        ({"name": "manifest"}, "the names manifest and quarantined are kept"),
        ({"name": "calls"}, "its contract must be in a file called calls.odcs.yaml."),
        ({"top": {"description": {}}}, "description: purpose is missing."),
        ({"top": {"apiVersion": "v2.2.2"}}, "apiVersion: must be v3.1.0."),
        ({"top": {"version": 2}}, "version: input should be a valid string."),
        ({"top": {"schema": []}}, "schema: holds 0 tables. One contract describes one table."),
    ],
)
def test_a_mistake_in_a_table_is_named(written, changes, words):
    with pytest.raises(StudyError) as caught:
        Contract.read(written(**changes))
    assert words in str(caught.value)


def test_all_mistakes_of_all_contracts_are_named_at_once(written):
    file = written(_field("ward", logicalTypeOptions={"maxLength": 3}), _field("Bed"), dataGranularityDescription="")
    (file.parent / "other.odcs.yaml").write_text("id: [1\n", encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        contracts.read_all(contracts.contract_files(file.parent).values())
    assert [
        words in str(caught.value) for words in ("maxLength", "field 'Bed'", "one row is", "other.odcs.yaml: line")
    ] == [True] * 4


def test_a_folder_without_contracts_is_said_to_be_one(tmp_path):
    with pytest.raises(StudyError, match="holds no contract"):
        contracts.contract_files(tmp_path)


def test_dates_are_taken_in_the_order_of_the_formats_and_counted(judged):
    seen = _field("seen_on", "date", customProperties=_custom(dateFormats=["%d/%m/%Y", "%d-%b-%y", "%m/%d/%Y"]))
    found, verdict = judged(
        [seen],
        """visit_id | seen_on
           A | 01/02/2023
           B | 3/2/2023
           C | 05-Feb-23
           D | 02/25/2023
           E | 2023-02-01
           F | 01/02/23
           G | """,
    )
    assert [(row, value) for row, _, _, _, value in found] == [(6, "2023-02-01"), (7, "01/02/23")]
    assert [(taken.date_format, taken.cells) for taken in verdict.dates] == [
        ("DD/MM/YYYY", 2), ("DD-Mon-YY", 1), ("MM/DD/YYYY", 1),
    ]  # fmt: skip


def test_a_suppliers_codes_are_mapped_and_others_are_faults(judged):
    kind = _field(
        "kind",
        quality=[_codes({"home": "At home", "clinic": "At the clinic"})],
        customProperties=_custom(codeMap={"H": "home"}),
    )
    paid = _field("paid", "boolean", customProperties=_custom(codeMap={"Y": "yes", "N": "no"}))
    found, _ = judged(
        [kind, paid],
        """visit_id | kind | paid
           A | H      | Y
           B | clinic | no
           C | h      | y
           D |        | true""",
    )
    assert found == [
        (4, "kind", "code", "quarantine", "h"),
        (4, "paid", "type", "quarantine", "y"),
        (5, "paid", "type", "quarantine", "true"),
    ]


def test_a_pattern_holds_for_the_whole_cell_and_a_unique_column_repeats_nothing_but_emptiness(judged):
    found, _ = judged(
        [_field("ward", logicalTypeOptions={"pattern": "W[0-9]"}), _field("number", "integer", unique=True)],
        """visit_id | ward | number
           A | W1   | 7
           B | W12  | 07
           C |      |
           D | W2   |
           E | W3   | 7""",
    )
    assert found == [
        (3, "number", "unique", "quarantine", "07"),
        (3, "ward", "pattern", "quarantine", "W12"),
        (6, "number", "unique", "quarantine", "7"),
    ]


def test_where_the_contract_says_so_a_rule_only_warns(judged):
    kind = _field("kind", quality=[_codes({"home": "At home"}, severity="warning")])
    found, verdict = judged([kind], "visit_id | kind\nA | home\nB | hospice")
    assert found == [(3, "kind", "code", "warn", "hospice")]
    assert (verdict.admitted, verdict.quarantined, verdict.is_refused) == (2, 0, False)
    assert contracts.explain(verdict, file="visits.csv") == (
        "visits.csv (contract visits, version 2.0.0) was admitted, but:\n"
        "  kind  code that is not on the agreed list  (1 of 2 rows, only a warning)\n"
        "Nothing was left out for this."
    )


def test_a_rule_that_needs_the_extract_date_is_said_not_to_be_checked_without_one(judged):
    seen = _field("seen_on", "date", quality=[_own({"rule": "range", "before": "extract_date"})])
    table = "visit_id | seen_on\nA | 2024-01-01"
    found, verdict = judged([seen], table)
    assert found == [(2, "seen_on", "range", "quarantine", "2024-01-01")]
    assert verdict.not_checked == ()
    found, verdict = judged([seen], table, extract_date=None)
    assert found == []
    assert verdict.not_checked == (("seen_on", "must be before the extract date"),)


def test_an_order_is_not_judged_where_the_file_lacks_one_of_its_columns(judged):
    dates = [
        _field("begun_on", "date"),
        _field("ended_on", "date", quality=[_own({"rule": "order", "notBefore": "begun_on"})]),
    ]
    assert judged(dates, "visit_id | ended_on\nA | 2023-01-01")[0] == []
    assert judged(dates, "visit_id | begun_on | ended_on\nA | 2023-01-02 | 2023-01-01")[0] == [
        (2, "ended_on", "order", "quarantine", "2023-01-01")
    ]


def test_what_is_required_hangs_on_a_code_of_another_field_by_whatever_name_the_supplier_gives_it(judged):
    kind = _field(
        "kind",
        quality=[_codes({"home": "At home", "clinic": "At the clinic"})],
        customProperties=_custom(codeMap={"H": "home"}),
    )
    street = _field("street", quality=[_own({"rule": "required_when", "kind": "home"}, severity="warning")])
    found, verdict = judged(
        [kind, street],
        """visit_id | kind   | street
           A | home   | High Street
           B | H      |
           C | clinic |
           D |        | """,
    )
    assert found == [(3, "street", "required_when", "warn", "")]
    assert "  street  empty where kind is home  (1 of 4 rows, only a warning)" in contracts.explain(verdict, file="v")


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("visit_id | begun_on | met_on\nA | 2023-01-01 |\nB | | 2023-01-01\nC | |", [4]),
        ("visit_id | begun_on\nA | 2023-01-01\nB | ", [3]),
        ("visit_id | met_on\nA | 2023-01-01\nB | ", [3]),
        ("visit_id\nA\nB", [2, 3]),
    ],
)
def test_one_of_two_columns_is_filled_whichever_of_them_the_file_lacks(judged, table, rows):
    days = [
        _field("begun_on", "date"),
        _field("met_on", "date", quality=[_own({"rule": "required_when", "begun_on": None})]),
    ]
    found, verdict = judged(days, table)
    assert found == [(row, "met_on", "required_when", "quarantine", "") for row in rows]
    assert verdict.breaches[0].check.label == "empty where begun_on is empty"


def test_an_order_may_name_several_fields_and_an_empty_one_breaks_none(judged):
    days = [
        _field("asked_on", "date"),
        _field("begun_on", "date"),
        _field("ended_on", "date", quality=[_own({"rule": "order", "notBefore": ["asked_on", "begun_on"]})]),
    ]
    found, verdict = judged(
        days,
        """visit_id | asked_on   | begun_on   | ended_on
           A | 2023-01-01 | 2023-01-02 | 2023-01-02
           B | 2023-01-03 | 2023-01-02 | 2023-01-02
           C | 2023-01-03 | 2023-01-03 | 2023-01-02
           D |            | 2023-01-03 | 2023-01-02
           E |            |            | 2023-01-02""",
    )
    assert [row for row, *_ in found] == [3, 4, 4, 5]
    assert [breach.check.label for breach in verdict.breaches] == ["before asked_on", "before begun_on"]
    assert verdict.quarantined == 3


def test_two_texts_may_have_to_differ(judged):
    other = _field("same_as", quality=[_own({"rule": "order", "otherThan": "visit_id"})])
    found, _ = judged([other], "visit_id | same_as\nA | B\nB | B\nC | ")
    assert found == [(3, "same_as", "order", "quarantine", "B")]


def test_an_identifying_cell_is_never_repeated(judged):
    number = _field("number", "integer", classification="identifying", logicalTypeOptions={"minimum": 10})
    found, _ = judged([number], "visit_id | number\nA | 12\nB | 7\nC | x")
    assert found == [(3, "number", "range", "quarantine", ""), (4, "number", "type", "quarantine", "")]


def test_a_message_gives_counts_columns_and_rules_and_says_what_to_do(judged):
    _, verdict = judged(
        [_field("person_id", required=True), _field("grade", quality=[_codes({"high": "High"})])],
        """visit_id | person_id | grade
           A |    | high
           A | B  | middling
           C | D  | high""",
    )
    assert contracts.explain(verdict, file="visits.csv") == (
        "visits.csv (contract visits, version 2.0.0) was not admitted:\n"
        "  visit_id   repeated identifier                  (1 of 3 rows)\n"
        "  person_id  empty                                (1 of 3 rows)\n"
        "  grade      code that is not on the agreed list  (1 of 3 rows)\n"
        "Ask the supplier to correct these, or change the contract and say why."
    )


def test_a_sound_table_needs_no_words(judged):
    _, verdict = judged([], "visit_id\nA\nB")
    assert (verdict.rows_read, verdict.admitted, verdict.breaches) == (2, 2, ())
    assert contracts.explain(verdict, file="visits.csv") == ""


@pytest.mark.parametrize(
    ("headers", "column", "words"),
    [
        (["visit_id"], "first_event_on", "there is no such column"),
        (["visit_id", "first_evnt_on"], "first_event_on", "one called 'first_evnt_on'. Did you mean 'first_event_on'?"),
        (
            ["visit_id", "FIRST_EVENT_ON"],
            "first_event_on",
            "one called 'FIRST_EVENT_ON'. Did you mean 'first_event_on'?",
        ),
        (["visit_id", "First event", "first_event_on"], "first_event_on", "stands more than once in the header"),
        (["visit_id", "first_event_on", "x_Age"], "x_Age", "a name that is not in small letters, digits and _"),
    ],
)
def test_what_is_wrong_with_a_header_is_named_by_column(written, headers, column, words):
    event = _field("first_event_on", required=True, customProperties=_custom(headerSynonyms=["First event"]))
    contract = Contract.read(written(event, customProperties=_custom(numericColumnPrefix="x_")))
    [found] = contracts.heading(contract, headers).found
    assert (found.check.column, found.check.severity, found.rows) == (column, "refuse", (1,))
    assert words in found.check.label


def test_a_slip_in_the_name_of_an_optional_column_refuses_the_file_too(written):
    contract = Contract.read(written(_field("weight", "number")))
    assert contracts.heading(contract, ["visit_id", "wieght"]).found
    assert contracts.heading(contract, ["visit_id", "height"]).left_out == ("height",)


def test_no_name_is_shown_of_a_first_line_that_may_be_a_persons_row(written):
    contract = Contract.read(written(_field("programme", required=True), _field("arm", required=True)))
    read = contracts.heading(contract, ["Ann Canary", "demo", "programme"])
    assert "Canary" not in repr(read)
    assert read.found[0].check.label == "the first line is not the header: hardly a name in it is known"


SOUND = {
    "people": ["person_id,birth_year,sex,ethnicity_group,area", "A,1990,not_held,not_held,north"],
    "person_links": ["person_id,same_as,strength", "A,A2,certain"],
    "incidents": [
        "record_id,incident_id,person_id,role,victim_id,occurred_on,recorded_on,record_type,is_domestic_abuse,area",
        "R1,I1,A,suspect,V,2022-01-01,2022-01-02,non_crime_incident,yes,north",
    ],
    "selections": ["person_id,run_date,route,selected", "A,2022-02-01,demand_data,yes"],
    "episodes": [
        "episode_id,referral_id,person_id,programme,arm,allocated_on,accepted_on,police_link,area",
        "E,F,A,drive,programme,2022-02-01,2022-02-01,linked,north",
    ],
    "custody": ["person_id,from_on,until_on,kind", "A,2023-01-01,2023-02-01,remand"],
    "referrals": [
        "referral_id,person_id,programme,route,referred_on,decision,decided_on,criterion_heard_at_marac",
        "F,A,drive,marac,2022-01-20,accepted,2022-02-01,yes",
    ],
    "sessions": [
        "session_id,episode_id,held_on,kind,module,number,attended", "S,E,2022-03-01,one_to_one,1,1,notified",
    ],
    "abuse_assessments": [
        "assessment_id,episode_id,victim_id,timepoint,assessed_on,window_days,reporter,abuse_type,level,basis",
        "M,E,V,intake,2022-02-08,91,idva,sexual,none,disclosed",
    ],
    "risk_assessments": [
        "assessment_id,episode_id,person_id,victim_id,timepoint,reporter,tool,score,band,change,assessed_on",
        "K,E,A,V,exit,idva,idva_judgement,,,reduced_moderately,2022-12-01",
    ],
    "victims": [
        "victim_id,episode_id,first_contacted_on,supported,updates_invited,updates_given,children_count",
        "V,E,2022-02-04,yes,3,1,2",
    ],
    "hearings": ["hearing_id,person_id,victim_id,panel,heard_on,is_repeat", "H,A,V,marac,2022-01-15,no"],
}  # fmt: skip
"""One sound row of every table that a programme with police records may send."""


@pytest.mark.parametrize("lines", [2, 1], ids=["one row each", "headers alone"])
def test_a_sound_folder_of_all_tables_is_admitted_whole(tmp_path, lines):
    may_be_empty = SOUND.keys() - {"people", "incidents", "episodes"}
    rows = {table: 1 if table not in may_be_empty else lines - 1 for table in SOUND}
    folder = tmp_path / "extracts"
    folder.mkdir()
    for table, number in rows.items():
        (folder / f"{table}.csv").write_text("\n".join(SOUND[table][: number + 1]) + "\n", encoding="utf-8")
    found = intake.admit(folder, tmp_path / "store.duckdb", contracts_folder=FOLDER, extract_date=date(2024, 1, 1))
    assert found.is_clean
    assert {table.contract.table: table.verdict.admitted for table in found.tables} == rows
    with duckdb.connect(str(tmp_path / "store.duckdb"), read_only=True) as store:
        answers = store.execute("SELECT criterion_heard_at_marac FROM referrals").fetchall()
    assert answers == [("yes",)] * rows["referrals"]
