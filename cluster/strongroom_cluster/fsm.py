"""The state machine: applies commands to a backend. Deterministic: one log gives one store, byte for byte."""

from collections.abc import Iterable
from struct import Struct
from typing import Final

from strongroom_cluster.command import decode_write
from strongroom_storage.backend import Backend, Change
from strongroom_storage.entry import APPLIED_KEY, GENERATION_PREFIX, INDEX

# Key prefix to the counter that says how often anything below it changed.
GENERATION_CLASSES: Final = {
    b"sys/policy/": b"policy",
    b"core/mounts/": b"mounts",
    b"core/auth/": b"mounts",
    b"identity/": b"identity",
    b"sys/quota/": b"quota",
    b"core/config/": b"config",
}
_CLASS_PREFIXES: Final = tuple(GENERATION_CLASSES)

_APPLIED: Final = Struct(">QQ")


class StateMachine:
    """Applies commands in order. `applied` is (index, term) of the last one, kept with what it changed."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.applied_index: int
        self.applied_term: int
        self.reload()

    def reload(self) -> None:
        """Look again at what the backend holds; needed after it was replaced whole."""
        record = self.backend.get(APPLIED_KEY)
        self.applied_index, self.applied_term = (0, 0) if record is None else _APPLIED.unpack(record)

    def apply(self, index: int, term: int, command: bytes) -> None:
        """Carry out the command at `index`, which follows the last one.

        Raises CommandInvalid, and then nothing happened.
        """
        if index != self.applied_index + 1:
            raise ValueError(f"command {index} does not follow {self.applied_index}")
        flat = decode_write(command)
        stamp = INDEX.pack(index)
        keys = flat[::2]
        changes: list[Change] = [
            (key, None if payload is None else stamp + payload)
            for key, payload in zip(keys, flat[1::2], strict=True)
            if key is not None
        ]
        touched = {_class_of(key) for key in keys if key is not None and key.startswith(_CLASS_PREFIXES)}
        for name in sorted(touched):
            counter = GENERATION_PREFIX + name
            record = self.backend.get(counter)
            count = 0 if record is None else INDEX.unpack(record)[0]
            changes.append((counter, INDEX.pack(count + 1)))
        self.advance(index, term, changes)

    def advance(self, index: int, term: int, changes: Iterable[Change] = ()) -> None:
        """Make changes that are not a write command, if any, the effect of the entry at `index`."""
        if index != self.applied_index + 1:
            raise ValueError(f"entry {index} does not follow {self.applied_index}")
        self.backend.apply([*changes, (APPLIED_KEY, _APPLIED.pack(index, term))])
        self.applied_index, self.applied_term = index, term


def _class_of(key: bytes) -> bytes:
    return next(name for prefix, name in GENERATION_CLASSES.items() if key.startswith(prefix))
