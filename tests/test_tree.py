"""The project stands alone: nothing in it points outside it, and everything has its place."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
import subprocess
from pathlib import Path

import pytest

from evalkit import figures

ROOT = Path(__file__).parents[1]
TOP = {
    ".ci", ".gitignore", "CHANGELOG.md", "README.md", "data_contracts", "docs", "evalkit", "notebooks", "outputs",
    "params", "pyproject.toml", "requirements.lock", "run.py", "tests",
}  # fmt: skip
OUTSIDE = re.compile(
    r"(?<![\w.])/(?:home|root|work|Users|tmp|mnt|opt)/"  # a path of one machine
    r"|\b[A-Z]:\\\\?Users"
    r"|(?:\.\./){2,}(?!\.\.)\w+/\w"  # out of the tree: no folder of ours lies two levels below another's reach
    r"|\.\./sha" r"red"
    r"|index-" r"url"
)  # fmt: skip
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".ipynb", ".csv", ".lock", ".j2", ".css", ".html", ""}


def _tracked() -> list[Path]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(
            "this copy of the project is not under version control, so its own files cannot be told from others"
        )
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def test_the_top_of_the_tree_holds_what_the_readme_describes_and_nothing_else():
    assert {path.relative_to(ROOT).parts[0] for path in _tracked()} == TOP


def test_no_file_points_outside_the_project():
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _tracked()
        if path.suffix in TEXT and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if OUTSIDE.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "see ../../other/place",
        "".join(("cd /ho", "me/ann/x")),
        r"C:\\Users\ann",
        "".join(("../sha", "red/x")),
        "".join(("--index-", "url x")),
    ],
)
def test_a_pointer_to_the_outside_is_seen(line):
    assert OUTSIDE.search(line)


def test_the_lock_file_pins_every_package_with_hashes_and_names_no_address():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    pins = re.findall(r"^([a-zA-Z0-9._-]+(?:\[.*?\])?)==[^\s;]+", text, flags=re.M)
    assert len(pins) > 100
    entries = re.split(r"^(?=[a-zA-Z0-9])", text, flags=re.M)
    assert [entry.split("==")[0] for entry in entries if "==" in entry and "--hash=sha256:" not in entry] == []
    assert re.search(r"^lifelines==0\.30\.[3-9]", text, flags=re.M)
    assert re.search(r"^pandas==2\.", text, flags=re.M)


def test_no_module_is_called_by_a_name_that_says_nothing():
    assert not {path.stem for path in (ROOT / "evalkit").rglob("*.py")} & {"utils", "helpers", "common", "misc", "base"}


def test_the_two_colours_are_those_of_the_published_palette():
    with (ROOT / "data_contracts" / "reference" / "af_palettes.csv").open(encoding="utf-8") as file:
        duo = [row["hex"] for row in csv.DictReader(file) if row["palette"] == "duo"]
    assert list(figures.COLOUR.values()) == duo


def test_the_published_schema_of_findings_names_every_unit_and_measure_of_the_code():
    from evalkit.results import NULL_VALUE, UNIT

    schema = json.loads((ROOT / "data_contracts" / "outputs" / "findings.schema.json").read_text(encoding="utf-8"))
    properties = schema["items"]["properties"]
    assert set(NULL_VALUE) | {None} == set(properties["measure"]["enum"])
    assert set(UNIT.values()) <= set(properties["unit"]["enum"])


def test_importing_evalkit_imports_nothing_heavy():
    import sys

    heavy = {"pandas", "matplotlib", "duckdb", "pydantic", "lifelines"}
    code = f"import sys, evalkit; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(("codes", "begun", "code"), [((0, 1), 2, 1), ((1, 0), 2, 1), ((130, 0), 1, 130)])
def test_the_demo_ends_where_it_is_interrupted_and_tells_the_worst_of_its_suites(codes, begun, code, monkeypatch):
    spec = importlib.util.spec_from_file_location("run", ROOT / "run.py")
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    monkeypatch.chdir(ROOT)
    called = []
    monkeypatch.setattr(run, "_evalkit", lambda *words: called.append(words) or codes[len(called) - 1])
    assert run._hand_over("demo", "--quiet") == code
    assert called == [(*part, "--quiet") for part in run.DEMO[:begun]]
