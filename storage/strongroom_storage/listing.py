"""Ordered listing over a seek function: one level or all below, never loading a folder.

`/` sorts just before `0`, so everything below the folder `a/` lies in [`a/`, `a0`): one seek passes a folder of any
size.
"""

from strongroom_storage.backend import Seek
from strongroom_storage.errors import KeyTooLong

_PAST_FOLDER = b"0"
_JUST_AFTER = b"\x00"
_FIRST = b"\x01"  # keys of the store itself begin with NUL and are never listed
_POSITION_BYTES_MAX = 511  # what LMDB can seek


def list_page(seek: Seek, prefix: bytes, after: bytes = b"", limit: int = -1) -> list[bytes]:
    """Names one level below `prefix`: keys as `a`, folders as `dir/`; sorted, those greater than `after` only.

    At most `limit` names unless it is negative. Costs one seek a name, whatever the folders hold.
    """
    names: list[bytes] = []
    skip = len(prefix)
    position = _start(prefix, after)
    while len(names) != limit:
        key = seek(position)
        if key is None or not key.startswith(prefix):
            break
        slash = key.find(b"/", skip)
        if slash < 0:
            names.append(key[skip:])
            position = key + _JUST_AFTER
        else:
            names.append(key[skip : slash + 1])
            position = key[:slash] + _PAST_FOLDER
    return names


def walk(seek: Seek, prefix: bytes, after: bytes = b"", limit: int = -1) -> list[bytes]:
    """Keys below `prefix` at any depth, relative to it; sorted, those greater than `after` only."""
    keys: list[bytes] = []
    skip = len(prefix)
    position = prefix + after if after.endswith(b"/") else _start(prefix, after)
    while len(keys) != limit:
        key = seek(position)
        if key is None or not key.startswith(prefix):
            break
        keys.append(key[skip:])
        position = key + _JUST_AFTER
    return keys


def page_start(prefix: str, path: str, after: str) -> tuple[bytes, bytes]:
    """The key prefix of the folder `path` and the name to start after, as stored. Raises KeyTooLong."""
    folder = (prefix + path).encode("utf-8", "surrogatepass")
    if folder and not folder.endswith(b"/"):
        folder += b"/"
    start = after.encode("utf-8", "surrogatepass")
    if len(folder) + len(start) >= _POSITION_BYTES_MAX:
        raise KeyTooLong("the path to list is too long")
    return folder, start


def names(keys: list[bytes]) -> list[str]:
    """Keys as text."""
    return [key.decode() for key in keys]


def _start(prefix: bytes, after: bytes) -> bytes:
    """The smallest position that may hold a name greater than `after`."""
    if not after:
        return prefix or _FIRST
    if after.endswith(b"/"):
        return prefix + after[:-1] + _PAST_FOLDER
    return prefix + after + _JUST_AFTER
