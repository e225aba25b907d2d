"""Sentences about levels of abuse and scores of one group: never a change without what was to be expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalkit.evidence.numbers import whole
from evalkit.results import ABUSE_TYPES, REPORTERS, ExpectedShare, Readings, ReportersAgree, Transition

OTHER_READING = "_other_reading"


def expected_share(result: ExpectedShare, shown: Mapping[str, Any]) -> str:
    """How many had it and how many were to be expected to, in one sentence, and what follows; `shown` as released."""
    people, with_it, missing = (shown[name] for name in ("people", "people_with", "not_known"))
    unknown = "" if missing == "withheld" else f"; of {missing} more it is not known"
    counted = f"It is of {people} people{unknown}."
    if with_it != "withheld":
        counted = f"That is {with_it} of {people} people{unknown}."
    return " ".join((expected_share_in_brief(result), counted, _what_follows(result)))


def expected_share_in_brief(result: ExpectedShare) -> str:
    """The share beside the share that was to be expected without the programme, of every hundred people."""
    share, low, high = (whole(100 * number) for number in (result.value, result.low, result.high))
    had = f"{share} (between {low} and {high}) had {result.had}{reported(result.judged_by)}"
    near, far = (whole(100 * end) for end in (result.without_low, result.without_high))
    if result.without is None:
        expected = f"reckoned from {result.basis}, between {near} and {far} were expected to"
    else:
        expected = f"from {result.basis}, {whole(100 * result.without)} (between {near} and {far}) were expected to"
    return f"{timed(result)}, of every hundred {_of_whom(result)} {had}; {expected} without the programme."


def timed(result: ExpectedShare) -> str:
    """When it was looked at, as a sentence begins; an assessment is looked at whenever it was made."""
    if result.judged_by:
        return "When assessed again"
    after = "discharge" if result.clock == "discharge" else "the index date"
    reading = ", by the other reading of the score" if result.outcome.endswith(OTHER_READING) else ""
    return f"{result.horizon_days} days after {after}{reading}"


def reported(reporter: str | None) -> str:
    """Whose judgement it is, as the end of a clause; empty where nobody judged."""
    return f", as {REPORTERS[reporter]} judged it" if reporter else ""


def _of_whom(result: ExpectedShare) -> str:
    if result.judged_by:
        return "cases at a high level at intake"
    return "people of the programme who were discharged" if result.clock == "discharge" else "people of the programme"


def _what_follows(result: ExpectedShare) -> str:
    if result.without_low <= result.value <= result.without_high:
        return "What was found lies within that range, so by itself it says nothing about the programme."
    side = "below" if result.value < result.without_low else "above"
    alone = result.design.assignment == "single_group"
    judge = "one group cannot tell" if alone else "the comparison must say, and not the share of one group"
    return f"What was found lies {side} that range; whether the programme had a part in that, {judge}."


def moved(result: Transition, shown: Mapping[str, Any]) -> str:
    """How many cases were lower, the same, higher and not assessed again; `shown` as released."""
    return (
        f"Of {shown['total']} cases of the {result.arm} group, {ABUSE_TYPES[result.outcome]} was at a lower level in "
        f"{shown['lower']} when assessed again, at the same in {shown['same']} and at a higher in {shown['higher']}"
        f"{reported(result.judged_by)}; {shown['not_known']} were not assessed again. Moves both ways are to be "
        "expected of anybody who is assessed twice, so by itself this says nothing about the programme."
    )


def agreed(result: ReportersAgree, people: int) -> str:
    """How far two reporters agree; `people` as released."""
    value, low, high = (f"{number:.2f}" for number in (result.kappa.value, result.kappa.low, result.kappa.high))
    return (
        f"On the level of {ABUSE_TYPES[result.outcome]}, {REPORTERS[result.one]} and {REPORTERS[result.other]} agree "
        f"with a weighted kappa of {value} (between {low} and {high}) in {people} cases; 1 is full agreement, 0 what "
        "chance alone would give."
    )


def read(result: Readings, first: Mapping[str, Any], last: Mapping[str, Any]) -> str:
    """The mean score of one arm at first and at the last reading that may be shown, beside what time alone would do."""
    ends = [f"{row['mean']:.0f} (between {row['low']:.0f} and {row['high']:.0f})" for row in (first, last)]
    return (
        f"The mean score of the {result.arm} group was {ends[0]} on the index date and {ends[1]} {last['day']} days "
        f"later; had nothing been recorded of the same people since, it was to be expected at {last['floor']:.0f}. "
        "Scores fall as records grow old, so by itself this says nothing about the programme."
    )
