"""The ordered log of a cluster: drives the consensus core on one event loop."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, Protocol

import structlog

from strongroom_cluster.errors import ProposalRefused, ProposalUndecided, ProposalUnknown
from strongroom_cluster.port import Leadership
from strongroom_cluster.raft.core import Core, Machine
from strongroom_cluster.raft.elections import Network
from strongroom_cluster.raft.journal import RaftJournal, Write
from strongroom_cluster.raft.membership import Members
from strongroom_cluster.raft.messages import Message
from strongroom_cluster.raft.syncobj import now
from strongroom_cluster.raft.timeouts import Timings

_log = structlog.get_logger("strongroom.raft")

# A sync that is shorter than this costs the loop less than handing it to a thread and back.
_INLINE_SYNC_SECONDS_MAX: Final = 0.001
_SYNCS_REMEMBERED: Final = 256
_SLOW_SYNCS_MAX: Final = 2  # of those remembered: a 99th percentile

# Group commit keeps one or two in flight; more than this is a caller that does not wait.
FLIGHT_MAX: Final = 256


class Transport(Network, Protocol):
    """Connections to the other nodes."""

    async def start(self, receiver: "Receiver") -> None:
        """Begin to listen and to connect."""
        ...

    async def close(self) -> None:
        """End all connections."""
        ...


class Receiver(Protocol):
    """Whom a transport tells what happens."""

    def receive(self, peer: str, message: Message) -> None:
        """A message of a node whose name is proved."""
        ...

    def connected(self, peer: str) -> None:
        """Messages can be sent to a node."""
        ...

    def disconnected(self, peer: str) -> None:
        """Messages cannot be sent any more."""
        ...


class _Proposal(NamedTuple):
    deadline: float
    at: int
    acknowledged: asyncio.Future[int]


class RaftLog:
    """`OrderedLog` of several nodes. `on_failure` is called once if this node must stop."""

    def __init__(
        self,
        name: str,
        journal: RaftJournal,
        machine: Machine,
        transport: Transport,
        timings: Timings,
        random: Callable[[], float],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._timings = timings
        self._journal = journal
        self._transport = transport
        self._on_failure = on_failure
        self._listeners: list[Callable[[Leadership], None]] = []
        self._on_applied: list[Callable[[int], None]] = []
        self._applied_told = 0
        self._state = Leadership.STANDBY
        self._flight: deque[_Proposal] = deque()
        self._is_woken = False
        self._is_running = False
        self._loop: asyncio.AbstractEventLoop
        self._ticking: asyncio.TimerHandle | None = None
        self._syncing: asyncio.Future[float] | None = None
        self._executor: ThreadPoolExecutor | None = None
        self._slow: deque[bool] = deque(maxlen=_SYNCS_REMEMBERED)
        self.core = Core(name, journal, machine, transport, timings, random, self._wake)

    # The port

    @property
    def is_active(self) -> bool:
        """Whether this node leads, has applied all of earlier terms, and is not handing over."""
        return self._is_running and self.core.may_propose

    @property
    def state(self) -> Leadership:
        """What this node may do."""
        return self._state

    @property
    def applied_index(self) -> int:
        """Index of the last entry applied here."""
        return self.core.applied_index

    @property
    def members(self) -> Members:
        """The members, as far as this node knows."""
        return self.core.members

    @property
    def leader(self) -> str | None:
        """Id of the active node, as far as this node knows."""
        return self.core.leader

    async def start(self) -> None:
        """Take part. What is committed is applied as soon as a leader says what that is."""
        self._loop = asyncio.get_running_loop()
        self._is_running = True
        await self._transport.start(self)
        self._tick()

    def watch(self, listener: Callable[[Leadership], None]) -> None:
        """Tell `listener` the state now and whenever it changes."""
        self._listeners.append(listener)
        listener(self._state)

    def after_apply(self, listener: Callable[[int], None]) -> None:
        """Call `listener` with the applied index after it grew, for housekeeping."""
        self._on_applied.append(listener)

    def propose(self, command: bytes) -> asyncio.Future[int]:
        """Append a command; see `OrderedLog`. Unknown after `commit_seconds_max`."""
        acknowledged: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if len(self._flight) >= FLIGHT_MAX or not self._is_running:
            acknowledged.set_exception(ProposalRefused("too many proposals are in flight, or the log is closed"))
            return acknowledged
        try:
            index = self.core.propose(command, lambda at: _settle(acknowledged, at))
        except ProposalRefused as error:
            acknowledged.set_exception(error)
            return acknowledged
        self._flight.append(_Proposal(now() + self._timings.commit_seconds_max, index, acknowledged))
        return acknowledged

    async def read_index(self) -> int:
        """An index that is applied here and not older than anything acknowledged before the call."""
        answered: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        if not self._is_running:
            raise ProposalRefused("the log is not running")
        self.core.read(lambda index: None if answered.done() else answered.set_result(index))
        index = await answered
        if index is None:
            raise ProposalRefused("this node cannot know what is acknowledged: it is cut off or no member")
        return index

    async def close(self) -> None:
        """Hand leadership over if there is somebody, let the disk finish, and stop. Idempotent."""
        if not self._is_running:
            return
        await self.hand_over()
        self._is_running = False
        if self._ticking is not None:
            self._ticking.cancel()
        await self._transport.close()
        if self._syncing is not None:
            await asyncio.wait([self._syncing])
            await asyncio.sleep(0)
        if self._executor is not None:
            self._executor.shutdown(wait=True)
        self._lose_flight(ProposalUndecided, "the node stops")
        self._change(Leadership.FAILED if self.core.failure is not None else Leadership.STANDBY)

    # Members and leadership

    async def change_members(self, change: Callable[[Members], Members]) -> int:
        """Apply `change` to the members; the index once that is committed.

        Raises ChangeRefused, ProposalRefused, or ProposalUnknown after `commit_seconds_max`.
        """
        acknowledged: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        index = self.core.change_members(change(self.core.members), lambda at: _settle(acknowledged, at))
        self._flight.append(_Proposal(now() + self._timings.commit_seconds_max, index, acknowledged))
        return await acknowledged

    def is_caught_up(self, node: str, lag_entries_max: int = 0) -> bool:
        """Whether a node has all but `lag_entries_max` entries; only known to the leader."""
        progress = self.core.progress.get(node)
        return (
            self.core.is_leader
            and progress is not None
            and (progress.acked > 0 and progress.acked + lag_entries_max >= self._journal.last_index)
        )

    async def hand_over(self, target: str | None = None) -> bool:
        """Give leadership to a voter; whether this node does not lead any more."""
        try:
            self.core.transfer(target)
        except ProposalRefused:
            return not self.core.is_leader
        self._note_state()
        deadline = now() + self._timings.transfer_seconds_max
        while self.core.is_leader and now() < deadline and self.core.failure is None:  # noqa: ASYNC110  -- ticks drive it
            await asyncio.sleep(self._timings.tick_seconds)
        return not self.core.is_leader

    # What the transport tells

    def receive(self, peer: str, message: Message) -> None:
        """Pass a message on."""
        if self._is_running:
            self.core.receive(peer, message)

    def connected(self, peer: str) -> None:
        """Pass it on."""
        self.core.connected(peer)

    def disconnected(self, peer: str) -> None:
        """Pass it on."""
        self.core.disconnected(peer)

    # Driving

    def _wake(self) -> None:
        if not self._is_woken and self._is_running:
            self._is_woken = True
            self._loop.call_soon(self._pump)

    def _tick(self) -> None:
        if self._is_running:
            self._pump()
            self._expire()
            self._ticking = self._loop.call_later(self._timings.tick_seconds, self._tick)

    def _pump(self) -> None:
        self._is_woken = False
        if not self._is_running:
            return
        self.core.pump()
        self._sync()
        self._note_state()
        applied = self.core.applied_index
        if applied != self._applied_told:
            self._applied_told = applied
            for listener in self._on_applied:
                listener(applied)

    def _sync(self) -> None:
        """Write what is new: here if the disk is fast, else on a thread."""
        if not self._journal.is_dirty or self._journal.is_writing or self.core.failure is not None:
            return
        work = self._journal.take()
        if sum(self._slow) <= _SLOW_SYNCS_MAX:
            try:
                self._slow.append(_timed(self._journal, work) > _INLINE_SYNC_SECONDS_MAX)
            except Exception as error:  # noqa: BLE001  -- nobody knows what is on the disk now
                self.core.fail(error)
            else:
                self.core.synced()
            return
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._syncing = self._loop.run_in_executor(self._executor, _timed, self._journal, work)
        self._syncing.add_done_callback(self._synced)

    def _synced(self, syncing: asyncio.Future[float]) -> None:
        self._syncing = None
        error = syncing.exception()
        if error is not None:
            self.core.fail(error)
        else:
            self._slow.append(syncing.result() > _INLINE_SYNC_SECONDS_MAX)
            self.core.synced()
        self._pump()

    def _expire(self) -> None:
        moment = now()
        flight = self._flight
        while flight and (flight[0].acknowledged.done() or flight[0].deadline <= moment):
            proposal = flight.popleft()
            if not proposal.acknowledged.done():
                # Transactions that follow could not see this one, and it may still happen before them.
                self.core.give_up(proposal.at)
                proposal.acknowledged.set_exception(ProposalUndecided("no majority answered in time"))

    def _lose_flight(self, error: type[ProposalUnknown], reason: str) -> None:
        flight, self._flight = self._flight, deque()
        for proposal in flight:
            if not proposal.acknowledged.done():
                proposal.acknowledged.set_exception(error(reason))

    def _note_state(self) -> None:
        failure = self.core.failure
        if failure is not None:
            if self._state is not Leadership.FAILED:
                self._change(Leadership.FAILED)
                self._lose_flight(ProposalUnknown, "the log failed")
                self._on_failure(failure)
            return
        while self._flight and self._flight[0].acknowledged.done():
            self._flight.popleft()
        self._change(Leadership.ACTIVE if self.is_active else Leadership.STANDBY)

    def _change(self, state: Leadership) -> None:
        if state is not self._state and self._state is not Leadership.FAILED:
            self._state = state
            for listener in self._listeners:
                listener(state)


def _settle(acknowledged: asyncio.Future[int], index: int | None) -> None:
    if acknowledged.done():
        return
    if index is None:
        acknowledged.set_exception(ProposalRefused("another leader's entry took the place of this one"))
    else:
        acknowledged.set_result(index)


def _timed(journal: RaftJournal, work: Write) -> float:
    """Write; how many seconds it took."""
    began = time.perf_counter()
    journal.write(work)
    return time.perf_counter() - began
