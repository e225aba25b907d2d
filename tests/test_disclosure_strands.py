"""Levels of abuse and scores: what may be shown of them, and an attacker who has all of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from evalkit import disclosure
from evalkit.disclosure import deciding
from evalkit.results import (
    Arm,
    Count,
    Design,
    Difference,
    Estimate,
    ExpectedShare,
    Finding,
    Followed,
    Interval,
    NotEstimable,
    Readings,
    ReportersAgree,
    Transition,
    decoded,
    encoded,
)
from evalkit.study import Study, Suite

Matrix = tuple[tuple[int, ...], ...]
CELLS = [(first, later) for first in range(4) for later in range(5)]
DESIGN = Design(
    assignment="randomised", plan="locked",
    followed=tuple(Followed(label=arm, allocated=300, followed=270) for arm in ("programme", "comparison")),
)  # fmt: skip
MIXED = ((60, 11, 8, 5, 30), (20, 14, 9, 6, 25), (18, 12, 15, 7, 24), (16, 9, 12, 20, 30))
FULL = tuple(tuple(10 + place for place in range(5)) for _ in range(4))
BEHIND = "fewer than 10 people stand behind one of its figures"


@pytest.fixture
def protected(project) -> Study:
    """A study whose data are not public, all areas together."""
    project.change("params/suites/rossi.yaml", protection="standard", source=None)
    return Suite.read("rossi").studies()[0]


@pytest.fixture
def area(project) -> Study:
    """One of two areas of a study whose data are not public."""
    second = "areas:\n  - {slug: b-side, label: B, force: F, programme_first_day: {rossi-aid: 1976-01-01}}"
    project.edit("params/areas.yaml", "areas:", second)
    project.change("params/suites/rossi.yaml", protection="standard", source=None, areas=["trial-site", "b-side"])
    return Suite.read("rossi").studies()[1]


@pytest.fixture
def areas(project) -> list[Study]:
    """Three areas of one period of a study of made-up data."""
    return [*Suite.read("demo-quarterly").studies()[2:8:2]]


def _interval(value: float) -> Interval:
    return Interval(value=value, low=value - 0.08, high=value + 0.08)


def _transition(counts: Matrix = MIXED, *, arm="programme", kind="physical", reporter="victim") -> Transition:
    twice = sum(sum(row[:4]) for row in counts)
    high = (sum(row[3] for row in counts) - sum(counts[3][:4])) / max(twice, 1)
    some = (sum(counts[0][:4]) - sum(row[0] for row in counts)) / max(twice, 1)
    return Transition(
        strand="abuse_types", outcome=kind, horizon_days=331, arm=arm, judged_by=reporter, counts=counts,
        high_change=_interval(high), any_change=_interval(some), method="m",
    )  # fmt: skip


def _no_longer_high(
    counts: Matrix = MIXED, *, kind="physical", reporter="victim", without=0.6, **more
) -> ExpectedShare:
    people, with_it = sum(counts[3][:4]), sum(counts[3][:3])
    share = with_it / max(people, 1)
    given = {
        "strand": "abuse_types", "outcome": f"no_longer_high_{kind}_by_{reporter}", "horizon_days": 331,
        "had": f"{kind} abuse no longer at a high level", "people": people, "people_with": with_it,
        "not_known": counts[3][4], "value": share, "low": max(share - 0.1, 0), "high": min(share + 0.1, 1),
        "without": without, "without_low": 0.5, "without_high": 0.7, "basis": "others", "design": DESIGN, "method": "m",
        "judged_by": reporter,
    }  # fmt: skip
    return ExpectedShare(**given | more)


def _released(result, study: Study) -> Finding:
    [finding] = disclosure.release([result], study)
    return finding


def _changes(finding: Finding) -> dict[str, float | None]:
    return {row["change_of"]: row["value"] for row in finding.rows if "change_of" in row}


def test_a_matrix_is_shown_whole_where_ten_cases_stand_in_each_cell_and_in_fives(protected):
    levels = [row for row in _released(_transition(FULL), protected).rows if "level" in row]
    assert levels[0] == {
        "level": "none", "none": 10, "standard": 10, "moderate": 10, "high": 15, "not_known": 15, "total": 60
    }  # fmt: skip
    assert [row["level"] for row in levels] == ["none", "standard", "moderate", "high"]


def test_of_a_matrix_with_a_small_cell_only_sums_are_told_and_the_changes_between_them(protected):
    finding = _released(_transition(), protected)
    assert not any("level" in row for row in finding.rows)
    assert finding.rows[-1] == {
        "moved": "all", "lower": 85, "same": 110, "higher": 45, "not_known": 110, "total": 350
    }  # fmt: skip
    assert _changes(finding) == {"high": -8, "any": -12}
    assert "Of 350 cases of the programme group, physical abuse was at a lower level in 85" in finding.sentence
    assert finding.label == "Physical abuse, programme group, judged by the victim"


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        ({}, {"high": -8, "any": -12}),
        ({(0, 3): 1, (1, 3): 2, (2, 3): 3}, {"high": None, "any": -12}),  # six cases came to a high level
        ({(1, 0): 1, (2, 0): 2, (3, 0): 3}, {"high": -8, "any": None}),  # six cases left every level
        ({(1, 2): 1, (0, 1): 1, (0, 2): 3}, {"high": None, "any": None}),  # of others who rose too few are left
        ({(0, 3): 2, (1, 2): 7}, {"high": -9, "any": None}),  # how many rose by all levels is told by both
        ({(3, 0): 1}, {"high": -2, "any": None}),  # and how many fell by all
    ],
)
def test_a_change_is_told_where_ten_cases_came_and_ten_left_and_ten_moved_the_same_way_without(protected, cells, shown):
    counts = tuple(tuple(cells.get((first, later), MIXED[first][later]) for later in range(5)) for first in range(4))
    changes = _changes(_released(_transition(counts), protected))
    assert {of: change is None for of, change in changes.items()} == {of: each is None for of, each in shown.items()}


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (((9, 1, 1, 1, 1), (1, 1, 1, 1, 1), (1, 1, 1, 1, 1), (1, 1, 1, 1, 2)), "it stands on fewer than 30 people"),
        (((30, 20, 0, 0, 30), (9, 9, 0, 0, 9), (0, 0, 9, 0, 0), (0, 0, 0, 9, 9)), BEHIND),
    ],
)
def test_moves_of_too_few_cases_are_withheld(protected, counts, reason):
    finding = _released(_transition(counts), protected)
    assert (finding.reason, finding.rows, finding.tier) == (reason, (), "T0")


@pytest.mark.parametrize(
    ("cells", "withheld"),
    [
        ({}, False),
        ({(3, 3): 9}, True),  # nine stayed at a high level
        ({(1, 0): 2, (2, 0): 2, (2, 1): 2}, True),  # of others six are lower, and all who are lower are told
        ({(0, 0): 2, (1, 1): 2, (2, 2): 2}, True),  # of others six are the same
        ({(0, 4): 2, (1, 4): 2, (2, 4): 2}, True),  # of others six were not assessed again
    ],
)
def test_a_share_no_longer_high_goes_where_the_sums_beside_it_would_tell_of_a_few(protected, cells, withheld):
    counts = tuple(tuple(cells.get((first, later), MIXED[first][later]) for later in range(5)) for first in range(4))
    share = _no_longer_high(counts, without=None)
    moved, found = disclosure.release([_transition(counts), share], protected)
    assert moved.status == "released"
    assert (found.status == "withheld") == withheld
    if not withheld:
        assert found.rows[0] | {"share": 65, "people": 55, "people_with": "withheld", "not_known": 30} == found.rows[0]


def test_a_share_expected_from_the_comparison_goes_where_it_tells_of_a_few_of_them(protected):
    few = tuple((*row[:3], 4, row[4]) for row in MIXED)
    sides = [_transition(), _transition(few, arm="comparison")]
    assert disclosure.release([*sides, _no_longer_high()], protected)[-1].reason == deciding.GIVEN_AWAY
    assert disclosure.release([*sides, _no_longer_high(without=None)], protected)[-1].status == "released"
    assert disclosure.release([*sides, _no_longer_high(reporter="idva")], protected)[-1].status == "released"


FAMILIES = 240


def test_an_attacker_who_has_all_that_is_released_cannot_tell_any_hidden_cell(protected):
    """The range that is left for a hidden cell holds nobody (or five fewer than there are), and ten or more.

    The attacker has every figure unrounded, the number of all cases beside, and no idea of the threshold; and has
    worked out of the width of its interval how many came to a level and how many left it.
    """
    rng = np.random.default_rng(20260101)
    seen = {"sums": 0, "high": 0, "any": 0, "share": 0, "borrowed": 0}
    for _ in range(FAMILIES):
        mine, theirs = (_drawn(rng) for _ in range(2))
        without = rng.choice([None, 0.5])
        share = _no_longer_high(mine, without=without)
        given = [_transition(mine), _transition(theirs, arm="comparison"), share]
        moved, other, told = disclosure.release(given, protected)
        borrowed = told.status == "released" and without is not None
        for counts, finding, has_share in (
            (mine, moved, told.status == "released"),
            (theirs, other, borrowed),
        ):
            shown = set(_lines(counts, finding, told if has_share and counts is mine else None, borrowed=has_share))
            _attack(counts, shown)
            seen["sums"] += finding.status == "released"
            seen["high"] += _changes(finding).get("high") is not None
            seen["any"] += _changes(finding).get("any") is not None
        seen["share"] += told.status == "released"
        seen["borrowed"] += borrowed
    assert min(seen.values()) >= 20, seen


def test_the_attacker_finds_what_no_rule_keeps_back():
    counts = ((60, 12, 9, 1, 30), (1, 14, 8, 1, 25), (1, 12, 15, 1, 24), (1, 9, 12, 20, 30))
    everybody = tuple(1.0 for _ in CELLS)
    came_down_to_none = tuple(float(later == 0 and first > 0) for first, later in CELLS)
    with pytest.raises(AssertionError):
        _attack(counts, {everybody, came_down_to_none})


def _drawn(rng: np.random.Generator) -> Matrix:
    shares = rng.dirichlet(rng.choice([0.3, 0.7, 2.0, 8.0]) * np.array([4, 2, 2, 1, 4] * 3 + [2, 2, 2, 3, 4]))
    counts = rng.multinomial(rng.choice([60, 120, 300, 600, 1500]), shares).reshape(4, 5)
    return tuple(tuple(int(cell) for cell in row) for row in counts)


def _lines(counts: Matrix, moved: Finding, share: Finding | None, *, borrowed: bool) -> Iterator[tuple[float, ...]]:
    """Every sum of cells that the attacker knows, as a weight for each cell."""

    def line(rule) -> tuple[float, ...]:
        return tuple(float(rule(first, later)) for first, later in CELLS)

    yield line(lambda first, later: 1)
    if moved.rows:
        yield line(lambda first, later: later < first)
        yield line(lambda first, later: later == first)
        yield line(lambda first, later: first < later < 4)
        yield line(lambda first, later: later == 4)
    for of, cut in (("high", 3), ("any", 1)):
        if _changes(moved).get(of) is not None:
            yield line(lambda first, later, cut=cut: first < cut <= later < 4)
            yield line(lambda first, later, cut=cut: later < cut <= first)
    if share or borrowed:
        yield line(lambda first, later: first == 3 and later < 3)
        yield line(lambda first, later: first == 3 and later == 3)
    if share and share.rows[0]["not_known"] != "withheld":
        yield line(lambda first, later: first == 3 and later == 4)
    if any("level" in row for row in moved.rows):
        for cell in CELLS:
            yield line(lambda first, later, cell=cell: (first, later) == cell)


def _attack(counts: Matrix, lines: set[tuple[float, ...]]) -> None:
    """The least and the most that every hidden cell can hold, in one linear programme with a block for each."""
    known, cells = np.array(sorted(lines)), np.array([counts[first][later] for first, later in CELLS], float)
    shown = {int(np.flatnonzero(line)[0]) for line in known if np.count_nonzero(line) == 1}
    assert all(cells[place] >= 10 for place in shown)
    hidden = [place for place in range(len(CELLS)) if place not in shown]
    if not hidden:
        return
    asked = [(place, sign) for place in hidden for sign in (1, -1)]
    wanted = np.zeros((len(asked), len(CELLS)))
    for row, (place, sign) in enumerate(asked):
        wanted[row, place] = sign
    found = linprog(
        wanted.ravel(), A_eq=sparse.kron(sparse.eye(len(asked)), known, format="csr"),
        b_eq=np.tile(known @ cells, len(asked)), bounds=(0, None), method="highs",
    )  # fmt: skip
    assert found.status == 0
    for (place, sign), table in zip(asked, found.x.reshape(wanted.shape), strict=True):
        safe = table[place] <= max(cells[place] - 5, 0) + 1e-6 if sign == 1 else table[place] >= 10 - 1e-6
        assert safe, (counts, CELLS[place], sign, table[place])


def _expected_share(people=165, people_with=140, not_known=12, **more) -> ExpectedShare:
    share = people_with / people
    given = {
        "strand": "score_decline", "outcome": "lower_score", "horizon_days": 304,
        "had": "a lower score than when they were accepted", "value": share, "low": share - 0.05,
        "high": min(share + 0.05, 1), "without": 0.84, "without_low": 0.8, "without_high": 0.88, "basis": "others",
        "design": DESIGN, "method": "m",
    }  # fmt: skip
    return ExpectedShare(people=people, people_with=people_with, not_known=not_known, **given | more)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, None),
        ({"people": 29, "people_with": 15}, "it stands on fewer than 30 people"),
        ({"people": 60, "people_with": 51}, BEHIND),
        ({"people": 60, "people_with": 9}, BEHIND),
    ],
)
def test_a_share_is_shown_on_ten_people_who_had_it_and_ten_who_had_not(protected, given, reason):
    finding = _released(_expected_share(**given), protected)
    assert (finding.reason, bool(finding.rows), bool(finding.can_say)) == (reason, not reason, not reason)


def test_a_share_is_released_whole_with_counts_in_fives_and_never_without_its_expectation(protected):
    row = _released(_expected_share(people=167, people_with=142, not_known=3), protected).rows[0]
    assert (row["people"], row["people_with"], row["not_known"], row["share"]) == (165, 140, disclosure.FEWER, 85)
    assert (row["without"], row["without_low"], row["without_high"], row["clock"]) == (84, 80, 88, "index")
    assert _released(_expected_share(without=None), protected).rows[0]["without"] is None


def _effect(outcome="lower_score", events=(140, 150), people=(165, 170), measure="risk_difference", **more) -> Estimate:
    sides = zip(("programme", "comparison"), people, events, strict=True)
    given = {"value": 0.01, "low": -0.05, "high": 0.07, "horizon_days": 304, "strand": "score_decline"}
    return Estimate(
        outcome=outcome, measure=measure, population="itt", method="m", design=DESIGN, event_label="score",
        arms=tuple(Arm(label=label, people=n, events=e) for label, n, e in sides), **given | more,
    )  # fmt: skip


def test_a_share_and_its_difference_go_together_and_a_mean_score_hangs_on_neither(protected):
    mean = _effect("mean_score", (0, 0), measure="mean_difference", value=-3.6, low=-9, high=2)
    found = disclosure.release([mean, _effect(events=(156, 150)), _expected_share()], protected)
    assert [finding.status for finding in found] == ["released", "withheld", "withheld"]
    assert (found[0].value, found[0].unit) == (-4, "score")
    few = dataclasses.replace(mean, arms=_effect(people=(29, 170), events=(9, 9)).arms)
    assert _released(few, protected).reason == "it stands on fewer than 30 people"


def test_a_materially_lower_score_goes_where_nearly_everybody_with_a_lower_one_has_it(protected):
    nearly = _effect("materially_lower_score", (131, 100))
    assert disclosure.release([_effect(), nearly], protected)[1].reason == deciding.NEARLY_THE_SAME
    assert disclosure.release([_effect(), _effect("materially_lower_score", (130, 100))], protected)[1].reason is None


def test_a_variant_without_people_of_its_own_goes_with_the_planned_answer(protected):
    main = _effect("high_abuse", (40, 60), strand="abuse_types", planned="primary", per_hundred=(24.0, 35.0))
    ends = dataclasses.replace(main, variant="missing_bounds", planned="exploratory", arms=())
    assert [each.status for each in disclosure.release([main, ends], protected)] == ["released", "released"]
    few = dataclasses.replace(main, arms=_effect(events=(9, 60)).arms)
    assert [each.status for each in disclosure.release([few, ends], protected)] == ["withheld", "withheld"]


@pytest.mark.parametrize(
    ("result", "label"),
    [
        (_effect("mean_score_after_discharge", measure="mean_difference"), "Mean score: difference in points, 304 days "
         "after discharge"),
        (_effect("materially_lower_score"), "People with a materially lower score: difference in every hundred, 304 "
         "days"),
        (_effect("high_abuse", strand="abuse_types", variant="missing_worse"), "Cases with abuse at a high level: "
         "difference in every hundred, missing assessments taken to be worse, 304 days"),
        (_expected_share(), "A lower score than when they were accepted, 304 days after the index date"),
        (_no_longer_high(), "physical abuse no longer at a high level, when assessed again, as the victim judged it"),
    ],
)  # fmt: skip
def test_every_result_has_a_name_of_its_own(protected, result, label):
    assert _released(result, protected).label.casefold() == label.casefold()


def _readings(people=(165, 140, 29), in_custody=(0, 12, 3), still_open=(160, 20, 0)) -> Readings:
    return Readings(
        strand="score_decline", outcome="mean_score", arm="programme", days=(0, 304, 487), mean=(84.04, 65.06, 58.0),
        low=(80.0, 60.0, 50.0), high=(88.0, 70.0, 66.0), floor=(84.04, 50.5, 30.0), people=people,
        realised=(None, _interval(0.566), _interval(0.5)), in_custody=in_custody, still_open=still_open, method="m",
    )  # fmt: skip


def test_a_reading_needs_thirty_people_and_who_was_in_custody_or_held_is_counted_from_ten(protected):
    finding = _released(_readings(), protected)
    start, day, last = finding.rows
    assert (day["mean"], day["floor"], day["realised"], day["realised_low"]) == (65.1, 50.5, 57, 49)
    assert (day["people"], day["in_custody"], day["still_open"]) == (140, 10, 20)
    assert (start["in_custody"], start["still_open"], start["realised"]) == (
        disclosure.FEWER,
        disclosure.WITHHELD,
        None,
    )
    assert (last["mean"], last["realised"], last["people"]) == (None, None, 30)
    assert "65 (between 60 and 70) 304 days later" in finding.sentence
    assert _released(_readings(people=(29, 20, 9)), protected).status == "withheld"


def test_kappa_is_shown_on_thirty_cases_with_two_decimals(protected):
    kappa = ReportersAgree(
        strand="abuse_types", outcome="physical", one="victim", other="idva", people=122, method="m",
        kappa=Interval(value=0.6234, low=0.5011, high=0.7412),
    )  # fmt: skip
    finding = _released(kappa, protected)
    assert (finding.value, finding.low, finding.high, finding.rows[0]["people"]) == (0.62, 0.5, 0.74, 120)
    assert _released(dataclasses.replace(kappa, people=29), protected).status == "withheld"
    hardly_apart = Interval(value=0.93, low=0.9, high=0.96)
    assert _released(dataclasses.replace(kappa, kappa=hardly_apart), protected).reason == BEHIND


def test_one_area_shows_sums_of_its_own_people_from_sixty_and_nothing_of_sexual_abuse(area):
    kept = [
        _transition(), _transition(arm="comparison"), _transition(kind="sexual"), _no_longer_high(kind="sexual"),
        _expected_share(without=None), _expected_share(people=59, people_with=40, horizon_days=213), _readings(),
        _transition(FULL),
    ]  # fmt: skip
    found = disclosure.release(kept[:-1], area)
    assert [finding.reason for finding in found] == [
        None, deciding.ONE_AREA, deciding.ONE_AREA_SEXUAL, deciding.ONE_AREA_SEXUAL, None, deciding.ONE_AREA_FEW,
        deciding.ONE_AREA,
    ]  # fmt: skip
    assert found[4].rows[0]["not_known"] == disclosure.WITHHELD
    [full] = disclosure.release(kept[-1:], area)
    assert set(_changes(full).values()) == {None}
    assert not any("level" in row for row in full.rows)


def test_one_area_is_never_withheld_alone(project):
    second = "areas:\n  - {slug: b-side, label: B, force: F, programme_first_day: {rossi-aid: 1976-01-01}}"
    project.edit("params/areas.yaml", "areas:", second)
    project.change("params/suites/rossi.yaml", protection="standard", source=None, areas=["trial-site", "b-side"])
    _, one, other = Suite.read("rossi").studies()
    few, many = (_expected_share(people=people, people_with=people // 2, without=None) for people in (40, 165))
    decided = disclosure.decide({"one": (one, [few]), "other": (other, [many])})
    assert decided["one"][few.id].withheld == deciding.ONE_AREA_FEW
    assert decided["other"][many.id].withheld == deciding.OTHER_AREA


def test_one_area_shows_no_share_beside_what_its_own_others_led_to_expect(area, project):
    [found] = disclosure.release([_expected_share()], area)
    assert (found.reason, found.rows) == (deciding.ONE_AREA, ())
    project.change("params/suites/rossi.yaml", protection="open_data", source="s")
    one = Suite.read("rossi").studies()[1]
    shown = [finding.status for finding in disclosure.release([_expected_share(), _transition()], one)]
    assert shown == ["withheld", "released"]


@pytest.mark.parametrize(
    ("people_with", "withheld"),
    [
        ((64, 67, 140), (True, True, True)),  # of both withheld together nine had it not
        ((64, 66, 140), (True, True, False)),
        ((40, 40, 140), (False, False, False)),
    ],
)
def test_areas_withheld_together_leave_ten_people_on_each_side(areas, people_with, withheld):
    people = (70, 70, 165)
    shares = [
        _expected_share(people=each, people_with=part, without=None)
        for each, part in zip(people, people_with, strict=True)
    ]
    decided = disclosure.decide({str(place): (areas[place], [share]) for place, share in enumerate(shares)})
    assert tuple(decided[str(place)][shares[0].id].withheld is not None for place in range(3)) == withheld


def test_of_age_bands_that_go_with_another_area_all_go(areas):
    """Two areas with bands of their own withheld leave nine people in one, so the third goes with all its bands."""
    young = (0.05, 0.04, 0.5)
    family = {
        str(place): (study, [_band("young", share), _band("old", 1 - share)])
        for place, (study, share) in enumerate(zip(areas, young, strict=True))
    }
    decided = disclosure.decide(family)
    assert {each.withheld for each in decided["2"].values()} == {deciding.OTHER_AREA}


def _band(name: str, share: float) -> Difference:
    return Difference(
        covariate=name, label=name, mean_programme=share, mean_comparison=0.5, smd=0.1, denominator="d",
        variance_ratio=1.0, missing_programme=0, missing_comparison=0, people_programme=100, people_comparison=300,
        is_share=True, part_of="age",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "withheld"),
    [
        (((12, 4), (20, 30), (21, 31)), (False, True, False)),  # the comparison of one alone
        (((12, 4), (20, 5), (21, 31)), (False, False, False)),
        (((12, 4), (8, 30), (21, 31)), (True, True, False)),  # of each group another area alone
        (((12, 4), (20, 5), (21, 6)), (False, False, False)),
        (((12, 14), (20, 15), (21, 16)), (False, False, False)),
    ],
)
def test_a_step_of_either_group_is_not_hidden_in_one_area_alone(areas, counts, withheld):
    steps = [
        Count(step="not_linked", label="Not found", total=sum(each), programme=each[0], comparison=each[1])
        for each in counts
    ]
    decided = disclosure.decide({str(place): (areas[place], [step]) for place, step in enumerate(steps)})
    assert tuple(decided[str(place)]["flow.not_linked"].withheld is not None for place in range(3)) == withheld


@pytest.mark.parametrize(
    ("analysed", "started", "completed", "shown"),
    [
        (42, 30, 20, (True, True)),
        (42, 41, 29, (False, True)),
        (42, 30, 27, (True, False)),
        (42, 42, 42, (False, False)),
    ],
)
def test_steps_within_those_counted_go_where_they_tell_of_a_few_who_dropped_out(
    protected, analysed, started, completed, shown
):
    flow = [
        Count(step=step, label=step, total=None, programme=people)
        for step, people in (("analysed", analysed), ("started", started), ("completed", completed))
    ]
    counted, *steps = disclosure.release(flow, protected)
    assert counted.status == "released"
    assert tuple(step.status == "released" for step in steps) == shown


def test_ends_that_no_missing_answer_could_pass_are_shown_on_ten_missing_of_each_group(protected):
    few = dataclasses.replace(
        DESIGN, followed=(DESIGN.followed[0], Followed(label="comparison", allocated=179, followed=170))
    )
    ends = _effect("high_abuse", (40, 60), strand="abuse_types", variant="missing_bounds")
    assert _released(ends, protected).status == "released"
    assert _released(dataclasses.replace(ends, design=few), protected).reason == BEHIND


def test_a_refusal_does_not_tell_the_share_that_a_failed_check_found(protected, project):
    why = "a check was not passed: windows are alike (93% of the cases, some of them twice; needed: 95% or more)"
    refused = NotEstimable(
        strand="abuse_types", outcome="high_abuse", horizon_days=331, measure="risk_difference", why=why, mend="m",
        design=DESIGN, event_label="high level of abuse",
    )  # fmt: skip
    finding = _released(refused, protected)
    assert "windows are alike (needed: 95 in every 100 or more). What" in finding.reason
    assert "93" not in finding.reason + finding.sentence
    project.change("params/suites/rossi.yaml", protection="open_data", source="s")
    assert "93 in every 100" in _released(refused, Suite.read("rossi").studies()[0]).reason


def test_the_other_reading_of_a_share_goes_where_hardly_anybody_differs_by_it(protected):
    usual, nearly, apart = (
        _expected_share(people_with=part, outcome=f"lower_score{reading}")
        for part, reading in ((140, ""), (131, "_other_reading"), (130, "_other_reading"))
    )
    assert disclosure.release([usual, nearly], protected)[1].reason == deciding.NEARLY_BOTH
    assert disclosure.release([usual, apart], protected)[1].status == "released"


def test_openly_published_data_are_shown_as_they_are(project):
    study = Suite.read("rossi").studies()[0]
    rows = _released(_transition(), study).rows
    assert rows[3] | {"level": "high", "none": 16, "high": 20, "total": 87} == rows[3]
    assert _released(_no_longer_high(), study).rows[0]["people"] == 57


@pytest.mark.parametrize("made", [_transition(), _no_longer_high(), _expected_share(), _readings()])
def test_decisions_are_bound_to_what_every_result_holds(made):
    assert decoded(encoded(made)) == made
