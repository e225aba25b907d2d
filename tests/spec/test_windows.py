"""Which day counts, for whom, and who is left out: the definitions, drawn."""

from __future__ import annotations

import pytest

from evalkit.errors import NotComparable
from evalkit.results import NotEstimable

TEN = {"horizon_days": 10}


def test_the_window_opens_the_day_after_the_index_date_and_closes_on_its_last_day(drawn):
    found = drawn(
        """
        person_id | arm        | first_event_on |
        ----------|------------|----------------|
        A         | programme  | 1976-01-02     | day 1: yes
        B         | programme  | 1976-01-11     | day 10: yes
        C         | programme  | 1976-01-12     | day 11: no
        D         | programme  |                | none: no
        E         | usual_care | 1976-01-06     | day 5: yes
        F         | usual_care | 1976-12-30     | day 364: no
        """,
        **TEN,
    )
    assert found.events(10) == {"events": [2, 1], "people": [4, 2]}


def test_whoever_is_not_observed_to_the_last_day_is_in_no_share_event_or_not_but_in_the_time_to_event(drawn):
    found = drawn(
        """
        person_id | arm        | observed_until | first_event_on |
        ----------|------------|----------------|----------------|
        A         | programme  | 1976-01-12     | 1976-01-03     | observed to day 10: counts
        B         | programme  | 1976-01-11     | 1976-01-03     | observed to day 9, with an event: not in the share
        C         | programme  | 1976-01-11     |                | observed to day 9, without: not in the share
        G         | programme  | 1976-01-12     |                | observed to day 10, without: counts
        D         | usual_care | 1976-01-12     | 1976-01-08     | counts
        E         | usual_care | 1976-01-12     |                | counts
        """,
        **TEN,
    )
    assert found.events(10) == {"events": [1, 1], "people": [2, 2]}
    in_time = found.results["time_to_event.10.restricted_mean_days"]
    assert [(arm.people, arm.events) for arm in in_time.arms] == [(4, 2), (2, 1)]
    flow = {count.step: count.total for count in found.cohort.flow}
    assert (flow["allocated"], flow["lost"], flow["analysed"]) == (6, 2, 4)


def test_nothing_from_the_day_after_as_of_is_known(drawn):
    found = drawn(
        """
        person_id | arm        | first_event_on |
        ----------|------------|----------------|
        A         | programme  | 1976-01-06     | day 5, the day of as_of: known
        B         | programme  | 1976-01-07     | day 6, the day after: not known
        C         | usual_care | 1976-01-04     | known
        D         | usual_care |                | none
        """,
        as_of="1976-01-06",
        horizon_days=5,
    )
    assert found.cohort.people["event_day"].tolist()[:1] == [5]
    assert found.cohort.people["event_day"].isna().tolist() == [False, True, False, True]
    assert found.events(5) == {"events": [1, 1], "people": [2, 2]}


def test_rows_of_another_programme_area_or_period_and_index_dates_outside_the_period_are_counted_as_left_out(drawn):
    found = drawn(
        """
        person_id | arm        | programme | area       | period | index_date |
        ----------|------------|-----------|------------|--------|------------|
        A         | programme  | rossi-aid | trial-site | trial  | 1976-01-01 | in
        B         | usual_care | rossi-aid | trial-site | trial  | 1976-01-01 | in
        C         | programme  | another   | trial-site | trial  | 1976-01-01 | another programme
        D         | programme  | rossi-aid | elsewhere  | trial  | 1976-01-01 | another area
        E         | programme  | rossi-aid | trial-site | later  | 1976-01-01 | another period
        F         | usual_care | rossi-aid | trial-site | trial  | 1976-01-02 | after the last day of the period
        """,
        **TEN,
    )
    flow = {count.step: (count.programme, count.comparison, count.total) for count in found.cohort.flow}
    assert flow["elsewhere"] == (None, None, 3)
    assert flow["referred"] == (1, 2, 3)
    assert flow["outside"] == (0, 1, 1)
    assert flow["allocated"] == (1, 1, 2)


def test_a_row_that_breaks_its_contract_is_set_aside_and_stands_in_the_flow(drawn):
    found = drawn(
        """
        person_id | arm        | x_age |
        ----------|------------|-------|
        A         | programme  | 30    | in
        B         | usual_care | 31    | in
        C         | programme  | old   | no number: set aside
        """,
        **TEN,
    )
    flow = {count.step: count.total for count in found.cohort.flow}
    assert (flow["rows"], flow["set_aside"], flow["allocated"]) == (3, 1, 2)


def test_without_a_comparison_group_there_is_no_estimate_but_a_reason(drawn):
    found = drawn(
        """
        person_id | arm        | first_event_on |
        ----------|------------|----------------|
        A         | programme  | 1976-01-02     | everybody was in the programme
        B         | programme  |                |
        """,
        **TEN,
    )
    refused = found.results["any_event.10.risk_difference"]
    assert isinstance(refused, NotEstimable)
    assert refused.why == "there is nobody in the comparison group whose window is over"
    assert all(isinstance(result, NotEstimable) for result in found.results.values())


def test_a_group_without_any_event_has_a_difference_but_no_ratio(drawn):
    found = drawn(
        """
        person_id | arm        | first_event_on |
        ----------|------------|----------------|
        A         | programme  | 1976-01-02     |
        B         | programme  |                |
        C         | usual_care |                | nobody here had an event
        D         | usual_care |                |
        """,
        **TEN,
    )
    assert not isinstance(found.results["any_event.10.risk_difference"], NotEstimable)
    refused = found.results["any_event.10.risk_ratio"]
    assert isinstance(refused, NotEstimable)
    assert "without a bound" in refused.why


def test_when_most_outcomes_are_not_known_no_share_is_compared(drawn):
    found = drawn(
        """
        person_id | arm        | observed_until | first_event_on |
        ----------|------------|----------------|----------------|
        A         | programme  | 1976-12-31     | 1976-01-02     | known
        B         | programme  | 1976-01-05     |                | left on day 4
        C         | usual_care | 1976-12-31     |                | known
        D         | usual_care | 1976-01-05     |                | left on day 4
        """,
        **TEN,
    )
    refused = found.results["any_event.10.risk_difference"]
    assert isinstance(refused, NotEstimable)
    assert refused.why == "the outcome of more than two people in five is not known"


def test_a_covariate_that_the_extract_lacks_is_named(drawn, project):
    project.edit("params/programmes/rossi-aid.yaml", "x_prio", "x_convictions")
    with pytest.raises(NotComparable, match="ready_cohort holds no column x_convictions"):
        drawn(
            """
            person_id | arm        |
            ----------|------------|
            A         | programme  |
            B         | usual_care |
            """
        )


def test_an_outcome_may_be_followed_for_longer_than_the_others(drawn):
    found = drawn(
        """
        person_id | arm        | first_event_on |
        ----------|------------|----------------|
        A         | programme  | 1976-01-16     | day 15
        B         | programme  |                |
        C         | usual_care | 1976-01-03     | day 2
        D         | usual_care |                |
        """,
        horizon_days=10,
        outcomes=[
            {"strand": "reoffending", "name": "any_event", "planned": "primary"},
            {"strand": "reoffending", "name": "any_event", "planned": "secondary", "horizon_days": 20},
        ],
    )
    assert found.events(10) == {"events": [0, 1], "people": [2, 2]}
    assert found.events(20) == {"events": [1, 1], "people": [2, 2]}


def test_people_whose_window_is_not_over_are_neither_counted_nor_lost_and_a_month_is_judged_as_a_whole(drawn):
    found = drawn(
        """
        person_id | arm        | index_date | observed_until | first_event_on |
        ----------|------------|------------|----------------|----------------|
        A         | programme  | 1976-01-01 | 1976-03-01     | 1976-01-05     | January: over for all
        B         | usual_care | 1976-01-01 | 1976-03-01     |                | January: over for all
        C         | programme  | 1976-02-01 | 1976-03-01     | 1976-02-05     | early in February, but not counted alone
        D         | usual_care | 1976-02-20 | 1976-03-01     |                | not over on 29 February
        """,
        as_of="1976-02-29",
        period={"name": "trial", "label": "two months", "first_day": "1976-01-01", "last_day": "1976-02-29"},
        **TEN,
    )
    flow = {count.step: count.total for count in found.cohort.flow}
    assert (flow["not_due"], flow["allocated"], flow["lost"], flow["analysed"]) == (2, 2, 0, 2)
    assert found.events(10) == {"events": [1, 0], "people": [1, 1]}


def test_an_event_on_the_index_date_itself_breaks_the_contract_for_what_followed_it_is_not_known(drawn):
    found = drawn(
        """
        person_id | arm        | first_event_on |
        ----------|------------|----------------|
        A         | programme  | 1976-01-01     | the index date: set aside
        B         | programme  | 1976-01-02     | day 1
        C         | usual_care |                |
        """,
        **TEN,
    )
    flow = {count.step: count.total for count in found.cohort.flow}
    assert (flow["set_aside"], flow["allocated"]) == (1, 2)


def test_attrition_is_judged_over_the_horizon_of_each_outcome(drawn):
    rows = "\n".join(
        f"P{number} | programme | {'1976-01-20' if number < 5 else '1976-12-31'} | | leaves on day 18 or stays"
        for number in range(10)
    )
    others = "\n".join(f"C{number} | usual_care | 1976-12-31 | 1976-01-03 | stays" for number in range(10))
    found = drawn(
        "person_id | arm | observed_until | first_event_on |\n---|---|---|---|\n" + rows + "\n" + others,
        horizon_days=10,
        outcomes=[
            {"strand": "reoffending", "name": "any_event", "planned": "primary"},
            {"strand": "reoffending", "name": "any_event", "planned": "secondary", "horizon_days": 20},
        ],
    )
    lost = {
        horizon: [
            side.allocated - side.followed
            for side in found.results[f"any_event.{horizon}.risk_difference"].design.followed
        ]
        for horizon in (10, 20)
    }
    assert lost == {10: [0, 0], 20: [5, 0]}


def test_the_adjusted_ratio_speaks_of_the_people_in_the_model_alone(drawn, project):
    age = {"column": "x_age", "label": "Age", "kind": "number"}
    project.change("params/programmes/rossi-aid.yaml", covariates=[age])
    rows = [
        f"{arm[0]}{number} | {arm} | {event} | {'' if number % 3 == 0 else 20 + number % 10} |"
        for arm in ("programme", "usual_care")
        for number in range(30)
        for event in ["1976-01-0" + str(2 + number % 7) if number % (3 if arm == "programme" else 2) else ""]
    ]
    table = "person_id | arm | first_event_on | x_age |\n---|---|---|---|\n" + "\n".join(rows)
    found = drawn(table, **TEN).results
    adjusted = found["time_to_event.10.hazard_ratio.adjusted"]
    assert [arm.people for arm in adjusted.arms] == [20, 20]
    assert [(short.people, short.of) for short in adjusted.left_out] == [(20, 60)]
    assert [arm.people for arm in found["time_to_event.10.hazard_ratio"].arms] == [30, 30]


@pytest.mark.parametrize("arms", [("programme", "programme"), ("programme", "usual_care")])
def test_one_measure_carries_what_was_planned_as_primary_estimated_or_not(drawn, arms):
    found = drawn(
        f"""
        person_id | arm      | first_event_on |
        ----------|----------|----------------|
        A         | {arms[0]} | 1976-01-02    |
        B         | {arms[0]} |               |
        C         | {arms[1]} |               | no event here: no ratio
        D         | {arms[1]} |               |
        """,
        **TEN,
    ).results
    assert isinstance(found["any_event.10.risk_ratio"], NotEstimable)
    assert found["any_event.10.risk_ratio"].planned == "secondary"
    assert found["any_event.10.risk_difference"].planned == "primary"
