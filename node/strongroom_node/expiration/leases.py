"""The lease store: what was handed out, looked up, renewed and revoked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec.structs import replace

from strongroom_node.expiration.index import LeaseIndex
from strongroom_node.expiration.lease import Lease, decode_lease, encode_lease
from strongroom_node.expiration.queue import retry_at
from strongroom_node.sdk.errors import BadRequest, Internal
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response
from strongroom_node.sdk.token import TokenEntry
from strongroom_node.tokens.store import TokenStore
from strongroom_node.tokens.ttl import Limits, Wish, grant, lesser
from strongroom_storage.barrier.barrier import Barrier
from strongroom_storage.crypto.entropy import random_base62
from strongroom_storage.errors import InputRefused
from strongroom_storage.transaction import Transaction

LEASE_CHARACTERS: Final = 24
PAGE: Final = 256
"""Leases that one transaction or one step of a prefix revocation takes."""

REVOCATIONS_AT_ONCE: Final = 8
ERROR_CHARACTERS_MAX: Final = 512

RevokeSecret = Callable[[Lease], Awaitable[None]]
RenewSecret = Callable[[Lease, float], Awaitable[Response | None]]


class LeaseStore:
    """All leases of the cluster. `now` gives Unix seconds.

    `revoke_secret` has the engine take back what a lease stands for; when it raises, the lease stays.
    """

    def __init__(
        self,
        barrier: Barrier,
        index: LeaseIndex,
        tokens: TokenStore,
        now: Callable[[], float],
        revoke_secret: RevokeSecret,
    ) -> None:
        self.now = now
        self._index = index
        self._view = barrier.view("lease/")
        self._tokens = tokens
        self._revoke_secret = revoke_secret
        self._running: dict[str, asyncio.Future[None]] = {}

    # --- registering

    async def register(self, request: Request, response: Response, owner: TokenEntry, limits: Limits) -> str:
        """Lease what the response hands out to a token; the lease id, also written into the response.

        `limits` are the mount's.

        Raises PermissionDenied if the token has gone meanwhile; then the caller takes the secret back.
        """
        secret, mount = response.secret, request.mount
        if secret is None or mount is None:
            raise Internal("a lease needs a secret and a mount")
        now = self.now()
        granted = grant(Wish(ttl=secret.ttl, max_ttl=secret.max_ttl), limits, now, now)
        ends, ttl, last_moment = granted.expire_time, granted.ttl, 0.0
        if owner.type == "batch":
            # Nobody can revoke a batch token, so nothing it asked for may outlive it.
            last_moment = owner.expire_time
            ends, ttl = min(ends, last_moment), min(ttl, last_moment - now)
        holder = owner.parent if owner.type == "batch" else owner.key
        path = request.path.rstrip("/")
        lease = Lease(
            id=f"{path}/{random_base62(LEASE_CHARACTERS)}",
            path=path,
            token=holder,
            kind=secret.kind,
            mount=mount.path,
            mount_accessor=mount.accessor,
            internal=secret.internal,
            issue_time=now,
            expire_time=ends,
            ttl=ttl,
            max_ttl=secret.max_ttl,
            last_moment=last_moment,
            renewable=secret.renewable,
            due=ends,
        )
        with self._view.transaction() as tx:
            if holder:
                self._tokens.require_existing(tx, holder)
                self._index.link(tx, holder, lease.id)
            tx.put("id/" + lease.id, encode_lease(lease))
            self._index.set_due(tx, lease.id, 0.0, lease.due)
        await tx.commit()
        secret.lease_id, secret.ttl = lease.id, ttl
        response.warnings.extend(granted.warnings)
        return lease.id

    # --- reading

    def get(self, lease_id: str) -> Lease | None:
        """A lease; that of a token with the token's times. None for one that does not exist."""
        try:
            lease = self._view.get_checked("id/" + lease_id, decode_lease)
        except InputRefused:
            return None
        if lease is None or not lease.is_token:
            return lease
        entry = self._tokens.stored(lease.token)
        if entry is None or entry.revoked:
            return None
        return replace(
            lease,
            issue_time=entry.creation_time,
            expire_time=entry.expire_time,
            last_renewal=entry.last_renewal,
            renewable=entry.renewable and bool(entry.expire_time),
        )

    def list_page(self, prefix: str = "", after: str = "", limit: int = -1) -> list[str]:
        """Names one level below a prefix of lease ids."""
        return self._view.list_page("id/" + prefix.strip("/"), after, limit)

    # --- renewing

    async def renew(
        self, lease_id: str, increment: float, renew_secret: RenewSecret, limits: Callable[[str], Limits]
    ) -> Response | None:
        """Give a secret's lease a new end.

        `renew_secret` asks the engine, which answers with the new `Secret`; `limits` tells those of the mount that
        serves a path. Raises BadRequest for what cannot be renewed.
        """
        lease = self.get(lease_id)
        if lease is None:
            raise BadRequest("lease not found")
        self._require_renewable(lease)
        response = await renew_secret(lease, increment)
        if response is None or response.secret is None:
            return response
        now, secret = self.now(), response.secret
        with self._view.transaction() as tx:
            packed = tx.get("id/" + lease_id)
            if packed is None:
                raise BadRequest("lease not found")
            stored = decode_lease(packed)
            self._require_renewable(stored)
            wish = Wish(increment, ttl=secret.ttl, max_ttl=lesser(secret.max_ttl, stored.max_ttl))
            granted = grant(wish, limits(stored.path), stored.issue_time, now)
            ends = min(granted.expire_time, stored.last_moment) if stored.last_moment else granted.expire_time
            ttl = min(granted.ttl, ends - now) if stored.last_moment else granted.ttl
            renewed = replace(
                stored,
                ttl=ttl,
                expire_time=ends,
                due=ends,
                last_renewal=now,
                internal=secret.internal or stored.internal,
                renewable=secret.renewable,
            )
            tx.put("id/" + lease_id, encode_lease(renewed))
            self._index.set_due(tx, lease_id, stored.due, ends)
        await tx.commit()
        secret.lease_id, secret.ttl = lease_id, ttl
        response.warnings.extend(granted.warnings)
        return response

    def _require_renewable(self, lease: Lease) -> None:
        if not lease.expire_time or not lease.renewable:
            raise BadRequest("lease is not renewable")
        if lease.expire_time <= self.now() or lease.is_irrevocable:
            raise BadRequest("lease expired")
        if lease.is_token:
            raise BadRequest("tokens cannot be renewed through this endpoint")

    # --- revoking

    async def revoke(self, lease_id: str, *, force: bool = False) -> None:
        """Take back what a lease stands for, now. An unknown lease is as good as revoked.

        `force` drops the lease even if the engine fails; else its error is the caller's, and the lease stays.
        """
        lease = self._stored(lease_id)
        if lease is None:
            return
        if lease.is_token:
            await self._tokens.revoke(lease.token)
            return
        while (running := self._running.get(lease_id)) is not None:
            # Somebody is at it already; the secret must not be taken back twice at once.
            await asyncio.wait([running])
            if self._stored(lease_id) is None:
                return
        try:
            await self._take_back(lease)
        except Exception:
            if not force:
                raise
        await self._forget(lease_id)

    async def revoke_later(self, *lease_ids: str) -> None:
        """Make leases due at once and leave the rest to the worker; tokens are revoked right away."""
        tokens = []
        with self._view.transaction() as tx:
            for lease_id in lease_ids:
                packed = tx.get("id/" + lease_id)
                lease = None if packed is None else decode_lease(packed)
                if lease is not None and lease.is_token:
                    tokens.append(lease.token)
                elif lease is not None:
                    self._index.expire(tx, replace(lease, is_irrevocable=False), self.now())
                    tx.delete("irrevocable/" + lease_id)
        await tx.commit()
        self._index.wake()
        await self._tokens.revoke(*tokens)

    async def revoke_prefix(self, prefix: str, *, sync: bool = True, force: bool = False) -> None:
        """Revoke every lease below a prefix (`a/ann` spares `a/anna`), or the one lease of that id.

        Stops at the first failure unless `force`.
        """
        prefix = prefix.strip("/")
        if self._stored(prefix) is not None:
            await (self.revoke(prefix, force=force) if sync or force else self.revoke_later(prefix))
            return
        folder = f"{prefix}/" if prefix else ""
        after = ""
        while names := self._view.walk("id/" + prefix, after, PAGE):
            lease_ids = [folder + name for name in names]
            if sync or force:
                await self._revoke_all(lease_ids, force=force)
            else:
                await self.revoke_later(*lease_ids)
            after = names[-1]

    async def _revoke_all(self, lease_ids: list[str], *, force: bool) -> None:
        leases = [lease for lease_id in lease_ids if (lease := self._stored(lease_id)) is not None]
        await self._tokens.revoke(*(lease.token for lease in leases if lease.is_token))
        slots = asyncio.Semaphore(REVOCATIONS_AT_ONCE)

        async def one(lease: Lease) -> None:
            async with slots:
                await self.revoke(lease.id, force=force)

        results = await asyncio.gather(*(one(lease) for lease in leases if not lease.is_token), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _take_back(self, lease: Lease) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._running[lease.id] = done
        try:
            await self._revoke_secret(lease)
        finally:
            if self._running.get(lease.id) is done:
                del self._running[lease.id]
            done.set_result(None)

    async def _forget(self, lease_id: str) -> None:
        with self._view.transaction() as tx:
            packed = tx.get("id/" + lease_id)
            if packed is not None:
                lease = decode_lease(packed)
                tx.delete("id/" + lease_id)
                tx.delete("irrevocable/" + lease_id)
                self._index.set_due(tx, lease_id, lease.due, 0.0)
                if lease.token:
                    self._index.unlink(tx, lease.token, lease_id)
        await tx.commit()

    async def failed(self, lease_id: str, error: str) -> None:
        """Note that the worker could not revoke a lease: later again, or never."""
        with self._view.transaction() as tx:
            packed = tx.get("id/" + lease_id)
            if packed is not None:
                self._failed_in(tx, decode_lease(packed), error[:ERROR_CHARACTERS_MAX])
        await tx.commit()

    def _failed_in(self, tx: Transaction, lease: Lease, error: str) -> None:
        attempts = lease.attempts + 1
        at = retry_at(attempts, self.now())
        self._index.set_due(tx, lease.id, lease.due, at or 0.0)
        changed = replace(lease, attempts=attempts, error=error, due=at or 0.0, is_irrevocable=at is None)
        tx.put("id/" + lease.id, encode_lease(changed))
        if changed.is_irrevocable:
            tx.put("irrevocable/" + lease.id, b"")

    async def postpone(self, lease_ids: list[str], until: float) -> None:
        """Move leases to a later time without counting an attempt."""
        with self._view.transaction() as tx:
            for lease_id in lease_ids:
                packed = tx.get("id/" + lease_id)
                if packed is not None:
                    lease = decode_lease(packed)
                    self._index.set_due(tx, lease_id, lease.due, until)
                    tx.put("id/" + lease_id, encode_lease(replace(lease, due=until)))
        await tx.commit()

    # --- irrevocable leases

    def irrevocable(self, limit: int = -1) -> list[Lease]:
        """Leases that nobody tries to revoke any more, at most `limit`."""
        found = (self._stored(lease_id) for lease_id in self._view.walk("irrevocable", limit=limit))
        return [lease for lease in found if lease is not None]

    def count_irrevocable(self) -> dict[str, int]:
        """How many there are, by mount accessor."""
        counts: dict[str, int] = {}
        after = ""
        while names := self._view.walk("irrevocable", after, PAGE):
            for name in names:
                lease = self._stored(name)
                if lease is not None:
                    counts[lease.mount_accessor] = counts.get(lease.mount_accessor, 0) + 1
            after = names[-1]
        return counts

    def _stored(self, lease_id: str) -> Lease | None:
        try:
            return self._view.get_checked("id/" + lease_id, decode_lease)
        except InputRefused:
            return None
