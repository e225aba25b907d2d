"""Made-up police data with a truth that is known: people, records, monthly lists, episodes and custody.

    made = generate(settings, spec, root)    the tables, and what the programme changed
    write(made, folder)                      the extracts as files, and truth.json beside them

The world without the programme comes first and does not know of it (`world`), then what the police hold of it
(`records`); then the programme, month by month, by the score that everybody else uses (`enrolment`); then what those
who were chosen would have done if they had not been (`truth`). Nothing in it is about anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.contracts import Contract
from evalkit.study import RfgvSpec, Synthetic
from evalkit.synthetic.enrolment import enrol
from evalkit.synthetic.records import custody, days, incidents, names, people, person_links
from evalkit.synthetic.truth import Period, counterfactual, estimands
from evalkit.synthetic.world import draw_world
from evalkit.synthetic.writing import refuse_unusable, write

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MadeUp", "Period", "generate", "refuse_unusable", "write"]

CANARY_PEOPLE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUp:
    """Made-up extracts.

    Attributes
    ----------
    tables : mapping of str to pandas.DataFrame
        The six tables by name, typed, with the columns of their contracts.
    truth : dict
        `estimands`, the true effects, and `canaries`, ids of people who were chosen: found outside the extracts they
        show a leak.
    people_truth : pandas.DataFrame
        One row per person chosen from a list and run date: what is expected of them, chosen and not chosen that day.
    extract_date : date
        The first day that the extracts do not include.
    """

    tables: Mapping[str, pd.DataFrame]
    truth: dict[str, Any]
    people_truth: pd.DataFrame
    extract_date: date


def generate(settings: Synthetic, spec: RfgvSpec, root: Path, periods: Sequence[Period] = ()) -> MadeUp:
    """Return the made-up extracts of these settings, with people chosen by this score.

    The truth is told for each period (its name, first and last day), or for one called `all` over the whole enrolment.
    The same settings make the same bytes; another `effect` changes nothing of anybody but what it prevents, and what
    follows from that.
    """
    world = draw_world(settings)
    ids = names(settings, world)
    known = {
        "people": people(settings, world, ids),
        "person_links": person_links(world, ids),
        "incidents": incidents(settings, world, ids),
    }
    enrolment = enrol(settings, spec, root, world, ids, known)
    happens = enrolment.happens[known["incidents"]["event"]]
    run_date = days(settings, enrolment.selections["day"].to_numpy())
    tables = {
        "people": known["people"].sort_values("person_id"),
        "person_links": known["person_links"].sort_values("person_id"),
        "incidents": known["incidents"][happens],
        "selections": enrolment.selections.assign(run_date=run_date),
        "episodes": enrolment.episodes,
        "custody": custody(settings, world, ids, enrolment.held),
    }
    tables = {name: _as_contracted(root, name, frame) for name, frame in tables.items()}
    people_truth = counterfactual(settings, spec, root, world, ids, known, enrolment)
    whole = ("all", settings.first_run_date, settings.months[-1] + timedelta(days=27))
    truth = {
        "estimands": list(estimands(settings, people_truth, periods or [whole])),
        "canaries": sorted(set(_canaries(tables))),
    }
    return MadeUp(tables=tables, truth=truth, people_truth=people_truth, extract_date=settings.extract_date)


def _as_contracted(root: Path, name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of the table's contract, in its order; those that are not made up are empty."""
    contract = Contract.read(root / "data_contracts" / f"{name}.odcs.yaml")
    return frame.reindex(columns=[field.name for field in contract.fields]).reset_index(drop=True)


def _canaries(tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """Ids of every kind, of some people who were chosen."""
    episodes, incidents = tables["episodes"], tables["incidents"]
    taken = episodes.sort_values("person_id").drop_duplicates("person_id").head(CANARY_PEOPLE)
    theirs = incidents[incidents["person_id"].isin(taken["person_id"])].drop_duplicates("person_id")
    for frame, kinds in ((taken, ("episode_id", "person_id")), (theirs, ("record_id", "incident_id", "victim_id"))):
        for kind in kinds:
            yield from frame[kind].dropna()
