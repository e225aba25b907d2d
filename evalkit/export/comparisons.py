"""Percentages and comparisons that stand alone: nothing says of how many, how surely, or against what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from evalkit.export.structure import text_of

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

    from evalkit.export.passages import Passage

PERCENTAGE = re.compile(r"\d\s*(?:%|per cent\b|percent\b)", re.IGNORECASE)
N_OF_M = re.compile(r"\d[\d,]* (?:out )?of (?:(?:the|all|about|these|those) )*\d", re.IGNORECASE)
NUMBER = r"[-\u2212\u2013+]?\u00a3?\d[\d,]*(?:\.\d+)?"
UNIT = r"(?:\s*(?:%|per cent|percent|percentage points|points?|per 100)(?: (?:fewer|more|lower|higher|people))?)?"
END = rf"(?:(?:(?:about|less than) )?{NUMBER}{UNIT}|no difference)"
BETWEEN = re.compile(rf"\bbetween {END} and {END}|\bas many as\b.*\bas many as\b", re.IGNORECASE)
RANGE = re.compile(
    rf"(?:\b(?P<lead>[a-z]+) )?(?P<low>{NUMBER}){UNIT} to (?P<high>{NUMBER}){UNIT}(?: (?P<tail>[a-z]+))?", re.IGNORECASE
)
NO_INTERVAL_AFTER = re.compile(r"from|days?|weeks?|months?|years?|age[sd]?|grades?", re.IGNORECASE)
NO_INTERVAL_BEFORE = re.compile(r"days?|weeks?|months?|years?", re.IGNORECASE)
YEAR = re.compile(r"(?:19|20)\d\d")
LOW_AND_HIGH = re.compile(r"\blow(?:er)?\b.*\b(?:high(?:er)?|upper)\b", re.IGNORECASE)

EXPECTED = re.compile(r"\bexpect", re.IGNORECASE)
OF_METHOD = re.compile(
    r"\b(?:before|after)(?: and (?:before|after))? (?:the )?(?:matching|weighting|adjustment|correction|rounding)\b",
    re.IGNORECASE,
)
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
DATE_OR_SPAN = re.compile(
    rf"\d{{4}}-\d\d(?:-\d\d)?|(?:\d\d? )?(?:{MONTHS}) \d{{4}}|\b(?:19|20)\d\d\b|\d+ (?:day|week|month|year)s?\b",
    re.IGNORECASE,
)


def lonely_percentages(passage: Passage) -> Iterator[str]:
    """In words, every percentage whose sentence, list item or row has neither "N of M" nor an interval."""
    texts = [sentence for _, sentence in passage.sentences] if passage.by_sentence else [passage.text]
    for text in texts:
        if PERCENTAGE.search(text) and not _borne_out(f"{passage.context} {text}", heads=passage.context):
            yield f"a percentage without 'N of M' or an interval: “{text.strip()}”"


def lonely_before_and_after(passage: Passage) -> Iterator[str]:
    """In words, figures of before and after without what would have been expected."""
    whole = f"{passage.context} {passage.text}"
    both = re.search(r"\bbefore\b", whole, re.IGNORECASE) and re.search(r"\bafter\b", whole, re.IGNORECASE)
    figures = re.search(r"\d", DATE_OR_SPAN.sub(" ", passage.text))
    if both and figures and not EXPECTED.search(whole) and not OF_METHOD.search(whole):
        yield f"a before and after without what would have been expected: “{passage.text.strip()}”"


def ranked_areas(page: BeautifulSoup) -> Iterator[str]:
    """In words, every table of areas that is not in the order of the alphabet; a row of all may be anywhere."""
    for table in page.find_all("table"):
        if text_of(table.find("th")).casefold() == "area":
            names = [name for name in _first_column(table) if not re.match(r"all\b", name)]
            if names != sorted(names):
                yield f"the areas of the table “{text_of(table.caption)}” are not in the order of the alphabet"


def _borne_out(text: str, *, heads: str) -> bool:
    intervals = (BETWEEN.search(text), *map(_is_interval, RANGE.finditer(text)))
    return any(intervals) or bool(N_OF_M.search(text) or LOW_AND_HIGH.search(heads))


def _is_interval(found: re.Match[str]) -> bool:
    """Whether "a to b" is an interval of a result, and no period, band of ages or change from one value to another."""
    return not (
        NO_INTERVAL_AFTER.fullmatch(found["lead"] or "")
        or NO_INTERVAL_BEFORE.fullmatch(found["tail"] or "")
        or YEAR.fullmatch(found["low"])
        or YEAR.fullmatch(found["high"])
    )


def _first_column(table: Tag) -> list[str]:
    """What the first column says below its head; a cell that spans rows once."""
    names, spanned = [], 0
    for row in table.select("tbody tr"):
        if spanned:
            spanned -= 1
        elif cell := row.find(("th", "td")):
            names.append(text_of(cell).casefold())
            spanned = int(str(cell.get("rowspan") or 1)) - 1
    return names
