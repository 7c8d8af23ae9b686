"""Counts that need a walk over everything: tokens, leases, entities.

A million leases take some seconds of work, so nobody counts while a scrape waits: a task walks in pages, sleeps nine
times as long as each page took, and leaves what it found for the next scrapes.
"""

import asyncio
import time
from collections import Counter as Tally
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import structlog

from strongroom_node.telemetry.metrics import Metrics, Reading
from strongroom_node.telemetry.series import INTERVAL_SECONDS
from strongroom_storage.errors import StorageError
from strongroom_storage.view import StorageView

if TYPE_CHECKING:
    from strongroom_node.core.core import Core

PAGE: Final = 512
_REST: Final = 9.0
_DUE_DIGITS: Final = 16

_log = structlog.get_logger("telemetry")


def cheap_readings(core: "Core") -> Iterable[Reading]:
    """What can be said at once. While sealed that is little."""
    is_sealed = core.barrier.is_sealed
    yield Reading("core.unsealed", 0.0 if is_sealed else 1.0)
    yield Reading("core.active", 0.0 if is_sealed else 1.0)
    yield Reading("core.in_flight_requests", len(core.in_flight()))
    yield Reading("core.locked_users", sum(len(some) for some in core.lockout.locked(core.now()).values()))
    yield Reading("raft_storage.stats.applied_index", core.store.applied_index)
    if is_sealed:
        return
    try:
        status = core.barrier.key_status()
        mounts = core.mounts.all()
    except StorageError:  # it was sealed in between
        return
    yield Reading("barrier.estimated_encryptions", status.encryptions, (("term", str(status.term)),))
    tally = Tally((mount.local, mount.is_auth) for mount in mounts.values())
    for local in (False, True):
        for is_auth in (False, True):
            labels = (("local", str(local).lower()), ("type", "auth" if is_auth else "logical"))
            yield Reading("core.mount_table.num_entries", tally[local, is_auth], labels)


class Usage:
    """The task that ends intervals and counts from time to time."""

    def __init__(self, core: "Core", metrics: Metrics) -> None:
        """Nothing runs yet."""
        self._core = core
        self._metrics = metrics

    async def run(self) -> None:
        """Until cancelled."""
        period = self._metrics.settings.usage_seconds
        due = 0.0
        async with asyncio.TaskGroup() as group:
            counting: asyncio.Task[None] | None = None
            while True:
                is_idle = counting is None or counting.done()
                if period and is_idle and time.monotonic() >= due and not self._core.barrier.is_sealed:
                    due = time.monotonic() + period
                    counting = group.create_task(self.count())
                await asyncio.sleep(INTERVAL_SECONDS)
                self._metrics.tick()
                self._forget_unmounted()

    async def count(self) -> None:
        """Count once. What was known stays if the barrier closes meanwhile."""
        try:
            self._metrics.usage = [reading async for reading in self._counted()]
        except StorageError as error:
            _log.debug("usage was not counted", error=type(error).__name__)

    async def _counted(self) -> AsyncIterator[Reading]:
        barrier = self._core.barrier
        leases = barrier.view("lease/")
        yield Reading("token.count", await _number(barrier.view("token/"), "id"))
        yield Reading("expire.num_leases", await _number(leases, "id"))
        yield Reading("expire.num_irrevocable_leases", await _number(leases, "irrevocable"))
        yield Reading("identity.num_entities", await _number(barrier.view("identity/"), "entity/id"))
        settings = self._metrics.settings
        ends = LeaseEnds(self._core.now, settings.lease_bucket_seconds, settings.lease_buckets)
        async for keys in _pages(leases, "due"):
            ends.add(keys)
        for reading in ends.readings():
            yield reading

    def _forget_unmounted(self) -> None:
        try:
            if not self._core.barrier.is_sealed:
                self._metrics.forget_routes(self._core.mounts.all())
        except StorageError:  # sealed in between: the next time will do
            return


class LeaseEnds:
    """How many leases end in which stretch of the time ahead."""

    def __init__(self, now: Callable[[], float], bucket_seconds: float, buckets: int) -> None:
        """Of `buckets` stretches of `bucket_seconds`; what ends later is not counted."""
        self._bucket = max(bucket_seconds, 1.0)
        self._first = int(now() // self._bucket)
        self._buckets = buckets
        self._found: Tally[int] = Tally()

    def add(self, due_keys: Iterable[str]) -> None:
        """Keys of the index of what is due: sixteen hexadecimal digits of milliseconds come first."""
        for key in due_keys:
            number = max(int(int(key[:_DUE_DIGITS], 16) / 1000 // self._bucket), self._first)
            if number < self._first + self._buckets:
                self._found[number] += 1

    def readings(self) -> Iterator[Reading]:
        """One for each stretch in which something ends."""
        for number, count in sorted(self._found.items()):
            moment = datetime.fromtimestamp((number + 1) * self._bucket, UTC)
            label = moment.strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
            yield Reading("expire.leases.by_expiration", count, (("expiring", label),))


async def _number(view: StorageView, path: str) -> int:
    total = 0
    async for keys in _pages(view, path):
        total += len(keys)
    return total


async def _pages(view: StorageView, path: str) -> AsyncIterator[list[str]]:
    after = ""
    while True:
        began = time.perf_counter()
        keys = view.walk(path, after, PAGE)
        if keys:
            yield keys
        if len(keys) < PAGE:
            return
        after = keys[-1]
        await asyncio.sleep((time.perf_counter() - began) * _REST)
