import os

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
