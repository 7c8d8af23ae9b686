import pytest

from strongroom_node.config.listener import REQUEST_BYTES_MAX, decode_listener
from strongroom_node.config.report import Report
from strongroom_node.hcl import HCLError, blocks, parse


def listener(body, kind="tcp"):
    (block,) = blocks(parse(f'listener "{kind}" {{ {body} }}'), "listener")
    return decode_listener(block, Report("f"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('tls_cert_file = "c"', "'tls_key_file' must be set, or tls_disable = true"),
        ('tls_disable = 1 tls_min_version = "ssl3"', "tls_min_version must be one of tls10, tls11, tls12, tls13"),
        (
            'tls_disable = 1 tls_min_version = "tls13" tls_max_version = "tls12"',
            "tls_min_version is above tls_max_version",
        ),
        ('tls_disable = 1 proxy_protocol_behavior = "maybe"', "proxy_protocol_behavior must be"),
        (
            'tls_disable = 1 proxy_protocol_behavior = "deny_unauthorized"',
            "proxy_protocol_authorized_addrs must be set",
        ),
        ("tls_disable = 1 x_forwarded_for_hop_skips = -1", "x_forwarded_for_hop_skips cannot be negative"),
        ('tls_disable = 1 role = "chief"', "role must be default or metrics_only"),
        ('tls_disable = 1 telemetry { metrics_path = "/m" }', "metrics_path is allowed with metrics_only only"),
        (
            'tls_disable = 1 custom_response_headers { "default" = { "x-vault-a" = "b" } }',
            "X-Vault headers cannot be set",
        ),
        ("tls_disable = 1 tls_require_and_verify_client_cert = 1 tls_disable_client_certs = 1", "exclude each other"),
    ],
)
def test_refused(body, reason):
    with pytest.raises(HCLError, match=reason.replace("[", r"\[")):
        listener(body)


def test_a_size_of_zero_is_the_default_and_a_negative_one_is_none():
    assert listener("tls_disable = true max_request_size = 0").max_request_size == REQUEST_BYTES_MAX
    assert listener("tls_disable = true max_request_size = -1").max_request_size == -1


def test_addresses():
    made = listener('tls_disable = true address = "[::1]:9000"')
    assert (made.host, made.port, made.cluster_address) == ("::1", 9000, "[::1]:9001")
    assert listener("", "unix").address == "/run/vault.sock"
    (block,) = blocks(parse('listener { type = "TCP" tls_disable = true }'), "listener")
    assert decode_listener(block, Report("f")).type == "tcp"
