"""The term and the vote of this node: what it must never forget, or it votes twice in one term."""

from pathlib import Path
from typing import Protocol
from zlib import crc32

from strongroom_cluster.errors import JournalDamaged
from strongroom_storage import codec
from strongroom_storage.errors import StorageError
from strongroom_storage.files import replace_file

_FORMAT = 1
_CRC_BYTES = 4


class Ballot(Protocol):
    """Keeps (term, vote); `save` returns when they are durable."""

    def load(self) -> tuple[int, str | None]:
        """What was saved last, (0, None) if nothing was."""
        ...

    def save(self, term: int, vote: str | None) -> None:
        """Make both durable."""
        ...


class FileBallot:
    """A ballot in a small file: CRC-32 (4) | msgpack `[format, term, vote]`, replaced whole, file and folder synced."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> tuple[int, str | None]:
        """What was saved last. Raises JournalDamaged: a guess could vote twice, so that two nodes lead one term."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return 0, None
        body = content[_CRC_BYTES:]
        try:
            is_whole = int.from_bytes(content[:_CRC_BYTES], "big") == crc32(body)
            decoded = codec.unpack(body) if is_whole else None
        except StorageError:
            decoded = None
        match decoded:
            case [version, int(term), str() | None as vote] if version == _FORMAT and term >= 0:
                return term, vote
            case _:
                raise JournalDamaged(
                    f"{self._path} is damaged; the node could vote twice, so it does not start: let it rejoin its"
                    " cluster with an empty folder"
                )

    def save(self, term: int, vote: str | None) -> None:
        """Write, sync the file, rename, sync the folder."""
        body = codec.pack([_FORMAT, term, vote])
        replace_file(self._path, crc32(body).to_bytes(_CRC_BYTES, "big") + body)
