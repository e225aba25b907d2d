"""Laws of checking an extract: what a list of faults may hang on, and what no message may ever hold."""

from __future__ import annotations

import csv
import io
import random
import tempfile
from collections import Counter
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.contracts import Contract, Field
from evalkit.errors import ContractBroken
from evalkit.store import intake
from evalkit.store.intake import extracts

CONTRACTS = Path(__file__).parents[2] / "data_contracts"
EXTRACT_DATE = date(2024, 1, 1)
EXAMPLES = settings(max_examples=15, deadline=None)  # each one is a check of a whole folder, a tenth of a second
MANY = settings(max_examples=200, deadline=None)
COLUMNS = (
    "person_id", "programme", "area", "period", "arm", "index_date", "observed_until", "first_event_on", "event_count",
    "exposure_days", "weight", "pair_id", "x_age",
)  # fmt: skip
DAYS = ("allocated_on", "accepted_on", "notice_on", "started_on", "discharged_on")
PLANTED = {
    ("area", "required"): "",
    ("arm", "code"): "canary_arm",
    ("index_date", "type"): "canary 2022",
    ("index_date", "range"): "2024-03-03",
    ("observed_until", "order"): "1999-09-09",
    ("first_event_on", "order"): "1998-08-08",
    ("event_count", "type"): "canaries",
    ("event_count", "range"): "-918273",
    ("exposure_days", "range"): "-918.273",
    ("weight", "type"): "nan",
    ("weight", "range"): "-0.918273",
    ("x_age", "type"): "canary years",
}

days = st.dates(date(2015, 1, 1), date(2023, 6, 1))
whole, measured = st.sampled_from(["", "0", "31"]), st.sampled_from(["", "30", "-2e-3"])
arms = st.sampled_from(["programme", "usual_care", "waiting_list"])


@st.composite
def people(draw):
    """Rows that keep the contract, in which every text is a canary."""
    rows = []
    for number in range(draw(st.integers(1, 12))):
        start, length = draw(days), draw(st.integers(2, 200))
        event = draw(st.none() | st.integers(1, length - 1))
        rows.append(
            {
                "person_id": f"canary{number}", "programme": "canary_programme", "period": "canary_period",
                "area": f"canary_{draw(st.integers(0, 2))}", "arm": draw(arms), "index_date": start.isoformat(),
                "observed_until": (start + timedelta(days=length)).isoformat(),
                "first_event_on": "" if event is None else (start + timedelta(days=event)).isoformat(),
                "event_count": draw(whole), "weight": draw(st.sampled_from(["", "0.918273"])),
                "exposure_days": draw(st.sampled_from(["", "77.5"])), "x_age": draw(measured),
                "pair_id": draw(st.sampled_from(["", "canary, 'pair'"])),
            }
        )  # fmt: skip
    return rows


@st.composite
def people_with_faults(draw):
    """Rows of which some break one rule each, and those faults as (row, column, rule, value)."""
    rows = draw(people())
    faults = []
    for place in draw(st.sets(st.integers(0, len(rows) - 1))):
        (column, rule), value = draw(st.sampled_from(sorted(PLANTED.items())))
        blank = {"first_event_on": ""} if column in ("index_date", "observed_until") else {}
        rows[place] = {**rows[place], **blank, column: value}
        faults.append((place + 2, column, rule, value))
        if (column, rule) == ("index_date", "range"):  # whoever is followed from then is observed after then, too
            rows[place] |= {"observed_until": "2024-03-04"}
            faults.append((place + 2, "observed_until", "range", "2024-03-04"))
    return rows, sorted(faults)


@contextmanager
def _folder(rows, table="ready_cohort", columns=COLUMNS):
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / f"{table}.csv").write_text(text.getvalue(), encoding="utf-8")
        yield Path(name)


def _check(rows, **more):
    with _folder(rows, **more) as folder:
        return intake.check(folder, contracts_folder=CONTRACTS, extract_date=EXTRACT_DATE)


def _named(found):
    return [(fault.row, fault.column, fault.rule, fault.value) for fault in found.faults()]


@EXAMPLES
@given(people())
def test_rows_that_keep_the_contract_have_no_fault(rows):
    found = _check(rows)
    assert _named(found) == []
    assert found.is_clean


@EXAMPLES
@given(people_with_faults())
def test_every_planted_fault_is_named_and_no_other(planted):
    rows, faults = planted
    found = _check(rows)
    assert sorted(_named(found)) == faults
    [table] = found.tables
    assert table.verdict.quarantined == len({row for row, *_ in faults})
    assert table.verdict.rows_read == table.verdict.quarantined + table.verdict.admitted == len(rows)


@EXAMPLES
@given(people_with_faults(), st.integers(0, 2**32))
def test_shuffling_the_rows_changes_no_fault_but_its_row(planted, seed):
    rows, faults = planted
    shuffled = random.Random(seed).sample(rows, len(rows))
    assert Counter(fault[1:] for fault in _named(_check(shuffled))) == Counter(fault[1:] for fault in faults)


@EXAMPLES
@given(people(), st.data())
def test_of_repeated_keys_every_row_but_the_first_is_named(rows, data):
    again = data.draw(st.lists(st.sampled_from(rows), max_size=4))
    repeated = [len(rows) + 2 + place for place in range(len(again))]
    assert _named(_check(rows + again)) == [(row, "person_id", "primary_key", "") for row in repeated]


@EXAMPLES
@given(people_with_faults(), st.booleans())
def test_no_message_holds_a_value(planted, refuse):
    rows, _ = planted
    cells = {
        cell
        for row in rows
        for cell in row.values()
        if len(cell) > 3 and cell not in ("programme", "usual_care", "waiting_list")
    }
    rows = rows + rows[:1] if refuse else rows
    found = _check(rows)
    said = [found.in_words(), str(found.as_json()), repr(found), repr(found.tables)]
    if refuse:
        with _folder(rows) as folder, pytest.raises(ContractBroken) as caught:
            intake.admit(folder, folder / "s.duckdb", contracts_folder=CONTRACTS, extract_date=EXTRACT_DATE)
        said.append(str(caught.value))
    assert [cell for cell in cells for words in said if cell in words] == []


@EXAMPLES
@given(
    st.lists(st.lists(st.none() | days, min_size=5, max_size=5), min_size=1, max_size=6), st.sets(st.sampled_from(DAYS))
)
def test_a_column_that_is_not_sent_and_one_that_is_empty_are_judged_alike(drawn, lacking):
    sound = {"person_id": "A", "programme": "p", "arm": "programme", "police_link": "linked", "area": "north"}
    rows = [
        {"episode_id": f"E{number}", **sound, **{name: day or "" for name, day in zip(DAYS, line, strict=True)}}
        for number, line in enumerate(drawn)
    ]
    blank = [row | dict.fromkeys(lacking, "") for row in rows]
    columns = tuple(rows[0])
    sent = tuple(name for name in columns if name not in lacking)
    whole = _named(_check(blank, table="episodes", columns=columns))
    assert sorted(_named(_check(rows, table="episodes", columns=sent))) == sorted(whole)
    without_a_start = {row for row, line in enumerate(blank, start=2) if not line[DAYS[0]] and not line[DAYS[1]]}
    assert {row for row, _, rule, _ in whole if rule == "required_when"} == without_a_start


def _two_columns():
    fields = tuple(
        Field(name=name, label=name, description=name, type="string", classification="confidential", rules=())
        for name in "ab"
    )
    return Contract(id="t", version="1", table="t", purpose="", one_row_is="", fields=fields, file=Path("t"), sha256="")


CELLS = st.sampled_from(
    [
        "",
        "x",
        "x y",
        "é",
        "1",
        "2022-03-01",
        '"y"',
        '"z z"',
        '"a,b"',
        '"a\nb"',
        '"q""q"',
        ' "s"',
        '"t" ',
        'u"u',
        '"',
        "\\",
        "  ",
        "\t",
        "\u00a0",
        "'",
        "#",
    ]
)
ENDS = st.sampled_from(["\n", "\n", "\n", "\n", "\r\n", "\r", "\n\n", ",\n"])
LINES = st.lists(st.tuples(st.lists(CELLS, min_size=2, max_size=2) | st.lists(CELLS, max_size=3), ENDS), max_size=5)


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        yield opened


@MANY
@given(lines=LINES)
def test_what_duckdb_splits_python_splits_alike(connection, lines):
    contract, headers = _two_columns(), ("a", "b")
    extract = extracts.Extract(headers=headers, heading=extracts.heading(contract, headers), relation="text_t")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "t.csv"
        file.write_bytes(("a,b\n" + "".join(",".join(cells) + end for cells, end in lines)).encode())
        surveyed = extracts.survey(file, contract)
        query = "SELECT file_row, a, b FROM text_t ORDER BY file_row"
        if surveyed.is_plain and extracts._split_by_duckdb(connection, file, contract, extract, surveyed):
            by_duckdb = connection.execute(query).fetchall()
            assert extracts._split_by_python(connection, file, contract, extract, surveyed) == ()
            assert connection.execute(query).fetchall() == by_duckdb
