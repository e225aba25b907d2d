"""Published answers for Cox's model.

Rossi: re-arrest within 52 weeks of 432 released prisoners. Coefficients and intervals of the model with seven columns:
R's summary(coxph(...)) in Fox & Weisberg 2018, Cox Proportional-Hazards Regression for Survival Data in R (appendix to
An R Companion to Applied Regression); lifelines' documentation publishes the same fit to two decimals.
Gehan: remission on placebo against 6-MP, R's coxph with Efron's ties.
"""

import math
import warnings
from pathlib import Path

import lifelines
import numpy as np
import pytest
from lifelines.datasets import load_rossi
from lifelines.statistics import proportional_hazard_test

from evalkit.estimators import NotFitted, cox

pytestmark = pytest.mark.filterwarnings("error")  # no warning leaks from a library

FIVE_DECIMALS = 0.000006  # R prints five decimals of a coefficient, found at its own tolerance of 1e-9
FOUR_DECIMALS = 0.00006
PUBLISHED = {  # hazard ratio and 95 % interval; R's race and mar are coded the other way round
    "fin": (0.6843, 0.4702, 0.9957),
    "age": (0.9442, 0.9043, 0.9858),
    "wexp": (0.8609, 0.5679, 1.3049),
    "paro": (0.9186, 0.6259, 1.3482),
    "prio": (1.0958, 1.0360, 1.1591),
}
PUBLISHED_TURNED = {"race": (0.7306, 0.3995, 1.3361), "mar": (1.5430, 0.7300, 3.2614)}
WEEKS = [3, 5, 6, 9, 12, 14, 17, 21]
EVENT = [1, 1, 0, 1, 1, 0, 1, 1]


@pytest.fixture(scope="module")
def rossi():
    return load_rossi()


@pytest.fixture(scope="module")
def adjusted(rossi):
    columns = {name: rossi[name] for name in ("fin", "age", "race", "wexp", "mar", "paro", "prio")}
    return cox(days=rossi.week, event=rossi.arrest, columns=columns)


def test_the_adjusted_hazard_ratios_and_intervals_are_the_published_ones(adjusted):
    assert (adjusted.people, adjusted.events) == (432, 114)
    for name, expected in PUBLISHED.items():
        found = adjusted.terms[name].hazard_ratio
        assert (found.value, found.low, found.high) == pytest.approx(expected, abs=FOUR_DECIMALS)
    for name, expected in PUBLISHED_TURNED.items():
        found = adjusted.terms[name].hazard_ratio
        assert (1 / found.value, 1 / found.high, 1 / found.low) == pytest.approx(expected, abs=FOUR_DECIMALS)


def test_the_coefficient_of_financial_aid_is_the_published_one(adjusted):
    term = adjusted.terms["fin"]
    assert math.log(term.hazard_ratio.value) == pytest.approx(-0.37942, abs=FIVE_DECIMALS)
    assert term.p_value == pytest.approx(0.04742, abs=FIVE_DECIMALS)


def test_without_other_columns_the_hazard_ratio_of_financial_aid_is_069(rossi):
    term = cox(days=rossi.week, event=rossi.arrest, columns={"fin": rossi.fin}).terms["fin"]
    found = term.hazard_ratio
    assert (found.value, found.low, found.high) == pytest.approx((0.6914, 0.4767, 1.0028), abs=FOUR_DECIMALS)
    assert term.p_value == pytest.approx(0.0517, abs=FOUR_DECIMALS)


def test_the_hazard_ratio_of_remission_is_the_published_one():
    group, weeks, relapse = np.loadtxt(Path(lifelines.__file__).parent / "datasets" / "gehan.dat", dtype=int).T
    term = cox(days=weeks, event=relapse, columns={"placebo": group == 1}).terms["placebo"]
    found = term.hazard_ratio
    assert (found.value, found.low, found.high) == pytest.approx((4.8169, 2.1465, 10.8093), abs=FOUR_DECIMALS)
    assert term.p_value == pytest.approx(0.000138, abs=0.0000006)


def test_the_pace_by_age_is_not_the_same_in_all_weeks_and_that_of_financial_aid_may_be(adjusted):
    """The published finding on these data; the figures are lifelines' own and approximate."""
    assert adjusted.terms["age"].proportionality_p == pytest.approx(0.0009, abs=FOUR_DECIMALS)
    assert adjusted.terms["fin"].proportionality_p == pytest.approx(0.8900, abs=FOUR_DECIMALS)


def test_the_default_test_of_proportionality_in_lifelines_depends_on_the_order_of_rows(rossi):
    """Why Kaplan-Meier time is used and not ranks: with several events a day the ranks follow the order of rows."""
    found = set()
    for seed in (0, 1):
        people = rossi.sample(frac=1, random_state=seed).reset_index(drop=True)
        fit = lifelines.CoxPHFitter().fit(people, "week", "arrest")
        found.add(round(float(proportional_hazard_test(fit, people, time_transform="rank").summary.p["fin"]), 3))
    assert len(found) == 2


@pytest.mark.parametrize(
    ("days", "event", "columns", "words"),
    [
        (WEEKS, [0] * 8, {"aid": [0, 1] * 4}, "nobody had the event"),
        (WEEKS, EVENT, {"aid": [0, 1] * 4, "site": [2] * 8}, "^site is the same for everybody"),
        (WEEKS, EVENT, {"aid": [0, 1] * 4, "twice": [0, 2] * 4}, "follows from the others"),
        (WEEKS, EVENT, {"aid": EVENT}, "^aid sets those with the event apart"),
        (WEEKS, [0, 0, 0, 1, 0, 0, 0, 0], {"aid": [0, 1] * 4}, "^aid sets those with the event apart"),
        (WEEKS, [1] * 8, {"score": WEEKS}, "did not settle|no bound"),
        (WEEKS, EVENT, {"score": [-day for day in WEEKS]}, "did not settle|no bound"),
        (WEEKS, EVENT, {"aid": [0, 0, 0, 0, 1, 1, 1, 1]}, "^aid sets those with the event apart"),
        (WEEKS, EVENT, {"aid": [0, 1e-9] * 4}, "^one unit of aid is far more"),
        (WEEKS[:3], [1, 1, 1], {"a": [1, 0, 0], "b": [0, 1, 0], "c": [0, 0, 1]}, "follows from the others"),
    ],
    ids=[
        "no event",
        "constant",
        "collinear",
        "separated",
        "one event",
        "ordered",
        "reversed",
        "one arm first",
        "unit",
        "few",
    ],
)
def test_a_model_without_an_answer_says_why_and_does_not_warn(days, event, columns, words):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(NotFitted, match=words):
            cox(days=days, event=event, columns=columns)


def test_a_column_with_a_missing_value_is_refused():
    with pytest.raises(ValueError, match="missing or infinite"):
        cox(days=WEEKS, event=EVENT, columns={"score": [1.0, float("nan"), 2, 3, 4, 5, 6, 7]})


def test_with_all_events_on_one_day_proportionality_cannot_be_asked():
    term = cox(days=[4] * 8, event=EVENT, columns={"aid": [0, 1, 0, 1, 0, 0, 1, 1]}).terms["aid"]
    assert term.proportionality_p is None
