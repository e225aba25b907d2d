"""What every drawing shares: its style, its two colours, its picture without any metadata."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from evalkit.results import COMPARISON, PROGRAMME

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 144
COLOURS = 96  # a palette: the pictures have two hues and grey, and a page is to stay light
COLOUR = {PROGRAMME: "#12436D", COMPARISON: "#F46A25"}  # data_contracts/reference/af_palettes.csv, palette duo
LINE: dict[str, Any] = {PROGRAMME: "-", COMPARISON: (0, (5, 2))}
INK, QUIET, BAND = "#0B0C0C", "#505A5F", "#D4D9DD"
WIDTH_INCHES = 5.8


@contextmanager
def canvas(
    height_inches: float, *, heights: tuple[int, ...] = (1,), widths: tuple[int, ...] = (1,), sharex: bool = True
) -> Iterator[tuple[Figure, Any]]:
    """A figure in the style of the UK Government Analysis Function, in a font that every machine has.

    Gives its axes; all of them, from the top or the left, where `heights` or `widths` names several.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.style import context

    with context("afcharts.afcharts"), mpl.rc_context({"font.sans-serif": ["DejaVu Sans"], "font.size": 12}):
        figure = Figure(figsize=(WIDTH_INCHES, height_inches), layout="constrained")
        axes = figure.subplots(
            len(heights),
            len(widths),
            sharex=sharex,
            sharey="row" if len(widths) > 1 else False,
            height_ratios=heights,
            width_ratios=widths,
        )
        yield figure, axes


def png(figure: Figure) -> tuple[bytes, tuple[int, int]]:
    """The picture without any metadata, in as few colours as it needs, and the CSS pixels at which it is sharp."""
    from PIL import Image

    drawn, stream = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    picture = Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(stream, format="png", optimize=True)
    width, height = figure.get_size_inches()
    return stream.getvalue(), (round(width * 96), round(height * 96))


def bare(axes: Any) -> None:
    """Axes without grid, frame or ticks, where every mark carries its own number."""
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(bottom=False, labelbottom=False, left=False)


def name_ends(axes: Any, ends: dict[str, tuple[float, float]]) -> None:
    """Each line's name at its end; the higher one's above, the lower one's below."""
    upper = max(ends, key=lambda side: (ends[side][1], side))
    for side, end in ends.items():
        va, lift = ("bottom", 4) if side == upper else ("top", -4)
        axes.annotate(side.capitalize(), end, (5, lift), textcoords="offset points", va=va, color=INK)
