"""The analysis plan of a set of reports, and the studies that it expands into."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PrivateAttr, Tag, model_validator

from evalkit.errors import StudyError
from evalkit.study.programme import Area, Areas, Programme, Slug, Words
from evalkit.study.reading import Settings, fingerprint_of, located, nearest, project_root, settings_of, validated
from evalkit.study.synthetic import SHAPES, Synthetic

ALL_AREAS = ALL_PERIODS = "all"
LONGEST_PATH = 200  # characters below outputs/: Windows stops at 260, and its users' folders need the rest
LONGEST_FILE = "manifest-sha256.txt" + 14 * "x"  # while it is being written a file's name is longer
NOT_PART_OF_THE_PLAN = frozenset({"as_of", "data"})  # a later edition of the same plan reads later data
DAYS_MOST = 3653

Horizon = Annotated[int, Field(ge=1, le=DAYS_MOST)]


NotebookName = Annotated[str, Field(pattern=r"^[a-z_]+$", max_length=24)]


class FundingPeriod(Settings):
    """A span of entry dates; both days belong to it."""

    name: Slug
    label: Words
    first_day: date
    last_day: date

    @model_validator(mode="after")
    def _in_order(self) -> FundingPeriod:
        if self.last_day < self.first_day:
            raise ValueError(f"the period '{self.name}' ends before it begins.")
        return self


STRANDS: dict[str, tuple[str, ...]] = {
    "reoffending": ("event_count", "any_event", "time_to_event"),
    "abuse_types": ("high_abuse", "level_change"),
    "score_decline": ("mean_score", "lower_score", "after_discharge"),
}
"""The outcomes of each strand, a module of `evalkit.outcomes`; the first is the one that may be primary."""


class Outcome(Settings):
    """One outcome of the plan: which strand counts it, over how many days, and how much hangs on it."""

    strand: str = Field(json_schema_extra={"enum": list(STRANDS)})
    name: str = Field(json_schema_extra={"enum": [name for names in STRANDS.values() for name in names]})
    planned: Literal["primary", "secondary", "exploratory"]
    horizon_days: Horizon | None = Field(
        default=None,
        description="Where it differs from what is usual: of reoffending the suite's horizon, of a score 304 days "
        "after index or 182 after discharge. Abuse is assessed when the programme's file says.",
    )

    @model_validator(mode="after")
    def _of_its_strand(self) -> Outcome:
        if self.strand not in STRANDS:
            raise ValueError(f"there is no strand called '{self.strand}'. {nearest(self.strand, STRANDS)}")
        names = STRANDS[self.strand]
        if self.name not in names:
            raise ValueError(f"strand '{self.strand}' has no outcome called '{self.name}'. {nearest(self.name, names)}")
        if self.strand == "abuse_types" and self.horizon_days:
            raise ValueError("horizon_days: when abuse is assessed is set in the programme's file (assessment_day).")
        return self


SCORE_DAYS, AFTER_DISCHARGE_DAYS = 304, 182


def outcomes_of(programme: Programme) -> dict[str, tuple[str, ...]]:
    """The outcomes that can be asked of a programme, by strand; the first of each may be primary.

    An extract of a trial made elsewhere holds first events alone. Of a programme that is only monitored none is asked.
    """
    if programme.source == "ready_cohort":
        return {"reoffending": ("any_event", "time_to_event")}
    return STRANDS if programme.police else {}


class MadeUp(Settings):
    """Data that are made up on the spot, with a truth that is known."""

    synthetic: Synthetic


def _form_of(data: Any) -> str | None:
    """Which form of the setting `data` was meant, so that only the mistakes of that form are told."""
    if isinstance(data, str):
        return "(folder)"
    return "(made up)" if isinstance(data, dict | MadeUp) else None


Data = Annotated[
    Annotated[Words, Tag("(folder)")] | Annotated[MadeUp, Tag("(made up)")],
    Discriminator(
        _form_of,
        custom_error_type="neither_form",
        custom_error_message="Must be a folder, or 'synthetic' with its settings",
    ),
]


class Choices(Settings):
    """Every choice that a suite and its studies share; whoever changes one changes the fingerprint."""

    title: Words
    question: Words = Field(description="What the report is to answer, in one sentence.")
    as_of: date = Field(description="The last day of data included; it names the edition.")
    data: Data = Field(
        description="The folder of extracts, below the project's folder, or the settings of made-up data."
    )
    horizon_days: Horizon = Field(description="Days after the index date; the index day itself is in no window.")
    outcomes: tuple[Outcome, ...] = Field(min_length=1)
    protection: Literal["standard", "open_data"] = "standard"
    source: Words | None = Field(default=None, description="Where openly published data were published.")
    funding: Words | None = Field(
        default=None, description="Who paid for the evaluation, and who had access to the data."
    )
    level: float = Field(default=0.95, ge=0.8, le=0.999, description="Coverage of every interval.")

    @model_validator(mode="after")
    def _consistent(self) -> Choices:
        if self.protection == "open_data" and not self.source:
            raise ValueError("protection 'open_data' needs the setting 'source': where the data were published.")
        entries = [(outcome.strand, outcome.name, self.horizon_of(outcome)) for outcome in self.outcomes]
        if len(set(entries)) != len(entries):
            raise ValueError("outcomes: one outcome stands twice with one horizon.")
        primary = [outcome for outcome in self.outcomes if outcome.planned == "primary"]
        if any(outcome.name == "time_to_event" for outcome in primary):
            raise ValueError("outcomes: a time to the first event describes and cannot be primary.")
        counted = [outcome for outcome in primary if outcome.strand == "reoffending"]
        if any(self.horizon_of(outcome) != self.horizon_days for outcome in counted):
            raise ValueError("outcomes: a primary outcome is counted over horizon_days; give others their own horizon.")
        if [outcome.name for outcome in self.outcomes].count("time_to_event") > 1:
            raise ValueError("outcomes: the time to the first event is asked for once, over its longest horizon.")
        if isinstance(self.data, str) and (Path(self.data).is_absolute() or ".." in Path(self.data).parts):
            raise ValueError("data: must be a folder below the project's folder, as it stands in every report.")
        if not primary:
            raise ValueError(
                "outcomes: none is planned as 'primary'; say before the data which one answers the question."
            )
        return self

    def horizon_of(self, outcome: Outcome) -> int:
        """The horizon of this outcome in days: after the index date, or after discharge where it says so."""
        if outcome.strand == "score_decline":
            usual = AFTER_DISCHARGE_DAYS if outcome.name == "after_discharge" else SCORE_DAYS
            return outcome.horizon_days or usual
        return outcome.horizon_days or self.horizon_days

    def planned_of(self, strand: str) -> tuple[Outcome, ...]:
        """What the plan asks of one strand, in its order."""
        return tuple(outcome for outcome in self.outcomes if outcome.strand == strand)

    @property
    def extract_date(self) -> date:
        """The first day that is not included: the day after `as_of`."""
        return self.as_of + timedelta(days=1)

    @property
    def made_up(self) -> Synthetic | None:
        """The settings of made-up data; None where the data are real."""
        return self.data.synthetic if isinstance(self.data, MadeUp) else None

    @property
    def is_made_up(self) -> bool:
        """Whether the data are made up, so that nobody stands behind them."""
        return self.made_up is not None

    _root: Path = PrivateAttr(default_factory=Path.cwd)

    @property
    def root(self) -> Path:
        """The project's folder, which relative paths start from."""
        return self._root


class Study(Choices):
    """One programme x area (or all areas) x funding period, and every choice made before the data were seen.

    A file of it is complete: nothing is looked up elsewhere. `fingerprint` is SHA-256 over its canonical content;
    `profile` says who the report is for and is no part of it. A study of the whole programme (`periods` set) computes
    nothing of its own: it speaks of the results of its `parts`.
    """

    suite: Slug
    programme: Programme
    area: Slug = Field(description="A slug of params/areas.yaml, or 'all'.")
    areas: tuple[Area, ...] = Field(min_length=1, description="The areas whose people are counted.")
    period: FundingPeriod
    periods: tuple[FundingPeriod, ...] = Field(default=(), description="Of a whole programme: its funding periods.")
    profile: Literal["public", "internal"] = "internal"

    @model_validator(mode="after")
    def _area_listed(self) -> Study:
        if self.area != ALL_AREAS and [area.slug for area in self.areas] != [self.area]:
            raise ValueError(f"area is '{self.area}', so 'areas' must list that one area and no other.")
        return self

    @classmethod
    def read(cls, file: str | Path) -> Study:
        """The study in a file; a relative name is looked for here and in the nearest folder above that holds `params/`.

        A declared `fingerprint` must be that of the settings found, so that no page can carry another plan's name.
        """
        path = located(file)
        content = settings_of(path)
        is_declared, declared = "fingerprint" in content, content.pop("fingerprint", None)
        study = validated(cls, content, path)
        study._root = project_root(path.parent)
        if is_declared and declared != study.fingerprint:
            raise StudyError(
                f"{path.name}: its settings were changed after it was written (the fingerprint no longer fits). To "
                "look around, take out the line 'fingerprint': what you find is then marked as not planned. To change "
                "the plan itself, change the suite and lock it again."
            )
        return study

    def horizon_of(self, outcome: Outcome) -> int:
        """The horizon of this outcome in days; of abuse the day on which the programme's sides are compared."""
        assessments = self.programme.assessments
        if outcome.strand == "abuse_types" and assessments:
            return assessments.assessment_day
        return super().horizon_of(outcome)

    @property
    def longest_horizon_days(self) -> int:
        """The horizon of the recorded event that is followed longest, or the suite's where none is counted."""
        return max([self.horizon_days, *(self.horizon_of(outcome) for outcome in self.planned_of("reoffending"))])

    @property
    def parts(self) -> tuple[Study, ...]:
        """The studies whose results a study of the whole programme may speak of; of any other study itself alone."""
        if not self.periods:
            return (self,)
        return tuple(
            self._with(period=period, periods=(), area=area, areas=areas)
            for period in self.periods
            for area, areas in _places(self.areas)
        )

    def _with(self, **changes: Any) -> Study:
        study = self.model_copy(update=changes)
        study._root = self._root
        return study

    @property
    def choices(self) -> dict[str, Any]:
        """Every choice as plain JSON values."""
        return self.model_dump(mode="json", exclude={"profile"})

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the choices, in hex."""
        return fingerprint_of(self.choices)

    @property
    def area_label(self) -> str:
        """The area in words."""
        if self.area != ALL_AREAS:
            return self.areas[0].label
        return self.areas[0].label if len(self.areas) == 1 else f"All {len(self.areas)} areas"

    def exploring(self, **changes: object) -> Study:
        """The same study with other choices: a new fingerprint, and findings that are marked as not planned."""
        study = validated(Study, {**self.model_dump(mode="json"), **changes}, "the study you are exploring")
        study._root = self._root
        return study

    def for_profile(self, profile: Literal["public", "internal"]) -> Study:
        """The same study for another kind of reader."""
        return self._with(profile=profile)


class Suite(Choices):
    """Programmes x areas x funding periods x notebooks: the analysis plan, in `params/suites/<slug>.yaml`."""

    slug: Slug
    programmes: tuple[Slug, ...] = Field(min_length=1)
    areas: tuple[Slug, ...] = Field(min_length=1)
    funding_periods: tuple[FundingPeriod, ...] = Field(min_length=1)
    notebooks: tuple[NotebookName, ...] = Field(default=("evaluation",), min_length=1)
    area_notebooks: tuple[NotebookName, ...] | None = Field(
        default=None, description="Of these, the reports of each area alone; all of them unless set."
    )

    _profiles: tuple[Programme, ...] = PrivateAttr(default=())
    _places: tuple[Area, ...] = PrivateAttr(default=())

    @model_validator(mode="after")
    def _named_once(self) -> Suite:
        periods = tuple(period.name for period in self.funding_periods)
        listed = {"programmes": self.programmes, "areas": self.areas, "notebooks": self.notebooks}
        for setting, names in {**listed, "funding_periods": periods}.items():
            if len(set(names)) != len(names):
                raise ValueError(f"{setting}: one name stands twice.")
        if ALL_PERIODS in periods:
            raise ValueError(f"funding_periods: '{ALL_PERIODS}' is kept for all of them together; choose another name.")
        more = sorted(set(self.area_notebooks or ()) - set(self.notebooks))
        if more:
            raise ValueError(f"area_notebooks: {', '.join(more)} must stand in 'notebooks' too.")
        if "report" in self.notebooks:
            raise ValueError("notebooks: 'report' is the page of the evaluation; give the notebook another name.")
        return self

    @classmethod
    def read(cls, name: str | Path) -> Suite:
        """The suite with this slug in `params/suites/`, or in this file, with everything that it names looked up."""
        path = _suite_file(name)
        suite = validated(cls, settings_of(path), path)
        if suite.slug != path.stem:
            raise StudyError(f"{path.name}: its slug is '{suite.slug}'; a suite's slug is the name of its file.")
        return suite.resolved(project_root(path.parent))

    def resolved(self, root: Path) -> Suite:
        """The suite with its programmes and areas looked up, and with what cannot be named together at once."""
        self._root = root
        problems = list(self._unknown(root))
        if not problems:
            self._profiles = tuple(Programme.read(slug, root) for slug in self.programmes)
            self._places = tuple(Areas.read(root).of(slug) for slug in self.areas)
            problems = list(self._inconsistent())
        if problems:
            raise StudyError("\n".join(f"params/suites/{self.slug}.yaml: {problem}" for problem in problems))
        return self

    def _unknown(self, root: Path) -> list[str]:
        known = {
            "programmes": ("programme", [path.stem for path in (root / "params" / "programmes").glob("*.yaml")]),
            "areas": ("area", list(Areas.read(root).slugs)),
            "notebooks": ("report notebook", [path.stem for path in (root / "notebooks" / "reports").glob("*.ipynb")]),
        }
        absent = isinstance(self.data, str) and not (root / self.data).is_dir()
        return [f"data: there is no folder '{self.data}' in the project's folder."] * absent + [
            f"{setting}: there is no {noun} called '{name}'. {nearest(name, names)}"
            for setting, (noun, names) in known.items()
            for name in getattr(self, setting)
            if name not in names
        ]

    def _inconsistent(self) -> list[str]:
        late = [
            f"funding_periods: '{period.name}' begins on {period.first_day}, after the last day of data "
            f"(as_of {self.as_of}). Choose a later as_of or leave the period out."
            for period in self.funding_periods
            if period.first_day > self.as_of
        ]
        absent = [
            f"areas: {programme.name} has no first day in '{area.slug}' (params/areas.yaml, programme_first_day)."
            for programme, area in itertools.product(self._profiles, self._places)
            if programme.slug not in area.programme_first_day
        ]
        before = [
            f"funding_periods: '{period.name}' ends before {programme.name} began in '{area.slug}'."
            for programme, area, period in itertools.product(self._profiles, self._places, self.funding_periods)
            if area.programme_first_day.get(programme.slug, date.min) > period.last_day
        ]
        not_estimated = [
            f"outcomes: '{outcome.name}' cannot be {'primary' if outcome.name in names else 'asked'} of "
            f"{programme.name} ({programme.design})."
            for programme, outcome in itertools.product(self._profiles, self.outcomes)
            for names in (outcomes_of(programme).get(outcome.strand, ()),)
            if outcome.name not in names or (outcome.planned == "primary" and outcome.name != names[0])
        ]
        long = [
            f"the path '{path}' is longer than {LONGEST_PATH} characters; choose shorter slugs."
            for path in self._paths()
            if len(path) > LONGEST_PATH
        ]
        return late + absent + before + list(self._not_made_up()) + not_estimated + long

    def _not_made_up(self) -> Iterator[str]:
        """What the plan needs and the settings of made-up data do not make."""
        made = self.made_up
        if made is None:
            return
        for slug in self.areas:
            if slug not in made.areas:
                yield f"areas: nobody is made up in '{slug}' (data, synthetic, areas). {nearest(slug, made.areas)}"
        for programme in self._profiles:
            shape = SHAPES.get(programme.design)
            if programme.slug != made.programme:
                yield f"programmes: the data are made up for '{made.programme}', not for '{programme.slug}'."
            elif shape and made.shape is not shape:
                yield f"data.synthetic.shape: {programme.name} ({programme.design}) needs '{shape}'."
            elif programme.assessments and made.assessments is None and self.planned_of("abuse_types"):
                yield f"data.synthetic: no assessments are made up, but abuse is asked of {programme.name}."

    def _paths(self) -> list[str]:
        places = (*self.areas, ALL_AREAS)
        names = [period.name for period in self.funding_periods]
        return [
            f"{self.slug}/{self.as_of}/internal/{programme}/{area}/{period}/{LONGEST_FILE}"
            for programme, area, period in itertools.product(self.programmes, places, names)
        ]

    @property
    def plan(self) -> dict[str, Any]:
        """What a lock freezes: every choice, with the programmes and areas as they stand, less the data cut."""
        content = self.model_dump(mode="json", exclude=set(NOT_PART_OF_THE_PLAN))
        content["programmes"] = [programme.model_dump(mode="json") for programme in self._profiles]
        content["areas"] = [area.model_dump(mode="json") for area in self._places]
        content["contracts"] = contracts_of(self._root, *self._profiles)
        return content

    def at(self, as_of: date) -> Suite:
        """The same plan on data up to another day."""
        return self.model_copy(update={"as_of": as_of}).resolved(self._root)

    def studies(self) -> tuple[Study, ...]:
        """Every study: all areas together first, then each area by its slug where there are several."""
        places = _places(self._places)
        return tuple(
            self._study(programme, slug, areas, period)
            for programme, (slug, areas), period in itertools.product(self._profiles, places, self.funding_periods)
        )

    def notebooks_of(self, study: Study) -> tuple[str, ...]:
        """The reports of one of its studies, in the order of the plan."""
        alone = self.area_notebooks is not None and study.area != ALL_AREAS
        return tuple(name for name in self.notebooks if not alone or name in (self.area_notebooks or ()))

    def overviews(self) -> tuple[Study, ...]:
        """For each programme the study that speaks of all its areas and funding periods together."""
        first, last = (
            min(period.first_day for period in self.funding_periods),
            max(period.last_day for period in self.funding_periods),
        )
        label = "All funding periods" if len(self.funding_periods) > 1 else self.funding_periods[0].label
        whole = FundingPeriod(name=ALL_PERIODS, label=label, first_day=first, last_day=last)
        return tuple(
            self._study(programme, ALL_AREAS, self._places, whole, self.funding_periods) for programme in self._profiles
        )

    def _study(
        self,
        programme: Programme,
        area: str,
        areas: tuple[Area, ...],
        period: FundingPeriod,
        periods: tuple[FundingPeriod, ...] = (),
    ) -> Study:
        shared = {name: getattr(self, name) for name in Choices.model_fields}
        study = Study(
            **shared, suite=self.slug, programme=programme, area=area, areas=areas, period=period, periods=periods
        )
        study._root = self._root
        return study


def _places(areas: tuple[Area, ...]) -> list[tuple[str, tuple[Area, ...]]]:
    """All areas together, then each by its slug where there are several."""
    each = [(area.slug, (area,)) for area in sorted(areas, key=lambda area: area.slug)]
    return [(ALL_AREAS, areas), *(each if len(each) > 1 else [])]


def contracts_of(root: Path, *programmes: Programme) -> dict[str, str]:
    """The fingerprint of every data contract that these programmes read by: a changed one changes who is admitted."""
    tables = {table for programme in programmes for table in programme.tables}
    files = sorted((root / "data_contracts").glob("*.odcs.yaml"))
    names = {file.name.removesuffix(".odcs.yaml"): file for file in files}
    return {name: hashlib.sha256(file.read_bytes()).hexdigest()[:12] for name, file in names.items() if name in tables}


def _suite_file(name: str | Path) -> Path:
    if str(name).endswith((".yaml", ".yml")):
        return located(name)
    folder = project_root() / "params" / "suites"
    path = folder / f"{name}.yaml"
    if not path.is_file():
        raise StudyError(
            f"there is no suite called '{name}'. {nearest(str(name), [file.stem for file in folder.glob('*.yaml')])}"
        )
    return path
