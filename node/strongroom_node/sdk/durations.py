"""Durations as Vault writes them: seconds, or "1h30m", "5d", "250ms"."""

import math
import re

_UNITS_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d)")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?\Z")
SECONDS_MAX = 9_223_372_036.0
"""What a signed 64-bit count of nanoseconds can hold, as in Vault."""


class DurationInvalid(ValueError):
    """The text is no duration; the message says which text."""


def parse_duration(value: str | float) -> float:
    """Seconds of a number (seconds already) or a text such as "90", "1h30m", "5d" or "-1s"."""
    if isinstance(value, bool):
        raise DurationInvalid("a boolean is no duration")
    if isinstance(value, int) and abs(value) > SECONDS_MAX:
        raise DurationInvalid("duration out of range")  # before float(), which has a range of its own
    seconds = float(value) if isinstance(value, (int, float)) else _parse_text(value.strip())
    if not math.isfinite(seconds) or abs(seconds) > SECONDS_MAX:
        raise DurationInvalid(f"duration out of range: {value!r}")
    return seconds


def _parse_text(text: str) -> float:
    if text == "":
        return 0.0
    if len(text) > 64:
        raise DurationInvalid("duration text is too long")
    if _NUMBER.match(text):
        return float(text)
    sign, rest = (-1.0, text[1:]) if text[0] == "-" else (1.0, text.removeprefix("+"))
    total, at = 0.0, 0
    while at < len(rest):
        part = _PART.match(rest, at)
        if part is None:
            raise DurationInvalid(f'time: invalid duration "{text}"')
        total += float(part[1]) * _UNITS_SECONDS[part[2]]
        at = part.end()
    if at == 0:
        raise DurationInvalid(f'time: invalid duration "{text}"')
    return sign * total


def format_duration(seconds: float) -> str:
    """Go's way of writing a duration: "1h0m0s", "1m30s", "0s", "250ms"."""
    if seconds == 0:
        return "0s"
    sign = "-" if seconds < 0 else ""
    seconds = abs(seconds)
    if seconds < 1:
        return f"{sign}{seconds * 1000:g}ms"
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{rest:.9f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{sign}{int(hours)}h{int(minutes)}m{text}"
    return f"{sign}{int(minutes)}m{text}" if minutes else f"{sign}{text}"
