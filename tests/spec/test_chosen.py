"""What is counted around an index date, who stands in for those chosen, and what one area alone may say."""

from __future__ import annotations

import pandas as pd
import pytest

from evalkit import matching, sensitivity
from evalkit.cohort import counted, days_to_first, everybody_counted, in_custody, lines_between
from evalkit.outcomes import reoffending
from evalkit.results import COMPARISON, PROGRAMME, Estimate, NotEstimable
from tests.spec.test_trials import lists


@pytest.fixture
def around(tasked):
    """A, chosen on 1 April 2022, with events about that day; B and Z beside."""
    return tasked(
        selections=lists("A | 2022-04-01 | yes | |", "B | 2022-04-01 | no | |"),
        incidents="""
            person_id | occurred_on | recorded_on | victim_id | incident_id | is_domestic_abuse |
            ----------|-------------|-------------|-----------|-------------|-------------------|
            A         | 2022-03-31  | 2022-03-31  | V         | I1          | yes               | day -1
            A         | 2022-04-01  | 2022-04-01  | V         | I2          | yes               | day 0: in no window
            A         | 2022-04-02  | 2022-04-02  | V         | I3          | yes               | day 1
            A         | 2022-04-02  | 2022-04-05  | V         | I4          | yes               | same event
            A         | 2022-04-02  | 2022-04-05  | W         | I5          | yes               | another event
            A         | 2022-04-30  | 2022-04-30  | V         | I6          | no                | no domestic abuse
            A         | 2022-05-01  | 2022-05-01  | V         | I7          | yes               | day 30
            A         | 2022-05-02  | 2022-05-02  | V         | I8          | yes               | day 31
            A         | 2022-05-01  | 2026-04-01  | W         | I9          | yes               | never known
            B         | 2022-04-03  | 2022-04-03  | V         | J1          | yes               | day 2
        """,
        custody="""
            person_id | from_on    | until_on   |
            ----------|------------|------------|
            A         | 2022-03-20 | 2022-04-04 | days 1 and 2 of the window
            B         | 2022-04-30 |            | day 29 to the end
        """,
    )


def _row(frame: pd.DataFrame, people: pd.DataFrame, person: str) -> pd.Series:
    [place] = people.index[(people["person_id"] == person) & (people["index_date"] == "2022-04-01")]
    return frame.loc[place]


def test_a_window_counts_events_not_records_and_never_the_index_day(around):
    people = around.cohort.people
    windows = {"after": (1, 30), "first": (1, 1), "before": (-30, -1), "month": (31, 60)}
    found = counted(people, around.store, around.study, windows)
    assert _row(found, people, "A").to_dict() == {"after": 3, "first": 2, "before": 1, "month": 1}
    assert _row(found, people, "B").to_dict() == {"after": 1, "first": 0, "before": 0, "month": 0}
    first = days_to_first(people, around.store, around.study)
    assert (_row(first, people, "A"), _row(first, people, "B")) == (1, 2)
    assert pd.isna(_row(first, people, "Z"))


def test_nothing_is_counted_after_somebody_left(around):
    people = around.cohort.people
    short = people.assign(days_followed=1)
    found = counted(short, around.store, around.study, {"after": (1, 30), "before": (-30, -1)})
    assert _row(found, people, "A").to_dict() == {"after": 2, "before": 1}
    assert pd.isna(_row(days_to_first(short, around.store, around.study), people, "B"))


def test_days_in_custody_lie_within_the_window_and_the_days_followed(around):
    people = around.cohort.people
    held = in_custody(people, around.store, around.study, 30)
    assert (_row(held, people, "A"), _row(held, people, "B")) == (2, 2)
    assert _row(in_custody(people.assign(days_followed=29), around.store, around.study, 30), people, "B") == 1


def test_everybody_in_the_areas_is_counted_in_the_same_calendar_windows(around):
    people = around.cohort.people
    chosen = people[people["arm"] == PROGRAMME]
    assert everybody_counted(chosen, around.store, around.study, 30) == (1, 4)  # A before; A three times and B after


def test_the_flow_of_both_sides_adds_up(around):
    flow = around.cohort.flow
    assert [lines_between(flow, side) for side in ("programme", "comparison")] == [0, 0]
    steps = {count.step: (count.programme, count.comparison) for count in flow}
    assert steps["analysed"] == (1, 2)


def test_of_one_area_alone_no_effect_is_given_but_how_many_had_an_event(around):
    study = around.study.exploring(area="corwick", areas=[around.study.areas[0].model_dump(mode="json")])
    compared = matching.match(around.cohort, study)
    found = reoffending.estimate(compared, around.store, study)
    assert {one.measure for one in found if isinstance(one, NotEstimable)} >= {"rate_ratio", "risk_difference"}
    shares = [one for one in found if isinstance(one, Estimate)]
    assert [(one.measure, one.horizon_days, one.arms[0].people, one.arms[0].events) for one in shares] == [
        ("share", 182, 1, 1),
        ("share", 365, 1, 1),
    ]


def test_the_next_below_the_line_stand_in_once_each_for_as_many_as_were_chosen():
    rows = pd.DataFrame(
        [
            ("A", "2022-04-01", PROGRAMME, 90),
            ("B", "2022-04-01", COMPARISON, 80),
            ("C", "2022-04-01", COMPARISON, 80),
            ("D", "2022-04-01", COMPARISON, 70),
            ("E", "2022-05-01", PROGRAMME, 60),
            ("B", "2022-05-01", COMPARISON, 85),
            ("D", "2022-05-01", COMPARISON, 50),
            ("B", "2022-06-01", COMPARISON, 40),
        ],
        columns=["person_id", "index_date", "arm", "score"],
    ).assign(area="corwick")
    stand_in = sensitivity.placebo_cohort(rows)
    sides = {(row.person_id, row.index_date): row.arm for row in stand_in.itertuples()}
    assert sides == {
        ("B", "2022-04-01"): PROGRAMME,  # the highest not chosen; the first row where scores tie
        ("C", "2022-04-01"): COMPARISON,
        ("D", "2022-04-01"): COMPARISON,
        ("D", "2022-05-01"): COMPARISON,  # B is next again in May but stands in once, and is out on that date
        ("B", "2022-06-01"): COMPARISON,  # nobody was chosen in June
    }
