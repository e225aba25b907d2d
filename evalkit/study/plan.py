"""The plan lock: what was frozen before the data were read, and how a study departs from it."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

from evalkit.errors import StudyError
from evalkit.study.reading import canonical, fingerprint_of, write_whole
from evalkit.study.suite import ALL_AREAS, NOT_PART_OF_THE_PLAN, Study, Suite, contracts_of

NOT_SET = "not set"
COMPUTED_WITH = ("numpy", "scipy", "pandas", "statsmodels", "lifelines", "duckdb", "matplotlib", "afcharts")
WORDING = re.compile(r"^(title|question|source|funding)$|\.(label|name|description|notes)( \d+)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One setting that is not what the locked plan says; `is_wording` where it changes words and nothing else."""

    setting: str
    planned: str
    used: str
    is_wording: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Whether a study was planned in advance.

    Attributes
    ----------
    state : str
        `locked`, `locked_late` (after the data were to hand), `changed_after_lock` or `not_locked`.
    hash : str or None
        SHA-256 of the locked plan, in hex.
    locked_on : date or None
        The day on which it was locked.
    deviations : tuple of Deviation
        Every setting that differs from the locked plan; one that changes words alone does not make it another plan.
    earlier : tuple of date
        The days on which plans were locked that this one replaced.
    """

    state: str
    hash: str | None = None
    locked_on: date | None = None
    deviations: tuple[Deviation, ...] = ()
    earlier: tuple[date, ...] = ()


def lock_file(root: Path, suite: str) -> Path:
    """Where the lock of a suite lies: in `params/suites/`."""
    return root / "params" / "suites" / f"{suite}.lock.json"


def lock(suite: Suite, *, locked_on: date, code_version: str) -> str:
    """The hash under which the suite's plan is frozen; written beside the suite with a canonical copy of the plan.

    A lock that stands for the same plan is left as it is: its date is the day on which the plan was first frozen, and a
    setting that evalkit has learnt since, left as it is by the plan, makes no other plan. The
    day and hash of a plan that is replaced stay in the file, and are told in every report. The seal shows a change by
    hand; against one made with care only a public record helps, such as the history of a shared repository.
    """
    plan = suite.plan
    digest = fingerprint_of(plan)
    file = lock_file(suite.root, suite.slug)
    standing = _read(file)
    if standing is not None and not any(_differences(standing["plan"], plan)):
        return str(standing["hash"])
    replaced = [] if standing is None else [{name: standing[name] for name in ("hash", "locked_on")}]
    content = {
        "suite": suite.slug,
        "hash": digest,
        "locked_on": locked_on.isoformat(),
        "evalkit": code_version,
        "earlier": [*(standing or {}).get("earlier", []), *replaced],
        "plan": plan,
    }
    sealed = {**content, "seal": fingerprint_of(content)}
    try:
        write_whole(file, json.dumps(sealed, indent=1, sort_keys=True, ensure_ascii=False) + "\n", mode=0o644)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise StudyError(f"params/suites/{file.name}: cannot be written ({reason}).") from None
    return digest


def plan_of(study: Study) -> Plan:
    """The plan that a study stands under, from the lock beside its suite; the study's own word is not taken for it."""
    content = _read(lock_file(study.root, study.suite))
    if content is None:
        return Plan(state="not_locked")
    locked_on = date.fromisoformat(content["locked_on"])
    deviations = tuple(_deviations(content["plan"], study))
    late = study.protection != "open_data" and not study.is_made_up and locked_on >= study.extract_date
    changed = any(not deviation.is_wording for deviation in deviations)
    earlier = tuple(date.fromisoformat(each["locked_on"]) for each in content["earlier"])
    return Plan(
        state="changed_after_lock" if changed else "locked_late" if late else "locked",
        hash=content["hash"],
        locked_on=locked_on,
        deviations=deviations,
        earlier=earlier,
    )


def deviations_of(suite: Suite) -> tuple[Deviation, ...]:
    """Every setting of the suite that is no longer what its lock says; empty also where there is no lock."""
    content = _read(lock_file(suite.root, suite.slug))
    return () if content is None else tuple(_differences(content["plan"], suite.plan))


def _read(file: Path) -> dict[str, Any] | None:
    if not file.is_file():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        seal = content.pop("seal")
        whole = content["hash"] == fingerprint_of(content["plan"]) and seal == fingerprint_of(content)
        date.fromisoformat(content["locked_on"])
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise StudyError(
            f"params/suites/{file.name}: was changed after it was written, or is broken. Take the lock back from where "
            "it is kept under version control, or lock the suite again: the day of the lock is then today."
        )
    return content


def _deviations(plan: Mapping[str, Any], study: Study) -> Iterator[Deviation]:
    """The settings in which a study differs from what the locked plan would have made of it."""
    used = {**study.choices, "contracts": contracts_of(study.root, study.programme)}
    names = {area["slug"] for area in plan["areas"]}
    planned = {name: value for name, value in plan.items() if name in used}
    planned["contracts"] = {name: plan["contracts"].get(name) for name in study.programme.tables}
    planned["suite"] = plan["slug"]
    planned["area"] = study.area
    planned["programme"] = _named(plan["programmes"], "slug", study.programme.slug)
    planned["period"] = used["period"] if study.periods else _named(plan["funding_periods"], "name", study.period.name)
    planned["periods"] = plan["funding_periods"] if study.periods else []
    planned["areas"] = [area for area in plan["areas"] if study.area in (ALL_AREAS, area["slug"])]
    if study.area not in {*names, ALL_AREAS}:
        planned["area"] = None
    yield from _differences(planned, {name: value for name, value in used.items() if name not in NOT_PART_OF_THE_PLAN})


def _named(entries: list[dict[str, Any]], key: str, name: str) -> dict[str, Any] | None:
    return next((entry for entry in entries if entry[key] == name), None)


def _differences(planned: Mapping[str, Any], used: Mapping[str, Any]) -> Iterator[Deviation]:
    before, after = dict(_flat(planned)), dict(_flat(used))
    for setting in sorted({*before, *after}):
        was, is_now = before.get(setting, NOT_SET), after.get(setting, NOT_SET)
        if _plain(was) != _plain(is_now):
            yield Deviation(
                setting=setting, planned=_plain(was), used=_plain(is_now), is_wording=bool(WORDING.search(setting))
            )


def _flat(content: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(content, Mapping) and content:
        for key, value in content.items():
            yield from _flat(value, f"{name}.{key}" if name else key)
    elif isinstance(content, list) and content:
        for position, value in enumerate(content, start=1):
            yield from _flat(value, f"{name} {position}")
    else:
        yield name, content


def _plain(value: Any) -> str:
    if value is None or value in ([], {}):
        return NOT_SET
    return value if isinstance(value, str) else canonical(value)


@functools.cache
def code_fingerprint() -> str:
    """SHA-256 over evalkit's own source files and the libraries that compute and draw with it.

    What was made by other code, or by another version of a library, is never taken for this code's.
    """
    folder = Path(__file__).parents[1]
    files = sorted(file for file in folder.rglob("*") if file.suffix in (".py", ".j2", ".css"))
    libraries = [f"{name} {metadata.version(name)}" for name in COMPUTED_WITH]
    digest = hashlib.sha256(canonical([platform.python_version(), *libraries]).encode())
    for file in files:
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
