"""An answer as it goes onto the wire."""

from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Final

import msgspec

from strongroom_node.http.errors import error_body
from strongroom_node.sdk.envelope import envelope
from strongroom_node.sdk.response import Response

JSON: Final = "application/json"
_ALWAYS: Final = "Cache-Control: no-store\r\nStrict-Transport-Security: max-age=31536000; includeSubDomains\r\n"
_ENCODER: Final = msgspec.json.Encoder()


class Answer:
    """Status, content type, body and further headers; made into bytes by `wire`."""

    __slots__ = ("body", "content_type", "headers", "status")

    def __init__(
        self, status: int, body: bytes = b"", content_type: str = JSON, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers

    def add(self, headers: Mapping[str, str]) -> None:
        """Further headers; those that are there stay."""
        self.headers = {**headers, **(self.headers or {})}


def of_response(request_id: str, response: Response | None) -> Answer:
    """The answer to a request that the core answered."""
    if response is None:
        return Answer(204)
    raw = response.raw
    if raw is not None:
        return Answer(raw.status, raw.body, raw.content_type, response.headers or None)
    status = response.status or (404 if response.missing else 200)
    if status == 202 and response.data is None and not response.warnings:
        return Answer(202, headers=response.headers or None)
    return Answer(status, _ENCODER.encode(envelope(request_id, response)), headers=response.headers or None)


def of_json(value: object, status: int = 200) -> Answer:
    """A JSON value without an envelope."""
    return Answer(status, _ENCODER.encode(value))


def of_errors(status: int, messages: tuple[str, ...], headers: Mapping[str, str] | None = None) -> Answer:
    """The answer that refuses."""
    return Answer(status, error_body(messages), headers=headers or None)


@lru_cache(maxsize=512)
def _start(status: int, content_type: str, closes: bool) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Status"
    connection = "Connection: close\r\n" if closes else ""
    kind = f"Content-Type: {content_type}\r\n" if content_type else ""
    return f"HTTP/1.1 {status} {phrase}\r\n{_ALWAYS}{kind}{connection}".encode("ascii")


def wire(answer: Answer, *, closes: bool = False, is_head: bool = False) -> bytes:
    """The bytes of an answer. Values of headers that cannot stand in one are left out."""
    parts = [_start(answer.status, answer.content_type, closes)]
    if answer.headers:
        parts += [_header(name, value) for name, value in answer.headers.items()]
    if answer.status == 204:
        parts.append(b"\r\n")
        return b"".join(parts)
    parts.append(b"Content-Length: %d\r\n\r\n" % len(answer.body))
    if not is_head:
        parts.append(answer.body)
    return b"".join(parts)


def _header(name: str, value: str) -> bytes:
    line = f"{name}: {value}"
    if "\r" in line or "\n" in line or "\0" in line:
        return b""
    return line.encode("utf-8") + b"\r\n"
