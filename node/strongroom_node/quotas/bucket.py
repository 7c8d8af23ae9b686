"""Rate-limit rules and their buckets (pure)."""

from collections import OrderedDict
from collections.abc import Iterable

import msgspec

CLIENTS_MAX = 100_000
"""Buckets kept at once; the client seen longest ago is forgotten first, which only ever errs in its favour."""


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """One `rate-limit` quota: `rate` requests per `interval` seconds for each client address.

    `path` is empty (global), a mount's path, or a path below one, possibly ending in `*`. A client that went over is
    refused for `block_interval` seconds.
    """

    name: str
    rate: float
    path: str = ""
    role: str = ""
    interval: float = 1.0
    block_interval: float = 0.0
    inheritable: bool = False

    def rank(self, path: str) -> int:
        """How closely the quota's path fits a request's: -1 not at all, 0 global, else more the longer it is."""
        if not self.path:
            return 0
        if self.path.endswith("*"):
            return len(self.path) if path.startswith(self.path[:-1]) else -1
        if self.path.endswith("/"):
            return len(self.path) if path.startswith(self.path) else -1
        return len(self.path) + 1 if path == self.path else -1


class RateLimits:
    """All quotas, ready to be asked for the one that governs a path: as many steps as the path has segments."""

    def __init__(self, rules: Iterable[RateLimit] = ()) -> None:
        """Those with a `*` are few, and are looked at one by one, longest first."""
        self._plain: dict[str, RateLimit] = {}
        self._globs: list[RateLimit] = []
        for rule in rules:
            if rule.path.endswith("*"):
                self._globs.append(rule)
            else:
                self._plain.setdefault(rule.path, rule)
        self._globs.sort(key=lambda rule: len(rule.path), reverse=True)

    def closest(self, path: str) -> RateLimit | None:
        """The most specific quota that fits."""
        found = [self._plain.get(path), next((rule for rule in self._globs if rule.rank(path) > 0), None)]
        at = path.rfind("/")
        while at >= 0:
            found.append(self._plain.get(path[: at + 1]))
            at = path.rfind("/", 0, at)
        found.append(self._plain.get(""))
        return max((rule for rule in found if rule is not None), key=lambda rule: rule.rank(path), default=None)


class Verdict(msgspec.Struct, frozen=True):
    """Whether a request may pass, and what a client needs to know of its bucket."""

    allowed: bool
    remaining: int
    retry_after_seconds: float


class Buckets:
    """Fixed-window counters by (quota, client). Deterministic: `now` is given."""

    def __init__(self) -> None:
        """All clients start with a full window."""
        self._windows: OrderedDict[tuple[str, str], tuple[float, float, float]] = OrderedDict()

    def take(self, rule: RateLimit, client: str, now: float) -> Verdict:
        """Count one request of `client` under `rule`."""
        key = (rule.name, client)
        started, used, blocked_until = self._windows.pop(key, (now, 0.0, 0.0))
        if now >= started + rule.interval or now < started:
            started, used = now, 0.0
        if now < blocked_until:
            self._keep(key, (started, used, blocked_until))
            return Verdict(allowed=False, remaining=0, retry_after_seconds=blocked_until - now)
        if used + 1.0 > max(rule.rate, 1.0):
            blocked_until = now + rule.block_interval if rule.block_interval else 0.0
            wait = max(started + rule.interval, blocked_until) - now
            self._keep(key, (started, used, blocked_until))
            return Verdict(allowed=False, remaining=0, retry_after_seconds=wait)
        self._keep(key, (started, used + 1.0, 0.0))
        return Verdict(allowed=True, remaining=int(max(rule.rate, 1.0) - used - 1.0), retry_after_seconds=0.0)

    def _keep(self, key: tuple[str, str], window: tuple[float, float, float]) -> None:
        self._windows[key] = window
        while len(self._windows) > CLIENTS_MAX:
            self._windows.popitem(last=False)

    def forget(self, name: str) -> None:
        """Drop every window of a quota that was changed or deleted."""
        for key in [key for key in self._windows if key[0] == name]:
            del self._windows[key]
