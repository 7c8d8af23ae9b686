"""Opens connections: plain, TLS, unix socket, through a proxy."""

import http.client
import os
import socket
import ssl
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from strongroom_node.client.errors import SettingsInvalid
from strongroom_node.client.settings import Settings

PORTS = {"http": 80, "https": 443}


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix stream socket."""

    def __init__(self, path: str, timeout_seconds: float) -> None:
        super().__init__("localhost", timeout=timeout_seconds)
        self._path = path
        self._timeout_seconds = timeout_seconds

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self._timeout_seconds)
        self.sock.connect(self._path)


class TLSConnection(http.client.HTTPConnection):
    """HTTP over TLS, with a server name that may differ from the host."""

    default_port = 443

    def __init__(self, host: str, port: int, timeout_seconds: float, context: ssl.SSLContext, name: str) -> None:
        super().__init__(host, port, timeout=timeout_seconds)
        self._context = context
        self._name = name or host

    def connect(self) -> None:
        """Open the socket and shake hands."""
        super().connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self._name)


class Target(NamedTuple):
    """Where a request goes: a URL and, for a unix address, the socket's path."""

    url: SplitResult
    socket_path: str = ""


def open_connection(target: Target, settings: Settings) -> tuple[http.client.HTTPConnection, bool]:
    """A connection to the target; the flag says whether the whole URL must stand in the request line (plain proxy)."""
    timeout = settings.timeout_seconds
    if target.socket_path:
        return UnixConnection(target.socket_path, timeout), False
    scheme, host = target.url.scheme, target.url.hostname or ""
    port = target.url.port or PORTS[scheme]
    proxy = _proxy(settings, scheme, host)
    if proxy is None:
        if scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=timeout), False
        return TLSConnection(host, port, timeout, tls_context(settings), settings.tls_server_name), False
    via, via_port = proxy.hostname or "", proxy.port or PORTS.get(proxy.scheme, 80)
    if scheme == "http":
        return http.client.HTTPConnection(via, via_port, timeout=timeout), True
    tunnel = TLSConnection(via, via_port, timeout, tls_context(settings), settings.tls_server_name or host)
    tunnel.set_tunnel(host, port)
    return tunnel, False


def _proxy(settings: Settings, scheme: str, host: str) -> SplitResult | None:
    text = settings.proxy
    if not text:
        names = (f"{scheme}_proxy", f"{scheme}_proxy".upper())
        if host in {"localhost", "127.0.0.1", "::1"} or not any(os.environ.get(name) for name in names):
            return None
        import urllib.request  # noqa: PLC0415  -- heavy, and hardly anybody has a proxy

        if urllib.request.proxy_bypass(host):
            return None
        text = urllib.request.getproxies_environment().get(scheme, "")
    parts = urlsplit(text if "://" in text else f"http://{text}")
    if parts.scheme != "http" or not parts.hostname:
        raise SettingsInvalid("only http:// proxies can be used")
    return parts


def tls_context(settings: Settings) -> ssl.SSLContext:
    """A TLS 1.2+ client context. A given CA replaces the system's. Raises SettingsInvalid."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if settings.skip_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            _load_authorities(context, settings)
        if bool(settings.client_cert) != bool(settings.client_key):
            raise SettingsInvalid("both client cert and client key must be provided")
        if settings.client_cert:
            context.load_cert_chain(settings.client_cert, settings.client_key)
    except OSError as error:  # ssl.SSLError is one too
        raise SettingsInvalid(f"Error loading TLS files: {error.strerror or error}") from error
    return context


def _load_authorities(context: ssl.SSLContext, settings: Settings) -> None:
    if settings.ca_cert:
        context.load_verify_locations(cafile=settings.ca_cert)
    elif settings.ca_cert_pem:
        context.load_verify_locations(cadata=settings.ca_cert_pem)
    elif settings.ca_path:
        for folder, _, names in os.walk(settings.ca_path):
            for name in sorted(names):
                context.load_verify_locations(cafile=os.path.join(folder, name))  # noqa: PTH118  -- pathlib costs 5 ms
    else:
        context.load_default_certs()
