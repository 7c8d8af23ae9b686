"""Points in time as records keep them, in microseconds since the epoch, and as answers show them, in RFC 3339."""

import time
from functools import lru_cache
from typing import Final

MICROSECONDS: Final = 1_000_000


def micros(seconds: float) -> int:
    """Microseconds of seconds; of a time or of a duration."""
    return round(seconds * MICROSECONDS)


def format_micros(value: int) -> str:
    """RFC 3339 in UTC, with as many digits after the point as are needed: `2026-01-02T03:04:05.25Z`."""
    seconds, rest = divmod(value, MICROSECONDS)
    if not rest:
        return _second(seconds) + "Z"
    return f"{_second(seconds)}.{rest:06d}".rstrip("0") + "Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
