"""How far the data reach, and whose window is over."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from evalkit.errors import StudyError
from evalkit.store import Store
from evalkit.study import Study

if TYPE_CHECKING:
    import pandas as pd


def known_to(study: Study) -> date:
    """The first day for which follow-up is no longer credited: the extract date, less the lag of police recording."""
    chosen = study.programme.police
    return study.extract_date - timedelta(days=chosen.recording_lag_days if chosen else 0)


def due(people: pd.DataFrame, study: Study, horizon_days: int) -> pd.Series[bool]:
    """Whether a person's whole window lies before the end of the data, by row of `people`.

    Judged for all people indexed in one calendar month together, so that no month is counted by those who happened to
    come early in it. Whoever is not due yet is neither counted nor lost.
    """
    import pandas as pd

    months = people["index_date"].dt.to_period("M")
    last_index_date = people.groupby(months)["index_date"].transform("max")
    return last_index_date + pd.Timedelta(days=1 + horizon_days) <= pd.Timestamp(known_to(study))


def counted_rows(people: pd.DataFrame, study: Study, horizon_days: int) -> pd.DataFrame:
    """The rows whose whole window is over and who were there on its first day."""
    return people[due(people, study, horizon_days) & people["days_followed"].gt(0)]


def refuse_days_not_held(store: Store, study: Study) -> None:
    """Refuse an `as_of` that the extracts do not reach, or extracts that do not say how far they reach."""
    held_to = store.extract_date
    if held_to is None and study.protection != "open_data":
        raise StudyError(
            f"{study.data}: holds no extract.yaml, so nobody can tell up to which day these data were taken. Write one "
            "line in it: 'extract_date: 2026-10-01', the first day that is not included."
        )
    if held_to is not None and study.extract_date > held_to:
        raise StudyError(
            f"as_of is {study.as_of}, but the extract was taken on {held_to} and holds nothing from that day on. "
            f"Choose an as_of before {held_to} or bring a later extract."
        )
