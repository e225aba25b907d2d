"""A browser, the audit of a page in it, and a made-up report with every kind of element."""

import base64
import io
import os
import runpy
import shutil
from importlib import resources
from pathlib import Path

import nbformat
import pytest
from matplotlib.figure import Figure

AXE_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
VIEWS = (("screen", 1280), ("screen", 320), ("print", 794))  # 794 pixels: the width of an A4 sheet
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "microsoft-edge", "msedge")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
TABLE, DRAWING = "application/vnd.evalkit.table+json", "application/vnd.evalkit.drawing+json"


@pytest.fixture(scope="session")
def browser():
    """An installed Chromium or Edge; without one, CI fails and a desk skips."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        stop = pytest.fail if os.environ.get("CI") else pytest.skip
        stop("no Chromium, Chrome or Edge is installed: pages cannot be audited")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=list(QUIET))
        yield running
        running.close()


@pytest.fixture(scope="session")
def audit(browser):
    """Call it with the path of a page: what is wrong with it, in words, on two screens and on paper.

    The page is opened as a file, under its own content security policy; no server is started.
    """
    axe = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")

    def problems(path):
        return [found for medium, width in VIEWS for found in _audit(browser, axe, path, medium=medium, width=width)]

    return problems


def _audit(browser, axe, path, *, medium, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    said, asked = [], []
    page.on("console", lambda message: said.append(f"the console says {message.text}"))
    page.on("pageerror", lambda error: said.append(f"the console says {error}"))
    page.on("request", lambda request: asked.append(request.url))
    page.emulate_media(media=medium)
    page.goto(path.as_uri())
    found = said + [f"the page asks for {url}" for url in asked if url != path.as_uri() and not url.startswith("data:")]
    if medium == "screen":  # on paper the tables beside the figures must show without opening
        found += _too_wide(page, width)
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        found += _too_wide(page, width)
    found += _axe(page, axe, undecided=width > 320)
    page.close()
    return [f"{path.name}, {medium}, {width} pixels: {problem}" for problem in found]


def _too_wide(page, width):
    wide = page.evaluate("document.scrollingElement.scrollWidth")
    return [f"the page is {wide} pixels wide"] if wide > width else []


def _axe(page, axe, *, undecided):
    """Violations that axe finds; `undecided` for the rules too that it could not decide.

    It cannot decide on the contrast of what a narrow screen has scrolled out of sight; the wide one decides that.
    """
    page.evaluate(axe)
    options = {"runOnly": {"type": "tag", "values": list(AXE_TAGS)}}
    result = page.evaluate("options => axe.run(document, options)", options)
    assert result["passes"], "axe ran no rule"
    rules = result["violations"] + (result["incomplete"] if undecided else [])
    return [f"{rule['id']}: {node['html'][:160]}" for rule in rules for node in rule["nodes"]]


@pytest.fixture(scope="session")
def made_up_report():
    """An executed report notebook with every kind of element that a page may hold."""
    notebook = nbformat.v4.new_notebook(cells=list(_cells()), metadata={"evalkit": {"must_show": ["table:flow"]}})
    nbformat.validate(notebook)
    return notebook


@pytest.fixture(scope="session")
def strand_report():
    """Call it with the name of a drawn page: its notebook, with every part that tells of abuse and of scores."""
    drawn = runpy.run_path(str(Path(__file__).parents[1] / "test_figures_strands.py"))

    def notebook(name):
        cells = [_shows(TABLE, COVER_PAYLOAD, COVER)]
        for words, part in drawn["_shown"](drawn["PAGES"][name]()).items():
            shown = nbformat.v4.new_output("display_data", data=part._repr_mimebundle_())
            cells += [_text(f"## {words.replace('_', ' ').capitalize()}"), _code(f"show({words!r})", shown)]
        return nbformat.v4.new_notebook(cells=cells)

    return notebook


def _cells():
    yield _code("study_file = 'params/studies/demo.yaml'")
    yield _shows(TABLE, COVER_PAYLOAD, COVER)
    yield _text("# Did recorded incidents differ?\n\n## Summary\n\nThe sentences in the box are made by the analysis.")
    yield _shows(TABLE, {"name": "summary", "kind": "sentences"}, SUMMARY)
    yield _shows(TABLE, {"name": "can_say", "kind": "sentences"}, CAN_SAY)
    yield _text(WHO)
    yield _shows(TABLE, {"name": "flow", "kind": "table"}, _table("flow", "Everyone who was referred, by arm", *FLOW))
    yield _text("## Were the two groups alike?\n\nEach dot is one thing known about people *before* the index date.")
    yield _shows(DRAWING, {"name": "balance"}, _drawing("balance", *BALANCE))
    yield _text("## Did recorded incidents differ?\n\n### Everyone, within six months")
    yield _shows(TABLE, {"name": "findings", "kind": "table"}, _table("findings", *FINDINGS))
    yield _shows(DRAWING, {"name": "curve"}, _drawing("curve", *CURVE))
    yield _text("### What could not be estimated")
    yield _shows(TABLE, {"name": "refused", "kind": "sentences"}, REFUSED)
    yield _text(HOW)


def _text(source):
    return nbformat.v4.new_markdown_cell(source)


def _code(source, *outputs):
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), execution_count=7)


def _shows(kind, payload, html):
    data = {kind: payload, "text/html": html, "text/plain": f"<{payload['name']}>"}
    return _code(f"show({payload['name']!r})", nbformat.v4.new_output("display_data", data=data))


def _table(name, caption, heads, rows, note=""):
    head = "".join(f'<th scope="col"{NUMBER if i else ""}>{text}</th>' for i, text in enumerate(heads))
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(f'<td class="ek-number">{cell}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="ek-table" id="table-{name}"><div class="ek-scroll" role="region" tabindex="0" '
        f'aria-labelledby="caption-{name}"><table><caption id="caption-{name}">{caption}</caption><thead>'
        f"<tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        + (f'<p class="ek-note">{note}</p></div>' if note else "</div>")
    )


def _drawing(name, headline, subtitle, alt, source, draw, heads, rows):
    table = _table(f"{name}-values", f"{headline}: the values drawn", heads, rows)
    return (
        f'<figure class="ek-drawing" id="drawing-{name}"><p class="ek-headline">{headline}</p>'
        f'<p class="ek-subtitle">{subtitle}</p><img src="{_png(draw)}" alt="{alt}" width="900" height="450">'
        f"<figcaption>{source}</figcaption><details><summary>View as table: {headline.lower()}</summary>{table}"
        "</details></figure>"
    )


def _png(draw):
    figure = Figure(figsize=(6.25, 3.125), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    draw(axes)
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=144, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(target.getvalue()).decode()


def _draw_balance(axes):
    names = [row[0] for row in BALANCE[-1]]
    for column, colour, marker, label in ((1, "#F46A25", "o", "as referred"), (2, "#12436D", "s", "as compared")):
        axes.plot([float(row[column]) for row in BALANCE[-1]], names, marker, color=colour, label=label)
    axes.axvline(0.1, color="#0b0c0c", linestyle=":")
    axes.legend(frameon=False)
    axes.set_xlabel("standardised difference")


def _draw_curve(axes):
    days = [0, 30, 60, 91, 121, 152, 182]
    axes.step(days, [0, 8, 15, 22, 26, 30, 34], color="#12436D", where="post")
    axes.step(days, [0, 10, 19, 26, 32, 37, 41], color="#F46A25", where="post", linestyle="--")
    axes.text(184, 34, "programme", color="#12436D", va="center")
    axes.text(184, 41, "similar people", color="#0b0c0c", va="center")
    axes.set_xlim(0, 230)
    axes.set_xlabel("days since the index date")


NUMBER = ' class="ek-number"'
COVER_PAYLOAD = {
    "name": "cover",
    "kind": "cover",
    "title": "Evaluation report: Northshire, October 2021 to May 2022",
    "heading": "Team Around the Couple in Northshire",
    "subtitle": "Evaluation report on people selected from October 2021 to May 2022, followed to 30 November 2022",
    "meta": {
        "plan-fingerprint": "sha256-5f1d0c6b9e7a4f3c8d2b1a0998877665544332211ffeeddccbbaa00112233445",
        "plan-lock": "2021-09-20",
        "data-manifest": "sha256-0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "version": "0.1.0",
    },
    "profile": "internal",
    "watermarks": ["SYNTHETIC: made-up people, no real findings", "INTERNAL: not to be passed on"],
    "protection": "Counts are rounded to 5. Groups of fewer than 10 people are not shown.",
}
COVER = """<div class="ek-table" id="table-facts"><div class="ek-scroll" role="region" tabindex="0"
aria-labelledby="caption-facts"><table><caption id="caption-facts">What this report is about</caption><tbody>
<tr><th scope="row">Compared with</th><td>Similar people of the same month and area, not selected</td></tr>
<tr><th scope="row">Plan</th><td>Plan 5f1d0c6b9e7a locked on 20 September 2021; nothing was changed since.</td></tr>
<tr><th scope="row">Evidence</th><td><span class="ek-grade">Grade 3 of 5</span></td></tr></tbody></table></div>
</div>"""
RATE, SHARE = "reoffending.rate.182.rate_ratio", "reoffending.any_event.182.risk_difference"
SUMMARY = f"""<div class="ek-sentences ek-summary" id="summary"><p><span data-finding="{RATE}" data-tier="T2">The
programme group had about 52 recorded incidents per 100 people in six months; without the programme about 60 would
have been expected.</span></p><p><span data-finding="{SHARE}" data-tier="T2">The share with any incident was lower
by as many as 16 points or higher by as many as 2 points; about 240 more people would be needed to tell.</span></p>
<p class="ek-grade"><span data-finding="{SHARE}" data-tier="T2">Strength of the evidence: grade 3 of 5, a comparison
with similar people, under a locked plan. Held down because too few people.</span></p></div>"""
CAN_SAY = f"""<div class="ek-sentences"><h3 id="can-be-said">It can be said</h3><ul class="ek-can">
<li><span data-finding="{SHARE}" data-tier="T2">More people would be needed to tell.</span></li></ul>
<h3 id="cannot-be-said">It cannot be said</h3><ul class="ek-cannot">
<li><span data-finding="{SHARE}" data-tier="T2">It cannot be said that the programme caused the difference.</span></li>
<li><span data-finding="{SHARE}" data-tier="T2">This does not mean the programme had no effect.</span></li></ul>
</div>"""
REFUSED = """<div class="ek-sentences" id="sentences-refused">
<p class="ek-refused"><span data-finding="abuse.physical.182.risk_difference" data-tier="T0">We cannot report on
physical abuse, because fewer than 10 people were asked at exit. This does not mean that the programme had no effect.
What would mend it: the exit interviews of everyone who started.</span></p></div>"""
WHO = """## Who was followed?

People enter the study on the day of the decision, *not* on the day they start. Intervals are
<span data-setting>95%</span> intervals; see [the groups](#section-were-the-two-groups-alike).

1. Everyone referred is counted once.
2. Nobody leaves the study for not attending.

> <q>We saw a 65% fall and it worked.</q> A published claim, on one group followed over time.
"""
FLOW = (
    ("Step", "Programme", "Similar people", "Total"),
    [
        ("Referred or eligible", "215", "1,840", "2,055"),
        ("Left out: moved out of the force area", "10", "95", "105"),
        ("Left out: no identifier that could be linked to police records", "15", "120", "135"),
        ("Followed to the end", "190", "1,625", "1,815"),
    ],
    "Counts are rounded to 5, so rows may not add up.",
)
BALANCE = (
    "No difference is above the line once groups are compared",
    "Standardised difference between programme and similar people, before and after matching, 190 and 1,625 people",
    "After matching, all four differences are below 0.1; the largest is 0.06, for incidents in the last 90 days.",
    "Source: police records to 30 November 2022.",
    _draw_balance,
    ("Known beforehand", "Before matching", "After matching"),
    [
        ("Incidents, last 90 days", "0.62", "0.06"),
        ("Incidents, last 2 years", "0.48", "0.04"),
        ("Age under 25", "0.12", "0.02"),
        ("Days since last incident", "0.35", "0.01"),
    ],
)
CURVE = (
    "Fewer than half of either group had a recorded incident",
    "Share with a first recorded incident, by day since the index date, 190 and 1,625 people",
    "By day 182, 65 of 190 people in the programme and 665 of 1,625 similar people had a first recorded incident.",
    "The two lines are drawn on a grid of 30 days.",
    _draw_curve,
    ("Group", "People", "With an incident by day 182"),
    [("Programme", "190", "34% (65 of 190)"), ("Similar people", "1,625", "41% (665 of 1,625)")],
)
FINDINGS = (
    "Every outcome of the plan, programme less similar people",
    ("Outcome", "Programme", "Similar people", "Difference", "Interval", "Adjusted p"),
    [
        ("Any recorded incident", "34% (65 of 190)", "41% (665 of 1,625)", "-7 points", "-16 to 2", "0.21"),
        ("Incidents per person", "0.52", "0.60", "-0.08", "-0.21 to 0.05", "0.21"),
        ("Any serious incident", "[c]", "[c]", "[c]", "[c]", "[z]"),
    ],
    "[c] withheld, because few people stand behind it; [z] not applicable.",
)
HOW = """## How was it done?

#### Sources

Police records of the force, and the provider's referral list. The plan was locked before any outcome was seen.

```
evalkit run northshire --as-of 2022-11-30
```
"""
