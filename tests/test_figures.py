"""Drawings and tables of what was released, whatever was withheld."""

from __future__ import annotations

import re

import pytest

from evalkit import cohort, figures, matching, release, tables
from evalkit.display import Drawing, NotDrawn
from evalkit.outcomes import reoffending
from evalkit.store import Store
from evalkit.study import Study, Suite

EXTRACT = "tests/data/rossi/ready_cohort.csv"


def _shown(study: Study) -> dict[str, tables.Table | Drawing | NotDrawn]:
    store = Store.open(study)
    people = cohort.build(store, study)
    compared = matching.match(people, study)
    flow, balance = release(people.flow, study), release(compared.balance, study)
    found = release(reoffending.estimate(compared, store, study), study)
    return {
        "cover": tables.cover(study), "summary": tables.summary(found), "can_say": tables.can_say(found),
        "question": tables.question(study), "flow": figures.flow(flow), "flow_table": tables.flow(flow),
        "balance": figures.balance(balance), "survival": figures.survival(found), "findings": tables.findings(found),
        "sentences": tables.sentences(found), "forest": figures.forest(found), "methods": tables.methods(found),
        "made": tables.made(study),
    }  # fmt: skip


@pytest.fixture
def few(project):
    """The study on the first so many people of each group, of whom every third has an event, with people protected."""

    def make(programme: int, comparison: int) -> Study:
        file = project.root / EXTRACT
        header, *rows = file.read_text(encoding="utf-8").splitlines()
        wanted = {"programme": programme, "usual_care": comparison}
        kept = [row for arm, many in wanted.items() for row in [row for row in rows if f",{arm}," in row][:many]]
        file.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
        project.change("params/suites/rossi.yaml", protection="standard", source=None)
        return Suite.read("rossi").studies()[0]

    return make


@pytest.mark.parametrize("people", [(5, 5), (9, 200), (20, 20), (45, 45), (70, 30), (216, 216)])
def test_a_report_of_any_size_is_shown_whole_and_what_is_not_in_it_has_a_reason(few, people):
    shown = _shown(few(*people))
    assert all(part.html for part in shown.values())
    for name, part in shown.items():
        assert not re.search(r"\b(nan|inf|None|NaT)\b", re.sub(r"base64,[^\"]+", "", part.html)), name
        if isinstance(part, NotDrawn):
            assert "fewer than" in part.html


def test_below_thirty_nothing_but_the_flow_is_drawn(few):
    shown = _shown(few(20, 20))
    drawn = {name for name, part in shown.items() if isinstance(part, Drawing)}
    assert drawn == {"flow"}
    assert "fewer than 30 people" in shown["survival"].html


def test_openly_published_data_are_drawn_with_their_numbers_in_words(project):
    shown = _shown(Suite.read("rossi").studies()[0])
    assert "0.73 (0.53 to 0.999)" in shown["forest"].alt
    assert "432 people" in shown["flow"].alt
    assert "between 17 and 28" in shown["survival"].alt
    assert "Recorded as Black 0.13" in shown["balance"].alt


def test_a_changed_choice_is_graded_down_and_listed_as_a_deviation(project):
    shown = _shown(Suite.read("rossi").studies()[0].exploring(horizon_days=182))
    assert "grade 2 of 5" in shown["summary"].html
    assert "the analysis differs from the plan that was locked" in shown["summary"].html
    assert '<th scope="row">horizon_days</th>\n<td>364</td>\n<td>182</td>' in shown["made"].html


def test_a_drawing_is_the_same_bytes_every_time(project):
    study = Suite.read("rossi").studies()[0]
    assert _shown(study)["survival"].png == _shown(study)["survival"].png


def test_drawings_leave_no_figure_open_and_never_use_pyplot(project):
    import subprocess
    import sys

    code = (
        "import sys; from evalkit import figures; from evalkit.results import Finding\n"
        "row = dict(smd=0.1, is_share=False, programme=1.0, comparison=1.0, missing_programme=0, missing_comparison=0,"
        " variance_ratio=1.0, denominator='d')\n"
        "figures.balance([Finding(id='b', kind='difference', status='released', label='Age', study_fingerprint='f',"
        " sentence='Age.', rows=(row,))])\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
