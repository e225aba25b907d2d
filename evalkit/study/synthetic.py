"""Settings of made-up police data: which world, how large, and what the programme changes in it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import Field, field_validator

from evalkit.study.programme import RESERVED_SLUGS, Slug
from evalkit.study.reading import Settings, validated

LOOK_BACK_MONTHS = 24
PEOPLE_A_SELECTION, FEWEST_PEOPLE = 30, 400


class World(StrEnum):
    """How people offend in the made-up world."""

    bursty = "bursty"


class Shape(StrEnum):
    """How people come into the made-up programme."""

    tasking = "tasking"
    allocation = "allocation"
    group = "group"


SHAPES = {"sequential_trials": Shape.tasking, "randomised": Shape.allocation, "single_group": Shape.group}
"""The shape of the made-up data that a programme is evaluated from, by its design."""


class MadeUpAssessments(Settings):
    """Made-up assessments of abuse by several reporters; with `effect_sd` 0 the programme changes nothing in them."""

    effect_sd: float = Field(default=0.0, ge=-2, le=2, description="Shift of severity by the programme, in its SD.")
    intake_window_days: int = Field(default=91, ge=7, le=365, description="Days that an intake looks back over.")
    later_window_days: int = Field(
        default=91, ge=7, le=365, description="Days that a later assessment looks back over."
    )
    missing_exit: float = Field(
        default=0.15, ge=0, le=0.9, description="Share of exits not assessed, more often where abuse is worse."
    )


class SyntheticArea(Settings):
    """One made-up area: how many people the police know there, and how many of them are chosen."""

    selected_a_year: int = Field(
        ge=1, le=400, description="People taken on in a year: from the monthly list, by allocation, or into a group."
    )
    people: int | None = Field(
        default=None, ge=50, le=100_000, description="People who may cause harm; 30 for each one chosen a year, or 400."
    )
    starts_after_months: int = Field(
        default=0, ge=0, le=24, description="Months from the first run date to the area's own first list."
    )

    @property
    def number_of_people(self) -> int:
        """How many people are made up: as set, else 30 for each one chosen in a year and at least 400."""
        return self.people or max(FEWEST_PEOPLE, PEOPLE_A_SELECTION * self.selected_a_year)


class Synthetic(Settings):
    """Made-up people, records, lists and episodes of one programme, with a truth that is known.

    With `effect` 1 and `enforcement` 1 nothing works: whoever is chosen offends and goes to custody as if not chosen.
    """

    seed: int = Field(ge=0, le=2**32 - 1, description="The same seed and settings make the same bytes.")
    world: World = Field(default=World.bursty, description="How people offend; bursty: in crises that pass.")
    effect: float = Field(
        default=1.0, ge=0.05, le=1.0, description="Share of events after a selection that happen; 1 = no effect."
    )
    programme: Slug = Field(default="matac", description="The programme that people are chosen for.")
    shape: Shape = Field(
        default=Shape.tasking,
        description="How people come in: tasking, from a monthly list by score; allocation, by chance among cases of a "
        "MARAC; group, by referral into groups.",
    )
    planned_days: int = Field(
        default=304, ge=28, le=730, description="Of allocation and groups: how long the programme is planned to last."
    )
    assessments: MadeUpAssessments | None = Field(default=None, description="Assessments of abuse; none unless set.")
    overrides: float = Field(
        default=0.0, ge=0, le=0.5, description="Of allocation: share put into the programme whatever chance said."
    )
    areas: dict[Slug, SyntheticArea] = Field(min_length=1, max_length=60, description="Each area by its slug.")
    first_run_date: date = Field(description="The first of the month in which the first list is made.")
    enrolment_months: int = Field(default=24, ge=1, le=60, description="Months in which lists are made.")
    follow_up_months: int = Field(default=24, ge=1, le=60, description="Months after those, up to the extract.")
    judgement_sd: float = Field(
        default=4.0, ge=0.1, le=50, description="Points by which practitioners depart from the score (Gumbel scale)."
    )
    enforcement: float = Field(
        default=1.0, ge=1.0, le=4.0, description="Factor on custody after a serious event of somebody chosen; 1 = none."
    )
    partner_referred: float = Field(
        default=0.05, ge=0, le=1, description="People taken on from partner agencies, for each one chosen from a list."
    )
    recording_change_on: date | None = Field(
        default=None, description="A day from which 7 in 100 fewer incidents happen to be recorded; none unless set."
    )

    @field_validator("areas")
    @classmethod
    def _not_reserved(cls, areas: dict[str, SyntheticArea]) -> dict[str, SyntheticArea]:
        if slug := ", ".join(RESERVED_SLUGS & areas.keys()):
            raise ValueError(f"'{slug}' is kept for all areas together; choose another slug.")
        return areas

    @field_validator("first_run_date")
    @classmethod
    def _first_of_a_month(cls, day: date) -> date:
        if day.day != 1 or not 1990 <= day.year <= 2080:
            raise ValueError(f"'{day}' must be the first of a month between 1990 and 2080.")
        return day

    @classmethod
    def sized(cls, *, areas: int, people: int | None, months: int, **more: object) -> Synthetic:
        """So many made-up areas, unlike in places a month (1 to 5) and in when they begin (0 to 9 months on).

        `people` are shared out evenly; `months` are those of enrolment. A `StudyError` names what cannot be made.
        """
        shares = [None if people is None else people // areas + (place < people % areas) for place in range(areas)]
        made = {
            f"area-{place + 1}": {
                "selected_a_year": 12 * (1 + (2 + 2 * place) % 5),
                "people": share,
                "starts_after_months": min(7 * place % 10, months - 1),
            }
            for place, share in enumerate(shares)
        }
        content = {"areas": made, "enrolment_months": months, "first_run_date": date(2022, 4, 1), **more}
        return validated(cls, content, "the made-up data")

    @property
    def months(self) -> tuple[date, ...]:
        """The run dates: the first of each month of enrolment."""
        return tuple(self._month(number) for number in range(self.enrolment_months))

    @property
    def first_record_date(self) -> date:
        """The first day of which records are written: 24 months before the first list."""
        return self._month(-LOOK_BACK_MONTHS)

    @property
    def extract_date(self) -> date:
        """The first day that the extracts do not include."""
        return self._month(self.enrolment_months + self.follow_up_months)

    def _month(self, number: int) -> date:
        months = 12 * self.first_run_date.year + self.first_run_date.month - 1 + number
        return date(months // 12, months % 12 + 1, 1)
