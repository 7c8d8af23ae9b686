"""Changing entities and their aliases, each function within one transaction over `identity/`."""

from collections.abc import Sequence

import msgspec

from strongroom_node.identity import groups, keys
from strongroom_node.identity.records import Alias, Entity, decode_entity, encode
from strongroom_node.sdk.errors import BadRequest
from strongroom_storage.crypto.entropy import random_bytes, random_uuid
from strongroom_storage.transaction import Transaction


def get(tx: Transaction, entity_id: str) -> Entity | None:
    """An entity as the transaction sees it."""
    return tx.get_checked(keys.ENTITY + entity_id, decode_entity) if keys.is_id(entity_id) else None


def by_name(tx: Transaction, name: str) -> Entity | None:
    """An entity by its name."""
    found = tx.get(keys.ENTITY_NAME + keys.name_key(name))
    return None if found is None else get(tx, keys.split(found)[0])


def by_alias(tx: Transaction, accessor: str, name: str) -> Entity | None:
    """The entity that a mount knows under a name."""
    found = tx.get(f"{keys.ALIAS_NAME}{accessor}/{keys.name_key(name)}")
    return None if found is None else get(tx, keys.split(found)[1])


def new(tx: Transaction, now: int, name: str = "") -> Entity:
    """An entity that is not stored yet, with a name of its own if none is given."""
    while not name:
        made = f"entity_{random_bytes(4).hex()}"
        name = made if by_name(tx, made) is None else ""
    return Entity(id=random_uuid(), name=name, created=now, updated=now)


def new_alias(entity_id: str, accessor: str, mount_type: str, name: str, now: int) -> Alias:
    """An alias that is not stored yet."""
    return Alias(
        id=random_uuid(),
        owner=entity_id,
        name=name,
        mount_accessor=accessor,
        mount_type=mount_type,
        created=now,
        updated=now,
    )


def put(tx: Transaction, before: Entity | None, after: Entity) -> None:
    """Write an entity and keep its indexes right. Raises BadRequest if its name or an alias is another's."""
    name_key = keys.name_key(after.name)
    holder = tx.get(keys.ENTITY_NAME + name_key)
    if holder is not None and keys.split(holder)[0] != after.id:
        raise BadRequest("entity name is already in use")
    if before is not None and keys.name_key(before.name) != name_key:
        tx.delete(keys.ENTITY_NAME + keys.name_key(before.name))
    tx.put(keys.ENTITY_NAME + name_key, keys.pair(after.id, after.name))
    for alias in () if before is None else before.aliases:
        if alias not in after.aliases:
            _drop_alias(tx, alias)
    for alias in after.aliases:
        if before is None or alias not in before.aliases:
            taken = tx.get(_alias_key(alias))
            if taken is not None and keys.split(taken)[0] != alias.id:
                raise BadRequest("alias is already in use by another entity")
            tx.put(keys.ALIAS + alias.id, alias.owner.encode())
            tx.put(_alias_key(alias), keys.pair(alias.id, alias.owner))
    tx.put(keys.ENTITY + after.id, encode(after))


def delete(tx: Transaction, entity: Entity) -> None:
    """Remove an entity, its aliases and its memberships; tokens that name it are good for nothing from now on."""
    for alias in entity.aliases:
        _drop_alias(tx, alias)
    groups.leave_all(tx, entity.id)
    for merged in entity.merged:
        tx.delete(keys.ENTITY_MERGED + merged)
    tx.delete(keys.ENTITY_NAME + keys.name_key(entity.name))
    tx.delete(keys.ENTITY + entity.id)


def put_alias(tx: Transaction, entity: Entity, alias: Alias, now: int) -> Entity:
    """Add an alias to an entity, or replace the one with its id."""
    others = tuple(other for other in entity.aliases if other.id != alias.id)
    if any(other.mount_accessor == alias.mount_accessor for other in others):
        raise BadRequest("Alias already exists for requested entity and mount accessor")
    after = msgspec.structs.replace(entity, aliases=(*others, alias), updated=now)
    put(tx, get(tx, entity.id), after)
    return after


def drop_alias(tx: Transaction, entity: Entity, alias_id: str, now: int) -> Entity:
    """Take an alias from an entity."""
    kept = tuple(alias for alias in entity.aliases if alias.id != alias_id)
    after = msgspec.structs.replace(entity, aliases=kept, updated=now)
    put(tx, entity, after)
    return after


def merge(tx: Transaction, target: Entity, sources: Sequence[Entity], keep: frozenset[str], now: int) -> Entity:
    """Move what the sources have to the target, and let the sources' ids stand for it.

    Where both have an alias of one mount the one whose id is in `keep` stays. Raises BadRequest if neither is.
    """
    before = target
    for source in sources:
        aliases = _merged_aliases(target, source, keep, now)
        for group_id in groups.direct(tx, source.id):
            groups.join(tx, group_id, target.id)
        delete(tx, source)
        merged = (*target.merged, source.id, *source.merged)
        for source_id in (source.id, *source.merged):
            tx.put(keys.ENTITY_MERGED + source_id, target.id.encode())
        policies = (*target.policies, *(name for name in source.policies if name not in target.policies))
        target = msgspec.structs.replace(target, aliases=aliases, merged=merged, policies=policies, updated=now)
    put(tx, before, target)
    return target


def _merged_aliases(target: Entity, source: Entity, keep: frozenset[str], now: int) -> tuple[Alias, ...]:
    kept = {alias.mount_accessor: alias for alias in target.aliases}
    for alias in source.aliases:
        rival = kept.get(alias.mount_accessor)
        if rival is not None and (rival.id in keep) == (alias.id in keep):
            raise BadRequest(
                "the entities to be merged have aliases of the same mount: repeat the request naming exactly one alias "
                f"ID of the mount {alias.mount_accessor} in 'conflicting_alias_ids_to_keep'"
            )
        if rival is None or alias.id in keep:
            kept[alias.mount_accessor] = msgspec.structs.replace(
                alias, owner=target.id, updated=now, merged_from=(*alias.merged_from, source.id)
            )
    return tuple(kept.values())


def _alias_key(alias: Alias) -> str:
    return f"{keys.ALIAS_NAME}{alias.mount_accessor}/{keys.name_key(alias.name)}"


def _drop_alias(tx: Transaction, alias: Alias) -> None:
    tx.delete(keys.ALIAS + alias.id)
    tx.delete(_alias_key(alias))
