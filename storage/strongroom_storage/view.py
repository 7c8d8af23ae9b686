"""A view of the barrier that is cut to a prefix: the only storage an engine sees."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from strongroom_storage import listing
from strongroom_storage.entry import key_bytes, record_index
from strongroom_storage.transaction import Transaction

if TYPE_CHECKING:
    from strongroom_storage.barrier.barrier import Barrier

T = TypeVar("T")


class StorageView:
    """Keys below `prefix`. Reads are synchronous, over what is applied; writes go through `transaction`.

    Paths are relative to the prefix. Every read raises BarrierSealed while the barrier is sealed.
    """

    __slots__ = ("_backend", "_barrier", "_cached", "prefix")

    def __init__(self, barrier: "Barrier", prefix: str) -> None:
        if prefix and not prefix.endswith("/"):
            raise ValueError("the prefix of a view ends with a slash")
        self.prefix = prefix
        self._barrier = barrier
        self._backend = barrier.backend
        self._cached = barrier.checked.entries

    def get(self, path: str) -> bytes | None:
        """The value under a path, or None. Raises FrameInvalid if what is stored does not open."""
        return self._barrier.read(key_bytes(self.prefix + path))

    def index_of(self, path: str) -> int:
        """Index of the last change of a path, 0 if absent; nothing is decrypted."""
        self._barrier.require_unsealed()
        record = self._backend.get(key_bytes(self.prefix + path))
        return 0 if record is None else record_index(record)

    def get_checked(self, path: str, decode: Callable[[bytes], T]) -> T | None:
        """The decoded value, kept between calls while its record is unchanged. Treat it as immutable.

        Pass the same `decode` each time (a module's function, not a new lambda), else nothing is kept.
        """
        full = self.prefix + path
        backend = self._backend
        entry = self._cached.get(full)
        if entry is not None and entry[2] == decode:
            if entry[0] == backend.epoch:
                value: T = entry[3]
                return value
            record = backend.get(full.encode())
            if record is not None and record_index(record) == entry[1]:
                self._cached[full] = (backend.epoch, entry[1], decode, entry[3])
                kept: T = entry[3]
                return kept
        return self._decode(full, decode)

    def _decode(self, full: str, decode: Callable[[bytes], T]) -> T | None:
        self._barrier.require_unsealed()
        key = key_bytes(full)
        record = self._backend.get(key)
        if record is None:
            self._cached.pop(full, None)
            return None
        value = decode(self._barrier.open(key, record))
        self._barrier.checked.store(full, self._backend.epoch, record_index(record), decode, value)
        return value

    def list_page(self, path: str = "", after: str = "", limit: int = -1) -> list[str]:
        """Names one level below a path: `a`, `dir/`; sorted, those greater than `after`, at most `limit` (-1: all).

        A folder costs one seek whatever it holds.
        """
        self._barrier.require_unsealed()
        return listing.names(
            listing.list_page(self._backend.seeker(), *listing.page_start(self.prefix, path, after), limit)
        )

    def walk(self, path: str = "", after: str = "", limit: int = -1) -> list[str]:
        """Keys at any depth below a path, relative to it; sorted, those greater than `after`, at most `limit`."""
        self._barrier.require_unsealed()
        return listing.names(listing.walk(self._backend.seeker(), *listing.page_start(self.prefix, path, after), limit))

    def within(self, path: str) -> "StorageView":
        """The view of a folder of this view; `path` ends with a slash."""
        return StorageView(self._barrier, self.prefix + path)

    def transaction(self) -> Transaction:
        """A write transaction. Raises BarrierSealed, NotActive, LogBusy or LogFailed."""
        return Transaction(self._barrier, self.prefix)

    def __repr__(self) -> str:
        """Name the prefix."""
        return f"<StorageView {self.prefix}>"
