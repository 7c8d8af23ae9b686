"""Ceremonies that collect key shares: what has been given, what is still missing.

Pure state in a node's memory: no clock, no randomness, no storage. Fresh nonces come in as arguments, and a
complete set of shares goes out once and is forgotten here at that moment, right or wrong.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from strongroom_storage.crypto.secret import SecretBytes
from strongroom_storage.seal.errors import CeremonyRefused
from strongroom_storage.seal.shares import SharePlan

NO_NONCE: Final = ""


class ShareCollector:
    """Shares given so far. Prints without them."""

    __slots__ = ("_shares",)

    def __init__(self) -> None:
        self._shares: list[SecretBytes] = []

    def __len__(self) -> int:
        """How many different shares there are."""
        return len(self._shares)

    def has(self, share: bytes) -> bool:
        """Whether this very share was given already; compares with all of them in constant time."""
        seen = False
        for kept in self._shares:
            seen |= hmac.compare_digest(kept.reveal(), share)
        return seen

    def add(self, share: bytes) -> None:
        """Keep a share."""
        self._shares.append(SecretBytes(share))

    def take(self) -> list[bytes]:
        """All shares; they are forgotten here."""
        shares = [share.reveal() for share in self._shares]
        self.forget()
        return shares

    def forget(self) -> None:
        """Wipe every share."""
        for share in self._shares:
            share.wipe()
        self._shares = []

    def __repr__(self) -> str:
        """The number of shares only."""
        return f"<ShareCollector of {len(self._shares)}>"


@dataclass(slots=True)
class UnsealProgress:
    """Shares towards opening the barrier of one node. The nonce names an attempt; it lives as long as its shares."""

    nonce: str = NO_NONCE
    given: ShareCollector = field(default_factory=ShareCollector)

    @property
    def count(self) -> int:
        """How many different shares have been given."""
        return len(self.given)

    def offer(self, share: bytes, threshold: int, fresh_nonce: str) -> list[bytes] | None:
        """Take one share; the whole set once `threshold` different ones are there. A repeated share changes nothing."""
        if self.given.has(share):
            return None
        if not self.nonce:
            self.nonce = fresh_nonce
        self.given.add(share)
        if self.count < threshold:
            return None
        shares = self.given.take()
        self.nonce = NO_NONCE
        return shares

    def reset(self) -> None:
        """Begin again."""
        self.given.forget()
        self.nonce = NO_NONCE


@dataclass(frozen=True, slots=True)
class RekeyOrder:
    """What a rekey shall make: a new key in these shares, encrypted for these people, verified or not."""

    plan: SharePlan
    pgp_keys: tuple[str, ...] = ()
    pgp_fingerprints: tuple[str, ...] = ()
    has_backup: bool = False
    is_verified: bool = False


@dataclass(slots=True)
class RekeyProgress:
    """One rekey: first old shares are collected, then, if so ordered, new shares prove that they arrived.

    The new key waits here, unwritten, until verification is over. `threshold` is the *old* key's.
    """

    order: RekeyOrder
    nonce: str
    given: ShareCollector = field(default_factory=ShareCollector)
    verification_nonce: str = NO_NONCE
    verified: ShareCollector = field(default_factory=ShareCollector)
    _new_key: SecretBytes | None = None

    @property
    def is_verifying(self) -> bool:
        """Whether the old shares were right and the new ones are being checked."""
        return self._new_key is not None

    def offer(self, nonce: str, share: bytes, threshold: int, word: str = "generation") -> list[bytes] | None:
        """Take one old share; the whole set once `threshold` are there. Raises CeremonyRefused."""
        if self.is_verifying:
            raise CeremonyRefused(
                "rekey operation already finished; verification must be performed;"
                f' nonce for the verification operation is "{self.verification_nonce}"'
            )
        if nonce != self.nonce:
            raise CeremonyRefused(f'incorrect nonce supplied; nonce for this rekey operation is "{self.nonce}"')
        return _collect(self.given, share, threshold, f"{word} operation")

    def await_verification(self, new_key: bytes, fresh_nonce: str) -> None:
        """The old shares were right: hold the new key until its shares are given back."""
        self._new_key = SecretBytes(new_key)
        self.verification_nonce = fresh_nonce

    def offer_verification(self, nonce: str, share: bytes) -> list[bytes] | None:
        """Take one new share; the whole set once the *new* threshold is reached. Raises CeremonyRefused."""
        if not self.is_verifying:
            raise CeremonyRefused("no rekey verification in progress")
        if nonce != self.verification_nonce:
            raise CeremonyRefused(
                f'incorrect nonce supplied; nonce for this verify operation is "{self.verification_nonce}"'
            )
        return _collect(self.verified, share, self.order.plan.threshold, "verify operation")

    def matches(self, key: bytes) -> bool:
        """Whether `key` is the new key that waits; in constant time."""
        return self._new_key is not None and hmac.compare_digest(self._new_key.reveal(), key)

    def restart_verification(self, fresh_nonce: str) -> None:
        """Forget the new shares given so far; the next attempt has another nonce."""
        self.verified.forget()
        if self.is_verifying:
            self.verification_nonce = fresh_nonce

    def forget(self) -> None:
        """Wipe everything secret."""
        self.given.forget()
        self.verified.forget()
        if self._new_key is not None:
            self._new_key.wipe()
            self._new_key = None


@dataclass(slots=True)
class RootGeneration:
    """One attempt to make a new root token. Exactly one of `otp` and `pgp_key` is set."""

    nonce: str
    otp: str = field(default="", repr=False)
    pgp_key: str = field(default="", repr=False)
    pgp_fingerprint: str = ""
    given: ShareCollector = field(default_factory=ShareCollector)

    def offer(self, nonce: str, share: bytes, threshold: int) -> list[bytes] | None:
        """Take one share; the whole set once `threshold` are there. Raises CeremonyRefused."""
        if nonce != self.nonce:
            raise CeremonyRefused(
                f'incorrect nonce supplied; nonce for this root generation operation is "{self.nonce}"'
            )
        return _collect(self.given, share, threshold, "generation operation")

    def forget(self) -> None:
        """Wipe the shares and drop the one-time password."""
        self.given.forget()
        self.otp = ""


def mask_token(token: str, otp: str) -> bytes:
    """Token and one-time password, XORed. They must be equally long. Raises CeremonyRefused."""
    plain, mask = token.encode(), otp.encode()
    if len(plain) != len(mask):
        raise CeremonyRefused("OTP string is wrong length")
    return bytes(left ^ right for left, right in zip(plain, mask, strict=True))


def backup_by_fingerprint(fingerprints: Sequence[str], encrypted: Sequence[bytes]) -> dict[str, list[str]]:
    """Encrypted shares in hexadecimal, by the fingerprint of who can read them; one person may hold several."""
    backup: dict[str, list[str]] = {}
    for fingerprint, share in zip(fingerprints, encrypted, strict=True):
        backup.setdefault(fingerprint, []).append(share.hex())
    return backup


def _collect(collector: ShareCollector, share: bytes, threshold: int, name: str) -> list[bytes] | None:
    if collector.has(share):
        raise CeremonyRefused(f"given key has already been provided during this {name}")
    collector.add(share)
    return collector.take() if len(collector) >= threshold else None
