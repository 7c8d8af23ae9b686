"""Batch tokens: everything a token says, encrypted, with nothing stored.

`hvb.` | unpadded base64url of: version (1) | salt (16) | nonce (12) | AES-256-GCM of the packed claims | tag (16).
Each token has its own key, HMAC-SHA256 of the salt under the cluster's batch key, so that the number of tokens does not
wear the cipher out. The batch key lies behind the barrier: every unsealed node can read and make these tokens.
"""

import base64
import binascii
import hmac
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.token import TokenEntry
from strongroom_node.tokens.ids import BATCH_PREFIX, TOKEN_CHARACTERS_MAX
from strongroom_storage.crypto.entropy import random_bytes

KEY_BYTES: Final = 32
_VERSION: Final = b"\x01"
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_HEADER_BYTES: Final = 1 + _SALT_BYTES + _NONCE_BYTES
_CONTEXT: Final = b"strongroom batch token\x01"


class Claims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a batch token carries. Times are Unix seconds, durations seconds; `parent` is a salted id."""

    parent: str = ""
    policies: tuple[str, ...] = ()
    path: str = ""
    meta: dict[str, str] = {}
    display_name: str = ""
    creation_time: float = 0.0
    ttl: float = 0.0
    entity_id: str = ""
    role: str = ""
    bound_cidrs: tuple[str, ...] = ()
    no_default_policy: bool = False


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Claims)


def new_key() -> bytes:
    """A fresh batch key; a cluster makes one in its life."""
    return random_bytes(KEY_BYTES)


def seal(key: bytes, entry: TokenEntry) -> str:
    """The batch token that says what the entry says. Raises BadRequest if it would be too long to be sent."""
    claims = Claims(
        parent=entry.parent,
        policies=entry.policies,
        path=entry.path,
        meta=entry.meta,
        display_name=entry.display_name,
        creation_time=entry.creation_time,
        ttl=entry.creation_ttl,
        entity_id=entry.entity_id,
        role=entry.role,
        bound_cidrs=entry.bound_cidrs,
        no_default_policy=entry.no_default_policy,
    )
    header = _VERSION + random_bytes(_SALT_BYTES) + random_bytes(_NONCE_BYTES)
    body = _cipher(key, header).encrypt(header[-_NONCE_BYTES:], _ENCODER.encode(claims), _CONTEXT + header)
    token = BATCH_PREFIX + base64.urlsafe_b64encode(header + body).rstrip(b"=").decode()
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise BadRequest("the batch token would be too long; it carries too much metadata or too many policies")
    return token


def unseal(key: bytes, token: str, token_key: str) -> TokenEntry | None:
    """What a batch token says, or None if this cluster did not make it. Whether it has ended is the caller's to ask.

    `token_key` becomes the entry's key.
    """
    if len(token) > TOKEN_CHARACTERS_MAX or not token.startswith(BATCH_PREFIX):
        return None
    text = token[len(BATCH_PREFIX) :]
    try:
        frame = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(frame) < _HEADER_BYTES + _TAG_BYTES or frame[:1] != _VERSION:
        return None
    header = frame[:_HEADER_BYTES]
    try:
        packed = _cipher(key, header).decrypt(header[-_NONCE_BYTES:], frame[_HEADER_BYTES:], _CONTEXT + header)
        claims = _DECODER.decode(packed)
    except (InvalidTag, msgspec.DecodeError):
        return None
    return _entry(claims, token_key)


def _cipher(key: bytes, header: bytes) -> AESGCM:
    return AESGCM(hmac.digest(key, _CONTEXT + header[1 : 1 + _SALT_BYTES], "sha256"))


def _entry(claims: Claims, token_key: str) -> TokenEntry:
    return TokenEntry(
        key=token_key,
        parent=claims.parent,
        policies=claims.policies,
        path=claims.path,
        meta=claims.meta,
        display_name=claims.display_name,
        creation_time=claims.creation_time,
        creation_ttl=claims.ttl,
        expire_time=claims.creation_time + claims.ttl,
        type="batch",
        entity_id=claims.entity_id,
        role=claims.role,
        bound_cidrs=claims.bound_cidrs,
        no_default_policy=claims.no_default_policy,
        ttl=claims.ttl,
    )
