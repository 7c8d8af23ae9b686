"""What only the durable store must do."""

from pathlib import Path

import lmdb
import pytest

from strongroom_storage.backends.lmdb import DATA_FILE, LMDBBackend
from strongroom_storage.backends.lmdb_copy import copy_file
from strongroom_storage.errors import StoreDamaged


def test_content_survives(tmp_path: Path) -> None:
    backend = LMDBBackend(tmp_path)
    backend.apply([(b"k", b"v")])
    backend.close()
    again = LMDBBackend(tmp_path)
    assert again.get(b"k") == b"v"
    again.close()


def test_the_map_grows(tmp_path: Path) -> None:
    backend = LMDBBackend(tmp_path, map_bytes_min=1 << 20)
    for number in range(40):
        backend.apply([(b"%d" % number, bytes(100_000))])
    assert backend.get(b"0") == backend.get(b"39") == bytes(100_000)
    backend.close()


def test_a_snapshot_is_one_moment(tmp_path: Path) -> None:
    backend = LMDBBackend(tmp_path, map_bytes_min=1 << 28)
    for number in range(300):
        backend.apply([(b"%04d" % number, b"%d" % number * 100)])
    snapshot = backend.snapshot()
    for number in range(300):  # uses pages again, if it may
        backend.apply([(b"%04d" % number, None), (b"later%d" % number, bytes(500))])
    (tmp_path / "copy").mkdir()
    assert snapshot.copy_to(tmp_path / "copy" / DATA_FILE)
    snapshot.release()
    copy = LMDBBackend(tmp_path / "copy", read_only=True)
    assert [copy.get(b"%04d" % n) for n in range(300)] == [b"%d" % n * 100 for n in range(300)]
    assert copy.seeker()(b"later") is None
    copy.close()
    backend.close()


def test_a_snapshot_is_lost_when_the_map_moves(tmp_path: Path) -> None:
    backend = LMDBBackend(tmp_path, map_bytes_min=1 << 20)
    backend.apply([(b"k", b"v")])
    snapshot = backend.snapshot()
    for number in range(40):
        backend.apply([(b"%d" % number, bytes(100_000))])
    assert not snapshot.copy_to(tmp_path / "copy")
    snapshot.release()
    backend.close()


def test_copying_stops_when_told(tmp_path: Path) -> None:
    backend = LMDBBackend(tmp_path)
    backend.apply([(b"k", b"v")])
    snapshot = backend.snapshot()
    assert not snapshot.copy_to(tmp_path / "copy", lambda: True)
    snapshot.release()
    backend.close()


@pytest.mark.parametrize("size", [0, 1, 4096, 8192, 10_000_000])
def test_files_are_copied_whole(tmp_path: Path, size: int) -> None:
    (tmp_path / "a").write_bytes(b"x" * size)
    copy_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"x" * size


def test_a_short_file_is_refused(tmp_path: Path) -> None:
    """A map beyond the end of its file kills the process when it is read."""
    backend = LMDBBackend(tmp_path)
    for number in range(50):
        backend.apply([(b"%d" % number, bytes(4000))])
    backend.close()
    file = tmp_path / DATA_FILE
    with file.open("r+b") as handle:
        handle.truncate(file.stat().st_size // 2)
    with pytest.raises(StoreDamaged, match=DATA_FILE):
        LMDBBackend(tmp_path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / DATA_FILE).write_bytes(b"not a store" * 1000)
    with pytest.raises(StoreDamaged, match=DATA_FILE):
        LMDBBackend(tmp_path)


def test_an_unreadable_page_is_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = LMDBBackend(tmp_path)

    def corrupted(_key: bytes) -> bytes:
        raise lmdb.CorruptedError("located page was wrong type")

    monkeypatch.setattr(backend, "_read", corrupted)
    with pytest.raises(StoreDamaged, match=DATA_FILE):
        backend.get(b"k")
    backend.close()
