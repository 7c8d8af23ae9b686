"""status and operator unseal: the two tables of the seal."""

from support.fake_vault import FakeVault

SEALED = {
    "type": "shamir",
    "initialized": True,
    "sealed": True,
    "t": 3,
    "n": 5,
    "progress": 1,
    "nonce": "b485769a",
    "version": "1.15.2",
    "build_date": "2023-11-06T11:33:28Z",
    "migration": False,
    "recovery_seal": False,
    "storage_type": "raft",
}
UNSEALED = {**SEALED, "sealed": False, "progress": 0, "nonce": "", "cluster_name": "vault-cluster-83431480"} | {
    "cluster_id": "cb5929ce"
}
LEADER = {
    "ha_enabled": True,
    "is_self": True,
    "active_time": "2026-11-23T19:29:56.07926187Z",
    "leader_address": "http://127.0.0.1:8200",
    "leader_cluster_address": "https://127.0.0.1:8201",
    "performance_standby": False,
    "performance_standby_last_remote_wal": 0,
    "raft_committed_index": 29,
    "raft_applied_index": 29,
}
SEALED_TABLE = """\
Key                Value
---                -----
Seal Type          shamir
Initialized        true
Sealed             true
Total Shares       5
Threshold          3
Unseal Progress    1/3
Unseal Nonce       b485769a
Version            1.15.2
Build Date         2023-11-06T11:33:28Z
Storage Type       raft
HA Enabled         true
"""
UNSEALED_TABLE = """\
Key                     Value
---                     -----
Seal Type               shamir
Initialized             true
Sealed                  false
Total Shares            5
Threshold               3
Version                 1.15.2
Build Date              2023-11-06T11:33:28Z
Storage Type            raft
Cluster Name            vault-cluster-83431480
Cluster ID              cb5929ce
HA Enabled              true
HA Cluster              https://127.0.0.1:8201
HA Mode                 active
Active Since            2026-11-23T19:29:56.07926187Z
Raft Committed Index    29
Raft Applied Index      29
"""


def test_sealed(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "sys/seal-status", SEALED)
    vault.answer("GET", "sys/leader", {"errors": ["Vault is sealed"]}, status=503)
    outcome = strongroom("status")
    assert (outcome.code, outcome.out, outcome.err) == (2, SEALED_TABLE, "")


def test_unsealed(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "sys/seal-status", UNSEALED)
    vault.answer("GET", "sys/leader", LEADER)
    outcome = strongroom("status")
    assert (outcome.code, outcome.out) == (0, UNSEALED_TABLE)


def test_standby(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "sys/seal-status", UNSEALED)
    vault.answer("GET", "sys/leader", {**LEADER, "is_self": False, "active_time": "0001-01-01T00:00:00Z"})
    out = strongroom("status").out
    assert "HA Mode                 standby\nActive Node Address     http://127.0.0.1:8200\n" in out
    assert "Active Since" not in out


def test_recovery_seal(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "sys/seal-status", {**UNSEALED, "type": "awskms", "recovery_seal": True})
    vault.answer("GET", "sys/leader", {"ha_enabled": False})
    out = strongroom("status").out
    assert "Seal Type                awskms\nRecovery Seal Type       shamir\n" in out
    assert "Total Recovery Shares    5\n" in out


def test_json(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "sys/seal-status", {**SEALED, "cluster_name": ""})
    vault.answer("GET", "sys/leader", {"errors": ["Vault is sealed"]}, status=503)
    outcome = strongroom("status", "-format=json")
    assert outcome.code == 2
    assert outcome.out.startswith('{\n  "type": "shamir",\n  "initialized": true,\n  "sealed": true,\n  "t": 3,\n')
    assert "cluster_name" not in outcome.out
    assert outcome.out.endswith('  "storage_type": "raft",\n  "ha_enabled": true\n}\n')


def test_no_answer_is_exit_code_one(strongroom) -> None:
    outcome = strongroom("status", VAULT_ADDR="http://127.0.0.1:1")
    assert outcome.code == 1
    assert outcome.err == (
        'Error checking seal status: Get "http://127.0.0.1:1/v1/sys/seal-status": '
        "dial tcp 127.0.0.1:1: connect: connection refused\n"
    )


def test_unseal(strongroom, vault: FakeVault) -> None:
    vault.answer("PUT", "sys/unseal", SEALED)
    vault.answer("GET", "sys/leader", {"errors": ["Vault is sealed"]}, status=503)
    outcome = strongroom("operator", "unseal", "a2V5")
    assert (outcome.code, outcome.out) == (0, SEALED_TABLE)
    assert vault.asked[0].json == {"key": "a2V5", "reset": False, "migrate": False}
    strongroom("operator", "unseal", "-reset")
    assert vault.asked[2].json == {"reset": True}


def test_unseal_key_from_a_pipe_is_refused(strongroom, vault: FakeVault) -> None:
    outcome = strongroom("operator", "unseal", stdin=b"a2V5\n")
    assert outcome.code == 1
    assert "you should run the unseal command from a terminal" in outcome.err.lower().replace("\n", " ")
    assert strongroom("operator", "unseal", "-non-interactive").code == 1
    assert vault.asked == []


def test_seal_and_step_down(strongroom, vault: FakeVault) -> None:
    vault.answer("PUT", "sys/seal", status=204)
    vault.answer("PUT", "sys/step-down", status=204)
    assert strongroom("operator", "seal").out == "Success! Vault is sealed.\n"
    assert strongroom("operator", "step-down").out == f"Success! Stepped down: {vault.address}\n"
