"""Answers known for counts.

Ships: damage incidents in months of service of five types of ship, McCullagh & Nelder 1989, Generalized Linear Models,
2nd ed., section 6.3.2; Stata's poisson with exposure and vce(cluster ship), as kept in statsmodels' own tests.
Stata multiplies the variance by 5 / 4 for five clusters, as here where all five are treated, and has no leverage.
Two groups without further columns, totals and an unadjusted expectation have closed forms, worked out in each test.
"""

import math

import numpy as np
import pytest
import statsmodels.api as sm

from evalkit.estimators import (
    NotFitted,
    agree,
    detectable_rate_reduction,
    effective_people,
    expected_count,
    models,
    power_of_rate_reduction,
    quasi_poisson,
    ratio_of_totals,
)

pytestmark = pytest.mark.filterwarnings("error")  # no warning leaks from a library

STATA = 1e-7  # relative: both stop their search there
SAME = 1e-8  # one number, computed in another order
A_POINT = 0.005
SHIPS = """
1 1 1 127 0, 1 1 2 63 0, 1 2 1 1095 3, 1 2 2 1095 4, 1 3 1 1512 6, 1 3 2 3353 18, 1 4 2 2244 11, 2 1 1 44882 39,
2 1 2 17176 29, 2 2 1 28609 58, 2 2 2 20370 53, 2 3 1 7064 12, 2 3 2 13099 44, 2 4 2 7117 18, 3 1 1 1179 1, 3 1 2 552 1,
3 2 1 781 0, 3 2 2 676 1, 3 3 1 783 6, 3 3 2 1948 2, 3 4 2 274 1, 4 1 1 251 0, 4 1 2 105 0, 4 2 1 288 0, 4 2 2 192 0,
4 3 1 349 2, 4 3 2 1208 11, 4 4 2 2051 4, 5 1 1 45 0, 5 2 1 789 7, 5 2 2 437 7, 5 3 1 1157 5, 5 3 2 2161 12, 5 4 2 542 1
"""


@pytest.fixture
def as_it_stands(monkeypatch):
    """Residuals as they are, so that sandwiches made elsewhere can be compared."""
    monkeypatch.setattr(models, "LARGEST_INFLATION", 1.0)


@pytest.fixture(scope="module")
def ships():
    kind, built, operated, months, incidents = np.array(
        [[int(number) for number in row.split()] for row in SHIPS.split(",")]
    ).T
    return {
        "counts": incidents, "exposure_days": months, "clusters": kind, "treated": operated == 2,
        "columns": {"built": built, "later": operated == 2}, "of": "later",
    }  # fmt: skip


def _drawn(people: int = 300, rows: int = 900, seed: int = 7):
    """Rows of people with frailties, one in five rows treated with a rate ratio of 0.7; ids and levels are words."""
    rng = np.random.default_rng(seed)
    person = rng.integers(0, people, rows)
    treated, age = rng.random(rows) < 0.2, rng.normal(35, 9, rows)
    area, days = rng.choice(["hartlepool", "redcar", "stockton"], rows), rng.integers(60, 183, rows)
    mean = rng.gamma(1, 1, people)[person] * days / 90 * np.exp(0.02 * (age - 35)) * np.where(treated, 0.7, 1)
    return {
        "counts": rng.poisson(mean), "exposure_days": days, "clusters": np.char.add("p", person.astype(str)),
        "treated": treated, "columns": {"age": age, "selected": treated}, "factors": {"area": area}, "of": "selected",
    }  # fmt: skip


def _matrix(drawn):
    areas = [drawn["factors"]["area"] == area for area in ("redcar", "stockton")]
    return np.column_stack([np.ones(len(areas[0])), drawn["columns"]["age"], *areas, drawn["treated"]]).astype(float)


def test_the_rate_ratio_of_later_operation_is_statas_with_its_error_by_ship(ships, as_it_stands):
    found = quasi_poisson(**ships)
    assert found.log_ratio == pytest.approx(0.35592229608495, rel=STATA)
    assert (found.standard_error, found.df) == (pytest.approx(0.09213163536669, rel=STATA), 4)
    assert found.rate_ratio.value == pytest.approx(math.exp(0.35592229608495), rel=STATA)
    reach = 2.7764451 * 0.09213163536669  # t with 4 degrees of freedom; Stata refers it to the normal
    assert found.rate_ratio.low == pytest.approx(math.exp(0.35592229608495 - reach), rel=STATA)
    built = quasi_poisson(**ships | {"of": "built"})
    assert (built.log_ratio, built.standard_error) == pytest.approx((0.30633819450439, 0.03817694295902), rel=STATA)


def test_without_leverage_the_error_is_that_of_statsmodels_by_cluster(as_it_stands):
    drawn = _drawn()
    _, groups = np.unique(drawn["clusters"], return_inverse=True)
    model = sm.GLM(drawn["counts"], _matrix(drawn), family=sm.families.Poisson(), exposure=drawn["exposure_days"])
    peer = model.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}, tol=1e-14)
    found = quasi_poisson(**drawn)
    people = found.df + 1
    assert found.log_ratio == pytest.approx(peer.params[-1], abs=SAME)
    assert found.standard_error * ((people - 1) / people) ** 0.5 == pytest.approx(peer.bse[-1], abs=SAME)
    assert found.means == pytest.approx(peer.mu, abs=1e-6)
    assert found.dispersion == pytest.approx(peer.pearson_chi2 / peer.df_resid, abs=1e-6)


def test_leverage_and_clusters_are_those_of_loops_over_rows():
    drawn = _drawn(people=14, rows=30, seed=1)
    weights = np.linspace(0.5, 2, 30)
    found, matrix = quasi_poisson(**drawn, weights=weights), _matrix(drawn)
    bread = np.linalg.inv(sum(w * m * np.outer(x, x) for w, m, x in zip(weights, found.means, matrix, strict=True)))
    meat = np.zeros_like(bread)
    for person in set(drawn["clusters"]):
        score = np.zeros(5)
        for row in np.nonzero(drawn["clusters"] == person)[0]:
            leverage = weights[row] * found.means[row] * matrix[row] @ bread @ matrix[row]
            larger = min(1 / (1 - leverage), 5)
            score += larger * weights[row] * (drawn["counts"][row] - found.means[row]) * matrix[row]
        meat += np.outer(score, score)
    people = len(set(drawn["clusters"][drawn["treated"]]))
    expected = people / (people - 1) * (bread @ meat @ bread)[-1, -1]
    assert (found.df, found.standard_error) == (people - 1, pytest.approx(expected**0.5, abs=SAME))


def test_two_groups_of_people_have_the_ratio_of_their_rates_and_the_error_worked_out_by_hand():
    """Rates 2 of 30 and 12 of 40 days; each leverage is the person's share of the group's days, and one is over 4/5."""
    counts, days = np.array([0, 2, 3, 9]), np.array([10, 20, 4, 36])
    found = quasi_poisson(
        counts=counts, exposure_days=days, columns={"selected": [1, 1, 0, 0]}, of="selected",
        clusters=["a", "b", "c", "d"], treated=[1, 1, 0, 0],
    )  # fmt: skip
    assert found.rate_ratio.value == pytest.approx((2 / 30) / (12 / 40), abs=SAME)
    assert found.means == pytest.approx(np.array([2 / 3, 4 / 3, 1.2, 10.8]), abs=SAME)
    assert found.means_without == pytest.approx(np.array([3, 6, 1.2, 10.8]), abs=SAME)
    moved = np.array([-2 / 3 / (1 - 1 / 3) / 2, 2 / 3 / (1 - 2 / 3) / 2, -1.8 / (1 - 0.1) / 12, 1.8 * 5 / 12])
    assert found.influence == pytest.approx(moved * 2**0.5, abs=SAME)
    assert found.standard_error == pytest.approx((2 * (moved**2).sum()) ** 0.5, abs=SAME)
    assert found.dispersion == pytest.approx((2 / 3 + 1 / 3 + 2.7 + 0.3) / 2, abs=SAME)


def test_a_weight_of_two_is_a_row_of_the_same_person_twice(as_it_stands):
    drawn = _drawn()
    twice = np.repeat(np.arange(900), np.where(np.arange(900) % 3, 1, 2))
    repeated = {name: drawn[name][twice] for name in ("counts", "exposure_days", "clusters", "treated")}
    repeated["columns"] = {name: column[twice] for name, column in drawn["columns"].items()}
    repeated["factors"] = {"area": drawn["factors"]["area"][twice]}
    weighted = quasi_poisson(**drawn, weights=np.where(np.arange(900) % 3, 1, 2))
    found = quasi_poisson(**repeated, of="selected")
    assert weighted.log_ratio == pytest.approx(found.log_ratio, abs=SAME)
    assert weighted.standard_error == pytest.approx(found.standard_error, abs=SAME)


def test_columns_that_say_nothing_of_their_own_are_dropped_and_named_and_change_nothing():
    drawn = _drawn()
    age = drawn["columns"]["age"]
    more = {"age": age, "months": 12 * age, "same": np.full(900, 3.0), "selected": drawn["treated"]}
    areas = {"area": drawn["factors"]["area"], "force": np.where(drawn["factors"]["area"] == "redcar", "x", "y")}
    found, plain = quasi_poisson(**drawn | {"columns": more, "factors": areas}), quasi_poisson(**drawn)
    assert found.dropped == ("months", "same", "force: y")
    assert (found.log_ratio, found.standard_error) == pytest.approx((plain.log_ratio, plain.standard_error), abs=SAME)


def test_a_level_in_which_nobody_has_an_incident_is_expected_to_have_none_and_leaves_the_ratio_alone():
    drawn, quiet = _drawn(), np.arange(900) < 40
    counts = np.where(quiet, 0, drawn["counts"])
    month = np.where(quiet, "june", np.where(np.arange(900) % 2, "july", "august"))
    found = quasi_poisson(**drawn | {"counts": counts, "factors": {"month": month}})
    rest = {name: values[~quiet] for name, values in drawn.items() if name not in ("columns", "factors", "of")}
    columns = {name: column[~quiet] for name, column in drawn["columns"].items()}
    without = quasi_poisson(**rest | {"columns": columns, "factors": {"month": month[~quiet]}, "of": "selected"})
    assert found.dropped == ("month: june",)
    assert not found.means[quiet].any()
    assert found.means[~quiet] == pytest.approx(without.means, abs=SAME)
    assert found.log_ratio == pytest.approx(without.log_ratio, abs=SAME)


def test_one_estimate_agrees_with_itself_and_with_one_on_other_columns_but_not_with_one_of_another_effect():
    drawn = _drawn()
    one, unadjusted = quasi_poisson(**drawn), quasi_poisson(**drawn | {"factors": {}})
    worse = quasi_poisson(**drawn | {"counts": drawn["counts"] * np.where(drawn["treated"], 3, 1)})
    assert agree(one, one)
    assert agree(one, unadjusted)
    assert not agree(one, worse)


def test_two_estimates_of_strangers_agree_within_two_of_their_errors_added_as_independent_ones_are():
    one, drawn = quasi_poisson(**_drawn(seed=3)), _drawn(seed=8)
    strangers = drawn | {"clusters": np.char.add("q", drawn["clusters"])}
    found = set()
    for times in (1, 2, 4):
        other = quasi_poisson(**strangers | {"counts": drawn["counts"] * np.where(drawn["treated"], times, 1)})
        apart = abs(one.log_ratio - other.log_ratio) / math.hypot(one.standard_error, other.standard_error)
        assert agree(one, other) == agree(other, one) == (apart <= 2)
        found.add(agree(one, other))
    assert found == {True, False}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"of": "spouse"}, ValueError, "spouse is not among"),
        ({"counts": [-1, 0, 1, 2]}, ValueError, "count is negative"),
        ({"exposure_days": [1, 0, 1, 2]}, ValueError, "days at risk are above 0"),
        ({"weights": [1, 1, 1, 0]}, ValueError, "weights are above 0"),
        ({"columns": {"selected": [1, 1, 0, float("nan")]}}, ValueError, "selected needs one number"),
        ({"factors": {"area": ["x", None, "x", "y"]}}, ValueError, "area needs one level"),
        ({"clusters": ["a", "b", "c", None]}, ValueError, "no cluster"),
        ({"treated": [1, 1, 0, 2]}, ValueError, "true or false"),
        ({"level": 1.0}, ValueError, "level lies between"),
        ({"treated": [1, 0, 0, 0]}, NotFitted, "too few people to know how much they differ: 1"),
        ({"counts": [0, 0, 0, 0]}, NotFitted, "nothing to compare"),
        ({"counts": [0, 0, 3, 4]}, NotFitted, "the rate ratio has no bound"),
        ({"counts": [3, 4, 0, 0]}, NotFitted, "the rate ratio has no bound"),
        ({"columns": {"selected": [1, 1, 1, 1]}}, NotFitted, "selected is the same"),
        ({"columns": {"twin": [2, 2, 1, 1], "selected": [1, 1, 0, 0]}}, NotFitted, "follows from the other columns"),
        ({"columns": {"x": [1, 5, 2, 7], "y": [0, 0, 1, 1], "selected": [1, 0, 1, 0]}}, NotFitted, "as many columns"),
    ],
)  # fmt: skip
def test_a_ratio_that_cannot_be_had_is_refused_in_words(change, error, words):
    asked = {
        "counts": [1, 2, 3, 4], "exposure_days": [9, 9, 9, 9], "columns": {"selected": [1, 1, 0, 0]}, "of": "selected",
        "clusters": ["a", "b", "c", "d"], "treated": [1, 1, 0, 0],
    }  # fmt: skip
    with pytest.raises(error, match=words):
        quasi_poisson(**asked | change)


def test_columns_that_decide_only_together_who_has_no_incident_are_refused():
    """Nobody who drinks and is not in work has an incident, which neither says alone."""
    rng = np.random.default_rng(3)
    drinks, selected = rng.random((2, 200)) < 0.5
    works = drinks & (rng.random(200) < 0.5)
    counts = np.where(drinks & ~works, 0, 1 + rng.poisson(2, 200))
    with pytest.raises(NotFitted, match="decide the outcome of some rows"):
        quasi_poisson(
            counts=counts, exposure_days=np.ones(200), clusters=np.arange(200), treated=selected, of="selected",
            columns={"drinks": drinks, "works": works, "selected": selected},
        )  # fmt: skip


def test_without_columns_the_expected_count_is_the_untreated_rate_over_the_treated_days(as_it_stands):
    """Three untreated have 2, 0 and 7 in 30 days, 0.3 a day; one treated person has two rows of 20 days, one has 10."""
    found = expected_count(
        counts=[2, 0, 7, 99, 99, 99], exposure_days=[10, 10, 10, 20, 20, 10], columns={},
        clusters=["a", "b", "c", "d", "d", "e"], treated=[0, 0, 0, 1, 1, 1],
    )  # fmt: skip
    assert (found.total.value, found.df) == (pytest.approx(15, abs=SAME), 1)
    assert found.means == pytest.approx(np.array([6, 6, 3]), abs=SAME)
    of_mean = 2 * ((2 - 3) ** 2 + 3**2 + 4**2) / 9**2  # on the logarithm, 2 / (2 - 1) for two treated clusters
    growth = (1 + 9 + 16 - 9) / 27
    by_chance = (2 * (6 + growth * 36) ** 0.5) ** 2 + 3 + growth * 9
    assert found.standard_error == pytest.approx((of_mean + by_chance / 15**2) ** 0.5, abs=SAME)
    assert found.total.low == pytest.approx(15 * math.exp(-12.7062047 * found.standard_error), rel=STATA)
    assert found.dispersion == pytest.approx(26 / 3 / 2, abs=SAME)


def test_what_the_treated_count_does_not_move_what_is_expected_of_them():
    drawn = {name: values for name, values in _drawn().items() if name != "of"}
    drawn["columns"] = {"age": drawn["columns"]["age"]}
    found = expected_count(**drawn)
    other = expected_count(**drawn | {"counts": np.where(drawn["treated"], 50, drawn["counts"])})
    assert (found.total, len(found.means)) == (other.total, drawn["treated"].sum())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"factors": {"area": list("xyxyxyz")}}, "area: z"),
        ({"factors": {"area": list("xyyyyyx")}, "treated": [1, 0, 0, 0, 0, 1, 1]}, "unlike every other row in area: y"),
        ({"columns": {"custody": [0, 0, 0, 0, 0, 3, 0]}}, "unlike every other row in custody"),
        ({"counts": [0, 0, 0, 0, 0, 4, 4]}, "nothing to compare"),
        ({"treated": [1] * 7}, "no untreated rows"),
    ],
)
def test_an_expectation_that_the_untreated_rows_do_not_give_is_refused(change, words):
    asked = {
        "counts": [1, 2, 0, 4, 1, 2, 3], "exposure_days": [9] * 7, "columns": {}, "clusters": list("abcdefg"),
        "treated": [0, 0, 0, 0, 0, 1, 1],
    }  # fmt: skip
    with pytest.raises(NotFitted, match=words):
        expected_count(**asked | change)


def test_a_ratio_of_totals_is_as_worked_out_by_hand():
    """After 1 + 3 of person a and 2 of person b, before 2 + 2 and 8: shares of 2/3 and 1/3 against 1/3 and 2/3.

    The leverage of each of three rows is 1/3, so both differences of 1/3 count for 1/2.
    """
    found = ratio_of_totals(after=[1, 3, 2], before=[2, 2, 8], clusters=["a", "a", "b"])
    assert (found.ratio.value, found.df) == (pytest.approx(0.5, abs=SAME), 1)
    assert found.standard_error == pytest.approx((2 * (1 / 4 + 1 / 4)) ** 0.5, abs=SAME)
    assert found.ratio.high == pytest.approx(0.5 * math.exp(12.7062047), rel=STATA)
    assert found.p_value == pytest.approx(2 * math.atan2(1, math.log(2)) / math.pi, abs=SAME)  # t with 1 df


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"after": [0, 0]}, "is 0"),
        ({"before": [0, 0]}, "is 0"),
        ({"after": [1, -2]}, "negative"),
        ({"after": [1, 2, 3]}, "a count before"),
        ({"clusters": ["a", "a"]}, "too few people"),
        ({"after": [2, 4]}, "has no interval"),
    ],
)
def test_a_ratio_of_totals_that_cannot_be_had_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        ratio_of_totals(**{"after": [1, 4], "before": [1, 2], "clusters": ["a", "b"]} | change)


@pytest.mark.parametrize(
    ("people", "percent"), [(20, 64), (40, 51), (80, 39), (150, 30), (300, 22), (600, 16), (1200, 12)]
)
def test_the_detectable_reductions_are_those_of_the_reference_list(people, percent):
    """Dispersion 4, 2.2 incidents a person, three effective people in the comparison for each in the programme."""
    found = detectable_rate_reduction(people_1=people, effective_people_0=3 * people, mean_count=2.2, dispersion=4)
    assert 100 * found == pytest.approx(percent, abs=100 * A_POINT)


def test_in_large_groups_the_power_is_the_normal_one():
    """A variance of 4 / 2200 + 4 / 6600 is an error of 0.0492; a fall of a tenth lies 2.14 of them off."""
    found = power_of_rate_reduction(reduction=0.1, people_1=1000, effective_people_0=3000, mean_count=2.2, dispersion=4)
    assert found == pytest.approx(0.571, abs=A_POINT)


def test_where_nothing_could_be_shown_no_reduction_is_named():
    asked = {"people_1": 1, "effective_people_0": 50, "mean_count": 2.2, "dispersion": 4}
    for nothing in (asked, asked | {"people_1": 50, "mean_count": 0}):
        assert detectable_rate_reduction(**nothing) is None
        assert power_of_rate_reduction(reduction=0.9, **nothing) == 0
    for wrong in ({"dispersion": 0}, {"mean_count": -1}, {"effective_people_0": 0}, {"people_1": 0}, {"level": 0}):
        with pytest.raises(ValueError, match=r"above 0|need people|between 0 and 1"):
            detectable_rate_reduction(**asked | wrong)


def test_effective_people_are_kishs():
    assert effective_people([3, 1]) == pytest.approx(16 / 10, abs=SAME)
    assert effective_people([5, 0, 0]) == 1
    for wrong in ([], [0, 0], [1, -1], [1, float("nan")]):
        with pytest.raises(ValueError, match="not all 0"):
            effective_people(wrong)
