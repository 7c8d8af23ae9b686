"""Terms, counts, rotation rules, and the keyring under its root key."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_storage import codec
from strongroom_storage.barrier.keyring import OPERATIONS_MAX_DEFAULT, Keyring, RotationConfig
from strongroom_storage.crypto.aead import AEAD
from strongroom_storage.errors import FrameInvalid, StoreDamaged

ROOT = bytes(range(32))
NOW = 1_700_000_000.0
DAY = 24 * 3600


def test_round_trip() -> None:
    keyring = Keyring.first(b"a" * 32, NOW).rotated(b"b" * 32, NOW + 5).counted({1: 10, 2: 3})
    keyring = replace(keyring, rotation=RotationConfig(1_000_000, 2 * DAY, is_enabled=False))
    opened = Keyring.opened(ROOT, b"core/keyring", keyring.sealed(ROOT, b"core/keyring"))
    assert opened == keyring
    assert opened.active.term == 2


def test_flips_other_keys_and_places_are_refused() -> None:
    sealed = Keyring.first(b"a" * 32, NOW).sealed(ROOT, b"p")
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 0x10
        with pytest.raises((FrameInvalid, StoreDamaged)):
            Keyring.opened(ROOT, b"p", bytes(changed))
    with pytest.raises(FrameInvalid):
        Keyring.opened(bytes(32), b"p", sealed)
    with pytest.raises(FrameInvalid):
        Keyring.opened(ROOT, b"q", sealed)


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        {"terms": [], "rotation": [1, 0, True]},
        {"terms": [[1, b"short", 0, 0]], "rotation": [1, 0, True]},
        {"terms": [[1, b"a" * 32, 0, 0]], "rotation": []},
        {"terms": [[1, 5, 0, 0]], "rotation": [1, 0, True]},
    ],
)
def test_nonsense_under_the_right_key_is_damage(content: object) -> None:
    with pytest.raises(StoreDamaged):
        Keyring.opened(ROOT, b"p", b"\x01" + AEAD(ROOT).seal(codec.pack(content), b"p"))


@given(st.integers(0, 2**33), st.floats(0, 1e6), st.sampled_from([0, DAY, 5 * DAY]), st.booleans())
def test_when_rotation_is_due(encryptions: int, age: float, interval: int, is_enabled: bool) -> None:
    keyring = replace(
        Keyring.first(bytes(32), NOW), rotation=RotationConfig(interval_seconds=interval, is_enabled=is_enabled)
    )
    by_use = encryptions >= OPERATIONS_MAX_DEFAULT
    by_age = interval > 0 and NOW + age >= NOW + interval
    assert keyring.is_rotation_due(encryptions, NOW + age) == (is_enabled and (by_use or by_age))


def test_counts_never_shrink() -> None:
    keyring = Keyring.first(bytes(32), NOW).counted({1: 9})
    assert keyring.counted({1: 4}).active.encryptions == 9
    assert keyring.counted({}).active.encryptions == 9


@pytest.mark.parametrize(
    "rotation",
    [RotationConfig(999_999), RotationConfig(OPERATIONS_MAX_DEFAULT + 1), RotationConfig(interval_seconds=DAY - 1)],
)
def test_refused_rotation_rules(rotation: RotationConfig) -> None:
    with pytest.raises(ValueError, match=r"max_operations|interval"):
        rotation.checked()


def test_keys_do_not_show() -> None:
    assert "aaaa" not in repr(Keyring.first(b"a" * 32, NOW))
