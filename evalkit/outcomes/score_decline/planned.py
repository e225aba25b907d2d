"""Each planned outcome of this strand: its effects, and what describes the programme's people beside them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalkit.matching import Comparison, shared_by, why_no_effect
from evalkit.outcomes.score_decline import described, effects
from evalkit.outcomes.score_decline.clocks import (
    AFTER_DISCHARGE_DAYS,
    READING_DAYS,
    by_discharge,
    by_index,
    everybody,
)
from evalkit.results import NotEstimable, Result
from evalkit.store import Store
from evalkit.study import Outcome, RfgvSpec, Study

if TYPE_CHECKING:
    import pandas as pd

STRAND = "score_decline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One planned outcome with all that it is answered from; `people` hold those an expectation is learnt from too."""

    comparison: Comparison
    people: pd.DataFrame
    outcome: Outcome
    store: Store
    study: Study

    @property
    def horizon_days(self) -> int:
        """Days after the index date, or after discharge."""
        return self.study.horizon_of(self.outcome)

    @property
    def specs(self) -> dict[str, RfgvSpec]:
        """The score by variant of a result: the score in use, and the other reading of it where one is set."""
        police = self.study.programme.recorded
        return {"": police.rfgv} | ({"other_reading": police.also_scored_by} if police.also_scored_by else {})

    def shared(self, name: str, days: int) -> dict[str, Any]:
        """What a result of this name says of itself; what is not the outcome itself, or not in time, is exploratory."""
        own = days == self.horizon_days and not name.startswith("materially")
        return {
            **shared_by(self.comparison, self.outcome, self.study),
            "outcome": name,
            "horizon_days": days,
            "event_label": "score",
            "planned": self.outcome.planned if own else "exploratory",
        }

    def by_index(self, days: tuple[int, ...], variant: str = "") -> pd.DataFrame:
        """Readings so many days after the index date."""
        return by_index(self.people, days, self.store, self.study, self.specs[variant])

    def by_discharge(self, days: tuple[int, ...], variant: str = "") -> pd.DataFrame:
        """Readings so many days after discharge."""
        return by_discharge(self.people, self.comparison, days, self.store, self.study, self.specs[variant])


def results(comparison: Comparison, store: Store, study: Study) -> Iterator[Result]:
    """The results of every planned outcome of this strand: effects where they can be had, and descriptions."""
    outcomes = study.planned_of(STRAND)
    people = everybody(comparison, store, study) if outcomes else comparison.people
    for outcome in outcomes:
        asked = Asked(comparison=comparison, people=people, outcome=outcome, store=store, study=study)
        yield from _OUTCOMES[outcome.name](asked)


def placebo(comparison: Comparison, store: Store, study: Study) -> Iterator[Result]:
    """The difference in the planned mean score of a comparison in which others stand in for those who were chosen."""
    for outcome in study.planned_of(STRAND):
        if outcome.name == "mean_score":
            people = comparison.people
            asked = Asked(comparison=comparison, people=people, outcome=outcome, store=store, study=study)
            shared = asked.shared("mean_score", asked.horizon_days) | {"planned": "exploratory"}
            yield effects.mean_difference(asked.by_index((asked.horizon_days,)), study, shared, "placebo")


def _mean_score(asked: Asked) -> Iterator[Result]:
    days = asked.horizon_days
    if refusal := _refusal(asked, "mean_score", "mean_difference"):
        yield refusal
    else:
        for variant in asked.specs:
            shared = asked.shared("mean_score", days) | ({"planned": "exploratory"} if variant else {})
            yield effects.mean_difference(asked.by_index((days,), variant), asked.study, shared, variant)
    if not asked.comparison.failed:
        yield from described.readings(asked.comparison, asked.store, asked.study)


def _lower_score(asked: Asked) -> Iterator[Result]:
    yield from _shares(asked, asked.by_index, READING_DAYS, ("lower_score", "materially_lower_score"))
    yield from _expected(asked, asked.by_index, "lower_score")


def _after_discharge(asked: Asked) -> Iterator[Result]:
    name, days = "mean_score_after_discharge", asked.horizon_days
    if refusal := _refusal(asked, name, "mean_difference"):
        yield refusal
    else:
        yield effects.mean_difference(asked.by_discharge((days,)), asked.study, asked.shared(name, days))
    yield from _shares(asked, asked.by_discharge, AFTER_DISCHARGE_DAYS, ("lower_score_after_discharge",))
    yield from _expected(asked, asked.by_discharge, "lower_score_after_discharge")


def _shares(
    asked: Asked, taken: Callable[..., pd.DataFrame], days: tuple[int, ...], names: tuple[str, ...]
) -> Iterator[Result]:
    """The difference in each share on every day that was reached, and on the outcome's own in any case."""
    refusals = [_refusal(asked, name, "risk_difference") for name in names]
    if any(refusals):
        yield from filter(None, refusals)
        return
    rows = taken((*days, asked.horizon_days))
    for name, day in itertools.product(names, sorted({*days, asked.horizon_days})):
        of_day = rows[rows["days"] == day]
        if day == asked.horizon_days or effects.is_reached(of_day):
            yield effects.share_difference(of_day, asked.study, asked.shared(name, day))


def _expected(asked: Asked, taken: Callable[..., pd.DataFrame], name: str) -> Iterator[Result]:
    """The share of the programme's people beside the one to be expected, by each reading of the score."""
    if asked.comparison.failed:
        return
    for variant in asked.specs:
        shared = asked.shared(f"{name}_{variant}" if variant else name, asked.horizon_days)
        yield from described.expected(taken((asked.horizon_days,), variant), asked.study, shared, variant)


def _refusal(asked: Asked, name: str, measure: str) -> NotEstimable | None:
    """Why no effect may be told of these people at all."""
    found = why_no_effect(asked.comparison, asked.study)
    if found is None:
        return None
    return NotEstimable(measure=measure, why=found[0], mend=found[1], **asked.shared(name, asked.horizon_days))


_OUTCOMES = {"mean_score": _mean_score, "lower_score": _lower_score, "after_discharge": _after_discharge}
