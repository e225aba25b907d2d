"""A suite from extracts to reports: compute every study, decide over all, show each; one failure takes no other."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from evalkit import provenance
from evalkit.errors import Refusal, StudyError
from evalkit.runner.edition import MADE, Edition, Page, Profile, Status, deliver, withdraw
from evalkit.runner.pool import Ended, Task, supervised
from evalkit.runner.work import Unit, admit, compute, findings_of, parts_of, results_of, show
from evalkit.store import cut_of, in_words, owned, shelf, write_whole
from evalkit.study import Study, Suite, nearest

__all__ = ["Outcome", "Profile", "Progress", "Run", "Status", "parts_of", "run"]

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run left: the index page, how each report ended, and in words which rows were set aside on admission."""

    index: Path
    statuses: tuple[Status, ...]
    set_aside: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every declared report is there, on every row of the extracts."""
        return not self.set_aside and all(status.status in MADE for status in self.statuses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a suite is to be run: for whom, where to, with how many processes, and how long one report may take.

    `areas` and `periods` choose the pages that are made (all where they are empty); computing and deciding always take
    the whole suite.
    """

    suite: Suite
    out: Path
    profile: Profile = "public"
    areas: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()
    workers: int = 0
    minutes: float = 15.0
    force: bool = False


def run(asked: Run, progress: Progress) -> Outcome:
    """Make every report of a suite that is not up to date, and the index of all of them.

    Raises `RunFailed` where nothing can be written. Whatever else goes wrong is the status of the report that it
    happened to, in words; the others are delivered.
    """
    edition = Edition.of(asked.suite, asked.profile, asked.out)
    _refuse_unknown(asked, edition)
    with edition.alone():
        return _made(asked, edition, progress)


def _made(asked: Run, edition: Edition, progress: Progress) -> Outcome:
    pages = edition.pages()
    standing = () if asked.force else tuple(page for page in pages if _stands(page))
    statuses = {page.name: Status(page=page, status="up_to_date") for page in standing}
    wanted = [page for page in pages if page.name not in statuses and _is_chosen(page, asked)]
    if wanted:
        making = _Making(asked, edition, progress, len(wanted))
        for status in making.make(wanted):
            statuses[status.page.name] = status
        set_aside = making.set_aside
    else:
        set_aside = admit(edition.studies[0])
    for page in pages:
        if page.name not in statuses:
            withdraw(page)  # not asked for, and what lies there belongs to other data or another plan
    ordered = tuple(statuses[page.name] for page in pages if page.name in statuses)
    if wanted:
        _log(edition, ordered)
    return Outcome(index=edition.write_index(ordered), statuses=ordered, set_aside=set_aside)


def _refuse_unknown(asked: Run, edition: Edition) -> None:
    known = {
        "area": (asked.areas, {page.study.area for page in edition.pages()}),
        "period": (asked.periods, {page.study.period.name for page in edition.pages()}),
    }
    problems = [
        f"--{noun}s: this suite makes no report for the {noun} '{name}'. {nearest(name, names)}"
        for noun, (chosen, names) in known.items()
        for name in chosen
        if name not in names
    ]
    if problems:
        raise StudyError("\n".join(problems))


def _is_chosen(page: Page, asked: Run) -> bool:
    in_area = not asked.areas or page.study.area in asked.areas
    return in_area and (not asked.periods or page.study.period.name in asked.periods)


def _stands(page: Page) -> bool:
    return bool(provenance.read(page.folder).get("pages", {}).get(page.file) == page.key)


class _Making:
    """The three passes over the pages that are wanted."""

    def __init__(self, asked: Run, edition: Edition, progress: Progress, pages: int) -> None:
        self.asked, self.edition, self.progress, self.pages = asked, edition, progress, pages
        self.workers = asked.workers or min(os.cpu_count() or 1, 8)
        self.logs = owned(edition.work / "logs")
        self.began = time.monotonic()
        self.done = 0
        self.set_aside: tuple[str, ...] = ()

    def make(self, wanted: Sequence[Page]) -> list[Status]:
        """How each page ended."""
        refused = self._computed()
        if not refused.get(ADMISSION):
            self._decide([study for study in self.edition.studies if _name(study) not in refused], refused)
        ends = {page.name: _why(page, refused) for page in wanted}
        stopped = [self._ended(page, end) for page in wanted if (end := ends[page.name])]
        return stopped + self._shown([page for page in wanted if not ends[page.name]])

    def _computed(self) -> dict[str, Ended]:
        """Admit the data, then compute every study of the suite; what did not succeed, by the name of its study."""
        studies = self.edition.studies
        self.progress("Reading the extracts")
        ends = list(self._supervised([self._task(ADMISSION, admit, studies[0])]))
        if ends[0].status != "done":
            return {ADMISSION: ends[0]}
        self.set_aside = ends[0].answer
        for line in self.set_aside:
            self.progress(f"Attention: {line}")
        self.progress(f"Computing {len(studies)} {'study' if len(studies) == 1 else 'studies'}")
        tasks = [self._task(_name(study), compute, study) for study in studies]
        return {end.task.name: end for end in self._supervised(tasks) if end.status != "done"}

    def _decide(self, studies: Sequence[Study], refused: dict[str, Ended]) -> None:
        from evalkit import disclosure

        if not studies:
            return
        self.progress("Deciding what may be shown")
        family = {shelf(study).name: (study, results_of(study)) for study in studies}
        try:
            disclosure.keep(family, self.asked.profile)
        except Refusal as refusal:
            task = self._task(ADMISSION, admit, studies[0])
            kind = type(refusal).__name__
            refused[ADMISSION] = Ended(task=task, status="refused", reason=str(refusal), kind=kind)

    def _shown(self, wanted: Sequence[Page]) -> list[Status]:
        by_name = {page.name: page for page in wanted}
        tasks = [self._task(page.name, show, self._unit(page)) for page in wanted]
        return [self._finished(by_name[end.task.name], end) for end in self._supervised(tasks)]

    def _finished(self, page: Page, end: Ended) -> Status:
        """Deliver what stands beside the page; a page without it does not count."""
        if end.status == "done":
            try:
                self._deliver(page, end.task.given.page)
            except Refusal as refusal:
                kind = type(refusal).__name__
                end = Ended(task=end.task, status="failed", reason=str(refusal), kind=kind, seconds=end.seconds)
        return self._ended(page, end)

    def _deliver(self, page: Page, made: Path) -> None:
        study = page.study
        inputs = cut_of(study).fingerprint
        with in_words("the folder of reports"):
            page.folder.mkdir(parents=True, exist_ok=True)
        deliver(page, made, findings_of(study), inputs=inputs, mode=self.edition.file_mode)

    def _ended(self, page: Page, end: Ended) -> Status:
        self.done += 1
        if end.status != "done":
            withdraw(page)
        took = f" in {end.seconds:.0f} s" if end.seconds else ""
        reason = f": {end.reason}" if end.reason else ""
        self.progress(f"[{self.done}/{self.pages}] {page.name}: {end.status}{took}{reason}{self._left()}")
        return Status(page=page, status=end.status, reason=end.reason, kind=end.kind, seconds=end.seconds)

    def _left(self) -> str:
        remaining = self.pages - self.done
        seconds = (time.monotonic() - self.began) / self.done * remaining
        return f" (about {max(1, round(seconds / 60))} min left)" if remaining and seconds > 30 else ""

    def _unit(self, page: Page) -> Unit:
        folder, name = owned(self.edition.work / "executed"), _file_name(page.name)
        return Unit(
            study_file=self.edition.study_file(page.study),
            notebook=page.notebook,
            executed=folder / f"{name}.ipynb",
            page=folder / f"{name}.html",
        )

    def _supervised(self, tasks: Sequence[Task]) -> Iterator[Ended]:
        return supervised(tasks, workers=self.workers, minutes=self.asked.minutes)

    def _task(self, name: str, function: Callable[..., object], given: object) -> Task:
        return Task(name=name, function=function, given=given, log=self.logs / f"{_file_name(name)}.log")


ADMISSION = "admission"


def _name(study: Study) -> str:
    return f"{study.programme.slug} / {study.area} / {study.period.name}"


def _file_name(name: str) -> str:
    return name.replace(" / ", ".")


def _why(page: Page, refused: dict[str, Ended]) -> Ended | None:
    return refused.get(ADMISSION) or refused.get(_name(page.study))


def _log(edition: Edition, statuses: Sequence[Status]) -> None:
    """How long each report took and why it failed, in full: for those inside, never in a public folder."""
    rows = [{**status.row(), "reason": status.reason, "seconds": round(status.seconds, 1)} for status in statuses]
    folder = edition.folder.parent / "internal"
    with in_words("the folder of reports"):
        owned(folder)
        write_whole(folder / "run.json", json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
