"""Reading identity, and what a login does to it."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from strongroom_node.identity import entities, groups, keys
from strongroom_node.identity.records import Entity, Group, decode_entity, decode_group
from strongroom_node.policy.template import AliasContext, GroupContext, IdentityContext
from strongroom_node.sdk.mount import Mount
from strongroom_node.sdk.timestamps import micros
from strongroom_storage.barrier.barrier import Barrier
from strongroom_storage.transaction import Transaction

STANDINGS_MAX: Final = 10_000
"""Entities whose standing is kept; about 1 KiB each."""
_PAGE: Final = 500
"""Aliases that one transaction forgets."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that a request needs to know of its entity."""

    is_active: bool
    policies: tuple[str, ...] = ()
    context: IdentityContext | None = None


_NOBODY: Final = Standing(is_active=False)


class IdentityStore:
    """Entities, aliases and groups below `identity/`.

    Standings are kept until any record of identity changes: `generation("identity")` tells, and while nothing at all
    was applied not even that is asked. `now` gives Unix seconds.
    """

    def __init__(self, barrier: Barrier, now: Callable[[], float]) -> None:
        """Nothing is read before the barrier is open."""
        self._barrier = barrier
        self.view = barrier.view("identity/")
        self._clock = now
        self._standings: OrderedDict[str, Standing] = OrderedDict()
        self._epoch = self._generation = -1

    def now(self) -> int:
        """Microseconds since the epoch."""
        return micros(self._clock())

    # --- what the pipeline asks ----------------------------------------------------------------------

    def is_active(self, entity_id: str) -> bool:
        """False if the entity is disabled or gone: its tokens are good for nothing."""
        return self._standing(entity_id).is_active

    def policies_for(self, entity_id: str) -> tuple[str, ...]:
        """Policies of the entity and of all its groups, sorted."""
        return self._standing(entity_id).policies

    def template_context(self, entity_id: str) -> IdentityContext | None:
        """What policy templates may use."""
        return self._standing(entity_id).context

    def entity_info(self, entity_id: str) -> dict[str, Any] | None:
        """What engines may know of an entity."""
        entity = self.entity(entity_id)
        if entity is None:
            return None
        shown = ("id", "name", "mount_accessor", "mount_type", "metadata", "custom_metadata")
        return {
            "id": entity.id,
            "name": entity.name,
            "disabled": entity.disabled,
            "metadata": dict(entity.metadata or {}),
            "aliases": [{name: getattr(alias, name) for name in shown} for alias in entity.aliases],
            "groups": [{"id": group.id, "name": group.name} for group in self.groups_of(entity.id)],
        }

    async def ensure_login(
        self,
        mount: Mount,
        alias_name: str,
        metadata: Mapping[str, str] | None = None,
        group_aliases: Sequence[str] = (),
    ) -> str:
        """Id of the entity that a mount knows under a name; made if there is none.

        Writes only if something changes: a new alias, other metadata, other external groups.
        """
        wanted = dict(metadata or {}) or None
        known = self.by_alias(mount.accessor, alias_name)
        alias = None if known is None else known.alias_of(mount.accessor)
        is_same = known is not None and alias is not None and alias.metadata == wanted
        if known is not None and is_same and not group_aliases and not groups.direct(self.view, known.id):
            return known.id
        with self.view.transaction() as tx:
            entity = self._login(tx, mount, alias_name, wanted)
            groups.set_external(tx, mount.accessor, entity.id, group_aliases)
        await tx.commit()
        return entity.id

    def _login(self, tx: Transaction, mount: Mount, alias_name: str, metadata: dict[str, str] | None) -> Entity:
        now = self.now()
        entity = entities.by_alias(tx, mount.accessor, alias_name)
        if entity is None:
            entity = entities.new(tx, now)
        alias = entity.alias_of(mount.accessor)
        if alias is None:
            alias = entities.new_alias(entity.id, mount.accessor, mount.type, alias_name, now)
            alias = msgspec.structs.replace(alias, local=mount.local)
        elif alias.metadata == metadata:
            return entity
        return entities.put_alias(tx, entity, msgspec.structs.replace(alias, metadata=metadata, updated=now), now)

    async def forget_mount(self, accessor: str) -> None:
        """Drop the aliases of a mount that goes; entities and groups stay."""
        while self.view.list_page(f"{keys.ALIAS_NAME}{accessor}/", limit=1):
            with self.view.transaction() as tx:
                for name in tx.list_page(f"{keys.ALIAS_NAME}{accessor}/", limit=_PAGE):
                    path = f"{keys.ALIAS_NAME}{accessor}/{name}"
                    alias_id, entity_id = keys.split(tx.get(path) or b"")
                    tx.delete(path)
                    entity = entities.get(tx, entity_id)
                    if entity is not None:
                        entities.drop_alias(tx, entity, alias_id, self.now())
            await tx.commit()
        while self.view.list_page(f"{keys.GROUP_ALIAS_NAME}{accessor}/", limit=1):
            with self.view.transaction() as tx:
                for name in tx.list_page(f"{keys.GROUP_ALIAS_NAME}{accessor}/", limit=_PAGE):
                    path = f"{keys.GROUP_ALIAS_NAME}{accessor}/{name}"
                    group = groups.get(tx, keys.split(tx.get(path) or b"")[1])
                    tx.delete(path)
                    if group is not None:
                        groups.put(tx, group, msgspec.structs.replace(group, alias=None, updated=self.now()))
            await tx.commit()

    def count(self) -> int:
        """How many entities there are."""
        total, after = 0, ""
        while page := self.view.list_page(keys.ENTITY, after, 1000):
            total += len(page)
            after = page[-1]
        return total

    # --- reading -------------------------------------------------------------------------------------

    def entity(self, entity_id: str) -> Entity | None:
        """An entity by its id, or by the id of one that was merged into it."""
        if not keys.is_id(entity_id):
            return None
        found = self.view.get_checked(keys.ENTITY + entity_id, decode_entity)
        if found is None:
            target = self.view.get(keys.ENTITY_MERGED + entity_id)
            if target is not None:
                return self.view.get_checked(keys.ENTITY + target.decode(), decode_entity)
        return found

    def entity_by_name(self, name: str) -> Entity | None:
        """An entity by its name."""
        found = self.view.get(keys.ENTITY_NAME + keys.name_key(name))
        return None if found is None else self.entity(keys.split(found)[0])

    def by_alias(self, accessor: str, name: str) -> Entity | None:
        """The entity that a mount knows under a name."""
        found = self.view.get(f"{keys.ALIAS_NAME}{accessor}/{keys.name_key(name)}")
        return None if found is None else self.entity(keys.split(found)[1])

    def by_alias_id(self, alias_id: str) -> Entity | None:
        """The entity that has an alias."""
        found = self.view.get(keys.ALIAS + alias_id) if keys.is_id(alias_id) else None
        return None if found is None else self.entity(found.decode())

    def group(self, group_id: str) -> Group | None:
        """A group by its id."""
        return self.view.get_checked(keys.GROUP + group_id, decode_group) if keys.is_id(group_id) else None

    def group_by_name(self, name: str) -> Group | None:
        """A group by its name."""
        found = self.view.get(keys.GROUP_NAME + keys.name_key(name))
        return None if found is None else self.group(keys.split(found)[0])

    def group_by_alias(self, accessor: str, name: str) -> Group | None:
        """The external group that a mount knows under a name."""
        found = self.view.get(f"{keys.GROUP_ALIAS_NAME}{accessor}/{keys.name_key(name)}")
        return None if found is None else self.group(keys.split(found)[1])

    def group_by_alias_id(self, alias_id: str) -> Group | None:
        """The external group that has an alias."""
        found = self.view.get(keys.GROUP_ALIAS + alias_id) if keys.is_id(alias_id) else None
        return None if found is None else self.group(found.decode())

    def group_ids(self, entity_id: str) -> tuple[list[str], list[str]]:
        """Ids of the groups an entity is in: by itself, and through other groups."""
        direct = groups.direct(self.view, entity_id)
        return direct, [group_id for group_id in groups.ancestors(self.view, direct) if group_id not in direct]

    def groups_of(self, entity_id: str) -> list[Group]:
        """All groups an entity is in."""
        direct, inherited = self.group_ids(entity_id)
        return [group for group_id in (*direct, *inherited) if (group := self.group(group_id)) is not None]

    # --- standings -----------------------------------------------------------------------------------

    def _standing(self, entity_id: str) -> Standing:
        epoch = self._barrier.backend.epoch
        if epoch != self._epoch:
            generation = self._barrier.generation("identity")
            if generation != self._generation:
                self._standings.clear()
            self._epoch, self._generation = epoch, generation
        standing = self._standings.get(entity_id)
        if standing is None:
            standing = self._standings[entity_id] = self._find_standing(entity_id)
            if len(self._standings) > STANDINGS_MAX:
                self._standings.popitem(last=False)
        return standing

    def _find_standing(self, entity_id: str) -> Standing:
        entity = self.entity(entity_id)
        if entity is None:
            return _NOBODY
        mine = self.groups_of(entity.id)
        policies = sorted({*entity.policies, *(name for group in mine for name in group.policies or ())})
        context = IdentityContext(
            id=entity.id,
            name=entity.name,
            metadata=entity.metadata or {},
            aliases=tuple(
                AliasContext(
                    id=alias.id,
                    name=alias.name,
                    mount_accessor=alias.mount_accessor,
                    metadata=alias.metadata or {},
                    custom_metadata=alias.custom_metadata or {},
                )
                for alias in entity.aliases
            ),
            groups=tuple(GroupContext(id=group.id, name=group.name, metadata=group.metadata or {}) for group in mine),
        )
        return Standing(not entity.disabled, tuple(policies), context)
