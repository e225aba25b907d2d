"""The secure work folder: stores, unrounded results and decisions, for the owner's eyes only."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evalkit.errors import RunFailed, StudyError
from evalkit.study import Study, code_fingerprint, fingerprint_of, plan_of, write_whole

OWNER_FOLDER = 0o700


def work_folder(root: Path) -> Path:
    """`.evalkit/` beside `params/`, or where EVALKIT_WORK says; made for its owner alone, never inside `outputs/`."""
    named = os.environ.get("EVALKIT_WORK")
    folder = (root / Path(named).expanduser() if named else root / ".evalkit").resolve()
    if "outputs" in folder.parts:
        raise StudyError("the work folder lies inside a folder called 'outputs'; set EVALKIT_WORK to another place.")
    return owned(folder)


def owned(folder: Path) -> Path:
    """The folder, made if it is missing, which nobody but its owner may open."""
    with in_words("the work folder"):
        for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
            missing.mkdir(exist_ok=True, mode=OWNER_FOLDER)
        if os.name == "posix" and folder.stat().st_uid == os.getuid():
            folder.chmod(OWNER_FOLDER)
    return folder


@contextmanager
def in_words(place: str) -> Iterator[None]:
    """Whatever the file system refuses, said as a `RunFailed` that names the place and what to do."""
    reasons = {
        errno.ENOSPC: "the disk is full. Free some space and run again; what was finished before is kept",
        errno.EDQUOT: "your disk quota is used up. Free some space and run again; what was finished before is kept",
        errno.EROFS: "it is read-only. Choose another folder",
        errno.EACCES: "you may not write there. Choose another folder or ask its owner",
        errno.EPERM: "you may not write there. Choose another folder or ask its owner",
        errno.ENOTDIR: "part of its path is a file. Choose another folder",
        errno.EEXIST: "a file stands where the folder should be. Choose another folder",
    }
    try:
        yield
    except OSError as error:
        reason = reasons.get(error.errno or 0, f"the system says: {os.strerror(error.errno or 0).lower()}")
        raise RunFailed(f"{place} cannot be written: {reason}.") from None


def study_key(study: Study, inputs: str) -> str:
    """What a study's results hang on: its choices, its plan, the data, the contracts and the code; SHA-256, in hex."""
    plan = plan_of(study)
    lock = [plan.state, plan.hash, str(plan.locked_on)]
    return fingerprint_of([study.fingerprint, lock, inputs, code_fingerprint()])


def decisions_file(root: Path, suite: str, edition: str, profile: str) -> Path:
    """Where the decisions of one edition lie."""
    return work_folder(root) / "editions" / suite / edition / profile / "decisions.json"


def write_json(file: Path, content: Any) -> None:
    """Plain JSON for the owner's eyes."""
    owned(file.parent)
    with in_words("the work folder"):
        write_whole(file, json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1) + "\n")


def read_json(file: Path) -> Any | None:
    """What `write_json` wrote, or None where there is none."""
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
