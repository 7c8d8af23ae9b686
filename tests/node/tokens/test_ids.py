from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.tokens import ids

SALT = bytes(32)


def test_forms():
    token = ids.new_service_token()
    assert token.startswith("hvs.")
    assert token.removeprefix("hvs.").isalnum()
    assert len(token) == len("hvs.") + 24
    assert len(ids.new_accessor()) == 24
    assert ids.new_accessor().isalnum()
    assert len(ids.new_salt()) == 32


@given(st.text(alphabet=st.characters(codec=None), max_size=40))
def test_ids_are_keys_whatever_the_text(text):
    key = ids.salted_id(SALT, text)
    assert key[0] == "h"
    assert int(key[1:], 16) >= 0
    assert len(key) == 65
    assert ids.salted_accessor(SALT, text) != key[1:]


def test_ids_depend_on_the_salt():
    assert ids.salted_id(SALT, "x") != ids.salted_id(b"\x01" * 32, "x")
