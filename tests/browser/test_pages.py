"""Every page as a reader meets it: in a browser, on a wide and a narrow screen and on paper."""

import pytest

from evalkit import export
from evalkit.export import IndexRow

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def report_file(made_up_report, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(export.page(made_up_report), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def index_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("suite") / "index.html"
    path.write_text(_index(), encoding="utf-8")
    return path


def test_a_report_with_every_kind_of_element_passes_the_accessibility_engine(audit, report_file):
    assert audit(report_file) == []


def test_an_index_passes_the_accessibility_engine(audit, index_file):
    assert audit(index_file) == []


def test_the_made_up_pages_pass_the_gate(report_file, index_file):
    assert export.lint(report_file.read_text(encoding="utf-8")) == ()
    files = {"findings.csv", "together/northshire/2021/report.html"}
    assert export.lint(index_file.read_text(encoding="utf-8"), kind="index", files=files) == ()


def test_every_page_of_the_rossi_suite_passes_the_accessibility_engine(audit, rossi_run):
    pages = sorted(rossi_run.rglob("*.html"))
    assert rossi_run / "index.html" in pages
    assert len(pages) > 1
    assert [found for page in pages for found in audit(page)] == []


def test_the_pages_of_a_tasking_suite_pass_the_accessibility_engine(audit, tasking_run):
    pages = sorted(tasking_run.edition.rglob("*.html"))
    assert len(pages) == 5
    assert [found for page in pages for found in audit(page)] == []


@pytest.mark.parametrize("name", ["compared", "few"])
def test_a_page_of_abuse_and_scores_passes_the_accessibility_engine_whatever_was_withheld(
    audit, strand_report, tmp_path, name
):
    path = tmp_path / "report.html"
    path.write_text(export.page(strand_report(name)), encoding="utf-8")
    assert audit(path) == []


def test_the_audit_tells_what_is_wrong_with_a_spoiled_page(audit, report_file, tmp_path):
    spoiled = """<p style="color:#ccc">Too pale to read.</p><div style="width:2000px">Too wide for a telephone.</div>
    <img src="data:image/gif;base64,R0lGODlhAQABAAAAACw="><script>alert(1)</script><h5>Skipped</h5></main>"""
    page = tmp_path / "spoiled.html"
    page.write_text(report_file.read_text(encoding="utf-8").replace("</main>", spoiled), encoding="utf-8")
    told = "\n".join(audit(page))
    for problem in ("color-contrast", "pixels wide", "image-alt", "Content Security Policy", "heading-order"):
        assert problem in told


def test_a_printed_report_shows_the_tables_beside_the_figures(browser, report_file):
    page = browser.new_page()
    page.goto(report_file.as_uri())
    cell = page.locator("details td").first
    assert not cell.is_visible()
    page.emulate_media(media="print")
    assert cell.evaluate("cell => cell.checkVisibility({contentVisibilityAuto: true})")
    page.close()


def test_the_skip_link_is_first_and_leads_to_the_main_content(browser, report_file):
    page = browser.new_page()
    page.goto(report_file.as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the main content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.close()


def _index():
    sentence = (
        '<span data-finding="reoffending.any_event.182.risk_difference" data-tier="T2">The share with any recorded '
        "incident was lower by as many as 16 points or higher by as many as 2 points.</span>"
    )
    made = {"programme": "Together", "period": "2021", "notebook": "Evaluation"}
    return export.index_page(
        title="Together: all reports",
        heading="Reports on Together",
        intro="Every area and period of the suite.",
        rows=[
            IndexRow(
                **made, area="Northshire", status="Made", headline=sentence, link="together/northshire/2021/report.html"
            ),
            IndexRow(**made, area="Southshire", status="Not made", reason="The extract did not keep its contract."),
        ],
        notes=["Counts are rounded to 5."],
        profile="public",
        watermarks=["SYNTHETIC: made-up people, no real findings"],
    )
