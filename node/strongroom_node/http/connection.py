"""One client connection: cuts the stream into messages, answers them in order, keeps its limits."""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

from strongroom_node.http.answer import Answer, of_errors, wire
from strongroom_node.http.body import TOO_LARGE, ChunkedBody, SizedBody
from strongroom_node.http.errors import INTERNAL_ERROR, TIMED_OUT, WireError
from strongroom_node.http.head import HEAD_END, Head, HeadParser
from strongroom_node.http.settings import HEADERS_MAX

if TYPE_CHECKING:
    from strongroom_node.http.listener import Listener

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_AHEAD_BYTES_MAX: Final = 256 << 10
"""What a client may send ahead of its answers; then reading stops."""

_AHEAD_BYTES_LOW: Final = _AHEAD_BYTES_MAX >> 2
"""Where reading goes on. Well below the bound, or each small answer would let one more large read be copied."""

_ANSWERS_PER_TURN: Final = 16
"""Answers that need no waiting, before other connections have their turn."""

_LINGER_SECONDS: Final = 2.0
"""How long what a refused client still sends is read over: closing at once would reset the refusal away from it."""


class Connection(asyncio.Protocol):
    """Requests are answered one at a time, in order. `deadline` is when the listener's sweep ends the connection.

    Whatever may wait runs in a task of its own. (Running it up to its first wait without one was measured: 5 to 10 us
    cheaper for a lone connection, dearer for 32, and `asyncio.timeout` fails outside of a task.)
    """

    __slots__ = (
        "_at",
        "_body",
        "_buffer",
        "_closes",
        "_has_ended",
        "_head",
        "_held",
        "_is_gone",
        "_is_paused",
        "_is_writable",
        "_lingers",
        "_listener",
        "_parser",
        "_task",
        "_was_cancelled",
        "_yields",
        "deadline",
        "peer",
        "transport",
    )

    def __init__(self, listener: "Listener") -> None:
        self._listener = listener
        self._parser = HeadParser(listener.loop, listener.settings.head_bytes_max, HEADERS_MAX)
        self._buffer = b""
        self._at = 0
        self._head: Head | None = None
        self._body: SizedBody | ChunkedBody | None = None
        self._held = 0
        self._task: asyncio.Task[None] | None = None
        self._closes = self._has_ended = self._is_gone = False
        self._is_paused = self._lingers = self._was_cancelled = self._yields = False
        self._is_writable = True
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
            self._closes = True
            transport.abort()  # type: ignore[attr-defined]  # every stream transport has it
            return
        self._expect(self._listener.settings.timeouts.idle)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- the protocol's signature
        """Forget the connection, once the request under way has ended: its client cannot take that back."""
        self._is_gone = self._closes = True
        self._head = self._body = None
        self._buffer, self._at = b"", 0
        self._hold(0)
        if self._task is None:
            self._listener.forget(self)

    def pause_writing(self) -> None:
        """The client does not read: take nothing more from it."""
        self._is_writable = False
        self._expect(self._listener.settings.timeouts.write)

    def resume_writing(self) -> None:
        """Go on."""
        self._is_writable = True
        if self._task is None and not self._lingers:
            self._expect(self._listener.settings.timeouts.idle)
            self._advance()

    def eof_received(self) -> bool:
        """A client that half-closes still gets the answers to what it sent; TLS knows no half-closing."""
        self._has_ended = True
        is_busy = self._task is not None or self._yields or not self._is_writable
        return is_busy and not self._lingers and self.transport.get_extra_info("sslcontext") is None

    def data_received(self, data: bytes) -> None:
        """Take bytes from the wire."""
        if self._closes:
            return
        self._buffer = self._buffer[self._at :] + data if self._at < len(self._buffer) else data
        self._at = 0
        if self._task is None and not self._yields:
            self._advance()
        else:
            self._pace()

    # --- messages ------------------------------------------------------------------------------------

    def _advance(self) -> None:
        """Answer the complete messages in the buffer, until one has to wait or it is the turn of others."""
        self._yields = False
        try:
            for _ in range(_ANSWERS_PER_TURN):
                if self._closes or self._task is not None or not self._is_writable:
                    break
                if (self._head is None and not self._read_head()) or not self._read_body():
                    break
                self._respond()
            else:
                self._yields = True
                self._listener.loop.call_soon(self._advance)
        except WireError as error:
            self._refuse(error)
        if self._has_ended and self._task is None and not self._yields and self._is_writable:
            self._close()
        self._pace()

    def _pace(self) -> None:
        """Stop reading from a client that is too far ahead of its answers."""
        ahead = len(self._buffer) - self._at
        if self._closes or self._is_paused == (ahead > (_AHEAD_BYTES_LOW if self._is_paused else _AHEAD_BYTES_MAX)):
            return
        if self.transport.is_closing():
            return
        self._is_paused = not self._is_paused
        self.transport.pause_reading() if self._is_paused else self.transport.resume_reading()

    def _read_head(self) -> bool:
        buffer, at = self._buffer, self._at
        if buffer.startswith(b"\r\n", at):  # RFC 9112, section 2.2: an empty line before a request is read over
            at = self._at = at + 2
        settings = self._listener.settings
        end = buffer.find(HEAD_END, at, at + settings.head_bytes_max)
        if end < 0:
            if len(buffer) - at >= settings.head_bytes_max:
                raise WireError(431, "request head is too large")
            if len(buffer) > at:
                self._expect(settings.timeouts.head, keep=True)
            return False
        end += len(HEAD_END)
        self._at = end
        head = self._head = self._parser.parse(buffer if end - at == len(buffer) else buffer[at:end])
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
        if head.expects_continue and self._at == len(self._buffer):
            self.transport.write(_CONTINUE)

    def _read_body(self) -> bool:
        body = self._body
        if body is None:
            return True
        end = body.feed(self._buffer, self._at)
        self._at = len(self._buffer) if end is None else end
        if end is None or self._held:
            self._hold(body.size if end is None else 0)
        return end is not None

    def _hold(self, size: int) -> None:
        """So much of an unfinished body is kept here. Raises WireError if all connections keep too much."""
        gained, self._held = size - self._held, size
        if not self._listener.keep(gained, size):
            raise WireError(503, "too many large requests are arriving; nothing was done")

    def _respond(self) -> None:
        head, body = self._head, self._body
        self._head = self._body = None
        self.deadline = 0.0
        if head is None:
            return
        answer = self._listener.begin(head, b"" if body is None else body.take(), self)
        if isinstance(answer, Answer):
            self._send(answer, closes=not head.keeps_alive, is_head=head.method == "HEAD")
            return
        self._was_cancelled = False
        self._task = self._listener.loop.create_task(self._answer(head, answer))
        self._expect(self._listener.settings.request_seconds_max)
        self._task.add_done_callback(self._answered)

    async def _answer(self, head: Head, work: Coroutine[Any, Any, Answer]) -> None:
        self._send(await work, closes=not head.keeps_alive, is_head=head.method == "HEAD")

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if task.cancelled():
            self._send(
                of_errors(503, (TIMED_OUT,)) if self._was_cancelled else of_errors(500, (INTERNAL_ERROR,)), closes=True
            )
        elif (error := task.exception()) is not None:
            self._listener.report(error)
            self.transport.abort()
        if self._is_gone:
            self._listener.forget(self)
        else:
            self._advance()

    def _send(self, answer: Answer, *, closes: bool, is_head: bool = False) -> None:
        if self._closes or self.transport.is_closing():
            return
        closes = closes or self._listener.is_draining
        self.transport.write(wire(answer, self._listener.date(), closes=closes, is_head=is_head))
        if closes:
            self._close()
        elif self._is_writable:
            self._expect(self._listener.settings.timeouts.idle)

    def _close(self) -> None:
        """Hang up once everything is written; a client that does not take it is cut off in the end."""
        self._closes = True
        self.transport.close()
        self._expect(self._listener.settings.timeouts.write)

    def _refuse(self, error: WireError) -> None:
        """Answer what cannot be read as a message. What still comes is read over for a while, then the end."""
        head = self._head
        self._head = self._body = None
        self._buffer, self._at = b"", 0
        self._hold(0)
        transport = self.transport
        if transport.is_closing():
            return
        answer = self._listener.finished(of_errors(error.status, error.messages))
        is_head = head is not None and head.method == "HEAD"
        transport.write(wire(answer, self._listener.date(), closes=True, is_head=is_head))
        if self._has_ended or self._listener.is_draining:
            self._close()
            return
        self._closes = self._lingers = True
        if self._is_paused:
            transport.resume_reading()
        if transport.can_write_eof():
            transport.write_eof()
        self._expect(_LINGER_SECONDS)

    # --- limits --------------------------------------------------------------------------------------

    def _expect(self, seconds: float, *, keep: bool = False) -> None:
        """Something must happen within so many seconds, 0: some time; `keep` does not push an earlier end back."""
        at = self._listener.loop.time() + seconds if seconds > 0 else 0.0
        if not keep:
            self.deadline = at
        elif at:
            self.deadline = min(self.deadline or at, at)

    def expire(self) -> None:
        """The deadline has passed: cancel the request under way, or hang up."""
        if self._task is not None and self._task.done():
            return  # answered in this turn of the loop; the deadline is that of what follows
        self.deadline = 0.0
        if self._task is not None:
            self.cancel()
        elif self._closes or not self._is_writable:
            self.transport.abort()
        elif self._head is not None or self._at < len(self._buffer):
            self._refuse(WireError(408, "the request did not arrive in time"))
        else:
            self._close()

    def cancel(self) -> None:
        """Give up on the request under way; what it has written so far may stand."""
        if self._task is not None:
            self._was_cancelled = True
            self._task.cancel()

    def drain(self) -> None:
        """Close as soon as the request under way is answered."""
        if self._task is None:
            self._close()

    @property
    def is_busy(self) -> bool:
        """True while a request is being answered."""
        return self._task is not None
