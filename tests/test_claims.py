"""Published figures are read whole or refused in words, and none stands beside a finding that it is not like."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from evalkit import claims
from evalkit.errors import StudyError
from evalkit.study import Programme

ROOT = Path(__file__).parents[1]
SOUND = {
    "case_id": "X1", "programme": "drive", "strand": "reoffending", "outcome": "any_event",
    "counted": "people with a recorded incident", "contrast": "between", "window": "six months from allocation",
    "horizon_days": "182", "comparison": "usual care", "design": "allocated by chance", "value": "-4.5",
    "unit": "points", "not_stated": "", "source": "A report", "note": "",
}  # fmt: skip
LIKE = {"strand": "reoffending", "outcome": "any_event", "contrast": "between", "horizon_days": 182}


def of(slug):
    return {claim.id: claim for claim in claims.of(Programme.read(slug, ROOT), ROOT)}


@pytest.fixture
def read(tmp_path):
    """`read(*rows, names=...)`: the figures of a programme that names them, from a file of these changed rows."""

    def write(*rows, names=("X1",), columns=claims.COLUMNS):
        file = tmp_path / claims.FILE
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(SOUND | row for row in rows)
        return claims.of(Programme.read("drive", ROOT).model_copy(update={"claims": names}), tmp_path)

    return write


def test_the_headline_figures_are_those_that_were_published():
    drive, matac = of("drive"), of("matac")
    falls = {drive[name].outcome: drive[name].value for name in ("DRIVE02", "DRIVE03", "DRIVE04", "DRIVE05")}
    assert falls == {"physical": -82, "sexual": -88, "harassment_stalking": -75, "jealous_controlling": -73}
    assert (drive["DRIVE06"].value, drive["DRIVE06"].contrast) == (82, "share")
    assert [(drive[name].value, drive[name].contrast) for name in ("DRIVE07", "DRIVE08")] == [
        (-30, "did"),
        (0, "within"),
    ]
    assert [matac[name].value for name in ("MATAC01", "MATAC02", "MATAC03", "MATAC06")] == [-65, -61, 70, -13]


def test_every_figure_of_the_file_is_named_by_the_programme_that_it_is_about():
    with (ROOT / claims.FILE).open(encoding="utf-8", newline="") as stream:
        filed = {(row["programme"], row["case_id"]) for row in csv.DictReader(stream)}
    named = {(slug, name) for slug in ("drive", "matac", "make-a-change") for name in of(slug)}
    assert filed == named


def test_figures_come_in_the_order_in_which_the_programme_names_them(read):
    assert [claim.id for claim in read({}, {"case_id": "X2"}, names=("X2", "X1"))] == ["X2", "X1"]


def test_a_figure_is_like_a_finding_of_the_same_outcome_contrast_and_window_where_nothing_is_left_open(read):
    [claim] = read({})
    assert claims.differences(claim, **LIKE) == ()


@pytest.mark.parametrize(
    ("changes", "other", "words"),
    [
        ({}, {"outcome": "event_count"}, "it counts people with a recorded incident"),
        ({}, {"strand": "score_decline"}, "it counts people with a recorded incident"),
        ({"outcome": ""}, {}, "it counts people with a recorded incident"),
        ({"contrast": "did"}, {}, "it is a change in one group beside the change in another"),
        ({}, {"horizon_days": 365}, "its window is six months from allocation"),
        ({"horizon_days": ""}, {}, "its window is six months from allocation"),
        ({"not_stated": "of how many people"}, {}, "not stated: of how many people"),
    ],
)
def test_each_thing_that_keeps_a_figure_apart_is_named(read, changes, other, words):
    [claim] = read(changes)
    assert claims.differences(claim, **LIKE | other) == (words,)


def test_none_of_the_published_headlines_stands_beside_the_finding_that_it_seems_to_be_about():
    drive, matac = of("drive"), of("matac")
    pairs = [
        (matac["MATAC01"], "reoffending", "event_count", "between", 182, "since November 2014"),
        (matac["MATAC03"], "score_decline", "lower_score_after_discharge", "share", 182, "lower than which score"),
        (drive["DRIVE02"], "abuse_types", "high_abuse", "between", 332, "a change within one group"),
        (drive["DRIVE06"], "abuse_types", "high_abuse", "between", 332, "a share of one group"),
        (drive["DRIVE07"], "reoffending", "event_count", "between", 182, "of the programme in neither"),
    ]  # fmt: skip
    for claim, strand, outcome, contrast, days, words in pairs:
        named = claims.differences(claim, strand=strand, outcome=outcome, contrast=contrast, horizon_days=days)
        assert words in "; ".join(named), claim.id
    [only] = claims.differences(
        matac["MATAC03"],
        strand="score_decline",
        outcome="lower_score_after_discharge",
        contrast="share",
        horizon_days=182,
    )
    assert only.startswith("not stated: ")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"value": "two thirds"}, "line 2: value 'two thirds' is not a number."),
        ({"value": "inf"}, "line 2: value 'inf' is not a number."),
        ({"value": ""}, "line 2: value is empty."),
        ({"source": " "}, "line 2: source is empty."),
        ({"design": ""}, "line 2: design is empty."),
        ({"contrast": "before"}, "line 2: contrast 'before' is not one of between, within, did, share."),
        ({"strand": "abuse"}, "line 2: strand 'abuse' is not one of reoffending, abuse_types, score_decline."),
        ({"strand": ""}, "line 2: an outcome needs the strand that it belongs to."),
        ({"horizon_days": "0"}, "line 2: horizon_days '0' is not a whole number of days."),
        ({"horizon_days": "6 months"}, "line 2: horizon_days '6 months' is not a whole number of days."),
        ({"case_id": "X2"}, "drive.yaml: claims: there is no published figure 'X1' in published_claims.csv"),
        ({"programme": "matac"}, "drive.yaml: claims: 'X1' is a figure about 'matac', not about this programme."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_figure_is_named_with_its_line(read, changes, words):
    with pytest.raises(StudyError) as caught:
        read(changes)
    assert words in str(caught.value)


def test_everything_wrong_with_the_file_is_named_at_once(read):
    with pytest.raises(StudyError) as caught:
        read({}, {"value": "x", "contrast": "y"}, {"source": ""})
    told = str(caught.value)
    assert [
        words in told for words in ("line 3: contrast", "line 3: value", "line 4: source", "'X1' stands 3 times")
    ] == ([True] * 4)


def test_a_file_that_is_no_such_table_is_refused_in_words(read, tmp_path):
    file = tmp_path / claims.FILE
    with pytest.raises(StudyError, match=r"published_claims.csv: its columns must be case_id, programme"):
        read({}, columns=claims.COLUMNS[1:])
    for content, words in (
        (b"", "its columns must be"),
        (",".join(claims.COLUMNS).encode() + b"\nX1,drive\n", "line 2: not 15 cells, as the header has."),
        (b"\xff\xfe", "is not a text file in UTF-8"),
        (b'case_id\n"X1', "cannot be read as CSV"),
        (None, "there is no such file"),
    ):
        file.unlink() if content is None else file.write_bytes(content)
        with pytest.raises(StudyError, match=words):
            claims.of(Programme.read("drive", ROOT), tmp_path)


def test_a_programme_that_names_no_figure_needs_no_file(tmp_path):
    assert claims.of(Programme.read("lote", ROOT), tmp_path) == ()
