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
from evalkit.estimators.linear import LinearFit, linear_difference, mean_of, ratio_of_falls
from evalkit.estimators.logistic import propensity
from evalkit.estimators.many import holm
from evalkit.estimators.missing import AssessedFit, assessed_difference, missing_bounds
from evalkit.estimators.models import NotFitted
from evalkit.estimators.paired import no_longer_high, paired_difference, tetrachoric, weighted_kappa
from evalkit.estimators.power import (
    detectable_rate_reduction,
    detectable_reduction,
    more_people_needed,
    power_of_rate_reduction,
    power_of_reduction,
)
from evalkit.estimators.proportions import mid_p, risk_difference, risk_ratio, share_of_a_new_group, wilson
from evalkit.estimators.regression import cox
from evalkit.estimators.risks import expected_share, standardised_risk
from evalkit.estimators.survival import (
    kaplan_meier,
    log_rank,
    restricted_mean,
    restricted_mean_difference,
)

__all__ = [
    "CENSORED", "DIED", "EVENT", "POOLED_SD", "AssessedFit", "CountFit", "LinearFit", "NotFitted", "agree",
    "assessed_difference", "cox", "cumulative_incidence", "detectable_rate_reduction", "detectable_reduction",
    "effective_people", "expected_count", "expected_share", "holm", "incident_free_days_difference", "kaplan_meier",
    "linear_difference", "log_rank", "mean_of", "mid_p", "missing_bounds", "more_people_needed", "no_longer_high",
    "paired_difference", "power_of_rate_reduction", "power_of_reduction", "propensity", "quasi_poisson",
    "ratio_of_falls", "ratio_of_totals", "restricted_mean", "restricted_mean_difference", "risk_difference",
    "risk_ratio", "share_of_a_new_group", "standardised_difference", "standardised_risk", "tetrachoric",
    "weighted_kappa", "wilson",
]  # fmt: skip
