"""Merging entities that are one caller."""

from strongroom_node.engines.identity.engine import IdentityEngine
from strongroom_node.identity import entities
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Bool, StringList, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response


async def merge(engine: IdentityEngine, request: Request) -> Response | None:
    """Move aliases, groups and policies of some entities to another; their ids stand for it from then on."""
    target_id, source_ids = request.get("to_entity_id", ""), request.get("from_entity_ids", [])
    if not target_id:
        raise BadRequest("missing entity id to merge to")
    if not source_ids:
        raise BadRequest("missing entity ids to merge from")
    if target_id in source_ids:
        raise BadRequest("to_entity_id should not be present in from_entity_ids")
    keep = frozenset(request.get("conflicting_alias_ids_to_keep", []))
    with engine.store.view.transaction() as tx:
        target = entities.get(tx, target_id)
        if target is None:
            raise BadRequest("entity id to merge to is invalid")
        sources = []
        for source_id in dict.fromkeys(source_ids):
            source = entities.get(tx, source_id)
            if source is None:
                raise BadRequest("entity id to merge from is invalid")
            sources.append(source)
        entities.merge(tx, target, sources, keep, engine.store.now())
    await tx.commit()
    return None


PATHS = (
    Path(
        "entity/merge",
        fields={
            "from_entity_ids": StringList("Ids of the entities that go."),
            "to_entity_id": Text("Id of the entity that stays."),
            "conflicting_alias_ids_to_keep": StringList("Ids of the aliases to keep where both have one of a mount."),
            "force": Bool("Accepted for compatibility."),
        },
        update=merge,
        help="Merge entities.",
    ),
)
