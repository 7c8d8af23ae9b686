"""A process that writes is killed again and again; nothing it acknowledged may be missing."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from strongroom_cluster.checkpoint import checkpoints
from strongroom_cluster.store import open_store

PROGRAM = Path(__file__).with_name("writer.py")
ROOT_KEY = bytes(range(32))


def value_of(number: int) -> bytes:
    return (b"%d," % number) * (1 + number * 37 % 300)


def write_until_killed(path: Path, first: int, enough: int) -> set[int]:
    """Kill a writer after `enough` acknowledgements; all that it gave."""
    command = [sys.executable, str(PROGRAM), str(path), str(first)]
    acknowledged: set[int] = set()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.endswith(b"\n"):
                acknowledged.add(int(line))
            if len(acknowledged) == enough:
                process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
    return acknowledged


def lose_power(path: Path) -> None:
    """What a power cut may leave: another boot, and a live store of which nothing can be said."""
    state = json.loads((path / "state").read_text())
    (path / "state").write_text(json.dumps({**state, "boot": "an earlier boot"}))
    live = path / "store" / "data.mdb"
    content = bytearray(live.read_bytes())
    for page in range(4096, len(content), 3 * 4096):
        content[page : page + 4096] = bytes(4096)
    live.write_bytes(content)


async def require_all(path: Path, acknowledged: set[int]) -> int:
    """Every acknowledged pair is there, and no half of a pair; how many pairs there are."""
    store = open_store(path)
    await store.start()
    store.barrier.unseal(ROOT_KEY)
    view = store.barrier.view("pairs/")
    numbers = {int(name) for name in view.walk("a/")}
    assert acknowledged - numbers == set()
    assert {int(name) for name in view.walk("b/")} == numbers
    for number in numbers:
        assert view.get(f"a/{number}") == view.get(f"b/{number}") == value_of(number)
    await store.close()
    return len(numbers)


async def drill(path: Path, rounds: list[int]) -> None:
    acknowledged: set[int] = set()
    for turn, enough in enumerate(rounds):
        acknowledged |= write_until_killed(path, turn * 1_000_000, enough)
        if turn % 2:
            lose_power(path)
        pairs = await require_all(path, acknowledged)
        assert pairs >= len(acknowledged) >= sum(rounds[: turn + 1])


async def test_short(tmp_path: Path) -> None:
    await drill(tmp_path, [40, 900, 1, 1500])
    assert checkpoints(tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_long(tmp_path: Path) -> None:
    await drill(tmp_path, [1 + turn * 977 % 3001 for turn in range(40)])
