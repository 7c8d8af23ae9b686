"""The cipher: a published vector, limits, refusals."""

import pytest

from strongroom_storage.crypto import aead
from strongroom_storage.crypto.aead import AEAD
from strongroom_storage.errors import FrameInvalid, KeyTermExhausted


def test_opens_a_published_vector() -> None:
    """McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16."""
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    nonce = bytes.fromhex("cafebabefacedbaddecaf888")
    plaintext = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
        "b16aedf5aa0de657ba637b39"
    )
    associated = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    ciphertext = bytes.fromhex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
        "c5f61e6393ba7a0abcc9f662"
    )
    tag = bytes.fromhex("76fc6ece0f4e1768cddf8853bb2d551b")
    assert AEAD(key).open(nonce + ciphertext + tag, associated) == plaintext


def test_counts_and_stops_at_the_limit() -> None:
    key = AEAD(bytes(32), sealed=aead.MESSAGES_MAX - 1)
    key.seal(b"", b"")
    assert key.sealed == aead.MESSAGES_MAX
    with pytest.raises(KeyTermExhausted):
        key.seal(b"", b"")


def test_never_seals_alike() -> None:
    key = AEAD(bytes(32))
    assert len({key.seal(b"same", b"")[: aead.NONCE_BYTES] for _ in range(1000)}) == 1000


@pytest.mark.parametrize("size", range(aead.NONCE_BYTES + aead.TAG_BYTES))
def test_short_input_is_refused(size: int) -> None:
    with pytest.raises(FrameInvalid):
        AEAD(bytes(32)).open(bytes(size), b"")


def test_key_length_and_silence() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        AEAD(bytes(16))
    assert repr(AEAD(bytes(32))) == "<AEAD>"
