"""What tokens and accessors look like, and the salted ids they are stored under."""

from hashlib import blake2b
from typing import Final

from strongroom_storage.crypto.entropy import random_base62, random_bytes

SERVICE_PREFIX: Final = "hvs."
BATCH_PREFIX: Final = "hvb."

RANDOM_CHARACTERS: Final = 24
"""24 letters and digits carry 142 bits: beyond guessing whatever the number of tokens."""

SALT_BYTES: Final = 32
TOKEN_CHARACTERS_MAX: Final = 8192
"""Longer texts are no tokens; a batch token with much metadata stays well below."""

_ACCESSOR_DOMAIN: Final = b"accessor\x00"


def new_service_token() -> str:
    """A fresh service token."""
    return SERVICE_PREFIX + random_base62(RANDOM_CHARACTERS)


def new_accessor() -> str:
    """A fresh token accessor."""
    return random_base62(RANDOM_CHARACTERS)


def new_salt() -> bytes:
    """A fresh salt; a cluster makes one in its life."""
    return random_bytes(SALT_BYTES)


def salted_id(salt: bytes, token: str) -> str:
    """The key a token is stored under: `h` and keyed BLAKE2b-256 (RFC 7693, section 2.9) in hexadecimal.

    Whoever reads the store finds no token in it, and looking a token up by this key tells nothing by its timing.
    """
    return "h" + blake2b(token.encode("utf-8", "surrogatepass"), key=salt, digest_size=32).hexdigest()


def salted_accessor(salt: bytes, accessor: str) -> str:
    """The key an accessor is stored under. Never equal to the salted id of the same text as a token."""
    return blake2b(_ACCESSOR_DOMAIN + accessor.encode("utf-8", "surrogatepass"), key=salt, digest_size=32).hexdigest()
