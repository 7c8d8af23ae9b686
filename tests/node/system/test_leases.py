"""`sys/leases/`, beyond what the recorded answers tell."""

import pytest
from support.node import running_node

from strongroom_node.sdk import errors
from strongroom_node.system.leases import PATHS


async def ordinary(node, *policies):
    """A token with the default policy and these."""
    return (await node.ask("update", "auth/token/create", policies=["default", *policies])).auth.client_token


@pytest.fixture
async def node():
    async with running_node() as made:
        yield made


async def login(node, user="ann"):
    auth = (await node.ask("update", f"auth/up/login/{user}", "", password="p")).auth
    return auth.client_token


@pytest.fixture
async def users(node):
    await node.ask("update", "sys/auth/up", type="userpass")
    for user in ("ann", "anna"):
        await node.ask("update", f"auth/up/users/{user}", password="p", token_ttl="1h")
    return node


async def lease_of(node, user="ann"):
    return (
        f"auth/up/login/{user}/" + (await node.ask("list", f"sys/leases/lookup/auth/up/login/{user}")).data["keys"][0]
    )


async def test_a_login_shows_its_times(users):
    await login(users)
    lease_id = await lease_of(users)
    users.time += 600
    data = (await users.ask("update", "sys/leases/lookup", lease_id=lease_id)).data
    assert data == {
        "id": lease_id,
        "path": "auth/up/login/ann",
        "issue_time": "2023-11-14T22:13:20Z",
        "expire_time": "2023-11-14T23:13:20Z",
        "last_renewal": None,
        "renewable": True,
        "ttl": 3000,
    }


async def test_a_prefix_spares_a_longer_name(users):
    ann, anna = await login(users), await login(users, "anna")
    await users.ask("update", "sys/leases/revoke-prefix/auth/up/login/ann")
    assert isinstance(await users.refusal("read", "auth/token/lookup-self", ann), errors.PermissionDenied)
    await users.ask("read", "auth/token/lookup-self", anna)
    await users.ask("update", "sys/revoke-prefix/auth/up", sync=False)
    assert isinstance(await users.refusal("read", "auth/token/lookup-self", anna), errors.PermissionDenied)


@pytest.mark.parametrize("path", ["leases/revoke", "revoke", "leases/revoke/{0}", "revoke/{0}"])
async def test_every_spelling_of_revoke(users, path):
    token = await login(users)
    lease_id = await lease_of(users)
    data = {} if "{" in path else {"lease_id": lease_id}
    await users.ask("update", "sys/" + path.format(lease_id), **data)
    assert isinstance(await users.refusal("read", "auth/token/lookup-self", token), errors.PermissionDenied)


@pytest.mark.parametrize("path", ["leases/renew", "renew", "leases/renew/{0}", "renew/{0}"])
async def test_tokens_are_renewed_elsewhere(users, path):
    await login(users)
    lease_id = await lease_of(users)
    data = {} if "{" in path else {"lease_id": lease_id}
    refused = await users.refusal("update", "sys/" + path.format(lease_id), **data)
    assert refused.messages == ("tokens cannot be renewed through this endpoint",)


async def test_what_needs_sudo(users):
    await users.policy("p", 'path "sys/*" { capabilities = ["create", "read", "update", "list"] }')
    token = await ordinary(users, "p")
    for operation, path in (
        ("update", "sys/leases/revoke-prefix/auth/up"),
        ("update", "sys/leases/revoke-force/auth/up"),
        ("update", "sys/revoke-prefix/auth/up"),
        ("list", "sys/leases/lookup/auth/up"),
        ("list", "sys/leases/lookup"),
        ("read", "sys/leases"),
    ):
        assert isinstance(await users.refusal(operation, path, token), errors.PolicyDenied)
    refused = await users.refusal("update", "sys/leases/lookup", token, lease_id="x/y")
    assert refused.messages == ("invalid lease",)


async def test_limits_and_kinds_of_irrevocable_leases(node):
    assert (await node.ask("read", "sys/leases", type="irrevocable")).data == {"lease_count": 0, "leases": []}
    assert (await node.ask("read", "sys/leases", type="irrevocable", limit="none")).data["leases"] == []
    for limit in ("x", "-1", "0", "9" * 20):
        refused = await node.refusal("read", "sys/leases", type="irrevocable", limit=limit)
        assert refused.messages == ("invalid 'limit' value",)
    assert isinstance(await node.refusal("read", "sys/leases/count"), errors.NotFound)


def test_every_path_has_help():
    assert all(path.help for path in PATHS)
