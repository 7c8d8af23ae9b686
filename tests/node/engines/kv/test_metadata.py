"""Metadata, custom metadata, configuration, lists."""

import pytest

from strongroom_node.sdk.errors import BadRequest, NotFound


async def put(v2, path):
    await v2.request("update", f"data/{path}", {"data": {"v": 1}})


async def test_metadata_before_any_data(v2):
    await v2.request(
        "update",
        "metadata/a",
        {"max_versions": 4, "cas_required": True, "delete_version_after": "1h", "custom_metadata": {"owner": "me"}},
    )
    metadata = await v2.body("read", "metadata/a")
    assert metadata["current_version"] == 0
    assert metadata["versions"] == {}
    assert metadata["delete_version_after"] == "1h0m0s"
    assert metadata["custom_metadata"] == {"owner": "me"}
    with pytest.raises(NotFound):
        await v2.request("read", "data/a")
    answer = await v2.body("update", "data/a", {"data": {"v": 1}, "options": {"cas": 0}})
    assert answer["version"] == 1
    assert answer["custom_metadata"] == {"owner": "me"}


async def test_write_changes_only_what_is_given(v2, clock):
    await put(v2, "a")
    clock.advance(10)
    await v2.request("update", "metadata/a", {"custom_metadata": {"a": "1", "b": "2"}})
    await v2.request("update", "metadata/a", {"max_versions": 7})
    metadata = await v2.body("read", "metadata/a")
    assert metadata["custom_metadata"] == {"a": "1", "b": "2"}
    assert metadata["max_versions"] == 7
    assert metadata["updated_time"] == metadata["created_time"] == "2023-11-14T22:13:20Z"
    await v2.request("update", "metadata/a", {"custom_metadata": {"c": "3"}})
    assert (await v2.body("read", "metadata/a"))["custom_metadata"] == {"c": "3"}
    await v2.request("update", "metadata/a", {"custom_metadata": {}})
    assert (await v2.body("read", "metadata/a"))["custom_metadata"] is None


async def test_an_empty_write_makes_nothing(v2):
    await v2.request("update", "metadata/a", {})
    assert await v2.request("read", "metadata/a") is None


async def test_patch_merges_and_null_resets(v2):
    with pytest.raises(NotFound):
        await v2.request("patch", "metadata/a", {"max_versions": 1})
    given = {"max_versions": 4, "cas_required": True, "delete_version_after": "1h"}
    await v2.request("update", "metadata/a", {**given, "custom_metadata": {"a": "1", "b": "2"}})
    await v2.request("patch", "metadata/a", {"custom_metadata": {"b": None, "c": "3"}})
    metadata = await v2.body("read", "metadata/a")
    assert metadata["custom_metadata"] == {"a": "1", "c": "3"}
    assert metadata["max_versions"] == 4
    await v2.request("patch", "metadata/a", dict.fromkeys([*given, "custom_metadata"]))
    metadata = await v2.body("read", "metadata/a")
    assert (metadata["max_versions"], metadata["cas_required"], metadata["delete_version_after"]) == (0, False, "0s")
    assert metadata["custom_metadata"] is None


async def test_custom_metadata_becomes_text(v2):
    await v2.request("update", "metadata/a", {"custom_metadata": {"n": 5, "t": True, "f": 1.5}})
    assert (await v2.body("read", "metadata/a"))["custom_metadata"] == {"n": "5", "t": "1", "f": "1.5"}


@pytest.mark.parametrize(
    "custom",
    [
        {"k": ""},
        {"": "v"},
        {"k": "a\u0001b"},
        {"k\n": "v"},
        {"k": {"nested": "map"}},
        {"k": ["v"]},
        {"k": None},
        "text",
        {"k" * 129: "v"},
        {"k": "v" * 513},
        {"k": "ß" * 257},
        {str(n): "v" for n in range(65)},
    ],
)
async def test_custom_metadata_has_limits(v2, custom):
    with pytest.raises(BadRequest, match="custom_metadata"):
        await v2.request("update", "metadata/b", {"custom_metadata": custom})
    assert await v2.request("read", "metadata/b") is None


async def test_a_patch_keeps_the_limits_too(v2):
    await v2.request("update", "metadata/a", {"custom_metadata": {str(n): "v" for n in range(64)}})
    with pytest.raises(BadRequest, match="at most 64 keys, provided 65"):
        await v2.request("patch", "metadata/a", {"custom_metadata": {"x": "v"}})
    await v2.request("patch", "metadata/a", {"custom_metadata": {"x": "v", "0": None}})


@pytest.mark.parametrize("number", [-1, 10_001, 5_000_000_000, "many"])
async def test_max_versions_has_limits(v2, number):
    for path in ("metadata/a", "config"):
        with pytest.raises(BadRequest, match="max_versions"):
            await v2.request("update", path, {"max_versions": number})


async def test_config_is_changed_in_part(v2):
    assert await v2.body("read", "config") == {"cas_required": False, "delete_version_after": "0s", "max_versions": 0}
    await v2.request("update", "config", {"max_versions": 5})
    await v2.request("update", "config", {"delete_version_after": "3h25m19s"})
    await v2.request("update", "config", {})
    assert (await v2.body("read", "config"))["delete_version_after"] == "3h25m19s"
    await v2.request("update", "config", {"cas_required": True, "delete_version_after": 90})
    expected = {"cas_required": True, "delete_version_after": "1m30s", "max_versions": 5}
    assert await v2.body("read", "config") == expected
    with pytest.raises(BadRequest, match="delete_version_after"):
        await v2.request("update", "config", {"delete_version_after": "soon"})


async def test_a_secrets_period_is_not_negative(v2):
    with pytest.raises(BadRequest, match="negative"):
        await v2.request("update", "metadata/a", {"delete_version_after": "-5s"})


async def test_lists(v2):
    for path in ("b", "team/x/y", "team"):
        await put(v2, path)
    await v2.request("update", "metadata/meta-only", {"max_versions": 3})
    for root in ("metadata", "metadata/"):
        assert await v2.body("list", root) == {"keys": ["b", "meta-only", "team", "team/"]}
    assert await v2.body("list", "metadata/team") == {"keys": ["x/"]}
    assert await v2.body("list", "metadata/team/") == {"keys": ["x/"]}
    assert await v2.body("list", "metadata/", {"after": "b", "limit": 2}) == {"keys": ["meta-only", "team"]}
    assert await v2.body("scan", "metadata/") == {"keys": ["b", "meta-only", "team", "team/x/y"]}
    await v2.request("delete", "data/b")
    assert "b" in (await v2.body("list", "metadata/"))["keys"]
    await v2.request("delete", "metadata/b")
    assert "b" not in (await v2.body("list", "metadata/"))["keys"]


async def test_removing_the_metadata_removes_all_data(v2):
    for _ in range(3):
        await put(v2, "a")
    await v2.request("delete", "metadata/a")
    assert v2.view.walk("") == []
    assert await v2.request("delete", "metadata/never") is None
    assert await v2.request("delete", "metadata/") is None


async def test_subkeys(v2):
    secret = {"s": "x", "l": [1, {"a": "b"}], "m": {"n": {"o": 1, "p": {"q": 2}}, "e": {}}, "nul": None}
    await v2.request("update", "data/a", {"data": secret})
    n = None
    for depth, expected in (
        (0, {"s": n, "l": n, "m": {"n": {"o": n, "p": {"q": n}}, "e": n}, "nul": n}),
        (-1, {"s": n, "l": n, "m": {"n": {"o": n, "p": {"q": n}}, "e": n}, "nul": n}),
        (1, {"s": n, "l": n, "m": n, "nul": n}),
        (2, {"s": n, "l": n, "m": {"n": n, "e": n}, "nul": n}),
        (3, {"s": n, "l": n, "m": {"n": {"o": n, "p": n}, "e": n}, "nul": n}),
    ):
        assert (await v2.body("read", "subkeys/a", {"depth": depth}))["subkeys"] == expected
    await v2.request("delete", "data/a")
    response = await v2.request("read", "subkeys/a")
    assert response.missing
    assert response.data["subkeys"] is None
    with pytest.raises(NotFound):
        await v2.request("read", "subkeys/a", {"version": 9})
