"""What being in the programme does to a score: the difference from what the same people's history foretells."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from evalkit import estimators
from evalkit.cohort import history, score_curve
from evalkit.cohort.history import History
from evalkit.cohort.readings import DIED, MOVED, NO_RUN_DATE, NOT_DUE, NOT_SEEN, OPEN, READ
from evalkit.matching import MOST_MISSING
from evalkit.results import COMPARISON, PROGRAMME, VARIANTS, Arm, Design, Estimate, Followed, LeftOut, NotEstimable
from evalkit.study import Study

if TYPE_CHECKING:
    import pandas as pd

RECORDED_ONLY = "A score tells of recorded events, and recorded events are not all events."
CHOSEN_LATER = "People of the comparison may have been chosen later, which makes a real effect look smaller."
AFTER_DISCHARGE = "It conditions on discharge, which came after the index date."
TURNS = "By the other reading a score can fall with more offending, and rise with none."
WHY_NOT_READ = {
    NOT_SEEN: "of the programme whose police records were not found, or who left at once",
    OPEN: "of the programme who were not discharged by the last day of data",
    NO_RUN_DATE: "of the programme for whom no run date lay near the day",
    NOT_DUE: "of the programme whose reading is not due yet",
    DIED: "of the programme who had died",
    MOVED: "of the programme who had moved away",
}


def is_reached(rows: pd.DataFrame) -> bool:
    """Whether people of both sides were read on these days, at least two of the programme."""
    taken = rows[rows["became"] == READ]
    return taken.loc[taken["arm"] == PROGRAMME, "cluster_id"].nunique() > 1 and taken["arm"].nunique() > 1


def mean_difference(
    rows: pd.DataFrame, study: Study, shared: dict[str, Any], variant: str = ""
) -> Estimate | NotEstimable:
    """The difference in the mean score on one day, adjusted for the score and the history on the index date."""
    if refusal := _refusal(rows, "mean_difference", shared, variant):
        return refusal
    taken = _taken(rows)
    known = covariates(taken, study, variant)
    try:
        fit = estimators.linear_difference(
            outcome=taken["score_then"].to_numpy(float),
            weights=taken["weight"].to_numpy(float) if _is_borrowed(rows) else None,
            **_model(taken, known, study),
        )
    except estimators.NotFitted as error:
        return _not_fitted(error, "mean_difference", shared, variant)
    among = f"; {VARIANTS[variant]}" if variant else ""
    return Estimate(
        measure="mean_difference",
        **dataclasses.asdict(fit.difference),
        p_value=fit.p_value,
        p_method=f"t test of the difference, {fit.df} degrees of freedom",
        arms=_arms(taken, taken["score_then"].notna()),
        method=f"analysis of covariance {_among(rows)}; cluster sandwich with leverage correction{among}",
        variant=variant,
        **_told(rows, study, shared, variant),
    )


def share_difference(rows: pd.DataFrame, study: Study, shared: dict[str, Any]) -> Estimate | NotEstimable:
    """The difference in the share with a lower score on one day, averaged over those of the programme."""
    if refusal := _refusal(rows, "risk_difference", shared):
        return refusal
    taken = _taken(rows)
    event = taken["materially_lower" if shared["outcome"].startswith("materially") else "lower"].eq(1)
    try:
        fit = estimators.standardised_risk(event=event.to_numpy(), **_model(taken, covariates(taken, study, ""), study))
    except estimators.NotFitted as error:
        return _not_fitted(error, "risk_difference", shared)
    return Estimate(
        measure="risk_difference",
        **dataclasses.asdict(fit.difference),
        p_value=fit.p_value,
        p_method="t test of the difference",
        arms=_arms(taken, event),
        method=f"logistic model {_among(rows)}, averaged over the people of the programme; cluster sandwich",
        per_hundred=(100 * fit.risk_with.value, 100 * fit.risk_without.value),
        **_told(rows, study, shared),
    )


def covariates(rows: pd.DataFrame, study: Study, variant: str) -> History:
    """The history of these rows; of another reading its score on the index date with it, by discharge the days held."""
    known = history(rows, study)
    more: dict[str, Any] = {}
    if variant == "other_reading":
        curve = score_curve(rows["score_before"].to_numpy(float))
        more |= {f"{name} by the other reading": values for name, values in curve.items()}
    if _is_borrowed(rows):
        more |= {"days until discharge": rows["clock_day"].to_numpy(float)}
    return dataclasses.replace(known, columns=known.columns | more)


def with_attrition(design: Design, rows: pd.DataFrame) -> Design:
    """The design with the attrition of readings: of those who are due, distinct people at their first row, the read."""
    due = rows[~rows["became"].isin([NOT_DUE, OPEN, NO_RUN_DATE])].drop_duplicates(["person_id", "arm"])
    sides = [(side.label, due[due["arm"] == side.label]) for side in design.followed]
    followed = [
        Followed(label=arm, allocated=len(side), followed=int(side["became"].eq(READ).sum())) for arm, side in sides
    ]
    return dataclasses.replace(design, followed=tuple(followed))


def _is_borrowed(rows: pd.DataFrame) -> bool:
    """Whether days are counted from discharge."""
    return bool(rows["clock"].eq("discharge").any())


def _taken(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that were read; by discharge those with a pair alone."""
    taken = rows[rows["became"] == READ]
    return taken[taken["weight"] > 0] if _is_borrowed(rows) else taken


def _model(taken: pd.DataFrame, known: History, study: Study) -> dict[str, Any]:
    treated = taken["arm"].eq(PROGRAMME).to_numpy()
    return {
        "columns": {PROGRAMME: treated.astype(float), **known.columns},
        "factors": known.factors,
        "of": PROGRAMME,
        "treated": treated,
        "clusters": taken["cluster_id"].to_numpy(),
        "level": study.level,
    }


def _among(rows: pd.DataFrame) -> str:
    if _is_borrowed(rows):
        return (
            "of those discharged and those who stand for them on their clock, adjusted for score, history and time held"
        )
    return "of everybody on both sides, adjusted for score, history, age, area and time"


def _told(rows: pd.DataFrame, study: Study, shared: dict[str, Any], variant: str = "") -> dict[str, Any]:
    """What every effect says beside its figures."""
    is_chosen = study.programme.design == "sequential_trials"
    literal = variant == "other_reading" and study.programme.recorded.also_scored_by
    caveats = (
        RECORDED_ONLY,
        CHOSEN_LATER if is_chosen else "",
        TURNS if literal and literal.convention == "literal_note" else "",
        AFTER_DISCHARGE if _is_borrowed(rows) else "",
    )
    return {
        **shared,
        "design": with_attrition(shared["design"], rows),
        "population": "att" if is_chosen or _is_borrowed(rows) else "itt",
        "level": study.level,
        "caveats": tuple(filter(None, caveats)),
        "left_out": left_out(rows),
    }


def left_out(rows: pd.DataFrame) -> tuple[LeftOut, ...]:
    """Those of the programme who were not read, by why not."""
    mine = rows[rows["arm"] == PROGRAMME].drop_duplicates("person_id")
    counts = mine["became"].value_counts()
    return tuple(
        LeftOut(people=int(counts[why]), of=len(mine), why=words)
        for why, words in WHY_NOT_READ.items()
        if why in counts
    )


def _arms(taken: pd.DataFrame, event: pd.Series[bool]) -> tuple[Arm, Arm]:
    """Distinct people, and of them those with it in one of their rows or more."""

    def arm(label: str) -> Arm:
        side = taken[taken["arm"] == label]
        return Arm(
            label=label,
            people=side["person_id"].nunique(),
            events=side.loc[event[side.index], "person_id"].nunique(),
        )

    return arm(PROGRAMME), arm(COMPARISON)


def _refusal(rows: pd.DataFrame, measure: str, shared: dict[str, Any], variant: str = "") -> NotEstimable | None:
    """Why the readings of this day carry no effect."""
    why, mend = "", "a later extract"
    if not is_reached(rows):
        since = "discharge" if _is_borrowed(rows) else "the index date"
        why = f"too few people could be read {shared['horizon_days']} days after {since} yet"
    elif any(
        side.followed < (1 - MOST_MISSING) * side.allocated for side in with_attrition(shared["design"], rows).followed
    ):
        why, mend = "the score of more than two people in five is not known", "a shorter time, or fuller records"
    return NotEstimable(measure=measure, why=why, mend=mend, variant=variant, **shared) if why else None


def _not_fitted(error: Exception, measure: str, shared: dict[str, Any], variant: str = "") -> NotEstimable:
    mend = "more people, or a longer period"
    return NotEstimable(measure=measure, why=str(error), mend=mend, variant=variant, **shared)
