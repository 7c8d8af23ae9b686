"""A userpass mount."""

import bcrypt
import pytest
from support.mounted import Clock, Mounted, a_mount, open_memory

from strongroom_node.auth.userpass import ENGINE, passwords


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch):
    """The cost of a hash is not what these tests are about, except where they say so."""
    monkeypatch.setattr(passwords, "COST", 4)
    monkeypatch.setattr(passwords, "NOBODY", bcrypt.hashpw(b"nobody", bcrypt.gensalt(4)))


@pytest.fixture
async def users():
    clock = Clock()
    store = await open_memory(clock)
    yield Mounted(store, ENGINE, a_mount("userpass", is_auth=True), clock)
    await store.close()
