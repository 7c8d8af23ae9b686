"""Paths of groups."""

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
from strongroom_node.identity import entities, groups, keys
from strongroom_node.identity.records import Group
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Field, KeyValue, StringList, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response, listing
from strongroom_node.sdk.timestamps import format_micros
from strongroom_storage.transaction import Transaction

_LEAVE_STEP: Final = 5000
"""Memberships that one transaction ends when a group is removed."""
_ALIAS_KEYS: Final = (
    "canonical_id",
    "creation_time",
    "id",
    "last_update_time",
    "merged_from_canonical_ids",
    "metadata",
    "mount_accessor",
    "mount_path",
    "mount_type",
    "name",
)


def describe(engine: IdentityEngine, group: Group) -> dict[str, Any]:
    """A group as a read shows it."""
    view = engine.store.view
    members, children = groups.members(view, group.id), groups.children(view, group.id)
    alias = {} if group.alias is None else describe_alias(engine, group.alias)
    return {
        "alias": {key: alias[key] for key in _ALIAS_KEYS} if alias else {},
        "creation_time": format_micros(group.created),
        "id": group.id,
        "last_update_time": format_micros(group.updated),
        "member_entity_ids": members if members or group.members_given else None,
        "member_group_ids": children if children or group.groups_given else None,
        "metadata": group.metadata,
        "modify_index": group.modify_index,
        "name": group.name,
        "namespace_id": "root",
        "parent_group_ids": groups.parents(view, group.id) or None,
        "policies": None if group.policies is None else list(group.policies),
        "type": group.type,
    }


async def read_by_id(engine: IdentityEngine, request: Request) -> Response | None:
    """A group by its id."""
    group = engine.store.group(request.fields["id"])
    return None if group is None else Response(data=describe(engine, group))


async def read_by_name(engine: IdentityEngine, request: Request) -> Response | None:
    """A group by its name."""
    group = engine.store.group_by_name(request.fields["name"])
    return None if group is None else Response(data=describe(engine, group))


def _changes(request: Request) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if request.get("name"):
        changes["name"] = checked_name(request.fields["name"])
    if request.has("metadata"):
        changes["metadata"] = checked_metadata(request.fields["metadata"])
    if request.has("policies"):
        changes["policies"] = checked_policies(request.fields["policies"])
    if request.has("member_entity_ids"):
        changes["members_given"] = True
    if request.has("member_group_ids"):
        changes["groups_given"] = True
    return changes


def _type_of(request: Request, before: Group | None) -> str:
    kind = str(request.get("type", "") or ("internal" if before is None else before.type))
    if kind not in {"internal", "external"}:
        raise BadRequest(f'invalid group type "{kind[:64]}"')
    if before is not None and kind != before.type:
        raise BadRequest("group type cannot be changed")
    if kind == "external" and request.get("member_entity_ids"):
        raise BadRequest("member entities can't be set manually for external groups")
    if kind == "external" and request.get("member_group_ids"):
        raise BadRequest("member groups can't be set for external groups")
    return kind


async def _write(
    engine: IdentityEngine, request: Request, find: Callable[[Transaction], Group | None]
) -> Response | None:
    """Change what `find` finds, else make a group; only a new one is told of."""
    changes, now = _changes(request), engine.store.now()
    with engine.store.view.transaction() as tx:
        before = find(tx)
        kind = _type_of(request, before)
        base = before or groups.new(tx, now, changes.get("name", ""), kind)
        groups.put(tx, before, msgspec.structs.replace(base, **changes, updated=now))
        if kind == "internal":
            _set_members(tx, request, base.id)
    await tx.commit()
    return None if before is not None else Response(data={"id": base.id, "name": base.name})


def _set_members(tx: Transaction, request: Request, group_id: str) -> None:
    if request.has("member_entity_ids"):
        members = request.fields["member_entity_ids"]
        for entity_id in members:
            if entities.get(tx, entity_id) is None:
                raise BadRequest(f'invalid entity ID "{entity_id[:64]}"')
        groups.set_members(tx, group_id, members)
    if request.has("member_group_ids"):
        children = request.fields["member_group_ids"]
        for child in children:
            if groups.get(tx, child) is None:
                raise BadRequest(f'invalid group ID "{child[:64]}"')
        groups.set_children(tx, group_id, children)


async def write(engine: IdentityEngine, request: Request) -> Response | None:
    """Change the group with the given id or name, or make one."""

    def find(tx: Transaction) -> Group | None:
        if request.get("id"):
            return _present(tx, request.fields["id"])
        return groups.by_name(tx, request.fields["name"]) if request.get("name") else None

    return await _write(engine, request, find)


async def write_by_id(engine: IdentityEngine, request: Request) -> Response | None:
    """Change a group. Raises BadRequest if there is none with the id."""
    return await _write(engine, request, lambda tx: _present(tx, request.fields["id"]))


async def write_by_name(engine: IdentityEngine, request: Request) -> Response | None:
    """Change the group with the name, or make it."""
    return await _write(engine, request, lambda tx: groups.by_name(tx, request.fields["name"]))


def _present(tx: Transaction, group_id: str) -> Group:
    group = groups.get(tx, group_id)
    if group is None:
        raise BadRequest("invalid group ID")
    return group


async def delete_by_id(engine: IdentityEngine, request: Request) -> Response | None:
    """Remove a group."""
    await _delete(engine, request.fields["id"])
    return None


async def delete_by_name(engine: IdentityEngine, request: Request) -> Response | None:
    """Remove a group."""
    group = engine.store.group_by_name(request.fields["name"])
    if group is not None:
        await _delete(engine, group.id)
    return None


async def _delete(engine: IdentityEngine, group_id: str) -> None:
    more = True
    while more:
        with engine.store.view.transaction() as tx:
            group = groups.get(tx, group_id)
            more = group is not None and groups.leave_some(tx, group_id, _LEAVE_STEP)
            if group is not None and not more:
                groups.delete(tx, group)
        await tx.commit()


async def list_ids(engine: IdentityEngine, request: Request) -> Response | None:
    """Ids, with name and number of members of each."""
    ids = engine.store.view.list_page(keys.GROUP, *page_of(request))
    info = {}
    for group_id in ids:
        group = engine.store.group(group_id)
        if group is not None:
            view = engine.store.view
            info[group_id] = {
                "name": group.name,
                "num_member_entities": len(groups.members(view, group_id)),
                "num_parent_groups": len(groups.parents(view, group_id)),
            }
    return listing(ids, info)


async def list_names(engine: IdentityEngine, request: Request) -> Response | None:
    """Names as they were given."""
    view = engine.store.view
    after, limit = page_of(request)
    start = keys.name_key(after) if after else ""
    values = [view.get(keys.GROUP_NAME + key) for key in view.list_page(keys.GROUP_NAME, start, limit)]
    return listing([keys.split(value)[1] for value in values if value is not None])


_FIELDS: Final[dict[str, Field]] = {
    "name": Text("Name of the group."),
    "type": Text("internal or external; cannot be changed."),
    "metadata": KeyValue("Notes on the group, for people and for policy templates."),
    "policies": StringList("Policies that every member gets at once."),
    "member_entity_ids": StringList("Ids of the entities in the group."),
    "member_group_ids": StringList("Ids of the groups in the group."),
}
_ID: Final[dict[str, Field]] = {"id": Text("Id of the group.")}

PATHS = (
    Path("group", fields={**_FIELDS, **_ID}, update=write, help="Make or change a group."),
    Path("group/id", fields=PAGE_FIELDS, list=list_ids, help="List groups by id."),
    Path("group/name", fields=PAGE_FIELDS, list=list_names, help="List groups by name."),
    Path(
        "group/id/{id}",
        fields={**_FIELDS, **_ID},
        read=read_by_id,
        update=write_by_id,
        delete=delete_by_id,
        help="Read, change or remove a group.",
    ),
    Path(
        "group/name/{name+}",
        fields=_FIELDS,
        read=read_by_name,
        update=write_by_name,
        delete=delete_by_name,
        help="Read, make, change or remove a group by its name.",
    ),
)
