"""How far a result can be trusted, and the words that it may therefore be put in."""

from evalkit.evidence.described import (
    apart,
    around_the_index_date,
    detectable,
    expected,
    expected_in_brief,
    followed,
    gate,
    grade_sentence,
    overlap,
    reached,
)
from evalkit.evidence.grading import PLACEBO, Grade, Verdict, decide, grade, sets_apart, tier
from evalkit.evidence.numbers import change, counted_in_hundreds, times, whole
from evalkit.evidence.strands import (
    agreed,
    expected_share,
    expected_share_in_brief,
    moved,
    read,
    reported,
    timed,
)
from evalkit.evidence.words import may_be_said, refusal, sentence

__all__ = [
    "PLACEBO", "Grade", "Verdict", "agreed", "apart", "around_the_index_date", "change", "counted_in_hundreds",
    "decide", "detectable", "expected", "expected_in_brief", "expected_share", "expected_share_in_brief", "followed",
    "gate", "grade", "grade_sentence", "may_be_said", "moved", "overlap", "reached", "read", "refusal", "reported",
    "sentence", "sets_apart", "tier", "timed", "times", "whole",
]  # fmt: skip
