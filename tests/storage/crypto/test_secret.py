"""Secrets do not show, compare safely, and can be wiped."""

import copy

import pytest

from strongroom_storage.crypto.secret import SecretBytes


def test_does_not_show() -> None:
    secret = SecretBytes(b"hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    with pytest.raises(TypeError):
        copy.copy(secret)
    with pytest.raises(TypeError):
        hash(secret)


def test_compares_with_its_like_only() -> None:
    assert SecretBytes(b"a") == SecretBytes(b"a")
    assert SecretBytes(b"a") != SecretBytes(b"b")
    assert SecretBytes(b"a") != b"a"


def test_wipes() -> None:
    source = bytearray(b"key")
    with SecretBytes(source) as secret:
        source[0] = 0
        assert secret.reveal() == b"key"
        assert len(secret) == 3
    assert secret.reveal() == b""
