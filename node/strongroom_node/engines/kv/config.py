"""Version 2: the mount's configuration, and the answer to paths that lack their prefix."""

from typing import Any, Final

import msgspec

from strongroom_node.engines.kv import record
from strongroom_node.engines.kv.data import tx_config
from strongroom_node.engines.kv.engine import CONFIG, KVEngine
from strongroom_node.engines.kv.metadata import max_versions_of
from strongroom_node.engines.kv.upgrade import versioned
from strongroom_node.sdk.durations import format_duration
from strongroom_node.sdk.fields import Bool, Int, SignedDuration
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Operation, Request
from strongroom_node.sdk.response import Response
from strongroom_node.sdk.timestamps import MICROSECONDS, micros


async def read(engine: KVEngine, _request: Request) -> Response | None:
    """The configuration."""
    config = engine.config()
    return Response(
        data={
            "cas_required": config.cas_required,
            "delete_version_after": format_duration(config.delete_after / MICROSECONDS),
            "max_versions": config.max_versions,
        }
    )


async def write(engine: KVEngine, request: Request) -> Response | None:
    """Set the fields that were given."""
    changes: dict[str, Any] = {}
    if request.has("max_versions"):
        changes["max_versions"] = max_versions_of(request)
    if request.has("cas_required"):
        changes["cas_required"] = request.get("cas_required")
    if request.has("delete_version_after"):
        changes["delete_after"] = micros(request.get("delete_version_after"))
    with engine.view.transaction() as tx:
        before = tx_config(tx)
        after = msgspec.structs.replace(before, **changes)
        if after != before:
            tx.put(CONFIG, record.encode(after))
    await tx.commit()
    return None


_COMMANDS: Final = {
    Operation.READ: "get",
    Operation.CREATE: "put",
    Operation.UPDATE: "put",
    Operation.PATCH: "patch",
    Operation.DELETE: "delete",
    Operation.LIST: "list",
    Operation.SCAN: "list",
}


async def lacks_prefix(_engine: KVEngine, request: Request) -> Response | None:
    """Tell the caller that this mount is versioned."""
    command = _COMMANDS.get(request.operation, "get")
    told = (
        "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. "
        f"If using the Vault CLI, use 'vault kv {command}' for this operation."
    )
    return Response(warnings=[told], missing=True)


PATHS = (
    Path(
        "config",
        fields={
            "max_versions": Int("How many versions a secret keeps; 0 for 10."),
            "cas_required": Bool("Whether every write must use check-and-set."),
            "delete_version_after": SignedDuration(
                "When a version deletes itself, counted from its making; 0 for never, negative to forbid it."
            ),
        },
        read=versioned(read),
        update=versioned(write),
        help="Configure the defaults of all secrets.",
    ),
)

FALLBACK_PATHS = (
    Path(
        "{path*}",
        read=lacks_prefix,
        update=lacks_prefix,
        patch=lacks_prefix,
        delete=lacks_prefix,
        list=lacks_prefix,
        scan=lacks_prefix,
        arbitrary=True,
        help="Secrets of a versioned mount are below data/.",
    ),
)
