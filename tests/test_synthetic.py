"""Made-up data keep the contracts, come out the same, and their truth is that of what they hold."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from evalkit import cli, rfgv, synthetic
from evalkit.errors import RunFailed, StudyError
from evalkit.store import intake
from evalkit.study import RfgvSpec, Synthetic
from evalkit.synthetic import writing
from evalkit.synthetic.enrolment import places, put
from evalkit.synthetic.truth import estimands
from evalkit.synthetic.world import BURN_IN_DAYS, YEAR_DAYS, abuse, common_shocks, draw_world, standing, state_path

ROOT = Path(__file__).parents[1]
AREAS = {
    "north": {"selected_a_year": 30, "people": 700},
    "south": {"selected_a_year": 14, "starts_after_months": 3},
}
SETTINGS = Synthetic(
    seed=7, areas=AREAS, first_run_date=date(2021, 4, 1), enrolment_months=18, follow_up_months=13, partner_referred=0.2
)
SPEC = RfgvSpec.read("conventional", ROOT)


def made_up(**changes):
    return synthetic.generate(Synthetic(**{**SETTINGS.model_dump(), **changes}), SPEC, ROOT)


@pytest.fixture(scope="module")
def nothing_works():
    """What is made up where the programme changes nothing."""
    return made_up()


@pytest.fixture(scope="module")
def half_prevented():
    """The same world where every second event after a selection is prevented."""
    return made_up(effect=0.5)


@pytest.fixture(scope="module")
def folder(half_prevented, tmp_path_factory):
    """The files of the second."""
    path = tmp_path_factory.mktemp("made") / "extracts"
    synthetic.write(half_prevented, path)
    return path


@pytest.fixture(scope="module")
def store(folder, tmp_path_factory):
    """The store that the files are admitted to."""
    file = tmp_path_factory.mktemp("store") / "made.duckdb"
    found = intake.admit(folder, file, contracts_folder=ROOT / "data_contracts")
    assert found.is_clean, found.in_words()
    return file


# Settings


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"first_run_date": date(2021, 4, 2)}, "must be the first of a month"),
        ({"areas": {"all": {"selected_a_year": 12}}}, "kept for all areas together"),
        ({"effect": 1.5}, "less than or equal to 1"),
        ({"strength": 2}, "Extra inputs"),
        ({"areas": {}}, "at least 1 item"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        Synthetic(**{**SETTINGS.model_dump(), **changes})


def test_records_begin_two_years_before_the_first_list_and_the_extract_follows_the_last_month():
    assert (SETTINGS.first_record_date, SETTINGS.extract_date) == (date(2019, 4, 1), date(2023, 11, 1))
    assert (SETTINGS.months[0], SETTINGS.months[-1]) == (date(2021, 4, 1), date(2022, 9, 1))
    assert [area.number_of_people for area in SETTINGS.areas.values()] == [700, 420]


def test_places_of_a_year_add_up_whatever_the_fraction_of_a_month():
    settings = Synthetic(seed=1, areas={"north": {"selected_a_year": 7}}, first_run_date=date(2021, 4, 1))
    assert [sum(places(settings, month)["north"] for month in range(start, start + 12)) for start in (0, 12)] == [7, 7]
    assert sum(places(settings, month, share=0.1)["north"] for month in range(24)) == 1
    assert {places(SETTINGS, month).get("south") for month in range(3)} == {None}


# The world


def test_the_mean_of_the_intensity_is_the_one_that_was_set():
    """Within 2 %, which is three standard errors of so many people; the first year fills the memory of the process."""
    people, days, rng = 120_000, 4 * 365, np.random.default_rng(5)
    shock = common_shocks(SETTINGS, days)
    rate = rng.gamma(0.6, 1 / 0.6, people)
    who, time, _ = abuse(rng, shock, state_path(rng, people, days), rate)
    expected = rate.mean() * people * shock[BURN_IN_DAYS:].sum() / YEAR_DAYS
    assert (time >= BURN_IN_DAYS).sum() == pytest.approx(expected, rel=0.02)
    assert who.max() < people


def test_people_come_in_crises_and_one_event_sets_off_others():
    """The count of a half-year has a variance far above its mean, and a quarter of events were set off by another."""
    people, days, rng = 20_000, 3 * 365, np.random.default_rng(6)
    who, time, parent = abuse(rng, np.ones(days), state_path(rng, people, days), np.ones(people))
    half_years = np.bincount(who[(time > 365) & (time < 548)], minlength=people)
    assert half_years.var() / half_years.mean() > 2
    assert np.mean(parent != np.arange(len(parent))) == pytest.approx(0.25, abs=0.01)
    assert (time[parent] <= time).all()


def test_a_recording_change_lowers_every_day_from_then_on_by_seven_in_a_hundred():
    changed = Synthetic(**{**SETTINGS.model_dump(), "recording_change_on": date(2020, 4, 1)})
    ratio = common_shocks(changed, 1000) / common_shocks(SETTINGS, 1000)
    first = (date(2020, 4, 1) - SETTINGS.first_record_date).days + BURN_IN_DAYS
    assert ratio[:first] == pytest.approx(1)
    assert ratio[first:] == pytest.approx(0.93)


def test_what_is_displaced_by_something_that_was_displaced_happens_after_all():
    """Event 0 displaces 1, which would have displaced 2; 3 was set off by 1 and 4 by 2."""
    happens = standing(
        np.ones(5, dtype=bool), by=np.array([0, 1]), displaced=np.array([1, 2]), parent=np.array([0, 1, 2, 1, 2])
    )
    assert happens.tolist() == [True, False, True, False, True]


def test_nobody_offends_in_custody_or_after_death_or_a_move():
    world = draw_world(SETTINGS)
    events = world.events
    assert (events.day < world.humans.gone[events.human]).all()
    sent = np.flatnonzero(events.strictness <= 1)
    assert len(sent) > 50
    for place in sent:
        own = events.day[events.human == events.human[place]]
        assert not ((own >= events.held_from[place]) & (own < events.held_until[place])).any()


def test_couples_harm_each_other_and_nobody_else_is_both_harmed_and_harming():
    world = draw_world(SETTINGS)
    humans = len(world.humans.area)
    pairs = {(who, whom) for who, whom in zip(world.events.human, world.events.victim, strict=True) if whom >= 0}
    mutual = {(who, whom) for who, whom in pairs if whom < humans}
    assert {(whom, who) for who, whom in mutual} == mutual
    assert len({who for who, _ in mutual}) == len(mutual)
    assert all(world.humans.area[who] == world.humans.area[whom] for who, whom in mutual)
    assert len(mutual) / len(pairs) == pytest.approx(0.15, abs=0.01)


# The extracts


def test_the_same_settings_make_the_same_bytes_in_any_process(folder, tmp_path):
    script = (
        "import sys; from pathlib import Path; from evalkit import synthetic; from evalkit.study import *\n"
        "settings = Synthetic.model_validate_json(sys.argv[1])\n"
        "root = Path(sys.argv[2])\n"
        "made = synthetic.generate(settings, RfgvSpec.read('conventional', root), root)\n"
        "synthetic.write(made, Path(sys.argv[3]))"
    )
    settings = Synthetic(**{**SETTINGS.model_dump(), "effect": 0.5}).model_dump_json()
    subprocess.run(
        [sys.executable, "-c", script, settings, str(ROOT), str(tmp_path / "again")],
        env={**os.environ, "PYTHONHASHSEED": "123", "TZ": "Pacific/Auckland", "LC_ALL": "C"}, cwd=ROOT, check=True,
    )  # fmt: skip
    assert _hashes(tmp_path / "again") == _hashes(folder)


def _hashes(path):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in path.iterdir()}


def test_the_files_are_whole_typed_and_their_owners_alone(folder):
    tables = {"people", "person_links", "incidents", "selections", "episodes", "custody"}
    others = {"extract.yaml", "truth.json", "person_counterfactual.parquet"}
    assert {file.name for file in folder.iterdir()} == {f"{table}.csv" for table in tables} | others
    assert yaml.safe_load((folder / "extract.yaml").read_text(encoding="utf-8")) == {"extract_date": date(2023, 11, 1)}
    if os.name == "posix":
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_the_extracts_keep_their_contracts_and_are_admitted_whole(store, half_prevented):
    with duckdb.connect(str(store), read_only=True) as connection:
        for table, frame in half_prevented.tables.items():
            assert connection.execute(f'SELECT count(*) FROM "{table}"').fetchall() == [(len(frame),)]
            assert len(frame)


def test_everybody_who_was_made_up_is_in_people_once_and_nobody_else_is_anywhere(nothing_works):
    tables = nothing_works.tables
    known = set(tables["people"]["person_id"])
    aliases = set(tables["person_links"]["person_id"])
    assert len(known) == len(tables["people"]) == 1120 + len(aliases)
    assert aliases < known
    assert set(tables["person_links"]["same_as"]) < known - aliases
    for table in ("incidents", "selections", "episodes", "custody"):
        assert set(tables[table]["person_id"]) <= known
    assert tables["people"]["area"].value_counts().loc["north"] >= 700


def test_records_are_late_repeated_cancelled_and_without_a_victim_as_often_as_is_said():
    records = made_up(areas={"north": {"selected_a_year": 1, "people": 6000}}, enrolment_months=1).tables["incidents"]
    delay = (records["recorded_on"] - records["occurred_on"]).dt.days
    abuse_ = records[records["is_domestic_abuse"]]
    assert delay.median() in (0, 1)
    assert delay.quantile(0.95) == pytest.approx(14, abs=2)
    assert records["incident_id"].duplicated().mean() == pytest.approx(0.01, abs=0.003)
    assert abuse_["victim_id"].isna().mean() == pytest.approx(0.02, abs=0.005)
    assert records["cancelled_on"].notna().mean() == pytest.approx(0.005, abs=0.002)
    assert (abuse_["record_type"] == "non_crime_incident").mean() == pytest.approx(0.4, abs=0.015)


def test_every_offence_has_a_weight_on_the_illustrative_scale(nothing_works):
    weights = pd.read_csv(ROOT / SPEC.weights)
    assert set(nothing_works.tables["incidents"]["offence_code"].dropna()) <= set(weights["offence_code"])


def test_spells_in_custody_of_one_person_lie_apart(nothing_works):
    spells = nothing_works.tables["custody"].sort_values(["person_id", "from_on"])
    before = spells.groupby("person_id")["until_on"].shift()
    later = before.notna()
    assert later.sum() > 5
    assert (spells.loc[later, "from_on"] > before[later]).all()


# The lists


def test_the_lists_can_be_made_again_from_the_extracts(store):
    """Rank, score and reasons of every run date, by the library's own score on the admitted tables."""
    with duckdb.connect(str(store), read_only=True) as connection:
        rfgv.prepare(connection, SPEC, ROOT)
        selections = connection.execute("SELECT * FROM selections WHERE route = 'rfgv'").df()
        assert sorted(selections["run_date"].unique()) == [pd.Timestamp(day) for day in SETTINGS.months]
        for month, run_date in enumerate(SETTINGS.months):
            scored, busy = rfgv.score(connection, run_date, SPEC), rfgv.busy(connection, run_date)
            groups = [busy.loc[busy["reason"].eq(reason), "person_id"] for reason in rfgv.REASONS]
            capacity = places(SETTINGS, month)
            listed = rfgv.select(
                scored[scored["area"].isin(list(capacity))], run_date=run_date, capacity=capacity,
                caseload=groups[0], recent=groups[1], in_custody=groups[2],
            )  # fmt: skip
            columns = ["person_id", "area", "rank", "score", "exclusion_reason"]
            again = listed.loc[listed["rank"].notna(), columns].set_index("person_id").sort_index()
            given = selections[selections["run_date"].eq(pd.Timestamp(run_date))].set_index("person_id").sort_index()
            assert list(again.index) == list(given.index)
            assert (again["rank"] == given["rank"]).all()
            assert (again["score"] == given["score"]).all()
            assert (again["exclusion_reason"].fillna("") == given["exclusion_reason"].fillna("")).all()
            chosen = given[given["selected"]]
            assert chosen["exclusion_reason"].isna().all()
            area = again.loc[chosen.index, "area"]
            assert area.value_counts().to_dict() == {slug: number for slug, number in capacity.items() if number}
            last = chosen.assign(area=area).sort_values("rank").groupby("area")["score"].last()
            distance = given["score"] - again["area"].map(last)
            assert (distance.fillna(-999) == given["distance_to_line"].fillna(-999)).all()


def test_practitioners_depart_from_the_list_by_their_judgement(nothing_works):
    lists = nothing_works.tables["selections"].query("route == 'rfgv' and exclusion_reason.isna()", engine="python")
    chosen = lists[lists["selected"]]
    assert (chosen["distance_to_line"] > 0).any()
    assert (lists.loc[~lists["selected"], "distance_to_line"] > 0).any()
    assert chosen["score"].mean() > lists["score"].mean() + 10


def test_everybody_taken_on_has_one_episode_and_partners_bring_some_between_the_lists(nothing_works):
    selections, episodes = nothing_works.tables["selections"], nothing_works.tables["episodes"]
    chosen = selections[selections["selected"]]
    assert len(episodes) == len(chosen)
    pairs = zip(chosen["person_id"], chosen["run_date"], strict=True)
    assert set(pairs) == set(zip(episodes["person_id"], episodes["accepted_on"], strict=True))
    referred = selections[selections["route"].eq("partner_agency")]
    assert (len(chosen) - len(referred), len(referred)) == (45 + 17, 9 + 3)
    assert not referred["run_date"].dt.day.eq(1).any()
    assert referred["rank"].isna().all()
    held = (episodes["discharged_on"] - episodes["accepted_on"]).dt.days
    assert held.max() <= 366
    assert 91 <= held.median() <= 154


# The effect


def test_another_effect_takes_records_away_after_selections_and_changes_nothing_else(nothing_works, half_prevented):
    keep = ["record_id", "person_id", "occurred_on", "recorded_on", "offence_code", "victim_id"]
    whole = nothing_works.tables["incidents"][keep].set_index("record_id")
    less = half_prevented.tables["incidents"][keep].set_index("record_id")
    pd.testing.assert_frame_equal(whole.loc[less.index], less)
    pd.testing.assert_frame_equal(nothing_works.tables["people"], half_prevented.tables["people"])
    since = _first_taken_on(half_prevented)
    gone = whole.drop(less.index)
    assert len(gone) > 50
    assert (gone["occurred_on"] > gone["person_id"].map(since)).all()
    after = whole[whole["occurred_on"] > whole["person_id"].map(since)]
    assert len(gone) / len(after) == pytest.approx(0.5, abs=0.08)


def _first_taken_on(made):
    """The first day of the programme for each person, under every id that the force is certain of."""
    first = made.tables["episodes"].groupby("person_id")["accepted_on"].min()
    links = made.tables["person_links"].query("strength == 'certain'")
    return pd.concat([first, *(
        links.set_index(one)[other].map(first).dropna()
        for one, other in (("person_id", "same_as"), ("same_as", "person_id"))
    )])  # fmt: skip


def test_custody_after_events_that_were_prevented_is_not_on_record(nothing_works, half_prevented):
    days = [
        (made.tables["custody"]["until_on"] - made.tables["custody"]["from_on"]).dt.days.sum()
        for made in (nothing_works, half_prevented)
    ]
    assert days[1] < days[0]


def test_where_nothing_works_every_true_effect_is_none(nothing_works):
    values = {(each["measure"], each["value"]) for each in nothing_works.truth["estimands"]}
    assert values == {("rate_ratio", 1.0), ("risk_ratio", 1.0), ("risk_difference", 0.0)}


def test_the_truth_names_every_area_period_outcome_and_horizon_once(half_prevented):
    keys = ["programme", "area", "period", "outcome", "measure", "horizon_days", "population"]
    told = pd.DataFrame(half_prevented.truth["estimands"])
    assert not told.duplicated(keys).any()
    assert len(told) == 3 * 3 * 2
    assert set(told["area"]) == {"all", "north", "south"}
    ratios = told[told["measure"].ne("risk_difference")]
    assert ratios["value"].between(0.5, 0.99).all()
    assert told.loc[told["measure"].eq("risk_difference"), "value"].between(-0.5, -0.01).all()
    assert (told["monte_carlo_error"] > 0).all()


def test_without_later_lists_the_effect_on_the_count_is_the_share_that_was_set():
    """One list and no referral: nobody is chosen later."""
    made = made_up(
        effect=0.7, enrolment_months=1, partner_referred=0, areas={"north": {"selected_a_year": 240, "people": 700}}
    )
    truth = {(each["measure"], each["horizon_days"]): each["value"] for each in made.truth["estimands"]}
    assert [truth["rate_ratio", 182], truth["rate_ratio", 365]] == [0.7, 0.7]
    assert made.people_truth["chosen_later"].max() == 0


def test_the_truth_counts_what_the_records_hold(nothing_works):
    """Where nothing works, the expected count of each person chosen is the count of events in the extracts."""
    with duckdb.connect() as connection:
        for table in ("people", "person_links", "incidents"):
            put(connection, table, nothing_works.tables[table])
        rfgv.prepare(connection, SPEC, ROOT)
        view = rfgv.events(connection, known_before=nothing_works.extract_date)
        put(connection, "chosen", nothing_works.people_truth)
        for horizon in (182, 365):
            counted = connection.execute(
                f"SELECT count_{horizon}, count_{horizon}_without, any_{horizon}, (SELECT count(*) FROM {view} AS one "
                "WHERE one.person_id = chosen.person_id AND is_domestic_abuse AND day > run_date "
                f"AND day <= run_date + {horizon}) FROM chosen"
            ).fetchall()
            assert len(counted) == len(nothing_works.people_truth)
            assert all(with_ == without == number for with_, without, _, number in counted)
            assert all(some == (number > 0) for *_, some, number in counted)


def test_an_area_or_period_counts_a_person_once_by_the_first_selection_in_it(nothing_works):
    periods = [("one", date(2021, 4, 1), date(2021, 12, 31)), ("two", date(2022, 1, 1), date(2022, 9, 30))]
    chosen = nothing_works.people_truth
    told = pd.DataFrame(estimands(SETTINGS, chosen, periods)).query("measure == 'risk_difference'")
    people = told[told["horizon_days"].eq(182)].set_index(["period", "area"])["people"]
    for name, first, last in periods:
        inside = chosen[chosen["run_date"].between(str(first), str(last))]
        assert people[name, "all"] == inside["person_id"].nunique() == people[name, "north"] + people[name, "south"]


def test_enforcement_sends_more_people_to_custody_and_is_an_effect_of_its_own(nothing_works):
    enforced = made_up(enforcement=4.0)
    assert len(enforced.tables["custody"]) > len(nothing_works.tables["custody"])
    told = pd.DataFrame(enforced.truth["estimands"]).query("measure == 'rate_ratio' and area == 'all'")
    assert told["value"].between(0.7, 0.98).all()
    assert set(enforced.tables["incidents"]["record_id"]) < set(nothing_works.tables["incidents"]["record_id"])


def test_canaries_are_ids_of_every_kind_of_people_who_were_taken_on(half_prevented):
    tables, canaries = half_prevented.tables, half_prevented.truth["canaries"]
    assert {canary[0] for canary in canaries} == set("ehir")
    assert all(len(canary) >= 8 for canary in canaries)
    assert len(set(canaries) & set(tables["episodes"]["person_id"])) == 3
    for kind in ("record_id", "incident_id"):
        theirs = tables["incidents"][tables["incidents"][kind].isin(canaries)]
        assert len(theirs)
        assert set(theirs["person_id"]) <= set(tables["episodes"]["person_id"])


# Writing


def test_a_folder_that_holds_something_is_left_alone(folder, half_prevented):
    before = _hashes(folder)
    with pytest.raises(StudyError, match="is there already"):
        synthetic.write(half_prevented, folder)
    assert _hashes(folder) == before


def test_what_could_not_be_written_whole_is_not_there(half_prevented, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "")

    monkeypatch.setattr(writing, "_parquet", full)
    with pytest.raises(RunFailed, match="no space left"):
        synthetic.write(half_prevented, tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


def test_truth_is_plain_json_and_the_people_behind_it_lie_beside_it(folder, half_prevented):
    assert json.loads((folder / "truth.json").read_text(encoding="utf-8")) == half_prevented.truth
    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT count(*) FROM read_parquet(?)", [str(folder / "person_counterfactual.parquet")]
        ).fetchall()
    assert rows == [(len(half_prevented.people_truth),)]
    assert dataclasses.is_dataclass(half_prevented)


def test_synthesise_writes_a_folder_that_is_admitted(project):
    done = project.evalkit("synthesise", "made", "--areas", "2", "--people", "500", "--months", "3", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"]["people"] >= 500
    assert project.evalkit("check", "made").returncode == 0
    again = project.evalkit("synthesise", "made")
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == "made: is there already and is not an empty folder; choose another name.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--format", "xlsx"), "'xlsx' is not written in this version; only csv is"),
        (("--dialect", "uk"), "none is written in this version"),
        (("--world", "sharp"), "'sharp' is not a valid choice"),
        (("--programme", "rossi-aid"), "'rossi-aid' is not evaluated from police records"),
        (("--areas", "2", "--people", "20"), "areas.area-2.people: input should be greater than or equal to 50"),
        (("--effect", "0"), "effect: input should be greater than or equal to 0.05"),
    ],
)
def test_synthesise_says_in_words_what_it_cannot_do(project, arguments, words):
    with pytest.raises(StudyError, match=words):
        cli.app(["synthesise", "made", *arguments], standalone_mode=False)
    assert not (project.root / "made").exists()


def test_made_up_areas_differ_in_places_and_beginnings_and_share_out_people():
    settings = Synthetic.sized(areas=7, people=1000, months=24, seed=1)
    areas = settings.areas.values()
    assert sum(area.number_of_people for area in areas) == 1000
    assert {area.selected_a_year // 12 for area in areas} == {1, 2, 3, 4, 5}
    assert [area.starts_after_months for area in areas] == [0, 7, 4, 1, 8, 5, 2]
