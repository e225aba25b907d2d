"""What a delivered page says, read passage by passage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from evalkit.export.comparisons import lonely_before_and_after, lonely_percentages, ranked_areas
from evalkit.export.passages import Passage, passages
from evalkit.export.verdicts import verdicts

if TYPE_CHECKING:
    from bs4 import BeautifulSoup

OF_THE_METHODS = re.compile(r"\bsignifican(?:t|tly|ce)\b|\bp(?:-value)?\s*[<\u2264]", re.IGNORECASE)


def problems(page: BeautifulSoup, *, is_summary: bool) -> Iterator[str]:
    """In words, all that a page says and may not; `is_summary` for a page that is a summary from end to end."""
    for passage in passages(page):
        yield from verdicts(passage)
        yield from lonely_percentages(passage)
        yield from lonely_before_and_after(passage)
        if is_summary or passage.in_summary:
            yield from _words_of_the_methods(passage)
    yield from ranked_areas(page)


def _words_of_the_methods(passage: Passage) -> Iterator[str]:
    if found := OF_THE_METHODS.search(passage.text):
        yield f"'{found[0]}' belongs in the methods, not in a summary: “{passage.text.strip()}”"
