"""Go's duration notation: "1h30m", "250ms". Lengths are whole nanoseconds."""

import re

NANOSECOND = 1
MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_UNITS = {
    "ns": NANOSECOND,
    "us": MICROSECOND,
    "µs": MICROSECOND,
    "ms": MILLISECOND,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
    "d": DAY,
}
_PART = re.compile(r"([0-9]{1,18})(?:\.([0-9]{0,18}))?(ns|us|µs|ms|s|m|h|d)")
_BARE = re.compile(r"[-+]?[0-9]{1,18}")


def parse_duration(text: str) -> int:
    """Nanoseconds of "1h30m", "5d" or of bare digits, which are seconds. Raises ValueError."""
    stripped = text.strip()
    if _BARE.fullmatch(stripped):
        return int(stripped) * SECOND
    sign, body = 1, stripped
    if body[:1] in {"-", "+"}:
        sign, body = (-1 if body[0] == "-" else 1), body[1:]
    total, position = 0, 0
    while position < len(body):
        part = _PART.match(body, position)
        if part is None:
            break
        whole, fraction, unit = part.group(1), part.group(2) or "", _UNITS[part.group(3)]
        total += int(whole) * unit
        if fraction:
            total += int(fraction) * unit // 10 ** len(fraction)
        position = part.end()
    if not body or position != len(body):
        raise ValueError(f'time: invalid duration "{text}"')
    return sign * total


def format_duration(nanoseconds: int) -> str:
    """As Go prints a time.Duration: "0s", "1.5s", "10m0s", "1h0m0s"."""
    if nanoseconds < 0:
        return "-" + format_duration(-nanoseconds)
    if nanoseconds == 0:
        return "0s"
    for unit, name in ((MICROSECOND, "ns"), (MILLISECOND, "µs"), (SECOND, "ms")):
        if nanoseconds < unit:
            return _decimal(nanoseconds, max(unit // 1_000, 1)) + name
    minutes, rest = divmod(nanoseconds, MINUTE)
    seconds = _decimal(rest, SECOND) + "s"
    if not minutes:
        return seconds
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{seconds}" if hours else f"{minutes}m{seconds}"


def _decimal(amount: int, unit: int) -> str:
    whole, rest = divmod(amount, unit)
    if not rest:
        return str(whole)
    digits = len(str(unit)) - 1
    return f"{whole}.{str(rest).rjust(digits, '0').rstrip('0')}"


def humanize(nanoseconds: int) -> str:
    """Shorter: zero minutes and seconds at the end are left out ("768h", "10m")."""
    text = format_duration(nanoseconds)
    if text.endswith("m0s"):
        text = text[:-2]
    return text[:-2] if text.endswith("h0m") else text
