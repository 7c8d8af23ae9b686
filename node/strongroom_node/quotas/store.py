"""Stored quotas, and the check that each request passes."""

import math
from collections.abc import Callable

import msgspec

from strongroom_node.quotas.bucket import Buckets, RateLimit, RateLimits
from strongroom_node.sdk.errors import TooManyRequests
from strongroom_node.sdk.request import Request
from strongroom_storage.barrier.barrier import Barrier

EXEMPT = ("sys/generate-recovery-token/", "sys/generate-root/", "sys/health", "sys/seal-status", "sys/unseal")
"""Never counted unless the configuration says otherwise: what operators need when all else is on fire."""


class QuotaConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`sys/quotas/config`."""

    enable_rate_limit_audit_logging: bool = False
    enable_rate_limit_response_headers: bool = False
    rate_limit_exempt_paths: tuple[str, ...] = EXEMPT


class QuotaStore:
    """Rate limits, kept until the quota generation changes."""

    def __init__(self, barrier: Barrier, now: Callable[[], float]) -> None:
        """Nothing is read before the first request."""
        self._barrier = barrier
        self._view = barrier.view("sys/quota/")
        self._now = now
        self._generation = -1
        self._rules: dict[str, RateLimit] = {}
        self._limits = RateLimits()
        self._config = QuotaConfig()
        self._buckets = Buckets()

    def rules(self) -> dict[str, RateLimit]:
        """Every rate limit by name."""
        self._load()
        return self._rules

    def config(self) -> QuotaConfig:
        """The settings of all quotas."""
        self._load()
        return self._config

    def _load(self) -> None:
        generation = self._barrier.generation("quota")
        if generation == self._generation:
            return
        rules: dict[str, RateLimit] = {}
        for name in self._view.walk("rate-limit/"):
            value = self._view.get("rate-limit/" + name)
            if value is not None:
                rules[name] = msgspec.msgpack.decode(value, type=RateLimit)
        value = self._view.get("config")
        self._config = QuotaConfig() if value is None else msgspec.msgpack.decode(value, type=QuotaConfig)
        self._rules, self._limits, self._generation = rules, RateLimits(rules.values()), generation

    async def put(self, rule: RateLimit) -> None:
        """Store a rate limit; its clients start anew."""
        with self._view.transaction() as tx:
            tx.put("rate-limit/" + rule.name, msgspec.msgpack.encode(rule))
        await tx.commit()
        self._buckets.forget(rule.name)

    async def delete(self, name: str) -> None:
        """Forget a rate limit."""
        with self._view.transaction() as tx:
            tx.delete("rate-limit/" + name)
        await tx.commit()
        self._buckets.forget(name)

    async def configure(self, config: QuotaConfig) -> None:
        """Store the settings of all quotas."""
        with self._view.transaction() as tx:
            tx.put("config", msgspec.msgpack.encode(config))
        await tx.commit()

    def check(self, request: Request) -> None:
        """Count the request against the quota that governs its path. Raises TooManyRequests."""
        self._load()
        if not self._rules:
            return
        if any(
            request.path == path or (path[-1] in "/*" and request.path.startswith(path.rstrip("*")))
            for path in self._config.rate_limit_exempt_paths
            if path
        ):
            return
        rule = self._limits.closest(request.path)
        if rule is None:
            return
        verdict = self._buckets.take(rule, request.remote_address, self._now())
        if verdict.allowed:
            return
        headers = {"Retry-After": str(max(1, math.ceil(verdict.retry_after_seconds)))}
        if self._config.enable_rate_limit_response_headers:
            headers["X-Ratelimit-Limit"] = f"{rule.rate:g}"
            headers["X-Ratelimit-Remaining"] = "0"
            headers["X-Ratelimit-Reset"] = headers["Retry-After"]
        raise TooManyRequests(f'request path "{request.path}": rate limit quota exceeded', headers)
