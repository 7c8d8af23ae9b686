"""What is due, and when to look again. Nothing here reads a clock or a store."""

from dataclasses import dataclass
from typing import Final

from strongroom_node.expiration.index import Due

RETRY_SECONDS_FIRST: Final = 10.0
ATTEMPTS_MAX: Final = 6
"""Vault's numbers: 10, 20, 40, 80 and 160 seconds between the attempts, then nobody tries any more."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to revoke now, and when the next entry is due: None if there is none, or if more may be due already."""

    due: tuple[Due, ...]
    next_at: float | None
    is_complete: bool
    """False if there may be more that is due than was looked at."""


def plan(page: list[Due], now: float, limit: int) -> Plan:
    """Divide the first `limit + 1` entries of the index, in the order of time, into what is due and what is not."""
    due = tuple(entry for entry in page[:limit] if entry.at <= now)
    if len(due) < len(page):
        following = page[len(due)]
        return Plan(due, following.at, is_complete=following.at > now)
    return Plan(due, None, is_complete=True)


def retry_at(attempts: int, now: float) -> float | None:
    """When to try again after so many failed attempts (1 or more); None means never."""
    if attempts >= ATTEMPTS_MAX:
        return None
    return now + RETRY_SECONDS_FIRST * (1 << (attempts - 1))
