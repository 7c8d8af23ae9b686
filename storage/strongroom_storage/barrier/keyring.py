"""The keyring: key terms, their keys, and when to add one. Pure: time and keys are passed in."""

from dataclasses import dataclass, field, replace
from typing import Final, Self

from strongroom_storage import codec
from strongroom_storage.crypto.aead import AEAD, KEY_BYTES
from strongroom_storage.crypto.secret import SecretBytes
from strongroom_storage.errors import CodecInvalid, StoreDamaged

VERSION: Final = 1

# Vault's default: 90 % of 2**32, so that lost counts do not carry a term over the limit of AES-GCM.
OPERATIONS_MAX_DEFAULT: Final = 3_865_470_566
OPERATIONS_MAX_MIN: Final = 1_000_000  # Vault refuses fewer
INTERVAL_SECONDS_MIN: Final = 24 * 3600  # Vault refuses shorter, except 0


@dataclass(frozen=True, slots=True)
class RotationConfig:
    """When to rotate without being asked. An interval of 0 seconds means never by time."""

    operations_max: int = OPERATIONS_MAX_DEFAULT
    interval_seconds: int = 0
    is_enabled: bool = True

    def checked(self) -> Self:
        """This configuration, if it is allowed. Raises ValueError with a text for the operator."""
        if self.operations_max < OPERATIONS_MAX_MIN or self.operations_max > OPERATIONS_MAX_DEFAULT:
            raise ValueError(f"max_operations must be between {OPERATIONS_MAX_MIN} and {OPERATIONS_MAX_DEFAULT}")
        if self.interval_seconds and self.interval_seconds < INTERVAL_SECONDS_MIN:
            raise ValueError("interval must be 0 or at least 24 hours")
        return self


@dataclass(frozen=True, slots=True)
class KeyTerm:
    """One key of the keyring. `installed` is in seconds since the epoch; `encryptions` counts earlier sessions too."""

    term: int
    key: SecretBytes = field(repr=False)
    installed: float
    encryptions: int = 0


@dataclass(frozen=True, slots=True)
class Keyring:
    """All key terms; the newest seals, every one opens. Immutable: each change gives a new keyring."""

    terms: tuple[KeyTerm, ...]
    rotation: RotationConfig = RotationConfig()

    @classmethod
    def first(cls, key: bytes, now: float) -> Self:
        """A keyring of one term."""
        return cls((KeyTerm(1, SecretBytes(key), now),))

    @property
    def active(self) -> KeyTerm:
        """The term that seals."""
        return self.terms[-1]

    def rotated(self, key: bytes, now: float) -> Self:
        """With one more term, which seals from now on."""
        return replace(self, terms=(*self.terms, KeyTerm(self.active.term + 1, SecretBytes(key), now)))

    def counted(self, encryptions: dict[int, int]) -> Self:
        """With the numbers of encryptions by term brought up to date; they never shrink."""
        terms = (replace(t, encryptions=max(t.encryptions, encryptions.get(t.term, 0))) for t in self.terms)
        return replace(self, terms=tuple(terms))

    def is_rotation_due(self, encryptions: int, now: float) -> bool:
        """Whether the active term has sealed enough, or is old enough, to be followed by another."""
        rotation = self.rotation
        if not rotation.is_enabled:
            return False
        if encryptions >= rotation.operations_max:
            return True
        return bool(rotation.interval_seconds) and now >= self.active.installed + rotation.interval_seconds

    def sealed(self, root_key: bytes, path: bytes) -> bytes:
        """The keyring encrypted under the root key: format version (1) | nonce | ciphertext | tag."""
        terms = [[t.term, t.key.reveal(), t.installed, t.encryptions] for t in self.terms]
        rotation = [self.rotation.operations_max, self.rotation.interval_seconds, self.rotation.is_enabled]
        return bytes([VERSION]) + AEAD(root_key).seal(codec.pack({"terms": terms, "rotation": rotation}), path)

    @classmethod
    def opened(cls, root_key: bytes, path: bytes, sealed: bytes) -> Self:
        """The keyring that `sealed` wrote. Raises FrameInvalid for a wrong root key, StoreDamaged for nonsense."""
        if sealed[:1] != bytes([VERSION]):
            raise StoreDamaged(f"the keyring has a format this program does not know; it knows {VERSION}")
        plain = AEAD(root_key).open(sealed, path, 1)
        try:
            stored = codec.unpack(plain)
            terms = tuple(KeyTerm(int(t), SecretBytes(k), float(i), int(n)) for t, k, i, n in stored["terms"])
            operations_max, interval_seconds, is_enabled = stored["rotation"]
        except (CodecInvalid, KeyError, TypeError, ValueError) as error:
            raise StoreDamaged("the keyring is not readable") from error
        if not terms or any(len(t.key) != KEY_BYTES for t in terms):
            raise StoreDamaged("the keyring holds no usable key")
        return cls(terms, RotationConfig(int(operations_max), int(interval_seconds), bool(is_enabled)))

    def wipe(self) -> None:
        """Overwrite all keys."""
        for term in self.terms:
            term.key.wipe()
