"""Key rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_storage.entry import KEY_BYTES_MAX, is_bootstrap, key_bytes, record_index
from strongroom_storage.errors import InputRefused, KeyInvalid, KeyTooLong


@pytest.mark.parametrize("path", ["", "/", "a/", "a\x00b", "\x00applied", "..", "a/../b", "../a", "a/..", "\ud800"])
def test_refused(path: str) -> None:
    with pytest.raises(KeyInvalid):
        key_bytes(path)


@pytest.mark.parametrize("path", ["a", "a..b", "...", "a/.b", "a//b", "é" * 250, "a b", "\x01"])
def test_accepted(path: str) -> None:
    assert key_bytes(path) == path.encode()


def test_length_counts_bytes() -> None:
    key_bytes("a" * KEY_BYTES_MAX)
    with pytest.raises(KeyTooLong):
        key_bytes("é" * (KEY_BYTES_MAX // 2 + 1))
    with pytest.raises(KeyTooLong):
        key_bytes("a" * 65536)


@given(st.text())
def test_any_text_is_a_key_or_refused(path: str) -> None:
    try:
        key = key_bytes(path)
    except InputRefused:
        return
    assert key.decode() == path


def test_classes() -> None:
    assert all(is_bootstrap(key) for key in (b"core/keyring", b"core/seal-config", b"core/recovery-key", b"core/hsm/x"))
    assert not any(
        is_bootstrap(key) for key in (b"core/mounts/x", b"core/config/x", b"logical/core/keyring", b"core/hsm")
    )
    assert record_index(b"\0" * 7 + b"\5rest") == 5
