"""Who is counted: the way to the people analysed, and how alike the groups were."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

from evalkit.display import (
    STEP_HEADS,
    Cell,
    Drawing,
    NotDrawn,
    Table,
    count,
    not_drawn,
    signed,
    span,
    step_rows,
    table,
)
from evalkit.figures.drawing import COLOUR, INK, QUIET, WIDTH_INCHES, bare, canvas, png
from evalkit.results import COMPARISON, PROGRAMME, Finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACROSS = {PROGRAMME: 1.3, COMPARISON: 4.3}  # inches, as every length of the flow
ACROSS_BOTH = 2.8
BOX_LINE, TEXT_LINE, ROOM, SHORTEST_ARROW = 0.185, 0.145, 0.2, 0.42
BOX_LETTERS, TEXT_LETTERS = 26, 32


def flow(findings: Iterable[Finding]) -> Drawing | NotDrawn:
    """The way of each group to the people analysed, step by step, with whoever was left out on it.

    A step that is not told apart by group stands above both where everybody is in one of them, and with the comparison
    where it is drawn from all those people. Where nobody is compared there is one way.
    """
    every = [finding for finding in findings if finding.kind == "count" and finding.rows]
    steps = [finding for finding in every if finding.rows[0]["unit"] == "people"]
    if not steps:
        return not_drawn("flow", "the people at each step", steps)
    sides = [side for side in ACROSS if any(finding.rows[0][side] is not None for finding in steps)] or [COMPARISON]
    common = list(itertools.takewhile(_is_untold, steps)) if _splits(steps) else []
    columns = {side: _stations(steps[len(common) :], side, alone=len(sides) == 1) for side in sides}
    top = _Station("", "", "\n".join(_left_out(common))).above if common else 0.0
    above = _stations(common, COMPARISON, alone=True)
    places = _places({COMPARISON: above}) if above else {}
    start = min((places[station.id] - station.height / 2 - top - 0.3 for station in above), default=0.0)
    places |= _places(columns, start)
    foot = min(places.values()) - 0.6
    with canvas(0.3 - foot) as (figure, axes):
        axes.set(xlim=(0, WIDTH_INCHES), ylim=(foot, 0.3))
        axes.axis("off")
        _draw_common(axes, above, places, start + 0.3, "\n".join(_left_out(common)))
        for side, stations in columns.items():
            axes.text(
                ACROSS[side], start + 0.15, f"{side.capitalize()} group", ha="center", va="center", weight="bold",
                color=INK,
            )  # fmt: skip
            _draw_column(axes, stations, places, side)
        picture, size = png(figure)
    last = [finding for finding in steps if not finding.rows[0]["left_out"]][-1]
    return Drawing(
        name="flow",
        headline=span(last) if last.sentence else Markup("Who was counted, and who was left out"),
        subtitle="People at each step, by group; between the boxes those left out, with the reason",
        about="people at each step",
        alt=f"{'; '.join(_step_in_words(finding) for finding in steps)}.",
        png=picture,
        size=size,
        table=_flow_table(every),
    )


def _is_untold(finding: Finding) -> bool:
    """Whether a step is not told apart by group."""
    return finding.rows[0][PROGRAMME] is None and finding.rows[0][COMPARISON] is None


def _splits(steps: Sequence[Finding]) -> bool:
    """Whether everybody of the first steps is afterwards in one of two groups, and in one alone."""
    told = [finding.rows[0] for finding in steps if not _is_untold(finding)]
    return bool(told) and told[0][COMPARISON] is not None and told[0]["total"] is not None


def _number(finding: Finding, side: str, *, alone: bool) -> int | str | None:
    row = finding.rows[0]
    return row["total"] if _is_untold(finding) and (alone or side == COMPARISON) else row[side]


class _Station(NamedTuple):
    """A step that people of one group reach: its words in the box, and those of whoever was left out before it."""

    id: str
    box: str
    left_out: str

    @property
    def height(self) -> float:
        """Inches of the box."""
        return ROOM + BOX_LINE * (self.box.count("\n") + 1)

    @property
    def above(self) -> float:
        """Inches of the arrow that leads to it."""
        lines = self.left_out.count("\n") + 1 if self.left_out else 0
        return max(SHORTEST_ARROW, ROOM / 2 + TEXT_LINE * lines)


def _stations(steps: Sequence[Finding], side: str, *, alone: bool) -> list[_Station]:
    stations: list[_Station] = []
    left_out: list[str] = []
    for finding in steps:
        number = _number(finding, side, alone=alone)
        if number is None:
            continue
        if finding.rows[0]["left_out"]:
            left_out += _leaving(finding, number)
            continue
        box = f"{textwrap.fill(finding.label, BOX_LETTERS)}\n{count(number)}"
        stations.append(_Station(finding.id, box, "\n".join(left_out)))
        left_out = []
    return stations


def _leaving(finding: Finding, number: int | str) -> list[str]:
    words = f"{count(number)}: {finding.label[0].lower()}{finding.label[1:]}"
    return [textwrap.fill(words, TEXT_LETTERS, subsequent_indent="   ")] * (number != 0)


def _left_out(common: Sequence[Finding]) -> list[str]:
    """Those left out after the last step that is not told apart by group."""
    last = list(itertools.takewhile(lambda finding: finding.rows[0]["left_out"], reversed(common)))
    return [line for finding in reversed(last) for line in _leaving(finding, finding.rows[0]["total"] or 0)]


def _places(columns: Mapping[str, Sequence[_Station]], start: float = 0.0) -> dict[str, float]:
    """The height of each step's middle: below what comes before it in either group, and the same in both."""
    places: dict[str, float] = {}
    for _ in columns:
        for stations in columns.values():
            places |= _down(stations, places, start)
    return places


def _down(stations: Sequence[_Station], known: Mapping[str, float], start: float) -> Iterator[tuple[str, float]]:
    foot = start
    for number, station in enumerate(stations):
        free = foot - station.height / 2 - (station.above if number else 0.0)
        place = min(free, known.get(station.id, free))
        yield station.id, place
        foot = place - station.height / 2


def _draw_common(axes: Axes, stations: Sequence[_Station], places: Mapping[str, float], end: float, left: str) -> None:
    """The steps of everybody, above both groups, and who was left out between the last of them and the groups."""
    _draw_column(axes, stations, places, "both")
    for station in stations[-1:]:
        start = places[station.id] - station.height / 2
        _arrow(axes, ACROSS_BOTH - 1.05, start, end)
        axes.text(ACROSS_BOTH - 0.95, (start + end) / 2, left, va="center", fontsize=8.5, color=INK, linespacing=1.2)


def _draw_column(axes: Axes, stations: Sequence[_Station], places: Mapping[str, float], side: str) -> None:
    across, colour = ACROSS.get(side, ACROSS_BOTH), COLOUR.get(side, QUIET)
    for before, station in itertools.pairwise(stations):
        start, end = places[before.id] - before.height / 2, places[station.id] + station.height / 2
        _arrow(axes, across - 1.05, start, end)
        axes.text(
            across - 0.95, (start + end) / 2, station.left_out, va="center", fontsize=8.5, color=INK,
            linespacing=1.2,
        )  # fmt: skip
    for station in stations:
        _box(axes, across, places[station.id], station.box, colour)


def _box(axes: Axes, across: float, up: float, words: str, colour: str) -> None:
    box = {"boxstyle": "square,pad=0.45", "facecolor": "white", "edgecolor": colour, "linewidth": 1.8}
    axes.text(across, up, words, ha="center", va="center", fontsize=10, color=INK, bbox=box)


def _arrow(axes: Axes, across: float, start: float, end: float) -> None:
    arrow = {"arrowstyle": "-|>", "color": QUIET, "linewidth": 1.2}
    axes.annotate("", xy=(across, end), xytext=(across, start), arrowprops=arrow)


def _step_in_words(finding: Finding) -> str:
    told = [
        f"{count(finding.rows[0][side])} in the {side} group"
        for side in (PROGRAMME, COMPARISON)
        if finding.rows[0][side] is not None
    ]
    both = [f"{count(finding.rows[0]['total'])} people"] * (finding.rows[0]["total"] is not None)
    lead = "left out, " if finding.rows[0]["left_out"] else ""
    return f"{lead}{finding.label}: {', '.join([*both, *told])}"


def _flow_table(every: Sequence[Finding]) -> Table:
    notes = ("[z]: not told apart by group, or not added up, as a person may stand in both.",)
    caption = "Every step, from the extract on"
    return table("flow-drawn", caption, STEP_HEADS, step_rows(every), numbers=(1, 2, 3), notes=notes)


def balance(findings: Iterable[Finding]) -> Drawing | NotDrawn:
    """How far the groups were apart in each covariate before the index date (a love plot).

    Filled as compared; where people were matched, hollow as they were before matching.
    """
    every = tuple(findings)
    chosen = [finding for finding in every if finding.rows and finding.rows[0]["smd"] is not None]
    if not chosen:
        return not_drawn("balance", "the groups before the index date", every, "there is no comparison group")
    drawn = {
        name: [(finding.rows[0][name], len(chosen) - 1 - place) for place, finding in enumerate(chosen)]
        for name in ("smd", "smd_before")
    }
    hollow = [point for point in drawn["smd_before"] if point[0] is not None]
    farthest = max(chosen, key=lambda finding: abs(finding.rows[0]["smd"]))
    reach = max(0.3, *(abs(size) for size, _ in [*drawn["smd"], *hollow])) * 1.12
    dense = len(chosen) > 12
    with canvas(1.6 + (0.27 if dense else 0.5) * len(chosen)) as (figure, axes):
        axes.axvline(0, color=INK, linewidth=1)
        for side in (-0.1, 0.1):
            axes.axvline(side, color=QUIET, linewidth=1, linestyle=(0, (2, 2)))
        if hollow:
            axes.scatter(
                *zip(*hollow, strict=True), s=44, facecolors="white", edgecolors=QUIET, label="before matching"
            )
        points = axes.scatter(*zip(*drawn["smd"], strict=True), s=44, color=COLOUR[PROGRAMME], zorder=3)
        if hollow:
            points.set_label("as compared, after matching")
            figure.legend(loc="outside upper right", ncols=2, fontsize=10, frameon=False)
        axes.set(yticks=range(len(chosen)), xlim=(-reach, reach), ylim=(-0.6, len(chosen) - 0.4))
        labels = [textwrap.fill(finding.label, 52 if dense else 24) for finding in chosen]
        axes.set_yticklabels(labels[::-1], fontsize=9 if dense else 12)
        axes.set_xlabel("Standardised difference,\nprogramme less comparison\n(dotted: 0.1 either way)")
        axes.grid(visible=False, axis="y")
        picture, size = png(figure)
    alt = "; ".join(f"{finding.label} {_apart(finding.rows[0])}" for finding in chosen)
    return Drawing(
        name="balance",
        headline=Markup("Farthest apart \N{EN DASH} {}").format(span(farthest)),
        subtitle="Standardised difference of the two groups before the index date, covariate by covariate",
        about="the groups before the index date",
        alt=f"Differences in standard deviations, programme less comparison: {alt}.",
        png=picture,
        size=size,
        table=_balance_table(chosen),
    )


def _apart(row: Mapping[str, Any]) -> str:
    before = "" if row["smd_before"] is None else f" ({signed(row['smd_before'], 2)} before matching)"
    return f"{signed(row['smd'], 2)}{before}"


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
    return (label, *means, _apart(row), ratio, missing)


def overlap(findings: Iterable[Finding]) -> Drawing | NotDrawn:
    """How many people of each group there are in each band of the chance of being chosen."""
    every = [finding for finding in findings if finding.kind == "overlap"]
    if not every or not every[0].rows:
        return not_drawn("overlap", "how likely people were to be chosen", every)
    bands = every[0].rows
    labels = [_band(band) for band in bands]
    with canvas(1.3 + 0.36 * len(bands), widths=(1, 2), sharex=False) as (figure, panels):
        for axes, side in zip(panels, (PROGRAMME, COMPARISON), strict=True):
            numbers = [band[side] if isinstance(band[side], int) else 0 for band in bands]
            axes.barh(range(len(bands)), numbers, color=COLOUR[side], height=0.7)
            for place, band in enumerate(bands):
                axes.annotate(
                    count(band[side]), (numbers[place], place), (4, 0), textcoords="offset points", va="center",
                    fontsize=10.5, color=INK,
                )  # fmt: skip
            bare(axes)
            axes.set(xlim=(0, 1.45 * max(1, *numbers)), ylim=(-0.6, len(bands) - 0.4), yticks=range(len(bands)))
            axes.set_title("Chosen" if side == PROGRAMME else "Not chosen", fontsize=12)
        panels[0].set_yticklabels(labels)
        panels[0].set_ylabel("Chance of being chosen\nat one run date, in 100")
        picture, size = png(figure)
    told = "; ".join(
        f"{label}: {count(band[PROGRAMME])} and {count(band[COMPARISON])}"
        for label, band in zip(labels, bands, strict=True)
    )
    return Drawing(
        name="overlap",
        headline=span(every[0]),
        subtitle=(
            "People by their chance of being chosen, in bands that hold about equally many of those who were. "
            "Where a band holds nobody on the right, nobody can stand for those on the left"
        ),
        about="how likely people were to be chosen",
        alt=f"People chosen, and people not chosen, by chance of being chosen in 100: {told}.",
        png=picture,
        size=size,
        table=_overlap_table(labels, bands),
    )


def _band(band: Mapping[str, Any]) -> str:
    if band["low"] is None:
        return f"below {band['high']:.1f}"
    return f"{band['low']:.1f} and more" if band["high"] is None else f"{band['low']:.1f} to {band['high']:.1f}"


def _overlap_table(labels: Sequence[str], bands: Sequence[Mapping[str, Any]]) -> Table:
    rows = [(label, count(band[PROGRAMME]), count(band[COMPARISON])) for label, band in zip(labels, bands, strict=True)]
    heads = ("Chance of being chosen, in 100", "Programme group", "Comparison group")
    notes = ("A person who was not chosen may stand in several bands, on different run dates.",)
    caption = "People by their chance of being chosen at one run date"
    return table("overlap-drawn", caption, heads, rows, numbers=(1, 2), notes=notes)
