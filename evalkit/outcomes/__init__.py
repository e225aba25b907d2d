"""The outcomes of a plan: one file a strand, all with one signature, none knowing another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from evalkit.study import STRANDS

if TYPE_CHECKING:
    from evalkit.matching import Comparison
    from evalkit.results import Result
    from evalkit.store import Store
    from evalkit.study import Study

    Estimator = Callable[[Comparison, Store, Study], tuple[Result, ...]]


def registry() -> Mapping[str, Estimator]:
    """The function that answers for each strand that a plan may name: `estimate` of the module of that name."""
    return {strand: import_module(f"evalkit.outcomes.{strand}").estimate for strand in STRANDS}


def estimate(comparison: Comparison, store: Store, study: Study) -> tuple[Result, ...]:
    """What the plan asks of every strand, in the order of STRANDS."""
    return tuple(found for each in registry().values() for found in each(comparison, store, study))
