"""Answers known for means and their differences.

Grunfeld: investment of ten firms over twenty years, from their value and stock; Stata's regress with vce(cluster), as
kept in statsmodels' own tests. Stata multiplies the variance by 10 / 9 for ten clusters, as here where all ten are
treated, and by 199 / 197 for 200 rows and three coefficients; it has no leverage.
Sleep: hours more of sleep by one drug than by another of ten patients, Student 1908, Biometrika 6:1-25, as R's t.test
prints their mean.
"""

import math

import numpy as np
import pytest
import statsmodels.api as sm

from evalkit.estimators import NotFitted, linear_difference, mean_of, models, ratio_of_falls

pytestmark = pytest.mark.filterwarnings("error")  # no warning leaks from a library

STATA = 1e-7  # relative; its data are in single precision
SAME = 1e-8  # one number, computed in another order
SLEEP = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]


@pytest.fixture
def as_it_stands(monkeypatch):
    """Residuals as they are, so that sandwiches made elsewhere can be compared."""
    monkeypatch.setattr(models, "LARGEST_INFLATION", 1.0)


def _drawn(people: int = 300, rows: int = 900, seed: int = 7):
    """Scores of people who differ in several rows each, one in five rows treated; ids and levels are words."""
    rng = np.random.default_rng(seed)
    person = rng.integers(0, people, rows)
    treated, before = rng.random(rows) < 0.2, rng.gamma(4, 18, rows)
    area = rng.choice(["hartlepool", "redcar", "stockton"], rows)
    outcome = 0.6 * before + rng.normal(0, 9, people)[person] + rng.normal(0, 12, rows) - 5 * treated
    return {
        "outcome": outcome, "clusters": np.char.add("p", person.astype(str)), "treated": treated,
        "columns": {"before": before, "selected": treated}, "factors": {"area": area}, "of": "selected",
    }  # fmt: skip


def _matrix(drawn):
    areas = [drawn["factors"]["area"] == area for area in ("redcar", "stockton")]
    return np.column_stack([np.ones(len(areas[0])), drawn["columns"]["before"], *areas, drawn["treated"]]).astype(float)


def test_investment_by_value_and_stock_is_statas_with_its_error_by_firm(as_it_stands):
    years = sm.datasets.grunfeld.load_pandas().data.head(200)
    asked = {
        "outcome": years.invest, "columns": {"value": years.value, "capital": years.capital}, "clusters": years.firm,
        "treated": np.ones(200),
    }  # fmt: skip
    statas = math.sqrt(199 / 197)
    for of, slope, error in (
        ("value", 0.11556215606596, 0.01589433647768),
        ("capital", 0.23067848754982, 0.08496711097464),
    ):
        found = linear_difference(**asked, of=of)
        assert found.difference.value == pytest.approx(slope, rel=STATA)
        assert found.standard_error * statas == pytest.approx(error, rel=STATA)
    assert (found.df, found.p_value) == (9, pytest.approx(0.0236, abs=0.0005))


def test_without_leverage_the_error_is_that_of_statsmodels_by_cluster(as_it_stands):
    drawn, rng = _drawn(), np.random.default_rng(1)
    _, groups = np.unique(drawn["clusters"], return_inverse=True)
    for weights in (np.ones(900), rng.uniform(0.5, 2, 900)):
        model = sm.WLS(drawn["outcome"], _matrix(drawn), weights=weights)
        peer = model.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
        found = linear_difference(**drawn, weights=weights)
        people = found.df + 1
        assert found.difference.value == pytest.approx(peer.params[-1], abs=SAME)
        assert found.standard_error * ((people - 1) / people) ** 0.5 == pytest.approx(peer.bse[-1], abs=SAME)
        treated = drawn["treated"]
        mean = np.average(drawn["outcome"][treated], weights=weights[treated])
        assert found.mean_with == pytest.approx(mean, abs=SAME)
        assert found.mean_with - found.mean_without == pytest.approx(found.difference.value, abs=SAME)


def test_leverage_and_clusters_are_those_of_loops_over_rows():
    drawn = _drawn(people=14, rows=30, seed=1)
    weights, matrix = np.linspace(0.5, 2, 30), _matrix(drawn)
    found = linear_difference(**drawn, weights=weights)
    bread = np.linalg.inv(sum(w * np.outer(x, x) for w, x in zip(weights, matrix, strict=True)))
    fitted = matrix @ bread @ sum(w * y * x for w, y, x in zip(weights, drawn["outcome"], matrix, strict=True))
    meat = np.zeros_like(bread)
    for person in set(drawn["clusters"]):
        score = np.zeros(5)
        for row in np.nonzero(drawn["clusters"] == person)[0]:
            larger = min(1 / (1 - weights[row] * matrix[row] @ bread @ matrix[row]), 5)
            score += larger * weights[row] * (drawn["outcome"][row] - fitted[row]) * matrix[row]
        meat += np.outer(score, score)
    people = len(set(drawn["clusters"][drawn["treated"]]))
    expected = people / (people - 1) * (bread @ meat @ bread)[-1, -1]
    assert (found.df, found.standard_error) == (people - 1, pytest.approx(expected**0.5, abs=SAME))
    assert found.influence @ found.influence == pytest.approx(expected)


def test_two_groups_without_columns_have_the_difference_of_their_means_and_the_error_worked_out_by_hand():
    """Means 3 of 1, 5 and 6 of 2, 4, 12; each leverage is 1 / 2 or 1 / 3."""
    found = linear_difference(
        outcome=[1, 5, 2, 4, 12], columns={"selected": [1, 1, 0, 0, 0]}, of="selected", clusters=list("abcde"),
        treated=[1, 1, 0, 0, 0],
    )  # fmt: skip
    assert (found.difference.value, found.mean_with, found.mean_without) == pytest.approx((-3, 3, 6), abs=SAME)
    moved = np.array([-2 * 2 / 2, 2 * 2 / 2, -4 * 1.5 / 3, -2 * 1.5 / 3, 6 * 1.5 / 3])
    assert np.abs(found.influence) == pytest.approx(np.abs(moved) * 2**0.5, abs=SAME)
    reach = 12.706204736 * (2 * (moved**2).sum()) ** 0.5
    assert (found.difference.low, found.difference.high) == pytest.approx((-3 - reach, -3 + reach), abs=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"columns": {"twin": [3, 3, 3, 4, 4, 4], "selected": [1, 1, 1, 0, 0, 0]}}, "follows from the other columns"),
        ({"treated": [1, 0, 0, 0, 0, 0]}, "too few people"),
        ({"outcome": [7, 7, 7, 7, 7, 7]}, "explain the outcome of every row"),
        ({"factors": {"who": list("abcdef")}}, "follows from|as many columns"),
    ],
)
def test_differences_that_cannot_be_had_are_refused(change, words):
    asked = {
        "outcome": [1, 0, 4, 1, 8, 0], "columns": {"selected": [1, 1, 1, 0, 0, 0]}, "of": "selected",
        "clusters": list("abcdef"), "treated": [1, 1, 1, 0, 0, 0],
    }  # fmt: skip
    with pytest.raises(NotFitted, match=words):
        linear_difference(**asked | change)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"outcome": [1, np.nan, 2]}, "missing or infinite"), ({"weights": [1, 0, 1]}, "weights are above 0")],
)
def test_outcomes_and_weights_that_are_not_known_are_refused(change, words):
    asked = {"outcome": [1, 0, 4], "columns": {"s": [1, 1, 0]}, "of": "s", "clusters": [1, 2, 3], "treated": [1, 1, 0]}
    with pytest.raises(ValueError, match=words):
        linear_difference(**asked | change)


def test_a_mean_of_people_has_students_interval():
    found = mean_of(values=SLEEP, clusters=np.arange(10))
    assert (found.value, found.low, found.high) == pytest.approx((1.58, 0.7001142, 2.4598858), abs=1e-7)


def test_a_weight_of_two_in_a_mean_is_the_same_person_twice():
    twice = np.repeat(np.arange(10), np.where(np.arange(10) % 3, 1, 2))
    weighted = mean_of(values=SLEEP, clusters=np.arange(10), weights=np.where(np.arange(10) % 3, 1, 2))
    found = mean_of(values=np.array(SLEEP)[twice], clusters=twice)
    assert (weighted.value, weighted.low) == pytest.approx((found.value, found.low), abs=SAME)


def test_the_share_of_the_attainable_fall_and_its_error_are_worked_out_by_hand():
    """Two people in three rows: falls 10 and 2 of 20 and 12, and 12 of 16, together 24 of 48."""
    found = ratio_of_falls(fall=[10, 2, 12], attainable=[20, 12, 16], clusters=["a", "a", "b"])
    moved = np.array([12 - 0.5 * 32, 12 - 0.5 * 16]) / 48
    reach = 12.706204736 * (2 * (moved**2).sum()) ** 0.5
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.5 - reach, 0.5 + reach), abs=1e-7)


def test_the_error_of_the_share_of_a_fall_is_that_of_leaving_out_one_person_after_another():
    rng = np.random.default_rng(2)
    person, attainable, weights = rng.integers(0, 80, 200), rng.gamma(3, 8, 200), rng.uniform(0.5, 1.5, 200)
    fall = attainable * rng.beta(2, 2, 80)[person] - rng.gamma(1, 3, 200)
    found = ratio_of_falls(fall=fall, attainable=attainable, clusters=person, weights=weights)
    left = [(weights * fall)[person != one].sum() / (weights * attainable)[person != one].sum() for one in range(80)]
    jackknife = math.sqrt(79 / 80 * ((np.array(left) - np.mean(left)) ** 2).sum())
    assert (found.high - found.value) / 1.990450 == pytest.approx(jackknife, rel=0.03)


def test_a_share_of_nothing_and_a_mean_of_one_person_are_refused():
    with pytest.raises(ValueError, match="nothing was attainable"):
        ratio_of_falls(fall=[1, 2], attainable=[0, 0], clusters=[1, 2])
    with pytest.raises(NotFitted, match="too few people"):
        mean_of(values=[1, 2], clusters=[1, 1])
