import mmap
import resource
import subprocess
import sys

import pytest

from strongroom_node.server import hardening


def in_child(code):
    """The output of code that changes its own process for good."""
    command = [sys.executable, "-c", f"from strongroom_node.server import hardening\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()


def test_nobody_gets_a_dump():
    code = (
        "import resource, ctypes\nhardening.forbid_dumps()\n"
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE))"
    )
    assert in_child(code) == "0 (0, 0)"


def test_a_limit_is_told_before_anything_is_locked(monkeypatch):
    monkeypatch.setattr(hardening, "_has_capability", lambda _number: False)
    monkeypatch.setattr(resource, "getrlimit", lambda _name: (65536, 65536))
    with pytest.raises(hardening.MemoryLockRefused, match="CAP_IPC_LOCK"):
        hardening.lock_memory()


def test_locking_works_or_says_why():
    code = (
        "try:\n    hardening.lock_memory()\nexcept hardening.MemoryLockRefused as error:\n    print('refused', error)\n"
        "else:\n    print([l for l in open('/proc/self/status') if l.startswith('VmLck')][0].split()[1] != '0')"
    )
    said = in_child(code)
    assert said == "True" or said.startswith("refused ")


def test_maps_of_the_store_are_found_by_their_folder(tmp_path):
    path = tmp_path / "data.mdb"
    path.write_bytes(b"x" * 8192)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ):
        assert hardening.unlock_files(tmp_path) == 1
        assert hardening.unlock_files(tmp_path / "other") == 0


def test_connections_may_not_take_the_descriptors_that_the_journal_needs():
    code = (
        "import resource\nname = resource.RLIMIT_NOFILE\nresource.setrlimit(name, (256, 900))\n"
        "left = hardening.raise_file_limit()\nprint(resource.getrlimit(name), left)"
    )
    assert in_child(code) == f"(900, 900) {900 - hardening.FILES_RESERVED}"


def test_however_low_the_limit_somebody_is_served():
    code = (
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
        "print(hardening.raise_file_limit() >= 16)"
    )
    assert in_child(code) == "True"
