"""What stands on too few people is withheld, the rest is rounded, and openly published data are shown as they are."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit import disclosure
from evalkit.disclosure import deciding, releasing
from evalkit.errors import NotReleasable
from evalkit.results import Arm, Count, Curve, Design, Detectable, Difference, Estimate, Followed, LeftOut
from evalkit.study import Study, Suite


@pytest.fixture
def protected(project) -> Study:
    """A study whose data are not public."""
    project.change("params/suites/rossi.yaml", protection="standard", source=None)
    return Suite.read("rossi").studies()[0]


@pytest.fixture
def open_data(project) -> Study:
    """A study of openly published data."""
    return Suite.read("rossi").studies()[0]


def _arms(people, events) -> tuple[Arm, ...]:
    sides = zip(("programme", "comparison"), people, events, strict=True)
    return tuple(Arm(label=label, people=n, events=e) for label, n, e in sides)


def _estimate(people=(216, 216), events=(48, 66), measure="risk_difference", **more) -> Estimate:
    followed = tuple(
        Followed(label=label, allocated=n, followed=n)
        for label, n in zip(("programme", "comparison"), people, strict=True)
    )
    return Estimate(
        strand="reoffending", outcome="any_event", horizon_days=364, measure=measure, population="itt",
        **{"value": -0.08333, "low": -0.16456, "high": -0.00018, "p_value": 0.05051, "planned": "primary"} | more,
        event_label="re-arrest", method="m", design=Design(assignment="randomised", plan="locked", followed=followed),
        arms=_arms(people, events),
    )  # fmt: skip


def _released(result, study):
    [finding] = disclosure.release([result], study)
    return finding


@pytest.mark.parametrize(
    ("people", "events", "reason"),
    [
        ((9, 216), (4, 66), "it stands on fewer than 10 people"),
        ((29, 216), (14, 66), "it stands on fewer than 30 people"),
        ((216, 29), (48, 14), "it stands on fewer than 30 people"),
        ((30, 216), (9, 66), "fewer than 10 people stand behind one of its figures"),
        ((30, 216), (21, 66), "fewer than 10 people stand behind one of its figures"),
        ((30, 216), (10, 66), None),
        ((60, 60), (20, 20), None),
        ((216, 216), (0, 66), "fewer than 10 people stand behind one of its figures"),
    ],
)
def test_an_effect_is_shown_only_where_both_groups_are_large_enough(protected, people, events, reason):
    finding = _released(_estimate(people, events), protected)
    assert finding.reason == reason
    assert finding.status == ("withheld" if reason else "released")


def test_a_withheld_finding_has_no_figure_anywhere(protected):
    finding = _released(_estimate((29, 216), (14, 66)), protected)
    figures = (finding.value, finding.low, finding.high, finding.p_value, finding.arms, finding.rows)
    assert figures == (None, None, None, None, (), ())
    assert not any(number in finding.sentence for number in ("29", "216", "14", "66", "8"))
    assert finding.tier == "T0"


def test_time_to_event_needs_thirty_people_of_the_programme_with_the_event(protected):
    few = _estimate((216, 216), (29, 66), "hazard_ratio", value=0.69, low=0.47, high=1.01, planned="secondary")
    enough = _estimate((216, 216), (30, 66), "hazard_ratio", value=0.69, low=0.47, high=1.01, planned="secondary")
    assert "fewer than 30 people of the programme group had the event" in (_released(few, protected).reason or "")
    assert _released(enough, protected).status == "released"


def test_released_figures_of_protected_data_are_rounded_and_their_sentence_holds_no_other_count(protected):
    finding = _released(_estimate((217, 214), (48, 66)), protected)
    assert (finding.value, finding.low, finding.high, finding.p_value) == (-8, -16, 0, 0.05)
    assert [(arm.people, arm.events) for arm in finding.arms] == [(215, 50), (215, 65)]
    assert "50 of 215 people" in finding.sentence
    assert not any(number in finding.sentence for number in ("217", "214", "48", "66"))


def test_openly_published_data_are_neither_withheld_nor_rounded(open_data):
    finding = _released(_estimate((9, 9), (4, 5)), open_data)
    assert finding.status == "released"
    assert finding.value == pytest.approx(-8.333)
    assert finding.arms[0].people == 9


@given(st.integers(0, 4000), st.integers(0, 4000))
def test_a_count_of_protected_data_is_a_multiple_of_five_or_not_shown_and_no_total_gives_it_away(programme, comparison):
    figures = releasing._protected_counts(
        {"total": programme + comparison, "programme": programme, "comparison": comparison}
    )
    for true, shown in ((programme, figures["programme"]), (comparison, figures["comparison"])):
        assert shown == disclosure.FEWER if true < 10 else shown % 5 == 0 and abs(shown - true) <= 2
    hidden = [name for name in ("programme", "comparison") if figures[name] == disclosure.FEWER]
    if hidden:
        assert figures["total"] in (disclosure.WITHHELD, disclosure.FEWER)


def test_rows_of_an_extract_are_people_and_are_protected_as_such(protected):
    finding = _released(Count(step="rows", label="Rows", total=7, unit="rows"), protected)
    assert finding.rows[0]["total"] == disclosure.FEWER
    assert _released(Count(step="rows", label="Rows", total=432, unit="rows"), protected).rows[0]["total"] == 430


def test_a_share_known_of_fewer_than_ten_is_not_shown_in_the_balance(protected):
    rare = Difference(
        covariate="x_mar", label="Married", mean_programme=0.04, mean_comparison=0.2, smd=-0.5, denominator="d",
        variance_ratio=1.0, missing_programme=0, missing_comparison=0, people_programme=200, people_comparison=200,
        is_share=True,
    )  # fmt: skip
    assert _released(rare, protected).status == "withheld"


def test_a_curve_of_protected_data_stands_on_a_grid_of_thirty_days_and_ends_before_ten_are_left(protected):
    days = tuple(range(0, 365, 4))
    at_risk = tuple(max(100 - day // 3, 0) for day in days)
    share = tuple(day / 400 for day in days)
    curve = Curve(
        strand="reoffending", outcome="time_to_event", horizon_days=364, arm="programme", event_label="re-arrest",
        days=days, share=share, low=share, high=share, at_risk=at_risk, method="m",
        events=tuple([0] + [1] * 40 + [0] * (len(days) - 41)),
    )  # fmt: skip
    rows = _released(curve, protected).rows
    assert all(row["day"] % 30 == 0 and row["at_risk"] % 5 == 0 and row["share"] == int(row["share"]) for row in rows)
    assert rows[-1]["day"] == 270  # ten are left on day 272 and none on day 304
    assert all(row["at_risk"] >= 10 for row in rows)


def test_what_could_have_been_seen_is_said_with_rounded_counts(protected):
    could = Detectable(
        strand="reoffending", outcome="any_event", horizon_days=364, event_label="re-arrest", people_programme=216,
        people_comparison=216, pooled_share=114 / 432, reduction=0.3712, missed_of_ten=4, method="m",
    )  # fmt: skip
    finding = _released(could, protected)
    assert "115 of 430 people" in finding.sentence
    assert finding.value == 37


def test_public_figures_need_the_decisions_of_a_whole_edition(protected):
    with pytest.raises(NotReleasable, match="1 of 1 results are not those that were decided on"):
        disclosure.release([_estimate()], protected.for_profile("public"))


def test_a_public_edition_of_protected_data_is_refused_until_account_is_kept_of_what_was_released(protected):
    with pytest.raises(NotReleasable, match="could be worked out from another"):
        disclosure.keep({"a": (protected, [_estimate()])}, "public")


def test_decisions_hold_for_the_very_results_that_they_were_made_on(open_data):
    from evalkit.store import shelf

    public = open_data.for_profile("public")
    disclosure.keep({shelf(public).name: (public, [_estimate()])}, "public")
    assert _released(_estimate(), public).value == pytest.approx(-8.333)
    with pytest.raises(NotReleasable, match="1 of 1 results are not those that were decided on"):
        disclosure.release([_estimate(value=-0.0834)], public)


def test_what_is_withheld_of_an_outcome_takes_along_whatever_would_give_it_away(protected):
    could = Detectable(
        strand="reoffending", outcome="any_event", horizon_days=364, event_label="re-arrest", people_programme=108,
        people_comparison=105, pooled_share=53 / 213, reduction=0.5, missed_of_ten=6, method="m",
    )  # fmt: skip
    findings = disclosure.release([could, _estimate((108, 105), (8, 45))], protected)
    assert [finding.status for finding in findings] == ["withheld", "withheld"]
    assert "213" not in " ".join(finding.sentence for finding in findings)


def test_people_left_out_are_counted_in_words_only_where_nothing_is_protected(protected, project):
    few = _estimate(left_out=(LeftOut(people=3, of=432, why="whose outcome is not known"),))
    [told] = [caveat for caveat in _released(few, protected).caveats if "outcome" in caveat]
    assert told == "People whose outcome is not known are left out."
    project.change("params/suites/rossi.yaml", protection="open_data", source="public")
    [exact] = [caveat for caveat in _released(few, Suite.read("rossi").studies()[0]).caveats if "outcome" in caveat]
    assert exact == "3 of 432 people whose outcome is not known are left out."


def test_an_area_of_its_own_shows_no_effect_even_of_public_data(project):
    second = "areas:\n  - {slug: b-side, label: B, force: F, programme_first_day: {rossi-aid: 1976-01-01}}"
    project.edit("params/areas.yaml", "areas:", second)
    project.change("params/suites/rossi.yaml", areas=["trial-site", "b-side"])
    area = Suite.read("rossi").studies()[1]
    finding = _released(_estimate(), area)
    assert (finding.status, finding.value, finding.p_value) == ("withheld", None, None)
    assert "one area alone cannot carry an effect" in finding.sentence


@given(
    people=st.tuples(st.integers(0, 400), st.integers(0, 400)),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    measure=st.sampled_from(["risk_difference", "risk_ratio", "restricted_mean_days"]),
)
def test_no_finding_ever_holds_a_number_that_is_none(people, shares, measure):
    if not all(people):
        return
    events = tuple(round(n * share) for n, share in zip(people, shares, strict=True))
    decision = deciding._protected_estimate(_estimate(people, events, measure))
    small = min(people) < 30 or any(min(e, n - e) < 10 for e, n in zip(events, people, strict=True))
    assert bool(decision.withheld) == (small or (measure == "restricted_mean_days" and events[0] < 30))


def test_findings_are_plain_json_without_nan(open_data):
    import dataclasses

    text = json.dumps(dataclasses.asdict(_released(_estimate(), open_data)), allow_nan=False)
    assert math.isclose(json.loads(text)["value"], -8.333)
