"""Everybody who could have been chosen on a run date, chosen or not, and the three most alike to each who was.

An effect is estimated on all of them with their history adjusted for; the matches are there to be looked at, and to
stand beside it. A matched ratio without adjustment would still be off: three neighbours are not twins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from evalkit import estimators
from evalkit.cohort import Cohort, due, history, score_curve
from evalkit.matching.balance import over_history
from evalkit.matching.nouns import Comparison, followed, paired
from evalkit.results import COMPARISON, PROGRAMME, Design, Difference, Gate, Overlap
from evalkit.study import Study, plan_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Numbers = np.ndarray[Any, Any]

NEIGHBOURS = 3
CALIPER_SD = 0.25  # of the log odds of being chosen, over everybody at risk
CALIPER_SCORE = 8.0
SCORE_COUNTS = 1.5  # how much more the score counts in the distance than each other covariate
DISTANCE_STEP = 1e-8  # distances closer than this are ties, and go to the first row
FEWEST_OVERLAPPING = 0.80
CONTROLS_A_PERSON = 2
FEWEST_TO_JUDGE_BALANCE = 100
MOST_APART_MEAN, MOST_APART = 0.10, 0.25
EFFECT_GATES = ("model", "overlap", "effective_controls")
MOST_BANDS, FEWEST_A_BAND = 10, 12


def match(cohort: Cohort, study: Study) -> Comparison:
    """The trials of all run dates as one comparison, with the chance of being chosen, matches, balance and gates.

    The gates of EFFECT_GATES decide whether an effect may be given; those of the matches decide what may be called
    matched.
    """
    people = cohort.people
    counted = due(people, study, study.horizon_days) & people["days_followed"].gt(0)
    treated = people["arm"].eq(PROGRAMME)
    log_odds = _log_odds(people[counted], study)
    weights, pairs = people["days_followed"].mul(0.0), paired()
    if log_odds is not None:
        weights[counted], pairs = _matched(people[counted], log_odds, study)
    matched = people.assign(match_weight=weights)
    balance = tuple(over_history(matched[counted])) if log_odds is not None else ()
    gates = tuple(_gates(matched[counted], log_odds, balance))
    design = Design(
        assignment=study.programme.design,
        plan=plan_of(study).state,
        followed=followed(people, study, study.horizon_days),
        gates=tuple((gate.name, gate.passed) for gate in gates if gate.name in EFFECT_GATES),
        linked=cohort.linked,
    )
    overlap = () if log_odds is None else tuple(_overlap(log_odds, people[counted], treated[counted]))
    return Comparison(people=matched, balance=balance, design=design, gates=gates, overlap=overlap, pairs=pairs)


def _log_odds(people: pd.DataFrame, study: Study) -> Numbers | None:
    """The log odds of being chosen, by row; None where no model can be fitted."""
    known = history(people, study)
    treated = people["arm"].eq(PROGRAMME).to_numpy()
    if not 0 < treated.sum() < len(treated):
        return None
    try:
        return estimators.propensity(columns=known.columns, factors=known.factors, treated=treated).logit
    except estimators.NotFitted:
        return None


def _matched(people: pd.DataFrame, log_odds: Numbers, study: Study) -> tuple[Numbers, pd.DataFrame]:
    """What each row counts for, and who stands for whom: see `Comparison.people` and `Comparison.pairs`."""
    import numpy as np

    force = {area.slug: area.force for area in study.areas}
    trials: Any = people.groupby(["index_date", people["area"].map(force)], sort=False).indices.values()
    treated = people["arm"].eq(PROGRAMME).to_numpy()
    places, score = _places(people, log_odds, study), people["score"].to_numpy(float)
    reach = CALIPER_SD * log_odds.std()
    weights, pairs = np.zeros(len(people)), []
    for rows in trials:
        pool = rows[~treated[rows]]
        for one in rows[treated[rows]]:
            near = pool[
                (abs(log_odds[pool] - log_odds[one]) <= reach) & (abs(score[pool] - score[one]) <= CALIPER_SCORE)
            ]
            distance = np.sqrt(((places[near] - places[one]) ** 2).sum(axis=1))
            chosen = near[np.argsort(np.round(distance / DISTANCE_STEP), kind="stable")[:NEIGHBOURS]]
            if len(chosen):
                weights[one] = 1.0
                weights[chosen] += 1 / len(chosen)
                pairs += [(people.index[one], people.index[other], 1 / len(chosen)) for other in chosen]
    _refuse_too_far(weights, treated)
    return weights, paired(pairs)


def _refuse_too_far(weights: Numbers, treated: Numbers) -> None:
    if abs(weights[treated].sum() - weights[~treated].sum()) > 1e-6 * max(1.0, weights.sum()):
        raise ValueError("the weights of the matches must add up to the people that they stand for")


def _places(people: pd.DataFrame, log_odds: Numbers, study: Study) -> Numbers:
    """Where each row stands: every covariate in standard deviations, the score counting more."""
    import numpy as np

    known = history(people, study).columns
    curved = set(score_curve(known["score"])) - {"score"}
    columns = {name: known[name] for name in known if name not in curved} | {"log_odds": log_odds}
    scaled = []
    for name, values in columns.items():
        spread = values.std()
        scaled.append((SCORE_COUNTS if name == "score" else 1.0) * (values - values.mean()) / (spread or 1.0))
    return np.column_stack(scaled)


def _gates(people: pd.DataFrame, log_odds: Numbers | None, balance: tuple[Difference, ...]) -> Iterator[Gate]:
    treated = people["arm"].eq(PROGRAMME).to_numpy()
    yield Gate(
        name="model",
        label="The chance of being chosen can be learnt from the records",
        found="learnt" if log_odds is not None else "no model could be fitted",
        needed="learnt",
        passed=log_odds is not None,
        mend="a longer period, or more areas, so that more people were chosen",
    )
    if log_odds is None:
        return
    yield _overlap_gate(log_odds, treated)
    yield _controls_gate(people, treated)
    yield from _balance_gate(balance, int(treated.sum()))


def _overlap_gate(log_odds: Numbers, treated: Numbers) -> Gate:
    """At least 80 % of those chosen have three rows of people not chosen within a quarter of a standard deviation."""
    import numpy as np

    pool, reach = np.sort(log_odds[~treated]), CALIPER_SD * log_odds.std()
    near = np.searchsorted(pool, log_odds[treated] + reach, "right") - np.searchsorted(
        pool, log_odds[treated] - reach, "left"
    )
    share = float((near >= NEIGHBOURS).mean())
    return Gate(
        name="overlap",
        label="For those chosen, people as likely to be chosen were not",
        found=f"{_percent(share)} of those chosen have three such people",
        needed=f"{_percent(FEWEST_OVERLAPPING)} or more",
        passed=share >= FEWEST_OVERLAPPING,
        part=int((near >= NEIGHBOURS).sum()),
        of=int(treated.sum()),
        mend="areas or months in which fewer were chosen from as many, so that people alike were not",
    )


def _controls_gate(people: pd.DataFrame, treated: Numbers) -> Gate:
    """At least two effective people of the comparison for each of the programme; a person counts by their rows."""
    rows = people.loc[~treated, "person_id"].value_counts().to_numpy(float)
    effective = estimators.effective_people(rows) if len(rows) else 0.0
    each = effective / max(1, int(treated.sum()))
    return Gate(
        name="effective_controls",
        label="There are enough people who were not chosen",
        found=f"{each:.1f} for each of those chosen",
        needed=f"{CONTROLS_A_PERSON} or more",
        passed=each >= CONTROLS_A_PERSON,
        of=int(treated.sum()),
        mend="more areas, or a longer period",
    )


def _balance_gate(balance: tuple[Difference, ...], chosen: int) -> Iterator[Gate]:
    """Judged from 100 people on: among fewer, some covariate is apart by luck alone whatever the matching."""
    sizes = [abs(each.smd) for each in balance if each.smd is not None]
    if not sizes:
        return
    mean, farthest = sum(sizes) / len(sizes), max(sizes)
    judged = chosen >= FEWEST_TO_JUDGE_BALANCE
    yield Gate(
        name="balance",
        label="The matched groups were alike before",
        found=f"{mean:.2f} standard deviations apart on average, {farthest:.2f} at most",
        needed=f"less than {MOST_APART_MEAN:.2f} on average and {MOST_APART:.2f} at most"
        + ("" if judged else f" (not judged below {FEWEST_TO_JUDGE_BALANCE} people)"),
        passed=not judged or (mean < MOST_APART_MEAN and farthest <= MOST_APART),
        of=chosen,
        mend="more people who were not chosen to match with",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def _overlap(log_odds: Numbers, people: pd.DataFrame, treated: pd.Series[bool]) -> Iterator[Overlap]:
    import numpy as np

    chance = 1 / (1 + np.exp(-log_odds))
    mine = treated.to_numpy()
    bands = min(MOST_BANDS, int(mine.sum()) // FEWEST_A_BAND)
    if bands < 2:
        return
    inner = np.quantile(chance[mine], np.linspace(0, 1, bands + 1)[1:-1])
    edges = (float(chance.min()), *map(float, inner), float(chance.max()))
    band = np.searchsorted(inner, chance, "right")
    counts = {
        arm: tuple(int(people["person_id"][of & (band == place)].nunique()) for place in range(bands))
        for arm, of in ((PROGRAMME, mine), (COMPARISON, ~mine))
    }
    yield Overlap(
        edges=edges,
        programme=counts[PROGRAMME],
        comparison=counts[COMPARISON],
        people_programme=people["person_id"][mine].nunique(),
        people_comparison=people["person_id"][~mine].nunique(),
    )
