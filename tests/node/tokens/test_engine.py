"""`auth/token/` through the whole pipeline, beyond what the recorded answers tell."""

import asyncio

import pytest
from support.node import running_node

from strongroom_node.sdk import errors
from strongroom_node.tokens import engine as token_engine

SELF = 'path "auth/token/*" { capabilities = ["create", "read", "update"] }'


@pytest.fixture
async def node():
    async with running_node() as made:
        yield made


async def create(node, token="root", /, **wishes):
    return (await node.ask("update", "auth/token/create", token, **wishes)).auth


async def test_renewing_by_accessor_tells_no_token_and_makes_none(node):
    made = await create(node, policies=["default"], ttl="1h")
    before = len((await node.ask("list", "auth/token/accessors")).data["keys"])
    auth = (await node.ask("update", "auth/token/renew-accessor", accessor=made.accessor, increment=1800)).auth
    assert (auth.client_token, auth.accessor, auth.lease_duration) == ("", made.accessor, 1800)
    assert len((await node.ask("list", "auth/token/accessors")).data["keys"]) == before


async def test_an_accessor_is_of_no_use_as_a_token(node):
    made = await create(node, policies=["default"])
    for operation, path, data in (
        ("read", "auth/token/lookup-self", {}),
        ("update", "auth/token/renew-self", {}),
        ("update", "auth/token/revoke-self", {}),
        ("read", "cubbyhole/x", {}),
    ):
        assert isinstance(await node.refusal(operation, path, made.accessor, **data), errors.PermissionDenied)
    assert isinstance(await node.refusal("update", "auth/token/lookup", token=made.accessor), errors.PermissionDenied)
    await node.ask("update", "auth/token/revoke", token=made.accessor)
    await node.ask("read", "auth/token/lookup-self", made.client_token)


async def test_time_alone_ends_a_token(node):
    made = await create(node, policies=["default"], ttl="10s")
    node.time += 9.9
    await node.ask("read", "auth/token/lookup-self", made.client_token)
    node.time += 0.1
    for path in ("auth/token/lookup-self", "cubbyhole/x"):
        assert isinstance(await node.refusal("read", path, made.client_token), errors.PermissionDenied)
    assert isinstance(await node.refusal("update", "auth/token/renew", token=made.client_token), errors.BadRequest)


async def test_concurrent_last_uses(node):
    await node.policy("self", SELF)
    made = await create(node, policies=["self"], num_uses=1)
    results = await asyncio.gather(
        *(node.ask("read", "auth/token/lookup-self", made.client_token) for _ in range(6)), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, errors.PermissionDenied)]
    assert len(refused) == 5


async def test_a_limited_or_ending_token_cannot_make_one_without_limit(node):
    made = await create(node, policies=["root"], ttl="1h")
    refused = await node.refusal("update", "auth/token/create", made.client_token, policies=["root"])
    assert refused.messages == ("expiring root tokens cannot create non-expiring root tokens",)
    made = await create(node, policies=["root"], num_uses=3)
    refused = await node.refusal("update", "auth/token/create", made.client_token, policies=["default"])
    assert refused.messages == ("restricted use token cannot generate child tokens",)


async def test_a_token_bound_to_a_network_has_bound_children(node):
    await node.policy("self", SELF)
    await node.ask("update", "auth/token/roles/r", token_bound_cidrs=["10.0.0.0/8"], allowed_policies=["self"])
    made = (await node.ask("update", "auth/token/create/r")).auth
    inside = (await node.ask("update", "auth/token/create", made.client_token, address="10.1.1.1")).auth
    await node.ask("read", "auth/token/lookup-self", inside.client_token, address="10.2.2.2")
    refused = await node.refusal("read", "auth/token/lookup-self", inside.client_token, address="192.0.2.1")
    assert isinstance(refused, errors.PermissionDenied)


async def test_a_batch_token_dies_with_its_parent_and_makes_no_children(node):
    await node.policy("self", SELF)
    parent = await create(node, policies=["self"])
    batch = await create(node, parent.client_token, type="batch")
    refused = await node.refusal("update", "auth/token/create", batch.client_token)
    assert refused.messages == ("batch tokens cannot create more tokens",)
    await node.ask("update", "auth/token/revoke", token=parent.client_token)
    assert isinstance(await node.refusal("read", "auth/token/lookup-self", batch.client_token), errors.PermissionDenied)


async def test_a_batch_token_survives_sealing(node):
    batch = await create(node, policies=["default"], type="batch")
    service = await create(node, policies=["default"])
    root_key = node.core.barrier.root_key()
    node.core.barrier.seal()
    assert isinstance(await node.refusal("read", "auth/token/lookup-self", batch.client_token), errors.Sealed)
    node.core.barrier.unseal(root_key)
    for made in (batch, service):
        await node.ask("read", "auth/token/lookup-self", made.client_token)


async def test_sudo_is_not_root(node):
    await node.policy("s", 'path "auth/token/create" { capabilities = ["create", "update", "sudo"] }')
    token = await node.token("s")
    refused = await node.refusal("update", "auth/token/create", token, policies=["root"])
    assert refused.messages == ("root tokens may not be created without parent token being root",)
    made = (await node.ask("update", "auth/token/create", token, policies=["anything"], period="1h", id="mine")).auth
    assert (made.client_token, made.lease_duration) == ("mine", 3600)


async def test_a_period_of_a_role_holds_at_each_renewal_and_follows_the_role(node):
    await node.ask("update", "auth/token/roles/r", token_period="1h", allowed_policies=["default"])
    made = (await node.ask("update", "auth/token/create/r")).auth
    node.time += 1800
    renewed = await node.ask("update", "auth/token/renew-self", made.client_token, increment="9h")
    assert renewed.auth.lease_duration == 3600
    await node.ask("update", "auth/token/roles/r", token_period="2h", token_explicit_max_ttl="3h")
    renewed = await node.ask("update", "auth/token/renew", token=made.client_token)
    assert renewed.auth.lease_duration == 7200
    node.time += 7000
    renewed = await node.ask("update", "auth/token/renew", token=made.client_token)
    assert renewed.auth.lease_duration == 3 * 3600 - 1800 - 7000
    await node.ask("delete", "auth/token/roles/r")
    refused = await node.refusal("update", "auth/token/renew", token=made.client_token)
    assert 'original token role "r" could not be found' in refused.messages[0]


async def test_an_explicit_end_given_at_creation_outlives_no_role(node):
    await node.ask("update", "auth/token/roles/r", allowed_policies=["default"])
    made = (await node.ask("update", "auth/token/create/r", explicit_max_ttl="1h", ttl="30m")).auth
    renewed = await node.ask("update", "auth/token/renew", token=made.client_token, increment="9h")
    assert renewed.auth.lease_duration == 3600
    node.time += 3600
    assert isinstance(await node.refusal("read", "auth/token/lookup-self", made.client_token), errors.PermissionDenied)


async def test_two_updates_of_a_role_at_once_lose_nothing(node):
    await asyncio.gather(
        node.ask("update", "auth/token/roles/r", orphan=True),
        node.ask("update", "auth/token/roles/r", renewable=False),
        node.ask("update", "auth/token/roles/r", path_suffix="v22"),
    )
    data = (await node.ask("read", "auth/token/roles/r")).data
    assert (data["orphan"], data["renewable"], data["path_suffix"]) == (True, False, "v22")


async def test_accessors_are_paged(node):
    made = {(await create(node, policies=["default"])).accessor for _ in range(5)}
    root = (await node.ask("read", "auth/token/lookup-self")).data["accessor"]
    found, after = [], ""
    while True:
        try:
            page = (await node.ask("list", "auth/token/accessors", limit=2, after=after)).data["keys"]
        except errors.NotFound:
            break
        assert len(page) <= 2
        found += page
        after = page[-1]
    assert set(found) == {*made, root}
    assert len(found) == 6


async def test_accessors_need_sudo(node):
    await node.policy("l", 'path "auth/token/accessors/" { capabilities = ["list"] }')
    assert isinstance(await node.refusal("list", "auth/token/accessors", await node.token("l")), errors.PolicyDenied)


async def test_a_role_name_that_is_no_key_is_refused_politely(node):
    from strongroom_storage.errors import InputRefused

    for name in ("..", "x" * 600):
        with pytest.raises((InputRefused, errors.RequestError)):
            await node.ask("update", f"auth/token/roles/{name}", orphan=True)


async def test_missing_policies_are_told(node):
    answer = await node.ask("update", "auth/token/create", policies=["nosuch", "default"])
    assert answer.warnings == ['Policy "nosuch" does not exist']


async def test_the_first_root_token_tells_nothing_of_a_lease(node):
    token = await node.core.tokens.create_root()
    data = (await node.ask("read", "auth/token/lookup-self", token)).data
    assert (data["path"], data["display_name"], data["orphan"], data["expire_time"]) == (
        "auth/token/root",
        "root",
        True,
        None,
    )
    assert "issue_time" not in data
    refused = await node.refusal("update", "auth/token/renew-self", token)
    assert refused.messages == ("invalid lease ID",)


def test_every_path_is_declared_with_help():
    assert all(path.help for path in token_engine.PATHS)
    with pytest.raises(TypeError):
        token_engine.ENGINE.make(type("Context", (), {"mount": type("Mount", (), {"path": "auth/token/"})}))
    assert {path.pattern for path in token_engine.PATHS if path.sudo} >= {"accessors"}
