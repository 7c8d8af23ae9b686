"""How a key is handed out as shares, and how what a person typed becomes a share again."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from strongroom_storage.seal import shamir
from strongroom_storage.seal.errors import PlanInvalid, ShareInvalid

KEY_BYTES: Final = 32
SHARE_BYTES_MIN: Final = 16
"""The shortest AES key; what is shorter was mistyped."""
SHARE_BYTES_MAX: Final = KEY_BYTES + shamir.SHARE_OVERHEAD_BYTES
_TYPED_CHARACTERS_MAX: Final = 1024
"""Far above the 66 characters of a share in hexadecimal; no more than this is ever decoded."""


@dataclass(frozen=True, slots=True)
class SharePlan:
    """Into how many shares a key is split, and how many of them open it."""

    shares: int
    threshold: int

    def check(self) -> None:
        """Raise PlanInvalid, in Vault's words and order, unless a key can be split like this."""
        if self.shares < 1:
            raise PlanInvalid("shares must be at least one")
        if self.threshold < 1:
            raise PlanInvalid("threshold must be at least one")
        if self.shares > 1 and self.threshold == 1:
            raise PlanInvalid("threshold must be greater than one for multiple shares")
        if self.shares > shamir.SHARES_MAX:
            raise PlanInvalid("shares must be less than 256")
        if self.threshold > shamir.SHARES_MAX:
            raise PlanInvalid("threshold must be less than 256")
        if self.threshold > self.shares:
            raise PlanInvalid("threshold cannot be larger than shares")


def split_key(key: bytes, plan: SharePlan, entropy: Callable[[int], bytes]) -> list[bytes]:
    """The shares of `key`. A plan of one share hands out the key itself, as Vault does."""
    plan.check()
    if plan.shares == 1:
        return [bytes(key)]
    return shamir.split(key, plan.shares, plan.threshold, entropy)


def join_key(shares: Sequence[bytes], threshold: int) -> bytes:
    """The key that `threshold` shares make. Whether it is the right one only its lock can tell.

    Raises ShareInvalid.
    """
    if threshold == 1:
        return bytes(shares[0])
    return shamir.combine(shares)


def decode_share(typed: str) -> bytes:
    """The bytes of what was typed in hexadecimal or in base64, of any length up to a kilobyte.

    Hexadecimal wins where its length makes sense; a base64 text may look like hexadecimal too.
    Raises ShareInvalid, which never repeats the input.
    """
    text = typed.replace("\r", "").replace("\n", "")
    if len(text) > _TYPED_CHARACTERS_MAX:
        raise ShareInvalid(f"key is longer than maximum {SHARE_BYTES_MAX} bytes")
    try:
        share = binascii.unhexlify(text)
    except ValueError:
        share = b""
    if not SHARE_BYTES_MIN <= len(share) <= SHARE_BYTES_MAX:
        try:
            share = base64.b64decode(text, validate=True)
        except ValueError:
            raise ShareInvalid("'key' must be a valid hex or base64 string") from None
    return share


def check_share(share: bytes) -> None:
    """Raise ShareInvalid for a length that no share has."""
    if len(share) < SHARE_BYTES_MIN:
        raise ShareInvalid(f"key is shorter than minimum {SHARE_BYTES_MIN} bytes")
    if len(share) > SHARE_BYTES_MAX:
        raise ShareInvalid(f"key is longer than maximum {SHARE_BYTES_MAX} bytes")
