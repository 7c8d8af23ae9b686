"""Bodies as they arrive: of a declared length, or in chunks. Bounded, linear, no I/O."""

import re
from typing import Final

from strongroom_node.http.errors import WireError

_CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[^\r\n\x00]*)?")
_TRAILER_LINE: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\x00]*")
_CHUNK_LINE_BYTES_MAX: Final = 256
_TRAILER_BYTES_MAX: Final = 8192
CHUNKS_FREE: Final = 16_384
CHUNK_BYTES_MEAN_MIN: Final = 64
"""Beyond the free ones, chunks must hold so much on average. A chunk costs 1 us whatever it holds: 32 MiB in chunks
of one byte would cost half a minute, of somebody who needs no token; so it is half a second, as for the same in JSON.
"""
TOO_LARGE: Final = "http: request body too large"


class SizedBody:
    """A body of a known length."""

    __slots__ = ("_data", "_missing")

    def __init__(self, length: int) -> None:
        self._missing = length
        self._data = bytearray()

    @property
    def size(self) -> int:
        """Bytes that have come."""
        return len(self._data)

    def feed(self, data: bytes, at: int) -> int | None:
        """Take the body's part of `data` from `at` on. Where the body ends, None if more is needed."""
        end = at + self._missing
        taken = data[at:end]
        self._data += taken
        self._missing -= len(taken)
        return None if self._missing else end

    def take(self) -> bytes:
        """The whole body, once it is complete."""
        return bytes(self._data)


class ChunkedBody:
    """A body in chunks (RFC 9112, section 7.1). Extensions and trailers are read over and forgotten.

    Raises WireError 400 on anything the grammar does not hold and on too many small chunks, 413 beyond `bytes_max`
    (0 or less: no bound).
    """

    __slots__ = ("_bytes_max", "_chunk_missing", "_chunks", "_data", "_rest", "_size", "_state", "_trailer_bytes")

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._rest = b""
        self._data = bytearray()
        self._size = 0
        self._chunk_missing = 0
        self._chunks = 0
        self._trailer_bytes = 0
        self._state = "size"

    @property
    def size(self) -> int:
        """Bytes that have come."""
        return len(self._data)

    def feed(self, data: bytes, at: int) -> int | None:
        """Take the body's part of `data` from `at` on. Where the body ends, None if more is needed."""
        before = len(self._rest) - at
        if self._rest:
            data, at, self._rest = self._rest + data[at:], 0, b""
        else:
            before = 0
        while True:
            if self._state == "data":
                taken = data[at : at + self._chunk_missing]
                self._data += taken
                self._chunk_missing -= len(taken)
                at += len(taken)
                if self._chunk_missing:
                    return None
                self._state = "data end"
            line_end = data.find(b"\r\n", at)
            if line_end < 0:
                self._wait(data[at:])
                return None
            is_last = self._line(data[at:line_end])
            at = line_end + 2
            if is_last:
                return at - before

    def take(self) -> bytes:
        """The whole body, once it is complete."""
        return bytes(self._data)

    def _wait(self, tail: bytes) -> None:
        """Keep the beginning of a line until the rest of it comes."""
        bound = _TRAILER_BYTES_MAX if self._state == "trailer" else _CHUNK_LINE_BYTES_MAX
        if len(tail) > bound or b"\n" in tail or (self._state == "data end" and tail not in {b"", b"\r"}):
            raise WireError(400, "malformed chunk")
        self._rest = tail

    def _line(self, line: bytes) -> bool:
        """Take one line. True if it ends the body."""
        if self._state == "data end":
            if line:
                raise WireError(400, "malformed chunk")
            self._state = "size"
            return False
        if self._state == "trailer":
            self._trailer_bytes += len(line) + 2
            if self._trailer_bytes > _TRAILER_BYTES_MAX or (line and _TRAILER_LINE.fullmatch(line) is None):
                raise WireError(400, "malformed trailer")
            return not line
        match = _CHUNK_LINE.fullmatch(line) if len(line) <= _CHUNK_LINE_BYTES_MAX else None
        if match is None:
            raise WireError(400, "malformed chunk")
        self._chunk_missing = int(match[1], 16)
        self._size += self._chunk_missing
        if self._size > self._bytes_max > 0:
            raise WireError(413, TOO_LARGE)
        self._chunks += 1
        if self._chunks > CHUNKS_FREE + self._size // CHUNK_BYTES_MEAN_MIN:
            raise WireError(400, "chunks are too small")
        self._state = "data" if self._chunk_missing else "trailer"
        return False
