"""The caller's JSON, kept as it was written: no digit of a number and no key's place is lost."""

from typing import Any, Final

import msgspec

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.request import Request

BODY_BYTES_MAX: Final = (1 << 20) - 64
"""Vault's largest entry (1 MiB), less what the barrier adds."""
DEPTH_MAX: Final = 128
"""How deep maps and lists may nest: far beyond honest secrets, and safe for every parser that reads them back."""
KEYS_MAX: Final = 10_000
"""How many keys and list items one secret may hold, at all levels together."""


class _Document(msgspec.Struct):
    """The one member of a KV v2 write that is kept verbatim."""

    data: msgspec.Raw = msgspec.Raw()


_decode_document = msgspec.json.Decoder(_Document).decode
_encode = msgspec.json.Encoder().encode
decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
"""The members of a JSON object, their values unread. Of members with the same name the last one counts."""


def versioned_body(request: Request) -> bytes:
    """The JSON object under `data` of a KV v2 write. Raises BadRequest."""
    if "data" not in request.data:
        raise BadRequest("no data provided")
    value = request.data["data"]
    if isinstance(value, dict) and request.body:
        try:
            raw = bytes(_decode_document(request.body).data)
        except (msgspec.DecodeError, RecursionError):
            raw = b""
        if raw.startswith(b"{") and _is_text(raw):
            return checked(raw)
    return checked(_encode(request.fields.get("data", {})))


def whole_body(request: Request) -> bytes:
    """The JSON object that is a whole KV v1 write. Raises BadRequest."""
    raw = request.body.strip(b" \t\r\n")
    if raw.startswith(b"{") and _is_text(raw):
        try:
            if decode_members(raw).keys() == request.data.keys():
                return checked(raw)
        except (msgspec.DecodeError, RecursionError):
            pass
    return checked(_encode(request.data))


def checked(raw: bytes) -> bytes:
    """The same bytes, if they keep the limits. Raises BadRequest."""
    if len(raw) > BODY_BYTES_MAX:
        raise BadRequest(f"the secret is larger than {BODY_BYTES_MAX} bytes")
    # No document nests deeper than it has brackets, nor holds more members than it has commas and brackets.
    brackets = raw.count(b"{") + raw.count(b"[")
    if brackets > DEPTH_MAX or raw.count(b",") + brackets > KEYS_MAX:
        _measure(raw)
    return raw


def _measure(raw: bytes) -> None:
    try:
        level: list[Any] = [msgspec.json.decode(raw)]
    except RecursionError as error:
        raise BadRequest("the secret is nested too deeply") from error
    depth = members = 0
    while level:
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inner.extend(value.values())
            elif isinstance(value, list):
                inner.extend(value)
        members += len(inner)
        depth += bool(inner)
        if depth > DEPTH_MAX:
            raise BadRequest(f"the secret is nested more than {DEPTH_MAX} levels deep")
        if members > KEYS_MAX:
            raise BadRequest(f"the secret holds more than {KEYS_MAX} keys")
        level = inner


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
