from pathlib import Path

import pytest

from strongroom_node.telemetry.log_file import LogFile, log_path


class Clock:
    def __init__(self):
        self.time = 1_700_000_000.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


def old_files(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "vault.log")


@pytest.mark.parametrize(
    ("given", "path"),
    [("/l/vault.log", "/l/vault.log"), ("/l/", "/l/vault.log"), ("/l/node", "/l/node.log"), ("/l/a.txt", "/l/a.txt")],
)
def test_where_the_file_is(given, path):
    assert log_path(given) == Path(path)


def test_only_the_owner_may_read_it(tmp_path, clock):
    LogFile(tmp_path / "vault.log", 0, 0, 0, clock).close()
    assert (tmp_path / "vault.log").stat().st_mode & 0o777 == 0o600


def test_a_full_file_is_put_aside_under_its_time(tmp_path, clock):
    log = LogFile(tmp_path / "vault.log", 20, 0, 0, clock)
    log.write("twelve bytes\n")
    log.write("the next line\n")
    assert old_files(tmp_path) == ["vault-1700000000000000000.log"]
    assert (tmp_path / "vault.log").read_text() == "the next line\n"
    log.close()


def test_an_old_file_is_put_aside(tmp_path, clock):
    log = LogFile(tmp_path / "vault.log", 0, 60, 0, clock)
    log.write("one\n")
    clock.time += 59
    log.write("two\n")
    assert old_files(tmp_path) == []
    clock.time += 1
    log.write("three\n")
    assert len(old_files(tmp_path)) == 1
    assert (tmp_path / "vault.log").read_text() == "three\n"
    log.close()


@pytest.mark.parametrize(("files_max", "kept"), [(0, 5), (2, 2), (-1, 0)])
def test_so_many_old_files_are_kept_and_nothing_else_is_touched(tmp_path, clock, files_max, kept):
    (tmp_path / "vault-notes.log").write_text("mine")
    log = LogFile(tmp_path / "vault.log", 5, 0, files_max, clock)
    for number in range(6):
        clock.time += 1
        log.write(f"line {number}\n")
    names = old_files(tmp_path)
    assert "vault-notes.log" in names
    assert len(names) - 1 == kept
    if 0 < kept < 5:
        assert (tmp_path / names[-2]).read_text() == "line 4\n"
    log.close()


def test_a_moved_file_is_begun_again_on_request(tmp_path, clock):
    log = LogFile(tmp_path / "vault.log", 0, 0, 0, clock)
    log.write("before\n")
    (tmp_path / "vault.log").rename(tmp_path / "moved")
    log.reopen()
    log.write("after\n")
    assert (tmp_path / "vault.log").read_text() == "after\n"
    log.close()


def test_a_folder_that_went_away_does_not_stop_anything(tmp_path, clock):
    folder = tmp_path / "logs"
    folder.mkdir()
    log = LogFile(folder / "vault.log", 0, 0, 0, clock)
    log.close()
    (folder / "vault.log").unlink()
    folder.rmdir()
    log.write("lost\n")
    assert log.lines_lost == 1
    folder.mkdir()
    log.write("back\n")
    assert (folder / "vault.log").read_text() == "back\n"
    log.close()
