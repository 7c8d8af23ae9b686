"""Packing round-trips, and refuses what is too large or too deep."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_storage import codec
from strongroom_storage.errors import CodecInvalid, ValueTooLarge

LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=8) | st.binary(max_size=8)
VALUES = st.recursive(
    LEAVES | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_round_trip(value: Any) -> None:
    assert codec.unpack(codec.pack(value)) == value


@given(st.binary(max_size=64))
def test_any_bytes_unpack_or_are_refused(packed: bytes) -> None:
    with contextlib.suppress(CodecInvalid):
        codec.unpack(packed)


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def test_depth() -> None:
    codec.unpack(codec.pack(nested(codec.DEPTH_MAX)))
    for levels in (codec.DEPTH_MAX + 1, 300, 5000):
        with pytest.raises(ValueTooLarge):
            codec.pack(nested(levels))


def test_a_cycle_is_refused() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(ValueTooLarge):
        codec.pack(cycle)


def test_size() -> None:
    with pytest.raises(ValueTooLarge):
        codec.pack(b"x" * (1 << 20))
    with pytest.raises(ValueTooLarge):
        codec.pack(2**64)
    with pytest.raises(CodecInvalid):
        codec.unpack(b"\xc0" * ((1 << 20) + 1))


@pytest.mark.parametrize(
    "packed", [b"", b"\xc1", b"\x91" * 2000 + b"\xc0", b"\xdf\xff\xff\xff\xff", b"\xc0\xc0", b"\x81\x80\x01"]
)
def test_hostile_bytes(packed: bytes) -> None:
    with pytest.raises(CodecInvalid):
        codec.unpack(packed)
