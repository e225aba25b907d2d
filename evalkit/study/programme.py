"""What a programme is and where it runs: the facts that stand before any question is asked."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from evalkit.errors import StudyError
from evalkit.study.reading import Settings, nearest, project_root, settings_of, validated

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=24)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=600)]
RESERVED_SLUGS = frozenset({"all"})


class Covariate(Settings):
    """One thing known about a person before the index date, by which the two sides are compared."""

    column: Annotated[str, StringConstraints(pattern=r"^x_[a-z0-9_]+$")]
    label: Words
    kind: Literal["number", "yes_no"]


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
    entry_routes: tuple[Words, ...]
    eligibility: tuple[Words, ...]
    index_event: Words = Field(description="What happens on the day on which the clock starts.")
    design: Literal["randomised"] = Field(description="How people came to be in the programme or the comparison.")
    source: Literal["ready_cohort"] = Field(description="The table that the cohort is built from.")
    event: Words = Field(description="The recorded event, as a noun: 're-arrest', 'domestic-abuse incident'.")
    covariates: tuple[Covariate, ...] = Field(min_length=1)
    notes: tuple[Words, ...] = ()

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
        programme = validated(cls, settings_of(path), path)
        if programme.slug != slug:
            raise StudyError(
                f"params/programmes/{slug}.yaml: its slug is '{programme.slug}' but the file says '{slug}'."
            )
        return programme


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
