"""Every decision that was taken before the data were seen."""

from evalkit.study.plan import Deviation, Plan, code_fingerprint, deviations_of, lock, lock_file, plan_of
from evalkit.study.programme import Area, Areas, Covariate, Programme
from evalkit.study.reading import (
    OWNER_FILE,
    fingerprint_of,
    located,
    nearest,
    project_root,
    settings_of,
    shown,
    write_whole,
)
from evalkit.study.suite import ALL_AREAS, FundingPeriod, Outcome, Study, Suite

__all__ = [
    "ALL_AREAS",
    "OWNER_FILE",
    "Area",
    "Areas",
    "Covariate",
    "Deviation",
    "FundingPeriod",
    "Outcome",
    "Plan",
    "Programme",
    "Study",
    "Suite",
    "code_fingerprint",
    "deviations_of",
    "fingerprint_of",
    "located",
    "lock",
    "lock_file",
    "nearest",
    "plan_of",
    "project_root",
    "settings_of",
    "shown",
    "write_whole",
]
