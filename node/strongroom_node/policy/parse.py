"""Policy text, HCL or JSON, to a `Policy`; errors in the words that clients of Vault know."""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from strongroom_node import hcl
from strongroom_node.policy import capability
from strongroom_node.policy.rules import PathRule, Policy
from strongroom_node.policy.template import TemplateInvalid, check_template
from strongroom_node.sdk.durations import DurationInvalid, parse_duration

_TOP_KEYS: Final = frozenset({"name", "path"})
_WITHOUT_EFFECT: Final = ("mfa_methods", "control_group")
_PATH_KEYS: Final = frozenset(
    {
        "comment",
        "policy",
        "capabilities",
        "allowed_parameters",
        "denied_parameters",
        "required_parameters",
        "min_wrapping_ttl",
        "max_wrapping_ttl",
        "pagination_limit",
        "expiration",
        *_WITHOUT_EFFECT,
    }
)


class PolicyInvalid(ValueError):
    """The text is no policy; the message begins with `failed to parse policy: `."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"failed to parse policy: {reason}")


class _Fault(ValueError):
    """A reason, not yet under its prefix."""


def decode_text(text: str) -> str:
    """The policy text of a request: as it is, or out of base64 if all of it is base64."""
    try:
        return base64.b64decode("".join(text.split("\n")).replace("\r", ""), validate=True).decode() or text
    except (binascii.Error, ValueError):
        return text


def parse_policy(name: str, text: str) -> Policy:
    """Read the rules of a policy. Raises PolicyInvalid."""
    try:
        tree = hcl.parse(text)
        _check_keys(tree, _TOP_KEYS)
        _string(tree.find("name"), "name")
        rules: list[PathRule] = []
        warnings: list[str] = []
        for path, body in _path_blocks(tree):
            rules.append(_rule(path, body))
            warnings += [f"path {_quoted(path)}: {key} has no effect" for key in _WITHOUT_EFFECT if body.named(key)]
        return Policy(name, tuple(rules), text, tuple(warnings))
    except (hcl.HCLError, _Fault) as error:
        raise PolicyInvalid(str(error)) from None


def errors_occurred(reasons: Sequence[str]) -> str:
    """Several errors the way Go's multierror prints them."""
    head = "1 error occurred:" if len(reasons) == 1 else f"{len(reasons)} errors occurred:"
    return head + "".join(f"\n\t* {reason}" for reason in reasons) + "\n\n"


def _quoted(text: str) -> str:
    """In quotes, with what could end them or the line escaped."""
    return json.dumps(text, ensure_ascii=False)


def _check_keys(tree: hcl.ObjectValue, known: frozenset[str], prefix: str = "") -> None:
    reasons = [
        f"{prefix}invalid key {_quoted(item.name)} on line {item.assign_line}"
        for item in tree.items
        if item.name not in known
    ]
    if reasons:
        raise _Fault(errors_occurred(reasons))


def _path_blocks(tree: hcl.ObjectValue) -> Iterator[tuple[str, hcl.ObjectValue]]:
    for item in tree.named("path"):
        parts = item.value.items if isinstance(item.value, hcl.ListValue) else (item.value,)
        if not all(isinstance(part, hcl.ObjectValue) for part in parts):
            raise _Fault(f"At {item.value.position}: path must be a block with a path as its name")
    for block in hcl.blocks(tree, "path"):
        yield block.labels[0] if block.labels else "path", block.body


def _rule(written: str, body: hcl.ObjectValue) -> PathRule:
    prefix = f"path {_quoted(written)}: "
    try:
        check_template(written)
    except TemplateInvalid as error:
        raise _Fault(f"failed to validate policy templating: {error}") from None
    _check_keys(body, _PATH_KEYS, prefix)
    path = written.removeprefix("/")
    if "+*" in path:
        raise _Fault(f"path {_quoted(path)}: invalid use of wildcards ('+*' is forbidden)")
    try:
        bits = _capabilities(body)
        if bits & capability.DENY:
            return PathRule(path, capability.DENY, expires=_expiration(body))
        rule = PathRule(
            path,
            bits,
            allowed=_parameters(body, "allowed_parameters"),
            denied=_parameters(body, "denied_parameters"),
            required=tuple(_strings(body, "required_parameters")),
            min_wrapping_ttl=_ttl(body, "min_wrapping_ttl"),
            max_wrapping_ttl=_ttl(body, "max_wrapping_ttl"),
            page_limit=_page_limit(body),
            expires=_expiration(body),
        )
    except _Fault as error:
        raise _Fault(f"{prefix}{error}") from None
    if 0 < rule.max_wrapping_ttl < rule.min_wrapping_ttl:
        raise _Fault("max_wrapping_ttl cannot be less than min_wrapping_ttl")
    return rule


def _capabilities(body: hcl.ObjectValue) -> int:
    bits = 0
    old = _string(body.find("policy"), "policy")
    if old:
        if old not in capability.OLD_POLICIES:
            raise _Fault(f"invalid policy {_quoted(old)}")
        bits = capability.OLD_POLICIES[old]
    for name in _strings(body, "capabilities"):
        if name == "deny" or bits & capability.DENY:
            return capability.DENY
        if name not in capability.BITS:
            raise _Fault(f"invalid capability {_quoted(name)}")
        bits |= capability.BITS[name]
    return bits


def _string(value: hcl.Value | None, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, hcl.Literal) or value.kind in (hcl.Kind.BOOL, hcl.Kind.NULL):
        raise _Fault(f"At {value.position}: {name} must be a string")
    return value.text


def _strings(body: hcl.ObjectValue, name: str) -> Iterator[str]:
    for item in body.named(name):
        if not isinstance(item.value, hcl.ListValue):
            raise _Fault(f"At {item.value.position}: {name} must be a list of strings")
        for part in item.value.items:
            yield _string(part, f"each of {name}")


def _parameters(body: hcl.ObjectValue, name: str) -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {}
    for item in body.named(name):
        if not isinstance(item.value, hcl.ObjectValue):
            raise _Fault(f"At {item.value.position}: {name} must be an object")
        for entry in item.value.items:
            if not isinstance(entry.value, hcl.ListValue):
                raise _Fault(f"At {entry.value.position}: {name}: the values of a parameter must be a list")
            key = entry.name.lower()
            found[key] = found.get(key, ()) + tuple(hcl.plain_value(part) for part in entry.value.items)
    return found


def _ttl(body: hcl.ObjectValue, name: str) -> float:
    value = body.find(name)
    if value is None:
        return 0.0
    try:
        seconds = parse_duration(_string(value, name))
    except DurationInvalid as error:
        raise _Fault(f"error parsing {name}: {error}") from None
    if seconds < 0:
        raise _Fault(f"error parsing {name}: it cannot be negative")
    return seconds


def _page_limit(body: hcl.ObjectValue) -> int:
    text = _string(body.find("pagination_limit"), "pagination_limit")
    try:
        return max(0, int(text or "0"))
    except ValueError:
        raise _Fault(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _expiration(body: hcl.ObjectValue) -> float:
    """Unix seconds of an RFC 3339 time or of a number of seconds; 0 when none is given."""
    text = _string(body.find("expiration"), "expiration")
    if not text:
        return 0.0
    try:
        if text.isascii() and text.isdigit():
            return float(text)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise _Fault("invalid expiration time: could not parse string as date and time") from None
