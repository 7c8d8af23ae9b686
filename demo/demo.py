"""The main job, from nothing: start a server, initialise and unseal it, use it with hvac and the command line.

`make demo` runs it and leaves the server running; `make stop-demo` ends it. What it leaves is in run/demo/.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NoReturn

import hvac
import hvac.exceptions

PROJECT = Path(__file__).resolve().parents[1]
RUN = PROJECT / "run" / "demo"
BINARY = Path(os.environ.get("STRONGROOM_BINARY") or Path(sys.executable).with_name("strongroom"))
PORT = 8200  # the port every client tries first; another one is taken where it is in use
SHARES, THRESHOLD = 5, 3
START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 15.0

CONFIGURATION = """\
storage "raft" {{
  path    = "{run}/data"
  node_id = "demo"
}}

listener "tcp" {{
  address         = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster_port}"
  tls_disable     = true   # only on the loopback address
}}

api_addr     = "http://127.0.0.1:{port}"
cluster_addr = "https://127.0.0.1:{cluster_port}"
"""

POLICY = """\
path "secret/data/team/*"     { capabilities = ["create", "read", "update"] }
path "secret/metadata/team/*" { capabilities = ["list"] }
"""


class DemoFailed(Exception):
    """A step did not do what it should; the message says which."""


def say(text: str) -> None:
    print(text, flush=True)


def step(number: int, title: str) -> None:
    say(f"\n{number}. {title}")


def detail(text: str) -> None:
    for line in text.rstrip().splitlines():
        say(f"     {line}")


def write_private(name: str, text: str) -> Path:
    """A file in run/demo/ that only its owner can read."""
    path = RUN / name
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
    return path


def port_from(wanted: int) -> int:
    """`wanted` if nobody listens there, any free port otherwise."""
    for port in (wanted, 0):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            return int(listener.getsockname()[1])
    raise DemoFailed("no free port on 127.0.0.1")


# --- The server process ------------------------------------------------------------------------


def start_server() -> tuple[str, subprocess.Popen[bytes]]:
    port = port_from(PORT)
    configuration = CONFIGURATION.format(run=RUN, port=port, cluster_port=port_from(port + 1))
    path = write_private("server.hcl", configuration)
    (RUN / "data").mkdir(mode=0o700)
    detail(configuration)
    with (RUN / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [BINARY, "server", f"-config={path}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # it outlives this program
        )
    write_private("pid", str(process.pid))
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS_MAX
    while not answers(address):
        if process.poll() is not None:
            raise DemoFailed(f"the server ended with status {process.returncode}")
        if time.monotonic() > deadline:
            raise DemoFailed(f"the server did not answer in {START_SECONDS_MAX:.0f} s")
        time.sleep(0.05)
    write_private("address", address)
    return address, process


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/v1/sys/health", timeout=2):  # noqa: S310 -- our own loopback address
            return True
    except urllib.error.HTTPError as error:  # 501 and 503 are answers: not initialised, sealed
        error.close()
        return True
    except OSError:
        return False


def running_pid() -> int | None:
    """The demo server's process id, if it still is one: a number alone may since belong to somebody else."""
    try:
        pid = int((RUN / "pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if str(RUN / "server.hcl").encode() in command else None


def stop_server() -> bool:
    """Whether there was one to stop."""
    pid = running_pid()
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS_MAX
    while running_pid() == pid:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            break
        time.sleep(0.05)
    return True


# --- The steps ---------------------------------------------------------------------------------


def command(address: str, token: str, *arguments: str, shown: str = "", status: tuple[int, ...] = (0,)) -> str:
    """Run the command line and show it with its answer. `shown` replaces what must not be printed."""
    say(f"     $ strongroom {shown or ' '.join(arguments)}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VAULT_", "BAO_"))}
    environment |= {"VAULT_ADDR": address, "VAULT_TOKEN": token}
    answer = subprocess.run(
        [BINARY, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    if answer.returncode not in status:
        raise DemoFailed(
            f"`strongroom {shown or arguments[0]}` ended with {answer.returncode}: {answer.stderr.strip()}"
        )
    return answer.stdout


def initialise(client: hvac.Client) -> tuple[list[str], str]:
    made = client.sys.initialize(secret_shares=SHARES, secret_threshold=THRESHOLD)
    shares, token = made["keys_base64"], made["root_token"]
    write_private("unseal-shares", "\n".join(shares))
    write_private("token", token)
    detail(f"The root key now exists only as {SHARES} shares, any {THRESHOLD} of which open the server.")
    detail("In production each goes to another person; here they are in run/demo/unseal-shares.")
    return shares, token


def unseal(address: str, shares: list[str]) -> None:
    for number, share in enumerate(shares[:THRESHOLD], 1):
        shown = f"operator unseal <share {number}>"
        answer = json.loads(command(address, "", "operator", "unseal", "-format=json", share, shown=shown))
        detail("  unsealed" if not answer["sealed"] else f"  sealed, {answer['progress']} of {answer['t']} shares")


def wait_until_active(client: hvac.Client) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while client.sys.read_health_status(method="HEAD").status_code != 200:  # 200: unsealed and active
        if time.monotonic() > deadline:
            raise DemoFailed("the server did not become active")
        time.sleep(0.05)


def write_and_read_with_hvac(client: hvac.Client, password: str) -> None:
    client.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
    kv = client.secrets.kv.v2
    kv.create_or_update_secret("team/db", {"user": "app", "password": "first"})
    written = kv.create_or_update_secret("team/db", {"user": "app", "password": password})
    detail(f"wrote secret/team/db, version {written['data']['version']}")
    for version in (1, 2):
        found = kv.read_secret_version("team/db", version=version, raise_on_deleted_version=True)
        detail(f"read version {version}: {found['data']['data']}")
    if found["data"]["data"]["password"] != password:
        raise DemoFailed("hvac read something else than was written")


def use_a_limited_token(client: hvac.Client, address: str) -> None:
    client.sys.create_or_update_policy("team", POLICY)
    token = client.auth.token.create(policies=["team"], ttl="1h")["auth"]["client_token"]
    detail(POLICY)
    say("")
    limited = hvac.Client(url=address, token=token)
    keys = limited.secrets.kv.v2.list_secrets("team")["data"]["keys"]
    detail(f"a token with this policy lists secret/team/: {keys}")
    try:
        limited.secrets.kv.v2.delete_latest_version_of_secret("team/db")
    except hvac.exceptions.Forbidden:
        detail("and may not delete: permission denied, as it should be")
    else:
        raise DemoFailed("a token without the capability could delete")


def read_with_command_line(address: str, token: str, password: str) -> None:
    detail(command(address, token, "kv", "get", "-mount=secret", "team/db"))
    say("")
    if command(address, token, "kv", "get", "-mount=secret", "-field=password", "team/db").strip() != password:
        raise DemoFailed("the command line read something else than was written")
    detail(password)
    say("")
    detail(command(address, token, "status"))


def look_at_the_disk(password: str) -> None:
    files = [path for path in (RUN / "data").rglob("*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    if password.encode() in content or (RUN / "token").read_bytes().strip() in content:
        raise DemoFailed("a secret stands readable on the disk")
    detail(f"{len(content):,} bytes in {len(files)} files; neither the password nor the root token is in them")


def run() -> None:
    if stop_server():
        say("Stopped the server of an earlier demo.")
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir(mode=0o700, parents=True)
    password = "correct-horse-battery-staple"

    step(1, "Start a server with this configuration file")
    address, process = start_server()
    detail(f"\nit answers at {address}, process {process.pid}, not initialised yet")

    client = hvac.Client(url=address)
    step(2, f"Initialise it: {SHARES} shares, threshold {THRESHOLD}")
    shares, token = initialise(client)
    client.token = token

    step(3, "Unseal it with the command line")
    unseal(address, shares)
    wait_until_active(client)

    step(4, "Write and read a secret with hvac")
    write_and_read_with_hvac(client, password)

    step(5, "Give somebody less than everything")
    use_a_limited_token(client, address)

    step(6, "Read the same secret with the command line")
    read_with_command_line(address, token, password)

    step(7, "Look at the disk")
    look_at_the_disk(password)
    goodbye(address)


def goodbye(address: str) -> None:
    where = RUN.relative_to(PROJECT)
    say(f"""
The server keeps running.
  address     {address}   (also in {where}/address)
  root token  in {where}/token, readable by you only
  log         {where}/server.log
  try         export VAULT_ADDR={address} VAULT_TOKEN=$(cat {where}/token)
              .venv/bin/strongroom kv get -mount=secret team/db
  stop        make stop-demo""")


def fail(error: Exception) -> NoReturn:
    log = RUN / "server.log"
    if log.exists():
        say("\nThe end of the server's log:")
        detail("\n".join(log.read_text(errors="replace").splitlines()[-15:]))
    stop_server()
    raise SystemExit(f"\nThe demo failed: {error}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stop", action="store_true", help="stop the server that an earlier run left")
    if parser.parse_args().stop:
        say("The demo server is stopped." if stop_server() else "No demo server is running.")
        return
    try:
        run()
    except (DemoFailed, OSError, subprocess.SubprocessError, hvac.exceptions.VaultError) as error:
        fail(error)


if __name__ == "__main__":
    main()
