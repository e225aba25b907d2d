"""How abuse is counted as assessed: whose judgement, of which case, at which point, and when nothing may be told."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from evalkit.matching import Comparison
from evalkit.outcomes import abuse_types
from evalkit.outcomes.abuse_types.assessments import Assessed, assessed
from evalkit.outcomes.abuse_types.compared import at_risk
from evalkit.results import (
    ABUSE_TYPES,
    COMPARISON,
    PROGRAMME,
    Design,
    Detectable,
    Estimate,
    ExpectedShare,
    Followed,
    Gate,
    NotEstimable,
    ReportersAgree,
    Result,
    Transition,
)
from evalkit.store import Store
from evalkit.study import Areas, Programme, Study

INDEX = date(2022, 5, 2)
HEADINGS = {
    "abuse_assessments": "assessment_id,episode_id,victim_id,timepoint,interim_number,assessed_on,window_days,reporter,"
    "abuse_type,level",
    "victims": "victim_id,episode_id,first_contacted_on,supported",
}
OUTCOMES = [
    {"strand": "abuse_types", "name": "high_abuse", "planned": "primary"},
    {"strand": "abuse_types", "name": "level_change", "planned": "secondary"},
]
CHOICES = {
    "suite": "drawn", "title": "Drawn", "question": "Drawn?", "as_of": "2026-03-31", "data": "extracts",
    "horizon_days": 182, "outcomes": OUTCOMES,
    "period": {"name": "drawn", "label": "2022", "first_day": "2022-01-01", "last_day": "2022-12-31"},
}  # fmt: skip
Row = dict[str, object]


class Judged:
    """Drawn assessments of cases, and the study that reads them."""

    def __init__(self, study: Study, arms: dict[str, str]) -> None:
        self.study = study
        self.store = Store.open(study)
        self.arms = arms

    @property
    def comparison(self) -> Comparison:
        """The cases as allocated, all on one index date and in one area; a design with nothing against it."""
        design = self.study.programme.design
        labels = (PROGRAMME,) if design == "single_group" else (PROGRAMME, COMPARISON)
        rows = pd.DataFrame({"episode_id": list(self.arms), "arm": list(self.arms.values())})
        people = rows.assign(
            person_id="P-" + rows["episode_id"],
            cluster_id="P-" + rows["episode_id"],
            area=self.study.areas[0].slug,
            index_date=pd.Timestamp(INDEX),
            days_followed=900,
            match_weight=1.0,
        )
        followed = tuple(Followed(label=label, allocated=0, followed=0) for label in labels)
        plan = Design(assignment=design, plan="not_locked", followed=followed)
        return Comparison(people=people, balance=(), design=plan)

    @functools.cached_property
    def results(self) -> dict[str, Result]:
        found = abuse_types.estimate(self.comparison, self.store, self.study)
        return {result.id.removeprefix("abuse_types."): result for result in found}

    @property
    def assessed(self) -> Assessed:
        return assessed(self.comparison, self.store, self.study)

    @property
    def events(self) -> dict[str, float | None]:
        """Whether any type was high on the day of assessment by the adviser, by case; None where it is not known."""
        return at_risk(self.assessed, "idva").set_index("episode_id")["event"].replace({np.nan: None}).to_dict()

    def moved(self, kind: str, reporter: str = "idva", arm: str = PROGRAMME) -> tuple[tuple[int, ...], ...]:
        """From which level to which, a row a level at intake; the last column: not assessed later."""
        result = self.results[f"{kind}.332.transition.{reporter}.{arm}"]
        assert isinstance(result, Transition)
        return result.counts


@pytest.fixture
def judged(project) -> Callable[..., Judged]:
    """`judged(rows, arms=...)`: assessments as an extract, and a study of a programme that is compared on day 332."""

    def make(
        rows: str | Iterable[Row],
        *,
        arms: dict[str, str] | None = None,
        supported: Iterable[str] | None = None,
        design: str = "randomised",
        one_area: bool = False,
        assessments: Row | None = None,
    ) -> Judged:
        drawn = _drawn(rows) if isinstance(rows, str) else list(rows)
        told = {str(row["episode_id"]) for row in drawn}
        arms = arms or dict.fromkeys(sorted(told), PROGRAMME)
        whose = list(arms) if supported is None else list(supported)
        tables = {
            "abuse_assessments": [_assessment(number, row) for number, row in enumerate(drawn)],
            "victims": [{"victim_id": f"V-{name}", "episode_id": name, "supported": "yes"} for name in whose],
        }
        folder = project.root / "extracts"
        folder.mkdir(exist_ok=True)
        for name, heading in HEADINGS.items():
            lines = [",".join(str(row.get(column, "")) for column in heading.split(",")) for row in tables[name]]
            (folder / f"{name}.csv").write_text("\n".join([heading, *lines]) + "\n", encoding="utf-8")
        (folder / "extract.yaml").write_text("extract_date: 2026-04-01\n", encoding="utf-8")
        programme = Programme.read("matac", project.root).model_dump(mode="json") | {
            "design": design,
            "source": "police_records" if design == "sequential_trials" else "episodes",
            "comparator": "usual care",
            "assessments": assessments,
        }
        places = [area.model_dump(mode="json") for area in Areas.read(project.root).areas[: 1 if one_area else 2]]
        study = Study.model_validate(
            CHOICES | {"programme": programme, "area": str(places[0]["slug"]) if one_area else "all", "areas": places}
        )
        return Judged(study, arms)

    return lambda rows, **more: make(rows, **({"assessments": IDVA_FIRST} | more))


IDVA_FIRST = {"reporters": ["idva", "victim", "practitioner"], "assessment_day": 332, "tolerance_days": 42}


def _drawn(table: str) -> list[Row]:
    lines = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines() if "---" not in line]
    return [dict(zip(lines[0][:-1], line[: len(lines[0]) - 1], strict=True)) for line in lines[1:]]


def _assessment(number: int, row: Row) -> Row:
    """A row of the extract; `day` counts from the index date, and the usual assessment is an exit on day 332."""
    usual = {"timepoint": "exit", "reporter": "idva", "abuse_type": "physical", "window_days": 91}
    full = usual | {name: value for name, value in row.items() if value != ""}
    day = full.pop("day", 7 if full["timepoint"] == "intake" else 332)
    full |= {"assessment_id": f"abu-{number:06}", "assessed_on": INDEX + timedelta(days=int(str(day)))}
    return {"victim_id": f"V-{full['episode_id']}"} | full


def both_ends(case: str, intake: str, later: str | None, **more: object) -> list[Row]:
    """A case judged at intake, and at its exit unless `later` is None: the type as told, the other three at none."""
    kind = more.pop("abuse_type", "physical")
    rows: list[Row] = [
        {"episode_id": case, "timepoint": timepoint, "abuse_type": each, "level": level if each == kind else "none"}
        for timepoint, level in (("intake", intake), ("exit", later))
        for each in ABUSE_TYPES
        if level
    ]
    return [row | more for row in rows]


def test_a_case_moves_from_its_level_at_intake_to_that_at_exit_and_the_missing_have_a_column_of_their_own(judged):
    found = judged("""
        episode_id | timepoint | level     |
        -----------|-----------|-----------|
        A          | intake    | high      |
        A          | exit      | none      | fell to no abuse
        B          | intake    | high      |
        B          | exit      | not_known | not known is missing, never none
        C          | intake    | high      | never assessed again: missing
        D          | intake    | none      |
        D          | exit      | moderate  | worse
        E          | intake    | not_known | not judged at intake: not of the denominator
        E          | exit      | none      |
        F          | exit      | high      | nor is F
    """)
    assert found.moved("physical") == ((0, 0, 1, 0, 0), (0,) * 5, (0,) * 5, (1, 0, 0, 0, 2))
    result = found.results["physical.332.transition.idva.programme"]
    assert (result.high_change.value, result.any_change.value) == (-0.5, 0.0)  # of A and D, who were judged twice


def test_the_level_of_a_case_is_the_worst_over_its_victims_and_missing_where_one_of_them_was_lost(judged):
    found = judged("""
        episode_id | victim_id | timepoint | level     |
        -----------|-----------|-----------|-----------|
        A          | V         | intake    | standard  |
        A          | W         | intake    | high      | the worse of two
        A          | V         | exit      | moderate  |
        A          | W         | exit      | none      | the worse of two
        B          | V         | intake    | high      |
        B          | W         | intake    | none      |
        B          | W         | exit      | none      | V was lost: what V would have said may be worse
        C          | V         | intake    | high      |
        C          | W         | intake    | none      |
        C          | W         | exit      | high      | V was lost, but nothing is worse than high
        D          | V         | intake    | moderate  |
        D          | W         | intake    | not_known | never judged at intake, so nobody was lost
        D          | V         | exit      | standard  |
    """)
    assert found.moved("physical") == ((0,) * 5, (0,) * 5, (0, 1, 0, 0, 0), (0, 0, 1, 1, 1))


def test_without_any_exit_the_last_later_assessment_stands_for_it_and_the_method_says_so(judged):
    found = judged("""
        episode_id | timepoint | interim_number | day | level    |
        -----------|-----------|----------------|-----|----------|
        A          | intake    |                | 7   | high     |
        A          | interim   | 1              | 90  | moderate |
        A          | interim   | 2              | 180 | standard | the last
    """)
    assert found.moved("physical")[3] == (0, 1, 0, 0, 0)
    assert "at the last assessment after intake" in found.results["physical.332.transition.idva.programme"].method


def test_whose_day_of_assessment_is_not_over_is_neither_counted_nor_lost(judged):
    found = judged(both_ends("A", "high", None))
    later = found.study.exploring(as_of=(INDEX + timedelta(days=332 + 42 + 28)).isoformat())
    sooner = found.study.exploring(as_of=(INDEX + timedelta(days=332 + 42 + 27)).isoformat())
    counted = [abuse_types.estimate(found.comparison, found.store, each) for each in (later, sooner)]
    assert [sum(isinstance(one, Transition) for one in each) for each in counted] == [4, 0]


def _allocated(kinds: Iterable[tuple[str, str, str | None, int]]) -> tuple[list[Row], dict[str, str]]:
    """Cases by (arm, level at intake, level later, how many), every type but the physical at none."""
    rows: list[Row] = []
    arms: dict[str, str] = {}
    for place, (arm, intake, later, cases) in enumerate(kinds):
        for number in range(cases):
            name = f"{place}-{number}"
            arms[name] = arm
            rows += both_ends(name, intake, later)
    return rows, arms


SIXTY_EACH = (
    (PROGRAMME, "high", "high", 10), (PROGRAMME, "high", "none", 30), (PROGRAMME, "moderate", "none", 20),
    (COMPARISON, "high", "high", 20), (COMPARISON, "high", "none", 20), (COMPARISON, "moderate", "none", 15),
    (COMPARISON, "moderate", "high", 5),
)  # fmt: skip
A2 = "high_abuse.332.risk_difference"


def test_the_sides_differ_in_the_share_with_any_type_at_a_high_level_on_the_day_of_assessment(judged):
    rows, arms = _allocated(SIXTY_EACH)
    found = judged(rows, arms=arms)
    result = found.results[A2]
    assert [(arm.label, arm.people, arm.events) for arm in result.arms] == [(PROGRAMME, 60, 10), (COMPARISON, 60, 25)]
    assert result.value == pytest.approx(10 / 60 - 25 / 60, abs=1e-6)  # both began alike, so nothing is to be adjusted
    assert result.low < result.value < result.high < 0 < 0.05 > result.p_value
    assert result.per_hundred == pytest.approx((100 * 10 / 60, 100 * 25 / 60), abs=1e-4)
    assert (result.population, result.planned, result.left_out) == ("itt", "primary", ())
    assert result.design.followed == tuple(
        Followed(label=arm, allocated=60, followed=60) for arm in (PROGRAMME, COMPARISON)
    )
    assert f"{A2}.missing_bounds" not in found.results  # nobody is missing
    seen = found.results["high_abuse.332.detectable"]
    assert isinstance(seen, Detectable)
    assert (seen.typical, seen.people_programme) == (35 / 120, 60)
    gates = [one for one in found.results.values() if isinstance(one, Gate)]
    assert [(gate.name, gate.part, gate.of, gate.passed) for gate in gates] == [
        ("coverage", 120, 120, True),
        ("same_reporter", 120, 120, True),
        ("equal_windows_idva", 120, 120, True),
    ]


def test_the_assessment_nearest_to_the_day_counts_and_one_beyond_the_tolerance_does_not(judged):
    cases = [
        ("A", [(289, "none")], None),  # 43 days too early
        ("B", [(290, "high")], 1.0),  # 42 days
        ("C", [(300, "none"), (340, "high")], 1.0),  # 8 days off against 32
        ("D", [(330, "high"), (334, "none")], 1.0),  # as near: the earlier
        ("E", [(374, "none")], 0.0),
        ("F", [(375, "none")], None),
    ]
    rows = [row for name, _, _ in cases for row in both_ends(name, "high", None)]
    rows += [
        row | {"timepoint": "follow_up", "day": day}
        for name, days, _ in cases
        for day, level in days
        for row in both_ends(name, level, None)
    ]
    found = judged(rows)
    assert found.events == {name: event for name, _, event in cases}


def test_no_type_is_high_only_where_all_four_are_known(judged):
    known = both_ends("A", "high", "none")
    unknown = [
        row | {"episode_id": "B"} for row in known if (row["timepoint"], row["abuse_type"]) != ("exit", "sexual")
    ]
    high = [row | {"episode_id": "C"} for row in unknown]
    high[-1] = high[-1] | {"level": "high"}
    assert judged([*known, *unknown, *high]).events == {"A": 0.0, "B": None, "C": 1.0}


MISSING_MORE_WHERE_WORSE = (*SIXTY_EACH, (PROGRAMME, "high", None, 20), (COMPARISON, "high", None, 5))


def test_missing_assessments_stand_beside_the_effect_taken_to_be_worse_and_whatever_they_would_have_shown(judged):
    rows, arms = _allocated(MISSING_MORE_WHERE_WORSE)
    found = judged(rows, arms=arms).results
    main, worse, bounds = found[A2], found[f"{A2}.missing_worse"], found[f"{A2}.missing_bounds"]
    assert _not_known(main) == (25, 145)
    assert any("taken from others like them" in caveat for caveat in main.caveats)
    assert worse.value > main.value  # more of the programme are missing
    assert (bounds.low, bounds.high) == pytest.approx((10 / 80 - 30 / 65, 30 / 80 - 25 / 65))
    assert (bounds.value, bounds.p_value, bounds.planned, worse.planned) == (
        main.value,
        None,
        "exploratory",
        "exploratory",
    )


def test_an_effect_is_refused_where_more_than_two_in_five_of_a_group_are_missing(judged):
    rows, arms = _allocated([*SIXTY_EACH, (COMPARISON, "high", None, 41)])
    found = judged(rows, arms=arms).results
    assert isinstance(found[A2], NotEstimable)
    assert "more than two cases in five" in found[A2].why
    assert found["physical.332.transition.idva.comparison"].counts[3][-1] == 41  # described all the same


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"design": "single_group", "arms": PROGRAMME}, "there is one group only"),
        ({"one_area": True}, "one area alone cannot carry an effect"),
        ({"design": "sequential_trials", "arms": PROGRAMME}, "nobody of the comparison was assessed"),
    ],
)
def test_no_effect_is_given_without_a_comparison_that_was_assessed_or_of_one_area_alone(judged, changed, words):
    rows, arms = _allocated(SIXTY_EACH)
    if "arms" in changed:
        arms, changed = (
            dict.fromkeys(arms, PROGRAMME),
            {name: value for name, value in changed.items() if name != "arms"},
        )
    found = judged(rows, arms=arms, **changed).results
    assert words in found[A2].why
    assert not any(isinstance(each, Estimate) for each in found.values())
    assert any(isinstance(each, ExpectedShare) for each in found.values())


def test_a_programme_without_assessments_says_so_for_every_planned_outcome(judged):
    found = judged([], arms={"A": PROGRAMME}, assessments=None).results
    assert set(found) == {"high_abuse.182.risk_difference", "level_change.182.share"}
    assert {each.why for each in found.values()} == {"abuse is not assessed in this programme"}


def test_where_nobody_was_assessed_no_outcome_can_be_told(judged):
    found = judged([], arms={"A": PROGRAMME, "B": COMPARISON}).results
    assert {each.why for each in found.values()} == {"nobody was assessed at intake whose day of assessment is over"}


def _not_known(result: Estimate) -> tuple[int, int]:
    """Cases that were not assessed on the day, of how many."""
    allocated = sum(side.allocated for side in result.design.followed)
    return allocated - sum(side.followed for side in result.design.followed), allocated


def test_a_level_of_few_cases_is_modelled_with_its_neighbour(judged):
    rows, arms = _allocated([*SIXTY_EACH, (PROGRAMME, "standard", None, 3)])  # alone nothing would be known of it
    found = judged(rows, arms=arms).results[A2]
    assert isinstance(found, Estimate)
    assert _not_known(found) == (3, 123)


def test_windows_that_differ_by_more_than_a_fifth_make_no_pair(judged):
    found = judged("""
        episode_id | timepoint | level | window_days |
        -----------|-----------|-------|-------------|
        A          | intake    | high  | 100         |
        A          | exit      | none  | 80          | a fifth of the longer
        B          | intake    | high  | 100         |
        B          | exit      | none  | 79          | more: counts as not assessed later
    """)
    gate = found.results["gate.equal_windows_idva"]
    assert (gate.part, gate.of, gate.passed) == (1, 2, False)
    exits = found.assessed.judged.set_index("case")["exit"]
    assert exits.replace({np.nan: None}).to_list() == [0.0, None]


@pytest.mark.parametrize(("unlike", "told"), [(1, True), (2, False)])
def test_a_reporter_tells_of_a_change_only_where_at_most_one_pair_in_twenty_differs_in_windows(judged, unlike, told):
    rows, arms = _allocated(
        [(PROGRAMME, "high", "none", 10), (COMPARISON, "high", "none", 9), (COMPARISON, "high", "high", 1)]
    )
    exits = [row for row in rows if row["timepoint"] == "exit"]
    for row in [row for row in exits if str(row["episode_id"]) in {f"0-{number}" for number in range(unlike)}]:
        row["window_days"] = 30
    by_victims = [row | {"reporter": "victim"} for row in both_ends("0-0", "high", "none")]
    found = judged([*rows, *by_victims], arms=arms).results
    assert found["gate.equal_windows_idva"].passed is told
    assert ("physical.332.transition.idva.programme" in found) is told
    assert isinstance(found.get("level_change_by_idva.332.share"), NotEstimable) is not told
    assert "physical.332.transition.victim.programme" in found  # each reporter stands for itself
    if not told:
        assert "look back equally far" in found[A2].why


def test_nobody_is_compared_across_reporters(judged):
    found = judged("""
        episode_id | reporter | timepoint | level |
        -----------|----------|-----------|-------|
        A          | idva     | intake    | high  |
        A          | victim   | exit      | none  | another reporter: A counts as not assessed later
        B          | victim   | intake    | high  |
        B          | victim   | exit      | none  |
    """)
    assert found.moved("physical", "idva")[3] == (0, 0, 0, 0, 1)
    assert found.moved("physical", "victim")[3] == (1, 0, 0, 0, 0)
    gate = found.results["gate.same_reporter"]
    assert (gate.part, gate.of, gate.passed) == (1, 2, False)


@pytest.mark.parametrize(
    ("by_idva", "primary", "passed"), [(3, "idva", True), (2, "victim", True), (0, "victim", True)]
)
def test_the_effect_is_of_the_first_reporter_who_judged_three_in_five_of_the_cases_with_a_supported_victim(
    judged, by_idva, primary, passed
):
    rows = [row for name in "ABC"[:by_idva] for row in both_ends(name, "high", "none")]
    rows += [row | {"reporter": "victim"} for name in "ABCDE" for row in both_ends(name, "high", "none")]
    found = judged([*rows, *both_ends("F", "high", "none")], supported="ABCDE")  # nobody could have asked F's victim
    assert found.assessed.primary(found.study) == (primary, passed)
    assert found.results["gate.coverage"].passed is passed


def test_where_nobody_judged_enough_the_first_who_judged_anybody_carries_the_effect_with_a_caveat(judged):
    rows, arms = _allocated(SIXTY_EACH)
    by_service = [row | {"reporter": "practitioner"} for row in rows]
    found = judged(by_service, arms=arms).results
    assert "Assessed by the delivering service." in found[A2].caveats
    assert "assessed by the delivering service" in found["physical.332.transition.practitioner.programme"].method
    few = judged(by_service, arms=arms | dict.fromkeys((f"more-{number}" for number in range(100)), PROGRAMME)).results
    assert not few["gate.coverage"].passed
    assert any("fewer than three in five" in caveat for caveat in few[A2].caveats)


def test_the_share_no_longer_high_stands_beside_that_of_the_comparison(judged):
    rows, arms = _allocated(MISSING_MORE_WHERE_WORSE)
    found = judged(rows, arms=arms).results["no_longer_high_physical_by_idva.332.expected_share"]
    assert (found.people, found.people_with, found.not_known, found.value) == (40, 30, 20, 0.75)
    assert found.without == 0.5  # 20 of the 40 of the comparison
    assert (found.without_low, found.without_high) == (12 / 40, 28 / 40)  # 11 and 29 of 40 differ from 20 of 40
    assert found.basis == "people of the comparison group, judged likewise"
    assert [(side.allocated, side.followed) for side in found.design.followed] == [(80, 60), (65, 60)]


def test_no_effect_is_told_where_one_group_is_looked_back_over_farther_than_the_other(judged):
    rows, arms = _allocated(SIXTY_EACH)
    for days, is_told in ((73, True), (72, False)):  # of 91, a fifth and more
        shorter = [row | {"window_days": days} if arms[str(row["episode_id"])] == PROGRAMME else row for row in rows]
        found = judged(shorter, arms=arms).results
        assert found["gate.equal_windows_idva"].passed  # each case alone is looked back over equally far
        assert isinstance(found[A2], Estimate) is is_told
    assert "look back farther" in found[A2].why


def test_no_change_is_told_where_nothing_could_be_expected(judged):
    rows, arms = _allocated([(PROGRAMME, "moderate", "none", 20), (COMPARISON, "moderate", "moderate", 20)])
    found = judged(rows, arms=arms).results
    for arm in (PROGRAMME, COMPARISON):
        moved = found[f"physical.332.transition.idva.{arm}"]
        assert (moved.high_change, moved.any_change) == (None, None)


def test_without_a_comparison_the_share_no_longer_high_stands_beside_a_reckoning(judged):
    cases = [("high", "none", 25), ("high", "high", 15), ("none", "none", 60)]
    rows, arms = _allocated([(PROGRAMME, *case) for case in cases])
    found = judged(rows, arms=arms, design="single_group").results["no_longer_high_physical_by_idva.332.expected_share"]
    assert found.without is None
    assert (found.without_low, found.without_high) == pytest.approx((0.21, 0.86), abs=0.005)  # 40 % high at intake
    assert [side.label for side in found.design.followed] == [PROGRAMME]


def test_two_reporters_agree_as_far_as_their_levels_of_the_same_cases_at_intake_do(judged):
    pairs = [("high", "high"), ("none", "none"), ("moderate", "standard"), ("high", "none")] * 5
    rows = [
        {"episode_id": f"A{place}", "timepoint": "intake", "reporter": reporter, "level": level}
        for place, pair in enumerate(pairs)
        for reporter, level in zip(("idva", "victim"), pair, strict=True)
    ]
    alone = [{"episode_id": "B", "timepoint": "intake", "reporter": "victim", "level": "high"}]  # judged by one
    found = [one for one in judged([*rows, *alone]).results.values() if isinstance(one, ReportersAgree)]
    assert [(one.one, one.other, one.outcome, one.people) for one in found] == [("idva", "victim", "physical", 20)]
    # weights 1 - |i - j| / 3: agreed 2/3 a case; by chance: levels (5, 0, 5, 10) against (10, 5, 0, 5) of 20
    by_chance = sum(
        one * other * (1 - abs(i - j) / 3)
        for (i, one), (j, other) in itertools.product(enumerate((5, 0, 5, 10)), enumerate((10, 5, 0, 5)))
    )
    agreed, chance = 2 / 3, by_chance / 400
    assert found[0].kappa.value == pytest.approx((agreed - chance) / (1 - chance))
