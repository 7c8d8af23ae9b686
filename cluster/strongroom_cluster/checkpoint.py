"""Checkpoints: durable copies of the live store, made in the background, so that the journal can be cut."""

import asyncio
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import structlog

from strongroom_cluster.fsm import StateMachine
from strongroom_cluster.journal import FileJournal
from strongroom_storage.backends.lmdb import DATA_FILE, LMDBBackend
from strongroom_storage.backends.lmdb_copy import Snapshot
from strongroom_storage.errors import StoreDamaged
from strongroom_storage.files import sync_folder

_log = structlog.get_logger("strongroom.checkpoint")

PREFIX: Final = "checkpoint-"
_DRAFT: Final = "new-checkpoint"

# A journal of this size is read and applied in about a second; more would make opening slow, less would copy often.
JOURNAL_BYTES_MIN: Final = 64 << 20


def checkpoints(folder: Path) -> dict[int, Path]:
    """The checkpoints in a store's folder by the index they hold."""
    found = {path.name.removeprefix(PREFIX): path for path in folder.glob(PREFIX + "*")}
    return {int(name): path for name, path in found.items() if name.isdecimal() and (path / DATA_FILE).exists()}


class Checkpointer:
    """Makes a checkpoint when the journal has grown by half of the store, and 64 MiB at least.

    So copying costs at most two bytes for each byte written. Belongs to the event loop's thread.
    """

    def __init__(
        self,
        folder: Path,
        backend: LMDBBackend,
        journal: FileJournal,
        machine: StateMachine,
        bytes_min: int = JOURNAL_BYTES_MIN,
    ) -> None:
        self._folder = folder
        self._backend = backend
        self._journal = journal
        self._machine = machine
        self._bytes_min = bytes_min
        self._due = max(bytes_min, backend.size_bytes() // 2)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._running: asyncio.Future[bool] | None = None
        self._is_stopping = False

    def after_apply(self, _index: int) -> None:
        """Begin a checkpoint if one is due."""
        if self._journal.written_bytes >= self._due and self._running is None and not self._is_stopping:
            self.begin()

    def begin(self) -> None:
        """Begin a checkpoint of what is applied now; does nothing if one is being made."""
        if self._running is not None:
            return
        snapshot = self._backend.snapshot()
        index = self._machine.applied_index
        written = self._journal.written_bytes
        work = self._executor.submit(make_checkpoint, self._folder, snapshot, index, lambda: self._is_stopping)
        self._running = asyncio.wrap_future(work)
        self._running.add_done_callback(lambda made: self._finish(snapshot, index, written, made))

    async def close(self) -> None:
        """Give up what is being copied and wait for the thread."""
        self._is_stopping = True
        if self._running is not None:
            await asyncio.wait([self._running])
            await asyncio.sleep(0)
        self._executor.shutdown(wait=True)

    def _finish(self, snapshot: Snapshot, index: int, written: int, made: asyncio.Future[bool]) -> None:
        snapshot.release()
        self._running = None
        error = made.exception()
        step = max(self._bytes_min, self._backend.size_bytes() // 2)
        if error is not None:
            _log.error("checkpoint failed", index=index, error=str(error))
            self._due = self._journal.written_bytes + step
        elif made.result():
            _log.info("checkpoint made", index=index)
            self._due = written + step
            paths = self._journal.forget_before(index + 1)
            self._executor.submit(_delete, paths)


def make_checkpoint(folder: Path, snapshot: Snapshot, index: int, is_stopping: Callable[[], bool]) -> bool:
    """Copy a snapshot, try it, give it its name, and only then delete older ones. False if it was told to stop."""
    draft = folder / _DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if not snapshot.copy_to(draft / DATA_FILE, is_stopping):
        shutil.rmtree(draft, ignore_errors=True)
        return False
    _require_index(draft, index)
    sync_folder(draft)
    target = folder / f"{PREFIX}{index:020d}"
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)
    sync_folder(folder)
    for other, path in checkpoints(folder).items():
        if other != index:
            shutil.rmtree(path)
    return True


def _require_index(folder: Path, index: int) -> None:
    """Raise StoreDamaged unless the copy opens and holds what it should."""
    copy = LMDBBackend(folder, read_only=True)
    try:
        found = StateMachine(copy).applied_index
    finally:
        copy.close()
    (folder / "lock.mdb").unlink(missing_ok=True)
    if found != index:
        raise StoreDamaged(f"{folder} holds index {found} instead of {index}")


def _delete(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
