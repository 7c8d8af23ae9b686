"""The process as a user starts it: its output, its signals, its exit status."""

import asyncio
import json
import signal
import ssl
import subprocess
import sys
import threading
import urllib.request

import pytest
from support.server import clean_environment

from strongroom_node.server.start import start_unless_ended

SECONDS_MAX = 30


class Process:
    """`python -m strongroom_node server ...`; both its outputs are read as they come."""

    def __init__(self, home, *arguments):
        self.home = home
        command = [sys.executable, "-m", "strongroom_node", "server", *arguments]
        self.popen = subprocess.Popen(
            command, cwd=home, env=clean_environment(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.output = ""
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.popen.stdout:
            with self._changed:
                self.output += line
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, text):
        with self._changed:
            found = self._changed.wait_for(
                lambda: text in self.output or self.popen.poll() is not None, timeout=SECONDS_MAX
            )
        assert found, self.output
        assert text in self.output, self.output

    def after(self, text):
        """The rest of the line behind a text."""
        self.wait_for(text)
        self.wait_for("Development mode should NOT")
        return self.output.split(text)[1].split("\n")[0].strip()

    def end(self, number=signal.SIGTERM):
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        return self.finish()

    def finish(self):
        status = self.popen.wait(SECONDS_MAX)
        self._reader.join(SECONDS_MAX)
        self.popen.stdout.close()
        return status


@pytest.fixture
def start(tmp_path):
    started = []

    def begin(*arguments):
        process = Process(tmp_path, *arguments)
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.popen.poll() is None:
            process.popen.kill()
            process.finish()


def ask(url, token, context=None):
    request = urllib.request.Request(url, headers={"X-Vault-Token": token})
    with urllib.request.urlopen(request, timeout=10, context=context) as answer:
        return json.load(answer)


def test_a_development_server_lives_and_ends_well(start, tmp_path):
    server = start("-dev", "-dev-listen-address=127.0.0.1:0")
    token = server.after("Root Token: ")
    address = server.after("export VAULT_ADDR='").rstrip("'")
    assert token.startswith("hvs.")
    assert server.after("Unseal Key: ")
    assert (tmp_path / ".vault-token").read_text() == token
    assert (tmp_path / ".vault-token").stat().st_mode & 0o777 == 0o600
    assert ask(f"{address}/v1/auth/token/lookup-self", token)["data"]["policies"] == ["root"]
    assert server.end() == 0
    assert "==> Vault server started! Log data will stream in below:" in server.output
    assert "==> Vault shutdown triggered" in server.output


def test_a_given_token_is_used_and_not_kept_and_tls_can_be_had(start, tmp_path):
    server = start(
        "-dev", "-dev-root-token-id=mine", "-dev-no-store-token", "-dev-tls", "-dev-listen-address=127.0.0.1:0"
    )
    ca_file = server.after("export VAULT_CACERT='").rstrip("'")
    address = server.after("export VAULT_ADDR='").rstrip("'")
    assert address.startswith("https://")
    context = ssl.create_default_context(cafile=ca_file)
    assert ask(f"{address}/v1/auth/token/lookup-self", "mine", context)["data"]["path"] == "auth/token/create"
    assert not (tmp_path / ".vault-token").exists()
    assert server.end(signal.SIGINT) == 0


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('storage "inmem" {}\nlistener "tcp" {\n', "server.hcl:3:"),
        ('storage "inmem" {}\nlistener "tcp" { tls_disable = true }\nmax_lease_ttl = "soon"\n', "server.hcl:3:17"),
        ('listener "tcp" { tls_disable = true }\n', "A storage backend must be specified"),
    ],
)
def test_a_wrong_configuration_ends_with_1_and_its_place(start, tmp_path, text, place):
    (tmp_path / "server.hcl").write_text(text)
    server = start("-config=server.hcl")
    assert server.finish() == 1
    assert place in server.output
    assert "Traceback" not in server.output


def test_a_store_is_not_shared_and_a_reload_is_heard(start, tmp_path):
    text = 'storage "file" { path = "data" }\nlistener "tcp" { address = "127.0.0.1:0" tls_disable = true }\n'
    (tmp_path / "server.hcl").write_text(text + 'pid_file = "pid"\n')
    (tmp_path / "other.hcl").write_text(text)
    server = start("-config=server.hcl")
    server.wait_for("==> Vault server started!")
    assert (tmp_path / "pid").read_text() == f"{server.popen.pid}\n"

    second = start("-config=other.hcl")
    assert second.finish() == 1
    assert "Traceback" not in second.output

    (tmp_path / "server.hcl").write_text(text + 'log_level = "debug"\n')
    server.popen.send_signal(signal.SIGHUP)
    server.wait_for("configuration reloaded")
    assert server.end() == 0
    assert not (tmp_path / "pid").exists()


def test_recovery_mode_is_refused(start):
    server = start("-dev", "-recovery")
    assert server.finish() == 1
    assert "recovery mode" in server.output


class Starting:
    """A node that waits for something outside."""

    def __init__(self):
        self.ended = asyncio.Event()
        self.answer = asyncio.get_running_loop().create_future()
        self.was_cancelled = False

    async def start(self):
        try:
            return await self.answer
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise


async def test_a_start_that_waits_can_be_given_up():
    node = Starting()
    asyncio.get_running_loop().call_soon(node.ended.set)
    assert await start_unless_ended(node) is None
    assert node.was_cancelled


async def test_a_start_that_succeeds_or_fails_says_so():
    node = Starting()
    node.answer.set_result("share")
    assert await start_unless_ended(node) == "share"
    failing = Starting()
    failing.answer.set_exception(OSError("no port"))
    with pytest.raises(OSError, match="no port"):
        await start_unless_ended(failing)


HANGUP_WHILE_STARTING = """
import asyncio, os, signal
from strongroom_node.cli.commands.server import ServerOptions
from strongroom_node.server import start

async def starting(node):
    os.kill(os.getpid(), signal.SIGHUP)
    await asyncio.sleep(0)
    print("still there")

start.start_unless_ended = starting
raise SystemExit(start.run(ServerOptions(dev=True, dev_listen_address="127.0.0.1:0")))
"""


def test_a_reload_that_comes_too_early_ends_nothing(tmp_path):
    command = [sys.executable, "-c", HANGUP_WHILE_STARTING]
    done = subprocess.run(
        command, cwd=tmp_path, env=clean_environment(tmp_path), capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, "still there" in done.stdout) == (0, True), done.stderr
