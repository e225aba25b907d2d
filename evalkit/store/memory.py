"""Steps remembered: the same study on the same data is computed once, however many notebooks ask for it."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from evalkit.results import decoded, encoded
from evalkit.store.cut import cut_of
from evalkit.store.work import in_words, owned, read_json, study_key, work_folder, write_json
from evalkit.study import Study, fingerprint_of

if TYPE_CHECKING:
    import pandas as pd

Given = ParamSpec("Given")
Noun = TypeVar("Noun")


def remembered(noun: type) -> Callable[[Callable[Given, Noun]], Callable[Given, Noun]]:
    """A step whose last argument is the study: what it made before of the same arguments is read back, not made again.

    Kept by the study's key and by the content of every noun among the arguments, so that a cohort or a comparison
    that was altered by hand never gets the result of the unaltered one. What is returned has always been through the
    file, so that the first and every later run see the same bytes. `noun` is the class returned, or tuple.
    """

    def wrap(step: Callable[Given, Noun]) -> Callable[Given, Noun]:
        @functools.wraps(step)
        def recalled(*given: Given.args, **named: Given.kwargs) -> Noun:
            bound = inspect.signature(step).bind(*given, **named).arguments
            file = _file(f"{step.__module__}.{step.__name__}", tuple(bound.values()))
            try:
                return _recall(file, noun)
            except (FileNotFoundError, ValueError):  # never made, or torn when the machine stopped
                _keep(file, step(*given, **named))
            return _recall(file, noun)

        return recalled

    return wrap


def shelf(study: Study) -> Path:
    """The folder that keeps what was computed for this study on its data as they now are."""
    key = study_key(study, cut_of(study).fingerprint)
    return owned(work_folder(study.root) / "results" / key)


def _file(step: str, given: tuple[Any, ...]) -> Path:
    nouns = [_content(noun) for noun in given if dataclasses.is_dataclass(noun)]
    name = step.removeprefix("evalkit.").replace(".", "-")
    return shelf(given[-1]) / f"{name}-{fingerprint_of(nouns)[:12]}.json"


def _content(noun: Any) -> list[Any]:
    return [[field.name, _part(getattr(noun, field.name))] for field in dataclasses.fields(noun)]


def _part(value: Any) -> Any:
    if isinstance(value, Path):
        return value.name
    return _frame_hash(value) if _is_frame(value) else encoded(value)


def _is_frame(value: Any) -> bool:
    return hasattr(value, "columns") and hasattr(value, "dtypes")


def _frame_hash(frame: pd.DataFrame) -> str:
    import pandas as pd

    rows = pd.util.hash_pandas_object(frame, index=True).to_numpy().tobytes()
    return hashlib.sha256("\0".join(map(str, frame.columns)).encode() + rows).hexdigest()


def _keep(file: Path, made: Any) -> None:
    if not dataclasses.is_dataclass(made):
        return write_json(file, encoded(made))
    content: dict[str, Any] = {}
    for field in dataclasses.fields(made):
        value = getattr(made, field.name)
        if _is_frame(value):
            _keep_frame(file.with_suffix(f".{field.name}.parquet"), value)
        else:
            content[field.name] = encoded(value)
    return write_json(file, content)


def _recall(file: Path, noun: type) -> Any:
    content: Any = read_json(file)
    if content is None:
        raise FileNotFoundError(file.name)
    if not dataclasses.is_dataclass(noun):
        return decoded(content)
    frames = {
        field.name: _recall_frame(file.with_suffix(f".{field.name}.parquet"))
        for field in dataclasses.fields(noun)
        if field.name not in content
    }
    return noun(**{name: decoded(value) for name, value in content.items()}, **frames)


def _keep_frame(file: Path, frame: pd.DataFrame) -> None:
    import duckdb

    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    with in_words("the work folder"):
        os.close(os.open(temporary, os.O_CREAT | os.O_WRONLY, 0o600))
        with duckdb.connect() as connection:
            connection.register("frame", frame)
            try:
                connection.execute(f"COPY frame TO '{str(temporary).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)")
            except duckdb.IOException as error:
                temporary.unlink(missing_ok=True)
                raise OSError(28 if "space" in str(error).lower() else 5, "") from None
        temporary.chmod(0o600)
        os.replace(temporary, file)


def _recall_frame(file: Path) -> pd.DataFrame:
    import duckdb

    if not file.is_file():
        raise FileNotFoundError(file.name)
    with duckdb.connect() as connection:
        return connection.execute("SELECT * FROM read_parquet(?)", [str(file)]).df()
