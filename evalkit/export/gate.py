"""What an executed notebook shows, and the refusal of everything that was not released."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from evalkit.errors import NotReleasable

if TYPE_CHECKING:
    from nbformat import NotebookNode

TABLE = "application/vnd.evalkit.table+json"
DRAWING = "application/vnd.evalkit.drawing+json"
FINDING = "application/vnd.evalkit.finding+json"
HTML = "text/html"


def refuse_unreleased(notebook: NotebookNode) -> None:
    """Raise NotReleasable if a cell shows anything but released findings, tables and drawings.

    Names every such output by its cell (counted among the code cells) and its kind, never by what it holds. A picture
    pasted into a text cell is named by its place among the text cells.
    """
    found = [
        f"  code cell {number:<4}{kind}"
        for number, cell in enumerate(_code_cells(notebook), start=1)
        for kind in filter(None, map(_unreleased, cell.get("outputs", ())))
    ]
    found += [
        f"  text cell {number:<4}a pasted picture"
        for number, cell in enumerate(_text_cells(notebook), start=1)
        if cell.get("attachments")
    ]
    if found:
        things = "1 thing that was" if len(found) == 1 else f"{len(found)} things that were"
        raise NotReleasable(
            f"the notebook shows {things} not released:\n" + "\n".join(found) + "\n"
            "Show findings only as tables and figures made after release(); remove the rest and run it again."
        )


def shown(notebook: NotebookNode) -> frozenset[str]:
    """Names of what the notebook shows, each after its kind: "table:flow", "drawing:balance", "cover:cover"."""
    return frozenset(
        f"{_kind(output)}:{payload(output).get('name', '')}"
        for cell in _code_cells(notebook)
        for output in cell.get("outputs", ())
        if is_released(output)
    )


def missing(notebook: NotebookNode) -> tuple[str, ...]:
    """What the notebook's own metadata (`evalkit.must_show`) says it shows and it does not, in that order."""
    declared = notebook.metadata.get("evalkit", {}).get("must_show", ())
    seen = shown(notebook)
    return tuple(name for name in declared if name not in seen)


def is_released(output: Mapping[str, Any]) -> bool:
    """Whether an output is a page fragment under exactly one of our media types."""
    data = output.get("data", {})
    ours = [kind for kind in (TABLE, DRAWING, FINDING) if kind in data]
    plain = {HTML, "text/plain"}  # IPython adds the plain form; the page leaves it out
    return (
        output.get("output_type") in ("display_data", "execute_result")
        and len(ours) == 1
        and HTML in data
        and set(data) <= {*ours, *plain}
    )


def payload(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a released output says about itself."""
    data = output["data"]
    found = next((data[kind] for kind in (TABLE, DRAWING, FINDING) if kind in data), None)
    return found if isinstance(found, Mapping) else {}


def _code_cells(notebook: NotebookNode) -> Iterator[Mapping[str, Any]]:
    return (cell for cell in notebook.cells if cell.cell_type == "code")


def _text_cells(notebook: NotebookNode) -> Iterator[Mapping[str, Any]]:
    return (cell for cell in notebook.cells if cell.cell_type == "markdown")


def _kind(output: Mapping[str, Any]) -> str:
    return "drawing" if DRAWING in output["data"] else str(payload(output).get("kind", "table"))


def _unreleased(output: Mapping[str, Any]) -> str | None:
    if is_released(output):
        return None
    kind = output.get("output_type")
    if kind == "stream":
        return "a warning or a log line" if output.get("name") == "stderr" else "a printed text"
    return "an error" if kind == "error" else _displayed(output.get("data", {}))


def _displayed(data: Mapping[str, Any]) -> str:
    """In words, what a displayed object is, judged by its media types alone or by holding a table."""
    if any(kind.startswith("application/vnd.evalkit.") for kind in data):
        return "a released result that is not in a table or a figure"
    if any(kind.startswith("image/") for kind in data):
        return "a stray figure"
    if HTML in data:
        return "a frame" if "<table" in "".join(data[HTML]) else "a piece of HTML"
    return "a value" if set(data) == {"text/plain"} else "an object"
