"""Putting a received snapshot in the place of a node's store, so that a crash at any step leaves one of the two.

The copy is built beside the store, checked and synced; it becomes a checkpoint; an intent is written; then the live
store and the journal follow. A crash before the intent leaves the old store, one after it makes the next start finish.
"""

import asyncio
import json
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from strongroom_cluster.checkpoint import PREFIX, checkpoints
from strongroom_cluster.errors import JournalDamaged
from strongroom_cluster.fsm import StateMachine
from strongroom_cluster.journal import FileJournal
from strongroom_cluster.raft.progress import SNAPSHOT_WINDOW_BYTES
from strongroom_cluster.raft.snapshot import Parser, SnapshotInvalid, StreamReader
from strongroom_cluster.recovery import Folder
from strongroom_storage.backends.inmem import InmemBackend
from strongroom_storage.backends.lmdb import DATA_FILE, LMDBBackend
from strongroom_storage.files import replace_file, sync_folder

_DRAFT: Final = "new-snapshot"
_INTENT: Final = "installing"


class RaftFileJournal(FileJournal):
    """The journal of a cluster's node: beginning anew ends an installation."""

    def __init__(self, folder: Path, intent: Path, *, trusted_index: int, rewrite: bool) -> None:
        self._intent = intent
        super().__init__(folder, trusted_index=trusted_index, rewrite=rewrite, create=True)

    def reset(self, index: int) -> None:
        """Forget everything, then the intent: from here on the journal may hold what was acknowledged."""
        super().reset(index)
        self._intent.unlink(missing_ok=True)
        sync_folder(self._intent.parent)


def finish_installation(folder: Folder) -> None:
    """On start: go on with an installation that a crash interrupted after its intent. Raises JournalDamaged."""
    intent = folder.path / _INTENT
    if not intent.exists():
        return
    try:
        index = int(json.loads(intent.read_bytes())["index"])
    except (ValueError, KeyError, TypeError) as error:
        raise JournalDamaged(f"{intent} is damaged; let the node rejoin its cluster with an empty folder") from error
    if index not in checkpoints(folder.path):
        raise JournalDamaged(f"{intent} names a checkpoint that is not there; let the node rejoin with an empty folder")
    for path in sorted(folder.journal.glob("*.log"), reverse=True):
        path.unlink()
    journal = FileJournal(folder.journal)
    journal.reset(index)
    journal.close()
    shutil.rmtree(folder.live, ignore_errors=True)
    (folder.path / "state").unlink(missing_ok=True)  # the live store is gone: the checkpoint is to be taken
    sync_folder(folder.path)
    intent.unlink()
    sync_folder(folder.path)


class FileSnapshots:
    """Snapshots of a durable store."""

    def __init__(self, folder: Folder, backend: LMDBBackend, machine: StateMachine) -> None:
        self._folder = folder.path
        self._backend = backend
        self._machine = machine
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="snapshot")

    def open_reader(self) -> StreamReader:
        """The present moment."""
        machine = self._machine
        moment = self._backend.moment()
        return StreamReader(moment, machine.applied_index, machine.applied_term, SNAPSHOT_WINDOW_BYTES)

    def open_writer(self, index: int, term: int, installed: Callable[[], None]) -> "FileWriter":
        """Receive a store."""
        return FileWriter(self._folder, self._backend, self._executor, index, term, installed)

    def close(self) -> None:
        """Wait for the thread."""
        self._executor.shutdown(wait=True)


class FileWriter:
    """A store that is being received. Records are written on a thread, in order."""

    def __init__(
        self,
        folder: Path,
        backend: LMDBBackend,
        executor: ThreadPoolExecutor,
        index: int,
        term: int,
        installed: Callable[[], None],
    ) -> None:
        self.index, self.offset = index, 0
        self._term = term
        self._folder = folder
        self._backend = backend
        self._executor = executor
        self._installed = installed
        self._parser = Parser()
        self._draft = folder / _DRAFT
        self._store: LMDBBackend | None = None
        self._failure: BaseException | None = None
        self._last: Future[None] = executor.submit(self._begin)

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self.offset += len(data)
        self._last = self._executor.submit(self._store_part, data)

    def finish(self, done: Callable[[BaseException | None], None]) -> None:
        """Check the hash and sync, on the thread; then tell."""
        ending = asyncio.wrap_future(self._executor.submit(self._end))
        ending.add_done_callback(lambda ended: done(ended.exception()))

    def install(self) -> None:
        """Make it the newest checkpoint, say so durably, and replace the live store."""
        target = self._folder / f"{PREFIX}{self.index:020d}"
        shutil.rmtree(target, ignore_errors=True)
        self._draft.rename(target)
        sync_folder(self._folder)
        replace_file(self._folder / _INTENT, json.dumps({"index": self.index}).encode())
        self._backend.replace(target / DATA_FILE)
        self._installed()

    def close(self) -> None:
        """Throw it away."""
        self._executor.submit(self._discard)

    # On the thread

    def _begin(self) -> None:
        shutil.rmtree(self._draft, ignore_errors=True)
        self._draft.mkdir(mode=0o700)
        self._store = LMDBBackend(self._draft)

    def _store_part(self, data: bytes) -> None:
        if self._failure is not None or self._store is None:
            return
        try:
            records = self._parser.take(data)
            if records:
                self._store.apply(records)
        except Exception as error:  # noqa: BLE001  -- told at the end
            self._failure = error

    def _end(self) -> None:
        store, self._store = self._store, None
        if store is None:
            raise SnapshotInvalid("there is nowhere to write")
        try:
            if self._failure is not None:
                raise self._failure
            machine = StateMachine(store)
            found = (machine.applied_index, machine.applied_term)
            told = (self._parser.index, self._parser.term)
            if not self._parser.is_whole or found != (self.index, self._term) or told != found:
                raise SnapshotInvalid("the snapshot is cut short, or of another moment than was said")
            store.sync()
        finally:
            store.close()
        (self._draft / "lock.mdb").unlink(missing_ok=True)
        sync_folder(self._draft)

    def _discard(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
        shutil.rmtree(self._draft, ignore_errors=True)


class MemorySnapshots:
    """Snapshots of a store in memory."""

    def __init__(self, backend: InmemBackend, machine: StateMachine) -> None:
        self._backend = backend
        self._machine = machine

    def open_reader(self) -> StreamReader:
        """The present moment."""
        machine = self._machine
        return StreamReader(self._backend.moment(), machine.applied_index, machine.applied_term, SNAPSHOT_WINDOW_BYTES)

    def open_writer(self, index: int, term: int, installed: Callable[[], None]) -> "MemoryWriter":
        """Receive a store."""
        return MemoryWriter(self._backend, index, term, installed)


class MemoryWriter:
    """A store that is being received into memory."""

    def __init__(self, backend: InmemBackend, index: int, term: int, installed: Callable[[], None]) -> None:
        self.index, self.offset = index, 0
        self._term = term
        self._backend = backend
        self._installed = installed
        self._parser = Parser()
        self._records: list[tuple[bytes, bytes]] = []
        self._failure: BaseException | None = None

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self.offset += len(data)
        try:
            self._records += self._parser.take(data)
        except SnapshotInvalid as error:
            self._failure = error

    def finish(self, done: Callable[[BaseException | None], None]) -> None:
        """Check the hash."""
        is_right = self._parser.is_whole and (self._parser.index, self._parser.term) == (self.index, self._term)
        done(self._failure or (None if is_right else SnapshotInvalid("the snapshot is cut short")))

    def install(self) -> None:
        """Replace the content."""
        moment = self._backend.moment()
        self._backend.apply([*((key, None) for key, _ in moment.items()), *self._records])
        self._installed()

    def close(self) -> None:
        """Throw it away."""
        self._records = []
