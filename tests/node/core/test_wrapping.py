"""Response wrapping: one use, one answer, whoever asks."""

import asyncio
import base64
import json

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from strongroom_node.core.wrapping import INVALID
from strongroom_node.sdk import errors
from strongroom_node.sdk.request import Operation, Request


async def ordinary(node, *policies):
    """A token with the default policy and these."""
    return (await node.ask("update", "auth/token/create", policies=["default", *policies])).auth.client_token


async def wrapped(node, ttl=60.0, **data):
    """The wrap info of some data."""
    return (await node.ask("update", "sys/wrapping/wrap", wrap=ttl, **(data or {"v": "1"}))).wrap_info


def inside(answer):
    return json.loads(answer.raw.body)


async def refused(node, path, token="root", /, **more):
    error = await node.refusal("update", path, token, **more)
    assert isinstance(error, errors.BadRequest)
    return error.messages[0]


async def test_the_original_envelope_comes_out_once(node):
    info = await wrapped(node, a="1", deep={"k": True})
    found = inside(await node.ask("update", "sys/wrapping/unwrap", token=info.token))
    assert found["data"] == {"a": "1", "deep": {"k": True}}
    assert found["request_id"] == "r"
    assert found["wrap_info"] is None
    assert await refused(node, "sys/wrapping/unwrap", token=info.token) == INVALID
    assert await refused(node, "sys/wrapping/unwrap", info.token) == INVALID


async def test_of_many_who_unwrap_at_once_one_gets_it(node):
    info = await wrapped(node)
    by_body = [node.ask("update", "sys/wrapping/unwrap", token=info.token) for _ in range(4)]
    by_token = [node.ask("update", "sys/wrapping/unwrap", info.token) for _ in range(4)]
    results = await asyncio.gather(*by_body, *by_token, return_exceptions=True)
    assert sum(not isinstance(result, Exception) for result in results) == 1
    assert all(
        isinstance(result, (errors.BadRequest, errors.PermissionDenied))
        for result in results
        if isinstance(result, Exception)
    )


async def test_nothing_is_left_behind(node):
    before = node.core.barrier.view("").walk("token") + node.core.barrier.view("").walk("cubbyhole")
    await node.ask("update", "sys/wrapping/unwrap", token=(await wrapped(node)).token)
    await node.ask("update", "sys/wrapping/unwrap", (await wrapped(node)).token)
    info = await wrapped(node)
    rewrapped = (await node.ask("update", "sys/wrapping/rewrap", token=info.token)).wrap_info
    await node.ask("update", "sys/wrapping/unwrap", rewrapped.token)
    info = await wrapped(node)
    await node.refusal("update", "sys/wrapping/rewrap", info.token)
    assert node.core.barrier.view("").walk("token") + node.core.barrier.view("").walk("cubbyhole") == before


async def test_the_token_in_the_body_does_not_authenticate(node):
    info = await wrapped(node)
    assert isinstance(
        await node.refusal("update", "sys/wrapping/unwrap", "", token=info.token), errors.PermissionDenied
    )
    assert await refused(node, "sys/wrapping/unwrap", "", token="hvs.unknown") == INVALID
    assert inside(await node.ask("update", "sys/wrapping/unwrap", token=info.token))["data"] == {"v": "1"}


async def test_both_at_once_is_fine_if_it_is_the_same_token(node):
    info, other = await wrapped(node), await wrapped(node, v="2")
    assert inside(await node.ask("update", "sys/wrapping/unwrap", info.token, token=info.token))["data"] == {"v": "1"}
    assert inside(await node.ask("update", "sys/wrapping/unwrap", token=other.token))["data"] == {"v": "2"}


async def test_the_wrapping_token_can_do_nothing_else(node):
    await node.ask("update", "secret/data/x", data={"a": 1})
    for operation, path in (("read", "secret/data/x"), ("update", "auth/token/create"), ("read", "sys/mounts")):
        info = await wrapped(node)
        assert isinstance(await node.refusal(operation, path, info.token), errors.PermissionDenied)


async def test_the_answer_inside_cannot_be_replaced_by_its_holder(node):
    info = await wrapped(node)
    assert isinstance(
        await node.refusal("update", "cubbyhole/response", info.token, response="forged"), errors.PermissionDenied
    )
    assert await refused(node, "sys/wrapping/unwrap", token=info.token) == INVALID


async def test_old_clients_read_the_cubbyhole(node):
    info = await wrapped(node)
    data = (await node.ask("read", "cubbyhole/response", info.token)).data
    assert json.loads(data["response"])["data"] == {"v": "1"}
    assert await refused(node, "sys/wrapping/unwrap", token=info.token) == INVALID


@pytest.mark.parametrize("path", ["unwrap", "rewrap", "lookup"])
async def test_an_ordinary_token_wraps_nothing(node, path):
    token = await ordinary(node)
    assert await refused(node, f"sys/wrapping/{path}", token=token) == INVALID
    assert await refused(node, f"sys/wrapping/{path}") == INVALID
    assert await refused(node, f"sys/wrapping/{path}", token="") == (
        "error validating wrapping token: empty token in request body"
    )
    assert await refused(node, f"sys/wrapping/{path}", token=5) == (
        "error validating wrapping token: could not decode token in request body"
    )
    await node.ask("read", "auth/token/lookup-self", token)


async def test_it_ends_with_its_time(node):
    info = await wrapped(node, 2.0)
    node.time += 2
    assert await refused(node, "sys/wrapping/unwrap", token=info.token) == INVALID
    assert await refused(node, "sys/wrapping/lookup", "", token=info.token) == INVALID


async def test_lookup_tells_when_where_and_how_long_and_uses_nothing_up(node):
    info = await wrapped(node, 300.0)
    for token in ("", info.token, "root"):
        data = (await node.ask("update", "sys/wrapping/lookup", token, token=info.token)).data
        assert (data["creation_path"], data["creation_ttl"]) == ("sys/wrapping/wrap", 300)
        assert data["creation_time"] == info.creation_time
    assert (await node.ask("read", "sys/wrapping/lookup", info.token)).data["creation_ttl"] == 300
    await node.ask("update", "sys/wrapping/unwrap", token=info.token)


async def test_rewrapping_keeps_length_path_and_accessor(node):
    info = (await node.ask("update", "auth/token/create", policies=["default"], wrap=120.0)).wrap_info
    assert info.wrapped_accessor
    node.time += 60
    new = (await node.ask("update", "sys/wrapping/rewrap", token=info.token)).wrap_info
    assert (new.ttl, new.creation_path, new.wrapped_accessor) == (120, "auth/token/create", info.wrapped_accessor)
    assert await refused(node, "sys/wrapping/unwrap", token=info.token) == INVALID
    auth = inside(await node.ask("update", "sys/wrapping/unwrap", token=new.token))["auth"]
    await node.ask("read", "auth/token/lookup-self", auth["client_token"])


async def test_wrap_needs_a_length(node):
    assert await refused(node, "sys/wrapping/wrap", v="1") == "endpoint requires response wrapping to be used"


# --- JWT form


async def jwt_of(node, path="auth/token/create", **data):
    request = Request(
        Operation.UPDATE, path, data, id="r", token="root", remote_address="127.0.0.1", wrap_ttl=60.0, wrap_format="jwt"
    )
    return await node.core.handle(request)


def part(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def public_key(node):
    data = (await node.ask("read", "sys/wrapping/pubkey", "")).data
    assert data["jwt_curve"] == "p521"
    x, y = (int(bytes(data[name])) for name in ("jwt_x", "jwt_y"))
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP521R1()).public_key()


def verify(key, token):
    message, _, signature = token.rpartition(".")
    raw = part(signature)
    r, s = int.from_bytes(raw[:66], "big"), int.from_bytes(raw[66:], "big")
    key.verify(encode_dss_signature(r, s), message.encode(), ec.ECDSA(hashes.SHA512()))
    return json.loads(part(message.partition(".")[2]))


async def test_a_jwt_is_signed_and_unwraps_in_either_place(node):
    key = await public_key(node)
    answer = await jwt_of(node, policies=["default"])
    claims = verify(key, answer.wrap_info.token)
    assert claims["type"] == "wrapping"
    assert claims["exp"] - claims["iat"] == 60
    assert claims["accessor"] == answer.wrap_info.wrapped_accessor
    assert any("redirect address" in warning for warning in answer.warnings)
    assert (await node.ask("update", "sys/wrapping/lookup", "", token=answer.wrap_info.token)).data[
        "creation_ttl"
    ] == 60
    assert inside(await node.ask("update", "sys/wrapping/unwrap", token=answer.wrap_info.token))["auth"]
    second = await jwt_of(node, policies=["default"])
    assert inside(await node.ask("update", "sys/wrapping/unwrap", second.wrap_info.token))["auth"]
    assert await refused(node, "sys/wrapping/unwrap", token=second.wrap_info.token) == INVALID


async def test_a_forged_jwt_is_refused(node):
    token = (await jwt_of(node, policies=["default"])).wrap_info.token
    head, body, signature = token.split(".")
    plain = json.loads(part(body))["jti"]
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    other = ec.generate_private_key(ec.SECP521R1())
    with pytest.raises(InvalidSignature):
        verify(other.public_key(), token)
    for forged in (
        f"{none}.{body}.{signature}",
        f"{none}.{body}.",
        f"{head}.{body}.{'A' * len(signature)}",
        f"{head}.{body}x.{signature}",
        f"{head}.{body}.{signature[:-4]}",
        "..",
        "a.b.c",
        "é.é.é",
        "A" * 10_000 + "..",
    ):
        assert await refused(node, "sys/wrapping/unwrap", token=forged) == INVALID
    assert inside(await node.ask("update", "sys/wrapping/unwrap", token=plain))["auth"]


async def test_a_deeply_nested_jwt_is_only_refused(node):
    _, body, signature = (await jwt_of(node, policies=["default"])).wrap_info.token.split(".")
    deep = base64.urlsafe_b64encode(b"[" * 2700).decode()
    for forged in (f"{deep}.{body[:100]}.{signature}", f"{body[:100]}.{deep}.{signature}"):
        assert len(forged) <= 4096
        assert await refused(node, "sys/wrapping/lookup", "", token=forged) == INVALID


async def test_what_anybody_may_wrap_is_never_signed(node):
    assert (await jwt_of(node, "sys/wrapping/wrap", v="1")).wrap_info.token.startswith("hvs.")


async def test_data_that_is_encoded_already_passes(node):
    await node.ask("update", "sys/mounts/one", type="kv")
    request = Request(Operation.UPDATE, "one/k", {"v": "1"}, id="r", token="root", body=msgspec.json.encode({"v": "1"}))
    await node.core.handle(request)
    info = (await node.ask("read", "one/k", wrap=30.0)).wrap_info
    assert inside(await node.ask("update", "sys/wrapping/unwrap", token=info.token))["data"] == {"v": "1"}
