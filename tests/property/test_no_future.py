"""Nothing that is dated after a run date can move a score, a risk set or a weight of that date."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pandas as pd
import pytest

from evalkit import cohort, matching, rfgv, synthetic
from evalkit.store import Store
from evalkit.study import RfgvSpec, Study, Suite, Synthetic

SMALL = {
    "seed": 7, "areas": {"corwick": {"selected_a_year": 36, "people": 600}}, "first_run_date": "2022-04-01",
    "enrolment_months": 5, "follow_up_months": 9,
}  # fmt: skip
LOOKED_AT_LATER = ["days_followed", "death_day", "cluster_id", "discharge_day"]  # of the follow-up
TABLES = ("people", "person_links", "incidents", "selections", "episodes", "custody")
DATED = {"incidents": "recorded_on", "selections": "run_date", "episodes": "accepted_on", "custody": "from_on"}
RUN_DATES = ("2022-06-01", "2022-08-01")  # on both some records of days before were made later
BY_EPISODES = {"drive": ("allocation", "allocated_on"), "they-matter": ("group", "accepted_on")}


@pytest.fixture(scope="module")
def extracts(tmp_path_factory, copied) -> object:
    """A project with made-up extracts of half a year."""
    project = copied(tmp_path_factory.mktemp("future") / "project")
    made = synthetic.generate(Synthetic(**SMALL), RfgvSpec.read("conventional", project.root), project.root)
    synthetic.write(made, project.root / "extracts")
    return project


def _study(folder: str, last_day: str, suite: str = "demo") -> Study:
    study = Suite.read(suite).studies()[0]
    areas = [area.model_dump(mode="json") for area in Suite.read("demo").studies()[0].areas if area.slug == "corwick"]
    period = {"name": "half", "label": "half a year", "first_day": "2022-04-01", "last_day": last_day}
    return study.exploring(data=folder, areas=areas, period=period, as_of="2023-05-31")


def _settled(study: Study) -> tuple[pd.DataFrame, object, pd.DataFrame]:
    """Scores of the last run date, the balance, and everything about the trials but what is looked at later."""
    store = Store.open(study)
    compared = matching.match(cohort.build(store, study), study)
    with store.connection() as connection:
        rfgv.prepare(connection, study.programme.recorded.rfgv, study.root)
        scores = rfgv.score(connection, study.period.last_day, study.programme.recorded.rfgv)
    return scores, compared.balance, compared.people.drop(columns=LOOKED_AT_LATER)


def _shuffled_after(
    tables: dict[str, pd.DataFrame], day: str, seed: int, dated: dict[str, str] = DATED
) -> dict[str, pd.DataFrame]:
    """The tables with all that is dated on or after a day moved: rows dropped, days moved on, people exchanged."""
    lot, changed = random.Random(seed), dict(tables)
    after = date.fromisoformat(day)
    for name, column in dated.items():
        rows = tables[name]
        # what was decided on the run date itself stands; a record made on it was not known yet
        is_later = rows[column] >= day if name in ("incidents", "custody") else rows[column] > day
        later = rows[is_later].sample(frac=0.8, random_state=seed)
        people = later["person_id"].sample(frac=1, random_state=seed).to_numpy()
        moved = [(after + timedelta(days=lot.randrange(1, 200))).isoformat() for _ in range(len(later))]
        later = later.assign(person_id=people)
        if name == "incidents":
            # one in sixty is a late record of a day before: more would be refused as too long a lag
            back = [after - timedelta(days=lot.randrange(0, 300)) for _ in range(len(later))]
            happened = [
                day.isoformat() if lot.random() < 1 / 60 else told for day, told in zip(back, moved, strict=True)
            ]
            later = later.assign(recorded_on=moved, occurred_on=happened, cancelled_on=None)
        if name == "selections":
            later = later.assign(selected=["yes" if lot.random() < 0.5 else "no" for _ in range(len(later))])
            later = later.drop_duplicates(["person_id", "run_date"])
        if name == "custody":
            later = later.assign(until_on=None).drop_duplicates(["person_id", "from_on"])
        changed[name] = pd.concat([rows[~is_later], later], ignore_index=True)
    return changed


@pytest.mark.parametrize("day", RUN_DATES)
def test_shuffling_everything_after_a_run_date_moves_nothing_of_that_date(extracts, monkeypatch, day):
    monkeypatch.chdir(extracts.root)
    before = _settled(_study("extracts", day))
    folder = extracts.root / "extracts"
    tables = {name: pd.read_csv(folder / f"{name}.csv", dtype=str) for name in TABLES}
    changed = _shuffled_after(tables, day, seed=int(day[5:7]))
    other = extracts.root / f"shuffled-{day}"
    other.mkdir()
    for name, rows in changed.items():
        rows.to_csv(other / f"{name}.csv", index=False)
    (other / "extract.yaml").write_bytes((folder / "extract.yaml").read_bytes())
    assert any(not changed[name].equals(tables[name]) for name in DATED)
    after = _settled(_study(other.name, day))
    pd.testing.assert_frame_equal(after[0], before[0], check_exact=True)
    pd.testing.assert_frame_equal(after[2], before[2], check_exact=True)
    assert after[1] == before[1]


def test_a_score_that_looked_ahead_would_be_caught(extracts, monkeypatch):
    """The same comparison fails on a score of the extract date's knowledge, so it can fail."""
    monkeypatch.chdir(extracts.root)
    study = _study("extracts", RUN_DATES[0])
    with Store.open(study).connection() as connection:
        spec = study.programme.recorded.rfgv
        rfgv.prepare(connection, spec, study.root)
        known, all_told = (
            rfgv.score(connection, date.fromisoformat(RUN_DATES[0]), spec, **told)
            for told in ({}, {"as_known": False, "known_before": study.extract_date})
        )
    assert not known.equals(all_told)


@pytest.mark.parametrize("slug", BY_EPISODES)
def test_nor_of_anybody_who_comes_in_by_a_spell_nor_of_whom_an_expectation_is_learnt_from(
    tmp_path, copied, monkeypatch, slug
):
    shape, indexed_on = BY_EPISODES[slug]
    project = copied(tmp_path / "project")
    monkeypatch.chdir(project.root)
    many = {"corwick": {"selected_a_year": 120, "people": 900}}
    settings = Synthetic(**SMALL | {"areas": many}, shape=shape, programme=slug, planned_days=60)
    made = synthetic.generate(settings, RfgvSpec.read("conventional", project.root), project.root)
    synthetic.write(made, project.root / "extracts")
    before = _known_by_spell(_study("extracts", RUN_DATES[1], slug))
    folder = project.root / "extracts"
    tables = {path.stem: pd.read_csv(path, dtype=str) for path in folder.glob("*.csv")}
    spells = tables["episodes"]
    ended = {name: spells[name].mask(spells[name] >= RUN_DATES[1]) for name in ("started_on", "discharged_on")}
    settled = tables | {"episodes": spells.assign(**ended)}
    dated = {name: column for name, column in DATED.items() if name in tables} | {"episodes": indexed_on}
    changed = _shuffled_after(settled, RUN_DATES[1], seed=8, dated=dated)
    # late records of days before, which nobody could have known, are of people who were taken on
    incidents, taken_on = changed["incidents"], spells.loc[spells[indexed_on] < RUN_DATES[1], "person_id"]
    late = incidents.index[(incidents["recorded_on"] > RUN_DATES[1]) & (incidents["occurred_on"] < RUN_DATES[1])]
    incidents.loc[late, "person_id"] = [taken_on.iloc[place % len(taken_on)] for place in range(len(late))]
    other = project.root / "shuffled"
    other.mkdir()
    for name, rows in changed.items():
        rows.to_csv(other / f"{name}.csv", index=False)
    (other / "extract.yaml").write_bytes((folder / "extract.yaml").read_bytes())
    assert not any(changed[name].equals(tables[name]) for name in dated)
    after = _known_by_spell(_study(other.name, RUN_DATES[1], slug))
    assert not before[0]["discharge_day"].equals(after[0]["discharge_day"])
    for one, then in zip(before, after, strict=True):
        assert len(one) > 5
        pd.testing.assert_frame_equal(
            then.drop(columns=LOOKED_AT_LATER), one.drop(columns=LOOKED_AT_LATER), check_exact=True
        )


def _known_by_spell(study: Study) -> list[pd.DataFrame]:
    """The people compared; and of a single group the others on record."""
    store = Store.open(study)
    people = matching.match(cohort.build(store, study), study).people
    alone = study.programme.design == "single_group"
    return [people, cohort.everybody_else(store, study)] if alone else [people]
