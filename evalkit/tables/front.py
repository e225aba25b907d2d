"""The first page: what the report is about, and its answer in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from markupsafe import Markup

from evalkit.display import Table, span, table
from evalkit.results import Finding
from evalkit.study import Study, plan_of
from evalkit.tables.asked import day, plan_words
from evalkit.tables.found import by_strand
from evalkit.tables.overview import VERDICT, strand_words

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

    What could have been seen stands first, of every strand. Where no primary outcome of a strand may be shown, as of
    one area alone or of one group, how its people fared stands beside its refusal, with what was to be expected.
    """
    chosen = tuple(findings)
    main = [finding for finding in chosen if finding.planned == "primary"]
    answered = {finding.strand for finding in main if finding.status == "released"}
    shares = [finding for finding in chosen if finding.measure == "share" and finding.status == "released"]
    expected = [finding for finding in chosen if finding.kind == "expected"]
    bands = _one_a_strand(finding for finding in _shares(chosen) if main and finding.strand not in answered)
    could = _one_a_strand(finding for finding in chosen if finding.kind == "detectable")
    told = [*could, *_once(main), *([] if answered else shares[:1]), *expected[:1], *bands]
    several = len({finding.strand for finding in told}) > 1
    paragraphs = [Markup("<p>{}{}</p>").format(_about(finding) * several, span(finding)) for finding in told]
    if alike := [finding for finding in main if finding not in told]:
        named = "; ".join(dict.fromkeys(_outcome_words(finding) for finding in alike))
        paragraphs.insert(len(could) + len(_once(main)), Markup("<p>{}: {}.</p>").format(SAME_HOLDS, named))
    if main and not answered and bands:
        paragraphs.insert(0, Markup("<p>{}</p>").format(ONLY_DESCRIBED))
    grades = [Markup('<p class="ek-grade">{}</p>').format(words) for words in _grades(main)]
    html = Markup('<div class="ek-sentences ek-summary" id="summary">{}</div>').format(
        Markup("").join([*paragraphs, *grades])
    )
    return Table(name="summary", html=str(html), payload={"kind": "sentences"})


ONLY_DESCRIBED = (
    "What the programme changed cannot be told here. What can be told is how its people fared, beside what was to be "
    "expected in any case."
)


def _outcome_words(finding: Finding) -> str:
    words = finding.label.partition(":")[0]
    return f"{words[:1].lower()}{words[1:]}"


SAME_HOLDS = "For the same reason nothing can be said of the programme's part in another primary outcome"


def _about(finding: Finding) -> Markup:
    """What a paragraph is about, at its beginning, for whoever only glances at it."""
    words = strand_words(finding.strand) if finding.strand else ""
    kind = {"detectable": "what could be seen", "expected": "before and after"}.get(
        finding.kind, VERDICT[finding.tier or "T1"]
    )
    return Markup("<strong>{}: {}.</strong> ").format(words, kind) * bool(words)


def _once(main: Sequence[Finding]) -> list[Finding]:
    """The primary outcomes without those that are refused for a reason already given."""
    told: dict[str, Finding] = {}
    for finding in main:
        told.setdefault((finding.status == "not_estimable" and finding.reason) or finding.id, finding)
    return list(told.values())


def _one_a_strand(findings: Iterable[Finding]) -> list[Finding]:
    first: dict[str | None, Finding] = {}
    for finding in findings:
        first.setdefault(finding.strand, finding)
    return list(first.values())


def _shares(findings: Iterable[Finding]) -> list[Finding]:
    """Shares of one group beside what was to be expected, of those that may be shown."""
    return [finding for finding in findings if finding.kind == "expected_share" and finding.rows]


def _grades(main: Sequence[Finding]) -> list[Markup]:
    """How far the design can be trusted: once where it is the same for every primary outcome, else strand by strand."""
    graded = [finding for finding in main if finding.grade_sentence]
    if len({finding.grade_sentence for finding in graded}) < 2:
        return [span(finding, finding.grade_sentence) for finding in graded[:1]]
    return [
        Markup("{}: {}").format(strand_words(finding.strand), span(finding, finding.grade_sentence))
        for finding in graded
    ]


def sentences(findings: Iterable[Finding], name: str = "sentences") -> Table:
    """Every estimate in words, in the order given; what cannot be reported stands in a grey card with its reason.

    Under the name of its strand where there are several.
    """
    strands = by_strand(finding for finding in findings if finding.kind in ("estimate", "not_estimable"))
    blocks = []
    for strand, found in strands.items():
        if len(strands) > 1:
            blocks.append(Markup('<p class="ek-headline">{}</p>').format(strand_words(strand)))
        blocks += [
            Markup('<p class="{}">{}</p>').format(
                "ek-refused" if finding.tier == "T0" else "ek-sentence", span(finding)
            )
            for finding in found
        ]
    html = Markup('<div class="ek-sentences" id="sentences-{}">{}</div>').format(name, Markup("").join(blocks))
    return Table(name=name, html=str(html), payload={"kind": "sentences"})


def can_say(findings: Iterable[Finding]) -> Table:
    """What can and what cannot be said on the strength of the primary outcomes.

    Where none of them can be estimated: how people fared beside what was to be expected, and what comparison could
    still be made.
    """
    chosen = tuple(findings)
    main = [finding for finding in chosen if finding.planned == "primary"]
    can = [(finding, line) for finding in main for line in finding.can_say]
    cannot = [(finding, line) for finding in main for line in finding.cannot_say]
    parts = [_list("can", "It can be said", _spans(can)), _list("cannot", "It cannot be said", _spans(cannot))]
    if main and all(finding.status == "not_estimable" for finding in main):
        parts = list(_only_described(chosen, main))
    html = Markup('<div class="ek-sentences">{}</div>').format(Markup("").join(parts))
    return Table(name="can-say", html=str(html), payload={"kind": "sentences"})


def _spans(lines: Iterable[tuple[Finding, str]]) -> list[Markup]:
    """Each line once, as said of the first outcome that says it."""
    first: dict[str, Finding] = {}
    for finding, line in lines:
        first.setdefault(line, finding)
    return [span(finding, line) for line, finding in first.items()]


def _list(kind: str, title: str, lines: Sequence[str]) -> Markup:
    items = Markup("").join(Markup("<li>{}</li>").format(line) for line in lines)
    return Markup('<h3 id="{0}-be-said">{1}</h3><ul class="ek-{0}">{2}</ul>').format(kind, title, items) * bool(lines)


def _only_described(chosen: Sequence[Finding], main: Sequence[Finding]) -> Iterator[Markup]:
    bands = [finding for finding in chosen if finding.kind == "expected"][:1]
    bands += _one_a_strand(_shares(chosen))
    yield _list("can", "It can be said", [span(finding, finding.can_say[0]) for finding in bands if finding.can_say])
    yield _list("cannot", "It cannot be said", [NO_PART])
    mends = [(finding.reason or "").partition(MEND)[2] for finding in main]
    lines = [f"{mend[0].upper()}{mend[1:]}." for mend in dict.fromkeys(filter(None, mends))]
    yield _list("still", "What comparison could still be made", lines)


MEND = "What would mend it: "
NO_PART = "It cannot be said what part the programme had in any of this: nobody else can stand for its people here."
