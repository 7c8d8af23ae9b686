"""KV version 1."""

import msgspec
import pytest

from strongroom_node.sdk.errors import BadRequest, NotFound, UnsupportedOperation
from strongroom_node.sdk.request import Operation, Request
from strongroom_storage.errors import KeyInvalid, KeyTooLong


async def test_write_read_list_delete(v1):
    assert await v1.request("update", "team/db", {"user": "app", "nested": {"x": None}}) is None
    await v1.request("update", "top", {"v": "1"})
    assert await v1.body("read", "team/db") == {"user": "app", "nested": {"x": None}}
    assert await v1.body("list", "") == {"keys": ["team/", "top"]}
    assert await v1.body("list", "team/") == {"keys": ["db"]}
    await v1.request("delete", "team/db")
    assert await v1.request("read", "team/db") is None


async def test_a_write_replaces_everything(v1):
    await v1.request("update", "s", {"a": "1", "b": "2"})
    await v1.request("update", "s", {"b": "3"})
    assert await v1.body("read", "s") == {"b": "3"}


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        ({"ttl": "1h"}, 3600),
        ({"ttl": 90}, 90),
        ({"ttl": "120"}, 120),
        ({"ttl": "soon"}, 2764800),
        ({"ttl": ["1h"]}, 2764800),
        ({"ttl": True}, 2764800),
        ({"ttl": ""}, 2764800),
        ({"ttl": "9" * 60}, 2764800),
        ({"lease": "1h30m"}, 5400),
        ({"v": 1}, 2764800),
    ],
)
async def test_ttl_becomes_the_lease_duration(v1, data, seconds):
    await v1.request("update", "s", data)
    response = await v1.request("read", "s")
    assert response.lease_duration == seconds
    assert response.secret is None


async def test_json_survives_to_the_digit(v1):
    body = '{"int":123456789012345678901234567890,"f":1.50,"e":1E5,"z":"ß🔐","a":[1,{"k":null}],"long":0.10000000000000000001}'
    await v1.request("update", "s", body=body.encode())
    response = await v1.request("read", "s")
    assert msgspec.json.encode(response.data).decode() == body


async def test_a_secret_may_have_keys_of_any_name_and_type(v1):
    secret = {"path": {"a": 1}, "limit": "none", "after": [1], "list": True}
    await v1.request("update", "s", secret)
    assert await v1.body("read", "s") == secret


async def test_an_empty_body_is_refused(v1):
    with pytest.raises(BadRequest, match="missing data fields"):
        await v1.request("update", "s", {})


@pytest.mark.parametrize("body", [b'{"other": 2}', b"v=1", b'{"v":1', b'{"v":"\xff"}', b"[" * 100_000])
async def test_what_is_stored_is_what_the_policy_saw(v1, body):
    """A raw body that is not the decoded one must not be stored in its place."""
    await v1.request("update", "s", {"v": "1"}, body=body)
    assert await v1.body("read", "s") == {"v": "1"}


async def test_there_is_no_patch(v1):
    with pytest.raises(UnsupportedOperation):
        await v1.request("patch", "s", {"v": 1})


async def test_first_write_is_a_create(v1):
    declaration, captured = v1.table.match("s", Operation.UPDATE)
    request = Request(Operation.UPDATE, "kv/s", fields=captured)
    assert not declaration.exists(v1.engine, request)
    await v1.request("update", "s", {"v": 1})
    assert declaration.exists(v1.engine, request)


@pytest.mark.parametrize("path", ["a/../b", "..", "../../sys/policy", "a\0b"])
async def test_no_path_climbs_out_of_the_mount(v1, path):
    with pytest.raises(KeyInvalid):
        await v1.request("update", path, {"v": 1})
    with pytest.raises(KeyInvalid):
        await v1.request("read", path)


async def test_a_path_of_any_length_is_answered_at_once(v1):
    for path in ("x" * 600, "x/" * 40_000 + "y", "ß" * 300):
        with pytest.raises(KeyTooLong):
            await v1.request("update", path, {"v": 1})


async def test_a_trailing_slash_names_no_secret(v1):
    with pytest.raises(BadRequest, match="path ending in"):
        await v1.request("update", "a/", {"v": 1})
    with pytest.raises(NotFound):
        await v1.request("read", "a/")
    assert await v1.request("delete", "a/") is None


async def test_list_pages(v1):
    for name in ("a", "b/x", "b/y", "c", "d"):
        await v1.request("update", name, {"v": 1})
    assert await v1.body("list", "", {"limit": "2"}) == {"keys": ["a", "b/"]}
    assert await v1.body("list", "", {"after": "b/", "limit": 2}) == {"keys": ["c", "d"]}
    assert await v1.body("scan", "") == {"keys": ["a", "b/x", "b/y", "c", "d"]}
