"""What is withheld, decided over a whole edition: the lines of the table of small numbers in docs/methods.md.

The unit protected is the person.
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from evalkit import evidence
from evalkit.disclosure import levels
from evalkit.errors import NotReleasable
from evalkit.results import (
    PROGRAMME,
    Arm,
    Count,
    Curve,
    Decision,
    Detectable,
    Difference,
    Estimate,
    Expected,
    ExpectedShare,
    Gate,
    Months,
    Overlap,
    Readings,
    ReportersAgree,
    Result,
    Transition,
    encoded,
)
from evalkit.store import decisions_file, write_json
from evalkit.study import ALL_AREAS, Study, fingerprint_of

FEWEST = levels.FEWEST  # distinct people behind any figure, or behind what is left of the group without them
FEWEST_FOR_RATES = 30
MATERIALLY = "materially_"
FEWEST_IN_FULL = 60
FEWEST_EVENTS_FOR_TIME = 30
MOST_OF_ONE, MOST_OF_TWO = 0.5, 0.9
MONTHS_OF_A_TOTAL = 6
FEWER = f"fewer than {FEWEST}"
MOST_AREAS_NOT_BLURRED = 3
COUNTED = ("total", "programme", "comparison")  # the parts of a count of the flow
PART_OF_THOSE_COUNTED = ("analysed", "started", "completed")  # steps of the flow, each within the one before
OTHER_AREA = "another area's figure could be worked out from it"
ONE_AREA = "one area alone cannot carry an effect; it is shown once areas are pooled, which this version cannot do"

ONE_AREA_FEW = f"it stands on fewer than {FEWEST_IN_FULL} people, which one area alone needs"
ONE_AREA_SEXUAL = "sexual abuse is not shown of one area alone"
OF_NOBODY = (None, ONE_AREA, ONE_AREA_SEXUAL)  # reasons that hold for every area, whoever stands behind a figure
GIVEN_AWAY = "how few cases moved from one level of abuse to another could be worked out from it"
NEARLY_THE_SAME = f"{FEWER} people stand between it and the people with a lower score at all"
NEARLY_BOTH = f"{FEWER} people stand between it and the people with a lower score by the usual reading"
OTHER_READING = "_other_reading"

Family = Mapping[str, tuple[Study, Sequence[Result]]]


def decide(family: Family) -> dict[str, dict[str, Decision]]:
    """What is withheld, graded and said of every result of an edition: by study key, then by result id.

    Nothing of openly published data is withheld or rounded. Of all other data whatever stands on too few people is
    withheld, and the rest rounded when it is released.
    """
    decided = {key: of_one(study, results) for key, (study, results) in family.items()}
    _add_companion_areas(family, decided)
    return decided


def _add_companion_areas(family: Family, decided: dict[str, dict[str, Decision]]) -> None:
    """Withhold in a second area what is withheld in one alone: all areas less the others would be that one.

    Of one programme and period, figure by figure: the smallest of the areas that show it goes along, until what is left
    for those withheld together is ten people or more. Counts of the flow are in fives, which blurs the sum of four
    areas or more enough; of fewer a second goes along with one below ten. Differences between editions, periods and
    programmes are not looked at: see docs/decisions.md.
    """
    areas: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, (study, _) in family.items():
        if study.area != ALL_AREAS and study.protection != "open_data":
            areas[study.programme.slug, study.period.name].append(key)
    for keys in areas.values():
        results = {key: {result.id: result for result in family[key][1]} for key in keys}
        for name in sorted({name for found in results.values() for name in found}):
            holders = [key for key in keys if name in results[key]]
            for part in COUNTED if isinstance(results[holders[0]][name], Count) else ("",):
                while goes_along := _companion(name, part, holders, results, decided, len(keys)):
                    own, held = decided[goes_along], results[goes_along]
                    for each in (other for other in held if _adds_up(held[other], held[name])):
                        reason = own[each].withheld or OTHER_AREA
                        own[each] = dataclasses.replace(own[each], withheld=reason, tier=None)


def _adds_up(result: Result, other: Result) -> bool:
    """Whether one is the other, or both are groups of one covariate, of which one follows from the rest."""
    if isinstance(result, Difference) and isinstance(other, Difference) and result.part_of:
        return result.part_of == other.part_of
    return result.id == other.id


def _companion(
    name: str,
    part: str,
    holders: Sequence[str],
    results: Mapping[str, Mapping[str, Result]],
    decided: Mapping[str, Mapping[str, Decision]],
    areas: int,
) -> str | None:
    """The area to be withheld next, of one figure, or one part of a count; None where enough areas are.

    A single area's follows from the others; of several their sum does, which must not be of a few people either.
    """
    secret = [key for key in holders if _is_secret(results[key][name], part, decided[key][name], areas)]
    hidden = [key for key in holders if key in secret or decided[key][name].withheld not in OF_NOBODY]
    shown = [key for key in holders if key not in hidden and _is_shown(results[key][name], part, decided[key][name])]
    if not secret or not shown:
        return None
    together = [_parts(results[key][name], results[key].values()) for key in hidden]
    if len(hidden) > 1 and all(sum(parts) >= FEWEST for parts in zip(*together, strict=False)):
        return None
    return min(shown, key=lambda key: (_size(results[key][name]), key))


def _is_secret(result: Result, part: str, decision: Decision, areas: int) -> bool:
    """Whether a figure, or a part of a count, is withheld because of whom it would tell of, not of another area's."""
    own = decision.withheld not in (*OF_NOBODY, OTHER_AREA)
    if isinstance(result, Count):
        few = {name for name in COUNTED if 0 < (getattr(result, name) or 0) < FEWEST}
        is_few = part in few or (part == "total" and bool(few) and result.total is not None)
        return areas <= MOST_AREAS_NOT_BLURRED and (own or is_few)
    return own and isinstance(result, Estimate | Difference | ExpectedShare | Transition | ReportersAgree)


def _is_shown(result: Result, part: str, decision: Decision) -> bool:
    return not decision.withheld and (not isinstance(result, Count) or bool(getattr(result, part)))


def _parts(result: Result, results: Iterable[Result]) -> tuple[int, ...]:
    """The numbers of people that a figure of one area tells of; of no figure but shares and sums of moves any."""
    match result:
        case Estimate(contrast="share", arms=[arm]):
            return arm.events, arm.people - arm.events
        case Difference(is_share=True):
            held = result.people_programme - result.missing_programme
            share = round(result.mean_programme * held)
            return share, held - share
        case ExpectedShare():
            sides = (each for each in results if isinstance(each, Transition) and each.arm == PROGRAMME)
            told = next((levels.parts_told(side, is_shown=True) for side in sides if _is_of(side, result)), None)
            return told or (result.people_with, result.people - result.people_with)
        case Transition():
            return tuple(levels.moved(result).values())
    return ()


def _size(result: Result) -> int:
    """How many people of the programme a figure stands on."""
    match result:
        case Estimate():
            return _people(result)[0]
        case Difference():
            return result.people_programme
        case Count():
            return result.programme or 0
        case ExpectedShare() | ReportersAgree():
            return result.people
        case Transition():
            return levels.cases(result)
    return 0


def keep(family: Family, profile: str) -> None:
    """Decide on every study of an edition and keep the decisions in the work folder, where `release` finds them.

    A public edition is made of openly published data, or of made-up data, behind which nobody stands; the lines of the
    table of small numbers hold for made-up data all the same.
    """
    studies = [study for study, _ in family.values()]
    if profile == "public" and any(study.protection == "standard" and not study.is_made_up for study in studies):
        raise NotReleasable(
            "a public edition can be made of openly published or made-up data only: what is withheld in one report or "
            "edition could be worked out from another, and this version does not keep account of that. Use --profile "
            "internal."
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
    decisions = {result.id: Decision(exact=True) if exact else _protected(result) for result in results}
    if not exact:
        decisions = _with_companions(results, decisions)
    if study.area != ALL_AREAS:
        decisions = {result.id: _of_one_area(result, decisions[result.id]) for result in results}
    for name, verdict in verdicts.items():
        decisions[name] = dataclasses.replace(
            decisions[name],
            grade=verdict.grade.value,
            grade_words=verdict.grade.words,
            grade_reasons=verdict.grade.reasons,
            tier="T0" if decisions[name].withheld else verdict.tier,
            p_adjusted=verdict.p_adjusted,
        )
    return decisions


def _of_one_area(result: Result, decision: Decision) -> Decision:
    """Withhold whatever shows or gives away one area's own effect; how its people fared alone may stand there.

    Of levels and shares only where sixty people stand behind them, and never of sexual abuse. A share beside one that
    was expected from others is an effect; a share of both groups together is one beside the programme's own; a share
    beside a band alone is none.
    """
    own_share = isinstance(result, Estimate) and result.contrast == "share"
    effect = isinstance(result, Estimate | Curve | Detectable | Expected | Months | Overlap | Readings)
    of_others = isinstance(result, Transition) and result.arm != PROGRAMME
    if (effect and not own_share) or of_others:
        return dataclasses.replace(decision, withheld=decision.withheld or ONE_AREA)
    if not isinstance(result, ExpectedShare | Transition | ReportersAgree):
        return decision
    few = ONE_AREA_FEW if _size(result) < FEWEST_IN_FULL else None
    sexual = ONE_AREA_SEXUAL if "sexual" in result.outcome else None
    protected = None if decision.exact else sexual or decision.withheld or few
    beside_others = isinstance(result, ExpectedShare) and result.without is not None
    return dataclasses.replace(decision, withheld=protected or (ONE_AREA if beside_others else None))


def _with_companions(results: Sequence[Result], decisions: dict[str, Decision]) -> dict[str, Decision]:
    """Withhold with one figure every other that counts the same people: the rest would give it away.

    Who had an event, and when, is one count of people over each horizon: shares, their ratio, the curves and what could
    have been seen all show it. How many events there were is another: it tells neither who had one nor how many did. A
    variant (among people near the line, say) is released without any count of its own, so that it tells nothing of the
    main figure by subtraction, and a withheld one takes nothing along. What was not estimated holds no figure. Of a
    covariate in groups (age bands) one group follows from the others. Months have lines of their own. Of scores each
    outcome counts people of its own; of levels of abuse the share no longer at a high level goes where the sums beside
    it would tell of a few cases.
    """
    together: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for result in results:
        if isinstance(result, Estimate) and result.variant and result.arms:
            continue
        if isinstance(result, Curve | Detectable | Expected | Estimate | ExpectedShare):
            counted = _counted(result.strand, result.outcome)
            together[result.strand, counted, result.horizon_days].append(result.id)
        if isinstance(result, Difference) and result.part_of:
            together["balance", result.part_of, 0].append(result.id)
    same = decisions | {
        result.id: dataclasses.replace(decisions[result.id], withheld=decisions[result.id].withheld or reason)
        for result in results
        if (reason := _told_by_others(result, results, decisions))
    }
    for names in together.values():
        reason = next(filter(None, (same[name].withheld for name in names)), None)
        if reason:
            same |= {name: dataclasses.replace(same[name], withheld=same[name].withheld or reason) for name in names}
    return same


def _counted(strand: str, outcome: str) -> str:
    """Of whom an outcome is a count: figures that share it give each other away."""
    if strand == "reoffending":
        return "events" if outcome == "event_count" else "people"
    return outcome


def _told_by_others(result: Result, results: Sequence[Result], decisions: Mapping[str, Decision]) -> str | None:
    """Why a result may not stand beside others that are shown: the difference would tell of a few people."""
    if isinstance(result, ExpectedShare) and result.judged_by:
        sides = [each for each in results if isinstance(each, Transition) and _is_of(each, result)]
        told = (levels.gives_away(side, is_shown=decisions[side.id].withheld is None) for side in sides)
        return GIVEN_AWAY if any(told) else None
    if isinstance(result, Estimate) and result.outcome.startswith(MATERIALLY):
        wider = result.id.replace(MATERIALLY, "")
        among = [each for each in results if isinstance(each, Estimate) and each.id == wider]
        pairs = (pair for each in among for pair in zip(each.arms, result.arms, strict=True))
        few = any(other.events - arm.events < FEWEST for other, arm in pairs)
        return NEARLY_THE_SAME if few else None
    if isinstance(result, ExpectedShare) and OTHER_READING in result.outcome:
        usual = result.id.replace(OTHER_READING, "")
        twins = [each for each in results if isinstance(each, ExpectedShare) and each.id == usual]
        return NEARLY_BOTH if any(abs(each.people_with - result.people_with) < FEWEST for each in twins) else None
    if isinstance(result, Count) and result.step in PART_OF_THOSE_COUNTED[1:]:
        return _behind(_left_over(result, results))
    return None


def _left_over(result: Count, results: Sequence[Result]) -> int:
    """How few of the programme an earlier step has more than this one: whoever did not start, or was not discharged."""
    earlier = PART_OF_THOSE_COUNTED[: PART_OF_THOSE_COUNTED.index(result.step)]
    wider = [each.programme for each in results if isinstance(each, Count) and each.step in earlier]
    return min((each - (result.programme or 0) for each in wider if each is not None), default=FEWEST)


def _is_of(side: Transition, share: ExpectedShare) -> bool:
    """Whether a share no longer at a high level is, or is set beside, one of this arm's, type's and reporter's."""
    beside = side.arm == PROGRAMME or share.without is not None
    return beside and share.outcome == f"no_longer_high_{side.outcome}_by_{side.judged_by}"


def _protected(result: Result) -> Decision:
    """What the small-number table allows of one result."""
    match result:
        case Estimate():
            return _protected_estimate(result)
        case Curve():
            return Decision(withheld=_protected_curve(result))
        case Difference():
            return Decision(withheld=_protected_difference(result))
        case Detectable():
            return Decision(withheld=_protected_detectable(result))
        case Expected():
            # a total of events: whoever stands outside it cannot be told from it
            behind = min(result.people_before, result.people_after)
            return Decision(withheld=_too_few(result.people) or _behind(behind))
        case Months():
            none = None if any(shown_months(result)) else _unsafe(0, max(result.people, default=0))
            return Decision(withheld=_too_few(max(result.people, default=0)) or none)
        case Gate():
            return Decision(withheld=None if result.of is None else _too_few(result.of))
        case Overlap():
            few = _too_few(min(result.people_programme, result.people_comparison))
            return Decision(withheld=few or _unsafe(min(result.programme), result.people_programme))
        case ExpectedShare():
            return Decision(withheld=_too_few(result.people) or _unsafe(result.people_with, result.people))
        case Transition():
            return Decision(withheld=_too_few(levels.cases(result)) or _behind(min(levels.moved(result).values())))
        case ReportersAgree():
            return Decision(withheld=_too_few(result.people) or _behind(_apart(result)))
        case Readings():
            return Decision(withheld=_too_few(max(result.people, default=0)))
        case _:
            return Decision()


def _apart(result: ReportersAgree) -> int:
    """About how many cases two reporters judge apart, or alike, whichever is less, as their agreement tells it.

    By chance alone a third of the scale or more lies between two levels, and cases apart are mostly one level apart, so
    that kappa falls short of 1 by about as much as the share of cases that are.
    """
    return math.floor(result.people * (1 - abs(result.kappa.value)))


def _protected_estimate(result: Estimate) -> Decision:
    """Of a rate an arm counts events, of a mean score nothing, of every other measure the people who had one."""
    smallest = min(_people(result))
    of_events = result.measure in ("rate_ratio", "rate_difference")
    reasons = (_behind(_people_of(arm)) if of_events else _unsafe(arm.events, arm.people) for arm in result.arms)
    unsafe = None if result.measure == "mean_difference" else next(filter(None, reasons), None)
    time_to_event = result.measure in ("restricted_mean_days", "hazard_ratio")
    if not (_too_few(smallest) or unsafe) and time_to_event and result.arms[0].events < FEWEST_EVENTS_FOR_TIME:
        unsafe = f"fewer than {FEWEST_EVENTS_FOR_TIME} people of the programme group had the event"
    if result.variant == "missing_bounds":  # how far apart its ends are is how many were not assessed
        unsafe = unsafe or _behind(min(side.allocated - side.followed for side in result.design.followed))
    return Decision(withheld=_too_few(smallest) or unsafe, small=smallest < FEWEST_IN_FULL)


def _people(result: Estimate) -> tuple[int, ...]:
    """People of each arm; those followed, where a variant counts none of its own."""
    return tuple(arm.people for arm in result.arms) or tuple(side.followed for side in result.design.followed)


def _people_of(arm: Arm) -> int:
    return arm.events if arm.people_with is None else arm.people_with


def _protected_curve(result: Curve) -> str | None:
    """People without the event are at least those followed to the last day, and at least those whom the events leave.

    Whoever stands in several trials may have an event in each, so that there can be more events than people.
    """
    happened = sum(result.events)
    left = max(result.at_risk[-1], result.at_risk[0] - happened)
    return _too_few(result.at_risk[0]) or _behind(min(happened, left))


def _protected_difference(result: Difference) -> str | None:
    sides = (
        (result.mean_programme, result.people_programme - result.missing_programme),
        (result.mean_comparison, result.people_comparison - result.missing_comparison),
    )
    few = _too_few(min(held for _, held in sides))
    if few:
        return few
    if not result.is_share:
        return (None if result.people_with is None else _behind(result.people_with)) or _dominated(result)
    return next(filter(None, (_unsafe(round(mean * held), held) for mean, held in sides)), None)


def _dominated(result: Difference) -> str | None:
    """Rule 4: no figure of which one person makes up more than half, or two nine tenths."""
    one, two = result.largest_shares or (0.0, 0.0)
    return "one or two people make up most of it" if one > MOST_OF_ONE or two > MOST_OF_TWO else None


def shown_gate(result: Gate) -> Gate:
    """A check as it may be told: without the share of people where that would tell of a handful of them."""
    if result.part is None or result.of is None or not _unsafe(result.part, result.of):
        return result
    return dataclasses.replace(result, found="enough of them" if result.passed else "too few of them")


def _protected_detectable(result: Detectable) -> str | None:
    everybody = result.people_programme + result.people_comparison
    few = _too_few(min(result.people_programme, result.people_comparison))
    if few or result.basis == "count":
        return few
    return _unsafe(round(result.typical * everybody), everybody)


def shown_months(result: Months) -> tuple[bool, ...]:
    """Whether each month may be shown: on thirty people, ten of them with an event and ten without.

    Of each half-year before or after the index date a total is shown elsewhere, so a single gap in one takes the safe
    month with the fewest people along.
    """
    counts = list(zip(result.months, result.people, result.people_with, strict=True))
    safe = {month: not (_too_few(people) or _unsafe(part, people)) for month, people, part in counts}
    for _, half in groupby(counts, key=lambda count: count[0] // MONTHS_OF_A_TOTAL):
        months = list(half)
        if sum(not safe[month] for month, *_ in months) == 1 < len(months):
            safe[min((part, month) for month, _, part in months if safe[month])[1]] = False
    return tuple(safe.values())


def _too_few(people: int) -> str | None:
    if people < FEWEST:
        return f"it stands on {FEWER} people"
    return f"it stands on fewer than {FEWEST_FOR_RATES} people" if people < FEWEST_FOR_RATES else None


def _unsafe(part: int, people: int) -> str | None:
    """Rule 1: neither a figure nor what it leaves over may stand on fewer than ten people."""
    return _behind(min(part, people - part))


def _behind(part: int) -> str | None:
    return f"{FEWER} people stand behind one of its figures" if part < FEWEST else None
