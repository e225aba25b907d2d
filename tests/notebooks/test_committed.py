"""Notebooks as they are committed: without output, without logic, with one parameter."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest

from evalkit.export import logic_in

ROOT = Path(__file__).parents[2]
REPORTS = sorted((ROOT / "notebooks" / "reports").glob("*.ipynb"))
EXPLORE = sorted((ROOT / "notebooks" / "explore").glob("*.ipynb"))
SHOWN = re.compile(r"^(?P<module>tables|figures)\.(?P<what>\w+)\(")


def _code(notebook: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]


def test_there_are_notebooks_to_check():
    assert {"abuse_types", "cohort", "evaluation", "reoffending", "score_decline"} <= {path.stem for path in REPORTS}
    assert "start_here" in [path.stem for path in EXPLORE]


@pytest.mark.parametrize("notebook", [*REPORTS, *EXPLORE], ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_output_and_is_valid(notebook):
    content = nbformat.read(notebook, as_version=4)
    nbformat.validate(content)
    code = [cell for cell in content.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


@pytest.mark.parametrize("notebook", [*REPORTS, *EXPLORE], ids=lambda path: path.stem)
def test_one_cell_is_tagged_parameters_and_it_holds_the_study_file_alone(notebook):
    tagged = [
        cell.source
        for cell in nbformat.read(notebook, as_version=4).cells
        if "parameters" in cell.metadata.get("tags", ())
    ]
    assert tagged == ['study_file = "params/studies/demo.yaml"']


@pytest.mark.parametrize("notebook", [*REPORTS, *EXPLORE], ids=lambda path: path.stem)
def test_a_notebook_names_no_absolute_path(notebook):
    assert not re.findall(r"""["'](?:/|[A-Za-z]:[\\/])""", "\n".join(_code(notebook)))


@pytest.mark.parametrize("notebook", REPORTS, ids=lambda path: path.stem)
def test_a_report_notebook_has_no_logic_and_few_short_cells(notebook):
    code = _code(notebook)
    assert [found for source in code for found in logic_in(source)] == []
    most = 20 if notebook.stem == "evaluation" else 15  # it tells of all three strands
    assert 6 <= len(code) <= most
    assert max(len(source.splitlines()) for source in code) <= 8


@pytest.mark.parametrize("notebook", REPORTS, ids=lambda path: path.stem)
def test_a_report_notebook_must_show_everything_that_it_asks_for_and_nothing_else(notebook):
    declared = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]["evalkit"]["must_show"]
    asked = [found for source in _code(notebook) if (found := SHOWN.search(source.splitlines()[-1]))]
    assert {"cover:cover", "table:made"} <= set(declared)
    assert len(declared) == len(set(declared)) == len(asked)
    assert {f"drawing:{found['what']}" for found in asked if found["module"] == "figures"} == {
        name for name in declared if name.startswith("drawing:")
    }


def test_the_report_for_commissioners_answers_before_it_explains():
    declared = json.loads((ROOT / "notebooks/reports/evaluation.ipynb").read_text(encoding="utf-8"))["metadata"][
        "evalkit"
    ]
    assert declared["must_show"][:3] == ["cover:cover", "sentences:summary", "sentences:can-say"]
    assert {"table:question", "drawing:expectation", "table:naive", "drawing:flow", "drawing:balance"} <= set(
        declared["must_show"]
    )


@pytest.mark.parametrize("notebook", [*REPORTS, *EXPLORE], ids=lambda path: path.stem)
def test_cells_are_named_by_their_place(notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    assert [cell.id for cell in cells] == [f"cell-{place:02d}" for place in range(len(cells))]


@pytest.mark.parametrize(
    "source",
    [
        "x = 1 + 1",
        "y = [a for a in b]",
        "if a: b",
        "def f(): pass",
        "a < b",
        "lambda: 1",
        "x += 1",
        "f'{a}'",
        "{'a': 1}",
        "import os",
        "from os import path",
        "__import__('os')",
        "display(x)",
    ],
)
def test_logic_in_a_cell_is_seen(source):
    assert logic_in(source)
