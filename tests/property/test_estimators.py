"""Laws of shares, power, balance and many outcomes."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from evalkit.estimators import (
    detectable_reduction,
    holm,
    mid_p,
    more_people_needed,
    power_of_reduction,
    risk_difference,
    risk_ratio,
    standardised_difference,
    wilson,
)

pytestmark = pytest.mark.filterwarnings("error")  # no warning leaks from a library

ROUNDING = 1e-9  # a few operations in double precision on numbers near 1
PROPERTY = settings(deadline=None, max_examples=30)  # the first example pays for an import
FEWER = settings(deadline=None, max_examples=10)  # where an example takes some 50 milliseconds or more


@dataclass(frozen=True)
class Group:
    """Events among people."""

    events: int
    people: int


@st.composite
def groups(draw, largest=300):
    people = draw(st.integers(1, largest))
    return Group(draw(st.integers(0, people)), people)


def _table(a: Group, b: Group) -> dict[str, int]:
    return {"events_1": a.events, "people_1": a.people, "events_0": b.events, "people_0": b.people}


def _doubled(group: Group) -> Group:
    return Group(2 * group.events, 2 * group.people)


@PROPERTY
@given(groups())
def test_a_share_lies_in_its_interval_and_that_between_none_and_all(a):
    found = wilson(events=a.events, people=a.people)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high


@PROPERTY
@given(groups())
def test_the_interval_of_those_without_the_event_mirrors_that_of_those_with_it(a):
    one = wilson(events=a.events, people=a.people)
    other = wilson(events=a.people - a.events, people=a.people)
    assert (1 - other.high, 1 - other.low) == pytest.approx((one.low, one.high), abs=ROUNDING)


@PROPERTY
@given(groups(), groups())
def test_swapping_the_arms_negates_the_difference_and_its_interval(a, b):
    one, other = risk_difference(**_table(a, b)), risk_difference(**_table(b, a))
    assert (-other.value, -other.high, -other.low) == pytest.approx((one.value, one.low, one.high), abs=ROUNDING)


@PROPERTY
@given(groups(), groups())
def test_a_difference_lies_in_its_interval_and_that_between_minus_one_and_one(a, b):
    found = risk_difference(**_table(a, b))
    assert -1 <= found.low <= found.value <= found.high <= 1


@PROPERTY
@given(groups(), groups())
def test_doubling_everybody_shrinks_the_intervals(a, b):
    for contrast in (risk_difference, risk_ratio):
        assume(contrast is risk_difference or (a.events and b.events))
        one, double = contrast(**_table(a, b)), contrast(**_table(_doubled(a), _doubled(b)))
        assert double.value == pytest.approx(one.value, abs=ROUNDING)
        assert double.high - double.low < one.high - one.low


@PROPERTY
@given(groups(), groups(), st.floats(0.5, 0.9), st.floats(0.905, 0.999))
def test_a_higher_level_widens_the_intervals(a, b, low_level, high_level):
    assume(a.events or b.events)
    for contrast in (risk_difference, risk_ratio):
        narrow, wide = contrast(**_table(a, b), level=low_level), contrast(**_table(a, b), level=high_level)
        assert wide.low <= narrow.low + ROUNDING
        assert narrow.high <= wide.high + ROUNDING


@PROPERTY
@given(groups(), groups())
def test_swapping_the_arms_turns_the_ratio_and_its_interval_upside_down(a, b):
    assume(a.events and b.events)
    one, other = risk_ratio(**_table(a, b)), risk_ratio(**_table(b, a))
    assert (1 / other.value, 1 / other.high, 1 / other.low) == pytest.approx((one.value, one.low, one.high), rel=1e-9)


@PROPERTY
@given(groups(), groups())
def test_ratio_and_difference_lie_on_the_same_side_of_no_difference(a, b):
    assume(a.events or b.events)
    difference, ratio = risk_difference(**_table(a, b)), risk_ratio(**_table(a, b))
    assume(min(abs(difference.low), abs(difference.high)) > ROUNDING)
    assert (difference.low > 0, difference.high < 0) == (ratio.low > 1, ratio.high < 1)
    assert 0 <= ratio.low <= ratio.value <= ratio.high


@PROPERTY
@given(groups(), st.integers(1, 300))
def test_a_ratio_to_an_arm_without_events_has_no_upper_end_and_of_one_has_zero_below(a, people):
    assume(a.events)
    above = risk_ratio(**_table(a, Group(0, people)))
    assert (above.value, above.high) == (float("inf"), float("inf"))
    assert above.low > 0
    below = risk_ratio(**_table(Group(0, people), a))
    assert (below.value, below.low) == (0, 0)
    assert below.high == pytest.approx(1 / above.low, rel=1e-9)


@PROPERTY
@given(groups(), groups())
def test_mid_p_is_a_probability_that_neither_swapped_arms_nor_swapped_events_change(a, b):
    p = mid_p(**_table(a, b))
    without = (Group(a.people - a.events, a.people), Group(b.people - b.events, b.people))
    assert 0 <= p <= 1
    assert (mid_p(**_table(b, a)), mid_p(**_table(*without))) == pytest.approx((p, p), abs=ROUNDING)


@PROPERTY
@given(groups(), groups())
def test_moving_an_event_from_the_better_arm_to_the_worse_lowers_mid_p(a, b):
    assume(a.events * b.people < b.events * a.people and a.events and b.events < b.people)
    apart = _table(Group(a.events - 1, a.people), Group(b.events + 1, b.people))
    assert mid_p(**apart) < mid_p(**_table(a, b)) + ROUNDING


@FEWER
@given(st.integers(1, 8), st.integers(1, 8), st.floats(0.01, 0.6), st.floats(0, 1), st.sampled_from([0.8, 0.9, 0.95]))
def test_the_power_adds_up_the_tables_that_mid_p_and_interval_call_different(
    people_1, people_0, pooled, reduction, level
):
    risk_0 = min(1.0, pooled * (people_1 + people_0) / (people_1 * (1 - reduction) + people_0))
    total = 0.0
    for events_1 in range(people_1 + 1):
        for events_0 in range(people_0 + 1):
            table = _table(Group(events_1, people_1), Group(events_0, people_0))
            if risk_difference(**table, level=level).high < 0 and mid_p(**table) <= 1 - level + ROUNDING:
                total += binom.pmf(events_1, people_1, risk_0 * (1 - reduction)) * binom.pmf(events_0, people_0, risk_0)
    found = power_of_reduction(
        reduction=reduction, pooled_share=pooled, people_1=people_1, people_0=people_0, level=level
    )
    assert found == pytest.approx(total, abs=ROUNDING)


@PROPERTY
@given(st.integers(1, 400), st.integers(1, 1200), st.floats(0, 1))
def test_a_larger_reduction_is_seen_more_often_and_no_reduction_at_most_one_time_in_twenty(people_1, people_0, pooled):
    powers = [
        power_of_reduction(reduction=reduction, pooled_share=pooled, people_1=people_1, people_0=people_0)
        for reduction in (0, 0.1, 0.3, 0.5, 0.8, 1)
    ]
    assert all(less <= more + ROUNDING for less, more in pairwise(powers))
    assert 0 <= powers[0] <= 0.05
    assert powers[-1] <= 1


@FEWER
@given(st.integers(5, 300), st.integers(5, 900), st.floats(0.02, 0.95))
def test_the_detectable_reduction_is_the_smallest_that_is_seen_with_that_power(people_1, people_0, pooled):
    size = {"pooled_share": pooled, "people_1": people_1, "people_0": people_0}
    found = detectable_reduction(**size)
    if found is None:
        assert power_of_reduction(reduction=1.0, **size) < 0.8
    else:
        assert power_of_reduction(reduction=found, **size) >= 0.8
        assert power_of_reduction(reduction=found - 0.0001, **size) < 0.8


@PROPERTY
@given(groups(), groups())
def test_the_people_needed_do_not_depend_on_which_arm_is_called_the_first(a, b):
    found = more_people_needed(**_table(a, b), most=2_000)
    assert more_people_needed(**_table(b, a), most=2_000) == found
    assert (found is None) == (a.events * b.people == b.events * a.people)
    assert found is None or 0 <= found <= 2_001


@FEWER
@given(groups(largest=60))
def test_the_people_needed_are_enough_and_one_fewer_are_not(a):
    """Arms of one size, so that an even number is added to both alike and the shares can be set by hand."""
    fewer = Group(a.events // 2, a.people)
    found = more_people_needed(**_table(fewer, a), most=4_000)
    assume(found is not None and 0 < found <= 4_000)
    pooled = (fewer.events + a.events) / (2 * a.people)

    def power(added: int) -> float:
        people = a.people + added // 2
        return power_of_reduction(
            reduction=1 - fewer.events / a.events, pooled_share=pooled, people_1=people, people_0=people
        )

    if found % 2 == 0:
        assert power(found) >= 0.8
    else:
        assert power(found - 1) < 0.8


values = st.lists(st.integers(-50, 50), min_size=2, max_size=30)


@PROPERTY
@given(values, values)
def test_swapping_the_sides_negates_the_standardised_difference(programme, comparison):
    one = standardised_difference(programme=programme, comparison=comparison)
    other = standardised_difference(programme=comparison, comparison=programme)
    if one.smd is None:
        assert other.smd is None
    else:
        assert -other.smd == pytest.approx(one.smd, abs=ROUNDING)


@PROPERTY
@given(values, values, st.integers(-9, 9), st.sampled_from([0.25, 3, 365]), st.randoms(use_true_random=False))
def test_unit_origin_and_order_change_no_standardised_difference(programme, comparison, origin, unit, random):
    one = standardised_difference(programme=programme, comparison=comparison)
    shuffled = random.sample(programme, len(programme))
    other = standardised_difference(
        programme=np.array(shuffled) * unit + origin, comparison=np.array(comparison) * unit + origin
    )
    assert (one.smd is None, one.variance_ratio is None) == (other.smd is None, other.variance_ratio is None)
    if one.smd is not None:
        assert other.smd == pytest.approx(one.smd, abs=ROUNDING)
    if one.variance_ratio is not None:
        assert other.variance_ratio == pytest.approx(one.variance_ratio, rel=ROUNDING, abs=ROUNDING)


@PROPERTY
@given(values, values, st.floats(0.1, 9))
def test_equal_weights_and_values_not_held_change_nothing(programme, comparison, weight):
    one = standardised_difference(programme=programme, comparison=comparison)
    gaps = [*programme, float("nan")]
    other = standardised_difference(
        programme=gaps, comparison=comparison, weights_programme=[weight] * len(gaps),
        weights_comparison=[weight] * len(comparison),
    )  # fmt: skip
    assert other.mean_programme == pytest.approx(one.mean_programme, abs=ROUNDING)
    assert (other.smd or 0, other.variance_ratio or 0) == pytest.approx(
        (one.smd or 0, one.variance_ratio or 0), rel=ROUNDING, abs=ROUNDING
    )


@FEWER
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_an_adjusted_p_value_is_no_smaller_keeps_its_rank_and_does_not_depend_on_the_order_of_outcomes(raw, random):
    adjusted = holm(raw)
    assert all(before <= after + ROUNDING and after <= 1 for before, after in zip(raw, adjusted, strict=True))
    assert all(adjusted[i] <= adjusted[j] for i in range(len(raw)) for j in range(len(raw)) if raw[i] < raw[j])
    order = random.sample(range(len(raw)), len(raw))
    assert holm([raw[place] for place in order]) == tuple(adjusted[place] for place in order)
