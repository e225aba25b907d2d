"""What was found of abuse and of scores: level by level and reading by reading, beside what was to be expected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from evalkit.display import (
    LEVEL_HEADS,
    MOVE_HEADS,
    READING_HEADS,
    SHARE_HEADS,
    Cell,
    Table,
    abuse_words,
    card,
    count,
    judged,
    level_rows,
    move_cells,
    ranged,
    reading_rows,
    share_rows,
    signed,
    table,
)
from evalkit.results import ABUSE_TYPES, PROGRAMME, REPORTERS, Finding


def transitions(findings: Iterable[Finding]) -> Table:
    """From which level of abuse at intake to which later, of each type, reporter and group, beside what was expected.

    First how many were at a lower level, at the same, at a higher, and not assessed again; then what that comes to as a
    change; then a table from level to level for each type and reporter of whom it may be shown. A card where nobody was
    assessed.
    """
    every = tuple(findings)
    moved = sorted((finding for finding in every if finding.kind == "transition"), key=_place)
    if not any(finding.rows for finding in moved):
        refused = [each for each in every if each.kind == "not_estimable" and each.strand == "abuse_types"]
        words = _reasons(moved or refused) or "this report does not look at how abuse was assessed"
        return card("transitions", f"No levels of abuse are shown: {words}.")
    groups = [list(group) for _, group in groupby(moved, key=lambda each: judged(each)[:2])]
    shown = [group for group in groups if any(map(level_rows, group))]
    parts = [_moves(moved), _changes(moved, every), *map(_levels, shown)]
    return Table(name="transitions", html="".join(part.html for part in parts))


def _reasons(findings: Iterable[Finding]) -> str:
    return "; ".join(dict.fromkeys(finding.reason for finding in findings if finding.reason))


def _place(finding: Finding) -> tuple[int, int, bool]:
    outcome, reporter, arm = judged(finding)
    return list(ABUSE_TYPES).index(outcome), list(REPORTERS).index(reporter), arm != PROGRAMME


def _moves(moved: Sequence[Finding]) -> Table:
    rows = [(_words(finding), *move_cells(finding)) for finding in moved]
    heads = ("Abuse, who judged it, and group", *MOVE_HEADS)
    notes = [
        "Cases judged at intake and again by the same reporter. Not assessed again also holds whoever was assessed "
        "over another length of time. Counts are rounded one by one, so they may not add up.",
        *_withheld(moved),
    ]
    caption = "Whether abuse was at a lower or a higher level when it was assessed again"
    return table("moves", caption, heads, rows, numbers=range(1, 6), notes=notes)


def _withheld(findings: Iterable[Finding]) -> list[str]:
    """A note on rows that are not shown, with the reasons; none where all are."""
    reasons = _reasons(finding for finding in findings if not finding.rows)
    return [f"[c]: {reasons}."] if reasons else []


def _words(finding: Finding) -> str:
    outcome, reporter, arm = judged(finding)
    return f"{abuse_words(outcome, reporter)}: {arm} group"


def _changes(moved: Sequence[Finding], every: Sequence[Finding]) -> Table:
    expected = {finding.outcome: finding for finding in every if finding.kind == "expected_share"}
    rows = [_change_row(finding, expected) for finding in moved]
    heads = (
        "Abuse, who judged it, and group",
        "At a high level: change",
        "At any level above none: change",
        "No longer at a high level, of those who were",
        "Expected of them without the programme",
    )
    notes = (
        "In every hundred of those assessed twice by the same reporter; in brackets the range that fits the data. A "
        "change with a minus sign is a fall.",
        "People come in when things are at their worst, so a fall was to be expected in any case: the last two columns "
        "are to be read together.",
        "[c]: too few cases stand behind it, or how few could be worked out from it.",
    )
    caption = "How levels of abuse changed, beside what was to be expected"
    return table("changes", caption, heads, rows, numbers=(1, 2, 3, 4), notes=notes)


def _change_row(finding: Finding, expected: dict[str | None, Finding]) -> tuple[Cell, ...]:
    outcome, reporter, arm = judged(finding)
    changes = {row["change_of"]: row for row in finding.rows if "change_of" in row}
    shown = [ranged(changes[of], "value", "low", "high") if of in changes else "[c]" for of in ("high", "any")]
    share = expected.get(f"no_longer_high_{outcome}_by_{reporter}") if arm == PROGRAMME else None
    beside = ["[z]", "[z]"] if share is None else list(share_rows([share])[0][2:4])
    return (_words(finding), *shown, *beside)


def _levels(group: Sequence[Finding]) -> Table:
    outcome, reporter, _ = judged(group[0])
    name = f"levels-{outcome}-{reporter}".replace("_", "-")
    title = f"{abuse_words(outcome, reporter)}: from level to level"
    rows = [row for finding in group for row in level_rows(finding)]
    return table(name, title, LEVEL_HEADS, rows, numbers=range(1, 7))


def agreement(findings: Iterable[Finding]) -> Table:
    """How far reporters agree on the level of each abuse type; a card where no case was judged by two."""
    every = [finding for finding in findings if finding.kind == "kappa"]
    if not every:
        return card("agreement", "No case was judged by two reporters at one time, so how far they agree is not known.")
    notes = ("Weighted kappa: 1 is full agreement, 0 what chance alone would give. Reporters are never averaged.",)
    heads = ("Abuse", "One reporter", "The other", "Cases judged by both", "Kappa", "Range that fits the data")
    rows = [_agreement_row(finding) for finding in every]
    return table("agreement", "How far reporters agree", heads, rows, numbers=(3, 4, 5), notes=notes)


def _agreement_row(finding: Finding) -> tuple[Cell, ...]:
    *_, one, other = finding.id.split(".")
    who = (ABUSE_TYPES[finding.outcome or ""].capitalize(), REPORTERS[one], REPORTERS[other])
    if finding.value is None or not finding.rows:
        return (*who, *["[c]"] * 3)
    value, low, high = (signed(number or 0, 2) for number in (finding.value, finding.low, finding.high))
    return (*who, count(finding.rows[0]["people"]), value, f"{low} to {high}")


def shares(findings: Iterable[Finding]) -> Table:
    """What people of the programme had, beside how many would have had it without it; a card where there is none."""
    every = [finding for finding in findings if finding.kind == "expected_share"]
    if not any(finding.rows for finding in every):
        return card("shares", f"No share of one group is told: {_reasons(every) or 'none was reckoned'}.")
    notes = (
        "In brackets the range: of the share what fits the data, of what was expected where a new such group would "
        "lie. Of people of whom it is not known, nothing is assumed.",
        "People are rounded to fives and shares are not, so one may not be worked out from the other.",
        *_withheld(every),
    )
    caption = "What people of the programme had, beside what was to be expected without it"
    return table("shares", caption, SHARE_HEADS, share_rows(every), numbers=(1, 2, 3, 5), notes=notes)


def readings(findings: Iterable[Finding]) -> Table:
    """The score of each group, reading by reading; a card where none was read."""
    every = [finding for finding in findings if finding.kind == "readings"]
    if not any(finding.rows for finding in every):
        return card("readings", f"No readings of scores are shown: {_reasons(every) or 'none was taken'}.")
    notes = (
        "A reading is taken on the run date nearest to its day. The third column is the mean of the same people had "
        "nothing been recorded of them after the index date: what time alone does to a score. Nobody of the comparison "
        "group is held by the programme.",
    )
    rows = reading_rows(every)
    return table("readings", "Scores, reading by reading", READING_HEADS, rows, numbers=range(1, 7), notes=notes)
