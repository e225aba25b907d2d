"""How far a result can be trusted, and the words that it may therefore be put in."""

from evalkit.evidence.grading import Grade, Verdict, decide, grade, sets_apart, tier
from evalkit.evidence.words import (
    apart,
    detectable,
    followed,
    grade_sentence,
    may_be_said,
    reached,
    refusal,
    sentence,
    times,
    whole,
)

__all__ = [
    "Grade", "Verdict", "apart", "decide", "detectable", "followed", "grade", "grade_sentence", "may_be_said",
    "reached", "refusal", "sentence", "sets_apart", "tier", "times", "whole",
]  # fmt: skip
