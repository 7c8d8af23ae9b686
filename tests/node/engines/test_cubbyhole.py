"""Each token's own storage."""

import pytest
from support.node import running_node

from strongroom_node.sdk import errors
from strongroom_storage.errors import InputRefused


async def ordinary(node, *policies):
    """A token with the default policy and these."""
    return (await node.ask("update", "auth/token/create", policies=["default", *policies])).auth.client_token


@pytest.fixture
async def node():
    async with running_node() as made:
        yield made


async def test_nobody_else_sees_it_not_even_root(node):
    ann, bob = await ordinary(node), await ordinary(node)
    await node.ask("update", "cubbyhole/k", ann, v="1", deep={"x": [1, None]})
    assert (await node.ask("read", "cubbyhole/k", ann)).data == {"v": "1", "deep": {"x": [1, None]}}
    for token in (bob, "root"):
        assert isinstance(await node.refusal("read", "cubbyhole/k", token), errors.NotFound)
        assert isinstance(await node.refusal("list", "cubbyhole", token), errors.NotFound)
        await node.ask("delete", "cubbyhole/k", token)
    assert (await node.ask("read", "cubbyhole/k", ann)).data["v"] == "1"


async def test_nobody_reaches_anothers_by_its_path(node):
    ann, bob = await ordinary(node), await ordinary(node)
    await node.ask("update", "cubbyhole/k", ann, v="1")
    key = node.core.tokens.lookup(ann).key
    for path in (f"cubbyhole/{key}/k", f"cubbyhole/../{key}/k", f"cubbyhole//{key}/k"):
        with pytest.raises((errors.RequestError, InputRefused)):
            await node.ask("read", path, bob)


async def test_it_ends_with_the_token(node):
    token = await ordinary(node)
    for number in range(5):
        await node.ask("update", f"cubbyhole/a/{number}", token, v=number)
    view = node.core.barrier.view("cubbyhole/")
    assert len(view.walk()) == 5
    await node.ask("update", "auth/token/revoke", token=token)
    assert view.walk() == []


async def test_listing_one_level(node):
    token = await ordinary(node)
    for path in ("a", "x/y", "x/z/q"):
        await node.ask("update", f"cubbyhole/{path}", token, v="1")
    assert (await node.ask("list", "cubbyhole", token)).data["keys"] == ["a", "x/"]
    assert (await node.ask("list", "cubbyhole/x", token)).data["keys"] == ["y", "z/"]
    assert (await node.ask("list", "cubbyhole", token, limit=1)).data["keys"] == ["a"]
    await node.ask("delete", "cubbyhole/x", token)
    assert (await node.ask("list", "cubbyhole/x", token)).data["keys"] == ["y", "z/"]


async def test_what_is_refused(node):
    token = await ordinary(node)
    assert (await node.refusal("update", "cubbyhole/k", token)).messages == ("missing data fields",)
    assert isinstance(await node.refusal("read", "cubbyhole/k", ""), errors.PermissionDenied)
    batch = (await node.ask("update", "auth/token/create", type="batch", policies=["default"])).auth.client_token
    for operation, data in (("update", {"v": "1"}), ("read", {}), ("delete", {}), ("list", {})):
        refused = await node.refusal(operation, "cubbyhole/x", batch, **data)
        assert refused.messages == ("cubbyhole operations are only supported by 'service' type tokens",)
