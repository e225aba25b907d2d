"""Settings files in words: where they lie, and every mistake in them named at once with the nearest valid name."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

from evalkit.errors import StudyError


class Settings(BaseModel):
    """What every settings noun has in common: it cannot be changed, and no key of it is ever ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _as_written(cls, value: Any, info: ValidationInfo) -> Any:
        """A number is a number and a text a text: what YAML makes of 'yes', '1:30' or "364" is not guessed at."""
        wanted = cls.model_fields[info.field_name or ""].annotation
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if _wants(wanted, int) or _wants(wanted, float):
            if not number and value is not None:
                raise ValueError(f"'{value}' is not a {'whole number' if _wants(wanted, int) else 'number'}.")
        elif (number or isinstance(value, bool)) and not _wants(wanted, bool):
            raise ValueError(f"'{value}' must be a text or a date; put a text in quotation marks.")
        return value


def _wants(annotation: Any, kind: type) -> bool:
    return annotation is kind or any(_wants(part, kind) for part in get_args(annotation) if part is not annotation)


OWNER_FILE = 0o600
Model = TypeVar("Model", bound=BaseModel)


def project_root(start: Path | None = None) -> Path:
    """The nearest folder that holds `params/`, upwards from `start` and then from the current folder."""
    for origin in filter(None, (start, Path.cwd())):
        for folder in (origin.resolve(), *origin.resolve().parents):
            if (folder / "params").is_dir():
                return folder
    raise StudyError(
        f"no folder called 'params' was found in {Path.cwd().name} or above it. "
        "Run the command in the project's folder, or in a folder made from it."
    )


def located(name: str | Path) -> Path:
    """The file `name` as given, or below the project's folder when it is relative and not found where it is asked."""
    path = Path(name)
    if path.is_absolute() or path.exists():
        return path.resolve()
    return project_root() / path


def shown(path: Path) -> str:
    """A path for a message: below the project's folder where it lies there, else its name alone."""
    for folder in path.resolve().parents:
        if (folder / "params").is_dir():
            return path.resolve().relative_to(folder).as_posix()
    return path.name


def nearest(name: str, valid: Iterable[str]) -> str:
    """The end of a message that names what was probably meant, or else all that there is."""
    names = sorted(valid)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"Did you mean '{close[0]}'?"
    return f"There are: {', '.join(names)}." if names else "There are none yet."


class _StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe YAML in which a key that stands twice is an error and not the last one wins; read by libyaml if it is there.

    That is eight times as fast, and every command and every test reads dozens of files.
    """


def _mapping_once(loader: _StrictLoader, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(
                None, None, f"the setting {key!r} must be in quotes to be read as a name", key_node.start_mark
            )
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"'{key}' is set twice", key_node.start_mark)
        seen.add(key)
    return yaml.SafeLoader.construct_mapping(loader, node, deep)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_once)


def settings_of(path: Path) -> dict[str, Any]:
    """The settings in a YAML file; a `StudyError` in words where it is missing, empty or not such a file."""
    if not path.is_file():
        beside = [other.name for other in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
        raise StudyError(f"{shown(path)}: there is no such file. {nearest(path.name, beside)}")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 (a SafeLoader)
    except UnicodeDecodeError:
        raise StudyError(f"{shown(path)}: is not a text file in UTF-8. Save it as UTF-8 and try again.") from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise StudyError(f"{shown(path)}: {line}{error.problem or 'cannot be read as YAML'}.") from None
    except (yaml.YAMLError, ValueError):
        raise StudyError(
            f"{shown(path)}: cannot be read as YAML; it may hold a character or a date that does not exist."
        ) from None
    if not isinstance(content, dict):
        raise StudyError(f"{shown(path)}: is empty or not a list of settings of the form 'name: value'.")
    return content


def validated(model: type[Model], content: Mapping[str, Any], path: Path | str) -> Model:
    """`content` as a `model`; a `StudyError` that names every mistake in it."""
    name = shown(path) if isinstance(path, Path) else path
    try:
        return model.model_validate(content)
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems = sorted(
            {_in_words(model, detail) for detail in details if not _follows_from_another(detail, details)}
        )
    raise StudyError("\n".join(f"{name}: {problem}" for problem in problems))


def _follows_from_another(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """A list is called too short when the entries that it has could not be read: only they are worth saying."""
    place = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in details
    )


def _in_words(model: type[BaseModel], detail: ErrorDetails) -> str:
    place, kind, context = detail["loc"], detail["type"], detail.get("ctx", {})
    setting = _dotted(place)
    if kind == "extra_forbidden":
        return f"there is no setting called '{setting}'. {nearest(str(place[-1]), _settings_at(model, place[:-1]))}"
    if kind == "missing":
        return f"the setting '{setting}' is missing."
    if kind == "value_error":
        words = str(context.get("error", detail["msg"]))
        return f"{setting}: {words}" if setting else words
    if kind in ("literal_error", "enum"):
        valid = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        return f"{setting}: '{detail['input']}' is not a valid choice. {nearest(str(detail['input']), valid)}"
    if kind == "string_pattern_mismatch":
        return f"{setting}: '{detail['input']}' is not a slug; use small letters, digits and single hyphens."
    if kind in ("int_parsing", "int_type", "int_from_float"):
        return f"{setting}: '{detail['input']}' is not a whole number."
    if kind.startswith("date"):
        return f"{setting}: '{detail['input']}' is not a date; write it as 2026-09-30."
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"{setting}: needs settings of its own, each of the form 'name: value'."
    if kind == "tuple_type":
        return f"{setting}: is a list; write it in square brackets."
    message = detail["msg"][0].lower() + detail["msg"][1:]
    return f"{setting}: {message}."


def _dotted(place: tuple[int | str, ...]) -> str:
    """A place in words; what stands in brackets tells two forms of one setting apart and is none itself."""
    words = [part if isinstance(part, str) else f"entry {part + 1}" for part in place]
    return ".".join(word for word in words if not word.startswith("("))


def _settings_at(model: type[BaseModel], place: tuple[int | str, ...]) -> Iterator[str]:
    """Names of the settings that are valid where `place` leads to."""
    current: Any = model
    for part in place:
        if isinstance(part, str) and part in getattr(current, "model_fields", {}):
            current = _model_in(current.model_fields[part].annotation)
    yield from getattr(current, "model_fields", {})


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def canonical(content: Any) -> str:
    """`content` as the one JSON text that stands for it: keys sorted, text in NFC, floats by repr, no blanks."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return unicodedata.normalize("NFC", text)


def fingerprint_of(content: Any) -> str:
    """SHA-256 of the canonical text, in hex; its first twelve characters are what a page prints."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def write_whole(file: Path, content: str | bytes, *, mode: int = OWNER_FILE) -> None:
    """Write so that the file is the old one or the new one, never half of either, nor open to others meanwhile."""
    data = content.encode() if isinstance(content, str) else content
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
