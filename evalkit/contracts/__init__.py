"""Admit or refuse an extract: what a table must look like, and what in it does not.

A contract is a file of the Open Data Contract Standard. Every rule in it becomes one statement in DuckDB's SQL over
the table as text; all of them are run, and nothing stops at the first fault.
"""

from evalkit.contracts.cells import Bind, Parameters, cleaned, quoted
from evalkit.contracts.contract import Contract, Field, Rule
from evalkit.contracts.heading import Heading, heading
from evalkit.contracts.reading import contract_files, read_all
from evalkit.contracts.rules import Check, Found
from evalkit.contracts.verdict import (
    FAULTS,
    Breach,
    DatesTaken,
    Verdict,
    admissible,
    explain,
    faults,
    unreadable,
)

__all__ = [
    "FAULTS", "Bind", "Breach", "Check", "Contract", "DatesTaken", "Field", "Found", "Heading", "Parameters", "Rule",
    "Verdict", "admissible", "cleaned", "contract_files", "explain", "faults", "heading", "quoted", "read_all",
    "unreadable",
]  # fmt: skip
