"""The RFGV score of every person on a run date, and the list of those to be selected from it.

`prepare` once on a connection that holds the police tables; then `score`, `scores`, `events` for as many dates as are
wanted, `features_at` and `scores_at` for people each on a date of their own, and `select` for the list of one date.
Nothing is known of a store: a DuckDB connection comes in, frames and names of temporary tables go out.
"""

from evalkit.rfgv.history import events, forget, prepare
from evalkit.rfgv.scoring import Coverage, coverage, features_at, score, scores, scores_at
from evalkit.rfgv.selecting import REASONS, busy, by_person, select

__all__ = [
    "REASONS", "Coverage", "busy", "by_person", "coverage", "events", "features_at", "forget", "prepare", "score",
    "scores", "scores_at", "select",
]  # fmt: skip
