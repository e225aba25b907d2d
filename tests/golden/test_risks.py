"""Risks of the treated with and without treatment: closed forms, and a spread found by leaving people out.

Rossi: re-arrest within 52 weeks of 432 released prisoners, Rossi, Berk & Lenihan 1980 (the data are in lifelines).
"""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from lifelines.datasets import load_rossi

from evalkit.estimators import NotFitted, expected_share, models, standardised_risk

pytestmark = pytest.mark.filterwarnings("error")  # no warning leaks from a library

SAME = 1e-8  # one number, computed in another order
CLOSE = 0.05  # a sandwich with leverage and a jackknife differ by terms of the order of columns over people


@pytest.fixture
def as_it_stands(monkeypatch):
    """Residuals as they are, so that plain binomial variances can be compared."""
    monkeypatch.setattr(models, "LARGEST_INFLATION", 1.0)


@pytest.fixture(scope="module")
def rossi():
    people = load_rossi()
    columns = {name: people[name].to_numpy() for name in ("age", "prio", "wexp", "fin")}
    return {
        "event": people.arrest.to_numpy(), "columns": columns, "of": "fin", "clusters": np.arange(432),
        "treated": people.fin.to_numpy() == 1,
    }  # fmt: skip


def test_with_nothing_to_adjust_for_the_risks_are_the_shares_with_binomial_errors(rossi, as_it_stands):
    """48 and 66 of 216 people, and the variance times 216 / 215."""
    found = standardised_risk(**rossi | {"columns": {"fin": rossi["columns"]["fin"]}})
    share_1, share_0, t_215 = 48 / 216, 66 / 216, 1.9710593
    assert (found.risk_with.value, found.risk_without.value) == pytest.approx((share_1, share_0), abs=SAME)
    error_1, error_0 = (math.sqrt(share * (1 - share) / 215) for share in (share_1, share_0))
    reach = t_215 * math.hypot(error_1, error_0)
    gap = share_1 - share_0
    assert (found.difference.low, found.difference.high) == pytest.approx((gap - reach, gap + reach), abs=1e-7)
    odds, far = math.log(48 / 168), t_215 * error_1 / (share_1 * (1 - share_1))
    assert found.risk_with.low == pytest.approx(1 / (1 + math.exp(far - odds)), abs=1e-7)
    for ratio in (found.ratio.low, found.ratio.high):
        assert (share_1 - ratio * share_0) ** 2 == pytest.approx(
            t_215**2 * (error_1**2 + (ratio * error_0) ** 2), abs=1e-7
        )
    assert found.df == 215


def test_adjusted_risks_are_means_over_the_treated_of_what_the_fitted_model_says(rossi):
    found = standardised_risk(**rossi)
    matrix = sm.add_constant(np.column_stack(list(rossi["columns"].values())).astype(float))
    fit = sm.Logit(rossi["event"], matrix).fit(disp=0)
    treated = matrix[rossi["treated"]]
    without = treated * [1, 1, 1, 1, 0]
    assert found.risk_with.value == pytest.approx(fit.predict(treated).mean(), abs=SAME)
    assert found.risk_with.value == pytest.approx(48 / 216, abs=SAME)  # as the likelihood of a logistic model asks
    assert found.risk_without.value == pytest.approx(fit.predict(without).mean(), abs=SAME)
    assert found.ratio.value == pytest.approx(found.risk_with.value / found.risk_without.value, abs=SAME)


def test_the_error_is_that_of_leaving_out_one_cluster_after_another(rossi):
    """Ten in a hundred clusters of about four, whose members are alike; t-interval back to its standard error."""
    clusters = np.random.default_rng(4).integers(0, 100, 432)
    event = rossi["event"] | (clusters < 10)
    found = standardised_risk(**rossi | {"clusters": clusters, "event": event})
    gaps = []
    for cluster in range(100):
        kept = clusters != cluster
        columns = {name: column[kept] for name, column in rossi["columns"].items()}
        part = {"event": event[kept], "columns": columns, "clusters": clusters[kept], "treated": rossi["treated"][kept]}
        gaps.append(standardised_risk(**part, of="fin").difference.value)
    jackknife = math.sqrt(99 / 100 * ((np.array(gaps) - np.mean(gaps)) ** 2).sum())
    t_quantile = (found.difference.high - found.difference.value) / jackknife
    assert t_quantile == pytest.approx(1.9845, rel=CLOSE)


def test_rows_whose_event_one_level_decides_keep_it_with_and_without(rossi):
    """Twelve more people, all re-arrested and half of them helped, in a place of their own."""
    helped = np.tile([True, False], 6)
    more = {
        "event": np.append(rossi["event"], np.ones(12)), "clusters": np.arange(444), "of": "fin",
        "columns": {"fin": np.append(rossi["columns"]["fin"], helped)}, "treated": np.append(rossi["treated"], helped),
        "factors": {"place": np.repeat(["city", "island"], [432, 12])},
    }  # fmt: skip
    found = standardised_risk(**more)
    assert found.dropped == ("place: island", "place: city")
    assert found.risk_with.value == pytest.approx((48 + 6) / 222, abs=SAME)
    assert found.risk_without.value == pytest.approx((216 * 66 / 216 + 6) / 222, abs=SAME)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"event": [1, 1, 1, 0, 0, 0]}, "sets those with the event apart"),
        ({"event": [1, 1, 1, 1, 1, 0]}, "sets those with the event apart"),
        ({"event": [0] * 6}, "nothing to compare"),
        ({"columns": {"twin": [3, 3, 3, 4, 4, 4], "selected": [1, 1, 1, 0, 0, 0]}}, "follows from the other columns"),
        ({"treated": [1, 0, 0, 0, 0, 0]}, "too few people"),
    ],
)
def test_risks_that_cannot_be_had_are_refused(change, words):
    asked = {
        "event": [1, 0, 1, 1, 0, 0], "columns": {"selected": [1, 1, 1, 0, 0, 0]}, "of": "selected",
        "clusters": list("abcdef"), "treated": [1, 1, 1, 0, 0, 0],
    }  # fmt: skip
    with pytest.raises(NotFitted, match=words):
        standardised_risk(**asked | change)


def test_columns_that_decide_only_together_who_has_the_event_are_refused():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 200))
    selected = rng.random(200) < 0.5
    with pytest.raises(NotFitted, match="did not settle"):
        standardised_risk(
            event=x > y, columns={"x": x, "y": y, "selected": selected}, of="selected", clusters=np.arange(200),
            treated=selected,
        )  # fmt: skip


def test_an_event_that_is_neither_true_nor_false_is_refused():
    with pytest.raises(ValueError, match="true or false"):
        standardised_risk(event=[1, 2], columns={"s": [1, 0]}, of="s", clusters=[1, 2], treated=[1, 1])


def test_a_share_expected_without_columns_is_that_of_the_untreated_with_what_chance_adds():
    """66 of 216; the error of that share with its leverage of 1 / 216, and of 216 people who come by chance."""
    treated = np.repeat([True, False], 216)
    found = expected_share(
        event=np.repeat([np.nan, 1, 0], [216, 66, 150]), columns={}, clusters=np.arange(432), treated=treated
    )
    share, t_215 = 66 / 216, 1.9710593
    of_mean = share * (1 - share) / 216 * (216 / 215) ** 2 * 216 / 215
    reach = t_215 * math.sqrt(of_mean + share * (1 - share) / 216)
    assert (found.value, found.low, found.high) == pytest.approx((share, share - reach, share + reach), abs=1e-7)


def test_people_who_come_in_pairs_vary_as_half_as_many():
    asked = {"event": np.repeat([0, 1, 0], [40, 300, 700]), "columns": {}, "treated": np.arange(1040) < 40}
    alone = expected_share(**asked, clusters=np.arange(1040))
    pairs = expected_share(**asked, clusters=np.append(np.arange(40) // 2, np.arange(40, 1040)))
    of_mean = 0.3 * 0.7 / 1000 * (1000 / 999) ** 2
    variance = ((alone.high - 0.3) / 2.0226909) ** 2, ((pairs.high - 0.3) / 2.0930241) ** 2
    assert variance == pytest.approx((of_mean * 40 / 39 + 0.21 / 40, of_mean * 20 / 19 + 0.21 / 20), rel=1e-5)


def test_an_expected_share_is_what_the_model_of_the_untreated_gives_the_treated(rossi):
    treated = rossi["treated"]
    columns = {name: column for name, column in rossi["columns"].items() if name != "fin"}
    matrix = sm.add_constant(np.column_stack(list(columns.values())).astype(float))
    fit = sm.Logit(rossi["event"][~treated], matrix[~treated]).fit(disp=0)
    found = expected_share(event=rossi["event"], columns=columns, clusters=rossi["clusters"], treated=treated)
    assert found.value == pytest.approx(fit.predict(matrix[treated]).mean(), abs=SAME)


def test_where_one_place_decides_the_event_what_is_expected_still_adds_up():
    """Treated people who are the untreated over again, of three places, in one of which everybody has the event."""
    place = np.repeat(["city", "island", "town"], [60, 7, 50])
    event = np.concatenate([np.arange(60) < 20, np.ones(7), np.arange(50) < 30])
    found = expected_share(
        event=np.tile(event, 2), columns={}, factors={"place": np.tile(place, 2)}, clusters=np.arange(234),
        treated=np.arange(234) < 117,
    )  # fmt: skip
    assert found.value == pytest.approx(57 / 117, abs=SAME)
    assert 0 < found.low < found.value < found.high < 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"event": [1, 1, 0, 0, 0]}, "all of them or none"),
        ({"treated": [1, 1, 1, 1, 1]}, "no untreated rows"),
        ({"columns": {"x": [9, 1, 1, 1, 1]}}, "some treated rows are unlike every other row in x"),
        ({"treated": [1, 0, 0, 0, 0]}, "too few people"),
    ],
)
def test_an_expected_share_that_cannot_be_had_is_refused(change, words):
    asked = {"event": [1, 1, 1, 0, 0], "columns": {}, "clusters": list("abcde"), "treated": [1, 1, 0, 0, 0]}
    with pytest.raises(NotFitted, match=words):
        expected_share(**asked | change)
