"""Every built-in seal keeps the promises of the protocol; the registry finds them."""

import pytest

from strongroom_node.seals import registry
from strongroom_node.seals.registry import SealType, find_seal, make_seal
from strongroom_node.seals.shamir import ShamirSeal
from strongroom_storage.seal.errors import SealConfigInvalid, SealUnavailable, UnwrapFailed


@pytest.fixture(params=["shamir", "static"])
def seal(request):
    if request.param == "shamir":
        return ShamirSeal().keyed(bytes(range(32)))
    return make_seal("static", {"current_key_id": "k1", "current_key": "00" * 32})


async def test_what_was_wrapped_is_unwrapped(seal):
    blob = await seal.wrap(b"root key")
    assert b"root key" not in blob
    assert (await seal.unwrap(blob)).reveal() == b"root key"
    assert seal.is_current(blob)
    assert (await seal.health()).is_healthy


async def test_two_wraps_differ(seal):
    assert await seal.wrap(b"root key") != await seal.wrap(b"root key")


async def test_a_changed_or_foreign_blob_is_refused(seal):
    blob = bytearray(await seal.wrap(b"root key"))
    blob[-1] ^= 1
    for foreign in (bytes(blob), b"", b"SRK\x01", b"junk" * 20):
        with pytest.raises(UnwrapFailed):
            await seal.unwrap(foreign)


async def test_a_shamir_seal_without_its_key_can_do_nothing():
    with pytest.raises(SealUnavailable):
        await ShamirSeal().wrap(b"x")
    with pytest.raises(SealUnavailable):
        await ShamirSeal().unwrap(b"x")
    with pytest.raises(UnwrapFailed):
        ShamirSeal().keyed(b"short")
    assert "with key" in repr(ShamirSeal().keyed(bytes(32)))


def test_kinds_and_who_holds_what():
    assert (make_seal().kind, make_seal().stores_keys) == ("shamir", False)
    static = make_seal("static", {"current_key_id": "k1", "current_key": "00" * 32})
    assert (static.kind, static.stores_keys) == ("static", True)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("awskms", {}, "'awskms' is not supported by this version yet; available: shamir, static"),
        ("transit", {}, "not supported by this version yet"),
        ("nonsense", {}, "'nonsense' is unknown"),
        ("static", {"disabled": "true"}, "seal migration is not supported by this version yet"),
        ("shamir", {"disabled": True}, "seal migration is not supported by this version yet"),
    ],
)
def test_what_is_missing_is_said_by_name(kind, settings, message):
    with pytest.raises(SealConfigInvalid, match=message):
        make_seal(kind, settings)


def test_a_package_may_bring_a_seal(monkeypatch):
    class Point:
        def __init__(self, what):
            self.load = lambda: what

    ours = SealType("vendor", "A seal from elsewhere.", lambda _settings: ShamirSeal())
    monkeypatch.setattr(
        registry, "entry_points", lambda group, name: [Point(ours)] if group == "strongroom.seals" else []
    )
    assert find_seal("vendor") is ours
    monkeypatch.setattr(registry, "entry_points", lambda group, name: [Point("text")])
    with pytest.raises(SealConfigInvalid, match="SealType"):
        find_seal("vendor")
