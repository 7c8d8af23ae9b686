"""What is stored of a versioned secret beside its data, and every decision about its versions.

Pure values: a decision takes a `Secret` and gives another. Times are microseconds since the epoch, durations
microseconds, 0 meaning unset.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from strongroom_node.sdk.durations import format_duration
from strongroom_node.sdk.timestamps import MICROSECONDS, format_micros

VERSIONS_DEFAULT: Final = 10
"""How many versions are kept when neither the mount nor the secret says."""
VERSIONS_MAX: Final = 10_000
"""The largest `max_versions`: a secret's record lists all its versions, and a record must stay below 1 MiB."""


class Config(msgspec.Struct, frozen=True, array_like=True):
    """What `config` of a versioned mount sets. A negative `delete_after` forbids automatic deletion."""

    max_versions: int = 0
    cas_required: bool = False
    delete_after: int = 0


class Version(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One version: when it was made, when it is or will be deleted (0: never), whether its data are destroyed."""

    created: int
    deleted: int = 0
    destroyed: bool = False

    def is_gone(self, now: int) -> bool:
        """True if its data may not be read."""
        return self.destroyed or 0 < self.deleted <= now

    def describe(self) -> dict[str, Any]:
        """As answers show it."""
        return {
            "created_time": format_micros(self.created),
            "deletion_time": format_micros(self.deleted) if self.deleted else "",
            "destroyed": self.destroyed,
        }


class Secret(msgspec.Struct, frozen=True, array_like=True):
    """A secret's record. `versions` holds every number from `first` to `current` without a gap.

    `id` names the folder of its data. `oldest` is what Vault calls `oldest_version`: 0 until the versions first
    reach their limit.
    """

    id: str
    created: int
    updated: int
    current: int = 0
    oldest: int = 0
    versions: tuple[Version, ...] = ()
    max_versions: int = 0
    cas_required: bool = False
    delete_after: int = 0
    custom: dict[str, str] | None = None

    @property
    def first(self) -> int:
        """Number of the oldest version that is still listed."""
        return self.current - len(self.versions) + 1

    def version(self, number: int) -> Version | None:
        """A version by its number, or None if it never was or was trimmed."""
        at = number - self.current + len(self.versions) - 1
        return self.versions[at] if 0 <= at < len(self.versions) else None

    def describe_version(self, number: int, version: Version) -> dict[str, Any]:
        """What reads and writes of data tell of one version."""
        return {
            "created_time": format_micros(version.created),
            "custom_metadata": self.custom,
            "deletion_time": format_micros(version.deleted) if version.deleted else "",
            "destroyed": version.destroyed,
            "version": number,
        }

    def describe(self) -> dict[str, Any]:
        """The answer to a read of the metadata."""
        return {
            "cas_required": self.cas_required,
            "created_time": format_micros(self.created),
            "current_version": self.current,
            "custom_metadata": self.custom,
            "delete_version_after": format_duration(self.delete_after / MICROSECONDS),
            "max_versions": self.max_versions,
            "oldest_version": self.oldest,
            "updated_time": format_micros(self.updated),
            "versions": {str(self.first + at): version.describe() for at, version in enumerate(self.versions)},
        }


def deletion_time(config: Config, secret: Secret, now: int) -> int:
    """When a version made or undeleted now will delete itself; 0 for never. The shorter period of the two holds."""
    if config.delete_after < 0:
        return 0
    periods = [period for period in (config.delete_after, secret.delete_after) if period > 0]
    return now + min(periods) if periods else 0


def versions_kept(config: Config, secret: Secret) -> int:
    """How many versions the secret keeps: the larger limit of the two."""
    return max(config.max_versions, secret.max_versions) or VERSIONS_DEFAULT


def add_version(config: Config, secret: Secret, now: int) -> tuple[Secret, range]:
    """The secret with one more version, and the numbers of the versions that this trims."""
    versions = (*secret.versions, Version(now, deletion_time(config, secret, now)))
    current, oldest, kept = secret.current + 1, secret.oldest, versions_kept(config, secret)
    first = current - len(versions) + 1
    trimmed = range(first, first)
    if current - oldest >= kept:
        oldest = current - kept + 1
        trimmed = range(first, max(first, oldest))
        versions = versions[len(trimmed) :]
    changed = msgspec.structs.replace(secret, current=current, oldest=oldest, versions=versions, updated=now)
    return changed, trimmed


def delete_versions(secret: Secret, numbers: set[int], now: int) -> Secret:
    """Versions that can be read become deleted; the others stay as they are."""
    return _change(secret, numbers, lambda version: None if version.is_gone(now) else _deleted(version, now))


def undelete_versions(config: Config, secret: Secret, numbers: set[int], now: int) -> Secret:
    """Deleted versions become readable, and their period begins again."""
    again = deletion_time(config, secret, now)
    return _change(secret, numbers, lambda version: None if version.destroyed else _deleted(version, again))


def destroy_versions(secret: Secret, numbers: set[int]) -> Secret:
    """The versions' data are gone for ever."""
    return _change(secret, numbers, lambda v: None if v.destroyed else msgspec.structs.replace(v, destroyed=True))


def _deleted(version: Version, when: int) -> Version:
    return msgspec.structs.replace(version, deleted=when)


def _change(secret: Secret, numbers: set[int], change: Callable[[Version], Version | None]) -> Secret:
    """The same object if nothing changes."""
    versions = list(secret.versions)
    for number in numbers:
        version = secret.version(number)
        changed = None if version is None else change(version)
        if changed is not None:
            versions[number - secret.first] = changed
    made = tuple(versions)
    return secret if made == secret.versions else msgspec.structs.replace(secret, versions=made)


encode = msgspec.msgpack.Encoder().encode
decode_secret = msgspec.msgpack.Decoder(Secret).decode
decode_config = msgspec.msgpack.Decoder(Config).decode
