"""The one-node ordered log: a journal, then the state machine, on one event loop."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, NamedTuple

import structlog

from strongroom_cluster.errors import JournalFull, ProposalRefused, ProposalUnknown
from strongroom_cluster.fsm import StateMachine
from strongroom_cluster.journal import Journal
from strongroom_cluster.port import Leadership

_log = structlog.get_logger("strongroom.log")

TERM: Final = 1  # one node never holds an election

# A sync that is shorter than this costs the loop less than handing it to a thread and back.
INLINE_SYNC_SECONDS_MAX: Final = 0.001
_SYNCS_REMEMBERED: Final = 256
_SLOW_SYNCS_MAX: Final = 2  # of those remembered: a 99th percentile

# The disk is said to be slow at most this often.
_SLOW_SYNC_SECONDS: Final = 1.0


class _Proposal(NamedTuple):
    at: int
    command: bytes
    acknowledged: asyncio.Future[int]


class LocalLog:
    """`OrderedLog` without other nodes. `on_failure` is called once if a write or an apply fails: it is over then."""

    def __init__(self, journal: Journal, machine: StateMachine, on_failure: Callable[[BaseException], None]) -> None:
        self._journal = journal
        self._machine = machine
        self._on_failure = on_failure
        self._listeners: list[Callable[[Leadership], None]] = []
        self._state = Leadership.STANDBY
        self._waiting: list[_Proposal] = []
        self._syncing: asyncio.Future[float] | None = None
        self._next_index = 0
        self._durations: deque[bool] = deque(maxlen=_SYNCS_REMEMBERED)
        self._slow_syncs = 0
        self._executor: ThreadPoolExecutor | None = None
        self._on_applied: list[Callable[[int], None]] = []

    @property
    def is_active(self) -> bool:
        """True from `start` until `close` or a failure."""
        return self._state is Leadership.ACTIVE

    @property
    def state(self) -> Leadership:
        """What this node may do."""
        return self._state

    @property
    def applied_index(self) -> int:
        """Index of the last command applied."""
        return self._machine.applied_index

    async def start(self) -> None:
        """Apply what the journal holds beyond the store, then take writes."""
        replayed = 0
        for entry in self._journal.replay(self._machine.applied_index):
            self._machine.apply(entry.index, entry.term, entry.data)
            replayed += 1
            if replayed % 256 == 0:
                await asyncio.sleep(0)
        if replayed:
            _log.info("journal replayed", entries=replayed, applied_index=self._machine.applied_index)
        self._next_index = self._machine.applied_index + 1
        self._change(Leadership.ACTIVE)

    def watch(self, listener: Callable[[Leadership], None]) -> None:
        """Tell `listener` the state now and whenever it changes."""
        self._listeners.append(listener)
        listener(self._state)

    def after_apply(self, listener: Callable[[int], None]) -> None:
        """Call `listener` with the applied index after each batch, for housekeeping."""
        self._on_applied.append(listener)

    async def read_index(self) -> int:
        """The applied index: one node has nobody to ask."""
        if self._state is not Leadership.ACTIVE:
            raise ProposalRefused("the log is not running")
        return self._machine.applied_index

    def propose(self, command: bytes) -> asyncio.Future[int]:
        """Append a command. Synced before this returns if the disk is fast, else on a thread."""
        acknowledged: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if self._state is not Leadership.ACTIVE:
            acknowledged.set_exception(ProposalRefused("the log is not running"))
            return acknowledged
        self._waiting.append(_Proposal(self._next_index, command, acknowledged))
        self._next_index += 1
        if self._syncing is None:
            self._round()
        return acknowledged

    async def close(self) -> None:
        """Finish what is in flight, then refuse."""
        while self._syncing is not None and self._state is Leadership.ACTIVE:
            await asyncio.wait([self._syncing])
            await asyncio.sleep(0)
        if self._state is Leadership.ACTIVE:
            self._change(Leadership.STANDBY)
        if self._executor is not None:
            self._executor.shutdown(wait=True)
            self._executor = None

    def _round(self) -> None:
        """Append and sync everything that waits."""
        batch, self._waiting = self._waiting, []
        try:
            batch = self._append(batch)
            if self._slow_syncs <= _SLOW_SYNCS_MAX:
                self._note(_timed(self._journal.sync))
                self._finish(batch)
                return
        except (OSError, ValueError) as error:
            self._fail(batch, error)
            return
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._syncing = asyncio.get_running_loop().run_in_executor(self._executor, _timed, self._journal.sync)
        self._syncing.add_done_callback(partial(self._synced, batch))

    def _append(self, batch: list[_Proposal]) -> list[_Proposal]:
        """Append proposals to the journal; those that fit. The others are refused: a full disk is no failure."""
        for done, proposal in enumerate(batch):
            try:
                self._journal.append(proposal.at, TERM, proposal.command)
            except JournalFull as error:
                _log.error("write refused, the disk is full", error=str(error))
                self._next_index = proposal.at
                self._refuse(batch[done:], str(error))
                return batch[:done]
        return batch

    def _synced(self, batch: list[_Proposal], syncing: asyncio.Future[float]) -> None:
        self._syncing = None
        error = syncing.exception()
        if error is not None:
            self._fail(batch, error)
            return
        self._note(syncing.result())
        self._finish(batch)
        if self._waiting and self._state is Leadership.ACTIVE:
            self._round()

    def _finish(self, batch: list[_Proposal]) -> None:
        """Apply durable commands and acknowledge them."""
        for done, proposal in enumerate(batch):
            try:
                self._machine.apply(proposal.at, TERM, proposal.command)
            except Exception as error:  # noqa: BLE001  -- whatever it was, the store and the log differ now
                self._fail(batch[done:], error)
                return
            if not proposal.acknowledged.done():
                proposal.acknowledged.set_result(proposal.at)
        for listener in self._on_applied:
            listener(self._machine.applied_index)

    def _fail(self, batch: list[_Proposal], error: BaseException) -> None:
        """Stop for good. Nobody knows whether the batch is on the disk."""
        waiting, self._waiting = self._waiting, []
        self._change(Leadership.FAILED)
        for proposal in batch:
            if not proposal.acknowledged.done():
                proposal.acknowledged.set_exception(ProposalUnknown("the log failed while writing"))
        self._refuse(waiting, "the log failed before writing")
        _log.error("log failed", error=str(error), applied_index=self._machine.applied_index)
        self._on_failure(error)

    def _refuse(self, proposals: list[_Proposal], reason: str) -> None:
        for proposal in proposals:
            if not proposal.acknowledged.done():
                proposal.acknowledged.set_exception(ProposalRefused(reason))

    def _note(self, seconds: float) -> None:
        """Remember whether a sync was slow."""
        is_slow = seconds > INLINE_SYNC_SECONDS_MAX
        if len(self._durations) == _SYNCS_REMEMBERED and self._durations[0]:
            self._slow_syncs -= 1
        self._durations.append(is_slow)
        self._slow_syncs += is_slow
        if seconds > _SLOW_SYNC_SECONDS:
            _log.warning("disk sync is slow", seconds=round(seconds, 3))

    def _change(self, state: Leadership) -> None:
        if state is not self._state:
            self._state = state
            for listener in self._listeners:
                listener(state)


def _timed(work: Callable[[], None]) -> float:
    """Do some work; how many seconds it took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
