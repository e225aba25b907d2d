"""Shares with an event that is not known of everybody: closed forms, and a spread found by leaving people out."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import norm

from evalkit.estimators import NotFitted, assessed_difference, missing_bounds, standardised_risk

pytestmark = pytest.mark.filterwarnings("error")  # no warning leaks from a library

SAME = 1e-8  # one number, computed in another order
CLOSE = 0.05  # a sandwich with leverage and a jackknife differ by terms of the order of columns over people


def _counted(*cells: tuple[int, int, int, int, int]):
    """Rows from cells of arm, intake level, people with the event, without it, and not known of."""
    arm, intake, event = [], [], []
    for treated, level, with_it, without, not_known in cells:
        event += [1.0] * with_it + [0.0] * without + [np.nan] * not_known
        arm += [treated] * (len(event) - len(arm))
        intake += [level] * (len(event) - len(intake))
    columns = {"selected": np.array(arm)}
    return {
        "event": np.array(event), "columns": columns, "of": "selected", "treated": np.array(arm),
        "clusters": np.arange(len(arm)), "factors": {"intake": np.array(intake)},
    }  # fmt: skip


def _drawn(people: int = 200, missing: float = 0.25, seed: int = 5):
    """Two arms; the event and whether it is known both follow the intake level."""
    rng = np.random.default_rng(seed)
    level, treated = rng.integers(0, 3, people), rng.random(people) < 0.5
    event = (rng.random(people) < 0.2 + 0.25 * level - 0.1 * treated).astype(float)
    event[rng.random(people) < missing * level] = np.nan
    return {
        "event": event, "columns": {"age": rng.normal(35, 9, people), "selected": treated}, "of": "selected",
        "treated": treated, "clusters": rng.integers(0, 150, people), "factors": {"intake": level},
    }  # fmt: skip


def test_with_one_intake_level_in_two_the_shares_are_weighted_by_everybody_whether_known_of_or_not():
    """The odds with treatment are a third in both levels, so that the model has no need of an interaction."""
    rows = _counted((1, 0, 10, 30, 40), (0, 0, 30, 30, 0), (1, 1, 20, 20, 100), (0, 1, 60, 20, 20))
    found = assessed_difference(**rows)
    weights = np.array([80 + 60, 140 + 100]) / 380
    assert found.share_with == pytest.approx(weights @ [0.25, 0.5], abs=SAME)
    assert found.share_without == pytest.approx(weights @ [0.5, 0.75], abs=SAME)
    assert found.difference.value == pytest.approx(-0.25, abs=SAME)
    assert found.df == 219


def test_where_nothing_is_missing_the_shares_are_those_of_standardised_risks_over_everybody():
    rows = _drawn(missing=0)
    found = assessed_difference(**rows)
    over_all = standardised_risk(**rows | {"treated": np.ones(200)})
    assert found.difference.value == pytest.approx(over_all.difference.value, abs=SAME)
    assert found.share_with == pytest.approx(over_all.risk_with.value, abs=SAME)
    assert assessed_difference(**rows, shift_sd=2) == found
    people, everybody = found.df + 1, over_all.df + 1
    error = (over_all.difference.high - over_all.difference.value) / norm.isf(0.025)
    same_correction = math.sqrt(people / (people - 1) * (everybody - 1) / everybody)
    assert found.standard_error == pytest.approx(error * same_correction, rel=0.02)  # t of so many is nearly normal


def test_the_missing_are_expected_to_be_as_the_model_of_those_known_says():
    rows = _drawn()
    known = ~np.isnan(rows["event"])
    levels = [rows["factors"]["intake"] == level for level in (1, 2)]
    matrix = np.column_stack([np.ones(200), rows["columns"]["age"], *levels, rows["treated"]]).astype(float)
    fit = sm.Logit(rows["event"][known], matrix[known]).fit(disp=0)
    held = {value: np.column_stack([matrix[:, :4], np.full(200, value)]) for value in (0.0, 1.0)}
    found = assessed_difference(**rows)
    assert found.share_with == pytest.approx(fit.predict(held[1.0]).mean(), abs=1e-7)
    assert found.share_without == pytest.approx(fit.predict(held[0.0]).mean(), abs=1e-7)


def test_without_columns_the_missing_are_worse_by_the_shift_of_a_normal_severity():
    rows = _counted((1, 0, 12, 28, 10), (0, 0, 30, 20, 25))
    found = assessed_difference(**rows | {"factors": {}}, shift_sd=0.5)
    worse = [norm.cdf(norm.ppf(share) + 0.5) for share in (0.3, 0.6)]
    assert found.share_with == pytest.approx((12 + 10 * worse[0]) / 50, abs=SAME)
    assert found.share_without == pytest.approx((30 + 25 * worse[1]) / 75, abs=SAME)


@pytest.mark.parametrize("shift_sd", [0.0, 0.5])
def test_the_error_is_that_of_leaving_out_one_cluster_after_another(shift_sd):
    rows = _drawn(people=300)
    found, gaps = assessed_difference(**rows, shift_sd=shift_sd), []
    for cluster in np.unique(rows["clusters"]):
        kept = rows["clusters"] != cluster
        part = {name: rows[name][kept] for name in ("event", "treated", "clusters")}
        columns = {name: column[kept] for name, column in rows["columns"].items()}
        factors = {"intake": rows["factors"]["intake"][kept]}
        fit = assessed_difference(**part, columns=columns, factors=factors, of="selected", shift_sd=shift_sd)
        gaps.append(fit.difference.value)
    jackknife = math.sqrt((1 - 1 / len(gaps)) * ((np.array(gaps) - np.mean(gaps)) ** 2).sum())
    assert found.standard_error == pytest.approx(jackknife, rel=CLOSE)


def test_a_level_at_which_everybody_known_had_the_event_is_expected_to_have_it_mostly():
    """Of 110 people 90 have chances of a quarter and a half; the penalty leaves the other 20 a little doubt."""
    rows = _counted((1, 0, 10, 30, 5), (0, 0, 20, 20, 5), (1, 1, 6, 0, 4), (0, 1, 6, 0, 4))
    found = assessed_difference(**rows)
    assert found.share_with == pytest.approx((90 / 4 + 20) / 110, abs=0.02)
    assert found.share_without == pytest.approx((90 / 2 + 20) / 110, abs=0.02)
    assert found.difference.low < found.difference.value < found.difference.high


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (((1, 0, 0, 8, 2), (0, 0, 3, 5, 2)), "sets those with the event apart"),
        (((1, 0, 0, 8, 2), (0, 0, 0, 5, 2)), "nothing to compare"),
        (((1, 0, 3, 8, 0), (0, 0, 3, 5, 0), (1, 1, 0, 0, 2)), "unlike every other row in intake: 1"),
        (((1, 0, 1, 0, 0), (0, 0, 3, 5, 0)), "too few people"),
    ],
)
def test_shares_that_cannot_be_had_are_refused(cells, words):
    with pytest.raises(NotFitted, match=words):
        assessed_difference(**_counted(*cells))


def test_an_event_that_is_neither_true_nor_false_nor_missing_is_refused():
    with pytest.raises(ValueError, match="true, false or not known"):
        assessed_difference(event=[1, 2, 0], columns={"s": [1, 1, 0]}, of="s", clusters=[1, 2, 3], treated=[1, 1, 0])


def test_the_bounds_are_those_of_everybody_not_known_of_having_the_event_or_not():
    """40 of 80 known of 100, and 30 of 50 known of 60: from 40/100 - 40/60 to 60/100 - 30/60."""
    found = missing_bounds(events_1=40, known_1=80, people_1=100, events_0=30, known_0=50, people_0=60)
    assert found == pytest.approx((0.4 - 40 / 60, 0.6 - 0.5))
    assert missing_bounds(events_1=1, known_1=4, people_1=4, events_0=3, known_0=4, people_0=4) == (-0.5, -0.5)
    with pytest.raises(ValueError, match="5 events among 4 known of 4 people"):
        missing_bounds(events_1=5, known_1=4, people_1=4, events_0=3, known_0=4, people_0=4)
