"""Objects to bytes and back: msgpack with limits, in one place.

Maps keep the order of insertion; tuples come back as lists. Only plain values pass: no extension types.
"""

from typing import Any, Final

import msgpack

from strongroom_storage.entry import VALUE_BYTES_MAX
from strongroom_storage.errors import CodecInvalid, ValueTooLarge

# Deeper than any honest record; msgpack's own parser stops at 512 (unpack) and 511 (pack).
DEPTH_MAX: Final = 64


def pack(value: Any) -> bytes:
    """Encode an object. Raises ValueTooLarge beyond 1 MiB or 64 levels."""
    try:
        packed: bytes = msgpack.packb(value, use_bin_type=True)
    except ValueError as error:
        raise ValueTooLarge("the value is nested too deeply or too large to be stored") from error
    except OverflowError as error:
        raise ValueTooLarge("the value holds an integer beyond 64 bits") from error
    if len(packed) > VALUE_BYTES_MAX:
        raise ValueTooLarge(f"the value is larger than {VALUE_BYTES_MAX} bytes")
    if _is_deep(value, DEPTH_MAX):
        raise ValueTooLarge(f"the value is nested more than {DEPTH_MAX} levels deep")
    return packed


def unpack(packed: bytes) -> Any:
    """Decode what `pack` wrote. Raises CodecInvalid."""
    if len(packed) > VALUE_BYTES_MAX:
        raise CodecInvalid("the stored value is too large")
    try:
        return msgpack.unpackb(packed, raw=False, strict_map_key=False)
    except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
        raise CodecInvalid("the stored value is not valid msgpack") from error


def _is_deep(value: Any, levels: int) -> bool:
    """Whether containers nest deeper than `levels`; msgpack has refused cycles and 511 levels already."""
    if isinstance(value, dict):
        return levels == 0 or any(_is_deep(item, levels - 1) for item in value.values() if isinstance(item, _NESTS))
    if isinstance(value, (list, tuple)):
        return levels == 0 or any(_is_deep(item, levels - 1) for item in value if isinstance(item, _NESTS))
    return False


_NESTS: Final = (dict, list, tuple)
