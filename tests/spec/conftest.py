"""Spec tests draw their data: a table of text, whose remark column is part of the definition."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evalkit import cohort, matching
from evalkit.matching import Comparison
from evalkit.outcomes import reoffending
from evalkit.results import Result
from evalkit.store import Store
from evalkit.study import Study, Suite

DEFAULTS = {
    "programme": "rossi-aid", "area": "trial-site", "period": "trial", "index_date": "1976-01-01",
    "observed_until": "1976-12-31", "first_event_on": "", "x_age": "30", "x_race": "1", "x_wexp": "0", "x_mar": "0",
    "x_paro": "1", "x_prio": "2",
}  # fmt: skip


class Drawn:
    """A study on the people of a drawn table."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.store = Store.open(study)
        self.cohort = cohort.build(self.store, study)

    @property
    def comparison(self) -> Comparison:
        return matching.match(self.cohort, self.study)

    @property
    def results(self) -> dict[str, Result]:
        found = reoffending.estimate(self.comparison, self.store, self.study)
        return {result.id.removeprefix("reoffending."): result for result in found}

    def events(self, horizon_days: int) -> dict[str, list[int]]:
        """Events and people of each arm, programme first."""
        arms = self.results[f"any_event.{horizon_days}.risk_difference"].arms
        return {"events": [arm.events for arm in arms], "people": [arm.people for arm in arms]}


@pytest.fixture
def drawn(project) -> Callable[..., Drawn]:
    """`drawn(table, **choices)`: the rows as an extract, and the demo study with those choices."""

    def make(table: str, **choices: object) -> Drawn:
        rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines() if "---" not in line]
        names, cells = rows[0][:-1], [row[: len(rows[0]) - 1] for row in rows[1:]]
        people = [DEFAULTS | dict(zip(names, row, strict=True)) for row in cells]
        columns = ["person_id", "arm", *DEFAULTS]
        lines = [",".join(columns), *(",".join(person[column] for column in columns) for person in people)]
        (project.root / "tests/data/rossi/ready_cohort.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        [study] = Suite.read("rossi").studies()
        return Drawn(study.exploring(**choices) if choices else study)

    return make
