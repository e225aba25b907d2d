"""Results as plain JSON values, and back."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from typing import Any

from evalkit.results.measured import (
    Arm,
    Count,
    Curve,
    Design,
    Detectable,
    Difference,
    Estimate,
    Expected,
    Followed,
    Gate,
    Interval,
    LeftOut,
    Months,
    NotEstimable,
    Overlap,
)
from evalkit.results.released import Decision
from evalkit.results.strands import ExpectedShare, Readings, ReportersAgree, Transition


def encoded(value: Any) -> Any:
    """A result, or a tuple or plain value within one, as JSON values that `decoded` turns back."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {part.name: encoded(getattr(value, part.name)) for part in dataclasses.fields(value)}
        return {"noun": type(value).__name__, **parts}
    if isinstance(value, tuple | list):
        return [encoded(part) for part in value]
    return value


def decoded(content: Any) -> Any:
    """The result that `encoded` was given; lists come back as tuples."""
    if isinstance(content, list):
        return tuple(decoded(part) for part in content)
    if isinstance(content, dict) and "noun" in content:
        parts = {name: decoded(part) for name, part in content.items() if name != "noun"}
        return _NOUNS[content["noun"]](**parts)
    return content


_NOUNS: Mapping[str, Callable[..., Any]] = types.MappingProxyType(
    {
        noun.__name__: noun
        for noun in (
            Arm,
            Followed,
            Design,
            Estimate,
            NotEstimable,
            Count,
            Difference,
            Curve,
            Detectable,
            Decision,
            LeftOut,
            Expected,
            Months,
            Gate,
            Overlap,
            Interval,
            ExpectedShare,
            Transition,
            ReportersAgree,
            Readings,
        )
    }
)
