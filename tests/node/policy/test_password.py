import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.policy.password import (
    CharsetRule,
    PasswordGenerator,
    PasswordPolicy,
    PasswordPolicyInvalid,
    parse_password_policy,
)
from strongroom_storage.crypto.entropy import random_bytes

LETTERS = 'rule "charset" { charset = "abcde" }'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("length = 3 " + LETTERS, "passwords must be between 4 and 100 characters"),
        ("length = 101 " + LETTERS, "passwords must be between 4 and 100 characters"),
        (LETTERS, "invalid password policy: 1 error occurred:\n\t* length must be > 0\n\n"),
        ("length = 20", "invalid password policy: 1 error occurred:\n\t* no charset specified\n\n"),
        (
            'length = 20 rule "x" { charset = "ab" }',
            "invalid password policy: unable to parse rules: unable to parse rule x: unrecognized rule type x",
        ),
        (
            'length = 20 rule "charset" { charset = "a\\tb" }',
            "invalid password policy: 1 error occurred:\n\t* non-printable character in charset\n\n",
        ),
        (
            'length = 20 rule "charset" { charset = "ab" min-chars = 21 }',
            "invalid password policy: 1 error occurred:\n\t* specified rules require at least 21 characters but 20 is specified\n\n",
        ),
        ('length = "x" ' + LETTERS, "invalid password policy: At 1:10: 'length' must be a whole number"),
        ('length = 20 rule = "x"', 'invalid password policy: At 1:20: a rule is a block: rule "charset" { ... }'),
        ('length = 20 rule "charset" { charset = 5 }', "invalid password policy: At 1:40: 'charset' must be a string"),
        ("length = 20 {", "invalid password policy: At 1:13: expected: IDENT | STRING got: LBRACE"),
    ],
)
def test_refused(text, reason):
    with pytest.raises(PasswordPolicyInvalid) as caught:
        parse_password_policy(text)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    "text",
    [
        'length = 20\nrule "charset" {\n  charset = "abc"\n  min-chars = 1\n}\n',
        '{"length": 20, "rule": [{"charset": {"charset": "abc", "min-chars": 1}}]}',
        '{"length": 20, "rule": {"charset": {"charset": "abc", "min-chars": 1}}}',
        "bGVuZ3RoID0gMjAKcnVsZSAiY2hhcnNldCIgeyBjaGFyc2V0ID0gImFiYyIgbWluLWNoYXJzID0gMSB9",
    ],
)
def test_read(text):
    assert parse_password_policy(text) == PasswordPolicy(20, (CharsetRule("abc", 1),))


RULES = st.lists(
    st.builds(CharsetRule, st.text("abcdefgh0123é", min_size=1), st.integers(0, 20)), min_size=1, max_size=4
)


@given(RULES, st.integers(0, 20))
def test_passwords_meet_their_policy(rules, more):
    length = max(4, sum(rule.count_min for rule in rules) + more)
    made = PasswordGenerator(random_bytes).generate(PasswordPolicy(length, tuple(rules)))
    assert len(made) == length
    assert set(made) <= set("".join(rule.charset for rule in rules))
    for rule in rules:
        assert sum(char in rule.charset for char in made) >= rule.count_min


def test_no_character_is_likelier_than_another():
    everything = itertools.cycle(bytes([n]) for n in range(256))
    generator = PasswordGenerator(lambda n: b"".join(next(everything) for _ in range(n)))
    charset = "".join(chr(0x100 + n) for n in range(100))
    policy = PasswordPolicy(100, (CharsetRule(charset),))
    counts = Counter("".join(generator.generate(policy) for _ in range(20)))
    assert len(counts) == 100
    assert max(counts.values()) - min(counts.values()) == 0


def test_a_rule_that_chance_never_meets():
    policy = PasswordPolicy(100, (CharsetRule("a", 90), CharsetRule("bcdefghijklmnop")))
    made = PasswordGenerator(random_bytes).generate(policy)
    assert made.count("a") >= 90
    assert made[:90] != "a" * 90
