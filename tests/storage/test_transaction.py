"""Transactions see applied state, what is in flight and their own writes; nothing else, and all of it."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom_storage import codec
from strongroom_storage.errors import CommitUnknown, KeyInvalid, LogFailed, TransactionClosed, ValueTooLarge
from strongroom_storage.overlay import Overlay, merged

KEYS = st.sampled_from(["a", "a/x", "a/y", "a/b/z", "a-", "b", "b/x", "c/d/e", "c/d/f"])
WRITES = st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=5)), max_size=5)
STEPS = st.lists(st.one_of(WRITES, st.sampled_from(["release one", "release all", "abandon"])), max_size=10)


def names_of(model: dict[str, bytes], folder: str) -> list[str]:
    below = [key[len(folder) :] for key in model if key.startswith(folder)]
    return sorted({name[: name.index("/") + 1] if "/" in name else name for name in below})


def walk_of(model: dict[str, bytes], folder: str) -> list[str]:
    return sorted(key[len(folder) :] for key in model if key.startswith(folder))


def check(reader: Any, model: dict[str, bytes]) -> None:
    for key in ("a", "a/x", "a/b/z", "b", "c/d/f", "absent"):
        assert reader.get(key) == model.get(key)
        assert reader.get_checked(key, bytes) == model.get(key)
    for folder in ("", "a/", "c/", "c/d/"):
        assert reader.list_page(folder) == names_of(model, folder)
        assert reader.walk(folder) == walk_of(model, folder)
        page = names_of(model, folder)
        assert reader.list_page(folder, after=page[0] if page else "", limit=2) == page[1:3]


def change(model: dict[str, bytes], key: str, value: bytes | None) -> None:
    model.pop(key, None)
    if value is not None:
        model[key] = value


@settings(max_examples=60)
@given(STEPS)
def test_equals_a_model(make_vault: Any, steps: list[Any]) -> None:
    async def run() -> None:
        vault = await make_vault()
        vault.log.is_held = True
        view = vault.barrier.view("m/")
        applied: dict[str, bytes] = {}
        latest: dict[str, bytes] = {}
        pending: list[Any] = []
        for step in steps:
            if step in ("release one", "release all"):
                count = 1 if step == "release one" else len(pending)
                vault.log.release(count)
                for writes in pending[:count]:
                    for key, value in writes:
                        change(applied, key, value)
                del pending[:count]
                await asyncio.sleep(0)
            elif step == "abandon":
                with pytest.raises(KeyError), view.transaction() as tx:  # noqa: PT012  -- the block is what is tested
                    tx.put("a", b"never")
                    raise KeyError
            else:
                with view.transaction() as tx:
                    for key, value in step:
                        change(latest, key, value)
                        tx.delete(key) if value is None else tx.put(key, value)
                        check(tx, latest)
                if step:
                    pending.append(step)
            check(view, applied)
            with view.transaction() as tx:
                check(tx, latest)
        vault.log.release()

    asyncio.run(run())


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=2), st.booleans(), st.integers(0, 2)), max_size=30))
def test_an_overlay_settles_only_what_its_writer_laid(steps: list[tuple[bytes, bool, int]]) -> None:
    overlay, model = Overlay(), {}
    for number, (key, is_deletion, settles) in enumerate(steps):
        value = None if is_deletion else bytes([number])
        overlay.set(key, value, number)
        model[key] = (number, value)
        if settles == 2:
            overlay.seek(b"")  # begins to keep an order
        if settles == 1:
            overlay.settle([key for key, *_ in steps], number // 2)
            model = {k: kept for k, kept in model.items() if kept[0] != number // 2}
        assert overlay.values == {k: kept[1] for k, kept in model.items()}
        assert overlay.seek(b"\x00") == min(overlay.values, default=None)
    seek = merged(lambda _key: None, overlay)
    assert seek(b"") == min((key for key, value in overlay.values.items() if value is not None), default=None)


async def test_reads_its_own_writes_and_what_is_in_flight(vault: Any) -> None:
    vault.log.is_held = True
    view = vault.barrier.view("m/")
    with view.transaction() as first:
        first.put("counter", codec.pack(1))
    with view.transaction() as second:
        second.put("counter", codec.pack(codec.unpack(second.get("counter")) + 1))
        assert second.get_checked("counter", codec.unpack) == 2
    assert view.get("counter") is None
    vault.log.release()
    assert await first.commit() < await second.commit()
    assert view.get_checked("counter", codec.unpack) == 2


async def test_spans_views_in_one_commit(vault: Any) -> None:
    with vault.barrier.view("core/mounts/").transaction() as tx:
        tx.put("u", b"1")
        other = tx.at(vault.barrier.view("logical/u/"))
        other.put("config", b"2")
        assert other.list_page() == ["config"]
    index = await tx.commit()
    assert vault.barrier.view("core/mounts/").index_of("u") == index
    assert vault.barrier.view("logical/u/").index_of("config") == index
    assert vault.barrier.view("logical/u/").index_of("absent") == 0
    assert vault.barrier.generation("mounts") == 1


async def test_an_exception_drops_everything(vault: Any) -> None:
    view = vault.barrier.view("m/")
    with pytest.raises(ZeroDivisionError), view.transaction() as tx:  # noqa: PT012  -- the block is what is tested
        tx.put("k", b"v")
        raise ZeroDivisionError
    assert await tx.commit() == 0
    assert view.get("k") is None
    assert not vault.barrier.in_flight.values


async def test_nothing_to_write_commits_at_once(vault: Any) -> None:
    vault.log.is_held = True
    with vault.barrier.view("m/").transaction() as tx:
        assert tx.get("k") is None
    assert await tx.commit() == 0
    assert not vault.log.queue


async def test_use_outside_of_the_block(vault: Any) -> None:
    view = vault.barrier.view("m/")
    tx = view.transaction()
    for attempt in (lambda: tx.get("k"), lambda: tx.put("k", b""), tx.walk, lambda: tx.at(view)):
        with pytest.raises(TransactionClosed):
            attempt()
    with tx:
        with pytest.raises(TransactionClosed):
            await tx.commit()
        tx.put("k", b"v")
    with pytest.raises(TransactionClosed):
        tx.delete("k")
    with pytest.raises(TransactionClosed):
        tx.__enter__()
    await tx.commit()
    assert await tx.commit() == vault.log.machine.applied_index


async def test_delete_tree_is_bounded(vault: Any) -> None:
    view = vault.barrier.view("m/")
    with view.transaction() as tx:
        for number in range(10):
            tx.put(f"d/{number}", b"")
        tx.put("d-other", b"")
        assert tx.delete_tree("d", limit=4) == 4
        assert tx.walk() == ["d-other", *(f"d/{number}" for number in range(4, 10))]
    await tx.commit()
    with view.transaction() as tx:
        assert tx.delete_tree("d/") == 6
        assert tx.delete_tree("d/") == 0
    await tx.commit()
    assert view.walk() == ["d-other"]


async def test_limits(vault: Any) -> None:
    view = vault.barrier.view("m/")
    with view.transaction() as tx:
        with pytest.raises(ValueTooLarge):
            tx.put("k", bytes((1 << 20) + 1))
        for path in ("", "d/", "../k"):
            with pytest.raises(KeyInvalid):
                tx.put(path, b"")
        for number in range(7):
            tx.put(f"k{number}", bytes(1 << 20))
        with pytest.raises(ValueTooLarge):
            tx.put("last", bytes(1 << 20))


async def test_a_failed_log(vault: Any) -> None:
    vault.log.is_held = True
    view = vault.barrier.view("m/")
    with view.transaction() as tx:
        tx.put("k", b"v")
    vault.log.fail()
    with pytest.raises(CommitUnknown):
        await tx.commit()
    await asyncio.sleep(0)
    assert not vault.barrier.in_flight.values
    with pytest.raises(LogFailed):
        view.transaction()
    assert view.get("k") is None  # what is applied can still be read


async def test_a_cancelled_wait_takes_nothing_back(vault: Any) -> None:
    vault.log.is_held = True
    view = vault.barrier.view("m/")
    with view.transaction() as tx:
        tx.put("k", b"v")
    waiting = asyncio.ensure_future(tx.commit())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with view.transaction() as later:
        assert later.get("k") == b"v"
    vault.log.release()
    assert await tx.commit() > 0
    assert view.get("k") == b"v"
