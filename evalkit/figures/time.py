"""What happened when: month by month around the index date, and how soon a first event came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from evalkit.display import Drawing, NotDrawn, Table, not_drawn, span, table
from evalkit.figures.drawing import COLOUR, INK, LINE, QUIET, bare, canvas, name_ends, png
from evalkit.results import COMPARISON, PROGRAMME, Finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DAYS_OF_A_STEP = 30  # of a released curve


def months(findings: Iterable[Finding]) -> Drawing | NotDrawn:
    """Recorded events of each group in every hundred people, in stretches of 30 days around the index date."""
    every = [finding for finding in findings if finding.kind == "months"]
    lines = {finding.label.removesuffix(" group"): _points(finding) for finding in every if finding.rows}
    if not {PROGRAMME, COMPARISON} <= set(lines):
        return not_drawn("months", "events month by month", every)
    rates = [rate for side in lines.values() for rate in side.values() if rate is not None]
    first, last = min(lines[PROGRAMME]), max(lines[PROGRAMME])
    with canvas(4.0) as (figure, axes):
        axes.axvline(0, color=QUIET, linewidth=1.2, linestyle=(0, (2, 2)))
        for side in (COMPARISON, PROGRAMME):
            _monthly_line(axes, lines[side], side)
        highest = 1.15 * max(1.0, *rates)
        axes.set(xlim=(first, last + 1), ylim=(0, highest), xticks=range(first, last + 2, 6))
        axes.annotate("index date", (0, highest), (-4, -4), textcoords="offset points", ha="right", va="top", color=INK)
        axes.set_xlabel("Months of 30 days from the index date")
        axes.set_ylabel("Events for every hundred people")
        shown = {side: [(m + 0.5, r) for m, r in points.items() if r is not None] for side, points in lines.items()}
        name_ends(axes, {side: max(points) for side, points in shown.items() if points})
        picture, size = png(figure)
    words = next((span(finding) for finding in every if finding.sentence), Markup("Recorded events, month by month"))
    return Drawing(
        name="months",
        headline=words,
        subtitle=(
            "Recorded events for every hundred people in each 30 days, both groups; the comparison weighted like the "
            "programme group. A gap: too few people to be shown"
        ),
        about="events month by month",
        alt=_months_alt(lines),
        png=picture,
        size=size,
        table=_months_table(lines),
    )


def _points(finding: Finding) -> dict[int, float | None]:
    return {row["month"]: row["per_hundred"] for row in finding.rows}


def _monthly_line(axes: Axes, points: dict[int, float | None], side: str) -> None:
    """A line through the middles of the months, broken at the index date and where nothing may be shown."""
    shown = [(month, rate) for month, rate in sorted(points.items()) if rate is not None]
    runs = groupby(enumerate(shown), key=lambda place: (place[1][0] - place[0], place[1][0] >= 0))
    for _, run in runs:
        stretch = [point for _, point in run]
        axes.plot(
            [month + 0.5 for month, _ in stretch],
            [rate for _, rate in stretch],
            color=COLOUR[side],
            linestyle=LINE[side],
            linewidth=2.2,
            marker="o" if side == PROGRAMME else "D",
            markersize=4,
        )


def _months_alt(lines: dict[str, dict[int, float | None]]) -> str:
    asked = [month for month in (-12, -6, -1, 0, 5, 11) if month in lines[PROGRAMME]]
    told = "; ".join(
        f"{_month_words(month)}: programme {_rate(lines[PROGRAMME][month])}, "
        f"comparison {_rate(lines[COMPARISON].get(month))}"
        for month in asked
    )
    return (
        "Two lines of recorded events for every hundred people in 30 days, before and after the index date, to be read "
        f"against each other: a fall of both is to be expected. {told}."
    )


def _months_table(lines: dict[str, dict[int, float | None]]) -> Table:
    rows = [
        (_month_words(month), _rate(lines[PROGRAMME][month]), _rate(lines[COMPARISON].get(month)))
        for month in sorted(lines[PROGRAMME])
    ]
    heads = ("Month of 30 days", "Programme group", "Comparison group")
    notes = ("[c]: too few people, or too few with an event, to be shown.",)
    caption = "Recorded events for every hundred people in each 30 days; a fall of both groups is to be expected"
    return table("months-drawn", caption, heads, rows, numbers=(1, 2), notes=notes)


def _month_words(month: int) -> str:
    return f"{month + 1}. after" if month >= 0 else f"{-month}. before"


def _rate(rate: float | None) -> str:
    return "[c]" if rate is None else f"{rate:.0f}"


def survival(findings: Iterable[Finding]) -> Drawing | NotDrawn:
    """The share of each group with a first event by each day, with intervals and the people still followed."""
    every = [finding for finding in findings if finding.kind == "curve"]
    curves = {finding.label.removesuffix(" group"): finding for finding in every if finding.rows}
    if not {PROGRAMME, COMPARISON} <= set(curves):
        return not_drawn("survival", "people with an event by each day", every)
    chosen = [curves[side] for side in (PROGRAMME, COMPARISON)]
    last = max(finding.rows[-1]["day"] for finding in chosen)
    marks = [round(last * part / 4) for part in range(5)]
    with canvas(5.4, heights=(5, 1)) as (figure, (axes, below)):
        for side in (PROGRAMME, COMPARISON):
            _step_curve(axes, curves[side].rows, side)
        ends = {side: (finding.rows[-1]["day"], finding.rows[-1]["share"]) for side, finding in curves.items()}
        name_ends(axes, ends)
        highest = max(row["high"] for finding in chosen for row in finding.rows)
        axes.set(xlim=(0, last * 1.01), ylim=(0, max(10.0, highest * 1.1)), xticks=marks)
        axes.set_xlabel("Days after the index date")
        axes.tick_params(labelbottom=True)
        axes.set_ylabel("People in every hundred")
        _people_still_followed(below, curves, marks)
        picture, size = png(figure)
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
        png=picture,
        size=size,
        table=_curve_table(curves, last, f"survival-drawn-{event.replace('_', '-')}"),
    )


def _step_curve(axes: Axes, rows: Sequence[Any], side: str) -> None:
    days = [row["day"] for row in rows]
    low, high = [row["low"] for row in rows], [row["high"] for row in rows]
    on_the_grid = all(day % DAYS_OF_A_STEP == 0 for day in days)  # what happened between its points is not told
    axes.plot(
        days, [row["share"] for row in rows], color=COLOUR[side], linestyle=LINE[side],
        drawstyle="default" if on_the_grid else "steps-post",
    )  # fmt: skip
    axes.fill_between(
        days, low, high, step=None if on_the_grid else "post", color=COLOUR[side], alpha=0.15, linewidth=0
    )


def _people_still_followed(axes: Axes, curves: dict[str, Finding], marks: Sequence[int]) -> None:
    """Numbers at risk below the curves, one line a group, each under its day."""
    axes.set(ylim=(-0.5, 1.5), yticks=[1, 0])
    axes.set_title("People still followed without the event", fontsize=11)
    axes.set_yticklabels([PROGRAMME.capitalize(), COMPARISON.capitalize()])
    for line, side in ((1, PROGRAMME), (0, COMPARISON)):
        for day in marks:
            axes.text(day, line, _still(curves[side], day), ha="center", va="center", fontsize=11, color=INK)
    bare(axes)
    axes.tick_params(pad=20)


def _curve_table(curves: dict[str, Finding], last: int, name: str) -> Table:
    days = sorted({*range(0, last + 1, DAYS_OF_A_STEP), last})
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


def _share_words(curve: Finding, day: int) -> str:
    """The point of a step curve that holds on a day; none after its end."""
    if day > curve.rows[-1]["day"]:
        return "[z]"
    row = [row for row in curve.rows if row["day"] <= day][-1]
    return f"{row['share']:.0f} ({row['low']:.0f} to {row['high']:.0f})"


def _still(curve: Finding, day: int) -> str:
    """People at risk just before a day: the count of the first point not before it; none after the curve's end."""
    return next((f"{row['at_risk']}" for row in curve.rows if row["day"] >= day), "[z]")
