"""Weak typing of fields: what Vault's clients send and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.sdk import fields
from strongroom_node.sdk.errors import BadRequest

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ALL = {kind.__name__: kind() for kind in fields.Field.__subclasses__()}


@given(st.sampled_from(sorted(ALL)), json_values)
def test_any_json_is_read_or_refused(name, value):
    refusal = name
    try:
        fields.coerce_fields(ALL, {name: value})
    except BadRequest as error:
        refusal = str(error)
    assert name in refusal


@pytest.mark.parametrize(
    ("field", "given_", "read"),
    [
        (fields.Text(), 5, "5"),
        (fields.Text(), True, "1"),
        (fields.Int(), "0x10", 16),
        (fields.Int(), 3.0, 3),
        (fields.Bool(), "t", True),
        (fields.Bool(), 0, False),
        (fields.Duration(), "1h30m", 5400.0),
        (fields.Duration(), "5d", 432000.0),
        (fields.StringList(), "a, b,,c", ["a", "b", "c"]),
        (fields.StringList(), ["a", 1], ["a", "1"]),
        (fields.KeyValue(), "a=1,b=2", {"a": "1", "b": "2"}),
        (fields.KeyValue(), {"a": 1}, {"a": "1"}),
        (fields.Map(), '{"a": [1]}', {"a": [1]}),
    ],
)
def test_weak_typing(field, given_, read):
    assert field.coerce(given_) == read


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        (fields.Int(), "12x"),
        (fields.Int(), 1 << 63),
        (fields.Int(), "9" * 5000),
        (fields.Bool(), "maybe"),
        (fields.Duration(), "-1s"),
        (fields.Duration(), "9" * 70),
        (fields.Duration(), float("nan")),
        (fields.KeyValue(), ["no separator"]),
        (fields.Map(), "not a map"),
        (fields.Text(), {}),
    ],
)
def test_what_does_not_fit_is_refused_without_its_value(field, bad):
    with pytest.raises(BadRequest) as refused:
        fields.coerce_fields({"f": field}, {"f": bad})
    assert '"f"' in str(refused.value)


def test_null_counts_as_absent_and_unknown_fields_are_left_out():
    assert fields.coerce_fields({"a": fields.Text()}, {"a": None, "b": 1}) == {}


@pytest.mark.parametrize("kind", [fields.Number(), fields.Duration(), fields.Int()])
def test_a_number_of_any_length_is_out_of_range_and_no_fault_of_the_server(kind):
    with pytest.raises(fields.FieldInvalid):
        kind.coerce(10**400)
