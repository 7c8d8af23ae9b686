from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.cli.plain import human_seconds, is_duration_name, plain, quoted_list, wrap


def test_values_as_go_prints_them() -> None:
    assert plain({"b": [1, "x", {"c": None}], "a": True}) == "map[a:true b:[1 x map[c:<nil>]]]"
    assert plain(1.5) == "1.5"
    assert plain(None) == "<nil>"
    assert quoted_list(["default", 'a"b']) == '["default" "a\\"b"]'
    assert quoted_list(None) == "[]"


def test_durations() -> None:
    assert human_seconds(2764800) == "768h"
    assert human_seconds("1h") == "1h"
    assert human_seconds(True) == "true"
    names = ["ttl", "secret_id_ttl", "period", "token_period", "lock_duration"]
    assert all(is_duration_name(name) for name in names)
    assert not any(is_duration_name(name) for name in ["creation_time", "ttlx", "expiration", "periodic"])


@given(st.text(alphabet="ab \n", max_size=200), st.integers(0, 8))
def test_wrap_keeps_words_and_width(text: str, indent: int) -> None:
    wrapped = wrap(text, indent, 20)
    assert wrapped.split() == text.split()
    for line in wrapped.split("\n"):
        assert len(line) <= 20 or len(line.split()) == 1
