"""The `static` seal: a 32-byte key from a file, the environment or the configuration opens the barrier by itself."""

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from strongroom_node.seals.registry import SealType
from strongroom_storage.crypto.secret import SecretBytes
from strongroom_storage.seal.envelope import envelope_key_id, open_envelope, seal_envelope
from strongroom_storage.seal.errors import SealConfigInvalid, UnwrapFailed
from strongroom_storage.seal.protocol import SealHealth
from strongroom_storage.seal.shares import KEY_BYTES

_VALUE_BYTES_MAX: Final = 4096
"""Far above a key in any spelling; a device or a log named by mistake is not read to its end."""


class StaticSeal:
    """AES-256-GCM under a configured key. Every blob names its key, so the previous key can still open it."""

    kind = "static"
    stores_keys = True

    def __init__(self, current_id: str, keys: Mapping[str, SecretBytes]) -> None:
        self._current_id = current_id
        self._keys = dict(keys)

    async def wrap(self, key: bytes) -> bytes:
        """`key` under the current key."""
        return seal_envelope(self._keys[self._current_id].reveal(), self._current_id, key)

    async def unwrap(self, blob: bytes) -> SecretBytes:
        """What `wrap` was given, under the current or the previous key. Raises UnwrapFailed."""
        key_id = envelope_key_id(blob)
        key = self._keys.get(key_id)
        if key is None:
            raise UnwrapFailed(f"the stored key was wrapped with {key_id!r}, which is neither current nor previous key")
        return SecretBytes(open_envelope(key.reveal(), blob))

    def is_current(self, blob: bytes) -> bool:
        """Whether the current key wrapped it."""
        return envelope_key_id(blob) == self._current_id

    async def health(self) -> SealHealth:
        """The key is in memory: always there."""
        return SealHealth(is_healthy=True)

    def __repr__(self) -> str:
        """The key's id only."""
        return f"<StaticSeal {self._current_id!r}>"


def read_key(setting: str, value: str, environment: Mapping[str, str] | None = None) -> SecretBytes:
    """The key that a setting holds or leads to: `file://PATH`, `env://NAME`, or the key itself.

    The key is 32 raw bytes, or those in hexadecimal or base64 (either alphabet); a final line break is ignored.
    Raises SealConfigInvalid, which names the setting and never the value.
    """
    if value.startswith("file://"):
        raw = _read_file(setting, Path(value.removeprefix("file://")))
    elif value.startswith("env://"):
        name = value.removeprefix("env://")
        found = (os.environ if environment is None else environment).get(name)
        if not found:
            raise SealConfigInvalid(f'seal "static": {setting}: environment variable {name} is not set')
        raw = os.fsencode(found)
    else:
        raw = value.encode()
    key = _decode(raw)
    if key is None:
        raise SealConfigInvalid(f'seal "static": {setting} must be a 32-byte key: raw, in hexadecimal or in base64')
    return SecretBytes(key)


def make(settings: Mapping[str, Any]) -> StaticSeal:
    """The seal of a stanza. Raises SealConfigInvalid."""
    current_id = _text(settings, "current_key_id", is_required=True)
    keys = {current_id: read_key("current_key", _text(settings, "current_key", is_required=True))}
    previous_id, previous = _text(settings, "previous_key_id"), _text(settings, "previous_key")
    if bool(previous_id) != bool(previous):
        raise SealConfigInvalid('seal "static": previous_key and previous_key_id belong together')
    if previous_id:
        if previous_id == current_id:  # a blob could not say which of the two opens it
            raise SealConfigInvalid('seal "static": current_key_id and previous_key_id must differ')
        keys[previous_id] = read_key("previous_key", previous)
    return StaticSeal(current_id, keys)


def _text(settings: Mapping[str, Any], name: str, *, is_required: bool = False) -> str:
    value = settings.get(name, "")
    if not isinstance(value, str):
        raise SealConfigInvalid(f'seal "static": {name} must be a string')
    if is_required and not value:
        raise SealConfigInvalid(f'seal "static": {name} is required')
    return value


def _read_file(setting: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_VALUE_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise SealConfigInvalid(f'seal "static": {setting}: cannot read {path}: {reason}') from None


def _decode(raw: bytes) -> bytes | None:
    if len(raw) == KEY_BYTES:
        return raw
    text = raw.rstrip(b"\r\n")
    if len(text) == KEY_BYTES:
        return text
    try:
        key = binascii.unhexlify(text)
    except ValueError:
        try:
            key = base64.b64decode(
                text.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(text) % 4), validate=True
            )
        except ValueError:
            return None
    return key if len(key) == KEY_BYTES else None


SEAL: Final = SealType("static", "A configured key opens the barrier by itself.", make)
