import pytest

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.request import Operation, Request
from strongroom_node.tokens.roles import TokenRole, decode_role, encode_role, shown, updated


def change(role, **fields):
    return updated(role, Request(Operation.UPDATE, "auth/token/roles/r", fields=fields), 1000.0)


NEW = TokenRole(name="r")


def test_what_a_new_role_shows():
    assert shown(NEW) == {
        "name": "r",
        "allowed_policies": [],
        "allowed_policies_glob": [],
        "disallowed_policies": [],
        "disallowed_policies_glob": [],
        "allowed_entity_aliases": None,
        "orphan": False,
        "renewable": True,
        "path_suffix": "",
        "token_type": "default-service",
        "period": 0,
        "token_period": 0,
        "explicit_max_ttl": 0,
        "token_explicit_max_ttl": 0,
        "token_no_default_policy": False,
    }


def test_an_update_changes_what_it_names_only():
    role, warnings = change(NEW, allowed_policies=["B", "a"], orphan=True, token_period=60.0, token_num_uses=2)
    assert warnings == []
    role, _ = change(role, renewable=False, token_bound_cidrs=["10.0.0.1/8"])
    data = shown(role)
    assert (data["allowed_policies"], data["orphan"], data["token_period"]) == (["a", "b"], True, 60)
    assert (data["renewable"], data["token_num_uses"], data["token_bound_cidrs"]) == (False, 2, ["10.0.0.1/8"])
    assert decode_role(encode_role(role)) == role


def test_old_names_are_shown_while_they_are_in_use():
    role, _ = change(NEW, period=60.0, bound_cidrs=["1.2.3.4"])
    data = shown(role)
    assert (data["period"], data["token_period"]) == (60, 60)
    assert data["bound_cidrs"] == data["token_bound_cidrs"] == ["1.2.3.4"]
    role, warnings = change(role, period=10.0, token_period=20.0)
    assert (role.period, role.token_period) == (0.0, 20.0)
    assert warnings == ["Both 'token_period' and deprecated 'period' value supplied, ignoring the deprecated value"]


def test_too_long_a_maximum_is_warned_of():
    _, warnings = change(NEW, token_explicit_max_ttl=2000.0)
    assert warnings[0].startswith("Given explicit max TTL of 2000 is greater than system/mount allowed value of 1000")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"token_type": "xx"}, "invalid 'token_type' value \"xx\""),
        ({"token_type": "batch"}, "non-orphan tokens"),
        ({"token_type": "batch", "orphan": True}, "renewable tokens"),
        ({"token_type": "batch", "orphan": True, "renewable": False, "token_period": 5.0}, "periodic tokens"),
        (
            {"token_type": "batch", "orphan": True, "renewable": False, "token_explicit_max_ttl": 5.0},
            "tokens with an explicit max TTL",
        ),
        ({"token_num_uses": -1}, "'token_num_uses' cannot be negative"),
        ({"path_suffix": "a/b"}, "given role path suffix contains invalid characters"),
        ({"path_suffix": "ok/../x"}, "given role path suffix contains invalid characters"),
        ({"bound_cidrs": ["xx"]}, 'error parsing address "xx"'),
    ],
)
def test_what_cannot_be(fields, message):
    with pytest.raises(BadRequest) as caught:
        change(NEW, **fields)
    assert message in caught.value.messages[0]


def test_a_batch_role_that_can_be():
    role, _ = change(NEW, token_type="batch", orphan=True, renewable=False)
    assert role.token_type == "batch"
    assert change(role, token_type="default")[0].token_type == "default-service"
