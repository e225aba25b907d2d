"""Made-up assessments of abuse and risk: what each reporter says of the victims' lives, and whose exit nobody saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from evalkit.results import ABUSE_TYPES, LEVELS
from evalkit.study import MadeUpAssessments, Synthetic
from evalkit.synthetic.enrolment import Enrolment, assessment_day
from evalkit.synthetic.records import Names, days, latest_victims, only, scrambled
from evalkit.synthetic.severity import HIGH, Severity, levels
from evalkit.synthetic.world import World, stream

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.synthetic.world import Flags, Floats, Ints

WRONG = {"victim": 0.10, "idva": 0.10, "practitioner": 0.15, "client": 0.15}
"""Of each reporter, the share of levels that are one step off."""
MILDER = {"victim": (0.0, 0.0), "idva": (0.0, 0.0), "practitioner": (0.0, 0.2), "client": (0.4, 0.4)}
"""By how many standard deviations each reporter takes severity to be milder, at the intake and by the exit."""
OF_VICTIMS = ("victim", "idva")
OF_RISK = ("idva", "practitioner")
NOT_KNOWN = 0.02
STAGES = 3  # from the intake to the exit, with two interims between
LARGE_LOGIT, HALVINGS = 50.0, 60
SUPPORTED, LEVEL_OF_MISSING, MIDDLE_LEVEL = 0.9, 0.8, 1.5
CHILDREN = {0: 0.3, 1: 0.28, 2: 0.25, 3: 0.12, 4: 0.05}
BAND = np.array(["standard", "standard", "medium", "high"], dtype=object)
CHANGE = np.array(["increased", "no_change", "reduced_moderately", "reduced_significantly"], dtype=object)
DASH_QUESTIONS, DASH_MEAN, DASH_FOR_EACH_SD = 27, 13.0, 4.0


def assess(
    settings: Synthetic, asked: MadeUpAssessments, reporters: Sequence[str], world: World, ids: Names,
    severity: Severity, enrolment: Enrolment,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """The tables victims, abuse_assessments and risk_assessments of these cases, by name.

    The victim of a case is whom the person harmed last before the index date. Nine victims in ten are supported; they
    and their advisers are asked, in either arm. The service and the person are asked in the programme alone. Nobody is
    asked about somebody who has died.
    """
    cases, visits = enrolment.cases, enrolment.visits
    person, index = cases["person"].to_numpy(), cases["day"].to_numpy()
    victim = latest_victims(world, enrolment.happens, person, index)
    supported = (stream(settings, "support").random(len(world.person_of)) < SUPPORTED)[person]
    case, day = visits["case"].to_numpy(), visits["day"].to_numpy()
    z = _severity(asked, world, severity, enrolment)
    asked_of = (victim[case] >= 0) & (day < world.humans.died[world.human_of[person[case]]])
    luck = stream(settings, "missing").random(len(world.person_of))[person[case]]
    place = np.flatnonzero(asked_of & ~_missed(asked, asked_of & visits["timepoint"].eq("exit").to_numpy(), z, luck))
    about = visits.iloc[place].assign(
        episode_id=cases["episode_id"].to_numpy()[case[place]],
        person_id=cases["person_id"].to_numpy()[case[place]],
        person=person[case[place]],
        victim_id=ids.human[victim[case[place]]],
        assessed_on=days(settings, day[place]),
        is_supported=supported[case[place]],
        treated=cases["treated"].to_numpy()[case[place]],
        stage=np.where(visits["timepoint"].eq("exit"), STAGES, visits["interim_number"])[place],
    )
    abuse, risk = [], []
    for reporter in reporters:
        asks = about["is_supported" if reporter in OF_VICTIMS else "treated"].to_numpy()
        here, severe = about[asks], z[place][asks]
        luck = stream(settings, f"judged by {reporter}").random((2, len(world.person_of), STAGES + 1, len(ABUSE_TYPES)))
        wrong, unknown = luck[:, here["person"], here["stage"]]
        judged = _judged(reporter, here, severe, wrong)
        abuse.append(_abuse(asked, reporter, here, judged, unknown < NOT_KNOWN))
        if reporter in OF_RISK:
            risk.append(_risk(settings, reporter, here, severe, judged))
    return {
        "victims": _victims(settings, ids, cases, visits, victim, supported),
        "abuse_assessments": _numbered(settings, "a", abuse),
        "risk_assessments": _numbered(settings, "k", risk),
    }


def _severity(asked: MadeUpAssessments, world: World, severity: Severity, enrolment: Enrolment) -> Floats:
    """By visit and type, the worst severity in the window looked back over: of an intake, before the index date."""
    visits = enrolment.visits
    cases = enrolment.cases.iloc[visits["case"]]
    person, index = cases["person"].to_numpy(), cases["day"].to_numpy()
    human, since, day = world.human_of[person], enrolment.since[person], visits["day"].to_numpy()
    first = severity.worst(human, index, asked.intake_window_days)
    later = severity.worst(human, day, asked.later_window_days, since=since, shift=asked.effect_sd)
    return np.where(visits["timepoint"].eq("intake").to_numpy()[:, None], first, later)


def _missed(asked: MadeUpAssessments, exits: Flags, z: Floats, luck: Floats) -> Flags:
    """Which of the exits come to nothing: more of them where abuse is worse, on average the share that was set.

    Its logit rises by .8 for each step of the worst level of any type; the rest of it is found by halving.
    """
    rises = LEVEL_OF_MISSING * (levels(z).max(axis=1) - MIDDLE_LEVEL)
    low, high = -LARGE_LOGIT, LARGE_LOGIT
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        too_few = exits.any() and _expit(middle + rises[exits]).mean() < asked.missing_exit
        low, high = (middle, high) if too_few else (low, middle)
    return exits & (luck < _expit(high + rises))


def _expit(logit: Floats) -> Floats:
    return 1 / (1 + np.exp(-logit))


def _judged(reporter: str, visits: pd.DataFrame, z: Floats, luck: Floats) -> Ints:
    """By visit and type, the level that this reporter takes it for: now and then one step off, or milder all round."""
    first, last = MILDER[reporter]
    milder = first + (last - first) * visits["stage"].to_numpy() / STAGES
    true = levels(z - milder[:, None])
    off = np.where(luck < WRONG[reporter], np.where(luck < WRONG[reporter] / 2, 1, -1), 0)
    beyond = (true + off < 0) | (true + off > HIGH)
    return true + np.where(beyond, -off, off)


def _abuse(asked: MadeUpAssessments, reporter: str, visits: pd.DataFrame, judged: Ints, unknown: Flags) -> pd.DataFrame:
    """One row per visit and type."""
    import pandas as pd

    rows = visits.loc[visits.index.repeat(len(ABUSE_TYPES))]
    window = np.where(rows["timepoint"].eq("intake"), asked.intake_window_days, asked.later_window_days)
    return pd.DataFrame({
        "episode_id": rows["episode_id"].to_numpy(),
        "victim_id": rows["victim_id"].to_numpy(),
        "timepoint": rows["timepoint"].to_numpy(),
        "interim_number": _numbers(rows),
        "assessed_on": rows["assessed_on"].to_numpy(),
        "window_days": window,
        "reporter": reporter,
        "abuse_type": np.tile(np.array(list(ABUSE_TYPES), dtype=object), len(visits)),
        "level": np.where(unknown, "not_known", np.array(LEVELS, dtype=object)[judged]).ravel(),
        "basis": "professional_judgement" if reporter in OF_RISK else "disclosed",
    })  # fmt: skip


def _numbers(visits: pd.DataFrame) -> pd.Series[int]:
    """The number of an interim, and nothing of another time point."""
    number = visits["interim_number"].astype("Int64")
    return number.mask(number.eq(0)).reset_index(drop=True)


def _risk(settings: Synthetic, reporter: str, visits: pd.DataFrame, z: Floats, judged: Ints) -> pd.DataFrame:
    """One row per visit; a change is against the reporter's own intake, by the worst level of any type."""
    import pandas as pd

    worst = judged.max(axis=1)
    is_intake = visits["timepoint"].eq("intake").to_numpy()
    case = visits["case"].to_numpy()
    first = np.full(int(case.max(initial=0)) + 1, -1)
    first[case[is_intake]] = worst[is_intake]
    change = CHANGE[np.clip(first[case] - worst, -1, 2) + 1]
    unknown = (first[case] < 0) | (stream(settings, f"risk by {reporter}").random(len(case)) < NOT_KNOWN)
    dash = is_intake & (reporter == "idva")
    score = np.clip(np.rint(DASH_MEAN + DASH_FOR_EACH_SD * z.mean(axis=1)), 0, DASH_QUESTIONS)
    return pd.DataFrame({
        "episode_id": visits["episode_id"].to_numpy(),
        "person_id": visits["person_id"].to_numpy(),
        "victim_id": visits["victim_id"].to_numpy(),
        "timepoint": visits["timepoint"].to_numpy(),
        "reporter": reporter,
        "tool": np.where(dash, "DASH", "idva_judgement" if reporter == "idva" else "SARA").astype(object),
        "score": pd.Series(score).where(dash).astype("Int64"),
        "band": BAND[worst],
        "change": only(~is_intake, np.where(unknown, "not_known", change)),
        "assessed_on": visits["assessed_on"].to_numpy(),
    })  # fmt: skip


def _victims(
    settings: Synthetic, ids: Names, cases: pd.DataFrame, visits: pd.DataFrame, victim: Ints, supported: Flags
) -> pd.DataFrame:
    """One row per case whose victim is known; whoever is supported was reached before the intake."""
    import pandas as pd

    rng, rows = stream(settings, "victims"), len(cases)
    intake = np.full(rows, -1)
    first = visits[visits["timepoint"].eq("intake")]
    intake[first["case"]] = first["day"]
    day = cases["day"].to_numpy()
    contacted = day + np.floor(rng.random(rows) * (intake - day)).astype(np.int64)
    interims = np.bincount(visits.loc[visits["timepoint"].ne("intake"), "case"], minlength=rows)
    given = rng.binomial(interims, 0.8)
    children = np.array(list(CHILDREN))[rng.choice(len(CHILDREN), size=rows, p=list(CHILDREN.values()))]
    known = victim >= 0
    return pd.DataFrame({
        "victim_id": ids.human[victim],
        "episode_id": cases["episode_id"],
        "first_contacted_on": days(settings, contacted, supported & (intake >= 0)),
        "supported": supported,
        "updates_invited": np.where(supported, interims, 0),
        "updates_given": np.where(supported, given, 0),
        "children_count": children,
    })[known].reset_index(drop=True)  # fmt: skip


def _numbered(settings: Synthetic, kind: str, parts: list[pd.DataFrame]) -> pd.DataFrame:
    """The parts one below the other, with an id for each row."""
    import pandas as pd

    found = pd.concat(parts, ignore_index=True)
    return found.assign(assessment_id=scrambled(kind, len(found), stream(settings, f"assessment ids {kind}")))


def abused(
    settings: Synthetic, asked: MadeUpAssessments, reporter: str, world: World, severity: Severity, person: Ints,
    day: Ints,
) -> dict[str, Floats]:  # fmt: skip
    """For each of these persons in the programme from this day: a high level of any type on the assessment day or not.

    `high_<days>` is as it is and `high_judged_<days>` the chance that this reporter says so; each also with `_without`
    the programme, from the same severity. The assessment day is 28 days after the planned end, and the window that of a
    later assessment.
    """
    after = assessment_day(settings)
    found = {}
    for ending, since in (("", day), ("_without", None)):
        z = severity.worst(
            world.human_of[person], day + after, asked.later_window_days, since=since, shift=asked.effect_sd
        )
        found[f"high_{after}{ending}"] = (levels(z) == HIGH).any(axis=1).astype(float)
        said = levels(z - MILDER[reporter][1])
        wrong = WRONG[reporter]
        chance = np.select([said == HIGH, said == HIGH - 1], [1 - wrong, wrong / 2], 0.0)
        found[f"high_judged_{after}{ending}"] = 1 - np.prod(1 - chance, axis=1)
    return found
