import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.token import TokenEntry
from strongroom_node.tokens import batch

KEY = bytes(32)
ENTRY = TokenEntry(
    key="",
    parent="h1",
    policies=("a", "default"),
    path="auth/token/create",
    meta={"team": "red"},
    display_name="token-x",
    creation_time=100.5,
    creation_ttl=60.0,
    type="batch",
    entity_id="e",
    role="r",
    bound_cidrs=("10.0.0.0/8",),
)


def test_a_batch_token_says_what_it_was_made_of():
    read = batch.unseal(KEY, batch.seal(KEY, ENTRY), "hkey")
    assert read is not None
    assert (read.key, read.type, read.renewable, read.accessor) == ("hkey", "batch", False, "")
    assert (read.expire_time, read.ttl) == (160.5, 60.0)
    for name in (
        "parent",
        "policies",
        "path",
        "meta",
        "display_name",
        "creation_time",
        "entity_id",
        "role",
        "bound_cidrs",
    ):
        assert getattr(read, name) == getattr(ENTRY, name)


def test_nothing_of_it_can_be_read_and_no_two_are_alike():
    tokens = {batch.seal(KEY, ENTRY) for _ in range(10)}
    assert len(tokens) == 10
    raw = base64.urlsafe_b64decode(next(iter(tokens)).removeprefix("hvb.") + "==")
    assert b"default" not in raw


@given(st.integers(0), st.integers(1, 255))
def test_any_change_of_any_byte_is_refused(position, change):
    token = batch.seal(KEY, ENTRY)
    raw = bytearray(base64.urlsafe_b64decode(token[4:] + "=" * (-len(token[4:]) % 4)))
    raw[position % len(raw)] ^= change
    forged = "hvb." + base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
    assert batch.unseal(KEY, forged, "k") is None


@given(st.text(max_size=200))
def test_no_text_passes_or_fails_otherwise_than_by_being_refused(text):
    assert batch.unseal(KEY, "hvb." + text, "k") is None


def test_a_token_of_another_cluster_is_refused():
    assert batch.unseal(b"\x01" * 32, batch.seal(KEY, ENTRY), "k") is None


@pytest.mark.parametrize("cut", [1, 5, 20, 60])
def test_a_cut_token_is_refused(cut):
    assert batch.unseal(KEY, batch.seal(KEY, ENTRY)[:-cut], "k") is None


def test_one_that_could_not_be_sent_is_not_made():
    from msgspec.structs import replace

    with pytest.raises(BadRequest):
        batch.seal(KEY, replace(ENTRY, meta={"x": "y" * 10_000}))


async def test_the_store_makes_and_reads_them_without_writing(house):
    token, entry = await house.token(type="batch", ttl=60, renewable=False)
    assert token.startswith("hvb.")
    assert house.records() == []
    house.attach()
    assert house.tokens.lookup(token) == entry
    house.clock.pass_(60)
    assert house.tokens.lookup(token) is None


async def test_a_batch_token_dies_with_its_parent(house):
    _, parent = await house.token(ttl=100)
    token, _ = await house.token(parent, type="batch", ttl=1000)
    orphan, _ = await house.token(type="batch", ttl=1000)
    assert house.tokens.lookup(token) is not None
    house.clock.pass_(100)
    assert house.tokens.lookup(token) is None
    assert house.tokens.lookup(orphan) is not None
    _, parent = await house.token()
    token, _ = await house.token(parent, type="batch")
    await house.tokens.revoke(parent.key)
    assert house.tokens.lookup(token) is None
