"""Everybody's score on 24 month-ends of made-up records, beside the same answers by other means.

Each contender is a process of its own that reads the same DuckDB file and makes, month by month, the frame that
`rfgv.score` returns; the sums of their scores must agree. CPU seconds and peak memory are those of that process.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from evalkit import rfgv
from evalkit.study import RfgvSpec

ROOT = Path(__file__).parents[2]
INCIDENTS, MONTHS = 3_000_000, 24
PEOPLE_AN_INCIDENT = 0.139  # 417,000 people: ten million scores
DAYS = 4 * 365 + 1
FIRST_DAY = np.datetime64("2022-01-01")
CODES = ("105A", "8N", "8L", "8Q", "58D", "3B", "19C", "5D")
SHARES = (0.42, 0.22, 0.12, 0.08, 0.08, 0.04, 0.02, 0.02)
SAMPLE = 1_000
LITTLE = "240MB"  # of memory for DuckDB; Python, pandas and the frames come on top
SPEC = RfgvSpec.read("conventional", ROOT)
RUN_DATES = [day.date() for day in pd.date_range("2024-01-31", periods=MONTHS, freq="ME")]
CONTENDERS = {
    "in_little_memory": f"evalkit with {LITTLE} for DuckDB",
    "hand_tuned": "hand-tuned SQL that knows these records",
    "obvious": "obvious SQL with count(distinct)",
    "frames": "vectorised pandas",
}


def lines(folder: Path, incidents: int = INCIDENTS) -> Iterator[str]:
    """Each contender in words, with the CPU seconds of ours over its own."""
    file = folder / "records.duckdb"
    _run("made", file, incidents)
    ours = _run("ours", file)
    yield f"scoring {incidents:,} incidents on {MONTHS} dates: evalkit {_cost(ours)}"
    for name, words in CONTENDERS.items():
        theirs = _run(name, file)
        if theirs["total"] != ours["total"]:
            raise AssertionError(f"{name} does not come to the same scores: {theirs['total']} and {ours['total']}")
        yield f"  {words} {_cost(theirs)}; ratio {ours['cpu'] / theirs['cpu']:.2f}"
    loop = _run("loop", file)["total"]
    yield f"  a loop over people {loop:.0f} CPU s, reckoned from {SAMPLE:,} of them; ratio {ours['cpu'] / loop:.5f}"


def _cost(run: dict[str, float]) -> str:
    return f"{run['cpu']:.2f} CPU s, {run['wall']:.2f} s, {run['peak_mb']:.0f} MB"


def _run(name: str, file: Path, *arguments: int) -> dict[str, float]:
    command = [sys.executable, __file__, name, str(file), *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def made(file: Path, incidents: int) -> float:
    """Write the made-up records: few people with many incidents, in bursts, entered late, some in several records."""
    random = np.random.default_rng(20260930)
    people = int(incidents * PEOPLE_AN_INCIDENT)
    share = random.gamma(0.6, size=people)
    person = np.sort(random.choice(people, incidents, p=share / share.sum()))
    crisis = random.integers(0, DAYS, people)
    in_crisis = random.random(incidents) < 0.5
    day = (
        np.where(in_crisis, crisis[person] + random.exponential(45, incidents), random.random(incidents) * DAYS) % DAYS
    )
    victims = 1 + random.poisson(1, people)
    records = pd.DataFrame(
        {
            "incident": np.arange(incidents),
            "person": person,
            "victim": np.where(
                random.random(incidents) < 0.02,
                -1,
                person * 16 + (victims[person] * random.random(incidents) ** 2).astype(int),
            ),
            "day": day.astype(int),
            "delay": random.lognormal(0, 1.6, incidents).astype(int),
            "code": random.choice(len(CODES), incidents, p=SHARES),
            "is_crime": random.random(incidents) < 0.6,
            "is_domestic_abuse": random.random(incidents) < 0.8,
            "cancelled_after": np.where(random.random(incidents) < 0.01, random.integers(1, 200, incidents), -1),
        }
    )
    again = records.sample(frac=0.08, random_state=random)
    again = again.assign(
        is_crime=True, delay=again["delay"] + random.integers(0, 40, len(again)), code=1, cancelled_after=-1
    )
    everything = pd.concat([records, again]).sample(frac=1, random_state=random)
    ages = pd.DataFrame({"person": np.arange(people), "birth_year": random.integers(1950, 2012, people)})
    _write(file, everything, ages)
    return float(len(everything))


def _write(file: Path, everything: pd.DataFrame, ages: pd.DataFrame) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.register("everything", everything)
        connection.register("ages", ages)
        codes = "[" + ", ".join(f"'{code}'" for code in CODES) + "]"
        connection.execute(
            f"""
            CREATE MACRO pseudonym(kind, number) AS substr(md5(kind || number), 1, 20);
            CREATE TABLE people AS SELECT pseudonym('h', person) AS person_id, birth_year, 'M' AS sex,
              'area-' || person % 12 AS area, NULL::DATE AS died_on, NULL::DATE AS left_force_on FROM ages;
            CREATE TABLE incidents AS SELECT pseudonym('r', row_number() OVER ()) AS record_id,
              pseudonym('i', incident) AS incident_id, pseudonym('h', person) AS person_id, 'suspect' AS role,
              CASE WHEN victim >= 0 THEN pseudonym('v', victim) END AS victim_id,
              DATE '{FIRST_DAY}' + day::INTEGER AS occurred_on,
              DATE '{FIRST_DAY}' + (day + delay)::INTEGER AS recorded_on,
              CASE WHEN cancelled_after >= 0 THEN DATE '{FIRST_DAY}' + (day + delay + cancelled_after)::INTEGER END
                AS cancelled_on,
              CASE WHEN is_crime THEN 'crime' ELSE 'non_crime_incident' END AS record_type,
              CASE WHEN is_crime THEN 'HO_class' END AS offence_code_system,
              CASE WHEN is_crime THEN {codes}[code + 1] END AS offence_code, is_domestic_abuse,
              'area-' || person % 12 AS area FROM everything;
            """
        )


def ours(file: Path) -> float:
    """`rfgv.prepare` once, then `rfgv.score` month by month."""
    with duckdb.connect(str(file), read_only=True) as connection:
        return _ours(connection)


def in_little_memory(file: Path) -> float:
    """The same, where DuckDB may not take more memory than LITTLE."""
    with duckdb.connect(str(file), read_only=True, config={"memory_limit": LITTLE}) as connection:
        return _ours(connection)


def _ours(connection: duckdb.DuckDBPyConnection) -> float:
    rfgv.prepare(connection, SPEC, ROOT)
    return sum(rfgv.score(connection, day, SPEC)["score"].sum() for day in RUN_DATES)


def hand_tuned(file: Path) -> float:
    """SQL that knows these records: one victim and one day an incident, no linked ids, ids that may be hashed."""
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute(f"CREATE TEMP TABLE weights AS FROM read_csv('{ROOT / SPEC.weights}', all_varchar=true)")
        connection.execute(
            """
            CREATE TEMP TABLE numbered AS
            SELECT row_number() OVER (ORDER BY person_id)::INTEGER AS number, person_id, area, birth_year FROM people;
            CREATE TEMP TABLE compact AS
            SELECT number, hash(incident_id) AS incident, hash(victim_id) * (victim_id IS NOT NULL)::UTINYINT AS victim,
              occurred_on AS day, recorded_on AS entered, coalesce(cancelled_on, DATE '9999-12-31') AS gone,
              is_domestic_abuse, CASE WHEN record_type = 'crime' THEN value::DECIMAL(18, 4) ELSE 0.5 END AS weight
            FROM incidents JOIN numbered USING (person_id) LEFT JOIN weights USING (offence_code_system, offence_code)
            """
        )
        return sum(connection.execute(_by_dyad(day)).df()["score"].sum() for day in RUN_DATES)


def _by_dyad(day: date) -> str:
    """Counted by dyad first, so that nothing is counted distinct."""
    return f"""
    WITH whole AS (
      SELECT number, incident, any_value(day) AS day, max(weight) AS weight, any_value(victim) AS victim FROM compact
      WHERE day >= DATE '{SPEC.opens(day)}' AND day < DATE '{day}' AND entered < DATE '{day}' AND gone >= DATE '{day}'
      GROUP BY number, incident HAVING bool_or(is_domestic_abuse)
    ), happened AS (
      SELECT number, victim, day, max(weight) AS weight FROM whole
      GROUP BY number, victim, day, CASE WHEN victim = 0 THEN incident END
    ), dyads AS (
      SELECT number, victim, count(*) AS n, min(day) AS first_day, max(day) AS last_day, sum(weight) AS gravity
      FROM happened GROUP BY number, victim
    ), counted AS (
      SELECT number, sum(n) AS n_incidents, min(first_day) AS first_day, max(last_day) AS last_day,
        sum(gravity) AS gravity, count(*) FILTER (victim <> 0) AS n_victims FROM dyads GROUP BY number
    ) {_shaped("counted", "numbered", day)}
    """


def obvious(file: Path) -> float:
    """SQL that says what is wanted, anew each month: distinct victims counted as such, on the ids as they are."""
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute(f"CREATE TEMP TABLE weights AS FROM read_csv('{ROOT / SPEC.weights}', all_varchar=true)")
        return sum(connection.execute(_by_person(day)).df()["score"].sum() for day in RUN_DATES)


def _by_person(day: date) -> str:
    return f"""
    WITH known AS (
      SELECT * FROM incidents LEFT JOIN weights USING (offence_code_system, offence_code)
      WHERE recorded_on < DATE '{day}' AND coalesce(cancelled_on >= DATE '{day}', true)
        AND role IN ('suspect', 'offender')
    ), whole AS (
      SELECT person_id, incident_id, min(occurred_on) FILTER (is_domestic_abuse) AS day,
        max(CASE WHEN record_type = 'crime' THEN value::DECIMAL(18, 4) ELSE 0.5 END) AS weight,
        any_value(victim_id) FILTER (is_domestic_abuse) AS victim
      FROM known GROUP BY person_id, incident_id
    ), happened AS (
      SELECT person_id, day, victim, max(weight) AS weight FROM whole
      WHERE day >= DATE '{SPEC.opens(day)}' AND day < DATE '{day}'
      GROUP BY person_id, day, victim, CASE WHEN victim IS NULL THEN incident_id END
    ), counted AS (
      SELECT person_id AS number, count(*) AS n_incidents, min(day) AS first_day, max(day) AS last_day,
        sum(weight) AS gravity, count(DISTINCT victim) AS n_victims FROM happened GROUP BY person_id
    ) {_shaped("counted", "(SELECT *, person_id AS number FROM people)", day)}
    """


def _shaped(counted: str, people: str, day: date) -> str:
    """The frame of `rfgv.score` from the counts, by the bands as they are published."""
    look_back = (day - SPEC.opens(day)).days
    points = " + ".join(_stepped(part.feature) for part in SPEC.parts)
    return f"""
    , features AS (
      SELECT person_id, area, birth_year, number, coalesce(n_incidents, 0) AS n_incidents,
        CASE WHEN n_incidents > 1 THEN (last_day - first_day) / (n_incidents - 1) ELSE {look_back} END AS mean_gap_days,
        DATE '{day}' - last_day AS days_since_last, coalesce(gravity, 0)::DOUBLE AS gravity,
        coalesce(n_victims, 0) AS n_victims
      FROM {people} LEFT JOIN {counted} USING (number)
    )
    SELECT person_id, area, n_incidents, mean_gap_days, days_since_last, gravity, n_victims,
      (CASE WHEN n_incidents = 0 THEN 0 ELSE {points} END)::DOUBLE AS score,
      CASE WHEN n_incidents < 2 OR n_victims < 2 OR {day.year} - birth_year < 16 THEN 'no'
           WHEN {day.year} - birth_year > 16 THEN 'yes' ELSE 'unknown' END AS eligible
    FROM features ORDER BY number
    """


def _stepped(feature: str) -> str:
    *closed, last = SPEC.bands[feature]
    steps = " ".join(f"WHEN {feature} <= {band.up_to} THEN {band.points}" for band in closed)
    return f"CASE WHEN {feature} = 0 AND starts_with('{feature}', 'n_') THEN 0 {steps} ELSE {last.points} END"


def frames(file: Path) -> float:
    """Vectorised pandas: ids to numbers once, then group by group each month."""
    with duckdb.connect(str(file), read_only=True) as connection:
        compact, people = _compact(connection)
    return sum(_framed(compact, people, pd.Timestamp(day))["score"].sum() for day in RUN_DATES)


def _compact(connection: duckdb.DuckDBPyConnection, people: str = "people") -> tuple[pd.DataFrame, pd.DataFrame]:
    records = connection.execute(
        "SELECT person_id, incident_id, victim_id, occurred_on, recorded_on, cancelled_on, record_type, offence_code, "
        f"is_domestic_abuse FROM incidents SEMI JOIN {people} USING (person_id) WHERE role IN ('suspect', 'offender')"
    ).df()
    known = connection.execute(f"SELECT person_id, area, birth_year FROM {people} ORDER BY person_id").df()
    weights = pd.read_csv(ROOT / SPEC.weights).set_index("offence_code")["value"]
    numbers = pd.Series(np.arange(len(known)), index=known["person_id"])
    return pd.DataFrame(
        {
            "number": records["person_id"].map(numbers).to_numpy(),
            "incident": pd.factorize(records["incident_id"])[0],
            "victim": pd.factorize(records["victim_id"])[0],
            "day": records["occurred_on"],
            "entered": records["recorded_on"],
            "gone": records["cancelled_on"].fillna(pd.Timestamp("2200-01-01")),
            "is_domestic_abuse": records["is_domestic_abuse"],
            "weight": records["offence_code"].map(weights).where(records["record_type"] == "crime", 0.5),
        }
    ), known


def _framed(compact: pd.DataFrame, people: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    opens = pd.Timestamp(SPEC.opens(day.date()))
    known = compact[
        (compact["day"] >= opens) & (compact["day"] < day) & (compact["entered"] < day) & (compact["gone"] >= day)
    ]
    whole = known.groupby(["number", "incident"], as_index=False).agg(
        day=("day", "first"), weight=("weight", "max"), victim=("victim", "first"), abuse=("is_domestic_abuse", "any")
    )
    whole = whole[whole["abuse"]].assign(alone=lambda rows: rows["incident"].where(rows["victim"] < 0, -1))
    happened = whole.groupby(["number", "victim", "day", "alone"], as_index=False)["weight"].max()
    counted = happened.groupby("number").agg(
        n_incidents=("day", "size"), first_day=("day", "min"), last_day=("day", "max"), gravity=("weight", "sum")
    )
    named = happened.loc[happened["victim"] >= 0, ["number", "victim"]].drop_duplicates()
    counted = counted.assign(n_victims=named.groupby("number").size()).reindex(np.arange(len(people)))
    count = counted["n_incidents"].fillna(0)
    gap = (counted["last_day"] - counted["first_day"]).dt.days / (count - 1)
    features = people.assign(
        n_incidents=count.astype(int),
        mean_gap_days=gap.where(count > 1, (day - opens).days),
        days_since_last=(day - counted["last_day"]).dt.days,
        gravity=counted["gravity"].fillna(0.0),
        n_victims=counted["n_victims"].fillna(0).astype(int),
    )
    points = sum(_banded(features[part.feature], part.feature) for part in SPEC.parts)
    age = day.year - people["birth_year"]
    never = (features["n_incidents"] < 2) | (features["n_victims"] < 2) | (age < 16)
    return features.assign(
        score=np.where(count == 0, 0, points), eligible=np.select([never, age > 16], ["no", "yes"], "unknown")
    )


def _banded(values: pd.Series, feature: str) -> np.ndarray:
    *closed, _ = SPEC.bands[feature]
    points = np.array([band.points for band in SPEC.bands[feature]])
    found = points[np.searchsorted([band.up_to for band in closed], values)]
    return np.where(values == 0, 0, found) if feature.startswith("n_") else found


def loop(file: Path) -> float:
    """CPU seconds of a loop over every person, month by month, reckoned from some people in one month."""
    day = pd.Timestamp(RUN_DATES[MONTHS // 2])
    with duckdb.connect(str(file), read_only=True) as connection:
        [(everybody,)] = connection.execute("SELECT count(*) FROM people").fetchall()
        some = f"(SELECT * FROM people ORDER BY person_id LIMIT {SAMPLE})"
        compact, people = _compact(connection, some)
    began = time.process_time()
    points = [_looped(compact[compact["number"] == number], day) for number in range(len(people))]
    took = time.process_time() - began
    if points != _framed(compact, people, day)["score"].tolist():
        raise AssertionError("the loop does not come to the same scores")
    return took / SAMPLE * everybody * MONTHS


def _looped(records: pd.DataFrame, day: pd.Timestamp) -> float:
    opens, events = pd.Timestamp(SPEC.opens(day.date())), {}
    known = records[(records["entered"] < day) & (records["gone"] >= day)]
    for incident, rows in known.groupby("incident"):
        flagged = rows[rows["is_domestic_abuse"]]
        if len(flagged) and opens <= flagged["day"].min() < day:
            victim = flagged["victim"].max()
            event = (flagged["day"].min(), victim if victim >= 0 else f"nobody in {incident}")
            events[event] = max(events.get(event, 0), rows["weight"].max())
    if not events:
        return 0.0
    days = sorted(when for when, _ in events)
    features = {
        "n_incidents": len(events),
        "days_since_last": (day - days[-1]).days,
        "gravity": sum(events.values()),
        "n_victims": len({victim for _, victim in events if not isinstance(victim, str)}),
    }
    return float(sum(_banded(pd.Series([features[part.feature]]), part.feature)[0] for part in SPEC.parts))


if __name__ == "__main__":
    name, file, *numbers = sys.argv[1:]
    began = time.perf_counter()
    total = globals()[name](Path(file), *map(int, numbers))
    used = resource.getrusage(resource.RUSAGE_SELF)
    cost = {"wall": time.perf_counter() - began, "cpu": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}
    sys.stdout.write(json.dumps({"total": float(total), **cost}))
