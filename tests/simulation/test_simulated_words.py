"""How often a report on made-up trials says more than it should: the promise of the project, for this design."""

from __future__ import annotations

import numpy as np
import pytest

from evalkit import estimators, evidence
from evalkit.results import Arm, Design, Estimate, Followed

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
