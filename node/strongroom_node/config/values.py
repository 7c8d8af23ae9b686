"""Settings' types: from a literal of the text to a checked Python value.

Vault takes `"true"`, `true` and `1` alike, numbers as strings, lists as comma-separated strings. Messages name
the setting and its type and never repeat the value: it may be a key.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final, TypeAlias

from strongroom_node.hcl import HCLError, Kind, ListValue, Literal, ObjectValue, Value, plain_value
from strongroom_node.sdk.durations import DurationInvalid, parse_duration

Network: TypeAlias = IPv4Network | IPv6Network

_TRUE: Final = frozenset({"1", "t", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "f", "false", "no", "off", ""})
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}\Z")
_STATUS: Final = re.compile(r"default|[1-5](xx|[0-9]{2})\Z")
_HEADER: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_SIZES: Final = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}


def _scalar(name: str, value: Value, wanted: str) -> Literal:
    if not isinstance(value, Literal) or value.kind is Kind.NULL:
        raise HCLError(value.position, f"{name} must be {wanted}")
    return value


def text(name: str, value: Value) -> str:
    """A string; a number or boolean counts as it was written."""
    return _scalar(name, value, "a string").text


def boolean(name: str, value: Value) -> bool:
    """True or false, in any of the spellings Vault takes."""
    literal = _scalar(name, value, "true or false")
    word = literal.text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise HCLError(literal.position, f"{name} must be true or false")


def whole(name: str, value: Value) -> int:
    """A whole number."""
    literal = _scalar(name, value, "a whole number")
    if isinstance(literal.value, int) and not isinstance(literal.value, bool):
        return literal.value
    if isinstance(literal.value, str) and _WHOLE.match(literal.value.strip()):
        return int(literal.value)
    raise HCLError(literal.position, f"{name} must be a whole number")


def size(name: str, value: Value) -> int:
    """Bytes: a whole number, or one with a unit such as `10mib`."""
    literal = _scalar(name, value, "a size in bytes")
    found = re.fullmatch(r"([+-]?[0-9]{1,15})\s*([a-zA-Z]*)", literal.text.strip())
    if found is None or found[2].lower() not in _SIZES:
        raise HCLError(literal.position, f"{name} must be a size in bytes")
    return int(found[1]) * _SIZES[found[2].lower()]


def duration(name: str, value: Value) -> float:
    """Seconds: a number, or a text such as `90s`, `1h30m` or `5d`."""
    literal = _scalar(name, value, "a duration")
    if literal.kind is not Kind.BOOL:
        try:
            seconds = parse_duration(literal.text)
        except DurationInvalid:
            seconds = -1.0
        if seconds >= 0:
            return seconds
    raise HCLError(literal.position, f'{name} must be a duration such as "90s" or "5d"')


def texts(name: str, value: Value) -> tuple[str, ...]:
    """Strings: a list, or one string with commas."""
    if isinstance(value, ListValue):
        return tuple(text(name, part) for part in value.items)
    joined = _scalar(name, value, "a list of strings").text
    return tuple(part.strip() for part in joined.split(",") if part.strip())


def networks(name: str, value: Value) -> tuple[Network, ...]:
    """Addresses and CIDR blocks; a plain address stands for itself."""
    found = []
    for part in texts(name, value):
        try:
            found.append(ip_network(part.strip(), strict=False))
        except ValueError:
            raise HCLError(value.position, f"{name} must hold addresses or CIDR blocks") from None
    return tuple(found)


def octal(name: str, value: Value) -> int:
    """A file mode: digits of a string or a number are octal."""
    literal = _scalar(name, value, "an octal file mode")
    digits = literal.text.lower().removeprefix("0o")
    if re.fullmatch(r"[0-7]{0,5}", digits) is None:
        raise HCLError(literal.position, f"{name} must be an octal file mode")
    return int(digits or "0", 8)


def mapping(name: str, value: Value) -> Mapping[str, Any]:
    """Plain values by name."""
    if not isinstance(value, ObjectValue):
        raise HCLError(value.position, f"{name} must be a block")
    return {item.name: plain_value(item.value) for item in value.items}


def anything(_name: str, value: Value) -> Any:
    """Whatever is written there, as plain Python values."""
    return plain_value(value)


def response_headers(name: str, value: Value) -> Mapping[str, Mapping[str, str]]:
    """`default`, a class (`2xx`) or a status (`404`) to headers; several values of one are joined by `; `."""
    made: dict[str, dict[str, str]] = {}
    for part in value.items if isinstance(value, ListValue) else (value,):
        if not isinstance(part, ObjectValue):
            raise HCLError(value.position, f"{name} must be a block")
        for item in part.items:
            if _STATUS.match(item.name) is None:
                raise HCLError(item.position, f'{name}: "default", a status or a class such as "2xx" must come first')
            made.setdefault(item.name, {}).update(_headers(name, item.value))
    return made


def _headers(name: str, value: Value) -> dict[str, str]:
    made: dict[str, str] = {}
    for part in value.items if isinstance(value, ListValue) else (value,):
        if not isinstance(part, ObjectValue):
            raise HCLError(part.position, f"{name} must hold headers by name")
        for item in part.items:
            joined = "; ".join(
                texts(name, item.value) if isinstance(item.value, ListValue) else [text(name, item.value)]
            )
            if _HEADER.match(item.name) is None or any(ord(char) < 32 or ord(char) == 127 for char in joined):
                raise HCLError(item.position, f"{name}: not a header that HTTP can carry")
            made[item.name] = joined
    return made
