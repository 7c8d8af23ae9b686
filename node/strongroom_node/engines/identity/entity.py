"""Paths of entities."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from strongroom_node.engines.identity.engine import (
    PAGE_FIELDS,
    IdentityEngine,
    checked_metadata,
    checked_name,
    checked_policies,
    describe_alias,
    page_of,
)
from strongroom_node.identity import entities, keys
from strongroom_node.identity.records import Entity
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Bool, Field, KeyValue, StringList, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response, listing
from strongroom_node.sdk.timestamps import format_micros
from strongroom_storage.transaction import Transaction

_BATCH: Final = 500
"""Entities that one transaction deletes."""


def describe(engine: IdentityEngine, entity: Entity) -> dict[str, Any]:
    """An entity as a read shows it."""
    direct, inherited = engine.store.group_ids(entity.id)
    return {
        "aliases": [describe_alias(engine, alias) for alias in entity.aliases],
        "creation_time": format_micros(entity.created),
        "direct_group_ids": direct,
        "disabled": entity.disabled,
        "group_ids": [*direct, *inherited],
        "id": entity.id,
        "inherited_group_ids": inherited,
        "last_update_time": format_micros(entity.updated),
        "merged_entity_ids": list(entity.merged) or None,
        "metadata": entity.metadata,
        "name": entity.name,
        "namespace_id": "root",
        "policies": list(entity.policies),
    }


async def read_by_id(engine: IdentityEngine, request: Request) -> Response | None:
    """An entity by its id."""
    entity = engine.store.entity(request.fields["id"])
    return None if entity is None else Response(data=describe(engine, entity))


async def read_by_name(engine: IdentityEngine, request: Request) -> Response | None:
    """An entity by its name."""
    entity = engine.store.entity_by_name(request.fields["name"])
    return None if entity is None else Response(data=describe(engine, entity))


def _changes(request: Request) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if request.get("name"):
        changes["name"] = checked_name(request.fields["name"])
    if request.has("metadata"):
        changes["metadata"] = checked_metadata(request.fields["metadata"])
    if request.has("policies"):
        changes["policies"] = checked_policies(request.fields["policies"])
    if request.has("disabled"):
        changes["disabled"] = request.fields["disabled"]
    return changes


async def _write(
    engine: IdentityEngine, request: Request, find: Callable[[Transaction], Entity | None]
) -> Response | None:
    """Change what `find` finds, else make an entity; only a new one is told of."""
    changes, now = _changes(request), engine.store.now()
    with engine.store.view.transaction() as tx:
        before = find(tx)
        base = before or entities.new(tx, now, changes.get("name", ""))
        entities.put(tx, before, msgspec.structs.replace(base, **changes, updated=now))
    await tx.commit()
    return None if before is not None else Response(data={"aliases": None, "id": base.id, "name": base.name})


async def write(engine: IdentityEngine, request: Request) -> Response | None:
    """Change the entity with the given id or name, or make one."""

    def find(tx: Transaction) -> Entity | None:
        if request.get("id"):
            return _present(tx, request.fields["id"])
        return entities.by_name(tx, request.fields["name"]) if request.get("name") else None

    return await _write(engine, request, find)


async def write_by_id(engine: IdentityEngine, request: Request) -> Response | None:
    """Change an entity. Raises BadRequest if there is none with the id."""
    return await _write(engine, request, lambda tx: _present(tx, request.fields["id"]))


async def write_by_name(engine: IdentityEngine, request: Request) -> Response | None:
    """Change the entity with the name, or make it."""
    return await _write(engine, request, lambda tx: entities.by_name(tx, request.fields["name"]))


def _present(tx: Transaction, entity_id: str) -> Entity:
    merged = tx.get(keys.ENTITY_MERGED + entity_id) if keys.is_id(entity_id) else None
    entity = entities.get(tx, entity_id if merged is None else merged.decode())
    if entity is None:
        raise BadRequest("entity not found from ID")
    return entity


async def delete_by_id(engine: IdentityEngine, request: Request) -> Response | None:
    """Remove an entity."""
    await _delete(engine, [request.fields["id"]])
    return None


async def delete_by_name(engine: IdentityEngine, request: Request) -> Response | None:
    """Remove an entity."""
    entity = engine.store.entity_by_name(request.fields["name"])
    if entity is not None:
        await _delete(engine, [entity.id])
    return None


async def delete_batch(engine: IdentityEngine, request: Request) -> Response | None:
    """Remove several entities."""
    ids = request.get("entity_ids", [])
    if not ids:
        raise BadRequest("missing entity ids to delete")
    for start in range(0, len(ids), _BATCH):
        await _delete(engine, ids[start : start + _BATCH])
    return None


async def _delete(engine: IdentityEngine, ids: list[str]) -> None:
    with engine.store.view.transaction() as tx:
        for entity_id in ids:
            entity = entities.get(tx, entity_id)
            if entity is not None:
                entities.delete(tx, entity)
    await tx.commit()


async def list_ids(engine: IdentityEngine, request: Request) -> Response | None:
    """Ids, with name and aliases of each."""
    ids = engine.store.view.list_page(keys.ENTITY, *page_of(request))
    told = ("id", "mount_accessor", "mount_path", "mount_type", "name")
    info = {}
    for entity_id in ids:
        entity = engine.store.entity(entity_id)
        if entity is not None:
            aliases = [describe_alias(engine, alias) for alias in entity.aliases]
            info[entity_id] = {"aliases": [{key: shown[key] for key in told} for shown in aliases], "name": entity.name}
    return listing(ids, info)


async def list_names(engine: IdentityEngine, request: Request) -> Response | None:
    """Names as they were given."""
    view = engine.store.view
    after, limit = page_of(request)
    start = keys.name_key(after) if after else ""
    values = [view.get(keys.ENTITY_NAME + key) for key in view.list_page(keys.ENTITY_NAME, start, limit)]
    return listing([keys.split(value)[1] for value in values if value is not None])


_FIELDS: Final[dict[str, Field]] = {
    "name": Text("Name of the entity."),
    "metadata": KeyValue("Notes on the entity, for people and for policy templates."),
    "policies": StringList("Policies that every token of the entity gets at once."),
    "disabled": Bool("Whether the entity's tokens are refused."),
}
_ID: Final[dict[str, Field]] = {"id": Text("Id of the entity.")}

PATHS = (
    Path("entity", fields={**_FIELDS, **_ID}, update=write, help="Make or change an entity."),
    Path(
        "entity/batch-delete",
        fields={"entity_ids": StringList("Ids of the entities.")},
        update=delete_batch,
        help="Remove several entities.",
    ),
    Path("entity/id", fields=PAGE_FIELDS, list=list_ids, help="List entities by id."),
    Path("entity/name", fields=PAGE_FIELDS, list=list_names, help="List entities by name."),
    Path(
        "entity/id/{id}",
        fields={**_FIELDS, **_ID},
        read=read_by_id,
        update=write_by_id,
        delete=delete_by_id,
        help="Read, change or remove an entity.",
    ),
    Path(
        "entity/name/{name+}",
        fields=_FIELDS,
        read=read_by_name,
        update=write_by_name,
        delete=delete_by_name,
        help="Read, make, change or remove an entity by its name.",
    ),
)
