"""The durable store: one LMDB environment, keys in the order of their bytes.

Commits are not synced: the journal is the write-ahead log. After a killed process the file is whole, because the
kernel holds what was written; after a power cut it may not be, and `cluster.recovery` does not trust it then.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import lmdb

from strongroom_storage.backend import Change, Get, Seek
from strongroom_storage.backends.lmdb_copy import Snapshot, copy_file, require_whole
from strongroom_storage.backends.resident import ResidentLimit
from strongroom_storage.errors import StoreDamaged
from strongroom_storage.files import sync_folder

DATA_FILE: Final = "data.mdb"

# Address space, not memory or disk. Beyond it the map is doubled.
MAP_BYTES_MIN: Final = 64 << 30


class LMDBBackend:
    """The store in a folder, which holds `data.mdb`.

    Reading takes about a microsecond: one read transaction stays open and is renewed after a change only. With
    `read_only` another process may map the same store; it sees changes after `refresh`.
    """

    def __init__(self, folder: Path, *, read_only: bool = False, map_bytes_min: int = MAP_BYTES_MIN) -> None:
        self.file = folder / DATA_FILE
        self._env = _open(folder, read_only, map_bytes_min)
        if not read_only:
            self._env.reader_check()  # a killed reader would keep its pages from being used again
        self._snapshot: Snapshot | None = None
        self._resident = ResidentLimit(self.file)
        self._page_bytes = int(self._env.stat()["psize"])
        self._map_bytes_min = map_bytes_min
        self._moments: set[Moment] = set()
        self._epochs_before = 0
        if self._env.info()["last_txnid"]:
            require_whole(self.file, self.size_bytes())
        self._renew()

    def _renew(self) -> None:
        self._reader: Any = self._env.begin()
        self._read: Get = self._reader.get
        self.epoch: int = self._epochs_before + self._reader.id()

    def get(self, key: bytes, /) -> bytes | None:
        """The record under a key, or None. Raises StoreDamaged."""
        try:
            return self._read(key)
        except lmdb.Error as error:
            raise self._damage(error) from error

    def _damage(self, error: lmdb.Error) -> StoreDamaged:
        return StoreDamaged(f"{self.file} cannot be read ({error}): stop the node and move the file away to rebuild it")

    def seeker(self) -> Seek:
        """A function that finds the smallest key not below the one given."""
        cursor = self._reader.cursor()
        set_range, current = cursor.set_range, cursor.key

        def seek(key: bytes) -> bytes | None:
            try:
                return current() if set_range(key) else None
            except lmdb.Error as error:
                raise self._damage(error) from error

        return seek

    def apply(self, changes: Sequence[Change]) -> None:
        """Make all changes in one LMDB transaction; grows the map when it is full."""
        while True:
            self._reader.abort()  # else the pages it sees could not be used again
            try:
                self._write(changes)
            except lmdb.MapFullError:
                self._grow()
            else:
                return
            finally:
                self._renew()

    def _write(self, changes: Sequence[Change]) -> None:
        with self._env.begin(write=True) as writer:
            put, delete = writer.put, writer.delete
            for key, record in changes:
                if record is None:
                    delete(key)
                else:
                    put(key, record)

    def _grow(self) -> None:
        if self._snapshot is not None:
            self._snapshot.lose()  # LMDB ends all read transactions when it moves the map
        self._end_moments()
        self._env.set_mapsize(self._env.info()["map_size"] * 2)

    def refresh(self) -> None:
        """See what other processes have applied since; costs a fifth of a microsecond."""
        self._reader.abort()
        self._renew()

    def size_bytes(self) -> int:
        """Bytes of the file that are in use or were."""
        return (int(self._env.info()["last_pgno"]) + 1) * self._page_bytes

    def snapshot(self) -> Snapshot:
        """Hold this moment, to be copied on another thread. One at a time: meanwhile no page is used again."""
        pages = int(self._env.info()["last_pgno"]) + 1
        self._snapshot = Snapshot(self.file, self._env.begin(), self._page_bytes, pages)
        return self._snapshot

    def trim(self) -> None:
        """Let go of mapped pages if many are resident; worth calling several times a second."""
        self._resident.enforce()

    def moment(self) -> "Moment":
        """Hold this moment, to be read on this thread while the store changes; meanwhile no page is used again."""
        moment = Moment(self._env.begin(), self._moments.discard)
        self._moments.add(moment)
        return moment

    def _end_moments(self) -> None:
        for moment in list(self._moments):
            moment.close()

    def replace(self, file: Path) -> None:
        """Put a copy of another store's file in the place of this store, durably."""
        draft = self.file.with_name("replacing")
        copy_file(file, draft)
        self._end_moments()
        if self._snapshot is not None:
            self._snapshot.lose()
        self._epochs_before = self.epoch + 1
        self.close()
        draft.rename(self.file)
        sync_folder(self.file.parent)
        self._env = _open(self.file.parent, False, self._map_bytes_min)
        self._renew()

    def sync(self) -> None:
        """Force everything applied so far to the disk."""
        self._env.sync(True)

    def close(self) -> None:
        """Release the store, without syncing."""
        self._end_moments()
        self._reader.abort()
        self._env.close()


class Moment:
    """All keys and records as they were when it was made."""

    def __init__(self, transaction: Any, forget: Callable[["Moment"], None]) -> None:
        self._transaction: Any = transaction
        self._forget = forget

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """All of them, in the order of the keys. Raises StoreDamaged if the moment has ended."""
        if self._transaction is None:
            raise StoreDamaged("this moment of the store is over")
        cursor = self._transaction.cursor()
        is_found = cursor.first()
        while is_found:
            yield cursor.item()
            if self._transaction is None:
                raise StoreDamaged("this moment of the store is over")
            is_found = cursor.next()

    def close(self) -> None:
        """Let the store use its pages again. Idempotent."""
        if self._transaction is not None:
            self._transaction.abort()
            self._transaction = None
            self._forget(self)


def _open(folder: Path, read_only: bool, map_bytes_min: int) -> Any:
    file = folder / DATA_FILE
    size = file.stat().st_size if file.exists() else 0
    map_bytes = max(map_bytes_min, 1 << (4 * size).bit_length())
    try:
        return lmdb.open(
            str(folder),
            map_size=map_bytes,
            subdir=True,
            readonly=read_only,
            create=not read_only,
            mode=0o600,
            sync=False,
            metasync=False,
            readahead=False,  # a page read at random should bring in one page, not the neighbourhood
            meminit=True,  # freed heap never reaches the file
            max_dbs=0,
            max_readers=512,
        )
    except lmdb.Error as error:
        raise StoreDamaged(f"{file} is not a usable store ({error}); move it away to have it rebuilt") from error
