"""Taking mounts out of service and moving them."""

from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.mount import Mount
from strongroom_storage.transaction import DELETE_TREE_KEYS_MAX

if TYPE_CHECKING:
    from strongroom_node.core.core import Core

STATUSES_MAX = 100
"""Moves whose outcome is remembered."""

_log = structlog.get_logger("core")


class Moves:
    """Disables and moves mounts in steps that may be interrupted and begun again."""

    def __init__(self, core: "Core") -> None:
        """The core owns mounts, leases and storage."""
        self._core = core
        self._statuses: OrderedDict[str, dict[str, Any]] = OrderedDict()

    async def disable(self, mount: Mount) -> None:
        """Taint, revoke, delete, forget. What fails half-way is finished by asking again."""
        core = self._core
        tainted = await self._taint(mount)
        await core.leases.revoke_prefix(mount.path)
        if mount.is_auth:
            await core.identity.forget_mount(mount.accessor)
            core.lockout.forget_mount(mount.accessor)
        view = core.barrier.view(mount.storage_prefix)
        gone = False
        while not gone:
            with view.transaction() as tx:
                gone = tx.delete_tree("") < DELETE_TREE_KEYS_MAX
            await tx.commit()
        await core.mounts.remove(tainted)
        _log.info("unmounted", path=mount.path, type=mount.type)

    async def move(self, mount: Mount, target: str, migration: str) -> None:
        """Taint, revoke the leases of the old path, then answer on the new one; data stay where they are.

        After a crash on the way the mount stays tainted until the move is asked for again.
        """
        core = self._core
        tainted = await self._taint(mount)
        info = {"source_mount": mount.path, "target_mount": target, "status": "in-progress"}
        self._remember(migration, info)
        try:
            await core.leases.revoke_prefix(mount.path)
            await core.mounts.replace(tainted, msgspec.structs.replace(mount, path=target, tainted=False))
        except BaseException:
            with suppress(BadRequest):  # it has moved after all, if only the waiting was broken off
                await core.mounts.replace(tainted, mount)
            self._remember(migration, {**info, "status": "failure"})
            raise
        self._remember(migration, {**info, "status": "success"})
        _log.info("mount moved", source=mount.path, target=target, migration_id=migration)

    async def _taint(self, mount: Mount) -> Mount:
        """Refuse new requests, so that nothing is handed out behind the revocation's back."""
        tainted = msgspec.structs.replace(mount, tainted=True)
        await self._core.mounts.replace(mount, tainted)
        # What was decided before the taint was applied stands before this second write, and is there when it is.
        await self._core.mounts.replace(tainted, tainted)
        return tainted

    def _remember(self, migration: str, info: dict[str, Any]) -> None:
        self._statuses[migration] = info
        while len(self._statuses) > STATUSES_MAX:
            self._statuses.popitem(last=False)

    def status(self, migration: str) -> dict[str, Any] | None:
        """How a move went, if it is remembered."""
        info = self._statuses.get(migration)
        return None if info is None else {"migration_id": migration, "migration_info": info}
