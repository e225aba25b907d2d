"""What was decided about a result, and what may be shown of it."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from evalkit.results.measured import Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided about one result while every result of the edition was in view.

    Attributes
    ----------
    withheld : str or None
        Why nothing of it may be shown; None where it may.
    exact : bool
        Whether figures are shown as they are (openly published data) or rounded for protection.
    grade, grade_words, grade_reasons
        How far the design can be trusted, in a number, in words, and what held it down.
    tier : str
        How far a sentence about it may go, T0 to T5.
    p_adjusted : float or None
        Its p-value among all primary outcomes of the plan (Holm); None where it is not one of them.
    small : bool
        Whether so few people stand behind it that it must be marked as small.
    """

    withheld: str | None = None
    exact: bool = False
    grade: int | None = None
    grade_words: str | None = None
    grade_reasons: tuple[str, ...] = ()
    tier: str | None = None
    p_adjusted: float | None = None
    small: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What may leave the room of one result: a sentence, and figures as released. Made by `disclosure.release` only.

    Attributes
    ----------
    kind : str
        The noun it was made from, in small letters: estimate, not_estimable, count, curve, gate, expected, ...
    status : str
        `released`, `withheld` or `not_estimable`; a withheld finding has no figures.
    sentence : str
        The words that may stand in a report; empty where figures are only read from a table, as most counts are.
    rows : tuple of dict
        The released figures of whatever has several: a count by group, a curve by day, bands, months.
    grade, tier : int, str or None
        How far the design can be trusted (1 to 5), and how far the sentence may go (T0 to T5).
    """

    id: str
    kind: str
    status: str
    label: str
    study_fingerprint: str
    sentence: str = ""
    strand: str | None = None
    outcome: str | None = None
    horizon_days: int | None = None
    measure: str | None = None
    unit: str | None = None
    contrast: str | None = None
    population: str | None = None
    planned: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    arms: tuple[Arm, ...] = ()
    p_value: float | None = None
    p_adjusted: float | None = None
    grade: int | None = None
    grade_sentence: str = ""
    tier: str | None = None
    reason: str | None = None
    method: str | None = None
    caveats: tuple[str, ...] = ()
    can_say: tuple[str, ...] = ()
    cannot_say: tuple[str, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()

    MIME: ClassVar[str] = "application/vnd.evalkit.finding+json"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        words = html.escape(self.sentence or self.label)
        page = f'<p><span data-finding="{self.id}" data-tier="{self.tier or "T1"}">{words}</span></p>'
        return {self.MIME: {"kind": "finding", "name": self.id}, "text/html": page}
