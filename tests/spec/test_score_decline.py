"""What a score is afterwards: on which day it is read, of whom, when it is lower, and what time alone makes of it."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pandas as pd
import pytest

from evalkit import cohort, evidence, matching, sensitivity
from evalkit.cohort import history
from evalkit.cohort.readings import READ, readings
from evalkit.matching import Comparison
from evalkit.outcomes import score_decline
from evalkit.outcomes.score_decline import clocks, effects
from evalkit.results import COMPARISON, PROGRAMME, Design, Estimate, ExpectedShare, NotEstimable, Readings
from evalkit.store import Store
from evalkit.study import Suite
from evalkit.study.suite import MadeUp
from evalkit.study.synthetic import SyntheticArea

INDEX_DATE = "2022-04-01"
PLANNED = [
    {"strand": "score_decline", "name": "mean_score", "planned": "primary"},
    {"strand": "score_decline", "name": "lower_score", "planned": "secondary"},
    {"strand": "score_decline", "name": "after_discharge", "planned": "secondary"},
]


def asked(drawn):
    """The readings of a drawn table: person, index_date, clock (days to where days are counted from), days."""
    lines = [[cell.strip() for cell in line.split("|")] for line in drawn.strip().splitlines() if "---" not in line]
    rows = [dict(zip(lines[0][:-1], line, strict=False)) for line in lines[1:]]
    return pd.DataFrame(
        [
            {
                "person_id": row.get("person", "P"),
                "index_date": pd.Timestamp(row.get("index_date", INDEX_DATE)),
                "days_followed": int(row.get("followed", 900)),
                "clock_day": float(row.get("clock") or "nan") if "clock" in row else 0.0,
                "days": int(row["days"]),
            }
            for row in rows
        ]
    )


def read(data, drawn):
    """What became of each drawn reading."""
    return readings(asked(drawn), data.store, data.study, data.study.programme.recorded.rfgv)


def read_on(data, drawn):
    found = read(data, drawn)
    return [
        f"{day:%Y-%m-%d}" if day == day else why for day, why in zip(found["read_on"], found["became"], strict=True)
    ]


def test_a_score_is_read_on_the_run_date_nearest_to_the_day_and_the_earlier_of_two_as_near(tasked):
    data = tasked(
        selections="""
            person_id | run_date   | selected | route          |
            ----------|------------|----------|----------------|
            P         | 2022-04-01 | yes      | rfgv           | the index date: days are counted from it
            P         | 2022-07-20 | no       | rfgv           |
            P         | 2022-08-09 | no       | rfgv           |
            P         | 2022-08-01 | yes      | partner_agency | no list: not a run date
            P         | 2022-12-12 | no       | rfgv           | the last list
            """,
        incidents="",
    )
    assert read_on(
        data,
        """
        days |
        -----|
        120  | 30 July: 10 days after one list, 10 before the next
        121  | 31 July: 11 days after, 9 before
        161  | 9 September: 31 days after the list of 9 August
        162  | 10 September: 32 days after it, and farther from the next
        270  | 27 December: 15 days after the last list, 5 before the first of a month
        304  | 30 January
        """,
    ) == ["2022-07-20", "2022-08-09", "2022-08-09", "no_run_date", "2023-01-01", "2023-02-01"]


def test_nobody_is_read_who_had_died_or_left_and_a_month_of_index_dates_is_judged_together(tasked):
    data = tasked(
        people="""
            person_id | died_on    | left_force_on |
            ----------|------------|---------------|
            P         |            |               |
            Dead      | 2022-07-31 |               | the day before the reading
            Dying     | 2022-08-01 |               | on the day of the reading: still read
            Gone      |            | 2022-07-31    |
            """,
        incidents="",
        as_of="2023-06-30",
    )
    found = read(
        data,
        """
        person | index_date | followed | clock | days |
        -------|------------|----------|-------|------|
        P      | 2022-04-01 | 400      | 0     | 122  |
        Dead   | 2022-04-01 | 400      | 0     | 122  |
        Dying  | 2022-04-01 | 400      | 0     | 122  |
        Gone   | 2022-04-01 | 120      | 0     | 122  |
        P      | 2022-04-01 | 0        | 0     | 122  | followed for no day: nothing is known of them
        P      | 2022-04-01 | 400      |       | 122  | the clock never began
        P      | 2022-08-31 | 300      | 0     | 304  | 1 July 2023 is the extract date: just known
        P      | 2022-09-01 | 300      | 0     | 304  | 2 July: read on 1 July; but another of September is not
        P      | 2022-09-30 | 300      | 0     | 304  | 31 July: read on 1 August, which is not known
        """,
    )
    assert found["became"].tolist() == [
        "read", "died", "read", "moved", "not_seen", "open", "read", "not_due", "not_due",
    ]  # fmt: skip
    assert found.loc[found["became"] != "read", ["score_then", "lower"]].isna().all(axis=None)


def test_a_score_is_lower_or_materially_lower_and_who_falls_below_eligibility_counts_as_both(tasked):
    """On 1 April 2022 everybody has two victims; on 1 August, 122 days after, the window opens on 1 August 2020."""
    data = tasked(
        eligible=False,
        incidents="""
            person_id | occurred_on | victim_id | offence_code |
            ----------|-------------|-----------|--------------|
            Still     | 2022-03-20  | A         | 8N           |
            Still     | 2022-03-25  | B         | 8N           |
            Still     | 2022-07-25  | A         | 8N           | as fresh as before, and one more
            Lower     | 2022-03-01  | C         | 8N           |
            Lower     | 2022-03-25  | D         | 8N           |
            Lower     | 2022-06-15  | C         | 8N           | 47 days before: five points less, three more for it
            Much      | 2022-03-20  | E         | 8N           | nothing since: 129 days
            Much      | 2022-03-25  | F         | 8N           |
            Out       | 2020-04-20  | G         | 8N           | leaves the window
            Out       | 2022-03-25  | H         | 8N           |
            Out       | 2022-07-10  | H         | 8N           | of one victim now: below eligibility at a higher score
            Out       | 2022-07-15  | H         | 8N           |
            Out       | 2022-07-25  | H         | 5D           |
            One       | 2022-03-25  | I         | 8N           | never could be listed
            One       | 2022-07-25  | I         | 8N           |
            """,
    )
    rows = "".join(f"\n{person} | 122 |" for person in ("Still", "Lower", "Much", "Out", "One"))
    found = read(data, "person | days |" + rows).set_index("person_id")
    told = found[["score_before", "score_then", "lower", "materially_lower"]].astype(int)
    assert {person: tuple(row) for person, row in zip(told.index, told.to_numpy().tolist(), strict=True)} == {
        "Still": (61, 64, 0, 0),
        "Lower": (61, 59, 1, 0),
        "Much": (61, 46, 1, 0),
        "Out": (61, 63, 1, 1),
        "One": (48, 54, 0, 0),
    }


def test_the_floor_is_what_time_alone_makes_of_the_score(tasked):
    data = tasked(
        eligible=False,
        incidents="""
            person_id | occurred_on | victim_id | recorded_on |
            ----------|-------------|-----------|-------------|
            P         | 2022-01-10  | A         | 2022-01-11  |
            P         | 2022-03-25  | B         | 2022-03-26  |
            P         | 2022-04-01  | A         | 2022-04-02  | on the index date: after it
            P         | 2022-07-01  | C         | 2022-07-02  |
            """,
        custody="""
            person_id | from_on    | until_on   |
            ----------|------------|------------|
            P         | 2022-07-20 | 2022-08-01 | out on the day of the first reading
            P         | 2022-11-01 |            | in on the day of the second
            """,
        episodes="""
            person_id | accepted_on | discharged_on |
            ----------|-------------|---------------|
            P         | 2022-04-01  | 2022-09-01    |
            """,
    )
    found = read(data, "days |\n122 |\n214 |")
    scores = found[["score_before", "score_then", "floor"]]
    events = data.study.programme.recorded.rfgv.bands["n_incidents"]
    two, four = (next(band.points for band in events if band.up_to is None or n <= band.up_to) for n in (2, 4))
    since = {129: 10, 31: 20, 221: 5, 123: 10}  # points by days since the last event, at each reading without and with
    first, second = scores.to_dict("records")
    assert first["score_before"] == second["score_before"]
    assert first["score_before"] - first["floor"] == 25 - since[129]
    assert second["floor"] == first["floor"] - since[129] + since[221]
    assert first["score_then"] - first["floor"] == (four - two) + (16 - 10) + (since[31] - since[129]) + _gravity(data)
    assert found[["in_custody", "held"]].to_numpy().tolist() == [[0.0, 1.0], [1.0, 0.0]]


def _gravity(data):
    """Points that the gravity of four such crimes has over that of two."""
    bands = data.study.programme.recorded.rfgv.bands["gravity"]
    points = [next(band.points for band in bands if band.up_to is None or 184 * n <= band.up_to) for n in (2, 4)]
    return points[1] - points[0]


def _comparison(rows, pairs):
    people = pd.DataFrame(rows).assign(
        index_date=pd.Timestamp(INDEX_DATE), days_followed=900, match_weight=1.0, area="corwick"
    )
    design = Design(assignment="sequential_trials", plan="not_locked", followed=())
    frame = pd.DataFrame(pairs, columns=["programme_row", "comparison_row", "weight"])
    return Comparison(people=people, balance=(), design=design, pairs=frame)


def test_the_comparison_is_read_on_the_clock_of_those_for_whom_it_stands(tasked):
    data = tasked(people="person_id |\n" + "\n".join(f"{name} |" for name in "PQRX"), incidents="")
    drawn = [
        {"person_id": "P", "arm": PROGRAMME, "discharge_day": 100.0},
        {"person_id": "Q", "arm": PROGRAMME, "discharge_day": float("nan")},
        {"person_id": "R", "arm": PROGRAMME, "discharge_day": 200.0},
        {"person_id": "X", "arm": COMPARISON, "discharge_day": float("nan")},
    ]
    compared = _comparison(drawn, [(0, 3, 0.5), (1, 3, 1.0)])
    spec = data.study.programme.recorded.rfgv
    found = clocks.by_discharge(compared.people, compared, (182,), data.store, data.study, spec)
    told = found[["person_id", "clock_day", "weight", "became"]].astype(object)
    told = told.where(told.notna(), "never").to_numpy().tolist()
    assert told == [
        ["P", 100.0, 1.0, "read"],
        ["Q", "never", 1.0, "open"],
        ["R", 200.0, 0.0, "read"],  # nobody stands for them: in the description, not in the effect
        ["X", 100.0, 0.5, "read"],  # as long after their index date as P
        ["X", "never", 1.0, "open"],  # Q was not discharged, so X has no day either
    ]
    assert found["read_on"].dropna().dt.strftime("%Y-%m-%d").tolist() == ["2023-01-01", "2023-05-01", "2023-01-01"]


def test_beside_a_single_group_others_of_the_same_area_and_month_borrow_its_clocks_in_even_shares():
    rows = [("P1", "corwick", "2022-04-20", PROGRAMME), ("P2", "corwick", "2022-04-02", PROGRAMME)]
    rows += [(f"X{number}", "corwick", "2022-04-01", COMPARISON) for number in range(6)]
    rows += [("Y", "corwick", "2022-05-01", COMPARISON), ("Z", "dunmoor", "2022-04-01", COMPARISON)]
    people = pd.DataFrame(rows, columns=["person_id", "area", "index_date", "arm"])
    lent = matching.dealt_out(people.assign(index_date=pd.to_datetime(people["index_date"])))
    assert sorted(people["person_id"].loc[lent["comparison_row"]]) == [f"X{number}" for number in range(6)]
    assert people["person_id"].loc[lent["programme_row"]].value_counts().to_dict() == {"P1": 3, "P2": 3}


@pytest.fixture(scope="module")
def world(tmp_path_factory, copied):
    """A made-up world in which nothing works: the study of one area, its comparison, and what is found."""
    with pytest.MonkeyPatch.context() as patch:
        project = copied(tmp_path_factory.mktemp("scores") / "project")
        patch.chdir(project.root)
        patch.setenv("EVALKIT_WORK", str(project.work))
        project.change("params/suites/demo.yaml", outcomes=PLANNED, notebooks=["evaluation"])
        suite = Suite.read("demo")
        areas = {name: SyntheticArea(selected_a_year=48, people=700) for name in ("corwick", "dunmoor")}
        changes = {"enrolment_months": 12, "follow_up_months": 18, "effect": 1.0, "areas": areas}
        data = MadeUp(synthetic=suite.made_up.model_copy(update=changes))
        study = suite.model_copy(update={"data": data}).at(date(2024, 9, 30)).studies()[0]
        store = Store.open(study)
        compared = matching.match(cohort.build(store, study), study)
        found = {result.id: result for result in score_decline.estimate(compared, store, study)}
        yield study, store, compared, found


def test_where_nothing_works_no_difference_is_found_and_as_many_score_lower_as_were_to_be_expected(world):
    _, _, _, found = world
    for name in ("mean_score.304.mean_difference", "mean_score_after_discharge.182.mean_difference"):
        effect = found[f"score_decline.{name}"]
        assert isinstance(effect, Estimate)
        assert effect.low < 0 < effect.high
    for name in ("lower_score.304", "lower_score_after_discharge.182"):
        share = found[f"score_decline.{name}.expected_share"]
        assert isinstance(share, ExpectedShare)
        assert share.value > 0.7  # most score lower, though nothing works
        assert share.without == pytest.approx(share.value, abs=0.06)
    assert found["score_decline.lower_score_after_discharge.182.expected_share"].clock == "discharge"


def test_both_readings_of_the_score_are_told_and_they_differ(world):
    _, _, _, found = world
    one, other = (
        found[f"score_decline.{name}.182.expected_share"].value
        for name in ("lower_score_after_discharge", "lower_score_after_discharge_other_reading")
    )
    assert other < one - 0.2
    assert found["score_decline.mean_score.304.mean_difference.other_reading"].planned == "exploratory"
    assert found["score_decline.mean_score.304.mean_difference"].planned == "primary"


def test_scores_fall_without_any_programme_and_time_alone_would_bring_them_lower_still(world):
    _, _, compared, found = world
    sides = [found[f"score_decline.mean_score.readings.{arm}"] for arm in (PROGRAMME, COMPARISON)]
    for side in sides:
        assert isinstance(side, Readings)
        assert side.days == (0, 122, 213, 304, 487)
        assert all(mean < side.mean[0] for mean in side.mean[1:])
        assert all(floor < mean for floor, mean in zip(side.floor[1:], side.mean[1:], strict=True))
        assert all(0 < share.value < 1 for share in side.realised[1:])
    matched = compared.people[(compared.people["arm"] == PROGRAMME) & (compared.people["match_weight"] > 0)]
    assert sides[0].people[0] == len(matched)
    assert sides[0].still_open[1] > sides[0].still_open[-1]
    assert (sides[0].in_custody[0], sides[0].still_open[0]) == (None, None)  # nobody is looked up on the index date


def test_everybody_of_the_programme_is_read_or_left_out_with_the_reason(world):
    _, _, compared, found = world
    chosen = compared.people["arm"].eq(PROGRAMME).sum()
    for result in found.values():
        if isinstance(result, Estimate):
            assert result.arms[0].people + sum(left.people for left in result.left_out) <= chosen
            assert {left.of for left in result.left_out} <= {chosen}
        if isinstance(result, ExpectedShare):
            assert result.people + result.not_known == chosen


def test_a_day_that_is_not_reached_is_left_out_and_the_planned_one_is_refused_in_words(world):
    study, store, compared, _ = world
    early = study.exploring(as_of="2022-12-31")
    asked_for = {result.id: result for result in score_decline.estimate(compared, store, early)}
    refused = asked_for["score_decline.lower_score.304.risk_difference"]
    assert isinstance(refused, NotEstimable)
    assert refused.why == "too few people could be read 304 days after the index date yet"
    assert "score_decline.lower_score.122.risk_difference" in asked_for
    assert "score_decline.lower_score.487.risk_difference" not in asked_for
    assert "score_decline.lower_score.304.expected_share" not in asked_for


def test_the_mean_score_is_checked_on_people_next_below_the_line_and_judged_by_that_check_alone(world):
    study, store, compared, found = world
    checked = {each.id: each for each in sensitivity.checks(compared, store, study)}
    placebo = checked["score_decline.mean_score.304.mean_difference.placebo"]
    assert (placebo.planned, placebo.low < 0 < placebo.high) == ("exploratory", True)
    chosen = compared.people.index[compared.people["arm"] == PROGRAMME]
    stood_in = sensitivity.placebo_cohort(compared.people)
    rows = clocks.by_index(stood_in, (304,), store, study, study.programme.recorded.rfgv)
    taken = rows[rows["became"] == READ]
    known = history(taken, study)
    groups = [pd.get_dummies(pd.Series(each, index=taken.index), drop_first=True) for each in known.factors.values()]
    columns = pd.concat([pd.DataFrame(known.columns, index=taken.index), *groups], axis=1).astype(float)
    columns.insert(0, "stands in", taken["arm"].eq(PROGRAMME).astype(float))
    columns.insert(0, "constant", 1.0)
    fitted, *_ = np.linalg.lstsq(columns.to_numpy(), taken["score_then"].to_numpy(float), rcond=None)
    assert placebo.value == pytest.approx(fitted[1], abs=1e-6)
    assert 0 < placebo.arms[0].people <= len(chosen)
    assert not stood_in.index.isin(chosen).any()
    main = found["score_decline.mean_score.304.mean_difference"]
    counts = checked["reoffending.event_count.182.rate_ratio.placebo"]
    of_counts = dataclasses.replace(counts, value=3.0, low=2.0, high=4.0)  # a check of another outcome is not its own
    for moved in (0.0, 100.0):
        ends = {name: getattr(placebo, name) + moved for name in ("value", "low", "high")}
        beside = dataclasses.replace(placebo, **ends)
        reasons = evidence.decide([main, beside, of_counts], study)[main.id].grade.reasons
        assert any("next below the line" in each for each in reasons) is bool(moved)


def test_the_score_of_most_must_be_known(world):
    study, store, compared, _ = world
    rows = clocks.by_index(compared.people, (304,), store, study, study.programme.recorded.rfgv)
    lost = rows.assign(became=rows["became"].where(rows["person_id"].str[-1] > "8", "moved"))
    shared = {"strand": "score_decline", "outcome": "mean_score", "horizon_days": 304, "event_label": "score"}
    found = effects.mean_difference(lost, study, shared | {"planned": "primary", "design": compared.design})
    assert found.why == "the score of more than two people in five is not known"


def test_one_area_alone_carries_no_effect_but_tells_what_its_people_score(world):
    study, store, compared, _ = world
    place = [area.model_dump() for area in study.areas if area.slug == "corwick"]
    found = score_decline.estimate(compared, store, study.exploring(area="corwick", areas=place, outcomes=PLANNED[:1]))
    refused, *described = found
    assert refused.why == "one area alone cannot carry an effect"
    assert [type(each) for each in described] == [Readings, Readings]


def test_after_a_failed_check_neither_effects_nor_descriptions_are_told(world):
    study, store, compared, _ = world
    gate = dataclasses.replace(compared.gates[0], passed=False)
    design = dataclasses.replace(compared.design, gates=((gate.name, False),))
    found = score_decline.estimate(dataclasses.replace(compared, gates=(gate,), design=design), store, study)
    assert len(found) == 5
    assert all(isinstance(each, NotEstimable) and "a check was not passed" in each.why for each in found)


def test_a_plan_that_asks_nothing_of_scores_gets_nothing(world):
    study, store, compared, _ = world
    other = study.exploring(outcomes=[{"strand": "reoffending", "name": "event_count", "planned": "primary"}])
    assert score_decline.estimate(compared, store, other) == ()
