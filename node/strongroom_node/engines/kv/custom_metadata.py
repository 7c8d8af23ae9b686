"""The caller's own notes on a secret: a small map of text to text."""

from typing import Any, Final

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import FieldInvalid, Text

KEYS_MAX: Final = 64
KEY_BYTES_MAX: Final = 128
VALUE_BYTES_MAX: Final = 512

_FAILED: Final = "custom_metadata validation failed"
_TEXT = Text()


def texts(given: dict[str, Any]) -> dict[str, str]:
    """The map with its scalars written out. Raises BadRequest for maps and lists as values."""
    try:
        return {name: "" if value is None else str(_TEXT.coerce(value)) for name, value in given.items()}
    except FieldInvalid as error:
        raise BadRequest(f"{_FAILED}: {error}") from error


def checked(custom: dict[str, str]) -> dict[str, str]:
    """The same map, if it keeps the limits. Raises BadRequest naming every fault."""
    if len(custom) > KEYS_MAX:
        raise BadRequest(_told(f"payload must contain at most {KEYS_MAX} keys, provided {len(custom)}"))
    faults = [fault for name, value in custom.items() for fault in _faults(name, value)]
    if faults:
        raise BadRequest(_told(*faults))
    return custom


def merged(before: dict[str, str] | None, patch: dict[str, Any]) -> dict[str, str]:
    """The map after a merge patch: null removes a key."""
    kept = {name: value for name, value in (before or {}).items() if name not in patch}
    return {**kept, **texts({name: value for name, value in patch.items() if value is not None})}


def _faults(name: str, value: str) -> list[str]:
    faults = []
    if not 0 < (size := len(name.encode())) <= KEY_BYTES_MAX:
        faults.append(f'length of key "{name}" is {size} but must be 0 < len(key) <= {KEY_BYTES_MAX}')
    if not 0 < (size := len(value.encode())) <= VALUE_BYTES_MAX:
        faults.append(f'length of value for key "{name}" is {size} but must be 0 < len(value) <= {VALUE_BYTES_MAX}')
    if not name.isprintable():
        faults.append(f'key "{name!r}" contains unprintable characters')
    if not value.isprintable():
        faults.append(f'value for key "{name}" contains unprintable characters')
    return faults


def _told(*faults: str) -> str:
    count = len(faults)
    lines = "".join(f"\t* {_FAILED}: {fault}\n" for fault in faults)
    return f"{count} error{'s' if count > 1 else ''} occurred:\n{lines}\n"
