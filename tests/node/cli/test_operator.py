"""init, rekey, generate-root, rotate, raft."""

import base64
import json
from pathlib import Path

import pytest
from support.fake_vault import FakeVault

from strongroom_node.cli.commands.generate_root import decode_token

INIT = {"keys": ["aa", "bb"], "keys_base64": ["qg==", "uw=="], "root_token": "hvs.root"}
INIT_TEXT = """\
Unseal Key 1: qg==
Unseal Key 2: uw==

Initial Root Token: hvs.root

Vault initialized with 2 key shares and a key threshold of 2. Please securely
distribute the key shares printed above. When the Vault is re-sealed,
restarted, or stopped, you must supply at least 2 of these keys to unseal it
before it can start servicing requests.

Vault does not store the generated root key. Without at least 2 keys to
reconstruct the root key, Vault will remain permanently sealed!

It is possible to generate new unseal keys, provided you have a quorum of
existing unseal keys shares. See "vault operator rekey" for more information.
"""


def test_init(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "sys/seal-status", {"recovery_seal": False})
    vault.answer("PUT", "sys/init", INIT)
    outcome = strongroom("operator", "init", "-key-shares=2", "-t", "2", VAULT_TOKEN="")
    assert (outcome.code, outcome.out) == (0, INIT_TEXT)
    assert vault.asked[1].json == {
        "secret_shares": 2,
        "secret_threshold": 2,
        "pgp_keys": None,
        "recovery_shares": 0,
        "recovery_threshold": 0,
        "recovery_pgp_keys": None,
        "root_token_pgp_key": "",
    }
    body = json.loads(strongroom("operator", "init", "-n=2", "-t=2", "-format=json").out)
    assert body == {
        "unseal_keys_b64": ["qg==", "uw=="],
        "unseal_keys_hex": ["aa", "bb"],
        "unseal_shares": 2,
        "unseal_threshold": 2,
        "recovery_keys_b64": [],
        "recovery_keys_hex": [],
        "recovery_keys_shares": 0,
        "recovery_keys_threshold": 0,
        "root_token": "hvs.root",
    }


def test_init_with_an_automatic_seal(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "sys/seal-status", {"recovery_seal": True, "type": "static"})
    vault.answer("PUT", "sys/init", {"recovery_keys_base64": ["qg=="], "root_token": "hvs.root", "keys": []})
    out = strongroom("operator", "init").out
    assert vault.asked[1].json["secret_shares"] == 0
    assert vault.asked[1].json["recovery_shares"] == 5
    assert out == (
        "Recovery Key 1: qg==\n\nInitial Root Token: hvs.root\n\nSuccess! Vault is initialized\n\n"
        "Recovery key initialized with 5 key shares and a key threshold of 3. Please\n"
        "securely distribute the key shares printed above.\n"
    )
    strongroom("operator", "init", "-key-shares=3")
    assert vault.asked[3].json["secret_shares"] == 3


def test_init_status(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "sys/init", {"initialized": False})
    vault.answer("GET", "sys/init", {"initialized": True})
    assert strongroom("operator", "init", "-status").code == 2
    outcome = strongroom("operator", "init", "-status")
    assert (outcome.code, outcome.out) == (0, "Vault is initialized\n")
    assert strongroom("operator", "init", "-status", "-format=json").out == '{\n  "Initialized": true\n}\n'


def test_init_pgp_keys(strongroom, vault: FakeVault, tmp_path: Path) -> None:
    vault.answer("GET", "sys/seal-status", {"recovery_seal": False})
    vault.answer("PUT", "sys/init", INIT)
    raw = bytes([0x99, 1, 2, 3])
    binary, text, armored = tmp_path / "binary", tmp_path / "text", tmp_path / "armored"
    binary.write_bytes(raw)
    text.write_text(base64.b64encode(raw).decode() + "\n")
    encoded = base64.b64encode(raw).decode()
    armored.write_text(
        f"-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: x\n\n{encoded}\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n",
    )
    strongroom("operator", "init", "-n=3", f"-pgp-keys={binary},@{text}", "-pgp-keys", str(armored))
    assert vault.asked[1].json["pgp_keys"] == [encoded] * 3
    outcome = strongroom("operator", "init", "-pgp-keys=/nonexistent")
    assert (outcome.code, outcome.err) == (
        1,
        'invalid value "/nonexistent" for flag -pgp-keys: open /nonexistent: no such file or directory\n',
    )


def test_key_status_and_rotate(strongroom, vault: FakeVault) -> None:
    status = {"term": 2, "install_time": "2026-11-23T19:34:03.093147384Z", "encryptions": 1}
    vault.answer("GET", "sys/key-status", {"data": status})
    vault.answer("PUT", "sys/rotate", status=204)
    table = "Key Term            2\nInstall Time        23 Nov 26 19:34 UTC\nEncryption Count    1\n"
    assert strongroom("operator", "key-status").out == table
    assert strongroom("operator", "rotate").out == "Success! Rotated key\n\n" + table
    assert json.loads(strongroom("operator", "rotate", "-format=json").out) == status


def test_rekey(strongroom, vault: FakeVault) -> None:
    status = {"nonce": "n1", "started": True, "t": 2, "n": 3, "progress": 0, "required": 2}
    status |= {"pgp_fingerprints": None, "backup": False, "verification_required": False}
    vault.answer("PUT", "sys/rekey/init", status)
    vault.answer("GET", "sys/rekey/init", status)
    outcome = strongroom("operator", "rekey", "-init", "-key-shares=3", "-key-threshold=2")
    assert outcome.err.startswith("WARNING! If you lose the keys after they are returned, there is no recovery.\n")
    assert outcome.out == (
        "Key                      Value\n"
        "---                      -----\n"
        "Nonce                    n1\n"
        "Started                  true\n"
        "Progress                 0/2\n"
        "New Shares               3\n"
        "New Threshold            2\n"
        "Verification Required    false\n"
    )
    assert strongroom("operator", "rekey", "a2V5").err == "Missing nonce value: specify it via the -nonce flag\n"
    vault.answer("PUT", "sys/rekey/update", {"complete": True, "nonce": "n1", "keys": ["aa"], "keys_base64": ["qg=="]})
    assert strongroom("operator", "rekey", "-nonce=n1", "-", stdin=b"a2V5\n").out == (
        "\nKey 1: qg==\n\nOperation nonce: n1\n\n"
        "Vault unseal keys rekeyed to 3 key shares and a key threshold of 2. Please\n"
        "securely distribute the key shares printed above. When Vault is re-sealed,\n"
        "restarted, or stopped, you must supply at least 2 of these keys to unseal it\n"
        "before it can start servicing requests.\n"
    )
    assert vault.asked[-1].json == {"key": "a2V5", "nonce": "n1"}


def test_rekey_paths(strongroom, vault: FakeVault) -> None:
    for words, asked in (
        (["-cancel"], "DELETE sys/rekey/init"),
        (["-cancel", "-verify"], "DELETE sys/rekey/verify"),
        (["-cancel", "-target=recovery"], "DELETE sys/rekey-recovery-key/init"),
        (["-backup-delete"], "DELETE sys/rekey/backup"),
        (["-backup-retrieve"], "GET sys/rekey/backup"),
        (["-status", "-verify"], "GET sys/rekey/verify"),
    ):
        strongroom("operator", "rekey", *words)
        assert vault.paths()[-1] == asked
    assert strongroom("operator", "rekey", "-init", "-target=foo").err == "Unknown target: foo\n"
    vault.answer("GET", "sys/rekey/init", {"started": False})
    outcome = strongroom("operator", "rekey", "-nonce=x", "a2V5")
    assert (outcome.code, outcome.err.startswith("No rekey is in progress.")) == (1, True)


def test_generate_root(strongroom, vault: FakeVault) -> None:
    status = {"nonce": "n1", "started": True, "progress": 0, "required": 3, "complete": False, "otp_length": 28}
    vault.answer("PUT", "sys/generate-root/attempt", {**status, "otp": "O" * 28})
    vault.answer("GET", "sys/generate-root/attempt", status)
    outcome = strongroom("operator", "generate-root", "-init")
    assert outcome.err.startswith("A One-Time-Password has been generated for you and is shown in the OTP field.\n")
    assert outcome.out == (
        "Nonce         n1\nStarted       true\nProgress      0/3\nComplete      false\n"
        f"OTP           {'O' * 28}\nOTP Length    28\n"
    )
    done = {**status, "progress": 3, "complete": True, "encoded_token": "abc", "encoded_root_token": "abc"}
    vault.answer("PUT", "sys/generate-root/update", done)
    out = strongroom("operator", "generate-root", "-nonce=n1", "a2V5").out
    assert "Progress         3/3\nComplete         true\nEncoded Token    abc\n" in out
    assert "Root Token" not in out
    assert len(strongroom("operator", "generate-root", "-generate-otp").out) == 28
    vault.answer("DELETE", "sys/generate-root/attempt", status=204)
    assert strongroom("operator", "generate-root", "-cancel").code == 0


def test_generate_root_not_started(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "sys/generate-root/attempt", {"started": False, "otp_length": 28})
    outcome = strongroom("operator", "generate-root", "a2V5")
    assert outcome.code == 1
    assert 'running "vault\noperator generate-root -init"' in outcome.err
    assert "28 characters" in outcome.err


def test_decode() -> None:
    token, otp = "hvs.abcdefghijklmnopqrstuvwx", "0123456789ABCDEFGHIJKLMNOPQR"
    hidden = base64.b64encode(bytes(a ^ b for a, b in zip(token.encode(), otp.encode(), strict=True))).decode()
    assert decode_token(hidden.rstrip("="), otp) == token
    for encoded, key in (("abc", "abc"), ("!!!", "abc"), ("", "a")):
        with pytest.raises(ValueError, match="error"):
            decode_token(encoded, key)


def test_decode_command(strongroom) -> None:
    outcome = strongroom("operator", "generate-root", "-decode=xx", "-otp=yy")
    assert (
        outcome.err
        == "Error decoding root token: error xoring token: length of byte slices is not equivalent: 1 != 2\n"
    )
    assert strongroom("operator", "generate-root", "-decode=xx").err == "Missing otp: use -otp to supply it\n"
    assert strongroom("operator", "generate-root", "-decode=-", "-otp=a", stdin=b"AA\n").out == "a\n"


def test_members(strongroom, vault: FakeVault) -> None:
    node = {"hostname": "vm", "api_address": "http://a", "cluster_address": "https://a", "active_node": True}
    vault.answer("GET", "sys/ha-status", {"nodes": [{**node, "version": "1.15.2", "last_echo": None}]})
    assert strongroom("operator", "members").out == (
        "Host Name    API Address    Cluster Address    Active Node    Version    Upgrade Version    Last Echo\n"
        "---------    -----------    ---------------    -----------    -------    ---------------    ---------\n"
        "vm           http://a       https://a          true           1.15.2     n/a                n/a\n"
    )


def test_raft(strongroom, vault: FakeVault) -> None:
    server = {"node_id": "n1", "address": "127.0.0.1:8201", "leader": True, "voter": True}
    vault.answer("GET", "sys/storage/raft/configuration", {"data": {"config": {"servers": [server]}}})
    assert strongroom("operator", "raft", "list-peers").out == (
        "Node    Address           State     Voter\n"
        "----    -------           -----     -----\n"
        "n1      127.0.0.1:8201    leader    true\n"
    )
    for verb in ("remove-peer", "promote", "demote"):
        vault.answer("PUT", f"sys/storage/raft/{verb}", status=204)
        assert "successfully!" in strongroom("operator", "raft", verb, "n1").out
        assert vault.asked[-1].json == {"server_id": "n1"}
    assert strongroom("operator", "raft", "promote").err == "Incorrect arguments (expected 1, got 0)\n"
    vault.answer("POST", "sys/storage/raft/join", {"joined": True})
    assert strongroom("operator", "raft", "join", "http://a").out.endswith("Joined    true\n")
    strongroom("operator", "raft", "join", "provider=aws tag=x")
    assert vault.asked[-1].json["auto_join"] == "provider=aws tag=x"


def test_no_raft(strongroom, vault: FakeVault) -> None:
    outcome = strongroom("operator", "raft", "list-peers")
    assert (outcome.code, outcome.err) == (2, "No raft cluster configuration found\n")
    assert strongroom("operator", "raft", "autopilot", "state").code == 0


def test_autopilot(strongroom, vault: FakeVault) -> None:
    server = {"id": "n1", "name": "n1", "address": "a:1", "status": "leader", "node_status": "alive", "healthy": True}
    state = {"healthy": True, "failure_tolerance": 0, "leader": "n1", "voters": ["n1"], "servers": {"n1": server}}
    vault.answer("GET", "sys/storage/raft/autopilot/state", {"data": state})
    out = strongroom("operator", "raft", "autopilot", "state").out
    assert out.startswith("Healthy:                         true\nFailure Tolerance:               0\n")
    assert "Servers:\n   n1\n      Name:              n1\n      Address:           a:1\n" in out
    body = json.loads(strongroom("operator", "raft", "autopilot", "state", "-format=json").out)
    assert body["FailureTolerance"] == 0
    assert body["Servers"]["n1"]["ID"] == "n1"
    vault.answer("PUT", "sys/storage/raft/autopilot/configuration", status=204)
    flags = ["-cleanup-dead-servers=false", "-min-quorum=3", "-last-contact-threshold=10s"]
    strongroom("operator", "raft", "autopilot", "set-config", *flags)
    assert vault.asked[-1].json == {"min_quorum": 3, "last_contact_threshold": "10s", "cleanup_dead_servers": False}


def test_snapshots(strongroom, vault: FakeVault, tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    vault.answer("GET", "sys/storage/raft/snapshot", content)
    vault.answer("PUT", "sys/storage/raft/snapshot-force", status=204)
    path = tmp_path / "backup.snap"
    assert strongroom("operator", "raft", "snapshot", "save", str(path)).code == 0
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o777 == 0o600
    assert strongroom("operator", "raft", "snapshot", "restore", "-force", str(path)).code == 0
    assert vault.asked[-1].body == content
    assert strongroom("operator", "raft", "snapshot", "restore", "/nonexistent").code == 2


def test_a_failed_snapshot_leaves_the_old_one(strongroom, vault: FakeVault, tmp_path: Path) -> None:
    vault.answer("GET", "sys/storage/raft/snapshot", {"errors": ["no"]}, status=500)
    path = tmp_path / "backup.snap"
    path.write_text("old")
    assert strongroom("operator", "raft", "snapshot", "save", str(path)).code == 2
    assert path.read_text() == "old"


def test_a_snapshot_is_written_through_no_link_and_into_nobodys_file(
    strongroom, vault: FakeVault, tmp_path: Path
) -> None:
    vault.answer("GET", "sys/storage/raft/snapshot", b"all")
    mine, path, partial = tmp_path / "mine", tmp_path / "backup.snap", tmp_path / "backup.snap.incomplete"
    mine.write_text("precious")
    partial.symlink_to(mine)
    assert strongroom("operator", "raft", "snapshot", "save", str(path)).code == 0
    assert (mine.read_text(), path.read_bytes(), path.is_symlink()) == ("precious", b"all", False)
    partial.write_text("left by a crash, or laid out by somebody")
    partial.chmod(0o666)
    assert strongroom("operator", "raft", "snapshot", "save", str(path)).code == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_diagnose_needs_a_configuration(strongroom) -> None:
    outcome = strongroom("operator", "diagnose")
    assert (outcome.code, outcome.err) == (3, "Must specify a configuration file using -config.\n")
