"""A listener: a bound socket, its connections, and the way from a message to its answer."""

import asyncio
import contextlib
import grp
import os
import pwd
import socket
import ssl
import stat
from typing import TYPE_CHECKING, Final

import structlog

from strongroom_node.http import local
from strongroom_node.http.answer import Answer, of_errors, of_json, of_response
from strongroom_node.http.connection import Connection
from strongroom_node.http.cors import Refused, decide
from strongroom_node.http.decode import read_path, read_request
from strongroom_node.http.errors import INTERNAL_ERROR, WireError, refusal
from strongroom_node.http.forwarded import client_address, is_within
from strongroom_node.http.head import Head
from strongroom_node.http.proxied import ProxiedAcceptor
from strongroom_node.http.settings import ListenerSettings
from strongroom_node.http.tls import load_certificates, make_context
from strongroom_node.sdk.errors import TooManyRequests

if TYPE_CHECKING:
    from strongroom_node.core.core import Core

API: Final = "/v1/"
_BACKLOG: Final = 1024
_log = structlog.get_logger("http")


class Listener:
    """Serves the core on one address. `start` before use; `drain` and `close` after."""

    def __init__(self, core: "Core", settings: ListenerSettings) -> None:
        """Raises TLSInvalid if the settings' certificates do not work."""
        self.core = core
        self.settings = settings
        self.loop = asyncio.get_running_loop()
        self.context: ssl.SSLContext | None = None if settings.tls is None else make_context(settings.tls)
        self.is_draining = False
        self._emptied = asyncio.Event()
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | ProxiedAcceptor | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._local = dict(local.ALWAYS)
        if settings.metrics_unauthenticated:
            self._local["sys/metrics"] = local.metrics
        if settings.in_flight_unauthenticated:
            self._local["sys/in-flight-req"] = local.in_flight
        self._default_headers = settings.custom_headers.get("default", {})

    @property
    def port(self) -> int:
        """The bound port, 0 for a Unix socket."""
        if self._server is None or self.settings.path is not None:
            return 0
        if isinstance(self._server, ProxiedAcceptor):
            return self._server.port
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    # --- life ----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bind and accept. Raises OSError with the address in its text."""
        settings = self.settings
        handshake_seconds = settings.timeouts.tls_handshake if self.context is not None else None
        if settings.path is not None:
            self._server = await self._bind_unix(handshake_seconds)
        elif settings.proxy_protocol is not None:
            self._server = ProxiedAcceptor(self, _bound(settings))
        else:
            self._server = await self.loop.create_server(
                lambda: Connection(self),
                settings.host or None,
                settings.port,
                ssl=self.context,
                ssl_handshake_timeout=handshake_seconds,
                backlog=_BACKLOG,
                reuse_address=True,
                reuse_port=settings.reuse_port or None,
            )
        self._sweep()

    async def _bind_unix(self, handshake_seconds: float | None) -> asyncio.Server:
        settings = self.settings
        path = settings.path
        if path is None:
            raise WireError(500)
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
            path.unlink()
        before = os.umask(0o177)
        try:
            bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            bound.bind(str(path))
        finally:
            os.umask(before)
        user = pwd.getpwnam(settings.socket_user).pw_uid if settings.socket_user else -1
        group = grp.getgrnam(settings.socket_group).gr_gid if settings.socket_group else -1
        os.chown(path, user, group)
        path.chmod(settings.socket_mode if settings.socket_mode is not None else 0o600)
        return await self.loop.create_unix_server(
            lambda: Connection(self),
            sock=bound,
            ssl=self.context,
            ssl_handshake_timeout=handshake_seconds,
            backlog=_BACKLOG,
        )

    def reload(self) -> None:
        """Read the certificates again. Raises TLSInvalid, and then the old ones stay."""
        if self.context is not None and self.settings.tls is not None:
            load_certificates(self.context, self.settings.tls)

    async def drain(self, seconds: float) -> None:
        """Accept nothing more, let what is under way finish, for at most so long; then hang up."""
        self.is_draining = True
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.drain()
        if self._connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), seconds)
        for connection in list(self._connections):
            connection.transport.abort() if connection.is_busy else connection.transport.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self.settings.path is not None:
            self.settings.path.unlink(missing_ok=True)

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

    def _sweep(self) -> None:
        now = self.loop.time()
        for connection in [c for c in self._connections if 0 < c.deadline < now]:
            connection.expire()
        self._sweeper = self.loop.call_later(self.settings.timeouts.sweep, self._sweep)

    def report(self, error: BaseException) -> None:
        """An error that no answer could carry."""
        _log.error("connection failed", error=type(error).__name__)

    # --- messages ------------------------------------------------------------------------------------

    async def respond(self, head: Head, body: bytes, connection: Connection) -> Answer:
        """The answer to one message; never raises an expected error."""
        request_id = ""
        try:
            remote = connection.peer
            if self.settings.forwarded_for.authorized:
                remote = client_address(remote, head.headers, self.settings.forwarded_for)
            path, query = read_path(head.target)
            origin = head.headers.get("Origin")
            cors = decide(self.core, origin, head) if origin is not None else None
            if cors is not None and cors.preflight is not None:
                return cors.preflight
            answer = await self._route(head, body, path, query, remote, connection)
            if cors is not None:
                answer.add(cors.headers)
        except Refused as error:
            answer = of_errors(403, error.messages)
        except TooManyRequests as error:
            answer = of_errors(429, error.messages, error.headers)
        except Exception as error:  # noqa: BLE001 -- the edge: whatever happened inside becomes an answer
            answer = self._failed(error, request_id)
        if self.settings.custom_headers:
            self._add_custom(answer)
        return answer

    async def _route(
        self, head: Head, body: bytes, path: str, query: str, remote: tuple[str, int], connection: Connection
    ) -> Answer:
        if not path.startswith(API):
            return self._outside(head, path)
        settings = self.settings
        if settings.requires_request_header and head.headers.get("X-Vault-Request", "").lower() not in {"true", "1"}:
            raise WireError(412, "missing 'X-Vault-Request' header")
        below = path[len(API) :]
        answers = self._local.get(below)
        if answers is not None:
            return await answers(self, head, body, query)
        if settings.metrics_only:
            raise WireError(404)
        if below in local.CEREMONIES:
            return await local.ceremony(self, head, body, below)
        if settings.metrics_disallowed and below == "sys/metrics":
            raise WireError(404)
        request = read_request(head, body, below, query, settings, remote)
        if self.context is not None:
            request.client_certificate = _certificate(connection)
        response = await self.core.handle(request)
        return of_response(request.id, response)

    def _outside(self, head: Head, path: str) -> Answer:
        if path == "/" and head.method in {"GET", "HEAD"}:
            return Answer(307, headers={"Location": "/ui/"})
        return of_errors(404, ())

    def _failed(self, error: Exception, request_id: str) -> Answer:
        found = refusal(error)
        if found is None:
            _log.error("request failed", error=type(error).__name__, at=_place(error), request_id=request_id)
            return of_errors(500, (INTERNAL_ERROR,))
        status, messages = found
        headers = error.headers if isinstance(error, WireError) else None
        data = getattr(error, "data", None)
        if data is not None:
            return of_json({"errors": list(messages), "data": data}, status)
        return of_errors(status, messages, headers)

    def _add_custom(self, answer: Answer) -> None:
        custom = self.settings.custom_headers
        answer.add(
            {
                **self._default_headers,
                **custom.get(f"{answer.status // 100}xx", {}),
                **custom.get(str(answer.status), {}),
            }
        )

    def trusts_proxy(self, address: str) -> bool | None:
        """Whether a peer's PROXY header is believed; None: the peer is to be turned away."""
        rule = self.settings.proxy_protocol
        if rule is None or rule.behavior == "use_always":
            return rule is not None
        if is_within(address, rule.authorized):
            return True
        return False if rule.behavior == "allow_authorized" else None


def _bound(settings: ListenerSettings) -> socket.socket:
    """A listening socket for the accept loop of our own."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    bound.setblocking(False)
    return bound


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
