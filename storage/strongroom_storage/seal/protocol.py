"""What every seal can do: keep the root key where the barrier alone cannot reach it."""

from dataclasses import dataclass
from typing import Protocol

from strongroom_storage.crypto.secret import SecretBytes


@dataclass(frozen=True, slots=True)
class SealHealth:
    """Whether a seal answers, and why not."""

    is_healthy: bool
    reason: str = ""


class Seal(Protocol):
    """Wraps and unwraps the root key.

    Built in or from a package through the entry-point group `strongroom.seals`. A seal may be slow or away;
    it never keeps what it unwrapped.
    """

    @property
    def kind(self) -> str:
        """The name of the seal's stanza and of `type` in the seal status: shamir, static, transit, awskms..."""
        ...

    @property
    def stores_keys(self) -> bool:
        """Whether it opens by itself. If so operators hold recovery keys; if not they hold the shares of its key."""
        ...

    async def wrap(self, key: bytes) -> bytes:
        """`key` encrypted under the seal's current key. Raises SealUnavailable."""
        ...

    async def unwrap(self, blob: bytes) -> SecretBytes:
        """What `wrap` was given. Raises UnwrapFailed for a foreign or changed blob, SealUnavailable."""
        ...

    def is_current(self, blob: bytes) -> bool:
        """Whether `blob` is under the seal's current key; if not it should be wrapped again."""
        ...

    async def health(self) -> SealHealth:
        """Whether wrapping and unwrapping would work now."""
        ...
