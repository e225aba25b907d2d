"""What the programme changed for those who were chosen: they, chosen, beside the same people not chosen that day."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evalkit import rfgv
from evalkit.study import ALL_AREAS, RfgvSpec, Synthetic
from evalkit.synthetic.enrolment import Enrolment, day_of, person_numbers, put, thinned
from evalkit.synthetic.records import Names, custody, days
from evalkit.synthetic.world import NEVER, World, ranges

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.synthetic.world import Floats, Ints

HORIZONS = (182, 365)
LARGE = 700.0  # beyond it an exponential has no number
TURNS = 100  # of each event's luck, evenly round the circle: an effect of two decimals keeps exactly its share of them
HIGH_ABUSE = "high_"
OUTCOMES = (
    ("count", "event_count", "rate_ratio"),
    ("any", "any_event", "risk_ratio"),
    ("high", "high_abuse", None),
    ("high_judged", "high_abuse_judged", None),
)
"""Columns of expectations, the outcome that each is of, and the measure of their ratio."""

Period = tuple[str, date, date]


def counterfactual(
    settings: Synthetic, spec: RfgvSpec, root: Path, world: World, ids: Names, tables: Mapping[str, pd.DataFrame],
    enrolment: Enrolment,
) -> pd.DataFrame:  # fmt: skip
    """One row per person chosen from a list and run date: what is expected of them, chosen, and not chosen that day.

    Of the other ways in: one row per person in the programme, whose index date stands as `run_date`, and who without it
    would never have been in it.

    Columns: person_id, area, run_date, `chosen_later` (the chance of being chosen within the longest horizon by whoever
    was never taken on) and for each horizon `count_<days>` and `any_<days>`, each also with `_without`: the expected
    number of recorded events of domestic abuse in days 1 to the horizon, known at the extract, and the chance of any.
    Expected over what the programme prevents and over practitioners' later judgement, in this world.

    Whoever was in the programme before is in it either way. Anybody else lives on as the world has it, is scored on the
    run dates that follow, and is chosen there if score and fresh judgement (Gumbel) reach the line of that day.
    """
    import pandas as pd

    chosen = enrolment.cases[enrolment.cases["told"]]
    person, day = chosen["person"].to_numpy(), chosen["day"].to_numpy()
    months = () if enrolment.lines is None else settings.months
    score, counted = _lived_on(settings, spec, root, world, ids, tables, np.unique(person), months)
    if enrolment.lines is None:
        later, weight = np.full((len(day), 1), NEVER), np.ones((len(day), 1))
    else:
        area = chosen["area"].map({slug: number for number, slug in enumerate(settings.areas)}).to_numpy()
        later, weight = _later_choices(settings, score[person], enrolment.lines[:, area].T, day)
    earlier = np.where(enrolment.since[person] < day, enrolment.since[person], NEVER)
    since = np.minimum(earlier[:, None], np.column_stack([day, later]))
    columns: dict[str, Any] = {"chosen_later": 1 - weight[:, -1]}
    for horizon in HORIZONS:
        number, some = _expected(settings, world, counted, person, day, since, horizon)
        for name, expected in (("count", number), ("any", some)):
            now, others = expected[:, :1], expected[:, 1:]
            columns[f"{name}_{horizon}"] = now[:, 0]
            columns[f"{name}_{horizon}_without"] = now[:, 0] + (weight * (others - now)).sum(axis=1)
    places = chosen[["person_id", "area"]].assign(run_date=days(settings, day))
    return pd.concat([places.reset_index(drop=True), pd.DataFrame(columns)], axis=1)


def _later_choices(settings: Synthetic, score: Floats, lines: Floats, day: Ints) -> tuple[Ints, Floats]:
    """The run dates that follow within the longest horizon, and NEVER, with the chance of being chosen first on each.

    One row per row of `score` and `lines`, which have a column for each run date. A fresh judgement is as likely to
    reach a line as the law of Gumbel says.
    """
    run_days = np.array([day_of(settings, run_date) for run_date in settings.months])
    gap = np.minimum((score - lines) / settings.judgement_sd, LARGE)
    open_ = (run_days > day[:, None]) & (run_days <= day[:, None] + max(HORIZONS))
    chance = np.where(open_, -np.expm1(-np.exp(gap)), 0.0)
    left = np.cumprod(np.column_stack([np.ones(len(day)), 1 - chance]), axis=1)
    later = np.broadcast_to(np.append(run_days, NEVER), left.shape)
    return later, left * np.column_stack([chance, np.ones(len(day))])


def _lived_on(
    settings: Synthetic, spec: RfgvSpec, root: Path, world: World, ids: Names, tables: Mapping[str, pd.DataFrame],
    persons: Ints, months: Sequence[date],
) -> tuple[Floats, Ints]:  # fmt: skip
    """Of these persons, with no programme at all, two things.

    By person and run date the score with which they can be chosen, minus infinity where they cannot; and for each event
    of the world how many events of domestic abuse are on record on that day, given to the person's first of the day.
    """
    import duckdb

    events, chosen = world.events, np.isin(world.person_of, persons)
    score = np.full((len(world.person_of), len(months)), -np.inf)
    counted = np.zeros(len(events.day), dtype=np.int64)
    with duckdb.connect() as connection:
        put(connection, "people", tables["people"][chosen])
        put(connection, "person_links", tables["person_links"])
        put(connection, "incidents", tables["incidents"][chosen[events.person[tables["incidents"]["event"]]]])
        put(connection, "custody", custody(settings, world, ids, (events.strictness <= 1) & chosen[events.person]))
        rfgv.prepare(connection, spec, root)
        for month, run_date in enumerate(months):
            scored = rfgv.score(connection, run_date, spec)
            held = scored["person_id"].isin(rfgv.busy(connection, run_date)["person_id"])
            free = scored[scored["eligible"].ne("no") & ~held]
            score[person_numbers(world, ids, free["person_id"]), month] = free["score"]
        view = rfgv.events(connection, known_before=settings.extract_date)
        abuse = connection.execute(f"SELECT person_id, day FROM {view} WHERE is_domestic_abuse").df()
    day = (abuse["day"] - np.datetime64(settings.first_run_date)).dt.days + day_of(settings, settings.first_run_date)
    when = person_numbers(world, ids, abuse["person_id"]) * NEVER + day.to_numpy()
    np.add.at(counted, np.searchsorted(events.person * NEVER + events.day, when), 1)
    return score, counted


def _expected(
    settings: Synthetic, world: World, counted: Ints, person: Ints, day: Ints, since: Ints, horizon: int
) -> tuple[Floats, Floats]:
    """The expected number of events in days 1 to the horizon, and the chance of any, by row and column of `since`."""
    events, rows = world.events, len(person)
    when, own = events.person * NEVER + events.day, person * NEVER + day
    low, high = np.searchsorted(when, own + 1), np.searchsorted(when, own + 1 + horizon)
    place, row = ranges(low, high - low), np.repeat(np.arange(rows), high - low)
    window = events.at(place)
    luck = (window.luck[:, None] + np.arange(TURNS) / TURNS) % 1
    cell = (row[:, None] * TURNS + np.arange(TURNS)).ravel()
    number, some = np.empty(since.shape), np.empty(since.shape)
    for column in range(since.shape[1]):
        happens = thinned(settings, window, row, window.day > since[row, column], luck)
        found = (happens * counted[place][:, None]).ravel()
        total = np.bincount(cell, weights=found, minlength=rows * TURNS).reshape(rows, TURNS)
        number[:, column], some[:, column] = total.mean(axis=1), (total > 0).mean(axis=1)
    return number, some


def estimands(settings: Synthetic, people: pd.DataFrame, periods: Sequence[Period]) -> Iterator[dict[str, Any]]:
    """The true effect on the people chosen (att), by area and all together, period, outcome, measure and horizon.

    A person counts once a period, by the first selection in it, where the whole window lies before the extract. An
    effect that would divide by zero is left out. `monte_carlo_error` is the standard error of the value over people:
    how far it would lie off with other people of this kind; null for one person.
    """
    for name, first_day, last_day in periods:
        inside = people[people["run_date"].between(str(first_day), str(last_day))]
        inside = inside.sort_values("run_date", kind="stable").drop_duplicates("person_id")
        for area in (ALL_AREAS, *settings.areas):
            here = inside if area == ALL_AREAS else inside[inside["area"].eq(area)]
            for horizon in (*HORIZONS, *_assessed_on(people)):
                over = (np.datetime64(settings.extract_date) - here["run_date"]).dt.days > horizon
                for outcome, measure, value, error in _effects(here[over], horizon):
                    yield {
                        "programme": settings.programme, "area": area, "period": name, "outcome": outcome,
                        "measure": measure, "horizon_days": horizon, "population": "att", "value": round(value, 6),
                        "monte_carlo_error": None if error is None else round(error, 6), "people": int(over.sum()),
                    }  # fmt: skip


def _assessed_on(people: pd.DataFrame) -> list[int]:
    """The assessment day, where abuse is assessed."""
    days_named = {name.removeprefix(HIGH_ABUSE) for name in people.columns if name.startswith(HIGH_ABUSE)}
    return sorted(int(name) for name in days_named if name.isdecimal() and int(name) not in HORIZONS)


def _effects(people: pd.DataFrame, horizon: int) -> Iterator[tuple[str, str, float, float | None]]:
    """Outcome, measure, value and its standard error over people."""
    size = len(people)
    for name, outcome, ratio in OUTCOMES:
        if f"{name}_{horizon}" not in people:
            continue
        chosen, without = (people[f"{name}_{horizon}{end}"].to_numpy() for end in ("", "_without"))
        if name != "count" and size:
            yield outcome, "risk_difference", float((chosen - without).mean()), _error(chosen - without, size)
        if ratio and without.sum() > 0:
            value = float(chosen.sum() / without.sum())
            yield outcome, ratio, value, _error(chosen - value * without, without.sum())


def _error(residual: Floats, total: float) -> float | None:
    """The standard error of a sum of residuals about nought, divided by a total."""
    size = len(residual)
    return math.sqrt(size) * float(residual.std(ddof=1)) / float(total) if size > 1 else None
