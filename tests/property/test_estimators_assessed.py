"""Laws of adjusted means, of shares where some are not known, of shares to be expected and of people judged twice."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evalkit.estimators import (
    NotFitted,
    assessed_difference,
    expected_share,
    linear_difference,
    mean_of,
    missing_bounds,
    no_longer_high,
    paired_difference,
    ratio_of_falls,
    tetrachoric,
    weighted_kappa,
)

pytestmark = pytest.mark.filterwarnings("error")  # no warning leaks from a library

FIT = 1e-7  # where a search stops
PROPERTY = settings(deadline=None, max_examples=15)  # a fit takes some 5 milliseconds
seeds = st.integers(0, 10_000)
ordered = st.randoms(use_true_random=False)
cells = st.tuples(*[st.integers(0, 40)] * 4).filter(any)
shares = st.floats(0.02, 0.98)
correlations = st.floats(-0.95, 0.95)


def _rows(seed: int, rows: int = 120):
    """Rows of some 60 people in three areas, a third of them treated, with a score, and an event not known of all."""
    rng = np.random.default_rng(seed)
    person, treated = rng.integers(0, 60, rows), rng.random(rows) < 0.35
    before, area = rng.gamma(4, 18, rows), rng.choice(["east", "north", "west"], rows)
    event = (rng.random(rows) < 0.3 + 0.3 * (before > 70)).astype(float)
    return {
        "outcome": 0.6 * before + rng.normal(0, 9, 60)[person] + rng.normal(0, 12, rows), "clusters": person,
        "treated": treated, "event": np.where(rng.random(rows) < 0.25, np.nan, event),
        "weights": rng.uniform(0.3, 2, rows), "factors": {"area": area},
        "columns": {"before": before, "selected": treated.astype(float)},
    }  # fmt: skip


def _asked(function, rows, names, **changed):
    """The function of those parts of the rows; data sets without an answer are passed over."""
    asked = {name: rows[name] for name in names} | {"of": "selected"} | changed
    if function is expected_share:
        asked["columns"] = {name: column for name, column in asked["columns"].items() if name != "selected"}
        asked["event"] = np.where(np.isnan(asked["event"]), 1.0, asked["event"])
        del asked["of"]
    try:
        return function(**asked)
    except NotFitted:
        assume(False)


COMMON = ("clusters", "treated", "columns", "factors")


def _linear(rows, **changed):
    return _asked(linear_difference, rows, (*COMMON, "outcome", "weights"), **changed)


def _assessed(rows, **changed):
    return _asked(assessed_difference, rows, (*COMMON, "event"), **changed)


def _expected(rows, **changed):
    return _asked(expected_share, rows, (*COMMON, "event"), **changed)


def _taken(rows, order):
    taken = {name: value[order] for name, value in rows.items() if name not in ("columns", "factors")}
    parts = {name: {key: value[order] for key, value in rows[name].items()} for name in ("columns", "factors")}
    return taken | parts


def _ends(interval):
    return interval.low, interval.value, interval.high


@PROPERTY
@given(seeds, ordered)
def test_order_of_rows_and_names_of_people_change_nothing(seed, random):
    rows = _rows(seed)
    names = np.array([f"p{number}" for number in random.sample(range(10_000), 60)])
    other = _taken(rows, random.sample(range(120), 120))
    other["clusters"] = names[other["clusters"]]
    one, two = _linear(rows), _linear(other)
    assert _ends(two.difference) == pytest.approx(_ends(one.difference), abs=FIT)
    assert np.sort(two.influence) == pytest.approx(np.sort(one.influence), abs=FIT)
    for shift_sd in (0.0, 0.5):
        found = _assessed(rows, shift_sd=shift_sd).difference
        assert _ends(_assessed(other, shift_sd=shift_sd).difference) == pytest.approx(_ends(found), abs=FIT)
    assert _ends(_expected(other)) == pytest.approx(_ends(_expected(rows)), abs=FIT)
    means = [mean_of(values=r["outcome"], clusters=r["clusters"], weights=r["weights"]) for r in (rows, other)]
    assert _ends(means[0]) == pytest.approx(_ends(means[1]))


@PROPERTY
@given(seeds, st.floats(0.1, 40), st.floats(-50, 50))
def test_a_constant_added_changes_no_difference_and_a_unit_only_its_own(seed, unit, shift):
    rows = _rows(seed)
    one = _linear(rows)
    moved = _linear(rows, outcome=unit * rows["outcome"] + shift)
    assert _ends(moved.difference) == pytest.approx([unit * end for end in _ends(one.difference)], abs=1e-6)
    assert (moved.mean_without, moved.p_value) == pytest.approx((unit * one.mean_without + shift, one.p_value))
    columns = rows["columns"] | {"before": unit * rows["columns"]["before"] + shift}
    assert _ends(_linear(rows, columns=columns).difference) == pytest.approx(_ends(one.difference), abs=FIT)
    assert _assessed(rows, columns=columns).difference.low == pytest.approx(_assessed(rows).difference.low, abs=FIT)
    assert _ends(_expected(rows, columns=columns)) == pytest.approx(_ends(_expected(rows)), abs=FIT)
    fall = _linear(rows, outcome=rows["columns"]["before"] - rows["outcome"])
    assert _ends(fall.difference) == pytest.approx([-end for end in reversed(_ends(one.difference))], abs=FIT)


@PROPERTY
@given(seeds, st.sampled_from([0.0, 0.5]))
def test_swapping_the_arms_changes_the_sign(seed, shift_sd):
    rows = _rows(seed)
    swapped = {"columns": rows["columns"] | {"selected": 1 - rows["columns"]["selected"]}}
    one, two = _linear(rows), _linear(rows, **swapped)
    assert _ends(two.difference) == pytest.approx([-end for end in reversed(_ends(one.difference))], abs=FIT)
    one, two = (_assessed(rows, shift_sd=shift_sd, **changed) for changed in ({}, swapped))
    assert _ends(two.difference) == pytest.approx([-end for end in reversed(_ends(one.difference))], abs=FIT)
    assert (two.share_with, two.share_without) == pytest.approx((one.share_without, one.share_with), abs=FIT)


@PROPERTY
@given(seeds, st.sampled_from([-0.5, 0.0, 0.5]))
def test_counting_the_other_event_turns_everything_round(seed, shift_sd):
    rows = _rows(seed)
    one, two = _assessed(rows, shift_sd=shift_sd), _assessed(rows, event=1 - rows["event"], shift_sd=-shift_sd)
    assert _ends(two.difference) == pytest.approx([-end for end in reversed(_ends(one.difference))], abs=FIT)
    event = np.nan_to_num(rows["event"], nan=1.0)
    ends = [_ends(_expected(rows, event=counted)) for counted in (event, 1 - event)]
    assert ends[1] == pytest.approx([1 - end for end in reversed(ends[0])], abs=FIT)


@PROPERTY
@given(seeds)
def test_the_worse_the_missing_are_taken_to_be_the_larger_are_both_shares_within_the_bounds(seed):
    rows = _rows(seed) | {"factors": {}}
    rows["columns"] = {"selected": rows["columns"]["selected"]}
    fits = [_assessed(rows, shift_sd=shift_sd) for shift_sd in (-9, -0.5, 0, 0.5, 9)]
    for name in ("share_with", "share_without"):
        found = [getattr(fit, name) for fit in fits]
        assert found == sorted(found)
        assert found[0] < found[-1]
    known, happened, arm = ~np.isnan(rows["event"]), rows["event"] == 1, rows["treated"]
    counts = [
        {"events": (happened & side).sum(), "known": (known & side).sum(), "people": side.sum()} for side in (arm, ~arm)
    ]
    low, high = missing_bounds(**{f"{name}_{1 - i}": count for i in (0, 1) for name, count in counts[i].items()})
    assert all(low - FIT <= fit.difference.value <= high + FIT for fit in fits)


@PROPERTY
@given(seeds)
def test_an_expected_share_reads_only_the_untreated_and_lies_inside_its_interval(seed):
    rows = _rows(seed)
    found = _expected(rows)
    assert _expected(rows, event=np.where(rows["treated"], 1.0, rows["event"])) == found
    assert 0 <= found.low < found.value < found.high <= 1


@PROPERTY
@given(seeds, st.floats(0.2, 5))
def test_weights_are_only_relative_and_the_same_people_twice_as_one_cluster_are_no_more_people(seed, times):
    rows = _rows(seed)
    asked = {"fall": rows["outcome"], "attainable": rows["columns"]["before"], "clusters": rows["clusters"]}
    found = ratio_of_falls(**asked, weights=rows["weights"])
    assert _ends(ratio_of_falls(**asked, weights=times * rows["weights"])) == pytest.approx(_ends(found))
    twice = {name: np.tile(values, 2) for name, values in asked.items()}
    assert _ends(ratio_of_falls(**twice, weights=np.tile(rows["weights"], 2))) == pytest.approx(_ends(found))
    assert _ends(_linear(rows, weights=times * rows["weights"]).difference) == pytest.approx(
        _ends(_linear(rows).difference)
    )
    both = ratio_of_falls(**asked | {"fall": times * asked["fall"]}, weights=rows["weights"])
    assert _ends(both) == pytest.approx([times * end for end in _ends(found)])


@PROPERTY
@given(cells)
def test_a_change_has_its_interval_within_bounds_and_turns_round_with_time(counts):
    both, first_only, second_only, neither = counts
    found = paired_difference(both=both, first_only=first_only, second_only=second_only, neither=neither)
    back = paired_difference(both=both, first_only=second_only, second_only=first_only, neither=neither)
    without = paired_difference(both=neither, first_only=second_only, second_only=first_only, neither=both)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high
    for turned in (back, without):
        assert _ends(turned) == pytest.approx([-end for end in reversed(_ends(found))])


@PROPERTY
@given(st.lists(st.integers(0, 30), min_size=16, max_size=16), st.integers(2, 5))
def test_kappa_is_at_most_one_whoever_comes_first_and_more_of_the_same_people_only_narrow_it(counts, times):
    table = np.array(counts).reshape(4, 4)
    assume(len(np.union1d(np.flatnonzero(table.sum(axis=0)), np.flatnonzero(table.sum(axis=1)))) > 1)
    found = weighted_kappa(table=table)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert _ends(weighted_kappa(table=table.T)) == pytest.approx(_ends(found), abs=FIT)
    assert _ends(weighted_kappa(table=table[::-1, ::-1])) == pytest.approx(_ends(found), abs=FIT)
    more = weighted_kappa(table=times * table)
    assert more.value == pytest.approx(found.value)
    assert more.high - more.low <= found.high - found.low + FIT


@PROPERTY
@given(cells)
def test_a_correlation_lies_between_minus_one_and_one_and_turns_round_with_a_line(counts):
    table = np.array(counts).reshape(2, 2)
    assume(table.sum(axis=0).all() and table.sum(axis=1).all())
    found = tetrachoric(table=table)
    assert -1 < found < 1
    assert tetrachoric(table=table.T) == pytest.approx(found, abs=FIT)
    assert tetrachoric(table=table[::-1]) == pytest.approx(-found, abs=FIT)


@PROPERTY
@given(shares, correlations, st.floats(0.01, 0.3))
def test_fewer_are_high_by_chance_again_where_few_are_or_severity_lasts_less(prevalence, correlation, more):
    found = no_longer_high(prevalence=prevalence, correlation=correlation)
    assert 0 <= found <= 1
    if correlation + more < 1:
        assert no_longer_high(prevalence=prevalence, correlation=correlation + more) <= found + FIT
    high_both = prevalence * (1 - found)
    low_first = 1 - 2 * prevalence + high_both
    expected = 1 - no_longer_high(prevalence=1 - prevalence, correlation=correlation)
    assert low_first / (1 - prevalence) == pytest.approx(expected, abs=FIT)


@PROPERTY
@given(st.floats(0.02, 0.5), st.floats(0.05, 0.9))
def test_as_many_become_high_as_no_longer_are_so_the_reckoner_and_the_correlation_agree(prevalence, correlation):
    gone = no_longer_high(prevalence=prevalence, correlation=correlation) * prevalence
    table = [[1 - prevalence - gone, gone], [gone, prevalence - gone]]
    assert tetrachoric(table=table) == pytest.approx(correlation, abs=1e-6)
