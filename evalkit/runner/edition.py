"""One edition of a suite: what is to be made, what stands already, and the pages that speak of all of it."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evalkit import provenance
from evalkit.errors import NotReleasable, RunFailed
from evalkit.results import Finding
from evalkit.store import in_words, owned, read_json, shelf, work_folder, write_whole
from evalkit.study import Study, Suite, fingerprint_of

REPORT, OVERVIEW = "evaluation", "programme_overview"
NOT_IN_CSV = ("arms", "caveats", "can_say", "cannot_say", "rows")
Profile = Literal["public", "internal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One report to be made: a notebook for a study, and the key of everything that it hangs on."""

    study: Study
    notebook: Path
    folder: Path
    key: str

    @property
    def file(self) -> str:
        """The name of the page: `report.html` for the evaluation, `<notebook>.html` for a chapter."""
        return "report.html" if self.notebook.stem == REPORT else f"{self.notebook.stem}.html"

    @property
    def name(self) -> str:
        """The report in the words of a line of progress."""
        study = self.study
        return f"{study.programme.slug} / {study.area} / {study.period.name} / {self.notebook.stem}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the making of one page ended; the reason is for those who run it, and may hold counts of the data."""

    page: Page
    status: str
    reason: str = ""
    kind: str = ""
    seconds: float = 0.0

    @property
    def public_reason(self) -> str:
        """The reason as anybody may read it: in words laid down beforehand, without anything of the data."""
        return "" if self.status in MADE else REASONS.get(self.kind, REASONS[self.status])

    def row(self) -> dict[str, str]:
        """As it stands in `status.json`."""
        study = self.page.study
        return {
            "programme": study.programme.slug,
            "area": study.area,
            "period": study.period.name,
            "notebook": self.page.notebook.stem,
            "status": self.status,
            "reason": self.public_reason if study.profile == "public" else self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A suite on one data cut for one kind of reader, and where it is delivered."""

    suite: Suite
    profile: Profile
    folder: Path

    @classmethod
    def of(cls, suite: Suite, profile: Profile, out: Path) -> Edition:
        """The edition below the folder of outputs."""
        return cls(suite=suite, profile=profile, folder=out / suite.slug / suite.as_of.isoformat() / profile)

    @property
    def studies(self) -> tuple[Study, ...]:
        """Every study of the suite, for this kind of reader."""
        return tuple(study.for_profile(self.profile) for study in self.suite.studies())

    @property
    def file_mode(self) -> int:
        """Files of an internal edition are for their owner alone."""
        return 0o644 if self.profile == "public" else 0o600

    @property
    def work(self) -> Path:
        """Where executed notebooks, resolved studies and decisions of this edition are kept."""
        suite = self.suite
        return owned(work_folder(suite.root) / "editions" / suite.slug / suite.as_of.isoformat() / self.profile)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the edition: its folder is there and can be written, and no other run is at work in it.

        What a run that was killed left half made is cleared; `RunFailed` says in words what stands in the way.
        """
        with in_words("the folder of reports"):
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.profile == "internal":
                self.folder.chmod(0o700)
            write_whole(self.folder / "probe", "")
            (self.folder / "probe").unlink()
        mark = self.work / "running"
        _take(mark)
        try:
            for left in self.folder.rglob(".*"):
                left.unlink()
            yield
        finally:
            mark.unlink(missing_ok=True)

    def pages(self) -> tuple[Page, ...]:
        """Every page: of the whole programme first, then of its studies, all areas before each by the alphabet."""
        folder, suite = self.suite.root / "notebooks" / "reports", self.suite
        whole = suite.overviews() if OVERVIEW in suite.notebooks else ()
        asked = [(study.for_profile(self.profile), OVERVIEW) for study in whole]
        asked += [(study, name) for study in self.studies for name in suite.notebooks_of(study) if name != OVERVIEW]
        asked.sort(key=lambda page: self.suite.programmes.index(page[0].programme.slug))
        return tuple(self._page(study, folder / f"{name}.ipynb") for study, name in asked)

    def _page(self, study: Study, notebook: Path) -> Page:
        parts = [shelf(part).name for part in study.parts]
        key = fingerprint_of([shelf(study).name, parts, provenance.sha256_of(notebook), self.profile])
        folder = self.folder / study.programme.slug / study.area / study.period.name
        return Page(study=study, notebook=notebook, folder=folder, key=key)

    def study_file(self, study: Study) -> Path:
        """The resolved study, written to the work folder for the notebook to read."""
        import yaml

        name = f"{study.programme.slug}.{study.area}.{study.period.name}.yaml"
        content = {"fingerprint": study.fingerprint, **study.choices, "profile": study.profile}
        file = owned(self.work / "studies") / name
        with in_words("the work folder"):
            write_whole(file, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
        return file

    def write_index(self, statuses: Sequence[Status]) -> Path:
        """Write `index.html`, `findings.csv` and `status.json`; files whose content has not changed are left alone."""
        from evalkit import export, tables

        rows = [self._index_row(status) for status in statuses]
        notes = [
            f"Data up to {self.suite.as_of.day} {self.suite.as_of:%B %Y}.",
            "Each report says how large a difference it could have seen before it says what it found.",
        ]
        if self.suite.protection == "open_data":
            notes.append(
                f"Openly published research data; nothing is withheld or rounded. Source: {self.suite.source}."
            )
        index = export.index_page(
            title=f"{self.suite.title}: reports up to {self.suite.as_of.isoformat()}",
            heading=self.suite.title,
            intro=self.suite.question,
            rows=rows,
            notes=tuple(notes),
            profile=self.profile,
            watermarks=tables.watermarks(self.studies[0]),
        )
        contents = {
            "status.json": json.dumps([status.row() for status in statuses], indent=1, ensure_ascii=False) + "\n",
            "findings.csv": _as_csv(statuses),
            "index.html": index,
        }
        new = {name: content for name, content in contents.items() if not self._stands(self.folder / name, content)}
        if "index.html" in new:
            _refuse_improper(index, {row.link for row in rows if row.link})
        with in_words("the folder of reports"):
            for name, content in new.items():
                write_whole(self.folder / name, content, mode=self.file_mode)
        return self.folder / "index.html"

    def _stands(self, file: Path, content: str) -> bool:
        return file.is_file() and file.read_bytes() == content.encode()

    def _index_row(self, status: Status) -> Any:
        from evalkit import export, tables

        study, page = status.page.study, status.page
        made = status.status in MADE
        main = (
            [Finding(**_fields(row)) for row in findings_in(page.folder) if row["planned"] == "primary"] if made else []
        )
        return export.IndexRow(
            programme=study.programme.name,
            area=study.area_label,
            period=study.period.label,
            notebook=page.notebook.stem,
            status=STATUS_WORDS[status.status],
            headline=" ".join(tables.span(finding) for finding in main[:1] if page.notebook.stem == REPORT),
            reason=status.public_reason,
            link=f"{study.programme.slug}/{study.area}/{study.period.name}/{page.file}" if made else None,
        )


MADE = ("done", "up_to_date")
REASONS = {
    "ContractBroken": "The extracts do not keep their data contract.",
    "NotComparable": "The people in the data cannot be set beside each other as the plan asks.",
    "NotReleasable": "It would have shown something that was not released.",
    "StudyError": "A setting cannot be used.",
    "refused": "It cannot be made as it was asked for.",
    "failed": "It could not be made.",
    "killed": "Its making was stopped.",
}
STATUS_WORDS = {
    "done": "Report ready",
    "up_to_date": "Report ready",
    "failed": "Failed",
    "killed": "Stopped",
    "refused": "Refused",
}


def _take(mark: Path) -> None:
    """Leave the mark of this process, unless another that still runs has left its own."""
    import psutil

    me = psutil.Process()
    with in_words("the work folder"):
        try:
            with mark.open("x", encoding="utf-8") as file:
                file.write(f"{me.pid} {me.create_time()}")
            return
        except FileExistsError:
            pid, _, began = mark.read_text(encoding="utf-8").partition(" ")
    with suppress(psutil.NoSuchProcess, ValueError):
        if psutil.Process(int(pid)).create_time() == float(began):
            raise RunFailed(f"another run of this suite is under way (process {pid}). Wait for its end, or stop it.")
    mark.unlink(missing_ok=True)
    _take(mark)


def _refuse_improper(index: str, links: set[str]) -> None:
    from evalkit import export

    problems = export.lint(index, kind="index", files=frozenset({"findings.csv", *links}))
    if problems:
        raise NotReleasable(f"the index page may not be shown: {' '.join(problems)}")


def deliver(page: Page, made: Path, findings: Iterable[Finding], *, inputs: str, mode: int) -> None:
    """Put a page that has just been made in its place, with the findings and the manifest of its study.

    Pages of another study, or changed since they were delivered, do not stay beside it.
    """
    rows = [dataclasses.asdict(finding) for finding in findings]
    others = {
        name: key for name, key in provenance.standing_pages(page.folder, page.study).items() if name != page.file
    }
    with in_words("the folder of reports"):
        for left in page.folder.glob("*.html"):
            if left.name not in others:
                left.unlink()
        write_whole(page.folder / page.file, made.read_bytes(), mode=mode)
        text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_whole(page.folder / "findings.json", text, mode=mode)
        write_whole(page.folder / "findings.csv", _csv_text([_place(page.study), row] for row in rows), mode=mode)
        provenance.write(page.folder, page.study, inputs=inputs, pages={**others, page.file: page.key}, mode=mode)


def withdraw(page: Page) -> None:
    """Take away a page that could not be made again: what lies there belongs to other data or another plan."""
    others = {name for name in provenance.standing_pages(page.folder, page.study) if name != page.file}
    with suppress(OSError):
        (page.folder / page.file).unlink(missing_ok=True)
        if not others:
            shutil.rmtree(page.folder)


def findings_in(folder: Path) -> list[dict[str, Any]]:
    """The findings delivered with a study; none where it has no report."""
    return read_json(folder / "findings.json") or []


def _fields(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("id", "kind", "status", "label", "study_fingerprint", "sentence", "tier")}


def _as_csv(statuses: Sequence[Status]) -> str:
    folders = {
        status.page.folder: status.page.study
        for status in statuses
        if status.status in MADE and not status.page.study.periods  # which tells again what its parts tell
    }
    return _csv_text([_place(study), row] for folder, study in folders.items() for row in findings_in(folder))


def _place(study: Study) -> dict[str, str]:
    return {"programme": study.programme.slug, "area": study.area, "period": study.period.name}


def _csv_text(pairs: Iterable[Sequence[dict[str, Any]]]) -> str:
    kept = [field.name for field in dataclasses.fields(Finding) if field.name not in NOT_IN_CSV]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, ["programme", "area", "period", *kept], extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({**place, **row} for place, row in pairs)
    return stream.getvalue()
