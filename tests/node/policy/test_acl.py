import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from strongroom_node.policy import capability
from strongroom_node.policy.acl import compile_policies
from strongroom_node.policy.builtin import BUILTIN_TEXTS
from strongroom_node.policy.parse import parse_policy
from strongroom_node.policy.rules import PathRule, Policy
from strongroom_node.sdk.request import Operation

# A slow ACL, written from the rules in words, to hold the fast one against.


def oracle_segments_match(pattern, path):
    is_prefix = pattern.endswith("*")
    wanted = (pattern[:-1] if is_prefix else pattern).split("/")
    given = path.split("/")
    if is_prefix:
        if len(given) < len(wanted):
            return False
        last = wanted.pop()
        if not given[len(wanted)].startswith(last):
            return False
        given = given[: len(wanted)]
    return len(given) == len(wanted) and all(w in ("+", g) for w, g in zip(wanted, given))


def oracle_is_segment_pattern(pattern):
    return any(part.startswith("+") for part in pattern.split("/")[1:]) or pattern.split("/")[0] == "+"


def oracle_matches(pattern, path):
    if oracle_is_segment_pattern(pattern):
        return oracle_segments_match(pattern, path)
    if pattern.endswith("*"):
        return path.startswith(pattern[:-1])
    return False


def oracle_priority(pattern):
    bare = pattern.removesuffix("*")
    if oracle_is_segment_pattern(pattern):
        first, plus = pattern.index("+"), bare.split("/").count("+")
    else:
        first, plus = len(bare), 0
    return (first, not pattern.endswith("*"), -plus, len(bare), bare)


def oracle_deciding_pattern(patterns, path, is_list):
    """The one pattern whose rules decide, or None."""
    exact = [p for p in patterns if not oracle_is_segment_pattern(p) and not p.endswith("*")]
    tries = [path] + ([path[:-1]] if is_list and path.endswith("/") else [])
    for one in tries:
        if one in exact:
            return one
    for one in tries:
        found = [p for p in patterns if oracle_matches(p, one)]
        if found:
            return max(found, key=oracle_priority)
    return None


def oracle_capabilities(rules, path, is_list=True):
    """`rules` is a list of (pattern, set of capability names)."""
    pattern = oracle_deciding_pattern([p for p, _ in rules], path, is_list)
    names = set().union(*[caps for p, caps in rules if p == pattern]) if pattern is not None else set()
    return ["deny"] if "deny" in names or not names else sorted(names)


# Properties.


def acl_of(*texts, now=0.0):
    return compile_policies([parse_policy(f"p{n}", text) for n, text in enumerate(texts)], now)


def rule(path, *names):
    quoted = ", ".join(f'"{name}"' for name in names)
    return f'path "{path}" {{ capabilities = [{quoted}] }} '


PIECES = st.sampled_from(["a", "b", "ab", "+", "", "a+", "+b", "é"])
PATTERN = st.builds(
    lambda parts, star: "/".join(parts) + star, st.lists(PIECES, min_size=1, max_size=4), st.sampled_from(["", "*"])
).filter(lambda p: "+*" not in p and not p.startswith("/"))
PATH = st.lists(st.sampled_from(["a", "b", "ab", "", "abc", "+", "a+", "é"]), min_size=1, max_size=5).map("/".join)
NAMES = st.sets(st.sampled_from(["read", "list", "create", "deny", "sudo", "update"]), max_size=3)


@settings(max_examples=400)
@given(st.lists(st.tuples(PATTERN, NAMES), max_size=8), PATH)
@example([("a/*", {"read"}), ("a", {"list"})], "a/")
@example([("kv/+/+", {"list"}), ("kv/+", {"read"})], "kv/a/")
def test_equals_the_slow_oracle(rules, path):
    policies = [
        Policy(f"p{n}", (PathRule(pattern, sum(capability.BITS[name] for name in names)),))
        for n, (pattern, names) in enumerate(rules)
    ]
    acl = compile_policies(policies)
    asked = path.lstrip("/")
    assert acl.capabilities(path) == oracle_capabilities(rules, asked)
    for operation, name in [(Operation.READ, "read"), (Operation.LIST, "list"), (Operation.CREATE, "create")]:
        names = oracle_capabilities(rules, asked, is_list=operation is Operation.LIST)
        decision = acl.check(operation, path)
        assert decision.allowed == (name in names)
        assert decision.sudo == ("sudo" in names)


GRANTS = st.sets(st.sampled_from(["read", "list"]), min_size=1)


@settings(max_examples=200)
@example([("a", set()), ("a*", {"read"})], "a/", "a")
@given(st.lists(st.tuples(PATTERN, GRANTS), max_size=6), PATH.map(lambda p: p.strip("/") + "/"), PATH)
def test_what_is_readable_below_a_mount_gives_access_to_it(rules, mount, below):
    policies = [
        Policy("p", (PathRule(pattern, sum(capability.BITS[name] for name in names)),)) for pattern, names in rules
    ]
    acl = compile_policies(policies)
    if mount != "/" and acl.capabilities(mount + below) != ["deny"]:
        assert acl.has_mount_access(mount)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            rule("ac4/+/conf", "read") + rule("ac4/+/+/deep/*", "update") + rule("ac4/team+/x", "list"),
            {
                "ac4//conf": ["read"],
                "ac4/a/b/conf": ["deny"],
                "ac4/a/b/deep": ["deny"],
                "ac4/a/b/deep/": ["update"],
                "ac4/a/b/deep/x/y": ["update"],
                "ac4/a/conf": ["read"],
                "ac4/a/confx": ["deny"],
                "ac4/team+/x": ["list"],
                "ac4/teams/x": ["deny"],
            },
        ),
        (rule("a/+/b", "read") + rule("a/*", "list"), {"a/a/b": ["read"], "a/a/c": ["list"]}),
        (rule("a/a/*", "create") + rule("a/+/b", "read"), {"a/a/b": ["create"], "a/x/b": ["read"]}),
        (rule("a/+/+/c", "create") + rule("a/+/b/*", "read"), {"a/a/b/c": ["create"], "a/a/b/d": ["read"]}),
        (rule("a/+/+/c", "create") + rule("a/+/b/c", "read"), {"a/a/b/c": ["read"], "a/a/x/c": ["create"]}),
        (rule("a/+/b*", "create") + rule("a/+/bc*", "read"), {"a/q/bx": ["create"], "a/q/bcx": ["read"]}),
        (rule("*", "deny") + rule("a", "read"), {"a": ["read"], "b": ["deny"], "": ["deny"]}),
    ],
)
def test_recorded_priorities(text, expected):
    acl = acl_of(text)
    assert {path: acl.capabilities(path) for path in expected} == expected


def test_deny_wins_on_one_pattern_in_either_order():
    for texts in (("read", "deny"), ("deny", "read")):
        acl = acl_of(*(rule("kv/*", name) for name in texts), rule("kv/s", "read"))
        assert acl.capabilities("kv/t") == ["deny"]
        assert acl.capabilities("kv/s") == ["read"]


def test_lists_find_rules_without_the_slash():
    for pattern in ("kv/d", "kv/d/", "kv/d/*", "kv/*", "kv/+"):
        assert acl_of(rule(pattern, "list")).check(Operation.LIST, "kv/d/").allowed
    assert not acl_of(rule("kv/d", "list")).check(Operation.READ, "kv/d/").allowed


def test_a_leading_slash_does_not_get_around_a_rule():
    acl = acl_of(rule("kv/*", "read") + rule("kv/secret", "deny"))
    assert not acl.check(Operation.READ, "/kv/secret").allowed
    assert not acl.check(Operation.READ, "///kv/secret").allowed


def test_root_and_help():
    root = compile_policies([Policy("root", ())])
    assert root.check(Operation.DELETE, "anything").sudo
    assert root.capabilities("x") == ["root"]
    assert root.resultant() == {"root": True}
    assert root.has_mount_access("kv/")
    nothing = compile_policies([])
    assert nothing.check(Operation.HELP, "sys/mounts").allowed
    assert not nothing.check(Operation.READ, "sys/mounts").allowed
    assert acl_of(rule("sys/mounts", "deny")).check(Operation.HELP, "sys/mounts").allowed


def test_root_beside_others_gives_nothing():
    acl = compile_policies([Policy("root", ()), parse_policy("p", rule("a", "read"))])
    assert not acl.is_root
    assert acl.capabilities("b") == ["deny"]
    assert acl.capabilities("a") == ["read"]


def test_granting_policies_are_named_per_capability():
    acl = acl_of(rule("a", "read", "list"), rule("a", "read"), rule("b", "read"))
    assert acl.check(Operation.READ, "a").granting_policies == ("p0", "p1")
    assert acl.check(Operation.LIST, "a").granting_policies == ("p0",)
    assert acl.check(Operation.RENEW, "a").granting_policies == ()


def test_wrapping_bounds():
    acl = acl_of(
        'path "min" { capabilities = ["read"] min_wrapping_ttl = "100s" }'
        'path "max" { capabilities = ["read"] max_wrapping_ttl = 200 }'
    )

    def may(path, ttl):
        return acl.check(Operation.READ, path, {}, ttl or 0.0, ttl is not None).allowed

    assert [may("min", ttl) for ttl in (None, 99, 100)] == [False, False, True]
    assert [may("max", ttl) for ttl in (None, 200, 201)] == [False, True, False]


def test_merged_bounds_take_the_lowest_and_may_exclude_everything():
    acl = acl_of(
        'path "a" { capabilities = ["read"] min_wrapping_ttl = "10s" max_wrapping_ttl = "20s" }',
        'path "a" { capabilities = ["read"] max_wrapping_ttl = "5s" }',
    )
    assert not any(acl.check(Operation.READ, "a", {}, ttl, True).allowed for ttl in (1.0, 5.0, 10.0, 20.0))


@pytest.mark.parametrize(
    ("body", "data", "allowed"),
    [
        ('allowed_parameters = { "a" = [] "b" = ["x", "y*", 7] }', {"a": "any"}, True),
        ('allowed_parameters = { "a" = [] "b" = ["x", "y*", 7] }', {"a": "any", "b": "x"}, True),
        ('allowed_parameters = { "a" = [] "b" = ["x", "y*", 7] }', {"b": "yes"}, True),
        ('allowed_parameters = { "a" = [] "b" = ["x", "y*", 7] }', {"b": 7}, False),
        ('allowed_parameters = { "a" = [] "b" = ["x", "y*", 7] }', {"b": "z"}, False),
        ('allowed_parameters = { "a" = [] "b" = ["x", "y*", 7] }', {"c": "z"}, False),
        ('allowed_parameters = { "a" = [] "b" = ["x", "y*", 7] }', {"A": "z"}, True),
        ('allowed_parameters = { "b" = ["x"] "*" = [] }', {"b": "x", "c": "z"}, True),
        ('allowed_parameters = { "b" = ["x"] "*" = [] }', {"b": "w"}, False),
        ('allowed_parameters = { "b" = [true] }', {"b": True}, True),
        ('allowed_parameters = { "b" = [1] }', {"b": True}, False),
        ('allowed_parameters = { "b" = ["*x*"] }', {"b": "axb"}, True),
        ('allowed_parameters = { "b" = ["*"] }', {"b": "anything"}, False),
        ('allowed_parameters = { "b" = ["x"] }', {"b": None}, False),
        ('allowed_parameters = { "b" = ["x"] }', {"b": ["x"]}, False),
        ('allowed_parameters = { "b" = [["x", "y"]] }', {"b": ["x", "y"]}, True),
        ("allowed_parameters = {}", {"q": "w"}, True),
        ('denied_parameters = { "a" = [] "b" = ["x", "y*"] }', {"a": "any"}, False),
        ('denied_parameters = { "a" = [] "b" = ["x", "y*"] }', {"b": "yes"}, False),
        ('denied_parameters = { "a" = [] "b" = ["x", "y*"] }', {"b": "z"}, True),
        ('denied_parameters = { "a" = [] }', {"A": "z"}, False),
        ('denied_parameters = { "*" = [] }', {"c": "z"}, False),
        ('denied_parameters = { "*" = [] }', {}, True),
        ('denied_parameters = { "ttl" = [3600] }', {"ttl": 3600}, False),
        ('allowed_parameters = { "*" = [] } denied_parameters = { "a" = [] }', {"a": 1, "c": 2}, False),
        ('required_parameters = ["a", "B"]', {"a": 1}, False),
        ('required_parameters = ["a", "B"]', {"a": 1, "b": 2, "c": 3}, True),
        ('required_parameters = ["a"]', {}, False),
    ],
)
def test_parameters(body, data, allowed):
    acl = acl_of(f'path "x" {{ capabilities = ["update", "read", "delete"] {body} }}')
    assert acl.check(Operation.UPDATE, "x", data).allowed == allowed
    assert acl.check(Operation.READ, "x", data).allowed == allowed
    assert acl.check(Operation.DELETE, "x", data).allowed


def test_merged_parameters_add_up_and_any_value_takes_over():
    acl = acl_of(
        'path "x" { capabilities = ["update"] allowed_parameters = { a = ["1"] b = ["1"] } }',
        'path "x" { capabilities = ["update"] allowed_parameters = { a = ["2"] b = [] } required_parameters = ["a"] }',
    )
    assert acl.check(Operation.UPDATE, "x", {"a": "1", "b": "zzz"}).allowed
    assert acl.check(Operation.UPDATE, "x", {"a": "2"}).allowed
    assert not acl.check(Operation.UPDATE, "x", {"a": "3"}).allowed
    assert not acl.check(Operation.UPDATE, "x", {"b": "1"}).allowed


def test_page_limit():
    acl = acl_of('path "kv/" { capabilities = ["list"] pagination_limit = 10 }')
    assert acl.check(Operation.LIST, "kv/").page_limit == 10
    for limit, allowed in (("10", True), (11, False), (0, False), (-1, False), ("max", True), ("x", False)):
        assert acl.check(Operation.LIST, "kv/", {"limit": limit}).allowed == allowed


def test_expired_rules_are_gone_and_the_next_end_is_told():
    text = 'path "a" { capabilities = ["read"] expiration = 100 } path "b" { capabilities = ["read"] expiration = 200 }'
    acl = acl_of(text, now=150.0)
    assert acl.capabilities("a") == ["deny"]
    assert acl.capabilities("b") == ["read"]
    assert acl.expires == 200.0


def test_resultant_acl():
    acl = acl_of(rule("mira/x", "read", "list") + rule("mira/g/*", "create") + rule("no", "deny") + rule("+/a", "read"))
    assert acl.resultant() == {
        "root": False,
        "exact_paths": {"mira/x": {"capabilities": ["list", "read"]}, "no": {"capabilities": ["deny"]}},
        "glob_paths": {"mira/g/": {"capabilities": ["create"]}},
    }


@pytest.mark.parametrize(
    ("text", "mount", "visible"),
    [
        (rule("mi2/deep/*", "read"), "mi2/", True),
        (rule("mi2/deep", "read"), "mi2/", True),
        (rule("mi2/deep", "deny"), "mi2/", False),
        (rule("mi2/+/x", "read"), "mi2/", True),
        (rule("mi2/+/x", "deny"), "mi2/", False),
        (rule("+/x", "read"), "mi2/", True),
        (rule("mi*", "read"), "mi2/", True),
        (rule("mi", "read"), "mi2/", False),
        (rule("mi22/x", "read"), "mi2/", False),
        (rule("auth/+/login", "read"), "auth/up/", True),
        (rule("auth/+/login", "read"), "auth/up/sub/", False),
    ],
)
def test_mount_access(text, mount, visible):
    assert acl_of(text).has_mount_access(mount) == visible


def test_long_paths_and_many_rules_cost_little():
    text = "".join(rule(f"kv/{n}/+/x", "read") + rule(f"kv/{'a' * n}*", "read") for n in range(300))
    acl = acl_of(text)
    assert acl.check(Operation.READ, "kv/" + "a" * 50_000).allowed
    assert not acl.check(Operation.READ, "k/" + "/" * 50_000).allowed


def test_the_default_policy_grants_what_was_recorded():
    acl = acl_of(BUILTIN_TEXTS["default"])
    expected = {
        "auth/token/create": ["deny"],
        "auth/token/lookup-self": ["read"],
        "cubbyhole/x": ["create", "delete", "list", "read", "update"],
        "identity/oidc/provider/p/authorize": ["read", "update"],
        "sys/renew": ["deny"],
        "sys/leases/renew": ["update"],
        "sys/tools/hash/sha2-256": ["update"],
        "sys/health": ["deny"],
    }
    assert {path: acl.capabilities(path) for path in expected} == expected
