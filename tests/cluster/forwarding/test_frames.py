"""Frames of forwarded requests: what is said is heard, and nothing else is."""

import contextlib

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom_cluster.forwarding import frames
from strongroom_cluster.forwarding.frames import (
    Ask,
    Cancel,
    FrameInvalid,
    Leave,
    Lose,
    Refuse,
    Reply,
    Welcome,
    decode,
    encode,
    shorten,
)

NUMBERS = st.integers(0, (1 << 63) - 1)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
HEADERS = st.dictionaries(TEXTS, TEXTS, max_size=5)
FRAMES = st.one_of(
    st.builds(Ask, NUMBERS, NUMBERS, HEADERS, st.binary(max_size=200)),
    st.builds(Reply, NUMBERS, HEADERS, st.binary(max_size=200)),
    st.builds(Refuse, NUMBERS, TEXTS),
    st.builds(Lose, NUMBERS, TEXTS),
    st.builds(Cancel, NUMBERS),
    st.builds(Leave, NUMBERS),
    st.builds(Welcome, NUMBERS),
)


@given(FRAMES)
@settings(max_examples=100)
def test_a_frame_comes_back_as_it_was(frame) -> None:
    data = encode(frame)
    assert int.from_bytes(data[:4], "big") == len(data) - 4
    assert decode(data[4:]) == frame
    assert decode(memoryview(data)[4:]) == frame


@given(st.binary(max_size=60))
@settings(max_examples=200)
def test_garbage_is_a_frame_or_refused(data: bytes) -> None:
    with contextlib.suppress(FrameInvalid):
        decode(data)


@given(FRAMES, st.data())
@settings(max_examples=100)
def test_a_cut_frame_is_refused(frame, data) -> None:
    body = encode(frame)[4:]
    with pytest.raises(FrameInvalid):
        decode(body[: data.draw(st.integers(0, len(body) - 1))])


@pytest.mark.parametrize(
    "fields",
    [
        [],
        {},
        7,
        [99],
        [True, 1],
        [-1, 1],
        [1, 1, 1, {}, "text"],
        [1, 1, 1, {"a": 1}, b""],
        [1, 1, 1, {b"a": "b"}, b""],
        [1, 1, 1, [], b""],
        [1, -1, 1, {}, b""],
        [1, True, 1, {}, b""],
        [1, 1, 1, {}],
        [1, 1, 1, {}, b"", 1],
        [3, 1, b"bytes"],
        [3, 1, "x" * 1025],
        [1, 1, 1, {str(number): "" for number in range(33)}, b""],
        [5, 1.0],
        [5, msgpack.ExtType(1, b"x")],
        [5, [[[[[]]]]]],
    ],
)
def test_wrong_shapes_are_refused(fields) -> None:
    with pytest.raises(FrameInvalid):
        decode(msgpack.packb(fields))


def test_what_is_too_large_is_not_sent(monkeypatch) -> None:
    monkeypatch.setattr(frames, "PAYLOAD_BYTES_MAX", 100)
    encode(Ask(1, 1, {}, bytes(100)))
    for ask in (
        Ask(1, 1, {}, bytes(101)),
        Ask(1, 1, {str(number): "" for number in range(33)}, b""),
        Ask(1, 1, {"a": "é" * 513}, b""),
    ):
        with pytest.raises(FrameInvalid):
            encode(ask)
    assert decode(encode(Refuse(1, shorten("é" * 2000)))[4:]) == Refuse(1, "é" * 512)
