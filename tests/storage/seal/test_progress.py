"""Ceremony state: order, repetition, forgetting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_storage.seal.errors import CeremonyRefused
from strongroom_storage.seal.progress import (
    RekeyOrder,
    RekeyProgress,
    RootGeneration,
    ShareCollector,
    UnsealProgress,
    backup_by_fingerprint,
    mask_token,
)
from strongroom_storage.seal.shares import SharePlan

ORDER = RekeyOrder(SharePlan(3, 2), is_verified=True)


def test_an_unseal_attempt_has_one_nonce_and_ends_with_all_shares():
    progress = UnsealProgress()
    assert progress.offer(b"a" * 33, 3, "one") is None
    assert progress.offer(b"b" * 33, 3, "two") is None
    assert (progress.nonce, progress.count) == ("one", 2)
    assert progress.offer(b"c" * 33, 3, "three") == [b"a" * 33, b"b" * 33, b"c" * 33]
    assert (progress.nonce, progress.count) == ("", 0)


def test_a_repeated_share_is_not_counted():
    progress = UnsealProgress()
    for _ in range(5):
        assert progress.offer(b"a" * 33, 2, "n") is None
    assert progress.count == 1


def test_reset_forgets_shares_and_nonce():
    progress = UnsealProgress()
    progress.offer(b"a" * 33, 3, "n")
    progress.reset()
    assert (progress.nonce, progress.count) == ("", 0)


@given(st.lists(st.binary(min_size=16, max_size=33), max_size=30), st.integers(1, 6))
def test_unsealing_never_ends_before_the_threshold_of_different_shares(shares, threshold):
    progress = UnsealProgress()
    seen = set()
    for share in shares:
        seen.add(share)
        whole = progress.offer(share, threshold, "n")
        assert (whole is not None) == (len(seen) == threshold)
        if whole is not None:
            assert set(whole) == seen
            seen = set()
        assert progress.count == len(seen)


def test_no_share_is_printed():
    collector = ShareCollector()
    collector.add(b"very secret share")
    progress = RekeyProgress(ORDER, "n", given=collector)
    progress.await_verification(b"very secret new key", "v")
    generation = RootGeneration("n", otp="very secret otp", pgp_key="very secret too")
    for thing in (collector, progress, generation, UnsealProgress("n", collector)):
        assert "secret share" not in repr(thing)
        assert "very secret" not in repr(thing)


def test_a_rekey_wants_its_own_nonce():
    progress = RekeyProgress(ORDER, "mine")
    for nonce in ("", "other", "mine ", "é"):
        with pytest.raises(CeremonyRefused, match='nonce for this rekey operation is "mine"'):
            progress.offer(nonce, b"a" * 33, 2)
    assert len(progress.given) == 0


def test_a_rekey_refuses_a_repeated_share():
    progress = RekeyProgress(ORDER, "n")
    assert progress.offer("n", b"a" * 33, 2) is None
    with pytest.raises(CeremonyRefused, match="already been provided during this generation operation"):
        progress.offer("n", b"a" * 33, 2)
    assert progress.offer("n", b"b" * 33, 2) == [b"a" * 33, b"b" * 33]
    assert len(progress.given) == 0


def test_verification_holds_the_new_key_until_its_shares_come_back():
    progress = RekeyProgress(ORDER, "n")
    with pytest.raises(CeremonyRefused, match="no rekey verification in progress"):
        progress.offer_verification("v", b"a" * 33)
    progress.await_verification(b"new" * 8, "v")
    with pytest.raises(CeremonyRefused, match=r'already finished.*"v"'):
        progress.offer("n", b"a" * 33, 2)
    with pytest.raises(CeremonyRefused, match='verify operation is "v"'):
        progress.offer_verification("n", b"a" * 33)
    assert progress.offer_verification("v", b"a" * 33) is None
    with pytest.raises(CeremonyRefused, match="verify operation"):
        progress.offer_verification("v", b"a" * 33)
    progress.restart_verification("w")
    assert (progress.verification_nonce, len(progress.verified)) == ("w", 0)
    assert progress.offer_verification("w", b"a" * 33) is None
    assert progress.offer_verification("w", b"b" * 33) is not None
    assert progress.matches(b"new" * 8)
    assert not progress.matches(b"new" * 7)
    progress.forget()
    assert not progress.is_verifying
    assert not progress.matches(b"new" * 8)
    assert not progress.matches(b"")


def test_a_root_generation_wants_its_nonce_and_different_shares():
    generation = RootGeneration("n", otp="x")
    with pytest.raises(CeremonyRefused, match='root generation operation is "n"'):
        generation.offer("m", b"a" * 33, 2)
    generation.offer("n", b"a" * 33, 2)
    with pytest.raises(CeremonyRefused, match="already been provided"):
        generation.offer("n", b"a" * 33, 2)
    generation.forget()
    assert (generation.otp, len(generation.given)) == ("", 0)


def test_masking_is_undone_by_masking():
    token, otp = "hvs.abcdefghijklmnopqrstuvwx", "0123456789abcdefghijklmnopqr"
    masked = mask_token(token, otp)
    assert bytes(left ^ right for left, right in zip(masked, otp.encode(), strict=True)).decode() == token
    with pytest.raises(CeremonyRefused, match="wrong length"):
        mask_token(token, otp[:-1])


def test_a_backup_keeps_every_share_of_a_person_with_several():
    assert backup_by_fingerprint(["f", "g", "f"], [b"\x01", b"\x02", b"\x03"]) == {"f": ["01", "03"], "g": ["02"]}
