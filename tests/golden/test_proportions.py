"""Published answers for shares and their contrasts.

Wilson: Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3.
Newcombe: Newcombe 1998, Statistics in Medicine 17:873-890, table II, method 10.
7 of 34 against 1 of 34 (epinephrine trial of Perondi et al. 2004): Fagerland, Lydersen & Laake 2017, Statistical
Analysis of Contingency Tables, chapter 4, as the authors' R package contingencytables prints it.
mid-p: Rothman & Greenland 1998, Modern Epidemiology, p. 243, and Jewell, Statistics for Epidemiology, 1st ed., p. 79,
as the examples of the R package epitools print them.
48 of 216 against 66 of 216: the financial-aid experiment of Rossi, Berk & Lenihan 1980 (data in lifelines).
"""

from itertools import product

import pytest
from scipy.stats import binom
from statsmodels.stats.proportion import confint_proportions_2indep

from evalkit.estimators import mid_p, risk_difference, risk_ratio, share_of_a_new_group, wilson

pytestmark = pytest.mark.filterwarnings("error")  # no warning leaks from a library

FOUR_DECIMALS = 0.00005  # the sources print four decimals
SIX_FIGURES = 1e-6  # epitools prints seven figures
SAME = 1e-12  # one formula, computed twice
ROSSI = {"events_1": 48, "people_1": 216, "events_0": 66, "people_0": 216}


def _table(events_1: int, people_1: int, events_0: int, people_0: int) -> dict[str, int]:
    return {"events_1": events_1, "people_1": people_1, "events_0": events_0, "people_0": people_0}


@pytest.mark.parametrize(
    ("events", "people", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_has_the_published_interval(events, people, low, high):
    found = wilson(events=events, people=people)
    assert (found.low, found.high) == pytest.approx((low, high), abs=FOUR_DECIMALS)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0000),
        ((10, 10, 0, 10), 0.6075, 1.0000),
        ((7, 34, 1, 34), 0.0189, 0.3404),
    ],
)
def test_a_difference_has_the_published_interval(counts, low, high):
    found = risk_difference(**_table(*counts))
    assert (found.low, found.high) == pytest.approx((low, high), abs=FOUR_DECIMALS)


def test_a_ratio_has_the_published_interval():
    found = risk_ratio(**_table(7, 34, 1, 34))
    assert (found.value, found.low, found.high) == pytest.approx((7.0, 1.1537, 41.9763), abs=FOUR_DECIMALS)


@pytest.mark.parametrize(("counts", "p"), [((12, 14, 7, 16), 0.02332167), ((347, 902, 20, 108), 2.335156e-05)])
def test_mid_p_has_the_published_value(counts, p):
    assert mid_p(**_table(*counts)) == pytest.approx(p, rel=SIX_FIGURES)


def test_mid_p_of_two_against_none_among_two_and_two_is_a_sixth():
    """By hand: of the six ways to share two events among four people, one puts both in arm 0; twice half of it."""
    assert mid_p(**_table(0, 2, 2, 2)) == pytest.approx(1 / 6, abs=SAME)


def test_financial_aid_lowers_rearrest_by_eight_points_and_the_methods_disagree_about_zero():
    difference, ratio = risk_difference(**ROSSI), risk_ratio(**ROSSI)
    assert (difference.value, difference.low, difference.high) == pytest.approx(
        (-0.0833, -0.1650, -0.0002), abs=FOUR_DECIMALS
    )
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((0.7273, 0.5285, 0.9994), abs=FOUR_DECIMALS)
    assert mid_p(**ROSSI) == pytest.approx(0.0505, abs=FOUR_DECIMALS)


def test_the_interval_of_statsmodels_is_the_closed_form_in_every_table_zero_and_full_cells_too():
    for events_1, events_0 in product(range(9), range(6)):
        first, other = wilson(events=events_1, people=8), wilson(events=events_0, people=5)
        value = first.value - other.value
        low = value - ((first.value - first.low) ** 2 + (other.high - other.value) ** 2) ** 0.5
        high = value + ((first.high - first.value) ** 2 + (other.value - other.low) ** 2) ** 0.5
        found = risk_difference(**_table(events_1, 8, events_0, 5))
        assert (found.low, found.high) == pytest.approx((low, high), abs=SAME)


def test_the_score_interval_of_statsmodels_fails_where_it_is_wanted():
    """Why Newcombe's is used; when this no longer holds, look again."""
    with pytest.raises(ValueError, match="different signs"):
        confint_proportions_2indep(48, 216, 66, 216, method="score", compare="diff")


@pytest.mark.parametrize(
    ("counts", "words"),
    [((3, 2, 1, 5), "3 of 2 people"), ((0, 0, 1, 5), "0 of 0 people"), ((1.5, 2, 1, 5), "whole numbers")],
)
def test_counts_that_cannot_be_are_refused(counts, words):
    for contrast in (risk_difference, risk_ratio, mid_p):
        with pytest.raises(ValueError, match=words):
            contrast(**_table(*counts))


def test_two_arms_without_events_have_a_difference_but_no_ratio():
    assert risk_difference(**_table(0, 9, 0, 9)).value == 0
    with pytest.raises(ValueError, match="nobody in either arm"):
        risk_ratio(**_table(0, 9, 0, 9))


@pytest.mark.parametrize(("share", "people", "new_people"), [(0.63, 137, 131), (0.8, 40, 10), (0.5, 35, 20)])
def test_the_range_of_a_new_group_holds_what_is_seen_of_one_and_the_interval_of_the_known_share_does_not(
    share, people, new_people
):
    """Exactly, over everything that chance may show of either group."""
    held, held_by_wilson = 0.0, 0.0
    of_known, of_new = (binom.pmf(range(size + 1), size, share) for size in (people, new_people))
    for events in range(people + 1):
        if of_known[events] > 1e-6:
            found = share_of_a_new_group(events=events, people=people, new_people=new_people)
            known = wilson(events=events, people=people)
            for new_events in range(new_people + 1):
                chance = of_known[events] * of_new[new_events]
                held += chance * (found.low <= new_events / new_people <= found.high)
                held_by_wilson += chance * (known.low <= new_events / new_people <= known.high)
    assert 0.93 <= held <= 0.98
    assert held_by_wilson < 0.85


def test_with_ever_more_people_the_range_of_a_new_group_is_that_of_the_share_known():
    known = wilson(events=12, people=40)
    found = share_of_a_new_group(events=12, people=40, new_people=4000)
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=0.005)
    assert found.value == 0.3
