"""How alike two sides were in what police records knew of them before the index date."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from evalkit import estimators
from evalkit.cohort import AGE_BANDS, HISTORY
from evalkit.matching.nouns import behind_both
from evalkit.results import PROGRAMME, Difference

if TYPE_CHECKING:
    import pandas as pd


def over_history(people: pd.DataFrame) -> Iterator[Difference]:
    """The difference in each column of HISTORY and in each age band that varies; of matched sides also before."""
    bands = {f"age_{place}": people["age_band"].eq(band) for place, band in enumerate(AGE_BANDS)}
    shown = people.assign(**{name: held.astype(float) for name, held in bands.items()})
    labels = HISTORY | {f"age_{place}": f"Age {band}" for place, band in enumerate(AGE_BANDS)}
    for name, label in labels.items():
        if shown[name].nunique() > 1:
            yield _difference(shown, name, label, is_share=name in bands)


def _difference(people: pd.DataFrame, name: str, label: str, *, is_share: bool) -> Difference:
    """The difference in one covariate, among the matched where there are weights, over the denominator before."""
    treated = people["arm"].eq(PROGRAMME)
    sides = [people[treated], people[~treated]]
    values = {
        "programme": sides[0][name].to_numpy(float),
        "comparison": sides[1][name].to_numpy(float),
    }
    before = found = estimators.standardised_difference(**values)
    matched = "match_weight" in people
    if matched and people["match_weight"].any():
        weights = [side["match_weight"].to_numpy(float) for side in sides]
        found = estimators.standardised_difference(
            **values, weights_programme=weights[0], weights_comparison=weights[1]
        )
        sides = [side[side["match_weight"] > 0] for side in sides]
    return Difference(
        covariate=name,
        label=label,
        mean_programme=found.mean_programme,
        mean_comparison=found.mean_comparison,
        smd=found.smd,
        smd_before=before.smd if matched else None,
        denominator=estimators.POOLED_SD,
        variance_ratio=found.variance_ratio,
        missing_programme=0,
        missing_comparison=0,
        people_programme=sides[0]["person_id"].nunique(),
        people_comparison=sides[1]["person_id"].nunique(),
        is_share=is_share,
        part_of="age_band" if is_share else None,
        **behind_both((side[name], side["person_id"]) for side in sides),
    )
