"""read, write, delete, list, patch, unwrap: output to the letter."""

import pytest
from support.fake_vault import FakeVault

ENVELOPE = {"request_id": "r1", "lease_id": "", "lease_duration": 0, "renewable": False, "warnings": None}


def test_read_table(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "kv/foo", {**ENVELOPE, "lease_duration": 2764800, "data": {"b": None, "a": ["x", 1], "c": ""}})
    outcome = strongroom("read", "kv/foo")
    assert outcome == type(outcome)(
        0,
        "Key                 Value\n"
        "---                 -----\n"
        "refresh_interval    768h\n"
        "a                   [x 1]\n"
        "b                   <nil>\n"
        "c                   n/a\n",
        "",
    )


def test_read_leased_table(strongroom, vault: FakeVault) -> None:
    body = {
        **ENVELOPE,
        "lease_id": "db/creds/ro/1",
        "lease_duration": 3600,
        "renewable": True,
        "data": {"username": "u"},
    }
    vault.answer("GET", "db/creds/ro", body)
    assert strongroom("read", "db/creds/ro").out == (
        "Key                Value\n"
        "---                -----\n"
        "lease_id           db/creds/ro/1\n"
        "lease_duration     1h\n"
        "lease_renewable    true\n"
        "username           u\n"
    )


def test_read_json_and_yaml(strongroom, vault: FakeVault) -> None:
    vault.answer(
        "GET", "x", {**ENVELOPE, "data": {"b": "<é>", "a": {"z": 1, "y": "1"}}, "auth": None, "wrap_info": None}
    )
    assert strongroom("read", "-format=json", "x").out == (
        '{\n  "request_id": "r1",\n  "lease_id": "",\n  "lease_duration": 0,\n  "renewable": false,\n'
        '  "data": {\n    "a": {\n      "y": "1",\n      "z": 1\n    },\n    "b": "\\u003cé\\u003e"\n  },\n'
        '  "warnings": null\n}\n'
    )
    assert strongroom("read", "x", VAULT_FORMAT="yaml").out == (
        'data:\n  a:\n    "y": "1"\n    z: 1\n  b: <é>\nlease_duration: 0\nlease_id: ""\nrenewable: false\n'
        "request_id: r1\nwarnings: null\n"
    )


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["-field=k"], "v"),
        (["-field=n"], "3600"),
        (["-field=l"], "[a map[b:<nil>]]"),
        (["-field=t"], "true"),
        (["-field=empty"], ""),
        (["-field=k", "-format=json"], '"v"'),
        (["-field=request_id"], "r1"),
        (["-field=refresh_interval"], "60"),
    ],
)
def test_read_field(strongroom, vault: FakeVault, words: list[str], out: str) -> None:
    data = {"k": "v", "n": 3600, "l": ["a", {"b": None}], "t": True, "empty": ""}
    vault.answer("GET", "x", {**ENVELOPE, "lease_duration": 60, "data": data})
    outcome = strongroom("read", *words, "x")
    assert (outcome.code, outcome.out, outcome.err) == (0, out, "")


def test_missing_field(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "x", {**ENVELOPE, "data": {"k": None}})
    for name in ("k", "nope"):
        outcome = strongroom("read", f"-field={name}", "x")
        assert (outcome.code, outcome.err) == (1, f'Field "{name}" not present in secret\n')


def test_read_raw_and_pretty(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "x", b'{"data": {"a":1}}\n')
    assert strongroom("read", "-format=raw", "x").out == '{"data": {"a":1}}\n'
    assert strongroom("read", "-format=pretty", "x").code == 1


def test_read_parameters(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "x", {**ENVELOPE, "data": {}})
    strongroom("read", "x", "b=2", "a=1", "a=3")
    assert vault.paths() == ["GET x?a=1&a=3&b=2"]


def test_body_without_envelope(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "sys/health", {"sealed": False, "version": "1"})
    assert strongroom("read", "sys/health").out.endswith("sealed     false\nversion    1\n")


@pytest.mark.parametrize("errors", [[], ["no handler for route"]])
def test_nothing_found(strongroom, vault: FakeVault, errors: list[str]) -> None:
    vault.answer("GET", "x", {"errors": errors}, status=404)
    outcome = strongroom("read", "/x/")
    assert (outcome.code, outcome.out, outcome.err) == (2, "", "No value found at x\n")


def test_warnings_are_wrapped_on_standard_error(strongroom, vault: FakeVault) -> None:
    text = "word " * 20
    vault.answer("GET", "x", {"warnings": [text], "data": None}, status=404)
    outcome = strongroom("read", "x")
    assert outcome.code == 0
    assert outcome.err == (
        "WARNING! The following warnings were returned from Vault:\n\n"
        "  * word word word word word word word word word word word word word word word\n"
        "  word word word word word\n\n"
    )


def test_api_error(strongroom, vault: FakeVault) -> None:
    vault.answer("PUT", "x", {"errors": ["bad"]}, status=400)
    outcome = strongroom("write", "x", "a=b")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"Error writing data to x: Error making API request.\n\nURL: PUT {vault.address}/v1/x\n"
        "Code: 400. Errors:\n\n* bad\n"
    )


def test_write(strongroom, vault: FakeVault) -> None:
    vault.answer("PUT", "x", status=204)
    assert strongroom("write", "x", "a=b", "a=c", "d=-", stdin=b"in").out == "Success! Data written to: x\n"
    assert vault.asked[0].json == {"a": ["b", "c"], "d": "in"}
    assert strongroom("write", "-format=json", "x", "a=b").out == ""
    assert strongroom("write", "-f", "x").code == 0
    assert vault.asked[2].body == b""


def test_write_that_answers(strongroom, vault: FakeVault) -> None:
    auth = {"client_token": "hvs.1", "accessor": "acc", "policies": ["a", "root"], "token_policies": ["a"]}
    auth |= {"identity_policies": None, "metadata": {"u": "x"}, "lease_duration": 0, "renewable": False}
    vault.answer("PUT", "login", {"auth": auth})
    assert strongroom("write", "-f", "login").out == (
        "Key                  Value\n"
        "---                  -----\n"
        "token                hvs.1\n"
        "token_accessor       acc\n"
        "token_duration       ∞\n"
        "token_renewable      false\n"
        'token_policies       ["a"]\n'
        "identity_policies    []\n"
        'policies             ["a" "root"]\n'
        "token_meta_u         x\n"
    )
    assert strongroom("write", "-f", "-field=token", "login").out == "hvs.1"


def test_wrapped(strongroom, vault: FakeVault) -> None:
    wrap = {"token": "hvs.w", "accessor": "acc", "ttl": 300, "creation_path": "x"}
    wrap["creation_time"] = "2026-11-23T19:34:08.997777793Z"
    vault.answer("GET", "x", {"wrap_info": wrap})
    assert strongroom("read", "-wrap-ttl=5m", "x").out == (
        "Key                              Value\n"
        "---                              -----\n"
        "wrapping_token:                  hvs.w\n"
        "wrapping_accessor:               acc\n"
        "wrapping_token_ttl:              5m\n"
        "wrapping_token_creation_time:    2026-11-23 19:34:08.997777793 +0000 UTC\n"
        "wrapping_token_creation_path:    x\n"
    )
    assert vault.asked[0].headers["X-Vault-Wrap-TTL"] == "5m0s"
    assert strongroom("read", "-wrap-ttl=300", "-field=wrapping_token", "x").out == "hvs.w"


def test_delete(strongroom, vault: FakeVault) -> None:
    vault.answer("DELETE", "x", status=204)
    assert strongroom("delete", "x").out == "Success! Data deleted (if it existed) at: x\n"
    assert strongroom("delete", "-format=json", "x").out == ""


def test_list(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "x?list=true", {"data": {"keys": ["a", "b/"]}})
    assert strongroom("list", "x/").out == "Keys\n----\na\nb/\n"
    assert strongroom("list", "-format=json", "x").out == '[\n  "a",\n  "b/"\n]\n'
    assert strongroom("list", "-format=yaml", "x").out == "- a\n- b/\n"
    strongroom("list", "-after=a", "-limit=5", "x")
    assert vault.paths()[-1] == "GET x?after=a&limit=5&list=true"


def test_list_nothing(strongroom, vault: FakeVault) -> None:
    outcome = strongroom("list", "x")
    assert (outcome.code, outcome.err) == (2, "No value found at x\n")
    outcome = strongroom("list", "-format=json", "x")
    assert (outcome.code, outcome.out) == (2, "{}\n")


def test_list_detailed(strongroom, vault: FakeVault) -> None:
    info = {"a": {"name": "n", "t": None}, "b": {"name": "m"}}
    vault.answer("GET", "x?list=true", {"data": {"keys": ["a", "b"], "key_info": info}})
    assert (
        strongroom("list", "-detailed", "x").out
        == "Keys    name    t\n----    ----    -\na       n       <nil>\nb       m       <nil>\n"
    )


def test_patch_sends_a_merge(strongroom, vault: FakeVault) -> None:
    vault.answer("PATCH", "x", status=204)
    assert strongroom("patch", "x", "a=b").out == "Success! Data written to: x\n"
    assert vault.asked[0].headers["Content-Type"] == "application/merge-patch+json"


def test_unwrap(strongroom, vault: FakeVault) -> None:
    vault.answer("PUT", "sys/wrapping/unwrap", {**ENVELOPE, "data": {"a": "b"}})
    assert strongroom("unwrap", "hvs.w", "-field=a").out == "b"
    assert vault.asked[0].json == {"token": "hvs.w"}
    strongroom("unwrap", "hvs.w", VAULT_TOKEN="")
    assert vault.asked[1].body == b""
    assert vault.asked[1].headers["X-Vault-Token"] == "hvs.w"
    strongroom("unwrap", VAULT_WRAP_TTL="1m")
    assert "X-Vault-Wrap-TTL" not in vault.asked[2].headers


def test_output_policy(strongroom) -> None:
    assert (
        strongroom("read", "-output-policy", "sys/audit").out
        == 'path "sys/audit" {\n  capabilities = ["read", "sudo"]\n}\n'
    )
    assert '["list"]' in strongroom("list", "-output-policy", "x").out
    assert '["create", "update"]' in strongroom("write", "-output-policy", "x", "a=b").out
    assert '["patch"]' in strongroom("patch", "-output-policy", "x", "a=b").out
    assert '["delete"]' in strongroom("delete", "-output-policy", "x").out
    assert strongroom("read", "-output-policy", 'a"b').out.startswith('path "a\\"b" {')


def test_client_flags(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "x", {"data": {"a": "b"}})
    flags = ["-ns=team", "-mfa=m:1", "-header=Foo=1", "-policy-override", "-unlock-key=u", "-non-interactive"]
    strongroom("read", *flags, "x", VAULT_ADDR="http://127.0.0.1:1", VAULT_AGENT_ADDR=vault.address)
    headers = vault.asked[0].headers
    assert headers["X-Vault-Namespace"] == "team/"
    assert headers["X-Vault-MFA"] == "m:1"
    assert headers["X-Vault-Policy-Override"] == "true"
    assert headers["Foo"] == "1"
    assert strongroom("read", f"-address={vault.address}", "-field=a", "x", VAULT_ADDR="http://127.0.0.1:1").out == "b"
    assert strongroom("read", "-header=X-Vault-Foo=1", "x").code == 2
    assert strongroom("read", "-wrap-ttl=soon", "x").code == 2


def test_bad_token_is_not_sent(strongroom, vault: FakeVault) -> None:
    outcome = strongroom("read", "x", VAULT_TOKEN="a\nb")
    assert outcome.code == 2
    assert "non-printable" in outcome.err
    assert vault.asked == []
