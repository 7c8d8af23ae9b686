"""What can be mounted: the built-in types, and those that installed packages bring."""

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from strongroom_node.auth import registry as auth_registry
from strongroom_node.core.system_view import MountSystemView
from strongroom_node.engines import registry as engine_registry
from strongroom_node.sdk.engine import Engine, EngineType, MountContext
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.mount import Mount

if TYPE_CHECKING:
    from strongroom_node.core.core import Core

_STORAGE = {"cubbyhole": "cubbyhole/", "identity": "identity/"}
"""Mounts that exist once and whose storage others reach into: a token takes its cubbyhole along."""


class Plugins:
    """Finds a mount's type and makes its engine.

    `provided` are types the server makes itself, because they see more of the core than engines do.
    """

    def __init__(self, core: "Core") -> None:
        """The server adds `sys/` and `auth/token/` before the first request."""
        self._core = core
        self._provided: dict[tuple[str, bool], EngineType] = {}
        self._outside = {
            (point.name, is_auth): point
            for group, is_auth in (("strongroom.engines", False), ("strongroom.auth", True))
            for point in entry_points(group=group)
        }

    def provide(self, kind: EngineType) -> None:
        """Add a type that is made by the server."""
        self._provided[kind.name, kind.is_auth] = kind

    def find(self, name: str, *, is_auth: bool) -> EngineType:
        """The type of that name. Raises BadRequest in Vault's words."""
        found = self._provided.get((name, is_auth))
        if found is not None:
            return found
        if is_auth and name in auth_registry.BUILTIN:
            return auth_registry.load(name)
        if not is_auth and name in engine_registry.BUILTIN:
            return engine_registry.load(name)
        point = self._outside.get((name, is_auth))
        if point is None:
            raise BadRequest(f"plugin not found in the catalog: {name[:100]}")
        loaded: Any = point.load()
        if not isinstance(loaded, EngineType):
            raise BadRequest(f'nil backend of type "{name[:100]}" returned from factory')
        return loaded

    def check(self, mount: Mount) -> None:
        """Raises BadRequest if the type does not exist, may not be mounted, or refuses the mount's options."""
        kind = self.find(mount.type, is_auth=mount.is_auth)
        if kind.built_in_mount_only and self._core.mounts.get(mount.path) is None:
            raise BadRequest(f'mount type of "{mount.type}" is not mountable')
        if kind.prepare is not None:
            kind.prepare(mount)

    def make(self, mount: Mount) -> tuple[EngineType, Engine]:
        """The type of a mount and a live engine for it."""
        kind = self.find(mount.type, is_auth=mount.is_auth)
        view = self._core.barrier.view(_STORAGE.get(mount.type, mount.storage_prefix))
        context = MountContext(view=view, mount=mount, system=MountSystemView(self._core, mount))
        return kind, kind.make(context)

    def names(self, kind: str) -> list[str]:
        """Names of what can be mounted: `secret` or `auth`; databases are engines of their own later."""
        if kind == "auth":
            outside = [name for name, is_auth in self._outside if is_auth]
            return sorted({*auth_registry.BUILTIN, *outside} - {"token"})
        if kind == "secret":
            outside = [name for name, is_auth in self._outside if not is_auth]
            return sorted({*engine_registry.BUILTIN, *outside} - {"cubbyhole", "identity", "system"})
        return []
