"""Grades are computed from the design, and no sentence goes further than its tier."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit import evidence
from evalkit.results import Arm, Design, Estimate, Followed, NotEstimable

CLAIMS = ("reduced", "raised", "consistent with", "worked", "success", "caused", "proved")


def _design(*, allocated=(216, 216), followed=None, plan="locked", **more) -> Design:
    sides = zip(("programme", "comparison"), allocated, followed or allocated, strict=True)
    return Design(
        assignment=more.pop("assignment", "randomised"),
        plan=plan,
        followed=tuple(Followed(label=label, allocated=all_of, followed=seen) for label, all_of, seen in sides),
        **more,
    )


def _arms(people, events) -> tuple[Arm, ...]:
    sides = zip(("programme", "comparison"), people, events, strict=True)
    return tuple(Arm(label=label, people=n, events=e) for label, n, e in sides)


def _estimate(value=-0.083, low=-0.165, high=-0.0002, p_value=0.0505, *, events=(48, 66), people=(216, 216), **more):
    more = {"outcome": "any_event", "horizon_days": 364, "measure": "risk_difference", **more}
    return Estimate(
        strand="reoffending", population="itt",
        value=value, low=low, high=high, p_value=p_value, event_label="re-arrest", method="m",
        **{"arms": _arms(people, events), "design": _design(), "more_people": 455, "planned": "primary", **more},
    )  # fmt: skip


def _said(estimate: Estimate, tier: str) -> str:
    return evidence.sentence(estimate, tier, estimate.arms, p_adjusted=estimate.p_value)


@pytest.mark.parametrize(
    ("design", "value"),
    [
        (_design(), 5),
        (_design(followed=(180, 180)), 5),
        (_design(followed=(170, 170)), 2),
        (_design(followed=(216, 200)), 2),
        (_design(followed=(216, 216), plan="not_locked"), 2),
        (_design(plan="changed_after_lock"), 2),
        (_design(plan="locked_late"), 2),
        (_design(gates=(("overlap", False),)), 2),
        (_design(gates=(("overlap", True),)), 5),
        (_design(allocated=(59, 216)), 3),
        (_design(followed=(130, 160)), 1),
    ],
)
def test_the_grade_is_what_the_design_reaches(design, value):
    assert evidence.grade(design).value == value


def test_a_grade_below_five_says_what_held_it_down():
    assert evidence.grade(_design()).reasons == ()
    assert "not planned in advance" in evidence.grade(_design(plan="not_locked")).reasons[0]
    few = evidence.grade(_design(allocated=(59, 216)))
    assert (few.words, few.reasons) == ("too few people", ("fewer than 60 people of the programme were followed",))


@pytest.mark.parametrize(
    ("estimate", "tier"),
    [
        (_estimate(), "T2"),
        (_estimate(p_value=0.049), "T3"),
        (_estimate(low=-0.165, high=0.01, p_value=0.03), "T2"),
        (_estimate(p_value=0.01, design=_design(plan="not_locked")), "T1"),
        (_estimate(p_value=0.01, people=(59, 216), events=(10, 66), design=_design(allocated=(59, 216))), "T2"),
        (_estimate(p_value=0.01, planned="exploratory"), "T2"),
        (_estimate(0.3, 0.2, 0.4, p_value=None, measure="share", contrast="share", planned="exploratory"), "T1"),
        (_estimate(0.1, 0.02, 0.18, p_value=0.01), "T3"),
    ],
)
def test_the_tier_follows_from_grade_interval_and_test(estimate, tier):
    assert evidence.tier(estimate, evidence.grade(estimate.design), p_adjusted=estimate.p_value) == tier


def test_an_area_of_its_own_never_reaches_a_direction():
    estimate = _estimate(p_value=0.0001)
    assert evidence.tier(estimate, evidence.grade(estimate.design), directional=False) == "T2"


def test_interval_and_test_that_disagree_about_zero_are_said_to_leave_it_open():
    said = _said(_estimate(), "T2")
    assert "lower by as many as 17 in a hundred, or no different; more people would be needed to tell" in said
    assert "48 of 216 people (22%)" in said
    assert "66 of 216 people (31%)" in said
    assert "about 460 more" in said


def test_an_interval_that_spans_zero_names_both_ends():
    said = _said(_estimate(-0.02, -0.11, 0.07, p_value=0.6), "T2")
    assert "lower by as many as 11 in a hundred, or higher by as many as 7 in a hundred" in said


def test_more_people_are_counted_only_when_the_figure_lies_on_the_side_asked_about():
    assert "more, in the same proportions" not in _said(_estimate(0.02, -0.07, 0.11, p_value=0.6), "T2")
    assert "more than 10,000 more" in _said(_estimate(-0.001, -0.1, 0.1, p_value=0.9, more_people=10_001), "T2")


EXPECTED_CLAIM = {
    ("T1", "fall"): "speaks neither for nor against the programme",
    ("T1", "rise"): "speaks neither for nor against the programme",
    ("T2", "fall"): "should not be taken to mean that the programme fails",
    ("T2", "rise"): "should not be taken to mean that the programme fails",
    ("T3", "fall"): "had fewer people with a recorded re-arrest than the comparison group, but this depends on",
    ("T3", "rise"): "had more people with a recorded re-arrest than the comparison group, but this depends on",
    (
        "T4",
        "fall",
    ): "had fewer people with a recorded re-arrest than similar people; this is consistent with a reduction",
    ("T4", "rise"): "had more people with a recorded re-arrest than similar people; this is consistent with a rise",
    (
        "T5",
        "fall",
    ): "The programme reduced the share of people with a recorded re-arrest by about 8 in every hundred (2 to 16)",
    (
        "T5",
        "rise",
    ): "The programme raised the share of people with a recorded re-arrest by about 8 in every hundred (2 to 16)",
}


@pytest.mark.parametrize("tier", ["T1", "T2", "T3", "T4", "T5"])
@pytest.mark.parametrize("direction", ["fall", "rise"])
def test_every_tier_says_its_own_words_in_either_direction(tier, direction):
    sign = -1 if direction == "fall" else 1
    ends = sorted((sign * 0.16, sign * 0.02))
    estimate = _estimate(sign * 0.083, *ends, p_value=0.01, events=(48, 66)[::-sign])
    said = _said(estimate, tier)
    assert EXPECTED_CLAIM[tier, direction] in said
    assert ("reduced" in said or "raised" in said) == (tier == "T5")


def test_what_cannot_be_estimated_is_refused_in_words_with_what_would_mend_it():
    refused = NotEstimable(
        strand="reoffending", outcome="any_event", horizon_days=364, measure="risk_difference", design=_design(),
        why="there is nobody in the comparison group", mend="data on others", event_label="re-arrest",
    )  # fmt: skip
    assert evidence.tier(refused, evidence.grade(refused.design)) == "T0"
    words = evidence.refusal(refused)
    assert (
        "because there is nobody in the comparison group. This does not mean that the programme had no effect." in words
    )
    assert not any(character.isdigit() for character in words.replace("364", ""))


def test_rates_and_difference_that_do_not_add_up_after_rounding_say_so():
    assert "are rounded separately" in _said(_estimate(), "T2")
    even = _estimate(-0.1, -0.2, 0.01, events=(20, 30), people=(100, 100), p_value=0.1)
    assert "rounded" not in _said(even, "T2")


@given(st.floats(-1000, 1000, allow_nan=False))
def test_whole_numbers_are_the_nearest_and_never_a_minus_zero(number):
    found = evidence.whole(number)
    assert abs(found - number) <= 0.5
    assert str(found) != "-0"


@given(
    events=st.tuples(st.integers(0, 300), st.integers(0, 300)),
    ends=st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1)),
    p_value=st.floats(0, 1),
)
def test_below_the_third_tier_no_sentence_makes_a_claim(events, ends, p_value):
    low, value, high = sorted(ends)
    estimate = _estimate(value, low, high, p_value=p_value, events=events, people=(300, 300))
    tier = evidence.tier(estimate, evidence.grade(estimate.design), p_adjusted=p_value)
    said = _said(estimate, tier)
    if tier in ("T1", "T2"):
        assert not any(claim in said for claim in CLAIMS)


def test_primary_outcomes_are_corrected_together_and_others_are_not():
    one = _estimate(p_value=0.03)
    second = dataclasses.replace(_estimate(p_value=0.04), horizon_days=182)
    third = dataclasses.replace(_estimate(p_value=0.01), horizon_days=91, planned="secondary")
    from types import SimpleNamespace

    verdicts = evidence.decide([one, second, third], SimpleNamespace(area="all"))  # type: ignore[arg-type]
    assert verdicts[one.id].p_adjusted == pytest.approx(0.06)
    assert verdicts[second.id].p_adjusted == pytest.approx(0.06)
    assert verdicts[third.id].p_adjusted is None


def test_a_range_that_leaves_out_no_difference_is_no_direction_where_the_tier_allows_none():
    few = _estimate(-0.3, -0.5, -0.1, p_value=0.01, people=(59, 216), events=(10, 100))
    said = _said(few, "T2")
    assert "runs from 50 fewer in a hundred to 10 fewer in a hundred, but no conclusion is drawn from it here" in said
    assert "lower by between" not in said


def test_what_may_be_said_agrees_with_the_sentence_where_interval_and_test_disagree():
    can, _ = evidence.may_be_said(_estimate(), "T2", p_adjusted=0.0505)
    assert can[0].endswith("re-arrest, the data fit every difference from 17 fewer in a hundred to no difference.")


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ((-0.17, 0.003), "lower by as many as 17 in a hundred, or higher by less than 1 in a hundred"),
        ((-0.003, 0.17), "lower by less than 1 in a hundred, or higher by as many as 17 in a hundred"),
        ((0.0002, 0.17), "higher by as many as 17 in a hundred, or no different"),
    ],
)
def test_an_end_that_rounds_to_nothing_is_still_named(ends, words):
    assert words in _said(_estimate(sum(ends) / 2, *ends, p_value=0.2), "T2")


def test_limits_of_attrition_may_be_reached_and_not_passed():
    assert evidence.grade(_design(allocated=(100, 100), followed=(95, 100))).value == 5
    assert evidence.grade(_design(allocated=(100, 100), followed=(80, 80))).value == 5
    assert evidence.grade(_design(allocated=(100, 100), followed=(94, 100))).value == 2


def test_rows_that_broke_the_contract_count_as_lost():
    assert evidence.grade(_design(set_aside=100)).value == 5
    assert evidence.grade(_design(set_aside=109)).value == 2


def test_nothing_is_laid_down_for_a_ratio_of_shares_as_a_primary_outcome():
    ratio = dataclasses.replace(_estimate(0.7, 0.5, 0.9), measure="risk_ratio")
    with pytest.raises(ValueError, match="nothing is laid down"):
        evidence.may_be_said(ratio, "T3")


def test_a_primary_outcome_that_could_not_be_estimated_still_counts_in_the_correction():
    from types import SimpleNamespace

    refused = NotEstimable(
        strand="reoffending", outcome="any_event", horizon_days=182, measure="risk_difference", design=_design(),
        why="w", mend="m", event_label="re-arrest", planned="primary",
    )  # fmt: skip
    verdicts = evidence.decide([_estimate(p_value=0.03), refused], SimpleNamespace(area="all"))  # type: ignore[arg-type]
    assert verdicts[_estimate().id].p_adjusted == pytest.approx(0.06)
