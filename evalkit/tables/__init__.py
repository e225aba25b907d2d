"""Findings and decisions laid out as tables and sentences. Nothing is computed here."""

from evalkit.display import Table, span
from evalkit.tables.asked import made, question, score_definition, study
from evalkit.tables.found import findings, flow, gates, methods, naive
from evalkit.tables.front import can_say, cover, sentences, summary, watermarks

__all__ = [
    "Table", "can_say", "cover", "findings", "flow", "gates", "made", "methods", "naive", "question",
    "score_definition", "sentences", "span", "study", "summary", "watermarks",
]  # fmt: skip
