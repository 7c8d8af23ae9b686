"""From version 1 to version 2."""

import asyncio

import pytest
from support.mounted import Mounted, a_mount

from strongroom_node.engines.kv import ENGINE, upgrade
from strongroom_node.sdk.errors import BadRequest


def as_v2(v1):
    return Mounted(v1.store, ENGINE, a_mount("kv", options={"version": "2"}), v1.clock)


async def test_old_secrets_become_version_1(v1):
    await v1.request("update", "a", body=b'{"v":1.50,"ttl":"1h"}')
    await v1.request("update", "team/b", {"v": "2"})
    v2 = as_v2(v1)
    answer = await v2.body("read", "data/a")
    assert answer["data"] == {"v": 1.5, "ttl": "1h"}
    assert answer["metadata"]["version"] == 1
    metadata = await v2.body("read", "metadata/a")
    assert (metadata["current_version"], metadata["oldest_version"]) == (1, 1)
    assert await v2.body("list", "metadata/") == {"keys": ["a", "team/"]}
    assert (await v2.body("update", "data/a", {"data": {"v": 3}}))["version"] == 2
    assert v2.view.walk("unversioned/") == []


async def test_requests_are_refused_until_it_is_done(v1, monkeypatch):
    monkeypatch.setattr(upgrade, "STEP_SECRETS_MAX", 2)
    for number in range(7):
        await v1.request("update", f"s{number}", {"v": number})
    v2 = as_v2(v1)
    with pytest.raises(BadRequest, match="Upgrading from non-versioned to versioned data"):
        await upgrade.finish(v2.engine, seconds_max=-1)
    assert len(v2.view.walk("unversioned/")) == 7
    assert (await v2.body("read", "data/s6"))["data"] == {"v": 6}
    assert v2.engine.is_upgraded


async def test_requests_that_meet_the_upgrade_together_do_not_disturb_it(v1, monkeypatch):
    monkeypatch.setattr(upgrade, "STEP_SECRETS_MAX", 3)
    for number in range(20):
        await v1.request("update", f"s{number}", {"v": number})
    v2 = as_v2(v1)
    answers = await asyncio.gather(*(v2.body("read", f"data/s{number}") for number in range(20)))
    assert [answer["data"]["v"] for answer in answers] == list(range(20))
    assert len(v2.view.walk("versions/")) == 20


async def test_the_longest_path_of_version_1_fits_version_2(v1):
    room = 500 - len(v1.mount.storage_prefix) - len("unversioned/")
    path = "x" * room
    await v1.request("update", path, {"v": 1})
    v2 = as_v2(v1)
    for _ in range(12):
        await v2.request("update", f"data/{path}", {"data": {"v": 2}})
    assert (await v2.body("read", f"data/{path}"))["metadata"]["version"] == 13


@pytest.mark.parametrize("version", ["3", "0", "two"])
def test_other_versions_are_refused(version):
    with pytest.raises(BadRequest, match="version"):
        ENGINE.prepare(a_mount("kv", options={"version": version}))
