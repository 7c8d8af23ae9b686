"""`listener "tcp"` and `listener "unix"`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from strongroom_node.config import values
from strongroom_node.config.addresses import AddressInvalid, expand_template, split_address
from strongroom_node.config.decode import decode, readers_of, setting
from strongroom_node.config.report import Report
from strongroom_node.config.values import Network
from strongroom_node.hcl import Block, HCLError, Position, blocks, to_plain

REQUEST_BYTES_MAX: Final = 33_554_432
"""Vault's default; 0 in the text means it, a negative number no limit."""

_TLS_VERSIONS: Final = ("tls10", "tls11", "tls12", "tls13")
_PROXY_BEHAVIORS: Final = ("", "use_always", "allow_authorized", "deny_unauthorized")


@dataclass(frozen=True, slots=True)
class ListenerTelemetry:
    """`telemetry { }` in a listener."""

    unauthenticated_metrics_access: bool = setting(values.boolean, default=False)
    disallow_metrics: bool = setting(values.boolean, default=False)
    metrics_only: bool = setting(values.boolean, default=False)
    metrics_path: str = setting(values.text, "")


@dataclass(frozen=True, slots=True)
class ListenerProfiling:
    """`profiling { }` in a listener."""

    unauthenticated_pprof_access: bool = setting(values.boolean, default=False)


@dataclass(frozen=True, slots=True)
class ListenerInFlight:
    """`inflight_requests_logging { }` in a listener."""

    unauthenticated_in_flight_requests_access: bool = setting(values.boolean, default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerConfig:
    """One listener. Durations are seconds."""

    type: str = setting(values.text, "tcp")
    address: str = setting(values.text, "")
    cluster_address: str = setting(values.text, "")
    purpose: str = setting(values.text, "")
    role: str = setting(values.text, "default")
    chroot_namespace: str = setting(values.text, "")
    require_request_header: bool = setting(values.boolean, default=False)

    max_request_size: int = setting(values.size, REQUEST_BYTES_MAX)
    max_request_json_memory: int = setting(values.size, 0)
    max_request_json_strings: int = setting(values.whole, 0)
    """0: the listener's own bounds, which let through what Vault takes; negative: none."""
    max_request_duration: float = setting(values.duration, 0.0)
    """0: the server's `default_max_request_duration`."""
    http_read_timeout: float = setting(values.duration, 30.0)
    http_read_header_timeout: float = setting(values.duration, 10.0)
    http_write_timeout: float = setting(values.duration, 0.0)
    http_idle_timeout: float = setting(values.duration, 300.0)

    tls_disable: bool = setting(values.boolean, default=False)
    tls_cert_file: str = setting(values.text, "")
    tls_key_file: str = setting(values.text, "")
    tls_min_version: str = setting(values.text, "tls12")
    tls_max_version: str = setting(values.text, "tls13")
    tls_cipher_suites: tuple[str, ...] = setting(values.texts, ())
    tls_prefer_server_cipher_suites: bool = setting(values.boolean, default=False)
    tls_require_and_verify_client_cert: bool = setting(values.boolean, default=False)
    tls_client_ca_file: str = setting(values.text, "")
    tls_disable_client_certs: bool = setting(values.boolean, default=False)
    tls_acme_cache_path: str = setting(values.text, "")
    tls_acme_ca_directory: str = setting(values.text, "")
    tls_acme_test_ca_directory: str = setting(values.text, "")
    tls_acme_ca_root: str = setting(values.text, "")
    tls_acme_eab_key_id: str = setting(values.text, "")
    tls_acme_eab_mac_key: str = setting(values.text, "", is_secret=True)
    tls_acme_key_type: str = setting(values.text, "")
    tls_acme_email: str = setting(values.text, "")
    tls_acme_domains: tuple[str, ...] = setting(values.texts, ())
    tls_acme_disable_http_challenge: bool = setting(values.boolean, default=False)
    tls_acme_disable_alpn_challenge: bool = setting(values.boolean, default=False)

    proxy_protocol_behavior: str = setting(values.text, "")
    proxy_protocol_authorized_addrs: tuple[Network, ...] = setting(values.networks, ())
    x_forwarded_for_authorized_addrs: tuple[Network, ...] = setting(values.networks, ())
    x_forwarded_for_hop_skips: int = setting(values.whole, 0)
    x_forwarded_for_reject_not_present: bool = setting(values.boolean, default=True)
    x_forwarded_for_reject_not_authorized: bool = setting(values.boolean, default=True)
    x_forwarded_for_client_cert_header: str = setting(values.text, "")
    x_forwarded_for_client_cert_decoders: tuple[str, ...] = setting(values.texts, ())
    x_forwarded_for_client_cert_keep_not_forwarded: bool = setting(values.boolean, default=False)
    x_forwarded_for_client_cert_keep_unauthorized: bool = setting(values.boolean, default=False)

    cors_enabled: bool = setting(values.boolean, default=False)
    cors_allowed_origins: tuple[str, ...] = setting(values.texts, ())
    cors_allowed_headers: tuple[str, ...] = setting(values.texts, ())
    cors_allow_credentials: bool = setting(values.boolean, default=False)
    custom_response_headers: Mapping[str, Mapping[str, str]] = setting(values.response_headers, {})

    disable_unauthed_rekey_endpoints: bool = setting(values.boolean, default=False)
    disable_unauthed_generate_root_endpoints: bool = setting(values.boolean, default=False)
    disable_replication_status_endpoints: bool = setting(values.boolean, default=False)
    redact_addresses: bool = setting(values.boolean, default=False)
    redact_cluster_name: bool = setting(values.boolean, default=False)
    redact_version: bool = setting(values.boolean, default=False)

    socket_mode: int = setting(values.octal, 0)
    """0: whatever the umask leaves."""
    socket_user: str = setting(values.text, "")
    socket_group: str = setting(values.text, "")

    telemetry: ListenerTelemetry = field(default_factory=ListenerTelemetry)
    profiling: ListenerProfiling = field(default_factory=ListenerProfiling)
    inflight_requests_logging: ListenerInFlight = field(default_factory=ListenerInFlight)
    shown: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The stanza as it was written, without secrets."""

    @property
    def host(self) -> str:
        """Where a TCP listener binds; empty for every address."""
        return split_address(self.address)[0]

    @property
    def port(self) -> int:
        """The port a TCP listener binds."""
        return split_address(self.address)[1]


_READERS: Final = readers_of(ListenerConfig)
_INNER: Final[dict[str, type[Any]]] = {
    "telemetry": ListenerTelemetry,
    "profiling": ListenerProfiling,
    "inflight_requests_logging": ListenerInFlight,
}
_DEFAULT_ADDRESSES: Final = {"tcp": "127.0.0.1:8200", "unix": "/run/vault.sock"}
_HIDDEN: Final = frozenset({"tls_acme_eab_mac_key"})


def decode_listener(block: Block, report: Report) -> ListenerConfig:
    """Read one stanza. Raises HCLError."""
    given = decode(_READERS, block.body, report, _INNER)
    for name, kind in _INNER.items():
        for inner in blocks(block.body, name, labels=0):
            given[name] = kind(**decode(readers_of(kind), inner.body, report))
    if block.labels:
        given["type"] = block.labels[0]
    if "type" not in given:
        raise HCLError(block.position, "listener type must be specified")
    given["type"] = given["type"].lower()
    if given["type"] not in _DEFAULT_ADDRESSES:
        raise HCLError(block.position, f'unsupported listener type "{given["type"]}"; there are tcp and unix')
    given["address"] = given.get("address") or _DEFAULT_ADDRESSES[given["type"]]
    made = ListenerConfig(**given, shown={k: v for k, v in to_plain(block.body).items() if k not in _HIDDEN})
    _check(made, block.position)
    try:
        return _filled(made)
    except AddressInvalid as error:
        raise HCLError(block.position, str(error)) from None


def _check(made: ListenerConfig, position: Position) -> None:
    checks = (
        (made.tls_min_version in _TLS_VERSIONS, f"tls_min_version must be one of {', '.join(_TLS_VERSIONS)}"),
        (made.tls_max_version in _TLS_VERSIONS, f"tls_max_version must be one of {', '.join(_TLS_VERSIONS)}"),
        (made.tls_min_version <= made.tls_max_version, "tls_min_version is above tls_max_version"),
        (
            made.proxy_protocol_behavior in _PROXY_BEHAVIORS,
            "proxy_protocol_behavior must be use_always, allow_authorized or deny_unauthorized",
        ),
        (
            made.proxy_protocol_behavior in ("", "use_always") or made.proxy_protocol_authorized_addrs,
            "proxy_protocol_authorized_addrs must be set, unless proxy_protocol_behavior is use_always",
        ),
        (made.role in ("default", "metrics_only", ""), "role must be default or metrics_only"),
        (
            not any(
                name.lower().startswith("x-vault-") for names in made.custom_response_headers.values() for name in names
            ),
            "custom_response_headers: X-Vault headers cannot be set",
        ),
        (made.x_forwarded_for_hop_skips >= 0, "x_forwarded_for_hop_skips cannot be negative"),
        (
            not (made.tls_require_and_verify_client_cert and made.tls_disable_client_certs),
            "tls_disable_client_certs and tls_require_and_verify_client_cert exclude each other",
        ),
        (
            not made.telemetry.metrics_path or made.telemetry.metrics_only,
            "metrics_path is allowed with metrics_only only",
        ),
    )
    for is_right, reason in checks:
        if not is_right:
            raise HCLError(position, reason)
    if made.type == "tcp" and not made.tls_disable and not _uses_acme(made):
        for name in ("tls_cert_file", "tls_key_file"):
            if not getattr(made, name):
                raise HCLError(position, f"'{name}' must be set, or tls_disable = true")


def _uses_acme(made: ListenerConfig) -> bool:
    return bool(made.tls_acme_email or made.tls_acme_domains or made.tls_acme_ca_directory)


def _filled(made: ListenerConfig) -> ListenerConfig:
    """With templates expanded, 0 limits replaced and the cluster's address beside the listener's."""
    if made.type == "unix":
        return made
    address = expand_template(made.address)
    host, port = split_address(address)
    shown = f"[{host}]" if ":" in host else host
    return replace(
        made,
        address=f"{shown}:{port}",
        cluster_address=expand_template(made.cluster_address) or f"{shown}:{port + 1}",
        max_request_size=made.max_request_size or REQUEST_BYTES_MAX,
        x_forwarded_for_client_cert_header=made.x_forwarded_for_client_cert_header.strip(),
    )
