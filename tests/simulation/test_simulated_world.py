"""Whether made-up people are chosen by the list and by chance alone, and whether the truth told of them is true.

Practitioners' judgement is the only chance in a choice, and its law is known. So is each listed person's chance of
being chosen, given everybody else's judgement: who was chosen is compared with that chance, and no model is needed.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from evalkit import rfgv, synthetic
from evalkit.study import RfgvSpec, Synthetic
from evalkit.synthetic.enrolment import person_numbers, put
from evalkit.synthetic.records import names
from evalkit.synthetic.world import draw_world, stream

ROOT = Path(__file__).parents[2]
SPEC = RfgvSpec.read("conventional", ROOT)
SEEDS = range(11, 16)
MOST = 2.6  # standard errors; 1 in 100
HORIZONS = (182, 365)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[1.0, 0.5], ids=["nothing works", "half is prevented"])
def listed(request):
    """The effect, and everybody who could have been chosen on a run date of any of five worlds (see `_listed`)."""
    worlds = [_listed(seed, request.param) for seed in SEEDS]
    return request.param, pd.concat(worlds, ignore_index=True)


def _listed(seed: int, effect: float) -> pd.DataFrame:
    """One row per person and run date, free to be chosen.

    `chance` of being chosen, given the judgement of all others; the events on record in days 1 to 182 and 365; whether
    chosen on a later date within 365 days; and of those chosen, what the truth expects of them.
    """
    areas = {f"area-{place}": {"selected_a_year": 24} for place in range(8)}
    settings = Synthetic(
        seed=seed, effect=effect, areas=areas, first_run_date=date(2021, 4, 1), follow_up_months=13, partner_referred=0
    )
    made = synthetic.generate(settings, SPEC, ROOT)
    lists = made.tables["selections"].query("exclusion_reason.isna()", engine="python")
    lists = lists.merge(made.tables["people"][["person_id", "area"]], on="person_id")
    lists = _with_chances(settings, lists)
    with duckdb.connect() as connection:
        for table in ("people", "person_links", "incidents"):
            put(connection, table, made.tables[table])
        rfgv.prepare(connection, SPEC, ROOT)
        put(connection, "lists", lists)
        view = rfgv.events(connection, known_before=made.extract_date)
        for horizon in HORIZONS:
            lists[f"events_{horizon}"] = connection.execute(
                f"SELECT count(day) AS n FROM lists LEFT JOIN {view} AS one ON one.person_id = lists.person_id AND "
                f"is_domestic_abuse AND day > run_date AND day <= run_date + {horizon} GROUP BY place ORDER BY place"
            ).df()["n"]
        later = connection.execute(
            "SELECT bool_or(coalesce(next.selected, false)) AS later FROM lists LEFT JOIN lists AS next "
            "ON next.person_id = lists.person_id AND next.run_date > lists.run_date "
            "AND next.run_date <= lists.run_date + 365 GROUP BY lists.place ORDER BY lists.place"
        ).df()["later"]
    truth = made.people_truth.drop(columns="area")
    return lists.assign(later=later, person_id=f"{seed} " + lists["person_id"]).merge(
        truth.assign(person_id=f"{seed} " + truth["person_id"]), on=["person_id", "run_date"], how="left"
    )


def _with_chances(settings: Synthetic, lists: pd.DataFrame) -> pd.DataFrame:
    """The rows in order of `place`, with the chance that a fresh judgement reaches the last place that others left."""
    world = draw_world(settings)
    number = person_numbers(world, names(settings, world), lists["person_id"])
    shape = (settings.enrolment_months, len(world.person_of))
    judgement = stream(settings, "judgement").gumbel(0, settings.judgement_sd, shape)
    month = np.searchsorted(pd.to_datetime(list(settings.months)), lists["run_date"])
    wanted = lists["score"] + judgement[month, number]
    groups = [lists["area"], lists["run_date"]]
    worst_chosen = wanted.where(lists["selected"]).groupby(groups).transform("min")
    best_left = wanted.where(~lists["selected"]).groupby(groups).transform("max")
    assert (worst_chosen > best_left).all()
    line = best_left.where(lists["selected"], worst_chosen)
    chance = -np.expm1(-np.exp((lists["score"] - line) / settings.judgement_sd))
    return lists.assign(chance=chance, place=np.arange(len(lists)))


def _sum_and_error(values: pd.Series, people: pd.Series) -> tuple[float, float]:
    """A sum and its standard error, by person: one person stands on many lists."""
    by_person = values.groupby(people).sum()
    return float(by_person.sum()), float(np.sqrt((by_person**2).sum()))


def test_as_many_are_chosen_as_their_chances_say(listed):
    _, lists = listed
    surprise = lists["selected"] - lists["chance"]
    assert abs(surprise.sum()) / np.sqrt((surprise**2).sum()) < MOST


@pytest.mark.parametrize("horizon", HORIZONS)
def test_the_chosen_differ_from_the_others_on_the_list_by_the_effect_and_nothing_else(listed, horizon):
    effect, lists = listed
    total, error = _sum_and_error(
        (lists["selected"] - lists["chance"]) * lists[f"events_{horizon}"], lists["person_id"]
    )
    if effect == 1:
        assert abs(total) / error < MOST
    else:
        assert total / error < -4


@pytest.mark.parametrize("horizon", HORIZONS)
def test_the_chosen_have_the_events_that_the_truth_expects_of_them(listed, horizon):
    _, lists = listed
    chosen = lists[lists["selected"]]
    total, error = _sum_and_error(chosen[f"events_{horizon}"] - chosen[f"count_{horizon}"], chosen["person_id"])
    assert abs(total) <= MOST * error


@pytest.mark.parametrize("horizon", HORIZONS)
def test_those_left_on_the_list_have_the_events_that_the_truth_expects_of_the_chosen_had_they_been_left(
    listed, horizon
):
    effect, lists = listed
    total, error = _left_less_chosen(lists, f"events_{horizon}", f"count_{horizon}_without")
    assert abs(total) < MOST * error
    if effect < 1:
        total, error = _left_less_chosen(lists, f"events_{horizon}", f"count_{horizon}")
        assert total > 4 * error


def test_those_left_on_the_list_are_chosen_later_as_often_as_the_truth_expects_of_the_chosen(listed):
    _, lists = listed
    total, error = _left_less_chosen(lists, "later", "chosen_later")
    assert abs(total) < MOST * error


def _left_less_chosen(lists: pd.DataFrame, seen: str, expected: str) -> tuple[float, float]:
    """What was seen of those left less what is expected of the chosen, and its standard error.

    Each is weighted by the chance of being on the other side, so that both sides stand for the same people.
    """
    left = lists["chance"] * lists[seen].where(~lists["selected"], 0)
    chosen = (1 - lists["chance"]) * lists[expected].where(lists["selected"], 0)
    return _sum_and_error(left - chosen, lists["person_id"])
