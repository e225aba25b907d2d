"""What an executed notebook shows, and the refusal of everything that was not released."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.display import Drawing, Table
from evalkit.errors import NotReleasable
from evalkit.results import Finding

if TYPE_CHECKING:
    from nbformat import NotebookNode

TABLE, DRAWING, FINDING = Table.MIME, Drawing.MIME, Finding.MIME
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


def refuse_logic(file: Path) -> None:
    """Raise NotReleasable if a report notebook does anything but take evalkit's steps and show what they return.

    Without logic of its own, and without other libraries, a cell cannot make up what carries our media types.
    """
    import nbformat

    found = [
        f"  code cell {number:<4}{what}"
        for number, cell in enumerate(_code_cells(nbformat.read(file, as_version=4)), start=1)
        for what in sorted(logic_in(cell["source"]))
    ]
    if found:
        raise NotReleasable(
            f"{file.name} has logic of its own, so what it shows cannot be vouched for:\n" + "\n".join(found) + "\n"
            "Move it into a step of evalkit, or run the report with --profile internal."
        )


def logic_in(source: str) -> set[str]:
    """In words, what a cell does besides taking steps and showing what they return."""
    nodes = list(ast.walk(ast.parse(source)))
    return {_LOGIC[type(node)] for node in nodes if type(node) in _LOGIC} | {
        "imports something else than evalkit" for node in nodes if _foreign(node)
    }


_LOGIC: Mapping[type, str] = {
    **dict.fromkeys((ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda), "defines something"),
    **dict.fromkeys((ast.If, ast.IfExp, ast.Match, ast.BoolOp, ast.Compare), "decides something"),
    **dict.fromkeys((ast.For, ast.AsyncFor, ast.While), "repeats something"),
    **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), "repeats something"),
    **dict.fromkeys((ast.BinOp, ast.UnaryOp, ast.AugAssign), "reckons something"),
    **dict.fromkeys((ast.Dict, ast.JoinedStr), "makes up something to show"),
    **dict.fromkeys((ast.Try, ast.With, ast.Delete, ast.Global), "handles something"),
}


def _foreign(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(name.name.split(".")[0] != "evalkit" for name in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] != "evalkit"
    return isinstance(node, ast.Name) and node.id in ("__import__", "eval", "exec", "compile", "display", "get_ipython")


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
