"""Commands round-trip, and nothing else is taken for one."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_cluster.command import COMMAND_BYTES_MAX, decode_write, encode_write
from strongroom_cluster.errors import CommandInvalid

KEYS = st.binary(min_size=1, max_size=8).filter(lambda key: key[0] != 0)
OPERATIONS = st.lists(st.tuples(KEYS, st.none() | st.binary(min_size=1, max_size=20)), max_size=8)


@given(OPERATIONS)
def test_round_trip(operations: list[tuple[bytes, bytes | None]]) -> None:
    flat = decode_write(encode_write(operations))
    assert list(zip(flat[::2], flat[1::2], strict=True)) == operations


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        None,
        [1],
        [1, {}],
        [1, [b"k"]],
        [1, [b"", b"v"]],
        [1, ["k", b"v"]],
        [1, [b"k", "v"]],
        [1, [b"k", b""]],
        [1, [b"\x00applied", b"v"]],
        [1, [], []],
        [2, [b"k", b"v"]],
        ["1", []],
    ],
)
def test_other_shapes_are_refused(content: object) -> None:
    with pytest.raises(CommandInvalid):
        decode_write(msgpack.packb(content))


@given(st.binary(max_size=40))
def test_any_bytes_decode_or_are_refused(command: bytes) -> None:
    try:
        decode_write(command)
    except CommandInvalid:
        return


def test_a_huge_command_is_refused_unread() -> None:
    with pytest.raises(CommandInvalid, match="large"):
        decode_write(bytes(COMMAND_BYTES_MAX + 1))
