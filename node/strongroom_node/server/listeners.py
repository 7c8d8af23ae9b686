"""From the configuration of listeners to what the HTTP layer is told. Pure."""

from pathlib import Path
from typing import Final

from strongroom_node.config.listener import ListenerConfig
from strongroom_node.http.settings import (
    CORSSettings,
    ForwardedFor,
    JSONLimits,
    ListenerSettings,
    ProxyProtocol,
    Timeouts,
    TLSSettings,
)

_NO_LIMIT: Final = 1 << 62


def settings_of(config: ListenerConfig, default_seconds: float) -> ListenerSettings:
    """One listener. `default_seconds` is the server's `default_max_request_duration`."""
    is_unix = config.type == "unix"
    return ListenerSettings(
        host="" if is_unix else config.host,
        port=0 if is_unix else config.port,
        path=Path(config.address) if is_unix else None,
        socket_mode=config.socket_mode or None,
        socket_user=config.socket_user,
        socket_group=config.socket_group,
        tls=None if is_unix or config.tls_disable else _tls(config),
        proxy_protocol=_proxy_protocol(config),
        forwarded_for=ForwardedFor(
            config.x_forwarded_for_authorized_addrs,
            config.x_forwarded_for_hop_skips,
            config.x_forwarded_for_reject_not_present,
            config.x_forwarded_for_reject_not_authorized,
        ),
        timeouts=_timeouts(config),
        json_limits=_json_limits(config),
        request_bytes_max=config.max_request_size if config.max_request_size > 0 else _NO_LIMIT,
        request_seconds_max=config.max_request_duration or default_seconds,
        requires_request_header=config.require_request_header,
        custom_headers={status: dict(headers) for status, headers in config.custom_response_headers.items()},
        cors=_cors(config),
        metrics_unauthenticated=config.telemetry.unauthenticated_metrics_access,
        metrics_disallowed=config.telemetry.disallow_metrics,
        metrics_only=config.telemetry.metrics_only or config.role == "metrics_only",
        metrics_path=config.telemetry.metrics_path,
        in_flight_unauthenticated=config.inflight_requests_logging.unauthenticated_in_flight_requests_access,
        rekey_disabled=config.disable_unauthed_rekey_endpoints,
        generate_root_disabled=config.disable_unauthed_generate_root_endpoints,
    )


def _tls(config: ListenerConfig) -> TLSSettings:
    return TLSSettings(
        certificate=Path(config.tls_cert_file),
        key=Path(config.tls_key_file),
        version_min=config.tls_min_version,
        version_max=config.tls_max_version,
        cipher_suites=config.tls_cipher_suites,
        client_ca=Path(config.tls_client_ca_file) if config.tls_client_ca_file else None,
        requires_client_certificate=config.tls_require_and_verify_client_cert,
        asks_client_certificate=not config.tls_disable_client_certs,
    )


def _timeouts(config: ListenerConfig) -> Timeouts:
    """A write time-out of 0, the default, is ours: a client that reads nothing must not hold a socket for ever."""
    usual = Timeouts()
    return Timeouts(
        head=config.http_read_header_timeout,
        body=config.http_read_timeout,
        idle=config.http_idle_timeout,
        write=config.http_write_timeout or usual.write,
    )


def _json_limits(config: ListenerConfig) -> JSONLimits:
    """0 is the built-in bound, a negative number none."""
    usual = JSONLimits()
    strings = config.max_request_json_strings
    return usual if strings == 0 else JSONLimits(usual.depth, max(strings, 0), usual.entries)


def _proxy_protocol(config: ListenerConfig) -> ProxyProtocol | None:
    if not config.proxy_protocol_behavior:
        return None
    return ProxyProtocol(config.proxy_protocol_behavior, config.proxy_protocol_authorized_addrs)


def _cors(config: ListenerConfig) -> CORSSettings | None:
    if not config.cors_enabled:
        return None
    return CORSSettings(config.cors_allowed_origins, config.cors_allowed_headers, config.cors_allow_credentials)
