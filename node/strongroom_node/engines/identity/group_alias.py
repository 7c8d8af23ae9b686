"""Paths of group aliases: what an auth method calls an external group."""

from typing import Any, Final

import msgspec

from strongroom_node.engines.identity.engine import PAGE_FIELDS, IdentityEngine, checked_name, describe_alias, page_of
from strongroom_node.identity import entities, groups, keys
from strongroom_node.identity.records import Group
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Field, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response, listing
from strongroom_storage.transaction import Transaction


async def read(engine: IdentityEngine, request: Request) -> Response | None:
    """A group alias by its id."""
    group = engine.store.group_by_alias_id(request.fields["id"])
    if group is None or group.alias is None:
        return None
    return Response(data={**describe_alias(engine, group.alias), "namespace_id": "root"})


async def write(engine: IdentityEngine, request: Request) -> Response | None:
    """Give an external group an alias, or change the alias with the given id."""
    name, accessor = checked_name(request.get("name", "")), request.get("mount_accessor", "")
    alias_id, now = request.get("id", ""), engine.store.now()
    if not alias_id and not name:
        raise BadRequest("missing alias name")
    if not alias_id and not accessor:
        raise BadRequest("missing mount_accessor")
    mount = engine.auth_mount(accessor) if accessor else None
    with engine.store.view.transaction() as tx:
        holder = _holder(tx, alias_id, accessor, name)
        target = _target(tx, request, holder, now)
        if target.type != "external":
            raise BadRequest("alias can't be set on an internal group")
        alias = None if holder is None else holder.alias
        if alias is None:
            if mount is None:
                raise BadRequest("invalid group alias ID")
            alias = entities.new_alias(target.id, accessor, mount.type, name, now)
        changes: dict[str, Any] = {"owner": target.id, "updated": now}
        if name:
            changes["name"] = name
        if mount is not None:
            changes.update(mount_accessor=accessor, mount_type=mount.type)
        if holder is not None and holder.id != target.id:
            groups.put(tx, holder, msgspec.structs.replace(holder, alias=None, updated=now))
        after = msgspec.structs.replace(target, alias=msgspec.structs.replace(alias, **changes), updated=now)
        groups.put(tx, groups.get(tx, target.id), after)
    await tx.commit()
    return Response(data={"canonical_id": target.id, "id": alias.id})


def _holder(tx: Transaction, alias_id: str, accessor: str, name: str) -> Group | None:
    """The group that has the alias now. Raises BadRequest for an id that no alias has."""
    if not alias_id:
        found = tx.get(f"{keys.GROUP_ALIAS_NAME}{accessor}/{keys.name_key(name)}")
        return None if found is None else groups.get(tx, keys.split(found)[1])
    owner = tx.get(keys.GROUP_ALIAS + alias_id) if keys.is_id(alias_id) else None
    holder = None if owner is None else groups.get(tx, owner.decode())
    if holder is None:
        raise BadRequest("invalid group alias ID")
    return holder


def _target(tx: Transaction, request: Request, holder: Group | None, now: int) -> Group:
    """The group that shall have the alias: the one asked for, else the one that has it, else a new external one."""
    wanted = request.get("canonical_id")
    if wanted:
        target = groups.get(tx, wanted)
        if target is None:
            raise BadRequest("invalid group ID given in 'canonical_id'")
        return target
    return holder or groups.new(tx, now, "", "external")


async def delete(engine: IdentityEngine, request: Request) -> Response | None:
    """Remove a group alias; the group stays."""
    alias_id = request.fields["id"]
    with engine.store.view.transaction() as tx:
        owner = tx.get(keys.GROUP_ALIAS + alias_id) if keys.is_id(alias_id) else None
        group = None if owner is None else groups.get(tx, owner.decode())
        if group is not None:
            groups.put(tx, group, msgspec.structs.replace(group, alias=None, updated=engine.store.now()))
    await tx.commit()
    return None


async def list_ids(engine: IdentityEngine, request: Request) -> Response | None:
    """Ids, with the group of each."""
    ids = engine.store.view.list_page(keys.GROUP_ALIAS, *page_of(request))
    told = ("canonical_id", "mount_accessor", "mount_path", "mount_type", "name")
    info = {}
    for alias_id in ids:
        group = engine.store.group_by_alias_id(alias_id)
        if group is not None and group.alias is not None:
            shown = describe_alias(engine, group.alias)
            info[alias_id] = {key: shown[key] for key in told}
    return listing(ids, info)


_FIELDS: Final[dict[str, Field]] = {
    "id": Text("Id of the alias."),
    "name": Text("What the auth method calls the group."),
    "mount_accessor": Text("Accessor of the auth method."),
    "canonical_id": Text("Id of the group."),
}

PATHS = (
    Path("group-alias", fields=_FIELDS, update=write, help="Make or change a group alias."),
    Path("group-alias/id", fields=PAGE_FIELDS, list=list_ids, help="List group aliases by id."),
    Path(
        "group-alias/id/{id}",
        fields=_FIELDS,
        read=read,
        update=write,
        delete=delete,
        help="Read, change or remove a group alias.",
    ),
)
