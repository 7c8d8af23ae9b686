"""The narrow window that engines have on the core."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class SystemView(Protocol):
    """What an engine may ask of the node it runs on. Cut to one mount."""

    def now(self) -> float:
        """Unix seconds, from the node's clock."""

    def default_lease_ttl(self) -> float:
        """Seconds a lease of this mount lasts when nobody says."""

    def max_lease_ttl(self) -> float:
        """Seconds a lease of this mount may last."""

    def run_blocking(self, work: Callable[..., T], *args: Any) -> Awaitable[T]:
        """Run `work` in the node's one bounded thread pool."""

    def generate_password(self, policy: str) -> str:
        """A password by the named password policy; raises NotFound."""

    def entity_info(self, entity_id: str) -> dict[str, Any] | None:
        """Name, metadata and aliases of an entity."""
