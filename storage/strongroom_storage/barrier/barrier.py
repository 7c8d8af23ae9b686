"""The barrier: sealed or unsealed, over a backend for reading and a log for writing."""

import asyncio
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from strongroom_storage.backend import Backend
from strongroom_storage.barrier import frame
from strongroom_storage.barrier.keyring import Keyring, RotationConfig
from strongroom_storage.checked import CheckedCache
from strongroom_storage.crypto.aead import AEAD, KEY_BYTES
from strongroom_storage.crypto.entropy import random_bytes
from strongroom_storage.crypto.secret import SecretBytes
from strongroom_storage.entry import (
    BODY_AT,
    FLAGS_AT,
    FLAGS_BARRIER,
    FLAGS_PLAIN,
    FLAGS_ROOT,
    GENERATION_PREFIX,
    INDEX,
    is_bootstrap,
    key_bytes,
)
from strongroom_storage.errors import (
    BarrierInitialized,
    BarrierSealed,
    BarrierUninitialized,
    FrameInvalid,
    KeyInvalid,
    KeyTermUnknown,
    LogBusy,
    RootKeyInvalid,
)
from strongroom_storage.log import Operation, WriteLog
from strongroom_storage.overlay import Overlay
from strongroom_storage.ticket import Ticket
from strongroom_storage.view import StorageView

KEYRING_PATH: Final = "core/keyring"
_KEYRING_KEY: Final = KEYRING_PATH.encode()

# A killed process forgets at most this many encryptions: one ten-thousandth of a percent of what a term may do.
_COUNT_STEP: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """What an operator may know of the active key term. `installed` is in seconds since the epoch."""

    term: int
    installed: float
    encryptions: int


class Barrier:
    """Everything above sees plaintext, everything below ciphertext.

    `clock` gives seconds since the epoch; it dates key terms only. Belongs to the event loop's thread.
    """

    def __init__(self, backend: Backend, log: WriteLog, clock: Callable[[], float] = time.time) -> None:
        self.backend = backend
        self.checked = CheckedCache()
        self.in_flight = Overlay()
        self._log = log
        self._clock = clock
        self._keyring: Keyring | None = None
        self._root_key = SecretBytes(b"")
        self._keys: dict[int, AEAD] = {}
        self._seal_frame: Callable[[bytes, bytes], bytes] | None = None
        self._generations: dict[str, tuple[int, int]] = {}
        self._transactions = 0
        self._unsettled = 0
        self._is_blind = False  # sealed while writes were in flight: their plaintext is forgotten, wait for them
        self._keyring_lock = asyncio.Lock()

    # State

    @property
    def is_sealed(self) -> bool:
        """Whether the keyring is not in memory."""
        return self._keyring is None

    @property
    def is_initialized(self) -> bool:
        """Whether a keyring is stored."""
        return self.backend.get(_KEYRING_KEY) is not None

    def require_unsealed(self) -> None:
        """Raise BarrierSealed if sealed."""
        if self._keyring is None:
            raise BarrierSealed("the barrier is sealed")

    async def initialize(self, root_key: bytes, plain: Mapping[str, bytes] | None = None) -> None:
        """Make and store the first keyring, and `plain` records in the same commit. Leaves the barrier sealed."""
        async with self._keyring_lock:
            if self.is_initialized:
                raise BarrierInitialized("the barrier is initialized already")
            keyring = Keyring.first(random_bytes(KEY_BYTES), self._clock())
            await self._store(keyring, root_key, plain)
            keyring.wipe()

    def unseal(self, root_key: bytes) -> None:
        """Load the keyring. Raises RootKeyInvalid for a wrong key; opening an open barrier checks the key only."""
        keyring = self._load(root_key)
        if self._keyring is not None:
            keyring.wipe()
            return
        self._root_key = SecretBytes(root_key)
        self._use(keyring)

    def reload(self) -> None:
        """Take up a keyring that another node has changed; the root key must still open it, else RootKeyInvalid."""
        self.require_unsealed()
        self._use(self._load(self._root_key.reveal()))

    def verify_root_key(self, root_key: bytes) -> bool:
        """Whether this is the root key. Raises BarrierSealed."""
        self.require_unsealed()
        return hmac.compare_digest(self._root_key.reveal(), root_key)

    def root_key(self) -> bytes:
        """The root key, for the seal that wraps it anew. Raises BarrierSealed."""
        self.require_unsealed()
        return self._root_key.reveal()

    def seal(self) -> None:
        """Forget all keys and everything decrypted. What is already queued goes on, sealed as it is."""
        if self._keyring is not None:
            self._keyring.wipe()
        self._root_key.wipe()
        self._keyring = None
        self._keys = {}
        self._seal_frame = None
        self.checked.clear()
        self.in_flight.clear()
        self._is_blind = self._unsettled > 0

    # Key management

    def key_status(self) -> KeyStatus:
        """The active key term. Raises BarrierSealed."""
        active = self._required().active
        return KeyStatus(active.term, active.installed, self._keys[active.term].sealed)

    @property
    def rotation(self) -> RotationConfig:
        """When to rotate without being asked. Raises BarrierSealed."""
        return self._required().rotation

    async def set_rotation(self, rotation: RotationConfig) -> None:
        """Store another rotation configuration. Raises ValueError for one that is not allowed."""
        async with self._keyring_lock:
            await self._replace(replace(self._required(), rotation=rotation.checked()))

    async def rotate(self) -> int:
        """Add a key term, which seals from now on; its number. Older terms still open."""
        async with self._keyring_lock:
            keyring = self._required().rotated(random_bytes(KEY_BYTES), self._clock())
            await self._replace(keyring)
            return keyring.active.term

    async def rekey(self, root_key: bytes, plain: Mapping[str, bytes] | None = None) -> None:
        """Put the keyring under another root key, and store `plain` records in the same commit.

        Cancelling it once the write is queued does not undo it: it ends first, and the cancellation follows.
        """
        async with self._keyring_lock:
            await self._store(self._counted(), root_key, plain, partial(self._switch_root_key, root_key))

    async def maintain(self) -> bool:
        """Rotate if it is due, else store the encryption counts if they grew enough; call it now and then.

        Returns whether it rotated.
        """
        if self._keyring is None or not self._log.is_active:
            return False
        active = self._keyring.active
        sealed = self._keys[active.term].sealed
        if self._keyring.is_rotation_due(sealed, self._clock()):
            await self.rotate()
            return True
        if sealed >= active.encryptions + _COUNT_STEP:
            await self.persist_counts()
        return False

    async def persist_counts(self) -> None:
        """Store how many frames each term has sealed; worth doing before a clean stop."""
        async with self._keyring_lock:
            if self._keyring is not None and self._counted() != self._keyring:
                await self._replace(self._keyring)

    # Records that are readable while sealed

    def get_plain(self, path: str) -> bytes | None:
        """A record that was written by `put_plain`. Raises FrameInvalid for one of another kind."""
        record = self.backend.get(_bootstrap_key(path))
        if record is None:
            return None
        if record[FLAGS_AT] != FLAGS_PLAIN:
            raise FrameInvalid("a sealed record was found where a plain one belongs")
        return record[BODY_AT:]

    async def put_plain(self, records: Mapping[str, bytes | None]) -> int:
        """Write unencrypted records, all or none; None deletes. Only for what must be read while sealed.

        Raises KeyInvalid for a path outside of core/seal..., core/recovery... and core/hsm/...
        """
        self._log.admit()
        return await self._log.submit(_plain(records))

    # What views and transactions use

    def view(self, prefix: str) -> StorageView:
        """The keys below a prefix, which ends with a slash."""
        return StorageView(self, prefix)

    def generation(self, name: str) -> int:
        """How often the records of a path class ("policy", "mounts", ...) have changed."""
        epoch = self.backend.epoch
        known = self._generations.get(name)
        if known is not None and known[0] == epoch:
            return known[1]
        record = self.backend.get(GENERATION_PREFIX + name.encode())
        generation = 0 if record is None else int(INDEX.unpack(record)[0])
        self._generations[name] = (epoch, generation)
        return generation

    def read(self, key: bytes) -> bytes | None:
        """The value under a stored key, or None. Raises BarrierSealed or FrameInvalid."""
        record = self.backend.get(key)
        if record is None:
            self.require_unsealed()
            return None
        return self.open(key, record)

    def open(self, key: bytes, record: bytes) -> bytes:
        """Decrypt a record. Raises BarrierSealed, FrameInvalid or KeyTermUnknown."""
        if self._keyring is None:
            raise BarrierSealed("the barrier is sealed")
        if len(record) <= FLAGS_AT or record[FLAGS_AT] != FLAGS_BARRIER:
            raise FrameInvalid("a record is of another kind than its key")
        term = frame.frame_term(record, BODY_AT)
        aead = self._keys.get(term)
        if aead is None:
            raise KeyTermUnknown(f"the keyring holds no key term {term}")
        return frame.open_frame(aead, key, record, BODY_AT)

    def writable_key(self, path: str) -> bytes:
        """The stored form of a path that the barrier may write. Raises KeyInvalid or KeyTooLong."""
        key = key_bytes(path)
        if is_bootstrap(key):
            raise KeyInvalid("this key is kept for records that are readable while sealed")
        return key

    def admit(self) -> None:
        """Raise BarrierSealed, NotActive, LogBusy or LogFailed if a transaction may not be opened."""
        if self._keyring is None:
            raise BarrierSealed("the barrier is sealed")
        if self._is_blind:
            raise LogBusy("writes from before the barrier was sealed are still in flight")
        self._log.admit()

    def submit(self, writes: Mapping[bytes, bytes | None]) -> Ticket:
        """Seal and queue one transaction. Raises BarrierSealed or KeyTermExhausted, and then nothing is queued."""
        seal_frame = self._seal_frame
        if seal_frame is None:
            raise BarrierSealed("the barrier is sealed")
        operations: list[Operation] = [
            (key, None if value is None else seal_frame(key, value)) for key, value in writes.items()
        ]
        committed = self._log.submit(operations)
        self._transactions += 1
        self._unsettled += 1
        writer = self._transactions
        for key, value in writes.items():
            self.in_flight.set(key, value, writer)
        committed.on_settled(partial(self._settle, list(writes), writer))
        return committed

    def _settle(self, keys: list[bytes], writer: int) -> None:
        self.in_flight.settle(keys, writer)
        self._unsettled -= 1
        self._is_blind = self._is_blind and self._unsettled > 0

    # The keyring

    def _required(self) -> Keyring:
        if self._keyring is None:
            raise BarrierSealed("the barrier is sealed")
        return self._keyring

    def _counted(self) -> Keyring:
        return self._required().counted({term: key.sealed for term, key in self._keys.items()})

    def _load(self, root_key: bytes) -> Keyring:
        record = self.backend.get(_KEYRING_KEY)
        if record is None:
            raise BarrierUninitialized("the barrier is not initialized")
        if record[FLAGS_AT] != FLAGS_ROOT:
            raise FrameInvalid("the keyring's record is of another kind")
        if len(root_key) != KEY_BYTES:
            raise RootKeyInvalid("the root key has a wrong length")
        try:
            return Keyring.opened(root_key, _KEYRING_KEY, record[BODY_AT:])
        except FrameInvalid as error:
            raise RootKeyInvalid("the root key does not open the keyring") from error

    def _use(self, keyring: Keyring) -> None:
        known = self._keys
        self._keys = {t.term: known.get(t.term) or AEAD(t.key.reveal(), t.encryptions) for t in keyring.terms}
        self._keyring = keyring
        active = keyring.active.term
        aead = self._keys[active]
        start = bytes([FLAGS_BARRIER]) + frame.HEADER.pack(active, frame.VERSION)
        seal = aead.seal
        self._seal_frame = lambda key, value: start + seal(value, key)

    async def _replace(self, keyring: Keyring) -> None:
        """Store a keyring, then use it. Call with the lock held."""
        keyring = keyring.counted({term: key.sealed for term, key in self._keys.items()})
        await self._store(keyring, self._root_key.reveal(), None, partial(self._switch_keyring, keyring))

    def _switch_keyring(self, keyring: Keyring) -> None:
        if self._keyring is not None:
            self._use(keyring)

    def _switch_root_key(self, root_key: bytes) -> None:
        if self._keyring is not None:
            self._root_key.wipe()
            self._root_key = SecretBytes(root_key)

    async def _store(
        self,
        keyring: Keyring,
        root_key: bytes,
        plain: Mapping[str, bytes | None] | None,
        switch: Callable[[], None] | None = None,
    ) -> None:
        """Store a keyring, then call `switch`. Call with the lock held.

        Stored and in use must not differ: the next rotation would put the keyring back under the old root key. So a
        caller that is cancelled still waits for the write, with the lock, and switches before it goes.
        """
        if len(root_key) != KEY_BYTES:
            raise RootKeyInvalid("the root key has a wrong length")
        self._log.admit()
        body = bytes([FLAGS_ROOT]) + keyring.sealed(root_key, _KEYRING_KEY)
        stored = self._log.submit([(_KEYRING_KEY, body), *_plain(plain or {})])
        cancelled: asyncio.CancelledError | None = None
        while not stored.is_settled:
            try:
                await stored
            except asyncio.CancelledError as error:
                cancelled = error
        stored.result()
        if switch is not None:
            switch()
        if cancelled is not None:
            raise cancelled


def _bootstrap_key(path: str) -> bytes:
    key = key_bytes(path)
    if not is_bootstrap(key) or key == _KEYRING_KEY:
        raise KeyInvalid("this key is not for plain records")
    return key


def _plain(records: Mapping[str, bytes | None]) -> list[Operation]:
    flags = bytes([FLAGS_PLAIN])
    return [(_bootstrap_key(path), None if body is None else flags + body) for path, body in records.items()]
