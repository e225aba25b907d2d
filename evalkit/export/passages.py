"""A page cut into what is read as one: a paragraph, a list item, a row of a table, an alt text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bs4.element import Comment, NavigableString, Tag

from evalkit.export.structure import text_of

if TYPE_CHECKING:
    from bs4 import BeautifulSoup

BLOCK = re.compile(
    r"^(?:p|li|dt|dd|h[1-6]|caption|figcaption|summary|div|section|article|aside|header|footer|main|nav|figure|details|"
    r"blockquote|pre|title|tr|thead|tbody|tfoot|table|ul|ol|dl|body)$"
)
SENTENCE_END = re.compile(r"(?<=[.!?])[\u201d\u2019\"')]*\s+(?=[\u201c\u2018\"'(]?[A-Z0-9\u00a3])|\s\|\s")
ELISION = "…"
NEXT_CELL = " | "


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A text that is read as one, without quotations and claims, and without the figures of settings.

    Attributes
    ----------
    spans : tuple of (start, end, tier)
        Where in the text an engine sentence stands.
    context : str
        Caption and heads of the table, for a row.
    by_sentence : bool
        Whether a percentage must be borne out by its own sentence and not only by the passage.
    """

    text: str
    spans: tuple[tuple[int, int, str], ...] = ()
    context: str = ""
    by_sentence: bool = False
    in_summary: bool = False

    @property
    def sentences(self) -> Iterator[tuple[int, str]]:
        """Each sentence after the place where it starts; the cells of a row count as sentences."""
        start = 0
        for end in SENTENCE_END.finditer(self.text):
            yield start, self.text[start : end.start()]
            start = end.end()
        yield start, self.text[start:]

    def tier_at(self, place: int) -> str:
        """Tier of the engine sentence that stands at a place of the text; empty in typed text."""
        return next((tier for start, end, tier in self.spans if start <= place < end), "")


def passages(page: BeautifulSoup) -> Iterator[Passage]:
    """Every passage of the page, the title and the alt texts too."""
    for tag in page.find_all(BLOCK):
        pieces = list(_pieces(tag))
        if any(text.strip(NEXT_CELL) for text, _ in pieces):
            yield _passage(tag, pieces)
    for tag in page.find_all(True):
        for name in ("alt", "title", "aria-label"):
            if tag.get(name):
                yield Passage(text=str(tag[name]), in_summary=_in_summary(tag))


def _passage(tag: Tag, pieces: list[tuple[str, str]]) -> Passage:
    text, spans = "", []
    for piece, tier in pieces:
        if tier:
            spans.append((len(text), len(text) + len(piece), tier))
        text += piece
    return Passage(
        text=text,
        spans=tuple(spans),
        context=_heads(tag) if tag.name == "tr" else "",
        by_sentence=tag.name not in ("li", "tr"),
        in_summary=_in_summary(tag),
    )


def _pieces(tag: Tag) -> Iterator[tuple[str, str]]:
    """Texts of an element, each with its tier, without those of the blocks inside it."""
    for child in tag.children:
        if isinstance(child, NavigableString) and not isinstance(child, Comment):
            yield _read(child), _tier(child)
        if isinstance(child, Tag) and not BLOCK.match(child.name):
            yield from _pieces(child)
            if child.name in ("td", "th", "br"):
                yield NEXT_CELL if child.name != "br" else " ", ""


def _read(text: NavigableString) -> str:
    if text.find_parent(("q", "blockquote")) or text.find_parent(attrs={"data-claim": True}):
        return ELISION
    words = re.sub(r"\s+", " ", text)
    return re.sub(r"\d", ELISION, words) if text.find_parent(attrs={"data-setting": True}) else words


def _tier(text: NavigableString) -> str:
    span = text.find_parent(attrs={"data-finding": True})
    return str(span.get("data-tier") or "") if span else ""


def _heads(row: Tag) -> str:
    table = row.find_parent("table")
    if table is None:
        return ""
    heads = table.thead.find_all("th") if table.thead else ()
    return " ".join(map(text_of, (table.caption, *heads)))


def _in_summary(tag: Tag) -> bool:
    return tag.get("id") == "summary" or tag.find_parent(id="summary") is not None
