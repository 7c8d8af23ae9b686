"""`sys/rotate`, `sys/key-status`, `sys/seal`: the barrier's keys."""

from typing import TYPE_CHECKING, Any

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Bool, Duration, Int
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response

if TYPE_CHECKING:
    from strongroom_node.system.engine import SystemEngine

OPERATIONS_MIN, OPERATIONS_MAX = 1_000_000, 3_865_470_566
"""Encryptions under one key term before it rotates; the upper end stays well below 2**32 (NIST SP 800-38D 8.3)."""


async def key_status(engine: "SystemEngine", _request: Request) -> Response:
    """The term of the key in use, since when, and how often it encrypted."""
    return Response(data=engine.core.keeper.key_status(), flat=True)


async def rotate(engine: "SystemEngine", _request: Request) -> None:
    """Add a new key term to the keyring; what was written before still opens."""
    await engine.core.keeper.rotate()


async def read_rotation(engine: "SystemEngine", _request: Request) -> Response:
    """When the key rotates by itself."""
    return Response(data=engine.core.keeper.rotation_config())


async def write_rotation(engine: "SystemEngine", request: Request) -> None:
    """Set when the key rotates by itself."""
    now: dict[str, Any] = engine.core.keeper.rotation_config()
    operations = request.get("max_operations", now["max_operations"])
    interval = request.get("interval", now["interval"])
    if not OPERATIONS_MIN <= operations <= OPERATIONS_MAX:
        raise BadRequest(f"max_operations must be in the range [{OPERATIONS_MIN}, {OPERATIONS_MAX}]")
    if interval and interval < 24 * 3600:
        raise BadRequest("interval must be at least 24 hours, or 0")
    await engine.core.keeper.configure_rotation(
        enabled=request.get("enabled", now["enabled"]), interval=float(interval), max_operations=operations
    )


async def seal(engine: "SystemEngine", _request: Request) -> None:
    """Forget the keys: nothing is served until the node is unsealed again."""
    await engine.core.seal()


async def step_down(engine: "SystemEngine", _request: Request) -> None:
    """Give up being active. A node alone stays active, as nobody else could be."""
    await engine.core.step_down()


_ROTATION = {
    "enabled": Bool("Rotate automatically."),
    "max_operations": Int("Encryptions under one key before it rotates."),
    "interval": Duration("Longest time one key is used; 0 for no limit."),
}

PATHS = (
    Path("key-status", read=key_status, help="Tell about the barrier's encryption key."),
    Path("rotate", update=rotate, sudo=True, help="Rotate the barrier's encryption key."),
    Path("rotate/config", fields=_ROTATION, read=read_rotation, update=write_rotation, help="Automatic rotation."),
    Path("rotate/keyring", update=rotate, sudo=True, help="Rotate the barrier's encryption key."),
    Path(
        "rotate/keyring/config", fields=_ROTATION, read=read_rotation, update=write_rotation, help="Automatic rotation."
    ),
    Path("seal", update=seal, sudo=True, help="Seal the node."),
    Path("step-down", update=step_down, sudo=True, help="Make the active node step down."),
)
