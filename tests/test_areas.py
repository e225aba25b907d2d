"""A suite of several areas: all together carry the conclusion, each area alone none."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from evalkit import runner

pytestmark = pytest.mark.whole

SECOND = "areas:\n  - {slug: b-side, label: B side, force: not held, programme_first_day: {rossi-aid: 1976-01-01}}"


@pytest.fixture(scope="module")
def two_areas(tmp_path_factory, copied) -> Path:
    """The trial as if every second man belonged to another area."""
    project = copied(tmp_path_factory.mktemp("areas") / "project")
    project.edit("params/areas.yaml", "areas:", SECOND)
    project.change("params/suites/rossi.yaml", areas=["trial-site", "b-side"], notebooks=[project.short_report()])
    file = project.root / "tests/data/rossi/ready_cohort.csv"
    header, *rows = file.read_text(encoding="utf-8").splitlines()
    rows[::2] = [row.replace("trial-site", "b-side") for row in rows[::2]]
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    assert project.evalkit("lock", "rossi").returncode == 0
    run = project.evalkit("run", "rossi")
    assert run.returncode == 0, run.stderr
    return project.root / "outputs/rossi/1976-12-31/public"


def _findings(edition: Path, area: str) -> dict[str, dict]:
    rows = json.loads((edition / "rossi-aid" / area / "trial/findings.json").read_text(encoding="utf-8"))
    return {row["id"]: row for row in rows}


def test_only_the_reports_of_named_areas_and_periods_are_chosen():
    page = SimpleNamespace(study=SimpleNamespace(area="b-side", period=SimpleNamespace(name="trial")))
    for areas, periods, chosen in (
        ((), (), True), (("b-side",), (), True), (("all",), (), False), ((), ("trial",), True),
        (("b-side",), ("late",), False),
    ):  # fmt: skip
        assert runner._is_chosen(page, SimpleNamespace(areas=areas, periods=periods)) == chosen  # type: ignore[arg-type]


def test_only_all_areas_together_carry_an_effect_and_its_p_value(two_areas):
    edition = two_areas
    main = "reoffending.any_event.364.risk_difference"
    assert _findings(edition, "all")[main]["p_adjusted"] is not None
    for area in ("b-side", "trial-site"):
        found = _findings(edition, area)[main]
        assert (found["status"], found["value"], found["p_value"], found["p_adjusted"]) == (
            "withheld",
            None,
            None,
            None,
        )


def test_people_of_the_areas_add_up_to_those_of_all(two_areas):
    edition = two_areas
    totals = {
        area: _findings(edition, area)["flow.analysed"]["rows"][0]["total"] for area in ("all", "b-side", "trial-site")
    }
    assert totals == {"all": 432, "b-side": 216, "trial-site": 216}


def test_an_area_alone_never_goes_beyond_leaving_it_open(two_areas):
    edition = two_areas
    for area in ("b-side", "trial-site"):
        assert {row["tier"] for row in _findings(edition, area).values()} <= {None, "T0", "T1", "T2"}
