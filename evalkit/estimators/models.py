"""What the models share: columns made ready, rows that a column alone decides, spread by cluster, and reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

ALIASED = 1e-7  # a column follows from earlier ones where they leave less than this share of its variance
STRANGE = 0.01  # standard deviations by which a row may miss what one column says of another
SINGULAR = 1e-9  # smallest eigenvalue of the information over its trace without columns
SETTLED = 1e-8  # what another Newton step would add to twice the log-likelihood
LARGEST_INFLATION = 5.0
UNVARYING = 1e-9  # a standard error this small is what rounding leaves of none

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


class NotFitted(ValueError):
    """A model has no answer on these data; the message says why in plain words."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """The columns of a model, factors as one 0/1 column a level; `reference` flags the first level of each factor."""

    names: tuple[str, ...]
    values: Numbers
    reference: Flags


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ready:
    """A model's columns as it is fitted: the constant, then those kept, each with mean 0 and spread 1.

    Attributes
    ----------
    values : array
        One row a row of data, fitted or not.
    unit : float
        What one unit of the last column kept is in its standard deviations.
    dropped : tuple of str
        Columns that are the same in every row fitted, or follow from earlier ones, in the order given.
    """

    values: Numbers
    unit: float
    dropped: tuple[str, ...]


def gathered(
    *, columns: Mapping[str, ArrayLike], factors: Mapping[str, ArrayLike], rows: int, last: str | None = None
) -> Columns:
    """The columns, then the levels of each factor with its first level after the others, then the column `last`."""
    import pandas as pd

    names = [name for name in columns if name != last]
    parts = [_numbers(columns[name], rows, name) for name in names]
    reference = [False] * len(names)
    for factor, values in factors.items():
        codes, levels = pd.factorize(np.asarray(values), sort=True)
        if codes.shape != (rows,) or (codes < 0).any():
            raise ValueError(f"{factor} needs one level for each of {rows} rows; name a level for what is not held")
        order = [*range(1, len(levels)), 0]
        parts.extend((codes == level).astype(float) for level in order)
        names.extend(f"{factor}: {levels[level]}" for level in order)
        reference.extend(level == 0 < len(levels) - 1 for level in order)
    if last is not None:
        if last not in columns:
            raise ValueError(f"{last} is not among the columns of the model")
        names, reference = [*names, last], [*reference, False]
        parts.append(_numbers(columns[last], rows, last))
    values = np.column_stack(parts) if parts else np.empty((rows, 0))
    return Columns(names=tuple(names), values=values, reference=np.array(reference, dtype=bool))


def _numbers(values: ArrayLike, rows: int, name: str) -> Numbers:
    numbers = np.asarray(values, dtype=float)
    if numbers.shape != (rows,) or not np.isfinite(numbers).all():
        raise ValueError(f"{name} needs one number for each of {rows} rows, none of them missing or infinite")
    return numbers


def decided(columns: Columns, *, floor: Flags, top: Flags) -> tuple[Flags, tuple[str, ...]]:
    """Rows whose outcome one column alone decides, and the names of such columns.

    `floor` flags the rows whose outcome could be at the least there is, `top` those above it: where no value of the
    first lies above any of the second, or the other way round, the likelihood is largest with the coefficient at
    infinity, and the fitted outcome of every row off the boundary is the one observed. Those rows say nothing of the
    other coefficients.

    NotFitted where the outcome does not vary.

    Albert & Anderson (1984), Biometrika 71:1-10; Correia, Guimaraes & Zylkin (2021), arXiv:1903.01633.
    """
    if not (floor.any() and top.any()):
        raise NotFitted("nobody, or everybody, had the event, so there is nothing to compare")
    (low_floor, high_floor), (low_top, high_top) = (_range(columns.values, rows) for rows in (floor, top))
    from_below = high_floor <= low_top
    [apart] = np.nonzero(from_below | (high_top <= low_floor))
    off = columns.values[:, apart] != np.where(from_below, high_floor, low_floor)[apart]
    off &= (floor | top)[:, None]
    names = tuple(columns.names[column] for column, some in zip(apart, off.any(axis=0), strict=True) if some)
    return off.any(axis=1), names


def _range(values: Numbers, rows: Flags) -> tuple[Numbers, Numbers]:
    within: dict[str, Any] = {"axis": 0, "where": rows[:, None]}
    return values.min(initial=np.inf, **within), values.max(initial=-np.inf, **within)


def made_ready(
    columns: Columns, *, fitted: Flags, predicted: Flags | None = None, whose: str = "treated rows"
) -> Ready:
    """The columns as a model of the rows `fitted` takes them; of those that follow from each other the last is dropped.

    NotFitted where a row to be `predicted` is unlike all of those in a column, so that they cannot say what to expect;
    `whose` is what the message calls such rows.
    """
    used = columns.values[fitted]
    constant = np.ptp(used, axis=0) == 0
    centre, spread = used.mean(axis=0), np.where(constant, columns.values.std(axis=0), used.std(axis=0))
    spread[spread == 0] = 1.0
    scaled = columns.values - centre
    scaled /= spread
    within = scaled[fitted]
    kept = _independent(within.T @ within / len(within), constant)
    left_out = [column for column in range(len(constant)) if column not in set(kept)]
    if predicted is not None and left_out:
        strange = _unlike(columns, scaled, within, kept, left_out, predicted)
        if strange:
            raise NotFitted(f"some {whose} are unlike every other row in {strange}, so nothing can be expected")
    return Ready(
        values=np.column_stack([np.ones(len(scaled)), scaled[:, kept]]),
        unit=1 / spread[kept[-1]] if kept else 1.0,
        dropped=tuple(columns.names[column] for column in left_out if not columns.reference[column]),
    )


def _independent(correlation: Numbers, constant: Flags) -> list[int]:
    """Columns that vary and do not follow from those before them, by elimination in the order given."""
    left, kept = correlation.copy(), []
    for column in range(len(left)):
        if not constant[column] and left[column, column] > ALIASED:
            kept.append(column)
            left -= np.outer(left[:, column], left[column]) / left[column, column]
    return kept


def _unlike(
    columns: Columns, scaled: Numbers, within: Numbers, kept: list[int], left_out: list[int], predicted: Flags
) -> str:
    """Names of the columns in which a row to be predicted is unlike all those fitted."""
    follows = np.linalg.solve(within[:, kept].T @ within[:, kept], within[:, kept].T @ within[:, left_out])
    missed = np.abs(scaled[predicted][:, left_out] - scaled[predicted][:, kept] @ follows)
    most = missed.max(axis=0, initial=0.0)
    return ", ".join(columns.names[column] for column, far in zip(left_out, most, strict=True) if far > STRANGE)


def information(values: Numbers, weights: Numbers, *, without_columns: float) -> Numbers:
    """Inverse of the information X'WX; NotFitted where columns decide the outcome, so that it fades in a direction.

    `without_columns` is a row's weight in the model of the constant alone, by which it is judged what has faded.
    """
    matrix = (values * weights[:, None]).T @ values
    if not np.linalg.eigvalsh(matrix / (len(values) * without_columns))[0] > SINGULAR:
        raise NotFitted("the fit did not settle: the columns together decide the outcome of some rows")
    inverse: NDArray[Any] = np.linalg.inv(matrix)
    return inverse


def check_settled(values: Numbers, residuals: Numbers, inverse: Numbers) -> None:
    """NotFitted where another Newton step would still gain something."""
    score = values.T @ residuals
    if not score @ inverse @ score < SETTLED:
        raise NotFitted("the fit did not settle: too few events for so many columns")


def inflated(values: Numbers, weights: Numbers, residuals: Numbers, inverse: Numbers) -> Numbers:
    """Residuals over one less their row's leverage, by at most LARGEST_INFLATION times, as HC3 does.

    The leverage of a row is its diagonal element of W^(1/2) X (X'WX)^(-1) X' W^(1/2); no other element is made.

    MacKinnon & White (1985), Journal of Econometrics 29:305-325.
    """
    leverage = weights * ((values @ inverse) * values).sum(axis=1)
    larger: Numbers = residuals / np.maximum(1 - leverage, 1 / LARGEST_INFLATION)
    return larger


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clusters:
    """Which rows belong together: distinct ids in order, each row's place among them, and how many are treated."""

    ids: NDArray[Any]
    codes: NDArray[np.intp]
    treated: int

    @property
    def correction(self) -> float:
        """n / (n - 1) of the treated clusters, on a variance."""
        return self.treated / (self.treated - 1)

    def sums(self, rows: Numbers) -> Numbers:
        """One number a row, added up by cluster."""
        return np.bincount(self.codes, weights=rows, minlength=len(self.ids)).astype(float)


def grouped(clusters: ArrayLike, *, treated: ArrayLike) -> tuple[Clusters, Flags]:
    """The clusters, and who is treated; a spread by treated clusters needs two of them."""
    import pandas as pd

    flags, ids = np.asarray(treated), np.asarray(clusters)
    if flags.shape != ids.shape or flags.ndim != 1 or not np.isin(flags, (0, 1)).all():
        raise ValueError("each row needs a cluster, and a mark that is true or false for treated or not")
    codes, distinct = pd.factorize(ids, sort=True)
    if (codes < 0).any():
        raise ValueError("a row has no cluster")
    flags = flags.astype(bool)
    people = len(np.unique(codes[flags]))
    if people < 2:
        raise NotFitted(f"too few people to know how much they differ: {people}, of at least 2")
    return Clusters(ids=distinct, codes=codes, treated=people), flags


def row_weights(weights: ArrayLike | None, rows: int) -> Numbers:
    """One weight a row, 1 where none are given."""
    weighted = np.ones(rows) if weights is None else np.asarray(weights, dtype=float)
    if weighted.shape != (rows,) or not (np.isfinite(weighted).all() and (weighted > 0).all()):
        raise ValueError("weights are above 0 and known in every row: leave the other rows out first")
    return weighted


def check_level(level: float) -> None:
    """ValueError where a level of confidence is none."""
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not at {level}")


def t_quantile(level: float, df: int) -> float:
    """How many standard errors an interval of that level reaches."""
    from scipy.stats import t

    check_level(level)
    return float(t.isf((1 - level) / 2, df))


def t_two_sided(statistic: float, df: int) -> float:
    """Two-sided p-value of a t statistic."""
    from scipy.stats import t

    return float(2 * t.sf(abs(statistic), df))
