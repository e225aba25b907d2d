"""A suite of tasking from its settings to its pages: what a funder reads, and what nobody may."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import jsonschema
import pytest
from bs4 import BeautifulSoup

pytestmark = pytest.mark.whole

MAIN = "reoffending.event_count.182.rate_ratio"


@pytest.fixture(scope="module")
def findings(tasking_run):
    """The findings of a study by id."""

    def read(area: str) -> dict[str, dict]:
        rows = json.loads((tasking_run.folder(area) / "findings.json").read_text(encoding="utf-8"))
        return {row["id"]: row for row in rows}

    return read


def words_of(page: Path) -> str:
    return re.sub(r"\s+", " ", BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").get_text(" "))


def test_every_page_says_that_nobody_is_in_it_and_which_plan_it_stands_under(tasking_run):
    for page in tasking_run.edition.rglob("*.html"):
        assert "SYNTHETIC: made-up data about nobody" in words_of(page), page.name
    report = words_of(tasking_run.folder("all") / "report.html")
    assert re.search(r"Plan [0-9a-f]{12} locked on .*; nothing was changed since", report)


def test_the_report_of_all_areas_says_what_fell_what_was_expected_to_fall_and_claims_nothing(tasking_run, findings):
    found = findings("all")
    expected = found["reoffending.event_count.182.expected"]
    assert expected["status"] == "released"
    row = expected["rows"][0]
    assert row["after"] < row["before"]
    assert row["low"] <= row["after"] <= row["high"]  # this very world: nothing works in it
    report = words_of(tasking_run.folder("all") / "report.html")
    assert expected["sentence"] in report
    assert "without any programme" in expected["sentence"]
    assert found[MAIN]["tier"] in ("T1", "T2")
    assert "What a before/after comparison would have said" in report


def test_what_could_have_been_seen_stands_before_any_result(tasking_run):
    report = words_of(tasking_run.folder("all") / "report.html")
    assert report.index("could reliably detect only reductions of") < report.index(
        "would have been expected of the same"
    )


def test_every_part_of_a_first_class_report_is_there(tasking_run):
    report, chapter = (words_of(tasking_run.folder("all") / f"{name}.html") for name in ("report", "reoffending"))
    for part in (
        "The question as a trial, and what was done", "That day for the comparison group", "Who was counted",
        "standard deviations apart", "Every setting of this report", "Deviations from the plan", "illustrative",
        "Funding, independence and access to the data", "Symbols",
    ):  # fmt: skip
        assert part in report + chapter, part
    for variant in ("matched people", "people near the line alone", "days in custody left out", "next below the line"):
        assert variant in report, variant


def test_one_area_alone_shows_no_effect_no_before_after_and_no_p(findings):
    for area in ("ashmere", "dunmoor"):
        for name, found in findings(area).items():
            assert found["p_value"] is None, name
            if found["kind"] in ("expected", "months", "overlap") or (found["measure"] or "").endswith(
                ("ratio", "difference")
            ):
                assert (found["status"] == "released", found["value"], found["rows"]) == (False, None, []), name


def test_what_is_withheld_in_one_of_two_areas_is_withheld_in_the_other_too(findings):
    """All areas together show their sum."""
    found = findings("dunmoor")
    assert found["reoffending.any_event.182.share"]["reason"] == "another area's figure could be worked out from it"
    assert found["flow.analysed"]["rows"] == []
    assert findings("all")["flow.analysed"]["rows"]


def test_of_an_area_with_a_handful_of_people_nothing_but_that_is_said(findings):
    small = findings("ashmere")
    assert small["reoffending.any_event.182.share"]["status"] == "withheld"
    counted = small["flow.analysed"]["rows"][0]
    assert counted["programme"] == "fewer than 10"


def test_no_released_count_of_people_is_anything_but_a_multiple_of_five(findings):
    for area in ("all", "ashmere", "dunmoor"):
        for name, found in findings(area).items():
            for arm in found["arms"]:
                assert arm["people"] % 5 == 0, name
                assert arm["exposure_days"] is None, name
            if found["kind"] == "count" and found["rows"]:
                counts = [found["rows"][0][side] for side in ("total", "programme", "comparison")]
                assert all(each is None or each == "fewer than 10" or each % 5 == 0 for each in counts), name


def test_no_canary_stands_in_anything_that_was_delivered(tasking_run):
    [folder] = (tasking_run.project.work / "made_up").iterdir()
    canaries = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["canaries"]
    assert len(canaries) >= 4
    files = [file for file in tasking_run.edition.parent.rglob("*") if file.is_file()]
    assert files
    for file in files:
        content = file.read_bytes()
        assert not [canary for canary in canaries if canary.encode() in content], file.name


def test_what_is_delivered_keeps_its_published_schemas(tasking_run):
    schemas = Path(__file__).parents[1] / "data_contracts" / "outputs"
    for file in tasking_run.edition.rglob("findings.json"):
        schema = json.loads((schemas / "findings.schema.json").read_text(encoding="utf-8"))
        jsonschema.validate(json.loads(file.read_text(encoding="utf-8")), schema)
    with (tasking_run.edition / "findings.csv").open(encoding="utf-8", newline="") as stream:
        areas = {row["area"] for row in csv.DictReader(stream)}
    assert areas == {"all", "ashmere", "dunmoor"}


def test_a_second_run_makes_nothing_again(tasking_run):
    before = {file: file.stat().st_mtime_ns for file in tasking_run.edition.rglob("*") if file.is_file()}
    again = tasking_run.project.evalkit("run", "demo")
    assert again.returncode == 0, again.stderr
    after = {file: file.stat().st_mtime_ns for file in before}
    assert {file.name for file in before if before[file] != after[file]} <= {"status.json"}
