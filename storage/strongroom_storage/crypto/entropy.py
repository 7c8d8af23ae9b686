"""Randomness: the only caller of the kernel's generator.

There is no pool of our own: `getrandom` costs half a microsecond, and a pool would have to survive forks and threads.
"""

import os
import string
from typing import Final

BASE62: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase

# The largest multiple of 62 that fits a byte: bytes at or above it are thrown away, so that no letter is likelier.
_BASE62_FAIR: Final = 62 * 4

random_bytes = os.urandom


def random_base62(length: int) -> str:
    """A string of `length` letters and digits, each as likely as the others (5.95 bits a character)."""
    letters: list[str] = []
    while len(letters) < length:
        wanted = length - len(letters)
        letters += [BASE62[byte % 62] for byte in os.urandom(wanted + 4) if byte < _BASE62_FAIR][:wanted]
    return "".join(letters)


def random_uuid() -> str:
    """A random UUID (RFC 9562, version 4) in its usual spelling. A third of the time that the `uuid` module takes."""
    bits = os.urandom(16)
    digits = bits.hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{'89ab'[bits[8] & 3]}{digits[17:20]}-{digits[20:]}"
