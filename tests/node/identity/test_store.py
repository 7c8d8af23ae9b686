"""Logins, standings and membership."""

import asyncio

import msgspec
import pytest
from support.mounted import a_mount

from strongroom_node.identity import entities, groups
from strongroom_node.identity.store import IdentityStore
from strongroom_node.sdk.errors import BadRequest

USERPASS = a_mount("userpass", is_auth=True)
LDAP = a_mount("ldap", is_auth=True)


async def change(identity, work):
    with identity.view.transaction() as tx:
        made = work(tx)
    await tx.commit()
    return made


async def make_group(identity, name, *policies, members=(), children=(), kind="internal"):
    def work(tx):
        group = groups.new(tx, identity.now(), name, kind)
        groups.put(tx, None, msgspec.structs.replace(group, policies=policies))
        groups.set_members(tx, group.id, members)
        groups.set_children(tx, group.id, children)
        return group.id

    return await change(identity, work)


async def set_entity(identity, entity_id, **changes):
    def work(tx):
        before = entities.get(tx, entity_id)
        entities.put(tx, before, msgspec.structs.replace(before, **changes))

    await change(identity, work)


async def test_a_login_makes_an_entity_once(identity):
    entity_id = await identity.ensure_login(USERPASS, "ann", {})
    assert await identity.ensure_login(USERPASS, "ann", {}) == entity_id
    assert await identity.ensure_login(USERPASS, "bob", {}) != entity_id
    assert await identity.ensure_login(LDAP, "ann", {}) != entity_id
    entity = identity.entity(entity_id)
    assert entity.name.startswith("entity_")
    assert len(entity.name) == len("entity_") + 8
    alias = entity.aliases[0]
    assert (alias.name, alias.mount_accessor, alias.mount_type) == ("ann", USERPASS.accessor, "userpass")
    assert alias.metadata is None
    assert identity.count() == 3


async def test_logins_at_the_same_time_make_one_entity(identity):
    made = await asyncio.gather(*(identity.ensure_login(USERPASS, "ann", {"n": str(n)}) for n in range(10)))
    assert len(set(made)) == 1
    assert identity.count() == 1


async def test_a_login_that_changes_nothing_writes_nothing(identity, store):
    await identity.ensure_login(USERPASS, "ann", {"team": "red"})
    index = store.applied_index
    await identity.ensure_login(USERPASS, "ann", {"team": "red"})
    assert store.applied_index == index
    await identity.ensure_login(USERPASS, "ann", {"team": "blue"})
    assert store.applied_index > index
    assert identity.by_alias(USERPASS.accessor, "ann").aliases[0].metadata == {"team": "blue"}


async def test_policies_apply_at_once(identity):
    entity_id = await identity.ensure_login(USERPASS, "ann")
    assert identity.policies_for(entity_id) == ()
    await set_entity(identity, entity_id, policies=("b", "a"))
    assert identity.policies_for(entity_id) == ("a", "b")
    group_id = await make_group(identity, "g", "c", members=[entity_id])
    assert identity.policies_for(entity_id) == ("a", "b", "c")
    await change(identity, lambda tx: groups.set_members(tx, group_id, []))
    assert identity.policies_for(entity_id) == ("a", "b")


async def test_policies_are_inherited_upward_only(identity):
    entity_id = await identity.ensure_login(USERPASS, "ann")
    other_id = await identity.ensure_login(USERPASS, "bob")
    child = await make_group(identity, "child", "c", members=[entity_id])
    parent = await make_group(identity, "parent", "p", members=[other_id], children=[child])
    top = await make_group(identity, "top", "t", children=[parent])
    assert identity.policies_for(entity_id) == ("c", "p", "t")
    assert identity.policies_for(other_id) == ("p", "t")
    assert identity.group_ids(entity_id) == ([child], sorted([parent, top]))
    assert {group.name for group in identity.template_context(entity_id).groups} == {"child", "parent", "top"}
    await change(identity, lambda tx: groups.delete(tx, groups.get(tx, parent)))
    assert identity.policies_for(entity_id) == ("c",)


async def test_no_group_is_in_itself(identity):
    a = await make_group(identity, "a")
    b = await make_group(identity, "b", children=[a])
    c = await make_group(identity, "c", children=[b])
    for parent, child in ((a, a), (a, b), (a, c), (b, c)):
        with pytest.raises(BadRequest, match="cyclic relationship"):
            await change(identity, lambda tx, p=parent, ch=child: groups.set_children(tx, p, [ch]))
    assert groups.parents(identity.view, c) == []


async def test_a_disabled_entity_and_one_that_is_gone(identity):
    entity_id = await identity.ensure_login(USERPASS, "ann")
    assert identity.is_active(entity_id)
    await set_entity(identity, entity_id, disabled=True)
    assert not identity.is_active(entity_id)
    await set_entity(identity, entity_id, disabled=False)
    assert identity.is_active(entity_id)
    await make_group(identity, "g", "c", members=[entity_id])
    await change(identity, lambda tx: entities.delete(tx, entities.get(tx, entity_id)))
    assert not identity.is_active(entity_id)
    assert identity.policies_for(entity_id) == ()
    assert identity.template_context(entity_id) is None
    assert identity.by_alias(USERPASS.accessor, "ann") is None
    assert [key for key in identity.view.walk() if entity_id in key] == []
    assert await identity.ensure_login(USERPASS, "ann") != entity_id


@pytest.mark.parametrize("entity_id", ["", "x", "../../core/keyring", "11111111-2222-3333-4444-555555555555"])
def test_ids_that_are_none(identity, entity_id):
    assert not identity.is_active(entity_id)
    assert identity.entity(entity_id) is None
    assert identity.group(entity_id) is None
    assert identity.by_alias_id(entity_id) is None


async def test_two_stores_over_one_barrier_agree(identity, store, clock):
    """A cached standing must not outlive a change that another part of the node, or another node, made."""
    entity_id = await identity.ensure_login(USERPASS, "ann")
    other = IdentityStore(store.barrier, clock)
    assert other.policies_for(entity_id) == ()
    await set_entity(identity, entity_id, policies=("a",))
    assert other.policies_for(entity_id) == ("a",)


async def test_external_groups_follow_the_login(identity):
    group_id = await make_group(identity, "x", "p", kind="external")

    def name_it(tx):
        group = groups.get(tx, group_id)
        alias = entities.new_alias(group_id, LDAP.accessor, "ldap", "Admins", identity.now())
        groups.put(tx, group, msgspec.structs.replace(group, alias=alias))

    await change(identity, name_it)
    entity_id = await identity.ensure_login(LDAP, "ann", group_aliases=["admins", "unknown"])
    assert identity.policies_for(entity_id) == ("p",)
    inner = await make_group(identity, "y", "q", members=[entity_id])
    assert await identity.ensure_login(LDAP, "ann") == entity_id
    assert identity.policies_for(entity_id) == ("q",)
    other = await identity.ensure_login(USERPASS, "bob", group_aliases=["admins"])
    assert identity.policies_for(other) == ()
    assert groups.members(identity.view, inner) == [entity_id]


async def test_merging_moves_everything(identity):
    target = await identity.ensure_login(USERPASS, "ann")
    source = await identity.ensure_login(LDAP, "anna")
    await set_entity(identity, source, policies=("s",))
    group_id = await make_group(identity, "g", "p", members=[source])

    def merge(tx):
        entities.merge(tx, entities.get(tx, target), [entities.get(tx, source)], frozenset(), identity.now())

    await change(identity, merge)
    merged = identity.entity(source)
    assert merged.id == target
    assert merged.merged == (source,)
    assert merged.alias_of(LDAP.accessor).merged_from == (source,)
    assert identity.policies_for(source) == ("p", "s")
    assert identity.is_active(source)
    assert groups.members(identity.view, group_id) == [target]
    assert await identity.ensure_login(LDAP, "anna") == target
    await change(identity, lambda tx: entities.delete(tx, entities.get(tx, target)))
    assert not identity.is_active(source)


async def test_merging_two_aliases_of_one_mount_needs_a_choice(identity):
    target = await identity.ensure_login(USERPASS, "ann")
    source = await identity.ensure_login(USERPASS, "anna")
    wanted = identity.entity(source).aliases[0].id

    def merge(tx, *keep):
        entities.merge(tx, entities.get(tx, target), [entities.get(tx, source)], frozenset(keep), identity.now())

    with pytest.raises(BadRequest, match="conflicting_alias_ids_to_keep"):
        await change(identity, merge)
    await change(identity, lambda tx: merge(tx, wanted))
    assert identity.by_alias(USERPASS.accessor, "anna").id == target
    assert identity.by_alias(USERPASS.accessor, "ann") is None


async def test_an_alias_belongs_to_one_entity(identity):
    await identity.ensure_login(USERPASS, "ann")
    other = await identity.ensure_login(LDAP, "bob")

    def steal(tx):
        alias = entities.new_alias(other, USERPASS.accessor, "userpass", "ANN", identity.now())
        entities.put_alias(tx, entities.get(tx, other), alias, identity.now())

    with pytest.raises(BadRequest, match="already in use"):
        await change(identity, steal)


async def test_a_mount_that_goes_takes_its_aliases_along(identity):
    both = await identity.ensure_login(USERPASS, "ann")
    for number in range(3):
        await identity.ensure_login(USERPASS, f"user{number}")
    kept = await identity.ensure_login(LDAP, "ann")
    await identity.forget_mount(USERPASS.accessor)
    assert identity.by_alias(USERPASS.accessor, "ann") is None
    assert identity.entity(both).aliases == ()
    assert identity.by_alias(LDAP.accessor, "ann").id == kept
    assert identity.view.walk(f"alias/name/{USERPASS.accessor}") == []


async def test_what_engines_and_templates_learn(identity):
    entity_id = await identity.ensure_login(USERPASS, "ann", {"team": "red"})
    await set_entity(identity, entity_id, name="Ann", metadata={"unit": "x"})
    context = identity.template_context(entity_id)
    assert (context.id, context.name, dict(context.metadata)) == (entity_id, "Ann", {"unit": "x"})
    assert (context.aliases[0].name, dict(context.aliases[0].metadata)) == ("ann", {"team": "red"})
    info = identity.entity_info(entity_id)
    assert info["name"] == "Ann"
    assert info["aliases"][0]["mount_accessor"] == USERPASS.accessor
    assert identity.entity_info("nobody") is None
