"""What a before/after comparison would have said beside what was to be expected, and every ratio of the report."""

from __future__ import annotations

import itertools
import string
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from evalkit.display import (
    Drawing,
    NotDrawn,
    Table,
    claimed,
    how_published,
    not_drawn,
    published_value,
    span,
    table,
)
from evalkit.evidence import PLACEBO, times
from evalkit.figures.drawing import BAND, COLOUR, INK, QUIET, bare, canvas, png
from evalkit.results import PROGRAMME, VARIANTS, Finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from evalkit.claims import Claim

NO_BOUND_BELOW = 0.05  # where a ratio's axis is cut, so that one wide bar does not press the others flat

ROOM_FOR_WORDS = 0.75  # of the longest bar, to the right of what was to be expected


def expectation(findings: Iterable[Finding], published: Iterable[Claim] = ()) -> Drawing | NotDrawn:
    """Events before, events after, and the band in which those after were to be expected without any programme.

    A published change of recorded events is a lettered mark at what it would have left of the events before.
    """
    every = [finding for finding in findings if finding.kind == "expected"]
    chosen = [finding for finding in every if finding.rows]
    if not chosen:
        return not_drawn("expectation", "what was to be expected without the programme", every)
    claims = _changes_of_events(published)
    words = [_claim_words(letter, claim) for letter, claim in claims.items()]
    room = 0.19 * sum(each.count("\n") + 1 for each in words) + 0.3 * bool(words)
    with canvas(0.4 + 2.3 * len(chosen) + room, heights=(1,) * len(chosen), sharex=False) as (figure, axes):
        panels = [axes] if len(chosen) == 1 else list(axes)
        for place, finding in zip(panels, chosen, strict=True):
            _bars(place, finding)
        _marks(panels[0], chosen[0].rows[0]["before"], claims)
        if words:
            figure.supxlabel("\n".join(words), x=0.01, ha="left", fontsize=9.5, color=QUIET)
        picture, size = png(figure)
    return Drawing(
        name="expectation",
        headline=span(chosen[0], chosen[0].can_say[0]),
        subtitle=(
            f"Recorded events of the {chosen[0].rows[0]['people']:,} people who were chosen or taken on; grey: the "
            "range in which those after the index date were to be expected without any programme"
            f"{MARKS if claims else ''}"
        ),
        about="before, after, and what was to be expected",
        alt=" ".join([*map(_bars_in_words, chosen), *_marks_in_words(chosen[0].rows[0]["before"], claims)]),
        png=picture,
        size=size,
        table=_expected_table(chosen, claims),
    )


MARKS = "; dotted: what changes published elsewhere, of other people and windows, would leave of those before"


def _changes_of_events(published: Iterable[Claim]) -> dict[str, Claim]:
    """Published changes of recorded events, by the letter that marks each."""
    changes = [
        claim
        for claim in published
        if claim.strand == "reoffending" and claim.contrast in ("within", "did") and claim.unit == "percent"
    ]
    return dict(zip(string.ascii_lowercase, changes, strict=False))


def _claim_words(letter: str, claim: Claim) -> str:
    return textwrap.fill(
        f"{letter}  published: {published_value(claim)}, {claim.counted} ({how_published(claim)})",
        80,
        subsequent_indent="    ",
    )


def _marks(axes: Axes, before: float, claims: Mapping[str, Claim]) -> None:
    for letter, claim in claims.items():
        place = _left_of(before, claim)
        axes.plot([place] * 2, [0.35, 1.5], color=INK, linewidth=1.2, linestyle=(0, (1, 1.5)))
        axes.annotate(letter, (place, 1.5), (0, 1), textcoords="offset points", ha="center", fontsize=10.5, color=INK)


def _left_of(before: float, claim: Claim) -> float:
    """Where a published change would have left the events before."""
    return before * (1 + claim.value / 100)


def _marks_in_words(before: float, claims: Mapping[str, Claim]) -> Iterator[str]:
    for letter, claim in claims.items():
        yield (
            f"Mark {letter}, published elsewhere, at {_left_of(before, claim):,.0f}: {claim.counted} "
            f"({how_published(claim)})."
        )


def _bars(axes: Axes, finding: Finding) -> None:
    row, days = finding.rows[0], finding.horizon_days
    longest = max(row["before"], row["after"], row["high"])
    axes.fill_betweenx([-0.5, 1.5], row["low"], row["high"], color=BAND, linewidth=0)
    axes.plot([row["without"]] * 2, [-0.5, 1.5], color=QUIET, linewidth=1.6)
    for place, name in ((2, "before"), (0, "after")):
        axes.barh(place, row[name], height=0.62, color=COLOUR[PROGRAMME])
        inside = row[name] > longest / 6
        axes.annotate(
            f"{row[name]:,}", (row[name], place), (-6 if inside else 6, 0), textcoords="offset points", va="center",
            ha="right" if inside else "left", fontsize=13, weight="bold", color="white" if inside else INK,
        )  # fmt: skip
    words = f"about {row['without']:,} ({row['low']:,} to {row['high']:,})"
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    axes.text(row["high"] + longest * 0.015, 1, words, va="center", fontsize=12, color=INK, bbox=paper, zorder=5)
    bare(axes)
    room = max(longest * 1.12, row["high"] + longest * ROOM_FOR_WORDS)
    axes.set(xlim=(0, room), ylim=(-0.6, 2.6), yticks=[2, 1, 0])
    axes.set_yticklabels([f"{days} days before", "expected after\nwithout any\nprogramme", f"{days} days after"])


def _bars_in_words(finding: Finding) -> str:
    row, days = finding.rows[0], finding.horizon_days
    return (
        f"Bars: {row['before']:,} recorded events in the {days} days before and {row['after']:,} in the {days} days "
        f"after; a grey band from {row['low']:,} to {row['high']:,} with a line at {row['without']:,}, where those "
        "after were expected without any programme."
    )


def _expected_table(chosen: Sequence[Finding], claims: Mapping[str, Claim]) -> Table:
    rows = [
        (
            f"{finding.horizon_days} days",
            *(f"{finding.rows[0][name]:,}" for name in ("before", "after", "without")),
            f"{finding.rows[0]['low']:,} to {finding.rows[0]['high']:,}",
        )
        for finding in chosen
    ]
    heads = ("Over", "Before", "After", "Expected after without any programme", "Range expected")
    notes = [
        Markup("Mark {}: {}").format(
            letter, claimed(claim, f"{published_value(claim)}, {claim.counted}; {claim.design}")
        )
        for letter, claim in claims.items()
    ]
    return table("expectation-drawn", "Recorded events drawn above", heads, rows, numbers=(1, 2, 3, 4), notes=notes)


def forest(findings: Iterable[Finding]) -> Drawing | NotDrawn:
    """Every ratio of the report in a row: the same question asked in several ways can be seen to agree or not.

    The check with people next below the line, where no difference is to be expected, stands apart at the foot.
    """
    every = [finding for finding in findings if (finding.measure or "").endswith("_ratio")]
    found = [finding for finding in every if finding.status == "released" and finding.value]
    if not found:
        return not_drawn("forest", "the ratios", every)
    chosen = sorted(found, key=_is_placebo)
    room = sum(map(_room, chosen))
    with canvas(0.9 + room) as (figure, axes):
        places = _places(chosen)
        axes.set_xscale("log")
        axes.axvline(1, color=INK, linewidth=1)
        for place, finding in zip(places, chosen, strict=True):
            _whisker(axes, place, finding)
        _log_axis(axes, chosen)
        axes.set(ylim=(-room, 0), yticks=places)
        axes.set_yticklabels([f"{_wrapped(finding)}\n{_ratio_words(finding)}" for finding in chosen], fontsize=11)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("Ratio (left of 1: fewer in\nthe programme group)")
        picture, size = png(figure)
    alt = "; ".join(f"{_short(finding)} {_ratio_words(finding)}" for finding in chosen)
    main = chosen[0]
    return Drawing(
        name="forest",
        headline=span(main, main.can_say[0] if main.can_say else None),
        subtitle=(
            "The same question asked in several ways: ratio and the range that fits the data. "
            "A bar that reaches 1 does not tell the groups apart; the thick one was planned as the answer"
        ),
        about="the ratios",
        alt=f"Ratios with their ranges, 1 being no difference: {alt}.",
        png=picture,
        size=size,
        table=_ratio_table(chosen),
    )


def _is_placebo(finding: Finding) -> bool:
    return finding.id.endswith(f".{PLACEBO}")


def _room(finding: Finding) -> float:
    """Inches that a ratio takes: the lines of its label, one for its number, and more where it is set apart."""
    return 0.2 + 0.19 * (_wrapped(finding).count("\n") + 2) + 0.3 * _is_placebo(finding)


def _places(chosen: Sequence[Finding]) -> list[float]:
    """Where each ratio stands: inches from the top, downwards."""
    feet = itertools.accumulate(map(_room, chosen))
    return [_room(finding) / 2 - 0.15 * _is_placebo(finding) - foot for finding, foot in zip(chosen, feet, strict=True)]


def _whisker(axes: Axes, place: float, finding: Finding) -> None:
    fill = "white" if _is_placebo(finding) else COLOUR[PROGRAMME]
    ends = [max(finding.low or 0, NO_BOUND_BELOW), finding.high or 1]
    width, marker = (4.5, 11) if finding.planned == "primary" else (2.5, 8)
    axes.plot(ends, [place, place], color=COLOUR[PROGRAMME], linewidth=width)
    axes.plot(
        [finding.value or 1], [place], marker="s", markersize=marker, color=COLOUR[PROGRAMME], markerfacecolor=fill
    )


def _log_axis(axes: Axes, chosen: Sequence[Finding]) -> None:
    low = min(0.5, *(max(finding.low or 0, NO_BOUND_BELOW) for finding in chosen))
    high = max(2.0, *(finding.high or 1 for finding in chosen))
    ticks = [tick for tick in (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 10) if low * 0.99 <= tick <= high * 1.01]
    axes.set_xlim(low * 0.95, high * 1.05)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def _ratio_words(finding: Finding) -> str:
    value, low, high = (times(number) for number in (finding.value or 0, finding.low or 0, finding.high or 0))
    return f"{value} ({low} to {high})"


def _wrapped(finding: Finding) -> str:
    """The label of a ratio; of another way of putting the same question only what is other about it."""
    way = VARIANTS.get(finding.id.rsplit(".", 1)[-1], "")
    label = f"{way[0].upper()}{way[1:]}" if way else _short(finding).replace(" days", "\N{NO-BREAK SPACE}days")
    return textwrap.fill(f"{label} (should reach 1)" if _is_placebo(finding) else label, 28)


def _short(finding: Finding) -> str:
    return finding.label.replace(": ratio", "")


def _ratio_table(chosen: Sequence[Finding]) -> Table:
    rows: list[Any] = [(finding.label, *_ratio_words(finding).removesuffix(")").split(" (")) for finding in chosen]
    heads = ("Ratio", "Value", "Range that fits the data")
    return table("forest-drawn", "Ratios, 1 being no difference", heads, rows, numbers=(1, 2))
