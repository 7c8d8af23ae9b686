"""`sys/internal/*`: what user interfaces ask for."""

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from strongroom_node.sdk.errors import PermissionDenied
from strongroom_node.sdk.fields import Bool, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Raw, Response
from strongroom_node.system.mounting import describe
from strongroom_node.system.openapi import document

if TYPE_CHECKING:
    from strongroom_node.sdk.mount import Mount
    from strongroom_node.system.engine import SystemEngine

COUNT_PAGE = 1000
"""Entries counted between two chances for other requests."""


async def ui_mounts(engine: "SystemEngine", request: Request) -> Response:
    """The mounts that the token has any right on, or those shown to everybody."""
    core = engine.core
    secret: dict[str, Any] = {}
    auth: dict[str, Any] = {}
    acl = core.acl_of(request.auth, request.identity_policies) if request.auth is not None else None
    for path, mount in sorted(core.mounts.all().items()):
        public = mount.config.listing_visibility == "unauth"
        if acl is None:
            if not public:
                continue
            shown: dict[str, Any] = {"type": mount.type, "description": mount.description, "options": mount.options}
        elif public or acl.has_mount_access(path):
            shown = describe(mount)
        else:
            continue
        if mount.is_auth:
            auth[path.removeprefix("auth/")] = shown
        else:
            secret[path] = shown
    return Response(data={"auth": auth, "secret": secret})


async def ui_mount(engine: "SystemEngine", request: Request) -> Response:
    """The mount that a path lies in; command lines ask this before they touch a KV path."""
    core = engine.core
    path: str = request.get("path")
    wanted = path if path.endswith("/") else path + "/"
    if request.auth is None:
        raise PermissionDenied
    route = core.router.find(wanted)
    acl = core.acl_of(request.auth, request.identity_policies)
    if route is None or not _may_see(acl, route.mount, wanted):
        raise PermissionDenied(
            f'preflight capability check returned 403, please ensure client\'s policies grant access to path "{wanted}"'
        )
    return Response(data={**describe(route.mount), "path": route.mount.path})


def _may_see(acl: Any, mount: "Mount", path: str) -> bool:
    """A right on the mount as a whole, or on the path that was asked for."""
    return bool(acl.has_mount_access(mount.path)) or acl.capabilities(path) != ["deny"]


async def resultant_acl(engine: "SystemEngine", request: Request) -> Response:
    """The rules that the asking token's policies come to."""
    if request.auth is None:
        raise PermissionDenied
    return Response(data=engine.core.acl_of(request.auth, request.identity_policies).resultant())


async def count_tokens(engine: "SystemEngine", _request: Request) -> Response:
    """How many service tokens there are."""
    view = engine.core.barrier.view("token/accessor/")
    total, after = 0, ""
    while page := view.list_page("", after, COUNT_PAGE):
        total, after = total + len(page), page[-1]
        await asyncio.sleep(0)
    return Response(data={"counters": {"service_tokens": {"total": total}}})


async def count_entities(engine: "SystemEngine", _request: Request) -> Response:
    """How many entities there are."""
    return Response(data={"counters": {"entities": {"total": engine.core.identity.count()}}})


async def openapi(engine: "SystemEngine", request: Request) -> Response:
    """The OpenAPI document of everything mounted that the token may see."""
    generic = bool(request.get("generic_mount_paths"))
    generation = engine.core.mounts.generation
    known = engine.open_documents.get(generic) if request.auth is None else None
    if known is not None and known[0] == generation:
        return Response(raw=Raw(known[1]))
    body = msgspec.json.encode(document(engine.core, request, generic_mount_paths=generic))
    if request.auth is None:
        engine.open_documents[generic] = (generation, body)
    return Response(raw=Raw(body))


PATHS = (
    Path("internal/ui/mounts", read=ui_mounts, unauthenticated=True, help="List the mounts a user may see."),
    Path(
        "internal/ui/mounts/{path+}",
        fields={"path": Text("A path inside the mount.")},
        read=ui_mount,
        unauthenticated=True,
        help="Tell which mount a path lies in.",
    ),
    Path("internal/ui/resultant-acl", read=resultant_acl, help="Show the rules a token's policies come to."),
    Path("internal/counters/tokens", read=count_tokens, help="Count the service tokens."),
    Path("internal/counters/entities", read=count_entities, help="Count the entities."),
    Path(
        "internal/specs/openapi",
        fields={
            "generic_mount_paths": Bool("Write mount paths as parameters.", query=True, default=False),
            "context": Text("Context for readers of the document."),
        },
        read=openapi,
        update=openapi,
        unauthenticated=True,
        help="Describe all mounted paths as OpenAPI 3.",
    ),
)
