"""The state machine as consensus sees it: entries of three kinds, over the store."""

from collections.abc import Callable
from typing import Final, Protocol

from strongroom_cluster.errors import CommandInvalid
from strongroom_cluster.fsm import StateMachine
from strongroom_cluster.raft.catchup import SnapshotWriter
from strongroom_cluster.raft.membership import MEMBERS_KEY, decode_members
from strongroom_cluster.raft.messages import KIND_COMMAND, KIND_MEMBERS, KIND_NOTHING
from strongroom_cluster.raft.progress import SnapshotReader


class Snapshots(Protocol):
    """Makes and takes copies of the store."""

    def open_reader(self) -> SnapshotReader:
        """The present moment of the store."""
        ...

    def open_writer(self, index: int, term: int, installed: Callable[[], None]) -> SnapshotWriter:
        """Get ready for a copy; `installed` is called when it has taken the store's place."""
        ...


class RaftMachine:
    """Applies commands and configurations to the store, and knows its snapshots."""

    def __init__(self, machine: StateMachine, snapshots: Snapshots) -> None:
        self.machine: Final = machine
        self._snapshots = snapshots

    @property
    def applied_index(self) -> int:
        """Index of the last entry applied."""
        return self.machine.applied_index

    @property
    def applied_term(self) -> int:
        """Term of that entry."""
        return self.machine.applied_term

    def members(self) -> bytes | None:
        """The newest configuration applied."""
        return self.machine.backend.get(MEMBERS_KEY)

    def apply(self, index: int, term: int, kind: int, payload: bytes) -> None:
        """Carry out an entry. Raises CommandInvalid, and then nothing happened."""
        if kind == KIND_COMMAND:
            self.machine.apply(index, term, payload)
        elif kind == KIND_MEMBERS:
            decode_members(payload)
            self.machine.advance(index, term, [(MEMBERS_KEY, payload)])
        elif kind == KIND_NOTHING:
            self.machine.advance(index, term)
        else:
            raise CommandInvalid(f"entry {index} is of kind {kind}, which this program does not know")

    def open_snapshot(self) -> SnapshotReader:
        """The present state, to be read while it changes."""
        return self._snapshots.open_reader()

    def begin_snapshot(self, index: int, term: int) -> SnapshotWriter:
        """Get ready to receive the state at an index."""
        return self._snapshots.open_writer(index, term, self.machine.reload)
