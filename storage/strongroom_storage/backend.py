"""What the rest of the system asks of a local store: an ordered map of bytes, changed atomically."""

from collections.abc import Callable, Sequence
from typing import Protocol

# The smallest key that is not smaller than the one given, or None. Valid until the next `apply`.
Seek = Callable[[bytes], bytes | None]

# The record under a key, or None.
Get = Callable[[bytes], bytes | None]

# (key, record), or (key, None) to delete.
Change = tuple[bytes, bytes | None]


class Backend(Protocol):
    """An ordered map from keys to records. Not thread-safe: it belongs to the event loop's thread."""

    @property
    def epoch(self) -> int:
        """A number that changes whenever the content may have changed: what was read under it is still true."""
        ...

    def get(self, key: bytes, /) -> bytes | None:
        """The record under a key, or None."""
        ...

    def seeker(self) -> Seek:
        """A function that finds keys in order; see `listing` for what is built on it."""
        ...

    def apply(self, changes: Sequence[Change]) -> None:
        """Make all changes, in order, or none. Deleting what is not there is not an error."""
        ...

    def size_bytes(self) -> int:
        """Roughly the space the content takes."""
        ...

    def close(self) -> None:
        """Release the store."""
        ...
