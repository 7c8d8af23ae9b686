"""`sys/locked-users`: who is locked out after failed logins."""

from typing import TYPE_CHECKING

from strongroom_node.sdk.fields import Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response

if TYPE_CHECKING:
    from strongroom_node.system.engine import SystemEngine


async def locked(engine: "SystemEngine", request: Request) -> Response:
    """Locked users by mount accessor."""
    wanted = request.get("mount_accessor", "")
    by_mount = engine.core.lockout.locked(engine.core.now())
    accessors = [
        {"mount_accessor": accessor, "counts": len(aliases), "alias_identifiers": sorted(aliases)}
        for accessor, aliases in sorted(by_mount.items())
        if not wanted or accessor == wanted
    ]
    total = sum(len(aliases) for accessor, aliases in by_mount.items() if not wanted or accessor == wanted)
    namespace = {"namespace_id": "root", "namespace_path": "", "counts": total, "mount_accessors": accessors}
    return Response(data={"by_namespace": [namespace], "total": total})


async def unlock(engine: "SystemEngine", request: Request) -> None:
    """Let a locked user try again."""
    engine.core.lockout.unlock(request.get("mount_accessor"), request.get("alias_identifier"))


PATHS = (
    Path(
        "locked-users",
        fields={"mount_accessor": Text("Only this mount's users.", query=True)},
        read=locked,
        help="List the users that are locked out.",
    ),
    Path(
        "locked-users/{mount_accessor}/unlock/{alias_identifier+}",
        fields={"mount_accessor": Text("Accessor of the mount."), "alias_identifier": Text("Name of the alias.")},
        update=unlock,
        help="Unlock a user.",
    ),
)
