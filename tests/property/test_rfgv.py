"""Laws of the score, and the same scores and events by plain loops over the words of their definition.

Each example is a crowd of small groups: a few people, ids, incidents, victims and days, so that everything that can
coincide does. Groups share nothing, so one crowd is many cases at once.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit import rfgv
from evalkit.study import RfgvSpec

ROOT = Path(__file__).parents[2]
CONVENTIONAL, LITERAL = (RfgvSpec.read(slug, ROOT) for slug in ("conventional", "literal-note"))
OTHERWISE = CONVENTIONAL.model_copy(
    update={
        "gravity_of_incident": "sum", "gravity_of_event": "sum", "gravity_over_window": "largest",
        "counts_non_crime": False, "look_back_months": 13, "non_crime_weight": 1.25,
    }
)  # fmt: skip
WEIGHTS = {"8N": Decimal(184), "105A": Decimal(12), "49": Decimal(30)}
RUN_DATE, LEAP_DAY, EXTRACT = date(2024, 3, 1), date(2024, 2, 29), date(2025, 1, 1)
GROUPS, RECORDS = 60, 14
KNOWN = ("A", "B", "C")
LETTERS = (*KNOWN, "a", "b", "v", "w", "x")
DAYS_AGO = (-40, 0, 1, 2, 30, 31, 60, 61, 90, 91, 182, 365, 400, 401, 402, 728, 729, 730, 731, 732, 800)
COLUMNS = {
    "incidents": "record_id VARCHAR, incident_id VARCHAR, person_id VARCHAR, role VARCHAR, victim_id VARCHAR, "
    "occurred_on DATE, recorded_on DATE, cancelled_on DATE, record_type VARCHAR, offence_code_system VARCHAR, "
    "offence_code VARCHAR, is_domestic_abuse BOOLEAN",
    "people": "person_id VARCHAR, birth_year INTEGER, area VARCHAR",
    "person_links": "person_id VARCHAR, same_as VARCHAR, strength VARCHAR",
}
EXAMPLES = settings(max_examples=6)
crowds = st.integers(0, 10**9)


class Crowd:
    """Records and links of many small groups, drawn from one number."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.records = [record for group in range(GROUPS) for record in self._group(group)]
        self.links = [link for group in range(GROUPS) for link in self._links(group)]

    def _group(self, group):
        for number in range(self.draw.randrange(RECORDS)):
            yield self.record(group, f"{group}-{number}", self.draw.choice(["A", "A", "A", "B", "C", "a", "b"]))

    def record(self, group, name, letter, ago=None, recorded_after=None):
        day = RUN_DATE - timedelta(days=self.draw.choice(DAYS_AGO) if ago is None else ago)
        recorded = day + timedelta(
            days=self.draw.choice([0, 0, 1, 1, 3, 40, 200]) if recorded_after is None else recorded_after
        )
        victim, code = self.draw.choice([None, "v", "w", "x", "B", "b", "A"]), self.draw.choice([None, None, *WEIGHTS])
        cancelled = self.draw.choice([None, None, None, 0, 5, 60])
        return {
            "record_id": f"r{name}",
            "incident_id": self.draw.choice([f"own{name}", "i1", "i2"]),
            "person_id": f"{letter}{group}",
            "role": self.draw.choice(["suspect", "suspect", "suspect", "offender", "victim"]),
            "victim_id": victim and f"{victim}{group}",
            "occurred_on": day,
            "recorded_on": recorded,
            "cancelled_on": None if cancelled is None else recorded + timedelta(days=cancelled),
            "record_type": "crime" if code else "non_crime_incident",
            "offence_code_system": "HO_class" if code else None,
            "offence_code": code,
            "is_domestic_abuse": self.draw.random() < 0.7,
        }

    def _links(self, group):
        for _ in range(self.draw.randrange(4)):
            one, other = self.draw.sample(LETTERS, 2)
            strength = self.draw.choice(["certain", "probable"])
            yield {"person_id": f"{one}{group}", "same_as": f"{other}{group}", "strength": strength}

    def same(self, strengths):
        """The id that stands for each: the smallest of those linked with it that has a row in people, or of all."""
        groups = {f"{letter}{group}": {f"{letter}{group}"} for letter in LETTERS for group in range(GROUPS)}
        for link in self.links:
            if link["strength"] in strengths:
                joined = groups[link["person_id"]] | groups[link["same_as"]]
                groups.update(dict.fromkeys(joined, joined))
        return {human: min([one for one in linked if one[0] in KNOWN] or linked) for human, linked in groups.items()}

    def prepared(self, spec=CONVENTIONAL, strengths=("certain",), records=None):
        """A connection on which this crowd was prepared."""
        rows = {
            "incidents": self.records if records is None else records,
            "people": [
                {"person_id": f"{letter}{group}", "birth_year": 1980, "area": "north"}
                for letter in KNOWN for group in range(GROUPS)
            ],
            "person_links": self.links,
        }  # fmt: skip
        connection = duckdb.connect()
        for table, columns in COLUMNS.items():
            connection.execute(f"CREATE TABLE {table} ({columns})")
            names = [column.split()[0] for column in columns.split(", ")]
            connection.register("rows", pd.DataFrame(rows[table], columns=names))
            connection.execute(f"INSERT INTO {table} SELECT * FROM rows")
        rfgv.prepare(connection, spec, ROOT, links=strengths)
        return connection


def events_by_loops(records, same, known, spec, domestic):
    """Per person a list of events as known before a day: day, gravity, victims."""
    seen = {}
    for record in records:
        cancelled = record["cancelled_on"] and record["cancelled_on"] < known
        if record["role"] in ("suspect", "offender") and record["recorded_on"] < known and not cancelled:
            seen.setdefault((same[record["person_id"]], record["incident_id"]), []).append(record)
    events = {}
    for (person, _), incident in seen.items():
        flagged = [record for record in incident if record["is_domestic_abuse"]]
        counting = [record for record in flagged if spec.counts_non_crime or record["record_type"] == "crime"]
        telling = counting if domestic else incident
        if not telling or (flagged and not domestic):
            continue
        day = min(record["occurred_on"] for record in telling)
        victims = {same[record["victim_id"]] for record in telling if record["victim_id"]} - {person}
        weights = [_weight(record, spec) for record in incident]
        gravities = [max(weights) if spec.gravity_of_incident == "largest" else sum(weights)]
        apart = []
        for event in events.get(person, []):
            if event[0] == day and event[2] & victims:
                gravities, victims = gravities + event[1], victims | event[2]
            else:
                apart.append(event)
        events[person] = [*apart, (day, gravities, victims)]
    gathered = max if spec.gravity_of_event == "largest" else sum
    return {
        person: [(day, gathered(gravities), frozenset(victims)) for day, gravities, victims in found]
        for person, found in events.items()
    }


def _weight(record, spec):
    return WEIGHTS[record["offence_code"]] if record["record_type"] == "crime" else Decimal(str(spec.non_crime_weight))


def score_by_loops(events, run_date, spec):
    """The row of one person on a run date, from all their events of domestic abuse."""
    opens = (pd.Timestamp(run_date) - pd.DateOffset(months=spec.look_back_months)).date()
    inside = [event for event in events if opens <= event[0] < run_date]
    look_back = (run_date - opens).days
    if not inside:
        return (0, look_back, None, 0, 0, 0)
    days = sorted(day for day, _, _ in inside)
    weights = [gravity for _, gravity, _ in inside]
    features = {
        "n_incidents": len(inside),
        "mean_gap_days": look_back if len(inside) == 1 else (days[-1] - days[0]).days / (len(inside) - 1),
        "days_since_last": (run_date - days[-1]).days,
        "gravity": sum(weights) if spec.gravity_over_window == "sum" else max(weights),
        "n_victims": len({victim for _, _, victims in inside for victim in victims}),
    }
    points = [part.weight * _points(features[part.feature], part.feature, spec) for part in spec.parts]
    return (*map(float, features.values()), sum(points))


def _points(value, feature, spec):
    if value == 0 and feature in ("n_incidents", "n_victims"):
        return 0
    return next(band.points for band in spec.bands[feature] if band.up_to is None or value <= Decimal(str(band.up_to)))


def scored(connection, run_date, spec=CONVENTIONAL, **known):
    frame = rfgv.score(connection, run_date, spec, **known)
    rows = frame[["n_incidents", "mean_gap_days", "days_since_last", "gravity", "n_victims", "score"]].astype(object)
    rows = rows.where(rows.notna(), None).itertuples(index=False)
    return dict(zip(frame["person_id"], map(tuple, rows), strict=True))


def events_of(connection, known, domestic):
    rows = connection.execute(
        "SELECT person_id, day, gravity, victims, n_victims, is_domestic_abuse FROM " + rfgv.events(connection, known)
    ).fetchall()
    assert all(len(victims) == count for *_, victims, count, _ in rows)
    return Counter(
        (person, day, gravity, frozenset(victims))
        for person, day, gravity, victims, _, abuse in rows
        if abuse == domestic
    )


@pytest.mark.parametrize("strengths", [("certain",), ("certain", "probable"), ()], ids=["strict", "loose", "none"])
@pytest.mark.parametrize("spec", [CONVENTIONAL, LITERAL, OTHERWISE], ids=["conventional", "literal", "otherwise"])
@settings(max_examples=3)
@given(crowds)
def test_scores_and_events_are_those_of_the_loops(spec, strengths, seed):
    crowd = Crowd(seed)
    connection, same = crowd.prepared(spec, strengths), crowd.same(strengths)
    everybody = sorted({same[f"{letter}{group}"] for letter in KNOWN for group in range(GROUPS)})
    for run_date, known in ((RUN_DATE, RUN_DATE), (LEAP_DAY, LEAP_DAY), (RUN_DATE, EXTRACT), (EXTRACT, RUN_DATE)):
        abuse = events_by_loops(crowd.records, same, known, spec, domestic=True)
        found = scored(connection, run_date, spec, known_before=known)
        assert list(found) == everybody
        assert found == {person: score_by_loops(abuse.get(person, []), run_date, spec) for person in everybody}
    for known in (RUN_DATE, EXTRACT):
        for domestic in (True, False):
            told = events_by_loops(crowd.records, same, known, spec, domestic)
            assert events_of(connection, known, domestic) == Counter(
                (person, day, float(gravity), victims) for person, of in told.items() for day, gravity, victims in of
            )


def asked_at(people, days, **more):
    """Rows to ask `scores_at`: every person on every day, in no order, with an index of their own."""
    rows = pd.DataFrame([{"person_id": person, "on": pd.Timestamp(day), **more} for day in days for person in people])
    return rows.sample(frac=1, random_state=1).rename(index=lambda place: f"row {place}")


@pytest.mark.parametrize("spec", [CONVENTIONAL, LITERAL, OTHERWISE], ids=["conventional", "literal", "otherwise"])
@settings(max_examples=3)
@given(crowds)
def test_scores_at_dates_of_their_own_are_those_of_the_loops_with_later_events_left_out_where_asked(spec, seed):
    crowd = Crowd(seed)
    connection, same = crowd.prepared(spec), crowd.same(("certain",))
    everybody = sorted({same[f"{letter}{group}"] for letter in KNOWN for group in range(GROUPS)})
    for cut in (None, RUN_DATE - timedelta(days=61), EXTRACT):
        rows = asked_at(everybody, (LEAP_DAY, RUN_DATE, EXTRACT), only_before=pd.Timestamp(cut) if cut else pd.NaT)
        found = rfgv.scores_at(connection, rows, spec)
        assert list(found.index) == list(rows.index)
        told = {
            day: events_by_loops(crowd.records, same, day, spec, domestic=True) for day in (LEAP_DAY, RUN_DATE, EXTRACT)
        }
        for person, on, score in zip(rows["person_id"], rows["on"].dt.date, found, strict=True):
            kept = [event for event in told[on].get(person, []) if cut is None or event[0] < cut]
            assert score == score_by_loops(kept, on, spec)[-1]


@EXAMPLES
@given(crowds)
def test_the_conventional_score_of_time_alone_is_at_most_the_score_and_never_rises(seed):
    crowd = Crowd(seed)
    connection, people = crowd.prepared(), sorted({crowd.same(("certain",))[f"A{group}"] for group in range(GROUPS)})
    months = [date(2025 + month // 12, month % 12 + 1, 1) for month in range(15)]  # all is on record by the first
    rows = asked_at(people, months, only_before=pd.Timestamp(RUN_DATE - timedelta(days=61)))
    rows = rows.assign(aged=rfgv.scores_at(connection, rows, CONVENTIONAL))
    assert (rows["aged"] <= rfgv.scores_at(connection, rows.drop(columns="only_before"), CONVENTIONAL)).all()
    by_month = rows.pivot(index="person_id", columns="on", values="aged")
    assert (by_month.diff(axis=1).iloc[:, 1:] <= 0).all(axis=None)
    assert by_month.iloc[:, 0].max() > 0


@EXAMPLES
@given(crowds)
def test_records_forgotten_are_as_if_they_had_never_been_made(seed):
    crowd = Crowd(seed)
    gone = [record["record_id"] for record in crowd.records if crowd.draw.random() < 0.3]
    connection = crowd.prepared()
    for part in (gone[::2], [], ["r-unknown"], gone[1::2]):
        rfgv.forget(connection, part)
    left = crowd.prepared(records=[record for record in crowd.records if record["record_id"] not in gone])
    assert scored(connection, RUN_DATE) == scored(left, RUN_DATE)
    for domestic in (True, False):
        assert events_of(connection, EXTRACT, domestic) == events_of(left, EXTRACT, domestic)


@EXAMPLES
@given(crowds)
def test_one_more_incident_on_a_day_of_its_own_never_lowers_the_conventional_score(seed):
    crowd = Crowd(seed)
    sure = {"role": "suspect", "cancelled_on": None, "is_domestic_abuse": True, "incident_id": "its own"}
    days = [crowd.draw.choice([5, 77, 300]) for _ in range(GROUPS)]  # on none of which anything else happens
    more = [crowd.record(group, f"{group}-more", "A", ago, recorded_after=0) | sure for group, ago in enumerate(days)]
    before = scored(crowd.prepared(), RUN_DATE)
    after = scored(crowd.prepared(records=crowd.records + more), RUN_DATE)
    assert all(after[person][-1] >= before[person][-1] for person in before)
    assert sum(after[person][0] - before[person][0] for person in before) == GROUPS


@EXAMPLES
@given(crowds)
def test_with_no_new_records_the_conventional_score_never_rises_from_month_to_month(seed):
    connection = Crowd(seed).prepared()
    months = [date(2024 + month // 12, month % 12 + 1, 1) for month in range(2, 30)]
    rows = [scored(connection, month, known_before=RUN_DATE) for month in months]
    for earlier, later in pairwise(rows):
        assert all(later[person][-1] <= earlier[person][-1] for person in earlier)
    assert max(row[-1] for row in rows[0].values()) > 0
    assert max(row[-1] for row in rows[-1].values()) == 0


@EXAMPLES
@given(crowds)
def test_order_of_rows_names_of_victims_and_repeated_records_change_nothing(seed):
    crowd = Crowd(seed)
    crowd.links = [link for link in crowd.links if not {link["person_id"][0], link["same_as"][0]} & set("vwx")]
    renamed = str.maketrans("vwx", "sut")
    records = [
        record | {"victim_id": (record["victim_id"] or "").translate(renamed) or None} for record in crowd.records
    ]
    again = crowd.draw.sample(records, len(records) // 3)
    records += [record | {"record_id": f"{record['record_id']} again"} for record in again]
    crowd.draw.shuffle(records)
    assert scored(crowd.prepared(records=records), RUN_DATE) == scored(crowd.prepared(), RUN_DATE)


@EXAMPLES
@given(crowds)
def test_the_score_depends_on_no_record_made_on_the_run_date_or_later(seed):
    crowd = Crowd(seed)
    known = [record for record in crowd.records if record["recorded_on"] < RUN_DATE]
    later = [
        crowd.record(group, f"{group}-later{number}", "A", recorded_after=1000)
        for group in range(GROUPS) for number in range(3)
    ]  # fmt: skip
    assert scored(crowd.prepared(records=known), RUN_DATE) == scored(crowd.prepared(), RUN_DATE)
    assert scored(crowd.prepared(records=crowd.records + later), RUN_DATE) == scored(crowd.prepared(), RUN_DATE)
