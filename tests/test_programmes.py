"""Every report notebook on allocation by chance and on one group alone: what is told, and what cannot be and why."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

pytestmark = pytest.mark.whole

NOTEBOOKS = ("report", "cohort", "reoffending", "abuse_types", "score_decline")
SMALL = {
    "drive": {"essex": {"selected_a_year": 60}, "west-sussex": {"selected_a_year": 45}},
    "they-matter": {"south-cumbria": {"selected_a_year": 45}, "west-cumbria": {"selected_a_year": 45}},
}


@pytest.fixture(scope="module", params=SMALL)
def made(request, tmp_path_factory, copied) -> Path:
    """The public folder of a programme, all areas and one area, run in a small world in which nothing works."""
    project, name = copied(tmp_path_factory.mktemp(request.param) / "project"), request.param
    suite = yaml.safe_load((project.root / f"params/suites/{name}.yaml").read_text(encoding="utf-8"))
    areas = SMALL[name]
    world = suite["data"]["synthetic"] | {"areas": areas}
    project.change(f"params/suites/{name}.yaml", areas=list(areas), data={"synthetic": world})
    assert project.evalkit("lock", name).returncode == 0
    process = project.evalkit("run", name)
    assert process.returncode == 0, process.stderr
    [canaries] = [json.loads(file.read_text(encoding="utf-8"))["canaries"] for file in project.work.rglob("truth.json")]
    text = "".join(file.read_text(encoding="utf-8") for file in (project.root / "outputs").rglob("*") if file.is_file())
    assert [canary for canary in canaries if canary in text] == []
    return project.root / "outputs" / name / str(suite["as_of"]) / "public" / name


@pytest.fixture(scope="module")
def told(made) -> dict[str, dict]:
    """The findings of all areas together, by id."""
    rows = json.loads((made / "all/pilot/findings.json").read_text(encoding="utf-8"))
    return {row["id"]: row for row in rows}


def words_of(page: Path) -> str:
    return re.sub(r"\s+", " ", BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").get_text(" "))


def test_every_notebook_makes_its_page_and_one_area_gets_the_evaluation_alone(made):
    assert {page.stem for page in (made / "all/pilot").glob("*.html")} == set(NOTEBOOKS)
    assert [page.stem for page in (made / "all/all").glob("*.html")] == ["programme_overview"]
    areas = {folder.name for folder in made.iterdir()} - {"all"}
    assert len(areas) == 2
    for area in areas:
        assert [page.stem for page in (made / area / "pilot").glob("*.html")] == ["report"]


def test_every_strand_is_told_or_refused_in_words_on_the_first_page(made, told):
    report = words_of(made / "all/pilot/report.html")
    for strand in {found["strand"] for found in told.values() if found["planned"] == "primary"}:
        main = next(found for found in told.values() if found["strand"] == strand and found["planned"] == "primary")
        assert main["sentence"] in report or main["label"].partition(":")[0].lower() in report.lower(), strand
    if made.name == "they-matter":
        assert "there is one group only" in report
        assert "What comparison could still be made" in report
        assert {found["status"] for found in told.values() if found["measure"] == "risk_difference"} == {
            "not_estimable"
        }
    else:
        assert all(found["grade"] >= 2 for found in told.values() if found["planned"] == "primary")


def test_no_share_of_one_group_and_no_before_and_after_stands_without_what_was_to_be_expected(made, told):
    released = [found for found in told.values() if found["status"] == "released"]
    shares = [found for found in released if found["kind"] == "expected_share"]
    assert shares
    for found in shares:
        assert re.search(r"\d+ (\(between \d+ and \d+\) )?were expected to without the programme", found["sentence"])
        assert found["rows"][0]["without_high"] is not None
    for found in released:
        if found["kind"] == "expected":
            assert "was to be expected in any case" in found["sentence"]
    for page in (made / "all/pilot").glob("*.html"):
        for block in BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").select("p, li, td"):
            if re.search(r"\d.*(no longer at a high level|a lower score than when)", block.get_text(" ")):
                assert "expected" in block.get_text(" "), page.name


def test_those_who_were_not_assessed_again_are_a_column(made, told):
    assert "Not assessed again" in words_of(made / "all/pilot/abuse_types.html")
    moved = [row for found in told.values() if found["kind"] == "transition" for row in found["rows"] if "moved" in row]
    assert all("not_known" in row for row in moved)
    assert moved or made.name == "they-matter"


def test_the_overview_tells_the_primary_outcomes_of_every_part_and_the_suite_tells_each_once(made):
    rows = json.loads((made / "all/all/findings.json").read_text(encoding="utf-8"))
    assert rows
    assert {row["planned"] for row in rows} == {"primary"}
    with (made.parent / "findings.csv").open(encoding="utf-8", newline="") as stream:
        listed = [(row["area"], row["period"], row["id"]) for row in csv.DictReader(stream)]
    assert len(set(listed)) == len(listed)
    assert {period for _, period, _ in listed} == {"pilot"}
    overview = words_of(made / "all/all/programme_overview.html")
    assert "Every report of the programme" in overview
    assert "Its documents say" in overview
