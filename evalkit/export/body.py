"""The body of a page put in order: what the cover says, the levels of the headings, the contents list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bs4.element import Comment

from evalkit.errors import NotReleasable
from evalkit.export import safety
from evalkit.export.structure import HEADINGS, text_of

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag
    from jinja2 import Environment

UNTITLED = "Evaluation report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """What a page says of itself; all of it empty for a notebook without a cover.

    `meta` are (name, value) pairs in the order of their names, `html` follows under the heading.
    """

    title: str = ""
    heading: str = ""
    subtitle: str = ""
    profile: str = ""
    protection: str = ""
    watermarks: tuple[str, ...] = ()
    meta: tuple[tuple[str, str], ...] = ()
    html: str = ""

    @classmethod
    def of(cls, payload: Mapping[str, Any], html: str) -> Cover:
        """The cover of a notebook, from what its cell shows."""
        words = {name: str(payload.get(name) or "") for name in ("title", "heading", "subtitle", "profile")}
        return cls(
            **words,
            protection=str(payload.get("protection") or ""),
            watermarks=tuple(map(str, payload.get("watermarks") or ())),
            meta=tuple(sorted((str(name), str(value)) for name, value in (payload.get("meta") or {}).items())),
            html=html,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A line of the contents list and the lines under it."""

    id: str
    text: str
    level: int
    parts: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What stands under the cover, with the page's title, its one heading of level 1 and its contents list."""

    title: str
    heading: str
    html: str
    contents: tuple[Section, ...]


def arranged(html: str, cover: Cover) -> Body:
    """The body with headings that never skip a level, an id on each, and no heading of level 1.

    A notebook's own title (its first heading, if of level 1) gives way to the cover's; without a cover the first
    heading of any level is the page's. Further headings of level 1 become level 2, and a skipped level is closed up.
    """
    soup = safety.parsed(str(html))
    _refuse_what_acts(soup, safety.parsed(cover.html))
    for comment in soup.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    own = _own_title(soup, anything=not cover.heading)
    _level(soup)
    _name(soup)
    heading = cover.heading or own or UNTITLED
    return Body(
        title=cover.title or heading,
        heading=heading,
        html=str(soup),
        contents=_contents(soup),
    )


def furnished(environment: Environment) -> Environment:
    """The Jinja environment with what every page template of ours needs."""
    environment.autoescape = True
    environment.globals["policy"] = safety.POLICY
    environment.filters |= {"arranged": arranged, "css_text": css_text, "in_words": in_words}
    return environment


def in_words(name: str) -> str:
    """`plan-fingerprint` as "Plan fingerprint"."""
    words = name.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


def css_text(text: str) -> str:
    """A text that is safe between quotation marks in a style sheet."""
    return "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):x} " for c in text)


def _refuse_what_acts(*soups: BeautifulSoup) -> None:
    problems = sorted({problem for soup in soups for problem in safety.acting(soup)})
    if problems:
        raise NotReleasable(
            "the page holds markup that no report may hold:\n"
            + "\n".join(f"  {problem}" for problem in problems)
            + "\nTake it out of the notebook's text."
        )


def _own_title(soup: BeautifulSoup, *, anything: bool) -> str:
    first = soup.find(HEADINGS)
    if first is None or not (anything or first.name == "h1"):
        return ""
    return text_of(first.extract())


def _level(soup: BeautifulSoup) -> None:
    above = 1
    for heading in soup.find_all(HEADINGS):
        above = min(max(int(heading.name[1]), 2), above + 1)
        heading.name = f"h{above}"


def _name(soup: BeautifulSoup) -> None:
    taken = {tag["id"] for tag in soup.find_all(id=True)}
    for heading in soup.find_all(HEADINGS):
        if not heading.get("id"):
            heading["id"] = next(name for name in _names(heading) if name not in taken)
            taken.add(heading["id"])


def _names(heading: Tag) -> Iterator[str]:
    name = "section-" + (re.sub(r"[^a-z0-9]+", "-", heading.get_text().lower()).strip("-") or "untitled")
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1


def _contents(soup: BeautifulSoup) -> tuple[Section, ...]:
    lines = [
        Section(id=str(tag["id"]), text=text_of(tag), level=int(tag.name[1])) for tag in soup.find_all(("h2", "h3"))
    ]
    starts = [place for place, line in enumerate(lines) if line.level == 2] + [len(lines)]
    return tuple(
        Section(id=lines[start].id, text=lines[start].text, level=2, parts=tuple(lines[start + 1 : end]))
        for start, end in pairwise(starts)
    )
