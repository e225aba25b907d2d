"""What was asked and how it was set: the trial that would answer it, the score, every setting and source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from markupsafe import Markup

from evalkit.display import Table, card, table
from evalkit.study import Plan, RfgvSpec, Study, plan_of


def question(study: Study) -> Table:
    """The trial that would answer the question, beside what was done."""
    programme = study.programme
    done = _DONE[programme.design, programme.source](study)
    followed, outcome = _asked(study)
    rows = [
        ("People", programme.who_may_enter, done["people"]),
        ("What they had", programme.name, programme.name),
        ("Against", programme.comparator, done.get("against", programme.comparator)),
        ("Who got which", "by chance", done["assignment"]),
        ("Day on which the clock starts", programme.index_event, done["time_zero"]),
        ("That day for the comparison group", "the day on which chance decided", done["their_time_zero"]),
        ("Followed for", followed, done["follow_up"]),
        ("Outcome", outcome, done["outcome"]),
        ("Who is counted", "everybody as allocated", done["counted"]),
        ("What is set against what", "being allocated to it, and not being allocated to it", done["contrast"]),
    ]
    caption = "The question as a trial, and what was done"
    return table("question", caption, ("Part", "The trial that would answer it", "What was done"), rows)


def _asked(study: Study) -> tuple[str, str]:
    """How long people are followed and for what, of every primary outcome."""
    words = {"reoffending": study.programme.event, "abuse_types": "a high level of abuse", "score_decline": "the score"}
    what = {outcome.strand: words.get(outcome.strand, outcome.name.replace("_", " ")) for outcome in study.outcomes}
    days = {outcome.strand: study.horizon_of(outcome) for outcome in study.outcomes if outcome.planned == "primary"}
    named = len(days) > 1
    followed = (f"{number} days{f' ({what[strand]})' if named else ''}" for strand, number in days.items())
    return "; ".join(followed), "; ".join(what[strand] for strand in days)


def _by_chance(study: Study) -> dict[str, str]:
    programme = study.programme
    return {
        "people": f"{programme.people}, {study.area_label}, {study.period.label}",
        "assignment": "by chance (individual random allocation)",
        "time_zero": f"{programme.index_event} (index date), the same for both groups",
        "their_time_zero": f"{programme.index_event}, as for the programme group",
        "follow_up": _window(study),
        "outcome": f"first recorded {programme.event}",
        "counted": "everybody as allocated, whatever happened next (intention to treat)",
        "contrast": "the two groups as allocated",
    }


def _allocated(study: Study) -> dict[str, str]:
    return _by_chance(study) | {"follow_up": _followed(study), "outcome": _recorded(study)}


def _one_group(study: Study) -> dict[str, str]:
    programme = study.programme
    return {
        "people": f"everybody accepted: {programme.people}, {study.area_label}, {study.period.label}",
        "against": "nobody: no comparison was made",
        "assignment": "by referral, and by who was accepted and agreed to come",
        "time_zero": f"{programme.index_event} (index date)",
        "their_time_zero": (
            "there is no comparison group. What was to be expected is learnt from other people on record in these "
            "areas, on the first of each month on which they had not been accepted"
        ),
        "follow_up": _followed(study),
        "outcome": _recorded(study),
        "counted": "everybody accepted, whatever happened next",
        "contrast": (
            "one group before and after. No comparison was made, so each change stands beside what was to be expected "
            "without any programme"
        ),
    }


def _month_by_month(study: Study) -> dict[str, str]:
    programme, chosen = study.programme, study.programme.recorded
    return {
        "people": (
            f"the same, as the records told it on each run date; {study.area_label}, {study.period.label}. Not on the "
            f"caseload, not chosen or discharged in the {chosen.wash_out_days} days before, not in custody on each of "
            "the 30 days before"
        ),
        "assignment": (
            "by score and judgement, from the monthly list; what was on record of everybody before that date is "
            "adjusted for"
        ),
        "time_zero": f"{programme.index_event} (index date)",
        "their_time_zero": (
            "each run date on which they could have been chosen and were not. No later record of their own decides it, "
            "and they stay in the comparison when they are chosen later"
        ),
        "follow_up": _followed(study),
        "outcome": _recorded(study),
        "counted": "everybody chosen, and everybody who was not on the same dates, whatever happened next",
        "contrast": "being chosen now, and not being chosen now, for people like those who were",
    }


def _followed(study: Study) -> str:
    lag = study.programme.recorded.recording_lag_days
    return f"{_window(study)}; credited until {lag} days short of the extract"


def _recorded(study: Study) -> str:
    """Every primary outcome as it is read from records and assessments."""
    days = {outcome.strand: study.horizon_of(outcome) for outcome in study.outcomes if outcome.planned == "primary"}
    words = {
        "reoffending": f"recorded {study.programme.event}s, as on record at the last day of data",
        "abuse_types": "level of any abuse type, as judged nearest to day {}",
        "score_decline": "score on the run date nearest to day {}, as on record on it",
    }
    recorded = "as recorded on days 1 to {}"
    return "; ".join(words.get(strand, recorded).format(number) for strand, number in days.items())


_DONE = {
    ("randomised", "ready_cohort"): _by_chance,
    ("randomised", "episodes"): _allocated,
    ("sequential_trials", "police_records"): _month_by_month,
    ("single_group", "episodes"): _one_group,
}


def _window(study: Study) -> str:
    return f"day 1 to day {study.horizon_days} after the index date; the index day is not counted"


def score_definition(study: Study) -> Table:
    """How people were scored: what the letters mean, the bands and their weights; a card where nobody was scored.

    None of its features is called recency or frequency: readers use the two words in opposite ways.
    """
    chosen = study.programme.police
    if chosen is None:
        return card("score", "Nobody was chosen by a score in this programme.")
    spec = chosen.rfgv
    parts = [(f"{part.label} (weight {part.weight:g})", _bands(spec.bands[part.feature])) for part in spec.parts]
    listed = study.programme.design == "sequential_trials"
    used = "to choose from the monthly list" if listed else "to be read again later; nobody was chosen by it"
    also = [("Also read as", chosen.also_scored_by.glossary)] if chosen.also_scored_by else []
    who = ("Who may be chosen" if listed else "Who may enter", study.programme.who_may_enter)
    rows = [*_score_rows(spec), *also, ("Used", used), who, *parts]
    notes = ["Points of each part are multiplied by its weight and added up; the highest score is 100."]
    if spec.convention == "literal_note":
        notes.append(
            "Read in this way, an older incident can lower a score, and a score can rise without any new record."
        )
    return table("score", "How people were scored", ("", ""), rows, plain=True, notes=notes)


def _score_rows(spec: RfgvSpec) -> list[tuple[str, str]]:
    weights = PurePosixPath(spec.weights).stem.replace("_", " ")
    return [
        ("Score", f"{spec.name}, version {spec.version}; bands set by {spec.owner}"),
        ("What its letters mean", f"convention {spec.convention.replace('_', ' ')}: {spec.glossary}"),
        ("Looks back over", f"{spec.look_back_months} calendar months, on what was on record before the run date"),
        ("Harm weights", f"scale '{weights}'; a record that is no crime weighs {spec.non_crime_weight:g}"),
    ]


def _bands(bands: Sequence[Any]) -> str:
    closed = [f"up to {band.up_to:g}: {band.points:g}" for band in bands if band.up_to is not None]
    return "; ".join([*closed, f"above: {bands[-1].points:g}"]) + " points"


def made(chosen: Study) -> Table:
    """How the report was made: its sources, its deviations from the plan, and every setting, defaults included."""
    parts = [_sources(chosen), _deviations(chosen), study(chosen)]
    return Table(name="made", html="".join(part.html for part in parts))


def study(chosen: Study) -> Table:
    """Every setting of the study, defaults included, with its fingerprint."""
    rows = [
        (setting, Markup("<span data-setting>{}</span>").format(value)) for setting, value in _settings(chosen.choices)
    ]
    listed = table("settings", "Every setting of this report", ("Setting", "Value"), rows).html
    words = f"Fingerprint of these settings: {chosen.fingerprint[:12]}. {plan_words(plan_of(chosen))}"
    note = Markup('<p class="ek-note">{}</p>').format(words)
    html = f"<details><summary>Every setting, defaults included</summary>{listed}</details>{note}"
    return Table(name="settings", html=html)


def _deviations(chosen: Study) -> Table:
    plan = plan_of(chosen)
    rows = [(each.setting, each.planned, each.used) for each in plan.deviations]
    if not rows:
        rows = [("none" if plan.hash else "no plan was locked, so none can be listed", "[z]", "[z]")]
    return table("deviations", "Deviations from the plan", ("Setting", "As planned", "As used"), rows)


def _sources(chosen: Study) -> Table:
    from evalkit import __version__

    police = chosen.programme.police
    rows = [
        ("Data", _data(chosen)),
        ("Data up to", day(chosen.as_of)),
        *(_score_rows(police.rfgv) if police else ()),
        ("Funding, independence and access to the data", chosen.funding or "not stated in the suite"),
        ("Notes on the data", " ".join(chosen.programme.notes) or "none"),
        ("Made with", f"evalkit {__version__}"),
        ("To make it again", f"evalkit run {chosen.suite} --profile {chosen.profile}"),
        ("Symbols", "[c] withheld to protect people; [u] low reliability; [z] not applicable"),
    ]
    return table("sources", "Where it comes from", ("", ""), rows, plain=True)


def _data(chosen: Study) -> str:
    if chosen.made_up:
        world, seed = chosen.made_up.world.value, chosen.made_up.seed
        enough = "Of such data a locked plan is enough: grade and words are those of real data."
        return f"Made up by evalkit (world '{world}', seed {seed}). {enough}"
    already = " The data were public before the plan was locked." if chosen.protection == "open_data" else ""
    return f"{chosen.source or 'extracts of the partners named in the suite'}.{already}"


def _settings(content: Any, name: str = "") -> list[tuple[str, str]]:
    if isinstance(content, Mapping) and content:
        return [pair for key, value in content.items() for pair in _settings(value, f"{name}.{key}" if name else key)]
    if isinstance(content, list | tuple) and content:
        return [pair for place, value in enumerate(content, start=1) for pair in _settings(value, f"{name} {place}")]
    return [(name, "not set" if content in (None, [], {}, ()) else str(content))]


def plan_words(plan: Plan) -> str:
    """Whether the report was planned in advance, in a sentence."""
    before = f" Plans locked before were replaced: {', '.join(map(day, plan.earlier))}." if plan.earlier else ""
    when = f"Plan {plan.hash[:12]} locked on {day(plan.locked_on)}" if plan.hash and plan.locked_on else ""
    return {
        "locked": f"{when}; {'only wording was' if plan.deviations else 'nothing was'} changed since.",
        "locked_late": f"{when}, after the data were to hand: not planned in advance.",
        "changed_after_lock": f"{when}; what differs from it is listed under its deviations: not planned in advance.",
        "not_locked": "No plan was locked: not planned in advance.",
    }[plan.state] + before


def day(date: Any) -> str:
    """A date in words."""
    return f"{date.day} {date:%B %Y}"
