"""Log commands: versioned msgpack, everything that applying needs and nothing that could differ between nodes.

A write command is `[1, [key, payload, key, payload, ...]]`: payload is the record without its index (flags | body),
or nil to delete. Several transactions travel in one command, in their order.
"""

from collections.abc import Iterable
from typing import Final

import msgpack

from strongroom_cluster.errors import CommandInvalid
from strongroom_storage.log import Operation

VERSION_WRITE: Final = 1

# Larger than the largest transaction with a full batch before it; a longer one is refused unread.
COMMAND_BYTES_MAX: Final = 32 << 20

_pack = msgpack.Packer(use_bin_type=True).pack


def encode_write(operations: Iterable[Operation]) -> bytes:
    """The command that carries out the operations in order."""
    flat: list[bytes | None] = []
    for operation in operations:
        flat += operation
    packed: bytes = _pack((VERSION_WRITE, flat))
    return packed


def decode_write(command: bytes) -> list[bytes | None]:
    """Keys and payloads, alternating. Raises CommandInvalid for anything `encode_write` does not write."""
    if len(command) > COMMAND_BYTES_MAX:
        raise CommandInvalid("a command is too large")
    try:
        decoded = msgpack.unpackb(command, raw=False)
    except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
        raise CommandInvalid("a command is not readable") from error
    match decoded:
        case [version, list(flat)] if version == VERSION_WRITE and len(flat) % 2 == 0 and _is_flat(flat):
            return flat
        case [int(version), *_] if version != VERSION_WRITE:
            raise CommandInvalid(f"a command has version {version}; this program knows {VERSION_WRITE}")
        case _:
            raise CommandInvalid("a command has a wrong shape")


def _is_flat(flat: list[object]) -> bool:
    keys_fit = all(type(key) is bytes and key and key[0] for key in flat[::2])
    return keys_fit and all(payload is None or (type(payload) is bytes and payload) for payload in flat[1::2])
