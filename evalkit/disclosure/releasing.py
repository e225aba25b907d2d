"""What may leave the room of each result: decisions applied, figures rounded, words put. The only maker of findings."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from evalkit import evidence
from evalkit.disclosure.deciding import FEWER, FEWEST, content_of, of_one
from evalkit.errors import NotReleasable
from evalkit.results import (
    UNIT,
    Arm,
    Count,
    Curve,
    Decision,
    Detectable,
    Difference,
    Estimate,
    Finding,
    NotEstimable,
    Result,
    decoded,
)
from evalkit.store import decisions_file, read_json, shelf
from evalkit.study import Study

ROUNDED_TO = 5
DAYS_OF_A_STEP = 30
WITHHELD = "withheld"


def release(results: Iterable[Result], study: Study) -> tuple[Finding, ...]:
    """Withhold what is too small to show, round the rest, and put each result in words.

    The decisions are those of the edition where it has been decided on; by hand, for the profile `internal`, the
    results given are a family of their own. `public` without decisions is refused.
    """
    collection = tuple(results)
    decisions = _decisions(collection, study)
    return _with_flow_in_words(tuple(_finding(result, decisions[result.id], study) for result in collection))


def _with_flow_in_words(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The last step of a flow, said together with the first that it is set against, where both counts are released."""
    totals = {finding.id: finding.rows[0]["total"] for finding in findings if finding.kind == "count" and finding.rows}
    allocated, lost, analysed = (totals.get(f"flow.{step}") for step in ("allocated", "lost", "analysed"))
    match (allocated, lost, analysed):
        case (int(), int(), int()) if allocated - lost == analysed:
            words = evidence.followed(analysed, allocated)
        case _:
            return findings
    return tuple(
        dataclasses.replace(finding, sentence=words) if finding.id == "flow.analysed" else finding
        for finding in findings
    )


def _decisions(collection: tuple[Result, ...], study: Study) -> Mapping[str, Decision]:
    file = decisions_file(study.root, study.suite, study.as_of.isoformat(), study.profile)
    edition = (read_json(file) or {}).get(shelf(study).name, {})
    known = [edition.get(result.id, {}).get("of") == content_of(result) for result in collection]
    if all(known):
        return {result.id: decoded(edition[result.id]["decision"]) for result in collection}
    if study.profile == "public":
        raise NotReleasable(
            f"{known.count(False)} of {len(known)} results are not those that were decided on for this edition, so "
            "they cannot be made public. Use `evalkit run`, which decides over all reports together; in a notebook, "
            "release what the steps return as it is, or set the profile to internal."
        )
    return of_one(study, collection)


def _finding(result: Result, decision: Decision, study: Study) -> Finding:
    known = _identity(result, study)
    if decision.withheld:
        return _withheld(result, decision, known)
    match result:
        case Estimate():
            return _estimate(result, decision, known)
        case NotEstimable():
            return _not_estimable(result, decision, known)
        case Detectable():
            return _detectable(result, decision, known)
        case Count():
            return Finding(rows=(_count_row(result, decision),), **known)
        case Difference():
            return Finding(sentence=evidence.apart(result), rows=(_difference_row(result, decision),), **known)
        case Curve():
            rows = tuple(_curve_rows(result, decision))
            known |= {"unit": "percent", "level": result.level, "method": result.method}
            return Finding(sentence=evidence.reached(result, rows[-1]), rows=rows, **known)


def _identity(result: Result, study: Study) -> dict[str, Any]:
    """What every finding says of itself, withheld or not."""
    known = {
        "id": result.id,
        "kind": _KINDS[type(result)],
        "status": "released",
        "label": _label(result),
        "study_fingerprint": study.fingerprint,
    }
    names = ("strand", "outcome", "horizon_days", "measure", "planned")
    return known | {name: getattr(result, name) for name in names if hasattr(result, name)}


_KINDS: Mapping[type, str] = {
    Estimate: "estimate",
    NotEstimable: "not_estimable",
    Detectable: "detectable",
    Count: "count",
    Difference: "difference",
    Curve: "curve",
}


def _withheld(result: Result, decision: Decision, known: dict[str, Any]) -> Finding:
    known |= {"status": "withheld", "reason": decision.withheld}
    words = f"{known['label']}: cannot be reported here, because {decision.withheld}."
    if isinstance(result, Estimate | Detectable):
        words += " This does not mean that the programme had no effect."
    return Finding(sentence=words, tier="T0", grade=decision.grade, **known)


def _estimate(result: Estimate, decision: Decision, known: dict[str, Any]) -> Finding:
    arms = tuple(_arm(arm, decision) for arm in result.arms)
    tier = decision.tier or "T1"
    can, cannot = (
        evidence.may_be_said(result, tier, p_adjusted=decision.p_adjusted) if result.planned == "primary" else ((), ())
    )
    small = ("Few people: read with care.",) if decision.small and not decision.exact else ()
    return Finding(
        sentence=evidence.sentence(result, tier, arms, p_adjusted=decision.p_adjusted),
        unit=UNIT[result.measure],
        contrast=result.contrast,
        population=result.population,
        value=_figure(result.value, result.measure, decision),
        low=_figure(result.low, result.measure, decision),
        high=_figure(result.high, result.measure, decision),
        level=result.level,
        arms=arms,
        p_value=_p(result.p_value, decision),
        p_adjusted=_p(decision.p_adjusted, decision),
        grade=decision.grade,
        grade_sentence=evidence.grade_sentence(decision.grade or 1, decision.grade_words or "", decision.grade_reasons),
        tier=tier,
        method="; ".join(filter(None, (result.method, result.p_method and f"p by {result.p_method}"))),
        caveats=(
            *_caveats(result, decision),
            *small,
            *(f"Grade held down: {reason}." for reason in decision.grade_reasons),
        ),
        can_say=can,
        cannot_say=cannot,
        **known,
    )


def _caveats(result: Estimate, decision: Decision) -> Iterator[str]:
    """What to bear in mind, with the people left out in numbers only where numbers are shown as they are."""
    yield from result.caveats
    for short in result.left_out:
        people = f"{short.people} of {short.of} people" if decision.exact else "People"
        yield f"{people} {short.why} are left out."


def _not_estimable(result: NotEstimable, decision: Decision, known: dict[str, Any]) -> Finding:
    reason = f"{result.why}. What would mend it: {result.mend}"
    known |= {"status": "not_estimable", "reason": reason}
    return Finding(sentence=evidence.refusal(result), tier="T0", grade=decision.grade, **known)


def _detectable(result: Detectable, decision: Decision, known: dict[str, Any]) -> Finding:
    everybody = result.people_programme + result.people_comparison
    events = round(result.pooled_share * everybody)
    people, counted = (number if decision.exact else rounded(number) for number in (everybody, events))
    return Finding(
        sentence=evidence.detectable(result, people, counted),
        unit="percent",
        value=None if result.reduction is None else _figure(result.reduction, "share", decision),
        level=result.level,
        method=f"seen with a probability of {result.power:g}; {result.method}",
        **known,
    )


def _count_row(result: Count, decision: Decision) -> dict[str, Any]:
    figures = {name: getattr(result, name) for name in ("total", "programme", "comparison")}
    if not decision.exact:
        figures = _protected_counts(figures)
    return {"step": result.step, "unit": result.unit, "left_out": result.left_out, **figures}


def _protected_counts(figures: Mapping[str, int | None]) -> dict[str, int | str | None]:
    """Counts in fives; one below ten is not shown, and then the total is not either: it would give it away."""
    shown: dict[str, int | str | None] = {}
    for name, number in figures.items():
        shown[name] = None if number is None else FEWER if number < FEWEST else rounded(number)
    hidden = [name for name in ("programme", "comparison") if shown.get(name) == FEWER]
    if hidden and shown["total"] != FEWER:
        shown["total"] = WITHHELD
    return shown


def _difference_row(result: Difference, decision: Decision) -> dict[str, Any]:
    scale = 100 if result.is_share else 1
    digits = None if decision.exact else 0 if result.is_share else 1
    means = {side: _rounded(scale * getattr(result, f"mean_{side}"), digits) for side in ("programme", "comparison")}
    missing = {f"missing_{side}": getattr(result, f"missing_{side}") for side in ("programme", "comparison")}
    if not decision.exact:
        missing = _protected_counts({**missing, "total": None})
        missing.pop("total")
    return {
        "covariate": result.covariate,
        "is_share": result.is_share,
        **means,
        **missing,
        "smd": None if result.smd is None else _rounded(result.smd, None if decision.exact else 2),
        "denominator": result.denominator,
        "variance_ratio": None
        if result.variance_ratio is None
        else _rounded(result.variance_ratio, None if decision.exact else 1),
    }


def _curve_rows(result: Curve, decision: Decision) -> Iterator[dict[str, Any]]:
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
    return {name: _rounded(100 * share, digits) for name, share in zip(("share", "low", "high"), shares, strict=True)}


def _arm(arm: Arm, decision: Decision) -> Arm:
    if decision.exact:
        return arm
    return Arm(label=arm.label, people=rounded(arm.people), events=rounded(arm.events))


def _figure(number: float, measure: str, decision: Decision) -> float:
    """A figure in the unit that a reader sees, rounded where people are protected."""
    unit = UNIT[measure]
    scaled = 100 * number if unit in ("points", "percent") else number
    return scaled if decision.exact else _rounded(scaled, 2 if unit == "ratio" else 0)


def _p(p_value: float | None, decision: Decision) -> float | None:
    return p_value if p_value is None or decision.exact else _rounded(p_value, 2)


def _rounded(number: float, digits: int | None) -> float:
    if digits is None:
        return number
    return evidence.whole(number) if digits == 0 else round(number, digits) + 0.0


def rounded(count: int) -> int:
    """A count to the nearest five, halves up."""
    return ROUNDED_TO * evidence.whole(count / ROUNDED_TO)


def _label(result: Result) -> str:
    match result:
        case Count() | Difference():
            return result.label
        case Curve():
            return f"{result.arm} group"
        case Detectable():
            return "What this report could have seen"
    name = {
        "risk_difference": f"People with a recorded {result.event_label}: difference in every hundred",
        "risk_ratio": f"People with a recorded {result.event_label}: ratio",
        "restricted_mean_days": f"Days without a recorded {result.event_label}: difference in mean days",
        "hazard_ratio": f"Daily rate of a first recorded {result.event_label}: ratio",
    }[result.measure]
    adjusted = ", adjusted" if result.outcome.endswith("_adjusted") else ""
    return f"{name}{adjusted}, {result.horizon_days} days"
