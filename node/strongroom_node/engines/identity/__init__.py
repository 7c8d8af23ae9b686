"""The identity engine: what operators see and change of entities, aliases and groups."""

from collections.abc import Callable

from strongroom_node.engines.identity import entity, entity_alias, group, group_alias, lookup, merge
from strongroom_node.engines.identity.engine import IdentityEngine
from strongroom_node.identity.store import IdentityStore
from strongroom_node.sdk.engine import EngineType
from strongroom_node.sdk.mount import Mount


def identity_type(store: IdentityStore, mount_of: Callable[[str], Mount | None]) -> EngineType:
    """The declaration of `identity/` over a node's store; `mount_of` finds a mount by its accessor."""
    return EngineType(
        name="identity",
        summary="Entities, aliases and groups: who the callers are.",
        make=lambda context: IdentityEngine(context, store, mount_of),
        paths=(
            *merge.PATHS,
            *entity.PATHS,
            *entity_alias.PATHS,
            *group.PATHS,
            *group_alias.PATHS,
            *lookup.PATHS,
        ),
        built_in_mount_only=True,
        help="A login makes an entity with an alias; operators give entities and groups names, metadata and policies.",
    )
