"""What was found, step by step and figure by figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from evalkit.display import STEP_HEADS, Cell, Table, card, signed, span, step_rows, table
from evalkit.evidence import counted_in_hundreds, times
from evalkit.results import PROGRAMME, Arm, Finding
from evalkit.tables.overview import strand_words

BEFORE_AFTER = "What a before/after comparison would have said"


def flow(findings: Iterable[Finding]) -> Table:
    """Every step from the extract to the people analysed, with what left before it."""
    every = [finding for finding in findings if finding.kind == "count"]
    notes = ["Rows of an extract are not told apart by group."]
    if any(finding.rows and finding.rows[0]["total"] is None for finding in every):
        notes.append("[z] under Both: whoever is chosen on one date and not on another stands in both groups.")
    caption = "Who was counted, and who was left out"
    return table("flow", caption, STEP_HEADS, step_rows(every), numbers=(1, 2, 3), notes=notes)


def gates(findings: Iterable[Finding]) -> Table:
    """The checks that the comparison had to pass, with what was found; a card where none was needed."""
    checks = [finding for finding in findings if finding.kind == "gate" and finding.rows]
    if not checks:
        return card("gates", "No checks stand here: where chance decided who is in which group, none is needed.")
    rows = [
        (
            finding.label,
            finding.rows[0]["found"],
            finding.rows[0]["needed"],
            "passed" if finding.rows[0]["passed"] else "NOT PASSED",
            "[z]" if finding.rows[0]["passed"] else finding.rows[0]["mend"],
        )
        for finding in checks
    ]
    heads = ("Check", "Found", "Asked for", "Verdict", "What would mend it")
    return table("gates", "The checks that the comparison had to pass", heads, rows)


def naive(findings: Iterable[Finding]) -> Table:
    """Before and after with what was to be expected in any case, over each horizon; a card where it is not shown."""
    every = [finding for finding in findings if finding.kind == "expected"]
    if not every:
        return card("naive", "Nobody is compared with their own past in this report.", title=BEFORE_AFTER)
    if not any(finding.rows for finding in every):
        return card("naive", Markup(" ").join(span(finding) for finding in every), title=BEFORE_AFTER)
    heads = (
        "Over",
        "Recorded before",
        "Recorded after",
        "Change that would have been announced",
        "Expected after without any programme",
        "Range expected",
        "Everybody on record in these areas, after for 100 before",
    )
    notes = (
        "The range beside the change allows for chance. It does not allow for the way in which people were chosen.",
        "What was expected was learnt from people who were not in the programme on the same days, with all that was on "
        "record of them.",
    )
    rows = [_naive_row(finding) for finding in every]
    return table("naive", BEFORE_AFTER, heads, rows, numbers=(1, 2, 4, 5, 6), notes=notes)


def _naive_row(finding: Finding) -> tuple[Cell, ...]:
    over = f"{finding.horizon_days} days"
    if not finding.rows:
        return (over, *["[c]"] * 6)
    row = finding.rows[0]
    everybody = row["everybody_after_for_100_before"]
    return (
        over,
        f"{row['before']:,}",
        f"{row['after']:,}",
        f"{row['change']} (between {row['change_low']} and {row['change_high']})",
        f"{row['without']:,}",
        f"{row['low']:,} to {row['high']:,}",
        "[z]" if everybody is None else f"{everybody}",
    )


def findings(chosen: Iterable[Finding]) -> Table:
    """Every estimate with its arms, its interval and what was planned of it; refusals stand in their row.

    A table for each strand where the report has several.
    """
    estimates = [finding for finding in chosen if finding.kind in ("estimate", "not_estimable")]
    strands = by_strand(estimates)
    if len(strands) < 2:
        return _estimates("findings", "What was found, outcome by outcome", estimates)
    parts = [
        _estimates(
            f"findings-{strand.replace('_', '-')}",
            f"What was found, outcome by outcome: {strand_words(strand)[0].lower()}{strand_words(strand)[1:]}",
            found,
        )
        for strand, found in strands.items()
    ]
    return Table(name="findings", html="".join(part.html for part in parts))


def by_strand(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Findings by the strand that they belong to, in the order given; those of no strand are left out."""
    strands: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.strand:
            strands.setdefault(finding.strand, []).append(finding)
    return strands


def _estimates(name: str, caption: str, estimates: Sequence[Finding]) -> Table:
    rows = [_estimate_row(finding) for finding in estimates]
    heads = (
        "Outcome",
        "Programme group",
        "Comparison group, or expected",
        "Result",
        "Range that fits the data",
        "p",
        "Planned as",
        "Evidence",
    )
    notes = (
        _level_note(estimates),
        "A ratio of 1 or a difference of 0 means no difference.",
        "p is corrected for their number among primary outcomes, and given as it is for secondary ones.",
        "Evidence: T0 (nothing can be said) to T5 (the programme made the difference) is how far a sentence may go; "
        "the grade, 1 to 5, is how far the design can be trusted.",
    )
    return table(name, caption, heads, rows, numbers=(3, 4, 5), notes=notes)


def _level_note(estimates: Sequence[Finding]) -> Markup:
    levels = sorted({finding.level for finding in estimates if finding.level})
    words = " and ".join(f"{100 * level:g}%" for level in levels) or "planned"
    return Markup("The range is the <span data-setting>{}</span> interval.").format(words)


def _estimate_row(finding: Finding) -> tuple[Cell, ...]:
    evidence = f"{finding.tier}, grade {finding.grade}"
    planned = finding.planned or "not planned"
    if finding.status != "released":
        reason = "not estimable" if finding.status == "not_estimable" else "[c]"
        return (finding.label, *[reason] * 4, "[z]", planned, evidence)
    p_value = finding.p_adjusted if finding.p_adjusted is not None else finding.p_value
    shown = "[z]" if p_value is None or finding.planned == "exploratory" else _probability(p_value)
    value, low, high = (_number(number, finding.unit) for number in (finding.value, finding.low, finding.high))
    return (finding.label, *_sides(finding), value, f"{low} to {high}", shown, planned, evidence)


def _sides(finding: Finding) -> tuple[str, str]:
    """The two sides of a contrast: as counted, or as a model has them of every hundred people.

    A variant has neither: its counts less those of the main figure would be those of a few people.
    """
    if finding.rows:
        row = finding.rows[0]
        return f"{row[PROGRAMME]:,.0f} for every 100 people", f"{row['without']:,.0f} expected"
    if not finding.arms:
        return "[z]", "[z]"
    counted = (f"{arm.people:,} people" if finding.unit == "score" else _side(arm) for arm in finding.arms)
    programme, *comparison = counted
    return programme, comparison[0] if comparison else "[z]"


def _side(arm: Arm) -> str:
    return f"{arm.events:,} of {arm.people:,}"


def methods(chosen: Iterable[Finding]) -> Table:
    """How each figure was reckoned and what to bear in mind with it; figures reckoned alike stand in one row."""
    kinds = (
        "estimate", "not_estimable", "detectable", "expected", "months", "expected_share", "transition", "kappa",
        "readings",
    )  # fmt: skip
    alike: dict[tuple[str, str], list[str]] = {}
    for finding in chosen:
        if finding.kind in kinds:
            words = counted_in_hundreds(finding.method or "[z]"), " ".join(finding.caveats) or finding.reason or "none"
            alike.setdefault(words, []).append(finding.label)
    rows = [("; ".join(dict.fromkeys(labels)), *words) for words, labels in alike.items()]
    return table("methods", "How each figure was reckoned", ("Figure", "Method", "To bear in mind"), rows)


def _probability(p_value: float) -> str:
    """Two decimals, or three where two would hide on which side of 0.05 it lies."""
    if p_value < 0.005:
        return "<0.01"
    return f"{p_value:.3f}" if 0.045 <= p_value < 0.055 else f"{p_value:.2f}"


def _number(number: float | None, unit: str | None) -> str:
    if number is None:
        return "[z]"
    return times(number) if unit == "ratio" else signed(number, 0)
