"""The gate that every delivered page must pass."""

import pytest

from evalkit.export import lint
from evalkit.export.safety import POLICY

CLEAN = f"""<!DOCTYPE html><html lang="en-GB"><head>
<meta http-equiv="Content-Security-Policy" content="{POLICY}"><meta charset="utf-8"><title>Report</title>
<style>p {{ color: black; }}</style></head><body><main id="main"><h1>Report</h1>
<p>People were followed from the day of the decision.</p>
<!--here--></main></body></html>"""
PICTURE = "data:image/png;base64,iVBORw0KGgo="
DETAILS = """<details><summary>View as table</summary><table><caption>Values</caption>
<tr><th scope="col">Day</th></tr><tr><td>1</td></tr></table></details>"""


def _page(fragment):
    return CLEAN.replace("<!--here-->", fragment)


def _said(fragment, **how):
    return lint(_page(fragment), **how)


def _in_span(sentence, tier):
    return f'<p><span data-finding="reoffending.any.182.risk_ratio" data-tier="{tier}">{sentence}</span></p>'


def _table(caption, heads, *rows):
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in row[1:]) + "</tr>" for row in rows
    )
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _figure(alt, headline="Arrests came later", more=DETAILS):
    return f'<figure><p class="ek-headline">{headline}</p><img src="{PICTURE}" alt="{alt}">{more}</figure>'


def test_a_clean_page_has_no_problems():
    assert lint(_page("")) == ()


@pytest.mark.parametrize(
    ("sentence", "word"),
    [
        ("The evaluation proved that it helps.", "proved"),
        ("The fall was caused by the programme.", "caused"),
        ("The programme has caused harm.", "caused"),
        ("People who caused the fall were chosen.", "caused"),
        ("The programme worked.", "worked"),
        ("It worked well for most people.", "worked"),
        ("The scheme was a success.", "success"),
        ("An effective programme for Northshire.", "effective"),
        ("The impact was large.", "impact"),
        ("The programme had no effect.", "no effect"),
        ("The programme reduced reoffending.", "reduced"),
        ("It was not only liked but effective.", "effective"),
        ("There is no doubt, and nobody can deny, that it worked.", "worked"),
        ("People did not leave, and the programme worked.", "worked"),
        ("Few were lost; not one moved, but it was a success.", "success"),
    ],
)
def test_a_verdict_in_typed_text_is_refused(sentence, word):
    [problem] = _said(f"<p>{sentence}</p>")
    assert problem.startswith(f"'{word}' may not be said here")


@pytest.mark.parametrize(
    "sentence",
    [
        "The programme was not effective.",
        "It didn't have any impacts.",
        "The programme has not reduced reoffending.",
        "It ended without success.",
    ],
)
def test_a_verdict_turned_round_is_refused_because_it_reads_as_failing_to_work(sentence):
    assert len(_said(f"<p>{sentence}</p>")) == 1


@pytest.mark.parametrize(
    "sentence",
    [
        "The programme cannot be said to have worked.",
        "This does not mean the programme had no effect.",
        "It has not been proved that the programme made the difference.",
        "It cannot be said that the difference was caused by the programme.",
        "There are too few people to say that it reduced anything.",
        "A difference is neither proof of success nor of failure.",
        "Nothing here shows that it was successful.",
        "Staff worked with 40 people.",
        "The annex holds a worked example.",
        "The effective sample size is given below.",
        "A reduction of incidents was the aim.",
        "People who have caused harm to others are chosen each month.",
    ],
)
def test_a_denied_verdict_or_an_innocent_use_of_the_word_passes(sentence):
    assert _said(f"<p>{sentence}</p>") == ()


@pytest.mark.parametrize(
    "fragment",
    [
        "<p>The leaflet says <q>it worked for 82% of men</q>.</p>",
        "<blockquote><p>A successful programme: reoffending was reduced by 65%.</p></blockquote>",
        "<p><span data-claim='drive'>82% fewer people used physical abuse</span> (published; single-group).</p>",
        "<ul><li data-claim='matac'>It proved effective: 60 before, 20 after.</li></ul>",
    ],
)
def test_quotations_and_published_claims_are_left_as_they_are(fragment):
    assert _said(fragment) == ()


@pytest.mark.parametrize(
    ("tier", "sentence", "word"),
    [
        ("T4", "The programme caused fewer incidents.", "caused"),
        ("T4", "The programme reduced recorded incidents.", "reduced"),
        ("T1", "The programme led to fewer incidents.", "led to"),
        ("T2", "The programme had no effect.", "no effect"),
        ("T2", "It looks promising.", "promising"),
        ("T2", "The programme did not work.", "did not work"),
        ("T5", "Victims are safer.", "safer"),
    ],
)
def test_an_engine_sentence_may_not_say_what_its_tier_forbids(tier, sentence, word):
    [problem] = _said(_in_span(sentence, tier))
    assert problem.startswith(f"'{word}'")


def test_an_engine_sentence_may_say_what_its_tier_allows():
    assert (
        _said(_in_span("The programme reduced recorded incidents by about 20 in every hundred (10 to 30).", "T5")) == ()
    )
    assert _said(_in_span("It cannot be said that the difference was caused by the programme.", "T4")) == ()
    assert _said(_in_span("We cannot report. This does not mean the programme had no effect.", "T0")) == ()
    assert (
        _said(_in_span("This should not be taken to mean that it had no effect, or that it did not work.", "T2")) == ()
    )


def test_a_word_beside_an_engine_sentence_is_typed_text():
    fragment = _in_span("The programme reduced arrests by 8 in a hundred.", "T5").replace(
        "</p>", " It reduced them.</p>"
    )
    assert len(_said(fragment)) == 1


@pytest.mark.parametrize(
    "fragment",
    [
        "<p>Of the men, 65 per cent did not reoffend.</p>",
        "<p>48 of 216 people were arrested. That is 22%.</p>",
        "<p>The share fell from 40% to 20%.</p>",
        "<p>Of men aged 18 to 24, 22% were arrested within days 1 to 364 of the years 2021 to 2022.</p>",
        _table("Arrests", ["Group", "Share"], ["Programme", "22%"]),
        _figure("A curve that reaches 22% of the programme group by day 364."),
        "<p>Intervals are 95% intervals.</p>",
    ],
)
def test_a_percentage_that_stands_alone_is_refused(fragment):
    [problem] = _said(fragment)
    assert problem.startswith("a percentage without 'N of M' or an interval")


@pytest.mark.parametrize(
    "fragment",
    [
        "<p>48 of 216 people (22%) were arrested.</p>",
        "<p>22 per cent were arrested, between 17 and 28.</p>",
        "<p>Anything fits between 23% fewer and 31% more.</p>",
        "<p>Anything fits between 23% fewer and no difference.</p>",
        "<p>Anything fits between less than 1% fewer and about 31% more.</p>",
        "<p>The share was 22% (17 to 28).</p>",
        "<ul><li>48 out of the 216 people were arrested. That is 22%.</li></ul>",
        _table("Arrests", ["Group", "Arrested", "Share"], ["Programme", "48 of 216", "22%"]),
        _table("Arrests", ["Group", "Share", "Low", "High"], ["Programme", "22%", "17", "28"]),
        _figure("By day 364, 48 of 216 people of the programme group (22%) had been arrested."),
        "<p>Intervals are <span data-setting>95%</span> intervals.</p>",
        "<p>The difference is 12 percentage points.</p>",
    ],
)
def test_a_percentage_with_its_denominator_or_interval_or_of_a_setting_passes(fragment):
    assert _said(fragment) == ()


def test_a_before_and_after_without_what_would_have_been_expected_is_refused():
    typed = "<p>There were 40 incidents before and 20 after.</p>"
    row = _table("Incidents", ["Group", "Before", "After"], ["Programme", "40", "20"])
    for fragment in (typed, row, _in_span("Recorded incidents were 40 before and 20 after.", "T1")):
        [problem] = _said(fragment)
        assert problem.startswith("a before and after without what would have been expected")


@pytest.mark.parametrize(
    "fragment",
    [
        _in_span("Incidents were 40 before and 20 after. On average we would expect about 22 with no programme.", "T1"),
        _table("Incidents", ["Group", "Before", "After", "Expected"], ["Programme", "40", "20", "22"]),
        _table("Balance before and after matching", ["Known", "Before", "After"], ["Incidents", "0.6", "0.1"]),
        "<p>Records before 1 June 2023 and after it were not counted by the same rules.</p>",
    ],
)
def test_a_before_and_after_with_its_expectation_or_of_a_method_passes(fragment):
    assert _said(fragment) == ()


@pytest.mark.parametrize(
    "words", ["a significant fall", "not significantly lower", "lower (p < 0.05)", "lower (p<0.05)"]
)
def test_words_of_the_methods_are_refused_in_a_summary_only(words):
    assert len(_said(f'<div id="summary"><p>There was {words}.</p></div>')) == 1
    assert len(_said(f"<p>There was {words}.</p>", kind="index")) == 1
    assert _said(f"<p>There was {words}.</p>") == ()


def test_areas_stand_in_the_order_of_the_alphabet():
    ranked = _table("By area", ["Area", "Status"], ["Wirral", "made"], ["Sefton", "made"])
    [problem] = _said(ranked)
    assert problem == "the areas of the table “By area” are not in the order of the alphabet"
    ordered = _table("By area", ["Area", "Status"], ["All areas", "made"], ["Sefton", "made"], ["Wirral", "made"])
    assert _said(ordered) == ()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('lang="en-GB"', 'lang="fr"', "the page does not say that it is in English"),
        ("<title>Report</title>", "", "the page has no title"),
        ("default-src 'none'", "default-src *", "the content security policy is not the first thing in the head"),
        ("<title>", '<meta http-equiv="refresh" content="0;url=https://x.example"><title>', "a <meta> that acts"),
        ("<h1>Report</h1>", "<h2>Report</h2>", "the page has 0 headings of level 1, not one"),
        ("<!--here-->", "<h1>Another</h1>", "the page has 2 headings of level 1, not one"),
        ("<!--here-->", "<h3>Deep</h3>", "the heading “Deep” skips a level"),
        ("<!--here-->", '<p id="main">x</p>', "2 elements have the id 'main'"),
        ("<!--here-->", '<a href="#gone">there</a>', "the link “there” has no target in the page"),
        ("<!--here-->", '<a href="https://x.example/">x</a>', "the link “x” leads out of the delivered folder"),
        ("<!--here-->", '<a href="//x.example/">x</a>', "the link “x” leads out of the delivered folder"),
        ("<!--here-->", '<a href="../../secret.csv">x</a>', "the link “x” leads out of the delivered folder"),
        ("<!--here-->", '<a href="javascript:alert(1)">x</a>', "a link that acts"),
        ("<!--here-->", "<script>1</script>", "<script> may not stand in a page"),
        ("<!--here-->", '<p onclick="x()">x</p>', "the attribute 'onclick' may not stand on <p>"),
        ("<!--here-->", '<p style="background:url(x.png)">x</p>', "<p> has a style that asks for a file"),
        ("p { color", "@import 'x.css'; p { color", "a style that asks for a file"),
        ("p { color: black; }", "p { background: u\\72l(x.png); }", "a style that asks for a file"),
        ("<!--here-->", '<figure><img src="x.png" alt="Two curves lie apart"></figure>', "<img> asks for a file"),
        ("<!--here-->", f'<img src="{PICTURE}" alt="Two curves lie apart">', "an image stands outside a figure"),
        ("<!--here-->", '<div role="region" aria-labelledby="gone">x</div>', "a <div> names by aria-labelledby"),
        ("<!--here-->", "<p>The mean is nan.</p>", "the text shows 'nan'"),
        ("<!--here-->", "<p>It took -inf days.</p>", "the text shows 'inf'"),
        ("<!--here-->", "<!-- /srv/reports -->", "the page holds a comment that nobody sees"),
        ("<!--here-->", "<dl><dt>Plan</dt><dd>None</dd></dl>", "a <dd> shows 'None'"),
    ],
)
def test_a_page_with_a_broken_part_is_refused(old, new, told):
    assert old in CLEAN
    assert any(problem.startswith(told) for problem in lint(CLEAN.replace(old, new)))


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("<table><tr><th scope='col'>Day</th></tr><tr><td>1</td></tr></table>", "a table has no caption"),
        ("<table><caption>A</caption><tr><td>1</td></tr></table>", "the table “A” has no heads"),
        ("<table><caption>A</caption><tr><th>Day</th></tr></table>", "the table “A” has a head without scope"),
        (_table("A", ["Day"], ["1", ""]), "the table “A” has an empty cell"),
        (_table("A", ["Day"], ["1", "None"]), "the table “A” shows 'None'"),
        (_table("A", ["Day"], ["1"]) * 2, "2 tables have the caption “A”"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(table, told):
    assert told in _said(table)


@pytest.mark.parametrize(
    ("figure", "told"),
    [
        (_figure(""), "an image has no alt text"),
        (_figure("Image"), "the alt text “image” is a placeholder"),
        (_figure("No description has been provided for this image"), "is a placeholder"),
        (_figure("Arrests came later."), "the alt text “arrests came later” only repeats a caption"),
        (_figure("Two curves lie apart", more=""), "a figure has no table beside it"),
        (f"<figure>{DETAILS}</figure>", "a figure has no image"),
    ],
)
def test_a_figure_without_words_or_table_is_refused(figure, told):
    [problem] = _said(figure)
    assert problem.endswith(told)


def test_links_within_the_delivered_folder_pass():
    links = '<a href="#main">top</a> <a href="../index.html">index</a> <a href="a%20b/report.html#main">report</a>'
    assert _said(f"<p>{links}</p>", files={"../index.html", "a b/report.html"}) == ()


def test_every_problem_of_a_page_is_told_once():
    problems = _said("<p>It worked.</p><p>It worked.</p><p>22% agreed.</p>")
    assert len(problems) == len(set(problems)) == 2
