"""Published answers for the same people judged twice.

Newcombe 1998, Statistics in Medicine 17:2635-2650, table III, method 10.
59, 6, 16 and 80 (complete response before and after consolidation, Cavo et al. 2012): Fagerland, Lydersen & Laake 2017,
Statistical Analysis of Contingency Tables, chapter 8, as the authors' R package contingencytables prints it.
Mammograms: 85 read by two radiologists, Boyd et al. 1982; weighted kappa as the Stata manual on kappa prints it.
No longer high: the table of the project's statistical design, section 4.5, which prints whole per cent.
"""

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm
from statsmodels.stats.inter_rater import cohens_kappa

from evalkit.estimators import no_longer_high, paired_difference, tetrachoric, weighted_kappa

pytestmark = pytest.mark.filterwarnings("error")  # no warning leaks from a library

FOUR_DECIMALS = 0.0001  # the sources print four decimals; the last of 1, 97, 1 and 1 is not rounded
MAMMOGRAMS = [[21, 12, 0, 0], [4, 17, 1, 0], [3, 9, 15, 2], [0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((20, 12, 2, 16), 0.0562, 0.3292),
        ((18, 12, 2, 18), 0.0562, 0.3290),
        ((36, 14, 0, 0), 0.1528, 0.4167),
        ((35, 14, 0, 1), 0.1461, 0.4175),
        ((18, 14, 0, 18), 0.1441, 0.3963),
        ((2, 97, 1, 0), 0.8721, 0.9854),
        ((1, 97, 1, 1), 0.8736, 0.9850),
        ((0, 29, 1, 0), 0.6666, 0.9882),
        ((2, 98, 0, 0), 0.9178, 0.9945),
        ((1, 98, 0, 1), 0.9171, 0.9916),
        ((0, 30, 0, 0), 0.8395, 1.0),
        ((54, 0, 0, 0), -0.0664, 0.0664),
        ((59, 6, 16, 80), -0.1186, -0.0046),
    ],
)
def test_a_change_in_a_share_has_the_published_interval(cells, low, high):
    """The source takes the second from the first; here it is the other way round."""
    both, first_only, second_only, neither = cells
    found = paired_difference(both=both, first_only=second_only, second_only=first_only, neither=neither)
    assert found.value == pytest.approx((first_only - second_only) / sum(cells))
    assert (found.low, found.high) == pytest.approx((low, high), abs=FOUR_DECIMALS)


def test_weighted_kappa_of_two_radiologists_is_the_published_one_with_the_error_of_leaving_out_patients():
    found = weighted_kappa(table=MAMMOGRAMS)
    assert found.value == pytest.approx(0.5684, abs=FOUR_DECIMALS)
    one, other = np.nonzero(MAMMOGRAMS)
    left, times = [], np.array(MAMMOGRAMS)[one, other]
    for cell in zip(one, other, strict=True):
        fewer = np.array(MAMMOGRAMS)
        fewer[cell] -= 1
        left.append(weighted_kappa(table=fewer).value)
    mean = np.average(left, weights=times)
    jackknife = math.sqrt(84 / 85 * (times * (np.array(left) - mean) ** 2).sum())
    assert (found.high - found.low) / (2 * 1.959964) == pytest.approx(jackknife, rel=0.05)


def test_weighted_kappa_is_that_of_statsmodels_at_every_level_and_whoever_comes_first():
    peer = cohens_kappa(MAMMOGRAMS, wt="linear")
    found = weighted_kappa(table=MAMMOGRAMS)
    assert (found.low, found.high) == pytest.approx((peer.kappa_low, peer.kappa_upp), abs=1e-12)
    wider = weighted_kappa(table=MAMMOGRAMS, level=0.99)
    assert (wider.high - wider.value) / peer.std_kappa == pytest.approx(norm.isf(0.005))
    assert weighted_kappa(table=np.transpose(MAMMOGRAMS)).value == pytest.approx(found.value, abs=1e-12)


def test_full_agreement_is_one_and_a_level_that_nobody_has_changes_nothing():
    assert weighted_kappa(table=np.diag([5, 3, 0, 2])).value == 1
    larger = np.zeros((5, 5))
    larger[:4, :4] = MAMMOGRAMS
    assert weighted_kappa(table=larger).value == pytest.approx(0.5684, abs=FOUR_DECIMALS)


@pytest.mark.parametrize("correlation", [-0.9, -0.3, 0.0, 0.3, 0.85, 0.99])
@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.12, 0.25), (0.9, 0.04)])
def test_a_correlation_is_found_again_from_the_four_shares_it_gives(correlation, shares):
    above = norm.ppf(shares)
    normal = multivariate_normal(cov=[[1, correlation], [correlation, 1]], abseps=1e-9, releps=1e-9)
    both = float(normal.cdf(above))
    table = [[1 - sum(shares) + both, shares[1] - both], [shares[0] - both, both]]
    if min(map(min, table)) > 1e-6:
        assert tetrachoric(table=table) == pytest.approx(correlation, abs=1e-4)


def test_where_both_lines_are_medians_the_correlation_is_a_sine():
    """Sheppard 1899: of two standard normal numbers both are above 0 with chance 1/4 + asin(r) / (2 pi)."""
    assert tetrachoric(table=[[40, 10], [10, 40]]) == pytest.approx(math.sin(2 * math.pi * 0.15), abs=1e-9)
    assert tetrachoric(table=[[25, 25], [25, 25]]) == pytest.approx(0, abs=1e-9)


def test_an_empty_cell_counts_as_half_a_person_in_each():
    assert tetrachoric(table=[[30, 9], [0, 20]]) == tetrachoric(table=[[30.5, 9.5], [0.5, 20.5]])
    assert 0.9 < tetrachoric(table=[[30, 0], [0, 30]]) < 1


@pytest.mark.parametrize(
    ("prevalence", "per_cent"),
    [(0.05, (86, 76, 61, 44)), (0.12, (76, 65, 51, 36)), (0.25, (62, 52, 40, 28)), (0.40, (49, 40, 31, 21))],
)
def test_the_share_no_longer_high_by_chance_is_that_of_the_table(prevalence, per_cent):
    found = [no_longer_high(prevalence=prevalence, correlation=correlation) for correlation in (0.3, 0.5, 0.7, 0.85)]
    assert tuple(round(100 * share) for share in found) == per_cent


def test_without_any_correlation_everybody_but_the_prevalence_is_no_longer_high():
    assert no_longer_high(prevalence=0.12, correlation=0) == pytest.approx(0.88)
    assert no_longer_high(prevalence=0.5, correlation=0.5) == pytest.approx(1 / 3)  # as the medians have it


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: paired_difference(both=-1, first_only=3, second_only=1, neither=2), "whole numbers from 0"),
        (lambda: paired_difference(both=0, first_only=0, second_only=0, neither=0), "0 of 0 people"),
        (lambda: weighted_kappa(table=[[4, 0], [0, 0]]), "same level"),
        (lambda: weighted_kappa(table=[[4, 0, 1], [0, 0, 2]]), "as many columns as rows"),
        (lambda: tetrachoric(table=[[4, 2], [0, 0]]), "nobody, or everybody"),
        (lambda: no_longer_high(prevalence=0, correlation=0.5), "between 0 and 1"),
        (lambda: no_longer_high(prevalence=0.2, correlation=1), "between -1 and 1"),
    ],
)
def test_what_cannot_be_told_is_refused(ask, words):
    with pytest.raises(ValueError, match=words):
        ask()
