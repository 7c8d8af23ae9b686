"""Bringing a follower up to date whose next entry is gone from the log: the state itself, in parts."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog

from strongroom_cluster.raft import messages as wire
from strongroom_cluster.raft.progress import SNAPSHOT_PART_BYTES, Outgoing, Progress, SnapshotReader

_log = structlog.get_logger("strongroom.raft")


class SnapshotWriter(Protocol):
    """A snapshot that is being received."""

    index: int
    offset: int  # what was received so far

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        ...

    def finish(self, done: Callable[[BaseException | None], None]) -> None:
        """Check, make durable, and tell `done`, now or later: None if the snapshot may be installed."""
        ...

    def install(self) -> None:
        """Put it in place of the state, durably."""
        ...

    def close(self) -> None:
        """Throw away what is not installed."""
        ...


class SnapshotMachine(Protocol):
    """A state machine that can be copied whole."""

    @property
    def applied_index(self) -> int:
        """Index of the last entry applied."""
        ...

    def members(self) -> bytes | None:
        """The configuration among what is applied."""
        ...

    def open_snapshot(self) -> SnapshotReader:
        """The present state; stays as it is while being read."""
        ...

    def begin_snapshot(self, index: int, term: int) -> SnapshotWriter:
        """Get ready to receive the state at an index."""
        ...


class Node(Protocol):
    """What catching up needs of the consensus core."""

    name: str

    @property
    def wake(self) -> Callable[[], None]:
        """Asks for a pump."""
        ...

    @property
    def term(self) -> int:
        """The current term."""
        ...

    @property
    def commit_index(self) -> int:
        """What is committed here."""
        ...

    @property
    def journal(self) -> "Journal":
        """The log."""
        ...

    @property
    def network(self) -> "Network":
        """How messages leave."""
        ...

    @property
    def progress(self) -> Mapping[str, Progress]:
        """The followers."""
        ...

    def tell(self, peer: str, message: dict[str, Any]) -> None:
        """Give the library a message."""
        ...

    def learn_commit(self, index: int) -> None:
        """Entries up to `index` are in the log and committed."""
        ...

    def installed(self, index: int, term: int) -> None:
        """The state machine holds a snapshot."""
        ...

    def fail(self, error: BaseException) -> None:
        """Stop for good."""
        ...


class Journal(Protocol):
    """What catching up needs of the log."""

    @property
    def is_writing(self) -> bool:
        """Whether the disk is at work."""
        ...

    @property
    def durable_index(self) -> int:
        """What is synced."""
        ...

    def term_at(self, index: int) -> int | None:
        """Term of an entry, None if it is not there."""
        ...


class Network(Protocol):
    """How messages leave."""

    def send(self, peer: str, message: wire.Message) -> None:
        """Send or drop."""
        ...


class Catchup:
    """Both sides of sending a snapshot. At most a window of parts is on the way."""

    def __init__(self, machine: SnapshotMachine, node: Node) -> None:
        self._machine = machine
        self._node = node
        self._incoming: SnapshotWriter | None = None
        self._is_finishing = False

    # The leader's side

    def send(self, peer: str, progress: Progress, number: int) -> None:
        """Send the parts that the window allows; begins a snapshot if none is on its way."""
        outgoing = progress.snapshot
        if outgoing is None:
            outgoing = progress.snapshot = Outgoing(self._machine.open_snapshot())
            _log.info("snapshot begun", node=self._node.name, peer=peer, index=outgoing.reader.index)
        else:
            outgoing.note_round()
        self._send_parts(peer, outgoing, number)

    def _send_parts(self, peer: str, outgoing: Outgoing, number: int) -> None:
        reader = outgoing.reader
        is_first = True
        while outgoing.may_send or is_first:
            is_first = False
            at = outgoing.sent if outgoing.may_send else outgoing.confirmed
            size = SNAPSHOT_PART_BYTES if outgoing.may_send else 0  # an empty part is a heartbeat
            data, is_last = reader.read(at, size) if size else (b"", False)
            part = wire.SnapshotPart(self._node.term, reader.index, reader.term, at, data, is_last, number)
            self._node.network.send(peer, part)
            if size:
                outgoing.sent = at + len(data)
                outgoing.is_all_sent = is_last

    def on_ack(self, peer: str, message: wire.SnapshotAck) -> None:
        """The follower has taken a part."""
        progress = self._node.progress.get(peer)
        outgoing = progress.snapshot if progress is not None else None
        if outgoing is None or message.state_index != outgoing.reader.index:
            return
        if outgoing.acknowledge(message.offset) and outgoing.may_send:
            self._send_parts(peer, outgoing, message.round)

    # The follower's side

    def on_part(self, peer: str, part: wire.SnapshotPart) -> None:
        """Take a part from the leader, in order; anything else is answered with what is wanted."""
        node = self._node
        # Follows the leader as for any of its messages; a commit index of 0 says nothing about this log.
        node.tell(peer, {"type": "append_entries", "term": part.term, "commit_index": 0})
        if self._is_known(peer, part):
            return
        incoming = self._incoming
        if incoming is None or incoming.index != part.state_index:
            if self._is_finishing:
                return
            if incoming is not None:
                incoming.close()
            incoming = self._incoming = self._machine.begin_snapshot(part.state_index, part.state_term)
        if self._is_finishing:
            self._answer(peer, wire.SnapshotAck(part.term, part.state_index, incoming.offset, part.round))
            return
        if part.offset == incoming.offset and (part.data or part.is_last):
            incoming.write(part.data)
            if part.is_last:
                self._is_finishing = True
                incoming.finish(lambda error: self._finished(peer, part, incoming, error))
                return
        self._answer(peer, wire.SnapshotAck(part.term, part.state_index, incoming.offset, part.round))

    def _is_known(self, peer: str, part: wire.SnapshotPart) -> bool:
        """Whether the log holds what the snapshot stands for; then it is kept, with what follows.

        What follows may have been acknowledged meanwhile: throwing it away would break that promise.
        """
        node, index = self._node, part.state_index
        if index > node.commit_index:
            if node.journal.term_at(index) != part.state_term:
                return False
            node.learn_commit(index)
        known = min(node.commit_index, node.journal.durable_index)
        self._answer(peer, wire.Ack(part.term, known + 1, True, part.round))
        return True

    def _finished(
        self, peer: str, part: wire.SnapshotPart, incoming: SnapshotWriter, error: BaseException | None
    ) -> None:
        self._is_finishing = False
        self._incoming = None
        node = self._node
        if error is not None:
            incoming.close()
            _log.warning("snapshot not usable", node=node.name, leader=peer, index=part.state_index, error=str(error))
            self._answer(peer, wire.SnapshotAck(part.term, part.state_index, 0, part.round))
            return
        if self._is_known(peer, part):
            incoming.close()
            return
        if node.journal.is_writing:
            # The journal begins anew with the snapshot, and may not while the disk writes it; the leader sends again.
            incoming.close()
            self._answer(peer, wire.SnapshotAck(part.term, part.state_index, 0, part.round))
            return
        try:
            incoming.install()
            node.installed(part.state_index, part.state_term)
        except Exception as failure:  # noqa: BLE001  -- half an installation must not go on
            node.fail(failure)
            return
        _log.info("snapshot installed", node=node.name, leader=peer, index=part.state_index)
        if part.term == node.term:
            self._answer(peer, wire.Ack(part.term, part.state_index + 1, True, part.round))
        node.wake()

    def _answer(self, peer: str, message: wire.Message) -> None:
        if message[0] == self._node.term:
            self._node.network.send(peer, message)
