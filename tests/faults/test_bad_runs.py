"""Whatever goes wrong is said in words, takes nothing else along, and leaves nothing half-written."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.whole
CANARY = "R001"  # a person_id of the extract: it must never be seen outside the secure folder


def _plant(project, sources: dict[str, str]) -> None:
    """Short report notebooks as those of the suite, each with one more cell; the one called `good` has none."""
    names = [project.short_report("good"), *(project.short_report(name, source) for name, source in sources.items())]
    project.change("params/suites/rossi.yaml", notebooks=names)


def _edition(project, profile: str = "public") -> Path:
    return project.root / "outputs" / "rossi" / "1976-12-31" / profile


def _statuses(project, profile: str = "public") -> dict[str, dict[str, str]]:
    rows = json.loads((_edition(project, profile) / "status.json").read_text(encoding="utf-8"))
    return {row["notebook"]: row for row in rows}


def _nothing_half_written(project) -> None:
    left = [path for path in (project.root / "outputs").rglob("*") if path.name.startswith(".")]
    assert left == []


BROKEN = {
    "raises": ("raise ValueError('R001 did it')", "failed", "stopped with ValueError"),
    "shows_a_frame": ("people.people.head()", "refused", "a frame"),
    "prints": ("print(people.people.iloc[0, 0])", "refused", "a printed text"),
    "warns": ("import warnings; warnings.warn('R001')", "refused", "a warning or a log line"),
    "exits": ("import os; os._exit(7)", "failed", "its kernel died"),
    "refuses": ("Study.read('R001.yaml')", "refused", "there is no such file"),
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory, copied):
    """One run of a suite with a good report and one broken in each way."""
    project = copied(tmp_path_factory.mktemp("broken") / "project")
    _plant(project, {name: source for name, (source, _, _) in BROKEN.items()})
    return project, project.evalkit("run", "rossi", "--profile", "internal")


@pytest.mark.parametrize("name", BROKEN)
def test_a_report_that_fails_is_named_with_its_reason(broken, name):
    project, _ = broken
    _, status, words = BROKEN[name]
    found = _statuses(project, "internal")[name]
    assert (found["status"], words in found["reason"]) == (status, True), found
    assert not (_edition(project, "internal") / f"rossi-aid/all/trial/{name}.html").exists()


def test_the_good_report_beside_broken_ones_is_delivered_and_the_exit_code_says_that_not_all_are(broken):
    project, done = broken
    assert done.returncode == 1
    assert _statuses(project, "internal")["good"]["status"] == "done"
    assert (_edition(project, "internal") / "rossi-aid/all/trial/good.html").is_file()


def test_an_internal_edition_is_marked_and_for_its_owner_alone(broken):
    project, _ = broken
    edition = _edition(project, "internal")
    for page in (edition / "index.html", edition / "rossi-aid/all/trial/good.html"):
        assert "INTERNAL: not to be passed on" in page.read_text(encoding="utf-8")
        assert page.stat().st_mode & 0o077 == 0
    assert edition.stat().st_mode & 0o077 == 0


def test_nothing_about_broken_reports_shows_a_person_or_a_traceback(broken):
    project, done = broken
    delivered = [file.read_text(encoding="utf-8") for file in _edition(project, "internal").rglob("*.*")]
    for text in (done.stdout, done.stderr, *delivered):
        assert "did it" not in text
        assert "Traceback" not in text
        assert CANARY not in text.replace("R001.yaml", "")
    _nothing_half_written(project)


def test_rows_that_break_their_contract_are_told_and_cost_the_grade_and_a_file_that_does_takes_its_report_away(project):
    project.change("params/suites/rossi.yaml", notebooks=[project.short_report()])
    file = project.root / "tests/data/rossi/ready_cohort.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    broken = [line.replace("usual_care", "control") if number < 200 else line for number, line in enumerate(lines)]
    file.write_text("\n".join(broken) + "\n", encoding="utf-8")
    done = project.evalkit("run", "rossi")
    assert done.returncode == 1
    assert "rows were set aside, arm (code)" in done.stderr
    assert project.evalkit("run", "rossi").returncode == 1  # also when there is nothing left to do
    rows = json.loads((_edition(project) / "rossi-aid/all/trial/findings.json").read_text(encoding="utf-8"))
    [main] = [row for row in rows if row["planned"] == "primary"]
    assert (main["grade"], main["tier"]) == (2, "T1")
    _replace(project.root / "tests/data/rossi", "first_event_on", "first_evnt_on")
    assert project.evalkit("run", "rossi").returncode == 1
    assert not (_edition(project) / "rossi-aid/all/trial").exists()


def test_a_report_that_never_ends_is_stopped_with_everything_it_started(project):
    _plant(project, {"endless": "import time; time.sleep(600)"})
    before = set(psutil.pids())
    done = project.evalkit("run", "rossi", "--profile", "internal", "--minutes", "0.4")
    assert done.returncode == 1
    statuses = _statuses(project, "internal")
    assert statuses["endless"]["status"] == "killed"
    assert "took longer than 0.4 minutes and was stopped" in done.stderr
    assert statuses["good"]["status"] == "done"
    assert not _ours(set(psutil.pids()) - before, project)


def _ours(pids: set[int], project) -> list[str]:
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if process.environ().get("EVALKIT_WORK") == str(project.work):
                found.append(" ".join(process.cmdline()))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are stopped by the kernel on Linux alone")
def test_a_run_that_is_killed_leaves_no_process_and_the_next_one_finishes_it(project):
    project.change("params/suites/rossi.yaml", notebooks=[project.short_report()])
    environment = {**os.environ, "EVALKIT_WORK": str(project.work)}
    process = subprocess.Popen(
        [sys.executable, "-m", "evalkit", "run", "rossi"],
        cwd=project.root,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    executed = project.work / "editions/rossi/1976-12-31/public/executed/rossi-aid.all.trial.short.ipynb"
    _wait_until(executed.is_file)
    time.sleep(1.5)  # the kernel is starting
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    _wait_until(lambda: not _ours(set(psutil.pids()), project), seconds=6)
    assert not (_edition(project) / "rossi-aid/all/trial/short.html").exists()
    assert project.evalkit("run", "rossi").returncode == 0
    _nothing_half_written(project)


def _wait_until(there, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def test_a_second_run_beside_one_under_way_is_refused_in_words(project):
    environment = {**os.environ, "EVALKIT_WORK": str(project.work)}
    first = subprocess.Popen(
        [sys.executable, "-m", "evalkit", "run", "rossi", "--quiet"], cwd=project.root, env=environment
    )
    _wait_until((project.work / "stores").is_dir)
    second = project.evalkit("run", "rossi")
    first.terminate()
    first.wait()
    assert second.returncode == 1
    assert f"another run of this suite is under way (process {first.pid})" in second.stderr


def test_an_interrupted_run_keeps_what_it_has_and_says_so(project):
    environment = {**os.environ, "EVALKIT_WORK": str(project.work)}
    process = subprocess.Popen(
        [sys.executable, "-m", "evalkit", "run", "rossi"],
        cwd=project.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    _wait_until((project.work / "stores").is_dir)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Interrupted" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda data: (data / "ready_cohort.csv").unlink(), "ready_cohort"),
        (lambda data: (data / "ready_cohort.csv").write_bytes(b""), "empty"),
        (lambda data: _replace(data, "first_event_on", "first_evnt_on"), "first_event_on"),
    ],
)
def test_extracts_that_cannot_be_used_are_refused_in_words_and_the_index_says_so(project, break_it, words):
    break_it(project.root / "tests/data/rossi")
    done = project.evalkit("run", "rossi")
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert _statuses(project)["evaluation"]["status"] == "refused"
    assert "Refused" in (_edition(project) / "index.html").read_text(encoding="utf-8")
    _nothing_half_written(project)


def _replace(data: Path, old: str, new: str) -> None:
    file = data / "ready_cohort.csv"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_a_folder_of_extracts_that_is_not_there_is_said(project):
    project.change("params/suites/rossi.yaml", data="tests/data/rosi")
    done = project.evalkit("run", "rossi")
    assert done.returncode == 2
    assert "data: there is no folder 'tests/data/rosi' in the project's folder." in done.stderr


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"horizon_dayz": 3}, "Did you mean 'horizon_days'?"),
        ({"areas": ["nowhere"]}, "there is no area called 'nowhere'"),
        (
            {
                "funding_periods": [
                    {"name": "late", "label": "late", "first_day": "1990-01-01", "last_day": "1990-12-31"}
                ]
            },
            "after the last day of data",
        ),
    ],
)
def test_settings_that_cannot_be_used_end_with_2_and_write_nothing(project, settings, words):
    project.change("params/suites/rossi.yaml", **settings)
    done = project.evalkit("run", "rossi")
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert not (project.root / "outputs").exists()


def test_a_funding_period_that_nobody_belongs_to_is_refused_with_what_the_data_hold(project):
    project.change(
        "params/suites/rossi.yaml",
        funding_periods=[{"name": "other", "label": "other", "first_day": "1976-01-01", "last_day": "1976-06-30"}],
    )
    done = project.evalkit("run", "rossi")
    assert done.returncode == 1
    assert "none of the 432 admitted rows" in done.stderr
    assert "period trial" in done.stderr


def test_an_as_of_after_the_extract_is_refused(project):
    done = project.evalkit("run", "rossi", "--as-of", "1977-06-30")
    assert done.returncode == 1
    assert "the extract was taken on 1977-01-01" in done.stderr


@contextlib.contextmanager
def _mounted(folder: Path, options: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        if os.environ.get("CI"):
            raise
        pytest.skip("a small or read-only disk cannot be mounted here (it needs root on Linux)")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_read_only_folder_of_reports_is_said_before_anything_is_computed(project):
    with _mounted(project.root / "outputs", "ro"):
        done = project.evalkit("run", "rossi")
    assert done.returncode == 1
    assert "the folder of reports cannot be written: it is read-only. Choose another folder." in done.stderr
    assert not (project.work / "stores").exists()


def test_a_file_where_the_folder_of_reports_should_be_is_said(project):
    (project.root / "outputs").write_text("", encoding="utf-8")
    done = project.evalkit("run", "rossi")
    assert done.returncode == 1
    assert "the folder of reports cannot be written: part of its path is a file" in done.stderr


def test_a_full_disk_for_reports_is_said_and_leaves_nothing_half_written(project):
    project.change("params/suites/rossi.yaml", notebooks=[project.short_report()])
    with _mounted(project.root / "outputs", "size=40k"):
        done = project.evalkit("run", "rossi")
        left = [path.name for path in (project.root / "outputs").rglob("*") if path.is_file()]
    assert done.returncode == 1
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert "short.html" not in left
    assert not [name for name in left if name.startswith(".")]


def test_a_full_disk_for_the_work_folder_is_said(project):
    with _mounted(project.work, "size=16k"):
        done = project.evalkit("run", "rossi")
    assert done.returncode == 1
    assert "The disk may be full" in done.stderr
    assert "Traceback" not in done.stderr
