"""`evalkit ...`: argument reading, nothing else.

Exit code 0: done. 1: done, but something was quarantined, refused or failed, said in words. 2: the arguments or the
settings cannot be used, and nothing was written. Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evalkit.errors import Refusal, StudyError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pandas import DataFrame

    from evalkit.runner import Outcome
    from evalkit.study import RfgvSpec, Suite

DONE, NOT_ALL, UNUSABLE, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Did the programme work? From extracts to evaluation reports.",
)


class Profile(StrEnum):
    """Who the reports are for."""

    public = "public"
    internal = "internal"


Json = Annotated[bool, typer.Option("--json", help="Print the result for a machine to read.")]
ExtractDate = Annotated[
    datetime | None,
    typer.Option("--extract-date", formats=["%Y-%m-%d"], help="First day that the extract does not include."),
]


def main() -> None:
    """Run the command; a refusal is words on standard error and an exit code, never a traceback."""
    try:
        app()
    except StudyError as refusal:
        sys.exit(_said(str(refusal), UNUSABLE))
    except Refusal as refusal:
        sys.exit(_said(str(refusal), NOT_ALL))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(NOT_ALL)


def _said(words: str, code: int) -> int:
    _say(words)
    return code


@app.callback(invoke_without_command=True)
def _common(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        from evalkit import __version__

        typer.echo(f"evalkit {__version__}")
        raise typer.Exit


@app.command()
def run(
    suite: Annotated[str, typer.Argument(help="A suite in params/suites/, or a suite file.")],
    out: Annotated[Path | None, typer.Option(help="Folder of reports; outputs/ of the project unless said.")] = None,
    areas: Annotated[str, typer.Option(help="Make the reports of these areas only: A,B.")] = "",
    periods: Annotated[str, typer.Option(help="Make the reports of these funding periods only: P,Q.")] = "",
    profile: Annotated[Profile, typer.Option(help="Who the reports are for.")] = Profile.public,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of data included; names the edition.")
    ] = None,
    quarter: Annotated[
        str | None, typer.Option(help="Instead of --as-of: 2026-27-Q2 means up to 30 September 2026.")
    ] = None,
    workers: Annotated[int, typer.Option(min=0, max=256, help="Processes at once; 0 = one a processor.")] = 0,
    minutes: Annotated[float, typer.Option(min=0.01, help="Minutes that one report may take.")] = 15.0,
    force: Annotated[bool, typer.Option("--force", help="Make every report again, up to date or not.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No lines of progress.")] = False,
    as_json: Json = False,
) -> None:
    """Make every report of a suite that is not up to date, and the index of all of them.

    Example: evalkit run rossi
    """
    from evalkit.runner import Run
    from evalkit.runner import run as run_suite
    from evalkit.study import deviations_of

    chosen = _suite_at(suite, as_of, quarter)
    for deviation in deviations_of(chosen):
        _say(f"Changed since the plan was locked: {deviation.setting}.")
    asked = Run(
        suite=chosen,
        out=(out or chosen.root / "outputs").resolve(),
        areas=_listed(areas),
        periods=_listed(periods),
        profile=profile.value,
        workers=workers,
        minutes=minutes,
        force=force,
    )
    try:
        with _progress(quiet) as say:
            outcome = run_suite(asked, say)
    except KeyboardInterrupt:
        words = "Interrupted. What was finished is kept; the same command goes on from there."
        raise typer.Exit(_said(words, INTERRUPTED)) from None
    _print_outcome(outcome, as_json)
    raise typer.Exit(DONE if outcome.complete else NOT_ALL)


@app.command()
def lock(
    suite: Annotated[str, typer.Argument(help="A suite in params/suites/, or a suite file.")], as_json: Json = False
) -> None:
    """Freeze the analysis plan beside the suite: its hash, the day and a copy. Later changes are listed as deviations.

    Example: evalkit lock rossi
    """
    from evalkit import __version__
    from evalkit.study import Suite, deviations_of, lock_file, shown
    from evalkit.study import lock as lock_plan

    chosen = Suite.read(suite)
    changed = deviations_of(chosen)
    digest = lock_plan(chosen, locked_on=date.today(), code_version=__version__)
    for deviation in changed:
        _say(f"Was locked otherwise: {deviation.setting} ({deviation.planned} before, {deviation.used} now).")
    file = shown(lock_file(chosen.root, chosen.slug))
    typer.echo(json.dumps({"suite": chosen.slug, "hash": digest, "file": file}) if as_json else digest)


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="Folder of extracts.")],
    extract_date: ExtractDate = None,
    contracts: Annotated[Path | None, typer.Option(help="Folder of data contracts.")] = None,
    faults: Annotated[Path | None, typer.Option(help="Write every fault to this CSV file (it holds values).")] = None,
    report: Annotated[Path | None, typer.Option(help="Write every fault to this HTML file (it holds values).")] = None,
    as_json: Json = False,
) -> None:
    """Check a folder of extracts against the data contracts; nothing is admitted.

    Example: evalkit check tests/data/rossi --faults faults.csv
    """
    from evalkit.store import intake

    _refuse_unusable(folder, *filter(None, (faults, report)))
    found = intake.check(folder, contracts_folder=_contracts(contracts), extract_date=_day(extract_date))
    if faults:
        intake.write_faults_csv(found, faults)
    if report:
        intake.write_faults_html(found, report)
    _print_examination(found, as_json)


@app.command()
def admit(
    folder: Annotated[Path, typer.Argument(help="Folder of extracts.")],
    store: Annotated[Path, typer.Argument(help="The store to be written: one DuckDB file.")],
    extract_date: ExtractDate = None,
    contracts: Annotated[Path | None, typer.Option(help="Folder of data contracts.")] = None,
    as_json: Json = False,
) -> None:
    """Check a folder of extracts and write the store of what keeps its contracts.

    Example: evalkit admit tests/data/rossi rossi.duckdb
    """
    from evalkit.store import intake

    _refuse_unusable(folder, store)
    found = intake.admit(folder, store, contracts_folder=_contracts(contracts), extract_date=_day(extract_date))
    _print_examination(found, as_json)


@app.command()
def synthesise(
    folder: Annotated[Path, typer.Argument(help="Folder to be made, which holds nothing yet.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same bytes.")] = 1,
    programme: Annotated[str, typer.Option(help="A programme in params/programmes/, to be made up for.")] = "matac",
    areas: Annotated[int, typer.Option(min=1, max=60, help="Number of areas.")] = 3,
    people: Annotated[int | None, typer.Option(help="People in all areas; 30 for each one chosen a year.")] = None,
    months: Annotated[int, typer.Option(min=1, max=60, help="Months of enrolment; 24 more follow.")] = 24,
    effect: Annotated[float, typer.Option(help="Share of later events that happen; 1 = nothing works.")] = 1.0,
    world: Annotated[str, typer.Option(help="How people offend: bursty.")] = "bursty",
    file_format: Annotated[str, typer.Option("--format", help="Kind of file: csv.")] = "csv",
    dialect: Annotated[str | None, typer.Option(help="Not in this version.")] = None,
    as_json: Json = False,
) -> None:
    """Write made-up extracts, one file a table, with the truth beside them.

    Example: evalkit synthesise made-up --areas 4 --effect 0.7
    """
    from evalkit import synthetic
    from evalkit.study import SHAPES, Programme, Synthetic, project_root

    if file_format != "csv":
        raise StudyError(f"--format: '{file_format}' is not written in this version; only csv is.")
    if dialect is not None:
        raise StudyError("--dialect: none is written in this version; leave it out for UTF-8 and ISO dates.")
    root = project_root()
    chosen = Programme.read(programme, root)
    if chosen.police is None or chosen.design not in SHAPES:
        raise StudyError(f"--programme: '{programme}' is not evaluated from police records, so none can be made up.")
    planned = chosen.schedule.planned_days if chosen.schedule else None
    settings = Synthetic.sized(
        areas=areas, people=people, months=months, seed=seed, programme=programme, effect=effect, world=world,
        shape=SHAPES[chosen.design], assessments={} if chosen.assessments else None,
        **({"planned_days": planned} if planned else {}),
    )  # fmt: skip
    synthetic.refuse_unusable(folder)
    made = synthetic.generate(settings, chosen.police.rfgv, root)
    synthetic.write(made, folder)
    rows = {table: len(frame) for table, frame in made.tables.items()}
    found = {"folder": folder.as_posix(), "extract_date": made.extract_date.isoformat(), "rows": rows}
    words = f"{folder}: " + ", ".join(f"{number:,} rows of {table}" for table, number in rows.items()) + "."
    typer.echo(json.dumps(found) if as_json else words)


Convention = Annotated[
    str, typer.Option(help="conventional, literal_note, or a file of settings like those in params/rfgv/.")
]
HarmWeights = Annotated[
    Path | None, typer.Option("--weights", help="CSV file of harm weights in place of the one that the settings name.")
]
PoliceStore = Annotated[Path, typer.Argument(help="A store with police records, as written by evalkit admit.")]
RunDate = Annotated[
    datetime, typer.Option(formats=["%Y-%m-%d"], help="Scored as known on this day; the day itself does not count.")
]
ListFile = Annotated[Path | None, typer.Option(help="Write to this CSV file instead, for its owner's eyes only.")]


class Per(StrEnum):
    """Where people stand in one list."""

    area = "area"
    force = "force"


@app.command()
def score(
    store: PoliceStore,
    run_date: RunDate,
    convention: Convention = "conventional",
    weights: HarmWeights = None,
    out: ListFile = None,
    as_json: Json = False,
) -> None:
    """Print everybody's RFGV score as it was known on one day, by person.

    Example: evalkit score police.duckdb --run-date 2026-04-01 --out scores.csv
    """
    spec = _score_settings(convention, weights)
    with _police(store, out) as connection:
        _print_people(_scored(connection, spec, run_date.date()), out, as_json)


@app.command()
def select(
    store: PoliceStore,
    run_date: RunDate,
    top: Annotated[int, typer.Option(min=0, help="How many are selected in each area or force.")],
    per: Annotated[Per, typer.Option(help="Where people stand in one list.")] = Per.area,
    exclude: Annotated[
        Path | None, typer.Option(help="CSV file with the columns person_id and reason: who is passed over.")
    ] = None,
    convention: Convention = "conventional",
    weights: HarmWeights = None,
    out: ListFile = None,
    as_json: Json = False,
) -> None:
    """Print the ranked list of one day: who is selected, who is passed over and why. By area and rank.

    Example: evalkit select police.duckdb --run-date 2026-04-01 --top 5 --out list.csv
    """
    from evalkit import rfgv

    spec, day = _score_settings(convention, weights), run_date.date()
    with _police(store, out) as connection:
        scored = _scored(connection, spec, day)
        passed_over = _excluded(connection, exclude) | dict(rfgv.busy(connection, day).itertuples(index=False))
        place = scored["area"].map(_forces(scored["area"])) if per is Per.force else scored["area"]
        found = rfgv.select(
            scored.assign(area=place, of=scored["area"]),
            run_date=day,
            capacity=dict.fromkeys(place, top),
            excluded=passed_over,
        )
    _print_people(found.assign(area=found["of"]).drop(columns="of"), out, as_json)


@app.command()
def lab(
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine.")] = 8888,
) -> None:
    """Open JupyterLab at the notebook to start with, for this machine alone.

    Example: evalkit lab
    """
    from evalkit.study import project_root

    root = project_root()
    command = [
        sys.executable, "-m", "jupyterlab", "--ip=127.0.0.1", f"--port={port}", f"--notebook-dir={root}",
        "--LabApp.default_url=/lab/tree/notebooks/explore/start_here.ipynb",
    ]  # fmt: skip
    if os.name == "posix" and os.geteuid() == 0:
        command.append("--allow-root")  # it is for this machine alone, behind a token
    os.chdir(root)
    if not browser:
        command.append("--no-browser")
    if os.name == "posix":
        os.execv(sys.executable, command)
    import subprocess

    raise typer.Exit(subprocess.call(command))


@contextlib.contextmanager
def _police(store: Path, out: Path | None) -> Iterator[DuckDBPyConnection]:
    """A connection to a store, once it is sure that what is asked can be read and written."""
    from evalkit.store import Store
    from evalkit.store.intake.faultlist import keep_out_of_outputs

    if not store.is_file():
        raise StudyError(f"{store.name}: there is no such store. Write one with: evalkit admit FOLDER STORE")
    if _beginning(store)[DUCKDB_MARK] != b"DUCK":
        raise StudyError(f"{store.name}: is not a store. Write one with: evalkit admit FOLDER STORE")
    if out:
        _refuse_writing_over(keep_out_of_outputs(out))
    with Store(file=store).connection() as connection:
        yield connection


def _scored(connection: DuckDBPyConnection, spec: RfgvSpec, day: date) -> DataFrame:
    """Everybody's score; what it means and what it could not see is said."""
    from evalkit import rfgv
    from evalkit.study import project_root

    held_to = connection.execute("SELECT min(extract_date)::DATE FROM manifest").fetchone()
    if held_to and held_to[0] and day > held_to[0]:
        raise StudyError(f"--run-date: the extracts end before {held_to[0]}, so nothing is known of {day}.")
    rfgv.prepare(connection, spec, project_root())
    first = connection.execute("SELECT min(recorded_on) FROM incidents").fetchone()
    if first and first[0] and spec.opens(day) < first[0]:
        _say(f"Attention: the records begin on {first[0]}, but the score of {day} looks back to {spec.opens(day)}.")
    scored = rfgv.score(connection, day, spec)
    seen = rfgv.coverage(connection, day, spec)
    _say(f"{spec.name} ({spec.version}): {spec.glossary}.")
    _say(
        f"{seen.events:,} events of domestic abuse from {spec.opens(day)} to the day before {day}: "
        f"{seen.without_victim:.1%} name no victim, {seen.unmapped:.1%} hold a crime without a harm weight."
    )
    return scored


def _score_settings(convention: str, weights: Path | None) -> RfgvSpec:
    from evalkit.study import RfgvSpec, located, nearest, project_root

    root, named = project_root(), {"conventional": "conventional", "literal_note": "literal-note"}
    if Path(convention).suffix in (".yaml", ".yml"):
        spec = RfgvSpec.at(located(convention), root)
    elif convention in named:
        spec = RfgvSpec.read(named[convention], root)
    else:
        raise StudyError(f"--convention: there is none called '{convention}'. {nearest(convention, named)}")
    if not weights:
        return spec
    _say(f"The bands of {spec.slug} were set on {spec.weights}: another scale of harm weights wants bands of its own.")
    return spec.weighing_by(str(located(weights)), root)


def _excluded(connection: DuckDBPyConnection, file: Path | None) -> dict[str, str]:
    """The reasons in a list of who is passed over, by person."""
    from evalkit import rfgv

    if file is None:
        return {}
    if not file.is_file():
        raise StudyError(f"{file.name}: there is no such file. It needs the columns person_id and reason.")
    try:
        rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    except UnicodeDecodeError:
        raise StudyError(f"{file.name}: is not a text file in UTF-8. Save it as UTF-8 and try again.") from None
    if any(not row.get("person_id") or not row.get("reason") for row in rows):
        raise StudyError(f"{file.name}: needs the columns person_id and reason, and both of them in every row.")
    found = rfgv.by_person(connection, {row["person_id"]: row["reason"] for row in rows})
    if len(found) < len(rows):
        _say(f"{file.name}: of {len(rows)} rows {len(found)} name a person of the store, each a different one.")
    return found


def _forces(areas: Iterable[str]) -> dict[str, str]:
    from evalkit.study import Areas

    known = Areas.read()
    return {area: known.of(area).force for area in sorted(set(areas))}


def _print_people(people: DataFrame, out: Path | None, as_json: bool) -> None:
    from evalkit.store import in_words, write_whole

    if as_json:
        text = people.to_json(orient="records", double_precision=15) + "\n"
    else:
        told = people.replace({"selected": {True: "yes", False: "no"}})
        text = told.to_csv(index=False, lineterminator="\n", float_format=_plain)
    if not out:
        typer.echo(text, nl=False)
        return
    with in_words(out.name):
        write_whole(out, text)
    typer.echo(out)


def _plain(number: object) -> str:
    return f"{number}".removesuffix(".0")


def _suite_at(name: str, as_of: datetime | None, quarter: str | None) -> Suite:
    from evalkit.study import Suite

    if as_of and quarter:
        raise StudyError("give --as-of or --quarter, not both.")
    suite = Suite.read(name)
    last = as_of.date() if as_of else _end_of_quarter(quarter) if quarter else None
    return suite.at(last) if last else suite


def _end_of_quarter(name: str) -> date:
    """The last day of a quarter of the financial year: April to June is Q1."""
    found = re.fullmatch(r"(\d{4})-(\d\d)-Q([1-4])", name)
    if not found or (int(found[1]) + 1) % 100 != int(found[2]):
        raise StudyError(f"--quarter: '{name}' is not a quarter of a financial year; write it as 2026-27-Q2.")
    month = 3 * int(found[3]) + 4  # the first month after the quarter
    year = int(found[1]) + (month > 12)
    return date(year, month - 12 * (month > 12), 1) - timedelta(days=1)


def _listed(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",") if name.strip())


OURS = (b"table,row,column,rule,severity,value,hint", b"<!DOCTYPE html>", b"person_id,area,n_incidents")
DUCKDB_MARK = slice(8, 12)


def _refuse_unusable(folder: Path, *files: Path) -> None:
    """A folder of extracts must be there, and nothing that evalkit did not write may be written over."""
    if not folder.is_dir():
        raise StudyError(f"{folder}: there is no such folder. Name the folder that holds the extracts.")
    for file in files:
        if file.resolve().parent == folder.resolve():
            raise StudyError(f"{file.name}: lies in the folder of extracts; write it somewhere else.")
        _refuse_writing_over(file)


def _refuse_writing_over(file: Path) -> None:
    if file.is_dir():
        raise StudyError(f"{file.name}: is a folder; give the name of a file.")
    if file.is_file() and file.stat().st_size:
        beginning = _beginning(file)
        if not beginning.startswith(OURS) and beginning[DUCKDB_MARK] != b"DUCK":
            raise StudyError(f"{file.name}: is there already and was not written by evalkit; choose another name.")


def _beginning(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(64)


def _contracts(folder: Path | None) -> Path:
    from evalkit.study import project_root

    return folder or project_root() / "data_contracts"


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _print_outcome(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        rows = [status.row() for status in outcome.statuses]
        found = {"index": outcome.index.as_posix(), "reports": rows, "set_aside": outcome.set_aside}
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        typer.echo(outcome.index)


def _print_examination(found: Any, as_json: bool) -> None:
    typer.echo(json.dumps(found.as_json(), ensure_ascii=False) if as_json else found.in_words())
    raise typer.Exit(DONE if found.is_clean else NOT_ALL)


def _say(words: str) -> None:
    typer.echo(words, err=True)


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """What says how far a run is: a line a report, and at a terminal a moving one for what is under way."""
    if quiet or not sys.stderr.isatty():
        yield (lambda words: None) if quiet else _say
        return
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    with console.status("Starting") as status:

        def say(words: str) -> None:
            if words.startswith("["):
                console.print(words, markup=False)
            else:
                status.update(words)

        yield say
