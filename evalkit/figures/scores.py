"""Scores as time goes by, and shares of one group, each beside what would have been without the programme."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from evalkit.display import (
    READING_HEADS,
    SHARE_HEADS,
    Cell,
    Drawing,
    NotDrawn,
    Table,
    arm_of,
    claimed,
    how_published,
    not_drawn,
    published_value,
    ranged,
    reading_rows,
    share_rows,
    table,
)
from evalkit.figures.drawing import BAND, COLOUR, INK, LINE, QUIET, canvas, name_ends, png
from evalkit.results import COMPARISON, PROGRAMME, Finding
from evalkit.study.suite import AFTER_DISCHARGE_DAYS, SCORE_DAYS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from evalkit.claims import Claim

ASIDE = {PROGRAMME: -4, COMPARISON: 4}  # days, so that intervals of one day do not hide each other


def trajectory(findings: Iterable[Finding]) -> Drawing | NotDrawn:
    """The mean score of each group from the index date on, and what time alone would have made of it."""
    told = tuple(findings)
    every = [finding for finding in told if finding.kind == "readings"]
    lines = {arm_of(finding): finding for finding in every if any(row["mean"] is not None for row in finding.rows)}
    if PROGRAMME not in lines:
        return not_drawn("trajectory", "scores as time goes by", every or _refused(told, ("score_decline",)), NOT_ASKED)
    with canvas(4.3) as (figure, axes):
        for arm, finding in lines.items():
            _line(axes, [row for row in finding.rows if row["mean"] is not None], arm)
        ends = {arm: _end(finding) for arm, finding in lines.items()}
        name_ends(axes, ends)
        last = max(day for day, _ in ends.values())
        days = sorted({row["day"] for finding in lines.values() for row in finding.rows if row["mean"] is not None})
        axes.set(xlim=(-15, last * 1.24), ylim=(0, None), xticks=days)
        axes.set_xlabel("Days after the index date")
        axes.set_ylabel("Mean score (0 to 100)")
        picture, size = png(figure)
    return Drawing(
        name="trajectory",
        headline=_last_reading(lines),
        subtitle=(
            "Mean score of each group, with the range that fits the data; thin dashed line: the mean had nothing been "
            "recorded after the index date, which is what time alone does to a score"
        ),
        about="scores as time goes by",
        alt=" ".join(_line_in_words(arm, finding) for arm, finding in lines.items()),
        png=picture,
        size=size,
        table=table(
            "trajectory-drawn", "Scores drawn above", READING_HEADS, reading_rows(lines.values()), numbers=range(1, 7)
        ),
    )


NOT_ASKED = "this report does not look at it"


def _refused(findings: Sequence[Finding], strands: Sequence[str]) -> list[Finding]:
    return [finding for finding in findings if finding.kind == "not_estimable" and finding.strand in strands]


def _line(axes: Axes, rows: Sequence[Mapping[str, Any]], arm: str) -> None:
    days, means = [row["day"] for row in rows], [row["mean"] for row in rows]
    ends = [[row["mean"] - row["low"] for row in rows], [row["high"] - row["mean"] for row in rows]]
    axes.errorbar(
        [day + ASIDE[arm] for day in days], means, yerr=ends, color=COLOUR[arm], linestyle=LINE[arm], linewidth=2.2,
        marker="o" if arm == PROGRAMME else "D", markersize=5, elinewidth=1.6, capsize=3,
    )  # fmt: skip
    floor = [(row["day"], row["floor"]) for row in rows if row["floor"] is not None]
    axes.plot(*zip(*floor, strict=True), color=COLOUR[arm], linestyle=(0, (2, 2)), linewidth=1.1)
    if arm == PROGRAMME and floor:
        axes.annotate("Time alone", floor[-1], (5, -3), textcoords="offset points", va="top", fontsize=11, color=QUIET)


def _end(finding: Finding) -> tuple[float, float]:
    row = [row for row in finding.rows if row["mean"] is not None][-1]
    return row["day"], row["mean"]


def _last_reading(lines: Mapping[str, Finding]) -> Markup:
    """The mean score of each group at the programme's last reading, and what time alone would have made of it."""
    means = {arm: {row["day"]: row for row in each.rows if row["mean"] is not None} for arm, each in lines.items()}
    day = max(means[PROGRAMME])
    last = means[PROGRAMME][day]
    told = [f"{rows[day]['mean']:.0f} in the {arm} group" for arm, rows in means.items() if day in rows]
    alone = "" if last["floor"] is None else f"; time alone would have brought the programme's to {last['floor']:.0f}"
    return Markup("{}").format(f"Mean score {_when(day)}: {', '.join(told)}{alone}")


def _when(day: int) -> str:
    return f"{day} days after the index date" if day else "on the index date"


def _line_in_words(arm: str, finding: Finding) -> str:
    told = "; ".join(
        f"day {row['day']}: {ranged(row, 'mean', 'low', 'high', 1)}, time alone {_floor(row)}"
        for row in finding.rows
        if row["mean"] is not None
    )
    return f"Mean score of the {arm} group, {told}."


def _floor(row: Mapping[str, Any]) -> str:
    return "withheld" if row["floor"] is None else f"{row['floor']:.1f}"


def expected_shares(findings: Iterable[Finding], published: Iterable[Claim] = ()) -> Drawing | NotDrawn:
    """Shares of the programme's people, each on the band in which it was to be expected without the programme.

    One of each abuse type and of each way of asking about the score; `tables.shares` holds them all.
    A published figure of the same outcome is a mark on its band, with what is known of how it was reckoned.
    """
    told = tuple(findings)
    every = [finding for finding in told if finding.kind == "expected_share"]
    chosen = _one_a_question([finding for finding in every if finding.rows])
    if not chosen:
        refused = every or _refused(told, ("abuse_types", "score_decline"))
        return not_drawn("expected_shares", "shares beside what was to be expected", refused, NOT_ASKED)
    claims = _claims_by_row(chosen, tuple(published))
    rooms = [_room(finding, claims.get(finding.id)) for finding in chosen]
    with canvas(0.9 + sum(rooms)) as (figure, axes):
        top = 0.0
        for finding, room in zip(chosen, rooms, strict=True):
            _band(axes, finding, top, room, claims.get(finding.id))
            top -= room
        axes.set(xlim=(0, 100), ylim=(top, 0), xticks=range(0, 101, 20))
        axes.set_xlabel("In every hundred people")
        axes.grid(visible=False, axis="y")
        axes.set_yticks([])
        picture, size = png(figure)
    return Drawing(
        name="expected_shares",
        headline=_in_brief(chosen[0]),
        subtitle=(
            "Dot and bar: people of the programme, with the range that fits the data. Grey: where it was to be "
            "expected without any programme"
        ),
        about="shares beside what was to be expected",
        alt=" ".join(_band_in_words(finding, claims.get(finding.id)) for finding in chosen),
        png=picture,
        size=size,
        table=_shares_table(chosen, claims),
    )


def _one_a_question(shown: Sequence[Finding]) -> list[Finding]:
    """Of each abuse type what the first reporter judged; of the score the planned reading nearest to its usual day."""
    reporter = next((finding.rows[0]["judged_by"] for finding in shown if finding.rows[0]["judged_by"]), None)
    nearest: dict[str | None, Finding] = {}
    for finding in sorted(shown, key=_days_from_usual):
        if finding.rows[0]["judged_by"] in (None, reporter) and not (finding.outcome or "").endswith("_other_reading"):
            nearest.setdefault(finding.outcome, finding)
    return [finding for finding in shown if finding in nearest.values()]


def _days_from_usual(finding: Finding) -> int:
    usual = AFTER_DISCHARGE_DAYS if finding.rows[0]["clock"] == "discharge" else SCORE_DAYS
    return abs((finding.horizon_days or 0) - usual)


def _claims_by_row(chosen: Sequence[Finding], published: Sequence[Claim]) -> dict[str, Claim]:
    """The first claim about the outcome of each share, by the share's id."""
    return {
        finding.id: claim
        for finding in chosen
        for claim in reversed(published)
        if (claim.strand, claim.outcome) == (finding.strand, finding.outcome) and claim.unit == "percent"
    }


def _room(finding: Finding, claim: Claim | None) -> float:
    """Inches that a share takes: the lines of its label, its band, and the lines of a published figure."""
    lines = _label(finding).count("\n") + 1 + (_published(claim).count("\n") + 1 if claim else 0)
    return 0.55 + 0.19 * lines


def _label(finding: Finding) -> str:
    return textwrap.fill(finding.label, 68)


def _published(claim: Claim) -> str:
    return textwrap.fill(f"Published: {published_value(claim)} ({how_published(claim)})", 80)


def _band(axes: Axes, finding: Finding, top: float, room: float, claim: Claim | None) -> None:
    row = finding.rows[0]
    lines = _label(finding).count("\n") + 1
    axes.text(0.5, top - 0.08, _label(finding), va="top", fontsize=11, color=INK)
    place = top - 0.12 - 0.19 * lines - 0.15
    ends = [place - 0.14, place + 0.14]
    axes.fill_betweenx(ends, row["without_low"], row["without_high"], color=BAND, linewidth=0)
    if row["without"] is not None:
        axes.plot([row["without"]] * 2, ends, color=QUIET, linewidth=1.6)
    axes.plot([row["low"], row["high"]], [place] * 2, color=COLOUR[PROGRAMME], linewidth=3)
    axes.plot([row["share"]], [place], marker="o", markersize=9, color=COLOUR[PROGRAMME])
    if claim:
        axes.plot([claim.value], [place - 0.2], marker="^", markersize=8, color=INK)
        axes.text(0.5, top - room + 0.06, _published(claim), va="bottom", fontsize=9.5, color=QUIET)


def _band_in_words(finding: Finding, claim: Claim | None) -> str:
    row = finding.rows[0]
    words = (
        f"{finding.label}: {ranged(row, 'share', 'low', 'high')} in every hundred; expected without any programme "
        f"{ranged(row, 'without', 'without_low', 'without_high')}."
    )
    return f"{words} A mark at {claim.value:.0f}, published elsewhere: {how_published(claim)}." if claim else words


def _shares_table(chosen: Sequence[Finding], claims: Mapping[str, Claim]) -> Table:
    told = [claims.get(finding.id) for finding in chosen]
    rows: list[Sequence[Cell]] = [
        (*cells, claimed(claim, f"{published_value(claim)}: {how_published(claim)}") if claim else "[z]")
        for cells, claim in zip(share_rows(chosen), told, strict=True)
    ]
    heads = (*SHARE_HEADS, "Published elsewhere")
    return table("expected-shares-drawn", "Shares drawn above", heads, rows, numbers=(1, 2, 3, 5))


def _in_brief(finding: Finding) -> Markup:
    """What was found of the first share, and the range in which it was to be expected."""
    row = finding.rows[0]
    expected = f"{row['without_low']} to {row['without_high']} were to be expected in any case"
    return Markup("{}").format(f"{finding.label}: {row['share']} of every hundred, where {expected}")
