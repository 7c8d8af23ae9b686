"""The Node client `node-vault` from its registry, unmodified, against our server."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.server import Server, clean_environment

PROJECT = Path(__file__).resolve().parents[2]
SOURCES = Path(__file__).with_name("node")
CACHE = PROJECT / ".cache" / "node-vault"

NODE, NPM = shutil.which("node"), shutil.which("npm")


def run(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        cwd=cwd,
        env=clean_environment(CACHE, variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def program() -> Path:
    """The program beside its locked dependencies; installed once and kept, as downloads cost more than the test."""
    if not (NODE and NPM):
        pytest.skip("NO node AND npm ON THIS MACHINE: the Node client was not tried")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = (SOURCES / "package-lock.json").read_bytes()
        installed = CACHE / "installed"
        for source in SOURCES.iterdir():
            shutil.copy(source, CACHE)
        if not installed.exists() or installed.read_bytes() != wanted:
            answer = run(NPM, "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=CACHE)
            if answer.returncode:
                pytest.skip(f"npm COULD NOT INSTALL node-vault, the Node client was not tried: {answer.stderr[-500:]}")
            installed.write_bytes(wanted)
    return CACHE / "program.mjs"


@pytest.mark.timeout(150)
def test_node_vault(program: Path, dev_server: Server, unique: Callable[[str], str]) -> None:
    answer = run(
        str(NODE),
        str(program),
        cwd=CACHE,
        PROGRAM_ADDRESS=dev_server.address,
        PROGRAM_TOKEN=dev_server.token,
        PROGRAM_NAME=f"{unique('node')}-{os.getpid()}",
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.count("ok: ") == 9
