"""The mount table: which engine answers below which path."""

from collections.abc import Iterable

import msgspec

from strongroom_node.sdk.errors import BadRequest, NotFound
from strongroom_node.sdk.mount import Mount, MountConfig
from strongroom_storage.barrier.barrier import Barrier
from strongroom_storage.crypto.entropy import random_bytes, random_uuid
from strongroom_storage.transaction import Transaction

PROTECTED = ("sys/", "cubbyhole/", "identity/", "auth/", "audit/")
"""Paths that no operator may mount on, unmount or move."""

_FOLDERS = ("mounts/", "auth/")

SYSTEM_TTL_SECONDS = 768 * 3600.0
"""32 days: Vault's default for default_lease_ttl and max_lease_ttl."""


def new_accessor(kind: str) -> str:
    """A mount accessor as Vault prints it: `kv_1a2b3c4d`."""
    return f"{kind}_{random_bytes(4).hex()}"


def default_mounts(now: float) -> list[Mount]:
    """What a new cluster starts with."""

    def make(path: str, kind: str, description: str, **more: object) -> Mount:
        values = {"uuid": random_uuid(), "path": path, "type": kind, "accessor": new_accessor(kind)}
        return msgspec.convert({**values, "description": description, "created": now, **more}, Mount)

    passes = {"passthrough_request_headers": ("Authorization",)}
    accepts = {"passthrough_request_headers": ("Accept",)}
    return [
        make("cubbyhole/", "cubbyhole", "per-token private secret storage", local=True),
        make("identity/", "identity", "identity store", config=passes),
        make(
            "sys/", "system", "system endpoints used for control, policy and debugging", seal_wrap=True, config=accepts
        ),
        make("auth/token/", "token", "token based credentials", is_auth=True, config={"token_type": "default-service"}),
    ]


class MountTable:
    """The mounts, read through the barrier and kept until the table's generation changes.

    `system_ttls` gives the server's (default, max) lease durations in seconds.
    """

    def __init__(self, barrier: Barrier, system_ttls: tuple[float, float]) -> None:
        """Nothing is read before the barrier is open."""
        self._barrier = barrier
        self._view = barrier.view("core/")
        self._system_default, self._system_max = system_ttls
        self._generation = -1
        self._mounts: dict[str, Mount] = {}

    @property
    def system_ttl_max(self) -> float:
        """Seconds: the server's longest lease."""
        return self._system_max

    @property
    def generation(self) -> int:
        """Changes whenever any mount changed."""
        return self._barrier.generation("mounts")

    def all(self) -> dict[str, Mount]:
        """Every mount by its path; auth methods begin with `auth/`."""
        generation = self.generation
        if generation != self._generation:
            found: dict[str, Mount] = {}
            for folder in _FOLDERS:
                for key in self._view.walk(folder):
                    value = self._view.get(folder + key)
                    if value is not None:
                        mount = _decode(value)
                        found[mount.path] = mount
            self._mounts, self._generation = found, generation
        return self._mounts

    def get(self, path: str) -> Mount | None:
        """The mount at exactly this path."""
        return self.all().get(path)

    def by_accessor(self, accessor: str) -> Mount | None:
        """The mount with this accessor."""
        return next((mount for mount in self.all().values() if mount.accessor == accessor), None)

    def require_live(self, mount: Mount, path: str) -> Mount:
        """The mount's entry as it is now. Raises NotFound if it is gone, or about to go.

        To be asked again before something is handed out that the mount's end must take back: the request may have
        waited long since it was routed.
        """
        now = self.by_accessor(mount.accessor)
        if now is None or now.tainted:
            raise no_route(path)
        return now

    def ttls(self, mount: Mount) -> tuple[float, float]:
        """Effective (default, max) lease durations in seconds; a mount may raise the system's maximum."""
        longest = mount.config.max_lease_ttl or self._system_max
        default = mount.config.default_lease_ttl or self._system_default
        return default, longest

    async def add(self, mount: Mount) -> None:
        """Put a new mount into the table. Raises BadRequest when its path is taken."""
        with self._view.transaction() as tx:
            self._put(tx, mount)
        await tx.commit()

    async def replace(self, before: Mount, after: Mount) -> None:
        """Write a changed entry.

        Raises BadRequest if it is not `before` any more, lest one change undoes another, or if its new path is taken.
        """
        with self._view.transaction() as tx:
            if tx.get_checked(_key(before), _decode) != before:
                raise BadRequest(f'the mount "{before.path}" was changed meanwhile; look at it and try again')
            self._put(tx, after)
        await tx.commit()

    def _put(self, tx: Transaction, mount: Mount) -> None:
        """Write an entry; other mounts are looked for in what is in flight as well."""
        keys = [folder + key for folder in _FOLDERS for key in tx.walk(folder)]
        others = (tx.get_checked(key, _decode) for key in keys)
        _require_free(mount.path, (other.path for other in others if other is not None and other.uuid != mount.uuid))
        tx.put(_key(mount), msgspec.msgpack.encode(mount))

    async def remove(self, mount: Mount) -> None:
        """Forget a mount whose storage and leases are gone already."""
        with self._view.transaction() as tx:
            tx.delete(_key(mount))
        await tx.commit()

    def check_free(self, path: str) -> None:
        """Raises BadRequest if a mount stands at, above or below `path`."""
        _require_free(path, self.all())


def _require_free(path: str, paths: Iterable[str]) -> None:
    for taken in paths:
        if taken.startswith(path) or path.startswith(taken):
            raise BadRequest(f"path is already in use at {taken.removeprefix('auth/')}")


def no_route(path: str) -> NotFound:
    """What a path without a mount is answered with."""
    return NotFound(f'no handler for route "{path}". route entry not found.')


def _key(mount: Mount) -> str:
    return f"{'auth' if mount.is_auth else 'mounts'}/{mount.uuid}"


def _decode(value: bytes) -> Mount:
    return msgspec.msgpack.decode(value, type=Mount)


def mount_path(path: str, *, is_auth: bool = False) -> str:
    """A mount path in its one form: no doubled slashes, a slash at the end, `auth/` in front of auth methods.

    Raises BadRequest for empty, padded or relative paths.
    """
    cleaned = "/".join(part for part in path.split("/") if part)
    if not cleaned or any(part in {".", ".."} or part != part.strip() for part in cleaned.split("/")):
        raise BadRequest(f'invalid mount path "{path[:200]}"')
    if len(cleaned) > 200 or not cleaned.isprintable() or "+" in cleaned.split("/") or "*" in cleaned:
        raise BadRequest("mount path is too long or has characters that a mount path cannot have")
    return f"auth/{cleaned}/" if is_auth else f"{cleaned}/"


__all__ = [
    "PROTECTED",
    "SYSTEM_TTL_SECONDS",
    "Mount",
    "MountConfig",
    "MountTable",
    "default_mounts",
    "mount_path",
    "no_route",
]
