"""A listener: a bound socket, its connections, and the way from a message to its answer."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

import structlog

from strongroom_node.http import local
from strongroom_node.http.answer import Answer, DateLine, fixed_lines, of_errors, of_json, of_response
from strongroom_node.http.connection import Connection
from strongroom_node.http.cors import Decision, decide
from strongroom_node.http.decode import read_path, read_request
from strongroom_node.http.errors import INTERNAL_ERROR, WireError, refusal
from strongroom_node.http.forwarded import client_address, is_within
from strongroom_node.http.head import Head
from strongroom_node.http.proxied import ProxiedAcceptor
from strongroom_node.http.settings import ListenerSettings
from strongroom_node.http.sockets import BACKLOG, UnixSocket, bind_tcp
from strongroom_node.http.tls import load_certificates, make_context
from strongroom_node.sdk.errors import TooManyRequests
from strongroom_node.sdk.request import Request

if TYPE_CHECKING:
    from strongroom_node.core.core import Core

API: Final = "/v1/"
_METRICS: Final = "sys/metrics"
BODIES_BYTES_MAX: Final = 256 << 20
"""What unfinished bodies of all connections may take, or as much as one may if that is more: nobody is known yet."""

_SMALL_BODY_BYTES: Final = 64 << 10
"""Bodies up to here are taken whatever the others do."""

_CANCEL_SECONDS: Final = 1.0
"""For a cancelled request to give up."""

_log = structlog.get_logger("http")


class Listener:
    """Serves the core on one address. `start` before use, `drain` after."""

    def __init__(self, core: "Core", settings: ListenerSettings, now: Callable[[], float] = time.time) -> None:
        """`now` gives Unix seconds. Raises TLSInvalid if the settings' certificates do not work."""
        self.core = core
        self.loop = asyncio.get_running_loop()
        self.context: ssl.SSLContext | None = None if settings.tls is None else make_context(settings.tls)
        self.date = DateLine(now)
        self.is_draining = False
        self.body_bytes = 0
        self._emptied = asyncio.Event()
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | ProxiedAcceptor | None = None
        self._unix_socket: UnixSocket | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self.settings = settings

    @property
    def settings(self) -> ListenerSettings:
        """What the listener was told; new settings hold from the next message on, except for the address."""
        return self._settings

    @settings.setter
    def settings(self, settings: ListenerSettings) -> None:
        self._settings = settings
        self._fixed: dict[int, tuple[str, frozenset[str]]] = {}
        self._has_custom = bool(settings.custom_headers or settings.hostname or settings.raft_node_id)
        self._local: dict[str, local.Local] = {} if settings.metrics_only else dict(local.ALWAYS)
        if settings.metrics_unauthenticated and not settings.metrics_disallowed:
            self._local[_METRICS] = local.metrics
        if settings.in_flight_unauthenticated:
            self._local["sys/in-flight-req"] = local.in_flight

    @property
    def port(self) -> int:
        """The bound port, 0 for a Unix socket."""
        if self._server is None or self.settings.path is not None:
            return 0
        if isinstance(self._server, ProxiedAcceptor):
            return self._server.port
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def tls_seconds(self) -> tuple[float | None, float | None]:
        """Time for a handshake, and for a farewell; None for both without TLS."""
        timeouts = self._settings.timeouts
        return (None, None) if self.context is None else (timeouts.tls_handshake, timeouts.tls_shutdown)

    # --- life ----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bind and accept. Raises OSError with the address in its text."""
        settings = self.settings
        handshake_seconds, shutdown_seconds = self.tls_seconds
        if settings.path is not None:
            self._unix_socket = UnixSocket(settings.path, settings)
            self._server = await self.loop.create_unix_server(
                lambda: Connection(self),
                sock=self._unix_socket.socket,
                ssl=self.context,
                ssl_handshake_timeout=handshake_seconds,
                ssl_shutdown_timeout=shutdown_seconds,
                backlog=BACKLOG,
            )
        elif settings.proxy_protocol is not None:
            self._server = ProxiedAcceptor(self, bind_tcp(settings.host, settings.port))
        else:
            self._server = await self.loop.create_server(
                lambda: Connection(self),
                settings.host or None,
                settings.port,
                ssl=self.context,
                ssl_handshake_timeout=handshake_seconds,
                ssl_shutdown_timeout=shutdown_seconds,
                backlog=BACKLOG,
                reuse_address=True,
                reuse_port=settings.reuse_port or None,
            )
        self._sweep()

    def reload(self) -> None:
        """Read the certificates again. Raises TLSInvalid, and then the old ones stay."""
        if self.context is not None and self.settings.tls is not None:
            load_certificates(self.context, self.settings.tls)

    async def drain(self, seconds: float) -> None:
        """Accept nothing more, let what is under way finish, for at most so long; then cancel it and hang up."""
        self.is_draining = True
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.drain()
        await self._wait_for_the_last(seconds)
        for connection in list(self._connections):
            connection.cancel() if connection.is_busy else connection.transport.abort()
        await self._wait_for_the_last(_CANCEL_SECONDS)
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._unix_socket is not None:
            self._unix_socket.remove()

    async def _wait_for_the_last(self, seconds: float) -> None:
        if self._connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), seconds)

    # --- connections ---------------------------------------------------------------------------------

    def admit(self, connection: Connection) -> bool:
        """Take a new connection in, unless there are as many as may be."""
        if self.is_draining or len(self._connections) >= self.settings.connections_max:
            return False
        self._connections.add(connection)
        return True

    def forget(self, connection: Connection) -> None:
        """A connection is gone."""
        self._connections.discard(connection)
        if self.is_draining and not self._connections:
            self._emptied.set()

    def keep(self, gained: int, size: int) -> bool:
        """An unfinished body has grown or gone, to `size` bytes. False if that is too much."""
        self.body_bytes += gained
        if gained <= 0 or size <= _SMALL_BODY_BYTES:
            return True
        most = self._settings.request_bytes_max
        return most <= 0 or self.body_bytes <= max(BODIES_BYTES_MAX, most)

    def sweep(self, now: float) -> None:
        """End what should have happened before `now`, seconds of the loop's clock."""
        for connection in [c for c in self._connections if 0 < c.deadline < now]:
            connection.expire()

    def _sweep(self) -> None:
        self.sweep(self.loop.time())
        self._sweeper = self.loop.call_later(self.settings.timeouts.sweep, self._sweep)

    def report(self, error: BaseException) -> None:
        """An error that no answer could carry."""
        _log.error("connection failed", error=type(error).__name__)

    # --- messages ------------------------------------------------------------------------------------

    def begin(self, head: Head, body: bytes, connection: Connection) -> Answer | Coroutine[Any, Any, Answer]:
        """The answer to a message, or the work that makes it where something may have to be waited for.

        Neither raises an expected error.
        """
        cors: Decision | None = None
        path = ""
        try:
            settings = self._settings
            remote = connection.peer
            if settings.forwarded_for.authorized:
                remote = client_address(remote, head.headers, settings.forwarded_for)
            path, query = read_path(head.target)
            if (origin := head.headers.get("Origin")) is not None:
                cors = decide(self.core, settings.cors, origin, head)
            if cors is not None and cors.preflight is not None:
                return self.finished(cors.preflight)
            made = self._route(head, body, path, query, remote, connection)
        except Exception as error:  # noqa: BLE001 -- the edge: whatever happened inside becomes an answer
            made = self._failed(error, "")
        if isinstance(made, Answer):
            return self.finished(made, cors, path)
        return made if cors is None and not self._has_custom else self._finish(made, cors)

    async def _finish(self, work: Coroutine[Any, Any, Answer], cors: Decision | None) -> Answer:
        return self.finished(await work, cors)

    def finished(self, answer: Answer, cors: Decision | None = None, path: str = "") -> Answer:
        """The answer with the headers that the listener, CORS and the UI's settings add."""
        if cors is not None:
            answer.add(cors.headers)
        if path.startswith("/ui") and not self.core.barrier.is_sealed:
            stored = self.core.settings.read("ui-headers")
            answer.add({name: ", ".join(values) for name, values in stored.items()})
        if self._has_custom:
            found = self._fixed.get(answer.status)
            if found is None:
                found = self._fixed[answer.status] = self._layers(answer.status)
            answer.fixed, names = found
            if answer.headers:  # the operator has the last word
                answer.headers = {n: value for n, value in answer.headers.items() if n.lower() not in names}
        return answer

    def _layers(self, status: int) -> tuple[str, frozenset[str]]:
        """The lines of every answer with this status, and the names in them that the operator chose."""
        settings = self._settings
        custom = settings.custom_headers
        own = {"X-Vault-Hostname": settings.hostname, "X-Vault-Raft-Node-ID": settings.raft_node_id}
        layers = (
            custom.get("default", {}),
            custom.get(f"{status // 100}xx", {}),
            custom.get(str(status), {}),
            {name: value for name, value in own.items() if value},
        )
        return fixed_lines(*layers), frozenset(name.lower() for layer in layers for name in layer)

    def _route(
        self, head: Head, body: bytes, path: str, query: str, remote: tuple[str, int], connection: Connection
    ) -> Answer | Coroutine[Any, Any, Answer]:
        settings = self._settings
        if settings.metrics_only:
            if path != (settings.metrics_path or API + _METRICS):
                raise WireError(404)
            below = _METRICS
        elif not path.startswith(API):
            return _outside(head, path)
        else:
            below = path[len(API) :]
        if settings.requires_request_header and head.headers.get("X-Vault-Request", "").lower() not in {"true", "1"}:
            raise WireError(412, "missing 'X-Vault-Request' header")
        answers = self._local.get(below)
        if answers is not None:
            return answers(self, head, query)
        if below in local.CEREMONIES:
            return self._hold_ceremony(head, body, below)
        if settings.metrics_disallowed and below == _METRICS:
            raise WireError(404)
        request = read_request(head, body, below, query, settings, remote)
        if self.context is not None:
            request.client_certificate = _certificate(connection)
        return self._ask(request)

    async def _ask(self, request: Request) -> Answer:
        try:
            return of_response(request.id, await self.core.handle(request))
        except Exception as error:  # noqa: BLE001 -- the edge, as above
            return self._failed(error, request.id)

    async def _hold_ceremony(self, head: Head, body: bytes, path: str) -> Answer:
        try:
            return await local.ceremony(self, head, body, path)
        except Exception as error:  # noqa: BLE001 -- the edge, as above
            return self._failed(error, "")

    def _failed(self, error: Exception, request_id: str) -> Answer:
        found = refusal(error)
        if found is None:
            _log.error("request failed", error=type(error).__name__, at=_place(error), request_id=request_id)
            return of_errors(500, (INTERNAL_ERROR,))
        status, messages = found
        data = getattr(error, "data", None)
        if data is not None:
            return of_json({"errors": list(messages), "data": data}, status)
        return of_errors(status, messages, error.headers if isinstance(error, TooManyRequests) else None)

    def trusts_proxy(self, address: str) -> bool | None:
        """Whether a peer's PROXY header is believed; None: the peer is to be turned away."""
        rule = self.settings.proxy_protocol
        if rule is None or rule.behavior == "use_always":
            return rule is not None
        if is_within(address, rule.authorized):
            return True
        return False if rule.behavior == "allow_authorized" else None


def _outside(head: Head, path: str) -> Answer:
    if path == "/" and head.method in {"GET", "HEAD"}:
        return Answer(307, headers={"Location": "/ui/"})
    return of_errors(404, ())


def _certificate(connection: Connection) -> bytes:
    """The client's certificate in DER, empty without one."""
    tls = connection.transport.get_extra_info("ssl_object")
    return b"" if tls is None else tls.getpeercert(binary_form=True) or b""


def _place(error: Exception) -> str:
    """Where an unexpected error arose: file and line, without any value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
