import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.sdk.cidr import CIDRS_MAX, address_in, parse_cidrs
from strongroom_node.sdk.errors import BadRequest


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


def test_cidrs_have_one_spelling():
    given = ["127.0.0.1/32", "10.0.0.0/8", "192.0.2.1", "::1/128", "2001:DB8::/32", " 10.0.0.0/8 "]
    assert parse_cidrs(given) == ("127.0.0.1", "10.0.0.0/8", "192.0.2.1", "::1", "2001:db8::/32")


@pytest.mark.parametrize(
    "text", ["", "x", "1.2.3", "1.2.3.4/33", "1.2.3.4/-1", "::/129", "/", "10.0.0.0/8/8", "0x7f.1"]
)
def test_nonsense_is_no_address(text):
    with pytest.raises(BadRequest, match="error parsing address"):
        parse_cidrs([text])


@given(st.ip_addresses().filter(lambda address: not getattr(address, "ipv4_mapped", None)), st.integers(0, 128))
def test_an_address_is_within_its_own_block(address, bits):
    bits = min(bits, address.max_prefixlen)
    blocks = parse_cidrs([f"{address}/{bits}"])
    assert address_in(str(address), blocks)
    other = ipaddress.ip_address(int(address) ^ 1 << address.max_prefixlen - 1)
    assert address_in(str(other), blocks) == (bits == 0)


def test_a_mapped_address_is_the_address():
    assert address_in("::ffff:10.1.2.3", ("10.0.0.0/8",))
    assert not address_in("::ffff:11.1.2.3", ("10.0.0.0/8",))
    assert parse_cidrs(["::ffff:10.0.0.0/104", "::ffff:10.1.2.3"]) == ("10.0.0.0/8", "10.1.2.3")
    for nothing in ("", "@", "/run/socket", "10.1.2.3:80"):
        assert not address_in(nothing, ("0.0.0.0/0", "::/0"))


def test_a_zone_is_dropped_as_it_is_for_callers():
    assert parse_cidrs(["fe80::1%eth0", "fe80::1%eth0/64"]) == ("fe80::1", "fe80::1/64")
    assert address_in("fe80::1%eth1", parse_cidrs(["fe80::1%eth0"]))


def test_the_number_of_blocks_is_bounded():
    with pytest.raises(BadRequest, match="more than"):
        parse_cidrs([f"10.0.{number // 256}.{number % 256}" for number in range(CIDRS_MAX + 1)])
