"""Set evalkit up in `.venv` and hand over to it. Standard library only; Linux, macOS and Windows.

python run.py                  the demo: reports of two programmes, and the paths of their index pages
python run.py run SUITE ...    any command of `evalkit`: run, lock, check FOLDER, admit, lab
python run.py lab              JupyterLab at the notebook to start with
python run.py check            format, lint, types, floors, notebooks and quick tests: every failure at once
python run.py test             the checks and every test
python run.py bench            speed and memory, as ratios in one run
python run.py simulate         the slow known-truth tests
--wheels FOLDER                install from a folder of wheels, without a network
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "evalkit-installed"
DEMO = (["run", "demo"], ["run", "drive"])  # people chosen month by month, and people allocated by chance
OLDEST = (3, 11)
INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Do what was asked and return the exit code."""
    if sys.version_info < OLDEST:
        return _say(f"evalkit needs Python {OLDEST[0]}.{OLDEST[1]} or later; this is {sys.version.split()[0]}.", 2)
    arguments = [
        part for word in arguments for part in (word.split("=", 1) if word.startswith("--wheels=") else [word])
    ]
    wheels = None
    if "--wheels" in arguments:
        place = arguments.index("--wheels")
        if place + 1 == len(arguments) or not Path(arguments[place + 1]).is_dir():
            return _say("--wheels must be followed by a folder of wheels.", 2)
        wheels = Path(arguments[place + 1]).resolve()
        arguments = arguments[:place] + arguments[place + 2 :]
    if arguments and arguments[0] in ("-h", "--help"):
        return _say(__doc__ or "", 0)
    try:
        return _set_up(wheels) or _hand_over(*(arguments or ["demo"]))
    except KeyboardInterrupt:
        return _say("Interrupted. The same command goes on from there.", INTERRUPTED)


def _set_up(wheels: Path | None) -> int:
    """Make the environment, or do nothing where it stands for this lock file."""
    wanted = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    wanted += f" {ROOT} {sys.version_info[:2]}"
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == wanted:
        return 0
    _say(f"Setting up {VENV.name} (once; a few minutes) ...")
    if not _is_whole():
        venv.create(VENV, with_pip=True, clear=True)
    steps = [["--require-hashes", "-r", str(LOCK)], ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]]
    for step in steps:
        if subprocess.call([*_installer(), *_from(wheels), *step], cwd=ROOT):
            where = f"the folder {wheels}" if wheels else "the package index"
            return _say(f"Setting up failed: not everything could be installed from {where}. See the lines above.", 1)
    STAMP.write_text(wanted, encoding="utf-8")
    return 0


def _is_whole() -> bool:
    """Whether an environment of this Python stands, with an installer in it."""
    about = VENV / "pyvenv.cfg"
    same = f"version = {sys.version_info[0]}.{sys.version_info[1]}."
    if not (_python().is_file() and about.is_file() and same in about.read_text(encoding="utf-8")):
        return False
    return (
        subprocess.call(
            [str(_python()), "-m", "pip", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        == 0
    )


def _installer() -> list[str]:
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", str(_python())]
    return [str(_python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def _from(wheels: Path | None) -> list[str]:
    return ["--no-index", "--find-links", str(wheels)] if wheels else []


def _hand_over(command: str, *rest: str) -> int:
    """Run what was asked; `check` and `test` run every part and name all that failed."""
    if command == "demo":
        os.chdir(ROOT)
        return _demo(*rest)
    if command == "check" and rest and not rest[0].startswith("-"):
        return _evalkit(command, *rest)  # of a folder of extracts, not of the project
    if command in ("check", "test"):
        quick = ["-m", "not slow and not whole"] if command == "check" else ["-m", "not slow"]
        return _all([*CHECKS, ("tests", ["-m", "pytest", "-q", *BOTH_PROCESSORS, *quick, *rest])])
    if command == "simulate":
        return _all([("simulation", ["-m", "pytest", "-q", "-m", "slow", *rest])])
    if command == "bench":
        return subprocess.call([str(_python()), str(ROOT / "tests" / "bench" / "bench.py"), *rest], cwd=ROOT)
    return _evalkit(command, *rest)


def _demo(*rest: str) -> int:
    """Run every suite of the demo, none after an interruption; the worst of their exit codes."""
    worst = 0
    for part in DEMO:
        worst = max(worst, _evalkit(*part, *rest))
        if worst == INTERRUPTED:
            break
    return worst


BOTH_PROCESSORS = ["-n", "2", "--dist", "loadfile"]
FLOORS = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
CHECKS = [
    ("format", ["-m", "ruff", "format", "--check", "--quiet", "."]),
    ("lint", ["-m", "ruff", "check", "--quiet", "."]),
    ("types", ["-m", "mypy", "--no-error-summary"]),
    ("floors", ["-c", FLOORS]),
]


def _all(parts: list[tuple[str, list[str]]]) -> int:
    """Run every part, whatever the others say."""
    failed = []
    for name, words in parts:
        if subprocess.call([str(_python()), *words], cwd=ROOT):
            failed.append(name)
        elif name != "tests":
            _say(f"{name}: right")
    return _say(f"Failed: {', '.join(failed)}.", 1) if failed else 0


def _evalkit(*arguments: str) -> int:
    command = [str(_python()), "-m", "evalkit", *arguments]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if os.name == "nt" else None  # evalkit itself answers it
    try:
        return subprocess.call(command)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        if before:
            signal.signal(signal.SIGINT, before)


def _python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _say(words: str, code: int = 0) -> int:
    sys.stderr.write(words.rstrip() + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
