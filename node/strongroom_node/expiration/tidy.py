"""Cleaning up the lease store after errors of the past, a page at a time."""

from typing import Final

from strongroom_node.expiration.index import LeaseIndex, due_key
from strongroom_node.expiration.lease import decode_lease
from strongroom_node.expiration.leases import LeaseStore
from strongroom_node.tokens.store import TokenStore
from strongroom_storage.transaction import Transaction

PAGE: Final = 256


class LeaseTidy:
    """Takes away leases that no token stands behind, and mends the indexes."""

    def __init__(self, leases: LeaseStore, tokens: TokenStore, index: LeaseIndex) -> None:
        self._leases = leases
        self._tokens = tokens
        self._index = index

    async def run(self) -> int:
        """Go through everything once; how many records were taken away or mended."""
        changed, after = 0, ""
        while lease_ids := self._index.view.walk("id", after, PAGE):
            orphaned: list[str] = []
            with self._index.view.transaction() as tx:
                for lease_id in lease_ids:
                    changed += self._check(tx, lease_id, orphaned)
            await tx.commit()
            if orphaned:
                await self._leases.revoke_later(*orphaned)
            after = lease_ids[-1]
        return changed + await self._links()

    def _check(self, tx: Transaction, lease_id: str, orphaned: list[str]) -> int:
        """Look at one lease; 1 if something was wrong."""
        packed = tx.get("id/" + lease_id)
        if packed is None:
            return 0
        lease = decode_lease(packed)
        if lease.is_token:
            if self._tokens.is_stored(tx, lease.token):
                return 0
            tx.delete("id/" + lease_id)
            return 1
        if lease.token and not lease.is_irrevocable and not self._tokens.is_stored(tx, lease.token):
            orphaned.append(lease_id)
            return 1
        if lease.due and tx.get("due/" + due_key(lease.due, lease_id)) is None:
            self._index.set_due(tx, lease_id, 0.0, lease.due)
            return 1
        return 0

    async def _links(self) -> int:
        removed, after = 0, ""
        while names := self._index.view.walk("token", after, PAGE):
            with self._index.view.transaction() as tx:
                for name in names:
                    lease_id = (tx.get("token/" + name) or b"").decode()
                    if not lease_id or tx.get("id/" + lease_id) is None:
                        tx.delete("token/" + name)
                        removed += 1
            await tx.commit()
            after = names[-1]
        return removed
