"""`sys/rotate` and `sys/key-status`: key terms of the barrier."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from strongroom_node.core.ceremonies.refusals import refusals
from strongroom_node.sdk.durations import DurationInvalid, format_duration, parse_duration
from strongroom_node.sdk.errors import BadRequest
from strongroom_storage.barrier.barrier import Barrier
from strongroom_storage.barrier.keyring import (
    INTERVAL_SECONDS_MIN,
    OPERATIONS_MAX_DEFAULT,
    OPERATIONS_MAX_MIN,
    RotationConfig,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def key_status(barrier: Barrier) -> dict[str, Any]:
    """The active key term, when it was installed, how many frames it sealed. Raises Sealed."""
    with refusals():
        status = barrier.key_status()
    installed = _EPOCH + timedelta(microseconds=round(status.installed * 1_000_000))
    return {
        "term": status.term,
        "install_time": installed.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z",
        "encryptions": status.encryptions,
    }


async def rotate(barrier: Barrier) -> int:
    """Add a key term; its number. Raises Sealed."""
    with refusals():
        return await barrier.rotate()


def rotation_config(barrier: Barrier) -> dict[str, Any]:
    """When the key rotates by itself. The interval is 0 or Go's text of a duration, as in Vault. Raises Sealed."""
    with refusals():
        rotation = barrier.rotation
    interval = rotation.interval_seconds
    return {
        "enabled": rotation.is_enabled,
        "interval": format_duration(interval) if interval else 0,
        "max_operations": rotation.operations_max,
    }


async def configure_rotation(
    barrier: Barrier,
    *,
    enabled: bool | None = None,
    interval: float | str | None = None,
    max_operations: int | None = None,
) -> None:
    """Change what is given, keep the rest. `interval` is seconds or a duration's text. Raises BadRequest or Sealed."""
    with refusals():
        now = barrier.rotation
    operations = now.operations_max if max_operations is None else max_operations
    if not OPERATIONS_MAX_MIN <= operations <= OPERATIONS_MAX_DEFAULT:
        raise BadRequest(f"max_operations must be in the range [{OPERATIONS_MAX_MIN},{OPERATIONS_MAX_DEFAULT}]")
    try:
        seconds = now.interval_seconds if interval is None else int(parse_duration(interval))
    except DurationInvalid as error:
        raise BadRequest(str(error)) from error
    if seconds and seconds < INTERVAL_SECONDS_MIN:
        raise BadRequest(f"interval must be greater or equal to {format_duration(INTERVAL_SECONDS_MIN)}")
    is_enabled = now.is_enabled if enabled is None else enabled
    with refusals():
        await barrier.set_rotation(RotationConfig(operations, seconds, is_enabled))
