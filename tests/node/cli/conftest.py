"""A fake server and a way to run command lines in this process."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.fake_vault import FakeVault, running_fake

from strongroom_node.cli.main import run
from strongroom_node.cli.streams import Streams


@pytest.fixture
def vault() -> Iterator[FakeVault]:
    with running_fake() as fake:
        yield fake


@dataclass(frozen=True, slots=True)
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def strongroom(vault: FakeVault, tmp_path: Path) -> Run:
    """Run `vault <words>` against the fake, with a home of its own."""

    def run_words(*words: str, stdin: bytes = b"", program: str = "vault", **environment: str) -> Outcome:
        out, err = io.StringIO(), io.StringIO()
        given = {"VAULT_ADDR": vault.address, "VAULT_TOKEN": "hvs.test", "HOME": str(tmp_path), **environment}
        given = {name: value for name, value in given.items() if value}
        code = run(list(words), given, Streams(io.BytesIO(stdin), out, err), program)
        return Outcome(code, out.getvalue(), err.getvalue())

    return run_words
