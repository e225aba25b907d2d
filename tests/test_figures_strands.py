"""Drawings and tables of abuse, of scores and of what was published, whatever was withheld."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalkit import claims, figures, tables
from evalkit.display import Drawing, NotDrawn
from evalkit.export import lint
from evalkit.export.safety import POLICY
from evalkit.results import ABUSE_TYPES, LEVELS, REPORTERS, Arm, Finding
from evalkit.study import Programme, Suite

ROOT = Path(__file__).parents[1]
MENDED = "a waiting list from which people are taken by chance"


def _finding(id_: str, kind: str, **more: Any) -> Finding:
    named = {"label": id_, "status": "released", "study_fingerprint": "f", "strand": id_.split(".")[0]} | more
    return Finding(id=id_, kind=kind, **named)


def _transition(kind: str, reporter: str, arm: str, high: int | str) -> Finding:
    rows: list[dict[str, Any]] = [
        {"level": level, "none": 60 - 10 * place, "standard": 15, "moderate": "fewer than 10", "high": 5 * place,
         "not_known": 20, "total": 120}
        for place, level in enumerate(LEVELS[:3])
    ]  # fmt: skip
    rows.append({"level": "high", "none": 20, "standard": 10, "moderate": 15, "high": high, "not_known": 25})
    rows[-1]["total"] = "withheld" if isinstance(high, str) else 70 + high
    rows.append({"change_of": "high", "value": -25, "low": -32, "high": -18})
    rows.append({"change_of": "any", "value": -10, "low": -16, "high": -4})
    rows.append({"moved": "all", "lower": 120, "same": 90, "higher": 30, "not_known": 85, "total": 325})
    if kind == "sexual":
        rows = rows[-1:]
    who = REPORTERS[reporter]
    return _finding(
        f"abuse_types.{kind}.332.transition.{reporter}.{arm}", "transition", outcome=kind, horizon_days=332,
        label=f"{ABUSE_TYPES[kind]}, {arm}, judged by {who}", rows=tuple(rows),
        sentence=f"Of 100 people of the {arm} group at a high level at intake, 45 were not at day 332, and 30 of 100 "
        "were to be expected.",
    )  # fmt: skip


def _withheld(id_: str, kind: str, **more: Any) -> Finding:
    why = "it stands on fewer than 30 people"
    words = f"Cannot be reported here, because {why}."
    return _finding(id_, kind, status="withheld", reason=why, sentence=words, tier="T0", grade=1, **more)


def _share(outcome: str, strand: str, days: int, *, without: int | None = 58, **more: Any) -> Finding:
    row = {
        "people": 160, "people_with": 105, "not_known": 15, "share": 66, "low": 58, "high": 73, "without": without,
        "without_low": 50, "without_high": 67, "judged_by": None, "clock": "index", "basis": "people not chosen",
    }  # fmt: skip
    brief = "66% (58 to 73) of 160 people had it; 50 to 67 in every hundred were to be expected without it."
    return _finding(
        f"{strand}.{outcome}.{days}.expected_share", "expected_share", outcome=outcome, horizon_days=days,
        unit="percent", rows=(row | more,), label=f"A lower score than when they were chosen, day {days} ({outcome})",
        sentence=brief, can_say=(brief,),
    )  # fmt: skip


def _readings(arm: str, drop: float, people: int | str = 160) -> Finding:
    rows = tuple(
        {
            "day": day, "mean": 80 - drop * day, "low": 76 - drop * day, "high": 84 - drop * day,
            "floor": 80 - 0.11 * day, "realised": 60 if day else None, "realised_low": 50 if day else None,
            "realised_high": 70 if day else None, "people": people, "in_custody": "fewer than 10", "still_open": 25,
        }
        for day in (0, 122, 213, 304, 487)
    )  # fmt: skip
    return _finding(
        f"score_decline.mean_score.readings.{arm}", "readings", outcome="mean_score", rows=rows, label=f"{arm} group",
        sentence=f"At day 304 the mean score of the {arm} group was 53.0 (between 49.0 and 57.0).",
    )  # fmt: skip


def _expected() -> Finding:
    row = {
        "people": 165, "before": 460, "after": 160, "without": 230, "low": 185, "high": 275, "change": "65% fewer",
        "change_low": "77% fewer", "change_high": "30% fewer", "everybody_after_for_100_before": 96,
    }  # fmt: skip
    brief = "65% fewer after than before; 50% fewer (between 60% fewer and 40% fewer) were to be expected."
    return _finding(
        "reoffending.event_count.182.expected", "expected", outcome="event_count", horizon_days=182, rows=(row,),
        sentence=brief, can_say=(brief,),
    )  # fmt: skip


PRIMARY = {
    "reoffending.event_count.182.rate_ratio": ("ratio", 0.8, 0.6, 1.1),
    "abuse_types.high_abuse.332.risk_difference": ("points", -8.0, -15.0, -1.0),
    "score_decline.mean_score.304.mean_difference": ("score", -4.2, -8.0, -0.4),
}


def _effects() -> Iterator[Finding]:
    for id_, (unit, value, low, high) in PRIMARY.items():
        strand, outcome, days, measure = id_.split(".")
        yield _finding(
            f"{strand}.{outcome}.{days}.detectable", "detectable", sentence=f"What {strand} could have seen.",
            outcome=outcome,
        )  # fmt: skip
        yield _finding(
            id_, "estimate", outcome=outcome, horizon_days=int(days), measure=measure, unit=unit, value=value, low=low,
            high=high, planned="primary", p_value=0.2, p_adjusted=0.4, grade=3, tier="T2", level=0.95,
            contrast="between", grade_sentence=f"How far it can be trusted: grade 3 of 5, as to {strand}.",
            sentence=f"Found of {strand}.", can_say=(f"This can be said of {strand}.",),
            cannot_say=(f"This cannot be said of {strand}.",),
            arms=(Arm(label="programme", people=160, events=80), Arm(label="comparison", people=900, events=500)),
        )  # fmt: skip


def _refusals() -> Iterator[Finding]:
    for id_ in PRIMARY:
        strand, outcome, days, measure = id_.split(".")
        yield _finding(
            id_, "not_estimable", status="not_estimable", outcome=outcome, horizon_days=int(days), measure=measure,
            planned="primary", tier="T0", grade=1, sentence=f"We cannot report on {strand}: nobody was compared.",
            reason=f"nobody was compared. What would mend it: {MENDED}",
        )  # fmt: skip


def _described(*arms: str) -> Iterator[Finding]:
    for kind in ABUSE_TYPES:
        for reporter in ("idva", "victim"):
            yield from (_transition(kind, reporter, arm, 35 if kind != "sexual" else "fewer than 10") for arm in arms)
            yield _share(f"no_longer_high_{kind}_by_{reporter}", "abuse_types", 332, judged_by=reporter, without=None)
    yield _finding(
        "abuse_types.physical.kappa.victim.idva", "kappa", outcome="physical", value=0.61, low=0.5, high=0.72,
        rows=({"one": "victim", "other": "idva", "people": 85},), sentence="They agree.",
    )  # fmt: skip
    yield from (_readings(arm, 0.09 if arm == "programme" else 0.07) for arm in arms)
    yield _share("lower_score_after_discharge", "score_decline", 182, clock="discharge")
    yield _share("lower_score", "score_decline", 304)
    yield _expected()


def _few() -> Iterator[Finding]:
    yield _withheld(
        "abuse_types.physical.332.transition.idva.programme", "transition", outcome="physical", horizon_days=332
    )
    yield _withheld("abuse_types.physical.kappa.victim.idva", "kappa", outcome="physical")
    yield _withheld("score_decline.mean_score.readings.programme", "readings", outcome="mean_score")
    yield _withheld("score_decline.lower_score.304.expected_share", "expected_share", outcome="lower_score")
    yield from (
        _withheld(id_, "estimate", outcome=id_.split(".")[1], planned="primary", measure=id_.split(".")[-1])
        for id_ in PRIMARY
    )


def _shown(findings: list[Finding], programme: str = "matac") -> dict[str, tables.Table | Drawing | NotDrawn]:
    published = claims.of(_programme(programme), ROOT)
    return {
        "summary": tables.summary(findings), "can_say": tables.can_say(findings),
        "expectation": figures.expectation(findings, published), "naive": tables.naive(findings),
        "transitions": figures.transitions(findings), "levels": tables.transitions(findings),
        "agreement": tables.agreement(findings), "trajectory": figures.trajectory(findings),
        "readings": tables.readings(findings), "expected_shares": figures.expected_shares(findings, published),
        "shares": tables.shares(findings), "findings": tables.findings(findings),
        "sentences": tables.sentences(findings), "forest": figures.forest(findings),
        "claims": tables.claims(published, findings), "methods": tables.methods(findings),
    }  # fmt: skip


def _programme(slug: str) -> Programme:
    """A programme with the published figures that these tests know."""
    named = {"matac": ("MATAC01", "MATAC02", "MATAC03"), "drive": ("DRIVE02", "DRIVE07", "DRIVE08")}
    return Programme.read(slug, ROOT).model_copy(update={"claims": named[slug]})


def _improper(shown: dict[str, tables.Table | Drawing | NotDrawn]) -> tuple[str, ...]:
    parts = "".join(part.html for part in shown.values())
    return lint(
        f'<!DOCTYPE html><html lang="en-GB"><head><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>Report</title></head><body><h1>Report</h1><h2>Parts</h2>{parts}</body></html>"
    )


PAGES = {
    "compared": lambda: [*_effects(), *_described("programme", "comparison")],
    "one group": lambda: [*_refusals(), *_described("programme")],
    "few": lambda: list(_few()),
    "nothing": list,
}


@pytest.fixture(scope="module")
def pages() -> dict[str, dict[str, tables.Table | Drawing | NotDrawn]]:
    return {name: _shown(make()) for name, make in PAGES.items()}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_all_strands_passes_the_gate_whatever_may_be_shown(pages, name):
    shown = pages[name]
    assert _improper(shown) == ()
    for part in shown.values():
        assert not re.search(r"\b(nan|inf|None|NaT)\b", re.sub(r"base64,[^\"]+", "", part.html))
    drawn = {part for part, each in shown.items() if isinstance(each, Drawing)}
    described = {"expectation", "transitions", "trajectory", "expected_shares"}
    assert drawn == {"compared": described | {"forest"}, "one group": described}.get(name, set())


def test_what_could_have_been_seen_stands_before_every_answer_of_the_three_strands(pages):
    spoken = re.sub(r"<[^>]+>", " ", pages["compared"]["summary"].html)
    places = [spoken.index(f"What {strand} could have seen.") for strand in ("reoffending", "score_decline")]
    assert max(places) < spoken.index("Found of reoffending.")
    assert "Recorded reoffending: not settled. Found of reoffending." in " ".join(spoken.split())
    assert spoken.rindex("Recorded reoffending: ") > spoken.index("Found of score_decline.")
    assert "66% (58 to 73)" not in spoken


def test_one_group_is_told_beside_what_was_to_be_expected_and_what_could_still_be_compared(pages):
    summary, said = pages["one group"]["summary"].html, pages["one group"]["can_say"].html
    assert "What the programme changed cannot be told here" in summary
    assert "were to be expected without it" in summary
    assert [said.count(f'id="{part}-be-said"') for part in ("can", "cannot", "still")] == [1, 1, 1]
    assert said.count(f"<li>{MENDED[0].upper()}{MENDED[1:]}.</li>") == 1
    assert summary.count("We cannot report on") == 1
    assert "For the same reason nothing can be said of the programme" in summary
    assert "It cannot be said what part the programme had" in said


def test_abuse_that_was_not_recorded_and_cases_not_assessed_again_have_words_of_their_own(pages):
    html = pages["compared"]["levels"].html
    assert '<caption id="caption-levels-physical-idva">Physical abuse, as the victim' in html
    assert "Programme group, no abuse recorded at intake" in html
    assert '<th scope="col" class="ek-number">Not assessed again</th>' in html
    assert html.index("Programme group, high at intake") < html.index("Comparison group, no abuse recorded at intake")


def test_a_change_of_levels_stands_beside_the_share_that_was_to_be_expected(pages):
    [_, row] = re.findall(
        r"Physical abuse, as the victim&#39;s independent adviser judged it: programme.*?</tr>",
        pages["compared"]["levels"].html,
        re.DOTALL,
    )
    cells = re.findall(r"<td[^>]*>(.*?)</td>", row)
    minus = "\N{MINUS SIGN}"
    assert cells == [
        f"{minus}25 ({minus}32 to {minus}18)",
        f"{minus}10 ({minus}16 to {minus}4)",
        "66 (58 to 73)",
        "50 to 67",
    ]


def test_the_drawing_of_levels_tells_the_numbers_of_both_groups_and_of_the_missing(pages):
    alt = pages["compared"]["transitions"].alt
    told = "325 cases: lower 120, the same 90, higher 30, not assessed again 85."
    assert f"Physical abuse, programme group, {told}" in alt
    assert f"Sexual abuse, comparison group, {told}" in alt
    assert "comparison" not in pages["one group"]["transitions"].alt
    headline = pages["compared"]["transitions"].headline
    assert headline.endswith("of 325 cases of the programme group and in 120 of 325 cases of the comparison group")


def test_cases_that_may_not_be_told_apart_are_drawn_and_said_to_be_and_never_numbered():
    told = {"moved": "all", "lower": 20, "same": "fewer than 10", "higher": "withheld", "not_known": 15, "total": 45}
    finding = replace(_transition("physical", "idva", "programme", 35), rows=(told,))
    shown = figures.transitions([finding])
    assert isinstance(shown, Drawing)
    assert "the same fewer than 10, higher withheld" in shown.alt
    assert "Hatched in the drawing" in shown.table.html
    assert not re.search(r"\b10 cases|>10<", shown.html)


def test_scores_are_drawn_with_what_time_alone_would_have_made_of_them(pages):
    alt = pages["compared"]["trajectory"].alt
    assert "day 304: 52.6 (48.6 to 56.6), time alone 46.6" in alt
    assert "Mean score of the comparison group" in alt
    assert "fewer than 10" in pages["compared"]["readings"].html


def test_a_published_figure_is_a_mark_on_the_band_with_its_design_and_window(pages):
    shares, events = pages["one group"]["expected_shares"], pages["one group"]["expectation"]
    assert "A mark at 70, published elsewhere: one group before and after; six months after discharge." in shares.alt
    assert "Mark a, published elsewhere, at 161: domestic-abuse reoffending" in events.alt
    assert '<span data-claim="MATAC03">' in shares.html
    assert '<span data-claim="MATAC01">' in events.html


def test_the_drawing_of_shares_keeps_to_one_reporter_and_one_day_a_question_and_the_table_has_them_all(pages):
    shown = pages["compared"]
    assert "by_victim" not in shown["expected_shares"].alt
    assert "by_victim" in shown["shares"].html


def test_published_figures_stand_apart_with_what_keeps_them_from_a_finding(pages):
    html = pages["compared"]["claims"].html
    assert html.count('<th scope="row"><span data-claim="MATAC0') == 3
    assert "it is a change within one group" in html
    assert "of one group alone" in html
    assert "set against a comparison group" not in html
    drive = tables.claims(claims.of(_programme("drive"), ROOT), PAGES["compared"]()).html
    fair = re.search(r'<span data-claim="DRIVE07">[^<]*</span>: set against a comparison group', drive)
    assert fair is not None


def test_estimates_stand_in_a_table_for_each_strand_and_a_mean_score_counts_people(pages):
    html = pages["compared"]["findings"].html
    assert html.count("<caption") == 3
    assert '<td class="ek-number">\N{MINUS SIGN}4</td>' in html
    assert "160 people</td>" in html


def test_the_question_of_a_single_group_and_of_cases_allocated_says_what_was_done(project):
    alone, allocated = (Suite.read(name).studies()[0] for name in ("they-matter", "drive"))
    html = tables.question(alone).html
    assert "nobody: no comparison was made" in html
    assert "other people on record in these areas" in html
    html = tables.question(allocated).html
    assert "332 days (a high level of abuse); 182 days (domestic-abuse incident); 304 days (the score)" in html
    assert "score on the run date nearest to day 304" in html


def test_a_programme_is_told_by_its_own_documents_with_who_may_enter_and_how_long_it_is(project):
    html = tables.programme_facts(Suite.read("they-matter").studies()[0]).html
    assert '<th scope="row">Keeps out</th>' in html
    assert "21 group sessions" in html
    assert '<span data-claim="document">' in html
    assert _improper({"facts": tables.Table(name="facts", html=html)}) == ()
