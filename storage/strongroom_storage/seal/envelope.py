"""A key encrypted under another key, with the name of that other key beside it.

Envelope: "SRK" | version (1) | length of the key id (1) | key id | nonce (12) | ciphertext | tag (16).
All that stands before the nonce is authenticated.
"""

from typing import Final

from strongroom_storage.crypto.aead import AEAD
from strongroom_storage.errors import FrameInvalid
from strongroom_storage.seal.errors import SealConfigInvalid, UnwrapFailed

KEY_ID_BYTES_MAX: Final = 255
_MAGIC: Final = b"SRK\x01"
_KEY_ID_AT: Final = len(_MAGIC) + 1


def seal_envelope(key: bytes, key_id: str, plaintext: bytes) -> bytes:
    """Encrypt `plaintext` under the 32-byte `key` called `key_id`.

    Raises SealConfigInvalid for an id over 255 bytes.
    """
    name = key_id.encode()
    if len(name) > KEY_ID_BYTES_MAX:
        raise SealConfigInvalid(f"a key id is longer than {KEY_ID_BYTES_MAX} bytes")
    header = _MAGIC + bytes((len(name),)) + name
    return header + AEAD(key).seal(plaintext, header)


def envelope_key_id(envelope: bytes) -> str:
    """The id of the key that opens an envelope, as it claims. Raises UnwrapFailed for what is no envelope."""
    if len(envelope) < _KEY_ID_AT or not envelope.startswith(_MAGIC):
        raise UnwrapFailed("the wrapped key is not in a known form")
    name = envelope[_KEY_ID_AT : _KEY_ID_AT + envelope[_KEY_ID_AT - 1]]
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise UnwrapFailed("the wrapped key is not in a known form") from None


def open_envelope(key: bytes, envelope: bytes) -> bytes:
    """What was sealed. Raises UnwrapFailed unless the key is the right one and every bit is as sealed."""
    envelope_key_id(envelope)
    body_at = _KEY_ID_AT + envelope[_KEY_ID_AT - 1]
    try:
        return AEAD(key).open(envelope, envelope[:body_at], body_at)
    except FrameInvalid:
        raise UnwrapFailed("message authentication failed") from None
