"""The `shamir` seal: the root key is encrypted under a key that only its share holders can put together."""

from collections.abc import Mapping
from typing import Any, Final

from strongroom_node.seals.registry import SealType
from strongroom_storage.crypto.secret import SecretBytes
from strongroom_storage.seal.envelope import envelope_key_id, open_envelope, seal_envelope
from strongroom_storage.seal.errors import SealUnavailable, UnwrapFailed
from strongroom_storage.seal.protocol import SealHealth
from strongroom_storage.seal.shares import KEY_BYTES

KEY_ID: Final = "shamir"


class ShamirSeal:
    """Without its key it only says what it is; `keyed` gives the one that works, for as long as it is needed."""

    kind = "shamir"
    stores_keys = False

    def __init__(self, key: SecretBytes | None = None) -> None:
        self._key = key

    def keyed(self, unseal_key: bytes) -> "ShamirSeal":
        """This seal with the key that shares were joined to. Raises UnwrapFailed for one of another length."""
        if len(unseal_key) != KEY_BYTES:
            raise UnwrapFailed(f"an unseal key has {KEY_BYTES} bytes")
        return ShamirSeal(SecretBytes(unseal_key))

    async def wrap(self, key: bytes) -> bytes:
        """`key` encrypted with AES-256-GCM under the unseal key. Raises SealUnavailable without it."""
        return seal_envelope(self._required(), KEY_ID, key)

    async def unwrap(self, blob: bytes) -> SecretBytes:
        """What `wrap` was given. Raises UnwrapFailed if the shares were not the right ones."""
        return SecretBytes(open_envelope(self._required(), blob))

    def is_current(self, blob: bytes) -> bool:
        """Always so for what this kind of seal wrapped: there is one key at a time."""
        return envelope_key_id(blob) == KEY_ID

    async def health(self) -> SealHealth:
        """Nothing of it can be away."""
        return SealHealth(is_healthy=True)

    def _required(self) -> bytes:
        if self._key is None:
            raise SealUnavailable("the unseal key is with its share holders")
        return self._key.reveal()

    def __repr__(self) -> str:
        """Without the key."""
        return f"<ShamirSeal {'without' if self._key is None else 'with'} key>"


def make(_settings: Mapping[str, Any]) -> ShamirSeal:
    """The stanza has no settings."""
    return ShamirSeal()


SEAL: Final = SealType("shamir", "Operators bring the shares of the unseal key.", make)
