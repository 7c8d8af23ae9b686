"""Shares and tokens encrypted to people: OpenPGP public keys in base64."""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from strongroom_storage.seal.errors import PlanInvalid

KEY_CHARACTERS_MAX: Final = 64 * 1024
"""A key with a dozen signatures and a photograph is smaller; people with more can export a minimal one."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Someone who can read what is encrypted to them. The fingerprint is the primary key's, in hexadecimal."""

    fingerprint: str
    _certificate: Any = field(repr=False)

    def encrypt(self, plaintext: bytes) -> bytes:
        """A binary OpenPGP message."""
        import pysequoia  # noqa: PLC0415  -- 3 MB that a node without PGP keys never loads

        return bytes(pysequoia.encrypt(plaintext, recipients=[self._certificate], armor=False))


def read_recipient(text: str) -> Recipient:
    """The person a base64 public key belongs to.

    Encrypts a trial message, so that a key that is expired, revoked or only for signing is refused before a ceremony
    begins and not when the shares are there. Raises PlanInvalid.
    """
    import pysequoia  # noqa: PLC0415  -- see Recipient.encrypt

    if len(text) > KEY_CHARACTERS_MAX:
        raise PlanInvalid(f"error decoding given PGP key: longer than {KEY_CHARACTERS_MAX} characters")
    try:
        raw = base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True)
    except ValueError:
        raise PlanInvalid("error decoding given PGP key: illegal base64 data") from None
    try:
        certificate = pysequoia.Cert.from_bytes(raw)
        recipient = Recipient(str(certificate.fingerprint), certificate)
        recipient.encrypt(b"")
    except (RuntimeError, ValueError, TypeError) as error:
        raise PlanInvalid(f"error parsing given PGP key: {_first_line(error)}") from None
    return recipient


async def read_recipients(keys: Sequence[str], shares: int) -> tuple[Recipient, ...]:
    """One recipient a share, or none at all. Raises PlanInvalid.

    Anybody may send 255 keys: others are served between one and the next.
    """
    if keys and len(keys) != shares:
        raise PlanInvalid("count mismatch between number of provided PGP keys and number of shares")
    people = []
    for key in keys:
        people.append(read_recipient(key))
        await asyncio.sleep(0)
    return tuple(people)


async def encrypt_shares(shares: Sequence[bytes], recipients: Sequence[Recipient]) -> list[bytes]:
    """Each share, in hexadecimal, to its recipient; the shares themselves when there are no recipients."""
    if not recipients:
        return list(shares)
    encrypted = []
    for share, person in zip(shares, recipients, strict=True):
        encrypted.append(person.encrypt(share.hex().encode()))
        await asyncio.sleep(0)
    return encrypted


def _first_line(error: Exception) -> str:
    """The library puts a stack trace behind the first line."""
    return (str(error).splitlines() or [type(error).__name__])[0]
