"""Numbers that are cheap to change and counted up when somebody asks: counters and summaries.

An observation takes about 0.2 us: it adds to a sum and overwrites one place of a ring. Everything else, sorting
included, is done by `tick` and by those who read.
"""

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

INTERVAL_SECONDS: Final = 10.0
"""How long one interval lasts, as in Vault."""

RING: Final = 1024
"""Observations kept for quantiles: the newest of the last two intervals. A power of two."""

_MASK: Final = RING - 1
QUANTILES: Final = (0.5, 0.9, 0.99)

Labels = tuple[tuple[str, str], ...]
S = TypeVar("S")
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Interval:
    """What happened in one interval. Beyond `RING` observations, `low`, `high` and `deviation` are of the newest."""

    count: int = 0
    total: float = 0.0
    low: float = 0.0
    high: float = 0.0
    deviation: float = 0.0

    @property
    def mean(self) -> float:
        """The average, 0 without observations."""
        return self.total / self.count if self.count else 0.0


class Counter:
    """Only goes up."""

    __slots__ = ("_last", "_mark", "_ticked", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self._mark = 0.0
        self._last = 0.0
        self._ticked = False

    def add(self, amount: float = 1.0) -> None:
        """Count."""
        self.value += amount

    def tick(self) -> None:
        """End an interval."""
        self._last, self._mark, self._ticked = self.value - self._mark, self.value, True

    @property
    def interval(self) -> Interval:
        """The last whole interval; the running one if it is the first."""
        gained = self._last if self._ticked else self.value
        each = 1.0 if gained else 0.0
        return Interval(round(gained), gained, each, each)


class Summary:
    """How many, how much in all, and how it is spread."""

    __slots__ = ("_before", "_last", "_mark", "_mark_total", "_ring", "count", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self._ring = [0.0] * RING
        self._mark = self._before = 0
        self._mark_total = 0.0
        self._last: Interval | None = None

    def observe(self, value: float) -> None:
        """Take one in."""
        self.count = count = self.count + 1
        self.total += value
        self._ring[count & _MASK] = value

    def tick(self) -> None:
        """End an interval."""
        self._last = self._interval()
        self._before, self._mark, self._mark_total = self._mark, self.count, self.total

    @property
    def interval(self) -> Interval:
        """The last whole interval; the running one if it is the first."""
        return self._interval() if self._last is None else self._last

    def quantiles(self) -> list[float]:
        """Values at `QUANTILES` over the newest observations of the last two intervals; NaN without any."""
        values = sorted(self._newest(self.count - self._before))
        if not values:
            return [math.nan] * len(QUANTILES)
        return [values[min(len(values) - 1, math.ceil(at * len(values)) - 1)] for at in QUANTILES]

    def _interval(self) -> Interval:
        count = self.count - self._mark
        if not count:
            return Interval()
        values = self._newest(count)
        mean = sum(values) / len(values)
        spread = math.sqrt(sum((value - mean) ** 2 for value in values) / max(len(values) - 1, 1))
        return Interval(count, self.total - self._mark_total, min(values), max(values), spread)

    def _newest(self, count: int) -> list[float]:
        kept = min(count, RING)
        return [self._ring[number & _MASK] for number in range(self.count - kept + 1, self.count + 1)]


class Many(Generic[K, S]):
    """One series for each key, at most `limit`; what comes after that is not kept, and said so by `refused`."""

    __slots__ = ("_limit", "_make", "kept", "refused")

    def __init__(self, make: Callable[[], S], limit: int) -> None:
        self._make, self._limit = make, limit
        self.kept: dict[K, S] = {}
        self.refused = 0

    def get(self, key: K) -> S | None:
        """The key's series, made if there is room."""
        found = self.kept.get(key)
        if found is None:
            if len(self.kept) >= self._limit:
                self.refused += 1
                return None
            found = self.kept[key] = self._make()
        return found
