"""What the tests share: a project of their own to change, and the demo run once."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import nbformat
import pytest
import yaml
from hypothesis import settings

ROOT = Path(__file__).parents[1]
PARTS = ("params", "data_contracts", "notebooks", "tests/data")

_Made = TypeVar("_Made")

settings.register_profile("evalkit", deadline=None, derandomize=True)
settings.load_profile("evalkit")


@dataclass(frozen=True)
class Project:
    """A copy of the project's own files, for a test to change and run."""

    root: Path

    def change(self, file: str, **settings: object) -> None:
        """Set some settings of a YAML file; a value of None takes the setting out."""
        path = self.root / file
        content = yaml.safe_load(path.read_text(encoding="utf-8")) | settings
        kept = {name: value for name, value in content.items() if value is not None}
        path.write_text(yaml.safe_dump(kept, sort_keys=False), encoding="utf-8")

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that must be there."""
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def short_report(self, name: str = "short", *cells: str) -> str:
        """A report notebook that goes through all steps and shows little, with more cells at its end; its name."""
        steps = (
            "from evalkit import Store, Study, cohort, matching, release, tables\n"
            "from evalkit.outcomes import reoffending\n\n"
            "study = Study.read(study_file)\n"
            "tables.cover(study)",
            "store = Store.open(study)\n"
            "people = cohort.build(store, study)\n"
            "compared = matching.match(people, study)\n"
            "findings = release(reoffending.estimate(compared, store, study), study)\n"
            "tables.summary(findings)",
        )
        parameters = nbformat.v4.new_code_cell('study_file = "params/studies/demo.yaml"')
        parameters.metadata["tags"] = ["parameters"]
        heading = nbformat.v4.new_markdown_cell("## In brief")
        code = [nbformat.v4.new_code_cell(source) for source in (*steps, *cells)]
        told = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        content = nbformat.v4.new_notebook(cells=[parameters, code[0], heading, *code[1:]], metadata=told)
        nbformat.write(content, self.root / f"notebooks/reports/{name}.ipynb")
        return name

    def evalkit(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the command in this project."""
        environment = {**os.environ, "EVALKIT_WORK": str(self.work), "PYTHONPATH": str(ROOT), **more}
        return subprocess.run(
            [sys.executable, "-m", "evalkit", *arguments],
            cwd=self.root, env=environment, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip

    @property
    def work(self) -> Path:
        """Its secure work folder."""
        return self.root / ".evalkit"


@pytest.fixture(scope="session")
def copied() -> Callable[[Path], Project]:
    """Copies the project's own files to a folder."""
    return _copied


def _copied(folder: Path) -> Project:
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy(ROOT / "requirements.lock", folder)
    return Project(root=folder)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project of the test's own, with a work folder of its own; the current folder is in it."""
    made = _copied(tmp_path / "project")
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("EVALKIT_WORK", str(made.work))
    return made


def _once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Project], _Made]) -> _Made:
    """What `make` does to a project of this name, done by one test process and read by every other."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    kept = folder / "made.pickle"
    try:
        folder.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + 400
        while not kept.is_file():
            assert time.monotonic() < deadline, f"{name}: the process that makes it did not finish"
            assert not (folder / "failed").exists(), f"{name}: could not be made, as another process says"
            time.sleep(0.5)
        found: _Made = pickle.loads(kept.read_bytes())
        return found
    try:
        made = make(_copied(folder / "project"))
    except BaseException:
        (folder / "failed").touch()
        raise
    draft = kept.with_suffix(".draft")
    draft.write_bytes(pickle.dumps(made))
    draft.rename(kept)
    return made


@dataclass(frozen=True)
class DemoRun:
    """The demo, run once for all tests that only look at it."""

    project: Project
    edition: Path
    process: subprocess.CompletedProcess[str]

    @property
    def study(self) -> Path:
        """The folder of its one study."""
        return self.edition / "rossi-aid" / "all" / "trial"


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """`evalkit run rossi` in a project of its own."""
    return _once(tmp_path_factory, "rossi", _rossi_made)


def _rossi_made(made: Project) -> DemoRun:
    process = made.evalkit("run", "rossi")
    assert process.returncode == 0, process.stderr
    return DemoRun(project=made, edition=made.root / "outputs" / "rossi" / "1976-12-31" / "public", process=process)


@pytest.fixture(scope="session")
def rossi_run(demo: DemoRun) -> Path:
    """The public folder of the demo."""
    return demo.edition


@dataclass(frozen=True)
class TaskingRun:
    """A suite of tasking on made-up records, run once: two areas, one of them small, in which nothing works."""

    project: Project
    edition: Path
    process: subprocess.CompletedProcess[str]

    def folder(self, area: str) -> Path:
        """The folder of one study."""
        return self.edition / "matac" / area / "2022-23"


@pytest.fixture(scope="session")
def tasking_run(tmp_path_factory: pytest.TempPathFactory) -> TaskingRun:
    """`evalkit run demo` with a small and a middling area, and two chapters."""
    return _once(tmp_path_factory, "tasking", _tasking_made)


def _tasking_made(made: Project) -> TaskingRun:
    suite = yaml.safe_load((made.root / "params/suites/demo.yaml").read_text(encoding="utf-8"))
    areas = {"ashmere": {"selected_a_year": 7}, "dunmoor": {"selected_a_year": 96}}
    world = suite["data"]["synthetic"] | {"areas": areas, "enrolment_months": 12, "follow_up_months": 14}
    made.change(
        "params/suites/demo.yaml",
        areas=list(areas), data={"synthetic": world}, as_of="2024-05-31", notebooks=["evaluation", "reoffending"],
    )  # fmt: skip
    assert made.evalkit("lock", "demo").returncode == 0
    process = made.evalkit("run", "demo")
    assert process.returncode == 0, process.stderr
    return TaskingRun(project=made, edition=made.root / "outputs/demo/2024-05-31/public", process=process)
