"""The `token_*` parameters."""

import pytest

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import coerce_fields
from strongroom_node.sdk.request import Operation, Request
from strongroom_node.sdk.response import Auth
from strongroom_node.sdk.token_fields import (
    TOKEN_FIELDS,
    TokenParams,
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


def test_policies():
    assert sanitize_policies([" B", "a", "b ", ""]) == ("a", "b")
