"""Write transactions: synchronous, over applied state, what is in flight, and their own writes."""

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar

from strongroom_storage import listing
from strongroom_storage.backend import Seek
from strongroom_storage.entry import TRANSACTION_BYTES_MAX, VALUE_BYTES_MAX, key_bytes
from strongroom_storage.errors import TransactionClosed, ValueTooLarge
from strongroom_storage.overlay import Overlay, merged
from strongroom_storage.ticket import Ticket

if TYPE_CHECKING:
    from strongroom_storage.barrier.barrier import Barrier
    from strongroom_storage.view import StorageView

T = TypeVar("T")

# What one call of `delete_tree` takes at most: a few milliseconds of work and half a megabyte of log.
DELETE_TREE_KEYS_MAX: Final = 10_000


class _Work:
    """What the faces of one transaction share."""

    __slots__ = ("bytes", "committed", "is_open", "writes")

    def __init__(self) -> None:
        self.writes = Overlay()
        self.bytes = 0
        self.is_open = False
        self.committed: Ticket | None = None


class Transaction:
    """One atomic change; never await inside its `with` block, then `await commit()` after it.

    At the end of the block the writes are sealed and queued at once, so that the next transaction sees them. An
    exception inside the block drops everything.
    """

    __slots__ = ("_barrier", "_prefix", "_work")

    def __init__(self, barrier: "Barrier", prefix: str, work: _Work | None = None) -> None:
        if work is None:
            barrier.admit()
        self._barrier = barrier
        self._prefix = prefix
        self._work = work or _Work()

    def __enter__(self) -> Self:
        """Open the block. Raises TransactionClosed for a second one."""
        if self._work.is_open or self._work.committed is not None:
            raise TransactionClosed("a transaction has one block")
        self._barrier.admit()
        self._work.is_open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Seal and queue the writes, or drop them if the block failed."""
        work = self._work
        work.is_open = False
        if kind is not None:
            work.writes.clear()
        elif work.writes.values:
            work.committed = self._barrier.submit(work.writes.values)

    def get(self, path: str) -> bytes | None:
        """The value under a path as this transaction sees it, or None."""
        self._require_open()
        key = key_bytes(self._prefix + path)
        for overlay in (self._work.writes, self._barrier.in_flight):
            if key in overlay.values:
                return overlay.values[key]
        return self._barrier.read(key)

    def get_checked(self, path: str, decode: Callable[[bytes], T]) -> T | None:
        """The decoded value as this transaction sees it; kept between calls unless it is not applied yet."""
        self._require_open()
        key = key_bytes(self._prefix + path)
        for overlay in (self._work.writes, self._barrier.in_flight):
            if key in overlay.values:
                value = overlay.values[key]
                return None if value is None else decode(value)
        return self._barrier.view("").get_checked(self._prefix + path, decode)

    def list_page(self, path: str = "", after: str = "", limit: int = -1) -> list[str]:
        """As StorageView.list_page, as this transaction sees it."""
        return listing.names(listing.list_page(self._seek(), *listing.page_start(self._prefix, path, after), limit))

    def walk(self, path: str = "", after: str = "", limit: int = -1) -> list[str]:
        """As StorageView.walk, as this transaction sees it."""
        return listing.names(listing.walk(self._seek(), *listing.page_start(self._prefix, path, after), limit))

    def put(self, path: str, value: bytes) -> None:
        """Write a value. Raises KeyInvalid, KeyTooLong or ValueTooLarge."""
        if len(value) > VALUE_BYTES_MAX:
            raise ValueTooLarge(f"the value is larger than {VALUE_BYTES_MAX} bytes")
        self._write(path, value)

    def delete(self, path: str) -> None:
        """Delete a key; not an error if it is absent."""
        self._write(path, None)

    def delete_tree(self, path: str, limit: int = DELETE_TREE_KEYS_MAX) -> int:
        """Delete the first `limit` keys below a path and return their number: fewer than `limit` means all are gone."""
        keys = self.walk(path, limit=limit)
        folder = path if not path or path.endswith("/") else path + "/"
        for key in keys:
            self._write(folder + key, None)
        return len(keys)

    def at(self, other: "StorageView") -> "Transaction":
        """This same transaction seen from another view, so that one commit spans several."""
        self._require_open()
        return Transaction(self._barrier, other.prefix, self._work)

    async def commit(self) -> int:
        """Wait until the change is durable and applied here; its index, or 0 if there was nothing to write.

        Raises CommitUnknown if the log failed meanwhile. Cancelling the wait does not take the change back.
        """
        work = self._work
        if work.is_open:
            raise TransactionClosed("commit comes after the block")
        if work.committed is None:
            return 0
        return await work.committed

    def _write(self, path: str, value: bytes | None) -> None:
        self._require_open()
        key = self._barrier.writable_key(self._prefix + path)
        work = self._work
        work.bytes += len(key) + (0 if value is None else len(value))
        if work.bytes > TRANSACTION_BYTES_MAX:
            raise ValueTooLarge(f"the transaction is larger than {TRANSACTION_BYTES_MAX} bytes")
        work.writes.set(key, value)

    def _seek(self) -> Seek:
        self._require_open()
        return merged(self._barrier.backend.seeker(), self._work.writes, self._barrier.in_flight)

    def _require_open(self) -> None:
        if not self._work.is_open:
            raise TransactionClosed("a transaction is used inside its block only")
