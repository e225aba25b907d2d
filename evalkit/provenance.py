"""What a delivered folder says of itself: hashes of what went in and came out, and under which plan and code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalkit import __version__
from evalkit.store import write_whole
from evalkit.study import Study, code_fingerprint, plan_of

MANIFEST, SUMS = "manifest.json", "manifest-sha256.txt"


def sha256_of(file: Path) -> str:
    """SHA-256 of a file, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write(folder: Path, study: Study, *, inputs: str, pages: Mapping[str, str], mode: int) -> None:
    """Write the manifest of one study's folder and the list of hashes that `sha256sum -c` reads.

    `pages` gives for each page the key of the unit of work that made it. No clock time, no path, no count of rows.
    """
    files = {file.name: sha256_of(file) for file in _delivered(folder)}
    plan = plan_of(study)
    content = {
        "study_fingerprint": study.fingerprint,
        "plan": {"state": plan.state, "hash": plan.hash, "locked_on": str(plan.locked_on) if plan.locked_on else None},
        "profile": study.profile,
        "inputs_sha256": inputs,
        "contracts": contract_versions(study.root / "data_contracts"),
        "evalkit": {"version": __version__, "source_sha256": code_fingerprint()},
        "requirements_sha256": _hash_or_none(study.root / "requirements.lock"),
        "pages": dict(sorted(pages.items())),
        "files": files,
    }
    write_whole(folder / MANIFEST, json.dumps(content, indent=1, sort_keys=True) + "\n", mode=mode)
    sums = {**files, MANIFEST: sha256_of(folder / MANIFEST)}
    write_whole(folder / SUMS, "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())), mode=mode)


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a delivered folder, every file of which still has its hash; empty where one has not."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        sound = all(sha256_of(folder / name) == digest for name, digest in content["files"].items())
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return content if sound else {}


def standing_pages(folder: Path, study: Study) -> dict[str, str]:
    """Pages of this very study that lie in the folder as they were delivered, with the keys of what made them."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        delivered = content["files"] if content["study_fingerprint"] == study.fingerprint else {}
        pages = {page: key for page, key in content["pages"].items() if page in delivered}
        return {page: key for page, key in pages.items() if sha256_of(folder / page) == delivered[page]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def contract_versions(folder: Path) -> dict[str, str]:
    """The version of every data contract, by its name."""
    import yaml

    contents = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.odcs.yaml")))
    return {content["id"]: content["version"] for content in contents}


def _delivered(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file() and file.name not in (MANIFEST, SUMS))


def _hash_or_none(file: Path) -> str | None:
    return sha256_of(file) if file.is_file() else None
