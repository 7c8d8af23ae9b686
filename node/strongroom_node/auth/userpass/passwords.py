"""Passwords and their bcrypt hashes. Every function here takes milliseconds or more: run them off the event loop."""

import re
from typing import Final

import bcrypt

COST: Final = 10
"""Vault's cost: about 50 ms on one core."""
COST_MAX: Final = 14
"""The largest cost of a hash that is taken over: a login must not occupy a thread for more than about a second."""
PASSWORD_BYTES_MAX: Final = 72
"""What bcrypt reads; a longer password would be cut without a word, and everything that begins alike would match."""

_HASH: Final = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")

NOBODY: Final = b"$2b$10$" + b"." * 53
"""A hash no password has, compared when there is no such user, so that the answer takes as long."""


class PasswordRefused(ValueError):
    """The password or the hash cannot be used; the message says why."""


def check_password(password: str) -> None:
    """Raise PasswordRefused for a password that bcrypt would cut."""
    if len(password.encode("utf-8", "surrogatepass")) > PASSWORD_BYTES_MAX:
        raise PasswordRefused(f"password length exceeds {PASSWORD_BYTES_MAX} bytes")


def check_hash(text: str) -> bytes:
    """A ready-made hash, if it is one. Raises PasswordRefused."""
    found = _HASH.fullmatch(text)
    if found is None:
        raise PasswordRefused("password_hash must be a valid bcrypt hash")
    if not 4 <= int(found[1]) <= COST_MAX:
        raise PasswordRefused(f"the cost of password_hash must be between 4 and {COST_MAX}")
    return text.encode()


def hash_password(password: str) -> bytes:
    """The bcrypt hash of a password that `check_password` lets pass."""
    return bcrypt.hashpw(password.encode("utf-8", "surrogatepass"), bcrypt.gensalt(COST))


def is_right(password: str, known: bytes | None) -> bool:
    """Whether the password belongs to the hash; takes as long if there is no hash or the password is too long."""
    given = password.encode("utf-8", "surrogatepass")
    matches = bcrypt.checkpw(given[:PASSWORD_BYTES_MAX], known or NOBODY)
    return matches and known is not None and len(given) <= PASSWORD_BYTES_MAX
