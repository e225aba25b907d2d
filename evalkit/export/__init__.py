"""An executed notebook becomes one page that can be handed on, and the gate that the page must pass.

`page` and `index_page` make HTML, `lint` says what is wrong with it. What was not released stops the export:
`refuse_unreleased`. `ReportExporter` is what `jupyter nbconvert --to evalkit` and Lab's *Save and Export* use.
"""

from typing import Any

from evalkit.export.gate import logic_in, missing, refuse_logic, refuse_unreleased, shown
from evalkit.export.index import IndexRow, index_page
from evalkit.export.lint import lint
from evalkit.export.page import page

__all__ = [
    "IndexRow", "ReportExporter", "index_page", "lint", "logic_in", "missing", "page", "refuse_logic",
    "refuse_unreleased", "shown",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name != "ReportExporter":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from evalkit.export.exporter import ReportExporter  # here, so that importing evalkit does not import nbconvert

    return ReportExporter
