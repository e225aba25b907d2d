"""The first page: what the report is about, and its answer in sentences."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from evalkit.display import Table, span, table
from evalkit.results import Finding
from evalkit.study import Study, plan_of
from evalkit.tables.asked import day, plan_words

MADE_UP = "SYNTHETIC: made-up data about nobody"
INTERNAL = "INTERNAL: not to be passed on"


def cover(study: Study, kind: str = "Evaluation report") -> Table:
    """What the report is about, for whom, and under which plan: the top of the first page.

    `kind` says in words which of a study's pages it is, so that no two have one title.
    """
    plan = plan_of(study)
    programme = study.programme.name
    open_data = f"Openly published research data; nothing is withheld or rounded. Source: {study.source}."
    made_up = "Made up by evalkit, with a truth that is known. Nobody in them exists, so nothing in them happened."
    rows = [
        ("Programme", programme),
        ("Area", study.area_label),
        ("Funding period", f"{study.period.label} ({_dates(study)})"),
        ("Data up to", day(study.as_of)),
        ("Plan", plan_words(plan)),
        *[("Data", open_data)] * (study.protection == "open_data"),
        *[("Data", made_up)] * study.is_made_up,
    ]
    facts = table("facts", "What this report is about", ("", ""), rows, plain=True)
    return Table(
        name="cover",
        html=facts.html,
        payload={
            "kind": "cover",
            "title": f"{kind}: {programme}, {study.area_label}, {study.period.label}",
            "heading": study.title,
            "subtitle": study.question,
            "profile": study.profile,
            "watermarks": list(watermarks(study)),
            "protection": study.protection,
            "meta": {
                "plan-fingerprint": study.fingerprint[:12],
                "plan-state": plan.state,
                "plan-lock": plan.hash[:12] if plan.hash else "none",
                "plan-locked-on": plan.locked_on.isoformat() if plan.locked_on else "none",
            },
        },
    )


def watermarks(study: Study) -> tuple[str, ...]:
    """What must stand on every page of a study, for whoever sees one page alone."""
    marks = ((MADE_UP, study.is_made_up), (INTERNAL, study.profile != "public"))
    return tuple(words for words, holds in marks if holds)


def _dates(study: Study) -> str:
    first, last = day(study.period.first_day), day(study.period.last_day)
    return first if first == last else f"{first} to {last}"


def summary(findings: Iterable[Finding]) -> Table:
    """The answer in brief: what could have been seen, what was found, what was to be expected, how far to trust it.

    Where no primary outcome may be shown, as of one area alone, how its people fared stands in its place.
    """
    chosen = tuple(findings)
    main = [finding for finding in chosen if finding.planned == "primary"]
    could, expected = ([finding for finding in chosen if finding.kind == kind] for kind in ("detectable", "expected"))
    shares = [finding for finding in chosen if finding.measure == "share" and finding.status == "released"]
    if any(finding.status == "released" for finding in main):
        shares = []
    told = (*could[:1], *main, *shares[:1], *expected[:1])
    paragraphs = [Markup("<p>{}</p>").format(span(finding)) for finding in told]
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
