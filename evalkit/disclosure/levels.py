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


BLURRED_BY = 5  # what is left open of a hidden count must reach so far below it, or to nobody


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

    Its change is the cases that came to it less those that left it, and its interval tells of both, as it widens with
    their sum. Ten of each must be there, and ten who moved the same way without: then any one cell may be empty, or
    hold ten, and others make up for it. Beside the share at a high level the one at any is told where the two together
    leave open how many moved all the way and how many in the middle.
    """
    if shows_cells(result):
        return True
    sums = moved(result)
    came, left = _came(result, of), _left(result, of)
    enough = min(came, left, sums["higher"] - came, sums["lower"] - left) >= FEWEST
    if of == "high" or not enough or not shows_change(result, "high"):
        return enough
    return _stays_open_upwards(result) and _stays_open_downwards(result)


def _came(result: Transition, of: str) -> int:
    return sum(sum(row[CUTS[of] : -1]) for row in result.counts[: CUTS[of]])


def _left(result: Transition, of: str) -> int:
    return sum(sum(row[: CUTS[of]]) for row in result.counts[CUTS[of] :])


def _stays_open_upwards(result: Transition) -> bool:
    ends = (_came(result, "high"), _came(result, "any"))
    return _stays_open(ends, moved(result)["higher"], result.counts[0][HIGH], result.counts[1][2])


def _stays_open_downwards(result: Transition) -> bool:
    ends = (_left(result, "high"), _left(result, "any"))
    return _stays_open(ends, moved(result)["lower"], result.counts[HIGH][0], result.counts[2][1])


def _stays_open(ends: tuple[int, int], moved_so: int, far: int, middle: int) -> bool:
    """Whether cells can be told from the cases that moved one way, over the upper cut and over the lower one.

    Whoever moved all the way is in both of `ends`, whoever moved in the middle in neither: one less the other is known.
    """
    less = moved_so - sum(ends)  # middle less far
    fewest_far, fewest_middle = max(0, -less), max(0, less)
    open_below = fewest_far <= max(far - BLURRED_BY, 0) and fewest_middle <= max(middle - BLURRED_BY, 0)
    return open_below and min(min(ends) - fewest_far, min(ends) + less) >= FEWEST


def parts_told(result: Transition, *, is_shown: bool) -> tuple[int, ...]:
    """Cases that a share no longer at a high level tells of, by itself and where the sums of all moves are shown.

    Those who are no longer there and those who stayed; and what they leave of those who are lower, the same, and not
    assessed again.
    """
    *left, stayed, missing = result.counts[HIGH]
    if not is_shown:
        return sum(left), stayed
    sums = moved(result)
    rest = sums["not_known"] - missing if missing >= FEWEST else FEWEST
    return sum(left), stayed, sums["lower"] - sum(left), sums["same"] - stayed, rest


def gives_away(result: Transition, *, is_shown: bool) -> bool:
    """Whether the share of those at a high level who no longer are would tell of fewer than ten cases."""
    beside_any = is_shown and shows_change(result, "any") and not shows_cells(result)
    few = min(parts_told(result, is_shown=is_shown)) < FEWEST
    return few or (beside_any and not _stays_open_downwards(result))
