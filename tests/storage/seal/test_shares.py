"""Plans, and shares as people type them."""

import base64
import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_storage.crypto.entropy import random_bytes
from strongroom_storage.seal.errors import PlanInvalid, ShareInvalid
from strongroom_storage.seal.shares import SharePlan, check_share, decode_share, join_key, split_key


def read_share(typed: str) -> bytes:
    """What every ceremony does with a share: read it, then look at its length."""
    share = decode_share(typed)
    check_share(share)
    return share


VECTORS = json.loads(Path(__file__, "../../../vectors/shamir.json").resolve().read_text())["cases"]


@pytest.mark.parametrize(
    ("shares", "threshold", "message"),
    [
        (0, 0, "shares must be at least one"),
        (-1, 2, "shares must be at least one"),
        (5, 0, "threshold must be at least one"),
        (5, 1, "threshold must be greater than one for multiple shares"),
        (256, 2, "shares must be less than 256"),
        (1, 2, "threshold cannot be larger than shares"),
        (3, 300, "threshold must be less than 256"),
    ],
)
def test_plans_are_refused_in_known_words(shares, threshold, message):
    with pytest.raises(PlanInvalid, match=f"^{message}$"):
        SharePlan(shares, threshold).check()


@given(st.integers(1, 255), st.integers(1, 255))
def test_a_plan_is_good_exactly_when_it_can_be_split(shares, threshold):
    good = threshold <= shares and (threshold > 1 or shares == 1)
    if good:
        SharePlan(shares, threshold).check()
    else:
        with pytest.raises(PlanInvalid):
            SharePlan(shares, threshold).check()


def test_one_share_is_the_key_itself():
    assert split_key(b"k" * 32, SharePlan(1, 1), random_bytes) == [b"k" * 32]
    assert join_key([b"k" * 32], 1) == b"k" * 32


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: str(case["shares"]))
def test_keys_of_a_real_server_are_read_and_joined(case):
    read = [read_share(text) for text in case["keys_base64"]]
    assert read == [read_share(text) for text in case["keys"]]
    assert join_key(read[: case["threshold"]], case["threshold"]).hex() == case["key"]


@given(st.binary(min_size=16, max_size=33))
def test_both_spellings_are_read(share):
    assert read_share(share.hex()) == share
    assert read_share(share.hex().upper()) == share
    assert read_share(base64.b64encode(share).decode()) == share


def test_a_base64_text_that_looks_like_hexadecimal_is_base64():
    text = "abcdef0123456789" * 2 + "abcdef012345"  # 44 characters: 22 bytes as hexadecimal
    assert read_share(text) == bytes.fromhex(text)
    long = "abcdef0123456789" * 5 + "abcdef01"  # 88 characters: 44 bytes as hexadecimal, 66 as base64
    with pytest.raises(ShareInvalid, match="longer than maximum 33 bytes"):
        read_share(long)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("zz", "must be a valid hex or base64 string"),
        ("00", "must be a valid hex or base64 string"),
        ("00" * 15, "must be a valid hex or base64 string"),
        ("é" * 32, "must be a valid hex or base64 string"),
        ("\ud800" * 32, "must be a valid hex or base64 string"),
        ("00 " * 32, "must be a valid hex or base64 string"),
        ("_" * 44, "must be a valid hex or base64 string"),
        ("A" * 43, "must be a valid hex or base64 string"),
        ("AAAA", "shorter than minimum 16 bytes"),
        ("00" * 34, "longer than maximum 33 bytes"),
        ("00" * 10_000_000, "longer than maximum 33 bytes"),
    ],
)
def test_what_is_no_share_is_refused(typed, message):
    with pytest.raises(ShareInvalid, match=message):
        read_share(typed)


@given(st.text(max_size=80))
def test_any_text_gives_a_share_or_a_clean_refusal(typed):
    with contextlib.suppress(ShareInvalid):
        assert 16 <= len(read_share(typed)) <= 33
