"""The two things that a page may show, tables and drawings, and how they stand on it. Made from findings only."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from markupsafe import Markup

from evalkit.results import ABUSE_TYPES, COMPARISON, LEVELS, PROGRAMME, REPORTERS, Finding

if TYPE_CHECKING:
    from jinja2 import Template

    from evalkit.claims import Claim

Cell = str | Markup
SPAN = Markup('<span data-finding="{id}" data-tier="{tier}">{sentence}</span>')


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a notebook shows that is not a drawing: made from findings and decisions, never from data.

    Attributes
    ----------
    name : str
        Its name on the page, unique in the notebook.
    html : str
        What is shown.
    payload : dict
        What the exporter and the runner need to know of it.
    """

    name: str
    html: str
    payload: Mapping[str, Any] = field(default_factory=dict)

    MIME: ClassVar[str] = "application/vnd.evalkit.table+json"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        told = {"kind": "table", **self.payload, "name": self.name}
        return {self.MIME: told, "text/html": self.html, "text/plain": f"table: {self.name}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A drawing with its headline, its words for those who cannot see it, and its numbers as a table.

    Where nothing may be drawn it is `NotDrawn` instead.
    """

    name: str
    headline: Markup
    subtitle: str
    about: str
    alt: str
    png: bytes
    size: tuple[int, int]
    table: Table

    MIME: ClassVar[str] = "application/vnd.evalkit.drawing+json"

    @property
    def html(self) -> str:
        """The drawing as it stands on a page."""
        return str(_PAGE_PART.format(
            name=self.name, headline=self.headline, subtitle=self.subtitle, alt=self.alt, width=self.size[0],
            height=self.size[1], about=self.about, picture=base64.b64encode(self.png).decode(),
            table=Markup(self.table.html),
        ))  # fmt: skip

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {self.MIME: {"name": self.name}, "text/html": self.html, "text/plain": f"drawing: {self.name}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDrawn:
    """What stands in the place of a drawing for which too little may be shown, with the reason."""

    name: str
    about: str
    reason: str

    MIME: ClassVar[str] = Drawing.MIME

    @property
    def html(self) -> str:
        """A grey card that says why."""
        words = Markup('<div class="ek-refused" id="drawing-{}"><p>There is no drawing of {}: {}.</p></div>')
        return str(words.format(self.name, self.about, self.reason))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {self.MIME: {"name": self.name}, "text/html": self.html, "text/plain": f"drawing: {self.name}"}


def not_drawn(
    name: str, about: str, findings: Sequence[Finding], otherwise: str = "nothing was estimated that could be drawn"
) -> NotDrawn:
    """The card that stands for a drawing, with the reasons why its findings are not there, or what else is why."""
    reasons = sorted({finding.reason for finding in findings if finding.reason})
    return NotDrawn(name=name, about=about, reason="; ".join(reasons) or otherwise)


_PAGE_PART = Markup(
    '<figure class="ek-drawing" id="drawing-{name}"><p class="ek-headline">{headline}</p>'
    '<p class="ek-subtitle">{subtitle}</p>'
    '<img src="data:image/png;base64,{picture}" alt="{alt}" width="{width}" height="{height}">'
    "<details><summary>View as table: {about}</summary>{table}</details></figure>"
)


def span(finding: Finding, words: str | None = None) -> Markup:
    """The finding's sentence, or other generated words of it, marked as such; a description without tier is T1."""
    return SPAN.format(id=finding.id, tier=finding.tier or "T1", sentence=words or finding.sentence)


def claimed(claim: Claim, words: str) -> Markup:
    """Words of a published figure, marked as somebody else's."""
    return Markup('<span data-claim="{}">{}</span>').format(claim.id, words)


def published_value(claim: Claim) -> str:
    """A published figure with its sign and unit."""
    number = signed(claim.value, 0) if float(claim.value).is_integer() else signed(claim.value, 1)
    return f"{number}{'%' if claim.unit == 'percent' else f' {claim.unit}'}"


def how_published(claim: Claim) -> str:
    """The design of a published figure in brief, and its window."""
    return f"{claim.design.partition(':')[0]}; {claim.window}"


def table(
    name: str,
    caption: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    numbers: Sequence[int] = (),
    notes: Sequence[Cell] = (),
    plain: bool = False,
) -> Table:
    """A table of released figures and words; `plain` leaves the row of column heads out (a list of facts)."""
    html = _template().render(
        name=name, caption=caption, heads=heads, rows=rows, numbers=numbers, notes=notes, plain=plain
    )
    return Table(name=name, html=html)


def card(name: str, words: Cell, *, title: str = "") -> Table:
    """A grey card that stands in the place of a table for which there is nothing to show, and says why."""
    heading = Markup('<p class="ek-headline">{}</p>').format(title) if title else ""
    html = Markup('<div class="ek-refused" id="table-{}">{}<p>{}</p></div>').format(name, heading, words)
    return Table(name=name, html=str(html))


@cache
def _template() -> Template:
    from jinja2 import Environment

    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(_TEMPLATE)


_TEMPLATE = """\
{% macro side(place) %}{% if place in numbers %} class="ek-number"{% endif %}{% endmacro %}
<div class="ek-table" id="table-{{ name }}">
<div class="ek-scroll" role="region" tabindex="0" aria-labelledby="caption-{{ name }}">
<table>
<caption id="caption-{{ name }}">{{ caption }}</caption>
{% if not plain %}
<thead><tr>
{% for head in heads %}
<th scope="col"{{ side(loop.index0) }}>{{ head }}</th>
{% endfor %}
</tr></thead>
{% endif %}
<tbody>
{% for row in rows %}
<tr>
<th scope="row">{{ row[0] }}</th>
{% for cell in row[1:] %}
<td{{ side(loop.index) }}>{{ cell }}</td>
{% endfor %}
</tr>
{% endfor %}
</tbody>
</table>
</div>
{% for note in notes %}
<p class="ek-note">{{ note }}</p>
{% endfor %}
</div>
"""


def count(number: int | str | None) -> str:
    """A released count; `[z]` where none applies."""
    if number is None:
        return "[z]"
    return number if isinstance(number, str) else f"{number:,}"


def signed(number: float, digits: int) -> str:
    """A number with a true minus sign, and never a minus zero."""
    words = f"{number:.{digits}f}"
    return words.removeprefix("-") if float(words) == 0 else words.replace("-", "\N{MINUS SIGN}")


def step_rows(findings: Iterable[Finding]) -> list[tuple[Cell, ...]]:
    """Every step of a flow as the row of a table: what it is, how many of each group and of both, and of what."""
    return [_step_row(finding, row) for finding in findings for row in finding.rows or (None,)]


def _step_row(finding: Finding, row: Mapping[str, Any] | None) -> tuple[Cell, ...]:
    if row is None:
        return (finding.label, "[c]", "[c]", "[c]", "people")
    left = f"Left out: {finding.label[0].lower()}{finding.label[1:]}" if row["left_out"] else finding.label
    return (left, *(count(row[side]) for side in (PROGRAMME, COMPARISON, "total")), row["unit"])


STEP_HEADS = ("Step", "Programme group", "Comparison group", "Both", "Unit")


LEVEL_WORDS: Mapping[str, str] = {level: level for level in LEVELS} | {"none": "no abuse recorded"}


def judged(finding: Finding) -> tuple[str, str, str]:
    """Of a transition: the abuse type, who judged, and the arm, as its id names them."""
    *_, reporter, arm = finding.id.split(".")
    return finding.outcome or "", reporter, arm


def abuse_words(outcome: str, reporter: str) -> str:
    """An abuse type and who judged it, as a caption begins."""
    kind = ABUSE_TYPES[outcome]
    return f"{kind[0].upper()}{kind[1:]}, as {REPORTERS[reporter]} judged it"


def level_rows(finding: Finding) -> list[tuple[Cell, ...]]:
    """Cases of one arm by level at intake, a row each, and level later; none where the transition is withheld."""
    _, _, arm = judged(finding)
    return [
        (
            f"{arm.capitalize()} group, {LEVEL_WORDS[row['level']]} at intake",
            *(count(row[name]) for name in (*LEVELS, "not_known", "total")),
        )
        for row in finding.rows
        if "level" in row
    ]


LEVEL_HEADS = ("Level at intake", *(word.capitalize() for word in LEVEL_WORDS.values()), "Not assessed again", "Total")


def moves(finding: Finding) -> Mapping[str, Any]:
    """Of a transition that may be shown: how many cases moved to a lower level or a higher, and of how many."""
    return next(row for row in finding.rows if "moved" in row)


def move_cells(finding: Finding) -> tuple[str, ...]:
    """The same as the cells of a table's row; withheld where nothing may be shown."""
    if not finding.rows:
        return ("[c]",) * len(MOVE_HEADS)
    sums = moves(finding)
    return tuple(count(sums[name]) for name in (*MOVE_WORDS, "total"))


MOVE_WORDS = {"lower": "lower", "same": "the same", "higher": "higher", "not_known": "not assessed again"}
MOVE_HEADS = ("At a lower level", "At the same", "At a higher", "Not assessed again", "All cases")


def ranged(row: Mapping[str, Any], value: str, low: str, high: str, digits: int = 0) -> str:
    """A released figure with its range in brackets; the range alone where only its ends can be told."""
    if row[low] is None:
        return "[c]"
    ends = f"{signed(row[low], digits)} to {signed(row[high], digits)}"
    return ends if row[value] is None else f"{signed(row[value], digits)} ({ends})"


def reading_rows(findings: Iterable[Finding]) -> list[tuple[Cell, ...]]:
    """The scores of each arm, a row a reading: mean, floor, share of the attainable fall, and who was read."""
    return [
        (
            f"{arm_of(finding).capitalize()} group, {_reading(row['day'])}",
            ranged(row, "mean", "low", "high", 1),
            "[c]" if row["floor"] is None else signed(row["floor"], 1),
            "[z]" if not row["day"] else ranged(row, "realised", "realised_low", "realised_high"),
            *(count(row[name]) for name in ("people", "in_custody")),
            count(row["still_open"]) if arm_of(finding) == PROGRAMME else "[z]",
        )
        for finding in findings
        for row in finding.rows
    ]


def arm_of(finding: Finding) -> str:
    """The arm that a finding of one arm tells of, as its id ends."""
    return finding.id.rsplit(".", 1)[1]


def _reading(day: int) -> str:
    return f"day {day}" if day else "index date"


READING_HEADS = (
    "Group and reading",
    "Mean score",
    "Had nothing more been recorded",
    "Share of the attainable fall, in every hundred",
    "People read",
    "In custody that day",
    "Still held by the programme",
)


def share_rows(findings: Iterable[Finding]) -> list[tuple[Cell, ...]]:
    """What people of the programme had, a row each, beside how many would have had it without the programme."""
    return [_share_row(finding) for finding in findings]


def _share_row(finding: Finding) -> tuple[Cell, ...]:
    if not finding.rows:
        return (finding.label, *["[c]"] * 5)
    row = finding.rows[0]
    return (
        finding.label,
        _counted(row),
        ranged(row, "share", "low", "high"),
        ranged(row, "without", "without_low", "without_high"),
        row["basis"],
        count(row["not_known"]),
    )


def _counted(row: Mapping[str, Any]) -> str:
    part = row["people_with"]
    return f"{'[c]' if part == 'withheld' else count(part)} of {count(row['people'])}"


SHARE_HEADS = (
    "What was looked at",
    "People who had it",
    "In every hundred",
    "Expected without the programme, in every hundred",
    "Expected from",
    "Not known",
)
