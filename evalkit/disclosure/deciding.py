"""What is withheld, decided over a whole edition: the lines of the table of small numbers in docs/methods.md.

The unit protected is the person.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from evalkit import evidence
from evalkit.errors import NotReleasable
from evalkit.results import Curve, Decision, Detectable, Difference, Estimate, Result, encoded
from evalkit.store import decisions_file, write_json
from evalkit.study import Study

FEWEST = 10  # distinct people behind any figure, or behind what is left of the group without them
FEWEST_FOR_RATES = 30
FEWEST_IN_FULL = 60
FEWEST_EVENTS_FOR_TIME = 30
FEWER = f"fewer than {FEWEST}"

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
    several = len({(study.programme.slug, study.area, study.period.name) for study in studies}) > 1
    if profile == "public" and several and any(study.protection == "standard" for study in studies):
        raise NotReleasable(
            "a public edition of several studies cannot be made yet: figures withheld in one could be worked out from "
            "another. Use --profile internal, or a suite of one area and one period."
        )
    decisions = {
        key: {name: encoded(decision) for name, decision in found.items()} for key, found in decide(family).items()
    }
    first = studies[0]
    write_json(decisions_file(first.root, first.suite, first.as_of.isoformat(), profile), decisions)


def of_one(study: Study, results: Sequence[Result]) -> dict[str, Decision]:
    """The decisions on the results of one study that is a family of its own, by result id."""
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
