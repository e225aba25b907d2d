"""Powers that can be worked out by hand, and the textbook formula where it holds.

Fleiss, Levin & Paik 2003, Statistical Methods for Rates and Proportions, 3rd ed., formula 4.14: people an arm from the
normal approximation without continuity correction.
"""

import math

import pytest
from scipy.stats import norm

from evalkit.estimators import detectable_reduction, more_people_needed, power_of_reduction

pytestmark = pytest.mark.filterwarnings("error")  # no warning leaks from a library

EXACT = 1e-10  # sums of a few products
ONE_POINT = 0.01  # the normal approximation against the exact chance, with hundreds of people an arm
ONE_IN_A_HUNDRED = 0.01
TEN_THOUSANDTHS = 0.00005


def test_with_four_people_an_arm_only_none_against_all_is_seen():
    """By hand: of 70 ways to share four events, one puts none in arm 1, half of it is 0.007; the next is 0.036."""
    alone = power_of_reduction(reduction=1.0, pooled_share=0.25, people_1=4, people_0=4)
    assert alone == pytest.approx(0.5**4, abs=EXACT)
    half = power_of_reduction(reduction=0.5, pooled_share=0.375, people_1=4, people_0=4)
    assert half == pytest.approx(0.5**4 * 0.75**4, abs=EXACT)


def test_in_large_groups_the_power_is_that_of_the_normal_approximation():
    for reduction in (0.1, 0.15, 0.2, 0.25):
        exact = power_of_reduction(reduction=reduction, pooled_share=0.3, people_1=800, people_0=800)
        risk_0 = 0.3 * 2 / (2 - reduction)
        risk_1 = risk_0 * (1 - reduction)
        null = math.sqrt(2 * 0.3 * 0.7 / 800)
        error = math.sqrt((risk_0 * (1 - risk_0) + risk_1 * (1 - risk_1)) / 800)
        approximate = norm.cdf((risk_0 - risk_1 - norm.isf(0.025) * null) / error)
        assert exact == pytest.approx(approximate, abs=ONE_POINT)


def test_the_people_needed_are_those_of_the_textbook_formula():
    risk_1, risk_0 = 48 / 216, 66 / 216
    mean = (risk_1 + risk_0) / 2
    spread = norm.isf(0.025) * math.sqrt(2 * mean * (1 - mean)) + norm.isf(0.2) * math.sqrt(
        risk_1 * (1 - risk_1) + risk_0 * (1 - risk_0)
    )
    an_arm = (spread / (risk_0 - risk_1)) ** 2
    added = more_people_needed(events_1=48, people_1=216, events_0=66, people_0=216)
    assert 432 + added == pytest.approx(2 * an_arm, rel=ONE_IN_A_HUNDRED)


def test_the_experiment_with_financial_aid_could_see_a_fall_of_37_percent_and_no_less():
    reduction = detectable_reduction(pooled_share=114 / 432, people_1=216, people_0=216)
    assert reduction == pytest.approx(0.3669, abs=TEN_THOUSANDTHS)
    chance = power_of_reduction(reduction=0.30, pooled_share=114 / 432, people_1=216, people_0=216)
    assert chance == pytest.approx(0.5919, abs=TEN_THOUSANDTHS)
    assert more_people_needed(events_1=48, people_1=216, events_0=66, people_0=216) == 444


def test_a_handful_of_people_could_not_even_see_a_fall_to_nobody():
    assert detectable_reduction(pooled_share=0.1, people_1=20, people_0=20) is None


def test_no_number_of_people_finds_a_difference_between_equal_shares():
    assert more_people_needed(events_1=10, people_1=50, events_0=20, people_0=100) is None


def test_a_difference_too_small_for_the_most_people_is_said_to_need_one_more_than_those():
    assert more_people_needed(events_1=50, people_1=216, events_0=51, people_0=216, most=500) == 501


def test_nobody_is_needed_where_the_difference_is_plain():
    assert more_people_needed(events_1=5, people_1=100, events_0=60, people_0=100) == 0


def test_a_reduction_that_leaves_no_room_is_reckoned_with_everybody_in_arm_0_having_the_event():
    roomless = power_of_reduction(reduction=0.3, pooled_share=1.0, people_1=30, people_0=30)
    fitting = power_of_reduction(reduction=0.3, pooled_share=0.85, people_1=30, people_0=30)
    assert roomless == pytest.approx(fitting, abs=EXACT)


@pytest.mark.parametrize(
    "wrong", [{"people_1": 0}, {"pooled_share": 1.2}, {"reduction": -0.1}, {"level": 1.0}], ids=lambda w: next(iter(w))
)
def test_a_power_that_cannot_be_asked_for_is_refused(wrong):
    asked = {"reduction": 0.3, "pooled_share": 0.2, "people_1": 20, "people_0": 20} | wrong
    with pytest.raises(ValueError, match=r"between 0 and 1|need people"):
        power_of_reduction(**asked)
