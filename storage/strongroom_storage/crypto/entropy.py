"""Randomness: the only caller of the kernel's generator.

Keys, nonces and tokens come from no pool of our own: it would have to survive forks and threads.
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


class UUIDSource:
    """Random UUIDs that need to be unique but not secret, such as request ids: a system call for 256 of them.

    For one thread, and not across a fork.
    """

    __slots__ = ("_at", "_digits")

    def __init__(self) -> None:
        """The first call fills the pool."""
        self._digits = ""
        self._at = 0

    def __call__(self) -> str:
        """The next UUID (RFC 9562, version 4)."""
        at = self._at
        digits = self._digits
        if at >= len(digits):
            digits, at = os.urandom(4096).hex(), 0
            self._digits = digits
        self._at = at + 32
        variant = "89ab"[int(digits[at + 16], 16) & 3]
        return (
            f"{digits[at : at + 8]}-{digits[at + 8 : at + 12]}-4{digits[at + 13 : at + 16]}"
            f"-{variant}{digits[at + 17 : at + 20]}-{digits[at + 20 : at + 32]}"
        )


def random_uuid() -> str:
    """A random UUID (RFC 9562, version 4) in its usual spelling. A third of the time that the `uuid` module takes."""
    bits = os.urandom(16)
    digits = bits.hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{'89ab'[bits[8] & 3]}{digits[17:20]}-{digits[20:]}"
