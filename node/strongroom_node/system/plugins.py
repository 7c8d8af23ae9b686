"""`sys/plugins/*`: what can be mounted. All of it is built in."""

from typing import TYPE_CHECKING, Any

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import StringList, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response, listing
from strongroom_node.system.mounting import VERSION

if TYPE_CHECKING:
    from strongroom_node.system.engine import SystemEngine

KINDS = ("auth", "database", "secret")


async def catalog(engine: "SystemEngine", _request: Request) -> Response:
    """Every plugin by kind, and in detail."""
    data: dict[str, Any] = {kind: engine.core.plugin_names(kind) for kind in KINDS}
    data["detailed"] = [
        {"builtin": True, "deprecation_status": "supported", "name": name, "type": kind, "version": VERSION}
        for kind in KINDS
        for name in data[kind]
    ]
    return Response(data=data)


async def names(engine: "SystemEngine", request: Request) -> Response | None:
    """The plugins of one kind."""
    return listing(engine.core.plugin_names(_kind(request)))


def _kind(request: Request) -> str:
    kind: str = request.get("type")
    if kind not in KINDS:
        raise BadRequest(f'"{kind[:64]}" is not a supported plugin type')
    return kind


async def read(engine: "SystemEngine", request: Request) -> Response | None:
    """One plugin."""
    name = request.get("name")
    if name not in engine.core.plugin_names(_kind(request)):
        return None
    return Response(
        data={
            "args": [],
            "builtin": True,
            "command": "",
            "deprecation_status": "supported",
            "name": name,
            "sha256": "",
            "version": VERSION,
        }
    )


async def refuse(_engine: "SystemEngine", _request: Request) -> None:
    """External plugins do not exist here: engines arrive as packages."""
    raise BadRequest("external plugin binaries are not supported; engines are installed as Python packages")


async def reload(engine: "SystemEngine", request: Request) -> Response:
    """Make the engines of a plugin, or of some mounts, anew."""
    if not request.get("plugin") and not request.get("mounts"):
        raise BadRequest("plugin or mounts must be provided")
    engine.core.router.forget()
    return Response(data={"reload_id": request.id})


_TYPED = {"type": Text("Kind of plugin."), "name": Text("Name of the plugin.")}

PATHS = (
    Path("plugins/catalog", read=catalog, help="List what can be mounted."),
    Path("plugins/catalog/{type}", fields=_TYPED, list=names, sudo=True, help="List the plugins of a kind."),
    Path(
        "plugins/catalog/{type}/{name}",
        fields={**_TYPED, "command": Text("Command to run."), "sha256": Text("Hash of the binary.")},
        read=read,
        update=refuse,
        delete=refuse,
        sudo=True,
        help="Read a plugin.",
    ),
    Path(
        "plugins/reload/backend",
        fields={
            "plugin": Text("Name of the plugin."),
            "mounts": StringList("Mounts to reload."),
            "scope": Text("Scope."),
        },
        update=reload,
        sudo=True,
        help="Make the engines of a plugin anew.",
    ),
)
