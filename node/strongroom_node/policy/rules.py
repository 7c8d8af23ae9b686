"""A policy and its path rules, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

ParameterValues: TypeAlias = Mapping[str, tuple[Any, ...]]
"""Lower-cased parameter name to the values it may (or may not) have; none listed means any."""


class Shape(Enum):
    """How a rule's path is matched."""

    EXACT = "exact"
    PREFIX = "prefix"
    SEGMENTS = "segments"


def shape_of(path: str) -> tuple[Shape, str]:
    """The shape of a written path, and the path without the star of a prefix.

    A path with `+` as a segment (or a segment that begins with `+`) keeps its star: its matching needs it.
    """
    if path == "+" or "/+" in path or path.startswith("+/"):
        return Shape.SEGMENTS, path
    if path.endswith("*"):
        return Shape.PREFIX, path[:-1]
    return Shape.EXACT, path


@dataclass(frozen=True, slots=True)
class PathRule:
    """One `path "..." { }` block. Durations are seconds, 0 when not given."""

    path: str
    """As written, without a leading slash; may hold templates."""
    capabilities: int
    allowed: ParameterValues = field(default_factory=dict)
    denied: ParameterValues = field(default_factory=dict)
    required: tuple[str, ...] = ()
    min_wrapping_ttl: float = 0.0
    max_wrapping_ttl: float = 0.0
    page_limit: int = 0
    expires: float = 0.0
    """Unix seconds after which the rule is no longer there; 0 for never."""

    @property
    def is_templated(self) -> bool:
        """True if the path depends on the caller's identity."""
        return "{{" in self.path


@dataclass(frozen=True, slots=True)
class Policy:
    """A named policy. `text` is what the operator wrote."""

    name: str
    rules: tuple[PathRule, ...]
    text: str = field(default="", repr=False)
    warnings: tuple[str, ...] = ()
    """Sentences for whoever writes the policy: what is accepted but has no effect."""

    @property
    def is_templated(self) -> bool:
        """True if some path depends on the caller's identity."""
        return any(rule.is_templated for rule in self.rules)
