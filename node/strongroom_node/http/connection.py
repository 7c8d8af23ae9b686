"""One client connection: cuts the stream into messages, answers them in order, keeps its limits."""

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any, Final

from strongroom_node.http.answer import Answer, of_errors, wire
from strongroom_node.http.body import TOO_LARGE, ChunkedBody, SizedBody
from strongroom_node.http.errors import TIMED_OUT, WireError
from strongroom_node.http.head import HEAD_END, Head, HeadParser

if TYPE_CHECKING:
    from strongroom_node.http.listener import Listener

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_PIPELINED_BYTES_MAX: Final = 256 << 10
"""What a client may send ahead while a request is being answered; then reading stops."""


class Connection(asyncio.Protocol):
    """Requests are answered one at a time, in order. `deadline` is when the listener's sweep ends the connection."""

    __slots__ = (
        "_body",
        "_buffer",
        "_closing",
        "_head",
        "_is_paused",
        "_listener",
        "_parser",
        "_task",
        "_writable",
        "deadline",
        "peer",
        "transport",
    )

    def __init__(self, listener: "Listener") -> None:
        self._listener = listener
        settings = listener.settings
        self._parser = HeadParser(listener.loop, settings.head_bytes_max, 128)
        self._buffer = b""
        self._head: Head | None = None
        self._body: SizedBody | ChunkedBody | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._is_paused = False
        self._writable = True
        self.transport: Any = None
        self.peer: tuple[str, int] = ("", 0)
        self.deadline = 0.0

    # --- asyncio.Protocol ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register, unless there are too many connections."""
        self.transport = transport
        if not self.peer[0]:
            name = transport.get_extra_info("peername")
            self.peer = (name[0], name[1]) if isinstance(name, tuple) else ("", 0)
        if not self._listener.admit(self):
            transport.abort()  # type: ignore[attr-defined]  # every stream transport has it
            return
        self._expect(self._listener.settings.timeouts.idle)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- the protocol's signature
        """Forget the connection. A request that is under way goes on: its client cannot take it back."""
        self._closing = True
        self._listener.forget(self)

    def pause_writing(self) -> None:
        """The client does not read: take nothing more from it."""
        self._writable = False
        self._expect(self._listener.settings.timeouts.write)

    def resume_writing(self) -> None:
        """Go on."""
        self._writable = True
        self._expect(self._listener.settings.timeouts.idle)
        self._advance()

    def eof_received(self) -> bool:
        """A client that half-closes still gets the answer under way."""
        self._closing = True
        return self._task is not None

    def data_received(self, data: bytes) -> None:
        """Take bytes from the wire."""
        self._buffer = self._buffer + data if self._buffer else data
        if self._task is None:
            self._advance()
        elif len(self._buffer) > _PIPELINED_BYTES_MAX and not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()

    # --- messages ------------------------------------------------------------------------------------

    def _advance(self) -> None:
        """Answer every complete message in the buffer."""
        try:
            while self._task is None and self._writable and not self.transport.is_closing():
                if self._head is None and not self._read_head():
                    break
                if not self._read_body():
                    break
                self._respond()
        except WireError as error:
            self._send(of_errors(error.status, error.messages, error.headers), closes=True)
        if self._is_paused and self._task is None:
            self._is_paused = False
            self.transport.resume_reading()

    def _read_head(self) -> bool:
        buffer = self._buffer
        if buffer[:2] == b"\r\n":  # RFC 9112, section 2.2: an empty line before a request is no request
            buffer = self._buffer = buffer.lstrip(b"\r\n")
        settings = self._listener.settings
        end = buffer.find(HEAD_END, 0, settings.head_bytes_max)
        if end < 0:
            if len(buffer) >= settings.head_bytes_max:
                raise WireError(431, "request head is too large")
            if buffer:
                self._expect(settings.timeouts.head, keep=True)
            return False
        end += len(HEAD_END)
        if end == len(buffer):
            self._buffer = b""
        else:
            self._buffer = buffer[end:]
            buffer = buffer[:end]
        head = self._head = self._parser.parse(buffer)
        if head.length != 0:
            self._expect_body(head)
        return True

    def _expect_body(self, head: Head) -> None:
        settings = self._listener.settings
        if head.length is None:
            self._body = ChunkedBody(settings.request_bytes_max)
        elif head.length > settings.request_bytes_max > 0:
            raise WireError(413, TOO_LARGE)
        else:
            self._body = SizedBody(head.length)
        self._expect(settings.timeouts.body)
        if head.expects_continue and not self._buffer:
            self.transport.write(_CONTINUE)

    def _read_body(self) -> bool:
        body = self._body
        if body is None:
            return True
        rest = body.feed(self._buffer)
        if rest is None:
            self._buffer = b""
            return False
        self._buffer = rest
        return True

    def _respond(self) -> None:
        head, body = self._head, self._body
        self._head = self._body = None
        self.deadline = 0.0
        if head is None:
            return
        raw = b"" if body is None else body.take()
        work = self._answer(head, raw)
        try:
            waits_for = work.send(None)
        except StopIteration:
            return
        self._task = self._listener.loop.create_task(_resume(work, waits_for))
        limit = self._listener.settings.request_seconds_max
        if limit > 0:
            self.deadline = self._listener.loop.time() + limit
        self._task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if task.cancelled():
            self._send(of_errors(503, (TIMED_OUT,)), closes=True)
        elif (error := task.exception()) is not None:
            self._listener.report(error)
            self.transport.abort()
        else:
            self._advance()

    async def _answer(self, head: Head, raw: bytes) -> None:
        """Most requests end without waiting for anything, and then no task was ever made for them."""
        answer = await self._listener.respond(head, raw, self)
        self._send(answer, closes=not head.keeps_alive or self._listener.is_draining, is_head=head.method == "HEAD")

    def _send(self, answer: Answer, *, closes: bool, is_head: bool = False) -> None:
        transport = self.transport
        if transport.is_closing():
            return
        closes = closes or self._closing
        transport.write(wire(answer, closes=closes, is_head=is_head))
        if closes:
            self._closing = True
            transport.close()
        elif self._writable:
            self._expect(self._listener.settings.timeouts.idle)

    # --- limits --------------------------------------------------------------------------------------

    def _expect(self, seconds: float, *, keep: bool = False) -> None:
        """Something must happen within so many seconds; `keep` does not push an earlier end back."""
        if seconds <= 0:
            return
        at = self._listener.loop.time() + seconds
        self.deadline = min(self.deadline or at, at) if keep else at

    def expire(self) -> None:
        """The deadline has passed: cancel the request under way, or hang up."""
        self.deadline = 0.0
        if self._task is not None:
            self._task.cancel()
        elif self._head is not None or self._buffer:
            self._send(of_errors(408, ("the request did not arrive in time",)), closes=True)
        else:
            self.transport.abort() if not self._writable else self.transport.close()

    def drain(self) -> None:
        """Close as soon as the request under way is answered."""
        if self._task is None:
            self.transport.close()

    @property
    def is_busy(self) -> bool:
        """True while a request is being answered."""
        return self._task is not None


@types.coroutine
def _resume(work: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    """Go on with a coroutine that was run up to its first wait outside of any task."""
    while True:
        failure: BaseException | None = None
        try:
            sent = yield waits_for
        except BaseException as error:  # noqa: BLE001 -- cancellation and errors alike go to the coroutine
            failure = error
        try:
            waits_for = work.send(sent) if failure is None else work.throw(failure)
        except StopIteration:
            return
