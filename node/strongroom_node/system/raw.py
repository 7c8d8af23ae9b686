"""`sys/raw`: the barrier's entries themselves, for repair. There only if `raw_storage_endpoint` is set."""

import base64
from typing import TYPE_CHECKING

from strongroom_node.sdk.errors import BadRequest, UnsupportedPath
from strongroom_node.sdk.fields import Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response, listing

if TYPE_CHECKING:
    from strongroom_node.system.engine import SystemEngine

PROTECTED = ("core/keyring", "core/seal-config", "core/recovery-config", "core/hsm/", "core/shamir-kek")
"""Key material that no API hands out."""


def _path(engine: "SystemEngine", request: Request) -> str:
    if not engine.core.raw_endpoint:
        raise UnsupportedPath
    path: str = request.get("path", "")
    if any(path.startswith(kept) for kept in PROTECTED):
        raise BadRequest(f'cannot access "{path}"')
    return path


async def read(engine: "SystemEngine", request: Request) -> Response | None:
    """One entry; `encoding=base64` for values that are no text."""
    value = engine.core.barrier.view("").get(_path(engine, request))
    if value is None:
        return None
    if request.get("encoding") == "base64":
        return Response(data={"value": base64.b64encode(value).decode()})
    try:
        return Response(data={"value": value.decode()})
    except UnicodeDecodeError as error:
        raise BadRequest("the value is no text; ask with encoding=base64") from error


async def write(engine: "SystemEngine", request: Request) -> None:
    """Write one entry as it is."""
    path = _path(engine, request)
    text = str(request.get("value", ""))
    value = _decoded(text) if request.get("encoding") == "base64" else text.encode()
    with engine.core.barrier.view("").transaction() as tx:
        tx.put(path, value)
    await tx.commit()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise BadRequest("value is not base64") from error


async def delete(engine: "SystemEngine", request: Request) -> None:
    """Delete one entry."""
    path = _path(engine, request)
    with engine.core.barrier.view("").transaction() as tx:
        tx.delete(path)
    await tx.commit()


async def names(engine: "SystemEngine", request: Request) -> Response | None:
    """The keys below a folder."""
    path = _path(engine, request)
    folder = path if not path or path.endswith("/") else path + "/"
    return listing(engine.core.barrier.view("").list_page(folder, request.get("after", ""), 1000))


_FIELDS = {
    "path": Text("Key of the entry."),
    "value": Text("Value of the entry.", secret=True),
    "encoding": Text("base64 for values that are no text.", query=True),
    "after": Text("List only keys after this one.", query=True),
}

PATHS = (
    Path("raw", fields=_FIELDS, read=read, list=names, sudo=True, help="Entries of the barrier."),
    Path(
        "raw/{path+}",
        fields=_FIELDS,
        read=read,
        update=write,
        delete=delete,
        list=names,
        sudo=True,
        help="One entry of the barrier.",
    ),
)
