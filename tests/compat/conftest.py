"""What the client tests share."""

import itertools
from collections.abc import Callable, Iterator

import hvac
import pytest
from support.server import Server

_numbers = itertools.count(1)


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Names nobody else on this server uses: `unique("kv")` -> "kv-7"."""
    return lambda stem: f"{stem}-{next(_numbers)}"


@pytest.fixture
def open_client(dev_server: Server) -> Iterator[Callable[..., hvac.Client]]:
    """hvac clients that are closed after the test; without a token: the root token."""
    opened: list[hvac.Client] = []

    def make(token: str | None = dev_server.token) -> hvac.Client:
        client = hvac.Client(url=dev_server.address, token=token)
        if token is None:
            client.token = None  # hvac would take one from the environment or ~/.vault-token
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.adapter.close()


@pytest.fixture
def root(open_client: Callable[..., hvac.Client]) -> hvac.Client:
    return open_client()
