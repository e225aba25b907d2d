"""The outcomes of a plan: one file a strand, all with one signature, none knowing another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evalkit.matching import Comparison
    from evalkit.results import Result
    from evalkit.store import Store
    from evalkit.study import Study

    Estimator = Callable[[Comparison, Store, Study], tuple[Result, ...]]


def registry() -> Mapping[str, Estimator]:
    """The function that answers for each strand that a plan may name."""
    from evalkit.outcomes import reoffending

    return {"reoffending": reoffending.estimate}
