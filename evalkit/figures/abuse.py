"""From which level of abuse to which: what was judged at intake and later, and what was not judged again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evalkit.display import (
    LEVEL_WORDS,
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
    span,
    table,
)
from evalkit.figures.drawing import BAND, COLOUR, INK, bare, canvas, png
from evalkit.results import ABUSE_TYPES, COMPARISON, LEVELS, PROGRAMME, REPORTERS, Finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = (*LEVELS, "not_known")
STRONG = 0.5  # of the largest number of a panel: from there on the programme's colour asks for white letters
SHORT = {"fewer than 10": "<10", "withheld": "[c]"}
MATRIX_INCHES, STRIP_INCHES, INCHES_OF_WORDS = 1.75, 0.85, 0.2


def transitions(findings: Iterable[Finding]) -> Drawing | NotDrawn:
    """Cases by level at intake and later, of each abuse type, as the reporter trusted most judged both.

    The programme group stands on the left and the comparison on the right. Where too few stand in a cell it is shown
    how many were lower, the same, higher, and not assessed again.
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
    kinds: dict[str, dict[str, Finding]] = {}
    for finding in chosen:
        kinds.setdefault(_outcome(finding), {})[arm_of(finding)] = finding
    arms = [arm for arm in (PROGRAMME, COMPARISON) if any(arm in panels for panels in kinds.values())]
    picture, size = _drawn(kinds, arms)
    return Drawing(
        name="transitions",
        headline=span(chosen[0], chosen[0].can_say[0] if chosen[0].can_say else None),
        subtitle=(
            f"Cases at intake and about day {chosen[0].horizon_days}, as {REPORTERS[reporter]} judged both. Where "
            "there is a grid: level at intake down, later level across, framed where it is the same; grey: not again"
        ),
        about="how levels of abuse changed",
        alt=" ".join(_in_words(finding) for finding in chosen),
        png=picture,
        size=size,
        table=_drawn_table(chosen, reporter),
    )


def _drawn(kinds: Mapping[str, Mapping[str, Finding]], arms: Sequence[str]) -> tuple[bytes, tuple[int, int]]:
    grids = {kind: any(map(_cells, panels.values())) for kind, panels in kinds.items()}
    inches = [MATRIX_INCHES if grid else STRIP_INCHES for grid in grids.values()]
    named = [kind for kind, grid in grids.items() if grid][-1:]
    heights = tuple(round(100 * each) for each in inches)
    room = INCHES_OF_WORDS + 0.9 * bool(named)
    with canvas(room + sum(inches), heights=heights, widths=(1,) * len(arms), sharex=False) as (figure, _):
        places = iter(figure.axes)
        for kind, panels in kinds.items():
            for arm in arms:
                axes = next(places)
                _panel(axes, panels.get(arm), arm, grid=grids[kind])
                axes.set_title(f"{_brief(kind)}: {arm}", fontsize=11.5, loc="left")
                _name_later(axes, shown=kind in named)
        for axes, grid in zip(figure.axes[:: len(arms)], grids.values(), strict=True):
            _name_intake(axes, shown=grid)
        return png(figure)


def _outcome(finding: Finding) -> str:
    return finding.outcome or ""


def _brief(kind: str) -> str:
    return {"harassment_stalking": "Harassment", "jealous_controlling": "Controlling"}.get(kind, kind.capitalize())


def _cells(finding: Finding) -> list[Mapping[str, Any]]:
    """The rows of the whole matrix; none where only sums of it may be shown."""
    return [row for row in finding.rows if "level" in row]


def _panel(axes: Axes, finding: Finding | None, arm: str, *, grid: bool) -> None:
    """The matrix of one group or, where it may not be shown whole, the sums of the moves in a strip."""
    bare(axes)
    lowest = len(LEVELS) - 0.45 if grid else 0.5
    axes.set(xlim=(-0.55, len(COLUMNS) - 0.35), ylim=(lowest, -0.55), xticks=[])
    rows = _cells(finding) if finding else []
    if finding and not rows:
        _strip(axes, finding, arm, (lowest - 0.55) / 2)
    elif not finding:
        axes.text(2, (lowest - 0.55) / 2, "not shown", ha="center", va="center", fontsize=11, color=INK)
    most = max((row[column] for row in rows for column in LEVELS if isinstance(row[column], int)), default=1)
    for down, row in enumerate(rows):
        for across, column in enumerate(COLUMNS):
            missing = column == "not_known"
            strength = row[column] / max(most, 1) if isinstance(row[column], int) else 0
            _cell(axes, (across + 0.15 * missing, down), count(row[column]), None if missing else arm, strength)
            if across == down:
                axes.patches[-1].set_edgecolor(INK)


def _strip(axes: Axes, finding: Finding, arm: str, place: float) -> None:
    sums = moves(finding)
    most = max((sums[name] for name in SHORT_MOVES if isinstance(sums[name], int)), default=1)
    for across, (name, words) in enumerate(SHORT_MOVES.items()):
        missing = name == "not_known"
        strength = sums[name] / max(most, 1) if isinstance(sums[name], int) else 0
        told = count(sums[name])
        side = None if missing else arm
        spot = (1.27 * across + 0.15 * missing, place)
        _cell(axes, spot, f"{SHORT.get(told, told)}\n{words}", side, strength, wide=1.2, size=9.5)


SHORT_MOVES = {"lower": "lower", "same": "same", "higher": "higher", "not_known": "not\nagain"}


def _cell(
    axes: Axes,
    place: tuple[float, float],
    words: str,
    arm: str | None,
    strength: float,
    wide: float = 0.92,
    size: float = 10.5,
) -> None:
    """One cell, the darker the more cases stand in it; grey for those of no arm's level."""
    from matplotlib.patches import Rectangle

    across, down = place
    face = _shade(COLOUR[arm], strength) if arm else BAND
    corner = (across - 0.46, down - 0.46)
    axes.add_patch(Rectangle(corner, wide, 0.92, facecolor=face, edgecolor="white", linewidth=1.1))
    white = arm == PROGRAMME and strength > STRONG
    axes.text(
        across - 0.46 + wide / 2, down, SHORT.get(words, words), ha="center", va="center", fontsize=size,
        color="white" if white else INK,
    )  # fmt: skip


def _shade(colour: str, strength: float) -> tuple[float, ...]:
    """A colour on white paper, pale where nobody stands behind it."""
    from matplotlib.colors import to_rgb

    thick = 0.06 + 0.94 * strength
    return tuple(1 - thick * (1 - part) for part in to_rgb(colour))


def _name_later(axes: Axes, *, shown: bool) -> None:
    words = [*("none" if level == "none" else level for level in LEVELS), "not again"]
    if shown:
        axes.tick_params(labelbottom=True)
        axes.set_xticks([0, 1, 2, 3, 4.15], words, fontsize=10, rotation=40, ha="right", rotation_mode="anchor")


def _name_intake(axes: Axes, *, shown: bool) -> None:
    words = [LEVEL_WORDS[level].replace("no abuse", "none") for level in LEVELS]
    axes.set_yticks(range(len(LEVELS)) if shown else [], words if shown else [], fontsize=10)


def _in_words(finding: Finding) -> str:
    kind, _, arm = judged(finding)
    sums = moves(finding)
    told = ", ".join(f"{words} {count(sums[name])}" for name, words in MOVE_WORDS.items())
    return f"{ABUSE_TYPES[kind].capitalize()}, {arm} group, {count(sums['total'])} cases: {told}."


def _drawn_table(chosen: Sequence[Finding], reporter: str) -> Table:
    rows = [(f"{_brief(_outcome(finding))}: {arm_of(finding)} group", *move_cells(finding)) for finding in chosen]
    caption = f"Whether abuse was at a lower or a higher level, as {REPORTERS[reporter]} judged it"
    return table("transitions-drawn", caption, ("Abuse", *MOVE_HEADS), rows, numbers=range(1, 6))
