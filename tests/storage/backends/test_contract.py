"""One suite for every local store."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom_storage.backend import Backend
from strongroom_storage.backends.inmem import InmemBackend
from strongroom_storage.backends.lmdb import LMDBBackend

BUILTIN: dict[str, Callable[[str], Backend]] = {
    "inmem": lambda _folder: InmemBackend(),
    "lmdb": lambda folder: LMDBBackend(Path(folder)),
}
KEYS = st.text("ab/0-\x01é", min_size=1, max_size=6).map(str.encode)
CHANGES = st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=40)), max_size=12)


def opened(name: str, folder: str) -> Backend:
    return BUILTIN[name](folder)


@pytest.fixture(params=sorted(BUILTIN))
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    backend = opened(request.param, str(tmp_path))
    yield backend
    backend.close()


def keys_of(backend: Backend) -> list[bytes]:
    seek, found, position = backend.seeker(), [], b"\x00"
    while (key := seek(position)) is not None:
        found.append(key)
        position = key + b"\x00"
    return found


def test_empty(backend: Backend) -> None:
    assert backend.get(b"a") is None
    assert backend.seeker()(b"\x00") is None
    backend.apply([(b"absent", None)])
    assert keys_of(backend) == []


def test_changes_are_made_in_order(backend: Backend) -> None:
    backend.apply([(b"k", b"1"), (b"k", None), (b"k", b"2"), (b"gone", b"x"), (b"gone", None)])
    assert backend.get(b"k") == b"2"
    assert keys_of(backend) == [b"k"]


def test_epoch_changes_with_content(backend: Backend) -> None:
    before = backend.epoch
    backend.apply([(b"k", b"1")])
    assert backend.epoch != before
    assert backend.epoch == backend.epoch


def test_long_keys_and_values(backend: Backend) -> None:
    backend.apply([(b"k" * 511, b"v" * 2_000_000)])
    assert backend.get(b"k" * 511) == b"v" * 2_000_000
    assert backend.size_bytes() > 2_000_000


def test_what_was_read_stays_as_it_was(backend: Backend) -> None:
    """No window into memory that the next change uses again."""
    backend.apply([(b"k", b"old" * 100)])
    read = backend.get(b"k")
    backend.apply([(b"k", b"new" * 100)])
    backend.apply([(b"k", None)])
    assert read == b"old" * 100


@pytest.mark.parametrize("name", sorted(BUILTIN))
@settings(max_examples=25)
@given(batches=st.lists(CHANGES, max_size=5), positions=st.lists(KEYS, max_size=5))
def test_equals_a_dictionary(
    name: str, batches: list[list[tuple[bytes, bytes | None]]], positions: list[bytes]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        backend = opened(name, folder)
        model: dict[bytes, bytes] = {}
        for changes in batches:
            backend.apply(changes)
            for key, record in changes:
                model.pop(key, None)
                if record is not None:
                    model[key] = record
            assert keys_of(backend) == sorted(model)
            assert all(backend.get(key) == record for key, record in model.items())
            seek = backend.seeker()
            for position in positions:
                assert seek(position) == min((key for key in model if key >= position), default=None)
        backend.close()
