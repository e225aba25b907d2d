"""Published figures about a programme, and what keeps each of them from standing in a row with a finding."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from evalkit.errors import StudyError
from evalkit.results import CONTRASTS
from evalkit.study import Programme, nearest
from evalkit.study.suite import STRANDS

FILE = Path("data_contracts/reference/published_claims.csv")
MAY_BE_EMPTY = ("strand", "outcome", "horizon_days", "not_stated", "note")
COLUMNS = (
    "case_id", "programme", "strand", "outcome", "counted", "contrast", "window", "horizon_days", "comparison",
    "design", "value", "unit", "not_stated", "source", "note",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One published figure as its source gives it: nobody here vouches for it, and it is no target.

    Attributes
    ----------
    programme : str
        Slug of the programme that it is about.
    strand, outcome : str or None
        Strand and outcome of the results that it comes nearest to; None where there is none, or the source leaves it
        open.
    counted : str
        What was counted.
    contrast : str
        One of `results.CONTRASTS`.
    window, horizon_days : str, int or None
        Over how long, in words; and in days where that is a horizon of a result, from the same day.
    comparison, design : str
        Against whom; and how people came to be on either side.
    value, unit : float, str
        The figure; a fall is below zero, and a share is of 100.
    not_stated : str
        What its source does not say and would have to, as it reads after "not stated:"; empty where nothing is missing.
    """

    id: str
    programme: str
    strand: str | None
    outcome: str | None
    counted: str
    contrast: str
    window: str
    horizon_days: int | None
    comparison: str
    design: str
    value: float
    unit: str
    not_stated: str
    source: str
    note: str


def of(programme: Programme, root: Path) -> tuple[Claim, ...]:
    """The figures that a programme's file names, in its order; StudyError says what is wrong with any of them."""
    if not programme.claims:
        return ()
    known = {claim.id: claim for claim in _read(root / FILE)}
    problems = []
    for name in programme.claims:
        if name not in known:
            problems.append(f"claims: there is no published figure '{name}' in {FILE.name}. {nearest(name, known)}")
        elif known[name].programme != programme.slug:
            problems.append(f"claims: '{name}' is a figure about '{known[name].programme}', not about this programme.")
    if problems:
        raise StudyError("\n".join(f"params/programmes/{programme.slug}.yaml: {words}" for words in problems))
    return tuple(known[name] for name in programme.claims)


def _read(file: Path) -> tuple[Claim, ...]:
    rows = _rows(file)
    times = Counter(row["case_id"] for row in rows.values())
    problems = [f"line {line}: {words}" for line, row in rows.items() for words in _wrong(row)]
    problems += [f"'{name}' stands {number} times in case_id." for name, number in times.items() if number > 1]
    if problems:
        raise StudyError("\n".join(f"{FILE.as_posix()}: {words}" for words in problems))
    return tuple(map(_claim, rows.values()))


def _rows(file: Path) -> dict[int, dict[str, str]]:
    """Each row by the line on which it ends, without blanks around its cells; StudyError where it is no such table."""
    if not file.is_file():
        raise StudyError(f"{FILE.as_posix()}: there is no such file.")
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if cells]
    except UnicodeDecodeError:
        raise StudyError(f"{FILE.as_posix()}: is not a text file in UTF-8. Save it as UTF-8 and try again.") from None
    except csv.Error as error:
        raise StudyError(f"{FILE.as_posix()}: cannot be read as CSV: {error}.") from None
    if not lines or lines.pop(0)[1] != list(COLUMNS):
        raise StudyError(f"{FILE.as_posix()}: its columns must be {', '.join(COLUMNS)}, in this order.")
    if uneven := [str(number) for number, cells in lines if len(cells) != len(COLUMNS)]:
        raise StudyError(f"{FILE.as_posix()}: line {', '.join(uneven)}: not {len(COLUMNS)} cells, as the header has.")
    return {number: dict(zip(COLUMNS, cells, strict=True)) for number, cells in lines}


def _wrong(row: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{name} is empty." for name in COLUMNS if not row[name] and name not in MAY_BE_EMPTY)
    for name, choices in (("contrast", CONTRASTS), ("strand", tuple(STRANDS))):
        if row[name] and row[name] not in choices:
            yield f"{name} '{row[name]}' is not one of {', '.join(choices)}."
    if row["outcome"] and not row["strand"]:
        yield "an outcome needs the strand that it belongs to."
    if row["value"] and not _is_number(row["value"]):
        yield f"value '{row['value']}' is not a number."
    if row["horizon_days"] and not (row["horizon_days"].isdecimal() and int(row["horizon_days"])):
        yield f"horizon_days '{row['horizon_days']}' is not a whole number of days."


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _claim(row: Mapping[str, str]) -> Claim:
    converted = ("case_id", "strand", "outcome", "horizon_days", "value")
    words = {name: cell for name, cell in row.items() if name not in converted}
    return Claim(
        id=row["case_id"], strand=row["strand"] or None, outcome=row["outcome"] or None,
        horizon_days=int(row["horizon_days"]) if row["horizon_days"] else None, value=float(row["value"]), **words,
    )  # fmt: skip


def differences(claim: Claim, *, strand: str, outcome: str, contrast: str, horizon_days: int) -> tuple[str, ...]:
    """What keeps a published figure from standing in a row with a finding of this kind, in words; empty if nothing.

    The two agree where they count the same outcome, in the same kind of contrast, over the same days, and the source
    leaves nothing open that these words would have to say.
    """
    return tuple(_differences(claim, strand, outcome, contrast, horizon_days))


def _differences(claim: Claim, strand: str, outcome: str, contrast: str, horizon_days: int) -> Iterator[str]:
    if claim.outcome is None or (claim.strand, claim.outcome) != (strand, outcome):
        yield f"it counts {claim.counted}"
    if claim.contrast != contrast:
        yield f"it is {_CONTRAST[claim.contrast]}"
    if claim.horizon_days is None or claim.horizon_days != horizon_days:
        yield f"its window is {claim.window}"
    if claim.not_stated:
        yield f"not stated: {claim.not_stated}"


_CONTRAST = {
    "between": "a difference between two groups",
    "within": "a change within one group",
    "did": "a change in one group beside the change in another",
    "share": "a share of one group",
}
