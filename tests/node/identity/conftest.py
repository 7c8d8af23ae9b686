"""An identity store in memory."""

import pytest
from support.mounted import Clock, open_memory

from strongroom_node.identity.store import IdentityStore


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def store(clock):
    store = await open_memory(clock)
    yield store
    await store.close()


@pytest.fixture
def identity(store, clock):
    return IdentityStore(store.barrier, clock)
