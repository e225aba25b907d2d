"""The demo from extract to page: the numbers of the published trial, and what is delivered with them."""

from __future__ import annotations

import base64
import csv
import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from bs4 import BeautifulSoup

pytestmark = pytest.mark.whole

ONE_DECIMAL, TWO_DECIMALS, FOUR_DECIMALS = 0.05, 0.005, 0.00005  # as the figures of the trial are given


@pytest.fixture(scope="module")
def findings(demo) -> dict[str, dict]:
    rows = json.loads((demo.study / "findings.json").read_text(encoding="utf-8"))
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: row for row in rows}


@pytest.fixture(scope="module")
def page(demo) -> BeautifulSoup:
    return BeautifulSoup((demo.study / "report.html").read_text(encoding="utf-8"), "html.parser")


def test_the_primary_finding_is_that_of_the_published_trial(findings):
    found = findings["reoffending.any_event.364.risk_difference"]
    assert [(arm["events"], arm["people"]) for arm in found["arms"]] == [(48, 216), (66, 216)]
    assert found["value"] == pytest.approx(-100 * 18 / 216)
    assert found["low"] == pytest.approx(-16.5, abs=ONE_DECIMAL)
    assert found["high"] == pytest.approx(-0.02, abs=TWO_DECIMALS)
    assert found["p_value"] == pytest.approx(0.0505, abs=FOUR_DECIMALS)
    assert (found["grade"], found["tier"], found["planned"]) == (5, "T2", "primary")


def test_its_sentence_leaves_open_what_interval_and_test_leave_open(findings):
    sentence = findings["reoffending.any_event.364.risk_difference"]["sentence"]
    assert "lower by as many as 17 in a hundred, or no different; more people would be needed to tell" in sentence


def test_the_other_designs_of_the_same_question_are_those_of_the_published_data(findings):
    as_allocated = findings["reoffending.time_to_event.364.hazard_ratio"]
    adjusted = findings["reoffending.time_to_event.364.hazard_ratio.adjusted"]
    assert as_allocated["p_value"] == pytest.approx(0.0501, abs=FOUR_DECIMALS)
    for found in (as_allocated, adjusted):
        assert 0.68 <= round(found["value"], 2) <= 0.69
        assert found["high"] >= 0.995  # touches 1


def test_the_report_says_what_it_could_have_seen_before_it_says_what_it_saw(page):
    spans = page.select_one("#summary").select("[data-finding]")
    assert [span["data-finding"].rsplit(".", 1)[-1] for span in spans][:2] == ["detectable", "risk_difference"]


def test_every_generated_sentence_of_the_page_stands_word_for_word_in_the_findings(page, findings):
    for span in page.select("[data-finding]"):
        found = findings[span["data-finding"]]
        said = [found["sentence"], found["grade_sentence"], *found["can_say"], *found["cannot_say"]]
        assert span.get_text() in said
        assert span["data-tier"] == (found["tier"] or "T1")
    shown = {span.get_text() for span in page.select("[data-finding]")}
    assert {row["sentence"] for row in findings.values() if row["kind"] == "estimate"} <= shown


def test_plan_and_lock_stand_on_the_first_page_and_in_its_head(page):
    head = {meta["name"]: meta["content"] for meta in page.select("meta[name^=evalkit]")}
    lock = json.loads((Path(__file__).parents[1] / "params/suites/rossi.lock.json").read_text(encoding="utf-8"))
    assert head["evalkit-plan-lock"] == lock["hash"][:12]
    assert head["evalkit-plan-state"] == "locked"
    assert lock["hash"][:12] in page.select_one("#table-facts").get_text()


def test_the_flow_adds_up(findings):
    steps = {name.removeprefix("flow."): row["rows"][0] for name, row in findings.items() if name.startswith("flow.")}
    assert (
        steps["rows"]["total"] - steps["set_aside"]["total"] - steps["elsewhere"]["total"] == steps["referred"]["total"]
    )
    for side in ("programme", "comparison", "total"):
        assert steps["referred"][side] - steps["outside"][side] == steps["allocated"][side]
        assert steps["allocated"][side] - steps["lost"][side] == steps["analysed"][side]
    assert steps["analysed"]["total"] == 432


def test_what_is_delivered_keeps_its_published_schemas(demo, findings):
    schemas = Path(__file__).parents[1] / "data_contracts" / "outputs"
    for name, content in (
        ("findings", list(findings.values())),
        ("status", json.loads((demo.edition / "status.json").read_text())),
    ):
        jsonschema.validate(content, json.loads((schemas / f"{name}.schema.json").read_text(encoding="utf-8")))


def test_the_table_of_findings_of_the_edition_holds_those_of_its_study(demo, findings):
    with (demo.edition / "findings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == list(findings)
    assert list(rows[0])[:3] == ["programme", "area", "period"]


def test_the_index_is_printed_and_leads_to_the_report(demo):
    assert demo.process.stdout.strip().endswith("outputs/rossi/1976-12-31/public/index.html")
    index = BeautifulSoup((demo.edition / "index.html").read_text(encoding="utf-8"), "html.parser")
    assert (demo.edition / index.select_one('a[href$="report.html"]')["href"]).is_file()


def test_hashes_of_the_delivered_folder_hold(demo):
    subprocess.run(["sha256sum", "--check", "--quiet", "manifest-sha256.txt"], cwd=demo.study, check=True)
    listed = {line.split("  ")[1] for line in (demo.study / "manifest-sha256.txt").read_text().splitlines()}
    assert listed == {file.name for file in demo.study.iterdir()} - {"manifest-sha256.txt"}


def _text_of(file: Path) -> str:
    return re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", file.read_text(encoding="utf-8"))


def test_nothing_delivered_names_a_person_or_a_place_on_this_machine(demo):
    for file in (path for path in demo.edition.rglob("*") if path.is_file()):
        text = _text_of(file)
        assert not re.findall(r"\bR\d{3}\b", text), file.name
        assert str(demo.project.root) not in text
        assert "Traceback" not in text


def test_pictures_hold_nothing_but_the_picture(page):
    pictures = page.select("img")
    assert len(pictures) == 4
    for picture in pictures:
        data = base64.b64decode(picture["src"].split(",", 1)[1])
        assert set(_chunks(data)) <= {"IHDR", "PLTE", "IDAT", "IEND"}


def _chunks(data: bytes) -> list[str]:
    kinds, place = [], 8
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        kinds.append(kind.decode())
        place += length + 12
    return kinds


def test_the_page_is_light_and_asks_for_nothing(demo, page):
    assert len((demo.study / "report.html").read_bytes()) <= 300_000
    assert "://" not in _text_of(demo.study / "report.html")
    assert all(part["src"].startswith("data:") for part in page.select("[src]"))
    assert not page.select("script, link, iframe, object, [style*=url]")


def test_results_in_the_work_folder_are_for_their_owner_alone(demo):
    if os.name != "posix":
        pytest.skip("file modes are those of POSIX systems")
    results = list(demo.project.work.rglob("results.json"))
    assert results
    for path in demo.project.work.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_a_second_run_does_nothing_and_leaves_every_file_as_it_is(demo):
    def state() -> dict[str, tuple[int, int]]:
        files = (path for path in demo.study.rglob("*") if path.is_file())
        return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}

    before = state()
    again = demo.project.evalkit("run", "rossi", "--json")
    assert again.returncode == 0
    assert [row["status"] for row in json.loads(again.stdout)["reports"]] == ["up_to_date"]
    assert state() == before


def test_the_same_study_gives_the_same_bytes_wherever_and_whenever_it_is_run(demo, project):
    other = project.evalkit(
        "run", "rossi", "--workers", "1", "--out", str(project.root / "elsewhere"),
        TZ="Pacific/Auckland", PYTHONHASHSEED="77", LC_ALL="C", COLUMNS="40",
    )  # fmt: skip
    assert other.returncode == 0, other.stderr
    made = project.root / "elsewhere" / "rossi" / "1976-12-31" / "public"
    for file in (path for path in demo.edition.rglob("*") if path.is_file() and path.name != "status.json"):
        assert (made / file.relative_to(demo.edition)).read_bytes() == file.read_bytes(), file.name


def test_the_report_runs_by_hand_with_papermill_and_exports_with_nbconvert(project):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    by_hand = [sys.executable, "-m", "papermill", "notebooks/reports/evaluation.ipynb", "out.ipynb"]
    by_hand += ["-p", "study_file", "params/studies/rossi.yaml", "-k", "python3"]
    subprocess.run(by_hand, cwd=project.root, env=environment, check=True, capture_output=True)
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "evalkit", "out.ipynb"],
        cwd=project.root,
        env=environment,
        check=True,
        capture_output=True,
    )
    page = (project.root / "out.html").read_text(encoding="utf-8")
    assert "INTERNAL: not to be passed on" in page
    assert "lower by as many as 17 in a hundred, or no different" in page


def test_the_notebook_to_start_with_runs_as_it_stands(project):
    import nbformat
    import papermill

    papermill.execute_notebook(
        "notebooks/explore/start_here.ipynb",
        "seen.ipynb",
        kernel_name="python3",
        progress_bar=False,
        cwd=str(project.root),
    )
    shown = "".join(
        output.data.get("text/html", "")
        for cell in nbformat.read("seen.ipynb", as_version=4).cells
        for output in cell.get("outputs", ())
        if "data" in output
    )
    assert "without any programme" in shown
    assert "the analysis differs from the plan that was locked" in shown
    assert "grade 2 of 5" in shown
    assert "not planned in advance" in shown
