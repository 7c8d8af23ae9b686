"""Small files are replaced whole."""

from pathlib import Path

from strongroom_storage.files import replace_file


def test_replaces_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "state"
    replace_file(path, b"old, and longer")
    (tmp_path / "state.new").write_bytes(b"left by a crash")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["state"]
