"""The index page of a suite: every report with its status in words, its headline and its link."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

TEMPLATE = Path(__file__).parent / "template" / "evalkit"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRow:
    """One report of the suite, or the reason why it is not there.

    Attributes
    ----------
    notebook, status : str
        Kind of report (a notebook's name will do) and what became of it, in words for a reader.
    headline : str
        A released sentence as HTML, in its span with `data-finding` and `data-tier`; empty where there is none.
    reason : str
        Why the report is not there, in words; shown where there is no headline.
    link : str or None
        Path of the page from the index; None where no page was made.
    """

    programme: str
    area: str
    period: str
    notebook: str
    status: str
    headline: str = ""
    reason: str = ""
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Area:
    name: str
    rows: tuple[IndexRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Programme:
    id: str
    name: str
    areas: tuple[_Area, ...]


def index_page(
    *,
    title: str,
    heading: str,
    intro: str,
    rows: Sequence[IndexRow],
    notes: Sequence[str] = (),
    profile: str,
    watermarks: Sequence[str] = (),
) -> str:
    """The HTML page that leads to every report of a suite, one table a programme, in the order of the rows.

    Texts are escaped, except a row's `headline` and what is already `markupsafe.Markup`.
    """
    from jinja2 import Environment, FileSystemLoader  # here, so that importing evalkit.export stays light

    from evalkit.export.body import Cover, Section, furnished

    environment = furnished(Environment(loader=FileSystemLoader(TEMPLATE), autoescape=True))
    programmes = tuple(_programmes(rows))
    sections = [Section(id=programme.id, text=programme.name, level=2) for programme in programmes]
    return environment.get_template("suite.html.j2").render(
        page=Cover(title=title, heading=heading, profile=profile, watermarks=tuple(watermarks)),
        intro=intro,
        notes=notes,
        programmes=programmes,
        sections=[*sections, *([Section(id="notes", text="Notes", level=2)] if notes else [])],
    )


def _programmes(rows: Iterable[IndexRow]) -> Iterator[_Programme]:
    for number, (name, mine) in enumerate(groupby(rows, key=lambda row: row.programme), start=1):
        areas = (_Area(name=area, rows=tuple(some)) for area, some in groupby(mine, key=lambda row: row.area))
        yield _Programme(id=f"programme-{number}", name=name, areas=tuple(areas))
