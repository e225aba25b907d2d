"""Laws of time to first event."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evalkit.estimators import (
    NotFitted,
    cox,
    kaplan_meier,
    log_rank,
    restricted_mean,
    restricted_mean_difference,
)

pytestmark = pytest.mark.filterwarnings("error")  # no warning leaks from a library

ROUNDING = 1e-9  # a few operations in double precision on numbers near 1
FIT = 1e-5  # where Newton's search stops, relative to the coefficient
HORIZON = 30
PROPERTY = settings(deadline=None, max_examples=12)  # a fit takes some 10 milliseconds
ordered = st.randoms(use_true_random=False)


@dataclass(frozen=True)
class Followed:
    """Day and event of each person."""

    days: tuple[int, ...]
    event: tuple[bool, ...]

    @property
    def given(self) -> dict[str, tuple[int, ...]]:
        return {"days": self.days, "event": self.event}

    def arm(self, number: int) -> dict[str, tuple[int, ...]]:
        return {f"days_{number}": self.days, f"event_{number}": self.event}

    def shuffled(self, random) -> "Followed":
        order = random.sample(range(len(self.days)), len(self.days))
        return Followed(tuple(self.days[i] for i in order), tuple(self.event[i] for i in order))

    def stretched(self, times: int) -> "Followed":
        return Followed(tuple(times * day for day in self.days), self.event)

    def doubled(self) -> "Followed":
        return Followed(self.days * 2, self.event * 2)


@st.composite
def arms(draw):
    """Two to thirty people, one of them followed to the horizon, so that the mean to it is known."""
    people = draw(st.lists(st.tuples(st.integers(1, HORIZON + 5), st.booleans()), min_size=1, max_size=29))
    days, event = zip(*people, (HORIZON, False), strict=True)
    return Followed(days, event)


@PROPERTY
@given(arms())
def test_a_curve_falls_from_one_inside_its_interval_and_counts_those_still_followed(a):
    curve = kaplan_meier(**a.given, horizon_days=HORIZON)
    assert (curve.days[0], curve.survival[0], curve.at_risk[0]) == (0, 1, len(a.days))
    assert curve.days[-1] == HORIZON
    assert all(earlier < later for earlier, later in pairwise(curve.days))
    assert all(earlier >= later for earlier, later in pairwise(curve.survival))
    rows = zip(curve.low, curve.survival, curve.high, strict=True)
    assert all(0 <= low <= share <= high <= 1 for low, share, high in rows)
    assert curve.at_risk == tuple(sum(last >= day for last in a.days) for day in curve.days)
    assert sum(curve.events) == sum(e and day <= HORIZON for day, e in zip(a.days, a.event, strict=True))


@PROPERTY
@given(arms())
def test_what_happens_after_the_horizon_changes_nothing(a):
    later = Followed(tuple(day + 9 * (day > HORIZON) for day in a.days), a.event)
    turned = Followed(a.days, tuple(e ^ (day > HORIZON) for day, e in zip(a.days, a.event, strict=True)))
    curve = kaplan_meier(**a.given, horizon_days=HORIZON)
    assert curve == kaplan_meier(**later.given, horizon_days=HORIZON)
    assert curve == kaplan_meier(**turned.given, horizon_days=HORIZON)


@PROPERTY
@given(st.lists(st.integers(1, HORIZON + 5), min_size=1, max_size=30))
def test_with_nobody_leaving_early_curve_and_mean_are_plain_shares_and_means(days):
    event = [day <= HORIZON for day in days]
    curve = kaplan_meier(days=days, event=event, horizon_days=HORIZON)
    assert curve.survival == pytest.approx([np.mean(np.array(days) > day) for day in curve.days[:-1]]
                                           + [1 - np.mean(event)], abs=ROUNDING)  # fmt: skip
    found, seen = restricted_mean(days=days, event=event, horizon_days=HORIZON), np.minimum(days, HORIZON)
    assert (found.value, found.variance) == pytest.approx((seen.mean(), seen.var() / len(days)), abs=ROUNDING)


@PROPERTY
@given(arms(), arms(), ordered)
def test_shuffling_the_rows_changes_nothing(a, b, random):
    assert a.shuffled(random) == a or kaplan_meier(**a.given, horizon_days=HORIZON) == kaplan_meier(
        **a.shuffled(random).given, horizon_days=HORIZON
    )
    p_value = log_rank(**a.arm(1), **b.arm(0))
    assert log_rank(**a.shuffled(random).arm(1), **b.shuffled(random).arm(0)) == pytest.approx(p_value, abs=ROUNDING)


@PROPERTY
@given(arms(), st.integers(2, 7))
def test_counting_in_smaller_units_scales_the_mean_and_its_standard_error(a, times):
    one = restricted_mean(**a.given, horizon_days=HORIZON)
    other = restricted_mean(**a.stretched(times).given, horizon_days=times * HORIZON)
    assert (other.value, other.standard_error) == pytest.approx((times * one.value, times * one.standard_error))


@PROPERTY
@given(arms())
def test_doubling_everybody_halves_the_variance_of_the_mean(a):
    one, double = (restricted_mean(**people.given, horizon_days=HORIZON) for people in (a, a.doubled()))
    assert (double.value, double.variance) == pytest.approx((one.value, one.variance / 2), abs=ROUNDING)
    assert 0 <= one.low <= one.value <= one.high <= HORIZON


@PROPERTY
@given(arms(), arms())
def test_swapping_the_arms_negates_the_difference_and_leaves_the_p_values(a, b):
    assume(any(e and day < HORIZON for people in (a, b) for day, e in zip(people.days, people.event, strict=True)))
    one = restricted_mean_difference(**a.arm(1), **b.arm(0), horizon_days=HORIZON)
    other = restricted_mean_difference(**b.arm(1), **a.arm(0), horizon_days=HORIZON)
    assert (-other.value, -other.high, -other.low) == pytest.approx((one.value, one.low, one.high), abs=ROUNDING)
    assert other.p_value == pytest.approx(one.p_value, abs=ROUNDING)
    assert (one.p_value < 0.05) == (one.low > 0 or one.high < 0)
    assert log_rank(**a.arm(1), **b.arm(0)) == pytest.approx(log_rank(**b.arm(1), **a.arm(0)), abs=ROUNDING)


@PROPERTY
@given(arms(), arms(), st.integers(2, 7))
def test_the_log_rank_test_reads_the_order_of_days_and_not_their_length(a, b, times):
    p_value = log_rank(**a.arm(1), **b.arm(0))
    assert 0 <= p_value <= 1
    longer = log_rank(**a.stretched(times).arm(1), **b.stretched(times).arm(0))
    assert longer == pytest.approx(p_value, abs=ROUNDING)


def test_two_alike_arms_are_not_told_apart():
    a = Followed((3, 5, 5, 9, 12), (True, True, False, True, False))
    assert log_rank(**a.arm(1), **a.arm(0)) == pytest.approx(1)
    assert restricted_mean_difference(**a.arm(1), **a.arm(0), horizon_days=12).p_value == pytest.approx(1)


@PROPERTY
@given(st.integers(0, 10_000), ordered)
def test_order_of_rows_coding_unit_and_clock_leave_what_a_model_says(seed, random):
    """One data set a seed, of 60 people with ties; those without an answer are passed over."""
    rng = np.random.default_rng(seed)
    days, event, aid = rng.integers(1, 20, 60), rng.random(60) < 0.7, rng.integers(0, 2, 60)
    age = rng.integers(18, 60, 60).astype(float)
    try:
        one = cox(days=days, event=event, columns={"aid": aid, "age": age}).terms
    except NotFitted:
        assume(False)
    order = random.sample(range(60), 60)
    other = cox(days=3 * days[order], event=event[order], columns={"age": age[order] / 10, "no_aid": 1 - aid[order]})
    aid_turned, decade = other.terms["no_aid"].hazard_ratio, other.terms["age"].hazard_ratio
    expected = one["aid"].hazard_ratio
    assert (1 / aid_turned.value, 1 / aid_turned.high, 1 / aid_turned.low) == pytest.approx(
        (expected.value, expected.low, expected.high), rel=FIT
    )
    assert decade.value == pytest.approx(one["age"].hazard_ratio.value ** 10, rel=FIT)
    assert other.terms["no_aid"].p_value == pytest.approx(one["aid"].p_value, abs=FIT)
    assert other.terms["no_aid"].proportionality_p == pytest.approx(one["aid"].proportionality_p, abs=FIT)
