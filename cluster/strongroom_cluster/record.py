"""One record of the journal, and what damage to it means. Pure.

Record: data length (4) | index (8) | term (8) | durable index (8) | CRC of the data (4) | CRC of the header (4) |
data | end mark (1). All big-endian; CRC is CRC-32. The *durable index* is the index up to which everything was synced
when the record was written: it tells an interrupted sync (whose records nobody was told of) from damage.
"""

from dataclasses import dataclass
from enum import Enum
from struct import Struct
from typing import Final
from zlib import crc32

_FIELDS: Final = Struct(">IQQQI")
_CRC: Final = Struct(">I")
HEADER_BYTES: Final = _FIELDS.size + _CRC.size
OVERHEAD_BYTES: Final = HEADER_BYTES + 1

# Not zero: a record whose write stopped midway in a zeroed file ends in a zero, a damaged one does not.
END_MARK: Final = 0xA5

# Disks write sectors of at least this size whole or not at all.
SECTOR_BYTES: Final = 512

DATA_BYTES_MAX: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a record before its data."""

    length: int
    index: int
    term: int
    durable: int
    data_crc: int

    @property
    def record_bytes(self) -> int:
        """Size of the whole record."""
        return OVERHEAD_BYTES + self.length


class State(Enum):
    """What lies at an offset."""

    END = "end"  # nothing was written here
    GOOD = "good"
    TORN = "torn"  # a write stopped midway
    DAMAGED = "damaged"  # no interrupted write explains this


def encode(index: int, term: int, durable: int, data: bytes) -> bytes:
    """The record for `data`."""
    fields = _FIELDS.pack(len(data), index, term, durable, crc32(data))
    return b"".join((fields, _CRC.pack(crc32(fields)), data, bytes([END_MARK])))


def decode_header(buffer: bytes | memoryview, at: int) -> Header | None:
    """The header at an offset, or None if its CRC or length is wrong."""
    if at + HEADER_BYTES > len(buffer):
        return None
    if _CRC.unpack_from(buffer, at + _FIELDS.size)[0] != crc32(buffer[at : at + _FIELDS.size]):
        return None
    header = Header(*_FIELDS.unpack_from(buffer, at))
    return header if 0 < header.length <= DATA_BYTES_MAX else None


def data_of(buffer: bytes | memoryview, at: int, header: Header) -> bytes | None:
    """The data of the record at an offset, or None if it is not whole."""
    start = at + HEADER_BYTES
    data = bytes(buffer[start : start + header.length])
    return data if len(data) == header.length and crc32(data) == header.data_crc else None


def judge(buffer: bytes, at: int) -> tuple[State, Header | None]:
    """What lies at offset `at` of a file whose end is the end of `buffer`; bytes beyond count as never written."""
    header = decode_header(buffer, at)
    if header is not None:
        if data_of(buffer, at, header) is not None:
            return State.GOOD, header
        return (State.TORN if _is_body_torn(buffer, at, header) else State.DAMAGED), header
    written = len(buffer.rstrip(b"\x00"))
    if written <= at:
        return State.END, None
    return (State.TORN if _is_header_torn(buffer, at, written) else State.DAMAGED), None


def _is_header_torn(buffer: bytes, at: int, written: int) -> bool:
    """Whether a header is bad because only its beginning, or only one of its sectors, was written."""
    if written < at + HEADER_BYTES:
        return True
    border = at - at % SECTOR_BYTES + SECTOR_BYTES
    parts = (buffer[at : min(border, at + HEADER_BYTES)], buffer[border : at + HEADER_BYTES])
    return any(part and not any(part) for part in parts)


def _is_body_torn(buffer: bytes, at: int, header: Header) -> bool:
    """Whether data is bad because its end, or a whole sector of it, was never written."""
    end = at + header.record_bytes
    if end > len(buffer) or buffer[end - 1] == 0:
        return True
    first = -(-(at + HEADER_BYTES) // SECTOR_BYTES) * SECTOR_BYTES
    zeros = bytes(SECTOR_BYTES)
    return any(
        buffer[sector : sector + SECTOR_BYTES] == zeros for sector in range(first, end - SECTOR_BYTES + 1, SECTOR_BYTES)
    )


def find_witness(buffer: bytes, at: int, index: int) -> tuple[int, Header] | None:
    """The first whole record after offset `at` that was written when `index` was durable; its offset and header.

    Wherever it begins: the record at `at` may have lost its length. Linear in the bytes written.
    """
    written = buffer.rstrip(b"\x00") + b"\x00"
    # Indexes after this one share their upper five bytes with it, or with it plus 2**24.
    marks = {(index + step).to_bytes(8, "big")[:5] for step in (1, 1 << 24)}
    found: list[tuple[int, Header]] = []
    for mark in marks:
        position = written.find(mark, at + 4)
        while position >= 0:
            start = position - 4
            header = decode_header(written, start) if start > at else None
            if header is not None and header.durable >= index and data_of(written, start, header) is not None:
                found.append((start, header))
                break
            position = written.find(mark, position + 1)
    return min(found, key=lambda pair: pair[0], default=None)
