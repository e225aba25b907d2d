"""What is withheld, decided over a whole edition: the lines of the table of small numbers in docs/methods.md.

The unit protected is the person.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit import evidence
from evalkit.errors import NotReleasable
from evalkit.results import Curve, Decision, Detectable, Difference, Estimate, Result, encoded
from evalkit.store import decisions_file, write_json
from evalkit.study import ALL_AREAS, Study, fingerprint_of

FEWEST = 10  # distinct people behind any figure, or behind what is left of the group without them
FEWEST_FOR_RATES = 30
FEWEST_IN_FULL = 60
FEWEST_EVENTS_FOR_TIME = 30
FEWER = f"fewer than {FEWEST}"
ONE_AREA = "one area alone cannot carry an effect; it is shown once areas are pooled, which this version cannot do"

Family = Mapping[str, tuple[Study, Sequence[Result]]]


def decide(family: Family) -> dict[str, dict[str, Decision]]:
    """What is withheld, graded and said of every result of an edition: by study key, then by result id.

    Nothing of openly published data is withheld or rounded. Of all other data whatever stands on too few people is
    withheld, and the rest rounded when it is released.
    """
    return {key: of_one(study, results) for key, (study, results) in family.items()}


def keep(family: Family, profile: str) -> None:
    """Decide on every study of an edition and keep the decisions in the work folder, where `release` finds them."""
    studies = [study for study, _ in family.values()]
    if profile == "public" and any(study.protection == "standard" for study in studies):
        raise NotReleasable(
            "a public edition can be made of openly published data only: what is withheld in one report or edition "
            "could be worked out from another, and this version does not keep account of that. Use --profile internal."
        )
    decided = decide(family)
    decisions = {
        key: {result.id: _bound(result, decided[key][result.id]) for result in results}
        for key, (_, results) in family.items()
    }
    first = studies[0]
    write_json(decisions_file(first.root, first.suite, first.as_of.isoformat(), profile), decisions)


def content_of(result: Result) -> str:
    """What a decision is bound to: it holds for this very result, not for another of the same name."""
    return fingerprint_of(encoded(result))


def _bound(result: Result, decision: Decision) -> dict[str, Any]:
    return {"of": content_of(result), "decision": encoded(decision)}


def of_one(study: Study, results: Sequence[Result]) -> dict[str, Decision]:
    """The decisions on the results of one study that is a family of its own, by result id."""
    verdicts = evidence.decide(results, study)
    exact = study.protection == "open_data"
    decisions = {}
    for result in results:
        decision = Decision(exact=True) if exact else _protected(result)
        if study.area != ALL_AREAS and isinstance(result, Estimate) and not decision.withheld:
            decision = dataclasses.replace(decision, withheld=ONE_AREA)
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
    return decisions if exact else _with_companions(results, decisions)


def _with_companions(results: Sequence[Result], decisions: dict[str, Decision]) -> dict[str, Decision]:
    """Withhold all that is said of a strand's events where one part of it is: the rest would give it away."""
    about_events = [result for result in results if isinstance(result, Estimate | Curve | Detectable)]
    reasons = [decisions[result.id].withheld for result in about_events]
    reason = next(filter(None, reasons), None)
    if not reason:
        return decisions
    same = {
        result.id: dataclasses.replace(
            decisions[result.id], withheld=decisions[result.id].withheld or reason, tier="T0"
        )
        for result in about_events
    }
    return decisions | same


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
    sides = (
        (result.mean_programme, result.people_programme - result.missing_programme),
        (result.mean_comparison, result.people_comparison - result.missing_comparison),
    )
    few = _too_few(min(held for _, held in sides))
    if few or not result.is_share:
        return few
    return next(filter(None, (_unsafe(round(mean * held), held) for mean, held in sides)), None)


def _too_few(people: int) -> str | None:
    if people < FEWEST:
        return f"it stands on {FEWER} people"
    return f"it stands on fewer than {FEWEST_FOR_RATES} people" if people < FEWEST_FOR_RATES else None


def _unsafe(part: int, people: int) -> str | None:
    """Rule 1: neither a figure nor what it leaves over may stand on fewer than ten people."""
    return f"{FEWER} people stand behind one of its figures" if min(part, people - part) < FEWEST else None
