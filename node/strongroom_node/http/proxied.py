"""Accepts connections that begin with a PROXY header, then hands their sockets to TLS or HTTP.

The header is peeked at and then read to its last byte and not further, so that a TLS handshake that came in the same
packet is still in the socket for whoever comes next.
"""

import asyncio
import socket
from typing import TYPE_CHECKING, Final

import structlog

from strongroom_node.http.connection import Connection
from strongroom_node.http.proxy_protocol import NoProxyHeader, ProxyHeaderInvalid, read_header

if TYPE_CHECKING:
    from strongroom_node.http.listener import Listener

_PEEK_BYTES: Final = 4200
_log = structlog.get_logger("http")


class ProxiedAcceptor:
    """The accept loop of a listener behind proxies."""

    def __init__(self, listener: "Listener", bound: socket.socket) -> None:
        """`bound` is listening and non-blocking."""
        self._listener = listener
        self._socket = bound
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepting = listener.loop.create_task(self._accept())

    @property
    def port(self) -> int:
        """The bound port."""
        port: int = self._socket.getsockname()[1]
        return port

    def close(self) -> None:
        """Accept nothing more, and give up on headers that have not come."""
        self._accepting.cancel()
        for task in self._tasks:
            task.cancel()
        self._socket.close()

    async def _accept(self) -> None:
        loop = self._listener.loop
        while True:
            try:
                client, address = await loop.sock_accept(self._socket)
            except OSError as error:
                _log.warning("accept failed", error=error.strerror)
                await asyncio.sleep(0.1)
                continue
            peer = (str(address[0]), int(address[1])) if isinstance(address, tuple) else ("", 0)
            trusted = self._listener.trusts_proxy(peer[0])
            if trusted is None or len(self._tasks) >= self._listener.settings.connections_max:
                client.close()
                continue
            task = loop.create_task(self._serve(client, peer, trusted=trusted))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: socket.socket, peer: tuple[str, int], *, trusted: bool) -> None:
        listener = self._listener
        try:
            async with asyncio.timeout(listener.settings.timeouts.proxy_header or None):
                source = await self._read(client)
            connection = Connection(listener)
            connection.peer = source if source is not None and trusted else peer
            handshake_seconds, shutdown_seconds = listener.tls_seconds
            await listener.loop.connect_accepted_socket(
                lambda: connection,
                client,
                ssl=listener.context,
                ssl_handshake_timeout=handshake_seconds,
                ssl_shutdown_timeout=shutdown_seconds,
            )
        except (OSError, TimeoutError, ProxyHeaderInvalid) as error:
            _log.info("connection refused", reason=type(error).__name__, remote_address=peer[0])
            client.close()
        except asyncio.CancelledError:
            client.close()
            raise

    async def _read(self, client: socket.socket) -> tuple[str, int] | None:
        """The source that the header names, None without a header or for a proxy's own connection.

        The kernel is told to wake us only for more bytes than were seen (SO_RCVLOWAT): a header that comes in pieces
        costs one look a piece, and a client that sends half of one costs nothing.
        """
        loop = self._listener.loop
        seen = 0
        while True:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, seen + 1)
            await _readable(loop, client)
            data = client.recv(_PEEK_BYTES, socket.MSG_PEEK)
            if len(data) <= seen:
                raise ProxyHeaderInvalid("the connection ended")
            seen = len(data)
            try:
                found = read_header(data)
            except NoProxyHeader:
                found = None, 0
            if found is not None:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
                source, length = found
                client.recv(length)
                return source


async def _readable(loop: asyncio.AbstractEventLoop, client: socket.socket) -> None:
    ready = asyncio.Event()
    loop.add_reader(client, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(client)
