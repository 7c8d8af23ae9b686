"""token and lease commands."""

import pytest
from support.fake_vault import FakeVault


def test_create(strongroom, vault: FakeVault) -> None:
    vault.answer("POST", "auth/token/create", {"auth": {"client_token": "hvs.c"}})
    flags = ["-policy=a", "-policy=b", "-ttl=1h", "-metadata=k=v", "-orphan", "-use-limit=5", "-display-name=ci"]
    assert strongroom("token", "create", *flags, "-renewable=false", "-field=token").out == "hvs.c"
    assert vault.asked[0].json == {
        "policies": ["a", "b"],
        "meta": {"k": "v"},
        "ttl": "1h0m0s",
        "explicit_max_ttl": "0s",
        "period": "0s",
        "no_parent": True,
        "display_name": "ci",
        "num_uses": 5,
        "renewable": False,
        "type": "service",
        "entity_alias": "",
    }
    strongroom("token", "create", "-role=ci")
    assert vault.paths()[-1] == "POST auth/token/create/ci"


@pytest.mark.parametrize(
    ("words", "asked", "body"),
    [
        (["lookup"], "GET auth/token/lookup-self", None),
        (["lookup", "t"], "POST auth/token/lookup", {"token": "t"}),
        (["lookup", "-accessor", "a"], "POST auth/token/lookup-accessor", {"accessor": "a"}),
        (["renew"], "PUT auth/token/renew-self", {"increment": 0}),
        (["renew", "-increment=1h", "t"], "PUT auth/token/renew", {"increment": 3600, "token": "t"}),
        (["renew", "a", "-accessor"], "POST auth/token/renew-accessor", {"accessor": "a", "increment": 0}),
        (["revoke", "t"], "PUT auth/token/revoke", {"token": "t"}),
        (["revoke", "-self"], "PUT auth/token/revoke-self", None),
        (["revoke", "-accessor", "a"], "POST auth/token/revoke-accessor", {"accessor": "a"}),
        (["revoke", "-mode=orphan", "t"], "PUT auth/token/revoke-orphan", {"token": "t"}),
        (["revoke", "-mode=path", "p"], "PUT sys/leases/revoke-prefix/p", None),
    ],
)
def test_requests(strongroom, vault: FakeVault, words: list[str], asked: str, body: object) -> None:
    method, path = asked.split()
    vault.answer(method, path, {"data": {}})
    assert strongroom("token", *words).code == 0
    assert vault.paths() == [asked]
    assert vault.asked[0].json == body


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "Not enough arguments (expected 1 or -self, got 0)"),
        (["-self", "t"], "Too many arguments with -self (expected 0, got 1)"),
        (["a", "b"], "Too many arguments (expected 1 or -self, got 2)"),
        (["-mode=foo", "t"], "Invalid mode: foo"),
        (["-self", "-accessor"], "Cannot use -self with -accessor"),
        (["-accessor", "-mode=path", "t"], "Cannot use -accessor with -mode=path"),
    ],
)
def test_revoke_mistakes(strongroom, vault: FakeVault, words: list[str], text: str) -> None:
    outcome = strongroom("token", "revoke", *words)
    assert (outcome.code, outcome.err) == (1, text + "\n")
    assert vault.asked == []


def test_lookup_table(strongroom, vault: FakeVault) -> None:
    vault.answer(
        "GET", "auth/token/lookup-self", {"data": {"creation_ttl": 3600, "meta": None, "policies": ["root"], "ttl": 0}}
    )
    assert strongroom("token", "lookup").out == (
        "Key             Value\n---             -----\ncreation_ttl    1h\nmeta            <nil>\n"
        "policies        [root]\nttl             0s\n"
    )


def test_capabilities(strongroom, vault: FakeVault) -> None:
    vault.answer("POST", "sys/capabilities-self", {"data": {"capabilities": ["update", "read"]}})
    vault.answer("POST", "sys/capabilities", {"capabilities": ["deny"]})
    assert strongroom("token", "capabilities", "x").out == "read, update\n"
    assert strongroom("token", "capabilities", "-format=json", "x").out == '[\n  "read",\n  "update"\n]\n'
    assert strongroom("token", "capabilities", "t", "x").out == "deny\n"
    assert vault.asked[-1].json == {"token": "t", "path": "x"}


@pytest.mark.parametrize(
    ("words", "asked", "body", "text"),
    [
        (["l"], "PUT sys/leases/revoke/l", {"sync": False}, "All revocation operations queued successfully!"),
        (["-sync", "l"], "PUT sys/leases/revoke/l", {"sync": True}, "Success! Revoked lease: l"),
        (
            ["-prefix", "p"],
            "PUT sys/leases/revoke-prefix/p",
            {"sync": False},
            "All revocation operations queued successfully!",
        ),
        (
            ["-prefix", "-sync", "p"],
            "PUT sys/leases/revoke-prefix/p",
            {"sync": True},
            "Success! Revoked any leases with prefix: p",
        ),
        (
            ["-prefix", "-f", "p"],
            "PUT sys/leases/revoke-force/p",
            None,
            "Success! Force revoked any leases with prefix: p",
        ),
    ],
)
def test_lease_revoke(strongroom, vault: FakeVault, words: list[str], asked: str, body: object, text: str) -> None:
    vault.answer(*asked.split(), status=204)
    outcome = strongroom("lease", "revoke", *words)
    assert (outcome.code, outcome.out) == (0, text + "\n")
    assert vault.asked[0].json == body


def test_leases(strongroom, vault: FakeVault) -> None:
    vault.answer("PUT", "sys/leases/lookup", {"data": {"id": "l", "ttl": 60}})
    vault.answer("PUT", "sys/leases/renew", {"lease_id": "l", "lease_duration": 60, "renewable": True, "data": None})
    assert strongroom("lease", "lookup", "l").out.endswith("ttl    1m\n")
    assert "lease_duration     1m" in strongroom("lease", "renew", "-increment=1m", "l").out
    assert vault.asked[-1].json == {"increment": 60, "lease_id": "l"}
    strongroom("renew", "l", "30")
    assert vault.asked[-1].json == {"increment": 30, "lease_id": "l"}
    assert strongroom("lease", "lookup").err == "Missing ID!\n"
    assert strongroom("lease", "revoke", "-force", "l").err == "Specifying -force requires also specifying -prefix\n"
