"""How levels of abuse changed between intake and later: bars of cases, those not assessed again among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from evalkit.display import (
    MOVE_HEADS,
    MOVE_WORDS,
    Drawing,
    NotDrawn,
    Table,
    arm_of,
    count,
    judged,
    move_cells,
    moves,
    not_drawn,
    table,
)
from evalkit.figures.drawing import COLOUR, INK, QUIET, bare, canvas, png
from evalkit.results import ABUSE_TYPES, PROGRAMME, REPORTERS, Finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STRENGTH = {"lower": 0.25, "same": 0.55, "higher": 1.0}  # of the group's colour
NARROW = 0.06  # of the longest bar: a narrower part has no room for its number
BAR, GAP, TITLE = 0.3, 0.08, 0.34  # inches


def transitions(findings: Iterable[Finding]) -> Drawing | NotDrawn:
    """Cases at a lower level, the same, a higher and not assessed again, of each abuse type and group.

    As the reporter trusted most judged it. A bar is as long as there are cases; the programme group stands above the
    comparison. What may not be told stands at the end of its bar as a part without a number.
    """
    told = tuple(findings)
    every = [finding for finding in told if finding.kind == "transition"]
    drawn = [finding for finding in every if finding.rows]
    if not drawn:
        refused = [each for each in told if each.kind == "not_estimable" and each.strand == "abuse_types"]
        return not_drawn(
            "transitions", "how levels of abuse changed", every or refused, "this report does not look at it"
        )
    reporter = judged(drawn[0])[1]
    chosen = [finding for finding in drawn if judged(finding)[1] == reporter]
    kinds: dict[str, list[Finding]] = {}
    for finding in sorted(chosen, key=lambda each: arm_of(each) != PROGRAMME):
        kinds.setdefault(_outcome(finding), []).append(finding)
    kinds = {kind: kinds[kind] for kind in ABUSE_TYPES if kind in kinds}
    picture, size = _drawn(kinds)
    return Drawing(
        name="transitions",
        headline=_headline(next(iter(kinds.values()))),
        subtitle=(
            f"Cases by whether abuse was at a lower or a higher level about day {chosen[0].horizon_days} than at "
            f"intake, as {REPORTERS[reporter]} judged both. Moves both ways are to be expected of anybody who is "
            "assessed twice"
        ),
        about="how levels of abuse changed",
        alt=" ".join(_in_words(finding) for panels in kinds.values() for finding in panels),
        png=picture,
        size=size,
        table=_drawn_table([finding for panels in kinds.values() for finding in panels], reporter),
    )


def _outcome(finding: Finding) -> str:
    return finding.outcome or ""


def _headline(panels: Sequence[Finding]) -> Markup:
    """How many of each group were at a lower level, of the first abuse type; both in one sentence."""
    parts = [
        f"in {count(sums['lower'])} of {count(sums['total'])} cases of the {arm_of(finding)} group"
        for finding in panels
        for sums in (moves(finding),)
    ]
    kind = ABUSE_TYPES[_outcome(panels[0])].capitalize()
    return Markup("{}").format(f"{kind} was later at a lower level {' and '.join(parts)}")


def _drawn(kinds: Mapping[str, Sequence[Finding]]) -> tuple[bytes, tuple[int, int]]:
    longest = max(sum(_lengths(moves(finding)).values()) for panels in kinds.values() for finding in panels)
    height = sum(TITLE + len(panels) * (BAR + GAP) for panels in kinds.values()) + 0.75
    with canvas(height) as (figure, axes):
        bare(axes)
        place = -0.42
        _legend(axes, longest)
        ticks: dict[float, str] = {}
        for kind, panels in kinds.items():
            axes.text(0, place - 0.06, ABUSE_TYPES[kind].capitalize(), va="top", fontsize=11.5, color=INK)
            place -= TITLE
            for finding in panels:
                middle = place - BAR / 2
                _bar(axes, moves(finding), arm_of(finding), middle, longest)
                ticks[middle] = arm_of(finding).capitalize()
                place -= BAR + GAP
        axes.set(xlim=(0, longest), ylim=(place, 0))
        axes.set_yticks(list(ticks), list(ticks.values()))
        return png(figure)


def _legend(axes: Axes, longest: float) -> None:
    """Which shade is which move, in the programme's colour; the order is that of every bar."""
    words = (*((name, MOVE_WORDS[name]) for name in STRENGTH), ("not_known", MOVE_WORDS["not_known"]))
    for (name, told), start in zip(words, (0, 0.17, 0.39, 0.58), strict=True):
        _part(axes, start * longest, 0.03 * longest, -0.15, _face(name, PROGRAMME), tall=0.16)
        axes.text((start + 0.04) * longest, -0.15, told, va="center", fontsize=10.5, color=INK)


def _bar(axes: Axes, sums: Mapping[str, Any], arm: str, middle: float, longest: float) -> None:
    start = 0.0
    for name, length in _lengths(sums).items():
        _part(axes, start, length, middle, _face(name, arm), hatch="" if name in sums else "///")
        if name in sums and length >= NARROW * longest:
            dark = name == "higher" and arm == PROGRAMME
            axes.text(
                start + length / 2, middle, count(sums[name]), ha="center", va="center", fontsize=10.5,
                color="white" if dark else INK,
            )  # fmt: skip
        start += length


def _lengths(sums: Mapping[str, Any]) -> dict[str, int]:
    """Cases of each part of a bar from its left end; those that may not be told apart together at its right end."""
    known = {name: sums[name] for name in MOVE_WORDS if isinstance(sums[name], int)}
    rest = sums["total"] - sum(known.values()) if isinstance(sums["total"], int) and len(known) < len(MOVE_WORDS) else 0
    return known | ({"untold": rest} if rest > 0 else {})


def _part(
    axes: Axes, start: float, length: float, middle: float, face: Any, *, tall: float = BAR, hatch: str = ""
) -> None:
    edge = "white" if face else QUIET
    axes.barh(
        middle, length, height=tall, left=start, color=face or "white", edgecolor=edge, linewidth=1.2, hatch=hatch
    )


def _face(name: str, arm: str) -> Any:
    """The group's colour, the darker the worse the move; none for cases of which no later level is known."""
    from matplotlib.colors import to_rgb

    strength = STRENGTH.get(name)
    if strength is None:
        return None
    return tuple(1 - strength * (1 - part) for part in to_rgb(COLOUR[arm]))


def _in_words(finding: Finding) -> str:
    kind, _, arm = judged(finding)
    sums = moves(finding)
    told = ", ".join(f"{words} {count(sums[name])}" for name, words in MOVE_WORDS.items())
    return f"{ABUSE_TYPES[kind].capitalize()}, {arm} group, {count(sums['total'])} cases: {told}."


def _drawn_table(chosen: Sequence[Finding], reporter: str) -> Table:
    rows = [
        (f"{ABUSE_TYPES[_outcome(finding)].capitalize()}: {arm_of(finding)} group", *move_cells(finding))
        for finding in chosen
    ]
    caption = f"Whether abuse was at a lower or a higher level, as {REPORTERS[reporter]} judged it"
    notes = tuple(_of_parts(chosen))
    return table("transitions-drawn", caption, ("Abuse", *MOVE_HEADS), rows, numbers=range(1, 6), notes=notes)


def _of_parts(chosen: Sequence[Finding]) -> Iterator[str]:
    yield "Counts are rounded one by one, so they may not add up."
    if any("untold" in _lengths(moves(finding)) for finding in chosen):
        yield "Hatched in the drawing: cases of which it may not be told where they belong."
