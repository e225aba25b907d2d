"""Counts, events and deaths drawn with a planted truth, of people who differ and stand in several rows."""

import numpy as np
import pytest

from evalkit.estimators import (
    CENSORED,
    DIED,
    EVENT,
    agree,
    cumulative_incidence,
    expected_count,
    incident_free_days_difference,
    power_of_rate_reduction,
    propensity,
    quasi_poisson,
    ratio_of_totals,
    standardised_risk,
)

SEED = 20240607
HORIZON = 182
FOUR_ERRORS = 4  # Monte-Carlo standard errors: less than one false alarm in ten thousand runs of another seed
A_TENTH = 0.10
SIX_POINTS = 0.06


def _trial(rng, treated: int, ratio: float = 1.0, rows: int = 3):
    """Rows of eight times as many people as are treated, chosen for their history; what they would have counted.

    Each person has a frailty, and each row a history, a month and a crisis of its own: variance over mean is some 4 to
    5. The treated are those with the worst history, up to chance, and keep each incident with probability `ratio`.
    """
    people = 8 * treated
    person, month = np.repeat(np.arange(people), rows), np.tile(np.arange(rows), people)
    history = np.log1p(rng.poisson(3 * rng.gamma(0.8, 1 / 0.8, people)[person] * rng.gamma(1.5, 1 / 1.5, len(person))))
    mean = 0.7 * np.exp(0.7 * history + 0.1 * month)
    frailty = rng.gamma(0.8, 1 / 0.8, people)[person] * rng.gamma(2, 0.5, len(person))
    worst = np.argsort(-history - rng.gumbel(0, 0.5, len(person)))
    _, first = np.unique(person[worst], return_index=True)
    chosen = np.isin(np.arange(len(person)), worst[np.sort(first)[:treated]])
    untreated = rng.poisson(mean * frailty)
    counts = np.where(chosen, rng.binomial(untreated, ratio), untreated)
    rows_given = {
        "counts": counts, "exposure_days": np.full(len(person), HORIZON), "factors": {"month": month},
        "columns": {"history": history, "selected": chosen}, "clusters": person, "treated": chosen,
    }  # fmt: skip
    return rows_given, mean, untreated[chosen].sum()


def _without_selected(rows):
    return rows | {"columns": {"history": rows["columns"]["history"]}}


def test_in_one_large_trial_the_planted_ratio_and_the_expected_count_are_found_and_the_crude_ones_are_not():
    rows, mean, _ = _trial(np.random.default_rng(SEED), 600, 0.7)
    found = quasi_poisson(**rows, of="selected")
    assert found.log_ratio == pytest.approx(np.log(0.7), abs=FOUR_ERRORS * found.standard_error)
    crude = quasi_poisson(**rows | {"columns": {"selected": rows["treated"]}}, of="selected")
    assert crude.rate_ratio.low > 1
    expected = expected_count(**_without_selected(rows))
    assert expected.total.value == pytest.approx(mean[rows["treated"]].sum(), rel=FOUR_ERRORS * expected.standard_error)
    assert rows["counts"][rows["treated"]].sum() < expected.total.low


def _events(rng, treated: int, effect: float, rows: int = 3):
    """Whether each row has the event, with its true chance with and without; frailty is part of the chance."""
    people = 6 * treated
    person = np.repeat(np.arange(people), rows)
    history = rng.normal(0, 1, len(person)) + 0.3 * rng.normal(0, 1, people)[person]
    chosen = rng.random(len(person)) < 1 / (1 + np.exp(2.9 - 0.8 * history))
    odds = -0.5 + 0.8 * history
    with_it, without = (1 / (1 + np.exp(-odds - shift)) for shift in (effect, 0.0))
    event = rng.random(len(person)) < np.where(chosen, with_it, without)
    columns = {"history": history, "selected": chosen}
    return {"event": event, "columns": columns, "clusters": person, "treated": chosen}, with_it, without


def test_in_one_large_trial_the_planted_risks_and_chances_of_treatment_are_found():
    rows, with_it, without = _events(np.random.default_rng(SEED), 2_000, -0.6)
    found, treated = standardised_risk(**rows, of="selected"), rows["treated"]
    for risk, truth in ((found.risk_with, with_it), (found.risk_without, without)):
        assert risk.value == pytest.approx(truth[treated].mean(), abs=2 * (risk.high - risk.value))
    assert found.difference.low < (with_it - without)[treated].mean() < found.difference.high
    chance = propensity(columns={"history": rows["columns"]["history"]}, treated=treated)
    assert chance.logit == pytest.approx(0.8 * rows["columns"]["history"] - 2.9, abs=0.25)


def _lives(rng, people: int, chance, dying: float, leaving: float):
    """Last day and what happened on it: the event, death or leaving, each with a constant daily chance."""
    event, death, gone = rng.geometric(chance, people), rng.geometric(dying, people), rng.geometric(leaving, people)
    days = np.minimum.reduce([event, death, gone, np.full(people, HORIZON)])
    return days, np.where(event == days, EVENT, np.where(death == days, DIED, CENSORED))


def _true_share(chance: float, dying: float) -> np.ndarray:
    """Share with the event by day; on a day with both, the event comes first."""
    days = np.arange(HORIZON + 1)
    both = 1 - (1 - chance) * (1 - dying)
    return chance / both * (1 - (1 - both) ** days)


def test_in_one_large_cohort_with_deaths_and_leavers_the_incidence_is_near_the_truth_and_leaving_out_the_dead_is_not():
    days, kind = _lives(np.random.default_rng(SEED), 4_000, 0.005, 0.004, 0.002)
    found = cumulative_incidence(days=days, kind=kind, clusters=np.arange(4_000), horizon_days=HORIZON)
    truth = _true_share(0.005, 0.004)[list(found.days)]
    assert np.abs(np.array(found.share) - truth).max() < 0.03  # 1.63 / sqrt(people) is Kolmogorov's 1 % bound
    as_if_leaving = np.where(kind == DIED, CENSORED, kind)
    wrong = cumulative_incidence(days=days, kind=as_if_leaving, clusters=np.arange(4_000), horizon_days=HORIZON)
    assert wrong.share[-1] > found.high[-1] + 0.05


@pytest.mark.slow
@pytest.mark.parametrize("people", [8, 12, 20, 40])
def test_in_tiny_groups_without_an_effect_a_rate_ratio_is_found_no_more_often_than_it_should(people):
    """Variance over mean of 4, three in the comparison for each; a Poisson interval would find 30 in a hundred."""
    rng = np.random.default_rng(SEED)
    found = []
    for _ in range(2_000):
        counts = rng.poisson(2.2 * rng.gamma(2.2 / 3, 3 / 2.2, 4 * people))
        treated = np.arange(4 * people) < people
        if counts[treated].any():
            fit = quasi_poisson(
                counts=counts, exposure_days=np.full(4 * people, HORIZON), columns={"selected": treated}, of="selected",
                clusters=np.arange(4 * people), treated=treated,
            )  # fmt: skip
            found.append(fit.p_value <= 0.05)
    assert 0.02 <= np.mean(found) <= 0.07


@pytest.mark.slow
@pytest.mark.parametrize(("treated", "drawn"), [(20, 1_000), (40, 1_000), (150, 500)])
@pytest.mark.parametrize("ratio", [1.0, 0.7])
def test_among_people_chosen_for_their_history_interval_and_error_of_the_ratio_are_right(treated, drawn, ratio):
    rng = np.random.default_rng(SEED + treated)
    logs, errors, right = [], [], 0
    for _ in range(drawn):
        found = quasi_poisson(**_trial(rng, treated, ratio)[0], of="selected")
        logs.append(found.log_ratio)
        errors.append(found.standard_error)
        right += found.rate_ratio.low <= ratio <= found.rate_ratio.high
    assert 0.925 <= right / drawn <= 0.975
    assert np.mean(logs) == pytest.approx(np.log(ratio), abs=max(0.03, 0.2 * np.std(logs)))
    assert 0.92 <= np.mean(errors) / np.std(logs) <= 1.12


@pytest.mark.slow
def test_the_error_of_the_ratio_is_that_of_drawing_the_people_again():
    """On each of 20 trials of 150 treated people, 999 times, within the treated and within the rest."""
    rng = np.random.default_rng(SEED)
    for _ in range(20):
        rows, *_ = _trial(rng, 150, 0.7, rows=2)
        found = quasi_poisson(**rows, of="selected")
        logs = [quasi_poisson(**_drawn_again(rng, rows), of="selected").log_ratio for _ in range(999)]
        assert found.standard_error == pytest.approx(np.std(logs, ddof=1), rel=A_TENTH)


def _drawn_again(rng, rows):
    """As many people with both their rows, under new names."""
    people = np.arange(rows["clusters"].max() + 1)
    ever = np.isin(people, rows["clusters"][rows["treated"]])
    drawn = np.concatenate([rng.choice(people[side], side.sum()) for side in (ever, ~ever)])
    order = np.concatenate([2 * drawn, 2 * drawn + 1])
    taken = {name: rows[name][order] for name in ("counts", "exposure_days", "treated")}
    columns, factors = ({name: column[order] for name, column in rows[part].items()} for part in ("columns", "factors"))
    return taken | {"columns": columns, "factors": factors, "clusters": np.tile(np.arange(len(drawn)), 2)}


@pytest.mark.slow
def test_two_right_estimates_of_one_ratio_are_seldom_said_to_disagree():
    """On all rows, and with overlap weights: of 400 trials of 150 treated people."""
    rng = np.random.default_rng(SEED)
    alike = 0
    for _ in range(400):
        rows, *_ = _trial(rng, 150)
        chance = 1 / (
            1 + np.exp(-propensity(columns=_without_selected(rows)["columns"], treated=rows["treated"]).logit)
        )
        weights = np.where(rows["treated"], 1 - chance, chance)
        alike += agree(quasi_poisson(**rows, of="selected"), quasi_poisson(**rows, of="selected", weights=weights))
    assert 0.92 <= alike / 400 <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("treated", [20, 40, 150])
def test_the_interval_of_the_expected_count_holds_what_would_have_been_counted(treated):
    """A little too often, as people who stand on both sides are taken to be two."""
    rng = np.random.default_rng(SEED)
    held, ratios = 0, []
    for _ in range(600):
        rows, mean, would_have = _trial(rng, treated, 0.7)
        found = expected_count(**_without_selected(rows))
        held += found.total.low <= would_have <= found.total.high
        ratios.append(found.total.value / mean[rows["treated"]].sum())
    assert 0.93 <= held / 600 <= 0.995
    assert np.mean(ratios) == pytest.approx(1, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("people", [12, 40])
def test_a_ratio_of_totals_covers_the_planted_one(people):
    rng = np.random.default_rng(SEED)
    right = 0
    for _ in range(2_000):
        own = 2 * rng.gamma(0.7, 1 / 0.7, people)
        before, after = 1 + rng.poisson(own * rng.gamma(1, 1, people)), rng.poisson(0.6 * (1 + own))
        if after.any():
            found = ratio_of_totals(after=after, before=before, clusters=np.arange(people)).ratio
            right += found.low <= 0.6 <= found.high
    assert 0.92 <= right / 2_000 <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(("treated", "effect"), [(40, 0.0), (40, -0.6), (150, -0.6)])
def test_intervals_of_standardised_risks_cover_the_planted_ones(treated, effect):
    rng = np.random.default_rng(SEED)
    right = np.zeros(3)
    for _ in range(1_000):
        rows, with_it, without = _events(rng, treated, effect)
        found = standardised_risk(**rows, of="selected")
        risk_1, risk_0 = with_it[rows["treated"]].mean(), without[rows["treated"]].mean()
        truths = ((found.difference, risk_1 - risk_0), (found.ratio, risk_1 / risk_0), (found.risk_without, risk_0))
        right += [interval.low <= truth <= interval.high for interval, truth in truths]
    assert (right / 1_000 >= 0.93).all()
    assert (right[:2] / 1_000 <= 0.98).all()


@pytest.mark.slow
@pytest.mark.parametrize(("people", "drawn"), [(40, 1_000), (150, 400)])
def test_intervals_of_incident_free_days_and_incidence_cover_the_truth_of_weighted_people_in_several_rows(
    people, drawn
):
    """Each comparison person stands in three rows and half of the rows in the weights of the other group."""
    rng = np.random.default_rng(SEED)
    share_1, share_0 = _true_share(0.004, 0.002), _true_share(0.006, 0.002)
    truth = share_0[:HORIZON].sum() - share_1[:HORIZON].sum()
    right = np.zeros(2)
    for _ in range(drawn):
        ones, others = _lives(rng, people, 0.004, 0.002, 0.002), _lives(rng, 2 * people, 0.006, 0.002, 0.002)
        days, kind = (np.append(one, np.repeat(other, 3)) for one, other in zip(ones, others, strict=True))
        clusters = np.append(np.arange(people), np.repeat(people + np.arange(2 * people), 3))
        weights = np.append(np.ones(people), rng.uniform(0.2, 1.8, 6 * people))
        treated = np.arange(7 * people) < people
        gap = incident_free_days_difference(
            days=days, kind=kind, treated=treated, clusters=clusters, weights=weights, horizon_days=HORIZON
        ).difference
        rest = {name: values[~treated] for name, values in (("days", days), ("kind", kind), ("clusters", clusters))}
        curve = cumulative_incidence(**rest, weights=weights[~treated], horizon_days=HORIZON)
        right += gap.low <= truth <= gap.high, curve.low[-1] <= share_0[-1] <= curve.high[-1]
    assert (right / drawn >= 0.93).all()
    assert (right / drawn <= 0.975).all()


@pytest.mark.slow
@pytest.mark.parametrize(("people", "reduction"), [(40, 0.5), (150, 0.3), (300, 0.3)])
def test_a_planted_reduction_is_shown_about_as_often_as_was_reckoned(people, reduction):
    """In two plain groups of variance over mean 4; the reckoning takes the variance of no reduction."""
    rng = np.random.default_rng(SEED)
    said = power_of_rate_reduction(
        reduction=reduction, people_1=people, effective_people_0=3 * people, mean_count=2.2, dispersion=4
    )
    shown, treated = 0, np.arange(4 * people) < people
    for _ in range(1_000):
        counts = rng.poisson(2.2 * rng.gamma(2.2 / 3, 3 / 2.2, 4 * people))
        counts = np.where(treated, rng.binomial(counts, 1 - reduction), counts)
        found = quasi_poisson(
            counts=counts, exposure_days=np.full(4 * people, HORIZON), columns={"selected": treated}, of="selected",
            clusters=np.arange(4 * people), treated=treated,
        )  # fmt: skip
        shown += found.rate_ratio.high < 1
    assert shown / 1_000 == pytest.approx(said, abs=SIX_POINTS)
