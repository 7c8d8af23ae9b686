"""What a user installs: the wheel's content, and how fast its command starts."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = {"strongroom_storage", "strongroom_cluster", "strongroom_node"}
IMPORT_SECONDS_MAX = 0.1
SERVER_SIDE = (
    "strongroom_storage",
    "strongroom_cluster",
    "aiohttp",
    "cryptography",
    "lmdb",
    "uvloop",
    "msgpack",
    "prometheus_client",
)

MEASURE_IMPORT = """
import sys, time
before = set(sys.modules)
start = time.process_time()
import strongroom_node.cli.main
print(time.process_time() - start, *sorted(set(sys.modules) - before))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=PROJECT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_wheel_holds_the_three_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    roots = {name.split("/")[0] for name in wheel.namelist()}
    assert {root for root in roots if not root.endswith(".dist-info")} == PACKAGES
    assert len(roots) == len(PACKAGES) + 1


def test_wheel_holds_code_types_and_licence_only(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    inside = [name for name in names if name.split("/")[0] in PACKAGES]
    assert not [name for name in inside if not name.endswith((".py", ".typed"))]


def test_wheel_holds_every_module_of_the_tree(wheel: zipfile.ZipFile) -> None:
    in_tree = {
        path.relative_to(PROJECT / layer).as_posix()
        for layer in ("storage", "cluster", "node")
        for package in (PROJECT / layer).glob("strongroom_*")
        for path in package.rglob("*.py")
    }
    assert in_tree <= set(wheel.namelist())


def test_wheel_declares_its_command(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "strongroom = strongroom_node.cli.main:main" in wheel.read(entry_points).decode()


def test_command_line_is_light(tmp_path: Path) -> None:
    """Readiness probes run the command every few seconds.

    CPU time of the best of five runs, with byte code as an installation has it: the machine may be busy.
    """
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    runs = []
    for _ in range(5):
        answer = subprocess.run(
            [sys.executable, "-c", MEASURE_IMPORT], capture_output=True, text=True, check=True, env=environment
        )
        seconds, *imported = answer.stdout.split()
        assert not [name for name in imported if name.split(".")[0] in SERVER_SIDE]
        runs.append(float(seconds))
    assert min(runs) < IMPORT_SECONDS_MAX
