"""One sealed entry: key term (4 bytes, big-endian) | version (1) | nonce (12) | ciphertext | tag (16).

The path is authenticated and not stored: an entry moved to another path does not open.
"""

from struct import Struct
from typing import Final

from strongroom_storage.crypto.aead import AEAD, NONCE_BYTES, TAG_BYTES
from strongroom_storage.errors import FrameInvalid

VERSION: Final = 1
HEADER: Final = Struct(">IB")
OVERHEAD_BYTES: Final = HEADER.size + NONCE_BYTES + TAG_BYTES


def seal_frame(key: AEAD, term: int, path: bytes, plaintext: bytes) -> bytes:
    """Encrypt one entry with the key of a term. Raises KeyTermExhausted after 2**32 frames under one key."""
    return HEADER.pack(term, VERSION) + key.seal(plaintext, path)


def frame_term(record: bytes, at: int = 0) -> int:
    """The key term of the frame found from offset `at`. Raises FrameInvalid."""
    if len(record) < at + OVERHEAD_BYTES:
        raise FrameInvalid("a frame is cut short")
    term, version = HEADER.unpack_from(record, at)
    if version != VERSION:
        raise FrameInvalid(f"a frame has version {version}; this program knows {VERSION}")
    return int(term)


def open_frame(key: AEAD, path: bytes, record: bytes, at: int = 0) -> bytes:
    """Decrypt the frame found from offset `at`. Raises FrameInvalid unless every bit and the path are as sealed.

    The header is not in the associated data: a changed term names another key, a changed version is refused.
    """
    return key.open(record, path, at + HEADER.size)
