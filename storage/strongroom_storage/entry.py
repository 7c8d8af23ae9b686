"""What a key may be, how large a value may be, and how a record is laid out.

A record is what a backend keeps under a key: index of the last change (8 bytes, big-endian) | flags (1) | body.
"""

from struct import Struct
from typing import Final

from strongroom_storage.errors import KeyInvalid, KeyTooLong

KEY_BYTES_MAX: Final = 500  # LMDB takes 511; the rest is kept for the store's own use.
VALUE_BYTES_MAX: Final = 1 << 20  # Vault's max_entry_size default.
TRANSACTION_BYTES_MAX: Final = 8 << 20  # One journal record and one network frame must hold it.

INDEX: Final = Struct(">Q")
FLAGS_AT: Final = INDEX.size
BODY_AT: Final = FLAGS_AT + 1

# Flags say who can open the body. A reader asks for one kind and refuses the others, so that a record which anybody
# with the disk could write is never taken for one that only the keyring could write.
FLAGS_BARRIER: Final = 0
FLAGS_PLAIN: Final = 1
FLAGS_ROOT: Final = 2

# Keys of the store itself begin with NUL, which no caller's key may hold.
RESERVED: Final = b"\x00"
APPLIED_KEY: Final = b"\x00applied"  # index (8) | term (8) of the last applied command
GENERATION_PREFIX: Final = b"\x00generation/"  # + name of the path class: how often it changed (8)

# What must be readable before the barrier opens: the only keys that may hold plain or root-sealed records, and which
# the barrier itself refuses. The class of a record follows from its key, whatever its flags claim.
_BOOTSTRAP: Final = (b"core/keyring", b"core/seal", b"core/recovery", b"core/hsm/")


def key_bytes(path: str) -> bytes:
    """The stored form of a path for writing. Raises KeyTooLong or KeyInvalid."""
    try:
        key = path.encode()
    except UnicodeEncodeError as error:
        raise KeyInvalid("the path is not valid Unicode") from error
    if len(key) > KEY_BYTES_MAX:
        raise KeyTooLong(f"the path is longer than {KEY_BYTES_MAX} bytes")
    if not key or key.endswith(b"/"):
        raise KeyInvalid("a key may not be empty or end with a slash")
    if b"\x00" in key:
        raise KeyInvalid("a key may not hold a NUL")
    if b".." in key and b".." in key.split(b"/"):
        raise KeyInvalid("a key may not hold a parent reference")
    return key


def is_bootstrap(key: bytes) -> bool:
    """Whether a key is of the class that is readable while the barrier is sealed."""
    return key.startswith(_BOOTSTRAP)


def record_index(record: bytes) -> int:
    """Index of the last change of a record."""
    index: int = INDEX.unpack_from(record)[0]
    return index
