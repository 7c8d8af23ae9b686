"""The journal: an append-only log in segments, each record checked, each sync one fdatasync.

Segment file: `<first index, 20 digits>.log`, preallocated and zero beyond its records. It begins with
magic (8) | format (4) | first index (8) | CRC (4), written and synced before the file gets its name.
"""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from struct import Struct
from typing import Final, Protocol
from zlib import crc32

import structlog

from strongroom_cluster import record
from strongroom_cluster.errors import JournalDamaged, JournalFull
from strongroom_storage.files import sync_folder

_log = structlog.get_logger("strongroom.journal")

MAGIC: Final = b"STRGJRNL"
FORMAT: Final = 1
_HEAD: Final = Struct(">8sIQ")
_CRC: Final = Struct(">I")
HEAD_BYTES: Final = _HEAD.size + _CRC.size

# Small enough that dropping whole segments frees space soon, large enough that making one is rare.
SEGMENT_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One command of the log."""

    index: int
    term: int
    data: bytes = field(repr=False)


class Journal(Protocol):
    """Where commands become durable. `sync` may be called on another thread, never beside other methods."""

    @property
    def first_index(self) -> int:
        """Index of the oldest entry held, or of the next one if there is none."""
        ...

    @property
    def last_index(self) -> int:
        """Index of the newest entry, 0 if there never was one."""
        ...

    def append(self, index: int, term: int, data: bytes) -> None:
        """Queue an entry for the next sync; `index` follows the last one.

        Raises JournalFull if there is no room for it; what was appended before is not harmed.
        """
        ...

    def sync(self) -> None:
        """Make everything appended durable. After an OSError the journal must not be used any more."""
        ...

    def replay(self, after: int) -> Iterator[Entry]:
        """The entries with an index above `after`, in order."""
        ...

    def close(self) -> None:
        """Release the files."""
        ...


class MemoryJournal:
    """No journal: what dev mode and tests use. Nothing is durable."""

    def __init__(self) -> None:
        self.first_index = 1
        self.last_index = 0

    def append(self, index: int, term: int, data: bytes) -> None:  # noqa: ARG002  -- nothing is kept
        """Count the entry."""
        self.last_index = index

    def sync(self) -> None:
        """Do nothing."""

    def replay(self, after: int) -> Iterator[Entry]:  # noqa: ARG002  -- nothing was kept
        """Nothing."""
        return iter(())

    def close(self) -> None:
        """Do nothing."""


@dataclass(slots=True)
class _Segment:
    path: Path
    first: int
    end: int  # offset behind the last record
    size: int


class FileJournal:
    """The journal in a folder. Opening checks every record.

    Raises JournalDamaged unless all is well but for an interrupted write at the very end, which is cut off. Segments
    that hold nothing above `trusted_index`, because a trusted store has applied it all, are checked when replayed only.
    With `rewrite` the newest segment is written again: after a failed or unfinished sync the kernel may hold pages
    that it believes to be on the disk and that are not. With `create` an absent journal begins here and now, so that
    a store without one is known to be damaged, not new.
    """

    def __init__(
        self,
        folder: Path,
        *,
        trusted_index: int = 0,
        rewrite: bool = False,
        create: bool = False,
        segment_bytes: int = SEGMENT_BYTES,
        sync: Callable[[int], None] = os.fdatasync,
    ) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._fdatasync = sync
        self._segments: list[_Segment] = []
        self._file = -1
        self._buffer: list[bytes] = []
        self._buffered = 0
        self.last_index = 0
        self._durable = 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._recover(trusted_index)
        if rewrite and self._segments:
            self._rewrite(self._segments[-1])
        if create and not self._segments:
            self._begin_segment(1, 0)
        self.written_bytes = self.size_bytes

    @property
    def first_index(self) -> int:
        """Index of the oldest entry held, or of the next one if there is none."""
        return self._segments[0].first if self._segments else self.last_index + 1

    @property
    def size_bytes(self) -> int:
        """Bytes of all records held."""
        return sum(segment.end - HEAD_BYTES for segment in self._segments) + self._buffered

    def append(self, index: int, term: int, data: bytes) -> None:
        """Queue an entry; a full segment is synced and followed by a new one first. Raises JournalFull."""
        if index != self.last_index + 1 and (self._segments or self.last_index):
            raise ValueError(f"entry {index} does not follow {self.last_index}")
        encoded = record.encode(index, term, self._durable, data)
        if not self._segments or self._segments[-1].end + self._buffered + len(encoded) > self._segments[-1].size:
            self.sync()
            self._begin_segment(index, len(encoded))
        self._buffer.append(encoded)
        self._buffered += len(encoded)
        self.last_index = index

    def sync(self) -> None:
        """Write and fdatasync what was appended."""
        if not self._buffer:
            return
        segment = self._segments[-1]
        data = self._buffer[0] if len(self._buffer) == 1 else b"".join(self._buffer)
        written = 0
        while written < len(data):
            written += os.pwrite(self._file, data[written:] if written else data, segment.end + written)
        self._fdatasync(self._file)
        segment.end += len(data)
        self.written_bytes += len(data)
        self._buffer.clear()
        self._buffered = 0
        self._durable = self.last_index

    def replay(self, after: int) -> Iterator[Entry]:
        """The entries above `after`; one segment is in memory at a time."""
        for position, segment in enumerate(self._segments):
            following = self._segments[position + 1] if position + 1 < len(self._segments) else None
            if following is not None and following.first <= after + 1:
                continue
            yield from self._read_segment(segment, after, following.first - 1 if following else self.last_index)

    def _read_segment(self, segment: _Segment, after: int, last: int) -> Iterator[Entry]:
        buffer = memoryview(segment.path.read_bytes())
        at = HEAD_BYTES
        for index in range(segment.first, last + 1):
            header = record.decode_header(buffer, at)
            data = None if header is None else record.data_of(buffer, at, header)
            if header is None or data is None or header.index != index:
                raise self._damage(segment.path, at, index, "is damaged")
            if index > after:
                yield Entry(index, header.term, data)
            at += header.record_bytes

    def forget_before(self, index: int) -> list[Path]:
        """Let go of segments whose entries are all below `index`; the caller deletes the files, in their order."""
        forgotten: list[Path] = []
        while len(self._segments) > 1 and self._segments[1].first <= index:
            forgotten.append(self._segments.pop(0).path)
        return forgotten

    def truncate_after(self, index: int) -> None:
        """Forget all entries above `index`, durably, whether synced or not; later segments go first, newest first.

        After a crash midway a prefix of the log is left that still holds all entries up to `index`.
        """
        if index >= self.last_index:
            return
        if not self._segments or index < self.first_index - 1:
            raise ValueError(f"entries up to {index} are not in the journal any more")
        self._buffer.clear()
        self._buffered = 0
        self.close()
        while len(self._segments) > 1 and self._segments[-1].first > index + 1:
            self._segments.pop().path.unlink()
            sync_folder(self._folder)
        segment = self._segments[-1]
        segment.end = self._offset_after(segment, index)
        _cut(segment.path, segment.end, segment.size)
        self.last_index = index
        self._durable = min(self._durable, index)
        self._file = os.open(segment.path, os.O_RDWR | os.O_CLOEXEC)

    def _offset_after(self, segment: _Segment, index: int) -> int:
        """Where the entry that follows `index` begins, or the end of what was written."""
        buffer = segment.path.read_bytes()
        at = HEAD_BYTES
        for _ in range(segment.first, index + 1):
            header = record.decode_header(buffer, at)
            if header is None:
                break
            at += header.record_bytes
        return at

    def reset(self, index: int) -> None:
        """Forget everything; the next entry is `index` + 1. The caller holds a durable store that has applied `index`.

        After a crash midway there may be no segment left: the caller knows, and does it again.
        """
        self._buffer.clear()
        self._buffered = 0
        self.close()
        while self._segments:
            self._segments.pop().path.unlink()
        sync_folder(self._folder)
        self.last_index = self._durable = index
        self._begin_segment(index + 1, 0)

    def close(self) -> None:
        """Release the file. What was appended and not synced is lost."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _begin_segment(self, first: int, room: int) -> None:
        """Make the next segment: nothing has its name until it is whole and durable."""
        path = self._folder / f"{first:020d}.log"
        draft = path.with_suffix(".new")
        size = max(self._segment_bytes, HEAD_BYTES + room)
        head = _HEAD.pack(MAGIC, FORMAT, first)
        file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(file, 0, size)
            os.pwrite(file, head + _CRC.pack(crc32(head)), 0)
            os.fsync(file)
            draft.rename(path)
            sync_folder(self._folder)
        except OSError as error:
            os.close(file)
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
                draft.unlink(missing_ok=True)
                raise JournalFull(f"no space for another segment in {self._folder}") from error
            raise
        self.close()
        self._file = file
        self._segments.append(_Segment(path, first, HEAD_BYTES, size))

    # Recovery

    def _recover(self, trusted_index: int) -> None:
        for draft in self._folder.glob("*.new"):
            draft.unlink()
        paths = sorted(self._folder.glob("*.log"))
        for path, following in zip_longest(paths, paths[1:]):
            last = _name_index(following) - 1 if following else 0
            if following is not None and last <= trusted_index:
                self._trust_segment(path, last)
            else:
                self._recover_segment(path, is_last=following is None)
        self._durable = self.last_index
        if self._segments:
            self._file = os.open(self._segments[-1].path, os.O_RDWR | os.O_CLOEXEC)

    def _trust_segment(self, path: Path, last: int) -> None:
        with path.open("rb") as file:
            first = self._check_head(path, file.read(HEAD_BYTES))
        size = path.stat().st_size
        self._segments.append(_Segment(path, first, size, size))
        self.last_index = last

    def _check_head(self, path: Path, head: bytes) -> int:
        first = _segment_first(path, head)
        if self._segments and first != self.last_index + 1:
            raise JournalDamaged(
                f"{path} begins with index {first}, but the segment before it ends with {self.last_index}: {_ADVICE}"
            )
        return first

    def _recover_segment(self, path: Path, *, is_last: bool) -> None:
        buffer = path.read_bytes()
        first = self._check_head(path, buffer)
        self.last_index = first - 1
        at = HEAD_BYTES
        while True:
            state, header = record.judge(buffer, at)
            if state is not record.State.GOOD or header is None:
                break
            if header.index != self.last_index + 1:
                raise self._damage(path, at, self.last_index + 1, f"holds index {header.index}")
            self.last_index = header.index
            at += header.record_bytes
        if state is record.State.DAMAGED or (state is record.State.TORN and not is_last):
            raise self._damage(path, at, self.last_index + 1, "is damaged")
        witness = record.find_witness(buffer, at, self.last_index + 1)
        if witness is not None:
            what = f"is damaged (a good record with index {witness[1].index} follows at {witness[0]})"
            raise self._damage(path, at, self.last_index + 1, what)
        if len(buffer.rstrip(b"\x00")) > at:
            _cut(path, at, len(buffer))
            _log.warning("journal tail cut off", file=str(path), offset=at, last_index=self.last_index)
        self._segments.append(_Segment(path, first, at, len(buffer)))

    def _damage(self, path: Path, at: int, index: int, what: str) -> JournalDamaged:
        return JournalDamaged(f"{path}: the record at offset {at}, index {index}, {what}: {_ADVICE}")

    def _rewrite(self, segment: _Segment) -> None:
        data = os.pread(self._file, segment.end, 0)
        os.pwrite(self._file, data, 0)
        self._fdatasync(self._file)


_ADVICE: Final = (
    "acknowledged writes may be lost, so the node does not start; restore the file, or the whole storage folder from a"
    " snapshot, or let the node rejoin its cluster with an empty folder"
)


def _segment_first(path: Path, buffer: bytes) -> int:
    """The first index a segment promises. Raises JournalDamaged unless its head and its name agree."""
    if len(buffer) >= HEAD_BYTES and crc32(buffer[: _HEAD.size]) == _CRC.unpack_from(buffer, _HEAD.size)[0]:
        magic, version, first = _HEAD.unpack_from(buffer)
        if magic == MAGIC and version == FORMAT and path.stem == f"{first:020d}":
            return int(first)
    raise JournalDamaged(f"{path}: the head of the segment, at offset 0, is damaged or of another format: {_ADVICE}")


def _name_index(path: Path) -> int:
    """The index in a segment's name. Raises JournalDamaged for a name that is none."""
    if not (path.stem.isascii() and path.stem.isdecimal()):
        raise JournalDamaged(f"{path} is not a segment of the journal; move it away")
    return int(path.stem)


def _cut(path: Path, at: int, size: int) -> None:
    """Make everything from an offset zero again, durably."""
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.ftruncate(file, at)
        os.posix_fallocate(file, 0, size)
        os.fsync(file)
    finally:
        os.close(file)
