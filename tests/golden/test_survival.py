"""Published answers for time to first event.

Gehan: weeks in remission of 42 children with leukaemia, Freireich et al. 1963, Blood 21:699-716, as reprinted by Cox
1972 (the data are in lifelines). Kaplan-Meier with log-log intervals and log-rank test on 6-MP: R's package survival;
restricted mean to week 23: the Python package survkit, whose authors checked it against R; curve on placebo: Stata's
sts list in Rodriguez's course notes at Princeton.
Seven people: R's print(survfit(...), rmean = 100) and Stata's stci, rmean agree on these times.
Waltons: R's survRM2::rmst2, quoted in lifelines' issue tracker.
Rossi: re-arrest within 52 weeks of 432 released prisoners, Rossi, Berk & Lenihan 1980 (the data are in lifelines).
Eighteen people with two ways out: R's cmprsk::cuminc, with the standard errors of Stata's stcompet, as kept in
statsmodels' own tests.
"""

import warnings
from pathlib import Path

import lifelines
import numpy as np
import pytest
from lifelines.datasets import load_rossi, load_waltons
from lifelines.utils import restricted_mean_survival_time
from scipy.stats import t
from statsmodels.duration.survfunc import CumIncidenceRight

from evalkit.estimators import (
    CENSORED,
    DIED,
    EVENT,
    cumulative_incidence,
    incident_free_days_difference,
    kaplan_meier,
    log_rank,
    restricted_mean,
    restricted_mean_difference,
)

pytestmark = pytest.mark.filterwarnings("error")  # no warning leaks from a library

FOUR_DECIMALS = 0.00005  # the sources print four decimals
FIVE_DECIMALS = 0.000005
THREE_DECIMALS = 0.0005
TWO_DECIMALS = 0.005
SAME = 1e-9  # one number, summed in another order


@pytest.fixture(scope="module")
def remission():
    """Weeks and relapse of the children on 6-MP, then of those on placebo."""
    group, weeks, relapse = np.loadtxt(Path(lifelines.__file__).parent / "datasets" / "gehan.dat", dtype=int).T
    return weeks[group == 2], relapse[group == 2], weeks[group == 1], relapse[group == 1]


@pytest.fixture(scope="module")
def rearrest():
    """Weeks and re-arrest of those given financial aid, then of the others."""
    people = load_rossi()
    arms = (people[people.fin == 1], people[people.fin == 0])
    return tuple(column for arm in arms for column in (arm.week.to_numpy(), arm.arrest.to_numpy()))


def test_the_curve_of_remission_has_the_published_steps_and_intervals(remission):
    weeks, relapse, *_ = remission
    curve = kaplan_meier(days=weeks, event=relapse, horizon_days=35)
    rows = {row[0]: row[1:] for row in zip(curve.days, curve.survival, curve.low, curve.high, strict=True)}
    assert rows[6] == pytest.approx((0.8571, 0.6197, 0.9516), abs=FOUR_DECIMALS)
    assert rows[7] == pytest.approx((0.8067, 0.5631, 0.9228), abs=FOUR_DECIMALS)


def test_the_curve_of_the_placebo_group_has_the_published_steps_and_intervals(remission):
    *_, weeks, relapse = remission
    curve = kaplan_meier(days=weeks, event=relapse, horizon_days=35)
    assert (curve.days[:3], curve.at_risk[:3], curve.events[:3]) == ((0, 1, 2), (21, 21, 19), (0, 2, 2))
    found = [(curve.survival[row], curve.low[row], curve.high[row]) for row in (1, 2)]
    assert found[0] == pytest.approx((0.9048, 0.6700, 0.9753), abs=FOUR_DECIMALS)
    assert found[1] == pytest.approx((0.8095, 0.5689, 0.9239), abs=FOUR_DECIMALS)


def test_a_small_curve_is_as_worked_out_by_hand():
    """Four people: on day 3 one of four has the event and one leaves, on day 5 one of two, on day 7 the last."""
    curve = kaplan_meier(days=[3, 3, 5, 7], event=[1, 0, 1, 1], horizon_days=9)
    assert (curve.days, curve.at_risk, curve.events) == ((0, 3, 5, 7, 9), (4, 4, 2, 1, 0), (0, 1, 1, 1, 0))
    assert curve.survival == pytest.approx((1, 0.75, 0.375, 0, 0), abs=SAME)
    assert (curve.low[-2:], curve.high[-2:]) == ((0, 0), (curve.high[2], curve.high[2]))


def test_somebody_who_leaves_on_the_day_of_an_event_was_at_risk_of_it():
    assert kaplan_meier(days=[4, 4], event=[True, False], horizon_days=4).survival == pytest.approx((1, 0.5))


def test_the_mean_weeks_in_remission_have_the_published_standard_error(remission):
    weeks, relapse, *_ = remission
    found = restricted_mean(days=weeks, event=relapse, horizon_days=23)
    assert (found.value, found.standard_error) == pytest.approx((17.91, 1.55), abs=TWO_DECIMALS)


def test_the_mean_of_seven_people_has_the_published_standard_error():
    found = restricted_mean(days=[10, 15, 23, 30, 35, 52, 100], event=[1, 1, 1, 1, 1, 1, 0], horizon_days=100)
    assert (found.value, found.standard_error) == pytest.approx((37.85714, 10.73888), abs=FIVE_DECIMALS)
    assert (found.low, found.high) == pytest.approx((16.80932, 58.90497), abs=FIVE_DECIMALS)


def test_the_mean_days_of_the_walton_flies_have_the_published_variance():
    flies = load_waltons()
    flies = flies[flies.group == "miR-137"]
    found = restricted_mean(days=flies["T"], event=flies["E"], horizon_days=10)
    assert (found.value, found.standard_error) == pytest.approx((9.794, 0.123), abs=THREE_DECIMALS)


def test_with_nobody_leaving_early_the_mean_is_that_of_the_smaller_of_days_and_horizon(rearrest):
    for weeks, arrest in (rearrest[:2], rearrest[2:]):
        found = restricted_mean(days=weeks, event=arrest, horizon_days=40)
        seen = np.minimum(weeks, 40)
        assert (found.value, found.variance) == pytest.approx((seen.mean(), seen.var() / len(seen)), abs=SAME)


def test_the_variance_that_lifelines_gives_is_of_one_persons_weeks_and_not_of_their_mean(rearrest):
    """The spread of one person of the comparison is 13.49 weeks, the standard error of the mean of 216 is 0.918."""
    *_, weeks, arrest = rearrest
    fit = lifelines.KaplanMeierFitter().fit(weeks, arrest)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its numerical integral complains
        _, variance = restricted_mean_survival_time(fit, 52, return_variance=True)
    assert variance**0.5 == pytest.approx(13.49, abs=TWO_DECIMALS)
    ours = restricted_mean(days=weeks, event=arrest, horizon_days=52)
    assert ours.standard_error == pytest.approx(0.918, abs=THREE_DECIMALS)


def test_financial_aid_adds_two_weeks_without_arrest_within_what_chance_allows(rearrest):
    names = ("days_1", "event_1", "days_0", "event_0")
    found = restricted_mean_difference(**dict(zip(names, rearrest, strict=True)), horizon_days=52)
    assert (found.value, found.standard_error) == pytest.approx((2.0417, 1.2130), abs=FOUR_DECIMALS)
    assert (found.low, found.high, found.p_value) == pytest.approx((-0.3359, 4.4192, 0.0924), abs=FOUR_DECIMALS)


def test_the_log_rank_test_has_the_published_p_values(remission, rearrest):
    names = ("days_1", "event_1", "days_0", "event_0")
    assert log_rank(**dict(zip(names, remission, strict=True))) == pytest.approx(4.169e-05, abs=0.0005e-05)
    assert log_rank(**dict(zip(names, rearrest, strict=True))) == pytest.approx(0.0501, abs=FOUR_DECIMALS)


def test_a_mean_over_days_that_nobody_was_followed_for_is_refused():
    with pytest.raises(ValueError, match="nobody was followed to day 30"):
        restricted_mean(days=[5, 9], event=[True, False], horizon_days=30)
    assert restricted_mean(days=[5, 9], event=[True, True], horizon_days=30).value == pytest.approx(7)


def test_a_difference_between_arms_without_events_is_refused():
    with pytest.raises(ValueError, match="do not vary"):
        restricted_mean_difference(
            days_1=[9, 9], event_1=[False, False], days_0=[9, 9], event_0=[False, False], horizon_days=9
        )


def test_a_log_rank_test_without_events_finds_nothing():
    assert log_rank(days_1=[9, 9], event_1=[0, 0], days_0=[9, 9], event_0=[0, 0]) == 1


@pytest.mark.parametrize(
    ("days", "event", "words"),
    [
        ([], [], "at least one"),
        ([0, 4], [1, 1], "from 1"),
        ([2.5, 4], [1, 1], "whole numbers"),
        ([float("nan"), 4], [1, 1], "whole numbers"),
        ([2, 4], [1, 2], "true or false"),
        ([2, 4], [1], "one of each"),
    ],
)
def test_days_and_events_that_cannot_be_are_refused(days, event, words):
    with pytest.raises(ValueError, match=words):
        kaplan_meier(days=days, event=event, horizon_days=5)


def _error(found) -> float:
    """Standard error behind the last interval, on the scale on which it was made, without n / (n - 1)."""
    people = found.at_risk[0]
    without, reach = 1 - found.share[-1], t.isf(0.025, people - 1) * (people / (people - 1)) ** 0.5
    return float(np.log(np.log(1 - found.high[-1]) / np.log(without)) / reach * without * -np.log(without))


def test_the_incidence_of_one_of_two_ways_out_is_the_published_one():
    """Three ways in the source: the third counts as leaving here, so that the first is checked against the second."""
    days = [1, 1, 2, 4, 4, 4, 6, 6, 7, 8, 9, 9, 9, 1, 2, 2, 4, 4]
    first = [EVENT] * 3 + [DIED] * 6 + [CENSORED] * 9
    second = [DIED] * 3 + [EVENT] * 3 + [DIED] * 3 + [CENSORED] * 9
    found = cumulative_incidence(days=days, kind=first, clusters=np.arange(18), horizon_days=9)
    assert (found.days, found.at_risk[1], found.deaths[3]) == ((0, 1, 2, 4, 6, 7, 8, 9), 18, 3)
    assert found.share[:4] == pytest.approx((0, 0.11111111, 0.17037037, 0.17037037), abs=SAME * 10)
    assert _error(found) == pytest.approx(0.08976251, abs=FOUR_DECIMALS)
    other = cumulative_incidence(days=days, kind=second, clusters=np.arange(18), horizon_days=9)
    assert other.share[-1] == pytest.approx(0.20740741, abs=SAME * 10)
    assert _error(other) == pytest.approx(0.10610391, abs=FOUR_DECIMALS)


def test_with_deaths_leavers_and_ties_the_incidence_is_that_of_statsmodels():
    rng = np.random.default_rng(5)
    days, kind = rng.integers(1, 40, 300), rng.choice([CENSORED, EVENT, DIED], 300, p=[0.2, 0.5, 0.3])
    found = cumulative_incidence(days=days, kind=kind, clusters=np.arange(300), horizon_days=39)
    peer = CumIncidenceRight(days.astype(float), kind)
    assert found.share[1:] == pytest.approx(peer.cinc[0].tolist(), abs=SAME)
    weights = rng.integers(1, 4, 300)
    weighted = cumulative_incidence(days=days, kind=kind, clusters=np.arange(300), weights=weights, horizon_days=39)
    peer = CumIncidenceRight(days.astype(float), kind, freq_weights=weights)
    assert weighted.share[1:] == pytest.approx(peer.cinc[0].tolist(), abs=SAME)
    assert (weighted.at_risk[0], weighted.weight_at_risk[0]) == (300, weights.sum())


def test_a_small_incidence_with_death_is_as_worked_out_by_hand():
    """Of four, one has the event on day 2 and one dies; of the two left one has it on day 5, and the last leaves."""
    found = cumulative_incidence(
        days=[2, 2, 5, 8], kind=[EVENT, DIED, EVENT, CENSORED], clusters=list("abcd"), horizon_days=8
    )
    assert (found.days, found.at_risk, found.events, found.deaths) == (
        (0, 2, 5, 8), (4, 4, 2, 1), (0, 1, 1, 0), (0, 1, 0, 0),
    )  # fmt: skip
    assert found.share == pytest.approx((0, 0.25, 0.5, 0.5), abs=SAME)
    assert found.weight_at_risk == (4, 4, 2, 1)


def test_without_deaths_one_less_the_incidence_is_kaplan_meier(remission):
    for weeks, relapse in (remission[:2], remission[2:]):
        curve = kaplan_meier(days=weeks, event=relapse, horizon_days=23)
        found = cumulative_incidence(days=weeks, kind=relapse, clusters=np.arange(21), horizon_days=23)
        assert (found.days, found.at_risk, found.events) == (curve.days, curve.at_risk, curve.events)
        assert 1 - np.array(found.share) == pytest.approx(np.array(curve.survival), abs=SAME)


def test_without_deaths_and_leavers_the_incident_free_days_are_means_with_their_plain_errors(rearrest):
    """Each variance is that of the mean, and both are multiplied by 216 / 215."""
    weeks, arrest = np.append(rearrest[0], rearrest[2]), np.append(rearrest[1], rearrest[3])
    found = incident_free_days_difference(
        days=weeks, kind=arrest, treated=np.repeat([1, 0], 216), clusters=np.arange(432), horizon_days=52
    )
    names = ("days_1", "event_1", "days_0", "event_0")
    other = restricted_mean_difference(**dict(zip(names, rearrest, strict=True)), horizon_days=52)
    assert found.difference.value == pytest.approx(other.value, abs=SAME)
    assert (found.treated, found.untreated) == pytest.approx((rearrest[0].mean(), rearrest[2].mean()), abs=SAME)
    assert found.standard_error == pytest.approx(other.standard_error * (216 / 215) ** 0.5, abs=SAME)
    assert found.difference.high == pytest.approx(other.value + t.isf(0.025, 215) * found.standard_error, abs=SAME)


def test_with_leavers_the_error_is_close_to_the_one_that_takes_people_as_they_come(remission):
    weeks, relapse = np.append(remission[0], remission[2]), np.append(remission[1], remission[3])
    found = incident_free_days_difference(
        days=weeks, kind=relapse, treated=np.repeat([1, 0], 21), clusters=np.arange(42), horizon_days=23
    )
    names = ("days_1", "event_1", "days_0", "event_0")
    other = restricted_mean_difference(**dict(zip(names, remission, strict=True)), horizon_days=23)
    assert found.difference.value == pytest.approx(other.value, abs=SAME)
    assert found.standard_error == pytest.approx(other.standard_error * (21 / 20) ** 0.5, rel=0.01)


def test_days_after_death_count_as_free_of_incidents():
    """One of two treated dies on day 1, the other has the event on day 4; of the untreated both have it on day 4."""
    rows = {"days": [1, 4, 4, 4], "kind": [DIED, EVENT, EVENT, EVENT], "clusters": list("abcd")}
    found = incident_free_days_difference(**rows, treated=[1, 1, 0, 0], horizon_days=10)
    assert (found.treated, found.untreated) == pytest.approx(((10 + 4) / 2, 4), abs=SAME)


def test_whoever_stands_on_both_sides_alike_adds_nothing_to_the_error():
    """The same ten rows on both sides: of the same people there is nothing to go by, of strangers both variances."""
    days, kind = np.array([3, 5, 5, 9, 12, 14, 20, 20, 20, 20]), np.array([1, 1, 1, 1, 1, 1, 0, 0, 0, 0])
    both = {"days": np.tile(days, 2), "kind": np.tile(kind, 2), "treated": np.repeat([1, 0], 10), "horizon_days": 20}
    with pytest.raises(ValueError, match="do not vary"):
        incident_free_days_difference(**both, clusters=np.tile(np.arange(10), 2))
    strangers = incident_free_days_difference(**both, clusters=np.arange(20))
    assert strangers.standard_error == pytest.approx((2 * days.var() / 9) ** 0.5, abs=SAME)


def test_the_spread_of_an_incidence_is_that_of_leaving_out_one_person_after_another():
    rng = np.random.default_rng(9)
    people = np.repeat(np.arange(60), 2)
    days = np.repeat(rng.integers(1, 30, 60), 2)
    kind = rng.choice([CENSORED, EVENT, DIED], 120, p=[0.3, 0.5, 0.2])
    found = incident_free_days_difference(
        days=days, kind=kind, treated=np.arange(120) % 3 == 0, clusters=people, weights=1 + people % 3, horizon_days=20
    )
    left = []
    for person in range(60):
        kept = people != person
        part = incident_free_days_difference(
            days=days[kept], kind=kind[kept], treated=(np.arange(120) % 3 == 0)[kept], clusters=people[kept],
            weights=(1 + people % 3)[kept], horizon_days=20,
        )  # fmt: skip
        left.append(part.difference.value)
    jackknife = (59 / 60 * ((np.array(left) - np.mean(left)) ** 2).sum()) ** 0.5
    assert found.standard_error * (found.df / (found.df + 1)) ** 0.5 == pytest.approx(jackknife, rel=0.06)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"days": [0, 2, 3, 4]}, "from 1"),
        ({"kind": [0, 1, 2, 3]}, "last followed"),
        ({"weights": [1, 1, 1, 0]}, "weights are above 0"),
        ({"weights": [1, 1, 1]}, "weights are above 0"),
        ({"horizon_days": 0}, "day 1 or later"),
        ({"treated": [1, 1, 1, 1]}, "no untreated rows"),
        ({"treated": [1, 0, 0, 0]}, "too few people"),
        ({"days": [2, 3, 3, 9], "kind": [1, 0, 0, 0]}, "nobody in a group was followed to day 9"),
    ],
)
def test_incident_free_days_that_cannot_be_had_are_refused(change, words):
    asked = {
        "days": [2, 9, 3, 9], "kind": [1, 0, 2, 0], "treated": [1, 1, 0, 0], "clusters": list("abcd"), "horizon_days": 9
    }  # fmt: skip
    with pytest.raises(ValueError, match=words):
        incident_free_days_difference(**asked | change)
