"""How often a report on made-up trials says more than it should: the promise of the project, for this design."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from evalkit import estimators, evidence
from evalkit.results import Arm, Design, Estimate, Followed, Gate

SEED, STUDIES = 20261121, 2000
AT_MOST_OF_A_HUNDRED = 5  # the promise; half of a two-sided level of 5 is expected, and mid-p and interval must agree


def _tier(events: tuple[int, int], people: int) -> tuple[str, float]:
    counts = {"events_1": events[0], "people_1": people, "events_0": events[1], "people_0": people}
    difference = estimators.risk_difference(**counts)
    p_value = estimators.mid_p(**counts)
    followed = tuple(Followed(label=label, allocated=people, followed=people) for label in ("programme", "comparison"))
    arms = tuple(Arm(label=side.label, people=people, events=e) for side, e in zip(followed, events, strict=True))
    design = Design(assignment="randomised", plan="locked", followed=followed)
    estimate = Estimate(
        strand="reoffending", outcome="any_event", horizon_days=364, measure="risk_difference", population="itt",
        value=difference.value, low=difference.low, high=difference.high, p_value=p_value, arms=arms, method="m",
        design=design, event_label="event", planned="primary",
    )  # fmt: skip
    return evidence.tier(estimate, evidence.grade(design), p_adjusted=p_value), difference.value


def _announced(share_1: float, share_0: float, people: int) -> tuple[float, float]:
    """Of a hundred trials, those that announce a fall, and those that announce a rise."""
    rng = np.random.default_rng(SEED)
    drawn = rng.binomial(people, (share_1, share_0), (STUDIES, 2))
    found = [_tier((int(one), int(other)), people) for one, other in drawn]
    directions = [np.sign(value) for tier, value in found if tier >= "T3"]
    return 100 * directions.count(-1) / STUDIES, 100 * directions.count(1) / STUDIES


@pytest.mark.slow
@pytest.mark.parametrize("people", [60, 216, 1000])
@pytest.mark.parametrize("share", [0.05, 0.26, 0.5])
def test_where_nothing_works_a_success_is_announced_in_at_most_five_of_a_hundred_reports(people, share):
    falls, rises = _announced(share, share, people)
    assert falls <= AT_MOST_OF_A_HUNDRED
    assert rises <= AT_MOST_OF_A_HUNDRED


@pytest.mark.slow
def test_where_half_of_the_events_are_prevented_a_trial_of_this_size_says_so_nearly_always():
    falls, rises = _announced(0.15, 0.30, 216)
    assert falls >= 90
    assert rises == 0


@pytest.mark.slow
def test_below_sixty_people_no_direction_is_ever_announced():
    assert _announced(0.05, 0.9, 59) == (0, 0)


def _chosen(ratio: float, spread: float, z: float, **more) -> Estimate:
    """A ratio of rates among 165 people who were chosen month by month, with a normal error of its log."""
    design = Design(
        assignment="sequential_trials", plan="locked", gates=(("overlap", True),), linked=(("programme", 0.95),),
        followed=tuple(Followed(label=label, allocated=n, followed=n) for label, n in (("p", 165), ("c", 900))),
    )  # fmt: skip
    value = ratio * math.exp(spread * z)
    named = {"planned": "primary", "p_value": math.erfc(abs(math.log(value)) / spread / math.sqrt(2))}
    return Estimate(
        strand="reoffending", outcome="event_count", horizon_days=182, measure="rate_ratio", population="att",
        value=value, low=value * math.exp(-1.96 * spread), high=value * math.exp(1.96 * spread), design=design,
        arms=(Arm(label="programme", people=165, events=230),), method="m", event_label="event", **named | more,
    )  # fmt: skip


def _said_of_chosen(ratio: float, placebo: float = 1.0, agree: bool = True) -> tuple[float, float]:
    """Of a hundred studies of people chosen month by month, those that announce a fall, and those that say a rise."""
    rng = np.random.default_rng(SEED)
    gate = Gate(name="agreement", label="l", found="f", needed="n", passed=agree, mend="m")
    directions = []
    for z, other in rng.normal(size=(STUDIES, 2)):
        main, check = _chosen(ratio, 0.13, z), _chosen(placebo, 0.1, other, variant="placebo", planned="exploratory")
        verdict = evidence.decide([main, check, gate], SimpleNamespace(area="all"))[main.id]
        directions += [np.sign(main.value - 1)] * (verdict.tier >= "T3")
    return 100 * directions.count(-1) / STUDIES, 100 * directions.count(1) / STUDIES


@pytest.mark.slow
def test_where_tasking_changes_nothing_a_success_is_announced_in_at_most_five_of_a_hundred_reports():
    falls, rises = _said_of_chosen(1.0)
    assert 0 < falls <= AT_MOST_OF_A_HUNDRED
    assert 0 < rises <= AT_MOST_OF_A_HUNDRED


@pytest.mark.slow
def test_a_large_fall_is_announced_unless_a_check_fails_or_the_methods_do_not_agree():
    assert _said_of_chosen(0.55)[0] >= 90
    assert _said_of_chosen(0.55, placebo=2.0)[0] == 0
    assert _said_of_chosen(0.55, agree=False)[0] == 0
