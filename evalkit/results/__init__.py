"""The shapes of a result.

An `Estimate` and its neighbours hold unrounded figures and stay in the secure work folder. A `Finding` holds what
disclosure has released: it is made by `disclosure.release` alone, and only tables and drawings made from findings
are seen by a reader.
"""

from evalkit.results.codec import decoded, encoded
from evalkit.results.measured import (
    COMPARISON,
    CONTRASTS,
    EXAMPLE_REDUCTION,
    NULL_VALUE,
    PLAN_STATES,
    PROGRAMME,
    UNIT,
    VARIANTS,
    Arm,
    Count,
    Curve,
    Design,
    Detectable,
    Difference,
    Estimate,
    Expected,
    Followed,
    Gate,
    Interval,
    LeftOut,
    Months,
    NotEstimable,
    Overlap,
)
from evalkit.results.released import Decision, Finding
from evalkit.results.strands import (
    ABUSE_TYPES,
    CLOCKS,
    LEVELS,
    REPORTERS,
    ExpectedShare,
    Readings,
    ReportersAgree,
    Result,
    Transition,
)

__all__ = [
    "ABUSE_TYPES", "CLOCKS", "COMPARISON", "CONTRASTS", "EXAMPLE_REDUCTION", "LEVELS", "NULL_VALUE",
    "PLAN_STATES", "PROGRAMME", "REPORTERS", "UNIT", "VARIANTS", "Arm", "Count", "Curve", "Decision", "Design",
    "Detectable", "Difference", "Estimate", "Expected", "ExpectedShare", "Finding", "Followed", "Gate",
    "Interval", "LeftOut", "Months", "NotEstimable", "Overlap", "Readings", "ReportersAgree", "Result",
    "Transition", "decoded", "encoded",
]  # fmt: skip
