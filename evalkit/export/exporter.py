"""The nbconvert exporter: what `jupyter nbconvert --to evalkit` and Lab's *Save and Export* use."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment
from nbconvert.exporters import TemplateExporter
from nbconvert.filters.markdown_mistune import (
    BlockParser,
    InlineParser,
    IPythonRenderer,
    MarkdownWithMath,
    import_plugin,
)
from nbformat import NotebookNode
from traitlets import default

from evalkit.export import body, gate

TEMPLATES = Path(__file__).parent / "template"


class ReportExporter(TemplateExporter):
    """One HTML page of a report notebook: no code, no script, no request, nothing that was not released.

    Built on nbconvert's `base` template. A plain notebook without a cover takes its first heading for its title.
    """

    export_from_notebook = "evaluation report (HTML)"
    output_mimetype = "text/html"

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".html"

    @default("template_name")
    def _template_name_default(self) -> str:
        return "evalkit"

    @default("extra_template_basedirs")
    def _extra_template_basedirs_default(self) -> list[str]:
        return [str(TEMPLATES)]

    @default("exclude_input")
    def _exclude_input_default(self) -> bool:
        return True

    @default("exclude_raw")
    def _exclude_raw_default(self) -> bool:
        return True

    def default_filters(self) -> Iterable[tuple[str, Any]]:
        """Name and function of every filter that nbconvert gives a template, and our own for text cells."""
        yield from super().default_filters()
        yield "markdown", _markdown

    def _create_environment(self) -> Environment:
        return body.furnished(super()._create_environment())

    def _preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Refuse what was not released, after any execution that was asked for, and take the cover out of its cell."""
        nb, resources = super()._preprocess(nb, resources)
        gate.refuse_unreleased(nb)
        resources["cover"] = _take_cover(nb)
        return nb, resources


def _take_cover(notebook: NotebookNode) -> body.Cover:
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if gate.payload(output).get("kind") == "cover":
                cell.outputs.remove(output)
                return body.Cover.of(gate.payload(output), "".join(output["data"][gate.HTML]))
    return body.Cover()


def _markdown(source: str) -> str:
    """Markdown as HTML; no formulas, as a page has no script to draw them, and no links made of bare addresses."""
    markdown = MarkdownWithMath(
        renderer=IPythonRenderer(escape=False, allow_harmful_protocols=False, exclude_anchor_links=True),
        block=BlockParser(),
        inline=InlineParser(),
        plugins=[import_plugin(name) for name in ("strikethrough", "table", "def_list")],
    )
    return str(markdown.render(source))
