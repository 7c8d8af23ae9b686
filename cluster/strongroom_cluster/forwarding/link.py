"""One secured connection that carries frames. What both ends have in common."""

import asyncio
import socket
import ssl
from typing import Final, cast

from strongroom_cluster.forwarding.frames import FRAME_BYTES_MAX, LENGTH_BYTES, Frame, FrameInvalid, decode, encode
from strongroom_cluster.raft.certificates import CertificateInvalid, Credentials, make_context, peer_id

# Chosen in the handshake, so that both may share a port with other protocols of the cluster.
PROTOCOL: Final = "strongroom-forward/1"

# With more than this unsent, the other side does not read.
UNSENT_BYTES_MAX: Final = 4 << 20


def make_forwarding_context(credentials: Credentials, *, is_server: bool) -> ssl.SSLContext:
    """Mutual TLS 1.3 for this protocol alone."""
    context = make_context(credentials, is_server=is_server)
    context.set_alpn_protocols([PROTOCOL])
    return context


class Link(asyncio.Protocol):
    """Frames over TLS. Frames of one pass of the event loop leave together."""

    def __init__(self) -> None:
        self.peer = ""
        self.where = ""
        self.is_writable = True
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._unsent: list[bytes] = []
        self._is_ended = False

    # For those who derive

    def opened(self) -> None:
        """The other side is known."""

    def received(self, frame: Frame) -> None:
        """A frame has arrived. May raise FrameInvalid for one that makes no sense."""

    def refused(self, reason: str) -> None:
        """The other side is not what it should be; the connection ends."""

    def closed(self) -> None:
        """The connection has ended; `opened` may not have been called."""

    def unwritable(self) -> None:
        """The other side does not read."""

    def writable(self) -> None:
        """The other side reads again."""

    # What both sides do

    @property
    def is_open(self) -> bool:
        """Whether frames can be sent."""
        return self._transport is not None and not self._transport.is_closing() and not self._is_ended

    def send(self, data: bytes) -> None:
        """Send an encoded frame; lost without a word if the connection has ended."""
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(data)

    def say(self, frame: Frame) -> None:
        """Send a frame. Raises FrameInvalid if it is too large."""
        self.send(encode(frame))

    def end(self) -> None:
        """Close without waiting; nothing that has arrived is looked at any more."""
        self._is_ended = True
        if self._transport is not None:
            self._transport.abort()

    def finish(self) -> None:
        """Close when what is to be sent is sent."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if unsent and self.is_open and self._transport is not None:
            self._transport.write(b"".join(unsent) if len(unsent) > 1 else unsent[0])

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Both sides have shown certificates of this cluster: see whose."""
        self._transport = cast("asyncio.Transport", transport)
        self.where = str(transport.get_extra_info("peername"))
        tls = transport.get_extra_info("ssl_object")
        if tls.selected_alpn_protocol() != PROTOCOL:
            self._refuse("the other side speaks another protocol or version")
            return
        try:
            self.peer = peer_id(tls)
        except CertificateInvalid as error:
            self._refuse(str(error))
            return
        handle = transport.get_extra_info("socket")
        if handle is not None:
            handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 5000)
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._transport.set_write_buffer_limits(high=UNSENT_BYTES_MAX)
        self.opened()

    def data_received(self, data: bytes) -> None:
        """Take frames out of the stream."""
        buffer = self._buffer
        buffer += data
        at = 0
        try:
            while len(buffer) - at >= LENGTH_BYTES and not self._is_ended:
                size = int.from_bytes(buffer[at : at + LENGTH_BYTES], "big")
                if size > FRAME_BYTES_MAX:
                    self._refuse("a frame is too large")
                    break
                end = at + LENGTH_BYTES + size
                if len(buffer) < end:
                    break
                with memoryview(buffer) as view, view[at + LENGTH_BYTES : end] as body:
                    frame = decode(body)
                at = end
                self.received(frame)
        except FrameInvalid as error:
            self._refuse(str(error))
        if self._is_ended:
            buffer.clear()
        else:
            del buffer[:at]

    def pause_writing(self) -> None:
        """Too much is unsent."""
        self.is_writable = False
        self.unwritable()

    def resume_writing(self) -> None:
        """Enough has been sent."""
        self.is_writable = True
        self.writable()

    def hold_reading(self, hold: bool) -> None:
        """Take nothing more from the other side, or go on."""
        transport = self._transport
        if transport is None or transport.is_closing() or transport.is_reading() is not hold:
            return
        if hold:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  -- however it ended
        """Tell whoever waits."""
        self._transport = None
        self._is_ended = True
        self.is_writable = True
        self.closed()

    def _refuse(self, reason: str) -> None:
        self.refused(reason)
        self.end()
