"""Reading, writing and patching versions."""

import asyncio

import msgspec
import pytest

from strongroom_node.engines.kv import body as body_module
from strongroom_node.sdk.errors import BadRequest, NotFound


async def put(v2, path, data, **options):
    response = await v2.request("update", f"data/{path}", {"data": data, "options": options})
    return response.data["version"]


async def test_write_answers_the_versions_metadata(v2):
    answer = await v2.body("update", "data/app", {"data": {"user": "u"}})
    assert answer == {
        "created_time": "2023-11-14T22:13:20Z",
        "custom_metadata": None,
        "deletion_time": "",
        "destroyed": False,
        "version": 1,
    }
    assert await v2.body("read", "data/app") == {"data": {"user": "u"}, "metadata": answer}


async def test_versions_are_read_by_number(v2):
    for number in (1, 2):
        await put(v2, "a", {"v": number})
    assert (await v2.body("read", "data/a", {"version": "1"}))["data"] == {"v": 1}
    for newest in ("0", "-1", 2):
        assert (await v2.body("read", "data/a", {"version": newest}))["data"] == {"v": 2}
    for path, version in (("a", 3), ("a", 1 << 62), ("nothing", 0)):
        with pytest.raises(NotFound):
            await v2.request("read", f"data/{path}", {"version": version})


async def test_json_survives_to_the_digit(v2):
    secret = '{"int":123456789012345678901234567890,"f":1.50,"e":1E5,"ü":"ß🔐","a":[1,{"k":null}],"b":0.10000000000000000001}'
    await v2.request("update", "data/n", body=b' { "data": %s , "options":{}}' % secret.encode())
    response = await v2.request("read", "data/n")
    assert msgspec.json.encode(response.data["data"]).decode() == secret


async def test_the_last_of_two_members_counts_everywhere(v2):
    """A decoder that took the first would store what the policy never saw."""
    await v2.request("update", "data/n", body=b'{"data":{"v":1},"d\\u0061ta":{"v":2}}')
    assert (await v2.body("read", "data/n"))["data"] == {"v": 2}


@pytest.mark.parametrize("data", [{"user": "u"}, {}])
async def test_no_data_is_refused(v2, data):
    with pytest.raises(BadRequest, match="no data provided"):
        await v2.request("update", "data/a", data)


@pytest.mark.parametrize("data", ["text", [1], 5, True])
async def test_data_must_be_a_map(v2, data):
    with pytest.raises(BadRequest, match="data"):
        await v2.request("update", "data/a", {"data": data})


@pytest.mark.parametrize("data", [{}, None])
async def test_empty_data_is_a_version_too(v2, data):
    body = msgspec.json.encode({"data": data})
    await v2.request("update", "data/e", body=body)
    assert (await v2.body("read", "data/e"))["data"] == {}


async def test_cas(v2):
    assert await put(v2, "a", {"v": 1}, cas=0) == 1
    for cas in (0, 2, -1, "7"):
        with pytest.raises(BadRequest, match="did not match the current version"):
            await put(v2, "a", {"v": 2}, cas=cas)
    for cas in ("x", None, 1.5, [1], {}):
        with pytest.raises(BadRequest, match="error parsing check-and-set parameter"):
            await put(v2, "a", {"v": 2}, cas=cas)
    assert await put(v2, "a", {"v": 2}, cas=1) == 2
    assert await put(v2, "a", {"v": 3}) == 3
    with pytest.raises(BadRequest, match="did not match"):
        await put(v2, "b", {"v": 1}, cas=1)


async def test_of_writers_with_one_cas_one_wins(v2):
    await put(v2, "a", {"v": 0})
    answers = await asyncio.gather(*(put(v2, "a", {"v": n}, cas=1) for n in range(20)), return_exceptions=True)
    assert sum(answer == 2 for answer in answers) == 1
    assert sum(isinstance(answer, BadRequest) for answer in answers) == 19
    assert (await v2.body("read", "metadata/a"))["current_version"] == 2


async def test_a_second_transaction_sees_the_first_before_it_is_applied(v2):
    """The second write is decided while the first waits for its log entry."""
    first = asyncio.ensure_future(put(v2, "a", {"v": 1}, cas=0))
    await asyncio.sleep(0)
    assert v2.view.get("metadata/a") is None or first.done()
    with pytest.raises(BadRequest, match="did not match"):
        await put(v2, "a", {"v": 2}, cas=0)
    assert await first == 1


async def test_writers_without_cas_get_versions_of_their_own(v2):
    versions = await asyncio.gather(*(put(v2, "a", {"v": n}) for n in range(8)))
    assert sorted(versions) == list(range(1, 9))


async def test_cas_required(v2):
    await v2.request("update", "config", {"cas_required": True})
    with pytest.raises(BadRequest, match="check-and-set parameter required"):
        await put(v2, "a", {"v": 1})
    await put(v2, "a", {"v": 1}, cas=0)
    with pytest.raises(BadRequest, match="check-and-set parameter required"):
        await v2.request("patch", "data/a", {"data": {"w": 1}})
    response = await v2.request("update", "metadata/a", {"cas_required": False})
    assert "mandated by backend config" in response.warnings[0]
    with pytest.raises(BadRequest, match="check-and-set parameter required"):
        await put(v2, "a", {"v": 1})


async def test_patch_merges_into_the_newest(v2):
    await put(v2, "a", {"keep": 1, "drop": 2, "map": {"x": 1, "y": 2}})
    answer = await v2.body("patch", "data/a", {"data": {"drop": None, "add": "n", "map": {"y": None, "z": 3}}})
    assert answer["version"] == 2
    assert (await v2.body("read", "data/a"))["data"] == {"keep": 1, "map": {"x": 1, "z": 3}, "add": "n"}


async def test_patch_leaves_what_it_does_not_touch_to_the_digit(v2):
    await v2.request("update", "data/a", body=b'{"data":{"pi":3.140000000000000000001,"v":1}}')
    await v2.request("patch", "data/a", body=b'{"data":{"v":2}}')
    response = await v2.request("read", "data/a")
    assert msgspec.json.encode(response.data["data"]) == b'{"pi":3.140000000000000000001,"v":2}'


async def test_patch_needs_a_version_that_can_be_read(v2):
    with pytest.raises(NotFound):
        await v2.request("patch", "data/never", {"data": {"v": 1}})
    await put(v2, "a", {"v": 1})
    await v2.request("delete", "data/a")
    response = await v2.request("patch", "data/a", {"data": {"v": 3}})
    assert response.missing
    assert response.data["version"] == 1
    assert response.data["deletion_time"]
    assert (await v2.body("read", "metadata/a"))["current_version"] == 1


@pytest.mark.parametrize(
    "secret",
    [
        {"v": "x" * (1 << 20)},
        {"v": [0] * 10_001},
        {str(n): n for n in range(10_001)},
        {"v": [[]] * 6000 + [{}] * 6000},
    ],
)
async def test_large_secrets_are_refused(v2, secret):
    for more in ({}, {"body": msgspec.json.encode({"data": secret})}):
        with pytest.raises(BadRequest, match="the secret"):
            await v2.request("update", "data/a", {"data": secret}, **more)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
async def test_deep_secrets_are_refused_and_half_as_deep_ones_kept(v2, opening):
    closing = "]" if opening == "[" else "}"

    def nested(depth):
        return '{"data":{"d":' + opening * depth + "1" + closing * depth + "}}"

    with pytest.raises(BadRequest, match="nested"):
        await v2.request("update", "data/a", body=nested(body_module.DEPTH_MAX + 1).encode())
    await v2.request("update", "data/a", body=nested(body_module.DEPTH_MAX - 2).encode())
    await v2.request("patch", "data/a", body=nested(body_module.DEPTH_MAX - 2).encode())
    assert await v2.request("read", "subkeys/a")


async def test_a_patch_cannot_grow_a_secret_over_the_limit(v2):
    await put(v2, "a", {"v": "x" * 600_000})
    with pytest.raises(BadRequest, match="larger than"):
        await v2.request("patch", "data/a", {"data": {"w": "x" * 600_000}})
    assert (await v2.body("read", "metadata/a"))["current_version"] == 1


async def test_many_brackets_in_a_text_are_no_depth(v2):
    secret = {"v": "[{" * 50_000, "w": "," * 50_000}
    await put(v2, "a", secret)
    assert (await v2.body("read", "data/a"))["data"] == secret


async def test_paths_that_look_like_versions_of_others_keep_apart(v2):
    await put(v2, "a", {"is": "a"})
    await put(v2, "a/1", {"is": "a/1"})
    await put(v2, "a/1/1", {"is": "a/1/1"})
    await v2.request("delete", "metadata/a")
    assert (await v2.body("read", "data/a/1"))["data"] == {"is": "a/1"}
    assert (await v2.body("read", "data/a/1/1"))["data"] == {"is": "a/1/1"}
    assert await v2.body("list", "metadata/") == {"keys": ["a/"]}


async def test_a_secret_made_anew_never_meets_its_forerunners_data(v2):
    for number in (1, 2, 3):
        await put(v2, "a", {"v": number})
    await v2.request("delete", "metadata/a")
    await put(v2, "a", {"v": "new"})
    with pytest.raises(NotFound):
        await v2.request("read", "data/a", {"version": 2})
    await v2.request("update", "undelete/a", {"versions": [2, 3]})
    with pytest.raises(NotFound):
        await v2.request("read", "data/a", {"version": 2})


async def test_the_prefix_alone_is_no_secret(v2):
    for operation in ("read", "update", "delete"):
        response = await v2.request(operation, "data", {})
        assert response.missing
        assert response.warnings


async def test_a_mount_without_prefix_points_to_the_command(v2):
    for operation, command in (("read", "get"), ("update", "put"), ("list", "list"), ("patch", "patch")):
        response = await v2.request(operation, "app", {"v": "1"})
        assert response.missing
        assert response.data is None
        assert response.warnings[0].endswith(f"use 'vault kv {command}' for this operation.")


async def test_no_secret_is_in_what_errors_print(v2):
    with pytest.raises(BadRequest) as caught:
        await v2.request("update", "data/a", {"data": {"v": "hunter2" * 200_000}})
    assert "hunter2" not in repr(caught.value)
