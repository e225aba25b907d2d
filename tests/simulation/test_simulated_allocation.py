"""Allocation by chance on made-up assessments of known truth: severity lowered by half a standard deviation, or not.

Each seed makes one world of the suite 'drive'; the shift changes nothing of anybody but the severity of those in the
programme, and the same worlds serve both.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from evalkit import cohort, disclosure, matching
from evalkit.outcomes import abuse_types
from evalkit.store import Store, cut_of
from evalkit.study import Study, Suite
from evalkit.study.suite import MadeUp

pytestmark = pytest.mark.slow

SEEDS = range(201, 221)  # 20 worlds; that of the demonstration is another
NOTHING, HALF_A_SD = 0.0, -0.5


def reported(project: str, seed: int, effect_sd: float) -> dict[str, object]:
    """One world through every step to the verdict on abuse at a high level, with the truth that it was made with."""
    os.chdir(project)
    study = _study(seed, effect_sd)
    store = Store.open(study)
    compared = matching.match(cohort.build(store, study), study)
    results = abuse_types.estimate(compared, store, study)
    by_id = {result.id: result for result in results}
    main = f"abuse_types.high_abuse.{study.programme.assessments.assessment_day}.risk_difference"
    decided = disclosure.deciding.of_one(study, results)[main]
    truth = json.loads((cut_of(study).folder / "truth.json").read_text(encoding="utf-8"))
    figures = {
        f"{name}_{part}": getattr(by_id.get(key), part, None)
        for name, key in {"main": main, "worse": f"{main}.missing_worse", "bounds": f"{main}.missing_bounds"}.items()
        for part in ("value", "low", "high", "p_value", "why")
    }
    known = [(side.allocated, side.followed) for side in by_id[main].design.followed]
    return {
        "seed": seed, "effect_sd": effect_sd, "tier": decided.tier, "grade": decided.grade, "truth": _true(truth),
        "known": str(known), "reasons": "; ".join(decided.grade_reasons), **figures,
    }  # fmt: skip


def _study(seed: int, effect_sd: float) -> Study:
    suite = Suite.read("drive")
    made_up = suite.made_up
    assert made_up is not None
    assert made_up.assessments is not None
    assessments = made_up.assessments.model_copy(update={"effect_sd": effect_sd})
    data = MadeUp(synthetic=made_up.model_copy(update={"seed": seed, "assessments": assessments}))
    return suite.model_copy(update={"data": data}).at(suite.as_of).studies()[0]


def _true(truth: dict) -> float:
    [value] = [
        each["value"] for each in truth["estimands"]
        if (each["area"], each["outcome"], each["measure"]) == ("all", "high_abuse_judged", "risk_difference")
    ]  # fmt: skip
    return value


@pytest.fixture(scope="module")
def worlds(tmp_path_factory, copied) -> pd.DataFrame:
    """Every world under both shifts, one row each; written beside the tests' other output for docs/simulation.md."""
    project = copied(tmp_path_factory.mktemp("allocation") / "project")
    asked = [(str(project.root), seed, effect_sd) for seed in SEEDS for effect_sd in (NOTHING, HALF_A_SD)]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=2, mp_context=spawn) as pool:
        rows = pd.DataFrame(list(pool.map(reported, *zip(*asked, strict=True))))
    if folder := os.environ.get("EVALKIT_SIMULATED"):
        rows.to_csv(Path(folder) / "allocation.csv", index=False)
    return rows


def found(rows: pd.DataFrame) -> pd.Series:
    """Whether the interval lies below no difference."""
    return rows["main_high"].lt(0)


def test_half_a_standard_deviation_is_found_and_nothing_is_not(worlds):
    assert found(worlds[worlds["effect_sd"] == HALF_A_SD]).mean() >= 0.75
    null = worlds[worlds["effect_sd"] == NOTHING]
    assert (found(null) | null["main_low"].gt(0)).sum() <= 4  # of 20; 5 or more would be seen once in 400 such runs


@pytest.mark.parametrize("effect_sd", [NOTHING, HALF_A_SD])
def test_the_estimate_lies_about_the_truth(worlds, effect_sd):
    rows = worlds[worlds["effect_sd"] == effect_sd]
    miss = rows["main_value"].astype(float) - rows["truth"].astype(float)
    assert abs(miss.mean()) <= 3 * miss.std() / len(rows) ** 0.5  # three standard errors of the mean over the seeds
    covered = rows["main_low"].le(rows["truth"]) & rows["truth"].le(rows["main_high"])
    assert covered.mean() >= 0.8  # 95 of 100 expected; fewer than 16 of 20 would be seen once in 400 such runs


def test_the_bounds_hold_the_truth_whatever_is_missing(worlds):
    assert (worlds["bounds_low"].le(worlds["truth"]) & worlds["truth"].le(worlds["bounds_high"])).all()
