"""Who scores what on which day, and who is on the list: the definitions, drawn.

A line of a drawn table is one record. Days are numbered from 1 January 2020, which is day 0, and a run date is such a
day. Unless a column says otherwise the person is P, suspect, and the record was made the day after; an offence `-` is
a record that is no crime, with a harm weight of 0.5.
"""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from evalkit import rfgv
from evalkit.errors import NotComparable
from evalkit.study import RfgvSpec

ROOT = Path(__file__).parents[2]
CONVENTIONAL, LITERAL = (RfgvSpec.read(slug, ROOT) for slug in ("conventional", "literal-note"))
DAY_0 = date(2020, 1, 1)
DAYS = ("day", "recorded", "cancelled", "died", "left", "from", "until", "accepted", "discharged", "run_date")
INCIDENTS = """
    record_id VARCHAR, incident_id VARCHAR, person_id VARCHAR, role VARCHAR, victim_id VARCHAR, occurred_on DATE,
    recorded_on DATE, cancelled_on DATE, record_type VARCHAR, offence_code_system VARCHAR, offence_code VARCHAR,
    is_domestic_abuse BOOLEAN
"""
TWO_VICTIMS = """
    incident | day | victim | offence |
    ---------|-----|--------|---------|
    I1       | 700 | A      | -       |
    I2       | 710 | B      | -       |
"""


def day(number):
    return DAY_0 + timedelta(days=number)


def lines(table):
    """The rows of a drawn table, each a dictionary of what is in it; the remark after the last bar is not."""
    rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines() if "---" not in line]
    names = rows[0][:-1]
    for row in rows[1:]:
        found = {name: cell for name, cell in zip(names, row, strict=False) if cell}
        yield {name: day(int(cell)) if name in DAYS else cell for name, cell in found.items()}


class Drawn:
    """The score of drawn records."""

    def __init__(self, table, people="P", links="", spec=CONVENTIONAL, strengths=("certain",), root=ROOT):
        self.spec, self.connection = spec, duckdb.connect()
        self.connection.execute(f"CREATE TABLE incidents ({INCIDENTS})")
        for number, row in enumerate(lines(table)):
            self.connection.execute("INSERT INTO incidents VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", _record(number, row))
        self.connection.execute(
            "CREATE TABLE people (person_id VARCHAR, birth_year INT, area VARCHAR, died_on DATE, left_force_on DATE)"
        )
        people = lines(people) if "|" in people else [{"person": name} for name in people.split()]
        for row in people:
            values = [row["person"], row.get("born", 1980), row.get("area", "north"), row.get("died"), row.get("left")]
            self.connection.execute("INSERT INTO people VALUES (?,?,?,?,?)", values)
        self.connection.execute("CREATE TABLE person_links (person_id VARCHAR, same_as VARCHAR, strength VARCHAR)")
        for row in lines(links) if links else ():
            self.connection.execute("INSERT INTO person_links VALUES (?,?,?)", list(row.values()))
        rfgv.prepare(self.connection, spec, root, links=strengths)

    def people(self, number, **known):
        """Every row, by person."""
        return rfgv.score(self.connection, day(number), self.spec, **known).set_index("person_id").to_dict("index")

    def row(self, number, **known):
        """The row of P."""
        return self.people(number, **known)["P"]

    def events(self, number):
        """Day and victims of each event as known before a day."""
        rows = self.connection.execute(
            f"SELECT day, victims, is_domestic_abuse FROM {rfgv.events(self.connection, day(number))}"
        )
        return sorted(((one - DAY_0).days, "".join(victims), abuse) for one, victims, abuse in rows.fetchall())


def _record(number, row):
    happened, code = row["day"], row.get("offence", "-")
    recorded = row.get("recorded", happened + timedelta(days=1))
    return [
        f"r{number}", row["incident"], row.get("person", "P"), row.get("role", "suspect"), row.get("victim"), happened,
        recorded, row.get("cancelled"),
        *(("non_crime_incident", None, None) if code == "-" else ("crime", "HO_class", code)),
        row.get("flagged", "yes") == "yes",
    ]  # fmt: skip


# The worked example


WORKED = """
    incident | day | victim | offence | flagged | recorded | cancelled |
    ---------|-----|--------|---------|---------|----------|-----------|
    I1       | 100 | A      | -       | yes     |          |           | two records are one incident
    I1       | 100 | A      | 8N      | yes     |          |           |
    I2       | 100 | A      | -       | yes     |          |           | the same day and victim: one event with I1
    I3       | 100 |        | -       | yes     |          |           | no victim: an event of its own
    I4       | 650 | B      | 8N      | yes     |          |           | flagged: gives the day and the victim
    I4       | 652 | C      | 5D      | no      |          |           | not flagged: gives the weight alone
    I5       | 700 | B      | -       | yes     |          | 720       | known from day 702 to day 720
    I6       | 729 | B      | -       | yes     | 734      |           | known from day 735
"""


@pytest.mark.parametrize(
    ("run", "spec", "expected"),
    [
        (731, CONVENTIONAL, (3, 275.0, 81, 2149.5, 2, 57)),
        (731, LITERAL, (3, 275.0, 81, 2149.5, 2, 44)),
        (710, CONVENTIONAL, (4, 200.0, 10, 2150.0, 2, 70)),
        (710, LITERAL, (4, 200.0, 10, 2150.0, 2, 47)),
        (740, CONVENTIONAL, (4, 629 / 3, 11, 2150.0, 2, 70)),
        (740, LITERAL, (4, 629 / 3, 11, 2150.0, 2, 47)),
    ],
)
def test_the_worked_example(run, spec, expected):
    row = Drawn(WORKED, spec=spec).row(run)
    assert list(row) == [
        "area",
        "n_incidents",
        "mean_gap_days",
        "days_since_last",
        "gravity",
        "n_victims",
        "score",
        "eligible",
    ]
    assert tuple(row.values())[1:-1] == expected


# What a convention means


WEIGHT_1 = {"non_crime_weight": 1.0}


def _on_days(days, spec):
    rows = "".join(f"\nI{number} | {number} | {'AB'[place % 2]} | - |" for place, number in enumerate(days))
    return Drawn("incident | day | victim | offence |" + rows, spec=spec.model_copy(update=WEIGHT_1))


def test_by_the_literal_note_more_offending_can_lower_the_score_and_conventionally_it_does_not():
    assert _on_days([700, 701], LITERAL).row(731)["score"] == 41
    assert _on_days([400, 700, 701], LITERAL).row(731)["score"] == 28
    fewer, more = (_on_days(days, CONVENTIONAL).row(731)["score"] for days in ([700, 701], [400, 700, 701]))
    assert more >= fewer


def test_by_the_literal_note_the_score_can_rise_with_no_offending_and_conventionally_it_falls():
    assert [_on_days([5, 700, 705], LITERAL).row(run)["score"] for run in (731, 762)] == [24, 41]
    assert [_on_days([5, 700, 705], CONVENTIONAL).row(run)["score"] for run in (731, 762)] == [47, 36]


def test_by_the_literal_note_time_since_the_last_incident_counts_for_nothing():
    assert len({_on_days([300, 310], LITERAL).row(run)["score"] for run in (312, 500, 900)}) == 1
    assert len({_on_days([300, 310], CONVENTIONAL).row(run)["score"] for run in (312, 500, 900)}) == 3


def test_a_convention_of_ones_own_names_features_and_weights():
    parts = [
        {"feature": "n_victims", "label": "Spread", "weight": 3},
        {"feature": "gravity", "label": "Harm", "weight": 1},
    ]
    content = CONVENTIONAL.model_dump() | {"convention": "custom", "custom": parts}
    assert Drawn(WORKED, spec=RfgvSpec.model_validate(content)).row(731)["score"] == 3 * 10 + 25


# What is known, and of whom


def test_a_record_is_known_from_the_day_after_it_was_made_until_the_day_it_was_cancelled():
    found = Drawn(
        """
        incident | day | victim | recorded | cancelled |
        ---------|-----|--------|----------|-----------|
        I1       | 700 | A      | 705      | 720       | known on run dates 706 to 720
        I2       | 700 | B      | 705      | 705       | cancelled as it was made: never known
        """
    )
    assert [found.row(run)["n_incidents"] for run in (705, 706, 720, 721)] == [0, 1, 1, 0]


def test_as_known_later_the_records_and_cancellations_up_to_the_extract_count_too():
    found = Drawn(
        """
        incident | day | victim | recorded | cancelled |
        ---------|-----|--------|----------|-----------|
        I1       | 700 | A      |          | 720       | cancelled before the extract on day 800: out
        I2       | 705 | A      | 750      |           | recorded before it: in
        I3       | 708 | A      | 800      |           | recorded on the day of the extract, which it does not include
        I4       | 709 | A      |          | 800       | cancelled on that day: still in
        I5       | 710 | A      |          |           | the run date itself is not in the window
        """
    )
    assert found.row(710)["n_incidents"] == 1
    later = found.row(710, as_known=False, known_before=day(800))
    assert (later["n_incidents"], later["days_since_last"]) == (2, 1)
    with pytest.raises(ValueError, match="needs known_before"):
        found.row(710, as_known=False)


def test_a_score_may_be_aged_without_anything_new():
    found = Drawn(WORKED)
    assert found.row(740, known_before=day(731))["days_since_last"] == 90
    assert found.row(740)["days_since_last"] == 11


def _at(found, run, only_before=None):
    rows = pd.DataFrame({"person_id": ["P"], "on": [day(run)]}, index=["a row"])
    rows = rows if only_before is None else rows.assign(only_before=day(only_before))
    return rfgv.features_at(found.connection, rows, found.spec).loc["a row"].to_dict()


def test_on_a_date_of_ones_own_the_score_is_that_of_the_run_date():
    found = Drawn(WORKED)
    for run in (102, 710, 731, 740):
        expected = {name: value for name, value in found.row(run).items() if name not in ("area", "eligible")}
        assert _at(found, run) == expected
        assert _at(found, run, only_before=run) == expected
        assert _at(found, run, only_before=run + 31) == expected


def test_what_time_alone_makes_of_a_score_leaves_out_what_happened_from_a_day_on():
    found = Drawn(
        """
        incident | day | victim | recorded |
        ---------|-----|--------|----------|
        I1       | 500 | A      |          | counts
        I2       | 599 | B      | 610      | happened before day 600: counts once it is known, on day 611
        I3       | 600 | A      |          | happened on the day itself: left out
        I4       | 650 | C      |          | left out
        """
    )
    aged = [_at(found, run, only_before=600)["n_incidents"] for run in (600, 610, 611, 700)]
    assert aged == [1, 1, 2, 2]
    last = _at(found, 700, only_before=600)
    assert (last["days_since_last"], last["n_victims"], _at(found, 700)["n_incidents"]) == (101, 2, 4)


def test_by_the_literal_note_time_alone_can_raise_a_score_and_events_can_lower_it():
    """{5, 700, 705}: 24 points on day 731 and 41 on day 762, as day 5 has left the window."""
    found = _on_days([5, 700, 705, 850], LITERAL)
    assert [_at(found, run, only_before=710)["score"] for run in (731, 762)] == [24, 41]
    assert _at(found, 860)["score"] < _at(found, 860, only_before=710)["score"]


def test_only_suspects_and_offenders_score():
    found = Drawn(
        """
        incident | day | person | role     | victim |
        ---------|-----|--------|----------|--------|
        I1       | 700 | P      | suspect  | A      | counts
        I2       | 701 | P      | offender | A      | counts
        I3       | 702 | P      | victim   | A      | does not
        I4       | 703 | P      | witness  | A      | does not
        I5       | 704 | Q      | suspect  | P      | counts for Q
        """,
        people="P Q",
    )
    assert {person: row["n_incidents"] for person, row in found.people(731).items()} == {"P": 2, "Q": 1}


def test_one_incident_of_two_people_is_one_of_each():
    found = Drawn(
        """
        incident | day | person | victim |
        ---------|-----|--------|--------|
        I1       | 700 | P      | A      |
        I1       | 700 | Q      | B      |
        """,
        people="P Q",
    )
    assert [found.people(731)[person]["n_victims"] for person in "PQ"] == [1, 1]


def test_linked_ids_are_one_human_in_every_role():
    table = """
        incident | day | person | victim |
        ---------|-----|--------|--------|
        I1       | 700 | P      | A      |
        I2       | 701 | R      | A      | R is P
        I2       | 701 | P      | B      | one incident of one human
        I3       | 702 | P      | C      | C is B
        I4       | 703 | P      | R      | themselves: no victim
        I5       | 704 | S      | A      | S is probably P
        """
    links = """
        person_id | same_as | strength |
        ----------|---------|----------|
        R         | P       | certain  |
        B         | C       | certain  |
        R         | S       | probable |
        """
    strict = Drawn(table, people="P R S", links=links).people(731)
    loose = Drawn(table, people="P R S", links=links, strengths=("certain", "probable")).people(731)
    assert {name: (row["n_incidents"], row["n_victims"]) for name, row in strict.items()} == {"P": (4, 2), "S": (1, 1)}
    assert {name: (row["n_incidents"], row["n_victims"]) for name, row in loose.items()} == {"P": (5, 2)}


def test_the_smallest_linked_id_that_has_a_row_in_people_stands_for_all_and_gives_the_row():
    found = Drawn(
        "incident | day | person | victim |\nI1 | 700 | A1 | V |",
        people="""
        person | area  | born |
        -------|-------|------|
        B1     | south | 1990 | kept: A1 has no row
        C1     | north | 1970 |
        """,
        links="""
        person_id | same_as | strength |
        ----------|---------|----------|
        C1        | A1      | certain  | A1 is smaller and has no row in people
        C1        | B1      | certain  |
        Z2        | Z1      | certain  | none of the two has one
        """,
    )
    assert [(name, row["area"], row["n_incidents"]) for name, row in found.people(731).items()] == [("B1", "south", 1)]
    same = dict(found.connection.execute("SELECT id, person_id FROM humans").fetchall())
    assert same == {"A1": "B1", "B1": "B1", "C1": "B1", "V": "V", "Z1": "Z1", "Z2": "Z1"}


# From records to incidents to events


def test_an_incident_enters_and_leaves_the_window_whole_by_the_first_day_of_its_flagged_records():
    found = Drawn(
        """
        incident | day | victim | offence | flagged |
        ---------|-----|--------|---------|---------|
        I1       | 600 | A      | 8N      | no      | not flagged: gives no day
        I1       | 610 | A      | -       | yes     | the day of the incident
        I1       | 640 | B      | -       | yes     | flagged later: gives a victim
        """
    )
    row = found.row(650)
    assert (row["n_incidents"], row["days_since_last"], row["gravity"], row["n_victims"]) == (1, 40, 184, 2)
    last = (date(2023, 9, 2) - DAY_0).days  # day 610 is 2 September 2021
    assert [found.row(run)["n_incidents"] for run in (last, last + 1)] == [1, 0]


def test_an_incident_is_what_its_known_records_make_it():
    found = Drawn(
        """
        incident | day | victim | offence | flagged | recorded | cancelled |
        ---------|-----|--------|---------|---------|----------|-----------|
        I1       | 700 | A      | 105A    | no      | 700      |           | at first no domestic abuse
        I1       | 690 | B      | -       | yes     | 705      | 720       | then of domestic abuse, and earlier
        I1       | 700 | A      | 8N      | yes     | 710      |           |
        """
    )
    known = {run: found.events(run) for run in (700, 701, 706, 711, 721)}
    assert known == {
        700: [],
        701: [(700, "A", False)],
        706: [(690, "B", True)],
        711: [(690, "AB", True)],
        721: [(700, "A", True)],
    }
    assert [found.row(run)["gravity"] for run in (701, 706, 711)] == [0, 12, 184]


def test_records_that_are_no_crimes_count_unless_the_settings_say_otherwise():
    table = """
        incident | day | victim | offence |
        ---------|-----|--------|---------|
        I1       | 700 | A      | -       | no crime
        I2       | 701 | A      | 8N      |
        I2       | 690 | A      | -       | no crime, in an incident with one
        """
    assert Drawn(table).row(731)["n_incidents"] == 2
    without = Drawn(table, spec=CONVENTIONAL.model_copy(update={"counts_non_crime": False}))
    assert (without.row(731)["n_incidents"], without.row(731)["days_since_last"]) == (1, 30)
    assert without.events(731) == [(701, "A", True)]


def test_incidents_of_one_day_that_share_a_victim_are_one_event_by_way_of_others_too():
    table = """
        incident | day | victim | offence |
        ---------|-----|--------|---------|
        I1       | 700 | A      | 8N      | shares A with I2
        I2       | 700 | A      | 105A    |
        I2       | 700 | B      | 105A    | shares B with I3, which is one with I1
        I3       | 700 | B      | -       |
        I4       | 700 | C      | 5D      | another victim: an event of its own
        I5       | 700 |        | -       | no victim: alone
        I6       | 700 |        | -       | no victim: alone
        I7       | 701 | A      | -       | another day
        """
    found = Drawn(table)
    assert found.events(731) == [
        (700, "", True),
        (700, "", True),
        (700, "AB", True),
        (700, "C", True),
        (701, "A", True),
    ]
    assert found.row(731)["gravity"] == 184 + 1965 + 3 * 0.5
    summed = Drawn(table, spec=CONVENTIONAL.model_copy(update={"gravity_of_event": "sum"}))
    assert summed.row(731)["gravity"] == (184 + 12 + 0.5) + 1965 + 3 * 0.5
    both = CONVENTIONAL.model_copy(update={"gravity_of_event": "sum", "gravity_of_incident": "sum"})
    assert Drawn(table, spec=both).row(731)["gravity"] == (184 + 24 + 0.5) + 1965 + 3 * 0.5


def test_events_that_are_no_domestic_abuse_are_told_apart_and_never_scored():
    found = Drawn(
        """
        incident | day | victim | offence | flagged |
        ---------|-----|--------|---------|---------|
        I1       | 700 | A      | 49      | no      |
        I2       | 700 | A      | 30C     | no      | one event with I1
        I3       | 700 | A      | -       | yes     | the same day and victim, but of domestic abuse
        """
    )
    assert found.events(731) == [(700, "A", False), (700, "A", True)]
    row = found.row(731)
    assert (row["n_incidents"], row["gravity"]) == (1, 0.5)


# Features, bands and points


def test_the_window_opens_24_calendar_months_before_and_a_leap_day_opens_on_the_28th():
    run = date(2024, 2, 29)
    assert CONVENTIONAL.opens(run) == date(2022, 2, 28)
    assert CONVENTIONAL.opens(date(2024, 3, 1)) == date(2022, 3, 1)
    first = (date(2022, 2, 28) - DAY_0).days
    found = Drawn(f"incident | day | victim |\nI1 | {first} | A |\nI2 | {first - 1} | B |")
    row = found.row((run - DAY_0).days)
    assert (row["n_incidents"], row["n_victims"], row["days_since_last"]) == (1, 1, 731)


def test_with_one_event_or_none_the_gap_is_the_look_back_in_days():
    found = Drawn("incident | day | victim |\nI1 | 700 | A |", people="P Q")
    assert found.people(731)["P"]["mean_gap_days"] == 731  # with a leap day
    without_leap_day = (date(2023, 1, 1) - DAY_0).days
    row = found.people(without_leap_day)["Q"]
    assert row["mean_gap_days"] == 730
    assert (row["n_incidents"], row["gravity"], row["n_victims"], row["score"]) == (0, 0, 0, 0)
    assert pd.isna(row["days_since_last"])


def test_an_event_without_a_victim_adds_none_and_the_share_of_them_is_told():
    found = Drawn("incident | day | victim |\nI1 | 700 | |\nI2 | 701 | |\nI3 | 702 | A |\nI4 | 703 | A |")
    assert found.row(731)["n_victims"] == 1
    assert rfgv.coverage(found.connection, day(731), CONVENTIONAL).without_victim == 0.5


@pytest.mark.parametrize(
    ("ago", "points"),
    [
        (1, 25),
        (30, 25),
        (31, 20),
        (60, 20),
        (61, 15),
        (90, 15),
        (91, 10),
        (182, 10),
        (183, 5),
        (365, 5),
        (366, 2),
        (730, 2),
    ],
)
def test_points_for_days_since_the_last_event(ago, points):
    row = Drawn(f"incident | day | recorded | victim |\nI1 | {1000 - ago} | {1000 - ago} | A |").row(1000)
    assert (row["days_since_last"], row["score"]) == (ago, points + 1 + 2 + 3)


@pytest.mark.parametrize(
    ("number", "points"),
    [(1, 1), (2, 4), (3, 7), (4, 10), (5, 14), (6, 14), (7, 18), (9, 18), (10, 22), (14, 22), (15, 25), (16, 25)],
)
def test_points_for_the_number_of_events(number, points):
    rows = "".join(f"\nI{place} | {701 + place} | A |" for place in range(number))
    row = Drawn("incident | day | victim |" + rows).row(731)
    gravity = 2 if number <= 4 else 5  # half a point of gravity each
    assert row["score"] == points + 25 + gravity + 3


@pytest.mark.parametrize(
    ("gap", "points"),
    [
        (7, 25),
        (8, 22),
        (14, 22),
        (15, 18),
        (30, 18),
        (31, 14),
        (60, 14),
        (61, 10),
        (90, 10),
        (91, 6),
        (182, 6),
        (183, 2),
    ],
)
def test_points_for_the_mean_gap(gap, points):
    table = f"incident | day | victim |\nI1 | 400 | A |\nI2 | {400 + gap} | A |"
    assert Drawn(table, spec=LITERAL).row(731)["score"] == 4 + points + 2 + 3


def test_the_mean_gap_is_not_rounded_before_it_gives_points():
    table = "incident | day | victim |\nI1 | 400 | A |\nI2 | 402 | A |\nI3 | 415 | A |"  # 7.5 days
    assert Drawn(table, spec=LITERAL).row(731)["score"] == 7 + 22 + 2 + 3


@pytest.mark.parametrize(("number", "points"), [(0, 0), (1, 3), (2, 10), (3, 16), (4, 21), (5, 25), (6, 25)])
def test_points_for_the_number_of_victims(number, points):
    rows = "".join(f"\nI1 | 730 | V{place} |" for place in range(number)) or "\nI1 | 730 | |"
    assert Drawn("incident | day | victim |" + rows).row(732)["score"] == 25 + 1 + 2 + points


@pytest.mark.parametrize(
    ("weight", "points"),
    [
        ("0", 2), ("2", 2), ("2.0001", 5), ("10", 5), ("10.0001", 9), ("30", 9), ("30.0001", 13), ("60", 13),
        ("60.0001", 16), ("120", 16), ("120.0001", 19), ("365", 19), ("365.0001", 22), ("1000", 22), ("1000.0001", 25),
        ("99999", 25),
    ],
)  # fmt: skip
def test_points_for_gravity(tmp_path, weight, points):
    spec = _weighing(tmp_path, ("8N", weight))
    found = Drawn("incident | day | victim | offence |\nI1 | 730 | A | 8N |", spec=spec, root=tmp_path)
    assert found.row(732)["score"] == 25 + 1 + points + 3


def _weighing(folder, *weights):
    rows = "".join(f"HO_class,{code},{value},drawn,1\n" for code, value in weights)
    (folder / "weights.csv").write_text(
        "offence_code_system,offence_code,value,source,version\n" + rows, encoding="utf-8"
    )
    return CONVENTIONAL.weighing_by("weights.csv", folder)


def test_harm_weights_are_summed_exactly(tmp_path):
    weighing = _weighing(tmp_path, ("8N", "0.1"), ("8L", "0.2"))  # in binary, 0.1 + 0.2 is more than 0.3
    bands = weighing.model_dump()["bands"] | {"gravity": [{"up_to": 0.3, "points": 1}, {"points": 25}]}
    spec = RfgvSpec.model_validate(weighing.model_dump() | {"bands": bands})
    table = "incident | day | victim | offence |\nI1 | 700 | A | 8N |\nI2 | 701 | A | 8L |"
    row = Drawn(table, spec=spec, root=tmp_path).row(731)
    assert (row["gravity"], row["score"]) == (0.3, 25 + 4 + 1 + 3)


def test_the_weights_of_the_parts_may_differ():
    content = CONVENTIONAL.model_dump() | {"part_weights": {"R": 2, "F": 1.5, "G": 0.5, "V": 0}}
    assert Drawn(WORKED, spec=RfgvSpec.model_validate(content)).row(731)["score"] == 2 * 15 + 1.5 * 7 + 0.5 * 25


def test_a_window_may_take_its_gravest_event():
    spec = CONVENTIONAL.model_copy(update={"gravity_over_window": "largest"})
    assert Drawn(WORKED, spec=spec).row(731)["gravity"] == 1965


def test_the_look_back_may_be_shorter():
    found = Drawn(WORKED, spec=CONVENTIONAL.model_copy(update={"look_back_months": 12}))
    assert (found.row(731)["n_incidents"], found.row(731)["mean_gap_days"]) == (1, 365)


# Crimes without a harm weight


def _one_unmapped_of(number):
    rows = "".join(f"\nI{place} | {100 + place} | A | 8N |" for place in range(1, number))
    return Drawn(f"incident | day | victim | offence |\nI0 | 100 | A | 999X |{rows}")


def test_a_crime_without_a_harm_weight_weighs_nothing_and_up_to_one_event_in_two_hundred_may_hold_one():
    found = _one_unmapped_of(200)
    assert found.row(400)["gravity"] == 199 * 184
    assert rfgv.coverage(found.connection, day(400), CONVENTIONAL).unmapped == 0.005


def test_above_that_the_score_of_the_run_date_is_withheld_in_words():
    found = _one_unmapped_of(199)
    with pytest.raises(NotComparable) as refusal:
        found.row(400)
    assert "is withheld: 0.50% of 199 events" in str(refusal.value)
    with pytest.raises(NotComparable, match=r"is withheld: 0\.50% of 199 events"):
        _at(found, 400, only_before=100)
    assert found.row(831)["n_incidents"] == _at(found, 831)["n_incidents"] == 198  # the event has left the window


def test_a_record_that_is_no_crime_needs_no_code_and_a_crime_in_another_system_is_another_code():
    found = Drawn("incident | day | victim | offence |\nI1 | 700 | A | - |")
    assert rfgv.coverage(found.connection, day(731), CONVENTIONAL).unmapped == 0
    other = Drawn("incident | day | victim | offence |\nI1 | 700 | A | 8N |")
    other.connection.execute("UPDATE incidents SET offence_code_system = 'local'")
    rfgv.prepare(other.connection, CONVENTIONAL, ROOT)
    assert rfgv.coverage(other.connection, day(731), CONVENTIONAL).unmapped == 1


# Who may be listed


def test_who_is_eligible():
    people = """
        person | born | died | left |
        -------|------|------|------|
        old    | 2005 |      |      | 17 in 2022: 16 or over for certain
        edge   | 2006 |      |      | 16 in 2022: perhaps not yet
        young  | 2007 |      |      | 15 at most
        dead   | 1980 | 730  |      | died before the run date
        today  | 1980 | 731  |      | died on it
        gone   | 1980 |      | 730  | left before the run date
        stays  | 1980 |      | 731  | left on it
        """
    names = [row["person"] for row in lines(people)]
    rows = "".join(
        f"\n{name}{victim} | {700 + len(victim)} | {name} | {victim} |" for name in names for victim in ("A", "BB")
    )
    found = Drawn("incident | day | person | victim |" + rows, people=people).people(731)
    assert {name: row["eligible"] for name, row in found.items()} == {
        "old": "yes", "edge": "unknown", "young": "no", "dead": "no", "today": "yes", "gone": "no", "stays": "yes"
    }  # fmt: skip
    assert len({row["score"] for row in found.values()}) == 1  # everybody is scored


def test_a_birth_year_that_is_not_held_leaves_only_the_age_in_doubt():
    found = Drawn(TWO_VICTIMS)
    found.connection.execute("UPDATE people SET birth_year = NULL")
    rfgv.prepare(found.connection, CONVENTIONAL, ROOT)
    assert found.row(731)["eligible"] == "unknown"
    assert found.row(705)["eligible"] == "no"  # one event


@pytest.mark.parametrize(
    ("table", "eligible"),
    [
        (TWO_VICTIMS, "yes"),
        ("incident | day | victim |\nI1 | 700 | A |\nI1 | 700 | B |", "no"),
        ("incident | day | victim |\nI1 | 700 | A |\nI2 | 701 | A |", "no"),
    ],
    ids=["two events and two victims", "one event", "one victim"],
)
def test_two_events_and_two_victims_are_needed(table, eligible):
    assert Drawn(table).row(731)["eligible"] == eligible


def test_everybody_in_people_is_scored_in_the_order_of_their_ids():
    found = Drawn(
        "incident | day | person | victim |\nI1 | 700 | P10 | A |\nI2 | 700 | stranger | A |", people="P9 P10 Q p"
    )
    assert list(found.people(731)) == ["P10", "P9", "Q", "p"]


def test_many_run_dates_are_scored_each_as_known_on_it():
    found = Drawn(WORKED, people="P Q")
    rows = rfgv.scores(found.connection, [day(710), day(731)], CONVENTIONAL)
    assert rows["run_date"].tolist() == [pd.Timestamp(day(number)) for number in (710, 710, 731, 731)]
    assert rows["score"].tolist() == [70, 0, 57, 0]


# The list


def _scored(table):
    """A drawn frame of scores."""
    numbers = {"score": 50.0, "gravity": 1.0, "n_incidents": 2, "days_since_last": 10.0}
    rows = [{"area": "north", "eligible": "yes"} | numbers | row for row in lines(table)]
    frame = pd.DataFrame(rows).rename(columns={"person": "person_id"})
    return frame.astype({name: type(value) for name, value in numbers.items()})


def _list(table, top=2, **more):
    found = rfgv.select(_scored(table), run_date=day(731), capacity={"north": top, "south": 1}, **more)
    return found.set_index("person_id")


def test_ties_are_broken_by_gravity_then_number_then_recency_then_by_lot():
    found = _list(
        """
        person | score | gravity | n_incidents | days_since_last |
        -------|-------|---------|-------------|-----------------|
        P1     | 50    | 9       | 3           | 5               |
        P2     | 50    | 9       | 3           | 4               | more lately
        P3     | 50    | 9       | 4           | 9               | more events
        P4     | 50    | 10      | 2           | 9               | more harm
        P5     | 51    | 1       | 2           | 9               | more points
        """
    )
    assert list(found.index) == ["P5", "P4", "P3", "P2", "P1"]
    assert found["rank"].tolist() == [1, 2, 3, 4, 5]
    assert found["selected"].tolist() == [True, True, False, False, False]
    names = [f"Q{number}" for number in range(9)]
    drawn = _list("person | score |\n" + "\n".join(f"{name} | 50 |" for name in names))
    assert list(drawn.index) == sorted(names, key=lambda name: hashlib.sha256(f"2022-01-01{name}".encode()).hexdigest())
    assert list(drawn.index) != names


def test_those_passed_over_keep_their_rank_and_the_next_ones_are_selected():
    found = _list(
        """
        person | score | eligible |
        -------|-------|----------|
        P1     | 90    | yes      | on the caseload, and in custody too
        P2     | 80    | yes      | lately selected or discharged, and in the caller's list too
        P3     | 70    | unknown  | in doubt by age alone: ranks with the others
        P4     | 60    | yes      | in custody
        P5     | 50    | yes      | in the caller's list
        P6     | 40    | yes      |
        P7     | 30    | yes      | below the line
        P8     | 95    | no       | not eligible, though in custody
        """,
        caseload={"P1"},
        recent={"P2"},
        in_custody={"P1", "P4", "P8"},
        excluded={"P2": "marac", "P5": "marac"},
    )
    assert found["rank"].tolist()[:7] == [1, 2, 3, 4, 5, 6, 7]
    assert pd.isna(found.loc["P8", "rank"])
    reasons = ["on_caseload", "wash_out", None, "in_custody", "marac", None, None, "not_eligible"]
    assert found["exclusion_reason"].astype(object).where(found["exclusion_reason"].notna(), None).tolist() == reasons
    assert found.index[found["selected"]].tolist() == ["P3", "P6"]
    assert found["distance_to_line"].tolist() == [50, 40, 30, 20, 10, 0, -10, 55]


def test_each_area_has_its_own_list_and_line():
    found = _list(
        """
        person | area  | score |
        -------|-------|-------|
        P1     | south | 90    | the one selected in the south
        P2     | south | 80    |
        P3     | north | 40    |
        P4     | north | 30    |
        P5     | east  | 99    | no list is made there
        """
    )
    assert found[found["selected"]].index.tolist() == ["P3", "P4", "P1"]
    assert found.loc[["P1", "P2", "P3"], "distance_to_line"].tolist() == [0, -10, 10]
    assert pd.isna(found.loc["P5", "distance_to_line"])
    assert found.loc["P5", "rank"] == 1


def test_nobody_is_selected_where_nobody_is_left():
    found = _list("person | score | eligible |\nP1 | 50 | no |\nP2 | 40 | yes |", caseload={"P2"})
    assert not found["selected"].any()
    assert found["distance_to_line"].isna().all()


def _standing(found, run=731, **asked):
    rows = rfgv.busy(found.connection, day(run), **asked)
    return dict(zip(rows["person_id"], rows["reason"], strict=True))


def _told(found, table, kinds, drawn):
    """Make a table of the store from a drawn one."""
    found.connection.execute(f"CREATE TABLE {table} ({kinds})")
    names = [kind.split()[0] for kind in kinds.split(", ")]
    for row in lines(drawn):
        values = [row.get(name.removesuffix("_on"), row.get(name)) for name in names]
        found.connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", values)


def test_who_is_on_the_caseload_or_in_the_wash_out():
    found = Drawn(TWO_VICTIMS, people="P Q", links="person_id | same_as | strength |\nR | P | certain |")
    assert _standing(found) == {}
    _told(
        found, "episodes", "person_id VARCHAR, programme VARCHAR, arm VARCHAR, accepted_on DATE, discharged_on DATE",
        """
        person_id | programme | arm        | accepted | discharged |
        ----------|-----------|------------|----------|------------|
        E1        | matac     | programme  | 730      |            | accepted the day before
        E2        | matac     | programme  | 731      |            | accepted on the run date: not yet
        E3        | matac     | programme  | 300      | 731        | discharged on the run date: still on it
        E4        | matac     | programme  | 300      | 730        | discharged the day before: in the wash-out
        E5        | matac     | programme  | 300      | 366        | 365 days before: in the wash-out
        E6        | matac     | programme  | 300      | 365        | longer ago: free
        E7        | matac     | usual_care | 700      |            | the comparison is nobody's caseload
        E8        | drive     | programme  | 700      |            | another programme
        R         | matac     | programme  | 700      |            | R is P
        E9        | matac     | programme  |          |            | never accepted
        """,
    )  # fmt: skip
    _told(
        found, "selections", "person_id VARCHAR, run_date DATE, selected BOOLEAN",
        """
        person_id | run_date | selected |
        ----------|----------|----------|
        S1        | 730      | true     | in the wash-out
        S2        | 366      | true     | 365 days before: in the wash-out
        S3        | 365      | true     | longer ago: free
        S4        | 731      | true     | this very list: free
        S5        | 730      | false    | passed over: free
        E1        | 730      | true     | the caseload comes first
        """,
    )  # fmt: skip
    rfgv.prepare(found.connection, CONVENTIONAL, ROOT)
    reasons = {
        "E1": "on_caseload",
        "E3": "on_caseload",
        "E4": "wash_out",
        "E5": "wash_out",
        "P": "on_caseload",
        "S1": "wash_out",
        "S2": "wash_out",
    }
    assert _standing(found) == reasons | {"E8": "on_caseload"}
    assert _standing(found, programme="matac") == reasons
    assert _standing(found, programme="matac", wash_out_days=364) == {
        person: reason for person, reason in reasons.items() if person not in ("E5", "S2")
    }


def test_who_was_in_custody_on_each_of_the_30_days_before():
    found = Drawn(TWO_VICTIMS, links="person_id | same_as | strength |\nR | P | certain |")
    _told(
        found, "custody", "person_id VARCHAR, from_on DATE, until_on DATE",
        """
        person_id | from | until |
        ----------|------|-------|
        C1        | 701  | 731   | days 701 to 730: each of them
        C2        | 702  | 731   | not on the first
        C3        | 701  | 730   | not on the last
        C4        | 600  |       | still there
        C5        | 690  | 715   | two spells that join
        C5        | 715  | 740   |
        C6        | 690  | 715   | a day between them
        C6        | 716  | 740   |
        C7        | 690  | 720   | two that overlap
        C7        | 710  | 740   |
        R         | 690  | 715   | one human by two ids
        P         | 715  | 740   |
        """,
    )  # fmt: skip
    rfgv.prepare(found.connection, CONVENTIONAL, ROOT)
    assert _standing(found) == dict.fromkeys(["C1", "C4", "C5", "C7", "P"], "in_custody")
