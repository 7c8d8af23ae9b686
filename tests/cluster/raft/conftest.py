"""Three real nodes in one process: files, journals, mutual TLS on loopback."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from strongroom_cluster.raft import certificates, syncobj
from strongroom_cluster.raft.membership import Members
from strongroom_cluster.raft.store import RaftStore, open_raft_store
from strongroom_cluster.raft.timeouts import Timings
from strongroom_cluster.raft.transport import MtlsTransport

# All nodes share one thread here, and the machine with other tests: short timeouts would change leaders for no reason.
TIMINGS = Timings(election_seconds_min=0.6, election_seconds_max=0.9, quorum_seconds_max=0.6, tick_seconds=0.01)


async def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


class Cluster:
    """Nodes n0, n1, ... of one cluster."""

    def __init__(self, folder: Path, count: int = 3) -> None:
        self.folder = folder
        self.authority = certificates.make_authority(time.time())
        self.addresses = {f"n{number}": f"127.0.0.1:{free_port()}" for number in range(count)}
        self.first = Members(self.addresses)
        self.stores: dict[str, RaftStore] = {}
        self.failures: list[BaseException] = []

    async def start(self, name: str, *, bootstrap: bool = True) -> RaftStore:
        address = self.addresses.setdefault(name, f"127.0.0.1:{free_port()}")
        host, _, port = address.rpartition(":")
        credentials = certificates.issue(self.authority, name, time.time())
        transport = MtlsTransport(name, host, int(port), credentials, TIMINGS)
        store = open_raft_store(
            self.folder / name,
            name=name,
            transport=transport,
            bootstrap=self.first if bootstrap else None,
            timings=TIMINGS,
            on_failure=self.failures.append,
        )
        self.stores[name] = store
        await store.start()
        return store

    async def kill(self, name: str) -> None:
        """As near to a kill as one process comes: nothing is handed over or marked clean."""
        store = self.stores.pop(name)
        store.log.core.fail(ConnectionAbortedError("killed"))
        await store.close()

    async def leader(self, among: list[str] | None = None) -> RaftStore:
        await wait_until(lambda: any(self.stores[name].log.is_active for name in among or self.stores))
        return next(self.stores[name] for name in among or self.stores if self.stores[name].log.is_active)

    async def close(self) -> None:
        await asyncio.gather(*(store.close() for store in self.stores.values()))


def free_port() -> int:
    """A port below those that the kernel gives to outgoing calls: nodes dial before all of them listen."""
    while True:
        port = random.SystemRandom().randrange(12_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    syncobj.use_clock(time.monotonic)
    made = Cluster(tmp_path)
    yield made
    await made.close()


@pytest.fixture
def until() -> Callable[..., object]:
    return wait_until
