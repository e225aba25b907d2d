"""Speed and weight as ratios in one run on one machine: `python run.py bench`. Nothing here passes or fails.

Each line sets what evalkit does beside something anybody can repeat. CPU seconds are of the whole process tree.
"""

from __future__ import annotations

import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
TIMES = 5
HAND_WRITTEN = """
SELECT count(*) FROM read_csv('{file}', all_varchar=true, header=true) WHERE person_id IS NULL
 OR arm NOT IN ('programme', 'usual_care', 'waiting_list') OR try_strptime(index_date, '%Y-%m-%d') IS NULL
 OR try_strptime(observed_until, '%Y-%m-%d') <= try_strptime(index_date, '%Y-%m-%d')
 OR (first_event_on IS NOT NULL AND try_strptime(first_event_on, '%Y-%m-%d') IS NULL)
 OR try_cast(x_age AS DOUBLE) IS NULL OR try_cast(x_prio AS DOUBLE) IS NULL
"""


def main() -> None:
    """Print every ratio with both its sides."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("pandas", "duckdb", "papermill", "nbconvert"))
    _say(f"Python {platform.python_version()}, {os.cpu_count()} processors, {packages}")
    with tempfile.TemporaryDirectory() as folder:
        for line in (
            *_start(),
            *_run(Path(folder)),
            *_page(Path(folder)),
            *_admission(Path(folder)),
            *_scoring(Path(folder)),
        ):
            _say(line)


def _scoring(folder: Path) -> Iterator[str]:
    import scoring

    yield from scoring.lines(folder)


def _start() -> Iterator[str]:
    light, pandas = _seconds("-c", "import evalkit"), _seconds("-c", "import pandas")
    yield _line("start: import evalkit", light, "import pandas", pandas)
    helps, nothing = _seconds("-m", "evalkit", "--help"), _seconds("-c", "pass")
    yield f"start: evalkit --help takes {helps - nothing:.2f} s more than python -c pass"


def _run(folder: Path) -> Iterator[str]:
    for part in ("params", "data_contracts", "notebooks", "tests/data"):
        shutil.copytree(ROOT / part, folder / part)
    first = _cpu_seconds("-m", "evalkit", "run", "rossi", "--quiet", folder=folder)
    again = _seconds("-m", "evalkit", "run", "rossi", "--quiet", folder=folder)
    yield _line("nothing to do: a second run (wall s)", again, "the first (CPU s)", first)


def _page(folder: Path) -> Iterator[str]:
    page = next(folder.rglob("report.html")).stat().st_size
    executed = next(folder.rglob("executed/*.ipynb"))
    stock = folder / "stock.html"
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", str(executed), "--output", str(stock)],
        check=True,
        capture_output=True,
    )
    yield _line("page (kB)", page / 1000, "by stock nbconvert", stock.stat().st_size / 1000)


def _admission(folder: Path) -> Iterator[str]:
    """200,000 rows against the contract, beside the same questions put to DuckDB by hand."""
    large = folder / "large"
    large.mkdir()
    header, *rows = (ROOT / "tests/data/rossi/ready_cohort.csv").read_text(encoding="utf-8").splitlines()
    with (large / "ready_cohort.csv").open("w", encoding="utf-8") as file:
        file.write(header + "\n")
        file.writelines(f"N{number:07d}{rows[number % len(rows)][4:]}\n" for number in range(200_000))
    (large / "extract.yaml").write_text("extract_date: 1977-01-01\n", encoding="utf-8")
    ours = _cpu_seconds("-m", "evalkit", "check", str(large), folder=folder)
    query = HAND_WRITTEN.format(file=large / "ready_cohort.csv")
    hand = _cpu_seconds("-c", f"import duckdb; duckdb.sql({query!r}).fetchall()", folder=folder)
    yield _line("admission of 200,000 rows: evalkit check (CPU s)", ours, "hand-written SQL", hand)


def _line(what: str, ours: float, beside: str, theirs: float) -> str:
    return f"{what} {ours:.2f}; {beside} {theirs:.2f}; ratio {ours / theirs:.2f}"


def _seconds(*arguments: str, folder: Path = ROOT) -> float:
    """Median wall seconds of a fresh interpreter."""
    return statistics.median(_timed(arguments, folder)[0] for _ in range(TIMES))


def _cpu_seconds(*arguments: str, folder: Path) -> float:
    return _timed(arguments, folder)[1]


def _timed(arguments: tuple[str, ...], folder: Path) -> tuple[float, float]:
    environment = {**os.environ, "EVALKIT_WORK": str(folder / ".evalkit")}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), os.times().elapsed
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, check=True, capture_output=True)
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), os.times().elapsed
    return ended - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
