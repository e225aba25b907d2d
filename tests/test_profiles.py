"""Every programme file: facts with a source, nobody named, and words that hold for whoever is in the programme."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from markupsafe import escape

from evalkit import claims
from evalkit.contracts import contract_files
from evalkit.export import words
from evalkit.study import Areas, Programme

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "params" / "programmes").glob("*.yaml"))
SLUGS = [file.stem for file in FILES]
TRIAL = "rossi-aid"  # a published trial of something else
DESIGNS = {
    "drive": ("randomised", "episodes"),
    "matac": ("sequential_trials", "police_records"),
    "past-salford": ("sequential_trials", "police_records"),
    "they-matter": ("single_group", "episodes"),
    "team-around-the-couple": ("sequential_trials", "police_records"),
    "make-a-change": ("single_group", "episodes"),
    "strive": ("single_group", "episodes"),
    "strive-into-change": ("single_group", "episodes"),
    "bridging-to-change": ("single_group", "episodes"),
    "relapse-prevention": ("single_group", "episodes"),
    "women-who-use-harm": ("single_group", "episodes"),
    "lgbtq-behaviour-change": ("single_group", "episodes"),
    "lote": ("single_group", "episodes"),
    "respect-young-people": ("single_group", "episodes"),
    "healthy-relationships": ("single_group", "episodes"),
    "trafford-action-plan": ("monitoring", "nothing"),
    TRIAL: ("randomised", "ready_cohort"),
}
SOMEBODY = re.compile(
    r"\S+@\S+|\b0\d{3,4}[ -]?\d{3}[ -]?\d{3,4}\b|\b(?:Mrs?|Ms|Miss|Dr|Prof)\.? [A-Z]|https?://|\bwww\."
    r"|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b"
)
TAKEN_FOR_GRANTED = re.compile(r"\b(?:he|she|him|his|hers?|husband|wife|wives|boyfriend|girlfriend)\b", re.IGNORECASE)


def texts(programme):
    """Everything that a profile says in words, in one list."""
    told = [programme.description, programme.people, programme.comparator, programme.index_event, programme.event]
    told += [programme.schedule.words] if programme.schedule else []
    told += [item.label for item in programme.eligibility]
    return [*told, *programme.notes, *(text for fact in programme.facts for text in (fact.text, fact.source))]


@pytest.fixture(params=SLUGS)
def programme(request):
    return Programme.read(request.param, ROOT)


def test_there_is_a_profile_of_every_programme_with_its_design_and_source():
    read = [Programme.read(slug, ROOT) for slug in SLUGS]
    assert {each.slug: (each.design, each.source) for each in read} == DESIGNS


def test_a_profile_tells_facts_with_their_source_and_names_figures_that_exist(programme):
    assert programme.facts or programme.slug == TRIAL
    assert [claim.id for claim in claims.of(programme, ROOT)] == list(programme.claims)


def test_there_is_a_contract_for_every_table_that_a_programme_is_evaluated_from(programme):
    assert set(programme.tables) <= set(contract_files(ROOT / "data_contracts"))
    assert len(set(programme.tables)) == len(programme.tables)


def test_criteria_are_named_once_so_that_each_has_a_column_of_its_own(programme):
    slugs = [item.slug for item in programme.eligibility]
    assert len(set(slugs)) == len(slugs)


def test_nobody_is_named_and_nobody_can_be_rung_up(programme):
    file = ROOT / "params" / "programmes" / f"{programme.slug}.yaml"
    assert SOMEBODY.findall(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("line", ["ann@example.org", "ring 01632 960 001", "led by Dr Canary", "M1 1AE"])
def test_somebody_is_seen_who_should_not_stand_in_a_profile(line):
    assert SOMEBODY.search(line)


def test_no_text_takes_for_granted_who_is_who(programme):
    assert [text for text in texts(programme) if TAKEN_FOR_GRANTED.search(text)] == []


def test_what_a_profile_says_may_stand_on_a_delivered_page(programme):
    page = "".join(f"<p>{escape(text)}</p>" for text in texts(programme))
    assert list(words.problems(BeautifulSoup(page, "html.parser"), is_summary=False)) == []


def test_systems_of_tasking_are_not_called_interventions():
    kinds = {slug: Programme.read(slug, ROOT).kind for slug in SLUGS}
    assert [slug for slug, kind in kinds.items() if kind == "tasking"] == ["matac"]
    behaviour = {"they-matter", "bridging-to-change", "women-who-use-harm", "lgbtq-behaviour-change", "lote"}
    assert {slug for slug, kind in kinds.items() if kind == "behaviour_change"} == behaviour


def test_the_traps_of_the_sources_are_told():
    told = {slug: " ".join(texts(Programme.read(slug, ROOT))) for slug in SLUGS}
    for slug, words_of_it in {
        "they-matter": ("27 weeks", "24 sessions", "the text gives both"),
        "matac": ("frequency", "both readings", "Serial means two or more victims", "names no instrument"),
        "drive": ("82", "1,489", "4,644", "high levels"),
        "team-around-the-couple": ("295,617", "296,617", "1,624.66", "two awards", "meets_marac", "matac_top_20"),
        "trafford-action-plan": ("column of the target", "as ongoing"),
    }.items():
        assert [part for part in words_of_it if part not in told[slug]] == [], slug


def test_they_matter_has_its_sessions_weeks_and_days_in_order():
    they_matter = Programme.read("they-matter", ROOT)
    schedule, assessments = they_matter.schedule, they_matter.assessments
    assert schedule.planned_days == 27 * 7
    assert (schedule.group_sessions, schedule.one_to_one_sessions) == (schedule.modules * 7, schedule.modules)
    assert assessments.assessment_day == schedule.planned_days + 28
    assert [item.rule for item in they_matter.eligibility].count("must_not") == 6


def test_every_first_day_belongs_to_a_programme_and_areas_of_a_force_stand_together():
    areas = Areas.read(ROOT).areas
    assert {slug for area in areas for slug in area.programme_first_day} <= set(SLUGS)
    forces = [area.force for area in areas]
    assert [force for place, force in enumerate(forces) if force in forces[:place] and force != forces[place - 1]] == []
