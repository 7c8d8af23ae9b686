"""secrets, auth, audit, policy, plugin, namespace and other small commands."""

import json
from pathlib import Path

import pytest
from support.fake_vault import FakeVault

MOUNTS = {
    "sys/": {"type": "system", "accessor": "system_1", "description": "system", "config": {}, "options": None},
    "secret/": {
        "type": "kv",
        "accessor": "kv_1",
        "description": "",
        "config": {"default_lease_ttl": 3600, "max_lease_ttl": 0, "force_no_cache": False, "listing_visibility": ""},
        "options": {"version": "2"},
        "uuid": "u",
        "local": False,
    },
}


def test_secrets_list(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "sys/mounts", {**MOUNTS, "request_id": "r", "data": MOUNTS})
    assert strongroom("secrets", "list").out == (
        "Path       Type      Accessor    Description\n"
        "----       ----      --------    -----------\n"
        "secret/    kv        kv_1        n/a\n"
        "sys/       system    system_1    system\n"
    )
    detailed = strongroom("secrets", "list", "-detailed").out.splitlines()
    assert detailed[2].split()[:5] == ["secret/", "kv", "kv_1", "3600", "system"]
    assert detailed[3].split()[:5] == ["sys/", "system", "system_1", "n/a", "n/a"]
    body = json.loads(strongroom("secrets", "list", "-format=json").out)
    assert list(body) == ["secret/", "sys/"]
    assert list(body["secret/"])[:5] == ["uuid", "type", "description", "accessor", "config"]
    assert body["sys/"]["deprecation_status"] == ""


@pytest.mark.parametrize(
    ("group", "prefix", "enabled", "tuned", "disabled"),
    [
        (
            "secrets",
            "sys/mounts/",
            "Success! Enabled the kv secrets engine at: x/",
            "secrets engine",
            "the secrets engine",
        ),
        ("auth", "sys/auth/", "Success! Enabled kv auth method at: x/", "auth method", "the auth method"),
    ],
)
def test_mount_commands(
    strongroom, vault: FakeVault, group: str, prefix: str, enabled: str, tuned: str, disabled: str
) -> None:
    vault.answer("POST", f"{prefix}x", status=204)
    vault.answer("DELETE", f"{prefix}x", status=204)
    tune = "sys/mounts/x/tune" if group == "secrets" else "sys/mounts/auth/x/tune"
    vault.answer("POST", tune, status=204)
    flags = ["-path=x/", "-version=2", "-default-lease-ttl=1h", "-description=d", "-options=a=b", "-local"]
    assert strongroom(group, "enable", *flags, "kv").out == enabled + "\n"
    assert vault.asked[0].json == {
        "type": "kv",
        "description": "d",
        "config": {"options": None, "default_lease_ttl": "1h0m0s", "max_lease_ttl": "0s", "force_no_cache": False},
        "local": True,
        "seal_wrap": False,
        "external_entropy_access": False,
        "options": {"a": "b", "version": "2"},
    }
    tune_flags = ["-max-lease-ttl=2h", "-default-lease-ttl=-1", "-audit-non-hmac-request-keys=k", "-description="]
    assert strongroom(group, "tune", *tune_flags, "x").out == f"Success! Tuned the {tuned} at: x/\n"
    assert vault.asked[1].json == {
        "options": None,
        "default_lease_ttl": "system",
        "description": "",
        "max_lease_ttl": "2h0m0s",
        "force_no_cache": False,
        "audit_non_hmac_request_keys": ["k"],
    }
    assert strongroom(group, "disable", "/x").out == f"Success! Disabled {disabled} (if it existed) at: x/\n"


def test_auth_tune_lockout(strongroom, vault: FakeVault) -> None:
    vault.answer("POST", "sys/mounts/auth/userpass/tune", status=204)
    flags = [
        "-user-lockout-threshold=3",
        "-user-lockout-duration=10m",
        "-user-lockout-disable=false",
        "-token-type=batch",
    ]
    strongroom("auth", "tune", *flags, "userpass")
    body = vault.asked[0].json
    assert body["user_lockout_config"] == {
        "lockout_threshold": "3",
        "lockout_duration": "10m0s",
        "lockout_disable": False,
    }
    assert body["token_type"] == "batch"


def test_auth_list(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "sys/auth", {"token/": {"type": "token", "accessor": "a", "description": "d", "config": {}}})
    assert strongroom("auth", "list").out == (
        "Path      Type     Accessor    Description    Version\n"
        "----      ----     --------    -----------    -------\n"
        "token/    token    a           d              n/a\n"
    )


def test_move(strongroom, vault: FakeVault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    vault.answer("POST", "sys/remount", {"migration_id": "m"})
    vault.answer("GET", "sys/remount/status/m", {"data": {"migration_info": {"status": "in-progress"}}})
    vault.answer("GET", "sys/remount/status/m", {"data": {"migration_info": {"status": "success"}}})
    assert strongroom("secrets", "move", "a", "b/").out == (
        "Started moving secrets engine a/ to b/, with migration ID m\n"
        "Waiting for terminal status in migration of secrets engine a/ to b/, with migration ID m\n"
        "Success! Finished moving secrets engine a/ to b/, with migration ID m\n"
    )
    assert vault.asked[0].json == {"from": "a/", "to": "b/"}
    vault.answers.clear()
    vault.answer("POST", "sys/remount", {"migration_id": "m"})
    vault.answer("GET", "sys/remount/status/m", {"data": {"migration_info": {"status": "failure"}}})
    assert strongroom("auth", "move", "a", "b").code == 2
    assert vault.asked[-2].json == {"from": "auth/a/", "to": "auth/b/"}


def test_audit(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "sys/audit", {"data": {}})
    outcome = strongroom("audit", "list")
    assert (outcome.code, outcome.out) == (2, "No audit devices are enabled.\n")
    device = {"type": "file", "description": "", "options": {"file_path": "/x"}, "local": False, "path": "file/"}
    vault.answers[("GET", "sys/audit")].clear()
    vault.answer("GET", "sys/audit", {"data": {"file/": device}})
    assert strongroom("audit", "list").out == (
        "Path     Type    Description\n----     ----    -----------\nfile/    file    n/a\n"
    )
    assert "replicated     file_path=/x" in strongroom("audit", "list", "-detailed").out
    vault.answer("PUT", "sys/audit/f", status=204)
    assert strongroom("audit", "enable", "-path=f", "file", "file_path=/x").out == (
        "Success! Enabled the file audit device at: f/\n"
    )
    assert vault.asked[-1].json == {"type": "file", "description": "", "options": {"file_path": "/x"}, "local": False}
    vault.answer("DELETE", "sys/audit/f", status=204)
    assert strongroom("audit", "disable", "f").out == "Success! Disabled audit device (if it was enabled) at: f/\n"
    assert "audit type missing" in strongroom("audit", "enable").err


def test_policies(strongroom, vault: FakeVault, tmp_path: Path) -> None:
    path = tmp_path / "p.hcl"
    path.write_text('path "x" {}')
    vault.answer("PUT", "sys/policies/acl/app", status=204)
    outcome = strongroom("policy", "write", "App", str(path))
    assert outcome.out == "Success! Uploaded policy: app\n"
    assert outcome.err == 'Policy name was converted from "App" to "app"\n'
    strongroom("policy", "write", "app", "-", stdin=b"rules")
    assert vault.asked[-1].json == {"policy": "rules"}
    assert strongroom("policy", "write", "app", "/nonexistent").err == (
        "Error opening policy file: open /nonexistent: no such file or directory\n"
    )
    vault.answer("GET", "sys/policies/acl/app", {"data": {"name": "app", "policy": "\nrules\n"}})
    assert strongroom("policy", "read", "app").out == "rules\n"
    assert strongroom("policy", "read", "-format=json", "app").out == '{\n  "policy": "\\nrules\\n"\n}\n'
    outcome = strongroom("policy", "read", "nope")
    assert (outcome.code, outcome.err) == (2, "No policy named: nope\n")
    vault.answer("GET", "sys/policies/acl?list=true", {"data": {"keys": ["default", "root"]}})
    assert strongroom("policy", "list").out == "default\nroot\n"
    vault.answer("DELETE", "sys/policies/acl/app", status=204)
    assert strongroom("policy", "delete", "app").out == "Success! Deleted policy: app\n"


def test_path_help(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "secret?help=1", {"help": "## DESCRIPTION\n\ntext\n", "openapi": {"b": 1, "a": 2}})
    assert strongroom("path-help", "secret/").out == "## DESCRIPTION\n\ntext\n"
    assert strongroom("path-help", "-format=json", "secret").out == '{"a":2,"b":1}\n'


def test_plugins(strongroom, vault: FakeVault) -> None:
    detailed = [
        {"type": "secret", "name": "kv", "version": "v1"},
        {"type": "auth", "name": "userpass", "version": "v1"},
    ]
    vault.answer("GET", "sys/plugins/catalog", {"data": {"auth": ["userpass"], "secret": ["kv"], "detailed": detailed}})
    assert strongroom("plugin", "list").out == (
        "Name        Type      Version\n----        ----      -------\nuserpass    auth      v1\nkv          secret    v1\n"
    )
    assert strongroom("plugin", "list", "auth").out == "Name        Version\n----        -------\nuserpass    v1\n"
    vault.answer("GET", "sys/plugins/catalog/auth/userpass", {"data": {"args": None, "name": "userpass"}})
    assert "args    []" in strongroom("plugin", "info", "auth", "userpass").out
    assert strongroom("plugin", "info", "x", "y").err == '"x" is not a supported plugin type\n'
    vault.answer("PUT", "sys/plugins/reload/backend", status=204)
    assert strongroom("plugin", "reload", "-plugin=x").out == "Success! Reloaded plugin: x\n"


def test_namespaces(strongroom, vault: FakeVault) -> None:
    outcome = strongroom("namespace", "list")
    assert (outcome.code, outcome.err) == (2, "No namespaces found\n")
    assert strongroom("namespace", "lookup", "a").err == "Namespace not found\n"
    vault.answer("PUT", "sys/namespaces/a", {"data": {"id": "i", "path": "a/"}})
    assert "path    a/" in strongroom("namespace", "create", "a").out


def test_agents_are_absent(strongroom) -> None:
    for name in ("agent", "proxy"):
        outcome = strongroom(name, "-config=x.hcl")
        assert outcome.code == 1
        assert "is not part of this version" in outcome.err


def test_version_history(strongroom, vault: FakeVault) -> None:
    info = {"1.15.2": {"timestamp_installed": "t", "build_date": "b"}}
    vault.answer("GET", "sys/version-history?list=true", {"data": {"keys": ["1.15.2"], "key_info": info}})
    outcome = strongroom("version-history")
    assert (
        outcome.out
        == "Version  Installation Time  Build Date\n-------  -----------------  ----------\n1.15.2   t                  b\n"
    )
    assert "requires a server running Vault 1.10.0" in outcome.err


def test_monitor(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "sys/monitor?log_format=standard&log_level=debug", b"one\ntwo\n")
    assert strongroom("monitor", "-log-level=debug").out == "one\ntwo\n"
    assert strongroom("monitor", "-log-level=loud").code == 1


def test_debug(strongroom, vault: FakeVault, tmp_path: Path) -> None:
    vault.answer("GET", "sys/health", {"sealed": False})
    folder = tmp_path / "bundle"
    flags = ["-duration=0", "-compress=false", f"-output={folder}", "-target=server-status"]
    assert strongroom("debug", *flags).out == f"Success! Bundle written to: {folder}\n"
    assert json.loads((folder / "server_status.json").read_text())[0]["answer"] == {"sealed": False}
    assert strongroom("debug", *flags).code == 1
    packed = tmp_path / "packed"
    assert strongroom("debug", "-duration=0", f"-output={packed}", "-target=server-status").code == 0
    assert (tmp_path / "packed.tar.gz").stat().st_mode & 0o777 == 0o600
    assert not packed.exists()
