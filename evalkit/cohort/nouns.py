"""The cohort: people with their clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalkit.results import Count

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The people of a study with their clock.

    Attributes
    ----------
    people : pandas.DataFrame
        One row per person and index date (of a ready cohort one per person), in the order of index_date and person_id:
        person_id, cluster_id (people tied by a record that names them together share one), area, index_date, arm
        (programme or comparison), days_followed (whole days observed after the index date; of a ready cohort at most
        the longest horizon), and what was known before the index date: the study's covariates, or the columns of
        HISTORY. Of a ready cohort also event_day (days from the index date to the first event within days_followed;
        missing where there was none). Of police records also death_day (days from the index date to a death within
        days_followed), episode_id (the spell that the index date belongs to; missing where there is none) and
        discharge_day (days from the index date to the end of that spell; missing while it goes on).
    flow : tuple of Count
        Every step from the extract to the people analysed; each step and what left before it add up.
    linked : tuple of (arm, share)
        Share of an arm whose police records were found, where somebody had to look for them.
    """

    people: pd.DataFrame
    flow: tuple[Count, ...]
    linked: tuple[tuple[str, float], ...] = ()


DESCRIBED = ("started", "completed")
"""Steps that tell what became of those analysed; nobody is left out by them."""


def lines_between(flow: Sequence[Count], side: str) -> int:
    """How far the flow of one side is from adding up between the first step that counts it and the last: 0 in all."""
    steps = [count for count in flow if count.step not in DESCRIBED]
    counted = [(count, getattr(count, side)) for count in steps if getattr(count, side) is not None]
    kept = [number for count, number in counted if not count.left_out]
    gone = sum(number for count, number in counted if count.left_out)
    return kept[0] - gone - kept[-1] if kept else 0
