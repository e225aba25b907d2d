"""What may leave the room of each result: decisions applied, figures rounded, words put. The only maker of findings."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from evalkit import evidence
from evalkit.disclosure import rows
from evalkit.disclosure.deciding import FEWEST, content_of, of_one, shown_gate
from evalkit.errors import NotReleasable
from evalkit.results import (
    ABUSE_TYPES,
    COMPARISON,
    PROGRAMME,
    REPORTERS,
    UNIT,
    VARIANTS,
    Count,
    Curve,
    Decision,
    Detectable,
    Difference,
    Estimate,
    Expected,
    ExpectedShare,
    Finding,
    Gate,
    Months,
    NotEstimable,
    Overlap,
    Readings,
    ReportersAgree,
    Result,
    Transition,
    decoded,
)
from evalkit.store import decisions_file, read_json, shelf
from evalkit.study import ALL_AREAS, Study

AFTER_DISCHARGE = "_after_discharge"
SHARE_FOUND = re.compile(
    r"\((?:(?!needed: )[^()])*\d%(?:(?!needed: )[^()])*; needed: "
)  # by a check that was not passed


def release(results: Iterable[Result], study: Study) -> tuple[Finding, ...]:
    """Withhold what is too small to show, round the rest, and put each result in words.

    The decisions are those of the edition where it has been decided on; by hand, for the profile `internal`, the
    results given are a family of their own. `public` without decisions is refused.
    """
    collection = tuple(results)
    decisions = _decisions(collection, study)
    findings = tuple(_finding(result, decisions[result.id], study) for result in collection)
    return _with_months_in_words(_with_flow_in_words(findings), study)


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


def _with_months_in_words(findings: tuple[Finding, ...], study: Study) -> tuple[Finding, ...]:
    """The two months around the index date of both groups together, where all four rates are released."""
    rates = {
        (finding.label, row["month"]): row["per_hundred"]
        for finding in findings
        if finding.kind == "months"
        for row in finding.rows
    }
    places = [(_group(arm), month) for month in (-1, 0) for arm in (PROGRAMME, COMPARISON)]
    found = [evidence.whole(rate) for rate in map(rates.get, places) if rate is not None]
    if len(found) < len(places):
        return findings
    words = evidence.around_the_index_date(study.programme.event, (found[0], found[1]), (found[2], found[3]))
    return tuple(
        dataclasses.replace(finding, sentence=words)
        if finding.kind == "months" and finding.label == _group(PROGRAMME)
        else finding
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
            return Finding(rows=(rows.count_row(result, decision),), **known)
        case Difference():
            return Finding(sentence=evidence.apart(result), rows=(rows.difference_row(result, decision),), **known)
        case Curve():
            points = tuple(rows.curve_rows(result, decision))
            known |= {"unit": "percent", "level": result.level, "method": result.method}
            return Finding(sentence=evidence.reached(result, points[-1]), rows=points, **known)
        case Expected():
            return _expected(result, decision, known)
        case Months():
            return Finding(unit="per_100", method=result.method, rows=tuple(rows.month_rows(result, decision)), **known)
        case Gate():
            result = result if decision.exact else shown_gate(result)
            told = {name: evidence.counted_in_hundreds(getattr(result, name)) for name in ("found", "needed", "mend")}
            return Finding(sentence=evidence.gate(result), rows=({**told, "passed": result.passed},), **known)
        case Overlap():
            bands = tuple(rows.overlap_rows(result, decision))
            both = sum(people >= FEWEST for people in result.comparison)
            words = evidence.overlap(both, len(bands), FEWEST)
            return Finding(sentence=words, unit="people", rows=bands, **known)
        case ExpectedShare():
            return _expected_share(result, decision, study, known)
        case Transition():
            return _transition(result, decision, study, known)
        case ReportersAgree():
            return _agreement(result, decision, known)
        case Readings():
            return _readings(result, decision, known)


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
    Expected: "expected",
    Months: "months",
    Gate: "gate",
    Overlap: "overlap",
    ExpectedShare: "expected_share",
    Transition: "transition",
    ReportersAgree: "kappa",
    Readings: "readings",
}


def _withheld(result: Result, decision: Decision, known: dict[str, Any]) -> Finding:
    known |= {"status": "withheld", "reason": decision.withheld}
    words = f"{known['label']}: cannot be reported here, because {decision.withheld}."
    if isinstance(result, Estimate | Detectable | Expected | ExpectedShare | Transition | Readings):
        words += " This does not mean that the programme had no effect."
    return Finding(sentence=words, tier="T0", grade=decision.grade, **known)


def _estimate(result: Estimate, decision: Decision, known: dict[str, Any]) -> Finding:
    alone = result.contrast == "share" and decision.small  # share, range and both counts would tell exactly how many
    told = decision.exact or not (result.variant or alone)
    arms = tuple(rows.arm(arm, decision) for arm in result.arms) if told else ()
    tier = decision.tier or "T1"
    held: dict[str, Any] = {"p_adjusted": decision.p_adjusted, "reasons": decision.grade_reasons}
    is_main = result.planned == "primary" and not result.variant
    can, cannot = evidence.may_be_said(result, tier, **held) if is_main else ((), ())
    small = ("Few people: read with care.",) if decision.small and not decision.exact else ()
    return Finding(
        sentence=evidence.sentence(result, tier, arms, **held),
        unit=UNIT[result.measure],
        contrast=result.contrast,
        population=result.population,
        value=rows.figure(result.value, result.measure, decision),
        low=rows.figure(result.low, result.measure, decision),
        high=rows.figure(result.high, result.measure, decision),
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
        rows=tuple(rows.modelled_rates(result, decision)),
        **known,
    )


def _caveats(result: Estimate, decision: Decision) -> Iterator[str]:
    """What to bear in mind, with the people left out in numbers only where numbers are shown as they are."""
    yield from result.caveats
    for short in result.left_out:
        people = f"{short.people} of {short.of} people" if decision.exact else "People"
        yield f"{people} {short.why} are left out."


def _not_estimable(result: NotEstimable, decision: Decision, known: dict[str, Any]) -> Finding:
    """The reason in words; the share that a failed check found is told, where it may be, by the check alone."""
    why = result.why if decision.exact else SHARE_FOUND.sub("(needed: ", result.why)
    result = dataclasses.replace(result, why=why)
    reason = f"{evidence.counted_in_hundreds(why)}. What would mend it: {result.mend}"
    known |= {"status": "not_estimable", "reason": reason}
    return Finding(sentence=evidence.refusal(result), tier="T0", grade=decision.grade, **known)


def _detectable(result: Detectable, decision: Decision, known: dict[str, Any]) -> Finding:
    if result.basis == "count":
        people, events = result.people_programme, evidence.whole(100 * result.typical)
    else:
        people = result.people_programme + result.people_comparison
        events = round(result.typical * people)
    people, events = (number if decision.exact else rows.rounded(number) for number in (people, events))
    return Finding(
        sentence=evidence.detectable(result, people, events),
        unit="percent",
        value=None if result.reduction is None else rows.figure(result.reduction, "share", decision),
        level=result.level,
        method=f"seen with a probability of {result.power:g}; {result.method}",
        **known,
    )


def _expected(result: Expected, decision: Decision, known: dict[str, Any]) -> Finding:
    shown = rows.expected_row(result, decision)
    return Finding(
        sentence=evidence.expected(result, shown),
        can_say=(evidence.expected_in_brief(result),),
        unit="events",
        level=result.level,
        method=result.method,
        rows=(shown,),
        **known,
    )


def _expected_share(result: ExpectedShare, decision: Decision, study: Study, known: dict[str, Any]) -> Finding:
    shown = rows.expected_share_row(result, decision, alone=study.area != ALL_AREAS)
    return Finding(
        sentence=evidence.expected_share(result, shown),
        can_say=(evidence.expected_share_in_brief(result),),
        unit="percent",
        level=result.level,
        method=result.method,
        rows=(shown,),
        **known,
    )


def _transition(result: Transition, decision: Decision, study: Study, known: dict[str, Any]) -> Finding:
    return Finding(
        sentence=evidence.moved(result, rows.moved_row(result, decision)),
        unit="people",
        level=result.level,
        method=result.method,
        rows=tuple(rows.transition_rows(result, decision, alone=study.area != ALL_AREAS)),
        **known,
    )


def _agreement(result: ReportersAgree, decision: Decision, known: dict[str, Any]) -> Finding:
    people = result.people if decision.exact else rows.rounded(result.people)
    digits, kappa = None if decision.exact else 2, result.kappa
    return Finding(
        sentence=evidence.agreed(result, people),
        unit="kappa",
        level=result.level,
        method=result.method,
        rows=({"one": result.one, "other": result.other, "people": people},),
        value=rows.to_digits(kappa.value, digits),
        low=rows.to_digits(kappa.low, digits),
        high=rows.to_digits(kappa.high, digits),
        **known,
    )


def _readings(result: Readings, decision: Decision, known: dict[str, Any]) -> Finding:
    """Every reading, and in words the first beside the last where both may be shown."""
    every = tuple(rows.reading_rows(result, decision))
    shown = [row for row in every if row["mean"] is not None]
    is_said = len(shown) > 1 and shown[0]["day"] == 0
    return Finding(
        sentence=evidence.read(result, shown[0], shown[-1]) if is_said else "",
        unit="score",
        level=result.level,
        method=result.method,
        rows=every,
        **known,
    )


def _p(p_value: float | None, decision: Decision) -> float | None:
    return p_value if p_value is None or decision.exact else rows.to_digits(p_value, 2)


def _label(result: Result) -> str:
    match result:
        case Count() | Difference() | Gate():
            return result.label
        case Curve() | Months() | Readings():
            return _group(result.arm)
        case ExpectedShare():
            when = evidence.timed(result)
            had = f"{result.had[0].upper()}{result.had[1:]}, {when[0].lower()}{when[1:]}"
            return f"{had}{evidence.reported(result.judged_by)}"
        case Transition():
            who = REPORTERS[result.judged_by]
            return f"{ABUSE_TYPES[result.outcome].capitalize()}, {_group(result.arm)}, judged by {who}"
        case ReportersAgree():
            both = f"{REPORTERS[result.one]} and {REPORTERS[result.other]}"
            return f"{ABUSE_TYPES[result.outcome].capitalize()}, judged by {both}"
        case Detectable():
            return "What this report could have seen"
        case Expected():
            return f"Before, after, and expected without the programme, {result.horizon_days} days"
        case Overlap():
            return "How likely people were to be chosen"
    outcome = result.outcome.removesuffix(AFTER_DISCHARGE)
    if outcome in _NAMES:
        when = f"{result.horizon_days} days{' after discharge' if outcome != result.outcome else ''}"
        return ", ".join(filter(None, (_NAMES[outcome], VARIANTS[result.variant], when)))
    name = {
        "risk_difference": f"People with a recorded {result.event_label}: difference in every hundred",
        "risk_ratio": f"People with a recorded {result.event_label}: ratio",
        "rate_difference": f"Recorded {result.event_label}s: difference for every hundred people",
        "rate_ratio": f"Recorded {result.event_label}s: ratio",
        "share": f"People with a recorded {result.event_label}: in every hundred of the programme group",
        "restricted_mean_days": f"Days without a recorded {result.event_label}: difference in mean days",
        "hazard_ratio": f"Daily rate of a first recorded {result.event_label}: ratio",
    }[result.measure]
    return ", ".join(filter(None, (name, VARIANTS[result.variant], f"{result.horizon_days} days")))


_NAMES = {
    "high_abuse": "Cases with abuse at a high level: difference in every hundred",
    "level_change": "Levels of abuse",
    "mean_score": "Mean score: difference in points",
    "lower_score": "People with a lower score: difference in every hundred",
    "materially_lower_score": "People with a materially lower score: difference in every hundred",
}


def _group(arm: str) -> str:
    return f"{arm} group"
