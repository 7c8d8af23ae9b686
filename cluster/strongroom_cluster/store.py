"""A whole store, bundled: backend, journal, log, group commit and barrier, opened and closed together."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import structlog

from strongroom_cluster.checkpoint import JOURNAL_BYTES_MIN, Checkpointer
from strongroom_cluster.errors import JournalDamaged
from strongroom_cluster.fsm import StateMachine
from strongroom_cluster.group import GroupCommit
from strongroom_cluster.journal import FileJournal, MemoryJournal
from strongroom_cluster.local import LocalLog
from strongroom_cluster.port import Leadership
from strongroom_cluster.recovery import Folder, Source
from strongroom_storage.backend import Backend
from strongroom_storage.backends.inmem import InmemBackend
from strongroom_storage.backends.lmdb import LMDBBackend
from strongroom_storage.barrier.barrier import Barrier
from strongroom_storage.errors import StoreDamaged

_log = structlog.get_logger("strongroom.store")


# Random reads make up to 64 KiB resident each: at 5,000 a second this bounds the excess to 80 MB.
TRIM_SECONDS: Final = 0.25


def _ignore(_error: BaseException) -> None:
    pass


class Files:
    """What a durable store has open besides its log."""

    def __init__(self, folder: Folder, backend: LMDBBackend, journal: FileJournal, checkpointer: Checkpointer) -> None:
        self.folder = folder
        self.backend = backend
        self.journal = journal
        self.checkpointer = checkpointer
        self._timer: asyncio.TimerHandle | None = None

    def watch_memory(self) -> None:
        """Keep the mapped part of the store small from now on."""
        self.backend.trim()
        self._timer = asyncio.get_running_loop().call_later(TRIM_SECONDS, self.watch_memory)

    async def close(self, *, is_clean: bool) -> None:
        """Release everything; sync the store and say that it is whole, if it is."""
        if self._timer is not None:
            self._timer.cancel()
        await self.checkpointer.close()
        self.journal.close()
        if is_clean:
            self.backend.sync()
        self.backend.close()
        if is_clean:
            self.folder.mark(is_clean=True)
        self.folder.unlock()


class Store:
    """What a node needs of the layers below. `open_store` makes one; `start` before use, `close` after."""

    def __init__(self, backend: Backend, log: LocalLog, clock: Callable[[], float], files: Files | None = None) -> None:
        self.backend = backend
        self.log = log
        self.group = GroupCommit(log)
        self.barrier = Barrier(backend, self.group, clock)
        self._files = files
        self._is_closed = False

    @property
    def applied_index(self) -> int:
        """Index of the last change applied."""
        return self.log.applied_index

    async def start(self) -> None:
        """Replay the journal and take writes. Raises StoreDamaged if the journal cannot be read or applied."""
        try:
            await self.log.start()
            if self._files is not None:
                self._files.watch_memory()
        except JournalDamaged as error:
            raise StoreDamaged(str(error)) from error

    async def close(self) -> None:
        """Finish what is queued, forget all keys, release the files. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        await self.group.drain()
        self.barrier.seal()
        is_clean = self.log.is_active
        await self.log.close()
        if self._files is None:
            self.backend.close()
        else:
            await self._files.close(is_clean=is_clean and self.log.state is not Leadership.FAILED)


def open_store(
    path: Path | None,
    *,
    on_failure: Callable[[BaseException], None] = _ignore,
    clock: Callable[[], float] = time.time,
    checkpoint_bytes_min: int = JOURNAL_BYTES_MIN,
) -> Store:
    """Open the store in a folder, made if it is absent; with None a store in memory that is gone after `close`.

    `on_failure` is called once, on the event loop, if the log fails: nothing can be written any more and the node
    should stop. Raises StoreLocked, or StoreDamaged with the file and what to do.
    """
    if path is None:
        memory = InmemBackend()
        return Store(memory, LocalLog(MemoryJournal(), StateMachine(memory), on_failure), clock)
    folder = Folder(path)
    try:
        backend, journal = _open_files(folder)
    except JournalDamaged as error:
        folder.unlock()
        raise StoreDamaged(str(error)) from error
    except BaseException:
        folder.unlock()
        raise
    machine = StateMachine(backend)
    checkpointer = Checkpointer(path, backend, journal, machine, checkpoint_bytes_min)
    log = LocalLog(journal, machine, on_failure)
    log.after_apply(checkpointer.after_apply)
    return Store(backend, log, clock, Files(folder, backend, journal, checkpointer))


def _open_files(folder: Folder) -> tuple[LMDBBackend, FileJournal]:
    """The live store and a journal that fits it. Raises StoreDamaged or JournalDamaged."""
    source, was_clean = folder.prepare()
    if source in {Source.CHECKPOINT, Source.JOURNAL}:
        _log.warning("live store not trusted after a restart of the machine", rebuilt_from=source.value)
    if source is Source.FRESH:
        # The journal comes first: a store beside no journal is then known to be damaged, not new.
        FileJournal(folder.journal, create=True).close()
    with ExitStack() as undo:
        backend = LMDBBackend(folder.live)
        undo.callback(backend.close)
        applied = StateMachine(backend).applied_index
        trusted = applied if source is Source.LIVE else 0
        journal = FileJournal(folder.journal, trusted_index=trusted, rewrite=not was_clean)
        undo.callback(journal.close)
        if journal.last_index < applied:
            raise StoreDamaged(
                f"{folder.journal} ends at {journal.last_index}, but {folder.live} has applied {applied}: files are"
                " missing; restore the whole storage folder from a copy, or restore a snapshot into an empty folder"
            )
        folder.mark(is_clean=False)
        undo.pop_all()
    return backend, journal
