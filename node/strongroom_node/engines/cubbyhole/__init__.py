"""Each token's own private storage, which ends with the token."""

from typing import Any, Final

import msgspec

from strongroom_node.sdk.engine import Engine, EngineType
from strongroom_node.sdk.errors import BadRequest, PermissionDenied
from strongroom_node.sdk.fields import Field, Int, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response, listing

_DECODER = msgspec.json.Decoder(dict[str, Any])


class CubbyholeEngine(Engine):
    """Keeps JSON objects below the salted id of the token that asks, where token revocation clears them."""

    def place(self, request: Request, path: str) -> str:
        """The storage path of the caller's object. Raises BadRequest for a token that can have none."""
        entry = request.auth
        if entry is None:
            raise PermissionDenied
        if entry.type != "service":
            raise BadRequest("cubbyhole operations are only supported by 'service' type tokens")
        return f"{entry.key}/{path}"


async def read(engine: CubbyholeEngine, request: Request) -> Response | None:
    """The caller's object."""
    path = _path(request)
    stored = engine.view.get(engine.place(request, path)) if path else None
    return None if stored is None else Response(data=_DECODER.decode(stored))


async def write(engine: CubbyholeEngine, request: Request) -> None:
    """Put an object in place of what is there."""
    path = _path(request)
    place = engine.place(request, path)
    if not path:
        raise BadRequest("missing path")
    if not request.data:
        raise BadRequest("missing data fields")
    with engine.view.transaction() as tx:
        tx.put(place, msgspec.json.encode(request.data))
    await tx.commit()


async def delete(engine: CubbyholeEngine, request: Request) -> None:
    """Remove an object; nothing below its path goes."""
    path = _path(request)
    place = engine.place(request, path)
    if path:
        with engine.view.transaction() as tx:
            tx.delete(place)
        await tx.commit()


async def list_names(engine: CubbyholeEngine, request: Request) -> Response | None:
    """Names one level below a path."""
    after, limit = request.get("after", ""), request.get("limit", -1)
    return listing(engine.view.list_page(engine.place(request, _path(request)), after, limit))


def exists(engine: CubbyholeEngine, request: Request) -> bool:
    """Tells create from update; whose object it would be is only known once the request is authenticated."""
    path, entry = _path(request), request.auth
    if not path or entry is None or entry.type != "service":
        return True
    return engine.view.index_of(engine.place(request, path)) > 0


def _path(request: Request) -> str:
    return str(request.fields.get("path") or "").strip("/")


_FIELDS: Final[dict[str, Field]] = {
    "path": Text("Where the object lies in the token's storage."),
    "after": Text("Go on after this name.", query=True),
    "limit": Int("At most so many.", query=True, default=-1),
}

PATHS: Final = (
    Path(
        "{path*}",
        fields=_FIELDS,
        read=read,
        update=write,
        delete=delete,
        list=list_names,
        exists=exists,
        arbitrary=True,
        help="Read, write, list or delete in the token's own storage.",
    ),
)

ENGINE = EngineType(
    name="cubbyhole",
    summary="Stores arbitrary secrets that only the token that wrote them can read.",
    make=CubbyholeEngine,
    paths=PATHS,
    built_in_mount_only=True,
    help="The cubbyhole secret backend is a per-token private storage. When the token ends its storage is removed.",
)
