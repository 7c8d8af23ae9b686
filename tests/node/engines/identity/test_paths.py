"""The identity engine's paths, as its recorded answers show them."""

import pytest
from support.mounted import Clock, Mounted, a_mount, open_memory

from strongroom_node.engines.identity import identity_type
from strongroom_node.identity.store import IdentityStore
from strongroom_node.sdk.errors import BadRequest

USERPASS = a_mount("userpass", is_auth=True)
LDAP = a_mount("ldap", is_auth=True)
KV = a_mount("kv")
NOBODY = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
async def identity():
    clock = Clock()
    store = await open_memory(clock)
    mounts = {mount.accessor: mount for mount in (USERPASS, LDAP, KV)}
    kind = identity_type(IdentityStore(store.barrier, clock), mounts.get)
    yield Mounted(store, kind, a_mount("identity"), clock)
    await store.close()


async def make(identity, path, **data):
    return (await identity.body("update", path, data))["id"]


async def test_entities(identity):
    made = await identity.body("update", "entity", {"name": "ann", "metadata": {"team": "red"}, "policies": ["a", "B"]})
    assert made == {"aliases": None, "id": made["id"], "name": "ann"}
    read = await identity.body("read", f"entity/id/{made['id']}")
    assert read == {
        "aliases": [],
        "creation_time": "2023-11-14T22:13:20Z",
        "direct_group_ids": [],
        "disabled": False,
        "group_ids": [],
        "id": made["id"],
        "inherited_group_ids": [],
        "last_update_time": "2023-11-14T22:13:20Z",
        "merged_entity_ids": None,
        "metadata": {"team": "red"},
        "name": "ann",
        "namespace_id": "root",
        "policies": ["a", "b"],
    }
    assert await identity.body("read", "entity/name/ANN") == read
    changed = {"name": "anna", "metadata": {"unit": "x"}}
    assert await identity.request("update", f"entity/id/{made['id']}", changed) is None
    assert await identity.request("read", "entity/name/ann") is None
    assert await identity.request("update", "entity/name/anna", {"policies": "c,d"}) is None
    read = await identity.body("read", f"entity/id/{made['id']}")
    assert (read["metadata"], read["policies"]) == ({"unit": "x"}, ["c", "d"])
    assert await identity.body("list", "entity/name") == {"keys": ["anna"]}
    listed = await identity.body("list", "entity/id")
    assert listed == {"keys": [made["id"]], "key_info": {made["id"]: {"aliases": [], "name": "anna"}}}
    for path in (f"entity/id/{made['id']}", f"entity/id/{made['id']}", "entity/name/anna"):
        assert await identity.request("delete", path) is None
    assert await identity.request("read", f"entity/id/{made['id']}") is None


async def test_a_name_is_one_entitys(identity):
    await make(identity, "entity", name="ann")
    other = await make(identity, "entity", name="bob")
    with pytest.raises(BadRequest, match="entity name is already in use"):
        await identity.request("update", f"entity/id/{other}", {"name": "Ann"})
    assert await identity.request("update", "entity", {"name": "ANN", "policies": ["x"]}) is None
    assert (await identity.body("read", "entity/name/ann"))["policies"] == ["x"]


@pytest.mark.parametrize("group", ["entity", "group"])
async def test_root_is_no_identitys_policy(identity, group):
    for name in ("root", "ROOT", " Root "):
        with pytest.raises(BadRequest, match="policies cannot contain root"):
            await identity.request("update", group, {"name": "x", "policies": [name]})


@pytest.mark.parametrize(
    "metadata",
    [{str(n): "v" for n in range(65)}, {"k" * 129: "v"}, {"k": "v" * 513}, {"": "v"}],
)
async def test_metadata_have_limits(identity, metadata):
    for group in ("entity", "group"):
        with pytest.raises(BadRequest, match="metadata"):
            await identity.request("update", group, {"name": "x", "metadata": metadata})


@pytest.mark.parametrize("name", ["a/b", "..", "x" * 1000, "größe", "a%2Fb", "*", "!"])
async def test_names_of_any_kind_find_their_entity(identity, name):
    made = await make(identity, "entity", name=name)
    assert (await identity.body("read", f"entity/name/{name}"))["id"] == made
    assert (await identity.body("list", "entity/name"))["keys"] == [name]


async def test_names_that_cannot_be_shown_are_refused(identity):
    for name in ("a\0b", "a\nb", "x" * 1025):
        with pytest.raises(BadRequest, match="name"):
            await identity.request("update", "entity", {"name": name})


async def test_batch_delete(identity):
    ids = [await make(identity, "entity", name=name) for name in ("a", "b")]
    await identity.request("update", "entity/batch-delete", {"entity_ids": [*ids, NOBODY, "x"]})
    assert await identity.request("read", f"entity/id/{ids[1]}") is None
    with pytest.raises(BadRequest, match="missing entity ids to delete"):
        await identity.request("update", "entity/batch-delete", {})


async def test_entity_aliases(identity):
    entity = await make(identity, "entity", name="e")
    given = {"name": "ann", "canonical_id": entity, "mount_accessor": USERPASS.accessor}
    made = await identity.body("update", "entity-alias", {**given, "custom_metadata": {"k": "v"}})
    assert made == {"canonical_id": entity, "id": made["id"]}
    read = await identity.body("read", f"entity-alias/id/{made['id']}")
    assert read == {
        "canonical_id": entity,
        "creation_time": "2023-11-14T22:13:20Z",
        "custom_metadata": {"k": "v"},
        "id": made["id"],
        "last_update_time": "2023-11-14T22:13:20Z",
        "local": False,
        "merged_from_canonical_ids": None,
        "metadata": None,
        "mount_accessor": USERPASS.accessor,
        "mount_path": "auth/userpass/",
        "mount_type": "userpass",
        "name": "ann",
        "namespace_id": "root",
    }
    assert await identity.body("read", f"alias/id/{made['id']}") == read
    with pytest.raises(BadRequest, match="Alias already exists for requested entity and mount accessor"):
        await identity.request("update", "entity-alias", {**given, "name": "second"})
    second = await make(identity, "entity-alias", name="annie", canonical_id=entity, mount_accessor=LDAP.accessor)
    path = f"entity-alias/id/{made['id']}"
    assert await identity.body("update", path, {"name": "anna", "custom_metadata": {"k": "w"}}) == made
    read = await identity.body("read", path)
    assert (read["name"], read["custom_metadata"]) == ("anna", {"k": "w"})
    assert sorted((await identity.body("list", "entity-alias/id"))["keys"]) == sorted([made["id"], second])
    await identity.request("delete", path)
    assert await identity.request("read", path) is None
    aliases = (await identity.body("read", f"entity/id/{entity}"))["aliases"]
    assert [alias["name"] for alias in aliases] == ["annie"]


async def test_entity_alias_errors(identity):
    entity = await make(identity, "entity", name="e")
    missing = "'id' or 'mount_accessor' and 'name' must be provided"
    for data, told in (
        ({"name": "x", "canonical_id": entity, "mount_accessor": "nosuch"}, 'invalid mount accessor "nosuch"'),
        ({"name": "x", "canonical_id": entity, "mount_accessor": KV.accessor}, "invalid mount accessor"),
        ({"name": "x", "canonical_id": NOBODY, "mount_accessor": USERPASS.accessor}, "invalid canonical ID"),
        ({"canonical_id": entity, "mount_accessor": USERPASS.accessor}, missing),
        ({"name": "x", "canonical_id": entity}, missing),
        ({"id": NOBODY, "name": "x"}, "invalid alias ID"),
    ):
        with pytest.raises(BadRequest, match=told):
            await identity.request("update", "entity-alias", data)
    assert await identity.body("list", "entity-alias/id") == {}


async def test_an_alias_can_move_but_not_be_stolen_by_renaming(identity):
    one, two = [await make(identity, "entity", name=name) for name in ("one", "two")]
    alias = await make(identity, "entity-alias", name="ann", canonical_id=one, mount_accessor=USERPASS.accessor)
    other = await make(identity, "entity-alias", name="bob", canonical_id=two, mount_accessor=USERPASS.accessor)
    with pytest.raises(BadRequest, match="already in use"):
        await identity.request("update", f"entity-alias/id/{other}", {"name": "ANN"})
    await identity.request("delete", f"entity-alias/id/{other}")
    moved = {"name": "ann", "canonical_id": two, "mount_accessor": USERPASS.accessor}
    assert await identity.body("update", "entity-alias", moved) == {"canonical_id": two, "id": alias}
    assert (await identity.body("read", f"entity/id/{one}"))["aliases"] == []


async def test_groups(identity):
    entity = await make(identity, "entity", name="e")
    given = {"name": "g", "policies": ["p"], "metadata": {"a": "b"}, "member_entity_ids": [entity]}
    made = await identity.body("update", "group", given)
    assert made == {"id": made["id"], "name": "g"}
    assert await identity.body("read", f"group/id/{made['id']}") == {
        "alias": {},
        "creation_time": "2023-11-14T22:13:20Z",
        "id": made["id"],
        "last_update_time": "2023-11-14T22:13:20Z",
        "member_entity_ids": [entity],
        "member_group_ids": None,
        "metadata": {"a": "b"},
        "modify_index": 1,
        "name": "g",
        "namespace_id": "root",
        "parent_group_ids": None,
        "policies": ["p"],
        "type": "internal",
    }
    read = await identity.body("read", f"entity/id/{entity}")
    assert read["group_ids"] == read["direct_group_ids"] == [made["id"]]
    changed = {"name": "gg", "policies": ["q"], "member_entity_ids": []}
    assert await identity.request("update", f"group/id/{made['id']}", changed) is None
    read = await identity.body("read", "group/name/gg")
    assert (read["policies"], read["member_entity_ids"], read["modify_index"]) == (["q"], [], 2)
    assert (await identity.body("list", "group/id"))["key_info"][made["id"]]["name"] == "gg"
    assert await identity.body("list", "group/name") == {"keys": ["gg"]}
    for _ in range(2):
        await identity.request("delete", "group/name/gg")
    assert await identity.request("read", f"group/id/{made['id']}") is None
    assert identity.engine.store.view.walk("group") == []


async def test_group_errors(identity):
    group = await make(identity, "group", name="g")
    for path, data, told in (
        ("group", {"name": "h", "type": "odd"}, "group type"),
        (f"group/id/{group}", {"type": "external"}, "group type cannot be changed"),
        ("group", {"name": "h", "member_entity_ids": [NOBODY]}, "invalid entity ID"),
        ("group", {"name": "h", "member_group_ids": ["x"]}, "invalid group ID"),
        ("group", {"name": "h", "type": "external", "member_entity_ids": [NOBODY]}, "external groups"),
        (f"group/id/{group}", {"member_group_ids": [group]}, "cyclic relationship"),
        (f"group/id/{NOBODY}", {"name": "h"}, "invalid group ID"),
    ):
        with pytest.raises(BadRequest, match=told):
            await identity.request("update", path, data)
    assert await identity.body("list", "group/name") == {"keys": ["g"]}


async def test_group_aliases(identity):
    group = await make(identity, "group", name="x", type="external", policies=["p"])
    given = {"name": "admins", "mount_accessor": LDAP.accessor, "canonical_id": group}
    alias = await make(identity, "group-alias", **given)
    read = await identity.body("read", f"group-alias/id/{alias}")
    assert (read["name"], read["mount_path"], read["canonical_id"]) == ("admins", "auth/ldap/", group)
    shown = await identity.body("read", f"group/id/{group}")
    assert shown["modify_index"] == 2
    assert shown["alias"]["id"] == alias
    assert "custom_metadata" not in shown["alias"]
    found = await identity.body(
        "update", "lookup/group", {"alias_name": "admins", "alias_mount_accessor": LDAP.accessor}
    )
    assert found == shown
    inner = await make(identity, "group", name="int")
    with pytest.raises(BadRequest, match="alias can't be set on an internal group"):
        await identity.request("update", "group-alias", {**given, "name": "other", "canonical_id": inner})
    other = await make(identity, "group", name="y", type="external")
    with pytest.raises(BadRequest, match="invalid group alias ID"):
        await identity.request("update", f"group-alias/id/{NOBODY}", {"name": "z"})
    assert await make(identity, "group-alias", **{**given, "canonical_id": other}) == alias
    assert (await identity.body("read", f"group/id/{group}"))["alias"] == {}
    await identity.request("delete", f"group-alias/id/{alias}")
    assert await identity.request("read", f"group-alias/id/{alias}") is None
    assert await identity.body("list", "group-alias/id") == {}


async def test_lookups(identity):
    entity, group = await make(identity, "entity", name="e"), await make(identity, "group", name="g")
    alias = await make(identity, "entity-alias", name="ann", canonical_id=entity, mount_accessor=USERPASS.accessor)
    by_alias = {"alias_name": "ANN", "alias_mount_accessor": USERPASS.accessor}
    for query in ({"name": "E"}, {"id": entity}, {"alias_id": alias}, by_alias):
        assert (await identity.body("update", "lookup/entity", query))["id"] == entity
    for query in ({"name": "g"}, {"id": group}):
        assert (await identity.body("update", "lookup/group", query))["id"] == group
    for kind in ("entity", "group"):
        for query in ({"name": "nosuch"}, {"id": NOBODY}, {"alias_id": NOBODY}, {**by_alias, "alias_name": "x"}):
            assert await identity.request("update", f"lookup/{kind}", query) is None
        for query, told in (
            ({}, "query parameter not supplied"),
            ({"alias_name": "x"}, "both 'alias_name' and 'alias_mount_accessor' needs to be set"),
            ({"id": entity, "name": "e"}, "conflict"),
        ):
            with pytest.raises(BadRequest, match=told):
                await identity.request("update", f"lookup/{kind}", query)


async def test_merge_errors(identity):
    one, two = [await make(identity, "entity", name=name) for name in ("one", "two")]
    for data, told in (
        ({"from_entity_ids": [one], "to_entity_id": NOBODY}, "entity id to merge to is invalid"),
        ({"from_entity_ids": [NOBODY], "to_entity_id": one}, "entity id to merge from is invalid"),
        ({"from_entity_ids": [one], "to_entity_id": one}, "to_entity_id should not be present in from_entity_ids"),
        ({"to_entity_id": one}, "missing entity ids to merge from"),
        ({"from_entity_ids": [one]}, "missing entity id to merge to"),
    ):
        with pytest.raises(BadRequest, match=told):
            await identity.request("update", "entity/merge", data)
    await identity.request("update", "entity/merge", {"from_entity_ids": [two, two], "to_entity_id": one})
    assert (await identity.body("read", f"entity/id/{two}"))["merged_entity_ids"] == [two]
    with pytest.raises(BadRequest, match="merge from is invalid"):
        await identity.request("update", "entity/merge", {"from_entity_ids": [two], "to_entity_id": one})
