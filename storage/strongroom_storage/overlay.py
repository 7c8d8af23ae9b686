"""Writes that are not applied yet, laid over a store: what a transaction sees besides the applied state."""

from collections.abc import Iterable

from sortedcontainers import SortedList

from strongroom_storage.backend import Seek


class Overlay:
    """Keys with new plaintext, or with None where they are deleted. Sorted only when somebody lists."""

    __slots__ = ("_order", "_writers", "values")

    def __init__(self) -> None:
        self.values: dict[bytes, bytes | None] = {}
        self._writers: dict[bytes, int] = {}
        self._order: SortedList[bytes] | None = None

    def set(self, key: bytes, value: bytes | None, writer: int = 0) -> None:
        """Lay a value, or a deletion, over a key. `writer` says on whose behalf."""
        if self._order is not None and key not in self.values:
            self._order.add(key)
        self.values[key] = value
        self._writers[key] = writer

    def settle(self, keys: Iterable[bytes], writer: int) -> None:
        """Take away what `writer` laid, except where a later writer has laid over it."""
        writers = self._writers
        for key in keys:
            if writers.get(key) == writer:
                del writers[key]
                del self.values[key]
                if self._order is not None:
                    self._order.remove(key)
        if not writers:
            self._order = None

    def clear(self) -> None:
        """Take away everything."""
        self.values.clear()
        self._writers.clear()
        self._order = None

    def seek(self, key: bytes) -> bytes | None:
        """The smallest key laid over, deleted or not, that is not below the one given."""
        if not self.values:
            return None
        if self._order is None:
            self._order = SortedList(self.values)
        at = self._order.bisect_left(key)
        return self._order[at] if at < len(self._order) else None


def merged(base: Seek, *overlays: Overlay) -> Seek:
    """A seek over a store with overlays; where they differ about a key the first overlay given is right."""

    def seek(position: bytes) -> bytes | None:
        while True:
            found = base(position)
            for overlay in overlays:
                key = overlay.seek(position)
                if key is not None and (found is None or key < found):
                    found = key
            if found is None or not _is_deleted(found, overlays):
                return found
            position = found + b"\x00"

    return seek


def _is_deleted(key: bytes, overlays: tuple[Overlay, ...]) -> bool:
    for overlay in overlays:
        if key in overlay.values:
            return overlay.values[key] is None
    return False
