"""The kv commands, both versions of the engine."""

import pytest
from support.fake_vault import FakeVault

METADATA = {
    "created_time": "2026-11-23T19:34:06Z",
    "custom_metadata": None,
    "deletion_time": "",
    "destroyed": False,
    "version": 2,
}
METADATA_TABLE = (
    "======= Metadata =======\n"
    "Key                Value\n"
    "---                -----\n"
    "created_time       2026-11-23T19:34:06Z\n"
    "custom_metadata    <nil>\n"
    "deletion_time      n/a\n"
    "destroyed          false\n"
    "version            2\n"
)
PREFLIGHT = "sys/internal/ui/mounts/"


@pytest.fixture
def v2(vault: FakeVault) -> FakeVault:
    for path in ("secret/shared/app", "secret", "secret/b"):
        vault.answer("GET", PREFLIGHT + path, {"data": {"path": "secret/", "options": {"version": "2"}}})
    return vault


@pytest.fixture
def v1(vault: FakeVault) -> FakeVault:
    for path in ("kv/a", "kv"):
        vault.answer("GET", PREFLIGHT + path, {"data": {"path": "kv/", "options": None}})
    return vault


def test_get(strongroom, v2: FakeVault) -> None:
    v2.answer("GET", "secret/data/shared/app", {"data": {"data": {"k": "v2"}, "metadata": METADATA}})
    expected = (
        "===== Secret Path =====\nsecret/data/shared/app\n\n"
        + METADATA_TABLE
        + "\n== Data ==\nKey    Value\n---    -----\nk      v2\n"
    )
    assert strongroom("kv", "get", "secret/shared/app").out == expected
    assert strongroom("kv", "get", "-mount=secret", "shared/app").out == expected
    assert strongroom("kv", "get", "-field=k", "secret/shared/app").out == "v2"
    assert strongroom("kv", "get", "-field=version", "secret/shared/app").code == 1
    strongroom("kv", "get", "-version=1", "secret/shared/app")
    assert v2.paths()[-1] == "GET secret/data/shared/app?version=1"


def test_get_deleted_version_shows_metadata(strongroom, v2: FakeVault) -> None:
    v2.answer("GET", "secret/data/b", {"data": {"data": None, "metadata": METADATA}}, status=404)
    outcome = strongroom("kv", "get", "secret/b")
    assert (outcome.code, outcome.out) == (0, "== Secret Path ==\nsecret/data/b\n\n" + METADATA_TABLE + "\n")


def test_get_nothing(strongroom, v2: FakeVault) -> None:
    outcome = strongroom("kv", "get", "secret/b")
    assert (outcome.code, outcome.err) == (2, "No value found at secret/data/b\n")


def test_version_one(strongroom, v1: FakeVault) -> None:
    v1.answer("GET", "kv/a", {"data": {"b": "c"}})
    v1.answer("PUT", "kv/a", status=204)
    v1.answer("DELETE", "kv/a", status=204)
    v1.answer("GET", "kv?list=true", {"data": {"keys": ["a"]}})
    assert strongroom("kv", "get", "kv/a").out == "== Data ==\nKey    Value\n---    -----\nb      c\n"
    assert strongroom("kv", "put", "kv/a", "b=c").out == "Success! Data written to: kv/a\n"
    assert strongroom("kv", "delete", "kv/a").out == "Success! Data deleted (if it existed) at: kv/a\n"
    assert strongroom("kv", "list", "kv").out == "Keys\n----\na\n"
    for words in (["undelete", "-versions=1"], ["destroy", "-versions=1"]):
        outcome = strongroom("kv", *words, "kv/a")
        assert (outcome.code, outcome.err) == (1, f"{words[0].capitalize()} not supported on KV Version 1\n")
    assert strongroom("kv", "patch", "kv/a", "b=c").code == 2
    assert strongroom("kv", "rollback", "-version=1", "kv/a").code == 2
    assert strongroom("kv", "metadata", "get", "kv/a").code == 1


def test_put(strongroom, v2: FakeVault) -> None:
    v2.answer("PUT", "secret/data/b", {"data": METADATA})
    assert strongroom("kv", "put", "secret/b", "x=1").out == "== Secret Path ==\nsecret/data/b\n\n" + METADATA_TABLE
    assert v2.asked[-1].json == {"data": {"x": "1"}, "options": {}}
    strongroom("kv", "put", "-cas=0", "secret/b", "x=1")
    assert v2.asked[-1].json == {"data": {"x": "1"}, "options": {"cas": 0}}
    assert strongroom("kv", "put", "-field=version", "secret/b", "x=1").out == "2"
    assert strongroom("kv", "put", "secret/b").err == "Must supply data\n"


def test_preflight_is_neither_wrapped_nor_dry(strongroom, v2: FakeVault) -> None:
    outcome = strongroom("kv", "put", "-output-curl-string", "-wrap-ttl=1m", "secret/b", "x=1")
    assert v2.paths() == [f"GET {PREFLIGHT}secret/b"]
    assert "X-Vault-Wrap-TTL" not in v2.asked[0].headers
    assert outcome.out.startswith("curl -X PUT ")
    assert "/v1/secret/data/b" in outcome.out


def test_preflight_refused(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", PREFLIGHT + "x/y", {"errors": ["preflight capability check returned 403"]}, status=403)
    outcome = strongroom("kv", "get", "x/y")
    assert outcome.code == 2
    assert outcome.err.startswith("Error making API request.\n\nURL: GET ")


def test_server_without_preflight_has_version_one(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "old/a", {"data": {"b": "c"}})
    assert strongroom("kv", "get", "-field=b", "old/a").out == "c"


def test_patch(strongroom, v2: FakeVault) -> None:
    v2.answer("PATCH", "secret/data/b", {"data": METADATA})
    assert strongroom("kv", "patch", "-cas=2", "-remove-data=y", "secret/b", "x=1").code == 0
    assert v2.asked[-1].json == {"data": {"x": "1", "y": None}, "options": {"cas": 2}}


def test_patch_falls_back_to_reading_and_writing(strongroom, v2: FakeVault) -> None:
    v2.answer("PATCH", "secret/data/b", {"errors": ["permission denied"]}, status=403)
    v2.answer("GET", "secret/data/b", {"data": {"data": {"a": "1", "x": "0"}, "metadata": METADATA}})
    v2.answer("PUT", "secret/data/b", {"data": METADATA})
    assert strongroom("kv", "patch", "secret/b", "x=1").code == 0
    assert v2.asked[-1].json == {"data": {"a": "1", "x": "1"}, "options": {"cas": 2}}
    assert strongroom("kv", "patch", "-method=patch", "secret/b", "x=1").code == 2
    assert strongroom("kv", "patch", "-method=rw", "-remove-data=a", "secret/b").code == 0
    assert v2.asked[-1].json["data"] == {"x": "0"}
    assert strongroom("kv", "patch", "-method=other", "secret/b", "x=1").code == 2


def test_versions(strongroom, v2: FakeVault) -> None:
    for verb in ("delete", "undelete", "destroy"):
        v2.answer("PUT", f"secret/{verb}/b", status=204)
        outcome = strongroom("kv", verb, "-versions=1,2", "-versions", "3", "secret/b")
        assert outcome.code == 0
        assert v2.asked[-1].json == {"versions": ["1", "2", "3"]}
    assert strongroom("kv", "undelete", "secret/b").err.startswith("No versions provided")
    v2.answer("DELETE", "secret/data/b", status=204)
    assert strongroom("kv", "delete", "secret/b").out == "Success! Data deleted (if it existed) at: secret/data/b\n"


def test_rollback(strongroom, v2: FakeVault) -> None:
    v2.answer("GET", "secret/data/b?version=1", {"data": {"data": {"a": "1"}, "metadata": {"version": 1}}})
    v2.answer("GET", "secret/data/b", {"data": {"data": None, "metadata": METADATA}}, status=404)
    v2.answer("PUT", "secret/data/b", {"data": {"version": 3}})
    assert strongroom("kv", "rollback", "-version=1", "secret/b").code == 0
    assert v2.asked[-1].json == {"data": {"a": "1"}, "options": {"cas": 2}}
    assert strongroom("kv", "rollback", "secret/b").err == "Version flag must be specified\n"
    assert strongroom("kv", "rollback", "-version=0", "secret/b").code == 1


@pytest.mark.parametrize(("key", "word"), [("destroyed", "destroyed"), ("deletion_time", "deleted")])
def test_rollback_to_what_is_gone(strongroom, v2: FakeVault, key: str, word: str) -> None:
    v2.answer(
        "GET", "secret/data/b?version=1", {"data": {"data": None, "metadata": {"version": 1, key: "x"}}}, status=404
    )
    v2.answer("GET", "secret/data/b", {"data": {"data": {}, "metadata": METADATA}})
    outcome = strongroom("kv", "rollback", "-version=1", "secret/b")
    assert (outcome.code, outcome.err) == (2, f"Cannot roll back to a version that has been {word}\n")


def test_metadata(strongroom, v2: FakeVault) -> None:
    versions = {str(number): {"created_time": "t", "deletion_time": "", "destroyed": False} for number in (10, 9)}
    v2.answer(
        "GET", "secret/metadata/b", {"data": {"max_versions": 0, "current_metadata_version": 0, "versions": versions}}
    )
    out = strongroom("kv", "metadata", "get", "secret/b").out
    assert out.startswith(
        "== Metadata Path ==\nsecret/metadata/b\n\n============ Metadata ============\nKey                         Value\n",
    )
    assert out.index("====== Version 9 ======") < out.index("===== Version 10 =====")
    assert "deletion_time    n/a\n" in out
    v2.answer("PUT", "secret/metadata/b", status=204)
    flags = ["-max-versions=3", "-cas-required=false", "-delete-version-after=3h", "-custom-metadata=a=b"]
    assert (
        strongroom("kv", "metadata", "put", *flags, "secret/b").out == "Success! Data written to: secret/metadata/b\n"
    )
    assert v2.asked[-1].json == {
        "cas_required": False,
        "custom_metadata": {"a": "b"},
        "delete_version_after": "3h0m0s",
        "max_versions": 3,
    }
    v2.answer("PATCH", "secret/metadata/b", status=204)
    strongroom("kv", "metadata", "patch", "-remove-custom-metadata=a", "-custom-metadata=c=d", "secret/b")
    assert v2.asked[-1].json == {"custom_metadata": {"c": "d", "a": None}}
    v2.answer("DELETE", "secret/metadata/b", status=204)
    assert strongroom("kv", "metadata", "delete", "secret/b").code == 0


def test_list(strongroom, v2: FakeVault) -> None:
    v2.answer("GET", "secret/metadata?list=true", {"data": {"keys": ["a"]}})
    for words in (["secret"], ["secret/"], ["-mount=secret"], ["-mount=secret", ""]):
        assert strongroom("kv", "list", *words).out == "Keys\n----\na\n"
    assert strongroom("kv", "list").code == 1


def test_enable_versioning(strongroom, vault: FakeVault) -> None:
    vault.answer("POST", "sys/mounts/kv/tune", status=204)
    assert strongroom("kv", "enable-versioning", "kv").out == "Success! Tuned the secrets engine at: kv/\n"
    assert vault.asked[0].json == {"options": {"version": "2"}}
