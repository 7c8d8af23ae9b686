"""A mapping is let go when it is large, and reads the same afterwards."""

from pathlib import Path

import pytest

from strongroom_storage.backends import resident
from strongroom_storage.backends.lmdb import DATA_FILE, LMDBBackend
from strongroom_storage.backends.resident import ResidentLimit, find_mapping


def file_pages() -> int:
    return int(Path("/proc/self/statm").read_text().split()[2])


def test_lets_go_and_reads_the_same(tmp_path: Path) -> None:
    backend = LMDBBackend(tmp_path)
    backend.apply([(b"%05d" % n, bytes([n % 256]) * 3000) for n in range(4000)])
    records = [backend.get(b"%05d" % n) for n in range(4000)]
    before = file_pages()
    assert not ResidentLimit(tmp_path / DATA_FILE, 1 << 40).enforce()
    assert ResidentLimit(tmp_path / DATA_FILE, 0).enforce()
    assert before - file_pages() > 2000
    assert [backend.get(b"%05d" % n) for n in range(4000)] == records
    backend.apply([(b"later", b"v")])
    backend.trim()
    assert backend.get(b"later") == b"v"
    backend.close()


def test_finds_only_its_own_mapping(tmp_path: Path) -> None:
    (tmp_path / "unmapped").write_bytes(b"x")
    assert find_mapping(tmp_path / "unmapped") is None
    assert find_mapping(tmp_path / "absent") is None
    assert not ResidentLimit(tmp_path / "unmapped", 0).enforce()


def test_harmless_without_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resident, "_STATM", tmp_path / "absent")
    monkeypatch.setattr(resident, "_MAPS", tmp_path / "absent")
    assert not ResidentLimit(tmp_path, 0).enforce()
    assert find_mapping(tmp_path) is None
