"""Every statistic that evalkit computes: arrays and plain numbers in, a small frozen result out.

The only home of statsmodels, scipy and lifelines, which each function imports when it is called. A number that cannot
be had is a `ValueError` (or `NotFitted`, its kind for models) with the reason in plain words; never NaN, never a
warning.
"""

from evalkit.estimators.balance import POOLED_SD, effective_people, standardised_difference
from evalkit.estimators.counts import (
    CountFit,
    agree,
    expected_count,
    quasi_poisson,
    ratio_of_totals,
)
from evalkit.estimators.incidence import (
    CENSORED,
    DIED,
    EVENT,
    cumulative_incidence,
    incident_free_days_difference,
)
from evalkit.estimators.logistic import propensity
from evalkit.estimators.many import holm
from evalkit.estimators.power import (
    detectable_rate_reduction,
    detectable_reduction,
    more_people_needed,
    power_of_rate_reduction,
    power_of_reduction,
)
from evalkit.estimators.proportions import mid_p, risk_difference, risk_ratio, wilson
from evalkit.estimators.regression import NotFitted, cox
from evalkit.estimators.risks import standardised_risk
from evalkit.estimators.survival import (
    kaplan_meier,
    log_rank,
    restricted_mean,
    restricted_mean_difference,
)

__all__ = [
    "CENSORED", "DIED", "EVENT", "POOLED_SD", "CountFit", "NotFitted", "agree", "cox", "cumulative_incidence",
    "detectable_rate_reduction", "detectable_reduction", "effective_people", "expected_count", "holm",
    "incident_free_days_difference", "kaplan_meier", "log_rank", "mid_p", "more_people_needed",
    "power_of_rate_reduction", "power_of_reduction", "propensity", "quasi_poisson", "ratio_of_totals",
    "restricted_mean", "restricted_mean_difference", "risk_difference", "risk_ratio", "standardised_difference",
    "standardised_risk", "wilson",
]  # fmt: skip
