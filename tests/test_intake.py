"""Extracts are read as they are, checked at once, and admitted whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
import yaml

from evalkit.errors import ContractBroken, NotReleasable, RunFailed
from evalkit.store import intake
from evalkit.store.intake import admission

ROOT = Path(__file__).parents[1]
CONTRACTS, ROSSI = ROOT / "data_contracts", ROOT / "tests" / "data" / "rossi"
HEADER = "person_id,programme,area,period,arm,index_date,observed_until,first_event_on,x_age"
POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions and signals are those of POSIX")


def person(name, area="north", arm="programme", until="2023-03-01", event="", age="30"):
    return f"{name},demo,{area},first,{arm},2022-03-01,{until},{event},{age}"


@pytest.fixture
def extracts(tmp_path):
    """`extracts(*lines)`: a folder with these lines, or bytes, as ready_cohort.csv."""

    def write(*lines, name="ready_cohort.csv", encoding="utf-8", end="\n"):
        folder = tmp_path / "extracts"
        folder.mkdir(exist_ok=True)
        content = lines[0] if isinstance(lines[0], bytes) else end.join([*lines, ""]).encode(encoding)
        (folder / name).write_bytes(content)
        return folder

    return write


def check(folder, **more):
    return intake.check(folder, contracts_folder=CONTRACTS, **more)


def faults(found):
    return [(fault.row, fault.column, fault.rule, fault.value) for fault in found.faults()]


def admitted(file, columns="*", table="ready_cohort"):
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(f"SELECT {columns} FROM {table} ORDER BY file_row").fetchall()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


# The trial that ships with the project


def rossi_as_extract():
    """The rows of tests/data/rossi/ready_cohort.csv, made again from the source."""
    from lifelines.datasets import load_rossi

    covariates, first_day = ("age", "race", "wexp", "mar", "paro", "prio"), date(1976, 1, 1)
    yield ["person_id", "programme", "area", "period", "arm", "index_date", "observed_until", "first_event_on"] + [
        f"x_{name}" for name in covariates
    ]
    for number, man in enumerate(load_rossi().itertuples(), start=1):
        arrested = (first_day + timedelta(days=7 * man.week)).isoformat() if man.arrest else ""
        yield [
            f"R{number:03}", "rossi-aid", "trial-site", "trial", "programme" if man.fin else "usual_care",
            first_day.isoformat(), (first_day + timedelta(days=365)).isoformat(), arrested,
            *[str(getattr(man, name)) for name in covariates],
        ]  # fmt: skip


def test_the_trial_in_the_tests_is_the_published_one_row_by_row():
    with (ROSSI / "ready_cohort.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == list(rossi_as_extract())


def test_the_trial_keeps_its_contract_and_is_admitted_whole(tmp_path):
    found = intake.admit(ROSSI, tmp_path / "store" / "rossi.duckdb", contracts_folder=CONTRACTS)
    assert found.is_clean
    assert found.in_words() == (
        "ready_cohort.csv: 432 rows read, 432 admitted.\n"
        "  Dates: index_date 432 as YYYY-MM-DD, observed_until 432 as YYYY-MM-DD, first_event_on 114 as YYYY-MM-DD."
    )
    rows = admitted(tmp_path / "store" / "rossi.duckdb", "person_id, index_date, x_age, file_row, input")
    assert rows[0] == ("R001", date(1976, 1, 1), 27.0, 2, "ready_cohort.csv")
    assert (len(rows), rows[-1][3]) == (432, 433)


# The tables of the tasking programme

TASKING = {
    "people": [
        "person_id,birth_year,sex,ethnicity_group,area,died_on,left_force_on",
        "A,1990,male,white,north,,",
        "B,1985,female,not_held,south,2023-05-01,",
    ],
    "person_links": ["person_id,same_as,strength", "A,A2,certain"],
    "incidents": [
        "record_id,incident_id,person_id,role,victim_id,occurred_on,recorded_on,cancelled_on,record_type,offence_code,"
        "offence_code_system,is_domestic_abuse,area",
        "R1,I1,A,suspect,V,2022-01-01,2022-01-02,,crime,8N,HO_class,yes,north",
        "R2,I1,A,suspect,V,2022-01-01,2022-01-02,2022-01-09,non_crime_incident,,,no,north",
        "R3,I2,A,victim,,2024-02-01,2024-02-02,,non_crime_incident,,,yes,north",
    ],
    "selections": [
        "person_id,run_date,route,selected,rank,score",
        "A,2022-02-01,rfgv,yes,1,61",
        "B,2022-02-01,rfgv,no,,12.5",
    ],
    "episodes": [
        "episode_id,person_id,programme,arm,allocated_on,accepted_on,started_on,discharged_on,police_link,area",
        "E1,A,matac,programme,,2022-02-03,2022-03-01,2022-06-01,linked,north",
    ],
    "custody": ["person_id,from_on,until_on,kind,reason_is_domestic_abuse", "B,2023-01-01,,remand,"],
}
"""Sound rows, one of them recorded after the extract date: whoever builds the cohort counts it, and it is no fault."""


@pytest.fixture
def tasking(extracts):
    """`tasking(table=lines)`: a folder with the six tables, some of them changed or, for None, not there."""

    def write(**changes):
        extracts("extract_date: 2024-01-01", name="extract.yaml")
        for table, lines in (TASKING | changes).items():
            if lines:
                folder = extracts(*lines, name=f"{table}.csv")
            else:
                (folder / f"{table}.csv").unlink(missing_ok=True)
        return folder

    return write


def test_the_tables_of_the_tasking_programme_are_admitted_whole_and_typed(tasking, tmp_path):
    file = tmp_path / "s.duckdb"
    found = intake.admit(tasking(), file, contracts_folder=CONTRACTS)
    assert found.is_clean
    assert {table.contract.table: table.verdict.admitted for table in found.tables} == {
        table: len(lines) - 1 for table, lines in TASKING.items()
    }
    with duckdb.connect(str(file), read_only=True) as connection:
        described = {
            (table, name): kind
            for table in TASKING
            for name, kind, *_ in connection.execute(f"DESCRIBE {table}").fetchall()
        }
    others = {
        "DATE": {"died_on", "left_force_on", "occurred_on", "recorded_on", "cancelled_on", "run_date", "allocated_on",
                 "accepted_on", "notice_on", "started_on", "discharged_on", "from_on", "until_on", "outcome_on"},
        "BOOLEAN": {"is_domestic_abuse", "selected", "reason_is_domestic_abuse"},
        "BIGINT": {"birth_year", "rank", "file_row"},
        "DOUBLE": {"score", "distance_to_line"},
    }  # fmt: skip
    types = {name: kind for kind, names in others.items() for name in names}
    assert described == {key: types.get(key[1], "VARCHAR") for key in described}
    assert set(types) <= {name for _, name in described}
    columns = "record_id, occurred_on, cancelled_on, offence_code, is_domestic_abuse"
    assert admitted(file, columns, "incidents")[:2] == [
        ("R1", date(2022, 1, 1), None, "8N", True),
        ("R2", date(2022, 1, 1), date(2022, 1, 9), None, False),
    ]
    assert admitted(file, "rank, score, selected", "selections") == [(1, 61.0, True), (None, 12.5, False)]
    assert admitted(file, "reason_is_domestic_abuse, until_on", "custody") == [(None, None)]


@pytest.mark.parametrize(
    ("table", "row", "fault"),
    [
        ("people", "C,85,male,white,north,,", ("birth_year", "range", "85")),
        ("people", "C,1985,male,white,north,2024-01-01,", ("died_on", "range", "2024-01-01")),
        ("people", "A,1985,male,white,north,,", ("person_id", "primary_key", "")),
        ("person_links", "C,C,certain", ("same_as", "order", "")),
        (
            "incidents",
            "R4,I3,A,suspect,V,2022-01-03,2022-01-02,,non_crime_incident,,,yes,north",
            ("recorded_on", "order", "2022-01-02"),
        ),
        (
            "incidents",
            "R4,I3,A,suspect,V,2022-01-01,2022-01-02,2022-01-01,non_crime_incident,,,yes,north",
            ("cancelled_on", "order", "2022-01-01"),
        ),
        (
            "incidents",
            "R4,I3,A,suspect,V,2022-01-01,2022-01-02,,crime,,HO_class,yes,north",
            ("offence_code", "required_when", ""),
        ),
        (
            "incidents",
            "R4,I3,A,suspect,V,2022-01-01,2022-01-02,,non_crime_incident,,,maybe,north",
            ("is_domestic_abuse", "type", "maybe"),
        ),
        ("selections", "A,2024-01-01,rfgv,yes,1,1", ("run_date", "range", "2024-01-01")),
        ("selections", "B,2022-03-01,score,yes,1,1", ("route", "code", "score")),
        ("episodes", "E2,B,matac,programme,,,,,linked,north", ("accepted_on", "required_when", "")),
        (
            "episodes",
            "E2,B,matac,programme,2022-02-03,,,2022-02-02,linked,north",
            ("discharged_on", "order", "2022-02-02"),
        ),
        ("custody", "B,2023-02-01,2023-02-01,remand,no", ("until_on", "order", "2023-02-01")),
    ],
)
def test_a_fault_planted_in_one_table_is_the_only_one_named(tasking, table, row, fault):
    lines = [*TASKING[table], row]
    found = check(tasking(**{table: lines}))
    assert faults(found) == [(len(lines), *fault)]


def test_a_header_alone_is_a_table_where_nothing_may_have_happened_and_a_fault_where_something_must(tasking, tmp_path):
    may_be_empty = {table: TASKING[table][:1] for table in ("person_links", "selections", "episodes", "custody")}
    intake.admit(tasking(**may_be_empty), tmp_path / "s.duckdb", contracts_folder=CONTRACTS)
    assert [admitted(tmp_path / "s.duckdb", table=table) for table in may_be_empty] == [[]] * 4
    quoted = tasking(custody=['"person_id", from_on,until_on,kind,reason_is_domestic_abuse'])
    assert check(quoted).is_clean
    for table in ("people", "incidents"):
        found = check(tasking(**{table: TASKING[table][:1]}))
        assert f"{table}.csv (contract {table}, version 1.0.0) was not admitted" in found.in_words()


def test_of_the_known_tables_a_folder_holds_any_and_only_those_are_read(tasking, tmp_path):
    gone = {"person_links": None, "custody": None, "selections": None}
    contracts = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, contracts)
    folder = tasking(**gone)
    found = intake.admit(folder, tmp_path / "s.duckdb", contracts_folder=contracts)
    assert [table.input for table in found.tables] == ["episodes.csv", "incidents.csv", "people.csv"]
    before = intake.inputs_fingerprint(folder, contracts)
    with (contracts / "custody.odcs.yaml").open("a", encoding="utf-8") as file:
        file.write("status: [not a contract any more\n")
    assert intake.check(folder, contracts_folder=contracts).is_clean
    assert intake.inputs_fingerprint(folder, contracts) == before
    assert intake.inputs_fingerprint(tasking(**gone | {"custody": TASKING["custody"]}), contracts) != before


# How a file is read


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_utf_8_is_read_with_and_without_its_mark_and_with_any_end_of_line(extracts, tmp_path, end, mark):
    folder = extracts(mark + end.join([HEADER, person("A", area="nörth"), person(" B "), ""]).encode())
    intake.admit(folder, tmp_path / "s.duckdb", contracts_folder=CONTRACTS)
    assert admitted(tmp_path / "s.duckdb", "person_id, area, file_row") == [("A", "nörth", 2), ("B", "north", 3)]


def test_a_row_has_the_number_of_the_line_on_which_it_begins(extracts):
    folder = extracts(HEADER, person('"A\nand\nso"'), "", person("B", arm="x"), person('"C, ""D"""', arm="y"), "", "")
    assert faults(check(folder)) == [(6, "arm", "code", "x"), (7, "arm", "code", "y")]


def test_a_line_with_too_many_or_too_few_fields_is_a_fault_of_that_line_alone(extracts):
    folder = extracts(HEADER, person("A") + ",more", person("B"), "C,demo", person("A"), person("D", age="old"))
    found = check(folder)
    assert faults(found) == [(2, "", "type", ""), (4, "", "type", ""), (6, "x_age", "type", "old")]
    [table] = found.tables
    assert (table.verdict.rows_read, table.verdict.quarantined, table.verdict.admitted) == (5, 3, 2)


def test_quotation_marks_that_do_not_pair_up_refuse_the_file_and_name_the_line(extracts):
    for broken in ('"B" or C,demo', '"B,demo'):
        found = check(extracts(HEADER, person("A"), broken, person("D")))
        assert "its quotation marks do not pair up, first in the row that begins on line 3" in found.in_words()


def test_blanks_around_a_cell_and_tokens_for_nothing_are_taken_off(extracts, tmp_path):
    folder = extracts(HEADER, person("\tA\u00a0", event="NA", age=" NULL "), person(' "B"', age=' " 31 "'))
    intake.admit(folder, tmp_path / "s.duckdb", contracts_folder=CONTRACTS)
    columns = "person_id, first_event_on, x_age"
    assert admitted(tmp_path / "s.duckdb", columns) == [("A", None, None), ("B", None, 31.0)]


@pytest.fixture
def uk(tmp_path):
    """A folder of contracts as agreed with one supplier: cp1252, dd/mm/yyyy, headers and codes of its own."""
    content = yaml.safe_load((CONTRACTS / "ready_cohort.odcs.yaml").read_text(encoding="utf-8"))
    [table] = content["schema"]
    fields = {field["name"]: field for field in table["properties"]}
    table["customProperties"][0]["value"] = "cp1252"
    fields["person_id"]["customProperties"] = [{"property": "headerSynonyms", "value": ["Nominal Ref", "Réf"]}]
    fields["arm"]["customProperties"] = [{"property": "codeMap", "value": {"Intervention": "programme"}}]
    for name in ("index_date", "observed_until", "first_event_on"):
        fields[name]["customProperties"] = [{"property": "dateFormats", "value": ["%d/%m/%Y"]}]
    folder = tmp_path / "uk"
    folder.mkdir()
    (folder / "ready_cohort.odcs.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


def test_a_suppliers_encoding_headers_codes_and_dates_are_read_as_its_contract_says(extracts, tmp_path, uk):
    lines = [
        "Réf,programme,area,period,arm,index_date,observed_until,Áge",
        "A,demo,cœur,first,Intervention,01/03/2022,2/3/2022,7",
        "B,demo,north,first,usual_care,13/03/2022,03/13/2023,7",
    ]
    folder = extracts(*lines, encoding="cp1252")
    found = intake.admit(folder, tmp_path / "s.duckdb", contracts_folder=uk, extract_date=date(2024, 1, 1))
    assert found.tables[0].left_out == ("Áge",)
    assert faults(found) == [(3, "observed_until", "type", "03/13/2023")]
    columns = "person_id, area, arm, observed_until"
    assert admitted(tmp_path / "s.duckdb", columns) == [("A", "cœur", "programme", date(2022, 3, 2))]


def test_an_encoding_is_never_guessed(extracts, uk):
    folder = extracts(HEADER, person("A"), person("B", area="cœur"), encoding="cp1252")
    assert "not written in utf-8, first in line 3" in check(folder).in_words()
    found = intake.check(extracts(HEADER, person("A", area="\u201d"), encoding="utf-8"), contracts_folder=uk)
    assert "not written in cp1252, first in line 2" in found.in_words()


def test_columns_that_the_contract_does_not_know_are_named_and_never_stored(extracts, tmp_path):
    folder = extracts(HEADER + ",notes,,postcode", person("A") + ",Canary lives there,,ZE1 0AA")
    found = intake.admit(folder, tmp_path / "s.duckdb", contracts_folder=CONTRACTS)
    assert found.tables[0].left_out == ("notes", "(a column without a name)", "postcode")
    assert (
        "Left out, because the contract does not know them: notes, (a column without a name), postcode."
        in found.in_words()
    )
    assert b"Canary" not in (tmp_path / "s.duckdb").read_bytes()


def test_a_folder_whose_name_looks_like_a_pattern_is_read_as_it_is_called(tmp_path):
    for name, area in (("[ab]", "right"), ("a", "wrong")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ready_cohort.csv").write_text(f"{HEADER}\n{person('A', area=area)}\n", encoding="utf-8")
    intake.admit(tmp_path / "[ab]", tmp_path / "s.duckdb", contracts_folder=CONTRACTS)
    assert admitted(tmp_path / "s.duckdb", "area") == [("right",)]


# What cannot be read


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty: it holds nothing at all  (ask the supplier for the file again)"),
        (b"\xef\xbb\xbf", "empty: it holds nothing at all"),
        (b"\n\n", "without a header: its first line is empty"),
        (HEADER.encode(), "a header and no rows that can be read  (must hold at least one row)"),
        (HEADER.encode() + b"\nA,demo\n", "a header and no rows that can be read"),
        (HEADER.encode() + b"\nA\0B\n", "not text: it holds bytes that no text has"),
        (
            HEADER.encode("utf-16"),
            "not CSV but written in UTF-16 ('Unicode text')  (open it and save it again as CSV UTF-8)",
        ),
        (b"PK\x03\x04rest", "not CSV but an Excel workbook, whatever its name says"),
        (HEADER.replace(",", ";").encode(), "the fields are separated by semicolons, not by commas"),
        (person("A").encode(), "the first line is not the header: hardly a name in it is known"),
        (HEADER.replace("arm", "area").encode(), "  area  stands more than once in the header"),
        (
            HEADER.replace("arm", "branch").encode(),
            "  arm  there is no such column  (add it, or list the supplier's name",
        ),
        (HEADER.replace("event", "evnt").encode(), "but one called 'first_evnt_on'. Did you mean 'first_event_on'?"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_words_with_what_to_do(extracts, tmp_path, content, words):
    folder = extracts(content)
    found = check(folder)
    assert found.is_refused
    assert words in found.in_words()
    assert "2022" not in found.in_words()
    assert "was not admitted" in found.in_words()
    with pytest.raises(ContractBroken, match="was not admitted"):
        intake.admit(folder, tmp_path / "s.duckdb", contracts_folder=CONTRACTS)
    assert not (tmp_path / "s.duckdb").exists()


def test_a_fault_of_a_whole_column_has_row_1_and_one_of_a_whole_file_none(extracts):
    assert faults(check(extracts(HEADER.replace("arm", "branch"), person("A")))) == [(1, "arm", "required", "")]
    assert faults(check(extracts(b""))) == [(None, "", "type", "")]


def test_a_folder_that_is_not_there_or_holds_nothing_known_is_said_to_be_so(tmp_path, extracts):
    with pytest.raises(ContractBroken, match="there is no such folder"):
        check(tmp_path / "nowhere")
    with pytest.raises(ContractBroken, match=r"holds no table that a contract knows.*ready_cohort"):
        check(tmp_path)
    for name, words in [
        ("ready_cohort.xlsx", "ready_cohort.xlsx: only CSV is read in this version. Save it as ready_cohort.csv"),
        ("ready_cohrt.csv", "ready_cohrt.csv: no contract is for a table of this name. Did you mean ready_cohort.csv?"),
    ]:
        with pytest.raises(ContractBroken) as caught:
            check(extracts(b"x", name=name))
        assert words in str(caught.value)


def test_files_that_are_passed_over_are_named(extracts):
    extracts(HEADER, person("A"))
    extracts(b"PK", name="ready_cohort.xlsx")
    found = check(extracts(b"a,b", name="weather.csv"))
    assert found.notes == (
        "ready_cohort.xlsx was not read: only CSV is read in this version, and ready_cohort.csv lies beside it.",
        "weather.csv was not read: no contract is for it.",
    )
    assert not found.is_refused


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("extract_dat: 2024-01-01", "there is no setting called 'extract_dat'. Did you mean 'extract_date'?"),
        ("extract_date: soon", "extract_date must be the first day that is not in the extract, written as 2026-09-30."),
        ("extract_date: 2024-01-01 10:00:00", "must be the first day that is not in the extract"),
        ("extract_date: 2024-13-01", "a date that does not exist"),
        ("", "is empty"),
        ("extract_date: [", "line"),
    ],
)
def test_an_extract_file_that_cannot_be_used_refuses_the_folder_with_all_else_that_is_wrong(extracts, content, words):
    folder = extracts(HEADER, person("A", arm="x"))
    (folder / "extract.yaml").write_text(content, encoding="utf-8")
    found = check(folder)
    assert found.is_refused
    assert words in found.in_words()
    assert "code that is not on the agreed list" in found.in_words()
    with pytest.raises(ContractBroken):
        intake.extract_date_of(folder)


def test_the_extract_date_is_the_one_given_or_the_one_of_the_folder_or_none(extracts):
    folder = extracts(HEADER, person("A", until="2023-03-02"))
    assert intake.extract_date_of(folder) is None
    assert (
        "Not checked, because no extract date was given: index_date must be before the extract date"
        in check(folder).in_words()
    )
    (folder / "extract.yaml").write_text("extract_date: 2023-03-01\n", encoding="utf-8")
    assert intake.extract_date_of(folder) == date(2023, 3, 1)
    assert faults(check(folder)) == [(2, "observed_until", "range", "2023-03-02")]
    assert check(folder, extract_date=date(2023, 3, 2)).is_clean


# The list of faults


def test_the_list_of_faults_has_row_rule_and_value_and_is_for_its_owner_alone(extracts, tmp_path):
    file = tmp_path / "faults.csv"
    file.write_text("old", encoding="utf-8")
    intake.write_faults_csv(check(extracts(HEADER, person("A", arm='"x, ""y"""'), person("A"))), file)
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["table", "row", "column", "rule", "severity", "value", "hint"]
    assert rows[1][:6] == ["ready_cohort", "2", "arm", "code", "quarantine", 'x, "y"']
    assert rows[2][:6] == ["ready_cohort", "3", "person_id", "primary_key", "refuse", ""]
    if os.name == "posix":
        assert mode(file) == 0o600


def test_the_page_of_faults_shows_a_cell_as_text_and_never_as_a_page(extracts, tmp_path):
    file = tmp_path / "faults.html"
    intake.write_faults_html(check(extracts(HEADER, person("A", arm="<script>alert(1)</script>"))), file)
    page = file.read_text(encoding="utf-8")
    assert "<td>&lt;script&gt;alert(1)&lt;/script&gt;</td>" in page
    assert "<script" not in page
    assert "http" not in page
    assert "1 of 1 rows were set aside" in page
    if os.name == "posix":
        assert mode(file) == 0o600


def test_a_page_says_how_many_faults_it_leaves_to_the_list(extracts, tmp_path, monkeypatch):
    from evalkit.store.intake import faultlist

    monkeypatch.setattr(faultlist, "SHOWN_ON_A_PAGE", 2)
    intake.write_faults_html(check(extracts(HEADER, *(person(name, arm="x") for name in "ABCDE"))), tmp_path / "f.html")
    assert "3 further faults are not on this page" in (tmp_path / "f.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("inside", ["outputs", "outputs/rossi/public", "Outputs"])
def test_nothing_about_a_person_is_written_inside_outputs(extracts, tmp_path, inside):
    folder = tmp_path / inside
    folder.mkdir(parents=True)
    (tmp_path / "elsewhere").symlink_to(folder)
    found = check(extracts(HEADER, person("A", arm="x")))
    for place in (folder, tmp_path / "elsewhere", folder / ".." / Path(inside).name):
        for write in (intake.write_faults_csv, intake.write_faults_html):
            with pytest.raises(NotReleasable, match="may not be written inside a folder called 'outputs'"):
                write(found, place / "faults")
        with pytest.raises(NotReleasable):
            intake.admit(ROSSI, place / "s.duckdb", contracts_folder=CONTRACTS)
    assert list(folder.iterdir()) == []


def test_the_report_for_programs_holds_counts_and_no_value(extracts):
    found = check(extracts(HEADER, person("A", arm="canary"), person("B"))).as_json()
    [table] = found["tables"]
    assert {name: table[name] for name in ("table", "rows_read", "refused", "quarantined", "admitted")} == {
        "table": "ready_cohort", "rows_read": 2, "refused": 0, "quarantined": 1, "admitted": 1,
    }  # fmt: skip
    assert table["faults"][0] | {"hint": ""} == {
        "column": "arm", "rule": "code", "severity": "quarantine", "label": "code that is not on the agreed list",
        "hint": "", "rows": 1,
    }  # fmt: skip
    assert "canary" not in str(found)


# The store


@pytest.fixture
def store(tmp_path, extracts):
    """A store that stands, and a folder of extracts that would replace it."""
    file = tmp_path / "store" / "old.duckdb"
    intake.admit(ROSSI, file, contracts_folder=CONTRACTS)
    return file, extracts(HEADER, person("A"), person("B", arm="x", age="old"), person("C"))


def test_rows_that_break_a_rule_are_kept_apart_and_counted(store):
    file, folder = store
    intake.admit(folder, file, contracts_folder=CONTRACTS, extract_date=date(2024, 1, 1))
    assert admitted(file, "person_id, file_row") == [("A", 2), ("C", 4)]
    assert admitted(file, '"table", input, file_row, "column", rule', "quarantined") == [
        ("ready_cohort", "ready_cohort.csv", 3, "arm", "code"),
        ("ready_cohort", "ready_cohort.csv", 3, "x_age", "type"),
    ]


def test_the_manifest_says_what_was_read_under_which_contract(store):
    file, folder = store
    intake.admit(folder, file, contracts_folder=CONTRACTS, extract_date=date(2024, 1, 1))
    with duckdb.connect(str(file), read_only=True) as connection:
        [row] = connection.execute("SELECT * FROM manifest").fetchall()
        assert [column[0] for column in connection.description] == [
            "input", "sha256", "bytes", "rows", "contract_id", "contract_version", "contract_sha256", "evalkit_version",
            "extract_date",
        ]  # fmt: skip
    content, contract = (folder / "ready_cohort.csv").read_bytes(), CONTRACTS / "ready_cohort.odcs.yaml"
    assert row[:6] == (
        "ready_cohort.csv",
        hashlib.sha256(content).hexdigest(),
        len(content),
        3,
        "ready_cohort",
        "1.0.0",
    )
    assert row[6] == hashlib.sha256(contract.read_bytes()).hexdigest()
    assert row[8] == date(2024, 1, 1)


def test_columns_have_their_types_and_one_that_was_not_sent_is_there_and_empty(store):
    file, _ = store
    with duckdb.connect(str(file), read_only=True) as connection:
        types = {name: kind for name, kind, *_ in connection.execute("DESCRIBE ready_cohort").fetchall()}
        assert connection.execute("SELECT count(*), count(weight) FROM ready_cohort").fetchone()[1] == 0
    assert (types["index_date"], types["x_age"], types["person_id"], types["file_row"]) == (
        "DATE",
        "DOUBLE",
        "VARCHAR",
        "BIGINT",
    )
    assert types["weight"] == "DOUBLE"


@POSIX
def test_the_store_and_a_folder_made_for_it_are_for_their_owner_alone(store):
    file, _ = store
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)
    assert [path.name for path in file.parent.iterdir()] == ["old.duckdb"]


def test_a_refused_extract_leaves_the_store_as_it_was(store, extracts):
    file, _ = store
    before = file.read_bytes()
    with pytest.raises(ContractBroken, match="repeated key person_id"):
        intake.admit(extracts(HEADER, person("A"), person("A")), file, contracts_folder=CONTRACTS)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["old.duckdb"]


@pytest.mark.parametrize("step", ["_write_table", "_write_quarantined", "_write_manifest"])
@pytest.mark.parametrize("error", [duckdb.IOException, OSError, KeyboardInterrupt])
def test_an_admission_that_breaks_off_leaves_the_store_as_it_was_and_nothing_beside_it(store, monkeypatch, step, error):
    file, folder = store
    before = file.read_bytes()

    def break_off(*_):
        raise error(28, "canary") if error is OSError else error("canary")

    monkeypatch.setattr(admission, step, break_off)
    with pytest.raises((RunFailed, KeyboardInterrupt)) as caught:
        intake.admit(folder, file, contracts_folder=CONTRACTS)
    assert error is KeyboardInterrupt or "canary" not in str(caught.value)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["old.duckdb"]


def _in_another_process(code, *arguments):
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom evalkit.store.intake import admission\n"
    return subprocess.run(
        [sys.executable, "-c", start + code, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


@POSIX
def test_an_admission_that_is_killed_leaves_the_store_as_it_was_and_the_next_one_tidies_up(store):
    file, folder = store
    before = file.read_bytes()
    code = (
        "import os, signal\n"
        "admission.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "admission.admit(sys.argv[1], sys.argv[2], contracts_folder=sys.argv[3])\n"
    )
    assert _in_another_process(code, folder, file, CONTRACTS).returncode == -signal.SIGKILL
    assert file.read_bytes() == before
    assert len(list(file.parent.iterdir())) == 2
    assert all(mode(left) == 0o700 for left in file.parent.iterdir() if left.is_dir())
    intake.admit(folder, file, contracts_folder=CONTRACTS)
    assert [path.name for path in file.parent.iterdir()] == ["old.duckdb"]
    assert len(admitted(file)) == 2


@POSIX
def test_an_admission_does_not_tidy_away_one_that_is_under_way(store):
    file, folder = store
    with admission._drafted(file) as draft:
        intake.admit(folder, file, contracts_folder=CONTRACTS)
        assert draft.parent.is_dir()
        shutil.copy(file, draft)
    assert [path.name for path in file.parent.iterdir()] == ["old.duckdb"]


@POSIX
def test_a_full_disk_is_said_in_words_and_leaves_the_store_as_it_was(store):
    file, folder = store
    before = file.read_bytes()
    code = (
        "import resource\n"
        "from evalkit.errors import RunFailed\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try:\n"
        "    admission.admit(sys.argv[1], sys.argv[2], contracts_folder=sys.argv[3])\n"
        "except RunFailed as error:\n"
        "    sys.stdout.write(str(error))\n"
    )
    said = _in_another_process(code, folder, file, CONTRACTS)
    assert "could not be written" in said.stdout, said.stderr
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["old.duckdb"]


def test_the_fingerprint_of_the_inputs_follows_the_bytes_that_would_be_read_and_nothing_else(extracts, tmp_path):
    folder = extracts(HEADER, person("A"))
    contracts = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, contracts)
    first = intake.inputs_fingerprint(folder, contracts)
    extracts(b"a,b", name="other.csv")
    assert intake.inputs_fingerprint(folder, contracts) == first
    extracts("extract_date: 2024-01-01", name="extract.yaml")
    second = intake.inputs_fingerprint(folder, contracts)
    extracts(HEADER, person("B"))
    third = intake.inputs_fingerprint(folder, contracts)
    with (contracts / "ready_cohort.odcs.yaml").open("a", encoding="utf-8") as file:
        file.write("# agreed\n")
    assert len({first, second, third, intake.inputs_fingerprint(folder, contracts)}) == 4
    with pytest.raises(ContractBroken, match="there is no such folder"):
        intake.inputs_fingerprint(tmp_path / "nowhere", contracts)


@pytest.fixture
def reads(monkeypatch):
    """The names of the files that were read to make a fingerprint, in order."""
    from evalkit.store.intake import folder

    seen, read = [], folder.hashlib.file_digest
    monkeypatch.setattr(
        folder.hashlib, "file_digest", lambda stream, kind: seen.append(stream.name) or read(stream, kind)
    )
    return seen


def test_a_file_that_lies_as_it_lay_is_read_once_for_all_fingerprints(extracts, tmp_path, reads):
    contracts = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, contracts)
    folder = extracts(HEADER, person("A"))
    table, contract = folder / "ready_cohort.csv", contracts / "ready_cohort.odcs.yaml"
    for file in (table, contract):
        os.utime(file, (1_600_000_000, 1_600_000_000))
    first = intake.inputs_fingerprint(folder, contracts)
    assert sorted(reads) == sorted(map(str, (table, contract)))
    assert intake.inputs_fingerprint(folder, contracts) == first
    assert len(reads) == 2
    extracts(HEADER, person("B"))
    assert intake.inputs_fingerprint(folder, contracts) != first
    assert reads[2:] == [str(table)]


def test_a_file_that_was_written_just_now_is_read_each_time_for_its_times_may_not_tell(extracts, reads):
    prints, now = set(), time.time_ns()
    for name in "AB":
        folder = extracts(HEADER, person(name))
        os.utime(folder / "ready_cohort.csv", ns=(now, now))
        prints |= {intake.inputs_fingerprint(folder, CONTRACTS) for _ in range(2)}
    assert len(prints) == 2
    assert len([name for name in reads if name.endswith(".csv")]) == 4
