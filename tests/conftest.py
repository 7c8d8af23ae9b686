"""Fixtures every test may use."""

from collections.abc import Iterator

import pytest
import structlog
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


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """No test inherits the log set-up of another: the simulator silences logs, servers install their own."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
