"""A KV mount of each version."""

import pytest
from support.mounted import Clock, Mounted, a_mount, open_memory

from strongroom_node.engines.kv import ENGINE


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(clock):
    store = await open_memory(clock)
    yield store
    await store.close()


@pytest.fixture
def v1(store, clock) -> Mounted:
    return Mounted(store, ENGINE, a_mount("kv", options={"version": "1"}), clock)


@pytest.fixture
def v2(store, clock) -> Mounted:
    return Mounted(store, ENGINE, a_mount("kv", options={"version": "2"}), clock)
