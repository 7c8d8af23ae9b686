"""The store of tests and of dev mode: a sorted dictionary."""

from collections.abc import Iterator, Sequence

from sortedcontainers import SortedDict

from strongroom_storage.backend import Change, Get, Seek


class InmemBackend:
    """Keeps everything on the heap and nothing after `close`."""

    def __init__(self) -> None:
        self._records: SortedDict[bytes, bytes] = SortedDict()
        self.get: Get = self._records.get
        self.epoch = 0
        self._bytes = 0

    def seeker(self) -> Seek:
        """A function that finds the smallest key not below the one given."""
        records = self._records
        keys = records.keys()

        def seek(key: bytes) -> bytes | None:
            at = records.bisect_left(key)
            return keys[at] if at < len(keys) else None

        return seek

    def apply(self, changes: Sequence[Change]) -> None:
        """Make all changes in order."""
        records = self._records
        for key, record in changes:
            old = records.get(key)
            if old is not None:
                self._bytes -= len(key) + len(old)
            if record is not None:
                records[key] = record
                self._bytes += len(key) + len(record)
            elif old is not None:
                del records[key]
        self.epoch += 1

    def moment(self) -> "Moment":
        """All keys and records as they are now."""
        return Moment(list(self._records.items()))

    def size_bytes(self) -> int:
        """Bytes of keys and records."""
        return self._bytes

    def close(self) -> None:
        """Forget everything."""
        self._records.clear()
        self.epoch += 1


class Moment:
    """A copy of a store's content."""

    def __init__(self, records: list[tuple[bytes, bytes]]) -> None:
        self._records = records

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """All of it, in the order of the keys."""
        return iter(self._records)

    def close(self) -> None:
        """Forget it."""
        self._records = []
