"""Finds the engine that a path belongs to."""

from collections.abc import Callable
from dataclasses import dataclass

from strongroom_node.core.mounts import MountTable
from strongroom_node.sdk.engine import Engine, EngineType, SecretType
from strongroom_node.sdk.mount import Mount
from strongroom_node.sdk.path import Path, PathTable
from strongroom_node.sdk.request import Operation

MakeEngine = Callable[[Mount], tuple[EngineType, Engine]]


@dataclass(slots=True)
class Route:
    """A mount with its live engine."""

    mount: Mount
    type: EngineType
    engine: Engine
    table: PathTable

    def match(self, relative: str, operation: Operation) -> tuple[Path, dict[str, str]] | None:
        """The declared path that `relative` means."""
        return self.table.match(relative, operation)

    def secret_type(self, kind: str) -> SecretType | None:
        """The declared kind of leased secret."""
        return next((secret for secret in self.type.secrets if secret.name == kind), None)


class Router:
    """Routes by mount path. Mounts never nest, so the first prefix that is a mount is the only one.

    Engines are made when their mount is first used and made anew when its entry changes; they keep no state that
    matters.
    """

    def __init__(self, mounts: MountTable, make: MakeEngine) -> None:
        """Routes are built when first asked for."""
        self._mounts = mounts
        self._make = make
        self._generation = -1
        self._routes: dict[str, Route] = {}
        self._tables: dict[int, PathTable] = {}

    def find(self, path: str) -> Route | None:
        """The route whose mount path is a prefix of `path`; `path` may be the mount's without its slash."""
        mounts = self._mounts.all()
        if self._mounts.generation != self._generation:
            self._routes = {key: route for key, route in self._routes.items() if mounts.get(key) == route.mount}
            self._generation = self._mounts.generation
        at = path.find("/")
        while at >= 0:
            prefix = path[: at + 1]
            route = self._routes.get(prefix)
            if route is not None:
                return route
            if prefix in mounts:
                return self._open(mounts[prefix])
            at = path.find("/", at + 1)
        whole = path + "/"
        return self._open(mounts[whole]) if whole in mounts else None

    def of(self, mount: Mount) -> Route:
        """The route of a mount, by entry; serves tainted mounts too, whose leases must still be revoked."""
        route = self._routes.get(mount.path)
        return route if route is not None and route.mount == mount else self._open(mount)

    def forget(self) -> None:
        """Make every engine anew when it is next used."""
        self._routes.clear()

    def _open(self, mount: Mount) -> Route:
        kind, engine = self._make(mount)
        paths = kind.paths_for(mount) if kind.paths_for is not None else kind.paths
        table = self._tables.get(id(paths))
        if table is None or table.paths is not paths:
            table = self._tables[id(paths)] = PathTable(paths)
        route = Route(mount=mount, type=kind, engine=engine, table=table)
        self._routes[mount.path] = route
        return route
