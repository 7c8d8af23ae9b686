import pytest

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.tokens.cidr import address_in, parse_cidrs


@pytest.mark.parametrize(
    ("address", "cidrs", "allowed"),
    [
        ("127.0.0.1", [], True),
        ("", [], True),
        ("10.1.2.9", ["10.1.2.0/24"], True),
        ("10.1.3.9", ["10.1.2.0/24"], False),
        ("10.1.2.9", ["10.1.2.77/24"], True),
        ("127.0.0.1", ["127.0.0.1"], True),
        ("127.0.0.2", ["127.0.0.1"], False),
        ("127.0.0.2", ["10.0.0.0/8", "127.0.0.0/8"], True),
        ("::ffff:10.1.2.9", ["10.1.2.0/24"], True),
        ("::ffff:10.1.3.9", ["10.1.2.0/24"], False),
        ("fe80::1%eth0", ["fe80::/10"], True),
        ("::1", ["127.0.0.0/8"], False),
        ("10.1.2.9", ["::/0"], False),
        ("", ["0.0.0.0/0"], False),
        ("@", ["0.0.0.0/0"], False),
        ("10.1.2.9.evil", ["10.1.2.0/24"], False),
        ("010.1.2.9", ["10.1.2.0/24"], False),
    ],
)
def test_address_in(address, cidrs, allowed):
    assert address_in(address, cidrs) is allowed


def test_parse_keeps_what_was_written():
    assert parse_cidrs([" 10.0.0.1/8 ", "1.2.3.4", "::1"]) == ("10.0.0.1/8", "1.2.3.4", "::1")


@pytest.mark.parametrize("text", ["x", "10.0.0.0/33", "10.0.0", "", "1.2.3.4/x"])
def test_parse_refuses(text):
    with pytest.raises(BadRequest):
        parse_cidrs([text])
