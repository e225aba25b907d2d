"""What a row of each table may hold: every rule of its contract, drawn.

`broken` names the column and the rule that the row breaks; the value in a list of faults is the cell as it was drawn,
except in a key and in any other id, whose cells are never repeated.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from evalkit.contracts import Contract
from evalkit.store import intake

CONTRACTS = Path(__file__).parents[2] / "data_contracts"
EXTRACT_DATE = date(2024, 1, 1)
FIRST_LINE = 2  # of the rows: the header is line 1
DEFAULTS = {
    "ready_cohort": {
        "person_id": "", "programme": "demo", "area": "north", "period": "first", "arm": "programme",
        "index_date": "2022-03-01", "observed_until": "2023-03-01", "first_event_on": "",
    },
    "people": {
        "person_id": "", "birth_year": "1990", "sex": "not_held", "ethnicity_group": "not_held", "area": "north",
    },
    "person_links": {"person_id": "", "same_as": "another", "strength": "certain"},
    "incidents": {
        "record_id": "", "incident_id": "I1", "person_id": "A", "role": "suspect", "occurred_on": "2022-03-01",
        "recorded_on": "2022-03-02", "record_type": "non_crime_incident", "is_domestic_abuse": "yes", "area": "north",
    },
    "selections": {"person_id": "", "run_date": "2022-03-01", "route": "rfgv", "selected": "yes"},
    "episodes": {
        "episode_id": "", "person_id": "A", "programme": "matac", "arm": "programme", "accepted_on": "2022-03-01",
        "police_link": "linked", "area": "north",
    },
    "custody": {"person_id": "", "from_on": "2022-03-01", "kind": "remand"},
    "referrals": {
        "referral_id": "", "person_id": "A", "programme": "they-matter", "route": "partner_agency",
        "referred_on": "2022-03-01", "decision": "waiting",
    },
    "sessions": {
        "session_id": "", "episode_id": "E", "held_on": "2022-03-01", "kind": "one_to_one", "attended": "yes",
    },
    "abuse_assessments": {
        "assessment_id": "", "episode_id": "E", "timepoint": "intake", "assessed_on": "2022-03-01",
        "window_days": "91", "reporter": "victim", "abuse_type": "physical", "level": "high",
    },
    "risk_assessments": {
        "assessment_id": "", "episode_id": "E", "person_id": "A", "timepoint": "intake", "reporter": "idva",
        "tool": "DASH", "assessed_on": "2022-03-01",
    },
    "victims": {"victim_id": "", "episode_id": "E", "supported": "yes"},
    "hearings": {"hearing_id": "", "person_id": "A", "panel": "marac", "heard_on": "2022-03-01"},
}  # fmt: skip
"""One sound row of each table; its first column is numbered where it is not drawn."""


@pytest.fixture
def broken(tmp_path):
    """`broken(table)`: the faults that were found in a drawn table, and those that it says should be."""

    def examine(table, extract="ready_cohort"):
        contract = Contract.read(CONTRACTS / f"{extract}.odcs.yaml")
        rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines() if "---" not in line]
        names, drawn = rows[0][: rows[0].index("broken")], rows[1:]
        key = next(iter(DEFAULTS[extract]))
        made = [{**DEFAULTS[extract], key: f"K{number}"} for number in range(len(drawn))]
        cells = [row | dict(zip(names, line, strict=False)) for row, line in zip(made, drawn, strict=True)]
        lines = [",".join(cells[0]), *(",".join(row.values()) for row in cells)]
        (tmp_path / f"{extract}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        found = intake.check(tmp_path, contracts_folder=CONTRACTS, extract_date=EXTRACT_DATE)
        said = {(fault.row, fault.column, fault.rule, fault.value) for fault in found.faults()}
        places = [line[len(names)].split(",") for line in drawn]
        meant = (_meant(contract, place, broken, cells[place]) for place, broken in enumerate(places))
        return said, {fault for faults in meant for fault in faults}

    return examine


def _meant(contract, place, broken, row):
    for column, rule in (each.split() for each in broken if each):
        hidden = rule == "primary_key" or contract.field(column).classification == "identifying"
        value = row.get(column, "")
        yield place + FIRST_LINE, column, rule, "" if hidden or value == "NA" else value


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


def test_of_a_person_year_of_birth_sex_ethnic_group_and_area_are_known_or_said_not_to_be_held(broken):
    found, expected = broken(
        """
        person_id | birth_year | sex      | ethnicity_group | area  | broken                   |
        ----------|------------|----------|-----------------|-------|--------------------------|
        A         | 1990       | male     | asian           | north |                          |
        B         | 1900       | not_held | not_held        | north |                          |
        C         | 1899       | female   | white           | north | birth_year range         | a slip of the century
        D         | 90         | female   | white           | north | birth_year range         | a year has four digits
        E         | 34         | female   | white           | north | birth_year range         | an age is no year
        F         | 2100       | female   | white           | north | birth_year range         |
        G         | 1990-02-03 | female   | white           | north | birth_year type          | never a date of birth
        H         |            | female   | white           | north | birth_year required      |
        I         | 1990       |          | white           | north | sex required             |
        J         | 1990       | female   | NA              | north | ethnicity_group required | not_held says so
        K         | 1990       | female   | white           |       | area required            |
        A         | 1990       | male     | asian           | north | person_id primary_key    | one line a person
        """,
        "people",
    )
    assert found == expected


def test_a_death_and_a_move_are_known_only_once_they_have_happened(broken):
    found, expected = broken(
        """
        died_on    | left_force_on | broken              |
        -----------|---------------|---------------------|
                   |               |                     |
        2023-12-31 | 2023-12-31    |                     | the last day in the extract
        2024-01-01 |               | died_on range       |
                   | 2024-01-01    | left_force_on range | planned, perhaps
        1899-12-31 | 1899-12-31    | died_on range, left_force_on range |
        unknown    |               | died_on type        |
        """,
        "people",
    )
    assert found == expected


def test_a_link_joins_two_ids_once_and_says_how_sure_it_is(broken):
    found, expected = broken(
        """
        person_id | same_as | strength | broken                |
        ----------|---------|----------|-----------------------|
        A         | B       | certain  |                       |
        B         | A       | probable |                       | the other way round is another line
        A         | C       | probable |                       |
        A         | B       | probable | person_id primary_key | a pair is stated once
        D         | D       | certain  | same_as order         | an id is itself
        E         |         | certain  | same_as primary_key   |
        F         | G       | likely   | strength code         |
        F         | H       |          | strength required     |
        """,
        "person_links",
    )
    assert found == expected


def test_an_incident_is_recorded_when_it_has_occurred_and_cancelled_when_it_is_recorded(broken):
    found, expected = broken(
        """
        occurred_on | recorded_on | cancelled_on | broken               |
        ------------|-------------|--------------|----------------------|
        2022-03-01  | 2022-03-01  |              |                      | on the day
        2022-03-01  | 2022-03-01  | 2022-03-01   |                      | and cancelled at once
        1950-03-01  | 2022-03-02  |              |                      | an old offence, reported late
        2022-03-02  | 2022-03-01  |              | recorded_on order    | recorded before it occurred
        2022-03-01  | 2022-03-03  | 2022-03-02   | cancelled_on order   | cancelled before it was recorded
        2024-02-01  | 2024-02-02  | 2024-02-03   |                      | after the extract date: no fault here
        1899-12-31  | 2022-03-02  |              | occurred_on range    | a slip of the century
                    | 2022-03-02  |              | occurred_on required |
        2022-03-01  |             | 2022-03-02   | recorded_on required |
        """,
        "incidents",
    )
    assert found == expected


def test_a_crime_has_an_offence_code_and_its_system_and_an_incident_need_not(broken):
    found, expected = broken(
        """
        record_type        | offence_code | offence_code_system | broken                            |
        -------------------|--------------|---------------------|-----------------------------------|
        crime              | 8N           | HO_class            |                                   |
        crime              | 8/06         | HO_subcode          |                                   |
        crime              | AB12         | local               |                                   |
        crime              |              | HO_class            | offence_code required_when        |
        crime              | NA           | HO_class            | offence_code required_when        | as good as empty
        crime              | 8N           |                     | offence_code_system required_when |
        crime              | 8N           | ho_class            | offence_code_system code          |
        non_crime_incident |              |                     |                                   |
        non_crime_incident | 8N           | HO_class            |                                   | may have one
        offence            |              |                     | record_type code                  | is it a crime?
                           |              |                     | record_type required              |
        """,
        "incidents",
    )
    assert found == expected


def test_a_column_that_the_file_lacks_is_empty_in_every_row_of_it(broken):
    found, expected = broken(
        """
        record_type        | broken |
        -------------------|--------|
        non_crime_incident |        |
        crime              | offence_code required_when, offence_code_system required_when |
        """,
        "incidents",
    )
    assert found == expected


def test_what_an_incident_says_of_people_is_on_the_lists(broken):
    found, expected = broken(
        """
        role     | victim_id | is_domestic_abuse | broken                     |
        ---------|-----------|-------------------|----------------------------|
        suspect  | V         | yes               |                            |
        offender | V         | no                |                            |
        victim   | V         | yes               |                            |
        witness  |           | no                |                            |
        accused  |           | no                | role code                  |
                 |           | no                | role required              |
        suspect  |           |                   | is_domestic_abuse required | unknown is not no
        suspect  |           | true              | is_domestic_abuse type     |
        """,
        "incidents",
    )
    assert found == expected


def test_what_an_incident_says_of_the_case_is_on_the_lists_or_empty(broken):
    found, expected = broken(
        """
        relationship | risk_grade | reported_by | broken            |
        -------------|------------|-------------|-------------------|
        partner      | standard   | victim      |                   |
        ex_partner   | medium     | third_party |                   |
        family       | high       | agency      |                   |
                     |            | police      |                   |
                     |            |             |                   |
        stranger     | high       | police      | relationship code |
        partner      | low        | police      | risk_grade code   |
        partner      | high       | neighbour   | reported_by code  |
        """,
        "incidents",
    )
    assert found == expected


def test_a_person_is_considered_once_on_a_run_date_that_the_extract_reaches(broken):
    found, expected = broken(
        """
        person_id | run_date   | route       | selected | rank | score | distance_to_line | broken                |
        ----------|------------|-------------|----------|------|-------|------------------|-----------------------|
        A         | 2022-03-01 | rfgv        | yes      | 1    | 87.5  | 12.5             |                       |
        B         | 2022-03-01 | rfgv        | no       | 2    | 0     | -75              |                       |
        A         | 2022-04-01 | demand_data | no       |      |       |                  |                       |
        A         | 2022-03-01 | rfgv        | no       | 3    | 1     | -74              | person_id primary_key |
        C         | 2024-01-01 | rfgv        | yes      | 1    | 50    | 0                | run_date range        |
        D         |            | rfgv        | yes      | 1    | 50    | 0                | run_date primary_key  |
        E         | 2022-03-01 | police      | yes      | 1    | 50    | 0                | route code            |
        F         | 2022-03-01 | rfgv        |          | 1    | 50    | 0                | selected required     |
        G         | 2022-03-01 | rfgv        | no       | 0    | 50    | 0                | rank range            |
        H         | 2022-03-01 | rfgv        | no       | 1    | -1    | 0                | score range           |
        I         | 2022-03-01 | rfgv        | no       | 1    | 50    | far              | distance_to_line type |
        """,
        "selections",
    )
    assert found == expected


def test_an_episode_has_a_day_of_allocation_or_of_acceptance(broken):
    found, expected = broken(
        """
        allocated_on | accepted_on | broken                    |
        -------------|-------------|---------------------------|
        2022-03-01   | 2022-03-08  |                           |
        2022-03-01   |             |                           | allocated: followed from then
                     | 2022-03-08  |                           |
                     |             | accepted_on required_when | from when is the person followed?
        soon         |             | allocated_on type         | there is one, but not readable
        2024-01-01   |             | allocated_on range        |
        2022-03-01   | 2024-01-01  | accepted_on range         |
        """,
        "episodes",
    )
    assert found == expected


def test_an_episode_ends_after_everything_in_it_and_within_the_extract(broken):
    found, expected = broken(
        """
        allocated_on | accepted_on | notice_on  | started_on | discharged_on | broken              |
        -------------|-------------|------------|------------|---------------|---------------------|
        2022-03-01   | 2022-03-02  | 2022-03-03 | 2022-03-04 | 2022-03-04    |                     |
        2022-03-01   |             |            |            | 2022-03-01    |                     | on the same day
                     | 2022-03-01  |            |            |               |                     | goes on
        2022-03-02   |             |            |            | 2022-03-01    | discharged_on order |
                     | 2022-03-02  |            |            | 2022-03-01    | discharged_on order |
                     | 2022-03-01  | 2022-03-09 |            | 2022-03-08    | discharged_on order | notice after it
                     | 2022-03-01  |            | 2022-03-09 | 2022-03-08    | discharged_on order | start after it
                     | 2022-03-01  | 2024-01-01 |            |               | notice_on range     | only planned
                     | 2022-03-01  |            | 2024-01-01 |               | started_on range    | only planned
                     | 2022-03-01  |            |            | 2024-01-01    | discharged_on range | only planned
        """,
        "episodes",
    )
    assert found == expected


def test_what_an_episode_says_of_its_kind_and_its_end_is_on_the_lists(broken):
    found, expected = broken(
        """
        arm          | discharge_reason     | pathway     | police_link | broken                |
        -------------|----------------------|-------------|-------------|-----------------------|
        programme    | planned              | therapeutic | linked      |                       |
        programme    | disengaged           | enforcement | linked      |                       |
        usual_care   | custody              | both        | not_found   |                       |
        waiting_list | moved                |             | not_tried   |                       |
        programme    | died                 |             | linked      |                       |
        programme    | withdrawn_by_service |             | linked      |                       |
        control      |                      |             | linked      | arm code              |
                     |                      |             | linked      | arm required          |
        programme    | finished             |             | linked      | discharge_reason code |
        programme    |                      | support     | linked      | pathway code          |
        programme    |                      |             | yes         | police_link code      |
        programme    |                      |             |             | police_link required  |
        """,
        "episodes",
    )
    assert found == expected


def test_a_spell_in_custody_has_a_day_and_may_last_beyond_the_extract(broken):
    found, expected = broken(
        """
        person_id | from_on    | until_on   | kind     | broken                |
        ----------|------------|------------|----------|-----------------------|
        A         | 2022-03-01 | 2022-03-02 | remand   |                       | one day
        A         | 2022-03-02 |            | sentence |                       | still in custody
        B         | 2022-03-01 | 2026-03-01 | sentence |                       | the release that is planned
        C         | 2022-03-01 | 2022-03-01 | remand   | until_on order        | no day at all
        D         | 2024-01-01 |            | remand   | from_on range         |
        E         | 2022-03-01 |            | tag      | kind code             |
        A         | 2022-03-01 | 2022-03-09 | remand   | person_id primary_key |
        F         |            |            | remand   | from_on primary_key   |
        """,
        "custody",
    )
    assert found == expected


def test_the_reason_for_custody_is_yes_no_or_not_known(broken):
    found, expected = broken(
        """
        reason_is_domestic_abuse | broken                        |
        -------------------------|-------------------------------|
        yes                      |                               |
        no                       |                               |
                                 |                               |
        perhaps                  | reason_is_domestic_abuse type |
        """,
        "custody",
    )
    assert found == expected


def test_a_referral_is_decided_on_once_it_was_made_and_the_day_is_known(broken):
    found, expected = broken(
        """
        referred_on | decision | decided_on | decline_reason  | broken                       |
        ------------|----------|------------|-----------------|------------------------------|
        2022-03-01  | waiting  |            |                 |                              |
        2022-03-01  | accepted | 2022-03-01 |                 |                              | the same day
        2022-03-01  | declined | 2022-03-09 | complete_denial |                              |
        2022-03-01  | declined | 2022-03-09 |                 | decline_reason required_when | a warning: it counts
        2022-03-01  | accepted |            |                 | decided_on required_when     |
        2022-03-01  | declined |            | complete_denial | decided_on required_when     |
        2022-03-01  | accepted | 2022-02-28 |                 | decided_on order             |
        2022-03-01  | accepted | 2024-01-01 |                 | decided_on range             |
        2024-01-01  | waiting  |            |                 | referred_on range            |
        2022-03-01  | refused  |            |                 | decision code                |
        """,
        "referrals",
    )
    assert found == expected


def test_consent_is_taken_back_after_the_referral_and_within_the_extract(broken):
    found, expected = broken(
        """
        referred_on | consent_recorded | consent_withdrawn_on | broken                     |
        ------------|------------------|----------------------|----------------------------|
        2022-03-01  | yes              |                      |                            |
        2022-03-01  | yes              | 2022-03-01           |                            | the same day
        2022-03-01  |                  | 2022-02-28           | consent_withdrawn_on order |
        2022-03-01  | yes              | 2024-01-01           | consent_withdrawn_on range |
        2022-03-01  | given            |                      | consent_recorded type      |
        """,
        "referrals",
    )
    assert found == expected


def test_a_referral_answers_the_criteria_of_its_programme_with_yes_no_or_unknown(broken):
    found, expected = broken(
        """
        route | risk_tool | escalation | participation_issue | criterion_aged_18 | broken                   |
        ------|-----------|------------|---------------------|-------------------|--------------------------|
        self  | DASH      | yes        | no                  | yes               |                          |
        marac |           |            |                     | unknown           |                          |
        court | SARA      | no         | yes                 | no                |                          |
        self  | DASH      | yes        | no                  |                   |                          | not asked
        self  | DASH      | yes        | no                  | 18                | criterion_aged_18 code   |
        self  | guess     | yes        | no                  | yes               | risk_tool code           |
        self  | DASH      | rising     | no                  | yes               | escalation type          |
        self  | DASH      | yes        | dyslexia            | yes               | participation_issue type |
        post  | DASH      | yes        | no                  | yes               | route code               |
        """,
        "referrals",
    )
    assert found == expected


def test_a_session_is_one_that_was_held_and_somebody_came_or_did_not(broken):
    found, expected = broken(
        """
        held_on    | kind       | group_id | module | number | attended | broken                 |
        -----------|------------|----------|--------|--------|----------|------------------------|
        2022-03-01 | group      | G1       | 1      | 7      | yes      |                        |
        2022-03-01 | one_to_one |          | 2      | 1      | notified |                        |
        2022-03-01 | one_to_one |          |        |        | missed   |                        |
        2022-03-01 | group      |          | 1      | 1      | yes      | group_id required_when | a warning
        2024-01-01 | group      | G1       | 1      | 1      | yes      | held_on range          | only planned
        2022-03-01 | group      | G1       | 0      | 1      | yes      | module range           |
        2022-03-01 | group      | G1       | 1      | first  | yes      | number type            |
        2022-03-01 | group      | G1       | 1      | 1      | no       | attended code          |
        2022-03-01 | on_line    | G1       | 1      | 1      | yes      | kind code              |
        """,
        "sessions",
    )
    assert found == expected


def test_abuse_is_judged_by_a_reporter_over_a_window_of_known_length(broken):
    found, expected = broken(
        """
        timepoint | interim_number | window_days | reporter | level     | broken                       |
        ----------|----------------|-------------|----------|-----------|------------------------------|
        intake    |                | 1           | victim   | none      |                              |
        interim   | 1              | 91          | idva     | not_known |                              | missing
        exit      |                | 3660        | client   | moderate  |                              |
        interim   |                | 91          | victim   | high      | interim_number required_when | which of them?
        interim   | 0              | 91          | victim   | high      | interim_number range         |
        exit      |                | 0           | victim   | high      | window_days range            |
        exit      |                | 3661        | victim   | high      | window_days range            |
        exit      |                |             | victim   | high      | window_days required         |
        exit      |                | 91          | police   | high      | reporter code                |
        exit      |                | 91          | victim   |           | level required               |
        exit      |                | 91          | victim   | severe    | level code                   |
        end       |                | 91          | victim   | high      | timepoint code               |
        """,
        "abuse_assessments",
    )
    assert found == expected


def test_risk_is_judged_with_a_tool_for_somebody_else_than_the_person(broken):
    found, expected = broken(
        """
        victim_id | tool           | score | band   | change             | assessed_on | broken            |
        ----------|----------------|-------|--------|--------------------|-------------|-------------------|
        V         | DASH           | 14    | high   |                    | 2022-03-01  |                   |
                  | idva_judgement |       |        | reduced_moderately | 2022-03-01  |                   |
        A         | DASH           | 14    | high   |                    | 2022-03-01  | victim_id order   |
        V         | DASH           | -1    | high   |                    | 2022-03-01  | score range       |
        V         | DASH           | 14    | severe |                    | 2022-03-01  | band code         |
        V         | DASH           | 14    | high   | reduced            | 2022-03-01  | change code       |
        V         | hunch          | 14    | high   |                    | 2022-03-01  | tool code         |
        V         | DASH           | 14    | high   |                    | 2024-01-01  | assessed_on range |
        """,
        "risk_assessments",
    )
    assert found == expected


def test_a_victim_stands_once_for_each_spell_reached_or_not(broken):
    found, expected = broken(
        """
        victim_id | episode_id | first_contacted_on | supported | updates_given | broken                   |
        ----------|------------|--------------------|-----------|---------------|--------------------------|
        V         | E1         | 2022-03-01         | yes       | 3             |                          |
        V         | E2         |                    | no        |               |                          | two spells
        V         | E1         |                    | no        |               | victim_id primary_key    |
        W         |            |                    | no        |               | episode_id primary_key   |
        X         | E1         | 2024-01-01         | yes       | 0             | first_contacted_on range |
        Y         | E1         |                    |           | 0             | supported required       |
        Z         | E1         |                    | no        | -1            | updates_given range      |
        """,
        "victims",
    )
    assert found == expected


def test_a_hearing_was_held_of_a_person_and_another_victim(broken):
    found, expected = broken(
        """
        person_id | victim_id | panel      | heard_on   | is_repeat | broken          |
        ----------|-----------|------------|------------|-----------|-----------------|
        A         | V         | marac      | 2022-03-01 | yes       |                 |
        A         |           | complex_da | 2022-03-01 |           |                 |
        A         | A         | marac      | 2022-03-01 | no        | victim_id order |
        A         | V         | court      | 2022-03-01 | no        | panel code      |
        A         | V         | matac      | 2024-01-01 | no        | heard_on range  | only planned
        A         | V         | matac      | 2022-03-01 | first     | is_repeat type  |
        """,
        "hearings",
    )
    assert found == expected
