"""A store from end to end: opened, killed, robbed of power, damaged, opened again."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from strongroom_cluster.checkpoint import checkpoints
from strongroom_cluster.store import Store, open_store
from strongroom_storage.errors import CommitUnknown, LogFailed, StoreDamaged, StoreLocked

ROOT = bytes(range(32))


async def opened(path: Path | None, **options: int) -> Store:
    store = open_store(path, **options)
    await store.start()
    if not store.barrier.is_initialized:
        await store.barrier.initialize(ROOT)
    store.barrier.unseal(ROOT)
    return store


async def put(store: Store, *pairs: tuple[str, bytes]) -> int:
    with store.barrier.view("k/").transaction() as tx:
        for path, value in pairs:
            tx.put(path, value)
    return await tx.commit()


def content(store: Store) -> dict[str, bytes | None]:
    view = store.barrier.view("k/")
    return {path: view.get(path) for path in view.walk()}


def killed_copy(path: Path, target: Path) -> Path:
    """What a kill would leave: the files as they are while the store is open."""
    shutil.copytree(path, target)
    return target


def reboot(path: Path) -> None:
    """Make it look as if the machine was booted since."""
    state = json.loads((path / "state").read_text())
    (path / "state").write_text(json.dumps({**state, "boot": "an earlier boot"}))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("is_durable", [False, True])
async def test_life(tmp_path: Path, is_durable: bool) -> None:
    path = tmp_path / "data" if is_durable else None
    store = await opened(path)
    index = await put(store, ("a", b"1"), ("b", b"2"))
    assert store.applied_index == index == 2
    assert content(store) == {"a": b"1", "b": b"2"}
    await store.close()
    await store.close()
    assert store.barrier.is_sealed
    if path is not None:
        again = await opened(path)
        assert content(again) == {"a": b"1", "b": b"2"}
        assert await put(again, ("c", b"3")) == 3
        await again.close()


async def test_many_writers_share_syncs(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    first = store.applied_index
    indexes = await asyncio.gather(*(put(store, (f"{n}", b"v")) for n in range(200)))
    assert len(set(indexes)) == 1
    assert store.applied_index == first + 1
    assert len(content(store)) == 200
    await store.close()


async def test_close_finishes_what_is_queued(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    with store.barrier.view("k/").transaction() as tx:
        tx.put("a", b"1")
    await store.close()
    again = await opened(tmp_path)
    assert content(again) == {"a": b"1"}
    await again.close()


async def test_a_kill_loses_nothing(tmp_path: Path) -> None:
    store = await opened(tmp_path / "a")
    await put(store, ("a", b"1"))
    left = killed_copy(tmp_path / "a", tmp_path / "b")
    await put(store, ("a", b"2"))
    await store.close()
    again = await opened(left)
    assert content(again) == {"a": b"1"}
    await again.close()


async def test_the_store_behind_the_journal_catches_up(tmp_path: Path) -> None:
    """Killed between the sync and the apply: the live store is older than the journal."""
    store = await opened(tmp_path / "a")
    await put(store, ("a", b"1"))
    older = killed_copy(tmp_path / "a", tmp_path / "older")
    await put(store, ("a", b"2"), ("b", b"3"))
    newer = killed_copy(tmp_path / "a", tmp_path / "newer")
    await store.close()
    shutil.rmtree(newer / "store")
    shutil.copytree(older / "store", newer / "store")
    again = await opened(newer)
    assert content(again) == {"a": b"2", "b": b"3"}
    await again.close()


async def test_after_power_loss_the_live_store_is_rebuilt(tmp_path: Path) -> None:
    store = await opened(tmp_path / "a", checkpoint_bytes_min=10_000)
    for number in range(40):
        await put(store, (f"{number}", bytes(500)))
    store._files.checkpointer.begin()
    await until(lambda: store._files.checkpointer._running is None)
    assert checkpoints(tmp_path / "a")
    await put(store, ("after", b"checkpoint"))
    expected = content(store)
    left = killed_copy(tmp_path / "a", tmp_path / "b")
    await store.close()
    (left / "store" / "data.mdb").write_bytes(b"torn" * 10_000)
    reboot(left)
    again = await opened(left)
    assert content(again) == expected
    await again.close()


async def test_without_a_checkpoint_the_journal_is_enough(tmp_path: Path) -> None:
    store = await opened(tmp_path / "a")
    await put(store, ("a", b"1"))
    left = killed_copy(tmp_path / "a", tmp_path / "b")
    await store.close()
    shutil.rmtree(left / "store")
    reboot(left)
    again = await opened(left)
    assert content(again) == {"a": b"1"}
    await again.close()


async def test_power_loss_right_after_the_first_start(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a")
    left = killed_copy(tmp_path / "a", tmp_path / "b")
    await store.close()
    reboot(left)
    again = await opened(left)
    await put(again, ("a", b"1"))
    await again.close()


async def test_a_clean_store_is_trusted_after_a_reboot(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await put(store, ("a", b"1"))
    await store.close()
    reboot(tmp_path)
    inode = (tmp_path / "store" / "data.mdb").stat().st_ino
    again = await opened(tmp_path)
    assert content(again) == {"a": b"1"}
    assert (tmp_path / "store" / "data.mdb").stat().st_ino == inode
    await again.close()


async def test_checkpoints_cut_the_journal(tmp_path: Path) -> None:
    store = await opened(tmp_path, checkpoint_bytes_min=4 << 20)
    path = tmp_path / "journal"
    for number in range(80):
        await put(store, ("same", bytes(1 << 20)), (f"{number}", b"v"))
    files = store._files
    await until(lambda: files.checkpointer._running is None)
    await until(lambda: len(list(path.iterdir())) == len(files.journal._segments))
    assert not (path / f"{1:020d}.log").exists()
    assert sum(file.stat().st_size for file in path.iterdir()) < 64 << 20
    assert len(checkpoints(tmp_path)) == 1
    left = killed_copy(tmp_path, tmp_path.with_name("left"))
    await store.close()
    reboot(left)
    again = await opened(left)
    assert len(content(again)) == 81
    await again.close()


async def test_a_missing_or_short_journal_is_refused(tmp_path: Path) -> None:
    store = await opened(tmp_path / "a")
    await put(store, ("a", b"1"))
    await store.close()
    for _ in range(2):  # a refusal must not make the next attempt succeed
        shutil.rmtree(tmp_path / "a" / "journal", ignore_errors=True)
        with pytest.raises(StoreDamaged, match="restore"):
            open_store(tmp_path / "a")
    reboot(tmp_path / "a")
    with pytest.raises(StoreDamaged, match="restore"):
        open_store(tmp_path / "a")


async def test_damage_is_refused_with_a_place(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    for number in range(5):
        await put(store, (f"{number}", b"v"))
    await store.close()
    segment = next((tmp_path / "journal").iterdir())
    changed = bytearray(segment.read_bytes())
    changed[200] ^= 1
    segment.write_bytes(changed)
    for _ in range(2):
        with pytest.raises(StoreDamaged, match=rf"{segment.name}.*offset \d+, index \d+"):
            open_store(tmp_path)


async def test_one_process_at_a_time(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    with pytest.raises(StoreLocked):
        open_store(tmp_path)
    await store.close()
    await (await opened(tmp_path)).close()


async def test_a_failed_disk_stops_writes_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failures: list[BaseException] = []
    store = open_store(tmp_path, on_failure=failures.append)
    await store.start()
    await store.barrier.initialize(ROOT)
    store.barrier.unseal(ROOT)
    await put(store, ("a", b"1"))

    def broken(_file: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(store._files.journal, "_fdatasync", broken)
    with pytest.raises(CommitUnknown):
        await put(store, ("b", b"2"))
    with pytest.raises(LogFailed):
        store.barrier.view("k/").transaction()
    assert len(failures) == 1
    assert content(store) == {"a": b"1"}
    await store.close()
    assert json.loads((tmp_path / "state").read_text())["is_clean"] is False
    again = await opened(tmp_path)
    assert content(again) in ({"a": b"1"}, {"a": b"1", "b": b"2"})
    await again.close()
