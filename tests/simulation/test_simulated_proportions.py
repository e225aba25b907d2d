"""How often intervals and tests of shares are right, added up over every table; nothing is drawn.

The bands are those that a reader would call honest: 95 % intervals that cover 93 % or more wherever they are asked for,
and tests that find what is not there at most 7 times in 100.
"""

from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from evalkit.estimators import mid_p, risk_difference, risk_ratio, wilson

DESIGNS = [(8, 24), (12, 12), (20, 60), (40, 40), (40, 120)]
QUICK = (12, 36)
RISKS = (0.05, 0.1, 0.26, 0.5, 0.8)
RATIOS = (0.3, 0.5, 0.7, 1.0, 1.2)
LEAST_COVERAGE, MEAN_COVERAGE = 0.93, (0.95, 0.975)
MOST_FALSE_ALARMS = 0.07


def _intervals(contrast, people_1: int, people_0: int):
    """Ends of the interval of each table; without any event a ratio says nothing, and so covers everything."""
    low, high = np.zeros((people_1 + 1, people_0 + 1)), np.full((people_1 + 1, people_0 + 1), np.inf)
    for events_1, events_0 in product(range(people_1 + 1), range(people_0 + 1)):
        if contrast is risk_difference or events_1 or events_0:
            found = contrast(events_1=events_1, people_1=people_1, events_0=events_0, people_0=people_0)
            low[events_1, events_0], high[events_1, events_0] = found.low, found.high
    return low, high


def _coverages(contrast, truth, people_1: int, people_0: int) -> list[float]:
    low, high = _intervals(contrast, people_1, people_0)
    found = []
    for risk_0, ratio in product(RISKS, RATIOS):
        risk_1 = min(risk_0 * ratio, 0.95)
        weight = np.outer(
            binom.pmf(range(people_1 + 1), people_1, risk_1), binom.pmf(range(people_0 + 1), people_0, risk_0)
        )
        right = (low <= truth(risk_1, risk_0)) & (truth(risk_1, risk_0) <= high)
        found.append(float((weight * right).sum()))
    return found


def _check(coverages: list[float]) -> None:
    assert min(coverages) >= LEAST_COVERAGE
    assert MEAN_COVERAGE[0] <= np.mean(coverages) <= MEAN_COVERAGE[1]


def _false_alarms(people_1: int, people_0: int) -> float:
    """The most often that mid-p is at most 0.05 with no difference, over the risks."""
    alarm = np.array(
        [
            [
                mid_p(events_1=events_1, people_1=people_1, events_0=events_0, people_0=people_0) <= 0.05
                for events_0 in range(people_0 + 1)
            ]
            for events_1 in range(people_1 + 1)
        ]
    )
    weights = (
        np.outer(binom.pmf(range(people_1 + 1), people_1, risk), binom.pmf(range(people_0 + 1), people_0, risk))
        for risk in np.linspace(0.02, 0.98, 49)
    )
    return max(float((weight * alarm).sum()) for weight in weights)


def _difference(risk_1: float, risk_0: float) -> float:
    return risk_1 - risk_0


def _ratio(risk_1: float, risk_0: float) -> float:
    return risk_1 / risk_0


def test_the_intervals_of_difference_and_ratio_cover_the_truth_in_a_small_cohort():
    _check(_coverages(risk_difference, _difference, *QUICK))
    _check(_coverages(risk_ratio, _ratio, *QUICK))


def test_mid_p_seldom_finds_what_is_not_there_in_a_small_cohort():
    assert _false_alarms(*QUICK) <= MOST_FALSE_ALARMS


def test_the_interval_of_a_share_covers_it_95_times_in_100_on_average():
    """Over risks from 5 to 95 %; at single risks it swings, as every interval of a count does."""
    risks = np.linspace(0.05, 0.95, 181)
    for people in (10, 20, 50):
        ends = [wilson(events=events, people=people) for events in range(people + 1)]
        right = np.array([[end.low <= risk <= end.high for end in ends] for risk in risks])
        coverage = (right * binom.pmf(np.arange(people + 1), people, risks[:, None])).sum(axis=1)
        assert coverage.mean() == pytest.approx(0.95, abs=0.01)
        assert coverage.min() >= 0.89


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: "{} v {}".format(*design))
def test_the_intervals_of_difference_and_ratio_cover_the_truth_in_every_design(design):
    _check(_coverages(risk_difference, _difference, *design))
    _check(_coverages(risk_ratio, _ratio, *design))


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: "{} v {}".format(*design))
def test_mid_p_seldom_finds_what_is_not_there_in_every_design(design):
    assert _false_alarms(*design) <= MOST_FALSE_ALARMS
