"""Constraints on the parameters of a request."""

from collections.abc import Mapping
from typing import Any

from strongroom_node.policy.rules import ParameterValues


def are_permitted(
    data: Mapping[str, Any], allowed: ParameterValues, denied: ParameterValues, required: tuple[str, ...]
) -> bool:
    """Whether a request with these parameters may pass.

    Required ones must be there; then denied ones (`*` denies all) win over allowed ones (`*` allows the
    rest). Names ignore case. A request without parameters passes if none is required.
    """
    if any(name.lower() not in data for name in required):
        return False
    if not data:
        return True
    if denied and ("*" in denied or _any_denied(data, denied)):
        return False
    return not allowed or _all_allowed(data, allowed)


def _any_denied(data: Mapping[str, Any], denied: ParameterValues) -> bool:
    for name, value in data.items():
        values = denied.get(name.lower())
        if values is not None and (not values or any(_is_same(value, one, loose=True) for one in values)):
            return True
    return False


def _all_allowed(data: Mapping[str, Any], allowed: ParameterValues) -> bool:
    others_too = "*" in allowed
    for name, value in data.items():
        values = allowed.get(name.lower())
        if values is None:
            if not others_too:
                return False
        elif values and not any(_is_same(value, one, loose=False) for one in values):
            return False
    return True


def _is_same(value: Any, pattern: Any, *, loose: bool) -> bool:
    """Whether a parameter's value is the one in the policy.

    Vault compares a policy's numbers and objects with the request's by their Go types, so they never match.
    For allowed values that refuses too much, which is safe and kept. For denied values (`loose`) it would
    let pass what the policy forbids, so there equal values match.
    """
    if isinstance(pattern, str) and isinstance(value, str):
        return _glob_matches(pattern, value)
    if isinstance(pattern, bool) or isinstance(value, bool) or pattern is None or value is None:
        return pattern is value
    if isinstance(pattern, list) and isinstance(value, list):
        return len(pattern) == len(value) and all(
            _is_equal(mine, theirs, loose=loose) for mine, theirs in zip(value, pattern, strict=True)
        )
    return loose and bool(pattern == value)


def _is_equal(value: Any, pattern: Any, *, loose: bool) -> bool:
    """Inside lists there are no globs."""
    if isinstance(pattern, str) or isinstance(value, str):
        return bool(pattern == value)
    return _is_same(value, pattern, loose=loose)


def _glob_matches(pattern: str, value: str) -> bool:
    """`*` at the beginning, the end or both stands for anything; a lone `*` is itself."""
    if len(pattern) < 2:
        return pattern == value
    starts, ends = pattern.startswith("*"), pattern.endswith("*")
    if starts and ends:
        return pattern[1:-1] in value
    if starts:
        return value.endswith(pattern[1:])
    if ends:
        return value.startswith(pattern[:-1])
    return pattern == value
