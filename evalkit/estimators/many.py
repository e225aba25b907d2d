"""Many outcomes at once."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """The p-values as Holm adjusts them, in the order given: compare each with the chance of any false alarm.

    At least as large as before and at most 1; the order of the outcomes by p-value is kept. No p-values give none.

    Holm (1979), Scandinavian Journal of Statistics 6:65-70.
    """
    from statsmodels.stats.multitest import multipletests

    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError("a p-value lies between 0 and 1")
    if len(p_values) < 2:
        return tuple(float(p) for p in p_values)  # nothing to correct, and statsmodels takes a second to import
    return tuple(float(p) for p in multipletests(list(p_values), method="holm")[1])
