"""Studies drawn with a planted reduction: is it seen as often as was reckoned beforehand?"""

import math

import numpy as np
import pytest

from evalkit.estimators import (
    detectable_reduction,
    mid_p,
    more_people_needed,
    power_of_reduction,
    risk_difference,
)

SEED = 20240607
DRAWN = 2_000
FOUR_ERRORS = 4  # Monte-Carlo standard errors: less than one false alarm in ten thousand runs of another seed


def _shown(*, risk_1: float, risk_0: float, people_1: int, people_0: int, drawn: int) -> float:
    """Share of drawn studies in which mid-p and Newcombe's interval both show fewer events in arm 1."""
    rng = np.random.default_rng(SEED)
    drawn_1, drawn_0 = rng.binomial(people_1, risk_1, drawn), rng.binomial(people_0, risk_0, drawn)
    tables, times = np.unique(np.column_stack([drawn_1, drawn_0]), axis=0, return_counts=True)
    shown = 0
    for (events_1, events_0), count in zip(tables.tolist(), times.tolist(), strict=True):
        table = {"events_1": events_1, "people_1": people_1, "events_0": events_0, "people_0": people_0}
        shown += count * (risk_difference(**table).high < 0 and mid_p(**table) <= 0.05)
    return shown / drawn


def _compare(reduction: float, pooled: float, people_1: int, people_0: int, drawn: int) -> None:
    said = power_of_reduction(reduction=reduction, pooled_share=pooled, people_1=people_1, people_0=people_0)
    risk_0 = pooled * (people_1 + people_0) / (people_1 * (1 - reduction) + people_0)
    found = _shown(risk_1=risk_0 * (1 - reduction), risk_0=risk_0, people_1=people_1, people_0=people_0, drawn=drawn)
    error = math.sqrt(max(said * (1 - said), 0.01) / drawn)
    assert found == pytest.approx(said, abs=FOUR_ERRORS * error)


def test_the_detectable_reduction_is_seen_in_four_studies_of_five():
    reduction = detectable_reduction(pooled_share=114 / 432, people_1=216, people_0=216)
    _compare(reduction, 114 / 432, 216, 216, DRAWN)


def test_a_reduction_of_three_in_ten_among_forty_is_mostly_missed_as_was_said():
    _compare(0.30, 0.264, 40, 120, DRAWN)


def test_with_the_people_that_were_needed_four_studies_of_five_see_the_difference():
    added = more_people_needed(events_1=48, people_1=216, events_0=66, people_0=216)
    people = (432 + added) // 2
    found = _shown(risk_1=48 / 216, risk_0=66 / 216, people_1=people, people_0=people, drawn=DRAWN)
    assert found == pytest.approx(0.8, abs=FOUR_ERRORS * math.sqrt(0.16 / DRAWN))


@pytest.mark.slow
@pytest.mark.parametrize("people", [(12, 36), (20, 20), (40, 120), (150, 450), (600, 1800), (100, 3000)])
@pytest.mark.parametrize("pooled", [0.05, 0.264, 0.5])
@pytest.mark.parametrize("reduction", [0.2, 0.5, 0.8])
def test_planted_reductions_are_seen_as_often_as_was_reckoned(people, pooled, reduction):
    _compare(reduction, pooled, *people, 20_000)
