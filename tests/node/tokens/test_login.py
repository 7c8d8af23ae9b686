import pytest

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.response import Auth
from strongroom_node.tokens.login import token_type
from strongroom_node.tokens.ttl import Limits

LIMITS = Limits(100.0, 1000.0)


async def login(house, auth, kind="default-service", limits=LIMITS):
    return await house.tokens.login(auth, path="auth/userpass/login/ann", mount_token_type=kind, limits=limits)


@pytest.mark.parametrize(
    ("wished", "of_mount", "kind"),
    [
        ("default", "", "service"),
        ("default", "default-service", "service"),
        ("default", "default-batch", "batch"),
        ("batch", "default-service", "batch"),
        ("service", "default-batch", "service"),
        ("batch", "service", "service"),
        ("service", "batch", "batch"),
        ("default-batch", "default-service", "batch"),
        ("default-service", "default-batch", "service"),
        ("", "", "service"),
    ],
)
def test_types(wished, of_mount, kind):
    assert token_type(wished, of_mount) == kind


async def test_the_answer_is_filled_in(house):
    auth = Auth(policies=["Dev"], metadata={"username": "ann"}, display_name="userpass-ann", ttl=60, entity_id="e1")
    auth.identity_policies = ["group"]
    assert await login(house, auth) == []
    entry = house.tokens.lookup(auth.client_token)
    assert auth.token_policies == ["default", "dev"]
    assert auth.policies == ["default", "dev", "group"]
    assert entry.policies == ("default", "dev")
    assert (auth.lease_duration, auth.renewable, auth.token_type, auth.orphan) == (60, True, "service", True)
    assert (entry.entity_id, entry.is_orphan, entry.path) == ("e1", True, "auth/userpass/login/ann")
    assert house.leases.get(entry.lease_id) is not None
    assert entry.lease_id == f"auth/userpass/login/ann/{entry.key}"


async def test_lengths_are_cut(house):
    auth = Auth(ttl=5000, policies=["x"])
    warnings = await login(house, auth)
    assert auth.lease_duration == 1000
    assert len(warnings) == 1


@pytest.mark.parametrize("policies", [["root"], ["x", "ROOT"]])
async def test_no_login_makes_root(house, policies):
    with pytest.raises(BadRequest, match="auth methods cannot create root tokens"):
        await login(house, Auth(policies=policies))
    auth = Auth(policies=["x"])
    auth.identity_policies = policies
    with pytest.raises(BadRequest, match="auth methods cannot create root tokens"):
        await login(house, auth)
    with pytest.raises(BadRequest, match="cannot assign policy"):
        await login(house, Auth(policies=["response-wrapping"]))
    assert house.records() == []


async def test_a_batch_login_stores_nothing(house):
    auth = Auth(policies=["x"], num_uses=5, period=30, explicit_max_ttl=60)
    await login(house, auth, "batch")
    assert auth.client_token.startswith("hvb.")
    assert (auth.accessor, auth.renewable, auth.num_uses, auth.lease_duration) == ("", False, 0, 30)
    assert house.records() == []
    assert house.tokens.lookup(auth.client_token).policies == ("default", "x")
