"""What may be told of cases that moved between levels of abuse: every cell, or sums of cells, or nothing.

The matrix is shown whole where ten cases stand in each of its cells, and otherwise not at all: how few were where, and
where nobody was, tells of people who can be known. What is left then are sums of three cells or more, none of which
overlaps with another: whatever stands in one cell of such a sum, from nobody to all of it, could stand in another.
"""

from __future__ import annotations

from evalkit.results import LEVELS, Transition

FEWEST = 10
HIGH = LEVELS.index("high")
CUTS = {"high": HIGH, "any": 1}  # the level from which upwards a case counts as having it


def moved(result: Transition) -> dict[str, int]:
    """How many cases were at a lower level when assessed again, at the same, at a higher, and were not assessed."""
    rows = list(enumerate(result.counts))
    return {
        "lower": sum(sum(row[:first]) for first, row in rows),
        "same": sum(row[first] for first, row in rows),
        "higher": sum(sum(row[first + 1 : -1]) for first, row in rows),
        "not_known": sum(row[-1] for _, row in rows),
    }


def cases(result: Transition) -> int:
    """All cases that were assessed at intake."""
    return sum(map(sum, result.counts))


def shows_cells(result: Transition) -> bool:
    """Whether ten cases stand in every cell, those not assessed again included."""
    return all(cell >= FEWEST for row in result.counts for cell in row)


def shows_change(result: Transition, of: str) -> bool:
    """Whether the share at a high level, or at any, may be told at both ends beside the sums.

    Its change is the cases that came to it less those that left it. Ten of each must be there, and ten who moved the
    same way without: then any one cell may be empty, or hold ten, and others make up for it.
    """
    cut, sums = CUTS[of], moved(result)
    came = sum(sum(row[cut:-1]) for row in result.counts[:cut])
    left = sum(sum(row[:cut]) for row in result.counts[cut:])
    return shows_cells(result) or min(came, left, sums["higher"] - came, sums["lower"] - left) >= FEWEST


def gives_away(result: Transition, *, is_shown: bool) -> bool:
    """Whether the share of those at a high level who no longer are would tell of fewer than ten cases.

    Of those who stayed or no longer are themselves, and where the sums are shown of what these leave of other cases.
    """
    *left, stayed, missing = result.counts[HIGH]
    parts = [sum(left), stayed]
    if is_shown:
        sums = moved(result)
        parts += [sums["lower"] - sum(left), sums["same"] - stayed]
        parts += [sums["not_known"] - missing] if missing >= FEWEST else []
    return min(parts) < FEWEST
