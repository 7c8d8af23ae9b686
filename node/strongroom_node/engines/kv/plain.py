"""Version 1: a path holds one JSON object."""

from typing import Any

import msgspec

from strongroom_node.engines.kv.body import decode_members, whole_body
from strongroom_node.engines.kv.engine import LIST_FIELDS, PLAIN, KVEngine, page_of, path_to_read, path_to_write
from strongroom_node.sdk.durations import DurationInvalid, parse_duration
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response, listing


async def read(engine: KVEngine, request: Request) -> Response | None:
    """The object, with the duration it asks for."""
    stored = engine.view.get(PLAIN + path_to_read(request))
    if stored is None:
        return None
    members = decode_members(stored)
    data: dict[str, Any] = dict(members)
    return Response(data=data, lease_duration=_lease_seconds(engine, members))


def _lease_seconds(engine: KVEngine, members: dict[str, msgspec.Raw]) -> int:
    """`ttl`, or `lease`, of the object if it is a duration; else the mount's default."""
    raw = members.get("ttl", members.get("lease"))
    if raw is not None:
        value = msgspec.json.decode(raw)
        if isinstance(value, (str, int, float)) and value != "":
            try:
                return max(0, int(parse_duration(value)))
            except (DurationInvalid, OverflowError):
                pass
    return int(engine.system.default_lease_ttl())


async def write(engine: KVEngine, request: Request) -> Response | None:
    """Put the whole body in place of what is there."""
    path = path_to_write(request)
    if not request.data:
        raise BadRequest("missing data fields")
    body = whole_body(request)
    with engine.view.transaction() as tx:
        tx.put(PLAIN + path, body)
    await tx.commit()
    return None


async def delete(engine: KVEngine, request: Request) -> Response | None:
    """Remove the object; nothing below its path goes."""
    path: str = request.fields["path"]
    if path and not path.endswith("/"):
        with engine.view.transaction() as tx:
            tx.delete(PLAIN + path)
        await tx.commit()
    return None


async def list_keys(engine: KVEngine, request: Request) -> Response | None:
    """Names one level below the path."""
    return listing(engine.view.list_page(PLAIN + request.fields["path"], *page_of(request)))


async def scan_keys(engine: KVEngine, request: Request) -> Response | None:
    """All keys below the path."""
    return listing(engine.view.walk(PLAIN + request.fields["path"], *page_of(request)))


def exists(engine: KVEngine, request: Request) -> bool:
    """Whether a write replaces something."""
    path: str = request.fields["path"]
    return bool(path) and not path.endswith("/") and engine.view.get(PLAIN + path) is not None


PATHS = (
    Path(
        "{path*}",
        # No declared fields here: a secret may hold keys of any name and type.
        read=read,
        update=write,
        delete=delete,
        exists=exists,
        arbitrary=True,
        help="Store, read and delete secrets.",
        description="The body of a write is the secret: any JSON object with at least one key. A key `ttl` sets the "
        "duration that reads show; nothing expires.",
    ),
    Path("{path*}", fields=LIST_FIELDS, list=list_keys, scan=scan_keys, help="List secrets."),
)
