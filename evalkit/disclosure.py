"""What may leave the room: decided over a whole edition, then applied. The only maker of findings.

The unit protected is the person. The lines below are those of the table of small numbers in docs/methods.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from evalkit import evidence
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
    encoded,
)
from evalkit.store import decisions_file, read_json, shelf, write_json
from evalkit.study import Study

FEWEST = 10  # distinct people behind any figure, or behind what is left of the group without them
FEWEST_FOR_RATES = 30
FEWEST_IN_FULL = 60
FEWEST_EVENTS_FOR_TIME = 30
ROUNDED_TO = 5
DAYS_OF_A_STEP = 30
FEWER = f"fewer than {FEWEST}"

Family = Mapping[str, tuple[Study, Sequence[Result]]]


def decide(family: Family) -> dict[str, dict[str, Decision]]:
    """What is withheld, graded and said of every result of an edition: by study key, then by result id.

    Nothing of openly published data is withheld or rounded. Of all other data whatever stands on too few people is
    withheld, and the rest rounded when it is released.
    """
    return {key: _of_one(study, results) for key, (study, results) in family.items()}


def keep(family: Family, profile: str) -> None:
    """Decide on every study of an edition and keep the decisions in the work folder, where `release` finds them."""
    studies = [study for study, _ in family.values()]
    several = len({(study.programme.slug, study.area, study.period.name) for study in studies}) > 1
    if profile == "public" and several and any(study.protection == "standard" for study in studies):
        raise NotReleasable(
            "a public edition of several studies cannot be made yet: figures withheld in one could be worked out from "
            "another. Use --profile internal, or a suite of one area and one period."
        )
    decisions = {key: encoded_decisions(found) for key, found in decide(family).items()}
    first = studies[0]
    write_json(decisions_file(first.root, first.suite, first.as_of.isoformat(), profile), decisions)


def encoded_decisions(found: Mapping[str, Decision]) -> dict[str, Any]:
    """Decisions as JSON values."""
    return {name: encoded(decision) for name, decision in found.items()}


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
    allocated, analysed = totals.get("flow.allocated"), totals.get("flow.analysed")
    if not (isinstance(allocated, int) and isinstance(analysed, int)):
        return findings
    words = evidence.followed(analysed, allocated)
    return tuple(
        dataclasses.replace(finding, sentence=words) if finding.id == "flow.analysed" else finding
        for finding in findings
    )


def _decisions(collection: tuple[Result, ...], study: Study) -> Mapping[str, Decision]:
    file = decisions_file(study.root, study.suite, study.as_of.isoformat(), study.profile)
    edition = (read_json(file) or {}).get(shelf(study).name, {})
    if all(result.id in edition for result in collection):
        return {result.id: decoded(edition[result.id]) for result in collection}
    if study.profile == "public":
        raise NotReleasable(
            "nothing has been decided about these results, so nothing can be made public. Use `evalkit run`, which "
            "decides over all reports of an edition together, or set the profile to internal."
        )
    return _of_one(study, collection)


def _of_one(study: Study, results: Sequence[Result]) -> dict[str, Decision]:
    verdicts = evidence.decide(results, study)
    exact = study.protection == "open_data"
    decisions = {}
    for result in results:
        decision = Decision(exact=True) if exact else _protected(result)
        verdict = verdicts.get(result.id)
        if verdict:
            decision = dataclasses.replace(
                decision,
                grade=verdict.grade.value,
                grade_words=verdict.grade.words,
                grade_reasons=verdict.grade.reasons,
                tier="T0" if decision.withheld else verdict.tier,
                p_adjusted=verdict.p_adjusted,
            )
        decisions[result.id] = decision
    return decisions


def _protected(result: Result) -> Decision:
    """What the small-number table allows of one result."""
    match result:
        case Estimate():
            return _protected_estimate(result)
        case Curve():
            return Decision(withheld=_too_few(result.at_risk[0]) or _unsafe(sum(result.events), result.at_risk[0]))
        case Difference():
            return Decision(withheld=_protected_difference(result))
        case Detectable():
            everybody = result.people_programme + result.people_comparison
            events = round(result.pooled_share * everybody)
            few = _too_few(min(result.people_programme, result.people_comparison))
            return Decision(withheld=few or _unsafe(events, everybody))
        case _:
            return Decision()


def _protected_estimate(result: Estimate) -> Decision:
    smallest = min(arm.people for arm in result.arms)
    unsafe = next(filter(None, (_unsafe(arm.events, arm.people) for arm in result.arms)), None)
    time_to_event = result.measure in ("restricted_mean_days", "hazard_ratio")
    if not (_too_few(smallest) or unsafe) and time_to_event and result.arms[0].events < FEWEST_EVENTS_FOR_TIME:
        unsafe = f"fewer than {FEWEST_EVENTS_FOR_TIME} people of the programme group had the event"
    return Decision(withheld=_too_few(smallest) or unsafe, small=smallest < FEWEST_IN_FULL)


def _protected_difference(result: Difference) -> str | None:
    few = _too_few(min(result.people_programme, result.people_comparison))
    if few or not result.is_share:
        return few
    sides = (
        (result.mean_programme, result.people_programme - result.missing_programme),
        (result.mean_comparison, result.people_comparison - result.missing_comparison),
    )
    return next(filter(None, (_unsafe(round(mean * held), held) for mean, held in sides)), None)


def _too_few(people: int) -> str | None:
    if people < FEWEST:
        return f"{FEWER} people"
    return f"fewer than {FEWEST_FOR_RATES} people" if people < FEWEST_FOR_RATES else None


def _unsafe(part: int, people: int) -> str | None:
    """Rule 1: neither a figure nor what it leaves over may stand on fewer than ten people."""
    return f"{FEWER} people stand behind one of its figures" if min(part, people - part) < FEWEST else None


def _finding(result: Result, decision: Decision, study: Study) -> Finding:
    shared: dict[str, Any] = {"id": result.id, "study_fingerprint": study.fingerprint}
    if decision.withheld:
        return _withheld(result, decision, shared)
    match result:
        case Estimate():
            return _estimate(result, decision, shared)
        case NotEstimable():
            return _not_estimable(result, decision, shared)
        case Detectable():
            return _detectable(result, decision, shared)
        case Count():
            return _count(result, decision, shared)
        case Difference():
            return Finding(
                kind="difference",
                status="released",
                label=result.label,
                sentence=evidence.apart(result),
                rows=(_difference_row(result, decision),),
                **shared,
            )
        case Curve():
            return Finding(
                kind="curve",
                status="released",
                label=f"{result.arm} group",
                sentence=evidence.reached(result),
                strand=result.strand,
                outcome=result.outcome,
                horizon_days=result.horizon_days,
                unit="percent",
                level=result.level,
                method=result.method,
                rows=tuple(_curve_rows(result, decision)),
                **shared,
            )


def _withheld(result: Result, decision: Decision, shared: dict[str, Any]) -> Finding:
    words = f"Withheld: {decision.withheld}."
    if not isinstance(result, Estimate):
        kind = type(result).__name__.lower()
        label = getattr(result, "label", "") or words
        return Finding(kind=kind, status="withheld", label=label, reason=decision.withheld, **shared)
    return Finding(
        kind="estimate",
        status="withheld",
        label=_label(result),
        sentence=(
            f"We cannot report on {_label(result)[0].lower()}{_label(result)[1:]}, because {decision.withheld}: "
            "showing it could let somebody be recognised. This does not mean that the programme had no effect."
        ),
        strand=result.strand,
        outcome=result.outcome,
        horizon_days=result.horizon_days,
        measure=result.measure,
        planned=result.planned,
        tier="T0",
        grade=decision.grade,
        reason=decision.withheld,
        **shared,
    )


def _estimate(result: Estimate, decision: Decision, shared: dict[str, Any]) -> Finding:
    scale = 100 if UNIT[result.measure] in ("points", "percent") else 1
    value, low, high = (
        _figure(scale * number, result.measure, decision) for number in (result.value, result.low, result.high)
    )
    arms = tuple(_arm(arm, decision) for arm in result.arms)
    tier = decision.tier or "T1"
    can, cannot = evidence.may_be_said(result, tier) if result.planned == "primary" else ((), ())
    small = ("Few people: read with care.",) if decision.small and not decision.exact else ()
    return Finding(
        kind="estimate",
        status="released",
        label=_label(result),
        sentence=evidence.sentence(result, tier, arms, p_adjusted=decision.p_adjusted),
        strand=result.strand,
        outcome=result.outcome,
        horizon_days=result.horizon_days,
        measure=result.measure,
        unit=UNIT[result.measure],
        contrast=result.contrast,
        population=result.population,
        planned=result.planned,
        value=value,
        low=low,
        high=high,
        level=result.level,
        arms=arms,
        p_value=_p(result.p_value, decision),
        p_adjusted=_p(decision.p_adjusted, decision),
        grade=decision.grade,
        grade_sentence=evidence.grade_sentence(decision.grade or 1, decision.grade_words or "", decision.grade_reasons),
        tier=tier,
        method="; ".join(filter(None, (result.method, result.p_method and f"p by {result.p_method}"))),
        caveats=(*result.caveats, *small, *(f"Grade held down: {reason}." for reason in decision.grade_reasons)),
        can_say=can,
        cannot_say=cannot,
        **shared,
    )


def _not_estimable(result: NotEstimable, decision: Decision, shared: dict[str, Any]) -> Finding:
    return Finding(
        kind="not_estimable",
        status="not_estimable",
        label=_label(result),
        sentence=evidence.refusal(result),
        strand=result.strand,
        outcome=result.outcome,
        horizon_days=result.horizon_days,
        measure=result.measure,
        planned=result.planned,
        tier="T0",
        grade=decision.grade,
        reason=f"{result.why}. What would mend it: {result.mend}",
        **shared,
    )


def _detectable(result: Detectable, decision: Decision, shared: dict[str, Any]) -> Finding:
    everybody = result.people_programme + result.people_comparison
    events = round(result.pooled_share * everybody)
    people, counted = (number if decision.exact else rounded(number) for number in (everybody, events))
    return Finding(
        kind="detectable",
        status="released",
        label="What this report could have seen",
        sentence=evidence.detectable(result, people, counted),
        strand=result.strand,
        outcome=result.outcome,
        horizon_days=result.horizon_days,
        unit="percent",
        value=None
        if result.reduction is None
        else 100 * result.reduction
        if decision.exact
        else evidence.whole(100 * result.reduction),
        level=result.level,
        method=f"seen with a probability of {result.power:g}; {result.method}",
        **shared,
    )


def _count(result: Count, decision: Decision, shared: dict[str, Any]) -> Finding:
    return Finding(kind="count", status="released", label=result.label, rows=(_count_row(result, decision),), **shared)


def _count_row(result: Count, decision: Decision) -> dict[str, Any]:
    figures = {name: getattr(result, name) for name in ("total", "programme", "comparison")}
    if not decision.exact and result.unit == "people":
        figures = _protected_counts(figures)
    return {"step": result.step, "unit": result.unit, "left_out": result.left_out, **figures}


def _protected_counts(figures: Mapping[str, int | None]) -> dict[str, int | str | None]:
    """Counts in fives; one below ten is not shown, and then the total is not either: it would give it away."""
    shown: dict[str, int | str | None] = {}
    for name, number in figures.items():
        shown[name] = None if number is None else FEWER if number < FEWEST else rounded(number)
    hidden = [name for name in ("programme", "comparison") if shown.get(name) == FEWER]
    if len(hidden) == 1 and shown["total"] != FEWER:
        shown["total"] = WITHHELD
    return shown


WITHHELD = "withheld"


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
    """The points of a curve: as they are, or on a grid of thirty days, counts in fives, cut below ten at risk."""
    points = list(zip(result.days, result.share, result.low, result.high, result.at_risk, strict=True))
    if decision.exact:
        for day, *shares, at_risk in points:
            yield {"day": day, **_shares(shares, None), "at_risk": at_risk}
        return
    for day in range(0, result.horizon_days + 1, DAYS_OF_A_STEP):
        _, *shares, _ = [point for point in points if point[0] <= day][-1]
        at_risk = next((point[4] for point in points if point[0] > day), points[-1][4])
        if at_risk < FEWEST:
            return
        yield {"day": day, **_shares(shares, 0), "at_risk": rounded(at_risk)}


def _shares(shares: Sequence[float], digits: int | None) -> dict[str, float]:
    return {name: _rounded(100 * share, digits) for name, share in zip(("share", "low", "high"), shares, strict=True)}


def _arm(arm: Arm, decision: Decision) -> Arm:
    if decision.exact:
        return arm
    return Arm(label=arm.label, people=rounded(arm.people), events=rounded(arm.events))


def _figure(number: float, measure: str, decision: Decision) -> float:
    if decision.exact:
        return number
    return _rounded(number, 2 if UNIT[measure] == "ratio" else 0)


def _p(p_value: float | None, decision: Decision) -> float | None:
    return p_value if p_value is None or decision.exact else _rounded(p_value, 2)


def _rounded(number: float, digits: int | None) -> float:
    if digits is None:
        return number
    return evidence.whole(number) if digits == 0 else round(number, digits) + 0.0


def rounded(count: int) -> int:
    """A count to the nearest five, halves up."""
    return ROUNDED_TO * evidence.whole(count / ROUNDED_TO)


def _label(result: Estimate | NotEstimable) -> str:
    name = {
        "risk_difference": f"People with a recorded {result.event_label}: difference in every hundred",
        "risk_ratio": f"People with a recorded {result.event_label}: ratio",
        "restricted_mean_days": f"Days without a recorded {result.event_label}: difference in mean days",
        "hazard_ratio": f"Daily rate of a first recorded {result.event_label}: ratio",
    }[result.measure]
    adjusted = ", adjusted" if result.outcome.endswith("_adjusted") else ""
    return f"{name}{adjusted}, {result.horizon_days} days"
