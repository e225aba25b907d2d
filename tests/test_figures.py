"""Drawings and tables of what was released, whatever was withheld."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import pytest

from evalkit import cohort, figures, matching, release, tables
from evalkit.display import Drawing, NotDrawn
from evalkit.export import lint
from evalkit.export.safety import POLICY
from evalkit.outcomes import reoffending
from evalkit.results import (
    Arm,
    Count,
    Curve,
    Design,
    Detectable,
    Difference,
    Estimate,
    Expected,
    Followed,
    Gate,
    Interval,
    Months,
    NotEstimable,
    Overlap,
    Result,
)
from evalkit.store import Store
from evalkit.study import Study, Suite

NOT_OF_A_TRIAL = ("expectation", "overlap", "months")
EXTRACT = "tests/data/rossi/ready_cohort.csv"


def _shown(study: Study) -> dict[str, tables.Table | Drawing | NotDrawn]:
    store = Store.open(study)
    people = cohort.build(store, study)
    compared = matching.match(people, study)
    return _laid_out(study, people.flow, compared.balance, reoffending.estimate(compared, store, study))


def _laid_out(study: Study, counts, settled, results) -> dict[str, tables.Table | Drawing | NotDrawn]:
    flow, known = release(counts, study), release(settled, study)
    found = release(results, study)
    return {
        "cover": tables.cover(study), "summary": tables.summary(found), "can_say": tables.can_say(found),
        "question": tables.question(study), "score": tables.score_definition(study),
        "expectation": figures.expectation(found), "naive": tables.naive(found), "flow": figures.flow(flow),
        "flow_table": tables.flow(flow), "overlap": figures.overlap(known), "gates": tables.gates(known),
        "balance": figures.balance([finding for finding in known if finding.kind == "difference"]),
        "months": figures.months(found), "survival": figures.survival(found), "findings": tables.findings(found),
        "sentences": tables.sentences(found), "forest": figures.forest(found), "methods": tables.methods(found),
        "made": tables.made(study),
    }  # fmt: skip


def _improper(shown: dict[str, tables.Table | Drawing | NotDrawn]) -> tuple[str, ...]:
    """What the gate of a page has against all of it on one page."""
    parts = "".join(part.html for part in shown.values())
    return lint(
        f'<!DOCTYPE html><html lang="en-GB"><head><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>Report</title></head><body><h1>Report</h1><h2>Parts</h2>{parts}</body></html>"
    )


@pytest.fixture
def few(project):
    """The study on the first so many people of each group, of whom every third has an event, with people protected."""

    def make(programme: int, comparison: int) -> Study:
        file = project.root / EXTRACT
        header, *rows = file.read_text(encoding="utf-8").splitlines()
        wanted = {"programme": programme, "usual_care": comparison}
        kept = [row for arm, many in wanted.items() for row in [row for row in rows if f",{arm}," in row][:many]]
        file.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
        project.change("params/suites/rossi.yaml", protection="standard", source=None)
        return Suite.read("rossi").studies()[0]

    return make


@pytest.mark.parametrize("people", [(5, 5), (9, 200), (20, 20), (45, 45), (70, 30), (216, 216)])
def test_a_report_of_any_size_is_shown_whole_and_what_is_not_in_it_has_a_reason(few, people):
    shown = _shown(few(*people))
    assert all(part.html for part in shown.values())
    for name, part in shown.items():
        assert not re.search(r"\b(nan|inf|None|NaT)\b", re.sub(r"base64,[^\"]+", "", part.html)), name
        if isinstance(part, NotDrawn) and name not in NOT_OF_A_TRIAL:
            assert "fewer than" in part.html
    assert _improper(shown) == ()


def test_below_thirty_nothing_but_the_flow_is_drawn(few):
    shown = _shown(few(20, 20))
    drawn = {name for name, part in shown.items() if isinstance(part, Drawing)}
    assert drawn == {"flow"}
    assert "fewer than 30 people" in shown["survival"].html


def test_openly_published_data_are_drawn_with_their_numbers_in_words(project):
    shown = _shown(Suite.read("rossi").studies()[0])
    assert "0.73 (0.53 to 0.999)" in shown["forest"].alt
    assert "432 people" in shown["flow"].alt
    assert "between 17 and 28" in shown["survival"].alt
    assert "Recorded as Black 0.13" in shown["balance"].alt


def test_a_changed_choice_is_graded_down_and_listed_as_a_deviation(project):
    shown = _shown(Suite.read("rossi").studies()[0].exploring(horizon_days=182))
    assert "grade 2 of 5" in shown["summary"].html
    assert "the analysis differs from the plan that was locked" in shown["summary"].html
    assert '<th scope="row">horizon_days</th>\n<td>364</td>\n<td>182</td>' in shown["made"].html


def test_a_drawing_is_the_same_bytes_every_time(project):
    study = Suite.read("rossi").studies()[0]
    assert _shown(study)["survival"].png == _shown(study)["survival"].png


def test_drawings_leave_no_figure_open_and_never_use_pyplot(project):
    import subprocess
    import sys

    code = (
        "import sys; from evalkit import figures; from evalkit.results import Finding\n"
        "row = dict(smd=0.1, smd_before=None, is_share=False, programme=1.0, comparison=1.0, missing_programme=0,"
        " missing_comparison=0, variance_ratio=1.0, denominator='d')\n"
        "figures.balance([Finding(id='b', kind='difference', status='released', label='Age', study_fingerprint='f',"
        " sentence='Age.', rows=(row,))])\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_what_chance_decided_needs_no_check_no_score_and_no_expectation(project):
    shown = _shown(Suite.read("rossi").studies()[0])
    assert all(isinstance(shown[name], NotDrawn) for name in NOT_OF_A_TRIAL)
    assert "where chance decided who is in which group, none is needed" in shown["gates"].html
    assert "Nobody was chosen by a score" in shown["score"].html
    assert "Nobody is compared with their own past" in shown["naive"].html
    assert "by chance (individual random allocation)" in shown["question"].html


def _design(people: int) -> Design:
    sides = (("programme", people), ("comparison", 900))
    return Design(
        assignment="sequential_trials", plan="locked", gates=(("overlap", True),), linked=(("programme", 0.96),),
        followed=tuple(Followed(label=label, allocated=n, followed=n) for label, n in sides),
    )  # fmt: skip


def _estimate(people: int, measure: str, ratio: float, spread: float, **more) -> Estimate:
    arms = (Arm(label="programme", people=people, events=people // 2), Arm(label="comparison", people=900, events=500))
    named = {"outcome": "event_count", "horizon_days": 182, "planned": "exploratory", "p_value": 0.4, "arms": arms}
    if measure == "rate_ratio":
        named["per_hundred"] = (140 * ratio, 140.0)
    return Estimate(
        strand="reoffending", measure=measure, population="att", value=ratio, low=ratio - spread, high=ratio + spread,
        method="m", design=_design(people), event_label="incident", **named | more,
    )  # fmt: skip


def _results(people: int, ratio: float) -> Iterator[Result]:
    """Every kind of result of a study in which people were chosen month by month."""
    shared = {"strand": "reoffending", "event_label": "incident"}
    yield Detectable(
        outcome="event_count", horizon_days=182, people_programme=people, people_comparison=900, typical=1.2,
        reduction=0.3, missed_of_ten=5, method="m", basis="count", **shared,
    )  # fmt: skip
    p_value = 0.01 if ratio != 1 else 0.9
    yield _estimate(people, "rate_ratio", ratio, 0.2, planned="primary", p_value=p_value)
    for variant in ("at_liberty", "near_the_line", "matched"):
        yield _estimate(people, "rate_ratio", ratio * 1.02, 0.22, variant=variant)
    yield _estimate(people, "rate_ratio", 1.02, 0.15, variant="placebo")
    yield _estimate(people, "rate_difference", 140 * (ratio - 1), 25.0, planned="secondary")
    yield _estimate(people, "risk_ratio", ratio, 0.2, outcome="any_event", planned="secondary")
    yield NotEstimable(
        outcome="event_count", horizon_days=365, measure="rate_ratio", why="a check was not passed (65% of them "
        "overlap)",
        mend="more areas", design=_design(people), **shared,
    )  # fmt: skip
    for horizon in (182, 365):
        without = people * horizon / 130
        yield Expected(
            outcome="event_count", horizon_days=horizon, people=people, before=2 * int(without),
            after=int(without * ratio), people_before=people - 12, people_after=people // 2,
            without=without, low=0.8 * without, high=1.2 * without,
            naive=Interval(value=ratio / 2, low=ratio / 3, high=ratio), everybody=(9000, 8600),
            design=_design(people), method="m", **shared,
        )  # fmt: skip
    months = tuple(range(-24, 12))
    days = tuple(range(0, 366, 5))
    for arm, number in (("programme", people), ("comparison", 900)):
        rates = tuple(40 * math.exp(-abs(month + 0.5) / 6) + 10 for month in months)
        yield Months(
            outcome="event_count", arm=arm, months=months, per_hundred=rates, people=(number,) * len(months),
            people_with=tuple(int(number * rate / 80) for rate in rates), method="m", **shared,
        )  # fmt: skip
        share = tuple(0.6 * day / 365 for day in days)
        yield Curve(
            outcome="time_to_event", horizon_days=365, arm=arm, days=days, share=share,
            low=tuple(0.9 * each for each in share), high=tuple(1.1 * each for each in share),
            at_risk=tuple(int(number * (1 - each)) for each in share), method="m",
            events=tuple(int(number * each) - int(number * was) for was, each in zip((0, *share), share, strict=False)),
            **shared,
        )  # fmt: skip


def _settled(people: int) -> Iterator[Result]:
    for place in range(25):
        yield Difference(
            covariate=f"c{place}", label=f"Domestic abuse, days {place} to 365 before (events)", mean_programme=3.2,
            mean_comparison=3.1, smd=0.01 * place - 0.1, smd_before=0.1 * place - 0.4, denominator="pooled deviation",
            variance_ratio=1.1, missing_programme=0, missing_comparison=0, people_programme=people,
            people_comparison=900,
        )  # fmt: skip
    for passed in (True, False):
        yield Gate(name=f"gate{passed}", label="Alike", found="65% of them", needed="80%", passed=passed, mend="areas")
    if people >= 24:
        yield Overlap(
            edges=(0.001, 0.05, 0.97), programme=(people // 2,) * 2, comparison=(900, 4), people_programme=people,
            people_comparison=900,
        )  # fmt: skip


def _steps(people: int) -> Iterator[Count]:
    yield Count(step="rows", label="Rows in the extracts", total=59_499, unit="rows")
    yield Count(step="on_record", label="On record in these areas", total=4985)
    yield Count(step="never", label="Eligible on no run date", total=3985, left_out=True)
    yield Count(step="could", label="Could be chosen on a run date or more", total=1000)
    yield Count(step="referred", label="Chosen in the funding period", total=None, programme=people + 13)
    yield Count(step="partner", label="Referred by a partner", total=None, programme=13, left_out=True)
    yield Count(step="trials", label="Chosen, or not chosen", total=None, programme=people, comparison=950)
    yield Count(step="lost", label="Left the area", total=None, programme=0, comparison=50, left_out=True)
    yield Count(step="analysed", label="Counted", total=None, programme=people, comparison=900)


def _tasking(people: int, ratio: float) -> dict[str, tables.Table | Drawing | NotDrawn]:
    study = Suite.read("demo").studies()[0]
    return _laid_out(study, _steps(people), tuple(_settled(people)), tuple(_results(people, ratio)))


@pytest.fixture(scope="module")
def tasking(copied, tmp_path_factory) -> dict[str, tables.Table | Drawing | NotDrawn]:
    """A report on 165 people who were chosen month by month, and had fewer events than expected."""
    made = copied(tmp_path_factory.mktemp("tasking") / "project")
    with pytest.MonkeyPatch.context() as there:
        there.chdir(made.root)
        there.setenv("EVALKIT_WORK", str(made.work))
        return _tasking(165, 0.7)


@pytest.mark.parametrize(("people", "ratio"), [(165, 1.0), (165, 1.4), (45, 0.7), (22, 1.0)])
def test_a_report_on_people_chosen_month_by_month_passes_the_gate_at_any_size(project, people, ratio):
    shown = _tasking(people, ratio)
    assert _improper(shown) == ()
    drawn = {name for name, part in shown.items() if isinstance(part, Drawing)}
    everything = {"flow", "balance", "overlap", "expectation", "months", "survival", "forest"}
    assert drawn == (everything if people >= 30 else {"flow"})
    for name, part in shown.items():
        assert isinstance(part, Drawing | NotDrawn | tables.Table), name
        assert not re.search(r"\b(nan|inf|None|NaT)\b", re.sub(r"base64,[^\"]+", "", part.html)), name


def test_words_for_those_who_cannot_see_a_drawing_hold_the_numbers_that_are_drawn(tasking):
    alt = {name: part.alt for name, part in tasking.items() if isinstance(part, Drawing)}
    assert "460 recorded events in the 182 days before and 160 in the 182 days after" in alt["expectation"]
    assert "a grey band from 185 to 275 with a line at 230, where those after were expected" in alt["expectation"]
    assert "1. before: programme 47, comparison 47" in alt["months"]
    assert "below 5.0: 80 and 900; 5.0 and more: 80 and fewer than 10" in alt["overlap"]
    assert "before (events) 0.14 (2.00 before matching)" in alt["balance"]
    assert "Recorded incidents, 182 days 0.70 (0.50 to 0.90)" in alt["forest"]
    assert "Chosen in the funding period: 180 in the programme group" in alt["flow"]
    assert "left out, Eligible on no run date: 3,985 people" in alt["flow"]


def test_the_check_with_people_below_the_line_stands_last_among_the_ratios_and_says_what_it_should_show(tasking):
    forest = tasking["forest"]
    assert forest.alt.rsplit(";", 1)[1].startswith(
        " Recorded incidents, people next below the line, who were not chosen"
    )


def test_the_headline_of_the_expectation_is_the_change_beside_the_one_to_be_expected(tasking):
    picture = tasking["expectation"]
    assert picture.headline.striptags().startswith("65% fewer recorded incidents after than before; 50% fewer (between")


def test_what_a_before_after_comparison_would_have_said_stands_beside_its_expectation_over_both_horizons(tasking):
    html = tasking["naive"].html
    assert '<caption id="caption-naive">What a before/after comparison would have said</caption>' in html
    assert "65% fewer (between 77% fewer and 30% fewer)" in html
    assert html.count('<th scope="row">') == 2
    assert "96</td>" in html


def test_a_withheld_expectation_is_a_card_with_its_reason_and_the_same_title(project):
    found = release(_results(22, 1.0), Suite.read("demo").studies()[0])
    html = tables.naive(found).html
    assert "What a before/after comparison would have said" in html
    assert "it stands on fewer than 30 people" in html


def test_the_score_says_what_its_letters_mean_and_that_its_bands_and_weights_are_illustrative(tasking, project):
    html = tasking["score"].html
    assert "convention conventional: R = days since" in html
    assert "illustrative weights" in html
    assert "illustrative bands" in html
    other = Suite.read("demo").studies()[0]
    literal = other.programme.recorded.rfgv.model_copy(update={"convention": "literal_note"})
    police = other.programme.recorded.model_copy(update={"rfgv": literal})
    programme = other.programme.model_copy(update={"police": police})
    assert (
        "a score can rise without any new record"
        in tables.score_definition(other.model_copy(update={"programme": programme})).html
    )


def test_made_up_data_are_said_to_be_so_on_every_page(project):
    study = Suite.read("demo").studies()[0]
    cover = tables.cover(study.for_profile("public"), "Recorded reoffending in full")
    assert cover.payload["watermarks"] == ["SYNTHETIC: made-up data about nobody"]
    assert cover.payload["title"].startswith("Recorded reoffending in full: ")
    assert tables.watermarks(study) == ("SYNTHETIC: made-up data about nobody", "INTERNAL: not to be passed on")


def test_one_area_says_in_brief_how_its_people_fared(project):
    study = Suite.read("demo").studies()[1]
    share = _estimate(
        165, "share", 0.5, 0.1, contrast="share", outcome="any_event", p_value=None,
        arms=(Arm(label="programme", people=165, events=82),),
    )  # fmt: skip
    found = release([*_results(165, 0.7), share], study)
    html = tables.summary(found).html
    assert "80 of 165 people (50%, between 40 and 60)" in html
    assert "one area alone cannot carry an effect" in html
    assert isinstance(figures.expectation(found), NotDrawn)
    assert isinstance(figures.survival(found), NotDrawn)
