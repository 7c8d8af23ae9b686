"""The `token_*` parameters."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import coerce_fields
from strongroom_node.sdk.request import Operation, Request
from strongroom_node.sdk.response import Auth
from strongroom_node.sdk.token_fields import (
    TOKEN_FIELDS,
    TokenParams,
    is_within,
    parse_cidrs,
    parse_token_params,
    sanitize_policies,
)


def parse(before=None, **data):
    request = Request(Operation.UPDATE, "x", data=data, fields=coerce_fields(TOKEN_FIELDS, data))
    return parse_token_params(request, before)


def test_every_field_has_its_place():
    assert {name.removeprefix("token_") for name in TOKEN_FIELDS} == set(TokenParams.__struct_fields__)
    assert set(TokenParams().describe()) == set(TOKEN_FIELDS)


def test_what_is_given_changes_and_the_rest_stays():
    first = parse(token_ttl="1h", token_policies="B, a,b", token_type="batch")
    assert (first.ttl, first.policies, first.type) == (3600, ("a", "b"), "batch")
    second = parse(first, token_ttl=0, token_type="")
    assert (second.ttl, second.policies, second.type) == (0, ("a", "b"), "default")
    assert parse(second) == second


@pytest.mark.parametrize(
    "data",
    [
        {"token_ttl": 2, "token_max_ttl": 1},
        {"token_num_uses": -1},
        {"token_type": "odd"},
        {"token_type": "batch", "token_period": 1},
        {"token_type": "default-batch", "token_num_uses": 1},
        {"token_period": -1},
        {"token_bound_cidrs": "10.0.0.0/8,nonsense"},
    ],
)
def test_what_does_not_fit_is_refused(data):
    with pytest.raises(BadRequest):
        parse(**data)


def test_a_later_change_is_checked_against_what_was_there():
    with pytest.raises(BadRequest, match="token_ttl"):
        parse(parse(token_max_ttl=60), token_ttl=61)


def test_fill_adds_policies_to_those_of_the_login():
    auth = Auth(policies=["a"])
    parse(token_policies="a,b", token_period=60).fill(auth)
    assert auth.policies == ["a", "b"]
    assert auth.period == 60


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
    assert is_within(str(address), blocks)
    other = ipaddress.ip_address(int(address) ^ 1 << address.max_prefixlen - 1)
    assert is_within(str(other), blocks) == (bits == 0)


def test_a_mapped_address_is_the_address():
    assert is_within("::ffff:10.1.2.3", ("10.0.0.0/8",))
    assert not is_within("::ffff:11.1.2.3", ("10.0.0.0/8",))
    assert parse_cidrs(["::ffff:10.0.0.0/104", "::ffff:10.1.2.3"]) == ("10.0.0.0/8", "10.1.2.3")
    for nothing in ("", "@", "/run/socket", "10.1.2.3:80"):
        assert not is_within(nothing, ("0.0.0.0/0", "::/0"))


def test_policies():
    assert sanitize_policies([" B", "a", "b ", ""]) == ("a", "b")
