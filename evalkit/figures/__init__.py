"""Findings drawn. Nothing is computed here; every drawing has its numbers in words and as a table beside it."""

from evalkit.figures.abuse import transitions
from evalkit.figures.drawing import COLOUR
from evalkit.figures.effects import expectation, forest
from evalkit.figures.people import balance, flow, overlap
from evalkit.figures.scores import expected_shares, trajectory
from evalkit.figures.time import months, survival

__all__ = [
    "COLOUR", "balance", "expectation", "expected_shares", "flow", "forest", "months", "overlap", "survival",
    "trajectory", "transitions",
]  # fmt: skip
