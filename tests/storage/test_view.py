"""Views are cut to their prefix, and their checked objects are never stale."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom_storage import codec
from strongroom_storage.checked import CheckedCache
from strongroom_storage.errors import CodecInvalid, InputRefused, KeyTooLong
from strongroom_storage.view import StorageView


async def put(view: StorageView, path: str, value: bytes | None) -> int:
    with view.transaction() as tx:
        tx.delete(path) if value is None else tx.put(path, value)
    return await tx.commit()


async def test_a_view_ends_at_its_prefix(vault: Any) -> None:
    inside, beside = vault.barrier.view("logical/a/"), vault.barrier.view("logical/a-/")
    await put(beside, "k", b"v")
    await put(vault.barrier.view("logical/"), "b", b"v")
    assert inside.walk() == inside.list_page() == []
    for path in ("../a-/k", "..", "../b", "x/../../b"):
        with pytest.raises(InputRefused):
            inside.get(path)
    assert repr(inside) == "<StorageView logical/a/>"


async def test_prefixes_end_with_a_slash(vault: Any) -> None:
    with pytest.raises(ValueError, match="slash"):
        vault.barrier.view("logical")
    with pytest.raises(ValueError, match="slash"):
        vault.barrier.view("logical/").within("a")
    assert vault.barrier.view("logical/").within("a/").prefix == "logical/a/"


async def test_the_stores_own_keys_cannot_be_reached(vault: Any) -> None:
    view = vault.barrier.view("")
    for path in ("\x00applied", "\x00generation/policy"):
        with pytest.raises(InputRefused):
            view.get(path)
    assert view.walk() == ["core/keyring"]


async def test_long_paths(vault: Any) -> None:
    view = vault.barrier.view("m/")
    for attempt in (view.get, view.index_of, view.list_page, view.walk, lambda path: view.get_checked(path, bytes)):
        with pytest.raises(KeyTooLong):
            attempt("k" * 65536)


async def test_checked_objects_are_decoded_once_for_each_change(vault: Any) -> None:
    view = vault.barrier.view("m/")
    decoded = []

    def decode(packed: bytes) -> Any:
        decoded.append(packed)
        return codec.unpack(packed)

    await put(view, "k", codec.pack({"n": 1}))
    first = view.get_checked("k", decode)
    assert view.get_checked("k", decode) is first
    await put(view, "other", b"")
    assert view.get_checked("k", decode) is first
    await put(view, "k", codec.pack({"n": 2}))
    assert view.get_checked("k", decode) == {"n": 2}
    assert len(decoded) == 2
    await put(view, "k", None)
    assert view.get_checked("k", decode) is None
    assert view.get_checked("k", codec.unpack) is None


async def test_decoders_do_not_share_objects(vault: Any) -> None:
    view = vault.barrier.view("m/")
    await put(view, "k", b"\x01")
    assert view.get_checked("k", bytes) == b"\x01"
    assert view.get_checked("k", codec.unpack) == 1
    assert view.get_checked("k", bytes) == b"\x01"


async def test_what_does_not_decode_is_not_kept(vault: Any) -> None:
    view = vault.barrier.view("m/")
    await put(view, "k", b"\xc1")
    for _ in range(2):
        with pytest.raises(CodecInvalid):
            view.get_checked("k", codec.unpack)
    assert view.get_checked("k", bytes) == b"\xc1"


async def test_sealing_forgets_objects(vault: Any) -> None:
    view = vault.barrier.view("m/")
    await put(view, "k", b"v")
    view.get_checked("k", bytes)
    vault.barrier.seal()
    assert not vault.barrier.checked.entries


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.none() | st.binary(max_size=2)), max_size=20))
def test_checked_equals_get(make_vault: Any, steps: list[tuple[str, bytes | None]]) -> None:
    async def run() -> None:
        vault = await make_vault()
        vault.barrier.checked.objects_max = 3
        view = vault.barrier.view("m/")
        for path, value in steps:
            await put(view, path, value)
            assert [view.get_checked(name, bytes) for name in "abcde"] == [view.get(name) for name in "abcde"]
            assert len(vault.barrier.checked.entries) <= 3

    asyncio.run(run())


def test_the_oldest_object_goes() -> None:
    cache = CheckedCache(objects_max=2)
    for path in "abc":
        cache.store(path, 1, 1, bytes, path)
    assert list(cache.entries) == ["b", "c"]
