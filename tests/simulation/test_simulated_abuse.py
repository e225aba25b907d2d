"""Levels of abuse drawn with a planted truth: severity that lasts in part, and people lost by how bad it was."""

import numpy as np
import pytest
from scipy.stats import norm

from evalkit.estimators import assessed_difference, missing_bounds, no_longer_high, paired_difference, tetrachoric

SEED = 20240702
LINES = norm.ppf([0.55, 0.70, 0.87])  # physical abuse: none, standard, moderate, high
LASTING = 0.5
DRAWN = 400  # replicates: the error of a coverage of 95 % is 1.1 points


def _severities(rng, people: int):
    """Severity of the same people at two times, standard normal with correlation LASTING."""
    lasting, *own = rng.normal(0, 1, (3, people))
    return tuple(LASTING**0.5 * lasting + (1 - LASTING) ** 0.5 * each for each in own)


def _lost(rng, people: int, effect: float = 0.0, more_lost: float = 0.0):
    """People whose worse of two types was moderate or high, allocated by chance; one in five is lost.

    Severity later is lower by `effect` standard deviations with treatment. Who is lost depends on the intake levels,
    and in the treated arm `more_lost` more of all are. Returns the rows, and the events of everybody.
    """
    drawn = [_severities(rng, 6 * people) for _ in range(2)]
    allocated = rng.random(6 * people) < 0.5
    first = [np.digitize(before, LINES) for before, _ in drawn]
    later = [np.digitize(after - effect * allocated, LINES) for _, after in drawn]
    taken = np.flatnonzero(np.maximum(*first) >= 2)[:people]
    treated, event, intake = allocated[taken], np.maximum(*later)[taken] == 3, [level[taken] for level in first]
    not_known = rng.random(len(taken)) < 0.05 + 0.3 * (np.maximum(*intake) == 3) + more_lost * treated
    rows = {
        "event": np.where(not_known, np.nan, event), "columns": {"selected": treated}, "of": "selected",
        "treated": treated, "clusters": np.arange(len(taken)),
        "factors": {name: np.maximum(level, 1) for name, level in zip(("physical", "jealous"), intake, strict=True)},
    }  # fmt: skip
    return rows, event


def _truth(effect: float) -> float:
    """Difference of the shares of everybody, of half a million people."""
    rows, event = _lost(np.random.default_rng(1), 500_000, effect)
    return event[rows["treated"]].mean() - event[~rows["treated"]].mean()


def test_in_one_large_trial_the_difference_among_everybody_is_found_from_those_who_were_not_lost():
    rows, event = _lost(np.random.default_rng(SEED), 6_000, 0.5, more_lost=0.1)
    everybody = assessed_difference(**rows | {"event": event})
    found = assessed_difference(**rows)
    assert 0.15 < np.isnan(rows["event"]).mean() < 0.35
    assert found.difference.high < 0
    assert found.difference.value == pytest.approx(everybody.difference.value, abs=2 * found.standard_error)
    known = ~np.isnan(rows["event"])
    share = {arm: event[known & (rows["treated"] == arm)].mean() for arm in (False, True)}
    for arm, found_share in ((True, found.share_with), (False, found.share_without)):
        everybodys = event[rows["treated"] == arm].mean()
        assert abs(found_share - everybodys) < abs(share[arm] - everybodys)
        assert found_share == pytest.approx(everybodys, abs=0.02)


def test_by_chance_alone_as_many_are_no_longer_high_as_was_reckoned_and_none_the_fewer_are():
    first, second = (severity > LINES[-1] for severity in _severities(np.random.default_rng(SEED), 40_000))
    expected = no_longer_high(prevalence=0.13, correlation=LASTING)
    assert 1 - second[first].mean() == pytest.approx(expected, abs=0.02)
    assert expected > 0.6
    table = np.histogram2d(first, second, bins=2)[0]
    assert tetrachoric(table=table) == pytest.approx(LASTING, abs=0.03)
    changed = paired_difference(
        both=int(table[1, 1]), first_only=int(table[1, 0]), second_only=int(table[0, 1]), neither=int(table[0, 0])
    )
    assert changed.low < 0 < changed.high
    assert changed.high - changed.low < 0.01


@pytest.mark.slow
@pytest.mark.parametrize(("people", "effect"), [(80, 0.0), (300, 0.0), (300, 0.5)])
def test_with_one_in_five_lost_by_intake_level_interval_and_error_of_the_difference_are_right(people, effect):
    rng, truth = np.random.default_rng(SEED + people), _truth(effect)
    gaps, errors, right, bounded = [], [], 0, 0
    for _ in range(DRAWN):
        rows, event = _lost(rng, people, effect)
        fit = assessed_difference(**rows)
        gaps.append(fit.difference.value)
        errors.append(fit.standard_error)
        right += fit.difference.low <= truth <= fit.difference.high
        bounded += _within_bounds(rows, event)
    assert 0.92 <= right / DRAWN <= 0.98
    assert np.mean(gaps) == pytest.approx(truth, abs=max(0.01, 0.2 * np.std(gaps)))
    assert 0.92 <= np.mean(errors) / np.std(gaps) <= 1.12
    assert bounded == DRAWN


def _within_bounds(rows, event) -> bool:
    """Whether the difference of everybody's shares lies within the bounds from those who are known of."""
    known, treated = ~np.isnan(rows["event"]), rows["treated"]
    counts = {
        f"{name}_{arm}": int(flags[treated == arm].sum())
        for arm in (1, 0)
        for name, flags in (("events", known & event), ("known", known), ("people", np.ones_like(known)))
    }
    low, high = missing_bounds(**counts)
    return low <= event[treated].mean() - event[~treated].mean() <= high


@pytest.mark.slow
def test_an_interval_of_a_change_covers_it_95_times_in_100():
    rng, right = np.random.default_rng(SEED), np.zeros(3)
    for _ in range(2_000):
        for place, people in enumerate((20, 50, 200)):
            first, second = _severities(rng, people)
            high = (first > LINES[-1], second + 0.3 > LINES[-1])
            both, only, later = (high[0] & high[1]).sum(), (high[0] & ~high[1]).sum(), (~high[0] & high[1]).sum()
            found = paired_difference(
                both=int(both), first_only=int(only), second_only=int(later), neither=people - int(both + only + later)
            )
            right[place] += found.low <= norm.sf(LINES[-1] - 0.3) - norm.sf(LINES[-1]) <= found.high
    assert (right / 2_000 >= 0.93).all()
    assert (right / 2_000 <= 0.99).all()
