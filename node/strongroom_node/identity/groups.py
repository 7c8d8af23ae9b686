"""Changing groups, their members and their aliases, each function within one transaction over `identity/`."""

from collections.abc import Iterable
from typing import Final, Protocol

import msgspec

from strongroom_node.identity import keys
from strongroom_node.identity.records import Alias, Group, decode_group, encode
from strongroom_node.sdk.errors import BadRequest
from strongroom_storage.crypto.entropy import random_bytes, random_uuid
from strongroom_storage.transaction import Transaction

GROUPS_MAX: Final = 4096
"""How many groups one entity may be in, inherited ones included; the rest is passed over."""


class Lists(Protocol):
    """What reading an index takes: a view or a transaction."""

    def list_page(self, path: str = "", after: str = "", limit: int = -1) -> list[str]:
        """Names below a path."""


def get(tx: Transaction, group_id: str) -> Group | None:
    """A group as the transaction sees it."""
    return tx.get_checked(keys.GROUP + group_id, decode_group) if keys.is_id(group_id) else None


def by_name(tx: Transaction, name: str) -> Group | None:
    """A group by its name."""
    found = tx.get(keys.GROUP_NAME + keys.name_key(name))
    return None if found is None else get(tx, keys.split(found)[0])


def new(tx: Transaction, now: int, name: str, kind: str) -> Group:
    """A group that is not stored yet, with a name of its own if none is given."""
    while not name:
        made = f"group_{random_bytes(4).hex()}"
        name = made if by_name(tx, made) is None else ""
    return Group(id=random_uuid(), name=name, type=kind, created=now, updated=now, modify_index=0)


def put(tx: Transaction, before: Group | None, after: Group) -> None:
    """Write a group and keep its indexes right. Raises BadRequest if the name is another's."""
    name_key = keys.name_key(after.name)
    holder = tx.get(keys.GROUP_NAME + name_key)
    if holder is not None and keys.split(holder)[0] != after.id:
        raise BadRequest("group name is already in use")
    if before is not None and keys.name_key(before.name) != name_key:
        tx.delete(keys.GROUP_NAME + keys.name_key(before.name))
    tx.put(keys.GROUP_NAME + name_key, keys.pair(after.id, after.name))
    taken = None if after.alias is None else tx.get(_alias_key(after.alias))
    if after.alias is not None and taken is not None and keys.split(taken)[0] != after.alias.id:
        raise BadRequest("group alias is already in use by another group")
    if before is not None and before.alias is not None and before.alias != after.alias:
        _drop_alias(tx, before.alias)
    if after.alias is not None:
        tx.put(keys.GROUP_ALIAS + after.alias.id, after.id.encode())
        tx.put(_alias_key(after.alias), keys.pair(after.alias.id, after.id))
    tx.put(keys.GROUP + after.id, encode(msgspec.structs.replace(after, modify_index=after.modify_index + 1)))


def delete(tx: Transaction, group: Group) -> None:
    """Remove a group; its members stay."""
    for entity_id in members(tx, group.id):
        leave(tx, group.id, entity_id)
    for child in children(tx, group.id):
        _unlink(tx, group.id, child)
    for parent in parents(tx, group.id):
        _unlink(tx, parent, group.id)
    if group.alias is not None:
        _drop_alias(tx, group.alias)
    tx.delete(keys.GROUP_NAME + keys.name_key(group.name))
    tx.delete(keys.GROUP + group.id)


def members(source: Lists, group_id: str) -> list[str]:
    """Ids of the entities in a group."""
    return source.list_page(f"{keys.GROUP_MEMBER}{group_id}/")


def children(source: Lists, group_id: str) -> list[str]:
    """Ids of the groups in a group."""
    return source.list_page(f"{keys.GROUP_CHILD}{group_id}/")


def parents(source: Lists, group_id: str) -> list[str]:
    """Ids of the groups that a group is in."""
    return source.list_page(f"{keys.GROUP_PARENT}{group_id}/", limit=GROUPS_MAX)


def direct(source: Lists, entity_id: str) -> list[str]:
    """Ids of the groups that an entity is in by itself."""
    return source.list_page(f"{keys.ENTITY_GROUP}{entity_id}/", limit=GROUPS_MAX)


def ancestors(source: Lists, group_ids: Iterable[str]) -> list[str]:
    """Ids of all groups above these, these left out unless one is above another; sorted."""
    above: set[str] = set()
    pending = list(group_ids)
    while pending and len(above) < GROUPS_MAX:
        for parent in parents(source, pending.pop()):
            if parent not in above:
                above.add(parent)
                pending.append(parent)
    return sorted(above)


def join(tx: Transaction, group_id: str, entity_id: str) -> None:
    """Make an entity a member."""
    tx.put(f"{keys.GROUP_MEMBER}{group_id}/{entity_id}", keys.PRESENT)
    tx.put(f"{keys.ENTITY_GROUP}{entity_id}/{group_id}", keys.PRESENT)


def leave(tx: Transaction, group_id: str, entity_id: str) -> None:
    """End a membership."""
    tx.delete(f"{keys.GROUP_MEMBER}{group_id}/{entity_id}")
    tx.delete(f"{keys.ENTITY_GROUP}{entity_id}/{group_id}")


def leave_some(tx: Transaction, group_id: str, limit: int) -> bool:
    """End some of a group's memberships, so that one transaction need not end them all; false if none is left."""
    page = tx.list_page(f"{keys.GROUP_MEMBER}{group_id}/", limit=limit)
    for entity_id in page:
        leave(tx, group_id, entity_id)
    return len(page) == limit


def leave_all(tx: Transaction, entity_id: str) -> None:
    """End all memberships of an entity."""
    for group_id in direct(tx, entity_id):
        leave(tx, group_id, entity_id)


def set_members(tx: Transaction, group_id: str, entity_ids: Iterable[str]) -> None:
    """Make exactly these entities the members."""
    wanted, present = set(entity_ids), set(members(tx, group_id))
    for entity_id in sorted(present - wanted):
        leave(tx, group_id, entity_id)
    for entity_id in sorted(wanted - present):
        join(tx, group_id, entity_id)


def set_children(tx: Transaction, group_id: str, child_ids: Iterable[str]) -> None:
    """Make exactly these groups the members. Raises BadRequest if a group would be in itself."""
    wanted, present = set(child_ids), set(children(tx, group_id))
    above = {group_id, *ancestors(tx, [group_id])}
    for child in sorted(wanted - present):
        if child in above:
            raise BadRequest(f'cyclic relationship detected for member group ID "{child}"')
        tx.put(f"{keys.GROUP_CHILD}{group_id}/{child}", keys.PRESENT)
        tx.put(f"{keys.GROUP_PARENT}{child}/{group_id}", keys.PRESENT)
    for child in sorted(present - wanted):
        _unlink(tx, group_id, child)


def set_external(tx: Transaction, accessor: str, entity_id: str, names: Iterable[str]) -> None:
    """Make an entity a member of exactly the external groups that a mount names."""
    wanted: set[str] = set()
    for name in names:
        found = tx.get(f"{keys.GROUP_ALIAS_NAME}{accessor}/{keys.name_key(name)}")
        if found is not None:
            wanted.add(keys.split(found)[1])
    present = direct(tx, entity_id)
    for group_id in present:
        group = get(tx, group_id)
        alias = None if group is None else group.alias
        if alias is not None and alias.mount_accessor == accessor and group_id not in wanted:
            leave(tx, group_id, entity_id)
    for group_id in sorted(wanted.difference(present)):
        join(tx, group_id, entity_id)


def _unlink(tx: Transaction, parent: str, child: str) -> None:
    tx.delete(f"{keys.GROUP_CHILD}{parent}/{child}")
    tx.delete(f"{keys.GROUP_PARENT}{child}/{parent}")


def _alias_key(alias: Alias) -> str:
    return f"{keys.GROUP_ALIAS_NAME}{alias.mount_accessor}/{keys.name_key(alias.name)}"


def _drop_alias(tx: Transaction, alias: Alias) -> None:
    tx.delete(keys.GROUP_ALIAS + alias.id)
    tx.delete(_alias_key(alias))
