"""The comparison of sequential trials on made-up records: sound whatever the records, and the gates can fail."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit import cohort, estimators, expectation, matching, sensitivity, synthetic
from evalkit.cohort import HISTORY, history
from evalkit.matching import risk_set
from evalkit.outcomes import reoffending
from evalkit.results import COMPARISON, PROGRAMME, Estimate, NotEstimable
from evalkit.store import Store
from evalkit.study import RfgvSpec, Suite, Synthetic
from evalkit.study.suite import MadeUp

SETTINGS = {
    "seed": 11,
    "areas": {slug: {"selected_a_year": 60, "people": 1400} for slug in ("corwick", "dunmoor")},
    "first_run_date": "2022-04-01", "enrolment_months": 12, "follow_up_months": 14, "judgement_sd": 8,
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory, copied):
    """A study of two made-up areas, with its store and comparison."""
    project = copied(tmp_path_factory.mktemp("matching") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.root)
        spec = RfgvSpec.read("conventional", project.root)
        synthetic.write(synthetic.generate(Synthetic(**SETTINGS), spec, project.root), project.root / "extracts")
        study = Suite.read("demo").studies()[0].exploring(data="extracts", as_of="2024-05-31")
        store = Store.open(study)
        people = cohort.build(store, study)
        yield study, store, people, matching.match(people, study)


def assert_sound(comparison: matching.Comparison) -> None:
    """What must hold of every comparison of this design."""
    people = comparison.people
    assert not people.duplicated(["person_id", "index_date"]).any()
    assert people["arm"].isin([PROGRAMME, COMPARISON]).all()
    assert people[list(HISTORY)].notna().all().all()
    assert (people.groupby("person_id")["arm"].apply(lambda arms: (arms == PROGRAMME).sum()) <= 1).all()
    weights = people.groupby("arm")["match_weight"].sum()
    assert weights[PROGRAMME] == pytest.approx(weights[COMPARISON])
    matched = people[people["match_weight"] > 0]
    assert set(matched.loc[matched["arm"] == COMPARISON, "index_date"]) <= set(
        matched.loc[matched["arm"] == PROGRAMME, "index_date"]
    )


def test_a_comparison_is_sound_and_people_stand_in_it_before_they_are_chosen(made):
    _, _, people, compared = made
    assert_sound(compared)
    chosen = people.people[people.people["arm"] == PROGRAMME].set_index("person_id")["index_date"]
    before = people.people[people.people["arm"] == COMPARISON]
    later = before["index_date"] < before["person_id"].map(chosen)
    assert later.sum() > 50
    assert not (before["index_date"] >= before["person_id"].map(chosen)).any()  # the wash-out


def test_no_pair_of_matches_is_farther_apart_than_the_calipers(made):
    study, _, _, compared = made
    people = compared.people
    known = history(people, study)
    log_odds = estimators.propensity(
        columns=known.columns, factors=known.factors, treated=people["arm"].eq(PROGRAMME).to_numpy()
    ).logit
    reach = risk_set.CALIPER_SD * log_odds.std()
    one = people.assign(log_odds=log_odds)[people["match_weight"] > 0]
    for _, trial in one.groupby("index_date"):
        chosen, others = trial[trial["arm"] == PROGRAMME], trial[trial["arm"] == COMPARISON]
        apart = np.abs(chosen["log_odds"].to_numpy()[:, None] - others["log_odds"].to_numpy())
        scores = np.abs(chosen["score"].to_numpy()[:, None] - others["score"].to_numpy())
        within = (apart <= reach) & (scores <= risk_set.CALIPER_SCORE)
        assert within.any(axis=0).all()
        assert within.any(axis=1).all()


def test_the_pairs_are_the_matches_behind_the_weights(made):
    *_, compared = made
    people, pairs = compared.people, compared.pairs
    chosen, other = people.loc[pairs["programme_row"]], people.loc[pairs["comparison_row"]]
    assert set(chosen["arm"]) == {PROGRAMME}
    assert set(other["arm"]) == {COMPARISON}
    assert chosen["index_date"].tolist() == other["index_date"].tolist()
    for row, total in (
        ("programme_row", people["arm"].eq(PROGRAMME)),
        ("comparison_row", people["arm"].eq(COMPARISON)),
    ):
        stood_for = pairs.groupby(row)["weight"].sum()
        weights = people.loc[total & people["match_weight"].gt(0), "match_weight"]
        assert stood_for.to_numpy() == pytest.approx(weights.to_numpy())
        assert stood_for.index.tolist() == weights.index.tolist()
    assert pairs["programme_row"].value_counts().max() == risk_set.NEIGHBOURS


def test_matching_brings_the_sides_together(made):
    *_, compared = made
    score = next(each for each in compared.balance if each.covariate == "score")
    assert score.smd_before > 1.5
    assert abs(score.smd) < 0.25


def test_shuffled_rows_and_other_names_make_the_same_comparison(made):
    study, _, people, compared = made
    names = {name: f"p{place:05}" for place, name in enumerate(sorted(people.people["person_id"].unique()))}
    renamed = people.people.assign(person_id=people.people["person_id"].map(names))
    again = matching.risk_set.match(cohort.Cohort(people=renamed, flow=people.flow, linked=people.linked), study)
    assert again.balance == compared.balance
    assert again.people["match_weight"].tolist() == compared.people["match_weight"].tolist()


@pytest.mark.parametrize(
    ("changed", "gate"),
    [
        (lambda rows: rows.assign(score=rows["score"] + 100 * rows["arm"].eq(PROGRAMME)), "overlap"),
        (
            lambda rows: pd.concat([rows[rows["arm"] == PROGRAMME], rows[rows["arm"] == COMPARISON].head(150)]),
            "effective_controls",
        ),
    ],
)
def test_a_gate_that_fails_refuses_every_effect_in_words_that_say_what_would_mend_it(made, changed, gate):
    study, store, people, _ = made
    altered = cohort.Cohort(people=changed(people.people).reset_index(drop=True), flow=people.flow)
    compared = matching.match(altered, study)
    assert gate in {each.name for each in compared.gates if not each.passed}
    found = reoffending.estimate(compared, store, study)
    assert found
    assert all(isinstance(one, NotEstimable) for one in found)
    assert all("a check was not passed" in one.why and one.mend for one in found)
    assert expectation.expected(compared, store, study) == ()
    assert sensitivity.checks(compared, store, study) == ()


def test_every_way_of_putting_the_question_is_there_with_its_design(made):
    study, store, _, compared = made
    found = {
        one.id: one
        for one in (*reoffending.estimate(compared, store, study), *sensitivity.checks(compared, store, study))
    }
    main = "reoffending.event_count.182.rate_ratio"
    for name in (main, f"{main}.matched", f"{main}.near_the_line", f"{main}.at_liberty", f"{main}.placebo"):
        assert isinstance(found[name], Estimate), name
        assert found[name].low < found[name].value < found[name].high
    absolute = found["reoffending.event_count.182.rate_difference"]
    programme, without = found[main].per_hundred
    assert absolute.value == pytest.approx(programme - without)
    assert [found[main].planned, absolute.planned] == ["primary", "secondary"]
    assert {one.horizon_days for one in found.values() if isinstance(one, Estimate) and one.outcome == "any_event"} == {
        182,
        365,
    }


@pytest.fixture(scope="module", params=["drive", "they-matter"])
def enrolled_world(request, tmp_path_factory, copied):
    """A suite whose people are allocated or accepted, in made-up data in which nothing works."""
    project = copied(tmp_path_factory.mktemp(request.param) / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.root)
        suite = Suite.read(request.param)
        study = suite.model_copy(update={"data": _world(suite)}).at(suite.as_of).studies()[0]
        store = Store.open(study)
        yield study, store, matching.match(cohort.build(store, study), study)


def _world(suite: Suite) -> MadeUp:
    return MadeUp(synthetic=suite.made_up.model_copy(update={"seed": 5}))


def test_where_nothing_works_as_many_events_come_as_are_expected_whoever_the_expectation_is_learnt_from(enrolled_world):
    study, store, compared = enrolled_world
    people = compared.people
    assert not people.duplicated("person_id").any()
    assert people[list(HISTORY)].notna().all().all()
    assert people["episode_id"].notna().all()
    [found] = expectation.expected(compared, store, study)
    assert found.low < found.after < found.high < found.before
    learnt = {"drive": "people allocated to no programme", "they-matter": "other people on record"}
    assert learnt[study.suite] in found.method
    assert sensitivity.checks(compared, store, study) == ()


def test_chance_makes_sides_alike_and_every_clock_is_lent_within_one_area_and_month(enrolled_world):
    study, store, compared = enrolled_world
    if study.programme.design == "single_group":
        assert not len(compared.pairs)
        return
    people = compared.people.assign(month=compared.people["index_date"].dt.strftime("%Y-%m"))
    for each in ("area", "month"):
        sides = [people.loc[compared.pairs[row], each].tolist() for row in ("programme_row", "comparison_row")]
        assert sides[0] == sides[1]
    assert len(compared.pairs) == people["arm"].eq(COMPARISON).sum()
    assert all(each.smd_before is None and abs(each.smd) < 0.25 for each in compared.balance)
    ratio = next(one for one in reoffending.estimate(compared, store, study) if isinstance(one, Estimate))
    assert ratio.measure == "rate_ratio"
    assert "adjusted for score, history" in ratio.method
    assert ratio.low < 1 < ratio.high


def test_a_before_after_figure_comes_only_with_its_expectation(made):
    study, store, _, compared = made
    for each in expectation.expected(compared, store, study):
        assert each.low < each.without < each.high
        assert each.naive.value == pytest.approx(each.after / each.before)
    assert [each.horizon_days for each in expectation.expected(compared, store, study)] == [182, 365]
