"""Settings are read strictly, and a plan cannot be changed without being seen to."""

from __future__ import annotations

import json
import random
from datetime import date

import pytest
import yaml

from evalkit.errors import StudyError
from evalkit.study import Study, Suite, fingerprint_of, lock, lock_file, plan_of

SUITE = "params/suites/rossi.yaml"


def _study() -> Study:
    return Suite.read("rossi").studies()[0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"horizon_dayz": 182}, "there is no setting called 'horizon_dayz'. Did you mean 'horizon_days'?"),
        ({"areas": ["trial-sit"]}, "areas: there is no area called 'trial-sit'. Did you mean 'trial-site'?"),
        ({"programmes": ["rossi"]}, "programmes: there is no programme called 'rossi'. Did you mean 'rossi-aid'?"),
        (
            {"notebooks": ["evalution"]},
            "notebooks: there is no report notebook called 'evalution'. Did you mean 'evaluation'?",
        ),
        ({"horizon_days": "a year"}, "horizon_days: 'a year' is not a whole number."),
        ({"horizon_days": 0}, "horizon_days: input should be greater than or equal to 1."),
        ({"protection": "open"}, "protection: 'open' is not a valid choice. Did you mean 'open_data'?"),
        ({"source": None}, "protection 'open_data' needs the setting 'source'"),
        ({"as_of": "31/12/1976"}, "as_of: '31/12/1976' is not a date; write it as 2026-09-30."),
        ({"question": None}, "the setting 'question' is missing."),
        (
            {
                "funding_periods": [
                    {"name": "late", "label": "late", "first_day": "1990-01-01", "last_day": "1990-12-31"}
                ]
            },
            "funding_periods: 'late' begins on 1990-01-01, after the last day of data (as_of 1976-12-31)",
        ),
        (
            {
                "funding_periods": [
                    {"name": "early", "label": "early", "first_day": "1970-01-01", "last_day": "1970-12-31"}
                ]
            },
            "funding_periods: 'early' ends before Financial aid on release began in 'trial-site'",
        ),
        (
            {"funding_periods": [{"name": "odd", "label": "odd", "first_day": "1976-02-01", "last_day": "1976-01-01"}]},
            "the period 'odd' ends before it begins",
        ),
        (
            {"outcomes": [{"strand": "reoffending", "name": "any_event", "planned": "secondary"}]},
            "none is planned as 'primary'",
        ),
    ],
)
def test_a_wrong_setting_is_refused_with_what_was_probably_meant(project, settings, words):
    project.change(SUITE, **settings)
    with pytest.raises(StudyError) as refusal:
        Suite.read("rossi")
    assert words in str(refusal.value)
    assert str(refusal.value).startswith("params/suites/rossi.yaml: ")


def test_every_wrong_setting_of_a_file_is_named_at_once(project):
    project.change(SUITE, horizon_dayz=1, level=7, title=None)
    with pytest.raises(StudyError) as refusal:
        Suite.read("rossi")
    assert len(str(refusal.value).splitlines()) == 3


def test_a_setting_that_stands_twice_is_refused_and_not_the_last_one_taken(project):
    project.edit(SUITE, "horizon_days: 364", "horizon_days: 182\nhorizon_days: 364")
    with pytest.raises(StudyError, match="'horizon_days' is set twice"):
        Suite.read("rossi")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"title: [unclosed", "line [12]: "),
        (b"title: caf\xe9", "is not a text file in UTF-8"),
        (b"as_of: 1976-13-45", "cannot be read as YAML"),
        (b"- a list", "is empty or not a list of settings"),
    ],
)
def test_a_file_that_holds_no_settings_is_refused_in_words(project, content, words):
    (project.root / SUITE).write_bytes(content)
    with pytest.raises(StudyError, match=words):
        Suite.read("rossi")


def test_an_unknown_suite_is_refused_with_the_nearest_name(project):
    with pytest.raises(StudyError, match=r"there is no suite called 'rosi'\. Did you mean 'rossi'\?"):
        Suite.read("rosi")


def test_a_suite_of_one_area_makes_the_study_of_all_areas_only(project):
    [study] = Suite.read("rossi").studies()
    assert study.area == "all"


def test_a_suite_of_two_areas_makes_one_study_each_besides_that_of_all(project):
    project.edit(
        "params/areas.yaml",
        "areas:",
        "areas:\n  - {slug: b-side, label: B, force: F, programme_first_day: {rossi-aid: 1976-01-01}}",
    )
    project.change(SUITE, areas=["trial-site", "b-side"])
    assert [study.area for study in Suite.read("rossi").studies()] == ["all", "b-side", "trial-site"]


def test_the_committed_demo_study_is_the_one_that_its_suite_makes(project):
    assert Study.read("params/studies/rossi.yaml").fingerprint == _study().fingerprint


def test_order_and_layout_of_a_file_do_not_move_the_fingerprint_and_any_value_does(project):
    before = _study().fingerprint
    content = yaml.safe_load((project.root / SUITE).read_text(encoding="utf-8"))
    shuffled = list(content.items())
    random.Random(1).shuffle(shuffled)
    (project.root / SUITE).write_text(
        yaml.safe_dump(dict(shuffled), sort_keys=False, default_flow_style=True), encoding="utf-8"
    )
    assert _study().fingerprint == before
    for setting, value in {"horizon_days": 182, "as_of": "1976-12-30", "level": 0.9, "title": "Another"}.items():
        assert _study().exploring(**{setting: value}).fingerprint != before


def test_the_profile_of_the_reader_is_no_part_of_the_fingerprint(project):
    assert _study().for_profile("public").fingerprint == _study().fingerprint


def test_a_study_file_that_was_changed_after_it_was_written_is_refused(project):
    project.edit("params/studies/rossi.yaml", "horizon_days: 364", "horizon_days: 182")
    with pytest.raises(StudyError, match="the fingerprint no longer fits"):
        Study.read("params/studies/rossi.yaml")


def test_a_relative_name_is_found_from_a_folder_below_the_project(project, monkeypatch):
    monkeypatch.chdir(project.root / "notebooks" / "reports")
    assert Study.read("params/studies/rossi.yaml").root == project.root


def test_the_committed_lock_stands_for_the_committed_suite(project):
    plan = plan_of(_study())
    assert (plan.state, plan.deviations) == ("locked", ())


def test_without_a_lock_a_study_was_not_planned(project):
    lock_file(project.root, "rossi").unlink()
    assert plan_of(_study()).state == "not_locked"


def test_a_choice_changed_after_the_lock_is_listed_with_both_values(project):
    plan = plan_of(_study().exploring(horizon_days=182))
    assert plan.state == "changed_after_lock"
    [deviation] = plan.deviations
    assert (deviation.setting, deviation.planned, deviation.used) == ("horizon_days", "364", "182")


def test_the_programme_behind_a_plan_cannot_be_changed_unseen(project):
    project.edit("params/programmes/rossi-aid.yaml", "event: re-arrest", "event: arrest")
    assert [deviation.setting for deviation in plan_of(_study()).deviations] == ["programme.event"]


def test_a_later_data_cut_is_no_deviation(project):
    assert plan_of(Suite.read("rossi").at(date(1976, 12, 30)).studies()[0]).state == "locked"


def test_a_lock_made_after_the_data_were_to_hand_does_not_count_as_planned_unless_the_data_were_public(project):
    project.change(SUITE, protection="standard")
    lock_file(project.root, "rossi").unlink()
    suite = Suite.read("rossi")
    lock(suite, locked_on=date(1977, 1, 1), code_version="0")
    assert plan_of(suite.studies()[0]).state == "locked_late"
    lock_file(project.root, "rossi").unlink()
    lock(suite, locked_on=date(1976, 12, 31), code_version="0")
    assert plan_of(suite.studies()[0]).state == "locked"


def test_locking_the_same_plan_again_keeps_the_day_of_the_first_lock(project):
    file = lock_file(project.root, "rossi")
    before = file.read_bytes()
    lock(Suite.read("rossi"), locked_on=date(2099, 1, 1), code_version="9")
    assert file.read_bytes() == before


def test_a_lock_that_was_edited_by_hand_is_refused(project):
    file = lock_file(project.root, "rossi")
    content = json.loads(file.read_text(encoding="utf-8"))
    content["plan"]["horizon_days"] = 182
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(StudyError, match=r"rossi\.lock\.json: was changed after it was written"):
        plan_of(_study())


def test_a_path_too_long_for_windows_is_refused_before_anything_is_made(project, monkeypatch):
    monkeypatch.setattr("evalkit.study.suite.LONGEST_PATH", 60)
    with pytest.raises(StudyError, match="is longer than 60 characters"):
        Suite.read("rossi")


def test_the_schemas_for_editors_are_those_of_the_code(project):
    for noun, name in ((Suite, "suite"), (Study, "study")):
        published = json.loads(
            (project.root / "params" / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
        )
        assert published == noun.model_json_schema()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("horizon_days: 364", "horizon_days: yes", "horizon_days: 'True' is not a whole number."),
        ("horizon_days: 364", "horizon_days: '364'", "horizon_days: '364' is not a whole number."),
        ("as_of: 1976-12-31", "as_of: 19761231", "as_of: '19761231' must be a text or a date"),
        ("title: Financial aid on release and re-arrest", "title: 1984", "title: '1984' must be a text or a date"),
        ("data: tests/data/rossi", "data: ../elsewhere", "data: must be a folder below the project's folder"),
        ("data: tests/data/rossi", "data: tests/data/rosi", "data: there is no folder 'tests/data/rosi'"),
        ("notebooks: [evaluation]", "notebooks: []", "notebooks"),
        ("notebooks: [evaluation]", "notebooks: [evaluation, evaluation]", "notebooks: one name stands twice"),
        (
            "name: time_to_event, planned: secondary",
            "name: time_to_event, planned: primary",
            "a time to the first event describes and cannot be primary",
        ),
    ],
)
def test_a_value_of_another_kind_is_not_guessed_at(project, old, new, words):
    project.edit(SUITE, old, new)
    with pytest.raises(StudyError) as refusal:
        Suite.read("rossi")
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("shape:", "shpae:", "there is no setting called 'data.synthetic.shpae'. Did you mean 'shape'?"),
        (
            "shape: allocation",
            "shape: allocaton",
            "data.synthetic.shape: 'allocaton' is not a valid choice. Did you mean 'allocation'?",
        ),
        ("effect_sd:", "effect_ds:", "no setting called 'data.synthetic.assessments.effect_ds'."),
        (
            "{selected_a_year: 120}",
            "120",
            "data.synthetic.areas.essex: needs settings of its own, each of the form 'name: value'.",
        ),
        ("{effect_sd: 0.0, missing_exit: 0.1}", "yes", "data.synthetic.assessments: 'True' must be a text or a date"),
        ("shape: allocation", "shape: group", "data.synthetic.shape: Drive (randomised) needs 'allocation'."),
        ("programme: drive", "programme: matac", "programmes: the data are made up for 'matac', not for 'drive'."),
        (
            "    assessments: {effect_sd: 0.0, missing_exit: 0.1}\n",
            "",
            "data.synthetic: no assessments are made up, but abuse is asked of Drive.",
        ),
        (
            "      essex:",
            "      esex:",
            "areas: nobody is made up in 'essex' (data, synthetic, areas). Did you mean",
        ),
    ],
)
def test_a_mistake_in_the_settings_of_made_up_data_is_told_once_and_by_its_name(project, old, new, words):
    project.edit("params/suites/drive.yaml", old, new)
    with pytest.raises(StudyError) as refusal:
        Suite.read("drive")
    [problem] = str(refusal.value).splitlines()
    assert words in problem


def test_data_are_a_folder_or_made_up_and_nothing_else(project):
    project.change("params/suites/drive.yaml", data=["extracts"])
    with pytest.raises(StudyError, match="data: must be a folder, or 'synthetic' with its settings"):
        Suite.read("drive")


def test_a_reporter_is_named_once(project):
    project.edit("params/programmes/drive.yaml", "reporters: [idva, ", "reporters: [idva, idva, ")
    with pytest.raises(StudyError, match=r"assessments\.reporters: a reporter is named twice"):
        Suite.read("drive")


def test_a_fingerprint_that_was_emptied_does_not_let_a_changed_study_pass(project):
    file = project.root / "params/studies/rossi.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8")) | {"fingerprint": None, "horizon_days": 182}
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(StudyError, match="the fingerprint no longer fits"):
        Study.read("params/studies/rossi.yaml")


def test_the_day_of_a_lock_cannot_be_changed_by_hand_unseen(project):
    file = lock_file(project.root, "rossi")
    file.write_text(file.read_text(encoding="utf-8").replace("2026-11-21", "1975-01-01"), encoding="utf-8")
    with pytest.raises(StudyError, match="was changed after it was written"):
        plan_of(_study())


def test_a_plan_that_was_locked_again_tells_the_day_of_the_one_before(project):
    project.change(SUITE, horizon_days=182)
    lock(Suite.read("rossi"), locked_on=date(2026, 12, 1), code_version="0")
    plan = plan_of(_study())
    assert (plan.state, plan.locked_on, plan.earlier) == ("locked", date(2026, 12, 1), (date(2026, 11, 21),))


def test_other_words_are_listed_but_do_not_make_another_plan(project):
    project.change(SUITE, title="Aid on release")
    plan = plan_of(_study())
    assert (plan.state, [deviation.setting for deviation in plan.deviations]) == ("locked", ["title"])


def test_a_data_contract_that_was_changed_makes_another_plan(project):
    project.edit("data_contracts/ready_cohort.odcs.yaml", "version: 1.0.0", "version: 1.1.0")
    plan = plan_of(_study())
    assert plan.state == "changed_after_lock"
    assert [deviation.setting for deviation in plan.deviations] == ["contracts.ready_cohort"]


def test_made_up_data_must_be_made_up_for_the_areas_that_the_suite_names(project):
    project.edit(
        "params/suites/demo.yaml", "      corwick: {selected_a_year: 45}", "      brenvale: {selected_a_year: 45}"
    )
    with pytest.raises(StudyError, match=r"areas: nobody is made up in 'corwick' \(data, synthetic, areas\)"):
        Suite.read("demo")


def test_a_lock_stands_though_evalkit_has_learnt_a_setting_that_the_plan_leaves_alone(project):
    suite = Suite.read("rossi")
    lock_file(project.root, "rossi").unlink()
    lock(suite, locked_on=date(1976, 1, 1), code_version="0")
    content = json.loads(lock_file(project.root, "rossi").read_text(encoding="utf-8"))
    assert content["plan"]["programmes"][0]["police"] is None
    before = content["hash"]
    del content["plan"]["programmes"][0]["police"]  # a lock of the time before the setting was there
    sealed = {name: content[name] for name in content if name != "seal"} | {"hash": fingerprint_of(content["plan"])}
    lock_file(project.root, "rossi").write_text(
        json.dumps({**sealed, "seal": fingerprint_of(sealed)}), encoding="utf-8"
    )
    assert plan_of(suite.studies()[0]).deviations == ()
    assert lock(suite, locked_on=date(1990, 1, 1), code_version="9") == sealed["hash"] != before
