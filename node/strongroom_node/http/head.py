"""One request's head: llhttp, through aiohttp, behind our own framing.

llhttp does not know the verbs LIST and SCAN, and a parser that is fed a stream would decide for itself where
messages begin. So the connection cuts the stream: it hands over exactly the bytes up to the first empty line, and
the verb, which by then is certainly a verb and not part of a body, is looked up here. An unknown word that is ours
is shown to llhttp as `GET`, which it treats without any exception of its own; nothing behind the verb is touched.

A body never reaches llhttp. Its length comes from the head that llhttp accepted; a parser that still waits for a
body is thrown away with the message (making one costs 0.2 us).
"""

import asyncio
from typing import Any, Final

from aiohttp.http import HttpProcessingError, HttpRequestParser, HttpVersion11
from multidict import CIMultiDictProxy

from strongroom_node.http.errors import WireError

HEAD_END: Final = b"\r\n\r\n"
VERBS: Final = frozenset({b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"LIST", b"SCAN", b"HEAD", b"OPTIONS", b"HELP"})
_UNKNOWN_TO_PARSER: Final = frozenset({b"LIST", b"SCAN", b"HELP"})
_VERB_BYTES_MAX: Final = 24
_CONTENT_LENGTH_DIGITS_MAX: Final = 15

_MALFORMED: Final = "malformed HTTP request"


class Head:
    """What the head of a message says. `target` is as sent; `length` is None for a chunked body."""

    __slots__ = ("expects_continue", "headers", "keeps_alive", "length", "method", "target")

    def __init__(
        self, method: str, target: str, headers: CIMultiDictProxy[str], length: int | None, *, keeps_alive: bool
    ) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.length = length
        self.keeps_alive = keeps_alive
        self.expects_continue = False


class HeadParser:
    """Parses heads of one connection."""

    __slots__ = ("_head_bytes_max", "_headers_max", "_loop", "_parser")

    def __init__(self, loop: asyncio.AbstractEventLoop, head_bytes_max: int, headers_max: int) -> None:
        """`head_bytes_max` also bounds every single line."""
        self._loop = loop
        self._head_bytes_max = head_bytes_max
        self._headers_max = headers_max
        self._parser: Any = None

    def parse(self, data: bytes) -> Head:
        """The head in `data`, which ends with the first empty line in it. Raises WireError (400, 405, 417, 505)."""
        verb = _verb(data)
        if data.count(b"\n") != data.count(b"\r\n") or b"\x00" in data or not (data.isascii() or _is_utf8(data)):
            raise WireError(400, _MALFORMED)
        if verb in _UNKNOWN_TO_PARSER:
            data = b"GET" + data[len(verb) :]
        parser = self._parser
        if parser is None:
            parser = HttpRequestParser(
                _NO_PROTOCOL,  # type: ignore[arg-type]  # the parser only ever pauses and resumes it
                self._loop,
                1 << 16,
                max_line_size=self._head_bytes_max,
                max_field_size=self._head_bytes_max,
                max_headers=self._headers_max,
                auto_decompress=False,
            )
        self._parser = None
        try:
            messages, upgraded, _ = parser.feed_data(data)
        except (HttpProcessingError, ValueError):
            # ValueError: an absolute target that is no URL.
            # The library's text quotes the request, and with it perhaps a token.
            raise WireError(400, _MALFORMED) from None
        if len(messages) != 1:
            raise WireError(400, _MALFORMED)
        message = messages[0][0]
        head = _head(verb, message)
        if head.length == 0 and head.keeps_alive and not upgraded and not message.upgrade:
            self._parser = parser
        return head


def _verb(data: bytes) -> bytes:
    end = data.find(b" ", 0, _VERB_BYTES_MAX)
    verb = data[: max(end, 0)]
    if verb not in VERBS:
        if verb.isalpha() and verb.isupper():
            raise WireError(405)
        raise WireError(400, _MALFORMED)
    return verb


def _is_utf8(data: bytes) -> bool:
    """Whether every later text of the head can be encoded again."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _head(verb: bytes, message: Any) -> Head:
    headers: CIMultiDictProxy[str] = message.headers
    if message.version[0] != 1:
        raise WireError(505, "HTTP/1.1 is spoken here")
    is_11 = message.version == HttpVersion11
    length: int | None = 0
    if message.chunked or "Transfer-Encoding" in headers:
        codings = [coding.lower() for coding in headers.getall("Transfer-Encoding")]
        if codings != ["chunked"] or "Content-Length" in headers or not is_11:
            raise WireError(400, _MALFORMED)
        length = None
    elif (declared := headers.get("Content-Length")) is not None:
        # int() would also take "+5", "5_0" and digits of other scripts
        if not declared.isascii() or not declared.isdigit():
            raise WireError(400, _MALFORMED)
        if len(declared) > _CONTENT_LENGTH_DIGITS_MAX:
            raise WireError(413, "http: request body too large")
        length = int(declared)
    head = Head(verb.decode("ascii"), message.path, headers, length, keeps_alive=is_11 and not message.should_close)
    if (expectation := headers.get("Expect")) is not None and is_11:
        if expectation.lower() != "100-continue":
            raise WireError(417, "this expectation cannot be met")
        head.expects_continue = True
    return head


class _NoProtocol:
    """What the parser's unused body reader would call."""

    _reading_paused = False

    def pause_reading(self) -> None:
        """Nothing is read through it."""

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Nothing is read through it."""


_NO_PROTOCOL: Final = _NoProtocol()
