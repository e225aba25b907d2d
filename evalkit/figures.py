"""Findings drawn. Nothing is computed here; every drawing has its numbers in words and as a table beside it."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from evalkit.display import Cell, Drawing, NotDrawn, Table, count, not_drawn, signed, span, table
from evalkit.evidence import times
from evalkit.results import COMPARISON, PROGRAMME, Finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 144
COLOURS = 96  # a palette: the pictures have two hues and grey, and a page is to stay light
COLOUR = {PROGRAMME: "#12436D", COMPARISON: "#F46A25"}  # data_contracts/reference/af_palettes.csv, palette duo
LINE = {PROGRAMME: "-", COMPARISON: (0, (5, 2))}
INK, QUIET = "#0B0C0C", "#505A5F"
NO_BOUND_BELOW = 0.05  # where a ratio's axis is cut, so that one wide bar does not press the others flat


def flow(findings: Iterable[Finding]) -> Drawing:
    """The way from allocation to analysis, both groups side by side."""
    steps = {finding.id.removeprefix("flow."): finding for finding in findings}
    drawn = [steps[name] for name in ("allocated", "lost", "analysed")]
    with _drawing(5.8, 4.4) as (figure, axes):
        axes.set(xlim=(0, 10), ylim=(0, 10))
        axes.axis("off")
        _box(axes, 5, 9.3, f"{drawn[0].label}: {_shown(drawn[0], 'total')}", INK)
        for centre, side in ((2.2, PROGRAMME), (7.2, COMPARISON)):
            _arrow(axes, (5, 8.8), (centre, 7.5))
            _box(axes, centre, 6.8, f"{side.capitalize()} group\n{_shown(drawn[0], side)}", COLOUR[side])
            _arrow(axes, (centre, 6.0), (centre, 1.8))
            left_out = f"{drawn[1].label[0].lower()}{drawn[1].label[1:]}: {_shown(drawn[1], side)}"
            words = f"Left out:\n{textwrap.fill(left_out, 20)}"
            axes.text(centre + 0.2, 3.9, words, va="center", fontsize=11, color=INK)
            _box(axes, centre, 1.0, f"{drawn[2].label}\n{_shown(drawn[2], side)}", COLOUR[side])
        png, size = _png(figure)
    alt = "; ".join(
        f"{finding.label}: {_shown(finding, PROGRAMME)} in the programme group and "
        f"{_shown(finding, COMPARISON)} in the comparison group"
        for finding in drawn
    )
    return Drawing(
        name="flow",
        headline=span(drawn[-1]) if drawn[-1].sentence else Markup("Who was allocated, and who was counted"),
        subtitle="People at each step, by group",
        about="people at each step",
        alt=f"{drawn[0].label}: {_shown(drawn[0], 'total')} people. {alt}.",
        png=png,
        size=size,
        table=_flow_table(drawn),
    )


def balance(findings: Iterable[Finding]) -> Drawing | NotDrawn:
    """How far the groups were apart in each covariate before the index date (a love plot)."""
    every = tuple(findings)
    chosen = [finding for finding in every if finding.rows and finding.rows[0]["smd"] is not None]
    if not chosen:
        return not_drawn("balance", "the groups before the index date", every)
    sizes = [abs(finding.rows[0]["smd"]) for finding in chosen]
    farthest = chosen[sizes.index(max(sizes))]
    reach = max(0.3, *sizes) * 1.15
    with _drawing(5.8, 1.5 + 0.5 * len(chosen)) as (figure, axes):
        places = list(range(len(chosen)))[::-1]
        axes.axvline(0, color=INK, linewidth=1)
        for side in (-0.1, 0.1):
            axes.axvline(side, color=QUIET, linewidth=1, linestyle=(0, (2, 2)))
        axes.scatter([finding.rows[0]["smd"] for finding in chosen], places, s=70, color=COLOUR[PROGRAMME], zorder=3)
        axes.set(yticks=places, xlim=(-reach, reach), ylim=(-0.6, len(chosen) - 0.4))
        axes.set_yticklabels([textwrap.fill(finding.label, 24) for finding in chosen])
        axes.set_xlabel("Standardised difference,\nprogramme less comparison\n(dotted: 0.1 either way)")
        axes.grid(visible=False, axis="y")
        png, size = _png(figure)
    alt = "; ".join(f"{finding.label} {signed(finding.rows[0]['smd'], 2)}" for finding in chosen)
    return Drawing(
        name="balance",
        headline=Markup("Farthest apart \N{EN DASH} {}").format(span(farthest)),
        subtitle="Standardised difference of the two groups before the index date, covariate by covariate",
        about="the groups before the index date",
        alt=f"Differences in standard deviations, programme less comparison: {alt}.",
        png=png,
        size=size,
        table=_balance_table(chosen),
    )


def survival(findings: Iterable[Finding]) -> Drawing | NotDrawn:
    """The share of each group with a first event by each day, with intervals and the people still followed."""
    every = [finding for finding in findings if finding.kind == "curve"]
    curves = {finding.label.removesuffix(" group"): finding for finding in every if finding.rows}
    if not {PROGRAMME, COMPARISON} <= set(curves):
        return not_drawn("survival", "people with an event by each day", every)
    chosen = [curves[side] for side in (PROGRAMME, COMPARISON)]
    last = max(finding.rows[-1]["day"] for finding in chosen)
    marks = [round(last * part / 4) for part in range(5)]
    with _drawing(5.8, 5.4, heights=(5, 1)) as (figure, (axes, below)):
        for side in (PROGRAMME, COMPARISON):
            _step_curve(axes, curves[side].rows, side)
        highest = max(row["high"] for finding in chosen for row in finding.rows)
        axes.set(xlim=(0, last * 1.01), ylim=(0, max(10.0, highest * 1.1)), xticks=marks)
        axes.set_xlabel("Days after the index date")
        axes.tick_params(labelbottom=True)
        axes.set_ylabel("People in every hundred")
        _people_still_followed(below, curves, marks)
        png, size = _png(figure)
    words = " ".join(finding.sentence for finding in chosen)
    event = chosen[0].outcome or ""
    return Drawing(
        name="survival",
        headline=Markup(" ").join(span(finding) for finding in chosen),
        subtitle=(
            "People with a first recorded event by each day, in every hundred of each group; "
            "shaded: the range that fits the data"
        ),
        about="people with an event by each day",
        alt=f"Two rising step curves. {words}",
        png=png,
        size=size,
        table=_curve_table(curves, last, f"survival-drawn-{event.replace('_', '-')}"),
    )


def forest(findings: Iterable[Finding]) -> Drawing | NotDrawn:
    """Every ratio of the report in a row: the same question asked in several ways can be seen to agree or not."""
    every = [finding for finding in findings if (finding.measure or "").endswith("_ratio")]
    chosen = [finding for finding in every if finding.status == "released" and finding.value]
    if not chosen:
        return not_drawn("forest", "the ratios", every)
    with _drawing(5.8, 1.6 + 0.95 * len(chosen)) as (figure, axes):
        places = list(range(len(chosen)))[::-1]
        axes.set_xscale("log")
        axes.axvline(1, color=INK, linewidth=1)
        for place, finding in zip(places, chosen, strict=True):
            axes.plot(
                [max(finding.low or 0, NO_BOUND_BELOW), finding.high],
                [place, place],
                color=COLOUR[PROGRAMME],
                linewidth=3,
            )
            axes.plot([finding.value], [place], marker="s", markersize=9, color=COLOUR[PROGRAMME])
        low = min(0.5, *(max(finding.low or 0, NO_BOUND_BELOW) for finding in chosen))
        high = max(2.0, *(finding.high or 1 for finding in chosen))
        ticks = [tick for tick in (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 10) if low * 0.99 <= tick <= high * 1.01]
        axes.set(xlim=(low * 0.95, high * 1.05), ylim=(-0.6, len(chosen) - 0.3), yticks=places)
        axes.set_yticklabels([f"{textwrap.fill(_short(finding), 24)}\n{_ratio_words(finding)}" for finding in chosen])
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("Ratio to the comparison group\n(left of 1: fewer in the\nprogramme group)")
        png, size = _png(figure)
    alt = "; ".join(f"{_short(finding)} {_ratio_words(finding)}" for finding in chosen)
    return Drawing(
        name="forest",
        headline=Markup("{}").format(span(chosen[0])),
        subtitle=(
            "The same question asked in several ways: ratio and the range that fits the data. "
            "A bar that reaches 1 does not tell the groups apart"
        ),
        about="the ratios",
        alt=f"Ratios, programme to comparison group, with their ranges: {alt}.",
        png=png,
        size=size,
        table=_ratio_table(chosen),
    )


def _flow_table(drawn: Sequence[Finding]) -> Table:
    rows = [(finding.label, *(_shown(finding, side) for side in (PROGRAMME, COMPARISON, "total"))) for finding in drawn]
    heads = ("Step", "Programme group", "Comparison group", "Both")
    return table("flow-drawn", "People at each step, by group", heads, rows, numbers=(1, 2, 3))


def _shown(finding: Finding, side: str) -> str:
    return count(finding.rows[0][side])


def _balance_table(chosen: Sequence[Finding]) -> Table:
    denominators = sorted({finding.rows[0]["denominator"] for finding in chosen})
    notes = (
        f"Difference of the means, programme less comparison, in units of the {' or the '.join(denominators)}.",
        "Everything in this table was known before the index date.",
    )
    heads = (
        "Known before",
        "Programme group",
        "Comparison group",
        "Standardised difference",
        "Variance ratio",
        "Not held",
    )
    rows = [_balance_row(finding.label, finding.rows[0]) for finding in chosen]
    caption = "The two groups before the index date"
    return table("balance-drawn", caption, heads, rows, numbers=(1, 2, 3, 4, 5), notes=notes)


def _balance_row(label: str, row: Mapping[str, Any]) -> tuple[Cell, ...]:
    digits, unit = (0, " per 100") if row["is_share"] else (1, "")
    missing = " and ".join(count(row[f"missing_{side}"]) for side in (PROGRAMME, COMPARISON))
    means = [f"{row[side]:.{digits}f}{unit}" for side in (PROGRAMME, COMPARISON)]
    ratio = "none" if row["variance_ratio"] is None else f"{row['variance_ratio']:.2f}"
    return (label, *means, signed(row["smd"], 2), ratio, missing)


def _ratio_table(chosen: Sequence[Finding]) -> Table:
    rows = [(finding.label, *_ratio_words(finding).removesuffix(")").split(" (")) for finding in chosen]
    heads = ("Ratio", "Value", "Range that fits the data")
    return table("forest-drawn", "Ratios, programme to comparison group", heads, rows, numbers=(1, 2))


def _curve_table(curves: dict[str, Finding], last: int, name: str) -> Table:
    days = sorted({*range(0, last + 1, 28), last})
    rows = []
    for day in days:
        cells = [f"day {day}"]
        for side in (PROGRAMME, COMPARISON):
            cells += [_share_words(curves[side], day), _still(curves[side], day)]
        rows.append(tuple(cells))
    heads = (
        "By",
        "Programme group, in every hundred",
        "still followed",
        "Comparison group, in every hundred",
        "still followed",
    )
    notes = (
        "In brackets: the range that fits the data.",
        "Still followed: without the event and under observation just before that day.",
        "[z]: nobody of the group was followed that long, or too few to be shown.",
    )
    return table(name, "People with a first recorded event by each day", heads, rows, numbers=(1, 2, 3, 4), notes=notes)


def _step_curve(axes: Axes, rows: Sequence[Any], side: str) -> None:
    days = [row["day"] for row in rows]
    low, high = [row["low"] for row in rows], [row["high"] for row in rows]
    axes.step(days, [row["share"] for row in rows], where="post", color=COLOUR[side], linestyle=LINE[side])
    axes.fill_between(days, low, high, step="post", color=COLOUR[side], alpha=0.15, linewidth=0)
    end = (days[-1], rows[-1]["share"])
    axes.annotate(
        side.capitalize(), end, xytext=(5, 0), textcoords="offset points", va="center", color=INK, fontsize=12
    )


def _share_words(curve: Finding, day: int) -> str:
    """The point of a step curve that holds on a day; none after its end."""
    if day > curve.rows[-1]["day"]:
        return "[z]"
    row = [row for row in curve.rows if row["day"] <= day][-1]
    return f"{row['share']:.0f} ({row['low']:.0f} to {row['high']:.0f})"


def _still(curve: Finding, day: int) -> str:
    """People at risk just before a day: the count of the first point not before it; none after the curve's end."""
    return next((f"{row['at_risk']}" for row in curve.rows if row["day"] >= day), "[z]")


def _people_still_followed(axes: Axes, curves: dict[str, Finding], marks: Sequence[int]) -> None:
    """Numbers at risk below the curves, one line a group, each under its day."""
    axes.set(ylim=(-0.5, 1.5), yticks=[1, 0])
    axes.set_title("People still followed without the event", fontsize=11)
    axes.set_yticklabels([PROGRAMME.capitalize(), COMPARISON.capitalize()])
    for line, side in ((1, PROGRAMME), (0, COMPARISON)):
        for day in marks:
            axes.text(day, line, _still(curves[side], day), ha="center", va="center", fontsize=11, color=INK)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(bottom=False, labelbottom=False, left=False, pad=20)


def _ratio_words(finding: Finding) -> str:
    value, low, high = (times(number) for number in (finding.value or 0, finding.low or 0, finding.high or 0))
    return f"{value} ({low} to {high})"


def _short(finding: Finding) -> str:
    return finding.label.replace(": ratio", "").rsplit(", ", 1)[0]


def _box(axes: Axes, across: float, up: float, words: str, colour: str) -> None:
    box = {"boxstyle": "square,pad=0.5", "facecolor": "white", "edgecolor": colour, "linewidth": 2}
    axes.text(across, up, words, ha="center", va="center", fontsize=11.5, color=INK, bbox=box)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": QUIET, "linewidth": 1.2})


@contextmanager
def _drawing(
    width_inches: float, height_inches: float, heights: tuple[int, ...] = (1,)
) -> Iterator[tuple[Figure, Any]]:
    """A figure in the style of the UK Government Analysis Function, in a font that every machine has.

    Gives its axes, or all of them from the top where `heights` names several.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.style import context

    with context("afcharts.afcharts"), mpl.rc_context({"font.sans-serif": ["DejaVu Sans"], "font.size": 12}):
        figure = Figure(figsize=(width_inches, height_inches), layout="constrained")
        axes = figure.subplots(len(heights), sharex=True, height_ratios=heights)
        yield figure, axes


def _png(figure: Figure) -> tuple[bytes, tuple[int, int]]:
    """The picture without any metadata, in as few colours as it needs, and the CSS pixels at which it is sharp."""
    from PIL import Image

    drawn, stream = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    picture = Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(stream, format="png", optimize=True)
    width, height = figure.get_size_inches()
    return stream.getvalue(), (round(width * 96), round(height * 96))
