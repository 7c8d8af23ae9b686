"""Messages between nodes over mutual TLS 1.3.

A frame is length (4, big-endian) | body. The first frame of each side is a greeting with the version of the protocol;
who the other side is, only its certificate says. Whatever does not fit ends the connection, and is logged, but not
more often than an operator can read.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Final, cast

import structlog

from strongroom_cluster.raft.certificates import CertificateInvalid, Credentials, make_context, peer_id
from strongroom_cluster.raft.messages import FRAME_BYTES_MAX, Message, MessageInvalid, decode, encode
from strongroom_cluster.raft.refusals import Refusals
from strongroom_cluster.raft.timeouts import Timings

if TYPE_CHECKING:
    from strongroom_cluster.raft.log import Receiver

_log = structlog.get_logger("strongroom.transport")

GREETING: Final = b"strongroom-raft/1"
_LENGTH_BYTES: Final = 4

# Handshakes cost a signature each; more at once would let strangers keep the loop busy.
HANDSHAKES_MAX: Final = 16
CONNECTIONS_MAX: Final = 256
_BACKLOG: Final = 128

# Above this, messages are dropped: the windows of the leader are smaller, so the other side has stopped reading.
_UNSENT_BYTES_MAX: Final = 64 << 20


class MtlsTransport:
    """Connections to all members. Each pair has one; if both sides dial, the one of the greater id stays."""

    def __init__(self, name: str, host: str, port: int, credentials: Credentials, timings: Timings) -> None:
        self.name = name
        self.port = port
        self._host = host
        self._timings = timings
        self.refusals = Refusals()
        self._addresses: dict[str, str] = {}
        self._links: dict[str, _Link] = {}
        self._dialers: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._open: set[_Link] = set()
        self._handshakes = 0
        self._socket: socket.socket | None = None
        self._receiver: Receiver | None = None
        self.renew(credentials)

    def renew(self, credentials: Credentials) -> None:
        """Show another certificate, and trust other authorities, on new connections."""
        self._server_context = make_context(credentials, is_server=True)
        self._client_context = make_context(credentials, is_server=False)

    async def start(self, receiver: "Receiver") -> None:
        """Listen, and dial the members. Raises OSError if the address is taken."""
        self._receiver = receiver
        self._socket = _listen(self._host, self.port)
        self.port = self._socket.getsockname()[1]
        self._own(self._accept(self._socket))
        self._dial_all()

    async def close(self) -> None:
        """End everything."""
        self._receiver = None
        tasks = [*self._dialers.values(), *self._tasks]
        for task in tasks:
            task.cancel()
        for link in list(self._open):
            link.end()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()

    @property
    def connected_peers(self) -> set[str]:
        """Who can be sent to now."""
        return set(self._links)

    def send(self, peer: str, message: Message) -> None:
        """Send a message, or drop it if there is no connection or the other side does not read."""
        link = self._links.get(peer)
        if link is not None:
            link.send(encode(message))

    def set_peers(self, addresses: dict[str, str]) -> None:
        """Keep connected with these nodes; connections with others end."""
        self._addresses = dict(addresses)
        for name in set(self._dialers) - set(addresses):
            self._dialers.pop(name).cancel()
        for name in set(self._links) - set(addresses):
            if addresses:  # a node that knows no members yet is about to be told by one
                self._links[name].end()
        if self._socket is not None:
            self._dial_all()

    # Connecting

    def _own(self, work: Awaitable[Any]) -> None:
        """Run something until it ends or this transport is closed."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _dial_all(self) -> None:
        for name in self._addresses:
            if name not in self._dialers:
                self._dialers[name] = asyncio.ensure_future(self._keep_dialed(name))

    async def _keep_dialed(self, peer: str) -> None:
        """Dial whenever there is no connection. The smaller id waits a little: the other one's call would win."""
        timings = self._timings
        wait = timings.reconnect_seconds if self.name > peer else 3 * timings.reconnect_seconds
        if self.name < peer:
            await asyncio.sleep(wait)
        while True:
            if peer not in self._links:
                try:
                    await asyncio.wait_for(self._dial(peer), timings.connect_seconds_max)
                except (OSError, TimeoutError, ValueError, CertificateInvalid) as error:
                    if isinstance(error, ssl.SSLError | CertificateInvalid):
                        self.refused(str(error), peer)
            await asyncio.sleep(wait)

    async def _dial(self, peer: str) -> None:
        host, _, port = self._addresses[peer].rpartition(":")
        link = _Link(self, is_dialed=True)
        await asyncio.get_running_loop().create_connection(
            lambda: link, host.strip("[]"), int(port), ssl=self._client_context, server_hostname="strongroom"
        )
        if link.peer != peer:
            link.end()
            raise CertificateInvalid("another node answers at this address")

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                call, address = await loop.sock_accept(listening)
            except OSError as error:
                self.refused(f"cannot accept: {error}", "")
                await asyncio.sleep(self._timings.reconnect_seconds)
                continue
            who = f"{address[0]}:{address[1]}"
            if self._handshakes >= HANDSHAKES_MAX or len(self._open) >= CONNECTIONS_MAX:
                call.close()
                self.refused("too many connections", who)
            else:
                self._handshakes += 1
                self._own(self._answer(call, who))

    async def _answer(self, call: socket.socket, who: str) -> None:
        """Take a call from a stranger."""
        link = _Link(self, is_dialed=False)
        try:
            async with asyncio.timeout(self._timings.connect_seconds_max):
                await asyncio.get_running_loop().connect_accepted_socket(lambda: link, call, ssl=self._server_context)
        except (OSError, TimeoutError) as error:
            self.refused(f"no handshake: {str(error) or 'timeout'}", who)
        finally:
            self._handshakes -= 1
            if not link.peer:
                link.end()
                call.close()

    # What links tell

    def up(self, link: "_Link") -> None:
        """A link has greeted."""
        peer = link.peer
        if peer == self.name or self._receiver is None:
            link.end()
            return
        if self._addresses and peer not in self._addresses:
            self.refused("no member of this cluster", peer)
            link.end()
            return
        old = self._links.get(peer)
        if old is not None:
            if old.is_dialed != link.is_dialed and old.is_dialed == (self.name > peer):
                link.end()
                return
            del self._links[peer]
            self._receiver.disconnected(peer)
            old.end()
        self._links[peer] = link
        self._receiver.connected(peer)

    def opened(self, link: "_Link") -> None:
        """A link is secured."""
        self._open.add(link)

    def down(self, link: "_Link") -> None:
        """A link has ended."""
        self._open.discard(link)
        if self._links.get(link.peer) is link:
            del self._links[link.peer]
            if self._receiver is not None:
                self._receiver.disconnected(link.peer)

    def received(self, peer: str, message: Message) -> None:
        """A link has a message."""
        if self._receiver is not None:
            self._receiver.receive(peer, message)

    def refused(self, reason: str, who: str) -> None:
        """Count it, and log it if there were not too many just now."""
        if self.refusals.note(asyncio.get_running_loop().time()):
            _log.warning("connection refused", reason=reason, peer=who, refused=self.refusals.count)


class _Link(asyncio.Protocol):
    """One secured connection."""

    def __init__(self, owner: MtlsTransport, *, is_dialed: bool) -> None:
        self._owner = owner
        self.is_dialed = is_dialed
        self.peer = ""
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._has_greeted = False
        self._is_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Both sides have shown certificates of this cluster: see whose, and greet."""
        self._transport = cast("asyncio.Transport", transport)
        try:
            self.peer = peer_id(transport.get_extra_info("ssl_object"))
        except CertificateInvalid as error:
            self._owner.refused(str(error), str(transport.get_extra_info("peername")))
            self.end()
            return
        _tune(self._transport)
        self._transport.set_write_buffer_limits(high=_UNSENT_BYTES_MAX)
        self._owner.opened(self)
        self.send(GREETING)

    def send(self, body: bytes) -> None:
        """Write a frame, unless the other side has stopped reading."""
        transport = self._transport
        if transport is not None and transport.get_write_buffer_size() < _UNSENT_BYTES_MAX:
            transport.write(len(body).to_bytes(_LENGTH_BYTES, "big") + body)

    def end(self) -> None:
        """Close without waiting; nothing that has arrived is looked at any more."""
        self._is_ended = True
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take frames out of the stream."""
        buffer = self._buffer
        buffer += data
        at = 0
        try:
            while len(buffer) - at >= _LENGTH_BYTES and not self._is_ended and self._transport is not None:
                size = int.from_bytes(buffer[at : at + _LENGTH_BYTES], "big")
                self._require_size(size)
                if len(buffer) - at - _LENGTH_BYTES < size:
                    break
                at += _LENGTH_BYTES + size
                self._take(bytes(buffer[at - size : at]))
        except MessageInvalid as error:
            self._owner.refused(str(error), self.peer)
            self.end()
            buffer.clear()
            return
        del buffer[:at]

    def _require_size(self, size: int) -> None:
        if size > (FRAME_BYTES_MAX if self._has_greeted else len(GREETING)):
            raise MessageInvalid("a frame is too large")

    def _take(self, body: bytes) -> None:
        if self._has_greeted:
            self._owner.received(self.peer, decode(body))
        elif body == GREETING:
            self._has_greeted = True
            self._owner.up(self)
        else:
            raise MessageInvalid("the other side speaks another protocol or version")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  -- however it ended
        """Tell the owner."""
        self._transport = None
        self._owner.down(self)


def _tune(transport: asyncio.Transport) -> None:
    """Small messages at once; a peer without power is noticed in seconds, not in a quarter of an hour."""
    handle = transport.get_extra_info("socket")
    if handle is not None:
        handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 5000)
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setblocking(False)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
