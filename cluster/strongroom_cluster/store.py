"""A whole store, bundled: backend, journal, log, group commit and barrier, opened and closed together."""

import time
from collections.abc import Callable
from pathlib import Path

from strongroom_cluster.fsm import StateMachine
from strongroom_cluster.group import GroupCommit
from strongroom_cluster.journal import FileJournal, MemoryJournal
from strongroom_cluster.local import LocalLog
from strongroom_storage.backend import Backend
from strongroom_storage.backends.registry import open_backend
from strongroom_storage.barrier.barrier import Barrier


def _ignore(_error: BaseException) -> None:
    pass


class Store:
    """What a node needs of the layers below. `open_store` makes one; `start` before use, `close` after."""

    def __init__(self, backend: Backend, log: LocalLog, clock: Callable[[], float], closers: list[Callable[[], None]]) -> None:
        self.backend = backend
        self.log = log
        self.group = GroupCommit(log)
        self.barrier = Barrier(backend, self.group, clock)
        self._closers = closers

    @property
    def applied_index(self) -> int:
        """Index of the last change applied."""
        return self.log.applied_index

    async def start(self) -> None:
        """Replay the journal and take writes."""
        await self.log.start()

    async def close(self) -> None:
        """Finish what is queued, forget all keys, release the files."""
        await self.group.drain()
        self.barrier.seal()
        await self.log.close()
        for closer in self._closers:
            closer()


def open_store(
    path: Path | None, *, on_failure: Callable[[BaseException], None] = _ignore, clock: Callable[[], float] = time.time
) -> Store:
    """Open the store in a folder, made if it is absent; with None a store in memory that is gone after `close`."""
    if path is None:
        backend = open_backend("inmem", None)
        log = LocalLog(MemoryJournal(), StateMachine(backend), on_failure)
        return Store(backend, log, clock, [backend.close])
    (path / "store").mkdir(mode=0o700, parents=True, exist_ok=True)
    journal = FileJournal(path / "journal")
    backend = open_backend("lmdb", path / "store")
    log = LocalLog(journal, StateMachine(backend), on_failure)
    return Store(backend, log, clock, [journal.close, backend.close])
