"""From a complete HTTP message to the `Request` that the core answers. Linear work, nothing trusted."""

import re
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec
from multidict import CIMultiDictProxy

from strongroom_node.http.body import TOO_LARGE
from strongroom_node.http.errors import WireError
from strongroom_node.http.head import Head
from strongroom_node.http.settings import JSONLimits, ListenerSettings
from strongroom_node.sdk.durations import DurationInvalid, parse_duration
from strongroom_node.sdk.request import Operation, Request
from strongroom_storage.crypto.entropy import UUIDSource

PATH_BYTES_MAX: Final = 4096
"""Of the decoded path. Storage keys end at 500 bytes; certificates in OCSP paths are the longest of the rest."""
SEGMENTS_MAX: Final = 128
QUERY_FIELDS_MAX: Final = 256
FORM_BYTES_MAX: Final = 1 << 20
"""Of a form. Taking escapes out of one costs a hundred times what decoding as much JSON does."""

_WRITES: Final = {"POST": Operation.UPDATE, "PUT": Operation.UPDATE, "PATCH": Operation.PATCH}
_LISTS: Final = {"LIST": Operation.LIST, "SCAN": Operation.SCAN}
_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"", "0", "f", "F", "FALSE", "false", "False"})
_BLANK_BYTES_MAX: Final = 64
_MERGE_PATCH: Final = "application/merge-patch+json"
_FORM: Final = "application/x-www-form-urlencoded"
_AUTHORITY: Final = re.compile(r"https?://[^/?#]+", re.IGNORECASE)
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_OBJECT: Final = msgspec.json.Decoder()
_QUOTE: Final = ord('"')
_new_request_id: Final = UUIDSource()
"""Requests are read on the event loop's thread only; their ids must be unique, not secret."""
_BAD_JSON: Final = "failed to decode JSON input: "


def read_path(target: str) -> tuple[str, str]:
    """The decoded path of a request target, with its leading slash, and the raw query.

    Raises WireError 400 for what no path may hold: too much, control characters, `.` and `..` segments.
    """
    raw, _, query = target.partition("?")
    if not raw.startswith("/"):
        raw = _without_authority(raw)
    if len(raw) > 3 * PATH_BYTES_MAX or raw.count("/") > SEGMENTS_MAX:
        raise WireError(400, f"path too long: at most {PATH_BYTES_MAX} bytes in {SEGMENTS_MAX} segments")
    path = raw
    if "%" in raw or not raw.isascii():
        try:
            path = unquote_to_bytes(raw).decode()
        except UnicodeError:
            raise WireError(400, "path is not UTF-8") from None
    if len(path.encode(errors="surrogatepass")) > PATH_BYTES_MAX or path.count("/") > SEGMENTS_MAX:
        raise WireError(400, f"path too long: at most {PATH_BYTES_MAX} bytes in {SEGMENTS_MAX} segments")
    if _UNPRINTABLE.search(path) is not None:
        raise WireError(400, "path has characters that cannot be printed")
    if "/." in path and any(part in {".", ".."} for part in path.split("/")):
        raise WireError(400, "path may not have . or .. as a segment")
    return path, query


def _without_authority(target: str) -> str:
    """The path of a target in absolute form (RFC 9112, section 3.2.2), as sent to a proxy."""
    match = _AUTHORITY.match(target)
    if match is None or not target.startswith("/", match.end()):
        raise WireError(400, "the request target must be a path")
    return target[match.end() :]


def read_query(query: str) -> dict[str, Any]:
    """The fields of a query string; a repeated one becomes a list."""
    if not query:
        return {}
    found: dict[str, Any] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=QUERY_FIELDS_MAX, errors="strict")
    except ValueError:
        raise WireError(400, "failed to parse the query") from None
    for name, value in pairs:
        if name in found:
            before = found[name]
            found[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            found[name] = value
    return found


def read_body(body: bytes, content_type: str, limits: JSONLimits) -> dict[str, Any]:
    """The fields of a body: JSON whatever its type says, or a form. Raises WireError 400."""
    if not body:
        return {}
    if content_type.startswith(_FORM) and not body[:_BLANK_BYTES_MAX].lstrip().startswith(b"{"):
        return _read_form(body)
    _check_bounds(body, limits)
    try:
        value = _OBJECT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(400, _BAD_JSON + _reason(error)) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise WireError(400, f"{_BAD_JSON}expected an object")
    return value


def _reason(error: Exception) -> str:
    """What is wrong, without a word of the body."""
    text = str(error)
    if "truncated" in text:
        return "unexpected EOF"
    at = text.rfind("(byte ")
    return f"invalid JSON at {text[at + 1 : -1]}" if at >= 0 else "invalid JSON"


def _read_form(body: bytes) -> dict[str, Any]:
    if len(body) > FORM_BYTES_MAX:
        raise WireError(413, TOO_LARGE)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=QUERY_FIELDS_MAX, errors="strict")
    except ValueError:
        raise WireError(400, "error parsing form data") from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: ",".join(values) for name, values in found.items()}


_MARK: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},]', re.DOTALL)
"""A string or a mark of structure. A string without an end reaches to the end of the body: no byte is read twice."""


def _check_bounds(body: bytes, limits: JSONLimits) -> None:
    """Bounds before anything is built of the body; strings are looked into only where a plain count is too high."""
    opened = body.count(b"[") + body.count(b"{")
    is_plain = (
        opened <= limits.depth
        and (body.count(b'"') <= 2 * limits.strings or not limits.strings)
        and (max(opened, body.count(b",")) <= limits.entries or not limits.entries)
    )
    if is_plain:
        return
    depth = strings = containers = entries = 0
    for match in _MARK.finditer(body):
        first = body[match.start()]
        if first == _QUOTE:
            strings += 1
        elif first in b"[{":
            depth += 1
            containers += 1
        elif first in b"]}":
            depth -= 1
        else:
            entries += 1
        if depth > limits.depth:
            raise WireError(400, f"{_BAD_JSON}nested more than {limits.depth} deep")
        if strings > limits.strings > 0:
            raise WireError(400, f"{_BAD_JSON}more than {limits.strings} strings")
        if max(entries, containers) > limits.entries > 0:
            raise WireError(400, f"{_BAD_JSON}more than {limits.entries} entries")


def token_of(headers: CIMultiDictProxy[str]) -> str:
    """The token a request carries; `X-Vault-Token` wins over a bearer."""
    token = headers.get("X-Vault-Token")
    if token:
        return token
    authorization = headers.get("Authorization")
    if authorization is not None and authorization[:7].lower() == "bearer ":
        return authorization[7:].strip()
    return ""


def read_request(
    head: Head, body: bytes, path: str, query: str, settings: ListenerSettings, remote: tuple[str, int]
) -> Request:
    """The core's request. `path` is below `/v1/`. Raises WireError."""
    headers = head.headers
    method = head.method
    fields = read_query(query)
    operation = _WRITES.get(method)
    if operation is not None:
        if method == "PATCH":
            _check_patch(headers.get("Content-Type", ""))
        if path.endswith("/"):
            raise WireError(400, "cannot write to a path ending in '/'")
        data = read_body(body, headers.get("Content-Type", ""), settings.json_limits)
    else:
        operation, data = _reading(method, fields), fields
        if operation in {Operation.LIST, Operation.SCAN} and not path.endswith("/"):
            path += "/"
    request = Request(
        operation,
        path,
        data,
        _new_request_id(),
        token_of(headers),
        remote[0],
        remote[1],
        headers,
        fields,
        headers.get("X-Vault-Namespace", "").strip("/"),
        body,
    )
    if request.namespace == "root":
        request.namespace = ""
    if (wrap := headers.get("X-Vault-Wrap-TTL")) is not None:
        request.wrap_ttl = _wrap_ttl(wrap)
        request.wrap_format = headers.get("X-Vault-Wrap-Format", "")
    return request


def _reading(method: str, fields: dict[str, Any]) -> Operation:
    """The operation of a verb without a body; takes `list`, `scan` and `help` out of the fields if they are true."""
    if method in _LISTS:
        return _LISTS[method]
    if method == "DELETE":
        return Operation.DELETE
    if method == "HELP":
        return Operation.HELP
    if method != "GET":
        raise WireError(405)
    for name, operation in (("help", Operation.HELP), ("list", Operation.LIST), ("scan", Operation.SCAN)):
        if (asked := fields.get(name)) is None:
            continue
        if isinstance(asked, list):  # the first one counts, as in Go
            asked = asked[0]
        if asked in _TRUE:
            del fields[name]
            return operation
        if asked not in _FALSE:
            raise WireError(400)
    return Operation.READ


def _check_patch(content_type: str) -> None:
    if content_type.split(";", 1)[0].strip().lower() != _MERGE_PATCH:
        raise WireError(415, f"PATCH requires Content-Type of {_MERGE_PATCH}, provided {content_type[:100]}")


def _wrap_ttl(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except DurationInvalid:
        raise WireError(400, "error parsing X-Vault-Wrap-TTL: not a duration") from None
    if seconds < 0:
        raise WireError(400, "requested wrap ttl cannot be negative")
    return seconds
