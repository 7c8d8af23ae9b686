"""A barrier whose log can be held back, so that tests decide when writes are applied."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from strongroom_cluster.command import encode_write
from strongroom_cluster.fsm import StateMachine
from strongroom_storage.backends.inmem import InmemBackend
from strongroom_storage.barrier.barrier import Barrier
from strongroom_storage.errors import CommitUnknown, LogFailed, NotActive
from strongroom_storage.log import Operation
from strongroom_storage.ticket import Ticket

ROOT_KEY = bytes(range(32))


class HeldLog:
    """A WriteLog that applies when told to, or at once while `is_held` is false."""

    def __init__(self, machine: StateMachine) -> None:
        self.machine = machine
        self.is_active = True
        self.is_held = False
        self.failure: Exception | None = None
        self.queue: list[tuple[Sequence[Operation], Ticket]] = []

    def admit(self) -> None:
        if self.failure:
            raise LogFailed("failed")
        if not self.is_active:
            raise NotActive("standby")

    def submit(self, operations: Sequence[Operation]) -> Ticket:
        committed = Ticket()
        self.queue.append((operations, committed))
        if not self.is_held:
            self.release()
        return committed

    def release(self, count: int | None = None) -> None:
        """Apply the oldest `count` transactions, all by default."""
        batch, self.queue = self.queue[:count], self.queue[len(self.queue) if count is None else count :]
        for operations, committed in batch:
            index = self.machine.applied_index + 1
            self.machine.apply(index, 1, encode_write(operations))
            committed.settle(index)

    def fail(self) -> None:
        self.failure = CommitUnknown("disk gone")
        for _, committed in self.queue:
            committed.fail(self.failure)
        self.queue = []


class Vault:
    """A barrier with everything below it at hand."""

    def __init__(self) -> None:
        self.backend = InmemBackend()
        self.log = HeldLog(StateMachine(self.backend))
        self.now = 1_700_000_000.0
        self.barrier = Barrier(self.backend, self.log, lambda: self.now)


async def unsealed() -> Vault:
    made = Vault()
    await made.barrier.initialize(ROOT_KEY)
    made.barrier.unseal(ROOT_KEY)
    return made


@pytest.fixture
def sealed() -> Vault:
    return Vault()


@pytest.fixture
async def vault() -> Vault:
    return await unsealed()


@pytest.fixture(scope="session")
def make_vault() -> Callable[[], Awaitable[Vault]]:
    """For tests that need a fresh one for each example."""
    return unsealed
