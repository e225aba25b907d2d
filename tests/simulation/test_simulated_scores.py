"""Scores drawn with a planted truth, of people who were chosen for a high and passing one."""

import numpy as np
import pytest

from evalkit.estimators import expected_share, linear_difference, mean_of, ratio_of_falls

SEED = 20240701
FOUR_ERRORS = 4  # Monte-Carlo standard errors: less than one false alarm in ten thousand runs of another seed
DRAWN = 400  # replicates: the error of a coverage of 95 % is 1.1 points


def _scored(rng, treated: int, effect: float = 0.0, rows: int = 3):
    """Three rows each of eight times as many people as are treated, one of each looked at and chosen for its score.

    A person's score is a lasting level and a passing crisis, of which a quarter is left at the later reading; the
    lower the level, the less does the rest vary.
    """
    people = 8 * treated
    person, month = np.repeat(np.arange(people), rows), np.tile(np.arange(rows), people)
    level = rng.normal(55, 12, people)[person]
    before = level + rng.normal(0, 15, len(person)) + 2 * month
    looked_at = np.arange(people) * rows + rng.integers(0, rows, people)
    order = np.argsort(-before[looked_at] - rng.gumbel(0, 12, people))
    chosen = np.isin(np.arange(len(person)), looked_at[order[:treated]])
    noise = level / 55 * rng.normal(0, 12, len(person)) + rng.gamma(1, 8, len(person)) - 8
    after = level + 0.25 * (before - level) + noise - effect * chosen
    return {"before": before, "after": after, "person": person, "chosen": chosen, "month": month}


def _model(scored, **columns):
    return {
        "columns": {"before": scored["before"], "before, squared": scored["before"] ** 2, **columns},
        "factors": {"month": scored["month"]}, "clusters": scored["person"], "treated": scored["chosen"],
    }  # fmt: skip


def _difference(scored):
    return linear_difference(**_model(scored, selected=scored["chosen"]), outcome=scored["after"], of="selected")


def _lower(scored):
    """Whether each row's score is lower later, and what is expected of the chosen."""
    lower = scored["after"] < scored["before"]
    return lower, expected_share(**_model(scored), event=lower)


def test_in_one_large_trial_the_planted_difference_is_found_and_neither_the_crude_one_nor_the_fall_is_it():
    scored = _scored(np.random.default_rng(SEED), 600, 6.0)
    found = _difference(scored)
    assert found.difference.value == pytest.approx(-6, abs=FOUR_ERRORS * found.standard_error)
    assert found.standard_error < 1
    crude = linear_difference(
        outcome=scored["after"], columns={"selected": scored["chosen"]}, of="selected", clusters=scored["person"],
        treated=scored["chosen"],
    )  # fmt: skip
    assert crude.difference.low > 0
    chosen = scored["chosen"]
    fall = mean_of(values=(scored["before"] - scored["after"])[chosen], clusters=scored["person"][chosen])
    assert fall.low > 1.5 * 6


def test_in_one_large_trial_without_an_effect_most_of_the_chosen_have_a_lower_score_and_that_was_expected():
    scored = _scored(np.random.default_rng(SEED), 600)
    lower, found = _lower(scored)
    assert lower[scored["chosen"]].mean() > 0.7
    assert found.low < lower[scored["chosen"]].mean() < found.high
    assert found.value > lower[~scored["chosen"]].mean() + 0.1


@pytest.mark.slow
@pytest.mark.parametrize("treated", [20, 40, 150])
def test_among_people_chosen_for_their_score_interval_and_error_of_the_difference_are_right(treated):
    rng = np.random.default_rng(SEED + treated)
    gaps, errors, right, found = [], [], 0, 0
    for _ in range(DRAWN):
        fit = _difference(_scored(rng, treated))
        gaps.append(fit.difference.value)
        errors.append(fit.standard_error)
        right += fit.difference.low <= 0 <= fit.difference.high
        found += fit.p_value <= 0.05
    assert 0.92 <= right / DRAWN <= 0.98
    assert found == DRAWN - right
    assert abs(np.mean(gaps)) < FOUR_ERRORS * np.std(gaps) / DRAWN**0.5
    assert 0.90 <= np.mean(errors) / np.std(gaps) <= 1.12


@pytest.mark.slow
@pytest.mark.parametrize("treated", [12, 40, 150])
def test_the_interval_of_an_expected_share_holds_the_share_that_comes(treated):
    rng = np.random.default_rng(SEED + treated)
    held, misses = 0, []
    for _ in range(DRAWN):
        scored = _scored(rng, treated)
        lower, found = _lower(scored)
        came = lower[scored["chosen"]].mean()
        held += found.low - 1e-12 <= came <= found.high + 1e-12
        misses.append(found.value - came)
    assert 0.92 <= held / DRAWN <= 0.99
    assert abs(np.mean(misses)) < 0.015


@pytest.mark.slow
@pytest.mark.parametrize("people", [12, 40, 150])
def test_the_interval_of_the_share_of_the_attainable_fall_covers_the_planted_one(people):
    """What people fall by is four tenths of what they could, up to chance; two readings each, weighted."""
    rng = np.random.default_rng(SEED + people)
    right, ratios = 0, []
    for _ in range(DRAWN):
        person = np.repeat(np.arange(people), 2)
        could = rng.gamma(3, 10, people)[person]
        fall = could * (0.4 + rng.normal(0, 0.3, people)[person]) + rng.normal(0, 8, 2 * people)
        weights = rng.uniform(0.3, 1.7, 2 * people)
        found = ratio_of_falls(fall=fall, attainable=could, clusters=person, weights=weights)
        right += found.low <= 0.4 <= found.high
        ratios.append(found.value)
    assert 0.91 <= right / DRAWN <= 0.98
    assert np.mean(ratios) == pytest.approx(0.4, abs=0.03)
