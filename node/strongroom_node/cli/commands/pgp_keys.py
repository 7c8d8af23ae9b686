"""Reads public keys for shares: files with an armored, a binary or a base64 key."""

from base64 import b64decode, b64encode
from collections.abc import Sequence

from strongroom_node.cli.command import UsageFailed

KEY_BYTES_MAX = 1024 * 1024
ARMOR = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"


def read_keys(flag: str, texts: Sequence[str]) -> list[str]:
    """The base64 of every key named by a repeated, comma-separated flag. Raises UsageFailed."""
    names = [name.strip() for text in texts for name in text.split(",")]
    return [read_key(flag, name) for name in names if name]


def read_key(flag: str, name: str) -> str:
    """The base64 of one key. A leading "@" is allowed. Raises UsageFailed naming the flag."""
    if name.startswith("keybase:"):
        raise UsageFailed(f'invalid value "{name}" for flag -{flag}: keybase is not supported; give a file')
    path = name.removeprefix("@")
    try:
        with open(path, "rb") as file:  # noqa: PTH123  -- pathlib costs 5 ms
            content = file.read(KEY_BYTES_MAX + 1)
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise UsageFailed(f'invalid value "{name}" for flag -{flag}: open {path}: {reason}') from error
    if len(content) > KEY_BYTES_MAX:
        raise UsageFailed(f'invalid value "{name}" for flag -{flag}: the file is longer than {KEY_BYTES_MAX} bytes')
    if content.lstrip().startswith(ARMOR):
        return b64encode(_dearmor(flag, name, content)).decode()
    try:
        b64decode(b"".join(content.split()), validate=True)
    except ValueError:
        return b64encode(content).decode()
    return b"".join(content.split()).decode()


def _dearmor(flag: str, name: str, content: bytes) -> bytes:
    """The bytes inside an armor: what stands between the empty line and the checksum. RFC 9580 §6.2."""
    lines = [line.strip() for line in content.replace(b"\r\n", b"\n").strip().split(b"\n")]
    start = lines.index(b"") if b"" in lines else 0
    body = []
    for line in lines[start + 1 :]:
        if line.startswith((b"=", b"-----END")):
            break
        body.append(line)
    try:
        return b64decode(b"".join(body), validate=True)
    except ValueError as error:
        raise UsageFailed(f'invalid value "{name}" for flag -{flag}: the armor is damaged') from error
