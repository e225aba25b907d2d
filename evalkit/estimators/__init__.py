"""Every statistic that evalkit computes: arrays and plain numbers in, a small frozen result out.

The only home of statsmodels, scipy and lifelines, which each function imports when it is called. A number that cannot
be had is a `ValueError` (or `NotFitted`, its kind for models) with the reason in plain words; never NaN, never a
warning.
"""

from evalkit.estimators.balance import POOLED_SD, Imbalance, standardised_difference
from evalkit.estimators.many import holm
from evalkit.estimators.power import detectable_reduction, more_people_needed, power_of_reduction
from evalkit.estimators.proportions import mid_p, risk_difference, risk_ratio, wilson
from evalkit.estimators.regression import CoxFit, CoxTerm, NotFitted, cox
from evalkit.estimators.survival import (
    KaplanMeier,
    RestrictedMean,
    RestrictedMeanDifference,
    kaplan_meier,
    log_rank,
    restricted_mean,
    restricted_mean_difference,
)

__all__ = [
    "POOLED_SD",
    "CoxFit",
    "CoxTerm",
    "Imbalance",
    "KaplanMeier",
    "NotFitted",
    "RestrictedMean",
    "RestrictedMeanDifference",
    "cox",
    "detectable_reduction",
    "holm",
    "kaplan_meier",
    "log_rank",
    "mid_p",
    "more_people_needed",
    "power_of_reduction",
    "restricted_mean",
    "restricted_mean_difference",
    "risk_difference",
    "risk_ratio",
    "standardised_difference",
    "wilson",
]
