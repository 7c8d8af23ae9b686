"""A fake server for each test."""

from collections.abc import Iterator

import pytest
from support.fake_vault import FakeVault, running_fake


@pytest.fixture
def vault() -> Iterator[FakeVault]:
    with running_fake() as fake:
        yield fake
