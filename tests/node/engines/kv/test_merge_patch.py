"""Merge patch: the examples of RFC 7386, and a plain implementation as the oracle."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.engines.kv.body import DEPTH_MAX
from strongroom_node.engines.kv.merge_patch import merge_patch
from strongroom_node.sdk.errors import BadRequest

# RFC 7386, Appendix A: original, patch, result.
EXAMPLES = [
    ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
    ('{"a":"b"}', '{"a":null}', "{}"),
    ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
    ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
    ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
    ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
    ('["a","b"]', '["c","d"]', '["c","d"]'),
    ('{"a":"b"}', '["c"]', '["c"]'),
    ('{"a":"foo"}', "null", "null"),
    ('{"a":"foo"}', '"bar"', '"bar"'),
    ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
    ("[1,2]", '{"a":"b","c":null}', '{"a":"b"}'),
    ("{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
]


@pytest.mark.parametrize(("target", "patch", "result"), EXAMPLES)
def test_the_examples_of_the_rfc(target, patch, result):
    assert msgspec.json.decode(merge_patch(target.encode(), patch.encode())) == msgspec.json.decode(result)


def oracle(target, patch):
    """The pseudocode of RFC 7386 §2."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = oracle(merged.get(name), value)
    return merged


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@given(JSON, JSON)
def test_as_the_pseudocode(target, patch):
    merged = merge_patch(msgspec.json.encode(target), msgspec.json.encode(patch))
    assert msgspec.json.decode(merged) == oracle(target, patch)


def test_a_deep_patch_is_refused():
    with pytest.raises(BadRequest, match="nested"):
        merge_patch(b"{}", b'{"a":' * (DEPTH_MAX + 5) + b"1" + b"}" * (DEPTH_MAX + 5))
