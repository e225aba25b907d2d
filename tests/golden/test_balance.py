"""Imbalances worked out by hand, with the formulas of Austin 2009, Statistics in Medicine 28:3083-3107."""

import math

import pytest

from evalkit.estimators import standardised_difference

pytestmark = pytest.mark.filterwarnings("error")  # no warning leaks from a library

EXACT = 1e-12
NAN = float("nan")


def test_one_two_three_against_two_four_six():
    """Means 2 and 4, variances 1 and 4, so the denominator is the root of 2.5."""
    found = standardised_difference(programme=[1, 2, 3], comparison=[2, 4, 6])
    assert (found.mean_programme, found.mean_comparison) == (2, 4)
    assert found.smd == pytest.approx(-2 / math.sqrt(2.5), abs=EXACT)
    assert found.variance_ratio == pytest.approx(0.25, abs=EXACT)


def test_two_shares_differ_by_their_distance_over_the_root_of_their_mean_variance():
    """Half of four against a quarter of four: variances with ddof 1 are 1/3 and 1/4."""
    found = standardised_difference(programme=[1, 1, 0, 0], comparison=[1, 0, 0, 0])
    assert found.smd == pytest.approx(0.25 / math.sqrt((1 / 3 + 1 / 4) / 2), abs=EXACT)


def test_weights_move_the_mean_and_the_variance_but_not_the_denominator():
    """Weights 3 and 1 on 0 and 4: mean 1; variance 3 over 1 - (9 + 1) / 16, which is 8 as without them."""
    weighted = standardised_difference(programme=[0, 4], comparison=[0, 4], weights_programme=[3, 1])
    assert (weighted.mean_programme, weighted.mean_comparison) == (1, 2)
    assert weighted.smd == pytest.approx(-1 / math.sqrt(8), abs=EXACT)
    assert weighted.variance_ratio == pytest.approx(1.0, abs=EXACT)


def test_a_value_that_is_not_held_is_left_out_with_its_weight():
    found = standardised_difference(
        programme=[1, NAN, 3], comparison=[2, 4, NAN], weights_programme=[1, 50, 1], weights_comparison=[1, 1, 9]
    )
    assert (found.mean_programme, found.mean_comparison) == (2, 3)


def test_a_covariate_that_does_not_vary_has_no_standardised_difference():
    found = standardised_difference(programme=[0.1] * 3, comparison=[0.1] * 7)
    assert (found.smd, found.variance_ratio) == (None, None)


def test_a_single_person_has_no_variance():
    found = standardised_difference(programme=[5], comparison=[1, 3])
    assert found.smd == pytest.approx(3.0, abs=EXACT)
    assert found.variance_ratio is None


@pytest.mark.parametrize(
    ("sides", "words"),
    [
        ({"programme": [NAN], "comparison": [1]}, "nobody on the programme side"),
        ({"programme": [1], "comparison": []}, "nobody on the comparison side"),
        ({"programme": [1], "comparison": [1], "weights_comparison": [-1]}, "negative"),
        ({"programme": [1, 2], "comparison": [1], "weights_programme": [1]}, "one of each a person"),
    ],
)
def test_sides_that_cannot_be_compared_are_refused(sides, words):
    with pytest.raises(ValueError, match=words):
        standardised_difference(**sides)
