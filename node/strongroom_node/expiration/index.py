"""The index of what is due, ordered by time, and of which lease belongs to which token.

Below `lease/`: `id/<lease id>` holds the lease, `due/<milliseconds, 16 hex digits>/<lease id>` the salted id of the
token that ends then (nothing for a secret), `token/<salted token id>/<hash of the lease id>` the lease id.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from strongroom_node.expiration.lease import Lease, decode_lease, encode_lease
from strongroom_node.sdk.token import TokenEntry
from strongroom_storage.barrier.barrier import Barrier
from strongroom_storage.transaction import Transaction

AT_ONCE: Final = 1.0
"""A time that is always past: what stands there is revoked as soon as the worker looks."""

_MILLISECONDS: Final = 1000
_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Due:
    """An entry of the index: what ends at `at` (Unix seconds), and its key below `due/`.

    `token` is the salted id, empty for a secret's lease.
    """

    at: float
    lease_id: str
    token: str
    key: str


def due_key(at: float, lease_id: str) -> str:
    """The key below `due/`. Times are rounded up, so that nothing is taken for due before it has ended."""
    return f"{math.ceil(at * _MILLISECONDS):0{_DIGITS}x}/{lease_id}"


def parse_due(key: str) -> tuple[float, str]:
    """Time and lease id of a key below `due/`."""
    return int(key[:_DIGITS], 16) / _MILLISECONDS, key[_DIGITS + 1 :]


class LeaseIndex:
    """Reads and writes the index. Writing methods take part in the caller's transaction, whatever its view."""

    def __init__(self, barrier: Barrier) -> None:
        """Nothing is read before it is asked for."""
        self.view = barrier.view("lease/")
        self._listener: Callable[[float], None] | None = None

    def listen(self, listener: Callable[[float], None] | None) -> None:
        """Have `listener` called with the time of every entry that is made."""
        self._listener = listener

    def wake(self, at: float = AT_ONCE) -> None:
        """Tell the listener that something is due at a time; worth doing again once the entry is committed."""
        if self._listener is not None:
            self._listener(at)

    # --- what is due

    def set_due(self, tx: Transaction, lease_id: str, old: float, new: float, token: str = "") -> None:
        """Move an entry from one time to another; 0 stands for no entry."""
        own = tx.at(self.view)
        if old and due_key(old, lease_id) != (due_key(new, lease_id) if new else ""):
            own.delete("due/" + due_key(old, lease_id))
        if new:
            own.put("due/" + due_key(new, lease_id), token.encode())
            self.wake(new)

    def page(self, limit: int) -> list[Due]:
        """The first entries by time."""
        entries = []
        for key in self.view.walk("due", limit=limit):
            token = self.view.get("due/" + key) or b""
            at, lease_id = parse_due(key)
            entries.append(Due(at, lease_id, token.decode(), key))
        return entries

    def forget_due(self, tx: Transaction, due: Due) -> None:
        """Take away an entry that nothing stands behind."""
        tx.at(self.view).delete("due/" + due.key)

    # --- leases of tokens, which last as long as the token's own record says

    def put_token(self, tx: Transaction, entry: TokenEntry) -> None:
        """Make the lease of a token."""
        lease = Lease(id=entry.lease_id, path=entry.path, token=entry.key)
        tx.at(self.view).put("id/" + entry.lease_id, encode_lease(lease))

    def drop_token(self, tx: Transaction, lease_id: str) -> None:
        """Take the lease of a token away."""
        tx.at(self.view).delete("id/" + lease_id)

    # --- which secrets a token holds

    def link(self, tx: Transaction, token: str, lease_id: str) -> None:
        """Note that a lease ends with a token."""
        tx.at(self.view).put(f"token/{token}/{_lease_hash(lease_id)}", lease_id.encode())

    def unlink(self, tx: Transaction, token: str, lease_id: str) -> None:
        """Forget that a lease ends with a token."""
        tx.at(self.view).delete(f"token/{token}/{_lease_hash(lease_id)}")

    def expire_secrets(self, tx: Transaction, token: str, now: float, limit: int) -> int:
        """Make at most `limit` leases of a token due at once; how many. Fewer than `limit` means that was all."""
        own = tx.at(self.view)
        keys = own.walk(f"token/{token}", limit=limit)
        for key in keys:
            lease_id = (own.get(f"token/{token}/{key}") or b"").decode()
            own.delete(f"token/{token}/{key}")
            packed = own.get("id/" + lease_id) if lease_id else None
            if packed is not None:
                self.expire(tx, decode_lease(packed), now)
        return len(keys)

    def expire(self, tx: Transaction, lease: Lease, now: float) -> None:
        """Make one secret's lease due at once. An irrevocable one stays as it is."""
        if lease.is_irrevocable:
            return
        ended = msgspec.structs.replace(lease, expire_time=min(lease.expire_time, now), due=AT_ONCE, attempts=0)
        self.set_due(tx, lease.id, lease.due, AT_ONCE)
        tx.at(self.view).put("id/" + lease.id, encode_lease(ended))


def _lease_hash(lease_id: str) -> str:
    """A lease id may be too long to be a part of another key."""
    return hashlib.sha256(lease_id.encode()).hexdigest()[:40]
