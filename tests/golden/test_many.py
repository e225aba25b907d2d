"""Ten p-values adjusted by R's package multtest, as statsmodels' own tests hold them (test_multi.py)."""

import pytest

from evalkit.estimators import holm

pytestmark = pytest.mark.filterwarnings("error")  # no warning leaks from a library

TEN_FIGURES = 1e-10  # the source prints eleven or more
RAW = (
    0.838541367553, 0.642193923795, 0.680845947633, 0.967833824309, 0.71626938238,
    0.177096952723, 5.23656777208e-05, 0.0202732688798, 0.00028140506198, 0.0149877310796,
)  # fmt: skip
ADJUSTED = (1, 1, 1, 1, 1, 1, 5.2365677720800005e-04, 1.4191288215860001e-01, 2.5326455578199999e-03, 1.1990184863680001e-01)  # fmt: skip # noqa: E501


def test_ten_p_values_are_adjusted_as_published():
    assert holm(RAW) == pytest.approx(ADJUSTED, rel=TEN_FIGURES)


def test_no_p_values_give_none_and_one_stays_as_it_is():
    assert holm(()) == ()
    assert holm((0.04,)) == (0.04,)


def test_what_is_not_a_p_value_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm((0.2, float("nan")))
