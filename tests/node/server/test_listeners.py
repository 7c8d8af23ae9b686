from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path

from strongroom_node.config.listener import ListenerConfig, ListenerTelemetry
from strongroom_node.http.settings import JSONLimits, Timeouts
from strongroom_node.server.listeners import settings_of


def test_a_plain_listener_gets_the_usual_limits():
    settings = settings_of(ListenerConfig(address="127.0.0.1:8200", tls_disable=True), 90.0)
    assert (settings.host, settings.port, settings.path, settings.tls) == ("127.0.0.1", 8200, None, None)
    assert settings.timeouts == Timeouts()
    assert settings.json_limits == JSONLimits()
    assert settings.request_seconds_max == 90.0
    assert settings.proxy_protocol is None
    assert settings.cors is None


def test_tls_proxies_and_limits_arrive():
    settings = settings_of(
        ListenerConfig(
            address="[::1]:1",
            tls_cert_file="/c",
            tls_key_file="/k",
            tls_client_ca_file="/ca",
            tls_require_and_verify_client_cert=True,
            tls_min_version="tls13",
            proxy_protocol_behavior="allow_authorized",
            proxy_protocol_authorized_addrs=(ip_network("10.0.0.0/8"),),
            x_forwarded_for_authorized_addrs=(ip_network("10.0.0.0/8"),),
            x_forwarded_for_hop_skips=1,
            max_request_size=-1,
            max_request_json_strings=-1,
            max_request_duration=5.0,
            http_idle_timeout=7.0,
            cors_enabled=True,
            cors_allowed_origins=("*",),
            telemetry=ListenerTelemetry(unauthenticated_metrics_access=True),
            disable_unauthed_rekey_endpoints=True,
            require_request_header=True,
        ),
        90.0,
    )
    assert settings.host == "::1"
    assert settings.tls is not None
    assert (settings.tls.certificate, settings.tls.client_ca, settings.tls.version_min) == (
        Path("/c"),
        Path("/ca"),
        "tls13",
    )
    assert settings.tls.requires_client_certificate
    assert settings.forwarded_for.hop_skips == 1
    assert settings.proxy_protocol is not None
    assert settings.request_bytes_max > 1 << 60
    assert settings.json_limits.strings == 0
    assert settings.request_seconds_max == 5.0
    assert settings.timeouts.idle == 7.0
    assert settings.cors is not None
    assert settings.metrics_unauthenticated
    assert settings.rekey_disabled
    assert settings.requires_request_header


def test_a_socket_has_no_tls_and_keeps_its_mode():
    settings = settings_of(ListenerConfig(type="unix", address="/run/s.sock", socket_mode=0o660), 90.0)
    assert (settings.path, settings.socket_mode, settings.tls) == (Path("/run/s.sock"), 0o660, None)


def test_every_time_out_can_be_configured():
    names = {field.name for field in fields(ListenerConfig)}
    assert {"http_read_timeout", "http_read_header_timeout", "http_write_timeout", "http_idle_timeout"} <= names
