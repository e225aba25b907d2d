"""The two things that a page may show, tables and drawings, and how they stand on it. Made from findings only."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from markupsafe import Markup

from evalkit.results import COMPARISON, PROGRAMME, Finding

if TYPE_CHECKING:
    from jinja2 import Template

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


def not_drawn(name: str, about: str, findings: Sequence[Finding]) -> NotDrawn:
    """The card that stands for a drawing, with the reasons why its findings are not there."""
    reasons = sorted({finding.reason for finding in findings if finding.reason})
    return NotDrawn(name=name, about=about, reason="; ".join(reasons) or "nothing was estimated that could be drawn")


_PAGE_PART = Markup(
    '<figure class="ek-drawing" id="drawing-{name}"><p class="ek-headline">{headline}</p>'
    '<p class="ek-subtitle">{subtitle}</p>'
    '<img src="data:image/png;base64,{picture}" alt="{alt}" width="{width}" height="{height}">'
    "<details><summary>View as table: {about}</summary>{table}</details></figure>"
)


def span(finding: Finding, words: str | None = None) -> Markup:
    """The finding's sentence, or other generated words of it, marked as such; a description without tier is T1."""
    return SPAN.format(id=finding.id, tier=finding.tier or "T1", sentence=words or finding.sentence)


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
    return [
        (
            f"Left out: {finding.label[0].lower()}{finding.label[1:]}" if row["left_out"] else finding.label,
            *(count(row[side]) for side in (PROGRAMME, COMPARISON, "total")),
            row["unit"],
        )
        for finding in findings
        for row in finding.rows
    ]


STEP_HEADS = ("Step", "Programme group", "Comparison group", "Both", "Unit")
