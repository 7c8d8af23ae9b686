"""The barrier: sealed and unsealed, key management, plain records, and what a thief of the disk may try."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from strongroom_storage import codec
from strongroom_storage.barrier.keyring import OPERATIONS_MAX_DEFAULT, RotationConfig
from strongroom_storage.errors import (
    BarrierInitialized,
    BarrierSealed,
    BarrierUninitialized,
    CommitUnknown,
    FrameInvalid,
    KeyInvalid,
    KeyTermExhausted,
    KeyTermUnknown,
    LogBusy,
    NotActive,
    RootKeyInvalid,
)

ROOT = bytes(range(32))
OTHER_ROOT = bytes(range(1, 33))


async def put(vault: Any, path: str, value: bytes) -> int:
    with vault.barrier.view("").transaction() as tx:
        tx.put(path, value)
    return await tx.commit()


async def test_life_cycle(sealed: Any) -> None:
    barrier = sealed.barrier
    assert barrier.is_sealed
    assert not barrier.is_initialized
    with pytest.raises(BarrierUninitialized):
        barrier.unseal(ROOT)
    await barrier.initialize(ROOT, {"core/seal-config": b"shares"})
    assert barrier.is_initialized
    assert barrier.is_sealed
    assert barrier.get_plain("core/seal-config") == b"shares"
    with pytest.raises(BarrierInitialized):
        await barrier.initialize(ROOT)
    for wrong in (OTHER_ROOT, b"", ROOT[:16]):
        with pytest.raises(RootKeyInvalid):
            barrier.unseal(wrong)
    barrier.unseal(ROOT)
    barrier.unseal(ROOT)
    assert not barrier.is_sealed
    with pytest.raises(RootKeyInvalid):
        barrier.unseal(OTHER_ROOT)


async def test_everything_is_refused_while_sealed(vault: Any) -> None:
    view = vault.barrier.view("a/")
    await put(vault, "a/k", b"v")
    assert view.get_checked("k", bytes) == b"v"
    vault.barrier.seal()
    for attempt in (
        lambda: view.get("k"),
        lambda: view.get("absent"),
        lambda: view.index_of("k"),
        lambda: view.get_checked("k", bytes),
        lambda: view.get_checked("absent", bytes),
        view.list_page,
        view.walk,
        view.transaction,
        vault.barrier.key_status,
        vault.barrier.root_key,
        lambda: vault.barrier.verify_root_key(ROOT),
    ):
        with pytest.raises(BarrierSealed):
            attempt()
    for attempt in (vault.barrier.rotate, lambda: vault.barrier.rekey(OTHER_ROOT)):
        with pytest.raises(BarrierSealed):
            await attempt()
    assert not await vault.barrier.maintain()
    vault.barrier.unseal(ROOT)
    assert view.get("k") == b"v"


async def test_a_transaction_open_while_sealing_writes_nothing(vault: Any) -> None:
    view = vault.barrier.view("a/")
    with pytest.raises(BarrierSealed), view.transaction() as tx:  # noqa: PT012  -- the block is what is tested
        tx.put("k", b"v")
        vault.barrier.seal()
    vault.barrier.unseal(ROOT)
    assert view.get("k") is None


async def test_rotation(vault: Any) -> None:
    view = vault.barrier.view("a/")
    await put(vault, "a/old", b"1")
    vault.now += 10
    assert await vault.barrier.rotate() == 2
    status = vault.barrier.key_status()
    assert (status.term, status.installed, status.encryptions) == (2, vault.now, 0)
    await put(vault, "a/new", b"2")
    assert (view.get("old"), view.get("new")) == (b"1", b"2")
    assert vault.backend.get(b"a/old")[9:13] == b"\0\0\0\1"
    assert vault.backend.get(b"a/new")[9:13] == b"\0\0\0\2"
    vault.barrier.seal()
    vault.barrier.unseal(ROOT)
    assert (view.get("old"), view.get("new")) == (b"1", b"2")
    assert vault.barrier.key_status().term == 2


async def test_rekey(vault: Any) -> None:
    await put(vault, "k", b"v")
    await vault.barrier.rekey(OTHER_ROOT, {"core/seal-config": b"new"})
    assert vault.barrier.verify_root_key(OTHER_ROOT)
    assert vault.barrier.get_plain("core/seal-config") == b"new"
    await vault.barrier.rotate()
    vault.barrier.seal()
    with pytest.raises(RootKeyInvalid):
        vault.barrier.unseal(ROOT)
    vault.barrier.unseal(OTHER_ROOT)
    assert vault.barrier.view("").get("k") == b"v"
    with pytest.raises(RootKeyInvalid):
        await vault.barrier.rekey(b"short")


async def cancelled(vault: Any, change: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """A change whose caller gives up while the write is in flight."""
    vault.log.is_held = True
    task = asyncio.get_running_loop().create_task(change)
    for _ in range(3):  # twice cancelled is not sooner cancelled
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    return task


async def test_a_rekey_whose_caller_is_gone_is_finished(vault: Any) -> None:
    task = await cancelled(vault, vault.barrier.rekey(OTHER_ROOT))
    assert vault.barrier.verify_root_key(ROOT)
    rotation = asyncio.get_running_loop().create_task(vault.barrier.rotate())
    await asyncio.sleep(0)
    assert len(vault.log.queue) == 1  # a rotation under the old root key would undo it
    vault.log.is_held = False
    vault.log.release()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert vault.barrier.verify_root_key(OTHER_ROOT)
    assert await rotation == 2
    vault.barrier.seal()
    vault.barrier.unseal(OTHER_ROOT)
    assert vault.barrier.key_status().term == 2


async def test_a_rotation_whose_caller_is_gone_is_finished(vault: Any) -> None:
    task = await cancelled(vault, vault.barrier.rotate())
    vault.log.release()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert vault.barrier.key_status().term == 2


async def test_a_rekey_that_the_log_lost_changes_nothing(vault: Any) -> None:
    task = await cancelled(vault, vault.barrier.rekey(OTHER_ROOT))
    vault.log.fail()
    with pytest.raises(CommitUnknown):
        await task
    assert vault.barrier.verify_root_key(ROOT)


async def test_a_rekey_leaves_no_key_behind(vault: Any) -> None:
    before = vault.barrier._root_key
    await vault.barrier.rekey(OTHER_ROOT)
    assert len(before) == 0


async def test_a_barrier_sealed_during_a_rekey_keeps_no_key(vault: Any) -> None:
    task = await cancelled(vault, vault.barrier.rekey(OTHER_ROOT))
    vault.barrier.seal()
    vault.log.release()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert vault.barrier.is_sealed
    assert len(vault.barrier._root_key) == 0
    vault.barrier.unseal(OTHER_ROOT)


async def test_counts_and_automatic_rotation(vault: Any) -> None:
    barrier = vault.barrier
    for number in range(3):
        await put(vault, f"k{number}", b"v")
    assert barrier.key_status().encryptions == 3
    await barrier.persist_counts()
    barrier.seal()
    barrier.unseal(ROOT)
    assert barrier.key_status().encryptions == 3
    assert not await barrier.maintain()
    barrier._keys[1].sealed = OPERATIONS_MAX_DEFAULT
    assert await barrier.maintain()
    assert barrier.key_status().term == 2
    await barrier.set_rotation(RotationConfig(interval_seconds=24 * 3600))
    vault.now += 24 * 3600
    assert await barrier.maintain()
    barrier.seal()
    barrier.unseal(ROOT)
    assert barrier.rotation.interval_seconds == 24 * 3600
    assert barrier.key_status().term == 3


async def test_a_spent_term_refuses_and_queues_nothing(vault: Any) -> None:
    vault.barrier._keys[1].sealed = 1 << 32
    before = vault.log.machine.applied_index
    with pytest.raises(KeyTermExhausted), vault.barrier.view("").transaction() as tx:
        tx.put("k", b"v")
    assert vault.log.machine.applied_index == before
    assert not vault.barrier.in_flight.values


async def test_only_ciphertext_goes_below(vault: Any) -> None:
    await put(vault, "k", b"plaintext-secret")
    assert all(b"plaintext-secret" not in record for record in vault.backend._records.values())
    assert all(ROOT not in record for record in vault.backend._records.values())


async def test_a_moved_record_does_not_open(vault: Any) -> None:
    await put(vault, "a/k", b"v")
    vault.backend.apply([(b"b/k", vault.backend.get(b"a/k"))])
    with pytest.raises(FrameInvalid):
        vault.barrier.view("b/").get("k")


async def test_a_plain_record_is_never_taken_for_a_sealed_one(vault: Any) -> None:
    index = bytes(8)
    vault.backend.apply([(b"a/forged", index + b"\x01" + codec.pack({"policies": ["root"]})), (b"a/cut", index[:5])])
    view = vault.barrier.view("a/")
    for path in ("forged", "cut"):
        with pytest.raises(FrameInvalid):
            view.get(path)
    with pytest.raises(FrameInvalid):
        view.get_checked("forged", codec.unpack)


async def test_a_sealed_record_is_never_taken_for_a_plain_one(vault: Any) -> None:
    await put(vault, "a/k", b"v")
    vault.backend.apply([(b"core/seal-config", vault.backend.get(b"a/k"))])
    with pytest.raises(FrameInvalid):
        vault.barrier.get_plain("core/seal-config")


async def test_classes_of_keys_are_kept_apart(vault: Any) -> None:
    barrier = vault.barrier
    for path in ("core/keyring", "core/seal-config", "core/hsm/x", "core/recovery-key"):
        with pytest.raises(KeyInvalid), barrier.view("").transaction() as tx:
            tx.put(path, b"v")
    for path in ("core/keyring", "core/mounts/x", "logical/x"):
        with pytest.raises(KeyInvalid):
            await barrier.put_plain({path: b"v"})
        with pytest.raises(KeyInvalid):
            barrier.get_plain(path)
    await barrier.put_plain({"core/hsm/a": b"1", "core/hsm/b": b"2"})
    await barrier.put_plain({"core/hsm/a": None})
    assert (barrier.get_plain("core/hsm/a"), barrier.get_plain("core/hsm/b")) == (None, b"2")


async def test_an_unknown_term_says_so(vault: Any) -> None:
    await put(vault, "k", b"v")
    record = bytearray(vault.backend.get(b"k"))
    record[12] = 9
    vault.backend.apply([(b"k", bytes(record))])
    with pytest.raises(KeyTermUnknown):
        vault.barrier.view("").get("k")


async def test_a_root_sealed_record_of_another_kind(vault: Any) -> None:
    vault.barrier.seal()
    record = bytearray(vault.backend.get(b"core/keyring"))
    record[8] = 1
    vault.backend.apply([(b"core/keyring", bytes(record))])
    with pytest.raises(FrameInvalid):
        vault.barrier.unseal(ROOT)


async def test_a_standby_does_not_write(vault: Any) -> None:
    vault.log.is_active = False
    with pytest.raises(NotActive):
        vault.barrier.view("").transaction()
    with pytest.raises(NotActive):
        await vault.barrier.rotate()
    with pytest.raises(NotActive):
        await vault.barrier.put_plain({"core/hsm/a": b""})
    assert not await vault.barrier.maintain()


async def test_reload_takes_up_a_keyring_from_elsewhere(vault: Any) -> None:
    before = vault.backend.get(b"core/keyring")
    await vault.barrier.rotate()
    after = vault.backend.get(b"core/keyring")
    vault.backend.apply([(b"core/keyring", before)])
    vault.barrier.seal()
    vault.barrier.unseal(ROOT)
    vault.backend.apply([(b"core/keyring", after)])
    vault.barrier.reload()
    assert vault.barrier.key_status().term == 2


async def test_sealing_over_writes_in_flight(vault: Any) -> None:
    """What is in flight is forgotten on seal; until it is applied a new transaction could not see it."""
    vault.log.is_held = True
    view = vault.barrier.view("")
    with view.transaction() as tx:
        tx.put("k", b"1")
    vault.barrier.seal()
    assert not vault.barrier.in_flight.values
    vault.barrier.unseal(ROOT)
    with pytest.raises(LogBusy):
        view.transaction()
    vault.log.release()
    await tx.commit()
    await asyncio.sleep(0)
    with view.transaction() as again:
        assert again.get("k") == b"1"
