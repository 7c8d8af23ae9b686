"""How long a token or a lease may last. Nothing here reads a clock or a store."""

import math
from dataclasses import dataclass, field

from strongroom_node.sdk.durations import format_duration
from strongroom_node.sdk.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Limits:
    """What a mount allows, in seconds: the length when nobody says, and the longest."""

    default: float
    max: float


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for, in seconds, 0 meaning unsaid.

    `increment` is the caller's wish and goes before `ttl`, the issuer's. `max_ttl` and `explicit_max_ttl` can only
    lower the mount's own. `period` makes a token that may be renewed for ever, and whose only end is the explicit one.
    """

    increment: float = 0.0
    ttl: float = 0.0
    period: float = 0.0
    max_ttl: float = 0.0
    explicit_max_ttl: float = 0.0


@dataclass(frozen=True, slots=True)
class Grant:
    """What is granted: seconds from now, the end in Unix seconds, and what the caller should be told."""

    ttl: float
    expire_time: float
    warnings: list[str] = field(default_factory=list)


def grant(wish: Wish, limits: Limits, start: float, now: float) -> Grant:
    """Decide a length for what was issued at `start`, asked at `now` (both Unix seconds).

    Whole seconds of both times are compared, so that a lease renewed at once shows its full length; the end itself
    never goes past the exact limit. Raises BadRequest when the limit is reached already.
    """
    longest = min([limits.max, *(most for most in (wish.max_ttl, wish.explicit_max_ttl) if most > 0)])
    if longest <= 0:
        raise BadRequest("max TTL must be greater than zero")
    warnings: list[str] = []
    if wish.period > 0:
        ttl = wish.period
        if ttl > longest:
            warnings.append(
                f'period of "{short(ttl)}" exceeded the effective max_ttl of "{short(longest)}"; '
                "period value is capped accordingly"
            )
            ttl = longest
        allowed = wish.explicit_max_ttl
    else:
        ttl = wish.increment if wish.increment > 0 else wish.ttl if wish.ttl > 0 else limits.default
        allowed = longest
    if allowed <= 0:
        return Grant(ttl, now + ttl, warnings)
    left = math.floor(start) + allowed - math.floor(now)
    if left <= 0 or start + allowed <= now:
        raise BadRequest("past the max TTL, cannot renew")
    if ttl > left:
        warnings.append(
            f'TTL of "{short(ttl)}" exceeded the effective max_ttl of "{short(left)}"; TTL value is capped accordingly'
        )
        ttl = left
    return Grant(ttl, min(now + ttl, start + allowed), warnings)


def lesser(*lengths: float) -> float:
    """The smallest of the lengths that are set, 0 if none is."""
    return min((length for length in lengths if length > 0), default=0.0)


def remaining(expire_time: float, now: float) -> int:
    """Whole seconds that are left, as answers show them; 0 without an end or after it."""
    return max(0, int(expire_time - round(now))) if expire_time else 0


def short(seconds: float) -> str:
    """A duration as warnings show it: "768h", "1h30m", "2s"."""
    text = format_duration(seconds)
    if text.endswith("m0s"):
        text = text[:-2]
    return text[:-2] if text.endswith("h0m") else text
