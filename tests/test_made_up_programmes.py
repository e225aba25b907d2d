"""Made-up programmes that people enter by allocation or into groups, and made-up assessments of abuse."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from evalkit import cli, synthetic
from evalkit.errors import StudyError
from evalkit.results import ABUSE_TYPES
from evalkit.store import intake
from evalkit.study import Programme, RfgvSpec, Synthetic
from evalkit.synthetic.records import day_numbers, names
from evalkit.synthetic.severity import HIGH, draw_severity, levels
from evalkit.synthetic.world import draw_world

ROOT = Path(__file__).parents[1]
SPEC = RfgvSpec.read("conventional", ROOT)
WORLD = {
    "seed": 11,
    "areas": {"north": {"selected_a_year": 80, "people": 2400}, "south": {"selected_a_year": 40, "people": 1600}},
    "first_run_date": date(2021, 4, 1),
    "enrolment_months": 12,
    "follow_up_months": 14,
}
DRIVE = {**WORLD, "shape": "allocation", "programme": "drive", "planned_days": 304, "assessments": {}}
GROUP = {**WORLD, "shape": "group", "programme": "they-matter", "planned_days": 189, "assessments": {}}
LISTS = {**WORLD, "areas": {"north": {"selected_a_year": 36, "people": 900}}, "assessments": {}}
CASE = ["episode_id", "timepoint", "interim_number", "reporter", "abuse_type"]


def made_up(settings, **changes):
    return synthetic.generate(Synthetic(**{**settings, **changes}), SPEC, ROOT)


@pytest.fixture(scope="module")
def nothing_works():
    """Case management by allocation that changes nothing."""
    return made_up(DRIVE)


@pytest.fixture(scope="module")
def works():
    """The same world, where events and severity fall and no exit is missed."""
    return made_up(DRIVE, effect=0.7, assessments={"effect_sd": -0.5, "missing_exit": 0})


@pytest.fixture(scope="module")
def group():
    """A group programme."""
    return made_up(GROUP)


@pytest.fixture(scope="module")
def severe():
    """Settings, world and severity of that world."""
    settings = Synthetic(**DRIVE)
    world = draw_world(settings)
    return settings, world, draw_severity(settings, world)


# The extracts


@pytest.mark.parametrize("way", ["nothing_works", "group", "lists"])
def test_the_extracts_of_every_way_in_are_admitted_whole(way, request, tmp_path):
    made = made_up(LISTS) if way == "lists" else request.getfixturevalue(way)
    synthetic.write(made, tmp_path / "made")
    found = intake.admit(tmp_path / "made", tmp_path / "made.duckdb", contracts_folder=ROOT / "data_contracts")
    assert found.is_clean, found.in_words()
    with duckdb.connect(str(tmp_path / "made.duckdb"), read_only=True) as connection:
        for table, frame in made.tables.items():
            assert len(frame)
            assert connection.execute(f'SELECT count(*) FROM "{table}"').fetchall() == [(len(frame),)]


def test_each_way_in_writes_the_tables_that_its_programme_is_evaluated_from(nothing_works, group):
    assert set(nothing_works.tables) == set(Programme.read("drive", ROOT).tables)
    assert set(group.tables) == set(Programme.read("they-matter", ROOT).tables)


def test_people_and_records_are_the_same_whatever_the_way_in(nothing_works, group):
    for table in ("people", "person_links", "incidents", "custody"):
        pd.testing.assert_frame_equal(nothing_works.tables[table], group.tables[table])


def test_the_same_settings_make_the_same_tables(group):
    again = made_up(GROUP)
    for table, frame in group.tables.items():
        pd.testing.assert_frame_equal(frame, again.tables[table])


def test_every_row_names_an_episode_or_referral_that_is_there(nothing_works, group):
    for made in (nothing_works, group):
        episodes = set(made.tables["episodes"]["episode_id"])
        for table in {"abuse_assessments", "risk_assessments", "victims", "sessions"} & set(made.tables):
            assert set(made.tables[table]["episode_id"]) <= episodes
        assert set(made.tables["episodes"]["referral_id"]) <= set(made.tables["referrals"]["referral_id"])
        assert not set(made.tables["victims"]["victim_id"]).isdisjoint(made.tables["incidents"]["victim_id"])


def test_canaries_are_of_every_kind_of_id(nothing_works, group):
    assert {canary[0] for canary in nothing_works.truth["canaries"]} == set("ehirfmak")
    assert {canary[0] for canary in group.truth["canaries"]} == set("ehirfsgak")


# Allocation


def test_half_of_each_area_and_month_goes_into_the_programme(nothing_works):
    episodes = nothing_works.tables["episodes"]
    assert episodes["person_id"].is_unique
    assert set(episodes["allocated_on"].dt.day) == {15}
    blocks = pd.crosstab([episodes["area"], episodes["allocated_on"]], episodes["arm"])
    assert len(blocks) == 2 * 12
    assert (blocks["programme"] - blocks["usual_care"]).abs().max() <= 1
    assert blocks.loc["north"].sum().sum() == 2 * 80


def test_chance_leaves_the_two_arms_alike_in_severity_and_overrides_do_not(severe, nothing_works):
    assert abs(_difference_in_severity(severe, nothing_works)) < 3
    overridden = made_up(DRIVE, overrides=0.4, assessments=None)
    share = overridden.tables["episodes"]["arm"].eq("programme").mean()
    assert share == pytest.approx(0.4 + 0.5 * 0.6, abs=0.06)
    assert _difference_in_severity(severe, overridden) > 4


def _difference_in_severity(severe, made):
    """Programme less usual care on the day of allocation, in standard errors."""
    settings, _, _ = severe
    episodes = made.tables["episodes"]
    z = _severity(severe, episodes["person_id"], day_numbers(settings, episodes["allocated_on"]), 30).mean(axis=1)
    one, other = (z[episodes["arm"].eq(arm)] for arm in ("programme", "usual_care"))
    return (one.mean() - other.mean()) / np.sqrt(one.var() / len(one) + other.var() / len(other))


def _severity(severe, person_id, day, window_days):
    settings, world, severity = severe
    number = {name: place for place, name in enumerate(names(settings, world).human)}
    human = world.human_of[[number[name] for name in person_id]]
    return severity.worst(human, day, window_days)


def test_whoever_is_heard_has_high_abuse_and_a_recent_event_on_record(severe, nothing_works):
    settings, _, _ = severe
    tables = nothing_works.tables
    heard = tables["hearings"]
    z = _severity(severe, heard["person_id"], day_numbers(settings, heard["heard_on"]), 30)
    assert (levels(z) == HIGH).any(axis=1).all()
    links = tables["person_links"].query("strength == 'certain'").set_index("person_id")["same_as"]
    abuse = tables["incidents"].query("is_domestic_abuse")
    abuse = abuse.assign(person_id=abuse["person_id"].replace(links.to_dict()))
    pairs = heard.merge(abuse[["person_id", "occurred_on", "recorded_on"]], on="person_id")
    ago = (pairs["heard_on"] - pairs["occurred_on"]).dt.days
    recent = ago.between(1, 91) & (pairs["recorded_on"] < pairs["heard_on"])
    assert set(pairs.loc[recent, "hearing_id"]) == set(heard["hearing_id"])


def test_a_hearing_repeats_one_of_the_twelve_months_before(nothing_works):
    heard = nothing_works.tables["hearings"].sort_values(["person_id", "heard_on"])
    before = heard.groupby("person_id")["heard_on"].shift()
    within = (heard["heard_on"] - before).dt.days <= 365
    assert (heard["is_repeat"] == within).all()
    first = heard[before.isna()].set_index("person_id")["heard_on"]
    allocated = nothing_works.tables["episodes"].set_index("person_id")["allocated_on"]
    pd.testing.assert_series_equal(first.sort_index(), allocated.sort_index(), check_names=False)
    assert within.sum() > 50


def test_usual_care_neither_begins_nor_ends_and_only_its_victims_are_asked(nothing_works):
    episodes = nothing_works.tables["episodes"]
    usual = episodes[episodes["arm"].eq("usual_care")]
    assert usual[["started_on", "discharged_on", "discharge_reason"]].isna().all(axis=None)
    asked = nothing_works.tables["abuse_assessments"].groupby("episode_id")["reporter"].agg(set)
    assert set().union(*asked[asked.index.isin(usual["episode_id"])]) == {"victim", "idva"}
    assert set().union(*asked[~asked.index.isin(usual["episode_id"])]) == {"victim", "idva", "practitioner"}
    victims = nothing_works.tables["victims"]
    alone = set(victims.loc[~victims["supported"], "episode_id"])
    assert victims["supported"].mean() == pytest.approx(0.9, abs=0.06)
    assert {reporter for case in alone & set(asked.index) for reporter in asked[case]} == {"practitioner"}


def test_an_effect_thins_the_events_of_the_programme_arm_alone(nothing_works, works):
    truth = _truth(works)
    assert [truth["event_count", "rate_ratio", days] for days in (182, 365)] == [0.7, 0.7]
    assert truth["any_event", "risk_difference", 365] < 0
    episodes = works.tables["episodes"]
    pd.testing.assert_frame_equal(episodes, nothing_works.tables["episodes"])
    gone = nothing_works.tables["incidents"]
    gone = gone[~gone["record_id"].isin(works.tables["incidents"]["record_id"])]
    links = works.tables["person_links"].set_index("person_id")["same_as"].to_dict()
    gone = gone.assign(person_id=gone["person_id"].replace(links)).merge(episodes, on="person_id", how="left")
    assert gone["arm"].eq("programme").all()
    assert (gone["occurred_on"] > gone["allocated_on"]).all()


def _truth(made):
    told = [each for each in made.truth["estimands"] if each["area"] == "all"]
    return {(each["outcome"], each["measure"], each["horizon_days"]): each["value"] for each in told}


# Abuse


def test_levels_are_as_common_among_everybody_as_they_were_set(severe):
    _, _, severity = severe
    found = (levels(severity.z)[..., None] == np.arange(4)).mean(axis=(0, 1))
    expected = [(0.55, 0.15, 0.17, 0.13), (0.82, 0.07, 0.07, 0.04), (0.45, 0.20, 0.20, 0.15), (0.35, 0.22, 0.25, 0.18)]
    assert found == pytest.approx(np.array(expected), abs=0.02)


@pytest.mark.parametrize(
    ("windows", "falls"), [((91, 91), (0.38, 0.40, 0.37, 0.37)), ((182, 30), (0.66, 0.75, 0.64, 0.62))]
)
def test_high_abuse_falls_without_any_effect_and_more_so_over_unequal_windows(severe, windows, falls):
    """As in an earlier simulation of the same process, of people found in a month of high abuse of any type."""
    settings, world, severity = severe
    human = np.tile(np.arange(len(world.humans.area)), 5)
    start = np.repeat([400, 500, 600, 700, 800], len(world.humans.area)) + severity.first_day
    found = (levels(severity.worst(human, start, 30)) == HIGH).any(axis=1)
    human, start = human[found], start[found]
    first, later = (
        levels(severity.worst(human, day, window)) == HIGH
        for day, window in zip((start, start + settings.planned_days), windows, strict=True)
    )
    assert 1 - later.sum(axis=0) / first.sum(axis=0) == pytest.approx(np.array(falls), abs=0.04)


def test_the_programme_changes_the_abuse_of_its_own_arm_alone(nothing_works, works):
    null, truth = _truth(nothing_works), _truth(works)
    assert null["high_abuse", "risk_difference", 332] == null["high_abuse_judged", "risk_difference", 332] == 0
    assert -0.35 < truth["high_abuse", "risk_difference", 332] < -0.1
    assert truth["high_abuse_judged", "risk_difference", 332] < -0.1
    both = nothing_works.tables["abuse_assessments"].merge(works.tables["abuse_assessments"], on=CASE)
    both = both.merge(works.tables["episodes"][["episode_id", "arm"]], on="episode_id")
    changed = both["level_x"].ne(both["level_y"]).groupby([both["arm"], both["timepoint"]]).mean()
    assert changed.drop(("programme", "exit")).max() == 0
    assert changed["programme", "exit"] > 0.1


def test_the_first_reporter_says_high_as_often_as_the_truth_expects(works):
    exits = works.tables["abuse_assessments"].query("timepoint == 'exit' and reporter == 'idva'")
    high = exits["level"].eq("high").groupby(exits["episode_id"]).any().rename("high").astype(float)
    told = works.tables["episodes"].merge(high, on="episode_id").merge(works.people_truth, on="person_id")
    surprise = told["high"] - told["high_judged_332"]
    assert len(told) > 90
    assert abs(surprise.mean()) < 2.6 * surprise.std() / np.sqrt(len(told))
    assert surprise.std() < 0.45


def test_exits_are_missing_as_often_as_was_set_and_more_often_where_abuse_is_worse(severe):
    settings, _, _ = severe
    tables = made_up(DRIVE, assessments={"missing_exit": 0.4}).tables
    told = tables["abuse_assessments"].query("reporter == 'idva'")
    first = told[told["timepoint"].eq("intake")].drop_duplicates("episode_id")
    first = first.merge(tables["episodes"][["episode_id", "person_id", "allocated_on"]], on="episode_id")
    seen = first["episode_id"].isin(told.loc[told["timepoint"].eq("exit"), "episode_id"])
    assert 1 - seen.mean() == pytest.approx(0.4, abs=0.08)
    z = _severity(severe, first["person_id"], day_numbers(settings, first["allocated_on"]) + 332, 91)
    worst = levels(z).max(axis=1)
    assert 1 - seen[worst == HIGH].mean() > 1 - seen[worst < HIGH].mean() + 0.15


def test_every_assessment_says_its_window_and_every_type(nothing_works):
    tables = made_up(DRIVE, assessments={"intake_window_days": 182, "later_window_days": 30}).tables
    told = tables["abuse_assessments"]
    assert told.groupby("timepoint")["window_days"].unique().map(list).to_dict() == {"intake": [182], "exit": [30]}
    assert (told.groupby(["episode_id", "timepoint", "reporter"])["abuse_type"].agg(tuple) == tuple(ABUSE_TYPES)).all()
    assert told["level"].eq("not_known").mean() == pytest.approx(0.02, abs=0.008)
    days = nothing_works.tables["abuse_assessments"].merge(nothing_works.tables["episodes"], on="episode_id")
    after = (days["assessed_on"] - days["allocated_on"]).dt.days
    assert after[days["timepoint"].eq("intake")].between(1, 14).all()
    assert after[days["timepoint"].eq("exit")].between(332 - 20, 332 + 20).all()


def test_services_grow_milder_by_the_exit_and_advisers_do_not(nothing_works):
    told = nothing_works.tables["abuse_assessments"].query("level != 'not_known'")
    treated = nothing_works.tables["episodes"].query("arm == 'programme'")["episode_id"]
    told = told[told["episode_id"].isin(treated)]
    score = told.assign(score=told["level"].map({"none": 0, "standard": 1, "moderate": 2, "high": 3}))
    pairs = score.pivot(index=["episode_id", "timepoint", "abuse_type"], columns="reporter", values="score").dropna()
    gap = (pairs["practitioner"] - pairs["idva"]).groupby("timepoint").mean()
    assert abs(gap["intake"]) < 0.08
    assert gap["exit"] < -0.08
    assert (pairs["victim"] == pairs["idva"]).mean() == pytest.approx(0.81, abs=0.03)


def test_of_a_monthly_list_the_exit_is_the_day_of_discharge():
    tables = made_up(LISTS).tables
    told = tables["abuse_assessments"].merge(tables["episodes"], on="episode_id")
    assert set(told["reporter"]) == set(Programme.read("matac", ROOT).assessments.reporters)
    exits = told[told["timepoint"].eq("exit")]
    assert (exits["assessed_on"] == exits["discharged_on"]).all()


def test_nobody_judges_abuse_where_the_programme_names_no_reporter():
    with pytest.raises(
        StudyError, match=r"strive\.yaml has no setting 'assessments', so nobody is known to judge abuse"
    ):
        made_up(GROUP, programme="strive")


# Groups


def test_three_in_ten_referrals_are_declined_and_the_answers_say_why(group):
    referrals, criteria = group.tables["referrals"], Programme.read("they-matter", ROOT).eligibility
    assert set(referrals["route"]) == {"self", "partner_agency", "police_scene", "family_or_friend", "court"}
    declined = referrals["decision"].eq("declined")
    assert declined.mean() == pytest.approx(0.3, abs=0.08)
    assert referrals["decline_reason"].notna().eq(declined).all()
    fails = {item.slug: "no" if item.rule == "must" else "yes" for item in criteria}
    failed = pd.DataFrame({slug: referrals[f"criterion_{slug}"].eq(bad) for slug, bad in fails.items()})
    assert not failed[~declined].any(axis=None)
    for slug in fails:
        because = referrals["decline_reason"].eq(f"not met: {slug}")
        assert (failed[slug] == because).all()
    waited = (referrals["decided_on"] - referrals["referred_on"]).dt.days
    assert waited.between(14, 42).all()


def test_groups_hold_at_most_twelve_of_one_area_and_meet_weekly_after_a_session_alone(group):
    sessions, episodes = group.tables["sessions"], group.tables["episodes"]
    met = sessions[sessions["kind"].eq("group")].merge(episodes[["episode_id", "area"]], on="episode_id")
    by_group = met.groupby("group_id")
    assert by_group["episode_id"].nunique().between(2, 12).all()
    assert by_group["episode_id"].nunique().max() == 12
    assert (by_group["area"].nunique() == 1).all()
    assert (met.groupby(["group_id", "module", "number"])["held_on"].nunique() == 1).all()
    first = sessions.groupby(["episode_id", "module"]).first()
    assert first["kind"].eq("one_to_one").all()
    gaps = sessions.groupby(["episode_id", "module"])["held_on"].diff().dt.days.dropna()
    assert set(gaps) == {7}
    whole = sessions[sessions["episode_id"].isin(episodes.query("discharge_reason == 'planned'")["episode_id"])]
    assert (whole.groupby("episode_id").size() == 24).all()
    shares = sessions["attended"].value_counts(normalize=True)
    assert shares.to_dict() == pytest.approx({"yes": 0.78, "notified": 0.08, "missed": 0.14}, abs=0.03)


def test_a_spell_begins_with_the_first_session_attended_and_none_is_offered_after_its_end(group):
    sessions, episodes = group.tables["sessions"], group.tables["episodes"].set_index("episode_id")
    came = sessions[sessions["attended"].eq("yes")].groupby("episode_id")["held_on"].min()
    pd.testing.assert_series_equal(came, episodes["started_on"].dropna().sort_index(), check_names=False)
    assert (sessions["held_on"] < sessions["episode_id"].map(episodes["discharged_on"]).fillna(pd.Timestamp.max)).all()
    ended = episodes["discharge_reason"].value_counts(normalize=True)
    assert ended["disengaged"] == pytest.approx(0.3, abs=0.12)


def test_groups_are_assessed_at_intake_after_two_modules_and_at_the_end(group):
    told = group.tables["abuse_assessments"]
    assert set(told["reporter"]) == {"victim", "practitioner", "client"}
    assert set(told["timepoint"]) == {"intake", "interim", "exit"}
    assert set(told["interim_number"].dropna()) == {1, 2}
    assert told["interim_number"].notna().eq(told["timepoint"].eq("interim")).all()
    days = told.groupby(["episode_id", "timepoint", "interim_number"], dropna=False)["assessed_on"].first().unstack()
    both = days.xs("interim", level=1).dropna(subset=[1, 2])
    assert len(both) > 50
    assert (both[2] - both[1]).dt.days.eq(63).all()


# The command


@pytest.mark.parametrize(("programme", "table"), [("drive", "hearings"), ("they-matter", "sessions")])
def test_synthesise_makes_up_the_way_into_the_programme(project, programme, table, monkeypatch):
    monkeypatch.chdir(project.root)
    asked = ["synthesise", "made", "--programme", programme, "--areas", "1", "--people", "500", "--months", "8"]
    cli.app(asked, standalone_mode=False)
    found = {file.stem for file in (project.root / "made").glob("*.csv")}
    assert found == set(Programme.read(programme, ROOT).tables)
    assert len(pd.read_csv(project.root / "made" / f"{table}.csv"))
