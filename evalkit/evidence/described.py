"""Sentences that describe: how strong the evidence is, what could be seen, what was counted before and after."""

from __future__ import annotations

import math
from collections.abc import Mapping

from evalkit.evidence.numbers import change, counted_in_hundreds, whole
from evalkit.results import Curve, Detectable, Difference, Expected, Gate


def grade_sentence(value: int, words: str, reasons: tuple[str, ...]) -> str:
    """How strong the evidence is, with what held it down."""
    held = f" Held down because {'; '.join(reasons)}." if reasons else ""
    return f"How far the design can be trusted: grade {value} of 5 ({words}). This is no mark for the programme.{held}"


def followed(analysed: int, allocated: int) -> str:
    """How many of those allocated were followed to the end; both counts as released."""
    return f"{analysed} of {allocated} people were followed to the end of the window."


def apart(result: Difference) -> str:
    """How far the groups are apart in one covariate."""
    if result.smd is None:
        return f"{result.label}: the same for everybody."
    before = "" if result.smd_before is None else f" ({abs(result.smd_before):.2f} before matching)"
    return f"{result.label}: the groups are {abs(result.smd):.2f} standard deviations apart{before}."


def reached(result: Curve, last: Mapping[str, float]) -> str:
    """Where a curve ends; `last` is its last point as released, shares in every hundred."""
    share, low, high = (whole(last[column]) for column in ("share", "low", "high"))
    return (
        f"By day {last['day']}, {share} in every hundred of the {result.arm} group had a recorded "
        f"{result.event_label} (between {low} and {high})."
    )


def gate(result: Gate) -> str:
    """Whether a check was passed, with what was asked for, and what would mend it where it was not."""
    ending = "Passed." if result.passed else f"Not passed. What would mend it: {result.mend}."
    return counted_in_hundreds(f"{result.label}: {result.found}; asked for: {result.needed}. {ending}")


def detectable(result: Detectable, people: int, events: int) -> str:
    """What the study could have seen, said before any result; `people` and `events` as released.

    With basis `share` all people and those with the event; with basis `count` the people of the programme and the
    events of every hundred people of the comparison group.
    """
    example = whole(100 * result.example_reduction)
    if result.basis == "count":
        seen = (
            f"With {people:,} people in the programme, and about {events:,} recorded {result.event_label}s within "
            f"{result.horizon_days} days for every hundred of the comparison group, this report could"
        )
        often = f"in {result.missed_of_ten or 'fewer than 1'} of 10 reports like this one"
        missed = f"a true {example}% reduction would be missed {often}"
    else:
        event = f"recorded {result.event_label} within {result.horizon_days} days"
        if result.strand == "abuse_types":
            event = f"{result.event_label} {result.horizon_days} days after the index date"
        seen = f"With a {event} for {events} of {people} people, whichever their group, this report could"
        missed = f"a true {example}% reduction would be missed {_in_ten(result.missed_of_ten)}"
    if result.reduction is None:
        return f"{seen} not reliably detect any reduction; {missed}."
    return f"{seen} reliably detect only reductions of {math.ceil(100 * result.reduction)}% or more; {missed}."


def _in_ten(missed: int) -> str:
    if not missed:
        return "less than once in 10 times"
    return f"{missed} {'time' if missed == 1 else 'times'} in 10"


def expected(result: Expected, shown: Mapping[str, int]) -> str:
    """What was recorded before and after, what was to be expected in any case, and what follows from it: nothing yet.

    `shown` are the counts as released; changes are reckoned on unrounded counts.
    """
    events, days = f"recorded {result.event_label}s", result.horizon_days
    counted = (
        f"The {shown['people']:,} people had {shown['before']:,} {events} in the {days} days before they were "
        f"{_entered(result)} and {shown['after']:,} in the {days} days after."
    )
    without = f"about {shown['without']:,} (between {shown['low']:,} and {shown['high']:,})"
    said = (counted, _to_be_expected(result, without), _what_follows(result), _everybody(result))
    return " ".join(filter(None, said))


def _entered(result: Expected) -> str:
    """How people came to be in the programme, as it reads after "they were"."""
    return {"single_group": "accepted", "randomised": "allocated"}.get(result.design.assignment, "chosen")


def _to_be_expected(result: Expected, without: str) -> str:
    found, foreseen = result.after / result.before, result.without / result.before
    that = f"That is {change(found)}" if _moved(found) else "That is as many"
    if foreseen < 1 and _moved(foreseen):
        worst = f"people are {_entered(result)} when things are at their worst"
        why = f"{worst}, so a fall was to be expected in any case"
        return f"{that}; but {why}: {without} without any programme."
    way = "a rise" if _moved(foreseen) else "no change"
    return f"{that}; {way} was to be expected in any case: {without} without any programme."


def _moved(ratio: float) -> bool:
    return whole(100 * (ratio - 1)) != 0


def _what_follows(result: Expected) -> str:
    found = result.after / result.before
    change_of = "the fall" if found < 1 else "the rise"
    itself = f"{change_of} by itself says" if _moved(found) else "these counts by themselves say"
    if result.low <= result.after <= result.high:
        return f"What was recorded lies within that range, so {itself} nothing about the programme."
    side = "below" if result.after < result.low else "above"
    judge = "the comparison with similar people must say, and not the counts of one group"
    if result.design.assignment == "single_group":
        judge = "one group cannot tell"
    return f"What was recorded lies {side} that range; whether the programme had a part in that, {judge}."


def _everybody(result: Expected) -> str:
    before, after = result.everybody
    if not before:
        return ""
    return (
        "Over the same days of the calendar, everybody on record in these areas had "
        f"{whole(100 * after / before)} recorded {result.event_label}s after for every 100 before."
    )


def expected_in_brief(result: Expected) -> str:
    """The change of one group beside the change that was to be expected, both as percentages of what was before."""
    found, foreseen, low, high = (
        number / result.before for number in (result.after, result.without, result.low, result.high)
    )
    events = f"recorded {result.event_label}s"
    lead = f"{change(found)[0].upper()}{change(found)[1:]}" if _moved(found) else "No fewer and no more"
    return (
        f"{lead} {events} after than before; {change(foreseen) if _moved(foreseen) else 'as many'} "
        f"(between {change(low)} and {change(high)}) were to be expected without any programme."
    )


def around_the_index_date(event_label: str, before: tuple[int, int], after: tuple[int, int]) -> str:
    """Events for every hundred people of each group, the programme's first, in the 30 days before and those after."""
    return (
        f"In the last 30 days before the index date there were {before[0]} recorded {event_label}s for every hundred "
        f"people of the programme group and {before[1]} of the comparison group; in the first 30 days after it "
        f"{after[0]} and {after[1]}. A fall of both is to be expected, because people are compared when things are at "
        "their worst."
    )


def overlap(bands_with_both: int, bands: int, fewest: int) -> str:
    """In how many bands of the chance of being chosen there were at least so many people who were not chosen."""
    return (
        f"In {bands_with_both} of {bands} bands of the chance of being chosen, {fewest} people or more who were not "
        "chosen stand beside those who were."
    )
