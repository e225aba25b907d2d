"""An executed notebook as one page, and the refusal of whatever was not released."""

import base64
import dataclasses
import importlib
import json
import os
import random
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from markupsafe import Markup

from evalkit import export
from evalkit.errors import NotReleasable
from evalkit.export import IndexRow

ROOT = Path(__file__).parents[1]
TABLE, DRAWING = "application/vnd.evalkit.table+json", "application/vnd.evalkit.drawing+json"
COVER = {
    "name": "cover",
    "kind": "cover",
    "title": "Evaluation report: Northshire, 2021",
    "heading": "Did it differ <here>?",
    "subtitle": "People selected in 2021",
    "meta": {"plan-lock": "2021-09-20", "plan-fingerprint": "5f1d0c6b"},
    "profile": "internal",
    "watermarks": ["SYNTHETIC", 'INTERNAL: "not" to be </style> passed on'],
    "protection": "standard",
}
GRID = """<div class="ek-table" id="table-flow"><div class="ek-scroll" role="region" tabindex="0"
aria-labelledby="caption-flow"><table><caption id="caption-flow">Flow</caption><thead><tr><th scope="col">Step</th>
<th scope="col">People</th></tr></thead><tbody><tr><th scope="row">Followed</th><td class="ek-number">190</td></tr>
</tbody></table></div></div>"""


def _notebook(*cells, **metadata):
    return nbformat.v4.new_notebook(cells=list(cells), metadata=metadata)


def _text(source):
    return nbformat.v4.new_markdown_cell(source)


def _code(*outputs, source="show()"):
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), execution_count=3)


def _displayed(data, kind="display_data"):
    return nbformat.v4.new_output(kind, data=data, **({"execution_count": 3} if kind == "execute_result" else {}))


def _shown(payload, html, media=TABLE, kind="display_data"):
    return _displayed({media: payload, "text/html": html, "text/plain": "<evalkit object>"}, kind)


def _cover():
    return _code(_shown(COVER, "<p>Under the heading.</p>"))


def _flow():
    return _code(_shown({"name": "flow", "kind": "table"}, GRID, kind="execute_result"))


def _drawing(name, size):
    picture = base64.b64encode(random.Random(name).randbytes(size)).decode()
    html = f'<figure id="drawing-{name}"><img src="data:image/png;base64,{picture}" alt="Two curves"></figure>'
    return _code(_shown({"name": name}, html, DRAWING))


def _read(*cells):
    return BeautifulSoup(export.page(_notebook(*cells)), "html.parser")


def _texts(soup, selector):
    return [tag.get_text(" ", strip=True) for tag in soup.select(selector)]


LOOSE = "a released result that is not in a table or a figure"
UNRELEASED = [
    (nbformat.v4.new_output("stream", name="stdout", text="SECRET"), "a printed text"),
    (nbformat.v4.new_output("stream", name="stderr", text="SECRET"), "a warning or a log line"),
    (nbformat.v4.new_output("error", ename="SECRET", evalue="SECRET", traceback=["SECRET"]), "an error"),
    (_displayed({"text/html": "<table>SECRET</table>", "text/plain": "SECRET"}, "execute_result"), "a frame"),
    (_displayed({"text/html": "<b>SECRET</b>"}), "a piece of HTML"),
    (_displayed({"image/png": "U0VDUkVU", "text/plain": "<Figure>"}), "a stray figure"),
    (_displayed({"text/plain": "SECRET"}, "execute_result"), "a value"),
    (_displayed({"application/json": {"a": "SECRET"}}), "an object"),
    (_displayed({"application/vnd.evalkit.finding+json": {"id": "SECRET"}, "text/plain": "SECRET"}), LOOSE),
    (_displayed({TABLE: {"name": "a"}, DRAWING: {"name": "a"}, "text/html": "SECRET"}), LOOSE),
]


@pytest.mark.parametrize(("output", "kind"), UNRELEASED)
def test_an_output_that_was_not_released_is_refused_by_its_cell_and_kind_alone(output, kind):
    notebook = _notebook(_text("Words"), _code(), _code(output), _flow())
    with pytest.raises(NotReleasable) as refused:
        export.page(notebook)
    lines = str(refused.value).splitlines()
    assert lines[0] == "the notebook shows 1 thing that was not released:"
    assert lines[1].split(maxsplit=3) == ["code", "cell", "2", kind]
    assert "SECRET" not in str(refused.value)


def test_every_output_that_was_not_released_is_named_at_once():
    pasted = nbformat.v4.new_markdown_cell("![x](attachment:x.png)", attachments={"x.png": {"image/png": "AA=="}})
    with pytest.raises(NotReleasable) as refused:
        export.refuse_unreleased(_notebook(pasted, *(_code(output) for output, _ in UNRELEASED)))
    told = str(refused.value)
    assert told.startswith(f"the notebook shows {len(UNRELEASED) + 1} things that were not released:")
    assert all(kind in told for _, kind in UNRELEASED)
    assert "text cell 1   a pasted picture" in told


def test_what_is_shown_is_known_by_kind_and_name_and_what_was_declared_and_is_not_is_missing():
    declared = {"must_show": ["table:flow", "drawing:curve", "drawing:balance", "table:gone"]}
    notebook = _notebook(_code(), _cover(), _flow(), _drawing("balance", 10), evalkit=declared)
    export.refuse_unreleased(notebook)
    assert export.shown(notebook) == {"cover:cover", "table:flow", "drawing:balance"}
    assert export.missing(notebook) == ("drawing:curve", "table:gone")
    assert export.missing(_notebook(_flow())) == ()


def test_the_cover_gives_the_title_the_heading_the_meta_data_and_the_watermarks():
    soup = _read(_text("# A name for Lab\n\nWords."), _cover(), _flow())
    assert soup.title.string == "Evaluation report: Northshire, 2021"
    assert _texts(soup, "h1") == ["Did it differ <here>?"]
    assert _texts(soup, ".ek-cover p") == ["People selected in 2021", "Under the heading."]
    assert {tag["name"]: tag["content"] for tag in soup.select('meta[name^="evalkit-"]')} == {
        "evalkit-profile": "internal",
        "evalkit-protection": "standard",
        "evalkit-plan-fingerprint": "5f1d0c6b",
        "evalkit-plan-lock": "2021-09-20",
    }
    assert _texts(soup, "header .ek-watermark") == _texts(soup, "footer .ek-watermark") == COVER["watermarks"]
    assert _texts(soup, "footer dt") == ["Plan fingerprint", "Plan lock"]
    assert "A name for Lab" not in soup.get_text()


def test_the_first_heading_of_a_notebook_without_cover_is_that_of_the_page():
    soup = _read(_text("Words first.\n\n## My exploration\n\n#### Deep"), _flow())
    assert soup.title.string == "My exploration"
    assert _texts(soup, "h1") == ["My exploration"]
    assert _texts(soup, "main h2") == ["Deep"]
    assert _read(_flow()).title.string == "Evaluation report"


def test_headings_never_skip_a_level_and_the_contents_list_leads_to_each():
    soup = _read(_cover(), _text("#### Jump\n\n# One\n\n#### T*wo* and?\n\n##### Three\n\n## One\n\n## Ünï?"), _flow())
    found = [(tag.name, tag.get_text()) for tag in soup.select("main .ek-width > :is(h2, h3, h4)")]
    assert found == [("h2", "Jump"), ("h2", "One"), ("h3", "Two and?"), ("h4", "Three"), ("h2", "One"), ("h2", "Ünï?")]
    assert _texts(soup, "nav a") == ["Jump", "One", "Two and?", "One", "Ünï?"]
    targets = [link["href"][1:] for link in soup.select("nav a")]
    assert [soup.find(id=target).get_text() for target in targets] == ["Jump", "One", "Two and?", "One", "Ünï?"]
    assert len(set(targets)) == 5
    assert "¶" not in soup.get_text()


def test_an_id_that_the_notebook_gave_is_kept_and_never_given_again():
    soup = _read(_cover(), _text('<p id="section-flow">x</p>\n\n## Flow\n\n<h2 id="mine">Mine</h2>'))
    assert [tag["id"] for tag in soup.select("main .ek-width > h2")] == ["section-flow-2", "mine"]


def test_a_page_holds_no_code_no_script_no_request_and_no_trace_of_the_run():
    parameters = {"papermill": {"parameters": {"study_file": "/srv/a/x.yaml"}, "output_path": "/srv/a/out.ipynb"}}
    cell = _code(source="study_file = '/srv/a/x.yaml'")
    cell.metadata = {"execution": {"iopub.execute_input": "2026-01-01T00:00:00Z"}, "tags": ["injected-parameters"]}
    raw = nbformat.v4.new_raw_cell("<b>in the raw</b>")
    page = export.page(_notebook(cell, raw, _cover(), _text("Words<!-- a note -->"), _flow(), **parameters))
    for trace in ("/srv/a", "study_file", "iopub", "2026-01-01", cell.id, "injected", "in the raw", "a note", "show()"):
        assert trace not in page
    for trace in ("<script", "http://", "https://", "//cdn", "mathjax", "require", "url(", "@import", "<link"):
        assert trace not in page.lower()
    assert BeautifulSoup(page, "html.parser").head.find(True)["http-equiv"] == "Content-Security-Policy"


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>",
        '<meta http-equiv="refresh" content="0;url=https://x.example">',
        "<p onclick='go()'>x</p>",
        "<img src='https://x.example/a.png' alt='Two curves'>",
        "<iframe srcdoc='x'></iframe>",
        "<style>p { background: url(a.png) }</style>",
        "<a href='javascript:go()'>x</a>",
    ],
)
def test_markup_that_could_act_is_refused_in_text_and_in_the_cover(markup):
    for notebook in (_notebook(_cover(), _text(markup)), _notebook(_code(_shown(COVER, markup)))):
        with pytest.raises(NotReleasable, match="the page holds markup that no report may hold"):
            export.page(notebook)


def test_markup_left_open_in_a_text_cell_stays_in_its_place():
    soup = _read(_cover(), _text("</main></body><div><b>open"), _flow())
    assert soup.select_one("main #table-flow")
    assert soup.body.find_all(recursive=False)[-1].name == "footer"


def test_money_and_bare_addresses_stay_plain_text():
    soup = _read(_cover(), _text("Between $5 and $6, see https://x.example/a."))
    assert "Between $5 and $6, see https://x.example/a." in _texts(soup, "main p")
    assert not soup.select('a[href^="http"]')


def test_equal_notebooks_make_equal_bytes_also_after_being_written_and_read():
    notebook = _notebook(_cover(), _text("## Flow"), _flow(), _drawing("balance", 100))
    before = nbformat.writes(notebook)
    page = export.page(notebook)
    assert nbformat.writes(notebook) == before
    assert export.page(nbformat.reads(before, as_version=4)) == page


def test_a_page_is_light():
    bare = export.page(_notebook(_cover(), _text("## Flow"), _flow()))
    assert len(bare.encode()) < 20_000
    figures = [_drawing(name, 45_000) for name in "abcd"]  # 60 kB each once written in letters
    assert 240_000 < len(export.page(_notebook(_cover(), _flow(), *figures)).encode()) < 300_000


def test_the_exporter_is_offered_by_its_entry_point():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, name = project["entry-points"]["nbconvert.exporters"]["evalkit"].split(":")
    exporter = getattr(importlib.import_module(module), name)
    assert exporter is export.ReportExporter
    assert exporter.export_from_notebook == "evaluation report (HTML)"
    assert (exporter().file_extension, exporter().output_mimetype) == (".html", "text/html")


def test_jupyter_nbconvert_makes_the_same_page_from_any_folder(tmp_path):
    notebook = _notebook(_cover(), _text("## Flow"), _flow())
    nbformat.write(notebook, tmp_path / "any name.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", "evalkit.export.ReportExporter", "any name.ipynb"]
    found = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=found)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "any name.html").read_text(encoding="utf-8") == export.page(notebook)


def test_importing_the_gate_does_not_import_nbconvert():
    probe = "import sys, evalkit.export; print([m for m in ('nbconvert', 'nbformat', 'bs4') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


ROW = IndexRow(
    programme="Together",
    area="Northshire",
    period="2021 to 2022",
    notebook="data_quality",
    status="Report ready",
    headline='<span data-finding="a" data-tier="T2">More people would be needed to tell.</span>',
    link="together/northshire/2021/report.html",
)


def _index(*rows, **changes):
    asked = {"title": "T", "heading": "H", "intro": "I & J", "notes": ["N < 5"], "profile": "public", "watermarks": []}
    return BeautifulSoup(export.index_page(rows=rows, **{**asked, **changes}), "html.parser")


def test_the_index_shows_every_report_with_status_sentence_and_link():
    failed = dataclasses.replace(
        ROW, area="Southshire", status="Failed", headline="", reason="No <extract>.", link=None
    )
    silent = dataclasses.replace(ROW, headline="", notebook="cohort")
    soup = _index(ROW, silent, failed, dataclasses.replace(ROW, programme="Apart"))
    told = "More people would be needed to tell."
    assert [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in soup.select("tbody tr")] == [
        ["Northshire", "2021 to 2022", "Data quality: Together, Northshire, 2021 to 2022", "Report ready", told],
        ["2021 to 2022", "Cohort: Together, Northshire, 2021 to 2022", "Report ready", "No headline in this report"],
        ["Southshire", "2021 to 2022", "Data quality", "Failed", "No <extract>."],
        ["Northshire", "2021 to 2022", "Data quality: Apart, Northshire, 2021 to 2022", "Report ready", told],
    ]
    assert _texts(soup, "h1, main h2") == ["H", "Together", "Apart", "Notes"]
    assert soup.select_one("td span[data-finding=a]")["data-tier"] == "T2"
    assert {link["href"] for link in soup.select("main a")} == {
        "findings.csv", "#programme-1", "#programme-2", "#notes", "together/northshire/2021/report.html",
    }  # fmt: skip


def test_texts_of_the_index_are_escaped_unless_they_are_markup_already():
    soup = _index(ROW, intro="<b>bold</b>", notes=[Markup("<span data-setting>95%</span> intervals")])
    assert not soup.select("b")
    assert soup.select_one("li [data-setting]").get_text() == "95%"


def test_the_index_passes_the_gate():
    html = export.index_page(
        title="T", heading="H", intro="I", rows=[ROW], notes=["N"], profile="internal", watermarks=["INTERNAL"]
    )
    assert export.lint(html, kind="index", files={"findings.csv", ROW.link}) == ()
    assert export.lint(html, kind="index") != ()


def test_a_report_notebook_with_logic_of_its_own_is_refused_cell_by_cell_without_being_run(tmp_path):
    from evalkit.export import refuse_logic

    sources = [
        "study_file = 'x'",
        "from evalkit import tables",
        "import os",
        "tables.Table(name='x', html='<p>' + 'y')",
    ]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "made_up.ipynb")
    with pytest.raises(NotReleasable) as refusal:
        refuse_logic(tmp_path / "made_up.ipynb")
    lines = str(refusal.value).splitlines()
    assert lines[1].split(maxsplit=3)[2:] == ["3", "imports something else than evalkit"]
    assert lines[2].split(maxsplit=3)[2:] == ["4", "reckons something"]
