"""What stands on too few people is withheld, the rest is rounded, and openly published data are shown as they are."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit import disclosure
from evalkit.disclosure import deciding, rows
from evalkit.errors import NotReleasable
from evalkit.results import (
    Arm,
    Count,
    Curve,
    Design,
    Detectable,
    Difference,
    Estimate,
    Expected,
    Followed,
    Gate,
    Interval,
    LeftOut,
    Months,
    NotEstimable,
    Overlap,
)
from evalkit.store import shelf
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


@pytest.fixture
def tasking(project) -> Study:
    """A study of made-up police records, all areas together."""
    return Suite.read("demo").studies()[0]


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
    figures = rows.protected_counts({"total": programme + comparison, "programme": programme, "comparison": comparison})
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


@pytest.mark.parametrize(
    ("at_risk", "events", "reason"),
    [
        ((100, 60, 50), (0, 40, 10), None),
        ((100, 60, 0), (0, 40, 10), None),
        ((100, 60, 12), (0, 70, 60), None),
        ((100, 60, 9), (0, 70, 25), "fewer than 10 people stand behind one of its figures"),
        ((100, 98, 95), (0, 5, 4), "fewer than 10 people stand behind one of its figures"),
        ((29, 20, 15), (0, 10, 4), "it stands on fewer than 30 people"),
    ],
)
def test_a_curve_needs_ten_events_and_ten_people_left_though_one_person_may_have_several(
    protected, at_risk, events, reason
):
    share = (0.0, 0.3, 0.4)
    curve = Curve(
        strand="reoffending", outcome="time_to_event", horizon_days=364, arm="comparison", event_label="re-arrest",
        days=(0, 60, 120), share=share, low=share, high=share, at_risk=at_risk, events=events, method="m",
    )  # fmt: skip
    assert _released(curve, protected).reason == reason


def test_what_could_have_been_seen_is_said_with_rounded_counts(protected):
    could = Detectable(
        strand="reoffending", outcome="any_event", horizon_days=364, event_label="re-arrest", people_programme=216,
        people_comparison=216, typical=114 / 432, reduction=0.3712, missed_of_ten=4, method="m",
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


def test_a_public_edition_of_made_up_data_is_made_and_keeps_every_line_of_the_small_numbers(tasking):
    public = tasking.for_profile("public")
    disclosure.keep({shelf(public).name: (public, [_expected(people=29)])}, "public")
    assert _released(_expected(people=29), public).reason == "it stands on fewer than 30 people"


def test_decisions_hold_for_the_very_results_that_they_were_made_on(open_data):
    public = open_data.for_profile("public")
    disclosure.keep({shelf(public).name: (public, [_estimate()])}, "public")
    assert _released(_estimate(), public).value == pytest.approx(-8.333)
    with pytest.raises(NotReleasable, match="1 of 1 results are not those that were decided on"):
        disclosure.release([_estimate(value=-0.0834)], public)


def test_what_is_withheld_of_an_outcome_takes_along_whatever_would_give_it_away(protected):
    could = Detectable(
        strand="reoffending", outcome="any_event", horizon_days=364, event_label="re-arrest", people_programme=108,
        people_comparison=105, typical=53 / 213, reduction=0.5, missed_of_ten=6, method="m",
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


BEHIND = "fewer than 10 people stand behind one of its figures"
CHOSEN = Design(
    assignment="sequential_trials", plan="locked", gates=(("overlap", True),), linked=(("programme", 0.95),),
    followed=tuple(
        Followed(label=label, allocated=n, followed=n) for label, n in (("programme", 165), ("comparison", 900))
    ),
)  # fmt: skip


def _counted(people=(165, 900), events=(231, 6001), measure="rate_ratio", **more) -> Estimate:
    named = {
        "value": 0.983, "low": 0.771, "high": 1.314, "planned": "primary", "per_hundred": (138.4, 140.8),
        "outcome": "event_count", "horizon_days": 182,
    }  # fmt: skip
    return Estimate(
        strand="reoffending", measure=measure, population="att", event_label="incident",
        method="m", design=CHOSEN, arms=_arms(people, events), **named | more,
    )  # fmt: skip


def _expected(people=166, people_before=140, people_after=90, **more) -> Expected:
    named = {"before": 482, "after": 231, "without": 228.4, "low": 191.2, "high": 268.9}
    return Expected(
        strand="reoffending", outcome="event_count", horizon_days=182, event_label="incident", people=people,
        people_before=people_before, people_after=people_after, naive=Interval(value=0.479, low=0.391, high=0.587),
        everybody=(9850, 9310), design=CHOSEN, method="m", **named | more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, None),
        ({"people": 9, "people_before": 9, "people_after": 5}, "it stands on fewer than 10 people"),
        ({"people": 29, "people_before": 15, "people_after": 12}, "it stands on fewer than 30 people"),
        ({"people_before": 9}, BEHIND),
        ({"people_after": 9}, BEHIND),
        ({"people_before": 166, "people_after": 10}, None),
    ],
)
def test_totals_before_and_after_are_shown_on_ten_people_behind_each(tasking, given, reason):
    finding = _released(_expected(**given), tasking)
    assert (finding.reason, bool(finding.rows), bool(finding.can_say)) == (reason, not reason, not reason)


def test_counts_before_and_after_are_shown_in_fives_and_their_change_is_of_the_unrounded(tasking):
    finding = _released(_expected(), tasking)
    row = finding.rows[0]
    assert [row[name] for name in ("people", "before", "after", "without", "low", "high")] == [
        165,
        480,
        230,
        230,
        190,
        270,
    ]
    assert (row["change"], row["change_low"], row["change_high"]) == ("52% fewer", "61% fewer", "41% fewer")
    assert row["everybody_after_for_100_before"] == 95
    assert not any(number in finding.sentence for number in ("166", "482", "231", "228"))


def test_a_rate_needs_ten_events_on_both_sides_and_shows_what_the_model_expects_whole(tasking):
    finding = _released(_counted(), tasking)
    assert finding.rows == ({"programme": 138, "without": 141},)
    assert (finding.value, finding.unit) == (0.98, "ratio")
    assert _released(_counted(events=(9, 6001)), tasking).reason == BEHIND
    assert _released(_counted(people=(29, 900), events=(40, 6001)), tasking).status == "withheld"


def test_a_difference_of_rates_is_released_for_every_hundred_people(tasking):
    finding = _released(
        _counted(measure="rate_difference", value=-2.4, low=-32.3, high=44.2, planned="secondary"), tasking
    )
    assert (finding.value, finding.low, finding.high, finding.unit) == (-2, -32, 44, "per_100")


def test_a_ratio_never_rounds_onto_the_value_that_means_no_difference(tasking):
    finding = _released(_counted(value=0.9, low=0.7, high=0.9988), tasking)
    assert finding.high == 0.999


def test_a_variant_is_released_without_any_count_of_its_own(tasking, open_data):
    near = _counted(people=(160, 400), variant="near_the_line", planned="exploratory")
    finding = _released(near, tasking)
    assert (finding.status, finding.arms, finding.rows) == ("released", (), ())
    assert not any(number in finding.sentence for number in ("160", "400"))
    assert _released(near, open_data).arms == near.arms


def test_a_variant_that_is_withheld_takes_nothing_along_and_neither_does_what_was_not_estimated(tasking):
    near = _counted(people=(25, 400), events=(20, 900), variant="near_the_line", planned="exploratory")
    refused = NotEstimable(
        strand="reoffending", outcome="event_count", horizon_days=365, measure="rate_ratio", why="w", mend="m",
        design=CHOSEN, event_label="incident",
    )  # fmt: skip
    found = disclosure.release([_counted(), near, refused, _expected()], tasking)
    assert [finding.status for finding in found] == ["released", "withheld", "not_estimable", "released"]


def test_how_many_events_there_were_does_not_hang_on_who_had_one_nor_one_horizon_on_another(tasking):
    who = [
        _counted(events=(events, 500), measure=measure, outcome="any_event", horizon_days=horizon, planned="secondary")
        for horizon, events in ((182, 90), (365, 160))
        for measure in ("risk_difference", "risk_ratio")
    ]
    found = disclosure.release([_counted(), *who], tasking)
    assert [finding.status for finding in found] == ["released"] * 3 + ["withheld"] * 2


def _months(people_with, people=165, arm="programme", months=range(-12, 0)) -> Months:
    months = tuple(months)
    return Months(
        strand="reoffending", outcome="event_count", arm=arm, event_label="incident", months=months,
        per_hundred=(20.4,) * len(months), people=(people,) * len(months), people_with=tuple(people_with), method="m",
    )  # fmt: skip


def _gaps(result: Months, study: Study) -> list[int]:
    return [row["month"] for row in _released(result, study).rows if row["per_hundred"] is None]


def test_a_month_is_shown_on_ten_people_with_an_event_and_ten_without_and_its_rate_is_whole(tasking):
    found = _released(_months([10] * 11 + [155]), tasking)
    assert {row["per_hundred"] for row in found.rows} == {20}
    assert _gaps(_months([9, 9] + [20] * 10), tasking) == [-12, -11]
    assert _gaps(_months([156, 156] + [20] * 10), tasking) == [-12, -11]


def test_a_single_gap_in_half_a_year_takes_another_month_along_because_a_total_stands_elsewhere(tasking):
    assert _gaps(_months([9] + [30, 12, 30, 30, 30] + [20] * 6), tasking) == [-12, -10]


@pytest.mark.parametrize(
    ("people", "people_with", "reason"),
    [
        (29, [15] * 12, "it stands on fewer than 30 people"),
        (165, [9] * 12, BEHIND),
    ],
)
def test_months_of_too_few_people_are_withheld_as_a_whole(tasking, people, people_with, reason):
    finding = _released(_months(people_with, people), tasking)
    assert (finding.status, finding.rows, finding.reason) == ("withheld", (), reason)


@given(st.lists(st.integers(0, 60), min_size=36, max_size=36))
def test_whatever_the_months_no_half_year_has_a_single_gap_that_its_total_would_fill(people_with):
    months = _months(people_with, people=60, months=range(-24, 12))
    shown = deciding.shown_months(months)
    for first in range(0, 36, 6):
        assert sum(not each for each in shown[first : first + 6]) != 1
    assert all(10 <= part <= 50 for part, each in zip(people_with, shown, strict=True) if each)


def test_the_two_months_around_the_index_date_are_said_of_both_groups_together(tasking):
    sides = [_months([60] * 4, arm=arm, months=range(-2, 2)) for arm in ("programme", "comparison")]
    programme, comparison = disclosure.release(sides, tasking)
    assert "there were 20 recorded domestic-abuse incidents for every hundred people" in programme.sentence
    assert comparison.sentence == ""
    assert disclosure.release(sides[:1], tasking)[0].sentence == ""


def _overlap(programme=(16, 17, 16), comparison=(900, 40, 4), people=(49, 901)) -> Overlap:
    return Overlap(
        edges=(0.0012, 0.0512, 0.3004, 0.9712), programme=programme, comparison=comparison, people_programme=people[0],
        people_comparison=people[1],
    )  # fmt: skip


def test_bands_show_ten_people_or_fewer_than_ten_and_not_the_chance_of_any_one_person(tasking):
    finding = _released(_overlap(), tasking)
    assert [row["comparison"] for row in finding.rows] == [900, 40, disclosure.FEWER]
    assert [(row["low"], row["high"]) for row in finding.rows] == [(None, 5.1), (5.1, 30.0), (30.0, None)]
    assert finding.sentence.startswith("In 2 of 3 bands")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"programme": (9, 20, 20)}, BEHIND),
        ({"people": (29, 901)}, "it stands on fewer than 30 people"),
    ],
)
def test_bands_are_withheld_where_one_of_the_programme_is_too_small(tasking, given, reason):
    assert _released(_overlap(**given), tasking).reason == reason


def test_a_check_is_shown_in_words_and_counts_in_hundreds(tasking):
    gate = Gate(name="overlap", label="Alike", found="85% of them", needed="80% or more", passed=True, mend="m")
    finding = _released(gate, tasking)
    assert finding.rows[0]["found"] == "85 in every 100 of them"
    assert finding.status == "released"


@pytest.mark.parametrize(
    ("people", "reason"),
    [
        ((30, 900), None),
        ((29, 900), "it stands on fewer than 30 people"),
        ((165, 9), "it stands on fewer than 10 people"),
    ],
)
def test_what_could_have_been_seen_of_a_number_of_events_needs_thirty_people(tasking, people, reason):
    could = Detectable(
        strand="reoffending", outcome="event_count", horizon_days=182, event_label="incident", basis="count",
        people_programme=people[0], people_comparison=people[1], typical=1.18, reduction=0.3, missed_of_ten=5,
        method="m",
    )  # fmt: skip
    finding = _released(could, tasking)
    assert finding.reason == reason
    assert reason or "With 30 people in the programme, and about 120 recorded incidents" in finding.sentence


def test_a_step_without_a_total_keeps_none_and_hides_what_is_too_small(tasking):
    lost = Count(step="lost", label="Lost", total=None, programme=3, comparison=41, left_out=True)
    row = _released(lost, tasking).rows[0]
    assert (row["total"], row["programme"], row["comparison"]) == (None, disclosure.FEWER, 40)


def test_one_area_shows_how_its_own_people_fared_and_nothing_that_gives_away_its_effect(project):
    area = Suite.read("demo").studies()[1]
    share = Estimate(
        strand="reoffending", outcome="any_event", horizon_days=182, measure="share", contrast="share",
        population="att", value=0.58, low=0.5, high=0.65, arms=(Arm(label="programme", people=165, events=96),),
        method="m", design=CHOSEN, event_label="incident", planned="exploratory",
    )  # fmt: skip
    kept = [share, _counted(), _expected(), _months([60] * 12), _overlap()]
    found = disclosure.release(kept, area)
    assert [finding.status for finding in found] == ["released", "withheld", "withheld", "withheld", "withheld"]
    assert {finding.reason for finding in found[1:]} == {deciding.ONE_AREA}
    assert (found[0].value, found[0].tier) == (58, "T1")
    assert "95 of 165 people (58%, between 50 and 65)" in found[0].sentence


def _share_of(people: int) -> Estimate:
    return Estimate(
        strand="reoffending", outcome="any_event", horizon_days=182, measure="share", contrast="share",
        population="att", value=0.5, low=0.3, high=0.7, method="m", design=CHOSEN, event_label="incident",
        arms=(Arm(label="programme", people=people, events=people // 2),), planned="exploratory",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("people", "withheld"),
    [
        ((22, 45, 120), (True, True, False)),  # the one alone, and the smallest that would give it away
        ((6, 22, 120), (True, True, False)),  # two are withheld: neither follows from the rest
        ((45, 60, 120), (False, False, False)),
    ],
)
def test_one_area_is_never_withheld_alone(project, people, withheld):
    areas = Suite.read("demo-quarterly").studies()[2:8:2]
    assert len({study.period.name for study in areas}) == 1
    family = {
        str(place): (study, [_share_of(size)]) for place, (study, size) in enumerate(zip(areas, people, strict=True))
    }
    decided = disclosure.decide(family)
    name = _share_of(60).id
    assert tuple(bool(decided[str(place)][name].withheld) for place in range(3)) == withheld


def _covariate(name="custody_days", **more) -> Difference:
    given = {
        "label": name, "mean_programme": 7.9, "mean_comparison": 3.1, "smd": 0.2, "denominator": "d",
        "variance_ratio": 1.2, "missing_programme": 0, "missing_comparison": 0, "people_programme": 108,
        "people_comparison": 300,
    } | more  # fmt: skip
    return Difference(covariate=name, **given)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"people_with": 40, "largest_shares": (0.2, 0.3)}, None),
        ({"people_with": 9, "largest_shares": (0.2, 0.3)}, BEHIND),
        ({"people_with": 40, "largest_shares": (0.52, 0.6)}, "one or two people make up most of it"),
        ({"people_with": 40, "largest_shares": (0.49, 0.91)}, "one or two people make up most of it"),
    ],
)
def test_a_mean_stands_on_ten_people_who_have_any_and_on_no_one_or_two_of_them(tasking, given, reason):
    assert _released(_covariate(**given), tasking).reason == reason


def test_one_age_band_withheld_takes_the_others_along_because_they_add_up(tasking):
    bands = [
        _covariate(f"age_{place}", mean_programme=share, mean_comparison=0.2, is_share=True, part_of="age_band")
        for place, share in enumerate((0.4, 0.57, 0.03))
    ]
    other = _covariate(people_with=40, largest_shares=(0.1, 0.2))
    found = disclosure.release([*bands, other], tasking)
    assert [finding.status for finding in found] == ["withheld", "withheld", "withheld", "released"]


def test_events_of_a_handful_of_people_are_withheld_in_a_ratio_as_they_are_in_a_total(tasking):
    few = dataclasses.replace(
        _counted(), arms=tuple(dataclasses.replace(arm, people_with=6) for arm in _counted().arms)
    )
    assert _released(few, tasking).reason == BEHIND


def test_what_a_check_found_is_told_without_the_share_where_that_is_a_handful(tasking):
    gate = Gate(
        name="overlap", label="L", found="95% of those chosen have three such people", needed="80% or more",
        passed=True, mend="m", part=157, of=165,
    )  # fmt: skip
    assert _released(gate, tasking).rows[0]["found"] == "enough of them"
    assert "95" in _released(dataclasses.replace(gate, part=140), tasking).rows[0]["found"]
    assert _released(dataclasses.replace(gate, part=20, of=29), tasking).reason == "it stands on fewer than 30 people"
