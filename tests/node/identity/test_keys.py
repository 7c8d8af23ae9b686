"""Names as segments of keys."""

from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.identity.keys import is_id, name_key, pair, split


@given(st.text(max_size=60), st.text(max_size=60))
def test_names_share_a_key_only_if_they_differ_in_case_alone(one, other):
    assert (name_key(one) == name_key(other)) == (one.lower() == other.lower())


@given(st.text(max_size=300))
def test_a_key_is_one_harmless_segment(name):
    key = name_key(name)
    assert key
    assert len(key) <= 200
    assert key.isascii()
    assert "/" not in key
    assert "\0" not in key
    assert key not in {".", ".."}


def test_nobody_can_choose_the_key_of_a_long_name():
    assert name_key("x" * 300) != name_key(name_key("x" * 300))
    assert name_key("!") != name_key("")


def test_only_ids_become_parts_of_keys():
    assert is_id("11111111-2222-3333-4444-555555555555")
    for text in ("", "x", "../" * 12, "11111111-2222-3333-4444-55555555555/", "ß" * 36, "1" * 37):
        assert not is_id(text)


def test_pairs():
    first = "11111111-2222-3333-4444-555555555555"
    assert split(pair(first, "größe")) == (first, "größe")
