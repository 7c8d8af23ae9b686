"""Splitting and combining: the field, the format, and who cannot open what."""

import itertools
import json
from pathlib import Path

import pyshamir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom_storage.crypto.entropy import random_bytes
from strongroom_storage.seal import shamir
from strongroom_storage.seal.errors import PlanInvalid, ShareInvalid

VECTORS = json.loads(Path(__file__, "../../../vectors/shamir.json").resolve().read_text())["cases"]


def slow_product(left, right):
    """Schoolbook: multiply the polynomials, then divide by 0x11b."""
    product = 0
    for bit in range(8):
        if right >> bit & 1:
            product ^= left << bit
    for bit in range(15, 7, -1):
        if product >> bit & 1:
            product ^= 0x11B << (bit - 8)
    return product


def test_products_equal_schoolbook():
    assert all(
        shamir.multiply(left, right) == slow_product(left, right)
        for left, right in itertools.product(range(0, 256, 3), range(256))
    )


def test_every_element_but_zero_has_an_inverse():
    assert shamir.invert(0) == 0
    assert all(shamir.multiply(element, shamir.invert(element)) == 1 for element in range(1, 256))


@given(st.data())
@settings(max_examples=60)
def test_any_threshold_of_shares_opens_and_fewer_do_not(data):
    shares = data.draw(st.integers(2, 12))
    threshold = data.draw(st.integers(2, shares))
    secret = data.draw(st.binary(min_size=16, max_size=40))
    made = shamir.split(secret, shares, threshold, random_bytes)
    assert {len(share) for share in made} == {len(secret) + 1}
    chosen = data.draw(st.permutations(made))
    assert shamir.combine(chosen[:threshold]) == secret
    assert shamir.combine(chosen) == secret
    if threshold > 2:
        assert shamir.combine(chosen[: threshold - 1]) != secret


@given(st.binary(min_size=1, max_size=40), st.integers(2, 8), st.integers(0, 4))
@settings(max_examples=30)
def test_the_oracle_opens_ours_and_we_open_the_oracles(secret, threshold, spare):
    ours = shamir.split(secret, threshold + spare, threshold, random_bytes)
    assert pyshamir.combine([bytearray(share) for share in ours[:threshold]]) == secret
    theirs = [bytes(part) for part in pyshamir.split(secret, threshold + spare, threshold)]
    assert shamir.combine(theirs[spare:]) == secret


@pytest.mark.parametrize("case", [case for case in VECTORS if case["shares"] > 1], ids=lambda case: str(case["shares"]))
def test_shares_of_a_real_server_open(case):
    parts = [bytes.fromhex(share) for share in case["keys"]]
    key = bytes.fromhex(case["key"])
    for subset in itertools.islice(itertools.combinations(parts, case["threshold"]), 12):
        assert shamir.combine(subset) == key
    assert shamir.combine([bytes.fromhex(share) for share in case["refused"]]) != key


def test_k_minus_one_shares_leave_every_secret_possible():
    """With a one-byte secret and one share missing, each of the 256 secrets has exactly one polynomial."""
    share = shamir.split(b"\x2a", 3, 2, random_bytes)[0]
    other_x = 1 if share[-1] != 1 else 2
    assert len({shamir.combine([share, bytes((value, other_x))]) for value in range(256)}) == 256


def test_coordinates_are_distinct_and_never_zero():
    made = shamir.split(b"key", 255, 2, random_bytes)
    assert {share[-1] for share in made} == set(range(1, 256))


def test_entropy_without_variety_still_ends():
    made = shamir.split(b"key", 5, 2, bytes)
    assert len({share[-1] for share in made}) == 5


@pytest.mark.parametrize(
    ("secret", "shares", "threshold"),
    [(b"", 3, 2), (b"x", 256, 2), (b"x", 3, 1), (b"x", 3, 0), (b"x", 2, 3), (b"x", 1, 1), (b"x", -1, -1)],
)
def test_plans_that_cannot_work_are_refused(secret, shares, threshold):
    with pytest.raises(PlanInvalid):
        shamir.split(secret, shares, threshold, random_bytes)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ([], "less than two parts"),
        ([b"ab"], "less than two parts"),
        ([b"a", b"b"], "at least two bytes"),
        ([b"", b""], "at least two bytes"),
        ([b"ab", b"abc"], "same length"),
        ([b"a\x01", b"b\x01"], "duplicate part"),
        ([b"a\x01", b"a\x01"], "duplicate part"),
        ([b"a\x01", b"b\x00"], "zero coordinate"),
    ],
)
def test_shares_that_cannot_belong_together_are_refused(shares, message):
    with pytest.raises(ShareInvalid, match=message):
        shamir.combine(shares)


def test_a_forged_share_at_zero_does_not_choose_the_key():
    """At x = 0 lies the secret: a share that claims to be there would replace the key by its own bytes."""
    real = shamir.split(bytes(32), 5, 3, random_bytes)[:2]
    with pytest.raises(ShareInvalid):
        shamir.combine([*real, b"\xff" * 32 + b"\x00"])
