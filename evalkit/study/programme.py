"""What a programme is and where it runs: the facts that stand before any question is asked."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from evalkit.errors import StudyError
from evalkit.study.reading import Settings, nearest, project_root, settings_of, validated
from evalkit.study.rfgv import RfgvSpec

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=24)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=600)]
RESERVED_SLUGS = frozenset({"all"})
Route = Literal[
    "rfgv", "marac", "demand_data", "police_scene", "partner_agency", "self", "family_or_friend", "court",
    "other_programme",
]  # fmt: skip
Reporter = Literal["victim", "idva", "practitioner", "client"]


class Covariate(Settings):
    """One thing known about a person before the index date, by which the two sides are compared."""

    column: Annotated[str, StringConstraints(pattern=r"^x_[a-z0-9_]+$")]
    label: Words
    kind: Literal["number", "yes_no"]


class Police(Settings):
    """How police records are read: what counts as an event, how people are scored, and what is known when."""

    rfgv: RfgvSpec = Field(description="The score; in a programme's file the name of a file in params/rfgv/.")
    also_scored_by: RfgvSpec | None = Field(
        default=None, description="Another reading of the score, set beside the first; likewise the name of a file."
    )
    list_route: Route = Field(default="rfgv", description="Of sequential trials: the route of the monthly list.")
    wash_out_days: int = Field(
        default=365, ge=0, le=1830, description="Days after a selection or a discharge in which nobody is chosen again."
    )
    recording_lag_days: int = Field(
        default=28,
        ge=0,
        le=365,
        description="Days by which an incident is on record; follow-up is credited up to them.",
    )


class Assessments(Settings):
    """How the abuse that victims live with is assessed, and when the answer is read."""

    reporters: tuple[Reporter, ...] = Field(min_length=1, description="Who judges, the one trusted most first.")
    assessment_day: int = Field(
        ge=28, le=1830, description="Day after the index date at which the sides are compared: planned length + 28."
    )
    tolerance_days: int = Field(default=42, ge=0, le=182, description="How far from it an assessment may lie.")

    @field_validator("reporters")
    @classmethod
    def _named_once(cls, reporters: tuple[Reporter, ...]) -> tuple[Reporter, ...]:
        if len(set(reporters)) != len(reporters):
            raise ValueError("a reporter is named twice.")
        return reporters


class Schedule(Settings):
    """How long the programme is and in which portions it comes, as far as its own documents say."""

    planned_days: int | None = Field(default=None, ge=1, le=3653, description="Planned length; none where open.")
    modules: int | None = Field(default=None, ge=1)
    group_sessions: int | None = Field(default=None, ge=1)
    one_to_one_sessions: int | None = Field(default=None, ge=1)
    most_in_a_group: int | None = Field(default=None, ge=2)
    words: Words


class Criterion(Settings):
    """One thing that must hold, or must not, of whoever enters; a referral says so in `criterion_<slug>`."""

    slug: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
    label: Words
    rule: Literal["must", "must_not"] = "must"


class Fact(Settings):
    """Something that the programme's own documents say, and which of them."""

    text: Words
    source: Words


TABLES: dict[str, tuple[str, ...]] = {
    "ready_cohort": ("ready_cohort",),
    "police_records": ("people", "person_links", "incidents", "selections", "episodes", "custody"),
    "episodes": ("people", "person_links", "incidents", "episodes", "custody"),
    "nothing": (),
}
"""The tables that a cohort is built from, by the source that a programme names."""
ASSESSED_IN = ("abuse_assessments", "risk_assessments", "victims")


class Programme(Settings):
    """What the programme is, who can enter, when the clock starts and how people came to be in it."""

    slug: Slug
    name: Words
    kind: Literal[
        "help_seeking", "early_response", "behaviour_change", "intensive_case_management", "tasking", "other"
    ] = Field(description="Programme types follow the Home Office's 2023 standards; tasking is a system.")
    description: Words
    people: Words = Field(description="Who the programme is for, as it reads after 'Among'.")
    comparator: Words = Field(description="What the comparison group had instead.")
    entry_routes: tuple[Route, ...]
    eligibility: tuple[Criterion, ...]
    index_event: Words = Field(description="What happens on the day on which the clock starts.")
    schedule: Schedule | None = None
    design: Literal["randomised", "sequential_trials", "single_group", "monitoring"] = Field(
        description="How people came to be in the programme or the comparison; monitoring compares nobody."
    )
    source: Literal["ready_cohort", "police_records", "episodes", "nothing"] = Field(
        description="What the cohort is built from."
    )
    event: Words = Field(description="The recorded event, as a noun: 're-arrest', 'domestic-abuse incident'.")
    covariates: tuple[Covariate, ...] = Field(default=(), description="Of a ready cohort: what was known before.")
    police: Police | None = Field(default=None, description="Of police records and episodes: how they are read.")
    assessments: Assessments | None = Field(default=None, description="How abuse is assessed, where it is.")
    also_sent: tuple[Literal["referrals", "sessions", "hearings"], ...] = Field(
        default=(), description="Tables that come with the others."
    )
    claims: tuple[Words, ...] = Field(
        default=(), description="Published figures about it: case_id in data_contracts/reference/published_claims.csv."
    )
    facts: tuple[Fact, ...] = ()
    notes: tuple[Words, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Programme:
        sources = _SOURCES[self.design]
        if self.source not in sources:
            named = " or ".join(f"'{source}'" for source in sources)
            raise ValueError(f"design '{self.design}' is evaluated from source {named}, not '{self.source}'.")
        for part, of in (("covariates", ("ready_cohort",)), ("police", ("police_records", "episodes"))):
            if bool(getattr(self, part)) != (self.source in of):
                needed = "needs the setting" if self.source in of else "has no use for the setting"
                raise ValueError(f"source '{self.source}' {needed} '{part}'.")
        if self.assessments and self.police is None:
            raise ValueError(f"source '{self.source}' has no use for the setting 'assessments'.")
        return self

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables of the extracts that it is evaluated from."""
        return (*TABLES[self.source], *(ASSESSED_IN if self.assessments else ()), *self.also_sent)

    @property
    def recorded(self) -> Police:
        """How police records are read, of a programme that is evaluated from them."""
        if self.police is None:
            raise ValueError(f"{self.slug}: source '{self.source}' holds no police records")
        return self.police

    @property
    def who_may_enter(self) -> str:
        """The criteria in words, on one line."""
        return "; ".join(f"{_NOT[item.rule]}{item.label}" for item in self.eligibility)

    @field_validator("covariates")
    @classmethod
    def _named_once(cls, covariates: tuple[Covariate, ...]) -> tuple[Covariate, ...]:
        columns = [covariate.column for covariate in covariates]
        if len(set(columns)) != len(columns):
            raise ValueError("a covariate is named twice.")
        return covariates

    @classmethod
    def read(cls, slug: str, root: Path) -> Programme:
        """The programme in `params/programmes/<slug>.yaml`."""
        path = root / "params" / "programmes" / f"{slug}.yaml"
        content = settings_of(path)
        police = content.get("police")
        if isinstance(police, dict):
            named = {name: police[name] for name in ("rfgv", "also_scored_by") if isinstance(police.get(name), str)}
            specs = {name: RfgvSpec.read(file, root).model_dump(mode="json") for name, file in named.items()}
            content["police"] = police | specs
        programme = validated(cls, content, path)
        if programme.slug != slug:
            raise StudyError(
                f"params/programmes/{slug}.yaml: its slug is '{programme.slug}' but the file says '{slug}'."
            )
        return programme


_SOURCES = {
    "randomised": ("ready_cohort", "episodes"),
    "sequential_trials": ("police_records",),
    "single_group": ("episodes",),
    "monitoring": ("nothing",),
}
_NOT = {"must": "", "must_not": "not: "}


class Area(Settings):
    """One area, the police force it belongs to, and the first day of each programme there."""

    slug: Slug
    label: Words
    force: Words
    programme_first_day: dict[Slug, date] = Field(default_factory=dict)

    @field_validator("slug")
    @classmethod
    def _not_reserved(cls, slug: str) -> str:
        if slug in RESERVED_SLUGS:
            raise ValueError(f"'{slug}' is kept for all areas together; choose another slug.")
        return slug


class Areas(Settings):
    """Every area that a suite may name: `params/areas.yaml`."""

    areas: tuple[Area, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _slugs_once(self) -> Areas:
        slugs = [area.slug for area in self.areas]
        repeated = sorted({slug for slug in slugs if slugs.count(slug) > 1})
        if repeated:
            raise ValueError(f"areas listed more than once: {', '.join(repeated)}.")
        return self

    @classmethod
    def read(cls, root: Path | None = None) -> Areas:
        """The areas of the project."""
        path = (root or project_root()) / "params" / "areas.yaml"
        return validated(cls, settings_of(path), path)

    def of(self, slug: str) -> Area:
        """The area with this slug."""
        for area in self.areas:
            if area.slug == slug:
                return area
        raise StudyError(f"params/areas.yaml: there is no area called '{slug}'. {nearest(slug, self.slugs)}")

    @property
    def slugs(self) -> tuple[str, ...]:
        """The slugs of all areas."""
        return tuple(area.slug for area in self.areas)
