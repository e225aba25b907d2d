"""What a row of `ready_cohort` may hold: every rule of its contract, drawn.

`broken` names the column and the rule that the row breaks; the value in a list of faults is the cell as it was drawn,
except in a key, whose cells are never repeated.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from evalkit.store import intake

CONTRACTS = Path(__file__).parents[2] / "data_contracts"
EXTRACT_DATE = date(2024, 1, 1)
FIRST_LINE = 2  # of the people: the header is line 1
DEFAULTS = {
    "person_id": "", "programme": "demo", "area": "north", "period": "first", "arm": "programme",
    "index_date": "2022-03-01", "observed_until": "2023-03-01", "first_event_on": "",
}  # fmt: skip


@pytest.fixture
def broken(tmp_path):
    """`broken(table)`: the faults that were found in a drawn table, and those that it says should be."""

    def examine(table):
        rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines() if "---" not in line]
        names, drawn = rows[0][: rows[0].index("broken")], rows[1:]
        people = [DEFAULTS | dict(zip(names, row, strict=False)) for row in drawn]
        for number, person in enumerate(people):
            person["person_id"] = person["person_id"] if "person_id" in names else f"P{number}"
        columns = list(people[0])
        lines = [",".join(columns), *(",".join(person[column] for column in columns) for person in people)]
        (tmp_path / "ready_cohort.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        found = intake.check(tmp_path, contracts_folder=CONTRACTS, extract_date=EXTRACT_DATE)
        said = {(fault.row, fault.column, fault.rule, fault.value) for fault in found.faults()}
        places = [cells[len(names)].split(",") for cells in drawn]
        return said, {fault for place, broken in enumerate(places) for fault in _meant(place, broken, people[place])}

    return examine


def _meant(place, broken, person):
    for column, rule in (each.split() for each in broken if each):
        hidden = rule == "primary_key" or column == "person_id"
        yield place + FIRST_LINE, column, rule, "" if hidden or person[column] == "NA" else person[column]


def test_a_person_has_one_line_for_each_programme_and_period_and_all_three_are_known(broken):
    found, expected = broken(
        """
        person_id | programme | period | broken                |
        ----------|-----------|--------|-----------------------|
        A         | demo      | first  |                       |
        A         | other     | first  |                       | another programme: another line
        A         | demo      | second |                       | another period: another line
        A         | demo      | first  | person_id primary_key | the first stands, the second is named
        B         |           | first  | programme primary_key | part of the key
        B         | demo      |        | period primary_key    | part of the key
                  | demo      | first  | person_id primary_key | part of the key
                  | demo      | first  | person_id primary_key | empty, not a repetition of an empty one
        """
    )
    assert found == expected


def test_the_area_is_known_and_the_arm_is_on_the_list(broken):
    found, expected = broken(
        """
        area  | arm          | broken       |
        ------|--------------|--------------|
        north | programme    |              |
        north | usual_care   |              |
        north | waiting_list |              |
        north | control      | arm code     | not on the list
        north | Programme    | arm code     | codes are as they are written
        north |              | arm required |
              | programme    | area required |
        NA    | programme    | area required | a token for a missing value is an empty cell
        """
    )
    assert found == expected


def test_a_person_is_observed_from_the_index_date_and_not_beyond_the_extract(broken):
    found, expected = broken(
        """
        index_date | observed_until | broken                  |
        -----------|----------------|-------------------------|
        2022-03-01 | 2022-03-02     |                         | observed for the index day alone
        2022-03-01 | 2022-03-01     | observed_until order    | for no day at all
        2022-03-01 | 2022-02-28     | observed_until order    |
        2023-12-31 | 2024-01-01     |                         | the extract date is the first day not included
        2022-03-01 | 2024-01-02     | observed_until range    | observed after the extract was taken
        2024-01-01 | 2024-01-02     | index_date range, observed_until range |
        1899-12-31 | 2022-03-01     | index_date range        | a slip of the century
        1900-01-01 | 2022-03-01     |                         |
                   | 2022-03-01     | index_date required     |
        2022-03-01 |                | observed_until required |
        2022-02-29 | 2023-03-01     | index_date type         | there was no such day
        01/03/2022 | 2023-03-01     | index_date type         | not a format of the contract
        22-03-01   | 2023-03-01     | index_date type         | a year has four digits
        2022-03-01 | 2023-03-01 00:00:00 | observed_until type | a moment is not a day
        """
    )
    assert found == expected


def test_the_first_event_is_seen_after_the_index_date_up_to_the_last_day_observed(broken):
    found, expected = broken(
        """
        index_date | observed_until | first_event_on | broken               |
        -----------|----------------|----------------|----------------------|
        2022-03-01 | 2022-09-01     |                |                      | none was recorded
        2022-03-01 | 2022-09-01     | 2022-03-01     | first_event_on order | the index day: what followed is unknown
        2022-03-01 | 2022-09-01     | 2022-08-31     |                      | the last day observed
        2022-03-01 | 2022-09-01     | 2022-09-01     | first_event_on order | no longer observed
        2022-03-01 | 2022-09-01     | 2022-02-28     | first_event_on order | before the index date
        2022-03-01 | 2022-09-01     | soon           | first_event_on type  |
        2022-03-01 |                | 2024-01-01     | observed_until required, first_event_on range |
        """
    )
    assert found == expected


def test_counts_days_and_weights_are_numbers_that_can_be_true(broken):
    found, expected = broken(
        """
        event_count | exposure_days | weight | broken                |
        ------------|---------------|--------|-----------------------|
                    |               |        |                       | not held
        0           | 0             | 0.001  |                       |
        3           | 182.5         | 12     |                       |
        -1          | 182           | 1      | event_count range     |
        1.5         | 182           | 1      | event_count type      | a whole number
        1.0         | 182           | 1      |                       | is one
        1e1         | 182           | 1      | event_count type      |
        99999999999999999999 | 182  | 1      | event_count type      |
        1           | -0.5          | 1      | exposure_days range   |
        1           | many          | 1      | exposure_days type    |
        1           | 182           | 0      | weight range          | nobody counts for nothing
        1           | 182           | -1     | weight range          |
        1           | 182           | 1e400  | weight type           | beyond any number
        1           | 182           | nan    | weight type           |
        1           | 182           | inf    | weight type           |
        1           | 182           | 1_0    | weight type           |
        """
    )
    assert found == expected


def test_a_covariate_is_a_number_and_may_be_empty_and_a_pair_is_any_text(broken):
    found, expected = broken(
        """
        x_age | x_prior_convictions | pair_id | broken                   |
        ------|---------------------|---------|--------------------------|
        27    | 3                   | pair 1  |                          |
        27.5  |                     |         |                          |
        -1e-3 | +4                  | 1       |                          |
        old   | 3                   | pair 1  | x_age type               |
        27    | 3+                  | pair 1  | x_prior_convictions type |
        """
    )
    assert found == expected
