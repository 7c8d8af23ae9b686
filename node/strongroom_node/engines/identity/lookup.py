"""Finding entities and groups by what is known of them."""

from typing import Final

from strongroom_node.engines.identity import entity, group
from strongroom_node.engines.identity.engine import IdentityEngine
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Field, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response


def _query(request: Request) -> tuple[str, str, str]:
    """Which way to look, and the one or two texts to look for. Raises BadRequest unless there is exactly one way."""
    ways = [(way, str(request.get(way)), "") for way in ("id", "name", "alias_id") if request.get(way)]
    alias_name, accessor = str(request.get("alias_name", "")), str(request.get("alias_mount_accessor", ""))
    if bool(alias_name) != bool(accessor):
        raise BadRequest("both 'alias_name' and 'alias_mount_accessor' needs to be set")
    if alias_name:
        ways.append(("alias", accessor, alias_name))
    if not ways:
        raise BadRequest("query parameter not supplied")
    if len(ways) > 1:
        raise BadRequest("query parameters conflict")
    return ways[0]


async def lookup_entity(engine: IdentityEngine, request: Request) -> Response | None:
    """An entity; nothing if none fits."""
    store = engine.store
    match _query(request):
        case "id", wanted, _:
            found = store.entity(wanted)
        case "name", wanted, _:
            found = store.entity_by_name(wanted)
        case "alias_id", wanted, _:
            found = store.by_alias_id(wanted)
        case _, accessor, name:
            found = store.by_alias(accessor, name)
    return None if found is None else Response(data=entity.describe(engine, found))


async def lookup_group(engine: IdentityEngine, request: Request) -> Response | None:
    """A group; nothing if none fits."""
    store = engine.store
    match _query(request):
        case "id", wanted, _:
            found = store.group(wanted)
        case "name", wanted, _:
            found = store.group_by_name(wanted)
        case "alias_id", wanted, _:
            found = store.group_by_alias_id(wanted)
        case _, accessor, name:
            found = store.group_by_alias(accessor, name)
    return None if found is None else Response(data=group.describe(engine, found))


_FIELDS: Final[dict[str, Field]] = {
    "id": Text("Id."),
    "name": Text("Name."),
    "alias_id": Text("Id of an alias."),
    "alias_name": Text("Name of an alias; needs alias_mount_accessor."),
    "alias_mount_accessor": Text("Accessor of the alias's mount; needs alias_name."),
}

PATHS = (
    Path("lookup/entity", fields=_FIELDS, update=lookup_entity, help="Find an entity."),
    Path("lookup/group", fields=_FIELDS, update=lookup_group, help="Find a group."),
)
