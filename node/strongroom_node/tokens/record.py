"""How a token's record is written and read."""

import msgspec

from strongroom_node.sdk.token import TokenEntry

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(TokenEntry)

LAST_USE = -1
"""In `num_uses`: the last use has begun, nobody else may use the token."""


class AccessorEntry(msgspec.Struct, frozen=True):
    """What the accessor index holds: the accessor itself, for listing, and the salted id of its token."""

    accessor: str
    key: str


_ACCESSOR_DECODER = msgspec.msgpack.Decoder(AccessorEntry)


def encode_entry(entry: TokenEntry) -> bytes:
    """The stored form."""
    return _ENCODER.encode(entry)


def decode_entry(packed: bytes) -> TokenEntry:
    """From the stored form."""
    return _DECODER.decode(packed)


def encode_accessor(entry: AccessorEntry) -> bytes:
    """The stored form."""
    return _ENCODER.encode(entry)


def decode_accessor(packed: bytes) -> AccessorEntry:
    """From the stored form."""
    return _ACCESSOR_DECODER.decode(packed)


def is_alive(entry: TokenEntry, now: float) -> bool:
    """True if a token may be used: not ended, not being revoked, not in its last use."""
    return not entry.revoked and entry.num_uses >= 0 and (not entry.expire_time or now < entry.expire_time)


def exists(entry: TokenEntry, now: float) -> bool:
    """As `is_alive`, but a last use that goes on counts."""
    return not entry.revoked and (not entry.expire_time or now < entry.expire_time)


def due_name(entry: TokenEntry) -> str:
    """What stands for a token in the index of what is due, whether it has a lease or not."""
    return entry.lease_id or f"{entry.path}/{entry.key}"
