"""Cohorts drawn with a planted truth: days of a constant daily chance of the event, whole days, leavers on the way."""

import numpy as np
import pytest
from lifelines.datasets import load_rossi

from evalkit.estimators import (
    NotFitted,
    cox,
    kaplan_meier,
    log_rank,
    restricted_mean,
    restricted_mean_difference,
)

SEED = 20240607
HORIZON = 182
FOUR_ERRORS = 4  # Monte-Carlo standard errors


def _cohort(rng, people: int, chance, leaving: float = 0.002):
    """Last day and event of each person; `chance` is the daily one, of each person or of all."""
    day_of_event, day_left = rng.geometric(chance, people), rng.geometric(leaving, people)
    last_day = np.minimum(np.minimum(day_of_event, day_left), HORIZON)
    return last_day, day_of_event <= last_day


def _true_mean(chance: float, horizon_days: int = HORIZON) -> float:
    """Mean of the smaller of day of event and horizon: the sum of the shares still without it, day 0 on."""
    return sum((1 - chance) ** day for day in range(horizon_days))


def _resampled_error(days, event, horizon_days: int, times: int) -> float:
    rng = np.random.default_rng(SEED)
    means = []
    for _ in range(times):
        drawn = rng.integers(0, len(days), len(days))
        means.append(restricted_mean(days=days[drawn], event=event[drawn], horizon_days=horizon_days).value)
    return float(np.std(means, ddof=1))


def test_the_standard_error_of_the_mean_is_that_of_drawing_the_people_again_and_not_thirteen_weeks():
    """Nobody leaves before week 52, so the mean of a draw is a plain one and many can be had."""
    people = load_rossi()
    weeks = people.week[people.fin == 0].to_numpy()
    means = np.random.default_rng(SEED).choice(weeks, (4_000, len(weeks))).mean(axis=1)
    found = restricted_mean(days=weeks, event=people.arrest[people.fin == 0], horizon_days=52)
    assert found.standard_error == pytest.approx(means.std(ddof=1), rel=FOUR_ERRORS / np.sqrt(2 * len(means)))


def test_in_one_large_cohort_with_leavers_curve_and_mean_are_near_the_truth():
    days, event = _cohort(np.random.default_rng(SEED), 4_000, 0.005)
    curve = kaplan_meier(days=days, event=event, horizon_days=HORIZON)
    truth = (1 - 0.005) ** np.array(curve.days)
    assert np.abs(np.array(curve.survival) - truth).max() < 0.03  # 1.63 / sqrt(people) is Kolmogorov's 1 % bound
    found = restricted_mean(days=days, event=event, horizon_days=HORIZON)
    assert found.value == pytest.approx(_true_mean(0.005), abs=FOUR_ERRORS * found.standard_error)


def test_in_one_large_cohort_the_planted_hazard_ratios_are_found_and_hold_on_all_days():
    rng = np.random.default_rng(SEED)
    aid, age = rng.integers(0, 2, 4_000), rng.normal(35, 9, 4_000)
    days, event = _cohort(rng, 4_000, 0.003 * 0.6**aid * 0.97 ** (age - 35))
    terms = cox(days=days, event=event, columns={"aid": aid, "age": age}).terms
    for name, truth in (("aid", 0.6), ("age", 0.97)):
        found = terms[name].hazard_ratio
        error = np.log(found.high / found.low) / (2 * 1.96)
        assert np.log(found.value) == pytest.approx(np.log(truth), abs=FOUR_ERRORS * error)
        assert terms[name].proportionality_p > 0.0001


def test_a_hazard_ratio_that_turns_round_half_way_is_found_out():
    rng = np.random.default_rng(SEED)
    aid = rng.integers(0, 2, 1_500)
    early, later = _cohort(rng, 1_500, 0.004 * 0.4**aid), rng.geometric(0.004 * 2.5**aid)
    turned = early[0] > 60
    days = np.where(turned, np.minimum(60 + later, HORIZON), early[0])
    event = np.where(turned, 60 + later <= HORIZON, early[1])
    assert cox(days=days, event=event, columns={"aid": aid}).terms["aid"].proportionality_p < 0.0001


@pytest.mark.slow
def test_with_leavers_the_standard_error_is_still_that_of_drawing_the_people_again():
    days, event = _cohort(np.random.default_rng(SEED), 150, 0.005)
    found = restricted_mean(days=days, event=event, horizon_days=150)
    drawn_again = _resampled_error(days, event, 150, times=1_500)
    assert found.standard_error == pytest.approx(drawn_again, rel=FOUR_ERRORS / np.sqrt(2 * 1_500))


@pytest.mark.slow
@pytest.mark.parametrize("people", [40, 150])
def test_intervals_of_the_mean_and_the_difference_cover_the_truth(people):
    """Of 1,000 cohorts; a 95 % interval of 40 people an arm may cover one point less, as normal ones do."""
    rng = np.random.default_rng(SEED)
    truth_1, truth_0 = _true_mean(0.003), _true_mean(0.005)
    right = np.zeros(2)
    for _ in range(1_000):
        first, other = _cohort(rng, people, 0.003), _cohort(rng, people, 0.005)
        mean = restricted_mean(days=other[0], event=other[1], horizon_days=150)
        gap = restricted_mean_difference(
            days_1=first[0], event_1=first[1], days_0=other[0], event_0=other[1], horizon_days=HORIZON
        )
        right += mean.low <= _true_mean(0.005, 150) <= mean.high, gap.low <= truth_1 - truth_0 <= gap.high
    assert (right / 1_000 >= 0.92).all()
    assert (right / 1_000 <= 0.98).all()


@pytest.mark.slow
def test_tests_find_what_is_not_there_five_times_in_a_hundred():
    """Of 1,000 cohorts of 60 an arm: log-rank, difference in means, hazard ratio, proportionality."""
    rng = np.random.default_rng(SEED)
    alarms = np.zeros(4)
    for _ in range(1_000):
        (days_1, event_1), (days_0, event_0) = _cohort(rng, 60, 0.005), _cohort(rng, 60, 0.005)
        arms = {"days_1": days_1, "event_1": event_1, "days_0": days_0, "event_0": event_0}
        term = cox(
            days=np.append(days_1, days_0), event=np.append(event_1, event_0), columns={"aid": np.repeat([1, 0], 60)}
        ).terms["aid"]
        mean_p = restricted_mean_difference(**arms, horizon_days=120).p_value
        alarms += np.array([log_rank(**arms), mean_p, term.p_value, term.proportionality_p]) <= 0.05
    assert (alarms / 1_000 >= 0.03).all()
    assert (alarms / 1_000 <= 0.07).all()


@pytest.mark.slow
def test_intervals_of_the_hazard_ratio_cover_the_planted_one_and_tiny_cohorts_are_refused_or_answered():
    """Of 500 cohorts of 150 people; then of 200 of eight, none of which may give a number without bound."""
    rng = np.random.default_rng(SEED)
    right = 0
    for _ in range(500):
        aid = np.repeat([1, 0], 75)
        days, event = _cohort(rng, 150, 0.005 * 0.6**aid)
        found = cox(days=days, event=event, columns={"aid": aid}).terms["aid"].hazard_ratio
        right += found.low <= 0.6 <= found.high
    assert 0.92 <= right / 500 <= 0.98
    for _ in range(200):
        aid = np.repeat([1, 0], 4)
        days, event = _cohort(rng, 8, 0.005)
        try:
            found = cox(days=days, event=event, columns={"aid": aid}).terms["aid"].hazard_ratio
        except NotFitted:
            continue
        assert 0 < found.low <= found.value <= found.high < np.inf
