"""`sys/mounts` and `sys/remount`: secrets engines."""

from typing import TYPE_CHECKING, Any

import msgspec

from strongroom_node.core.mounts import PROTECTED, Mount, mount_path
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response
from strongroom_node.system.mounting import (
    ENABLE_FIELDS,
    TUNE_FIELDS,
    describe,
    describe_tune,
    new_mount,
    tuned,
)
from strongroom_storage.crypto.entropy import random_uuid

if TYPE_CHECKING:
    from strongroom_node.core.core import Core
    from strongroom_node.system.engine import SystemEngine


async def list_mounts(engine: "SystemEngine", _request: Request) -> Response:
    """Every secrets engine, by path."""
    data = {path: describe(mount) for path, mount in sorted(engine.core.mounts.all().items()) if not mount.is_auth}
    return Response(data=data, flat=True)


async def read_mount(engine: "SystemEngine", request: Request) -> Response:
    """One secrets engine."""
    path = _clean(request.get("path"))
    mount = engine.core.mounts.get(path)
    if mount is None or mount.is_auth:
        raise BadRequest(f"No secret engine mount at {path}")
    return Response(data=describe(mount), flat=True)


async def enable(engine: "SystemEngine", request: Request) -> None:
    """Mount a secrets engine."""
    await engine.core.enable(new_mount(engine.core, request.get("path"), request.fields, is_auth=False))


async def disable(engine: "SystemEngine", request: Request) -> None:
    """Revoke a mount's leases, drop its data and unmount it."""
    path = _clean(request.get("path"))
    if path in PROTECTED:
        raise BadRequest(f'cannot unmount "{path}"')
    mount = engine.core.mounts.get(path)
    if mount is not None and mount.is_auth:
        # sys/auth asks for sudo, and spares the token store.
        raise BadRequest(f'cannot unmount "{path}"')
    if mount is not None:
        await engine.core.disable(mount)


def _clean(path: str) -> str:
    """The form a path has in the table; reading and deleting take one with a slash too."""
    return path.strip("/") + "/"


def tunable(core: "Core", path: str, *, is_auth: bool) -> Mount:
    """The mount to be tuned. Raises BadRequest."""
    mount = core.mounts.get(f"auth/{path}" if is_auth else path)
    if mount is None:
        where = f"auth/{path}" if is_auth else path
        raise BadRequest(f'cannot fetch sysview for path "{where}"')
    return mount


async def read_tune(engine: "SystemEngine", request: Request) -> Response:
    """A mount's effective settings."""
    mount = tunable(engine.core, _clean(request.get("path")), is_auth=False)
    return Response(data=describe_tune(engine.core, mount), flat=True)


async def write_tune(engine: "SystemEngine", request: Request) -> None:
    """Change some of a mount's settings."""
    mount = tunable(engine.core, _clean(request.get("path")), is_auth=False)
    await tune(engine.core, mount, request.fields)


async def tune(core: "Core", mount: Mount, given: dict[str, Any]) -> None:
    """Write a mount's new settings, unless nothing changes."""
    changes: dict[str, Any] = {"config": tuned(core, mount, given)}
    if given.get("description") is not None:
        changes["description"] = given["description"]
    if given.get("plugin_version") is not None:
        changes["plugin_version"] = given["plugin_version"]
    if given.get("options"):
        merged = {**(mount.options or {}), **{str(k): str(v) for k, v in given["options"].items()}}
        if (mount.options or {}).get("version") == "2" and merged.get("version") != "2":
            raise BadRequest("cannot downgrade mount from version 2")
        changes["options"] = merged
    changed = msgspec.structs.replace(mount, **changes)
    core.check_type(changed)
    if changed != mount:
        await core.retune(mount, changed)


async def remount(engine: "SystemEngine", request: Request) -> Response:
    """Move a mount to another path. Its data stay; its leases are revoked."""
    core = engine.core
    given_from, given_to = request.get("from", ""), request.get("to", "")
    if not given_from or not given_to:
        raise BadRequest("both 'from' and 'to' path must be specified as a string")
    source, target = (_move_path(path) for path in (given_from, given_to))
    for path, word in ((source, "from"), (target, "to")):
        if path in PROTECTED or path.startswith(("sys/", "cubbyhole/", "identity/")) or path == "auth/token/":
            raise BadRequest(f'cannot remount "{path}"' if word == "from" else f'cannot remount to "{path}"')
    mount = core.mounts.get(source)
    if mount is None:
        raise BadRequest(f'no matching mount at "{source}"')
    if source.startswith("auth/") != target.startswith("auth/"):
        raise BadRequest("cannot remount between auth methods and secrets engines")
    core.mounts.check_free(target)
    migration = random_uuid()
    await core.move(mount, target, migration)
    response = Response(data={"migration_id": migration})
    response.warn(
        "Mount move has been queued. Progress will be reported in Vault's server log, "
        "tagged with the returned migration_id"
    )
    return response


def _move_path(path: str) -> str:
    cleaned = path.strip("/")
    is_auth = cleaned.startswith("auth/")
    return mount_path(cleaned.removeprefix("auth/"), is_auth=is_auth)


async def remount_status(engine: "SystemEngine", request: Request) -> Response | None:
    """How a move went."""
    found = engine.core.migration(request.get("migration_id"))
    return None if found is None else Response(data=found)


PATHS = (
    Path("mounts", read=list_mounts, help="List the mounted secrets engines."),
    Path(
        "mounts/{path+}/tune",
        fields={**TUNE_FIELDS, "path": Text("Path of the mount.")},
        read=read_tune,
        update=write_tune,
        help="Tune a secrets engine's mount.",
    ),
    Path(
        "mounts/{path+}",
        fields={**ENABLE_FIELDS, "path": Text("Path of the mount.")},
        read=read_mount,
        update=enable,
        delete=disable,
        help="Mount, read or unmount a secrets engine.",
    ),
    Path(
        "remount",
        fields={"from": Text("Path of the mount now.", required=True), "to": Text("Its new path.", required=True)},
        update=remount,
        sudo=True,
        help="Move a mount to another path.",
    ),
    Path(
        "remount/status/{migration_id}",
        fields={"migration_id": Text("Identifier that the move was answered with.")},
        read=remount_status,
        help="Tell how a move went.",
    ),
)
