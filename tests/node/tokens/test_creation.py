"""What a token may be that another token asks for: every way up must be refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.request import Operation, Request
from strongroom_node.sdk.token import TokenEntry
from strongroom_node.tokens.creation import Asked, Circumstances, asked, draft, require_alias, require_parent
from strongroom_node.tokens.roles import TokenRole
from strongroom_node.tokens.ttl import Limits

LIMITS = Limits(100.0, 1000.0)
PARENT = TokenEntry(
    key="hp", policies=("a", "b", "default"), creation_ttl=50.0, entity_id="e1", bound_cidrs=("10.0.0.0/8",)
)
ROOT = TokenEntry(key="hr", policies=("root",))


def around(*, is_sudo=False, **more):
    return Circumstances(
        path="auth/token/create", is_orphan_path=False, is_sudo=is_sudo, limits=LIMITS, now=10.0, **more
    )


def make(wish=None, parent=PARENT, role=None, *, is_sudo=False, orphan_path=False):
    place = Circumstances("auth/token/create", orphan_path, is_sudo, LIMITS, 10.0)
    return draft(wish or Asked(), parent, role, place).entry


def refused(wish, parent=PARENT, role=None, *, is_sudo=False):
    with pytest.raises(BadRequest) as caught:
        make(wish, parent, role, is_sudo=is_sudo)
    return caught.value.messages[0]


def test_without_a_wish_it_is_like_its_parent():
    entry = make()
    assert entry.policies == ("a", "b", "default")
    assert (entry.parent, entry.entity_id, entry.bound_cidrs) == ("hp", "e1", ("10.0.0.0/8",))
    assert (entry.creation_ttl, entry.expire_time, entry.renewable, entry.display_name) == (100.0, 110.0, True, "token")


def test_policies_are_a_subset_unless_sudo():
    assert make(Asked(policies=("a",))).policies == ("a", "default")
    assert make(Asked(policies=("A",), no_default_policy=True)).policies == ("a",)
    assert refused(Asked(policies=("c",))) == "child policies must be subset of parent"
    assert make(Asked(policies=("c",)), is_sudo=True).policies == ("c", "default")


def test_default_is_passed_on_only_by_a_parent_that_has_it():
    parent = TokenEntry(key="hp", policies=("a",))
    assert make(Asked(policies=("a",)), parent).policies == ("a",)
    assert refused(Asked(policies=("default",)), parent) == "child policies must be subset of parent"


@pytest.mark.parametrize("name", ["root", "ROOT", " root "])
def test_root_comes_from_root_only(name):
    message = "root tokens may not be created without parent token being root"
    assert refused(Asked(policies=(name,)), is_sudo=True) == message
    role = TokenRole(name="r", allowed_policies=("root",))
    assert refused(Asked(), role=role, is_sudo=True) == message
    role = TokenRole(name="r", allowed_policies_glob=("*",))
    assert refused(Asked(policies=("a", name)), role=role, is_sudo=True) == message
    assert make(Asked(policies=(name, "a")), ROOT, is_sudo=True).policies == ("root",)


@pytest.mark.parametrize("name", ["response-wrapping", "control-group", "Response-Wrapping"])
def test_some_policies_are_given_by_nobody(name):
    assert refused(Asked(policies=(name,)), ROOT, is_sudo=True).startswith("cannot assign policy")


def test_what_needs_sudo():
    assert refused(Asked(id="mine")) == "root or sudo privileges required to specify token id"
    assert refused(Asked(no_parent=True)) == "root or sudo privileges required to create orphan token"
    assert refused(Asked(period=5)) == "root or sudo privileges required to create periodic token"
    assert make(Asked(no_parent=True), is_sudo=True).is_orphan
    assert make(orphan_path=True).is_orphan


@pytest.mark.parametrize("token", ["s.x", "a.b", "hvs.abc", "hvb.abc"])
def test_a_chosen_id_cannot_look_like_one_of_ours(token):
    assert refused(Asked(id=token), is_sudo=True).startswith("custom token ID cannot have")


def test_an_orphan_inherits_neither_entity_nor_networks():
    entry = make(Asked(no_parent=True), is_sudo=True)
    assert (entry.entity_id, entry.bound_cidrs) == ("", ())


def test_root_tokens_without_end_and_with_one():
    entry = make(parent=ROOT, is_sudo=True)
    assert (entry.creation_ttl, entry.expire_time, entry.renewable) == (0.0, 0.0, False)
    entry = make(Asked(ttl=60), ROOT, is_sudo=True)
    assert (entry.expire_time, entry.renewable) == (70.0, True)
    entry = make(Asked(explicit_max_ttl=60), ROOT, is_sudo=True)
    assert entry.expire_time == 70.0
    ending = TokenEntry(key="hr", policies=("root",), creation_ttl=60.0)
    message = "expiring root tokens cannot create non-expiring root tokens"
    assert refused(Asked(), ending, is_sudo=True) == message
    bound = TokenEntry(key="hr", policies=("root",), bound_cidrs=("10.0.0.0/8",))
    assert make(parent=bound, is_sudo=True).bound_cidrs == ()


def test_who_cannot_have_children():
    assert require_parent(PARENT) is PARENT
    for parent, message in (
        (None, "no parent found"),
        (TokenEntry(key="h", type="batch"), "batch tokens cannot create more tokens"),
        (TokenEntry(key="h", num_uses=1), "restricted use token"),
        (TokenEntry(key="h", num_uses=-1), "restricted use token"),
    ):
        with pytest.raises(BadRequest, match=message):
            require_parent(parent)


def test_batch_tokens_have_no_limits_and_no_renewal():
    for wish, name in (
        (Asked(type="batch", num_uses=1), "num_uses"),
        (Asked(type="batch", period=5), "period"),
        (Asked(type="batch", explicit_max_ttl=5), "explicit_max_ttl"),
    ):
        assert refused(wish) == f'batch tokens cannot have "{name}" set'
    assert refused(Asked(type="batch", policies=("root",)), ROOT, is_sudo=True) == "batch tokens cannot be root tokens"
    assert refused(Asked(type="other")) == "invalid 'token_type' value"
    entry = make(Asked(type="batch", renewable=True))
    assert (entry.type, entry.renewable, entry.num_uses) == ("batch", False, 0)


def test_a_role_rules_type_uses_orphans_renewal_and_networks():
    role = TokenRole(
        name="r",
        orphan=True,
        renewable=False,
        path_suffix="v2",
        token_num_uses=5,
        token_bound_cidrs=("1.2.3.4",),
        token_period=20.0,
        token_explicit_max_ttl=30.0,
        token_no_default_policy=True,
    )
    entry = make(Asked(num_uses=9), role=role)
    assert (entry.is_orphan, entry.renewable, entry.num_uses, entry.bound_cidrs) == (True, False, 5, ("1.2.3.4",))
    assert (entry.path, entry.role, entry.creation_ttl, entry.policies) == (
        "auth/token/create/v2",
        "r",
        20.0,
        ("a", "b"),
    )
    assert make(Asked(policies=("a", "default")), role=role).policies == ("a", "default")
    assert make(Asked(policies=("a", "default"), no_default_policy=True), role=role).policies == ("a",)
    assert make(Asked(num_uses=3), role=role).num_uses == 3
    assert make(Asked(), role=role).num_uses == 5
    assert make(Asked(type="batch"), role=TokenRole(name="r", token_type="service")).type == "service"
    assert make(role=TokenRole(name="r", token_type="default-batch")).type == "batch"
    assert make(Asked(type="service"), role=TokenRole(name="r", token_type="default-batch")).type == "service"


def test_the_lesser_of_role_and_wish_with_a_warning():
    role = TokenRole(name="r", token_explicit_max_ttl=30.0, token_period=20.0)
    found = draft(Asked(explicit_max_ttl=40, period=10), PARENT, role, around(is_sudo=True))
    assert found.entry.creation_ttl == 10
    assert found.warnings == [
        "Explicit max TTL specified both during creation call and in role; using the lesser value of 30 seconds",
        "Period specified both during creation call and in role; using the lesser value of 10 seconds",
    ]


def test_a_role_rules_policies():
    role = TokenRole(name="r", allowed_policies=("x", "y"), disallowed_policies=("y",))
    assert make(Asked(policies=("x",)), role=role).policies == ("default", "x")
    assert refused(Asked(policies=("z",)), role=role) == (
        'token policies (["default" "z"]) must be subset of the role\'s allowed policies (["default" "x" "y"]) '
        "or glob policies ([])"
    )
    assert refused(Asked(), role=role) == 'token policy "y" is disallowed by this role'
    role = TokenRole(name="r", disallowed_policies_glob=("d*",))
    assert make(Asked(policies=("anything",)), role=role).policies == ("anything",)
    assert refused(Asked(policies=("default",)), role=role) == 'token policy "default" is disallowed by this role'
    role = TokenRole(name="r", allowed_policies_glob=("team-*",))
    assert make(Asked(policies=("team-x",)), role=role).policies == ("default", "team-x")
    assert make(Asked(), role=role).policies == ("default",)


def test_an_entity_alias_needs_a_role_that_allows_it():
    role = TokenRole(name="r", allowed_entity_aliases=("web-*", "me"))
    assert require_alias(Asked(), None) == ""
    assert require_alias(Asked(entity_alias="Me"), role) == "me"
    assert require_alias(Asked(entity_alias="web-1"), role) == "web-1"
    with pytest.raises(BadRequest, match="only allowed in combination with token role"):
        require_alias(Asked(entity_alias="me"), None)
    with pytest.raises(BadRequest, match="invalid 'entity_alias' value"):
        require_alias(Asked(entity_alias="other"), role)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("My App!", "token-My-App"), ("", "token"), ("a/b", "token-a-b"), ("x--_ y!!", "token-x----y-"), ("é", "token-")],
)
def test_display_names_are_cleaned(name, shown):
    assert make(Asked(display_name=name)).display_name == shown


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"num_uses": -1}, "number of uses cannot be negative"),
        ({"ttl": "-1h"}, "ttl must be positive"),
        ({"ttl": "abc"}, 'time: invalid duration "abc"'),
        ({"period": "-5"}, "period must be positive"),
        ({"explicit_max_ttl": "-5"}, "explicit_max_ttl must be positive"),
        ({"lease": "-5"}, "lease must be positive"),
    ],
)
def test_what_cannot_be_meant(fields, message):
    with pytest.raises(BadRequest) as caught:
        asked(Request(Operation.UPDATE, "auth/token/create", fields=fields))
    assert caught.value.messages == (message,)


def test_lease_is_an_old_name_of_ttl():
    assert asked(Request(Operation.UPDATE, "x", fields={"lease": "10m"})).ttl == 600
    assert asked(Request(Operation.UPDATE, "x", fields={"lease": "10m", "ttl": "5"})).ttl == 5


names = st.sets(st.sampled_from(["a", "b", "c", "root", "default", "response-wrapping"]), max_size=4)


@given(names, names, st.booleans(), st.booleans(), st.sampled_from(["", "service", "batch"]))
def test_without_sudo_no_child_has_more_than_its_parent(theirs, wanted, no_default, renewable, kind):
    parent = TokenEntry(key="hp", policies=tuple(theirs - {"response-wrapping"}))
    wish = Asked(policies=tuple(wanted), no_default_policy=no_default, renewable=renewable, type=kind)
    try:
        entry = make(wish, parent)
    except BadRequest:
        return
    assert set(entry.policies) <= set(parent.policies) or "root" in parent.policies
    assert not set(entry.policies) & {"response-wrapping"}
    assert "root" not in entry.policies or "root" in parent.policies
