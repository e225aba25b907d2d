"""Markup that a page may hold: nothing that asks for a file, runs, or leads away by itself.

The page's own content security policy is the second wall; this is the first, and it says what it found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

FRAME = re.compile(r"html|head|body|title|meta|style|header|main|footer|nav")
TEXT = re.compile(
    r"a|abbr|b|blockquote|br|cite|code|dd|del|details|dfn|div|dl|dt|em|figcaption|figure|h[1-6]|hr|i|img|ins|kbd|li|mark|"
    r"ol|p|pre|q|s|samp|section|article|aside|small|span|strong|sub|summary|sup|time|u|ul|var|"
    r"table|caption|colgroup|col|thead|tbody|tfoot|tr|th|td"
)
ATTRIBUTE = re.compile(
    r"aria-.+|data-.+|id|class|lang|dir|title|alt|src|width|height|href|scope|colspan|rowspan|span|headers|role|tabindex|"
    r"open|start|type|value|reversed|datetime|style"
)
FETCHING_STYLE = re.compile(r"@import|url\s*\(|image-set\s*\(|\bsrc\s*\(|\\", re.IGNORECASE)
SAFE_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml)[;,]", re.IGNORECASE)
ACTING_LINK = re.compile(r"\s*(javascript|data|vbscript|blob|file)\s*:", re.IGNORECASE)


def parsed(html: str) -> BeautifulSoup:
    """The page as a tree."""
    from bs4 import BeautifulSoup  # bs4 takes a quarter of a second to import

    return BeautifulSoup(html, "html.parser")


def acting(soup: BeautifulSoup, *, frame: bool = False) -> Iterator[str]:
    """In words, what in the page could act; `frame` also lets the elements pass that make up a whole page."""
    for tag in soup.find_all(True):
        if not (TEXT.fullmatch(tag.name) or (frame and FRAME.fullmatch(tag.name))):
            yield f"<{tag.name}> may not stand in a page"
            continue
        yield from _acting_attributes(tag)
        if tag.name == "style" and FETCHING_STYLE.search(_without_escaped_strings(tag.get_text())):
            yield "a style that asks for a file"


def _acting_attributes(tag: Tag) -> Iterator[str]:
    for name, value in tag.attrs.items():
        if tag.name == "meta":
            continue  # judged by the checks of the head
        if not ATTRIBUTE.fullmatch(name):
            yield f"the attribute {name!r} may not stand on <{tag.name}>"
        elif name == "src" and not SAFE_IMAGE.match(str(value)):
            yield f"<{tag.name}> asks for a file"
        elif name == "style" and FETCHING_STYLE.search(str(value)):
            yield f"<{tag.name}> has a style that asks for a file"
        elif name == "href" and ACTING_LINK.match(str(value)):
            yield "a link that acts"


def _without_escaped_strings(style: str) -> str:
    """The style without quoted texts, in which a backslash only stands for a letter."""
    return re.sub(r'"(?:[^"\\\n]|\\[^\n])*"', '""', style)
