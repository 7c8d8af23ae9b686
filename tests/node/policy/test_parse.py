import base64

import pytest

from strongroom_node.policy import capability as c
from strongroom_node.policy.parse import PolicyInvalid, decode_text, parse_policy


def reason(text):
    with pytest.raises(PolicyInvalid) as caught:
        parse_policy("p", text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('path "x" { capabilities = ["fly"] }', 'path "x": invalid capability "fly"'),
        (
            'path "x" { capabilities = ["read" }',
            "At 1:35: error parsing list, expected comma or list end, got: RBRACE",
        ),
        ('path "x" { unknown_key = 1 }', '1 error occurred:\n\t* path "x": invalid key "unknown_key" on line 1\n\n'),
        (
            'path "x" { a = 1\n b { c = 2 } }',
            '2 errors occurred:\n\t* path "x": invalid key "a" on line 1\n\t* path "x": invalid key "b" on line 0\n\n',
        ),
        ('roof "x" { capabilities = ["read"] }', '1 error occurred:\n\t* invalid key "roof" on line 0\n\n'),
        ("just words", "At 1:12: key 'just words' expected start of object ('{') or assignment ('=')"),
        ('path "x/+*" { capabilities = ["read"] }', "path \"x/+*\": invalid use of wildcards ('+*' is forbidden)"),
        (
            'path "x" { capabilities = ["read"] min_wrapping_ttl = "1h" max_wrapping_ttl = "1m" }',
            "max_wrapping_ttl cannot be less than min_wrapping_ttl",
        ),
        ('path "x\\n" { capabilities = ["re\\"ad"] }', 'path "x\\n": invalid capability "re\\"ad"'),
        ('path "x" { policy = "maybe" }', 'path "x": invalid policy "maybe"'),
        ('path "x" {', "At 1:12: object expected closing RBRACE got: EOF"),
        (
            'path "x/{{identity.entity.id" {}',
            "failed to validate policy templating: unbalanced templating characters",
        ),
        (
            'path "x" { min_wrapping_ttl = "foo" }',
            'path "x": error parsing min_wrapping_ttl: time: invalid duration "foo"',
        ),
        ('path "x" { capabilities = ["read", 5] }', 'path "x": invalid capability "5"'),
        ('path "x" { capabilities = "read" }', 'path "x": At 1:27: capabilities must be a list of strings'),
        ("path = 5", "At 1:8: path must be a block with a path as its name"),
        ('{"path": {"x": {"capabilities": ["fly"]}}}', 'path "x": invalid capability "fly"'),
        ('name = ["a"]', "At 1:8: name must be a string"),
        (
            'path "x" { expiration = "zz" }',
            'path "x": invalid expiration time: could not parse string as date and time',
        ),
    ],
)
def test_errors_are_told_in_known_words(text, expected):
    assert reason(text) == "failed to parse policy: " + expected


def test_rules():
    policy = parse_policy(
        "p",
        """
        name = "ignored"
        path "/kv/*" { capabilities = ["read"] capabilities = ["list"] comment = "why" }
        path "old" { policy = "write" }
        path "none" {}
        path "off" { policy = "read" capabilities = ["deny", "fly"] min_wrapping_ttl = "x" }
        path "w" {
          capabilities = ["patch"]
          min_wrapping_ttl = 60
          max_wrapping_ttl = "2h"
          allowed_parameters { "Foo" = ["a", 1, true] foo = ["b"] }
          required_parameters = ["bar"]
        }
        """,
    )
    kv, old, none, off, w = policy.rules
    assert (kv.path, kv.capabilities) == ("kv/*", c.READ | c.LIST)
    assert old.capabilities == c.CREATE | c.READ | c.UPDATE | c.DELETE | c.LIST
    assert none.capabilities == 0
    assert off.capabilities == c.DENY
    assert (w.min_wrapping_ttl, w.max_wrapping_ttl) == (60.0, 7200.0)
    assert w.allowed == {"foo": ("a", 1, True, "b")}
    assert w.required == ("bar",)


@pytest.mark.parametrize(
    "text",
    [
        '{"path": {"x": {"capabilities": ["read"]}}}',
        '{"path": [{"x": {"capabilities": ["read"]}}]}',
        '{"path": {"x": [{"capabilities": ["read"]}]}}',
        '"path" "x" { "capabilities" = ["read"], }',
        'path "x" { capabilities = ["read",] } # comment',
    ],
)
def test_the_same_policy_in_other_words(text):
    (rule,) = parse_policy("p", text).rules
    assert (rule.path, rule.capabilities) == ("x", c.READ)


def test_json_rules_may_hold_nothing_but_objects():
    (rule,) = parse_policy("p", '{"path": {"x": {"allowed_parameters": {"a": []}}}}').rules
    assert rule.allowed == {"a": ()}


def test_what_has_no_effect_is_said():
    policy = parse_policy("p", 'path "x" { capabilities = ["read"] mfa_methods = ["a"] }')
    assert policy.warnings == ('path "x": mfa_methods has no effect',)


def test_base64_texts_are_decoded_and_others_left():
    text = 'path "secret/bas" { capabilities = ["read"] }'
    assert decode_text(base64.b64encode(text.encode()).decode()) == text
    assert decode_text(text) == text
    assert decode_text("") == ""


def test_deep_and_long_texts_are_refused_quickly():
    assert "nested too deeply" in reason('path "x" { allowed_parameters = { a = ' + "[" * 100_000)
    assert "longer than" in reason("#" * (2 << 20))
