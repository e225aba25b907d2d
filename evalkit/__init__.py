"""Did the programme work? Evaluation reports from study to page.

`from evalkit import Store, Study, cohort, figures, matching, release, tables`: the verbs of a report in the order in
which they are used. Nothing heavy is imported until it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Store", "Study", "Suite", "__version__", "release"]

if TYPE_CHECKING:
    from evalkit.disclosure import release
    from evalkit.store import Store
    from evalkit.study import Study, Suite

_HOMES = {"Store": "evalkit.store", "Study": "evalkit.study", "Suite": "evalkit.study", "release": "evalkit.disclosure"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'evalkit' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
