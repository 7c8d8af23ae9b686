"""Prints JSON values as Go's `%v` does, and durations for people."""

import re
from typing import Any

from strongroom_node.client.durations import SECOND, humanize

_DURATION_NAMES = frozenset({"period", "ttl", "duration", "lease_max", "ttl_max"})
_DURATION_ENDS = ("_period", "_ttl", "_duration", "_lease_max", "_ttl_max")
_WHOLE = re.compile(r"-?[0-9]{1,18}")


def plain(value: Any) -> str:
    """A value in a table cell: `map[a:1 b:[x y]]`, `<nil>`, `true`."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case dict():
            return "map[" + " ".join(f"{key}:{plain(value[key])}" for key in sorted(value)) + "]"
        case list():
            return "[" + " ".join(plain(item) for item in value) + "]"
        case _:
            return str(value)


def quoted_list(values: Any) -> str:
    """A list of strings as `["default" "dev"]`."""
    if not isinstance(values, list):
        return "[]"
    return "[" + " ".join(quoted(str(value)) for value in values) + "]"


def quoted(text: str) -> str:
    """A text in double quotes with Go's escapes for the quote and the backslash."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def is_duration_name(name: str) -> bool:
    """Whether a key tells a length of time in seconds."""
    return name in _DURATION_NAMES or name.endswith(_DURATION_ENDS)


def human_seconds(value: Any) -> str:
    """Seconds as "768h", "1h", "0s"; anything that is not a whole number as it is."""
    if isinstance(value, bool) or not isinstance(value, int):
        return plain(value)
    return humanize(value * SECOND)


def wrap(text: str, indent: int, width: int = 78) -> str:
    """Words in lines of at most `width` characters, each line indented. Newlines in the text stay."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            if line and len(line) + 1 + len(word) > width - indent:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        lines.append(line)
    return "\n".join(" " * indent + line if line else line for line in lines)
