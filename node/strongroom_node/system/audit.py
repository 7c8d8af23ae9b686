"""`sys/audit`: audit devices."""

from typing import TYPE_CHECKING

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Bool, Map, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response

if TYPE_CHECKING:
    from strongroom_node.system.engine import SystemEngine


async def devices(_engine: "SystemEngine", _request: Request) -> Response:
    """The enabled devices; this release has no device types."""
    return Response(data={}, flat=True)


async def enable(_engine: "SystemEngine", request: Request) -> None:
    """Refuse by name: an audit device that would not record is worse than none."""
    kind = request.get("type", "")
    raise BadRequest(f'audit device type "{kind[:64]}" is not available in this release')


async def disable(_engine: "SystemEngine", _request: Request) -> None:
    """Nothing is enabled, so nothing is left to disable."""


PATHS = (
    Path("audit", read=devices, sudo=True, help="List the audit devices."),
    Path(
        "audit/{path+}",
        fields={
            "path": Text("Name of the device."),
            "type": Text("Kind of device: file, syslog, socket."),
            "description": Text("What the device is for."),
            "options": Map("Options of the device."),
            "local": Bool("Keep the device out of replication."),
        },
        update=enable,
        delete=disable,
        sudo=True,
        help="Enable or disable an audit device.",
    ),
)
