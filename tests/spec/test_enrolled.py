"""Who counts in a programme that people are allocated to or accepted into, from which day, and against whom."""

from __future__ import annotations

import math

import pytest

from evalkit import expectation
from evalkit.cohort import everybody_else, lines_between
from evalkit.errors import NotComparable
from evalkit.results import Estimate, NotEstimable

FOUR = """
    person_id | arm        | allocated_on | started_on | discharged_on | discharge_reason |
    ----------|------------|--------------|------------|---------------|------------------|
    A         | programme  | 2022-04-12   | 2022-05-01 | 2022-06-11    | planned          | 60 days
    B         | programme  | 2022-05-20   |            |               |                  | never came, and counts
    C         | usual_care | 2022-04-12   |            |               |                  |
    D         | usual_care | 2022-05-20   |            |               |                  |
"""


def test_everybody_allocated_counts_from_the_day_of_allocation_once_in_the_period_and_these_areas(enrolled):
    found = enrolled(
        "drive",
        episodes="""
            episode_id | person_id | arm        | allocated_on | accepted_on | programme | area    |
            -----------|-----------|------------|--------------|-------------|-----------|---------|
            e1         | A         | programme  | 2022-04-12   | 2022-04-20  | drive     | corwick | from the 12th on
            e2         | B         | usual_care | 2022-04-12   |             | drive     | dunmoor | the comparison
            e3         | B         | programme  | 2022-05-12   |             | drive     | dunmoor | a second spell
            e4         | C         | programme  | 2022-03-31   |             | drive     | corwick | before the period
            e5         | C         | usual_care | 2022-06-30   |             | drive     | corwick | first in the period
            e6         | D         | programme  | 2022-07-01   |             | drive     | corwick | after the period
            e7         | E         | programme  | 2022-04-12   |             | matac     | corwick | another programme
            e8         | F         | programme  | 2022-04-12   |             | drive     | essex   | another area
            e9         | G         | programme  |              | 2022-04-12  | drive     | corwick | not allocated
        """,
    )
    assert found.sides == {
        ("A", "2022-04-12"): "programme",
        ("B", "2022-04-12"): "comparison",
        ("C", "2022-06-30"): "comparison",
    }
    assert found.cohort.people["episode_id"].tolist() == ["e1", "e2", "e5"]
    assert (found.flow["not_indexed"][0], found.flow["repeat"][0]) == (1, 2)
    assert (found.flow["referred"][0], found.flow["accepted"]) == (3, (3, 1, 2))


def test_of_a_group_whoever_was_accepted_counts_from_that_day_and_a_waiting_list_is_no_group(enrolled):
    found = enrolled(
        "they-matter",
        episodes="""
            person_id | arm          | allocated_on | accepted_on |
            ----------|--------------|--------------|-------------|
            A         | programme    | 2022-04-01   | 2022-04-20  | from acceptance, not allocation
            B         | programme    | 2022-04-01   |             | not accepted yet
            C         | waiting_list |              | 2022-04-20  | waits
        """,
    )
    assert found.sides == {("A", "2022-04-20"): "programme"}
    assert (found.flow["accepted"], found.flow["not_indexed"][0]) == ((1, 1, None), 2)


def test_history_is_what_was_on_record_before_the_index_date_whatever_day_of_the_month_it_is(enrolled):
    found = enrolled(
        "drive",
        episodes=FOUR,
        incidents="""
            person_id | occurred_on | recorded_on |
            ----------|-------------|-------------|
            A         | 2022-04-11  | 2022-04-11  | day 1
            A         | 2022-04-10  | 2022-04-12  | recorded on the index date: not known yet
            A         | 2022-03-13  | 2022-03-13  | day 30
            A         | 2022-03-12  | 2022-03-12  | day 31
            A         | 2022-04-12  | 2022-04-12  | the index date: in no window
        """,
        custody="""
            person_id | from_on    | until_on   |
            ----------|------------|------------|
            A         | 2022-04-10 | 2022-06-01 | two days before
        """,
    )
    known = found.known("A", "2022-04-12")
    assert [known[name] for name in ("da_1_30", "da_31_91", "days_since_last", "custody_days")] == [2, 1, 1, 2]
    assert known["score"] > found.known("C", "2022-04-12")["score"] > 0


def test_whoever_was_not_found_in_police_records_is_not_taken_for_somebody_without_a_record(enrolled):
    found = enrolled(
        "drive",
        episodes="""
            person_id | arm        | allocated_on | police_link |
            ----------|------------|--------------|-------------|
            A         | programme  | 2022-04-12   | linked      |
            B         | programme  | 2022-04-12   | not_found   | no day of follow-up
            C         | usual_care | 2022-04-12   | linked      |
            D         | usual_care | 2022-04-12   | not_tried   | likewise
        """,
        people="""
            person_id | died_on    |
            ----------|------------|
            A         |            |
            B         | 2022-05-01 | a death tells nothing of whoever was not looked for
        """,
        horizon_days=182,
    )
    assert found.cohort.people["days_followed"].gt(0).tolist() == [True, False, True, False]
    assert found.cohort.linked == (("programme", 0.5), ("comparison", 0.5))
    assert [(side.allocated, side.followed) for side in found.comparison.design.followed] == [(2, 1), (2, 1)]
    assert (found.flow["not_linked"], found.flow["analysed"]) == ((2, 1, 1), (2, 1, 1))


def test_a_discharge_counts_in_days_from_the_index_date_once_it_is_known(enrolled):
    found = enrolled("drive", episodes=FOUR)
    assert found.cohort.people["discharge_day"].tolist() == pytest.approx([60, *[math.nan] * 3], nan_ok=True)
    early = enrolled("drive", episodes=FOUR, as_of="2022-06-10")
    assert math.isnan(early.known("A", "2022-04-12")["discharge_day"])  # discharged on the day after as_of
    assert early.known("A", "2022-04-12")["days_followed"] == 31  # 28 days of lag before 11 June: to 13 May


def test_in_trials_the_spell_is_the_one_that_began_on_the_run_date(tasked):
    found = tasked(
        selections="""
            person_id | run_date   | selected |
            ----------|------------|----------|
            A         | 2022-04-01 | yes      |
            B         | 2022-04-01 | yes      |
            Z         | 2022-04-01 | no       |
        """,
        episodes="""
            episode_id | person_id | accepted_on | discharged_on |
            -----------|-----------|-------------|---------------|
            e1         | A         | 2022-04-01  | 2022-08-01    | day 122
            e2         | B         | 2022-04-02  |               | another day: no spell of this trial
            e3         | Z         | 2022-04-01  |               | not from the list: no spell of the comparison
        """,
    )
    assert (found.known("A")["episode_id"], found.known("A")["discharge_day"]) == ("e1", 122)
    assert found.cohort.people["episode_id"].notna().sum() == 1


def test_the_monthly_list_is_that_of_the_route_that_the_programme_names(tasked):
    demand = """
        person_id | run_date   | route       | selected |
        ----------|------------|-------------|----------|
        A         | 2022-04-01 | demand_data | yes      |
        B         | 2022-04-01 | demand_data | no       |
        C         | 2022-05-01 | rfgv        | yes      | another route: no run date of this list
    """
    found = tasked(selections=demand)
    police = found.study.programme.recorded.model_copy(update={"list_route": "demand_data"})
    programme = found.study.programme.model_copy(update={"police": police})
    found.study = found.study.exploring(programme=programme.model_dump(mode="json"))
    assert set(found.sides) == {("A", "2022-04-01"), ("B", "2022-04-01"), ("C", "2022-04-01")}
    assert found.flow["partner"][1] == 1


REFERRED = {
    "episodes": """
        person_id | accepted_on | started_on | discharged_on | discharge_reason |
        ----------|-------------|------------|---------------|------------------|
        A         | 2022-04-20  | 2022-05-02 | 2022-11-01    | planned          |
        B         | 2022-05-20  | 2022-06-02 | 2022-07-01    | disengaged       |
        C         | 2022-07-20  |            |               |                  | accepted after the period
        D         | 2022-04-02  |            |               |                  | referred before the period
        H         | 2022-06-02  |            |               |                  | no referral on record
    """,
    "referrals": """
        person_id | referred_on | decision | decided_on | decline_reason |
        ----------|-------------|----------|------------|----------------|
        A         | 2022-04-01  | accepted | 2022-04-20 |                |
        B         | 2022-04-01  | declined | 2022-04-10 | not_ready      | declined, and accepted later: taken on
        B         | 2022-05-01  | accepted | 2022-05-20 |                |
        C         | 2022-06-30  | accepted | 2022-07-20 |                |
        D         | 2022-03-31  | accepted | 2022-04-02 |                |
        E         | 2022-05-01  | declined | 2022-05-10 | denial         |
        F         | 2022-05-01  | waiting  |            |                |
        G         | 2022-07-01  | declined | 2022-07-10 | denial         | referred after the period
    """,
}


def test_the_flow_from_referral_to_analysis_adds_up_and_says_why_people_were_not_taken_on(enrolled):
    flow = enrolled("they-matter", **REFERRED).cohort.flow
    people = {count.step: count.total for count in flow if count.unit == "people"}
    assert people == {
        "referred": 7, "declined": 1, "waiting": 1, "accepted": 5, "outside": 1, "not_due": 0, "allocated": 4,
        "not_linked": 0, "lost": 0, "analysed": 4, "started": None, "completed": None,
    }  # fmt: skip
    told = [count for count in flow if count.unit == "people"]
    assert [lines_between(told, side) for side in ("total", "programme")] == [0, 0]
    assert [count.programme for count in flow if count.step in ("started", "completed")] == [2, 1]


def test_a_period_without_anybody_is_refused_with_what_to_correct(enrolled):
    period = {"name": "none", "label": "2024", "first_day": "2024-01-01", "last_day": "2024-12-31"}
    with pytest.raises(NotComparable, match=r"none of the 4 spells of Drive .* Correct the days of the funding period"):
        _ = enrolled("drive", episodes=FOUR, period=period).cohort


def test_the_comparison_borrows_the_clock_of_somebody_of_the_same_area_and_month_in_turn(enrolled):
    rows = [
        *(f"P{place} | programme  | 2022-04-1{place} | corwick |" for place in range(2)),
        *(f"C{place} | usual_care | 2022-04-2{place} | corwick |" for place in range(5)),
        "X | usual_care | 2022-05-01 | corwick | nobody of the programme in that month",
        "Y | usual_care | 2022-04-20 | dunmoor | nor in that area",
    ]
    head = "person_id | arm | allocated_on | area |\n---|---|---|---|\n"
    compared = enrolled("drive", episodes=head + "\n".join(rows)).comparison
    people, pairs = compared.people["person_id"], compared.pairs
    assert sorted(people[pairs["comparison_row"]]) == [f"C{place}" for place in range(5)]
    assert sorted(people[pairs["programme_row"]].value_counts()) == [2, 3]
    assert set(people[pairs["programme_row"]]) == {"P0", "P1"}
    assert pairs["weight"].eq(1).all()


def test_shares_are_of_those_followed_to_the_horizon_and_few_people_leave_the_area_alone_to_adjust_for(enrolled):
    arms = {
        "A": "programme",
        "B": "programme",
        "C": "programme",
        "D": "usual_care",
        "E": "usual_care",
        "F": "usual_care",
    }
    found = enrolled(
        "drive",
        episodes="person_id | arm | allocated_on |\n---|---|---|\n"
        + "\n".join(f"{person} | {arm} | 2022-04-12 |" for person, arm in arms.items()),
        people="""
            person_id | left_force_on | died_on    |
            ----------|---------------|------------|
            A         |               |            |
            B         |               | 2022-06-01 | has no more events: known
            C         | 2022-05-01    |            | gone before the horizon: not known
        """,
        incidents="""
            person_id | occurred_on |
            ----------|-------------|
            A         | 2022-04-12  | the day of allocation: in no window
            A         | 2022-04-13  | day 1
            A         | 2022-10-11  | day 182
            C         | 2022-04-20  | gone later
            D         | 2022-10-12  | day 183
            E         | 2022-05-01  |
            E         | 2022-05-03  |
            F         | 2022-06-01  |
        """,
    )
    results = found.results
    share = results["any_event.182.risk_difference"]
    assert [(arm.events, arm.people) for arm in share.arms] == [(1, 2), (2, 3)]
    ratio = results["event_count.182.rate_ratio"]
    assert [(arm.events, arm.people, arm.exposure_days) for arm in ratio.arms] == [(3, 3, 182 + 182 + 18), (3, 3, 546)]
    assert ratio.population == "itt"
    assert "adjusted for area alone" in ratio.method
    assert results["time_to_event.365.restricted_mean_days"].arms[0].events == 2
    assert "time_to_event.365.hazard_ratio.adjusted" not in results


def test_one_group_carries_no_effect_and_tells_how_many_of_its_own_had_an_event(enrolled):
    found = enrolled(
        "they-matter",
        **REFERRED,
        incidents="""
            person_id | occurred_on |
            ----------|-------------|
            A         | 2022-05-20  |
            A         | 2022-05-25  |
        """,
    )
    compared = found.comparison
    assert (compared.gates, compared.balance, len(compared.pairs)) == ((), (), 0)
    assert [side.label for side in compared.design.followed] == ["programme"]
    results = found.results
    refused = [result for result in results.values() if isinstance(result, NotEstimable)]
    assert {result.measure for result in refused} == {"rate_ratio", "risk_difference", "risk_ratio"}
    assert all(result.why.startswith("there is one group only") for result in refused)
    [share] = [result for result in results.values() if isinstance(result, Estimate)]
    assert (share.measure, share.planned, share.arms[0].events, share.arms[0].people) == ("share", "exploratory", 1, 4)


def test_everybody_else_is_on_record_with_abuse_in_two_years_alive_and_not_accepted_by_the_first_of_the_month(enrolled):
    found = enrolled(
        "they-matter",
        eligible=False,
        episodes="""
            person_id | accepted_on |
            ----------|-------------|
            A         | 2022-05-01  | accepted on the first of May: only April
        """,
        people="""
            person_id | died_on    | left_force_on | area    |
            ----------|------------|---------------|---------|
            A         |            |               | corwick |
            B         | 2022-05-02 |               | corwick | alive on the first of May
            C         |            | 2022-05-01    | corwick | gone on the first of May
            D         |            |               | corwick |
            E         |            |               | essex   | another area
            Z         |            |               | dunmoor | whose area's records reach back for two months alone
        """,
        incidents="""
            person_id | occurred_on | area    |
            ----------|-------------|---------|
            A         | 2020-04-01  | corwick | the area's records reach back
            A         | 2021-04-01  | corwick |
            B         | 2021-04-01  | corwick |
            C         | 2021-04-01  | corwick |
            D         | 2020-05-01  | corwick | in the 24 months before the first of May, not of June
            E         | 2021-04-01  | essex   |
            Z         | 2022-02-01  | dunmoor |
        """,
    )
    rows = everybody_else(found.store, found.study)
    assert {(person, f"{day:%m-%d}") for person, day in zip(rows["person_id"], rows["index_date"], strict=True)} == {
        ("A", "04-01"), ("B", "04-01"), ("B", "05-01"), ("C", "04-01"), ("D", "04-01"), ("D", "05-01"),
    }  # fmt: skip
    assert set(rows["arm"]) == {"comparison"}
    assert set(rows) == set(found.cohort.people)
    assert expectation.expected(found.comparison, found.store, found.study) == ()  # too little to learn from
