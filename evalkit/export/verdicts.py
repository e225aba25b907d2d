"""Words that no design bears out, where they may not be said, and when a sentence denies them.

The engine writes the sentences that hang on a number; their words were settled with the grade of the evidence. Typed
text is read in full, and the engine's own sentences for what their tier may never say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evalkit.export.passages import Passage

TYPED = "typed"
EVERYWHERE = frozenset({TYPED, "T0", "T1", "T2", "T3", "T4", "T5"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Words that may not be said in some places: typed text, or engine sentences of a tier.

    A `verdict` may not be turned round either ("was not effective" reads as failing to work); only the saying of it
    may be denied ("cannot be said to have been effective").
    """

    words: re.Pattern[str]
    banned_in: frozenset[str]
    verdict: bool


def _rule(words: str, banned_in: frozenset[str], *, verdict: bool = True) -> Rule:
    return Rule(words=re.compile(rf"\b(?:{words})\b", re.IGNORECASE), banned_in=banned_in, verdict=verdict)


RULES = (
    _rule("prove[ds]|proven", EVERYWHERE, verdict=False),
    _rule("(?<!who have )(?<!who has )(?<!who )caused|caused(?! harm)", EVERYWHERE, verdict=False),
    _rule("no effects?", frozenset({TYPED, "T1", "T2"}), verdict=False),
    _rule("(?<!hours )worked(?! (?:with|out|examples?|together|alongside)\\b)", frozenset({TYPED, "T1"})),
    _rule("success(?:es|ful|fully)?", frozenset({TYPED, "T1"})),
    _rule("effective(?! (?:sample|number|size|date|from)\\b)|effectively", frozenset({TYPED, "T1"})),
    _rule("impact(?:s|ed|ful)?(?! (?:assessment|statement)s?\\b)", frozenset({TYPED, "T1"})),
    _rule("reduced", EVERYWHERE - {"T5"}),
    _rule("led to|prevented", frozenset({"T1"}), verdict=False),
    _rule("did not work|promising", frozenset({"T2"}), verdict=False),
    _rule("safer", frozenset({"T5"}), verdict=False),
)
CLAUSE_END = re.compile(
    r"[;:\u2013\u2014]|,? (?:but|yet|however|although|though|while|whereas|because)\b|, (?:and|so|which)\b"
)
NOT = r"(?:not|never|cannot|neither|nor|\w+n[\u2019']t)"
DENIAL = re.compile(
    rf"\b(?:{NOT}|without|nothing|nobody|no one|none|unable|impossible|too (?:few|small|early|little)|"
    r"no (?:evidence|proof|sign|claim|conclusion|finding|statement|grounds|basis|way))\b",
    re.IGNORECASE,
)
NO_DENIAL = re.compile(
    rf"\b(?:{NOT} (?:only|just|merely|simply)|"
    rf"(?:{NOT}|nobody|no one) (?:can |could |would )?(?:be )?(?:doubt|deny|denied|dispute|surpris)\w*|"
    r"without (?:a |any )?(?:doubt|question)|nothing but)\b",
    re.IGNORECASE,
)
TURNED_ROUND = re.compile(
    rf"\b(?:{NOT}|without)"
    r"(?: (?:yet|been|be|being|have|had|has|an?|the|any|very|so|as|more|fully|entirely|really|of))* $",
    re.IGNORECASE,
)


def verdicts(passage: Passage) -> Iterator[str]:
    """In words, every verdict that the passage gives and may not."""
    for start, sentence in passage.sentences:
        for rule in RULES:
            for found in rule.words.finditer(sentence):
                place = passage.tier_at(start + found.start()) or TYPED
                if place in rule.banned_in and not denied(sentence[: found.start()], verdict=rule.verdict):
                    yield f"'{found[0].lower()}' may not be said here: “{sentence.strip()}”"


def denied(beginning: str, *, verdict: bool) -> bool:
    """Whether the beginning of a sentence denies the word that follows it, in the same clause."""
    clause = CLAUSE_END.split(beginning)[-1]
    if verdict and TURNED_ROUND.search(clause):
        return False
    return bool(DENIAL.search(NO_DENIAL.sub(" ", clause)))
