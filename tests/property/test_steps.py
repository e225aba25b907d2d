"""Laws that the steps from extract to findings obey."""

from __future__ import annotations

import dataclasses
import random

import pandas as pd
import pytest

from evalkit import cohort, matching
from evalkit.outcomes import reoffending
from evalkit.results import Estimate
from evalkit.store import Store
from evalkit.study import Study, Suite

EXTRACT = "tests/data/rossi/ready_cohort.csv"


def _walked(study: Study) -> tuple:
    store = Store.open(study)
    people = cohort.build(store, study)
    compared = matching.match(people, study)
    return people, compared, reoffending.estimate(compared, store, study)


def _rows(project) -> pd.DataFrame:
    return pd.read_csv(project.root / EXTRACT, dtype=str, keep_default_na=False)


def _with_rows(project, rows: pd.DataFrame) -> Study:
    rows.to_csv(project.root / EXTRACT, index=False)
    return Suite.read("rossi").studies()[0]


def _figures(results) -> dict[str, tuple[float, ...]]:
    return {one.id: (one.value, one.low, one.high) for one in results if isinstance(one, Estimate)}


def test_the_order_of_rows_changes_nothing(project):
    rows = _rows(project)
    before = _walked(_with_rows(project, rows))
    after = _walked(_with_rows(project, rows.sample(frac=1, random_state=5)))
    assert after[0].flow == before[0].flow
    pd.testing.assert_frame_equal(after[1].people, before[1].people)
    assert after[2] == before[2]


def test_renaming_people_changes_no_figure(project):
    rows = _rows(project)
    before = _walked(_with_rows(project, rows))
    names = [f"P{number:04d}" for number in range(len(rows))]
    random.Random(3).shuffle(names)
    after = _walked(_with_rows(project, rows.assign(person_id=names)))
    for name, figures in _figures(before[2]).items():
        assert _figures(after[2])[name] == pytest.approx(figures, rel=1e-9)


def test_what_happens_after_the_index_date_moves_neither_who_is_compared_nor_how_alike_they_are(project):
    rows = _rows(project)
    before = _walked(_with_rows(project, rows))
    shuffled = rows.assign(first_event_on=rows["first_event_on"].sample(frac=1, random_state=9).to_numpy())
    after = _walked(_with_rows(project, shuffled))
    known = ["person_id", "arm", "area", "index_date", *(column for column in rows if column.startswith("x_"))]
    pd.testing.assert_frame_equal(after[1].people[known], before[1].people[known])
    assert after[1].balance == before[1].balance
    assert _figures(after[2]) != _figures(before[2])


def test_two_of_everybody_halve_the_variance_of_the_restricted_mean(project):
    rows = _rows(project)
    width = {}
    for times in (1, 2):
        copies = pd.concat([rows.assign(person_id=rows["person_id"] + f"-{copy}") for copy in range(times)])
        low, high = _figures(_walked(_with_rows(project, copies))[2])[
            "reoffending.time_to_event.364.restricted_mean_days"
        ][1:]
        width[times] = high - low
    assert width[1] ** 2 / width[2] ** 2 == pytest.approx(
        2, rel=0.02
    )  # Y - d in the error is not quite doubled by ties


def test_swapping_the_arms_negates_differences_and_inverts_ratios(project):
    rows = _rows(project)
    before = _figures(_walked(_with_rows(project, rows))[2])
    swapped = rows.assign(arm=rows["arm"].map({"programme": "usual_care", "usual_care": "programme"}))
    after = _figures(_walked(_with_rows(project, swapped))[2])
    for name, (value, low, high) in before.items():
        ratio = "ratio" in name
        expected = (1 / value, 1 / high, 1 / low) if ratio else (-value, -high, -low)
        assert after[name] == pytest.approx(expected, rel=1e-5)


def test_a_comparison_that_was_altered_by_hand_never_gets_the_result_of_the_unaltered_one(project):
    [study] = Suite.read("rossi").studies()
    store = Store.open(study)
    compared = matching.match(cohort.build(store, study), study)
    whole = _figures(reoffending.estimate(compared, store, study))
    older = dataclasses.replace(compared, people=compared.people[compared.people["x_age"] > 24])
    assert _figures(reoffending.estimate(older, store, study)) != whole
    assert _figures(reoffending.estimate(compared, store, study)) == whole


def test_steps_may_be_called_by_the_names_of_what_they_take(project):
    [study] = Suite.read("rossi").studies()
    store = Store.open(study)
    people = cohort.build(store=store, study=study)
    pd.testing.assert_frame_equal(people.people, cohort.build(store, study).people)
    assert matching.match(cohort=people, study=study).balance == matching.match(people, study).balance


def test_what_was_torn_when_the_machine_stopped_is_made_again(project):
    [study] = Suite.read("rossi").studies()
    before = _walked(study)
    for file in (project.work / "results").rglob("*.json"):
        file.write_text("", encoding="utf-8")
    assert _walked(study)[2] == before[2]


def test_a_step_that_was_made_before_is_read_back_and_not_made_again(project, monkeypatch):
    [study] = Suite.read("rossi").studies()
    before = _walked(study)
    monkeypatch.setattr("evalkit.estimators.kaplan_meier", lambda **_: pytest.fail("computed again"))
    monkeypatch.setattr("evalkit.estimators.standardised_difference", lambda **_: pytest.fail("computed again"))
    after = _walked(study)
    pd.testing.assert_frame_equal(after[1].people, before[1].people)
    assert after[2] == before[2]
