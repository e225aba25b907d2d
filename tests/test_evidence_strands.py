"""Words of the strands on abuse and on scores, and of designs by chance and of one group alone."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit import evidence
from evalkit.evidence.grading import HANGS_ON_MISSING
from evalkit.export import lint
from evalkit.export.safety import POLICY
from evalkit.results import (
    Arm,
    Design,
    Detectable,
    Estimate,
    Expected,
    ExpectedShare,
    Followed,
    Interval,
    NotEstimable,
    Readings,
    ReportersAgree,
    Transition,
)

ALL = SimpleNamespace(area="all")
TIERS = ("T1", "T2", "T3", "T4", "T5")


def _design(assignment="randomised", *, people=300, followed=270) -> Design:
    labels = ("programme",) if assignment == "single_group" else ("programme", "comparison")
    sides = tuple(Followed(label=label, allocated=people, followed=followed) for label in labels)
    return Design(assignment=assignment, plan="locked", followed=sides)


def _effect(strand, outcome, measure, value, low, high, **more) -> Estimate:
    arms = (Arm(label="programme", people=270, events=60), Arm(label="comparison", people=270, events=85))
    given = {"planned": "primary", "p_value": 0.01, "design": _design(), "arms": arms, "horizon_days": 304}
    given |= {"event_label": "incident" if strand == "reoffending" else "score"}
    return Estimate(
        strand=strand, outcome=outcome, measure=measure, population="itt", value=value, low=low, high=high, method="m",
        **given | more,
    )  # fmt: skip


def _score(value=-4.2, low=-9.1, high=-1.6, **more) -> Estimate:
    return _effect("score_decline", more.pop("outcome", "mean_score"), "mean_difference", value, low, high, **more)


def _abuse(value=-0.09, low=-0.15, high=-0.03, **more) -> Estimate:
    given = {"horizon_days": 332, "per_hundred": (21.0, 30.0), "judged_by": "victim"}
    return _effect("abuse_types", "high_abuse", "risk_difference", value, low, high, **given | more)


SCORE = {"fall": _score(), "rise": _score(4.2, 1.6, 9.1)}
ABUSE = {"fall": _abuse(), "rise": _abuse(0.09, 0.03, 0.15, per_hundred=(30.0, 21.0))}
DENIED = "This should not be taken to mean that the programme fails."
NEITHER = "The design cannot carry a conclusion, so this difference speaks neither for nor against the programme."
DEPENDS = "but this depends on checks of hidden differences that were not made or did not hold."
NO_MORE = "but no conclusion is drawn from it here."

SCORE_LEAD = (
    "The mean score of people of the programme 304 days after the index date was 4 points {} than expected of the "
)
SCORE_SAID = {
    ("T1", "fall"): f"the range that fits the data runs from 9 points lower to 2 points lower. {NEITHER}",
    ("T1", "rise"): f"the range that fits the data runs from 2 points higher to 9 points higher. {NEITHER}",
    ("T2", "fall"): f"the range that fits the data runs from 9 points lower to 2 points lower, {NO_MORE} {DENIED}",
    ("T2", "rise"): f"the range that fits the data runs from 2 points higher to 9 points higher, {NO_MORE} {DENIED}",
    ("T3", "fall"): "the range that fits the data is lower by between 2 and 9 points. The programme group had a lower "
    f"mean score than the comparison group, {DEPENDS}",
    ("T3", "rise"): "the range that fits the data is higher by between 2 and 9 points. The programme group had a "
     "higher "
    f"mean score than the comparison group, {DEPENDS}",
    ("T4", "fall"): "the range that fits the data is lower by between 2 and 9 points. The programme group had a lower "
    "mean score than the comparison group; this is consistent with a fall in recorded offending due to the programme.",
    ("T4", "rise"): "the range that fits the data is higher by between 2 and 9 points. The programme group had a "
     "higher mean score than the comparison group; this is consistent with a rise in recorded offending due to the "
     "programme.",
    ("T5", "fall"): "the range that fits the data is lower by between 2 and 9 points. The programme reduced the mean "
    "score by about 4 points (2 to 9).",
    ("T5", "rise"): "the range that fits the data is higher by between 2 and 9 points. The programme raised the mean "
    "score by about 4 points (2 to 9).",
}  # fmt: skip
RECORDS = " A score is built from records: the higher it is, the more was recorded."

GROUP = "cases with abuse at a high level"
ABUSE_LEAD = (
    "332 days after the index date abuse was at a high level in {} of every hundred cases of the programme group and "
    "in {} of the comparison group, as the victim judged it; both are reckoned over all cases, those not assessed "
    "among them. That is 9 {} in every hundred cases; "
)
ABUSE_SAID = {
    ("T1", "fall"): "the range that fits the data runs from 15 fewer in a hundred to 3 fewer in a hundred. " + NEITHER,
    ("T1", "rise"): "the range that fits the data runs from 3 more in a hundred to 15 more in a hundred. " + NEITHER,
    ("T2", "fall"): f"the range that fits the data runs from 15 fewer in a hundred to 3 fewer in a hundred, {NO_MORE} "
    + DENIED,
    ("T2", "rise"): f"the range that fits the data runs from 3 more in a hundred to 15 more in a hundred, {NO_MORE} "
    + DENIED,
    ("T3", "fall"): "the range that fits the data is lower by between 3 and 15 in a hundred. The programme group had "
    f"fewer {GROUP} than the comparison group, {DEPENDS}",
    ("T3", "rise"): "the range that fits the data is higher by between 3 and 15 in a hundred. The programme group had "
    f"more {GROUP} than the comparison group, {DEPENDS}",
    ("T4", "fall"): "the range that fits the data is lower by between 3 and 15 in a hundred. The programme group had "
    f"fewer {GROUP} than similar people; this is consistent with a reduction due to the programme.",
    ("T4", "rise"): "the range that fits the data is higher by between 3 and 15 in a hundred. The programme group had "
    f"more {GROUP} than similar people; this is consistent with a rise due to the programme.",
    ("T5", "fall"): "the range that fits the data is lower by between 3 and 15 in a hundred. The programme reduced the "
    f"share of {GROUP} by about 9 in every hundred (3 to 15).",
    ("T5", "rise"): "the range that fits the data is higher by between 3 and 15 in a hundred. The programme raised the "
    f"share of {GROUP} by about 9 in every hundred (3 to 15).",
}  # fmt: skip


def _said(result: Estimate, tier: str, **more) -> str:
    return evidence.sentence(result, tier, result.arms, p_adjusted=result.p_value, **more)


@pytest.mark.parametrize(("tier", "direction"), SCORE_SAID)
def test_a_mean_score_is_said_in_points_then_its_range_then_its_own_claim(tier, direction):
    said = _said(SCORE[direction], tier)
    lead = SCORE_LEAD.format("lower" if direction == "fall" else "higher") + "same people without it; "
    assert said == lead + SCORE_SAID[tier, direction] + RECORDS
    assert _improper(said, tier) == ()


@pytest.mark.parametrize(("tier", "direction"), ABUSE_SAID)
def test_abuse_is_said_of_every_hundred_cases_of_both_groups_and_by_whom_it_was_judged(tier, direction):
    said = _said(ABUSE[direction], tier)
    lead = ABUSE_LEAD.format(*((21, 30, "fewer") if direction == "fall" else (30, 21, "more")))
    assert said == lead + ABUSE_SAID[tier, direction]
    assert _improper(said, tier) == ()


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (_score(-3.5, -9.1, 2.2, p_value=0.3, more_people=455), "the data fit everything from 9 points lower to 2 "
         "points higher; more people would be needed to tell (about 460 more"),
        (_score(3.5, -2.2, 9.1, p_value=0.3, more_people=455), "from 2 points lower to 9 points higher; more people "
         "would "
         f"be needed to tell. {DENIED}"),
        (_score(-3.5, -9.1, -0.2, p_value=0.06), "everything from 9 points lower to no difference; more people"),
        (_score(-0.3, -1.2, 0.4, p_value=0.6), "was less than 1 point lower than expected of the same people without "
         "it; the data fit everything from 1 point lower to less than 1 point higher"),
        (_score(0.0, -1.2, 1.4, p_value=0.9), "was what was expected of them without it; the data fit"),
        (_abuse(-0.04, -0.11, 0.03, p_value=0.3), "the data fit a share that is lower by as many as 11 in a hundred, "
         "or higher by as many as 3 in a hundred; more people would be needed to tell"),
        (_abuse(-0.086, -0.15, -0.03, per_hundred=(21.4, 29.6)), "That is 9 fewer in every hundred cases; the range"),
        (_abuse(-0.09, -0.15, -0.03, per_hundred=(21.4, 30.6)), "9 fewer in every hundred cases (rates and difference "
         "are rounded separately)"),
    ],
)  # fmt: skip
def test_ranges_that_leave_it_open_name_both_ends(result, words):
    said = _said(result, "T2")
    assert words in said
    assert _improper(said, "T2") == ()


@pytest.mark.parametrize(
    ("result", "tier", "can", "cannot"),
    [
        (_score(), "T1", "In the mean score the data fit everything from 9 points lower to 2 points lower, against "
         "what was expected without the programme, but no conclusion is drawn from that.", "the programme made the "
         "difference"),
        (_score(-3.5, -9, 2, p_value=0.3), "T2", "In the mean score the data fit everything from 9 points lower to 2 "
         "points higher, against what was expected without the programme.", "the programme lowered or raised the "
         "score"),
        (_score(), "T3", "People of the programme had a lower mean score than expected of the same people without it: "
         "by between 2 and 9 points.", "the same would be seen elsewhere"),
        (_score(design=_design("sequential_trials")), "T3", "People of the programme had a lower mean score",
         "the programme made the difference: those who were chosen may differ in what no record holds"),
        (_abuse(), "T1", f"As to {GROUP}, the data fit every difference from 15 fewer in a hundred to 3 fewer in a "
         "hundred, but no conclusion is drawn from that.", "the programme made the difference"),
        (_abuse(-0.04, -0.11, 0.03, p_value=0.3), "T2", f"As to {GROUP}, the data fit every difference from 11 fewer "
         "in a hundred to 3 more in a hundred.", f"the programme lowered or raised the share of {GROUP}"),
        (_abuse(), "T3", f"There were fewer {GROUP} in the programme group: from 15 fewer in a hundred to 3 fewer in a "
         "hundred.", "the same would be seen elsewhere"),
    ],
)  # fmt: skip
def test_what_can_and_cannot_be_said_of_scores_and_of_abuse(result, tier, can, cannot):
    may, may_not = evidence.may_be_said(result, tier, p_adjusted=result.p_value)
    assert may[0].startswith(can)
    assert may_not[0].startswith(f"It cannot be said that {cannot}")
    told = (
        "a score is built from what reached"
        if result.strand == "score_decline"
        else "a level of abuse is what was told"
    )
    assert f"It cannot be said that people are safer: {told}" in may_not[-1]
    assert [problem for line in (*may, *may_not) for problem in _improper(line, tier)] == []


SHARE = {"measure": "risk_difference", "planned": "secondary", "value": 0.012, "low": -0.05, "high": 0.07}


def _lower(outcome="lower_score", **more) -> Estimate:
    return _effect("score_decline", outcome, **SHARE | {"per_hundred": (85.4, 84.2)} | more)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (_lower(), "Of every hundred people of the programme 85 had a lower score 304 days after the index date than "
         "on the index date; 84 were expected to without it. That is 1 more (between 5 fewer and 7 more)."),
        (_lower("materially_lower_score", per_hundred=(40.4, 42.6), value=-0.022), "40 had a materially lower score "
         "304 days after the index date than on the index date; 43 were expected to without it. That is 2 fewer "
         "(between 5 fewer and 7 more; figures are rounded separately)."),
        (_lower("lower_score_after_discharge", horizon_days=182), "85 had a lower score 182 days after discharge than "
         "on the index date; 84 were expected to without it. That is 1 more (between 5 fewer and 7 more). This is of "
         "people who were discharged alone, which the programme itself may bring about."),
        (_lower(per_hundred=None), "Of every hundred people of the programme 1 more had a lower score"),
        (_score(planned="secondary", outcome="mean_score_after_discharge", horizon_days=182), "The mean score of "
         "people of the programme 182 days after discharge was 4 points lower than expected of the same people "
         "without it (between 9 points lower and 2 points lower). This is of people who were discharged alone"),
        (_score(planned="exploratory", variant="other_reading"), "By the other reading of the score: the mean score "
         "of people of the programme 304 days after the index date was 4 points lower"),
        (_abuse(planned="exploratory", variant="missing_worse"), "Missing assessments taken to be worse: in every "
         "hundred "
         f"there were 9 fewer {GROUP} than in the comparison group, as the victim judged it (between 15 fewer in a "
         "hundred and 3 fewer in a hundred)."),
        (_abuse(-0.09, -0.3, 0.2, planned="exploratory", variant="missing_bounds", arms=()), "Whatever the missing "
         "assessments would have shown: the groups may differ by anything from 30 fewer in a hundred to 20 more in a "
         f"hundred in {GROUP}, as the victim judged it."),
        (_effect("reoffending", "any_event", per_hundred=(55.0, 58.2), **SHARE | {"value": -0.032}),
         "Of every hundred people of the programme 55 had a recorded incident within 304 days, 3 fewer than expected "
         "of the same people without it"),
    ],
)  # fmt: skip
def test_what_stands_beside_the_planned_answer_has_its_own_words_and_makes_no_claim(result, said):
    words = _said(result, "T2")
    assert said in words
    assert "depends on checks" not in words
    assert _improper(words, "T2") == ()


def test_people_allocated_by_chance_are_set_beside_the_comparison_group_and_not_beside_people_like_them():
    rate = {"value": 0.77, "low": 0.62, "high": 0.95, "per_hundred": (108.0, 140.0), "horizon_days": 182}
    counted = _effect("reoffending", "event_count", "rate_ratio", **rate)
    said = _said(counted, "T3")
    assert "where 140 would have been expected of the same people without it" in said
    assert f"The programme group had fewer recorded incidents than the comparison group, {DEPENDS}" in said
    assert "than the comparison group; this is consistent" in _said(counted, "T4")
    assert "may differ" not in evidence.may_be_said(counted, "T3", p_adjusted=0.01)[1][0]
    assert [problem for tier in TIERS for problem in _improper(_said(counted, tier), tier)] == []


def test_one_group_alone_reaches_the_first_grade_and_says_why():
    found = evidence.grade(_design("single_group"))
    assert found.value == 1
    assert found.reasons == ("everybody was in the programme, so there is nobody to compare them with",)
    words = evidence.grade_sentence(found.value, found.words, found.reasons)
    assert _improper(words, "T1") == ()


def test_primary_outcomes_of_all_strands_are_corrected_together_and_no_variant_of_theirs_is():
    counted = _effect("reoffending", "event_count", "rate_ratio", 0.77, 0.62, 0.95, p_value=0.02)
    other = _score(variant="other_reading", p_value=0.5)
    verdicts = evidence.decide([counted, _abuse(p_value=0.01), _score(p_value=0.04), other], ALL)
    assert verdicts[_abuse().id].p_adjusted == pytest.approx(0.03)
    assert verdicts[counted.id].p_adjusted == pytest.approx(0.04)
    assert verdicts[_score().id].p_adjusted == pytest.approx(0.04)
    assert verdicts[other.id].p_adjusted is None


@pytest.mark.parametrize(
    ("ends", "tier"),
    [((-0.12, -0.01), "T3"), ((-0.12, 0.01), "T2"), ((0.01, 0.12), "T2")],
)
def test_a_direction_must_survive_missing_assessments_that_are_taken_to_be_worse(ends, tier):
    worse = _abuse(sum(ends) / 2, *ends, variant="missing_worse", planned="exploratory", p_value=None)
    verdict = evidence.decide([_abuse(), worse], ALL)[_abuse().id]
    assert verdict.tier == tier
    assert (HANGS_ON_MISSING in verdict.grade.reasons) == (tier == "T2")
    if tier == "T2":
        said = _said(_abuse(), "T2", reasons=verdict.grade.reasons)
        assert said.endswith(f"{NO_MORE} The answer hangs on what the missing assessments would have shown. {DENIED}")
        can, cannot = evidence.may_be_said(_abuse(), "T2", p_adjusted=0.01, reasons=verdict.grade.reasons)
        assert can[1] == "Fuller assessments of both groups would be needed to tell."
        assert [problem for line in (said, *can, *cannot) for problem in _improper(line, "T2")] == []


@pytest.mark.parametrize(
    ("strand", "outcome", "measure", "days", "what"),
    [
        ("reoffending", "event_count", "rate_ratio", 182, "how many recorded incidents there were within 182 days"),
        ("reoffending", "any_event", "risk_difference", 182, "how many people had a recorded incident within 182 days"),
        ("abuse_types", "high_abuse", "risk_difference", 332, "abuse at a high level 332 days after the index date"),
        ("abuse_types", "level_change", "share", 332, "how levels of abuse changed"),
        ("score_decline", "mean_score", "mean_difference", 304, "the mean score 304 days after the index date"),
        ("score_decline", "mean_score_after_discharge", "mean_difference", 182, "the mean score 182 days after "
         "discharge"),
        ("score_decline", "lower_score", "risk_difference", 304, "how many people had a lower score 304 days after "
         "the index date than on the index date"),
        ("score_decline", "materially_lower_score", "risk_difference", 304, "how many people had a materially lower "
         "score"),
        ("score_decline", "lower_score_after_discharge", "risk_difference", 91, "how many people had a lower score 91 "
         "days after discharge than on the index date"),
    ],
)  # fmt: skip
def test_whatever_was_asked_is_refused_in_words_of_its_own(strand, outcome, measure, days, what):
    refused = NotEstimable(
        strand=strand, outcome=outcome, measure=measure, horizon_days=days, why="only 65% were read", mend="more "
        "records",
        design=_design(), event_label="incident",
    )  # fmt: skip
    said = evidence.refusal(refused)
    assert said.startswith(f"We cannot report on {what}")
    assert said.endswith(
        "because only 65 in every 100 were read. This does not mean that the programme had no effect. What would mend "
        "it: more records."
    )
    alone = evidence.refusal(
        dataclasses.replace(
            refused, design=_design("single_group"), why="there is one group only", mend="a waiting list"
        )
    )
    assert alone.startswith(f"We cannot say whether the programme made a difference to {what}")
    assert alone.endswith(
        "because there is one group only. This does not mean that the programme had no effect. What could still be "
        "done: a waiting list."
    )
    assert (_improper(said, "T0"), _improper(alone, "T0")) == ((), ())


def _share(value=0.848, ends=(0.8, 0.88), without: float | None = 0.84, **more) -> ExpectedShare:
    given = {
        "strand": "score_decline", "outcome": "lower_score", "horizon_days": 304, "design": _design("single_group"),
        "had": "a lower score than when they were accepted", "basis": "the scores of other people on record, by "
        "history",
    }  # fmt: skip
    return ExpectedShare(
        people=165, people_with=140, not_known=12, value=value, low=max(value - 0.06, 0), high=min(value + 0.06, 1),
        without=without, without_low=ends[0], without_high=ends[1], method="m", **given | more,
    )  # fmt: skip


SHOWN = {"people": 165, "people_with": 140, "not_known": 10}
OF_ABUSE = {
    "strand": "abuse_types", "outcome": "no_longer_high_physical_by_victim", "judged_by": "victim",
    "had": "physical abuse no longer at a high level", "basis": "how far abuse at its height falls back by itself",
}  # fmt: skip


@pytest.mark.parametrize(
    ("result", "brief", "follows"),
    [
        (_share(), "304 days after the index date, of every hundred people of the programme 85 (between 79 and 91) "
         "had a lower score than when they were accepted; from the scores of other people on record, by history, 84 "
         "(between 80 and 88) were expected to without the programme.",
         "lies within that range, so by itself it says nothing about the programme."),
        (_share(0.9), "90 (between 84 and 96)", "lies above that range; whether the programme had a part in that, one "
         "group cannot tell."),
        (_share(0.7), "70 (between 64 and 76)", "lies below that range; whether the programme had a part in that, one "
         "group cannot tell."),
        (_share(0.9, design=_design()), "90 (between 84 and 96)", "the comparison must say, and not the share of one "
         "group."),
        (_share(clock="discharge", outcome="lower_score_after_discharge", horizon_days=182), "182 days after "
         "discharge, of "
         "every hundred people of the programme who were discharged 85", "says nothing about the programme."),
        (_share(outcome="lower_score_other_reading"), "304 days after the index date, by the other reading of the "
         "score, of every hundred", "nothing about the programme."),
        (_share(0.6, (0.28, 0.62), None, **OF_ABUSE), "When assessed again, of every hundred cases at a high level at "
         "intake 60 (between 54 and 66) had physical abuse no longer at a high level, as the victim judged it; "
         "reckoned from how far abuse at its height falls back by itself, between 28 and 62 were expected to without "
         "the programme.", "so by itself it says nothing about the programme."),
    ],
)  # fmt: skip
def test_a_share_of_one_group_is_said_in_one_sentence_with_the_share_that_was_to_be_expected(result, brief, follows):
    said = evidence.expected_share(result, SHOWN)
    assert brief in said
    assert said.startswith(evidence.expected_share_in_brief(result))
    assert "That is 140 of 165 people; of 10 more it is not known." in said
    assert said.endswith(follows)
    assert (_improper(said, "T1"), _improper(evidence.expected_share_in_brief(result), "T1")) == ((), ())


def test_how_many_are_not_known_is_left_unsaid_where_it_is_withheld():
    assert "That is 140 of 165 people." in evidence.expected_share(_share(), SHOWN | {"not_known": "withheld"})
    assert "of fewer than 10 more" in evidence.expected_share(_share(), SHOWN | {"not_known": "fewer than 10"})


@given(
    ends=st.tuples(*[st.floats(0, 1)] * 2), value=st.floats(0, 1), without=st.none() | st.floats(0, 1),
    assignment=st.sampled_from(["single_group", "randomised", "sequential_trials"]),
)  # fmt: skip
def test_whatever_the_share_its_sentences_pass_the_gate_of_a_page(ends, value, without, assignment):
    low, high = sorted(ends)
    result = _share(value, (low, high), without, design=_design(assignment))
    assert _improper(evidence.expected_share(result, SHOWN), "T1") == ()
    assert ("says nothing about the programme" in evidence.expected_share(result, SHOWN)) == (low <= value <= high)


@given(
    ends=st.tuples(*[st.floats(-100, 100)] * 3), tier=st.sampled_from(TIERS), p_value=st.floats(0, 1),
    made=st.sampled_from([_score, _abuse]),
)  # fmt: skip
def test_whatever_the_difference_its_sentences_pass_the_gate_of_a_page(ends, tier, p_value, made):
    scale = 1 if made is _score else 100
    low, value, high = (end / scale for end in sorted(ends))
    result = made(value, low, high, p_value=p_value)
    can, cannot = evidence.may_be_said(result, tier, p_adjusted=p_value)
    assert [problem for line in (_said(result, tier), *can, *cannot) for problem in _improper(line, tier)] == []


def test_moves_agreement_and_readings_are_described_without_a_claim():
    moved = Transition(
        strand="abuse_types", outcome="physical", horizon_days=332, arm="programme", judged_by="idva", method="m",
        counts=((9, 1, 1, 1, 1),) * 4, high_change=None, any_change=None,
    )  # fmt: skip
    told = (
        evidence.moved(moved, {"lower": 40, "same": 50, "higher": 10, "not_known": 20, "total": 120}),
        evidence.agreed(
            ReportersAgree(
                strand="abuse_types", outcome="sexual", one="victim", other="practitioner", people=122, method="m",
                kappa=Interval(value=0.6234, low=0.5, high=0.7412),
            ), 120,
        ),
        evidence.read(
            Readings(
                strand="score_decline", outcome="mean_score", arm="programme", days=(0,), mean=(84.0,), low=(80.0,),
                high=(88.0,), floor=(84.0,), realised=(None,), people=(165,), in_custody=(0,), still_open=(0,),
                method="m",
            ),
            {"mean": 84.0, "low": 80.0, "high": 88.0},
            {"day": 304, "mean": 65.1, "low": 60.0, "high": 70.0, "floor": 50.5},
        ),
    )  # fmt: skip
    assert told[0].startswith(
        "Of 120 cases of the programme group, physical abuse was at a lower level in 40 when assessed again, at the "
        "same in 50 and at a higher in 10, as the victim's independent adviser judged it; 20 were not assessed again."
    )
    assert (
        "sexual abuse, the victim and the delivering service agree with a weighted kappa of 0.62 (between 0" in told[1]
    )
    assert "was 84 (between 80 and 88) on the index date and 65 (between 60 and 70) 304 days later" in told[2]
    assert [problem for words in told for problem in _improper(words, "T1")] == []


def test_what_could_have_been_seen_of_abuse_is_said_of_a_level_and_not_of_a_record():
    could = Detectable(
        strand="abuse_types", outcome="high_abuse", horizon_days=332, event_label="high level of abuse",
        people_programme=150, people_comparison=145, typical=0.3, reduction=0.4, missed_of_ten=6, method="m",
    )  # fmt: skip
    said = evidence.detectable(could, 295, 90)
    assert said.startswith("With a high level of abuse 332 days after the index date for 90 of 295 people, whichever")
    assert _improper(said, "T1") == ()


def test_before_and_after_of_one_group_send_nobody_to_a_comparison_that_does_not_exist():
    before = Expected(
        strand="reoffending", outcome="event_count", horizon_days=182, event_label="incident", people=166, before=482,
        after=100, people_before=140, people_after=60, without=228.0, low=190.0, high=270.0, everybody=(0, 0),
        naive=Interval(value=0.2, low=0.1, high=0.3), design=_design("single_group"), method="m",
    )  # fmt: skip
    said = evidence.expected(
        before, {"people": 165, "before": 480, "after": 100, "without": 230, "low": 190, "high": 270}
    )
    assert "in the 182 days before they were accepted and 100" in said
    assert said.endswith("whether the programme had a part in that, one group cannot tell.")
    assert _improper(said, "T1") == ()


def _improper(words: str, tier: str) -> tuple[str, ...]:
    """What the gate of a page has against a generated sentence, on the first page and in full."""
    return lint(
        f'<!DOCTYPE html><html lang="en-GB"><head><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<title>Report</title></head><body><h1>Report</h1><div id="summary"><p>'
        f'<span data-finding="a" data-tier="{tier}">{words}</span></p></div></body></html>'
    )
