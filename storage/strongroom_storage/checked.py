"""Decoded objects kept while their record's index of last change is the same."""

from collections.abc import Callable
from typing import Any, Final

# About the tokens, policies and keys a busy node uses in a minute; at 2 KiB an object this is 32 MiB.
OBJECTS_MAX: Final = 16_384


class CheckedCache:
    """A bounded map from path to (epoch of the last check, record index, decoder, object).

    An entry is used only if its record's index was compared with the store in the present epoch, so it is never
    older than what reading and decoding again would give. When full the oldest entry goes.
    """

    __slots__ = ("entries", "objects_max")

    def __init__(self, objects_max: int = OBJECTS_MAX) -> None:
        self.entries: dict[str, tuple[int, int, Callable[[bytes], Any], Any]] = {}
        self.objects_max = objects_max

    def store(self, key: str, epoch: int, index: int, decode: Callable[[bytes], Any], value: Any) -> None:
        """Keep an object, in place of what was kept under the key."""
        entries = self.entries
        entries[key] = (epoch, index, decode, value)
        if len(entries) > self.objects_max:
            del entries[next(iter(entries))]

    def clear(self) -> None:
        """Forget all objects."""
        self.entries.clear()
