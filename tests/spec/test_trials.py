"""Who stands on which side of a monthly trial, what is known of them, and how long they are followed."""

from __future__ import annotations

import pytest

from evalkit.errors import NotComparable

EVERY_LIST = """
    person_id | run_date   | selected | exclusion_reason |
    ----------|------------|----------|------------------|
    Z         | 2022-01-01 | no       |                  | lists were made before the period
    Z         | 2022-02-01 | no       |                  |
    Z         | 2022-03-01 | no       |                  |
    Z         | 2022-04-01 | no       |                  |
    Z         | 2022-05-01 | no       |                  |
    Z         | 2022-06-01 | no       |                  |
"""


def lists(*more: str) -> str:
    return EVERY_LIST + "\n".join(more)


def test_whoever_is_chosen_later_stands_among_the_comparison_before_and_whoever_was_not_stays_there(tasked):
    found = tasked(
        selections=lists(
            "A | 2022-04-01 | yes | | chosen in April",
            "B | 2022-04-01 | no  | | not chosen in April: among the comparison",
            "B | 2022-05-01 | yes | | chosen in May: of the programme from then",
        )
    )
    assert found.sides == {
        ("A", "2022-04-01"): "programme",
        ("B", "2022-04-01"): "comparison",
        ("Z", "2022-04-01"): "comparison",
        ("B", "2022-05-01"): "programme",
        ("Z", "2022-05-01"): "comparison",
        ("Z", "2022-06-01"): "comparison",
    }


def test_nobody_is_at_risk_while_on_the_caseload_within_the_wash_out_in_custody_or_passed_over_for_a_reason(tasked):
    found = tasked(
        selections=lists(
            "A | 2022-03-01 | yes |                     | chosen a month before: wash-out",
            "E | 2022-04-01 | no  | meets_marac_criteria| passed over for a reason on the list",
            "F | 2022-04-01 | no  |                     | free",
        ),
        episodes="""
            person_id | accepted_on | discharged_on |
            ----------|-------------|---------------|
            B         | 2021-12-01  |               | still on the caseload
            C         | 2020-12-01  | 2021-04-01    | discharged 365 days before the first of April: wash-out
            D         | 2020-12-01  | 2021-03-31    | discharged 366 days before: free again
        """,
        custody="""
            person_id | from_on    | until_on   |
            ----------|------------|------------|
            G         | 2022-03-02 | 2022-04-01 | in custody on each of the 30 days before
            H         | 2022-03-03 | 2022-04-01 | on 29 of them: free
            I         | 2022-03-01 |            | still in custody
        """,
    )
    at_risk = {person for person, day in found.sides if day == "2022-04-01"}
    assert at_risk == {"D", "F", "H", "Z"}


def test_who_is_not_eligible_by_the_records_is_in_no_trial_even_if_chosen_and_the_flow_says_so(tasked):
    found = tasked(
        eligible=False,
        selections=lists(
            "A | 2022-04-01 | yes | | chosen, though the records hold one victim", "B | 2022-04-01 | yes | |"
        ),
        incidents="""
            person_id | occurred_on | victim_id |
            ----------|-------------|-----------|
            A         | 2021-07-01  | V         |
            A         | 2021-08-01  | V         | the same victim: not eligible
            B         | 2020-04-01  | V         | the first day of the 24 months
            B         | 2021-08-01  | W         |
            Z         | 2021-08-01  | W         | one incident: not eligible
        """,
    )
    assert found.sides == {("B", "2022-04-01"): "programme"}
    flow = {count.step: count for count in found.cohort.flow}
    assert (flow["referred"].programme, flow["not_at_risk"].programme, flow["trials"].programme) == (2, 1, 1)
    assert (flow["on_record"].total, flow["not_eligible"].total, flow["could_be_chosen"].total) == (3, 2, 1)


def test_history_counts_events_known_before_the_run_date_on_the_days_that_its_name_says(tasked):
    found = tasked(
        selections=lists("A | 2022-04-01 | yes | | "),
        incidents="""
            person_id | occurred_on | recorded_on | is_domestic_abuse |
            ----------|-------------|-------------|-------------------|
            A         | 2022-03-31  | 2022-03-31  | yes               | day 1
            A         | 2022-03-30  | 2022-04-01  | yes               | recorded on the run date: not known yet
            A         | 2022-03-02  | 2022-03-02  | yes               | day 30
            A         | 2022-03-01  | 2022-03-01  | yes               | day 31
            A         | 2021-12-31  | 2021-12-31  | yes               | day 91
            A         | 2021-12-30  | 2021-12-30  | yes               | day 92
            A         | 2021-10-01  | 2021-10-01  | no                | day 182, no domestic abuse
            A         | 2021-09-30  | 2021-09-30  | no                | day 183
            A         | 2022-04-01  | 2022-04-01  | yes               | the index date: in no window
        """,
        custody="""
            person_id | from_on    | until_on   |
            ----------|------------|------------|
            A         | 2021-09-01 | 2021-10-03 | days 182 and 181: two of the last 182
            A         | 2022-03-30 | 2022-06-01 | two days before the run date
        """,
    )
    known = found.known("A")
    names = ("da_1_30", "da_31_91", "da_92_182", "da_183_365", "da_366_730", "other_1_182", "other_183_730")
    assert {name: known[name] for name in names} == {
        "da_1_30": 2, "da_31_91": 2, "da_92_182": 1, "da_183_365": 2, "da_366_730": 1, "other_1_182": 1,
        "other_183_730": 1,
    }  # fmt: skip
    assert (known["days_since_last"], known["custody_days"], known["age_band"]) == (1, 4, "35 to 44")


def test_people_are_followed_to_their_move_or_to_the_lag_before_the_extract_and_death_is_not_the_end_of_counting(
    tasked,
):
    found = tasked(
        people="""
            person_id | died_on    | left_force_on |
            ----------|------------|---------------|
            A         |            | 2022-04-11    | here until the 10th: 9 days after the index date
            B         | 2022-04-06 |               | dies on day 5: has no more events, and is followed
            C         |            |               |
        """,
        selections=lists("A | 2022-04-01 | yes | |", "B | 2022-04-01 | yes | |", "C | 2022-04-01 | yes | |"),
        as_of="2022-06-30",
    )
    # 28 days of lag before 1 July: credited to 2 June, day 62
    assert [(found.known(each)["days_followed"], found.known(each)["death_day"]) for each in "AB"] == [
        (9, pytest.approx(float("nan"), nan_ok=True)),
        (62, 5),
    ]
    assert found.known("C")["days_followed"] == 62


def test_two_ids_that_are_certainly_one_person_are_one_in_every_table(tasked):
    found = tasked(
        selections=lists("A2 | 2022-03-01 | yes | | chosen under the other id: wash-out", "B | 2022-04-01 | yes | |"),
        person_links="""
            person_id | same_as | strength |
            ----------|---------|----------|
            A1        | A2      | certain  |
            B         | C       | probable | not certain: two people
        """,
        people="""
            person_id |
            ----------|
            A1        |
            A2        |
            B         |
            C         |
        """,
    )
    assert {person for person, day in found.sides if day == "2022-04-01"} == {"B", "C", "Z"}


def test_people_tied_by_one_record_share_a_cluster(tasked):
    found = tasked(
        selections=lists("A | 2022-04-01 | yes | |", "B | 2022-04-01 | no | |", "C | 2022-04-01 | no | |"),
        incidents="""
            person_id | occurred_on | victim_id |
            ----------|-------------|-----------|
            A         | 2021-09-01  | B         | A harmed B, so both are tied
            C         | 2021-09-01  | V         | C and Z harmed the same V
            Z         | 2021-09-01  | V         |
        """,
    )
    clusters = {person: found.known(person)["cluster_id"] for person in "ABCZ"}
    assert clusters["A"] == clusters["B"] != clusters["C"] == clusters["Z"]


def test_a_list_that_was_made_outside_the_period_gives_no_trial_and_an_error_in_words(tasked):
    with pytest.raises(NotComparable, match=r"holds no run date of the monthly list from 2025-04-01 to 2026-03-31"):
        _ = tasked(
            selections=lists("A | 2022-04-01 | yes | |"),
            period={"name": "late", "label": "late", "first_day": "2025-04-01", "last_day": "2026-03-31"},
            as_of="2026-03-31",
        ).cohort


def test_a_lag_longer_than_the_plan_credits_is_refused_with_the_lag_that_would_pass(tasked):
    with pytest.raises(NotComparable, match=r"more than 28 days after the day.*Set recording_lag_days to 68 or more"):
        _ = tasked(
            selections=lists("A | 2022-04-01 | yes | |"),
            incidents="""
                person_id | occurred_on | recorded_on |
                ----------|-------------|-------------|
                A         | 2026-01-01  | 2026-03-10  | 68 days later
            """,
        ).cohort
