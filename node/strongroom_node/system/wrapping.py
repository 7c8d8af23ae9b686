"""`sys/wrapping/`: wrap, unwrap, look up and rewrap."""

from typing import Final, Protocol

import msgspec

from strongroom_node.core.wrapping import Wrapping
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Field, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Raw, Response
from strongroom_node.sdk.timestamps import format_micros, micros


class _Core(Protocol):
    wrapping: Wrapping


class _Engine(Protocol):
    core: _Core


async def wrap(engine: _Engine, request: Request) -> Response:  # noqa: ARG001  -- the shape of a handler
    """Answer with what was sent; the pipeline wraps it."""
    if not request.wrap_ttl:
        raise BadRequest("endpoint requires response wrapping to be used")
    return Response(data=dict(request.data))


async def unwrap(engine: _Engine, request: Request) -> Response | None:
    """The answer that was wrapped, as it would have been sent."""
    body = await engine.core.wrapping.unwrap(request, request.get("token", ""))
    return Response(raw=Raw(body=body)) if body else None


async def rewrap(engine: _Engine, request: Request) -> Response:
    """Another token for the same answer."""
    return await engine.core.wrapping.rewrap(request.get("token", "") or request.token)


async def lookup(engine: _Engine, request: Request) -> Response:
    """When, where and for how long something was wrapped."""
    token = request.get("token", "") or request.token
    if not token:
        raise BadRequest('missing "token" value in input')
    record = engine.core.wrapping.lookup(token)
    return Response(
        data={
            "creation_path": record.creation_path,
            "creation_time": format_micros(micros(record.creation_time)),
            "creation_ttl": int(record.creation_ttl),
        }
    )


async def public_key(engine: _Engine, request: Request) -> Response:  # noqa: ARG001  -- the shape of a handler
    """The key that wrapping tokens in JWT form are signed with, as Vault shows it: two large numbers."""
    x, y = await engine.core.wrapping.public_key()
    data = {"jwt_x": msgspec.Raw(str(x).encode()), "jwt_y": msgspec.Raw(str(y).encode()), "jwt_curve": "p521"}
    return Response(data=data)


_TOKEN: Final[dict[str, Field]] = {"token": Text("The wrapping token; else the request's own.", secret=True)}

PATHS: Final = (
    Path("wrapping/wrap", update=wrap, arbitrary=True, help="Wrap any JSON object."),
    Path("wrapping/unwrap", fields=_TOKEN, update=unwrap, help="Get what was wrapped, once."),
    Path("wrapping/rewrap", fields=_TOKEN, update=rewrap, help="Get another token for what was wrapped."),
    Path(
        "wrapping/lookup",
        fields=_TOKEN,
        read=lookup,
        update=lookup,
        unauthenticated=True,
        help="Tell what is known of a wrapping token.",
    ),
    Path("wrapping/pubkey", read=public_key, unauthenticated=True, help="The key of wrapping tokens in JWT form."),
)
