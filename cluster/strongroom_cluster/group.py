"""Group commit: transactions that wait together travel in one log command, and so share one sync."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from strongroom_cluster.command import encode_write
from strongroom_cluster.errors import ProposalRefused, ProposalUndecided
from strongroom_cluster.port import OrderedLog
from strongroom_storage.errors import CommitUnknown, LogBusy, LogFailed, NotActive
from strongroom_storage.log import Operation
from strongroom_storage.ticket import Ticket

# A batch of 256 keeps a sync under one millisecond on common disks; 512 KiB keeps heartbeats flowing beside it.
BATCH_WRITES_MAX: Final = 256
BATCH_BYTES_MAX: Final = 512 << 10

# About a second of work on a slow disk. Beyond it an early refusal serves clients better than a late answer.
QUEUE_WRITES_MAX: Final = 16_384
QUEUE_BYTES_MAX: Final = 64 << 20


class _Waiting(NamedTuple):
    operations: Sequence[Operation]
    size: int
    ticket: Ticket


class GroupCommit:
    """The `WriteLog` of the storage layer over any ordered log."""

    def __init__(self, log: OrderedLog, outstanding_max: int = 1) -> None:
        self._log = log
        self._outstanding_max = outstanding_max
        self._outstanding = 0
        self._queue: deque[_Waiting] = deque()
        self._queued_bytes = 0
        self._is_scheduled = False
        self._failure: BaseException | None = None
        self._drained: list[Callable[[], None]] = []

    @property
    def is_active(self) -> bool:
        """Whether this node may write."""
        return self._log.is_active and self._failure is None

    def admit(self) -> None:
        """Raise NotActive, LogBusy or LogFailed if a write could not be queued now."""
        if self._failure is not None:
            raise LogFailed("the log has failed; this node takes no more writes") from self._failure
        if not self._log.is_active:
            raise NotActive("this node is not active")
        if len(self._queue) >= QUEUE_WRITES_MAX or self._queued_bytes >= QUEUE_BYTES_MAX:
            raise LogBusy("too many writes are waiting for the log")

    def submit(self, operations: Sequence[Operation]) -> Ticket:
        """Queue one transaction. See `strongroom_storage.log.WriteLog`."""
        ticket = Ticket()
        if self._failure is not None:
            ticket.fail(LogFailed("the log has failed; this node takes no more writes"))
            return ticket
        size = sum([len(key) + len(payload) if payload else len(key) for key, payload in operations])
        self._queue.append(_Waiting(operations, size, ticket))
        self._queued_bytes += size
        if not self._is_scheduled and self._outstanding < self._outstanding_max:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._pump)
        return ticket

    async def drain(self) -> None:
        """Wait until everything queued is settled."""
        while self._queue or self._outstanding:
            settled = asyncio.get_running_loop().create_future()
            self._drained.append(lambda settled=settled: settled.done() or settled.set_result(None))  # type: ignore[misc]
            await settled

    def _pump(self) -> None:
        self._is_scheduled = False
        while self._queue and self._outstanding < self._outstanding_max:
            batch = self._take()
            self._outstanding += 1
            proposed = self._log.propose(encode_write([op for waiting in batch for op in waiting.operations]))
            if proposed.done():
                self._settle(batch, proposed)
            else:
                proposed.add_done_callback(lambda done, batch=batch: self._settled(batch, done))  # type: ignore[misc]

    def _take(self) -> list[_Waiting]:
        queue = self._queue
        batch = [queue.popleft()]
        size = batch[0].size
        while queue and len(batch) < BATCH_WRITES_MAX and size + queue[0].size <= BATCH_BYTES_MAX:
            size += queue[0].size
            batch.append(queue.popleft())
        self._queued_bytes -= size
        return batch

    def _settled(self, batch: list[_Waiting], proposed: asyncio.Future[int]) -> None:
        self._settle(batch, proposed)
        self._pump()

    def _settle(self, batch: list[_Waiting], proposed: asyncio.Future[int]) -> None:
        self._outstanding -= 1
        error = proposed.exception()
        if error is None:
            index = proposed.result()
            for waiting in batch:
                waiting.ticket.settle(index)
        else:
            self._refuse(batch, error)
        if self._drained and not self._queue and not self._outstanding:
            drained, self._drained = self._drained, []
            for wake in drained:
                wake()

    def _refuse(self, batch: list[_Waiting], error: BaseException) -> None:
        """Fail a batch, and all queued after it: they may rest on what it would have written."""
        is_certain = isinstance(error, ProposalRefused)
        if not is_certain and not isinstance(error, ProposalUndecided):
            self._failure = error
        refusal = LogBusy if is_certain and self._log.is_active else NotActive
        for waiting in batch:
            _fail(waiting, refusal(str(error)) if is_certain else CommitUnknown(str(error)), error)
        while self._queue:
            _fail(self._queue.popleft(), refusal("a write before this one was refused or lost"), error)
        self._queued_bytes = 0


def _fail(waiting: _Waiting, error: Exception, cause: BaseException) -> None:
    error.__cause__ = cause
    waiting.ticket.fail(error)
