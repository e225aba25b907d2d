"""Grades and words where people were chosen month by month: counts of events, and what was to be expected."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit import evidence
from evalkit.export import lint
from evalkit.export.safety import POLICY
from evalkit.results import (
    Arm,
    Design,
    Detectable,
    Difference,
    Estimate,
    Expected,
    Followed,
    Gate,
    Interval,
    NotEstimable,
)

EVENT = "incident"
ALL, ONE = SimpleNamespace(area="all"), SimpleNamespace(area="corwick")
PASSED = (("overlap", True), ("effective_controls", True))


def _design(*, people=165, followed=None, gates=PASSED, linked=(("programme", 0.95),), plan="locked") -> Design:
    return Design(
        assignment="sequential_trials", plan=plan, gates=gates, linked=linked,
        followed=(
            Followed(label="programme", allocated=people, followed=people if followed is None else followed),
            Followed(label="comparison", allocated=900, followed=900),
        ),
    )  # fmt: skip


def _estimate(value=0.98, low=0.77, high=1.31, *, people=165, **more) -> Estimate:
    named = {
        "measure": "rate_ratio", "outcome": "event_count", "horizon_days": 182, "planned": "primary", "p_value": 0.9,
        "per_hundred": (138.0, 141.0), "design": _design(people=people),
    }  # fmt: skip
    return Estimate(
        strand="reoffending", population="att", value=value, low=low, high=high, method="m", event_label=EVENT,
        arms=(Arm(label="programme", people=people, events=230), Arm(label="comparison", people=900, events=6000)),
        **{**named, **more},
    )  # fmt: skip


FALL = {"value": 0.77, "low": 0.62, "high": 0.95, "p_value": 0.01, "per_hundred": (108.0, 140.0)}
RISE = {"value": 1.29, "low": 1.05, "high": 1.6, "p_value": 0.01, "per_hundred": (181.0, 140.0)}


def _said(result: Estimate, tier: str, **more) -> str:
    return evidence.sentence(result, tier, result.arms, p_adjusted=result.p_value, **more)


@pytest.mark.parametrize(
    ("design", "placebo_passed", "value", "reason"),
    [
        (_design(), True, 3, None),
        (_design(), None, 2, "the check with people next below the line was not made"),
        (_design(), False, 2, "people next below the line, who were not chosen, differ as well"),
        (_design(gates=()), True, 2, "no check of the comparison was made"),
        (_design(gates=(("effective_controls", False),)), True, 2, "failed: effective controls"),
        (_design(linked=()), True, 2, "it is not known of how many people the police records were found"),
        (_design(linked=(("programme", 0.9),)), True, 3, None),
        (_design(linked=(("programme", 0.89),)), True, 2, "the police records of more than one person in ten"),
        (_design(plan="not_locked"), True, 2, "the analysis was not planned in advance"),
        (_design(people=165, followed=100), True, 2, "much of the outcome is missing"),
    ],
)  # fmt: skip
def test_similar_people_reach_grade_three_where_every_check_was_made_and_passed(design, placebo_passed, value, reason):
    found = evidence.grade(design, placebo_passed=placebo_passed)
    assert found.value == value
    assert any(told.startswith(reason) for told in found.reasons) if reason else found.reasons == ()


def test_fewer_than_sixty_people_show_their_grade_as_too_few():
    found = evidence.grade(_design(people=59), placebo_passed=True)
    assert (found.value, found.words) == (3, "too few people")


def _placebo(low=0.85, high=1.22, **more) -> Estimate:
    return _estimate(1.02, low, high, variant="placebo", planned="exploratory", **more)


REFUSED = {"strand": "reoffending", "outcome": "event_count", "horizon_days": 182, "event_label": EVENT}


@pytest.mark.parametrize(
    ("others", "grade", "tier"),
    [
        ([_placebo()], 3, "T3"),
        ([_placebo(low=1.01)], 2, "T1"),
        ([], 2, "T1"),
        ([_placebo(horizon_days=365)], 2, "T1"),
        ([_placebo(outcome="any_event")], 2, "T1"),
        (
            [NotEstimable(measure="rate_ratio", variant="placebo", why="w", mend="m", design=_design(), **REFUSED)],
            2,
            "T1",
        ),
    ],
)
def test_an_estimate_is_judged_by_the_people_next_below_the_line_in_the_same_outcome(others, grade, tier):
    main = _estimate(**FALL)
    verdict = evidence.decide([main, *others], ALL)[main.id]
    assert (verdict.grade.value, verdict.tier) == (grade, tier)


def _agreement(passed: bool) -> Gate:
    return Gate(name="agreement", label="Both tell the same story", found="f", needed="n", passed=passed, mend="m")


def test_methods_that_do_not_agree_leave_it_open_and_say_so():
    main = _estimate(**FALL)
    verdict = evidence.decide([main, _placebo(), _agreement(passed=False)], ALL)[main.id]
    assert verdict.tier == "T2"
    words = _said(main, verdict.tier, reasons=verdict.grade.reasons)
    assert "but no conclusion is drawn from it here. The estimates are not stable across methods." in words
    can, cannot = evidence.may_be_said(main, "T2", p_adjusted=0.01, reasons=verdict.grade.reasons)
    assert can == ("The methods do not agree, so none of their figures is relied on.",)
    assert "lowered or raised" in cannot[0]
    assert evidence.decide([main, _placebo(), _agreement(passed=True)], ALL)[main.id].tier == "T3"


def test_one_area_alone_has_no_p_value_and_no_direction():
    main = _estimate(**FALL)
    verdict = evidence.decide([main, _placebo()], ONE)[main.id]
    assert (verdict.tier, verdict.p_adjusted) == ("T2", None)


@given(
    ends=st.tuples(*[st.floats(0.05, 8)] * 3), p_value=st.floats(0, 1), people=st.integers(10, 400),
    planned=st.sampled_from(["primary", "secondary", "exploratory"]),
)  # fmt: skip
def test_no_result_goes_beyond_the_third_tier_before_hidden_differences_are_looked_into(ends, p_value, people, planned):
    low, value, high = sorted(ends)
    main = _estimate(value, low, high, p_value=p_value, people=people, planned=planned)
    tier = evidence.decide([main, _placebo(people=people)], ALL)[main.id].tier
    assert tier in ("T1", "T2", "T3")
    assert tier != "T3" or (people >= 60 and planned != "exploratory" and not low <= 1 <= high and p_value <= 0.05)


RATES = (
    "For every hundred people of the programme there were {mine} recorded incidents within 182 days, where 140 would "
)
SAME = "have been expected of the same people without it; that is {apart}. "
SNAPSHOT = {
    ("T1", "fall"): "The range that fits the data lies between 38% fewer and 5% fewer. The design cannot carry a "
    "conclusion, so this difference speaks neither for nor against the programme. ",
    ("T2", "fall"): "The range that fits the data lies between 38% fewer and 5% fewer, but no conclusion is drawn "
    "from it "
    "here. This should not be taken to mean that the programme fails. ",
    ("T3", "fall"): "The range that fits the data is between 5% and 38% fewer. The programme group had fewer recorded "
    "incidents than similar people, but this depends on checks of hidden differences that were not made or did not "
    "hold. ",
    ("T4", "fall"): "The range that fits the data is between 5% and 38% fewer. The programme group had between 5% "
    "and 38% "
    "fewer recorded incidents than similar people who were not chosen; this is consistent with a reduction due to the "
    "programme. ",
    ("T5", "fall"): "The range that fits the data is between 5% and 38% fewer. The programme reduced recorded "
    "incidents by "
    "about 23% (5 to 38). ",
    ("T1", "rise"): "The range that fits the data lies between 5% more and 60% more. The design cannot carry a "
    "conclusion, so this difference speaks neither for nor against the programme. ",
    ("T2", "rise"): "The range that fits the data lies between 5% more and 60% more, but no conclusion is drawn from "
    "it "
    "here. This should not be taken to mean that the programme fails. ",
    ("T3", "rise"): "The range that fits the data is between 5% and 60% more. The programme group had more recorded "
    "incidents than similar people, but this depends on checks of hidden differences that were not made or did not "
    "hold. ",
    ("T4", "rise"): "The range that fits the data is between 5% and 60% more. The programme group had between 5% and "
    "60% "
    "more recorded incidents than similar people who were not chosen; this is consistent with a rise due to the "
    "programme. ",
    ("T5", "rise"): "The range that fits the data is between 5% and 60% more. The programme raised recorded "
    "incidents by "
    "about 29% (5 to 60). ",
}  # fmt: skip
RATIO = {
    "fall": "As a ratio that is 0.77 (between 0.62 and 0.95; 1 would be no difference).",
    "rise": "As a ratio that is 1.29 (between 1.05 and 1.60; 1 would be no difference).",
}


@pytest.mark.parametrize(("tier", "direction"), SNAPSHOT)
def test_every_tier_says_rates_then_range_then_its_own_claim_and_the_ratio_last(tier, direction):
    result, mine, apart = {"fall": (FALL, 108, "32 fewer"), "rise": (RISE, 181, "41 more")}[direction]
    said = _said(_estimate(**result), tier)
    assert said == (RATES + SAME).format(mine=mine, apart=apart) + SNAPSHOT[tier, direction] + RATIO[direction]
    assert _improper(said, tier) == ()


def test_a_range_that_includes_no_difference_names_both_ends_and_asks_for_more_people():
    said = _said(_estimate(more_people=455), "T2")
    assert (
        "The data fit everything between 23% fewer and 31% more; more people would be needed to tell (about 4" in said
    )
    assert said.endswith("As a ratio that is 0.98 (between 0.77 and 1.31; 1 would be no difference).")
    assert "more, in the same proportions" not in _said(_estimate(1.02, 0.8, 1.3, more_people=455), "T2")


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ((0.6, 0.8, 0.97), "between 40% fewer and no difference"),
        ((1.02, 1.2, 1.5), "between no difference and 50% more"),
        ((0.7, 0.9, 1.003), "between 30% fewer and less than 1% more"),
    ],
)
def test_where_the_test_does_not_agree_the_nearer_end_is_no_difference(ends, words):
    low, value, high = ends
    said = _said(_estimate(value, low, high, p_value=0.06), "T2")
    assert f"The data fit everything {words}; more people" in said
    assert _improper(said, "T2") == ()


def test_rates_that_do_not_add_up_after_rounding_say_so():
    uneven = _said(_estimate(per_hundred=(137.6, 141.4)), "T2")
    assert "there were 138 recorded incidents" in uneven
    assert "where 141 would" in uneven
    assert "that is 4 fewer (rates and difference are rounded separately)" in uneven
    assert "that is no difference." in _said(_estimate(per_hundred=(140.0, 140.0)), "T2")


@pytest.mark.parametrize(
    ("tier", "result", "can", "cannot"),
    [
        ("T1", FALL, "In recorded incidents the data fit everything between 38% fewer and 5% fewer, against what was "
         "expected without the programme, but no conclusion is drawn from that.", "the programme made the difference"),
        ("T2", {}, "In recorded incidents the data fit everything between 23% fewer and 31% more, against what was "
         "expected without the programme.", "the programme lowered or raised the number of recorded incidents"),
        ("T3", FALL, "Fewer recorded incidents than expected of the same people without the programme: between 5% and "
         "38% fewer.", "the programme made the difference: those who were chosen may differ in what no record holds"),
        ("T3", RISE, "More recorded incidents than expected of the same people without the programme: between 5% and "
         "60% more.", "the programme made the difference: those who were chosen may differ in what no record holds"),
    ],
)  # fmt: skip
def test_what_can_and_cannot_be_said_of_a_number_of_events(tier, result, can, cannot):
    estimate = _estimate(**result)
    may, may_not = evidence.may_be_said(estimate, tier, p_adjusted=estimate.p_value)
    assert may[0] == can
    assert may_not[0].startswith(f"It cannot be said that {cannot}")
    assert "It cannot be said that people are safer" in may_not[-1]
    assert [problem for line in (*may, *may_not) for problem in _improper(line, tier)] == []


BESIDE = {"planned": "exploratory"}


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (_estimate(0.9, 0.7, 1.2, variant="near_the_line", **BESIDE), "People near the line alone: for every hundred"),
        (_estimate(0.9, 0.7, 1.2, variant="matched", **BESIDE), "Matched people: for every hundred people"),
        (_estimate(0.9, 0.7, 1.2, variant="at_liberty", **BESIDE), "138 recorded incidents in 182 days at liberty, "
        "where"),
        (_estimate(0.9, 0.7, 1.2, horizon_days=365, planned="secondary"), "There were 0.90 times as many recorded "
         "incidents as expected (between 0.70 and 1.20; 1 would be no difference)."),
        (_placebo(), "Among people next below the line, who were not chosen, no difference is to be expected: there "
        "were "
         "1.02 times as many recorded incidents as their history made likely (between 0.85 and 1.22). That range "
         "includes 1, so the check is passed; it does not show that nothing is left."),
        (_placebo(low=1.01), "(between 1.01 and 1.22). That leaves out 1, which should not be, so the comparison "
        "cannot "
         "carry a conclusion."),
        (_estimate(-31.6, -60, 4.4, measure="rate_difference", planned="secondary"), "For every hundred people of the "
         "programme there were 32 fewer recorded incidents within 182 days than expected of the same people without it "
         "(between 60 fewer and 4 more)."),
        (_estimate(-0.032, -0.1, 0.004, measure="risk_difference", outcome="any_event", planned="secondary",
                   per_hundred=(55.0, 58.2)),
         "Of every hundred people of the programme 55 had a recorded incident within 182 days, 3 fewer than expected "
         "of "
         "the same people without it (between 10 fewer and less than 1 more)."),
        (_estimate(0.95, 0.8, 1.1, measure="risk_ratio", outcome="any_event", planned="secondary"), "is 0.95 times "
        "what "
         "was expected of the same people (between 0.80 and 1.10; 1 would be no difference)."),
        (_estimate(0.6, 0.45, 0.73, measure="share", contrast="share", outcome="any_event", planned="exploratory"),
         "In the programme group 230 of 165 people (60%, between 45 and 73) had a recorded incident within 182 days. "
         "By "
         "itself that says nothing about the programme."),
    ],
)  # fmt: skip
def test_what_stands_beside_the_planned_answer_has_its_own_words_and_makes_no_claim(result, said):
    words = _said(result, "T3")
    assert said in words
    assert "depends on checks" not in words
    assert _improper(words, "T3") == ()


@pytest.mark.parametrize(
    ("measure", "variant", "said"),
    [
        ("rate_ratio", "", "We cannot report on how many recorded incidents there were within 182 days, because only "
        "65 in "
         "every 100 overlap."),
        ("rate_ratio", "matched", "how many recorded incidents there were within 182 days (matched people), because"),
        ("rate_difference", "", "how many recorded incidents more or fewer there were within 182 days, because"),
        ("share", "", "the share of the programme group with a recorded incident within 182 days, because"),
        ("rate_ratio", "placebo", "Whether people next below the line, who were not chosen, differ could not be "
        "looked at, "
         "because only 65 in every 100 overlap. What would mend it: more areas."),
    ],
)  # fmt: skip
def test_every_new_figure_can_be_refused_in_words(measure, variant, said):
    refused = NotEstimable(
        measure=measure, variant=variant, why="only 65% overlap", mend="more areas", design=_design(), **REFUSED
    )
    words = evidence.refusal(refused)
    assert said in words
    assert ("This does not mean that the programme had no effect." in words) == (variant != "placebo")
    assert _improper(words, "T0") == ()


@pytest.mark.parametrize(
    ("reduction", "said"),
    [
        (0.292, "could reliably detect only reductions of 30% or more"),
        (None, "could not reliably detect any reduction"),
    ],
)
def test_what_could_have_been_seen_is_said_of_events_for_every_hundred_people(reduction, said):
    could = Detectable(
        strand="reoffending", outcome="event_count", horizon_days=182, event_label=EVENT, people_programme=163,
        people_comparison=900, typical=1.18, reduction=reduction, missed_of_ten=5, method="m", basis="count",
    )  # fmt: skip
    words = evidence.detectable(could, 165, 120)
    assert words.startswith(
        "With 165 people in the programme, and about 120 recorded incidents within 182 days for every hundred of "
        "the comparison group, this report "
    )
    assert said in words
    assert words.endswith("a true 30% reduction would be missed in 5 of 10 reports like this one.")
    assert _improper(words, "T1") == ()


def _expected(before=482, after=231, without=228.4, low=190.0, high=270.0, everybody=(9850, 9310)) -> Expected:
    return Expected(
        strand="reoffending", outcome="event_count", horizon_days=182, event_label=EVENT, people=166, before=before,
        after=after, people_before=140, people_after=90, without=without, low=low, high=high, everybody=everybody,
        naive=Interval(value=after / before, low=0.4, high=0.6), design=_design(), method="m",
    )  # fmt: skip


def _told(result: Expected) -> str:
    shown = {
        name: round(getattr(result, name) / 5) * 5 for name in ("people", "before", "after", "without", "low", "high")
    }
    return evidence.expected(result, shown)


WORST = "people are chosen when things are at their worst, so a fall was to be expected in any case"


@pytest.mark.parametrize(
    ("result", "parts"),
    [
        (_expected(), (f"That is 52% fewer; but {WORST}: about 230 (between 190 and 270) without any programme. ",
                       "lies within that range, so the fall by itself says nothing about the programme.")),
        (_expected(after=150), (f"That is 69% fewer; but {WORST}", "What was recorded lies below that range; whether "
        "the "
                                "programme had a part in that, the comparison with similar people must say")),
        (_expected(after=300), ("That is 38% fewer; but", "What was recorded lies above that range; whether")),
        (_expected(after=481), (f"That is as many; but {WORST}", "lies above that range")),
        (_expected(after=600, without=590, low=500, high=700),
         ("That is 24% more; a rise was to be expected in any case: about 590 (between 500 and 700) without any "
         "programme.",
          "so the rise by itself says nothing about the programme.")),
        (_expected(after=481, without=483, low=450, high=520),
         ("That is as many; no change was to be expected in any case", "so these counts by themselves say nothing")),
    ],
)  # fmt: skip
def test_before_and_after_are_said_with_what_was_to_be_expected_whatever_they_are(result, parts):
    words = _told(result)
    assert words.startswith("The 165 people had 480 recorded incidents in the 182 days before they were chosen and ")
    for part in parts:
        assert part in words
    assert words.endswith("everybody on record in these areas had 95 recorded incidents after for every 100 before.")
    assert _improper(words, "T1") == ()
    assert _improper(evidence.expected_in_brief(result), "T1") == ()


def test_where_nobody_else_is_on_record_before_nothing_is_said_of_everybody():
    assert "everybody on record" not in _told(_expected(everybody=(0, 12)))


def test_the_change_of_one_group_stands_beside_the_change_that_was_to_be_expected():
    assert evidence.expected_in_brief(_expected()) == (
        "52% fewer recorded incidents after than before; 53% fewer (between 61% fewer and 44% fewer) were to be "
        "expected "
        "without any programme."
    )
    assert evidence.expected_in_brief(_expected(after=482, without=482.0, low=400, high=560)) == (
        "No fewer and no more recorded incidents after than before; as many (between 17% fewer and 16% more) were to "
        "be "
        "expected without any programme."
    )


@given(
    before=st.integers(1, 5000), after=st.integers(0, 5000), ends=st.tuples(*[st.floats(0.1, 5000)] * 3),
    everybody=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)),
)  # fmt: skip
def test_whatever_the_counts_their_sentences_pass_the_gate_of_a_page(before, after, ends, everybody):
    low, without, high = sorted(ends)
    result = _expected(before=before, after=after, low=low, without=without, high=high, everybody=everybody)
    assert _improper(_told(result), "T1") == ()
    assert _improper(evidence.expected_in_brief(result), "T1") == ()


@given(ends=st.tuples(*[st.floats(0.01, 20)] * 3), tier=st.sampled_from(["T1", "T2", "T3", "T4", "T5"]))
def test_whatever_the_ratio_its_sentences_pass_the_gate_of_a_page(ends, tier):
    low, value, high = sorted(ends)
    result = _estimate(value, low, high, p_value=0.01, per_hundred=(140.0 * value, 140.0))
    can, cannot = evidence.may_be_said(result, tier, p_adjusted=0.01)
    assert [problem for line in (_said(result, tier), *can, *cannot) for problem in _improper(line, tier)] == []


def test_months_bands_checks_and_covariates_are_described_without_a_claim():
    told = (
        evidence.around_the_index_date(EVENT, (31, 30), (14, 15)),
        evidence.overlap(8, 10, 10),
        evidence.gate(_agreement(passed=False)),
        evidence.apart(
            Difference(
                covariate="score", label="Score", mean_programme=1, mean_comparison=1, smd=-0.05, smd_before=1.9,
                denominator="d", variance_ratio=1, missing_programme=0, missing_comparison=0, people_programme=100,
                people_comparison=100,
            )
        ),
    )  # fmt: skip
    assert "31 recorded incidents for every hundred people of the programme group and 30 of the comparison" in told[0]
    assert told[1].startswith("In 8 of 10 bands of the chance of being chosen, 10 people or more who were not chosen")
    assert told[2] == "Both tell the same story: f; asked for: n. Not passed. What would mend it: m."
    assert told[3] == "Score: the groups are 0.05 standard deviations apart (1.90 before matching)."
    assert [problem for words in told for problem in _improper(words, "T1")] == []


def _improper(words: str, tier: str) -> tuple[str, ...]:
    """What the gate of a page has against a generated sentence, on the first page and in full."""
    return lint(
        f'<!DOCTYPE html><html lang="en-GB"><head><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<title>Report</title></head><body><h1>Report</h1><div id="summary"><p>'
        f'<span data-finding="a" data-tier="{tier}">{words}</span></p></div></body></html>'
    )
