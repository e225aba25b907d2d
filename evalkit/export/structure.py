"""What a delivered page is made of: checks that an accessibility engine cannot make, and that nothing leads out."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Set
from typing import TYPE_CHECKING
from urllib.parse import unquote

from bs4.element import Comment, Stylesheet

from evalkit.export import safety

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
SCOPES = ("row", "col", "rowgroup", "colgroup")
PLACEHOLDER = re.compile(
    r"(no (description|alt(ernative)? text)\b.*|.*\.(png|jpe?g|svg|gif)|alt(ernative)?( text)?|untitled.*|todo.*|"
    r"(an? |the )?(\w+ )?(image|figure|picture|photo|chart|graph|plot|drawing|diagram)( \d+)?\.?)",
    re.IGNORECASE,
)
NOT_A_VALUE = re.compile(r"(?<!\w)(?:nan|inf|NaT|<NA>)(?![\w-])", re.IGNORECASE)
NOTHING = re.compile(r"(?<!\w)None(?![\w-])")


def problems(page: BeautifulSoup, *, files: Set[str]) -> Iterator[str]:
    """In words, all that is wrong with the structure of a page."""
    yield from _head(page)
    yield from safety.acting(page, frame=True)
    yield from _headings(page)
    yield from _links(page, files)
    for table in page.find_all("table"):
        yield from _table(table)
    yield from _captions(page)
    yield from _drawings(page)
    yield from _values(page)


def text_of(tag: Tag | None) -> str:
    """The text of an element on one line; nothing for no element."""
    return " ".join(tag.get_text().split()) if tag else ""


def _head(page: BeautifulSoup) -> Iterator[str]:
    if not page.html or page.html.get("lang") != "en-GB":
        yield "the page does not say that it is in English (lang='en-GB')"
    head = [tag for tag in page.head.find_all(True) if not tag.get("charset")] if page.head else []
    first = head[0] if head else None
    if first is None or first.get("http-equiv") != "Content-Security-Policy" or first.get("content") != safety.POLICY:
        yield "the content security policy is not the first thing in the head"
    for meta in page.find_all("meta"):
        if meta.get("http-equiv") not in (None, "Content-Security-Policy") or meta.parent is not page.head:
            yield "a <meta> that acts"
    if not text_of(page.title):
        yield "the page has no title"


def _headings(page: BeautifulSoup) -> Iterator[str]:
    above = 0
    count = len(page.find_all("h1"))
    if count != 1:
        yield f"the page has {count} headings of level 1, not one"
    for heading in page.find_all(HEADINGS):
        level = int(heading.name[1])
        if level > above + 1:
            yield f"the heading “{text_of(heading)}” skips a level"
        if not text_of(heading):
            yield "a heading is empty"
        above = level


def _links(page: BeautifulSoup, files: Set[str]) -> Iterator[str]:
    ids = Counter(str(tag["id"]) for tag in page.find_all(id=True))
    yield from (f"{count} elements have the id {name!r}" for name, count in ids.items() if count > 1)
    delivered = {posixpath.normpath(name) for name in files}
    for link in page.find_all(href=True):
        target = unquote(str(link["href"]))
        if target.startswith("#"):
            if target[1:] not in ids:
                yield f"the link “{text_of(link)}” has no target in the page"
        elif posixpath.normpath(target.partition("#")[0] or "?") not in delivered:
            yield f"the link “{text_of(link)}” leads out of the delivered folder"
    for tag in page.find_all(True):
        for name in ("aria-labelledby", "aria-describedby", "headers"):
            if not set(str(tag.get(name) or "").split()) <= set(ids):
                yield f"a <{tag.name}> names by {name} an element that is not there"


def _table(table: Tag) -> Iterator[str]:
    caption = text_of(table.caption)
    name = f"the table “{caption}”" if caption else "a table"
    if not caption:
        yield "a table has no caption"
    if not table.find("th"):
        yield f"{name} has no heads"
    if any(head.get("scope") not in SCOPES for head in table.find_all("th")):
        yield f"{name} has a head without scope"
    if any(not text_of(cell) for cell in table.find_all(("th", "td"))):
        yield f"{name} has an empty cell"
    if any(NOTHING.search(text_of(cell)) for cell in table.find_all(("th", "td"))):
        yield f"{name} shows 'None'"


def _captions(page: BeautifulSoup) -> Iterator[str]:
    captions = Counter(text_of(caption) for caption in page.find_all("caption"))
    yield from (f"{count} tables have the caption “{text}”" for text, count in captions.items() if count > 1 and text)


def _drawings(page: BeautifulSoup) -> Iterator[str]:
    for image in page.find_all("img"):
        if not image.find_parent("figure"):
            yield "an image stands outside a figure"
        yield from _alt(image)
    for figure in page.find_all("figure"):
        if not figure.find("img"):
            yield "a figure has no image"
        if not any(details.find("table") for details in figure.find_all("details")):
            yield "a figure has no table beside it"


def _alt(image: Tag) -> Iterator[str]:
    alt = _bare(str(image.get("alt") or ""))
    figure = image.find_parent("figure")
    titles = figure.select("figcaption, caption, summary, .ek-headline, .ek-subtitle") if figure else []
    if not alt:
        yield "an image has no alt text"
    elif PLACEHOLDER.fullmatch(alt) or " " not in alt:
        yield f"the alt text “{alt}” is a placeholder"
    elif alt in {_bare(text_of(title)) for title in titles}:
        yield f"the alt text “{alt}” only repeats a caption"


def _bare(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(".")


def _values(page: BeautifulSoup) -> Iterator[str]:
    """Places that show a missing value as a computer writes it, and text that nobody sees."""
    for text in page.find_all(string=True):
        if isinstance(text, Comment):
            yield "the page holds a comment that nobody sees"
        elif not isinstance(text, Stylesheet) and (found := NOT_A_VALUE.search(text)):
            yield f"the text shows {found[0]!r}"
    if any(NOTHING.search(text_of(value)) for value in page.find_all("dd")):
        yield "a <dd> shows 'None'"
    if any(NOT_A_VALUE.search(str(image.get("alt") or "")) for image in page.find_all("img")):
        yield "an alt text shows a value that is not one"
