"""Findings drawn. Nothing is computed here; every drawing has its numbers in words and as a table beside it."""

from evalkit.figures.drawing import COLOUR
from evalkit.figures.effects import expectation, forest
from evalkit.figures.people import balance, flow, overlap
from evalkit.figures.time import months, survival

__all__ = ["COLOUR", "balance", "expectation", "flow", "forest", "months", "overlap", "survival"]
