"""The settings of the score, its harm weights, the connection it is prepared on, and its two commands."""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from evalkit import cli, rfgv
from evalkit.errors import NotComparable, StudyError
from evalkit.rfgv import history
from evalkit.study import RfgvSpec

ROOT = Path(__file__).parents[1]
SETTINGS = "params/rfgv/conventional.yaml"
WEIGHTS = "data_contracts/reference/illustrative_weights.csv"
RUN_DATE = date(2022, 1, 1)
HEADER = "person_id,area,n_incidents,mean_gap_days,days_since_last,gravity,n_victims,score,eligible"


def _conventional(project):
    return RfgvSpec.read("conventional", project.root)


# Settings


def test_the_shipped_settings_are_whole_and_say_that_they_are_illustrative():
    glossaries = {
        "conventional": "R = days since the last event; F = number of events; ",
        "literal-note": "R = number of events; F = mean days between events; ",
    }
    rest = "G = harm weight of the events; V = number of different victims"
    for slug, letters in glossaries.items():
        spec = RfgvSpec.read(slug, ROOT)
        assert spec.glossary == letters + rest
        assert "illustrative" in spec.owner
        assert set(spec.bands) == {"n_incidents", "mean_gap_days", "days_since_last", "gravity", "n_victims"}
        assert RfgvSpec.model_validate(spec.model_dump(mode="json")) == spec
    assert (spec.look_back_months, spec.non_crime_weight, spec.most_unmapped) == (24, 0.5, 0.005)
    assert (spec.gravity_of_incident, spec.gravity_of_event, spec.gravity_over_window) == ("largest", "largest", "sum")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"look_back": 24}, "there is no setting called 'look_back'. Did you mean 'look_back_months'?"),
        ({"convention": "convential"}, "convention: 'convential' is not a valid choice. Did you mean 'conventional'?"),
        ({"convention": "custom"}, "custom: the list of parts belongs to convention 'custom', and to no other."),
        ({"custom": [{"feature": "gravity", "label": "G", "weight": 4}]}, "custom: the list of parts belongs to"),
        ({"part_weights": {"R": 2}}, "the weights of the parts must sum to 4, so that the highest score is 100."),
        ({"bands": {"gravity": [{"points": 5}]}}, "bands: there are none for days_since_last, n_incidents, n_victims."),
        ({"non_crime_weight": 0.12345}, "non_crime_weight: a harm weight has at most four decimals."),
        ({"weights": "/etc/passwd"}, "weights: must be a file below the project's folder."),
        ({"weights": "../weights.csv"}, "weights: must be a file below the project's folder."),
        ({"weights": "weights.csv"}, "weights.csv: there is no such file of harm weights."),
        ({"weights_sha256": 64 * "0"}, "is not the file of harm weights that was stated"),
        ({"slug": "other"}, "its slug is 'other' but the file says 'conventional'."),
        ({"look_back_months": 0}, "look_back_months: input should be greater than or equal to 1."),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_refused_in_words(project, settings, words):
    project.change(SETTINGS, **settings)
    with pytest.raises(StudyError) as refusal:
        _conventional(project)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    "bands",
    [
        [],
        [{"up_to": 2, "points": 1}],
        [{"up_to": 2, "points": 1}, {"up_to": 2, "points": 2}, {"points": 3}],
        [{"up_to": 3, "points": 1}, {"up_to": 2, "points": 2}, {"points": 3}],
        [{"points": 1}, {"up_to": 2, "points": 2}, {"points": 3}],
    ],
    ids=["none", "no open end", "an edge twice", "falling", "open in the middle"],
)
def test_bands_rise_and_the_last_is_open(project, bands):
    spec = _conventional(project).model_dump(mode="json")
    project.change(SETTINGS, bands=spec["bands"] | {"gravity": bands})
    with pytest.raises(StudyError, match="gravity: every band but the last needs an 'up_to' above the one before"):
        _conventional(project)


def test_misspelt_features_and_points_out_of_range_are_named(project):
    spec = _conventional(project).model_dump(mode="json")
    project.change(SETTINGS, bands=spec["bands"] | {"recency": [{"points": 26}]})
    with pytest.raises(StudyError, match="recency") as refusal:
        _conventional(project)
    assert "points: input should be less than or equal to 25" in str(refusal.value)


# Harm weights


def test_the_shipped_harm_weights_hold_the_published_two_and_call_the_others_illustrative():
    with (ROOT / WEIGHTS).open(encoding="utf-8") as stream:
        rows = {row["offence_code"]: row for row in csv.DictReader(stream)}
    assert {code: rows[code]["value"] for code in ("8N", "5D")} == {"8N": "184", "5D": "1965"}
    assert all(row["source"].startswith("illustrative") for code, row in rows.items() if code not in ("8N", "5D"))
    assert {"105A", "8L", "8Q", "58D", "3B", "19C", "49", "9A", "30C"} <= set(rows)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["HO_class,8N,184,x,1", "HO_class,8N,185,x,1"], "offence codes that stand twice: HO_class 8N."),
        (["X,8N,0.12345,x,1", "X,8L,-1,x,1", "X,5D,many,x,1", "X,3B,nan,x,1"], "not so: 3B, 5D, 8L, 8N."),
        (["HO_class,8N,184,x,1", "HO_class,8L,184,x,2"], "holds more than one version"),
        ([], "needs the columns offence_code_system, offence_code, value, source, version and a row for each"),
    ],
)  # fmt: skip
def test_a_faulty_file_of_harm_weights_is_refused_in_words(project, rows, words):
    header = "offence_code_system,offence_code,value,source,version"
    (project.root / WEIGHTS).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    with pytest.raises(StudyError) as refusal, duckdb.connect() as connection:
        rfgv.prepare(connection, _conventional(project), project.root)
    assert words in str(refusal.value)


def test_harm_weights_that_changed_since_the_settings_were_read_are_refused(project):
    spec = _conventional(project)
    project.edit(WEIGHTS, "HO_class,8N,184", "HO_class,8N,185")
    with pytest.raises(StudyError, match="is not the file of harm weights that was stated"), duckdb.connect() as made:
        rfgv.prepare(made, spec, project.root)


# The connection


INCIDENTS = """
    record_id VARCHAR, incident_id VARCHAR, person_id VARCHAR, role VARCHAR, victim_id VARCHAR, occurred_on DATE,
    recorded_on DATE, cancelled_on DATE, record_type VARCHAR, offence_code_system VARCHAR, offence_code VARCHAR,
    is_domestic_abuse BOOLEAN, area VARCHAR
"""


def _police(file=":memory:", people=6):
    """Records of some people in two areas: person n has n events, one a day before the run date, with two victims."""
    connection = duckdb.connect(str(file))
    connection.execute("CREATE TABLE people (person_id VARCHAR, birth_year INTEGER, sex VARCHAR, area VARCHAR)")
    connection.execute(f"CREATE TABLE incidents ({INCIDENTS})")
    connection.execute("CREATE TABLE manifest AS SELECT DATE '2024-01-01' AS extract_date")
    for person in range(1, people + 1):
        area = "ashmere" if person % 2 else "corwick"
        connection.execute("INSERT INTO people VALUES (?, 1980, 'M', ?)", [f"P{person}", area])
        connection.execute(
            f"""
            INSERT INTO incidents SELECT 'r{person}-' || n, 'i{person}-' || n, 'P{person}', 'suspect', 'V' || n % 2,
              DATE '2021-12-31' - n::INTEGER, DATE '2021-12-31' - n::INTEGER, NULL, 'crime', 'HO_class', '8N', true,
              '{area}'
            FROM range({person}) AS days(n)
            """
        )
    return connection


def test_a_file_that_is_read_only_is_scored_and_left_as_it_is(tmp_path):
    _police(tmp_path / "police.duckdb").close()
    before = (tmp_path / "police.duckdb").read_bytes()
    with duckdb.connect(str(tmp_path / "police.duckdb"), read_only=True) as connection:
        rfgv.prepare(connection, RfgvSpec.read("conventional", ROOT), ROOT)
        assert rfgv.score(connection, RUN_DATE, RfgvSpec.read("conventional", ROOT))["n_incidents"].tolist() == [
            1,
            2,
            3,
            4,
            5,
            6,
        ]
    assert (tmp_path / "police.duckdb").read_bytes() == before


def test_however_few_people_are_gathered_at_a_time_the_scores_are_the_same(monkeypatch):
    spec, connection = RfgvSpec.read("conventional", ROOT), _police()
    rfgv.prepare(connection, spec, ROOT)
    whole = rfgv.score(connection, RUN_DATE, spec)
    monkeypatch.setattr(history, "PART_ROWS", 2)
    rfgv.prepare(connection, spec, ROOT)
    assert rfgv.score(connection, RUN_DATE, spec).equals(whole)
    assert whole["n_incidents"].sum() == 21


@pytest.mark.parametrize("table", ["people", "incidents"])
def test_a_table_that_is_not_there_is_named(table):
    connection = _police()
    connection.execute(f"DROP TABLE {table}")
    with pytest.raises(NotComparable, match=f"the data hold no table called '{table}'"):
        rfgv.prepare(connection, RfgvSpec.read("conventional", ROOT), ROOT)


def test_columns_that_an_extract_may_leave_out_are_not_needed():
    spec, connection = RfgvSpec.read("conventional", ROOT), _police()
    for column in ("victim_id", "cancelled_on"):
        connection.execute(f"ALTER TABLE incidents DROP {column}")
    connection.execute("UPDATE incidents SET record_type = 'non_crime_incident'")
    connection.execute("ALTER TABLE incidents DROP offence_code")
    connection.execute("CREATE TABLE episodes AS SELECT 'P1' AS person_id, 'matac' AS programme, 'programme' AS arm")
    connection.execute("CREATE TABLE custody AS SELECT 'P2' AS person_id, DATE '2021-01-01' AS from_on")
    rfgv.prepare(connection, spec, ROOT)
    assert rfgv.score(connection, RUN_DATE, spec)["gravity"].tolist() == [0.5, 1, 1.5, 2, 2.5, 3]
    assert rfgv.busy(connection, RUN_DATE).to_dict("records") == [{"person_id": "P2", "reason": "in_custody"}]


def test_one_preparation_serves_both_conventions_but_not_other_weights():
    spec, connection = RfgvSpec.read("conventional", ROOT), _police()
    rfgv.prepare(connection, spec, ROOT)
    rfgv.score(connection, RUN_DATE, RfgvSpec.read("literal-note", ROOT))
    other = spec.model_copy(update={"non_crime_weight": 1.0, "gravity_of_event": "sum"})
    with pytest.raises(
        ValueError, match="prepared with another gravity_of_event, non_crime_weight: call prepare again"
    ):
        rfgv.score(connection, RUN_DATE, other)


# The commands


class Store:
    """A project with a store of police records, and what a command that was run in it said."""

    def __init__(self, project, monkeypatch, capsys):
        self.root, self.change, self._argue, self._heard = project.root, project.change, monkeypatch, capsys

    def evalkit(self, *arguments):
        self._argue.setattr(sys, "argv", ["evalkit", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = self._heard.readouterr()
        return SimpleNamespace(returncode=ended.value.code or 0, stdout=said.out, stderr=said.err)


@pytest.fixture
def store(project, monkeypatch, capsys):
    """A store with police records in the project."""
    connection = _police(project.root / "police.duckdb")
    connection.execute(
        "CREATE TABLE custody AS SELECT 'P6' AS person_id, DATE '2021-01-01' AS from_on, NULL::DATE AS until_on"
    )
    connection.execute("CREATE TABLE person_links AS SELECT 'X5' AS person_id, 'P5' AS same_as, 'certain' AS strength")
    connection.close()
    return Store(project, monkeypatch, capsys)


def _table(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("command", ["score", "select"])
def test_the_commands_have_help_with_an_example(store, command):
    assert f"Example: evalkit {command} police.duckdb --run-date" in store.evalkit(command, "--help").stdout


def test_score_prints_everybody_by_person_and_says_what_the_letters_mean(store):
    done = store.evalkit("score", "police.duckdb", "--run-date", "2022-01-01")
    assert done.returncode == 0
    assert done.stdout.splitlines()[:3] == [
        HEADER,
        "P1,ashmere,1,731,1,184,1,48,no",
        "P2,corwick,2,1,1,368,2,61,yes",
    ]
    assert len(done.stdout.splitlines()) == 7
    assert "R = days since the last event; F = number of events" in done.stderr
    assert (
        "21 events of domestic abuse from 2020-01-01 to the day before 2022-01-01: 0.0% name no victim" in done.stderr
    )


def test_score_by_the_other_convention_or_a_file_of_settings_or_other_weights(store):
    def points(*more):
        done = store.evalkit("score", "police.duckdb", "--run-date", "2022-01-01", *more)
        assert done.returncode == 0, done.stderr
        return [float(row["score"]) for row in _table(done.stdout)][:2]

    assert points("--convention", "conventional") == [48, 61]
    assert points("--convention", "literal_note") == [1 + 2 + 19 + 3, 4 + 25 + 22 + 10]
    store.change(SETTINGS, part_weights={"R": 0, "F": 4, "G": 0, "V": 0})
    assert points("--convention", SETTINGS) == [4, 16]
    (store.root / "mine.csv").write_text(
        "offence_code_system,offence_code,value,source,version\nHO_class,8N,1,mine,1\n", encoding="utf-8"
    )
    done = store.evalkit("score", "police.duckdb", "--run-date", "2022-01-01", "--weights", "mine.csv")
    assert [float(row["gravity"]) for row in _table(done.stdout)] == [1, 2, 3, 4, 5, 6]
    assert "another scale of harm weights wants bands of its own" in done.stderr


def test_score_to_a_file_is_for_the_owner_alone_and_says_where(store):
    for _ in range(2):  # a second time over the first
        done = store.evalkit("score", "police.duckdb", "--run-date", "2022-01-01", "--out", "scores.csv")
        assert (done.returncode, done.stdout.strip()) == (0, "scores.csv")
    written = store.root / "scores.csv"
    assert written.stat().st_mode & 0o777 == 0o600
    assert written.read_text(encoding="utf-8").splitlines()[0] == HEADER


def test_score_for_a_machine(store):
    done = store.evalkit("score", "police.duckdb", "--run-date", "2021-12-30", "--json")
    rows = json.loads(done.stdout)
    assert [row["n_incidents"] for row in rows] == [0, 0, 1, 2, 3, 4]
    assert rows[0]["days_since_last"] is None


def test_select_ranks_each_area_and_passes_over(store):
    (store.root / "not_these.csv").write_text("person_id,reason\nX5,marac\nnobody,marac\n", encoding="utf-8")
    done = store.evalkit(
        "select", "police.duckdb", "--run-date", "2022-01-01", "--top", "1", "--exclude", "not_these.csv"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == HEADER + ",rank,selected,exclusion_reason,distance_to_line"
    assert [
        tuple(row[name] for name in ("person_id", "area", "rank", "selected", "exclusion_reason"))
        for row in _table(done.stdout)
    ] == [
        ("P5", "ashmere", "1", "no", "marac"),
        ("P3", "ashmere", "2", "yes", ""),
        ("P1", "ashmere", "", "no", "not_eligible"),
        ("P6", "corwick", "1", "no", "in_custody"),
        ("P4", "corwick", "2", "yes", ""),
        ("P2", "corwick", "3", "no", ""),
    ]
    assert [float(row["distance_to_line"]) for row in _table(done.stdout)][1::3] == [0, 0]
    assert "not_these.csv: of 2 rows 1 name a person of the store" in done.stderr


def test_select_by_force_makes_one_list_of_the_areas_of_a_force(store):
    (store.root / "params/areas.yaml").write_text(
        "areas:\n  - {slug: ashmere, label: A, force: one}\n  - {slug: corwick, label: C, force: one}\n"
        "  - {slug: trial-site, label: T, force: two}\n", encoding="utf-8",
    )  # fmt: skip
    done = store.evalkit("select", "police.duckdb", "--run-date", "2022-01-01", "--top", "2", "--per", "force")
    rows = _table(done.stdout)
    assert [(row["person_id"], row["area"], row["rank"]) for row in rows][:3] == [
        ("P6", "corwick", "1"),
        ("P5", "ashmere", "2"),
        ("P4", "corwick", "3"),
    ]
    assert [row["person_id"] for row in rows if row["selected"] == "yes"] == ["P5", "P4"]


NEW_YEAR = "police.duckdb --run-date 2022-01-01"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (f"score {NEW_YEAR} --convention convential", 2, "Did you mean 'conventional'?"),
        (f"score {NEW_YEAR} --convention mine.yaml", 2, "mine.yaml: there is no such file."),
        (f"score {NEW_YEAR} --weights mine.csv", 2, "there is no such file of harm weights"),
        ("score nowhere.duckdb --run-date 2022-01-01", 2, "nowhere.duckdb: there is no such store."),
        ("score requirements.lock --run-date 2022-01-01", 2, "requirements.lock: is not a store."),
        ("score police.duckdb --run-date 01/01/2022", 2, "'01/01/2022' does not match"),
        ("score police.duckdb", 2, "--run-date"),
        ("score police.duckdb --run-date 2024-01-02", 2, "the extracts end before 2024-01-01"),
        (f"score {NEW_YEAR} --out requirements.lock", 2, "was not written by evalkit"),
        (f"score {NEW_YEAR} --out outputs/scores.csv", 1, "may not be written inside a folder called 'outputs'"),
        (f"select {NEW_YEAR}", 2, "--top"),
        (f"select {NEW_YEAR} --top -1", 2, "--top"),
        (f"select {NEW_YEAR} --top 1 --per county", 2, "--per"),
        (f"select {NEW_YEAR} --top 1 --exclude none.csv", 2, "none.csv: there is no such file."),
        (f"select {NEW_YEAR} --top 1 --exclude params/areas.yaml", 2, "needs the columns person_id and reason"),
    ],
)
def test_what_cannot_be_used_ends_with_its_exit_code_in_words(store, arguments, code, words):
    done = store.evalkit(*arguments.split())
    assert (done.returncode, done.stdout) == (code, "")
    assert words in " ".join(done.stderr.split())
    assert not list(store.root.glob("**/scores.csv"))


def test_a_withheld_score_ends_with_1_and_prints_nobody(store):
    with duckdb.connect(str(store.root / "police.duckdb")) as connection:
        connection.execute("UPDATE incidents SET offence_code = '999X' WHERE record_id = 'r6-0'")
    done = store.evalkit("score", "police.duckdb", "--run-date", "2022-01-01")
    assert (done.returncode, done.stdout) == (1, "")
    assert "the score of 2022-01-01 is withheld: 4.76% of 21 events" in done.stderr
