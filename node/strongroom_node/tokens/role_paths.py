"""Paths of the token store's roles."""

from typing import TYPE_CHECKING, Final

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Int, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response, listing
from strongroom_node.tokens.roles import FIELDS, TokenRole, decode_role, encode_role, shown, updated

if TYPE_CHECKING:
    from strongroom_node.tokens.engine import TokenEngine


async def read_role(engine: "TokenEngine", request: Request) -> Response | None:
    """The role, or nothing."""
    role = engine.role(request.get("role_name"))
    return None if role is None else Response(data=shown(role))


async def write_role(engine: "TokenEngine", request: Request) -> Response | None:
    """Make a role, or change what the request says of it."""
    name = request.get("role_name")
    if not name.strip():
        raise BadRequest("role name cannot be empty")
    maximum = engine.support.limits("auth/token/").max
    with engine.store.view.transaction() as tx:
        role, warnings = updated(tx.get_checked(f"role/{name}", decode_role) or TokenRole(name=name), request, maximum)
        tx.put(f"role/{name}", encode_role(role))
    await tx.commit()
    return Response(warnings=warnings) if warnings else None


async def delete_role(engine: "TokenEngine", request: Request) -> None:
    """Take a role away; its tokens live on but cannot be renewed."""
    with engine.store.view.transaction() as tx:
        tx.delete(f"role/{request.get('role_name')}")
    await tx.commit()


async def list_roles(engine: "TokenEngine", request: Request) -> Response | None:
    """The names of the roles."""
    return listing(engine.store.view.list_page("role", request.get("after", ""), request.get("limit", -1)))


def role_exists(engine: "TokenEngine", request: Request) -> bool:
    """Tells create from update."""
    return engine.role(request.get("role_name")) is not None


ROLE_PATHS: Final = (
    Path(
        "roles",
        fields={
            "after": Text("Go on after this name.", query=True),
            "limit": Int("At most so many.", query=True, default=-1),
        },
        list=list_roles,
        help="List the roles.",
    ),
    Path(
        "roles/{role_name}",
        fields=FIELDS,
        read=read_role,
        update=write_role,
        delete=delete_role,
        exists=role_exists,
        help="Read, write or delete a role.",
    ),
)
