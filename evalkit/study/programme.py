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


class Covariate(Settings):
    """One thing known about a person before the index date, by which the two sides are compared."""

    column: Annotated[str, StringConstraints(pattern=r"^x_[a-z0-9_]+$")]
    label: Words
    kind: Literal["number", "yes_no"]


class Selection(Settings):
    """How people are chosen month by month, and what of the records counts for it."""

    rfgv: RfgvSpec = Field(description="The score; in a programme's file the name of a file in params/rfgv/.")
    wash_out_days: int = Field(
        default=365, ge=0, le=1830, description="Days after a selection or a discharge in which nobody is chosen again."
    )
    recording_lag_days: int = Field(
        default=28,
        ge=0,
        le=365,
        description="Days by which an incident is on record; follow-up is credited up to them.",
    )


TABLES: dict[str, tuple[str, ...]] = {
    "ready_cohort": ("ready_cohort",),
    "police_records": ("people", "person_links", "incidents", "selections", "episodes", "custody"),
}
"""The tables that a cohort is built from, by the source that a programme names."""


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
    design: Literal["randomised", "sequential_trials"] = Field(
        description="How people came to be in the programme or the comparison."
    )
    source: Literal["ready_cohort", "police_records"] = Field(description="What the cohort is built from.")
    event: Words = Field(description="The recorded event, as a noun: 're-arrest', 'domestic-abuse incident'.")
    covariates: tuple[Covariate, ...] = Field(default=(), description="Of a ready cohort: what was known before.")
    selection: Selection | None = Field(default=None, description="Of sequential trials: how people are chosen.")
    notes: tuple[Words, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Programme:
        design, source = _PARTS[self.design]
        if self.source != source:
            raise ValueError(f"design '{self.design}' is evaluated from source '{source}', not '{self.source}'.")
        for part in ("covariates", "selection"):
            if bool(getattr(self, part)) != (part == design):
                needed = "needs the setting" if part == design else "has no use for the setting"
                raise ValueError(f"design '{self.design}' {needed} '{part}'.")
        return self

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables of the extracts that its cohort is built from."""
        return TABLES[self.source]

    @property
    def chosen_by(self) -> Selection:
        """How people are chosen, of a design in which they are."""
        if self.selection is None:
            raise ValueError(f"{self.slug}: nobody is chosen month by month in the design '{self.design}'")
        return self.selection

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
        selection = content.get("selection")
        if isinstance(selection, dict) and isinstance(selection.get("rfgv"), str):
            spec = RfgvSpec.read(selection["rfgv"], root)
            content["selection"] = {**selection, "rfgv": spec.model_dump(mode="json")}
        programme = validated(cls, content, path)
        if programme.slug != slug:
            raise StudyError(
                f"params/programmes/{slug}.yaml: its slug is '{programme.slug}' but the file says '{slug}'."
            )
        return programme


_PARTS = {"randomised": ("covariates", "ready_cohort"), "sequential_trials": ("selection", "police_records")}


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
