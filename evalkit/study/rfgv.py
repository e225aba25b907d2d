"""How people are scored and who may be listed: the RFGV score, every band and weight of it a setting."""

from __future__ import annotations

import calendar
import hashlib
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from evalkit.errors import StudyError
from evalkit.study.reading import Settings, settings_of, shown, validated

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=24)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=600)]
Points = Annotated[float, Field(ge=0, le=25)]
Feature = Literal["n_incidents", "mean_gap_days", "days_since_last", "gravity", "n_victims"]
Gathered = Literal["largest", "sum"]

FEATURES: dict[str, str] = {
    "n_incidents": "number of events",
    "mean_gap_days": "mean days between events",
    "days_since_last": "days since the last event",
    "gravity": "harm weight of the events",
    "n_victims": "number of different victims",
}
"""What each feature measures. None is called recency or frequency: readers use the two words in opposite ways."""

CONVENTIONS: dict[str, dict[str, Feature]] = {
    "conventional": {"R": "days_since_last", "F": "n_incidents", "G": "gravity", "V": "n_victims"},
    "literal_note": {"R": "n_incidents", "F": "mean_gap_days", "G": "gravity", "V": "n_victims"},
}
"""The feature behind each letter: as the letters are used elsewhere, and as one note on the score glosses them."""


class Band(Settings):
    """Points for a value that is above the band before and at most `up_to`; the last band is open."""

    up_to: float | None = Field(default=None, ge=0)
    points: Points


class Part(Settings):
    """One part of the score: a feature, the letter or word that readers know it by, and its weight."""

    feature: Feature
    label: Words
    weight: float = Field(default=1.0, ge=0, le=4)


class PartWeights(Settings):
    """What each part of the two named conventions counts for; together 4."""

    R: float = Field(default=1.0, ge=0, le=4)
    F: float = Field(default=1.0, ge=0, le=4)
    G: float = Field(default=1.0, ge=0, le=4)
    V: float = Field(default=1.0, ge=0, le=4)


class Eligibility(Settings):
    """Who may be listed; everybody is scored."""

    youngest_age: int = Field(default=16, ge=10, le=99)
    fewest_incidents: int = Field(default=2, ge=0)
    fewest_victims: int = Field(default=2, ge=0)


class RfgvSpec(Settings):
    """One way to score: what is counted over which months, the bands, their weights and the harm weights.

    Points come from bands of five neutral features; `convention` says which of them are the four parts of the score,
    each with 25 points at most. `weights_sha256` is the hash of the file of harm weights, taken when the settings are
    read, so that a study that holds them is complete.
    """

    slug: Slug
    name: Words
    owner: Words = Field(description="Who set the bands and answers for them.")
    version: Words
    convention: Literal["conventional", "literal_note", "custom"] = "conventional"
    part_weights: PartWeights = Field(default=PartWeights(), description="Of the two named conventions.")
    custom: tuple[Part, ...] = Field(default=(), description="The parts of convention 'custom', and of no other.")
    bands: dict[Feature, tuple[Band, ...]]
    look_back_months: int = Field(default=24, ge=1, le=120)
    gravity_of_incident: Gathered = Field(default="largest", description="Of its records.")
    gravity_of_event: Gathered = Field(default="largest", description="Of its incidents.")
    gravity_over_window: Gathered = Field(default="sum", description="Of a person's events.")
    non_crime_weight: float = Field(default=0.5, ge=0, description="Harm weight of a record that is no crime.")
    counts_non_crime: bool = Field(default=True, description="Whether a record that is no crime makes an incident.")
    weights: Words = Field(description="The file of harm weights, below the project's folder.")
    weights_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    eligibility: Eligibility = Eligibility()
    most_unmapped: float = Field(
        default=0.005, ge=0, le=1, description="Share of events with a crime that has no harm weight, at most."
    )

    @field_validator("bands")
    @classmethod
    def _rising(cls, bands: dict[str, tuple[Band, ...]]) -> dict[str, tuple[Band, ...]]:
        for feature, steps in bands.items():
            edges = [band.up_to for band in steps[:-1]]
            known = [edge for edge in edges if edge is not None]
            if not steps or len(known) < len(edges) or sorted(set(known)) != edges or steps[-1].up_to is not None:
                raise ValueError(
                    f"{feature}: every band but the last needs an 'up_to' above the one before; the last has none."
                )
        return bands

    @field_validator("non_crime_weight")
    @classmethod
    def _exact(cls, weight: float) -> float:
        if round(weight, 4) != weight:
            raise ValueError("a harm weight has at most four decimals.")
        return weight

    @model_validator(mode="after")
    def _whole(self) -> RfgvSpec:
        if (self.convention == "custom") != bool(self.custom):
            raise ValueError("custom: the list of parts belongs to convention 'custom', and to no other.")
        if abs(sum(part.weight for part in self.parts) - 4) > 1e-9:
            raise ValueError("the weights of the parts must sum to 4, so that the highest score is 100.")
        missing = sorted({part.feature for part in self.parts} - set(self.bands))
        if missing:
            raise ValueError(f"bands: there are none for {', '.join(missing)}.")
        if PurePosixPath(self.weights).is_absolute() or ".." in PurePosixPath(self.weights).parts:
            raise ValueError("weights: must be a file below the project's folder.")
        return self

    @property
    def parts(self) -> tuple[Part, ...]:
        """The four parts of the score, or those of a custom one, in their order."""
        if self.convention == "custom":
            return self.custom
        weights = self.part_weights.model_dump()
        named = CONVENTIONS[self.convention].items()
        return tuple(Part(feature=feature, label=label, weight=weights[label]) for label, feature in named)

    @property
    def glossary(self) -> str:
        """What the letters mean here, in one line."""
        return "; ".join(f"{part.label} = {FEATURES[part.feature]}" for part in self.parts)

    def opens(self, run_date: date) -> date:
        """The first day of the look-back: so many calendar months before, or the last day of a shorter month."""
        months = run_date.year * 12 + run_date.month - 1 - self.look_back_months
        year, month = divmod(months, 12)
        return date(year, month + 1, min(run_date.day, calendar.monthrange(year, month + 1)[1]))

    @classmethod
    def read(cls, slug: str, root: Path) -> RfgvSpec:
        """The settings in `params/rfgv/<slug>.yaml`, with the hash of their file of harm weights."""
        path = root / "params" / "rfgv" / f"{slug}.yaml"
        spec = cls.at(path, root)
        if spec.slug != slug:
            raise StudyError(f"{shown(path)}: its slug is '{spec.slug}' but the file says '{slug}'.")
        return spec

    @classmethod
    def at(cls, path: Path, root: Path) -> RfgvSpec:
        """The settings in this file, with the hash of their file of harm weights."""
        spec = validated(cls, settings_of(path), path)
        return spec.weighing_by(spec.weights, root)

    def weighing_by(self, weights: str, root: Path) -> RfgvSpec:
        """The same with this file of harm weights; a `StudyError` where it is not the one whose hash is stated."""
        file = root / weights
        if not file.is_file():
            raise StudyError(f"{weights}: there is no such file of harm weights. Name one below the project's folder.")
        found = hashlib.sha256(file.read_bytes()).hexdigest()
        if weights == self.weights and self.weights_sha256 not in (None, found):
            raise StudyError(
                f"{weights}: is not the file of harm weights that was stated (another SHA-256). Use that file, or "
                "change the statement and say why: scores by different weights cannot be compared."
            )
        return self.model_copy(update={"weights": weights, "weights_sha256": found})
