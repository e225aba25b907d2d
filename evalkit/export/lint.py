"""What is wrong with an exported page, in words: its language, and what it is made of."""

from __future__ import annotations

from collections.abc import Set
from typing import Literal


def lint(html: str, *, kind: Literal["report", "index"] = "report", files: Set[str] = frozenset()) -> tuple[str, ...]:
    """Every reason why the page may not be delivered, each once; empty if there is none.

    Parameters
    ----------
    html : str
        A whole page.
    kind : str
        `index` for the page of a suite, which is a summary from end to end.
    files : set of str
        Files of the delivered folder, as paths from the page; a link to any other place is a problem.
    """
    from evalkit.export import safety, structure, words  # they import bs4, which takes a quarter of a second

    page = safety.parsed(html)
    found = [*structure.problems(page, files=files), *words.problems(page, is_summary=kind == "index")]
    return tuple(dict.fromkeys(found))
