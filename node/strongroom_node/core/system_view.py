"""The window that one mount's engine has on the core."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from strongroom_node.sdk.mount import Mount

if TYPE_CHECKING:
    from strongroom_node.core.core import Core

T = TypeVar("T")


class MountSystemView:
    """Implements `sdk.system.SystemView` for one mount."""

    def __init__(self, core: "Core", mount: Mount) -> None:
        """Cut to the mount."""
        self._core = core
        self._mount = mount
        self.now: Callable[[], float] = core.now

    def default_lease_ttl(self) -> float:
        """Seconds a lease lasts when nobody says."""
        return self._core.mounts.ttls(self._mount)[0]

    def max_lease_ttl(self) -> float:
        """Seconds a lease may last."""
        return self._core.mounts.ttls(self._mount)[1]

    def run_blocking(self, work: Callable[..., T], *args: Any) -> Awaitable[T]:
        """Run `work` in the bounded pool."""
        return self._core.run_blocking(work, *args)

    def generate_password(self, policy: str) -> str:
        """A password by the named password policy."""
        return self._core.policies.generate_password(policy)

    def entity_info(self, entity_id: str) -> dict[str, Any] | None:
        """Name, metadata and aliases of an entity."""
        return self._core.identity.entity_info(entity_id)
