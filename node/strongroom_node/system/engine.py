"""The engine behind `sys/`: the core's own paths, gathered from their groups."""

from typing import TYPE_CHECKING

from strongroom_node.sdk.engine import Engine, EngineType, MountContext
from strongroom_node.sdk.path import Path
from strongroom_node.system import (
    audit,
    auth,
    capabilities,
    config,
    internal,
    keys,
    leases,
    locked_users,
    mounts,
    plugins,
    policies,
    quotas,
    raw,
    server,
    tools,
    wrapping,
)

if TYPE_CHECKING:
    from strongroom_node.core.core import Core

PATHS: tuple[Path, ...] = (
    *mounts.PATHS,
    *auth.PATHS,
    *policies.PATHS,
    *capabilities.PATHS,
    *leases.PATHS,
    *wrapping.PATHS,
    *tools.PATHS,
    *internal.PATHS,
    *keys.PATHS,
    *quotas.PATHS,
    *config.PATHS,
    *plugins.PATHS,
    *locked_users.PATHS,
    *audit.PATHS,
    *server.PATHS,
    *raw.PATHS,
)


class SystemEngine(Engine):
    """`sys/`; the one engine that sees the core."""

    def __init__(self, context: MountContext, core: "Core") -> None:
        """Keep the core."""
        super().__init__(context)
        self.core = core
        self.open_documents: dict[bool, tuple[int, bytes]] = {}
        """What those without a token see of OpenAPI, at one generation of the mounts: it takes long to make."""


def system_type(core: "Core") -> EngineType:
    """The declaration of `sys/` for one core."""
    return EngineType(
        name="system",
        summary="Endpoints for control, policy and debugging.",
        make=lambda context: SystemEngine(context, core),
        paths=PATHS,
        built_in_mount_only=True,
    )
