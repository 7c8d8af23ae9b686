"""What is stored of entities, aliases and groups. Times are microseconds since the epoch."""

import msgspec


class Alias(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an auth method calls an entity, or what it calls a group. `owner` is the id of that entity or group.

    `metadata` comes from the auth method at each login, `custom_metadata` from the operator.
    """

    id: str
    owner: str
    name: str
    mount_accessor: str
    mount_type: str = ""
    metadata: dict[str, str] | None = None
    custom_metadata: dict[str, str] | None = None
    created: int = 0
    updated: int = 0
    local: bool = False
    merged_from: tuple[str, ...] = ()


class Entity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One caller, however it logs in. Of each mount it has at most one alias."""

    id: str
    name: str
    metadata: dict[str, str] | None = None
    policies: tuple[str, ...] = ()
    disabled: bool = False
    created: int = 0
    updated: int = 0
    merged: tuple[str, ...] = ()
    aliases: tuple[Alias, ...] = ()

    def alias_of(self, accessor: str) -> Alias | None:
        """The alias of one mount."""
        return next((alias for alias in self.aliases if alias.mount_accessor == accessor), None)


class Group(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A named set of entities and groups; members are in indexes of their own, so that a group may be large.

    `members_given` and `groups_given` tell an empty list from one that was never set. An external group has an alias,
    and its members are whom the auth method says.
    """

    id: str
    name: str
    type: str = "internal"
    metadata: dict[str, str] | None = None
    policies: tuple[str, ...] | None = None
    created: int = 0
    updated: int = 0
    modify_index: int = 1
    alias: Alias | None = None
    members_given: bool = False
    groups_given: bool = False


encode = msgspec.msgpack.Encoder().encode
decode_entity = msgspec.msgpack.Decoder(Entity).decode
decode_group = msgspec.msgpack.Decoder(Group).decode
