"""AES-256-GCM with 96-bit random nonces, counting what each key has sealed."""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom_storage.crypto.entropy import random_bytes
from strongroom_storage.errors import FrameInvalid, KeyTermExhausted

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16

# With random 96-bit nonces a key may seal at most 2**32 messages (NIST SP 800-38D, section 8.3): beyond it the chance
# of a repeated nonce, which gives away the authentication key, passes 2**-32.
MESSAGES_MAX: Final = 1 << 32


class AEAD:
    """One key. `sealed` counts the messages sealed with it, as far as known."""

    __slots__ = ("_decrypt", "_encrypt", "sealed")

    def __init__(self, key: bytes, sealed: int = 0) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"an AES-256 key has {KEY_BYTES} bytes")
        cipher = AESGCM(key)
        self._encrypt = cipher.encrypt
        self._decrypt = cipher.decrypt
        self.sealed = sealed

    def seal(self, plaintext: bytes, associated: bytes) -> bytes:
        """Nonce | ciphertext | tag. Raises KeyTermExhausted after 2**32 messages."""
        if self.sealed >= MESSAGES_MAX:
            raise KeyTermExhausted("the key has sealed 2**32 messages and must be rotated")
        self.sealed += 1
        nonce = random_bytes(NONCE_BYTES)
        return nonce + self._encrypt(nonce, plaintext, associated)

    def open(self, sealed: bytes, associated: bytes, at: int = 0) -> bytes:
        """The plaintext of what `seal` returned, found from offset `at`. Raises FrameInvalid."""
        body = at + NONCE_BYTES
        if len(sealed) < body + TAG_BYTES:
            raise FrameInvalid("a sealed record is cut short")
        try:
            return self._decrypt(sealed[at:body], sealed[body:], associated)
        except InvalidTag:
            raise FrameInvalid("a sealed record does not open: it was changed or moved") from None

    def __repr__(self) -> str:
        """Say nothing of the key."""
        return "<AEAD>"
