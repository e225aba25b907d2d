"""Every decision that was taken before the data were seen."""

from evalkit.study.plan import Deviation, Plan, code_fingerprint, deviations_of, lock, lock_file, plan_of
from evalkit.study.programme import Area, Areas, Assessments, Covariate, Police, Programme, Schedule
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
from evalkit.study.rfgv import RfgvSpec
from evalkit.study.suite import ALL_AREAS, STRANDS, FundingPeriod, Outcome, Study, Suite, contracts_of, outcomes_of
from evalkit.study.synthetic import SHAPES, MadeUpAssessments, Shape, Synthetic, SyntheticArea, World

__all__ = [
    "ALL_AREAS", "OWNER_FILE", "SHAPES", "STRANDS", "Area", "Areas", "Assessments", "Covariate", "Deviation",
    "FundingPeriod", "MadeUpAssessments", "Outcome", "Plan", "Police", "Programme", "RfgvSpec", "Schedule", "Shape",
    "Study", "Suite", "Synthetic", "SyntheticArea", "World", "code_fingerprint", "contracts_of", "deviations_of",
    "fingerprint_of", "located", "lock", "lock_file", "nearest", "outcomes_of", "plan_of", "project_root",
    "settings_of", "shown", "write_whole",
]  # fmt: skip
