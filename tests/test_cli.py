"""The command line: help with an example, exit codes, nothing asked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import date

import pytest

from evalkit import cli
from evalkit.errors import StudyError


@pytest.mark.parametrize("command", ["run", "lock", "check", "admit", "synthesise", "score", "select", "lab"])
def test_every_command_has_help_with_an_example(project, command):
    done = project.evalkit(command, "--help")
    assert done.returncode == 0
    assert f"Example: evalkit {command}" in done.stdout


@pytest.mark.parametrize(
    ("quarter", "last"),
    [
        ("2026-27-Q1", date(2026, 6, 30)),
        ("2026-27-Q2", date(2026, 9, 30)),
        ("2026-27-Q3", date(2026, 12, 31)),
        ("2026-27-Q4", date(2027, 3, 31)),
        ("2099-00-Q4", date(2100, 3, 31)),
    ],
)
def test_a_quarter_is_one_of_the_financial_year_and_means_its_last_day(quarter, last):
    assert cli._end_of_quarter(quarter) == last


@pytest.mark.parametrize("quarter", ["2026-Q2", "2026-28-Q1", "2026-27-Q5", "q2"])
def test_what_is_no_quarter_is_refused(quarter):
    with pytest.raises(StudyError, match="write it as 2026-27-Q2"):
        cli._end_of_quarter(quarter)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("run", "rosi"), 2),
        (("run",), 2),
        (("run", "rossi", "--profile", "everybody"), 2),
        (("run", "rossi", "--as-of", "yesterday"), 2),
        (("run", "rossi", "--areas", "nowhere"), 2),
        (("run", "rossi", "--periods", "trail"), 2),
        (("run", "rossi", "--as-of", "1976-12-30", "--quarter", "2026-27-Q2"), 2),
        (("lock", "rosi"), 2),
        (("check", "nowhere"), 2),
        (("check", "tests/data/rossi", "--faults", "requirements.lock"), 2),
        (("admit", "tests/data/rossi", "tests/data/rossi/ready_cohort.csv"), 2),
        (("admit", "nowhere", "store.duckdb"), 2),
        (("nonsense",), 2),
    ],
)
def test_unusable_arguments_end_with_their_exit_code_and_no_traceback(project, arguments, code):
    done = project.evalkit(*arguments)
    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert not (project.root / "outputs").exists()


def test_lock_prints_the_hash_and_says_what_was_locked_otherwise(project):
    before = json.loads((project.root / "params/suites/rossi.lock.json").read_text(encoding="utf-8"))
    same = project.evalkit("lock", "rossi")
    assert (same.returncode, same.stdout.strip()) == (0, before["hash"])
    project.change("params/suites/rossi.yaml", horizon_days=182)
    changed = project.evalkit("lock", "rossi", "--json")
    assert json.loads(changed.stdout)["hash"] != before["hash"]
    assert "Was locked otherwise: horizon_days (364 before, 182 now)." in changed.stderr


def test_check_of_a_clean_extract_ends_with_0_and_one_with_a_fault_with_1(project):
    assert project.evalkit("check", "tests/data/rossi").returncode == 0
    file = project.root / "tests/data/rossi/ready_cohort.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text(
        "\n".join([lines[0], lines[1].replace("1976-01-01", "1976-31-31"), *lines[2:]]) + "\n", encoding="utf-8"
    )
    done = project.evalkit("check", "tests/data/rossi", "--faults", "faults.csv")
    assert done.returncode == 1
    assert "1976-31-31" not in done.stdout + done.stderr
    assert "1976-31-31" in (project.root / "faults.csv").read_text(encoding="utf-8")


@pytest.mark.whole
def test_the_lab_opens_at_the_notebook_to_start_with_for_this_machine_alone(project):
    environment = {**os.environ, "JUPYTER_RUNTIME_DIR": str(project.root / "runtime")}
    command = [sys.executable, "-m", "evalkit", "lab", "--no-browser", "--port", "0"]
    process = subprocess.Popen(command, cwd=project.root, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        said = next(line for line in process.stderr if "?token=" in line)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    assert re.search(r"http://(127\.0\.0\.1|localhost):\d+/lab/tree/notebooks/explore/start_here\.ipynb\?token=", said)
