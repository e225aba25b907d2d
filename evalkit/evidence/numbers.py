"""How a number is written in a sentence."""

from __future__ import annotations

import math

MOST_MORE_PEOPLE = 10_000


def whole(number: float) -> int:
    """The nearest whole number, halves away from zero, and never a minus zero."""
    return int(math.copysign(math.floor(abs(number) + 0.5), number))


def times(ratio: float) -> str:
    """A ratio with two decimals, or three where two would hide on which side of no difference it lies."""
    hidden = ratio != 1 and f"{ratio:.2f}" == "1.00"
    return f"{ratio:.3f}" if hidden else f"{ratio:.2f}"


def size(number: float) -> str:
    """The size of a whole number, its sign left out; one that rounds to nothing is "less than 1"."""
    return f"{whole(abs(number)):,}" if whole(abs(number)) else "less than 1"


def change(ratio: float) -> str:
    """A ratio as a change: "23% fewer", "31% more", "no difference"."""
    if ratio == 1:
        return "no difference"
    return f"{size(100 * (ratio - 1))}% {'fewer' if ratio < 1 else 'more'}"


def without_conclusion(low: str, high: str, tier: str) -> str:
    """Both ends of a range from which nothing follows: by the design (T1), or though it leaves out no difference."""
    ends = f"the range that fits the data runs from {low} to {high}"
    return f"{ends}." if tier == "T1" else f"{ends}, but no conclusion is drawn from it here."


def counted_in_hundreds(words: str) -> str:
    """Words of a check in which "65%" reads "65 in every 100": a threshold or a diagnostic has no range of its own."""
    return words.replace("%", " in every 100")


def how_many(more_people: int | None, *, fewer: bool) -> str:
    """How many more people would be needed to tell, only where the estimate lies on the side that was asked about."""
    if not more_people or not fewer:
        return ""
    most = more_people > MOST_MORE_PEOPLE
    number = f"more than {MOST_MORE_PEOPLE:,}" if most else f"about {_two_figures(more_people):,}"
    return f" ({number} more, in the same proportions, for a four in five chance if the true rates are those seen)"


def _two_figures(number: int) -> int:
    """A planning figure, rounded up to two significant figures: more would pretend to be exact."""
    unit = 10 ** max(len(str(number)) - 2, 0)
    return math.ceil(number / unit) * unit
