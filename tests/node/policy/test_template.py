import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.policy.acl import compile_policies
from strongroom_node.policy.parse import parse_policy
from strongroom_node.policy.template import (
    AliasContext,
    GroupContext,
    IdentityContext,
    TemplateInvalid,
    check_template,
    fill_path,
    fill_policy,
)

ANN = IdentityContext(
    id="e1",
    name="ann",
    metadata={"team": "red", "a.b": "dotted", "empty": "", "bad": "x/y"},
    aliases=(AliasContext("a1", "ann@up", "auth_up_1", {"m": "1"}, {"c": "2"}),),
    groups=(GroupContext("g1", "ops", {"site": "berlin"}),),
)


@pytest.mark.parametrize(
    ("selector", "value"),
    [
        ("identity.entity.id", "e1"),
        ("identity.entity.name", "ann"),
        (" identity.entity.metadata.team ", "red"),
        ("identity.entity.metadata.a.b", "dotted"),
        ("identity.entity.metadata.empty", None),
        ("identity.entity.metadata.bad", None),
        ("identity.entity.metadata.none", None),
        ("identity.entity.metadata", None),
        ("identity.entity.aliases.auth_up_1.id", "a1"),
        ("identity.entity.aliases.auth_up_1.name", "ann@up"),
        ("identity.entity.aliases.auth_up_1.metadata.m", "1"),
        ("identity.entity.aliases.auth_up_1.custom_metadata.c", "2"),
        ("identity.entity.aliases.other.name", None),
        ("identity.groups.ids.g1.name", "ops"),
        ("identity.groups.names.ops.id", "g1"),
        ("identity.groups.names.ops.metadata.site", "berlin"),
        ("identity.groups.names.dev.id", None),
        ("identity.groups.names.ops", None),
        ("time.now", None),
        ("", None),
    ],
)
def test_selectors(selector, value):
    path = "x/{{" + selector + "}}/y"
    assert fill_path(path, ANN) == (None if value is None else f"x/{value}/y")
    assert fill_path(path, None) is None


@given(st.text(max_size=12))
def test_a_name_never_widens_a_path(name):
    filled = fill_path("kv/{{identity.entity.name}}/*", IdentityContext("e", name))
    if filled is not None:
        assert filled == f"kv/{name}/*"
        assert name
        assert not set(name) & set("/+*")


def test_unresolved_blocks_are_dropped_and_others_stay():
    text = (
        'path "id/{{identity.entity.id}}/*" { capabilities = ["read"] }'
        'path "none/{{identity.entity.metadata.none}}" { capabilities = ["read"] }'
        'path "plain" { capabilities = ["read"] }'
    )
    policy = parse_policy("p", text)
    assert policy.is_templated
    acl = compile_policies([fill_policy(policy, ANN)])
    paths = ["id/e1/k", "id/other/k", "none/", "none/{{identity.entity.metadata.none}}", "plain"]
    assert [acl.capabilities(path) for path in paths] == [["read"], ["deny"], ["deny"], ["deny"], ["read"]]
    bare = compile_policies([fill_policy(policy, None)])
    assert bare.capabilities("id//k") == ["deny"]
    assert bare.capabilities("plain") == ["read"]


@pytest.mark.parametrize("path", ["a}}", "{{a", "{{a}}}}", "{{{{a}}", "a}}b{{c"])
def test_unbalanced_braces(path):
    with pytest.raises(TemplateInvalid):
        check_template(path)
    assert check_template("{{a}}/{{b}}")
    assert not check_template("a{b}")
