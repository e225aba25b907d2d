"""The page of one report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode


def page(notebook: NotebookNode) -> str:
    """The HTML page of an executed report notebook; equal notebooks give equal bytes.

    Raises NotReleasable if the notebook shows anything that was not released, or holds markup that could act.
    """
    from evalkit.export.exporter import ReportExporter  # nbconvert takes a second to import

    return ReportExporter().from_notebook_node(notebook)[0]
