"""Listing equals what sorting everything would give."""

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_storage import listing
from strongroom_storage.backend import Seek
from strongroom_storage.errors import KeyTooLong

SEGMENTS = st.text("ab-0\x01é", min_size=1, max_size=2)
KEYS = st.sets(st.lists(SEGMENTS, min_size=1, max_size=3).map(lambda parts: "/".join(parts).encode()), max_size=20)
PREFIXES = st.sampled_from([b"", b"a/", b"b/a/"])
LIMITS = st.integers(-1, 5)


def seek_in(keys: list[bytes]) -> Seek:
    return lambda key: keys[at] if (at := bisect_left(keys, key)) < len(keys) else None


@given(KEYS, PREFIXES, st.one_of(st.just(""), SEGMENTS, SEGMENTS.map("{}/".format)), LIMITS)
def test_list_page_equals_a_model(keys: set[bytes], prefix: bytes, after: str, limit: int) -> None:
    below = [key[len(prefix) :] for key in keys if key.startswith(prefix)]
    names = sorted({name[: name.index(b"/") + 1] if b"/" in name else name for name in below})
    expected = [name for name in names if name > after.encode()]
    found = listing.list_page(seek_in(sorted(keys)), prefix, after.encode(), limit)
    assert found == (expected if limit < 0 else expected[:limit])


@given(
    KEYS, PREFIXES, st.one_of(st.just(""), SEGMENTS, SEGMENTS.map("{}/".format), SEGMENTS.map("a/{}".format)), LIMITS
)
def test_walk_equals_a_model(keys: set[bytes], prefix: bytes, after: str, limit: int) -> None:
    expected = sorted(
        key[len(prefix) :] for key in keys if key.startswith(prefix) and key[len(prefix) :] > after.encode()
    )
    found = listing.walk(seek_in(sorted(keys)), prefix, after.encode(), limit)
    assert found == (expected if limit < 0 else expected[:limit])


def test_a_page_never_loads_a_folder() -> None:
    keys = sorted([b"big/%06d" % n for n in range(100_000)] + [b"a", b"zoo"])
    seeks = []

    def seek(key: bytes) -> bytes | None:
        seeks.append(key)
        return seek_in(keys)(key)

    assert listing.list_page(seek, b"") == [b"a", b"big/", b"zoo"]
    assert len(seeks) == 4


def test_keys_of_the_store_are_never_listed() -> None:
    seek = seek_in([b"\x00applied", b"\x00generation/policy", b"a"])
    assert listing.list_page(seek, b"") == [b"a"]
    assert listing.walk(seek, b"") == [b"a"]


def test_positions_fit_what_a_store_can_seek() -> None:
    assert listing.page_start("p/", "a", "b") == (b"p/a/", b"b")
    assert listing.page_start("", "", "") == (b"", b"")
    with pytest.raises(KeyTooLong):
        listing.page_start("p/", "a" * 400, "b" * 200)
    listing.page_start("p/", "a", "\ud800")  # what no key can hold may still be asked for
