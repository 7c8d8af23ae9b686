"""The consensus of one node, without clock, network, disk or loop of its own: whoever drives it provides them.

The driver calls `receive` for each message, `pump` soon after `wake` was called and at every tick, writes what
`journal.take` gives and then calls `synced`. Every method runs to its end; none waits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, assert_never

import structlog

from strongroom_cluster.errors import ProposalRefused
from strongroom_cluster.raft import messages as wire
from strongroom_cluster.raft.catchup import Catchup, SnapshotMachine
from strongroom_cluster.raft.elections import Elector, Network
from strongroom_cluster.raft.follower import match
from strongroom_cluster.raft.journal import LogDiverged, RaftJournal
from strongroom_cluster.raft.membership import Members, decode_members, encode_members, require_single_change
from strongroom_cluster.raft.progress import BATCH_BYTES, BATCH_ENTRIES, Progress
from strongroom_cluster.raft.reads import Answer, FollowerReads, LeaderReads
from strongroom_cluster.raft.syncobj import now
from strongroom_cluster.raft.timeouts import Timings

_log = structlog.get_logger("strongroom.raft")

# Entries applied between two looks at the network, so that heartbeats go out beside a long catch-up.
_APPLIED_AT_ONCE: Final = 64

# Called once a proposal's fate is known: its index, or None if it is certain that it never happens.
Settled = Callable[[int | None], None]


class Machine(SnapshotMachine, Protocol):
    """What commands are applied to."""

    def apply(self, index: int, term: int, kind: int, payload: bytes) -> None:
        """Carry out the entry that follows the last one. Any exception stops the node."""
        ...


@dataclass(frozen=True, slots=True)
class Corrections:
    """The corrections of pysyncobj that a test may switch off, to see that the simulator finds what they prevent."""

    term_tagged_acks: bool = True
    truncates_conflicts_only: bool = True


class _Pending(NamedTuple):
    term: int
    settled: Settled


class Core(Elector):
    """One node's consensus. `wake` asks the driver for a `pump`; `on_change` says that roles may have changed."""

    def __init__(
        self,
        name: str,
        journal: RaftJournal,
        machine: Machine,
        network: Network,
        timings: Timings,
        random: Callable[[], float],
        wake: Callable[[], None],
        corrections: Corrections = Corrections(),
    ) -> None:
        self._machine = machine
        self._corrections = corrections
        self.wake = wake
        self.failure: BaseException | None = None
        self._members_at = -1
        self._leaving: dict[str, tuple[str, float]] = {}  # address, deadline
        self._progress: dict[str, Progress] = {}
        self._connected: set[str] = set()
        self._pending: dict[int, _Pending] = {}
        self._round = 0
        self._sent = (0, 0)  # last index and commit index of the last round
        self._ack_due: tuple[str, int, int, int] | None = None  # leader, term, verified index, round
        self._transfer: tuple[str, float] | None = None
        self._reads = LeaderReads()
        self._asked = FollowerReads(int(random() * (1 << 48)))
        self._catchup = Catchup(machine, self)
        super().__init__(name, journal, network, timings, random, machine.applied_index)
        self._adopt_members()
        self.require_own_voice()

    # What the driver and the node ask

    @property
    def applied_index(self) -> int:
        """Index of the last entry applied here."""
        index: int = self._SyncObj__raftLastApplied
        return index

    @property
    def is_settled(self) -> bool:
        """Whether this node leads and has applied everything of earlier terms."""
        return self.is_leader and 0 < self._SyncObj__noopIDx <= self.applied_index

    @property
    def is_removed(self) -> bool:
        """Whether this node knows a cluster that it does not belong to."""
        return bool(self.members.voters) and self.name not in self.members

    @property
    def may_propose(self) -> bool:
        """Whether `propose` takes commands now."""
        return self.is_settled and self._transfer is None and self.failure is None

    @property
    def progress(self) -> dict[str, Progress]:
        """What the leader knows of the others."""
        return self._progress

    def propose(self, command: bytes, settled: Settled) -> int:
        """Append a command; its index. Raises ProposalRefused."""
        if not self.may_propose:
            raise ProposalRefused("this node does not lead")
        return self._append(bytes([wire.KIND_COMMAND]) + command, settled)

    def change_members(self, members: Members, settled: Settled) -> int:
        """Append a configuration, in force at once. Raises ChangeRefused or ProposalRefused."""
        if not self.may_propose:
            raise ProposalRefused("this node does not lead")
        if self.journal.members_index > self.commit_index:
            raise ProposalRefused("another change of members is not committed yet")
        require_single_change(self.members, members)
        if self.name not in members.voters:
            raise ProposalRefused("the leader must hand over before it is removed")
        index = self._append(bytes([wire.KIND_MEMBERS]) + encode_members(members), settled)
        self._adopt_members()
        return index

    def bootstrap(self, members: Members) -> None:
        """Begin a cluster, durably: every first member begins with this same entry. Only on an empty log."""
        if self.journal.last_index or self.term:
            raise ProposalRefused("this node has a log already")
        self.journal.add(bytes([wire.KIND_MEMBERS]) + encode_members(members), 1, 0)
        self.journal.write(self.journal.take())
        self.journal.written()
        self._adopt_members()
        self.require_own_voice()

    def read(self, answer: Answer) -> None:
        """Ask for an index at which a read is linearizable; the answer comes when it is applied here, or None."""
        deadline = now() + self._timings.read_seconds_max
        if self.failure is not None or self.is_removed:
            answer(None)
        elif self.is_leader:
            self._reads.add(answer, deadline)
        else:
            self._asked.add(answer, deadline)
        self.wake()

    def transfer(self, target: str | None = None) -> str:
        """Begin to hand leadership to a voter, by default the one furthest ahead; who that is.

        Proposals are refused until it has happened or `transfer_seconds_max` are over. Raises ProposalRefused.
        """
        if not self.is_settled:
            raise ProposalRefused("this node does not lead")
        voters = {name: peer for name, peer in self._progress.items() if name in self.members.voters}
        candidates = sorted(name for name in voters if name in self._connected and target in {None, name})
        if not candidates:
            raise ProposalRefused("no voter is connected that could take over")
        chosen = max(candidates, key=lambda name: voters[name].acked)
        self._transfer = (chosen, now() + self._timings.transfer_seconds_max)
        self.wake()
        return chosen

    def give_up(self, index: int) -> None:
        """Nobody waits for this proposal any more.

        It may still happen, so this node must not go on as if it had not: it leads again only when all is decided.
        """
        self._pending.pop(index, None)
        if self.is_leader:
            _log.warning("no majority in time, steps down", node=self.name, index=index)
            self.resign()

    def connected(self, peer: str) -> None:
        """A connection to a node is up; what was on the way before is lost."""
        self._connected.add(peer)
        self._SyncObj__connectedNodes.add(self.node(peer))
        progress = self._progress.get(peer)
        if progress is not None and progress.acked:
            progress.restart(progress.acked + 1)
        self.wake()

    def disconnected(self, peer: str) -> None:
        """A connection is gone."""
        self._connected.discard(peer)
        self._SyncObj__connectedNodes.discard(self.node(peer))
        progress = self._progress.get(peer)
        if progress is not None:
            progress.end_snapshot()

    # Running

    def pump(self) -> None:
        """Do what is due: elections, commits, applying, sending."""
        if self.failure is not None:
            return
        with _FailStop(self):
            self.campaign_if_due()
            moment = now()
            if self._leaving:
                self._part(moment)
            if self.is_leader:
                self._lead(moment)
            else:
                self._transfer = None
                self._reads.refuse_all()
                self._question(moment)
            self._reads.expire(moment)
            self._asked.expire(moment)
            if self.applied_index < min(self.commit_index, self.journal.durable_index):
                self.wake()

    def synced(self) -> None:
        """What was taken from the journal is durable: count it, and answer for it."""
        if self.failure is not None:
            return
        with _FailStop(self):
            self.journal.written()
            self._release_ack()
            self.wake()

    def fail(self, error: BaseException) -> None:
        """Stop for good: nothing is sent, counted or applied any more."""
        if self.failure is None:
            self.failure = error
            _log.error("consensus stopped", node=self.name, error=repr(error), applied_index=self.applied_index)
            self._reads.refuse_all()
            self._asked.refuse_all()
            self.wake()

    def receive(self, peer: str, message: wire.Message) -> None:
        """Take a message from a node whose name is proved."""
        if self.failure is not None or peer == self.name:
            return
        with _FailStop(self):
            self._receive(peer, message)
            self.wake()

    def _receive(self, peer: str, message: wire.Message) -> None:  # noqa: C901, PLR0912  -- one case a message
        match message:
            case wire.Append():
                self._on_append(peer, message)
            case wire.Ack():
                self._on_ack(peer, message)
            case wire.VoteRequest():
                self.on_vote_request(peer, message)
            case wire.Vote():
                self.on_vote(peer, message)
            case wire.PreVoteRequest():
                self.on_pre_vote_request(peer, message)
            case wire.PreVote():
                self.on_pre_vote(peer, message)
            case wire.TimeoutNow():
                if self.is_voter:
                    self.tell(peer, {"type": "timeout_now", "term": message.term})
            case wire.SnapshotPart():
                if self._hear_leader(peer, message.term, message.round):
                    self._catchup.on_part(peer, message)
            case wire.SnapshotAck():
                if self.is_leader and message.term == self.term and peer in self._progress:
                    self._hear_follower(peer, message.round)
                    self._catchup.on_ack(peer, message)
            case wire.ReadRequest(number):
                self._on_read_request(peer, number)
            case wire.ReadReply(number, index):
                self._asked.learn(number, index)
                self._asked.settle(self.applied_index)
            case _:
                assert_never(message)

    def began_term(self) -> None:
        """Forget what was known of followers: acks of older terms say nothing about this one."""
        for peer in self._progress.values():
            peer.end_snapshot()
        self._ack_due = None
        self._transfer = None
        self._sent = (0, 0)
        self._progress = {name: Progress(self.journal.last_index + 1) for name in self._progress}
        _log.info("elected", node=self.name, term=self.term)

    # Following

    def forget_ack(self) -> None:
        """An answer that waits for the disk belongs to an older term."""
        self._ack_due = None

    def _hear_leader(self, peer: str, term: int, number: int) -> bool:
        """Whether a message is from the leader of the present term or a newer one; older ones are told the term."""
        if term < self.term:
            self.network.send(peer, wire.Ack(self.term, 0, is_success=False, round=number))
            return False
        if term > self.term:
            self._ack_due = None
        self.hear_leader()
        if self._SyncObj__raftLeader != self.node(peer) or term != self.term or self.is_leader:
            _log.info("follows", node=self.name, leader=peer, term=term)
            self._asked.ask_again()
        return True

    def _on_append(self, peer: str, message: wire.Append) -> None:
        if not self._hear_leader(peer, message.term, message.round):
            return
        verdict = match(self.journal, message, truncates_conflicts_only=self._corrections.truncates_conflicts_only)
        entries = verdict.entries
        head: dict[str, Any] = {"type": "append_entries", "term": message.term}
        if verdict.verified is None:
            # Only what the library does for any message of a leader: take its term and follow.
            self.tell(peer, {**head, "commit_index": 0})
            self.network.send(peer, wire.Ack(self.term, verdict.wanted, is_success=False, round=message.round))
            return
        head["commit_index"] = min(message.commit, verdict.verified)
        if entries or verdict.truncates:
            head |= {"prevLogIdx": verdict.previous_index, "prevLogTerm": verdict.previous_term, "entries": entries}
        self.tell(peer, head)
        self._adopt_members()
        self._acknowledge(peer, verdict.verified, message)

    def _acknowledge(self, peer: str, verified: int, message: wire.Append) -> None:
        """Heartbeats are answered at once, with what is durable; entries when they are."""
        durable = self.journal.durable_index
        if verified <= durable or not message.entries:
            self.network.send(peer, wire.Ack(self.term, min(verified, durable) + 1, True, message.round))
        else:
            due = self._ack_due
            newest = max(verified, due[2]) if due is not None and due[:2] == (peer, self.term) else verified
            self._ack_due = (peer, self.term, newest, message.round)

    def _release_ack(self) -> None:
        if self._ack_due is None:
            return
        peer, term, verified, number = self._ack_due
        durable = self.journal.durable_index
        if term != self.term or verified <= durable:
            self._ack_due = None
        if term == self.term:
            self.network.send(peer, wire.Ack(term, min(verified, durable) + 1, True, number))

    def _question(self, moment: float) -> None:
        """Ask the leader for a read index, if anyone waits for one."""
        leader = self.leader
        if self._asked.is_idle or leader is None or leader == self.name:
            return
        number = self._asked.next_question(moment, self._timings.election_seconds_min)
        if number:
            self.network.send(leader, wire.ReadRequest(number))

    # Leading

    def _on_ack(self, peer: str, message: wire.Ack) -> None:
        if message.term > self.term:
            if peer in self.members:
                self.enter(message.term)
            return
        if not self.is_leader or (message.term != self.term and self._corrections.term_tagged_acks):
            return
        progress = self._progress.get(peer)
        if progress is None or message.next_index > self.journal.last_index + 1:
            return
        self._hear_follower(peer, message.round)
        if message.is_success:
            progress.end_snapshot()
            progress.accept(message.next_index)
            self._SyncObj__raftMatchIndex[self.node(peer)] = progress.acked
            self._send_more(peer, progress)
        elif progress.refuse(message.next_index, message.round, self._round):
            self._round += 1
            self._send_more(peer, progress)

    def _hear_follower(self, peer: str, number: int) -> None:
        progress = self._progress[peer]
        self._SyncObj__lastResponseTime[self.node(peer)] = now()
        if number > progress.round:
            progress.round = number
            self._settle_reads()

    def _lead(self, moment: float) -> None:
        self._asked.refuse_all()
        state = (self.journal.last_index, self.commit_index)
        if state != self._sent or (self._reads.needs_round and self.is_settled):
            self._SyncObj__sendAppendEntries()
        self._settle_reads()
        if self._transfer is not None:
            self._hand_over(*self._transfer, moment)

    def send_round(self) -> None:
        """Send each follower what it lacks; a round proves leadership to the reads that wait."""
        self._round += 1
        self._sent = (self.journal.last_index, self.commit_index)
        if self.is_settled:
            self._reads.begin(self.commit_index, self._round)
        for peer, progress in self._progress.items():
            if peer in self._connected and self._may_send(peer):
                self._send_entries(peer, progress)

    def _may_send(self, peer: str) -> bool:
        """A node that goes is told when that is certain.

        Before, it could be the only one that knows: it would not campaign, and its log would outvote all others.
        """
        return peer not in self._leaving or self.commit_index >= self._members_at

    def _send_more(self, peer: str, progress: Progress) -> None:
        """After an answer, send entries only: an answer to an answer could go on for ever, and double each time."""
        has_more = self.journal.base_index < progress.next_index <= self.journal.last_index
        if has_more and progress.may_send and self._may_send(peer):
            self._send_entries(peer, progress)

    def _send_entries(self, peer: str, progress: Progress) -> None:
        """Everything the window allows; an empty message if there is nothing."""
        journal = self.journal
        if progress.snapshot is not None or progress.next_index <= journal.base_index:
            self._catchup.send(peer, progress, self._round)
            return
        while True:
            start = progress.next_index
            entries = journal.entries_from(start, BATCH_BYTES, BATCH_ENTRIES) if progress.may_send else ()
            term = journal.term_at(start - 1)
            if term is None:
                raise LogDiverged(f"entry {start - 1} for {peer} is not in the log")
            self.network.send(peer, wire.Append(self.term, self.commit_index, start - 1, term, entries, self._round))
            if not entries:
                return
            progress.sent(entries[-1][1], sum(len(entry[0]) for entry in entries))
            if progress.next_index > journal.last_index or not progress.may_send:
                return

    def _settle_reads(self) -> None:
        voters = [self._progress[name].round for name in self.members.voters if name in self._progress]
        needed = len(self.members.voters) // 2
        answered = sorted(voters, reverse=True)[needed - 1] if needed else self._round
        self._reads.settle(answered, self.applied_index)

    def _on_read_request(self, peer: str, number: int) -> None:
        if peer not in self.members or not self.is_leader:
            self.network.send(peer, wire.ReadReply(number, 0))
            return
        self.read(lambda index: self.network.send(peer, wire.ReadReply(number, index or 0)))

    def _hand_over(self, target: str, deadline: float, moment: float) -> None:
        progress = self._progress.get(target)
        if progress is None or moment >= deadline:
            self._transfer = None
            _log.warning("leadership was not taken over", node=self.name, target=target)
        elif progress.acked == self.journal.last_index:
            self.network.send(target, wire.TimeoutNow(self.term))

    def _append(self, data: bytes, settled: Settled) -> int:
        index = self.journal.last_index + 1
        self.journal.add(data, index, self.term)
        self._pending[index] = _Pending(self.term, settled)
        self.wake()
        return index

    # Applying

    def apply_committed(self) -> None:
        """Apply what is committed and on this disk: a store ahead of its journal would look damaged after a crash."""
        end = min(self.commit_index, self.journal.durable_index, self.applied_index + _APPLIED_AT_ONCE)
        for index in range(self.applied_index + 1, end + 1):
            data, _, term = self.journal.entry_at(index)
            self._machine.apply(index, term, data[0], data[1:])
            self._SyncObj__raftLastApplied = index
            pending = self._pending.pop(index, None)
            if pending is not None:
                pending.settled(index if pending.term == term else None)
        self._asked.settle(self.applied_index)
        self.journal.trim(self.applied_index)
        if self._pending and self.is_settled:
            self._refuse_overtaken()

    def _refuse_overtaken(self) -> None:
        """What was proposed in older terms and is behind this term's first entry can never be committed any more."""
        for index in [index for index, pending in self._pending.items() if pending.term < self.term]:
            self._pending.pop(index).settled(None)

    def learn_commit(self, index: int) -> None:
        """A snapshot of a leader stands for what the log holds already."""
        self._SyncObj__raftCommitIndex = max(self.commit_index, index)
        self.journal.setRaftCommitIndex(index)
        self.wake()

    def installed(self, index: int, term: int) -> None:
        """The state machine has taken a snapshot in place of the log."""
        self.journal.restart_at(index, term)
        self._SyncObj__raftLastApplied = self._SyncObj__raftCommitIndex = index
        self._ack_due = None
        # Whether these are in the snapshot cannot be known any more; their deadline will say so.
        self._pending.clear()
        self._members_at = -1
        self._adopt_members()
        self._asked.settle(index)

    def _adopt_members(self) -> None:
        """Put the newest configuration of the log, or else the state machine's, in force."""
        found = self.journal.newest_members()
        at, members = found if found is not None else (0, None)
        if at == self._members_at:
            return
        self._members_at = at
        if members is None:
            stored = self._machine.members()
            members = Members() if stored is None else decode_members(stored)
        if self.is_leader:
            # A node that goes is told so, or it would wait for a leader that has forgotten it.
            deadline = now() + self._timings.commit_seconds_max
            for name in set(self._progress) & set(self.members.addresses) - set(members.addresses):
                self._leaving[name] = (self.members.addresses[name], deadline)
        for name in set(members.addresses) - set(self.members.addresses):
            self._forget(name)  # it may come back empty: what it had before must not count
        self.members = members
        self._meet()

    def _forget(self, name: str) -> None:
        self._leaving.pop(name, None)
        self._SyncObj__raftMatchIndex.pop(self.node(name), None)
        progress = self._progress.pop(name, None)
        if progress is not None:
            progress.end_snapshot()

    def _meet(self) -> None:
        """Be connected with the members, and with those that are to be told that they are none any more."""
        leaving = {name: address for name, (address, _) in self._leaving.items() if name not in self.members}
        addresses = {**self.members.addresses, **leaving}
        addresses.pop(self.name, None)
        for gone in set(self._progress) - set(addresses):
            self._progress.pop(gone).end_snapshot()
        for name in sorted(addresses):
            self._progress.setdefault(name, Progress(self.journal.last_index + 1))
        voters = set(self.members.voters) - {self.name}
        self.set_nodes(voters, set(addresses) - voters)
        self.network.set_peers(addresses)

    def _part(self, moment: float) -> None:
        """Let go of nodes that know they are no members, or cannot be told."""
        told = {
            name
            for name, (_, deadline) in self._leaving.items()
            if not self.is_leader or deadline <= moment or self._progress[name].acked >= self._members_at
        }
        if told:
            self._leaving = {name: left for name, left in self._leaving.items() if name not in told}
            self._meet()


class _FailStop:
    """Turns any exception inside into the end of this node: going on would be guessing."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, Exception):
            self._core.fail(error)
            return True
        return False
