"""Laws of counts, of standardised risks, of the chance of treatment and of time to first event with deaths."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evalkit.estimators import (
    NotFitted,
    agree,
    cumulative_incidence,
    detectable_rate_reduction,
    effective_people,
    expected_count,
    incident_free_days_difference,
    models,
    power_of_rate_reduction,
    propensity,
    quasi_poisson,
    ratio_of_totals,
    standardised_difference,
    standardised_risk,
)

pytestmark = pytest.mark.filterwarnings("error")  # no warning leaks from a library

ROUNDING = 1e-9  # a few operations in double precision on numbers near 1
FIT = 1e-7  # where a search stops
HORIZON = 30
PROPERTY = settings(deadline=None, max_examples=15)  # a fit takes some 5 milliseconds
seeds = st.integers(0, 10_000)
ordered = st.randoms(use_true_random=False)


def _rows(seed: int, rows: int = 120):
    """Rows of some 60 people in three areas, a third of them treated, as every model here takes them."""
    rng = np.random.default_rng(seed)
    person, treated = rng.integers(0, 60, rows), rng.random(rows) < 0.35
    return {
        "columns": {"age": rng.normal(35, 9, rows), "score": rng.integers(0, 100, rows), "selected": treated},
        "factors": {"area": rng.choice(["east", "north", "west"], rows)}, "clusters": person, "treated": treated,
        "days": rng.integers(60, 183, rows), "counts": rng.poisson(1.5 * rng.gamma(1, 1, 60)[person]),
    }  # fmt: skip


def _counted(rows, **changed):
    """The rate ratio of `selected`; data sets without an answer are passed over."""
    asked = {name: value for name, value in rows.items() if name != "days"} | {"exposure_days": rows["days"]} | changed
    try:
        return quasi_poisson(**asked, of="selected")
    except NotFitted:
        assume(False)


def _risk(rows, **changed):
    asked = {name: value for name, value in rows.items() if name not in ("days", "counts")}
    try:
        return standardised_risk(**asked | {"event": rows["counts"] > 0} | changed, of="selected")
    except NotFitted:
        assume(False)


def _expected(rows, **changed):
    columns = {name: column for name, column in rows["columns"].items() if name != "selected"}
    asked = {name: value for name, value in rows.items() if name != "days"} | {"exposure_days": rows["days"]}
    try:
        return expected_count(**asked | {"columns": columns} | changed)
    except NotFitted:
        assume(False)


def _taken(rows, order):
    taken = {name: value[order] for name, value in rows.items() if name not in ("columns", "factors")}
    parts = {name: {key: value[order] for key, value in rows[name].items()} for name in ("columns", "factors")}
    return taken | parts


def _renamed(rows, random):
    """The rows in another order, with other names for people that sort differently."""
    order = random.sample(range(len(rows["counts"])), len(rows["counts"]))
    names = np.array([f"p{number}" for number in random.sample(range(10_000), 60)])
    shuffled = _taken(rows, order)
    return shuffled | {"clusters": names[shuffled["clusters"]]}


@PROPERTY
@given(seeds, ordered)
def test_order_of_rows_and_names_of_people_change_nothing(seed, random):
    rows = _rows(seed)
    other = _renamed(rows, random)
    one, two = _counted(rows), _counted(other)
    assert (two.log_ratio, two.standard_error, two.dispersion) == pytest.approx(
        (one.log_ratio, one.standard_error, one.dispersion), abs=FIT
    )
    assert (two.df, two.dropped) == (one.df, one.dropped)
    assert np.sort(two.influence) == pytest.approx(np.sort(one.influence), abs=FIT)
    assert _expected(other).total.low == pytest.approx(_expected(rows).total.low, rel=FIT)
    assert _risk(other).difference.low == pytest.approx(_risk(rows).difference.low, abs=FIT)
    ours, theirs = (
        propensity(columns={"age": r["columns"]["age"]}, factors=r["factors"], treated=r["treated"])
        for r in (rows, other)
    )
    assert np.sort(theirs.logit) == pytest.approx(np.sort(ours.logit), abs=FIT)


@PROPERTY
@given(seeds, st.floats(0.1, 40), st.floats(-50, 50))
def test_units_of_days_and_of_columns_change_nothing(seed, unit, shift):
    rows = _rows(seed)
    columns = rows["columns"] | {"age": unit * rows["columns"]["age"] + shift}
    one, two = _counted(rows), _counted(rows, columns=columns, exposure_days=unit * rows["days"])
    assert (two.log_ratio, two.standard_error) == pytest.approx((one.log_ratio, one.standard_error), abs=FIT)
    assert two.means == pytest.approx(one.means, abs=1e-5)
    assert _risk(rows, columns=columns).ratio.value == pytest.approx(_risk(rows).ratio.value, abs=FIT)


@PROPERTY
@given(seeds)
def test_counting_the_untreated_instead_turns_the_ratio_upside_down(seed):
    rows = _rows(seed)
    one = _counted(rows)
    two = _counted(rows, columns=rows["columns"] | {"selected": ~rows["treated"]})
    assert (two.log_ratio, two.standard_error) == pytest.approx((-one.log_ratio, one.standard_error), abs=FIT)
    turned = (1 / two.rate_ratio.high, 1 / two.rate_ratio.value, 1 / two.rate_ratio.low)
    assert turned == pytest.approx((one.rate_ratio.low, one.rate_ratio.value, one.rate_ratio.high), rel=1e-6)


@PROPERTY
@given(seeds)
def test_what_is_expected_adds_up_to_what_was_counted_and_without_the_programme_differs_by_the_ratio(seed):
    rows = _rows(seed)
    found = _counted(rows)
    assert found.means.sum() == pytest.approx(rows["counts"].sum(), rel=FIT)
    treated = rows["treated"]
    assert found.means[treated].sum() == pytest.approx(rows["counts"][treated].sum(), rel=1e-6)
    assert found.means[treated] == pytest.approx(found.means_without[treated] * found.rate_ratio.value, rel=FIT)
    assert (found.means[~treated] == found.means_without[~treated]).all()
    assert found.influence @ found.influence == pytest.approx(found.standard_error**2, rel=FIT)
    assert (found.p_value < 0.05) == (found.rate_ratio.low > 1 or found.rate_ratio.high < 1)


@PROPERTY
@given(seeds)
def test_doubling_everybody_halves_the_variance(seed):
    """With residuals as they are, and without n / (n - 1), both of which know how many people there are."""
    rows = _rows(seed)
    order = np.tile(np.arange(120), 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "LARGEST_INFLATION", 1.0)
        one = _counted(rows)
        two = _counted(_taken(rows, order) | {"clusters": rows["clusters"][order] + 1_000 * (np.arange(240) >= 120)})
    plain = [fit.standard_error**2 * fit.df / (fit.df + 1) for fit in (one, two)]
    assert (two.log_ratio, two.df) == (pytest.approx(one.log_ratio, abs=FIT), 2 * one.df + 1)
    assert plain[1] == pytest.approx(plain[0] / 2, rel=1e-6)


@PROPERTY
@given(seeds)
def test_leverage_only_widens_and_the_same_people_twice_as_one_cluster_are_no_more_people(seed):
    rows = _rows(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "LARGEST_INFLATION", 1.0)
        one, twice = _counted(rows), _counted(_taken(rows, np.tile(np.arange(120), 2)))
    assert twice.standard_error == pytest.approx(one.standard_error, rel=1e-6)
    assert twice.df == one.df
    alone = rows | {"clusters": np.arange(120)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "LARGEST_INFLATION", 1.0)
        plain = _counted(alone)
    assert _counted(alone).standard_error > plain.standard_error


@PROPERTY
@given(seeds, seeds)
def test_agreement_goes_both_ways_and_everybody_agrees_with_themselves(seed, other_seed):
    one, two = _counted(_rows(seed)), _counted(_rows(other_seed))
    assert agree(one, two) == agree(two, one)
    assert agree(one, one)
    gap = abs(one.log_ratio - two.log_ratio)
    if gap > 2 * (one.standard_error + two.standard_error):
        assert not agree(one, two)


@PROPERTY
@given(seeds, st.integers(2, 5))
def test_an_expectation_grows_with_the_days_of_the_treated_and_reads_only_the_untreated(seed, times):
    rows = _rows(seed)
    one = _expected(rows)
    longer = _expected(rows, exposure_days=np.where(rows["treated"], times * rows["days"], rows["days"]))
    assert longer.total.value == pytest.approx(times * one.total.value, rel=FIT)
    assert _expected(rows, counts=np.where(rows["treated"], 7, rows["counts"])).total == one.total
    assert 0 < one.total.low < one.total.value < one.total.high
    assert one.means.sum() == pytest.approx(one.total.value)


@PROPERTY
@given(seeds, st.integers(2, 5))
def test_totals_the_other_way_round_have_the_ratio_upside_down_and_their_unit_does_not_matter(seed, times):
    rng = np.random.default_rng(seed)
    before, after, people = 1 + rng.poisson(2, 40), rng.poisson(2, 40), rng.integers(0, 30, 40)
    one = ratio_of_totals(after=after, before=before, clusters=people)
    two = ratio_of_totals(after=times * before, before=times * after, clusters=people)
    assert (1 / two.ratio.high, 1 / two.ratio.low) == pytest.approx((one.ratio.low, one.ratio.high))
    assert (two.p_value, two.df) == (pytest.approx(one.p_value), len(set(people)) - 1)
    tripled = ratio_of_totals(after=times * after, before=before, clusters=people)
    assert (tripled.ratio.value, tripled.standard_error) == pytest.approx((times * one.ratio.value, one.standard_error))


@PROPERTY
@given(seeds)
def test_the_risk_of_not_having_the_event_differs_by_as_much_the_other_way(seed):
    rows = _rows(seed)
    one, two = _risk(rows), _risk(rows, event=rows["counts"] == 0)
    turned = (-two.difference.high, -two.difference.low)
    assert turned == pytest.approx((one.difference.low, one.difference.high), abs=FIT)
    assert 1 - two.risk_with.low == pytest.approx(one.risk_with.high, abs=FIT)
    assert 1 - two.risk_without.value == pytest.approx(one.risk_without.value, abs=FIT)


@PROPERTY
@given(seeds)
def test_difference_and_ratio_of_risks_lie_on_the_same_side_of_no_difference(seed):
    found = _risk(_rows(seed))
    for risk in (found.risk_with, found.risk_without):
        assert 0 < risk.low < risk.value < risk.high < 1
    assert found.difference.value == pytest.approx(found.risk_with.value - found.risk_without.value)
    assert (found.difference.high < 0) == (found.ratio.high < 1)
    assert (found.difference.low > 0) == (found.ratio.low > 1)
    assert (found.p_value < 0.05) == (found.difference.low > 0 or found.difference.high < 0)
    assert 0 <= found.ratio.low <= found.ratio.value <= found.ratio.high


@PROPERTY
@given(seeds)
def test_where_everybody_of_a_level_is_treated_the_odds_are_finite_and_the_others_keep_their_order(seed):
    rows = _rows(seed)
    asked = {"columns": {"age": rows["columns"]["age"]}, "factors": rows["factors"]}
    found = propensity(**asked, treated=rows["treated"] | (rows["factors"]["area"] == "west"))
    assert "Firth" in found.method
    assert np.isfinite(found.logit).all()
    west = rows["factors"]["area"] == "west"
    assert found.logit[west].min() > found.logit[~west].max()


@st.composite
def followed(draw):
    """Days, ways out and people of 4 to 30 rows, of two people at least, one followed to the horizon."""
    row = st.tuples(st.integers(1, HORIZON + 5), st.sampled_from([0, 1, 2]), st.integers(0, 12))
    days, kind, people = zip(*draw(st.lists(row, min_size=3, max_size=29)), (HORIZON, 0, 13), strict=True)
    return {"days": np.array(days), "kind": np.array(kind), "clusters": np.array(people)}


@PROPERTY
@given(followed(), ordered)
def test_an_incidence_rises_from_nobody_inside_its_interval_and_counts_those_still_followed(rows, random):
    found = cumulative_incidence(**rows, horizon_days=HORIZON)
    assert (found.days[0], found.share[0], found.at_risk[0], found.days[-1]) == (0, 0, len(rows["days"]), HORIZON)
    assert all(earlier <= later for earlier, later in pairwise(found.share))
    limits = zip(found.low, found.share, found.high, strict=True)
    assert all(0 <= low <= share <= high <= 1 for low, share, high in limits)
    seen = np.where(rows["days"] <= HORIZON, rows["kind"], 0)
    assert (sum(found.events), sum(found.deaths)) == ((seen == 1).sum(), (seen == 2).sum())
    assert found.at_risk == tuple((rows["days"] >= day).sum() for day in found.days)
    order = random.sample(range(len(rows["days"])), len(rows["days"]))
    shuffled = {name: values[order] for name, values in rows.items()}
    shuffled["clusters"] = 100 - shuffled["clusters"]
    other = cumulative_incidence(**shuffled, horizon_days=HORIZON)
    assert other.share == pytest.approx(found.share, abs=ROUNDING)
    assert other.low == pytest.approx(found.low, abs=FIT)


@PROPERTY
@given(followed())
def test_events_and_deaths_together_come_to_as_many_as_either(rows):
    """The shares of both add up to the share that Kaplan and Meier would give of either."""
    one = cumulative_incidence(**rows, horizon_days=HORIZON)
    turned = cumulative_incidence(**rows | {"kind": np.array([0, 2, 1])[rows["kind"]]}, horizon_days=HORIZON)
    either = cumulative_incidence(**rows | {"kind": np.minimum(rows["kind"], 1)}, horizon_days=HORIZON)
    assert np.add(one.share, turned.share) == pytest.approx(np.array(either.share), abs=ROUNDING)


@PROPERTY
@given(followed(), st.integers(2, 4))
def test_a_weight_is_so_many_rows_of_one_cluster_and_only_relative(rows, times):
    weights = 1 + rows["clusters"] % 3
    repeated = {name: np.repeat(values, weights) for name, values in rows.items()}
    weighted = cumulative_incidence(**rows, weights=times * weights, horizon_days=HORIZON)
    found = cumulative_incidence(**repeated, horizon_days=HORIZON)
    assert weighted.share == pytest.approx(found.share, abs=ROUNDING)
    assert weighted.high == pytest.approx(found.high, abs=FIT)


@PROPERTY
@given(followed(), followed())
def test_swapping_the_groups_negates_the_incident_free_days(ones, others):
    rows = {name: np.concatenate([ones[name], others[name]]) for name in ones}
    sides = np.repeat([1, 0], [len(ones["days"]), len(others["days"])])
    rows["clusters"] = rows["clusters"] + 20 * (1 - sides)
    assume(((rows["kind"] == 1) & (rows["days"] < HORIZON)).any())
    one = incident_free_days_difference(**rows, treated=sides, horizon_days=HORIZON)
    two = incident_free_days_difference(**rows, treated=1 - sides, horizon_days=HORIZON)
    assert (two.treated, two.untreated) == pytest.approx((one.untreated, one.treated))
    assert two.difference.value == pytest.approx(-one.difference.value, abs=FIT)
    plain = [found.standard_error**2 * found.df / (found.df + 1) for found in (one, two)]
    assert plain[0] == pytest.approx(plain[1])
    assert 0 <= one.treated <= HORIZON


@PROPERTY
@given(st.lists(st.floats(0.01, 50), min_size=1, max_size=40), st.floats(0.1, 9))
def test_effective_people_are_between_one_and_all_of_them_and_weights_only_relative(weights, times):
    found = effective_people(weights)
    assert 1 - ROUNDING <= found <= len(weights) + ROUNDING
    assert effective_people(times * np.array(weights)) == pytest.approx(found)
    assert effective_people(np.full(len(weights), times)) == pytest.approx(len(weights))


@PROPERTY
@given(seeds)
def test_equal_weights_leave_a_standardised_difference_as_it_is(seed):
    rng = np.random.default_rng(seed)
    sides = {"programme": rng.normal(1, 2, 20), "comparison": rng.normal(0, 1, 30)}
    plain = standardised_difference(**sides)
    equal = standardised_difference(**sides, weights_programme=np.ones(20), weights_comparison=np.full(30, 0.5))
    assert (equal.smd, equal.variance_ratio) == pytest.approx((plain.smd, plain.variance_ratio))


@PROPERTY
@given(st.integers(2, 2000), st.floats(1, 6000), st.floats(0.05, 20), st.floats(0.5, 10), st.floats(0.55, 0.95))
def test_the_detectable_reduction_has_the_power_it_was_asked_for_and_shrinks_with_people_and_incidents(
    people, others, mean, dispersion, power
):
    asked = {"people_1": people, "effective_people_0": others, "mean_count": mean, "dispersion": dispersion}
    found = detectable_rate_reduction(**asked, power=power)
    assert 0 < found <= 1
    assume(found < 0.999)
    assert power_of_rate_reduction(reduction=found, **asked) == pytest.approx(power, abs=FIT)
    for better in ({"people_1": people + 1}, {"effective_people_0": 2 * others}, {"mean_count": 2 * mean}):
        assert detectable_rate_reduction(**asked | better, power=power) < found
    assert detectable_rate_reduction(**asked | {"dispersion": 2 * dispersion}, power=power) > found
    assert power_of_rate_reduction(reduction=0, **asked) == pytest.approx(0.025)
