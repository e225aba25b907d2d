"""The figures of a result as they are released: as they are, or protected and rounded."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evalkit import evidence
from evalkit.disclosure import levels
from evalkit.disclosure.deciding import FEWER, FEWEST, FEWEST_FOR_RATES, FEWEST_IN_FULL, shown_months
from evalkit.results import (
    COMPARISON,
    LEVELS,
    PROGRAMME,
    UNIT,
    Arm,
    Count,
    Curve,
    Decision,
    Difference,
    Estimate,
    Expected,
    ExpectedShare,
    Interval,
    Months,
    Overlap,
    Readings,
    Transition,
)

ROUNDED_TO = 5
DAYS_OF_A_STEP = 30
WITHHELD = "withheld"


def arm(side: Arm, decision: Decision) -> Arm:
    """An arm with its counts in fives."""
    if decision.exact:
        return side
    return Arm(label=side.label, people=rounded(side.people), events=rounded(side.events))


def figure(number: float, measure: str, decision: Decision) -> float:
    """A figure in the unit that a reader sees, rounded where people are protected."""
    unit = UNIT[measure]
    scaled = 100 * number if unit in ("points", "percent") else number
    if decision.exact:
        return scaled
    return float(evidence.times(scaled)) if unit == "ratio" else to_digits(scaled, 0)


def modelled_rates(result: Estimate, decision: Decision) -> Iterator[dict[str, float]]:
    """What the model has of every hundred people: of the programme, and expected of the same people without it."""
    if result.per_hundred and not result.variant:
        digits = None if decision.exact else 0
        mine, without = (to_digits(rate, digits) for rate in result.per_hundred)
        yield {PROGRAMME: mine, "without": without}


def expected_row(result: Expected, decision: Decision) -> dict[str, Any]:
    """Counts in fives, the expectation with them; changes in whole per cent of unrounded counts."""
    names = ("people", "before", "after", "without", "low", "high")
    as_shown = evidence.whole if decision.exact else rounded
    before, after = result.everybody
    return {
        **{name: as_shown(getattr(result, name)) for name in names},
        "change": evidence.change(result.naive.value),
        "change_low": evidence.change(result.naive.low),
        "change_high": evidence.change(result.naive.high),
        "everybody_after_for_100_before": evidence.whole(100 * after / before) if before else None,
    }


def expected_share_row(result: ExpectedShare, decision: Decision, *, alone: bool) -> dict[str, Any]:
    """Counts in fives, shares in whole per cent of unrounded counts.

    How many are not known is not told of assessments where they are fewer than ten, and never of one area `alone`. How
    many had it is not told below sixty people: beside share and range it would tell exactly how many people there are.
    """
    shares = ("value", "low", "high", "without", "without_low", "without_high")
    names = {"value": "share"}
    few = WITHHELD if result.judged_by else FEWER
    not_known = WITHHELD if alone else few if result.not_known < FEWEST else rounded(result.not_known)
    digits = None if decision.exact else 0
    found = {name: getattr(result, name) for name in shares}
    return {
        "people": result.people if decision.exact else rounded(result.people),
        "people_with": _told(result.people_with, result.people, decision),
        "not_known": result.not_known if decision.exact else not_known,
        **{
            names.get(name, name): None if each is None else to_digits(100 * each, digits)
            for name, each in found.items()
        },
        "judged_by": result.judged_by,
        "clock": result.clock,
        "basis": result.basis,
    }


def _told(part: int, people: int, decision: Decision) -> int | str:
    if decision.exact:
        return part
    return WITHHELD if people < FEWEST_IN_FULL else rounded(part)


def moved_row(result: Transition, decision: Decision) -> dict[str, Any]:
    """How many cases were lower, the same, higher and not assessed again, of how many."""
    sums = levels.moved(result) | {"total": levels.cases(result)}
    return {"moved": "all", **{name: each if decision.exact else rounded(each) for name, each in sums.items()}}


def transition_rows(result: Transition, decision: Decision, *, alone: bool) -> Iterator[dict[str, Any]]:
    """A row for each level at intake where the matrix may be shown, the changes, and the sums of the moves.

    Of one area `alone` the sums are all there is: finer figures of one could be worked out from those of the others.
    """
    as_shown = int if decision.exact else rounded
    if decision.exact or (not alone and levels.shows_cells(result)):
        for level, row in zip(LEVELS, result.counts, strict=True):
            cells = dict(zip((*LEVELS, "not_known"), map(as_shown, row), strict=True))
            yield {"level": level, **cells, "total": as_shown(sum(row))}
    for of, change in (("high", result.high_change), ("any", result.any_change)):
        shown = decision.exact or (not alone and levels.shows_change(result, of))
        yield {"change_of": of, **_ends(change if shown else None, decision)}
    yield moved_row(result, decision)


def _ends(found: Interval | None, decision: Decision) -> dict[str, float | None]:
    digits = None if decision.exact else 0
    ends = ("value", "low", "high")
    return {name: None if found is None else to_digits(100 * getattr(found, name), digits) for name in ends}


def reading_rows(result: Readings, decision: Decision) -> Iterator[dict[str, Any]]:
    """Mean scores with one decimal, of readings of thirty people or more; where others are counted only in fives."""
    digits = None if decision.exact else 1
    for place, day in enumerate(result.days):
        people = result.people[place]
        shown = decision.exact or people >= FEWEST_FOR_RATES
        means = {name: getattr(result, name)[place] for name in ("mean", "low", "high", "floor")}
        realised = _ends(result.realised[place] if shown else None, decision)
        parts = {name: getattr(result, name)[place] for name in ("in_custody", "still_open")}
        yield {
            "day": day,
            **{name: to_digits(mean, digits) if shown else None for name, mean in means.items()},
            **{f"realised_{name}".removesuffix("_value"): end for name, end in realised.items()},
            "people": people if decision.exact else protected_counts({"people": people})["people"],
            **{name: part if decision.exact else _part(part, people) for name, part in parts.items()},
        }


def _part(part: int | None, people: int) -> int | str | None:
    """Some of the people of a reading; not shown where they, or the others, are fewer than ten."""
    if part is None:
        return None
    if part < FEWEST:
        return FEWER
    return WITHHELD if people - part < FEWEST else rounded(part)


def month_rows(result: Months, decision: Decision) -> Iterator[dict[str, Any]]:
    """Whole rates by month; none where too few people stand behind it."""
    for month, rate, shown in zip(result.months, result.per_hundred, shown_months(result), strict=True):
        rounded_rate = evidence.whole(rate) if shown else None
        yield {"month": month, "per_hundred": rate if decision.exact else rounded_rate}


def overlap_rows(result: Overlap, decision: Decision) -> Iterator[dict[str, Any]]:
    """People by band of the chance of being chosen, in every hundred; the ends of the outer bands are not told."""
    digits = None if decision.exact else 1
    inner = [to_digits(100 * edge, digits) for edge in result.edges[1:-1]]
    bands = zip((None, *inner), (*inner, None), result.programme, result.comparison, strict=True)
    for low, high, programme, comparison in bands:
        counts: Mapping[str, int | str | None] = {PROGRAMME: programme, COMPARISON: comparison}
        yield {"low": low, "high": high, **(counts if decision.exact else protected_counts(counts))}


def count_row(result: Count, decision: Decision) -> dict[str, Any]:
    """One step of the flow."""
    figures: Mapping[str, int | str | None] = {
        "total": result.total,
        PROGRAMME: result.programme,
        COMPARISON: result.comparison,
    }
    shown = figures if decision.exact else protected_counts(figures)
    return {"step": result.step, "unit": result.unit, "left_out": result.left_out, **shown}


def protected_counts(figures: Mapping[str, Any]) -> dict[str, int | str | None]:
    """Counts in fives; one below ten is not shown, and then the total is not either: it would give it away."""
    shown: dict[str, int | str | None] = {
        name: None if number is None else FEWER if number < FEWEST else rounded(number)
        for name, number in figures.items()
    }
    hidden = [name for name in (PROGRAMME, COMPARISON) if shown.get(name) == FEWER]
    if hidden and shown.get("total") not in (None, FEWER):
        shown["total"] = WITHHELD
    return shown


def difference_row(result: Difference, decision: Decision) -> dict[str, Any]:
    """Means, missing values and distance of one covariate."""
    scale = 100 if result.is_share else 1
    digits = None if decision.exact else 0 if result.is_share else 1
    means = {side: to_digits(scale * getattr(result, f"mean_{side}"), digits) for side in (PROGRAMME, COMPARISON)}
    missing = {side: getattr(result, f"missing_{side}") for side in (PROGRAMME, COMPARISON)}
    if not decision.exact:
        missing = protected_counts(missing)
    apart = {"smd": result.smd, "smd_before": result.smd_before, "variance_ratio": result.variance_ratio}
    fine = {"smd": 2, "smd_before": 2, "variance_ratio": 1}
    return {
        "covariate": result.covariate,
        "is_share": result.is_share,
        **means,
        **{f"missing_{side}": number for side, number in missing.items()},
        **{
            name: None if each is None else to_digits(each, None if decision.exact else fine[name])
            for name, each in apart.items()
        },
        "denominator": result.denominator,
    }


def curve_rows(result: Curve, decision: Decision) -> Iterator[dict[str, Any]]:
    """The points of a curve: as they are, or on a grid of thirty days, counts in fives, where ten had the event."""
    points = list(zip(result.days, result.share, result.low, result.high, result.at_risk, strict=True))
    if decision.exact:
        for day, *shares, at_risk in points:
            yield {"day": day, **_shares(shares, None), "at_risk": at_risk}
        return
    happened = list(itertools.accumulate(result.events))
    for day in range(0, result.days[-1] + 1, DAYS_OF_A_STEP):
        place = sum(each <= day for each in result.days) - 1
        _, *shares, _ = points[place]
        at_risk = next((each for other, *_, each in points if other >= day), 0)
        if at_risk < FEWEST:
            return
        if day == 0 or happened[place] >= FEWEST:
            yield {"day": day, **_shares(shares, 0), "at_risk": rounded(at_risk)}


def _shares(shares: Sequence[float], digits: int | None) -> dict[str, float]:
    return {name: to_digits(100 * share, digits) for name, share in zip(("share", "low", "high"), shares, strict=True)}


def rounded(count: float) -> int:
    """A count to the nearest five, halves up."""
    return ROUNDED_TO * evidence.whole(count / ROUNDED_TO)


def to_digits(number: float, digits: int | None) -> float:
    """A figure with so many digits, halves away from zero where whole, never a minus zero; as it is for None."""
    if digits is None:
        return number
    return evidence.whole(number) if digits == 0 else round(number, digits) + 0.0
