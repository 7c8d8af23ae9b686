"""login: what is sent, shown and kept."""

import io
import os
import pty
import threading
from pathlib import Path

import pytest
from support.fake_vault import FakeVault

from strongroom_node.cli.main import run
from strongroom_node.cli.streams import Streams

AUTH = {
    "client_token": "hvs.new",
    "accessor": "acc",
    "policies": ["default"],
    "token_policies": ["default"],
    "identity_policies": None,
    "metadata": {"username": "ann"},
    "lease_duration": 2764800,
    "renewable": True,
    "orphan": True,
    "entity_id": "e",
}
TEXT = """\
Success! You are now authenticated. The token information displayed below is
already stored in the token helper. You do NOT need to run "vault login"
again. Future Vault requests will automatically use this token.

Key                    Value
---                    -----
token                  hvs.new
token_accessor         acc
token_duration         768h
token_renewable        true
token_policies         ["default"]
identity_policies      []
policies               ["default"]
token_meta_username    ann
"""


@pytest.fixture
def userpass(vault: FakeVault) -> FakeVault:
    vault.answer("PUT", "auth/userpass/login/ann", {"auth": AUTH})
    return vault


LOGIN = ("login", "-method=userpass", "username=ann", "password=pw")


def test_userpass(strongroom, userpass: FakeVault, tmp_path: Path) -> None:
    outcome = strongroom(*LOGIN, VAULT_TOKEN="")
    assert (outcome.code, outcome.out, outcome.err) == (0, TEXT, "")
    assert userpass.asked[0].json == {"password": "pw"}
    assert (tmp_path / ".vault-token").read_text() == "hvs.new"
    assert (tmp_path / ".vault-token").stat().st_mode & 0o777 == 0o600
    assert strongroom("print", "token", VAULT_TOKEN="").out == "hvs.new\n"


def test_a_set_variable_is_warned_of(strongroom, userpass: FakeVault) -> None:
    assert strongroom(*LOGIN).err.startswith("WARNING! The VAULT_TOKEN environment variable is set!")


@pytest.mark.parametrize("flag", ["-no-store", "-token-only"])
def test_not_stored(strongroom, userpass: FakeVault, tmp_path: Path, flag: str) -> None:
    outcome = strongroom(*LOGIN, flag)
    assert not (tmp_path / ".vault-token").exists()
    assert "hvs.new" in outcome.out
    if flag == "-token-only":
        assert (outcome.out, outcome.err) == ("hvs.new", "")


def test_field_and_no_print(strongroom, userpass: FakeVault) -> None:
    assert strongroom(*LOGIN, "-field=token").out == "hvs.new"
    assert strongroom(*LOGIN, "-no-print").out == ""


def test_wrapped_login_is_opened_unless_it_is_not_kept(strongroom, vault: FakeVault, tmp_path: Path) -> None:
    wrap = {"token": "hvs.wrap", "accessor": "a", "ttl": 60, "creation_time": "t", "creation_path": "p"}
    vault.answer("PUT", "auth/userpass/login/ann", {"wrap_info": wrap})
    vault.answer("PUT", "sys/wrapping/unwrap", {"auth": AUTH})
    assert strongroom(*LOGIN, "-wrap-ttl=1m", VAULT_TOKEN="").out == TEXT
    assert vault.asked[1].headers["X-Vault-Token"] == "hvs.wrap"
    assert "X-Vault-Wrap-TTL" not in vault.asked[1].headers
    assert (tmp_path / ".vault-token").read_text() == "hvs.new"
    assert strongroom(*LOGIN, "-wrap-ttl=1m", "-token-only").out == "hvs.wrap"
    assert "wrapping_token:" in strongroom(*LOGIN, "-wrap-ttl=1m", "-no-store").out


@pytest.mark.parametrize(("words", "stdin"), [(["hvs.t"], b""), (["token=hvs.t"], b""), (["-"], b"hvs.t\n")])
def test_token(strongroom, vault: FakeVault, tmp_path: Path, words: list[str], stdin: bytes) -> None:
    data = {"id": "hvs.t", "accessor": "acc", "policies": ["root"], "ttl": 0, "renewable": False}
    vault.answer("GET", "auth/token/lookup-self", {"data": data})
    out = strongroom("login", *words, stdin=stdin, VAULT_TOKEN="").out
    assert "token_duration       ∞\n" in out
    assert vault.asked[0].headers["X-Vault-Token"] == "hvs.t"
    assert (tmp_path / ".vault-token").read_text() == "hvs.t"


def test_refused_token_is_not_kept(strongroom, vault: FakeVault, tmp_path: Path) -> None:
    vault.answer("GET", "auth/token/lookup-self", {"errors": ["permission denied"]}, status=403)
    outcome = strongroom("login", "hvs.t", VAULT_TOKEN="")
    assert outcome.code == 2
    assert outcome.err.startswith("Error authenticating: error looking up token: Error making API request.")
    assert "hvs.t" not in outcome.err.replace(vault.address, "")
    assert not (tmp_path / ".vault-token").exists()


def test_without_lookup(strongroom, vault: FakeVault, tmp_path: Path) -> None:
    strongroom("login", "token=hvs.t", "lookup=false")
    assert vault.asked == []
    assert (tmp_path / ".vault-token").read_text() == "hvs.t"


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["-method=nope"], 1, 'Unknown auth method: nope. Use "vault auth list"'),
        (["-method=userpass", "password=x"], 2, "Error authenticating: 'username' must be specified\n"),
        (["-method=userpass", "username=a"], 2, "Error authenticating: file descriptor 0 is not a terminal\n"),
        (["-method=userpass", "-non-interactive", "username=a"], 2, "refusing to pull from stdin"),
        (["a", "b"], 1, 'Error parsing configuration: invalid key/value pair "b": format must be key=value\n'),
    ],
)
def test_mistakes(strongroom, vault: FakeVault, words: list[str], code: int, text: str) -> None:
    outcome = strongroom("login", *words)
    assert outcome.code == code
    assert text in outcome.err
    assert vault.asked == []


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (["-method=ldap", "username=ann"], "auth/ldap/login/ann", {"password": "pw"}),
        (["-method=radius", "username=ann"], "auth/radius/login/ann", {"password": "pw"}),
        (["-method=ldap", "-path=corp/", "username=Ann"], "auth/corp/login/Ann", {"password": "pw"}),
        (["-method=approle", "role_id=r", "secret_id=s"], "auth/approle/login", {"role_id": "r", "secret_id": "s"}),
        (["-method=jwt", "jwt=j", "role=r"], "auth/jwt/login", {"jwt": "j", "role": "r"}),
        (["-method=cert", "name=n"], "auth/cert/login", {"name": "n"}),
        (["-method=github", "token=g"], "auth/github/login", {"token": "g"}),
    ],
)
def test_methods(strongroom, vault: FakeVault, words: list[str], path: str, body: dict[str, str]) -> None:
    vault.answer("PUT", path, {"auth": AUTH})
    words = [*words, "password=pw"] if "password" in body else words
    assert strongroom("login", *words).code == 0
    assert vault.asked[0].json == body


def test_password_is_asked_for_without_echo(vault: FakeVault, tmp_path: Path) -> None:
    """A real terminal: what is typed must not come back from it."""
    vault.answer("PUT", "auth/userpass/login/ann", {"auth": AUTH})
    master, slave = pty.openpty()
    out, err = io.StringIO(), io.StringIO()
    environment = {"VAULT_ADDR": vault.address, "HOME": str(tmp_path)}
    codes: list[int] = []
    with os.fdopen(slave, "rb", buffering=0) as terminal:
        streams = Streams(terminal, out, err)
        words = ["login", "-method=userpass", "username=ann"]
        thread = threading.Thread(target=lambda: codes.append(run(words, environment, streams, "vault")))
        thread.start()
        while "Password (will be hidden): " not in err.getvalue():
            assert thread.is_alive()
        _wait_for_no_echo(slave, thread)
        os.write(master, b"s3cret\n")
        thread.join(20)
        os.set_blocking(master, False)
        try:
            echoed = os.read(master, 1000)
        except BlockingIOError:
            echoed = b""
    os.close(master)
    assert codes == [0]
    assert vault.asked[0].json == {"password": "s3cret"}
    assert b"s3cret" not in echoed
    assert "s3cret" not in out.getvalue() + err.getvalue()


def _wait_for_no_echo(descriptor: int, thread: threading.Thread) -> None:
    import termios

    while termios.tcgetattr(descriptor)[3] & termios.ECHO:
        assert thread.is_alive()


def test_auth_help(strongroom, vault: FakeVault) -> None:
    assert strongroom("auth", "help", "userpass").out.startswith("Usage: vault login -method=userpass [CONFIG K=V...]")
    vault.answer("GET", "sys/auth", {"data": {"corp/": {"type": "ldap"}}})
    assert "-method=ldap" in strongroom("auth", "help", "corp").out
    outcome = strongroom("auth", "help", "nope")
    assert (outcome.code, outcome.err) == (1, 'No auth method available on the server at "nope/"\n')
