"""A node's store in a cluster, bundled: backend, journal, consensus, transport, group commit and barrier."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from strongroom_cluster.checkpoint import JOURNAL_BYTES_MIN, Checkpointer
from strongroom_cluster.errors import JournalDamaged
from strongroom_cluster.fsm import StateMachine
from strongroom_cluster.group import GroupCommit
from strongroom_cluster.port import Leadership
from strongroom_cluster.raft.ballot import FileBallot
from strongroom_cluster.raft.installation import (
    FileSnapshots,
    RaftFileJournal,
    finish_installation,
)
from strongroom_cluster.raft.journal import LogDiverged, RaftJournal
from strongroom_cluster.raft.log import RaftLog, Transport
from strongroom_cluster.raft.machine import RaftMachine
from strongroom_cluster.raft.membership import Members
from strongroom_cluster.raft.timeouts import Timings
from strongroom_cluster.recovery import Folder, Source
from strongroom_storage.backends.lmdb import LMDBBackend
from strongroom_storage.barrier.barrier import Barrier
from strongroom_storage.crypto.entropy import random_bytes
from strongroom_storage.errors import StoreDamaged

# One command may be on its way to the others while the next is being gathered.
OUTSTANDING_MAX = 2


class RaftStore:
    """What a node needs of the layers below. `open_raft_store` makes one; `start` before use, `close` after."""

    def __init__(
        self,
        folder: Folder,
        backend: LMDBBackend,
        journal: RaftFileJournal,
        checkpointer: Checkpointer,
        snapshots: FileSnapshots,
        log: RaftLog,
        clock: Callable[[], float],
    ) -> None:
        self.backend = backend
        self.log = log
        self.group = GroupCommit(log, OUTSTANDING_MAX)
        self.barrier = Barrier(backend, self.group, clock)
        self._folder = folder
        self._journal = journal
        self._checkpointer = checkpointer
        self._snapshots = snapshots
        self._is_closed = False

    @property
    def applied_index(self) -> int:
        """Index of the last entry applied."""
        return self.log.applied_index

    async def start(self) -> None:
        """Take part in the cluster. Raises OSError if the address is taken."""
        await self.log.start()

    async def close(self) -> None:
        """Hand leadership over, finish what is queued, forget all keys, release the files. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        await self.log.close()
        await self.group.drain()
        self.barrier.seal()
        is_clean = self.log.state is not Leadership.FAILED
        await self._checkpointer.close()
        self._snapshots.close()
        self._journal.close()
        if is_clean:
            self.backend.sync()
        self.backend.close()
        if is_clean:
            self._folder.mark(is_clean=True)
        self._folder.unlock()


def open_raft_store(
    path: Path,
    *,
    name: str,
    transport: Transport,
    bootstrap: Members | None = None,
    timings: Timings = Timings(),  # noqa: B008  -- frozen
    on_failure: Callable[[BaseException], None] = lambda _error: None,
    clock: Callable[[], float] = time.time,
    checkpoint_bytes_min: int = JOURNAL_BYTES_MIN,
) -> RaftStore:
    """Open a node's store in a folder, made if it is absent.

    `bootstrap` begins a cluster if the folder is new: every first member is given the same. A node without it waits
    until a leader adds it. `on_failure` is called once if the node must stop. Raises StoreLocked, or StoreDamaged.
    """
    folder = Folder(path)
    try:
        with ExitStack() as undo:
            undo.callback(folder.unlock)
            finish_installation(folder)
            is_new, backend, journal = _open_files(folder)
            undo.callback(backend.close)
            undo.callback(journal.close)
            machine = StateMachine(backend)
            snapshots = FileSnapshots(folder, backend, machine)
            undo.callback(snapshots.close)
            consensus = RaftJournal(journal, FileBallot(path / "ballot"), (machine.applied_index, machine.applied_term))
            log = RaftLog(
                name, consensus, RaftMachine(machine, snapshots), transport, timings, random_fraction, on_failure
            )
            if is_new and bootstrap is not None:
                log.core.bootstrap(bootstrap)
            undo.pop_all()
    except (JournalDamaged, LogDiverged) as error:
        raise StoreDamaged(str(error)) from error
    checkpointer = Checkpointer(path, backend, journal, machine, checkpoint_bytes_min)
    log.after_apply(checkpointer.after_apply)
    return RaftStore(folder, backend, journal, checkpointer, snapshots, log, clock)


def random_fraction() -> float:
    """A number from 0 to below 1, for timeouts that must differ between nodes."""
    return int.from_bytes(random_bytes(6), "big") / (1 << 48)


def _open_files(folder: Folder) -> tuple[bool, LMDBBackend, RaftFileJournal]:
    """Whether the store is new, the live store, and a journal that fits it. Raises StoreDamaged or JournalDamaged."""
    intent = folder.path / "installing"
    source, was_clean = folder.prepare()
    if source is Source.FRESH:
        # The journal comes first: a store beside no journal is then known to be damaged, not new.
        RaftFileJournal(folder.journal, intent, trusted_index=0, rewrite=False).close()
    with ExitStack() as undo:
        backend = LMDBBackend(folder.live)
        undo.callback(backend.close)
        applied = StateMachine(backend).applied_index
        trusted = applied if source is Source.LIVE else 0
        journal = RaftFileJournal(folder.journal, intent, trusted_index=trusted, rewrite=not was_clean)
        undo.callback(journal.close)
        folder.mark(is_clean=False)
        undo.pop_all()
    return journal.last_index == 0, backend, journal
