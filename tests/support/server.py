"""Real server processes for tests: started on a free loopback port, stopped by process id.

`STRONGROOM_TEST_BINARY` replaces the program, so that a test can be run against another server with the same command line and API
(`STRONGROOM_TEST_BINARY=.venv/bin/bao`): what fails there is a mistake of the test.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT_TOKEN = "root"
START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 10.0
POLL_SECONDS = 0.05
START_ATTEMPTS = 3  # a free port may be taken by somebody else between looking and binding

# The command beside the interpreter that runs the tests, so that no activated environment is needed.
BINARY = Path(os.environ.get("STRONGROOM_TEST_BINARY") or Path(sys.executable).with_name("strongroom")).absolute()
DEV_COMMAND = f"{BINARY} server -dev -dev-root-token-id={ROOT_TOKEN} -dev-listen-address=127.0.0.1:{{port}}"
PRODUCTION_CONFIGURATION = """
storage "raft" {{
  path    = "{data}"
  node_id = "one"
}}
listener "tcp" {{
  address         = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster_port}"
  tls_disable     = true
}}
api_addr     = "http://127.0.0.1:{port}"
cluster_addr = "https://127.0.0.1:{cluster_port}"
"""


class ServerDidNotStart(Exception):
    """The process ended, or did not answer in time; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running process that answers at `address`."""

    address: str
    token: str
    process: subprocess.Popen[bytes]
    home: Path

    @property
    def log(self) -> str:
        return (self.home / "server.log").read_text(errors="replace")


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def clean_environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a user who set nothing: no VAULT_* or BAO_* variable, an empty HOME."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VAULT_", "BAO_"))}
    return {**kept, "HOME": str(home), **(extra or {})}


@contextmanager
def running_dev(environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """An unsealed in-memory server with the root token `root`, for the length of the block."""
    with (
        tempfile.TemporaryDirectory(prefix="strongroom-test-") as folder,
        _running(DEV_COMMAND.split(), Path(folder), environment) as server,
    ):
        yield server


@contextmanager
def running_production(folder: Path, extra_configuration: str = "", binary: Path = BINARY) -> Iterator[Server]:
    """A server with a configuration file and durable storage below `folder`; used again, it continues with what is there."""
    data = folder / "data"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _running([f"{binary}", "server", f"-config={folder}/server.hcl"], folder, None, extra_configuration) as server:
        yield server


@contextmanager
def _running(
    command: list[str], home: Path, environment: Mapping[str, str] | None, configuration: str | None = None
) -> Iterator[Server]:
    server = _start_with_retries(command, home, environment, configuration)
    try:
        yield server
    finally:
        stop(server.process)


def _start_with_retries(
    command: list[str], home: Path, environment: Mapping[str, str] | None, configuration: str | None
) -> Server:
    for attempt in range(START_ATTEMPTS):
        port = free_port()
        if configuration is not None:
            text = PRODUCTION_CONFIGURATION.format(port=port, cluster_port=free_port(), data=home / "data")
            (home / "server.hcl").write_text(text + configuration)
        try:
            return _start([part.format(port=port) for part in command], port, home, environment)
        except ServerDidNotStart as error:
            if attempt == START_ATTEMPTS - 1 or "in use" not in str(error):
                raise
    raise AssertionError("unreachable")


def _start(command: list[str], port: int, home: Path, environment: Mapping[str, str] | None) -> Server:
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home,
            env=clean_environment(home, environment),
            start_new_session=True,
        )
    server = Server(f"http://127.0.0.1:{port}", ROOT_TOKEN, process, home)
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if answers(server.address):
            return server
        if ended_within(process, POLL_SECONDS):
            raise ServerDidNotStart(f"the server ended with status {process.returncode}:\n{server.log[-2000:]}")
    stop(process)
    raise ServerDidNotStart(f"no answer in {START_SECONDS_MAX:.0f} s:\n{server.log[-2000:]}")


def answers(address: str) -> bool:
    """Whether anything speaks HTTP at the address (a sealed or uninitialised server does too)."""
    try:
        with urllib.request.urlopen(f"{address}/v1/sys/health", timeout=1):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False


def ended_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def stop(process: subprocess.Popen[bytes]) -> int:
    """Ask the process to end, insist after a while; its exit status."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        if not ended_within(process, STOP_SECONDS_MAX):
            process.kill()
    return process.wait(STOP_SECONDS_MAX)
