"""An answer as it goes onto the wire."""

import re
from collections.abc import Callable, Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final

import msgspec

from strongroom_node.http.errors import error_body
from strongroom_node.sdk.envelope import envelope
from strongroom_node.sdk.response import Response

JSON: Final = "application/json"
_ALWAYS: Final = {
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
}
_FRAMING: Final = frozenset({"connection", "content-length", "content-type", "date", "transfer-encoding"})
"""What nobody but `wire` may say."""

_BODILESS: Final = frozenset({204, 304})
_LINE: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")
_ENCODER: Final = msgspec.json.Encoder()


class Answer:
    """Status, content type, body and further headers; made into bytes by `wire`.

    `fixed` are the lines that every answer of a listener has, from `fixed_lines`.
    """

    __slots__ = ("body", "content_type", "fixed", "headers", "status")

    def __init__(
        self, status: int, body: bytes = b"", content_type: str = JSON, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers
        self.fixed = ALWAYS

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


def fixed_lines(*layers: Mapping[str, str]) -> str:
    """Header lines of every answer: our own, replaced and added to by each layer in turn, whatever their case."""
    found = {name.lower(): (name, value) for layer in (_ALWAYS, *layers) for name, value in layer.items()}
    return "".join(_line(name, value) for name, value in found.values())


def _line(name: str, value: str) -> str:
    """A header line; nothing for what cannot stand in one, or would say where the message ends."""
    line = f"{name}: {value}"
    return f"{line}\r\n" if _LINE.fullmatch(line) is not None and name.lower() not in _FRAMING else ""


ALWAYS: Final = fixed_lines()


@lru_cache(maxsize=512)
def _start(status: int, content_type: str, fixed: str, closes: bool) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Status"
    connection = "Connection: close\r\n" if closes else ""
    kind = f"Content-Type: {content_type}\r\n" if content_type.isprintable() and content_type else ""
    return f"HTTP/1.1 {status} {phrase}\r\n{fixed}{kind}{connection}".encode()


class DateLine:
    """The `Date` line of answers (RFC 9110, section 6.6.1), made anew when a second has passed."""

    __slots__ = ("_line", "_now", "_second")

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` gives Unix seconds."""
        self._now = now
        self._second = -1
        self._line = b""

    def __call__(self) -> bytes:
        """The line of this second."""
        second = int(self._now())
        if second != self._second:
            self._second, self._line = second, f"Date: {formatdate(second, usegmt=True)}\r\n".encode()
        return self._line


def wire(answer: Answer, date: bytes = b"", *, closes: bool = False, is_head: bool = False) -> bytes:
    """The bytes of an answer. `date` is a whole line. Headers that cannot stand in one are left out."""
    start = _start(answer.status, answer.content_type, answer.fixed, closes) + date
    headers = answer.headers
    if headers:
        start += "".join([_line(name, value) for name, value in headers.items()]).encode()
    body = answer.body
    if answer.status in _BODILESS:
        return start + b"\r\n"
    if is_head:
        return b"%bContent-Length: %d\r\n\r\n" % (start, len(body))
    return b"%bContent-Length: %d\r\n\r\n%b" % (start, len(body), body)
