"""What one listener is told: addresses, limits, time-outs, trust. Frozen; made from the configuration."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

Network = IPv4Network | IPv6Network

REQUEST_BYTES_MAX = 32 << 20
"""Vault's default for a body."""

REQUEST_SECONDS_MAX = 90.0
HEAD_BYTES_MAX = 80 << 10
"""Request line and headers together: a line of 64 KiB is still told what is wrong with its path. Go allows 1 MiB."""

HEADERS_MAX = 128
CONNECTIONS_MAX = 8192


@dataclass(frozen=True, slots=True)
class JSONLimits:
    """Bounds on one decoded body. Values are counts, except the longest string, in bytes; 0 means no bound.

    Depth is that of Vault's own later limits. The others are wide enough for a transit batch of ten thousand items
    and keep what a 32 MiB body can become in memory below about ten times its size.
    """

    depth: int = 300
    strings: int = 250_000
    entries: int = 250_000


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; 0 means none. `head` runs from the first byte, `body` from the end of the head."""

    head: float = 10.0
    body: float = 30.0
    idle: float = 300.0
    write: float = 60.0
    proxy_header: float = 10.0
    tls_handshake: float = 10.0
    tls_shutdown: float = 5.0
    sweep: float = 1.0
    """How often open connections are looked at; every other value is kept to within this."""


@dataclass(frozen=True, slots=True)
class TLSSettings:
    """Files and rules of a listener's TLS. Versions are `tls10` to `tls13`, as in Vault."""

    certificate: Path
    key: Path
    version_min: str = "tls12"
    version_max: str = "tls13"
    cipher_suites: tuple[str, ...] = ()
    client_ca: Path | None = None
    requires_client_certificate: bool = False
    asks_client_certificate: bool = True


@dataclass(frozen=True, slots=True)
class ForwardedFor:
    """Whose `X-Forwarded-For` is believed. Without networks the header means nothing."""

    authorized: tuple[Network, ...] = ()
    hop_skips: int = 0
    rejects_absent: bool = True
    rejects_unauthorized: bool = True


@dataclass(frozen=True, slots=True)
class ProxyProtocol:
    """`behavior` is `use_always`, `allow_authorized` or `deny_unauthorized`."""

    behavior: str
    authorized: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """One listener. `path` makes it a Unix socket, else `host` and `port` are bound (port 0: any)."""

    host: str = "127.0.0.1"
    port: int = 8200
    path: Path | None = None
    socket_mode: int | None = None
    socket_user: str = ""
    socket_group: str = ""
    tls: TLSSettings | None = None
    proxy_protocol: ProxyProtocol | None = None
    forwarded_for: ForwardedFor = field(default_factory=ForwardedFor)
    timeouts: Timeouts = field(default_factory=Timeouts)
    json_limits: JSONLimits = field(default_factory=JSONLimits)
    request_bytes_max: int = REQUEST_BYTES_MAX
    """0 or less: no bound."""
    request_seconds_max: float = REQUEST_SECONDS_MAX
    head_bytes_max: int = HEAD_BYTES_MAX
    connections_max: int = CONNECTIONS_MAX
    requires_request_header: bool = False
    custom_headers: dict[str, dict[str, str]] = field(default_factory=dict)
    """By `default`, `2xx` or `404`: header names to values."""
    cors: "CORSSettings | None" = None
    """In place of what `sys/config/cors` says, for this listener."""
    metrics_unauthenticated: bool = False
    metrics_disallowed: bool = False
    metrics_only: bool = False
    metrics_path: str = ""
    in_flight_unauthenticated: bool = False
    rekey_disabled: bool = False
    generate_root_disabled: bool = False
    reuse_port: bool = False
    hostname: str = ""
    """Told in `X-Vault-Hostname` with every answer, unless empty."""
    raft_node_id: str = ""
    """Told in `X-Vault-Raft-Node-ID` with every answer, unless empty."""

    @property
    def label(self) -> str:
        """For the start banner and logs."""
        return f"unix:{self.path}" if self.path is not None else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class CORSSettings:
    """Which web pages may call the API."""

    allowed_origins: tuple[str, ...] = ()
    allowed_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
