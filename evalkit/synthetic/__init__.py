"""Made-up police data and assessments with a truth that is known, of programmes that people enter in three ways.

    made = generate(settings, spec, root)    the tables, and what the programme changed
    write(made, folder)                      the extracts as files, and truth.json beside them

The world without the programme comes first and does not know of it (`world`), then what the police hold of it
(`records`) and how severe the abuse is (`severity`). Then the programme: by monthly lists and the score that everybody
else uses (`enrolment`), by allocation among the cases of a panel (`allocation`) or by referral into groups (`groups`).
Then what reporters say of the abuse (`assessing`), and what would have been without the programme (`truth`). Nothing in
it is about anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.contracts import Contract
from evalkit.errors import StudyError
from evalkit.study import Programme, RfgvSpec, Shape, Synthetic
from evalkit.synthetic.allocation import allocate
from evalkit.synthetic.assessing import abused, assess
from evalkit.synthetic.enrolment import Enrolment, enrol
from evalkit.synthetic.groups import fill_groups
from evalkit.synthetic.records import Names, custody, incidents, names, people, person_links
from evalkit.synthetic.severity import Severity, draw_severity
from evalkit.synthetic.truth import Period, counterfactual, estimands
from evalkit.synthetic.world import World, draw_world
from evalkit.synthetic.writing import refuse_unusable, write

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MadeUp", "Period", "generate", "refuse_unusable", "write"]

CANARY_PEOPLE = 3
IDS = (
    "person_id", "record_id", "incident_id", "victim_id", "episode_id", "referral_id", "session_id", "group_id",
    "hearing_id", "assessment_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUp:
    """Made-up extracts.

    Attributes
    ----------
    tables : mapping of str to pandas.DataFrame
        The tables of this way in by name, typed, with the columns of their contracts.
    truth : dict
        `estimands`, the true effects, and `canaries`, ids of people who were chosen: found outside the extracts they
        show a leak.
    people_truth : pandas.DataFrame
        One row per person chosen from a list and run date, or in the programme by another way: what is expected of
        them, and what would be if they had not been chosen that day.
    extract_date : date
        The first day that the extracts do not include.
    """

    tables: Mapping[str, pd.DataFrame]
    truth: dict[str, Any]
    people_truth: pd.DataFrame
    extract_date: date


def generate(settings: Synthetic, spec: RfgvSpec, root: Path, periods: Sequence[Period] = ()) -> MadeUp:
    """Return the made-up extracts of these settings; on a monthly list, people are chosen by this score.

    The truth is told for each period (its name, first and last day), or for one called `all` over the whole enrolment.
    The same settings make the same bytes; another `effect` changes nothing of anybody but what it prevents, and what
    follows from that. People and records are the same whatever the `shape`. The criteria of a group, and who judges
    abuse, are those of the programme's file.
    """
    world = draw_world(settings)
    ids = names(settings, world)
    known = {
        "people": people(settings, world, ids),
        "person_links": person_links(world, ids),
        "incidents": incidents(settings, world, ids),
    }
    is_seen = settings.assessments or settings.shape is not Shape.tasking
    severity = draw_severity(settings, world) if is_seen else None
    enrolment = _enrolled(settings, spec, root, world, ids, known, severity)
    happens = enrolment.happens[known["incidents"]["event"]]
    tables = {
        "people": known["people"].sort_values("person_id"),
        "person_links": known["person_links"].sort_values("person_id"),
        "incidents": known["incidents"][happens],
        **enrolment.tables,
        "custody": custody(settings, world, ids, enrolment.held),
    }
    people_truth = counterfactual(settings, spec, root, world, ids, known, enrolment)
    if settings.assessments and severity:
        judges = _reporters(settings, root)
        tables |= assess(settings, settings.assessments, judges, world, ids, severity, enrolment)
        if settings.shape is not Shape.tasking:
            told = enrolment.cases[enrolment.cases["told"]]
            person, day = told["person"].to_numpy(), told["day"].to_numpy()
            high = abused(settings, settings.assessments, judges[0], world, severity, person, day)
            people_truth = people_truth.assign(**high)
    tables = {name: _as_contracted(root, name, frame) for name, frame in tables.items()}
    truth = {
        "estimands": list(estimands(settings, people_truth, periods or [("all", date.min, settings.extract_date)])),
        "canaries": sorted(set(_canaries(tables))),
    }
    return MadeUp(tables=tables, truth=truth, people_truth=people_truth, extract_date=settings.extract_date)


def _enrolled(
    settings: Synthetic, spec: RfgvSpec, root: Path, world: World, ids: Names, known: Mapping[str, pd.DataFrame],
    severity: Severity | None,
) -> Enrolment:  # fmt: skip
    if severity is None or settings.shape is Shape.tasking:
        return enrol(settings, spec, root, world, ids, known)
    if settings.shape is Shape.allocation:
        return allocate(settings, world, ids, known, severity)
    criteria = Programme.read(settings.programme, root).eligibility
    return fill_groups(settings, criteria, world, ids, known, severity)


def _reporters(settings: Synthetic, root: Path) -> tuple[str, ...]:
    """Who judges abuse, the one trusted most first."""
    programme = Programme.read(settings.programme, root)
    if programme.assessments is None:
        raise StudyError(
            f"assessments: params/programmes/{programme.slug}.yaml has no setting 'assessments', so nobody is known to "
            "judge abuse. Leave the setting out, or name the reporters there."
        )
    return programme.assessments.reporters


def _as_contracted(root: Path, name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of the table's contract, in its order, and those that it allows beside them.

    What is not made up is empty.
    """
    contract = Contract.read(root / "data_contracts" / f"{name}.odcs.yaml")
    listed = [field.name for field in contract.fields]
    beside = [column for column in frame.columns if column not in listed and contract.field(column)]
    return frame.reindex(columns=[*listed, *beside]).reset_index(drop=True)


def _canaries(tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """Ids of every kind, of some people who were taken on or compared."""
    episodes = tables["episodes"]
    taken = episodes.sort_values("person_id").drop_duplicates("person_id").head(CANARY_PEOPLE)
    for name, frame in tables.items():
        rows = frame[frame["kind"].eq("group")] if name == "sessions" else frame
        key = "person_id" if "person_id" in rows else "episode_id"
        theirs = rows[rows[key].isin(taken[key])].drop_duplicates(key)
        for kind in theirs.columns[theirs.columns.isin(IDS)]:
            yield from theirs[kind].dropna()
