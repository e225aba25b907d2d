"""Spec tests draw their data: a table of text, whose remark column is part of the definition."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from evalkit import cohort, matching
from evalkit.matching import Comparison
from evalkit.outcomes import reoffending
from evalkit.results import Result
from evalkit.store import Store
from evalkit.study import Programme, Study, Suite

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


HEADINGS = {
    "people": "person_id,birth_year,sex,ethnicity_group,area,died_on,left_force_on",
    "person_links": "person_id,same_as,strength",
    "incidents": "record_id,incident_id,person_id,role,victim_id,occurred_on,recorded_on,cancelled_on,record_type,"
    "offence_code,offence_code_system,is_domestic_abuse,area",
    "selections": "person_id,run_date,route,selected,exclusion_reason,rank,score,distance_to_line",
    "episodes": "episode_id,person_id,programme,arm,allocated_on,accepted_on,started_on,discharged_on,discharge_reason,"
    "police_link,area",
    "custody": "person_id,from_on,until_on,kind",
    "referrals": "referral_id,person_id,programme,route,referred_on,decision,decided_on,decline_reason",
    "sessions": "session_id,episode_id,group_id,held_on,kind,attended",
    "hearings": "hearing_id,person_id,victim_id,panel,heard_on",
    "victims": "victim_id,episode_id,supported",
    "abuse_assessments": "assessment_id,episode_id,victim_id,timepoint,interim_number,assessed_on,window_days,reporter,"
    "abuse_type,level",
    "risk_assessments": "assessment_id,episode_id,person_id,timepoint,reporter,tool,band,change,assessed_on",
}
USUAL = {
    "people": {"birth_year": "1985", "sex": "male", "ethnicity_group": "not_held", "area": "corwick"},
    "person_links": {"strength": "certain"},
    "incidents": {
        "role": "suspect", "record_type": "crime", "offence_code": "8N", "offence_code_system": "HO_class",
        "is_domestic_abuse": "yes", "area": "corwick",
    },
    "selections": {"run_date": "2022-04-01", "route": "rfgv", "selected": "yes"},
    "episodes": {"arm": "programme", "police_link": "linked", "area": "corwick"},
    "custody": {"kind": "remand"},
    "referrals": {"route": "partner_agency", "decision": "accepted"},
    "sessions": {"kind": "group", "attended": "yes"},
    "hearings": {"panel": "marac"},
    "victims": {"supported": "yes"},
    "abuse_assessments": {"window_days": "91", "reporter": "idva"},
    "risk_assessments": {"reporter": "idva", "tool": "idva_judgement"},
}  # fmt: skip
KEYS = {
    "incidents": "record_id", "episodes": "episode_id", "referrals": "referral_id", "sessions": "session_id",
    "hearings": "hearing_id", "abuse_assessments": "assessment_id", "risk_assessments": "assessment_id",
}  # fmt: skip
OF_PROGRAMME = ("episodes", "referrals")


class Recorded:
    """The cohort of a drawn set of police records."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.store = Store.open(study)

    @property
    def cohort(self) -> cohort.Cohort:
        return cohort.build(self.store, self.study)

    @property
    def sides(self) -> dict[tuple[str, str], str]:
        """Which side each person is on, by person and run date."""
        rows = self.cohort.people
        return {
            (person, f"{day:%Y-%m-%d}"): arm
            for person, day, arm in rows[["person_id", "index_date", "arm"]].itertuples(index=False)
        }

    @property
    def flow(self) -> dict[str, tuple[int | None, int | None, int | None]]:
        """Both sides together, the programme and the comparison at each step."""
        return {count.step: (count.total, count.programme, count.comparison) for count in self.cohort.flow}

    @property
    def comparison(self) -> Comparison:
        return matching.match(self.cohort, self.study)

    @property
    def results(self) -> dict[str, Result]:
        found = reoffending.estimate(self.comparison, self.store, self.study)
        return {result.id.removeprefix("reoffending."): result for result in found}

    def known(self, person: str, day: str = "2022-04-01") -> dict[str, object]:
        """What was known of a person on a run date."""
        rows = self.cohort.people
        [row] = rows[(rows["person_id"] == person) & (rows["index_date"] == day)].to_dict("records")
        return row


@pytest.fixture
def tasked(project) -> Callable[..., Recorded]:
    """`tasked(incidents=table, ...)`: the tables drawn as extracts, and the study of all areas of the suite 'demo'.

    Everybody whom a table names has a row in people, and two old incidents with two victims that make them eligible,
    unless the table of people says otherwise. A list was made on the first of every month from January 2022.
    """

    def make(*, eligible: bool = True, **given: object) -> Recorded:
        choices = _extracted(project, "matac", given, eligible=eligible)
        return Recorded(Suite.read("demo").studies()[0].exploring(**choices))

    return make


SPRING = {"name": "spring", "label": "April to June 2022", "first_day": "2022-04-01", "last_day": "2022-06-30"}


@pytest.fixture
def enrolled(project) -> Callable[..., Recorded]:
    """`enrolled("drive", episodes=table, ...)`: likewise, of a suite whose people come from its programme's spells.

    In the two areas of the suite 'demo' and in the spring of 2022.
    """

    def make(suite: str, *, eligible: bool = True, **given: object) -> Recorded:
        choices = _extracted(project, suite, given, eligible=eligible)
        areas = [area.model_dump(mode="json") for area in Suite.read("demo").studies()[0].areas]
        settled = {"areas": areas, "period": SPRING, "as_of": "2026-03-31"}
        return Recorded(Suite.read(suite).studies()[0].exploring(**settled | choices))

    return make


def _extracted(project, programme: str, given: dict[str, object], *, eligible: bool) -> dict[str, object]:
    """Write the drawn tables as extracts; the choices that are left, with the folder of these."""
    drawn_tables = {name: _rows_of(str(given.pop(name, ""))) for name in HEADINGS if name in given}
    names = sorted({row["person_id"] for rows in drawn_tables.values() for row in rows if row.get("person_id")})
    told = {row["person_id"] for row in drawn_tables.get("people", [])}
    sent = {*Programme.read(programme, project.root).tables, *drawn_tables}
    tables = {name: drawn_tables.get(name, []) for name in HEADINGS if name in sent}
    tables["people"] = [*tables["people"], *({"person_id": name} for name in names if name not in told)]
    if eligible:
        tables["incidents"] = [*_two_old(names), *tables["incidents"]]
    folder = project.root / "extracts"
    folder.mkdir(exist_ok=True)
    for name, rows in tables.items():
        usual = USUAL[name] | ({"programme": programme} if name in OF_PROGRAMME else {})
        _write(folder / f"{name}.csv", HEADINGS[name].split(","), usual, KEYS.get(name), rows)
    (folder / "extract.yaml").write_text("extract_date: 2026-04-01\n", encoding="utf-8")
    return {"data": "extracts", **given}


def _rows_of(table: str) -> list[dict[str, str]]:
    lines = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines() if "---" not in line]
    return [dict(zip(lines[0][:-1], line[: len(lines[0]) - 1], strict=True)) for line in lines[1:]] if lines else []


def _two_old(names: list[str]) -> list[dict[str, str]]:
    """Two incidents with two victims in July 2021; and one of April 2020, so that the area's records reach back."""
    old = [("2020-04-01", "far"), ("2021-07-01", "one"), ("2021-07-15", "other")]
    return [
        {"person_id": name, "occurred_on": day, "victim_id": f"victim-{name}-{which}"}
        for name, (day, which) in itertools.product(names, old)
    ]


def _write(file, columns: list[str], usual: dict[str, str], key: str | None, rows: list[dict[str, str]]) -> None:
    lines = [",".join(columns)]
    for number, row in enumerate(rows):
        full = usual | ({key: f"{key[:3]}-{number:04}"} if key else {}) | row
        if "occurred_on" in full:
            known = (date.fromisoformat(full["occurred_on"]) + timedelta(days=1)).isoformat()
            full = {"incident_id": f"inc-{number:04}", "recorded_on": known} | full
        lines.append(",".join(full.get(column, "") for column in columns))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
