"""Elections: a node asks before it campaigns, and nobody unseats a leader that is heard. Over pysyncobj's own votes.

Without the question (dissertation §9.6) a node that was cut off comes back with a higher term and stops the cluster;
without the refusal one that hears only half of the others does so again and again. A transfer orders both off.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

from strongroom_cluster.raft import messages as wire
from strongroom_cluster.raft.journal import RaftJournal
from strongroom_cluster.raft.membership import Members
from strongroom_cluster.raft.syncobj import Library, now
from strongroom_cluster.raft.timeouts import Timings

_NEVER: Final = float("inf")


class Network(Protocol):
    """How messages leave. Lost messages are no error."""

    def send(self, peer: str, message: wire.Message) -> None:
        """Send a message, or drop it."""
        ...

    def set_peers(self, addresses: dict[str, str]) -> None:
        """The members to be connected with, this node not among them."""
        ...


class Elector(Library):
    """The part of a node that votes and campaigns."""

    def __init__(
        self,
        name: str,
        journal: RaftJournal,
        network: Network,
        timings: Timings,
        random: Callable[[], float],
        applied_index: int,
    ) -> None:
        self.name = name
        self.journal = journal
        self.network = network
        self.members = Members()
        self._leader_heard = now()
        self._votes: set[str] = set()
        self._pre_votes: set[str] | None = None
        self._is_pre_elected = False
        self._is_transfer = False
        super().__init__(name, journal, timings, random, applied_index)

    @property
    def is_voter(self) -> bool:
        """Whether this node counts in elections, as far as it knows."""
        return self.name in self.members.voters

    def forget_ack(self) -> None:
        """An answer that waits for the disk belongs to an older term."""

    def hear_leader(self) -> None:
        """The leader of this term is there."""
        self._leader_heard = now()
        self._pre_votes = None
        self._is_pre_elected = False

    def campaign_if_due(self) -> None:
        """Let the library do what is due, an election among it."""
        self.gate_election()
        self._onTick(0.0)
        self._is_transfer = False

    @property
    def _is_leader_fresh(self) -> bool:
        return self.is_leader or now() - self._leader_heard < self._timings.election_seconds_min

    def gate_election(self) -> None:
        """Let the library begin an election only after a majority said that it would grant one (dissertation §9.6)."""
        if self.is_leader:
            self._pre_votes = None
            return
        if not self.is_voter:
            self._SyncObj__raftElectionDeadline = _NEVER
            return
        moment = now()
        if self._SyncObj__raftElectionDeadline == _NEVER:
            self._SyncObj__raftElectionDeadline = moment + self._SyncObj__generateRaftTimeout()
        if self._SyncObj__transferInProgress:
            self._is_transfer = True
        elif self._SyncObj__raftElectionDeadline >= moment:
            self._is_pre_elected = False
        elif len(self.members.voters) == 1:
            pass
        elif self._is_pre_elected:
            self._is_pre_elected = False
        else:
            self._SyncObj__raftElectionDeadline = moment + self._SyncObj__generateRaftTimeout()
            self._pre_votes = set()
            journal = self.journal
            request = wire.PreVoteRequest(self.term + 1, journal.last_index, journal.last_term)
            for peer in self.members.voters:
                if peer != self.name:
                    self.network.send(peer, request)

    def require_own_voice(self) -> None:
        """A node that is the only voter need not wait for anyone."""
        if self.is_voter and len(self.members.voters) == 1:
            self._SyncObj__raftElectionDeadline = now() - 1

    def convey(self, peer: str, message: dict[str, Any]) -> None:
        """The library's own messages: only votes are left of them."""
        match message:
            case {"type": "request_vote", "term": term, "last_log_index": index, "last_log_term": last_term}:
                self._votes = set()
                self.network.send(peer, wire.VoteRequest(term, index, last_term, self._is_transfer))
            case {"type": "response_vote", "term": term}:
                self.network.send(peer, wire.Vote(term))
            case {"type": "next_node_idx"}:
                pass  # `_on_append` answers itself, after the sync
            case _:
                super().convey(peer, message)

    def on_vote_request(self, peer: str, message: wire.VoteRequest) -> None:
        """A node asks for a vote."""
        if self._is_leader_fresh and not message.is_transfer:
            return
        if message.term > self.term:
            self.forget_ack()
        self.tell(
            peer,
            {
                "type": "request_vote",
                "term": message.term,
                "last_log_index": message.last_index,
                "last_log_term": message.last_term,
            },
        )

    def on_vote(self, peer: str, message: wire.Vote) -> None:
        """A vote for this node; a second one from the same node does not count."""
        if message.term == self.term and peer in self.members.voters and peer not in self._votes:
            self._votes.add(peer)
            self.tell(peer, {"type": "response_vote", "term": message.term})

    def on_pre_vote_request(self, peer: str, message: wire.PreVoteRequest) -> None:
        """A node asks whether it would get a vote."""
        journal = self.journal
        is_granted = (
            not self._is_leader_fresh
            and message.term > self.term
            and (message.last_term, message.last_index) >= (journal.last_term, journal.last_index)
        )
        self.network.send(peer, wire.PreVote(message.term, self.term, is_granted))

    def on_pre_vote(self, peer: str, message: wire.PreVote) -> None:
        """The answer to this node's question."""
        if message.own_term > self.term and not self.is_leader and peer in self.members:
            self.enter(message.own_term)
        elif message.is_granted and self._pre_votes is not None and message.term == self.term + 1:
            if peer in self.members.voters:
                self._pre_votes.add(peer)
            if len(self._pre_votes) + 1 > len(self.members.voters) // 2:
                self._pre_votes = None
                self._is_pre_elected = True
                self._SyncObj__raftElectionDeadline = now() - 1

    def enter(self, term: int) -> None:
        """Follow in a newer term."""
        self.forget_ack()
        self._pre_votes = None
        self._is_pre_elected = False
        self.follow(term)
