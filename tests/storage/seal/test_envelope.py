"""Envelopes open with their key and with nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_storage.seal.envelope import envelope_key_id, open_envelope, seal_envelope
from strongroom_storage.seal.errors import SealConfigInvalid, UnwrapFailed

KEY = bytes(range(32))


@given(st.binary(max_size=64), st.text(max_size=40))
def test_what_was_sealed_comes_back_with_the_name_of_its_key(plaintext, key_id):
    envelope = seal_envelope(KEY, key_id, plaintext)
    assert envelope_key_id(envelope) == key_id
    assert open_envelope(KEY, envelope) == plaintext


@given(st.data())
def test_every_flipped_bit_is_noticed(data):
    envelope = bytearray(seal_envelope(KEY, "k1", b"root key"))
    position = data.draw(st.integers(0, len(envelope) * 8 - 1))
    envelope[position // 8] ^= 1 << position % 8
    with pytest.raises(UnwrapFailed):
        open_envelope(KEY, bytes(envelope))


@given(st.binary(max_size=80))
def test_any_bytes_are_refused_cleanly(junk):
    for blob in (junk, b"SRK\x01" + junk):
        with pytest.raises(UnwrapFailed):
            open_envelope(KEY, blob)


def test_another_key_does_not_open_it():
    with pytest.raises(UnwrapFailed, match="message authentication failed"):
        open_envelope(bytes(32), seal_envelope(KEY, "k1", b"root key"))


def test_a_key_id_has_a_limit():
    with pytest.raises(SealConfigInvalid):
        seal_envelope(KEY, "x" * 256, b"")
