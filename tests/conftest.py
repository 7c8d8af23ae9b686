"""Fixtures every test may use."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from support.server import Server, running_dev

# Wall-clock deadlines fail on a busy machine, not on a slow function.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


@pytest.fixture(scope="session")
def dev_server() -> Iterator[Server]:
    """One unsealed in-memory server a test process; tests share it, so each makes its own mounts and names."""
    with running_dev() as server:
        yield server
