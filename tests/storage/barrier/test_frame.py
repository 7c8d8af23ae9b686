"""Frames open only as they were sealed and where they were put."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_storage.barrier import frame
from strongroom_storage.crypto.aead import AEAD
from strongroom_storage.errors import FrameInvalid

KEY = AEAD(bytes(range(32)))


@given(st.binary(max_size=200), st.binary(max_size=60), st.integers(0, 2**32 - 1), st.integers(0, 9))
def test_round_trip(plaintext: bytes, path: bytes, term: int, at: int) -> None:
    record = bytes(at) + frame.seal_frame(KEY, term, path, plaintext)
    assert len(record) == at + len(plaintext) + frame.OVERHEAD_BYTES
    assert frame.frame_term(record, at) == term
    assert frame.open_frame(KEY, path, record, at) == plaintext


def opens(sealed: bytes, path: bytes) -> bool:
    """Whether the barrier would accept it: the term picks the key, of which there is one."""
    try:
        return frame.frame_term(sealed) == 7 and frame.open_frame(KEY, path, sealed) is not None
    except FrameInvalid:
        return False


def test_every_flipped_bit_is_refused() -> None:
    sealed = frame.seal_frame(KEY, 7, b"secret/a", b"value")
    assert opens(sealed, b"secret/a")
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        assert not opens(bytes(changed), b"secret/a"), bit


def test_every_truncation_and_extension_is_refused() -> None:
    sealed = frame.seal_frame(KEY, 7, b"p", b"value")
    assert not any(opens(sealed[:size], b"p") for size in range(len(sealed)))
    assert not opens(sealed + b"\0", b"p")


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_a_moved_frame_is_refused(path: bytes, other: bytes) -> None:
    assert opens(frame.seal_frame(KEY, 7, path, b"v"), other) == (path == other)


def test_another_key_does_not_open() -> None:
    with pytest.raises(FrameInvalid):
        frame.open_frame(AEAD(bytes(32)), b"p", frame.seal_frame(KEY, 1, b"p", b"v"))
