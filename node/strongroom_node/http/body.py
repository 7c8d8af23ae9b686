"""Bodies as they arrive: of a declared length, or in chunks. Bounded, linear, no I/O."""

import re
from typing import Final

from strongroom_node.http.errors import WireError

_CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n\x00]*)?")
_CHUNK_LINE_BYTES_MAX: Final = 256
_TRAILER_BYTES_MAX: Final = 8192
TOO_LARGE: Final = "http: request body too large"


class SizedBody:
    """A body of a known length."""

    __slots__ = ("_missing", "_parts")

    def __init__(self, length: int) -> None:
        self._missing = length
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> bytes | None:
        """Take what belongs to the body. The rest if the body is complete, None if more is needed."""
        if len(data) < self._missing:
            self._missing -= len(data)
            self._parts.append(data)
            return None
        self._parts.append(data[: self._missing])
        rest = data[self._missing :]
        self._missing = 0
        return rest

    def take(self) -> bytes:
        """The whole body, once it is complete."""
        return b"".join(self._parts)


class ChunkedBody:
    """A body in chunks (RFC 9112, section 7.1). Extensions and trailers are read over and forgotten.

    Raises WireError 400 on anything the grammar does not hold, 413 beyond `bytes_max`.
    """

    __slots__ = ("_buffer", "_bytes_max", "_chunk_missing", "_parts", "_size", "_state", "_trailer_bytes")

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._buffer = b""
        self._parts: list[bytes] = []
        self._size = 0
        self._chunk_missing = 0
        self._trailer_bytes = 0
        self._state = "size"

    def feed(self, data: bytes) -> bytes | None:
        """Take bytes from the wire. What follows the body once it is complete, None while it is not."""
        data = self._buffer + data if self._buffer else data
        at = 0
        while True:
            if self._state == "data":
                taken = data[at : at + self._chunk_missing]
                self._parts.append(taken)
                self._chunk_missing -= len(taken)
                at += len(taken)
                if self._chunk_missing:
                    self._buffer = b""
                    return None
                self._state = "data end"
            line_end = data.find(b"\r\n", at)
            if line_end < 0:
                self._wait(data[at:])
                return None
            line = data[at:line_end]
            at = line_end + 2
            if self._line(line):
                self._buffer = b""
                return data[at:]

    def take(self) -> bytes:
        """The whole body, once it is complete."""
        return b"".join(self._parts)

    def _wait(self, tail: bytes) -> None:
        bound = 1 if self._state == "data end" else _CHUNK_LINE_BYTES_MAX
        if self._state == "trailer":
            bound = _TRAILER_BYTES_MAX
        # a line feed cannot come before the carriage return that ends the line
        if len(tail) > bound or b"\n" in tail or (self._state == "data end" and tail not in {b"", b"\r"}):
            raise WireError(400, "malformed chunk", closes=True)
        self._buffer = tail

    def _line(self, line: bytes) -> bool:
        """Take one line. True if it ends the body."""
        if self._state == "data end":
            if line:
                raise WireError(400, "malformed chunk", closes=True)
            self._state = "size"
            return False
        if self._state == "trailer":
            self._trailer_bytes += len(line) + 2
            if self._trailer_bytes > _TRAILER_BYTES_MAX or b"\n" in line:
                raise WireError(400, "malformed trailer", closes=True)
            return not line
        match = _CHUNK_LINE.fullmatch(line) if len(line) <= _CHUNK_LINE_BYTES_MAX else None
        if match is None:
            raise WireError(400, "malformed chunk", closes=True)
        self._chunk_missing = int(match[1], 16)
        self._size += self._chunk_missing
        if self._size > self._bytes_max:
            raise WireError(413, TOO_LARGE, closes=True)
        self._state = "data" if self._chunk_missing else "trailer"
        return False
