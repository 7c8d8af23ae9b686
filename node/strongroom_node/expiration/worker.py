"""Revokes in time what is due. All it knows is in the store; a node that takes over goes on at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import structlog

from strongroom_node.expiration.index import Due, LeaseIndex, due_key
from strongroom_node.expiration.leases import LeaseStore
from strongroom_node.expiration.queue import plan
from strongroom_node.expiration.tidy import LeaseTidy
from strongroom_node.tokens.record import due_name
from strongroom_node.tokens.store import TokenStore
from strongroom_storage.errors import FrameInvalid, StorageError

BATCH: Final = 256
"""Entries of the index that one round takes; their records are all that is in memory."""

REVOCATIONS_AT_ONCE: Final = 16
REVOCATION_SECONDS_MAX: Final = 60.0
POSTPONED_SECONDS: Final = 30.0
"""A mount whose engine did not answer in time is left alone so long, lest the others' leases wait for it."""

DAMAGED_SECONDS: Final = 3600.0
UNREADABLE: Final = (FrameInvalid, msgspec.DecodeError)
"""What a record raises that was damaged, on the disk or through sys/raw."""

IDLE_SECONDS_MAX: Final = 30.0
"""It looks at least this often: one range scan, in case a commit took longer than the lease it made."""

_log = structlog.get_logger("expiration")


class ExpirationWorker:
    """Owns the rounds of revocation on the active node. `now` gives Unix seconds."""

    def __init__(self, leases: LeaseStore, tokens: TokenStore, index: LeaseIndex, now: Callable[[], float]) -> None:
        self._leases = leases
        self._tokens = tokens
        self._index = index
        self._now = now
        self._tidy = LeaseTidy(leases, tokens, index)
        self._wake = asyncio.Event()
        self._sleeps_until = float("-inf")
        self._earliest = float("inf")
        self._unresponsive: dict[str, float] = {}
        self._tidying: dict[str, None] = {}

    async def run(self) -> None:
        """Work until cancelled. A store that refuses for the moment is asked again a little later."""
        self._index.listen(self._made)
        try:
            while True:
                self._wake.clear()
                self._sleeps_until = float("-inf")
                if self._earliest <= self._now():
                    self._earliest = float("inf")
                try:
                    next_at = await self.sweep()
                    await self._tidy_up()
                except StorageError as error:
                    _log.warning("expiration paused", error=type(error).__name__)
                    next_at = self._now() + 1.0
                await self._sleep(next_at)
        finally:
            self._index.listen(None)

    def start_tidy(self, what: str) -> bool:
        """Have "tokens" or "leases" tidied soon; False if that is under way."""
        if what in self._tidying:
            return False
        self._tidying[what] = None
        self._wake.set()
        return True

    async def sweep(self) -> float | None:
        """Revoke all that is due now; when the next entry is due, None if there is none."""
        seen = ""
        while True:
            now = self._now()
            found = plan(self._index.page(BATCH + 1), now, BATCH)
            if not found.due:
                return found.next_at
            if found.due[0].key == seen:
                return now + 1.0  # no progress: what stands there could not even be moved
            seen = found.due[0].key
            await self._end_tokens([due for due in found.due if due.token])
            await self._end_secrets([due for due in found.due if not due.token])

    # --- tokens

    async def _end_tokens(self, dues: list[Due]) -> None:
        stale, ended, damaged = [], [], []
        for due in dues:
            try:
                entry = self._tokens.stored(due.token)
            except UNREADABLE:
                damaged.append(due)
                continue
            if entry is None or not entry.due or due_key(entry.due, due_name(entry)) != due.key:
                stale.append(due)
            elif entry.revoked == "spare":
                await self._tokens.revoke_orphan(due.token)
            else:
                ended.append(due)
        await self._forget(stale)
        try:
            await self._tokens.revoke(*(due.token for due in ended))
        except UNREADABLE:
            for due in ended:
                try:
                    await self._tokens.revoke(due.token)
                except UNREADABLE:
                    damaged.append(due)
        await self._set_aside(damaged)

    # --- secrets

    async def _end_secrets(self, dues: list[Due]) -> None:
        stale, postponed, damaged = [], [], []
        revocations: list[Awaitable[None]] = []
        slots = asyncio.Semaphore(REVOCATIONS_AT_ONCE)
        for due in dues:
            try:
                lease = self._leases.get(due.lease_id)
            except UNREADABLE:
                damaged.append(due)
                continue
            if lease is None or not lease.due or due_key(lease.due, lease.id) != due.key:
                stale.append(due)
            elif self._unresponsive.get(lease.mount, 0.0) > self._now():
                postponed.append(due.lease_id)
            else:
                revocations.append(self._end_secret(slots, due.lease_id, lease.mount))
        await self._forget(stale)
        await self._set_aside(damaged)
        await self._postpone(postponed)
        for result in await asyncio.gather(*revocations, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _end_secret(self, slots: asyncio.Semaphore, lease_id: str, mount: str) -> None:
        async with slots:
            if self._unresponsive.get(mount, 0.0) > self._now():
                await self._postpone([lease_id])
                return
            try:
                async with asyncio.timeout(REVOCATION_SECONDS_MAX):
                    await self._leases.revoke(lease_id)
            except TimeoutError:
                self._unresponsive[mount] = self._now() + POSTPONED_SECONDS
                _log.warning("lease not revoked in time", lease_id=lease_id, mount=mount)
                await self._leases.failed(lease_id, "the revocation took too long")
            except StorageError:
                raise
            except Exception as error:  # noqa: BLE001  -- an engine may fail in any way; the lease is tried again
                _log.warning("lease not revoked", lease_id=lease_id, mount=mount, error=type(error).__name__)
                await self._leases.failed(lease_id, f"failed to revoke entry: {error}")

    async def _postpone(self, lease_ids: list[str]) -> None:
        if lease_ids:
            await self._leases.postpone(lease_ids, self._now() + POSTPONED_SECONDS)

    async def _forget(self, stale: list[Due]) -> None:
        if not stale:
            return
        with self._index.view.transaction() as tx:
            for due in stale:
                self._index.forget_due(tx, due)
        await tx.commit()

    async def _set_aside(self, damaged: list[Due]) -> None:
        """Come back much later to what stands on records that cannot be read: everybody else's end must not wait.

        Once a record was restored, `sys/leases/tidy` puts its lease where it belongs.
        """
        if not damaged:
            return
        with self._index.view.transaction() as tx:
            for due in damaged:
                _log.error("record cannot be read, revocation put off", lease_id=due.lease_id)
                self._index.forget_due(tx, due)
                self._index.set_due(tx, due.lease_id, 0.0, self._now() + DAMAGED_SECONDS, due.token)
        await tx.commit()

    # --- waiting

    async def _tidy_up(self) -> None:
        for what in list(self._tidying):
            removed = await (self._tokens.tidy() if what == "tokens" else self._tidy.run())
            _log.info("tidy finished", what=what, removed=removed)
            del self._tidying[what]

    def _made(self, at: float) -> None:
        self._earliest = min(self._earliest, at)
        if at < self._sleeps_until:
            self._wake.set()

    async def _sleep(self, next_at: float | None) -> None:
        now = self._now()
        until = min(now + IDLE_SECONDS_MAX, self._earliest, float("inf") if next_at is None else next_at)
        self._sleeps_until = until
        try:
            async with asyncio.timeout(max(0.0, until - now)):
                await self._wake.wait()
        except TimeoutError:
            pass
