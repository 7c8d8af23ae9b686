"""`sys/auth`: auth methods."""

from typing import TYPE_CHECKING

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response
from strongroom_node.system.mounting import ENABLE_FIELDS, TUNE_FIELDS, describe, describe_tune, new_mount
from strongroom_node.system.mounts import tunable, tune

if TYPE_CHECKING:
    from strongroom_node.system.engine import SystemEngine


async def list_methods(engine: "SystemEngine", _request: Request) -> Response:
    """Every auth method, by path below `auth/`."""
    mounts = engine.core.mounts.all()
    data = {path[len("auth/") :]: describe(mount) for path, mount in sorted(mounts.items()) if mount.is_auth}
    return Response(data=data, flat=True)


def _clean(request: Request) -> str:
    path: str = request.get("path")
    return path.strip("/") + "/"


async def read_method(engine: "SystemEngine", request: Request) -> Response:
    """One auth method."""
    path = _clean(request)
    mount = engine.core.mounts.get("auth/" + path)
    if mount is None:
        raise BadRequest(f"No auth engine at {path}")
    return Response(data=describe(mount), flat=True)


async def enable(engine: "SystemEngine", request: Request) -> None:
    """Mount an auth method."""
    if request.get("type") == "token":
        raise BadRequest("token credential backend cannot be instantiated")
    await engine.core.enable(new_mount(engine.core, request.get("path"), request.fields, is_auth=True))


async def disable(engine: "SystemEngine", request: Request) -> None:
    """Revoke the tokens an auth method gave, drop its data and unmount it."""
    path = _clean(request)
    if path == "token/":
        raise BadRequest("token credential backend cannot be disabled")
    mount = engine.core.mounts.get("auth/" + path)
    if mount is not None:
        await engine.core.disable(mount)


async def read_tune(engine: "SystemEngine", request: Request) -> Response:
    """An auth method's effective settings."""
    mount = tunable(engine.core, _clean(request), is_auth=True)
    return Response(data=describe_tune(engine.core, mount), flat=True)


async def write_tune(engine: "SystemEngine", request: Request) -> None:
    """Change some of an auth method's settings."""
    await tune(engine.core, tunable(engine.core, _clean(request), is_auth=True), request.fields)


PATHS = (
    Path("auth", read=list_methods, help="List the enabled auth methods."),
    Path(
        "auth/{path+}/tune",
        fields={**TUNE_FIELDS, "path": Text("Path of the mount below auth/.")},
        read=read_tune,
        update=write_tune,
        sudo=True,
        help="Tune an auth method's mount.",
    ),
    Path(
        "auth/{path+}",
        fields={**ENABLE_FIELDS, "path": Text("Path of the mount below auth/."), "token_type": Text("Kind of tokens.")},
        read=read_method,
        update=enable,
        delete=disable,
        sudo=True,
        help="Enable, read or disable an auth method.",
    ),
)
