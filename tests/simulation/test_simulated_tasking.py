"""Whole reports on made-up records whose truth is known: a programme that changes nothing, and one that halves.

Each seed makes one world; the effect thins the very same world. Success is announced by a report whose primary sentence
reaches tier T3 in the favourable direction, and by a before/after comparison whose interval lies below 1.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from evalkit import cohort, disclosure, expectation, matching, sensitivity
from evalkit.outcomes import reoffending
from evalkit.store import Store, cut_of
from evalkit.study import Study, Suite
from evalkit.study.suite import MadeUp

pytestmark = pytest.mark.slow

SEEDS = range(101, 125)  # 24 worlds; those of the demonstration are others
NOTHING, HALVED = 1.0, 0.5
MAIN, NAIVE = "reoffending.event_count.182.rate_ratio", "reoffending.event_count.182.expected"
BESIDE = ("matched", "near_the_line", "at_liberty", "placebo")


def reported(project: str, seed: int, effect: float) -> dict[str, object]:
    """One world through every step to the words of its report, with the truth that it was made with."""
    os.chdir(project)
    study = _study(seed, effect)
    store = Store.open(study)
    compared = matching.match(cohort.build(store, study), study)
    results = [
        *compared.gates, *reoffending.estimate(compared, store, study), *expectation.expected(compared, store, study),
        *sensitivity.checks(compared, store, study),
    ]  # fmt: skip
    by_id = {result.id: result for result in results}
    decided = disclosure.deciding.of_one(study, results)
    tier = decided[MAIN].tier
    truth = json.loads((cut_of(study).folder / "truth.json").read_text(encoding="utf-8"))
    named = {"main": MAIN, "naive": NAIVE, **{name: f"{MAIN}.{name}" for name in BESIDE}}
    figures = {
        f"{name}_{part}": getattr(by_id.get(key), part, None)
        for name, key in named.items()
        for part in ("value", "low", "high", "people", "before", "after", "without")
    }
    before_after = getattr(by_id.get(NAIVE), "naive", None)
    return {
        "seed": seed, "effect": effect, "tier": tier, "truth": _true_ratio(truth),
        "refused": getattr(by_id[MAIN], "why", ""), "before_after": getattr(before_after, "value", None),
        "before_after_high": getattr(before_after, "high", None),
        "reasons": "; ".join(decided[MAIN].grade_reasons), **figures,
    }  # fmt: skip


def _study(seed: int, effect: float) -> Study:
    suite = Suite.read("demo")
    assert suite.made_up is not None
    changes = {"seed": seed, "effect": effect, "enrolment_months": 12, "follow_up_months": 14}
    data = MadeUp(synthetic=suite.made_up.model_copy(update=changes))
    return suite.model_copy(update={"data": data}).at(date(2024, 5, 31)).studies()[0]


def _true_ratio(truth: dict) -> float:
    [value] = [
        each["value"] for each in truth["estimands"]
        if (each["area"], each["outcome"], each["measure"], each["horizon_days"])
        == ("all", "event_count", "rate_ratio", 182)
    ]  # fmt: skip
    return value


@pytest.fixture(scope="module")
def worlds(tmp_path_factory, copied) -> pd.DataFrame:
    """Every world under both effects, one row each; written beside the tests' other output for docs/simulation.md."""
    project = copied(tmp_path_factory.mktemp("tasking") / "project")
    asked = [(str(project.root), seed, effect) for seed in SEEDS for effect in (NOTHING, HALVED)]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=2, mp_context=spawn) as pool:
        rows = pd.DataFrame(list(pool.map(reported, *zip(*asked, strict=True))))
    if folder := os.environ.get("EVALKIT_SIMULATED"):
        rows.to_csv(Path(folder) / "tasking.csv", index=False)
    return rows


def announced(rows: pd.DataFrame) -> pd.Series:
    return rows["tier"].isin(["T3", "T4", "T5"]) & rows["main_value"].lt(1)


def test_where_nothing_works_before_after_announces_success_nearly_always_and_the_report_almost_never(worlds):
    null = worlds[worlds["effect"] == NOTHING]
    assert (null["before_after_high"] < 1).mean() >= 0.9
    assert announced(null).mean() <= 0.125  # 3 of 24: at a true 2.5 in 100 more would be seen once in 400 such runs


def test_where_offending_is_halved_the_report_finds_it(worlds):
    assert announced(worlds[worlds["effect"] == HALVED]).mean() >= 0.6


@pytest.mark.parametrize("effect", [NOTHING, HALVED])
def test_the_estimate_lies_about_the_truth(worlds, effect):
    import numpy as np

    rows = worlds[worlds["effect"] == effect]
    miss = np.log(rows["main_value"].astype(float)) - np.log(rows["truth"].astype(float))
    assert abs(miss.mean()) <= 3 * miss.std() / len(rows) ** 0.5  # three standard errors of the mean over the seeds
    covered = (rows["main_low"] <= rows["truth"]) & (rows["truth"] <= rows["main_high"])
    assert covered.mean() >= 0.8  # 95 of 100 expected; fewer than 20 of 24 would be seen once in 300 such runs


def test_what_was_expected_without_the_programme_is_what_came_where_nothing_works(worlds):
    null = worlds[worlds["effect"] == NOTHING]
    assert null["naive_without"].sum() / null["naive_after"].sum() == pytest.approx(1, abs=0.06)
    assert ((null["naive_low"] <= null["naive_after"]) & (null["naive_after"] <= null["naive_high"])).mean() >= 0.8
