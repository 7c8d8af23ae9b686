"""`sys/capabilities*`: what a token may do on a path."""

from typing import TYPE_CHECKING, Any

from strongroom_node.sdk.errors import BadRequest, PermissionDenied
from strongroom_node.sdk.fields import StringList, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response
from strongroom_node.sdk.token import TokenEntry

if TYPE_CHECKING:
    from strongroom_node.system.engine import SystemEngine

PATHS_MAX = 1000
"""Paths of one question; a policy check costs microseconds, so this bounds it below some milliseconds."""


async def of_token(engine: "SystemEngine", request: Request) -> Response:
    """The capabilities of a named token."""
    paths = _paths(request)
    token = request.get("token", "")
    if not token:
        raise BadRequest("1 error occurred:\n\t* no token found\n\n")
    entry = engine.core.tokens.lookup(token)
    if entry is None:
        raise BadRequest("1 error occurred:\n\t* invalid token\n\n")
    return _answer(engine, entry, paths)


async def of_accessor(engine: "SystemEngine", request: Request) -> Response:
    """The capabilities of the token with this accessor."""
    paths = _paths(request)
    entry = engine.core.tokens.lookup_accessor(request.get("accessor", ""))
    if entry is None:
        raise BadRequest("1 error occurred:\n\t* invalid accessor\n\n")
    return _answer(engine, entry, paths)


async def of_self(engine: "SystemEngine", request: Request) -> Response:
    """The capabilities of the asking token."""
    if request.auth is None:
        raise PermissionDenied
    return _answer(engine, request.auth, _paths(request))


def _paths(request: Request) -> list[str]:
    paths: list[str] = request.get("paths") or request.get("path") or []
    if not paths:
        raise BadRequest("paths must be supplied")
    if len(paths) > PATHS_MAX:
        raise BadRequest(f"at most {PATHS_MAX} paths may be asked at once")
    return paths


def _answer(engine: "SystemEngine", entry: TokenEntry, paths: list[str]) -> Response:
    core = engine.core
    identity = core.identity.policies_for(entry.entity_id) if entry.entity_id else ()
    acl = core.acl_of(entry, identity)
    data: dict[str, Any] = {path: acl.capabilities(path.removeprefix("/")) for path in paths}
    if len(paths) == 1:
        data["capabilities"] = data[paths[0]]
    return Response(data=data, flat=True)


_PATHS_FIELDS = {
    "paths": StringList("Paths to tell the capabilities of."),
    "path": StringList("The same; the older name.", deprecated=True),
}

PATHS = (
    Path(
        "capabilities",
        fields={**_PATHS_FIELDS, "token": Text("The token asked about.", secret=True)},
        update=of_token,
        help="Tell what a token may do on the given paths.",
    ),
    Path(
        "capabilities-accessor",
        fields={**_PATHS_FIELDS, "accessor": Text("Accessor of the token asked about.")},
        update=of_accessor,
        help="Tell what the token of an accessor may do on the given paths.",
    ),
    Path(
        "capabilities-self",
        fields={**_PATHS_FIELDS, "token": Text("Not used.", secret=True)},
        update=of_self,
        help="Tell what the asking token may do on the given paths.",
    ),
)
