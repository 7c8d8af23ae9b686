import os

import pytest

from strongroom_node.server.pid_file import PidFile


def test_it_holds_the_number_and_goes(tmp_path):
    path = tmp_path / "pid"
    file = PidFile(str(path))
    file.write()
    assert path.read_text() == f"{os.getpid()}\n"
    file.remove()
    assert not path.exists()
    file.remove()


def test_another_processs_file_stays(tmp_path):
    path = tmp_path / "pid"
    file = PidFile(str(path))
    file.write()
    path.write_text("1\n")
    file.remove()
    assert path.exists()


def test_no_path_is_no_file():
    PidFile("").write()
    PidFile("").remove()


def test_a_link_in_its_place_is_not_followed(tmp_path):
    victim, path = tmp_path / "shadow", tmp_path / "pid"
    victim.write_text("root:x")
    victim.chmod(0o600)
    path.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        PidFile(str(path)).write()
    assert victim.read_text() == "root:x"
    assert victim.stat().st_mode & 0o777 == 0o600


def test_what_is_no_file_does_not_hold_up_the_start(tmp_path):
    path = tmp_path / "pid"
    os.mkfifo(path)
    with pytest.raises(OSError, match="pid"):
        PidFile(str(path)).write()


def test_a_stale_file_is_written_over(tmp_path):
    path = tmp_path / "pid"
    path.write_text("123456789012\n")
    PidFile(str(path)).write()
    assert path.read_text() == f"{os.getpid()}\n"
    assert path.stat().st_mode & 0o777 == 0o644
