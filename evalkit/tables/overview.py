"""One programme over all its areas and funding periods: what stands in each report, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from evalkit.display import Cell, Table, count, span, table
from evalkit.results import PROGRAMME, Finding
from evalkit.study import ALL_AREAS, Study

Parts = Iterable[tuple[Study, Sequence[Finding]]]
STRAND_WORDS = {
    "reoffending": "Recorded reoffending",
    "abuse_types": "Abuse, as assessed",
    "score_decline": "The score afterwards",
}
VERDICT = {
    "T0": "it cannot be told",
    "T1": "no conclusion",
    "T2": "not settled",
    "T3": "a difference, but not why",
    "T4": "a difference, and the checks held",
    "T5": "a difference, and chance decided who was in which group",
}
"""What a tier comes to, for whoever only glances at it."""


def strand_words(strand: str | None) -> str:
    """A strand as a heading: in the words laid down for it, or else its name."""
    name = strand or "outcome"
    return STRAND_WORDS.get(name, name.replace("_", " ").capitalize())


def overview(parts: Parts) -> Table:
    """Every report of a programme in a row: its people, and what became of each primary outcome.

    Areas stand in the order of the alphabet and carry no figure of an effect: a row of areas is no league table.
    """
    every = tuple(parts)
    strands = list(dict.fromkeys(finding.strand for _, findings in every for finding in _primary(findings)))
    rows = [_row(study, findings, strands) for study, findings in every]
    heads = (
        "Area",
        "Funding period",
        "People of the programme counted",
        *(strand_words(strand) for strand in strands),
    )
    notes = (
        "T0: cannot be reported; T1: described, without a conclusion; T2: more people would be needed to tell; T3: a "
        "direction, which depends on checks of hidden differences. The grade, 1 to 5, is how far the design can be "
        "trusted.",
        "An effect is reckoned over all areas together. One area alone cannot carry it, so areas are not compared.",
    )
    return table("overview", "Every report of the programme", heads, rows, numbers=(2,), notes=notes)


def _row(study: Study, findings: Sequence[Finding], strands: Sequence[str | None]) -> tuple[Cell, ...]:
    by_strand = {finding.strand: finding for finding in _primary(findings)}
    verdicts = (_verdict(by_strand.get(strand), findings) for strand in strands)
    return (study.area_label, study.period.label, _people(findings), *verdicts)


def _verdict(finding: Finding | None, findings: Sequence[Finding]) -> str:
    if not findings:
        return "no report: nobody could be compared as the plan asks"
    if finding is None:
        return "[z]"
    return {"not_estimable": "it cannot be told (T0)", "withheld": "[c]"}.get(
        finding.status, f"{VERDICT[finding.tier or 'T1']} ({finding.tier}, grade {finding.grade})"
    )


def _people(findings: Sequence[Finding]) -> str:
    counted = [finding.rows[0] for finding in findings if finding.id == "flow.analysed" and finding.rows]
    return count(counted[0][PROGRAMME]) if counted else "[z]"


def _primary(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.planned == "primary"]


def period_by_period(parts: Parts) -> Table:
    """The primary outcomes of all areas together in words, one funding period after the other."""
    blocks = [
        Markup("<h3 id='period-{}'>{}</h3>{}").format(
            study.period.name, study.period.label, Markup("").join(map(_paragraph, _told(findings)))
        )
        for study, findings in parts
        if study.area == ALL_AREAS and findings
    ]
    html = Markup('<div class="ek-sentences">{}</div>').format(Markup("").join(blocks))
    return Table(name="periods", html=str(html), payload={"kind": "sentences"})


def _told(findings: Sequence[Finding]) -> list[Finding]:
    """The primary outcomes, and what before and after would have said beside what was to be expected."""
    return [*_primary(findings), *[finding for finding in findings if finding.kind == "expected"][:1]]


def _paragraph(finding: Finding) -> Markup:
    kind = "ek-refused" if finding.tier == "T0" else "ek-sentence"
    return Markup('<p class="{}">{}</p>').format(kind, span(finding))
