"""Published answers for the chance of treatment.

Spector: which of 32 students improved, Spector & Mazzeo 1980, with the logit coefficients of Greene 2003, Econometric
Analysis, 5th ed., table 21.1 (the data are in statsmodels).
Endometrial: histology of 79 cases, in which all those with neovasculization are of high grade: Heinze & Schemper 2002,
Statistics in Medicine 21:2409-2419; coefficients of R's logistf, as the authors of the Python package firthlogist
printed them. Firth's answer for one 0/1 column is that of a table with half added to each cell: Firth 1993, section 3.
"""

import math

import numpy as np
import pytest
import statsmodels.api as sm

from evalkit.estimators import NotFitted, propensity

pytestmark = pytest.mark.filterwarnings("error")  # no warning leaks from a library

FOUR_DECIMALS = 0.00005  # of a coefficient, as printed
SIX_DECIMALS = 0.0000005
SAME = 1e-7  # where Firth's steps stop
LOGISTF = np.array([3.77455951, 2.92927330, -0.03475175, -2.60416387])
ENDOMETRIAL = """
0 13 1.64 0, 0 16 2.26 0, 0 8 3.14 0, 0 34 2.68 0, 0 20 1.28 0, 0 5 2.31 0, 0 17 1.8 0, 0 10 1.68 0, 0 26 1.56 0,
0 17 2.31 0, 0 8 2.01 0, 0 7 1.89 0, 0 20 3.15 0, 0 10 1.23 0, 0 18 1.27 0, 0 16 1.76 0, 0 18 2 0, 0 8 2.64 1,
0 29 0.88 1, 0 12 1.27 1, 0 20 1.37 1, 1 38 0.97 1, 1 22 1.14 1, 1 7 0.88 1, 1 25 0.91 1, 1 15 0.58 1, 0 7 0.97 1,
0 28 1.5 0, 0 11 1.33 0, 0 19 2.37 0, 0 10 1.82 0, 0 10 3.13 0, 0 18 1.31 0, 0 14 1.92 0, 0 21 1.64 0, 0 11 2.01 0,
0 17 1.88 0, 0 25 1.93 0, 0 16 2.11 0, 0 19 1.29 0, 0 15 1.72 0, 0 33 0.75 0, 0 24 1.92 0, 0 48 1.84 1, 0 12 1.11 1,
0 19 1.61 1, 0 2 1.18 1, 1 22 1.44 1, 1 40 1.18 1, 1 5 0.93 1, 1 0 1.17 1, 0 21 1.19 1, 0 15 1.06 1, 0 29 2.02 0,
0 15 2.29 0, 0 12 2.33 0, 0 3 2.9 0, 0 20 1.7 0, 0 23 1.41 0, 0 12 2.25 0, 0 22 1.54 0, 0 42 1.97 0, 0 15 1.75 0,
0 13 2.16 0, 0 14 2.57 0, 0 19 1.37 0, 0 12 3.61 0, 0 13 2.04 0, 0 10 2.17 0, 0 12 1.69 1, 1 49 0.27 1, 0 6 1.84 1,
0 5 1.3 1, 0 17 0.96 1, 1 11 1.01 1, 1 21 0.98 1, 0 5 0.35 1, 1 19 1.02 1, 0 33 0.85 1
"""


def test_the_log_odds_of_improving_are_those_of_the_published_coefficients():
    students = sm.datasets.spector.load_pandas().data
    found = propensity(columns={name: students[name] for name in ("GPA", "TUCE", "PSI")}, treated=students["GRADE"])
    published = -13.0213 + students[["GPA", "TUCE", "PSI"]].to_numpy() @ [2.8261, 0.0952, 2.3787]
    rounding = FOUR_DECIMALS * (1 + students[["GPA", "TUCE", "PSI"]].sum(axis=1).max())
    assert found.logit == pytest.approx(published, abs=rounding)
    assert (found.method, found.dropped) == ("logistic regression", ())


def test_where_one_column_sets_cases_apart_the_log_odds_are_those_of_firths_published_coefficients():
    rows = np.array([[float(number) for number in row.split()] for row in ENDOMETRIAL.split(",")])
    columns = dict(zip(("neovasculization", "pulsality", "height"), rows.T, strict=False))
    found = propensity(columns=columns, treated=rows[:, 3])
    published = LOGISTF[0] + rows[:, :3] @ LOGISTF[1:]
    assert found.logit == pytest.approx(published, abs=100 * SIX_DECIMALS)  # pulsality goes up to 49
    assert found.method == "logistic regression with Firth's penalty"


def test_where_all_of_a_group_are_treated_firth_adds_a_half_to_each_cell():
    """Of five in one area all are treated, of seven in the other two are."""
    found = propensity(columns={}, factors={"area": list("aaaaabbbbbbb")}, treated=[1] * 7 + [0] * 5)
    assert found.logit[0] == pytest.approx(math.log(5.5 / 0.5), abs=SAME)
    assert found.logit[-1] == pytest.approx(math.log(2.5 / 5.5), abs=SAME)


def test_where_the_groups_overlap_the_log_odds_are_those_of_the_table_as_it_is():
    columns = {"area": [1] * 5 + [0] * 7, "same": [2] * 12}
    found = propensity(columns=columns, treated=[1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0])
    assert found.logit[[0, -1]] == pytest.approx(np.log([4 / 1, 2 / 5]), abs=SAME)
    assert found.dropped == ("same",)


@pytest.mark.parametrize("treated", [[1, 1, 1], [0, 0, 0]])
def test_without_two_groups_there_is_no_chance_of_treatment(treated):
    with pytest.raises(NotFitted, match="nothing to compare"):
        propensity(columns={"age": [20, 30, 40]}, treated=treated)


def test_what_is_neither_treated_nor_untreated_is_refused():
    with pytest.raises(ValueError, match="true or false"):
        propensity(columns={"age": [20, 30, 40]}, treated=[0, 1, 2])
    with pytest.raises(ValueError, match="age needs one number"):
        propensity(columns={"age": [20, float("inf"), 40]}, treated=[0, 1, 1])
