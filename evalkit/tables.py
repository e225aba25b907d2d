"""Findings and decisions laid out as tables and sentences. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from evalkit.display import Cell, Table, count, signed, span, table
from evalkit.evidence import times
from evalkit.results import Arm, Finding
from evalkit.study import Plan, Study, plan_of


def cover(study: Study) -> Table:
    """What the report is about, for whom, and under which plan: the top of the first page."""
    plan = plan_of(study)
    programme = study.programme.name
    marks = [] if study.profile == "public" else ["INTERNAL: not to be passed on"]
    rows = [
        ("Programme", programme),
        ("Area", study.area_label),
        ("Funding period", f"{study.period.label} ({_span(study)})"),
        ("Data up to", _day(study.as_of)),
        ("Plan", _plan_words(plan)),
        *([("Data", f"Openly published research data; nothing is withheld or rounded. Source: {study.source}.")] * (
            study.protection == "open_data"
        )),
    ]  # fmt: skip
    facts = table("facts", "What this report is about", ("", ""), rows, plain=True)
    return Table(
        name="cover",
        html=facts.html,
        payload={
            "kind": "cover",
            "title": f"Evaluation report: {programme}, {study.area_label}, {study.period.label}",
            "heading": study.title,
            "subtitle": study.question,
            "profile": study.profile,
            "watermarks": marks,
            "protection": study.protection,
            "meta": {
                "plan-fingerprint": study.fingerprint[:12],
                "plan-state": plan.state,
                "plan-lock": plan.hash[:12] if plan.hash else "none",
                "plan-locked-on": plan.locked_on.isoformat() if plan.locked_on else "none",
            },
        },
    )


def summary(findings: Iterable[Finding]) -> Table:
    """The answer in brief: what could have been seen, what was found, how far it can be trusted."""
    chosen = tuple(findings)
    could = [finding for finding in chosen if finding.kind == "detectable"]
    main = [finding for finding in chosen if finding.planned == "primary"]
    paragraphs = [Markup("<p>{}</p>").format(span(finding)) for finding in (*could[:1], *main)]
    grades = [
        Markup('<p class="ek-grade">{}</p>').format(span(finding, finding.grade_sentence))
        for finding in main[:1]
        if finding.grade_sentence
    ]
    html = Markup('<div class="ek-sentences ek-summary" id="summary">{}</div>').format(
        Markup("").join([*paragraphs, *grades])
    )
    return Table(name="summary", html=str(html), payload={"kind": "sentences"})


def sentences(findings: Iterable[Finding], name: str = "sentences") -> Table:
    """Every estimate in words, in the order given; what cannot be reported stands in a grey card with its reason."""
    blocks = [
        Markup('<p class="{}">{}</p>').format("ek-refused" if finding.tier == "T0" else "ek-sentence", span(finding))
        for finding in findings
        if finding.kind in ("estimate", "not_estimable")
    ]
    html = Markup('<div class="ek-sentences" id="sentences-{}">{}</div>').format(name, Markup("").join(blocks))
    return Table(name=name, html=str(html), payload={"kind": "sentences"})


def can_say(findings: Iterable[Finding]) -> Table:
    """What can and what cannot be said on the strength of the primary outcomes."""
    main = [finding for finding in findings if finding.planned == "primary"]
    parts = []
    for words, kind, attribute in (("It can be said", "can", "can_say"), ("It cannot be said", "cannot", "cannot_say")):
        lines = [(finding, line) for finding in main for line in getattr(finding, attribute)]
        items = Markup("").join(Markup("<li>{}</li>").format(span(finding, line)) for finding, line in lines)
        if lines:
            parts.append(Markup('<h3 id="{0}-be-said">{1}</h3><ul class="ek-{0}">{2}</ul>').format(kind, words, items))
    html = Markup('<div class="ek-sentences">{}</div>').format(Markup("").join(parts))
    return Table(name="can-say", html=str(html), payload={"kind": "sentences"})


def question(study: Study) -> Table:
    """The trial that would answer the question, beside what was done."""
    programme = study.programme
    rows = [
        ("People", "; ".join(programme.eligibility), f"{programme.people}, {study.area_label}, {study.period.label}"),
        ("What they had", programme.name, programme.name),
        ("Against", programme.comparator, programme.comparator),
        ("Who got which", "by chance", _ASSIGNMENT[programme.design]),
        (
            "Day on which the clock starts",
            programme.index_event,
            f"{programme.index_event} (index date), the same for both groups",
        ),
        (
            "Followed for",
            f"{study.horizon_days} days",
            f"day 1 to day {study.horizon_days} after the index date; the index day is not counted",
        ),
        ("Outcome", programme.event, f"first recorded {programme.event}"),
        (
            "Who is counted",
            "everybody as allocated",
            "everybody as allocated, whatever happened next (intention to treat)",
        ),
    ]
    return table(
        "question",
        "The question as a trial, and what was done",
        ("Part", "The trial that would answer it", "What was done"),
        rows,
    )


_ASSIGNMENT = {"randomised": "by chance (individual random allocation)"}


def flow(findings: Iterable[Finding]) -> Table:
    """Every step from the extract to the people analysed, with what left before it."""
    rows = [
        (
            _step(finding),
            *(count(finding.rows[0][side]) for side in ("programme", "comparison", "total")),
            finding.rows[0]["unit"],
        )
        for finding in findings
        if finding.rows
    ]
    heads = ("Step", "Programme group", "Comparison group", "Both", "Unit")
    return table(
        "flow",
        "Who was counted, and who was left out",
        heads,
        rows,
        numbers=(1, 2, 3),
        notes=("Rows of an extract are not told apart by group.",),
    )


def _step(finding: Finding) -> str:
    return f"Left out: {finding.label[0].lower()}{finding.label[1:]}" if finding.rows[0]["left_out"] else finding.label


def findings(chosen: Iterable[Finding]) -> Table:
    """Every estimate with its arms, its interval and what was planned of it; refusals stand in their row."""
    estimates = [finding for finding in chosen if finding.kind in ("estimate", "not_estimable")]
    rows = [_estimate_row(finding) for finding in estimates]
    heads = (
        "Outcome",
        "Programme group",
        "Comparison group",
        "Result",
        "Range that fits the data",
        "p",
        "Planned as",
        "Evidence",
    )
    notes = (
        _level_note(estimates),
        "A ratio of 1 or a difference of 0 means no difference.",
        "p is corrected for their number among primary outcomes, and given as it is for secondary ones.",
        "Evidence: T0 (nothing can be said) to T5 (the programme made the difference) is how far a sentence may go; "
        "the grade, 1 to 5, is how far the design can be trusted.",
    )
    return table("findings", "What was found, outcome by outcome", heads, rows, numbers=(3, 4, 5), notes=notes)


def _level_note(estimates: Sequence[Finding]) -> Markup:
    levels = sorted({finding.level for finding in estimates if finding.level})
    words = " and ".join(f"{100 * level:g}%" for level in levels) or "planned"
    return Markup("The range is the <span data-setting>{}</span> interval.").format(words)


def _estimate_row(finding: Finding) -> tuple[Cell, ...]:
    evidence = f"{finding.tier}, grade {finding.grade}"
    planned = finding.planned or "not planned"
    if finding.status != "released":
        reason = "not estimable" if finding.status == "not_estimable" else "[c]"
        return (finding.label, *[reason] * 4, "[z]", planned, evidence)
    sides = [_side(arm, finding) for arm in finding.arms]
    p_value = finding.p_adjusted if finding.p_adjusted is not None else finding.p_value
    shown = "[z]" if p_value is None or finding.planned == "exploratory" else _probability(p_value)
    value, low, high = (_number(number, finding.unit) for number in (finding.value, finding.low, finding.high))
    return (finding.label, *sides, value, f"{low} to {high}", shown, planned, evidence)


def _side(arm: Arm, finding: Finding) -> str:
    return f"{arm.events} of {arm.people}"


def methods(chosen: Iterable[Finding]) -> Table:
    """How each figure was reckoned and what to bear in mind with it."""
    rows = [
        (finding.label, finding.method or "[z]", " ".join(finding.caveats) or finding.reason or "none")
        for finding in chosen
        if finding.kind in ("estimate", "not_estimable", "detectable")
    ]
    return table("methods", "How each figure was reckoned", ("Figure", "Method", "To bear in mind"), rows)


def made(chosen: Study) -> Table:
    """How the report was made: its sources, its deviations from the plan, and every setting, defaults included."""
    parts = [_sources(chosen), _deviations(chosen), study(chosen)]
    return Table(name="made", html="".join(part.html for part in parts))


def study(chosen: Study) -> Table:
    """Every setting of the study, defaults included, with its fingerprint."""
    rows = [
        (setting, Markup("<span data-setting>{}</span>").format(value)) for setting, value in _settings(chosen.choices)
    ]
    notes = (f"Fingerprint of these settings: {chosen.fingerprint[:12]}. {_plan_words(plan_of(chosen))}",)
    return table("settings", "Every setting of this report", ("Setting", "Value"), rows, notes=notes)


def _deviations(chosen: Study) -> Table:
    plan = plan_of(chosen)
    rows = [(each.setting, each.planned, each.used) for each in plan.deviations]
    if not rows:
        rows = [("none" if plan.hash else "no plan was locked, so none can be listed", "[z]", "[z]")]
    return table("deviations", "Deviations from the plan", ("Setting", "As planned", "As used"), rows)


def _sources(chosen: Study) -> Table:
    from evalkit import __version__

    already = " The data were public before the plan was locked." if chosen.protection == "open_data" else ""
    rows = [
        ("Data", f"{chosen.source or 'extracts of the partners named in the suite'}.{already}"),
        ("Data up to", _day(chosen.as_of)),
        ("Funding, independence and access to the data", chosen.funding or "not stated in the suite"),
        ("Notes on the data", " ".join(chosen.programme.notes) or "none"),
        ("Made with", f"evalkit {__version__}"),
        ("To make it again", f"evalkit run {chosen.suite} --profile {chosen.profile}"),
        ("Symbols", "[c] withheld to protect people; [u] low reliability; [z] not applicable"),
    ]
    return table("sources", "Where it comes from", ("", ""), rows, plain=True)


def _settings(content: Any, name: str = "") -> list[tuple[str, str]]:
    if isinstance(content, Mapping) and content:
        return [pair for key, value in content.items() for pair in _settings(value, f"{name}.{key}" if name else key)]
    if isinstance(content, list | tuple) and content:
        return [pair for place, value in enumerate(content, start=1) for pair in _settings(value, f"{name} {place}")]
    return [(name, "not set" if content in (None, [], {}, ()) else str(content))]


def _plan_words(plan: Plan) -> str:
    before = f" Plans locked before were replaced: {', '.join(map(_day, plan.earlier))}." if plan.earlier else ""
    when = f"Plan {plan.hash[:12]} locked on {_day(plan.locked_on)}" if plan.hash and plan.locked_on else ""
    return {
        "locked": f"{when}; {'only wording was' if plan.deviations else 'nothing was'} changed since.",
        "locked_late": f"{when}, after the data were to hand: not planned in advance.",
        "changed_after_lock": f"{when}; what differs from it is listed under its deviations: not planned in advance.",
        "not_locked": "No plan was locked: not planned in advance.",
    }[plan.state] + before


def _span(chosen: Study) -> str:
    first, last = _day(chosen.period.first_day), _day(chosen.period.last_day)
    return first if first == last else f"{first} to {last}"


def _day(day: Any) -> str:
    return f"{day.day} {day:%B %Y}"


def _probability(p_value: float) -> str:
    """Two decimals, or three where two would hide on which side of 0.05 it lies."""
    if p_value < 0.005:
        return "<0.01"
    return f"{p_value:.3f}" if 0.045 <= p_value < 0.055 else f"{p_value:.2f}"


def _number(number: float | None, unit: str | None) -> str:
    if number is None:
        return "[z]"
    return times(number) if unit == "ratio" else signed(number, 0)
