"""Copies of the whole store as a stream: versioned, hashed, read from one moment while the store goes on.

Stream: magic (8) | version (4) | index (8) | term (8), then blocks of length (4) | msgpack `[key, record, ...]`, then
a block of length 0 and the SHA-256 of everything before it. Records are as the store has them: ciphertext.
"""

import hashlib
from collections.abc import Callable, Iterator
from struct import Struct
from typing import Final, Protocol

import msgpack

from strongroom_cluster.errors import ClusterError

MAGIC: Final = b"STRGSNAP"
VERSION: Final = 1
_HEAD: Final = Struct(">8sIQQ")
_LENGTH: Final = Struct(">I")
BLOCK_BYTES: Final = 256 << 10
# One record of the largest size and its envelope, beside a full block.
_BLOCK_BYTES_MAX: Final = 4 << 20
_pack = msgpack.Packer(use_bin_type=True).pack


class SnapshotInvalid(ClusterError):
    """A snapshot is damaged, cut short, or of another version."""


class Moment(Protocol):
    """A read-only view of a store that does not change; keys in order."""

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """All keys and records."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def stream(items: Iterator[tuple[bytes, bytes]], index: int, term: int) -> Iterator[bytes]:
    """The stream of a store at (index, term), in pieces of about a block."""
    digest = hashlib.sha256()
    head = _HEAD.pack(MAGIC, VERSION, index, term)
    digest.update(head)
    yield head
    flat: list[bytes] = []
    size = 0
    for key, record in items:
        flat += (key, record)
        size += len(key) + len(record)
        if size >= BLOCK_BYTES:
            yield _block(flat, digest.update)
            flat, size = [], 0
    if flat:
        yield _block(flat, digest.update)
    end = _LENGTH.pack(0)
    digest.update(end)
    yield end + digest.digest()


def _block(flat: list[bytes], update: Callable[[bytes], None]) -> bytes:
    packed = _pack(flat)
    block: bytes = _LENGTH.pack(len(packed)) + packed
    update(block)
    return block


class Parser:
    """Reads a stream in pieces of any size. `take` gives what can be stored; `is_whole` says that the hash was right.

    Nothing that was taken may be used before that.
    """

    def __init__(self) -> None:
        self.index = self.term = -1
        self.is_whole = False
        self._buffer = bytearray()
        self._digest = hashlib.sha256()
        self._last_key = b""

    def take(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """The records that are complete now, in the order of their keys. Raises SnapshotInvalid."""
        buffer = self._buffer
        buffer += data
        if self.index < 0:
            if len(buffer) < _HEAD.size:
                return []
            magic, version, self.index, self.term = _HEAD.unpack_from(buffer)
            if magic != MAGIC or version != VERSION:
                raise SnapshotInvalid(f"this is no snapshot of version {VERSION}")
            self._consume(_HEAD.size)
        records: list[tuple[bytes, bytes]] = []
        while len(buffer) >= _LENGTH.size and not self.is_whole:
            size = _LENGTH.unpack_from(buffer)[0]
            if size > _BLOCK_BYTES_MAX:
                raise SnapshotInvalid("a block is too large")
            if size == 0:
                self._finish()
                break
            if len(buffer) < _LENGTH.size + size:
                break
            records += self._records(bytes(buffer[_LENGTH.size : _LENGTH.size + size]))
            self._consume(_LENGTH.size + size)
        if self.is_whole and buffer:
            raise SnapshotInvalid("something follows the end")
        return records

    def _finish(self) -> None:
        end = _LENGTH.size + self._digest.digest_size
        if len(self._buffer) >= end:
            self._consume(_LENGTH.size)
            if bytes(self._buffer[: self._digest.digest_size]) != self._digest.digest():
                raise SnapshotInvalid("the hash is wrong")
            del self._buffer[: self._digest.digest_size]
            self.is_whole = True

    def _consume(self, size: int) -> None:
        self._digest.update(self._buffer[:size])
        del self._buffer[:size]

    def _records(self, packed: bytes) -> list[tuple[bytes, bytes]]:
        try:
            flat = msgpack.unpackb(packed, use_list=True, max_ext_len=0, max_map_len=0, max_str_len=0)
        except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
            raise SnapshotInvalid("a block is not readable") from error
        if type(flat) is not list or len(flat) % 2 or not all(type(part) is bytes and part for part in flat):
            raise SnapshotInvalid("a block has a wrong shape")
        records = list(zip(flat[::2], flat[1::2], strict=True))
        for key, _ in records:
            if key <= self._last_key:
                raise SnapshotInvalid("keys are not in order")
            self._last_key = key
        return records


class StreamReader:
    """A `SnapshotReader` over a moment: produces the stream as it is asked for, and keeps only what may be asked again.

    `read` may go back to what was read and not passed by `SNAPSHOT_WINDOW_BYTES` yet, or to the beginning.
    """

    def __init__(self, moment: Moment, index: int, term: int, window_bytes: int) -> None:
        self.index, self.term = index, term
        self._moment = moment
        self._window_bytes = window_bytes
        self._restart()

    def _restart(self) -> None:
        self._pieces = stream(self._moment.items(), self.index, self.term)
        self._kept = bytearray()
        self._kept_from = 0
        self._is_done = False

    def read(self, offset: int, size: int) -> tuple[bytes, bool]:
        """The bytes at an offset and whether they are the last."""
        if offset < self._kept_from:
            self._restart()
        while not self._is_done and self._kept_from + len(self._kept) <= offset + size:
            piece = next(self._pieces, None)
            if piece is None:
                self._is_done = True
            else:
                self._kept += piece
            spare = offset - self._window_bytes - self._kept_from
            if spare > 0:
                del self._kept[:spare]
                self._kept_from += spare
        start = offset - self._kept_from
        data = bytes(self._kept[start : start + size])
        return data, self._is_done and start + size >= len(self._kept)

    def close(self) -> None:
        """Let go of the moment."""
        self._moment.close()
