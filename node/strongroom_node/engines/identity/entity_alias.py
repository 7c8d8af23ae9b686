"""Paths of entity aliases, under their present and their old name."""

from typing import Any, Final

import msgspec

from strongroom_node.engines.identity.engine import (
    PAGE_FIELDS,
    IdentityEngine,
    checked_metadata,
    checked_name,
    describe_alias,
    page_of,
)
from strongroom_node.identity import entities, keys
from strongroom_node.identity.records import Alias, Entity
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Field, KeyValue, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response, listing
from strongroom_storage.transaction import Transaction

_INCOMPLETE: Final = "'id' or 'mount_accessor' and 'name' must be provided"


async def read(engine: IdentityEngine, request: Request) -> Response | None:
    """An alias by its id."""
    alias = _alias(engine.store.by_alias_id(request.fields["id"]), request.fields["id"])
    return None if alias is None else Response(data={**describe_alias(engine, alias), "namespace_id": "root"})


def _alias(entity: Entity | None, alias_id: str) -> Alias | None:
    return None if entity is None else next((alias for alias in entity.aliases if alias.id == alias_id), None)


async def write(engine: IdentityEngine, request: Request) -> Response | None:
    """Make an alias, or change the one with the given id, or with the given mount and name."""
    name, accessor = checked_name(request.get("name", "")), request.get("mount_accessor", "")
    alias_id = request.get("id", "")
    if not alias_id and not (name and accessor):
        raise BadRequest(_INCOMPLETE)
    mount = engine.auth_mount(accessor) if accessor else None
    now = engine.store.now()
    with engine.store.view.transaction() as tx:
        holder = _holder(tx, alias_id, accessor, name)
        found = None
        if holder is not None:
            found = _alias(holder, alias_id) if alias_id else holder.alias_of(accessor)
        target = _target(tx, request, holder, now)
        if found is None:
            if mount is None:
                raise BadRequest("invalid alias ID")
            found = entities.new_alias(target.id, accessor, mount.type, name, now)
            found = msgspec.structs.replace(found, local=mount.local)
        changes: dict[str, Any] = {"owner": target.id, "updated": now}
        if name:
            changes["name"] = name
        if mount is not None:
            changes.update(mount_accessor=accessor, mount_type=mount.type)
        if request.has("custom_metadata"):
            changes["custom_metadata"] = checked_metadata(request.fields["custom_metadata"])
        if holder is not None and holder.id != target.id:
            entities.drop_alias(tx, holder, found.id, now)
        entities.put_alias(tx, target, msgspec.structs.replace(found, **changes), now)
    await tx.commit()
    return Response(data={"canonical_id": target.id, "id": found.id})


def _holder(tx: Transaction, alias_id: str, accessor: str, name: str) -> Entity | None:
    """The entity that has the alias now. Raises BadRequest for an id that no alias has."""
    if not alias_id:
        return entities.by_alias(tx, accessor, name)
    owner = tx.get(keys.ALIAS + alias_id) if keys.is_id(alias_id) else None
    holder = None if owner is None else entities.get(tx, owner.decode())
    if holder is None:
        raise BadRequest("invalid alias ID")
    return holder


def _target(tx: Transaction, request: Request, holder: Entity | None, now: int) -> Entity:
    """The entity that shall have the alias: the one asked for, else the one that has it, else a new one."""
    wanted = request.get("canonical_id") or request.get("entity_id")
    if wanted:
        target = entities.get(tx, wanted)
        if target is None:
            raise BadRequest("invalid canonical ID")
        return target
    return holder or entities.new(tx, now)


async def delete(engine: IdentityEngine, request: Request) -> Response | None:
    """Remove an alias."""
    alias_id = request.fields["id"]
    with engine.store.view.transaction() as tx:
        owner = tx.get(keys.ALIAS + alias_id) if keys.is_id(alias_id) else None
        entity = None if owner is None else entities.get(tx, owner.decode())
        if entity is not None:
            entities.drop_alias(tx, entity, alias_id, engine.store.now())
    await tx.commit()
    return None


async def list_ids(engine: IdentityEngine, request: Request) -> Response | None:
    """Ids, with what each is an alias of."""
    ids = engine.store.view.list_page(keys.ALIAS, *page_of(request))
    told = ("canonical_id", "custom_metadata", "local", "mount_accessor", "mount_path", "mount_type", "name")
    info = {}
    for alias_id in ids:
        alias = _alias(engine.store.by_alias_id(alias_id), alias_id)
        if alias is not None:
            shown = describe_alias(engine, alias)
            info[alias_id] = {key: shown[key] for key in told}
    return listing(ids, info)


_FIELDS: Final[dict[str, Field]] = {
    "id": Text("Id of the alias."),
    "name": Text("What the auth method calls the entity."),
    "mount_accessor": Text("Accessor of the auth method."),
    "canonical_id": Text("Id of the entity."),
    "entity_id": Text("Use canonical_id.", deprecated=True),
    "custom_metadata": KeyValue("Notes on the alias."),
}


def _paths(prefix: str) -> tuple[Path, ...]:
    return (
        Path(prefix, fields=_FIELDS, update=write, help="Make or change an entity alias."),
        Path(f"{prefix}/id", fields=PAGE_FIELDS, list=list_ids, help="List entity aliases by id."),
        Path(
            f"{prefix}/id/{{id}}",
            fields=_FIELDS,
            read=read,
            update=write,
            delete=delete,
            help="Read, change or remove an entity alias.",
        ),
    )


PATHS = (*_paths("entity-alias"), *_paths("alias"))
