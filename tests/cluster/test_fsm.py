"""The state machine: deterministic, in order, counting generations."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom_cluster.command import encode_write
from strongroom_cluster.errors import CommandInvalid
from strongroom_cluster.fsm import GENERATION_CLASSES, StateMachine
from strongroom_storage.backend import Backend
from strongroom_storage.backends.inmem import InmemBackend
from strongroom_storage.backends.lmdb import LMDBBackend

KEYS = st.sampled_from([b"a", b"logical/x", *(prefix + b"x" for prefix in GENERATION_CLASSES), b"sys/policyx"])
COMMANDS = st.lists(st.lists(st.tuples(KEYS, st.none() | st.binary(min_size=1, max_size=9)), max_size=6), max_size=8)


def content(backend: Backend) -> dict[bytes, bytes | None]:
    seek, found, position = backend.seeker(), {}, b"\x00"
    while (key := seek(position)) is not None:
        found[key] = backend.get(key)
        position = key + b"\x00"
    return found


@settings(max_examples=40)
@given(COMMANDS, st.integers(0, 8))
def test_one_log_gives_one_store(commands: list[list[tuple[bytes, bytes | None]]], restart_at: int) -> None:
    log = [encode_write(operations) for operations in commands]
    with tempfile.TemporaryDirectory() as folder:
        memory, disk = StateMachine(InmemBackend()), LMDBBackend(Path(folder))
        for index, command in enumerate(log, 1):
            memory.apply(index, 1, command)
        machine = StateMachine(disk)
        for index, command in enumerate(log, 1):
            machine.apply(index, 1, command)
            if index == restart_at:
                disk.close()
                disk = LMDBBackend(Path(folder))
                machine = StateMachine(disk)
                assert (machine.applied_index, machine.applied_term) == (index, 1)
        assert content(disk) == content(memory.backend)
        disk.close()


def test_records_carry_the_index_of_their_change() -> None:
    machine = StateMachine(InmemBackend())
    machine.apply(1, 1, encode_write([(b"a", b"\x00one"), (b"b", b"\x00two")]))
    machine.apply(2, 1, encode_write([(b"b", b"\x00three")]))
    assert machine.backend.get(b"a") == bytes(7) + b"\x01\x00one"
    assert machine.backend.get(b"b") == bytes(7) + b"\x02\x00three"


def test_generations_count_commands_that_touch_their_class() -> None:
    machine = StateMachine(InmemBackend())
    machine.apply(1, 1, encode_write([(b"core/mounts/a", b"x"), (b"core/auth/b", b"x"), (b"core/mountsx", b"x")]))
    machine.apply(2, 1, encode_write([(b"core/auth/b", None), (b"sys/policy/acl/p", b"x")]))
    machine.apply(3, 1, encode_write([(b"logical/x", b"x")]))
    counts = {name: machine.backend.get(b"\x00generation/" + name) for name in (b"mounts", b"policy", b"identity")}
    assert counts == {b"mounts": bytes(7) + b"\x02", b"policy": bytes(7) + b"\x01", b"identity": None}


def test_gaps_repeats_and_nonsense_are_refused() -> None:
    machine = StateMachine(InmemBackend())
    machine.apply(1, 1, encode_write([(b"a", b"x")]))
    before = content(machine.backend)
    for index in (0, 1, 3):
        with pytest.raises(ValueError, match="does not follow"):
            machine.apply(index, 1, encode_write([(b"a", b"y")]))
    with pytest.raises(CommandInvalid):
        machine.apply(2, 1, b"nonsense")
    assert content(machine.backend) == before
