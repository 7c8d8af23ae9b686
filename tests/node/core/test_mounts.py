"""Mounting, tuning, moving and unmounting."""

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from strongroom_node.core.ceremonies.bodies import UnsealBody
from strongroom_node.core.mounts import mount_path
from strongroom_node.sdk import errors


async def test_mounts_never_nest(node):
    await node.ask("update", "sys/mounts/team/a", type="kv")
    for path in ("team/a", "team/a/b", "team"):
        refused = await node.refusal("update", f"sys/mounts/{path}", type="kv")
        assert refused.messages == ("path is already in use at team/a/",)
    await node.ask("update", "sys/mounts/team/b", type="kv")


@pytest.mark.parametrize("path", ["sys", "cubbyhole/x", "identity", "auth/x"])
async def test_protected_paths(node, path):
    refused = await node.refusal("update", f"sys/mounts/{path}", type="kv")
    assert refused.messages == (f'cannot mount "{path}/"',)


async def test_unmounting_takes_data_and_tokens_along(node):
    await node.ask("update", "sys/mounts/one", type="kv")
    await node.ask("update", "one/k", v="1")
    await node.ask("delete", "sys/mounts/one")
    await node.ask("update", "sys/mounts/one", type="kv")
    assert isinstance(await node.refusal("read", "one/k"), errors.NotFound)


async def test_disabling_a_method_ends_the_tokens_it_gave(node):
    await node.ask("update", "sys/auth/up", type="userpass")
    await node.ask("update", "auth/up/users/ann", password="p")
    answer = await node.ask("update", "auth/up/login/ann", "", password="p")
    await node.ask("delete", "sys/auth/up")
    refused = await node.refusal("read", "auth/token/lookup-self", answer.auth.client_token)
    assert isinstance(refused, errors.PermissionDenied)


async def test_a_move_keeps_data_and_answers_at_the_new_path_only(node):
    await node.ask("update", "sys/mounts/one", type="kv")
    await node.ask("update", "one/k", v="1")
    moved = await node.ask("update", "sys/remount", **{"from": "one", "to": "two"})
    status = await node.ask("read", f"sys/remount/status/{moved.data['migration_id']}")
    assert status.data["migration_info"]["status"] == "success"
    assert (await node.ask("read", "two/k")).data.keys() == {"v"}
    assert isinstance(await node.refusal("read", "one/k"), errors.NotFound)


async def test_tuning_one_field_keeps_the_others(node):
    await node.ask("update", "sys/mounts/one", type="kv", config={"default_lease_ttl": "1h", "max_lease_ttl": "2h"})
    await node.ask("update", "sys/mounts/one/tune", description="d")
    shown = (await node.ask("read", "sys/mounts/one/tune")).data
    assert (shown["default_lease_ttl"], shown["max_lease_ttl"], shown["description"]) == (3600, 7200, "d")
    refused = await node.refusal("update", "sys/mounts/one/tune", default_lease_ttl="3h")
    assert "greater than" in refused.messages[0]


async def test_kv_cannot_go_back_to_version_1(node):
    refused = await node.refusal("update", "sys/mounts/secret/tune", options={"version": "1"})
    assert refused.messages == ("cannot downgrade mount from version 2",)


@given(st.text(max_size=40))
def test_a_mount_path_has_one_form(text):
    try:
        path = mount_path(text)
    except errors.BadRequest:
        return
    assert mount_path(path) == path
    assert "//" not in path
    assert ".." not in path.split("/")


async def test_the_api_description_covers_every_path_once(node):
    import msgspec

    answer = await node.ask("read", "sys/internal/specs/openapi")
    document = msgspec.json.decode(answer.raw.body)
    identifiers = []
    for url, item in document["paths"].items():
        declared = {p["name"] for p in item["parameters"] if p["in"] == "path"}
        assert declared == {part[1:-1] for part in url.split("/") if part.startswith("{")}, url
        identifiers += [item[verb]["operationId"] for verb in ("get", "post", "patch", "delete") if verb in item]
    assert len(identifiers) == len(set(identifiers))
    assert "/secret/data/{path}" in document["paths"]


async def test_the_paths_of_secrets_engines_do_not_reach_auth_methods(node):
    await node.ask("update", "sys/auth/up", type="userpass")
    await node.policy("m", 'path "sys/mounts/*" { capabilities = ["update", "delete"] }')
    token = await node.token("m")
    for path in ("auth/up", "auth/token", "/auth/token"):
        assert isinstance(await node.refusal("delete", f"sys/mounts/{path}", token), errors.BadRequest)
    assert {"auth/up/", "auth/token/"} <= node.core.mounts.all().keys()


async def test_of_two_mounts_on_one_path_at_once_one_is_refused(node):
    made = await asyncio.gather(
        node.ask("update", "sys/mounts/one", type="kv"),
        node.ask("update", "sys/mounts/one", type="kv"),
        node.ask("update", "sys/mounts/one/below", type="kv"),
        return_exceptions=True,
    )
    assert [type(result) for result in made] == [type(None), errors.BadRequest, errors.BadRequest]
    assert len(node.core.barrier.view("core/mounts/").walk()) == 5


async def test_a_mount_that_is_being_disabled_cannot_be_tuned_back_to_life(node):
    await node.ask("update", "sys/mounts/one", type="kv")
    ended, _ = await asyncio.gather(
        node.ask("delete", "sys/mounts/one"),
        node.ask("update", "sys/mounts/one/tune", description="d"),
        return_exceptions=True,
    )
    assert ended is None
    assert "one/" not in node.core.mounts.all()


async def test_of_two_changes_of_one_mount_at_once_none_is_lost(node):
    await node.ask("update", "sys/mounts/one", type="kv")
    results = await asyncio.gather(
        node.ask("update", "sys/mounts/one/tune", description="d"),
        node.ask("update", "sys/mounts/one/tune", max_lease_ttl="2h"),
        return_exceptions=True,
    )
    assert results[0] is None
    assert isinstance(results[1], errors.BadRequest)


async def test_a_move_does_not_land_on_a_mount_that_was_made_meanwhile(node):
    await node.ask("update", "sys/mounts/one", type="kv")
    await asyncio.gather(
        node.ask("update", "sys/mounts/two", type="kv"),
        node.ask("update", "sys/remount", **{"from": "one", "to": "two"}),
        return_exceptions=True,
    )
    assert {"one/", "two/"} <= node.core.mounts.all().keys()
    assert not node.core.mounts.all()["one/"].tainted


async def test_a_method_that_goes_takes_its_lockouts_along(node):
    await node.ask("update", "sys/auth/up", type="userpass")
    await node.ask("update", "auth/up/users/ann", password="p")
    for _ in range(5):
        await node.refusal("update", "auth/up/login/ann", "", password="wrong")
    assert (await node.ask("read", "sys/locked-users")).data["total"] == 1
    await node.ask("delete", "sys/auth/up")
    assert (await node.ask("read", "sys/locked-users")).data["total"] == 0


async def test_a_mount_left_half_removed_is_named_at_the_next_unseal_and_can_be_removed(node):
    await node.ask("update", "sys/mounts/one", type="kv")
    before = node.core.mounts.all()["one/"]
    await node.core.mounts.replace(before, msgspec.structs.replace(before, tainted=True))
    await node.core.seal()
    with capture_logs() as logged:
        await node.core.keeper.unseal(UnsealBody(key=node.share))
    warned = [line for line in logged if line["log_level"] == "warning"]
    assert [(line["path"], line["advice"]) for line in warned] == [("one/", "disable or move it again")]
    assert isinstance(await node.refusal("read", "one/k"), errors.NotFound)
    await node.ask("delete", "sys/mounts/one")
    assert "one/" not in node.core.mounts.all()
