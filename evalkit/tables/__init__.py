"""Findings and decisions laid out as tables and sentences. Nothing is computed here."""

from evalkit.display import Table, span
from evalkit.tables.asked import made, question, score_definition, study
from evalkit.tables.found import findings, flow, gates, methods, naive
from evalkit.tables.front import can_say, cover, sentences, summary, watermarks
from evalkit.tables.overview import overview, period_by_period
from evalkit.tables.published import claims, programme_facts
from evalkit.tables.strands import agreement, readings, shares, transitions

__all__ = [
    "Table", "agreement", "can_say", "claims", "cover", "findings", "flow", "gates", "made", "methods", "naive",
    "overview", "period_by_period", "programme_facts", "question", "readings", "score_definition", "sentences",
    "shares", "span", "study", "summary", "transitions", "watermarks",
]  # fmt: skip
