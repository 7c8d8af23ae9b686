"""The programs people write with hvac, unmodified, against a real server process."""

from collections.abc import Callable, Iterator

import hvac
import hvac.exceptions as errors
import pytest

Open = Callable[..., hvac.Client]
Unique = Callable[[str], str]

READ_ONE_FOLDER = """
path "{mount}/data/team/*" {{ capabilities = ["create", "read", "update"] }}
path "{mount}/metadata/team/*" {{ capabilities = ["list", "read"] }}
path "sys/leases/*" {{ capabilities = ["update"] }}
"""


@pytest.fixture
def kv2(root: hvac.Client, unique: Unique) -> Iterator[str]:
    mount = unique("kv2")
    root.sys.enable_secrets_engine("kv", path=mount, options={"version": "2"})
    yield mount
    root.sys.disable_secrets_engine(mount)


@pytest.fixture
def kv1(root: hvac.Client, unique: Unique) -> Iterator[str]:
    mount = unique("kv1")
    root.sys.enable_secrets_engine("kv", path=mount, options={"version": "1"})
    yield mount
    root.sys.disable_secrets_engine(mount)


@pytest.fixture
def policy(root: hvac.Client, unique: Unique, kv2: str) -> Iterator[str]:
    name = unique("team")
    root.sys.create_or_update_policy(name, READ_ONE_FOLDER.format(mount=kv2))
    yield name
    root.sys.delete_policy(name)


@pytest.fixture
def userpass(root: hvac.Client, unique: Unique) -> Iterator[str]:
    mount = unique("userpass")
    root.sys.enable_auth_method("userpass", path=mount)
    yield mount
    root.sys.disable_auth_method(mount)


def test_server_state(root: hvac.Client) -> None:
    assert root.is_authenticated()
    assert root.sys.is_initialized()
    assert not root.sys.is_sealed()
    assert root.sys.read_health_status(method="GET")["sealed"] is False
    status = root.sys.read_seal_status()
    assert status["type"] == "shamir"
    assert status["t"] <= status["n"]


def test_wrong_token_is_not_authenticated(open_client: Open) -> None:
    assert not open_client("hvs.nobodyhasthistoken00000").is_authenticated()
    with pytest.raises(errors.Forbidden):
        open_client("hvs.nobodyhasthistoken00000").auth.token.lookup_self()


def test_token_login_renewal_and_revocation(root: hvac.Client, open_client: Open, policy: str) -> None:
    made = root.auth.token.create(policies=[policy], ttl="1h", renewable=True, meta={"team": "blue"})
    client = open_client(made["auth"]["client_token"])
    assert client.is_authenticated()
    itself = client.auth.token.lookup_self()["data"]
    assert itself["policies"] == sorted(["default", policy])
    assert itself["meta"] == {"team": "blue"}
    assert 3500 < itself["ttl"] <= 3600
    renewed = client.auth.token.renew_self(increment="30m")
    assert renewed["auth"]["lease_duration"] == 1800
    assert renewed["auth"]["client_token"] == client.token
    client.auth.token.revoke_self()
    with pytest.raises(errors.Forbidden):
        client.auth.token.lookup_self()


def test_token_accessors(root: hvac.Client, open_client: Open) -> None:
    made = root.auth.token.create(policies=["default"], ttl="10m")["auth"]
    assert root.auth.token.lookup_accessor(made["accessor"])["data"]["id"] == ""
    root.auth.token.revoke_accessor(made["accessor"])
    assert not open_client(made["client_token"]).is_authenticated()


def test_token_role(root: hvac.Client, unique: Unique) -> None:
    role = unique("role")
    root.auth.token.create_or_update_role(role, allowed_policies=["default"], orphan=True, path_suffix="svc")
    assert role in root.auth.token.list_roles()["data"]["keys"]
    made = root.auth.token.create(role_name=role, policies=["default"])["auth"]
    found = root.auth.token.lookup(made["client_token"])["data"]
    assert found["orphan"] is True
    assert found["role"] == role
    root.auth.token.delete_role(role)


def test_batch_token(root: hvac.Client, open_client: Open, kv2: str, policy: str) -> None:
    made = root.auth.token.create(policies=[policy], type="batch", ttl="10m")["auth"]
    assert made["accessor"] == ""
    client = open_client(made["client_token"])
    client.secrets.kv.v2.create_or_update_secret("team/a", {"x": "1"}, mount_point=kv2)
    assert client.auth.token.lookup_self()["data"]["type"] == "batch"


def test_userpass_login_renewal_and_password_change(
    root: hvac.Client, open_client: Open, userpass: str, policy: str
) -> None:
    root.auth.userpass.create_or_update_user(
        "ada", password="one long password", policies=policy, mount_point=userpass, token_ttl="20m"
    )
    assert root.auth.userpass.list_user(mount_point=userpass)["data"]["keys"] == ["ada"]
    client = open_client(None)
    answer = client.auth.userpass.login("ada", "one long password", mount_point=userpass)
    assert client.token == answer["auth"]["client_token"]
    assert answer["auth"]["metadata"] == {"username": "ada"}
    assert answer["auth"]["lease_duration"] == 1200
    assert client.auth.token.renew_self()["auth"]["renewable"] is True
    assert client.auth.token.lookup_self()["data"]["display_name"] == f"{userpass}-ada"
    root.auth.userpass.update_password_on_user("ada", password="another password", mount_point=userpass)
    with pytest.raises(errors.InvalidRequest):
        open_client(None).auth.userpass.login("ada", "one long password", mount_point=userpass)
    root.auth.userpass.delete_user("ada", mount_point=userpass)


def test_kv2_versions(root: hvac.Client, kv2: str) -> None:
    kv = root.secrets.kv.v2
    first = kv.create_or_update_secret("team/db", {"user": "app", "password": "one"}, mount_point=kv2)
    assert first["data"]["version"] == 1
    kv.create_or_update_secret("team/db", {"user": "app", "password": "two"}, cas=1, mount_point=kv2)
    newest = kv.read_secret_version("team/db", mount_point=kv2, raise_on_deleted_version=True)
    assert newest["data"]["data"] == {"user": "app", "password": "two"}
    assert newest["data"]["metadata"]["version"] == 2
    old = kv.read_secret_version("team/db", version=1, mount_point=kv2, raise_on_deleted_version=True)
    assert old["data"]["data"]["password"] == "one"
    with pytest.raises(errors.InvalidRequest):
        kv.create_or_update_secret("team/db", {"password": "three"}, cas=1, mount_point=kv2)


def test_kv2_delete_undelete_destroy(root: hvac.Client, kv2: str) -> None:
    kv = root.secrets.kv.v2
    for number in range(3):
        kv.create_or_update_secret("a/b", {"n": number}, mount_point=kv2)
    kv.delete_secret_versions("a/b", versions=[2], mount_point=kv2)
    with pytest.raises(errors.InvalidPath):
        kv.read_secret_version("a/b", version=2, mount_point=kv2, raise_on_deleted_version=True)
    kv.undelete_secret_versions("a/b", versions=[2], mount_point=kv2)
    assert kv.read_secret_version("a/b", version=2, mount_point=kv2, raise_on_deleted_version=True)["data"]["data"] == {
        "n": 1
    }
    kv.destroy_secret_versions("a/b", versions=[1], mount_point=kv2)
    assert kv.read_secret_metadata("a/b", mount_point=kv2)["data"]["versions"]["1"]["destroyed"] is True
    kv.delete_latest_version_of_secret("a/b", mount_point=kv2)
    kv.delete_metadata_and_all_versions("a/b", mount_point=kv2)
    with pytest.raises(errors.InvalidPath):
        kv.read_secret_metadata("a/b", mount_point=kv2)


@pytest.mark.filterwarnings(
    "ignore:The raise_on_deleted_version parameter:DeprecationWarning"
)  # from inside hvac's patch
def test_kv2_patch_metadata_and_configuration(root: hvac.Client, kv2: str) -> None:
    kv = root.secrets.kv.v2
    kv.configure(max_versions=2, mount_point=kv2)
    assert kv.read_configuration(mount_point=kv2)["data"]["max_versions"] == 2
    kv.create_or_update_secret("p", {"a": "1", "b": "2"}, mount_point=kv2)
    kv.patch("p", {"b": "3"}, mount_point=kv2)
    assert kv.read_secret_version("p", mount_point=kv2, raise_on_deleted_version=True)["data"]["data"] == {
        "a": "1",
        "b": "3",
    }
    kv.update_metadata("p", max_versions=4, custom_metadata={"owner": "blue"}, mount_point=kv2)
    metadata = kv.read_secret_metadata("p", mount_point=kv2)["data"]
    assert metadata["custom_metadata"] == {"owner": "blue"}
    assert metadata["max_versions"] == 4


def test_kv2_list(root: hvac.Client, kv2: str) -> None:
    for path in ("one", "folder/two", "folder/deeper/three"):
        root.secrets.kv.v2.create_or_update_secret(path, {"x": 1}, mount_point=kv2)
    assert root.secrets.kv.v2.list_secrets("", mount_point=kv2)["data"]["keys"] == ["folder/", "one"]
    assert root.secrets.kv.v2.list_secrets("folder", mount_point=kv2)["data"]["keys"] == ["deeper/", "two"]
    with pytest.raises(errors.InvalidPath):
        root.secrets.kv.v2.list_secrets("nowhere", mount_point=kv2)


def test_kv1(root: hvac.Client, kv1: str) -> None:
    kv = root.secrets.kv.v1
    kv.create_or_update_secret("app/db", {"user": "app", "deep": {"list": [1, 2.5, None, True, "é"]}}, mount_point=kv1)
    answer = kv.read_secret("app/db", mount_point=kv1)
    assert answer["data"] == {"user": "app", "deep": {"list": [1, 2.5, None, True, "é"]}}
    assert answer["lease_duration"] == 2764800
    assert kv.list_secrets("app", mount_point=kv1)["data"]["keys"] == ["db"]
    kv.delete_secret("app/db", mount_point=kv1)
    with pytest.raises(errors.InvalidPath):
        kv.read_secret("app/db", mount_point=kv1)


def test_generic_read_write_list_delete(root: hvac.Client, kv1: str) -> None:
    root.write_data(f"{kv1}/plain", data={"x": "y"})
    assert root.read(f"{kv1}/plain")["data"] == {"x": "y"}
    assert root.list(kv1)["data"]["keys"] == ["plain"]
    root.delete(f"{kv1}/plain")
    assert root.read(f"{kv1}/plain") is None
    assert root.list(kv1) is None


def test_policies(root: hvac.Client, open_client: Open, kv2: str, policy: str) -> None:
    assert policy in root.sys.list_policies()["data"]["policies"]
    assert f"{kv2}/data/team/*" in root.sys.read_policy(policy)["data"]["rules"]
    client = open_client(root.auth.token.create(policies=[policy], ttl="5m")["auth"]["client_token"])
    client.secrets.kv.v2.create_or_update_secret("team/mine", {"x": 1}, mount_point=kv2)
    for attempt in (
        lambda: client.secrets.kv.v2.read_secret_version("other", mount_point=kv2, raise_on_deleted_version=True),
        lambda: client.secrets.kv.v2.delete_latest_version_of_secret("team/mine", mount_point=kv2),
        client.sys.list_policies,
        client.sys.seal,
    ):
        with pytest.raises(errors.Forbidden):
            attempt()
    wanted = [f"{kv2}/data/team/mine", "sys/seal"]
    found = root.sys.get_capabilities(wanted, token=client.token)["data"]
    assert found[wanted[0]] == ["create", "read", "update"]
    assert found[wanted[1]] == ["deny"]


def test_revoke_lease(root: hvac.Client, open_client: Open, userpass: str) -> None:
    """A login is a lease: revoking it ends the token."""
    root.auth.userpass.create_or_update_user("lease", password="a password", mount_point=userpass)
    client = open_client(None)
    client.auth.userpass.login("lease", "a password", mount_point=userpass)
    prefix = f"auth/{userpass}/login/lease/"
    keys = root.sys.list_leases(prefix)["data"]["keys"]
    assert len(keys) == 1
    lease = root.sys.read_lease(prefix + keys[0])["data"]
    assert lease["id"] == prefix + keys[0]
    root.sys.revoke_lease(lease["id"])
    assert not client.is_authenticated()


def test_revoke_by_prefix(root: hvac.Client, open_client: Open, userpass: str) -> None:
    clients = []
    for name in ("x", "y"):
        root.auth.userpass.create_or_update_user(name, password="a password", mount_point=userpass)
        client = open_client(None)
        client.auth.userpass.login(name, "a password", mount_point=userpass)
        clients.append(client)
    root.sys.revoke_prefix(f"auth/{userpass}/")
    assert [client.is_authenticated() for client in clients] == [False, False]


def test_wrapping(root: hvac.Client, open_client: Open, kv2: str) -> None:
    root.secrets.kv.v2.create_or_update_secret("wrapped", {"x": "hidden"}, mount_point=kv2)
    wrapped = root.read(f"{kv2}/data/wrapped", wrap_ttl="60s")
    info = wrapped["wrap_info"]
    assert info["ttl"] == 60
    assert info["creation_path"] == f"{kv2}/data/wrapped"
    assert "hidden" not in str(wrapped)
    opened = open_client(info["token"]).sys.unwrap()
    assert opened["data"]["data"] == {"x": "hidden"}
    with pytest.raises((errors.InvalidRequest, errors.Forbidden)):
        open_client(info["token"]).sys.unwrap()


def test_wrap_anything(root: hvac.Client) -> None:
    token = root.sys.wrap({"zip": "zap"}, ttl=120)["wrap_info"]["token"]
    assert root.sys.unwrap(token=token)["data"] == {"zip": "zap"}


def test_cubbyhole_belongs_to_one_token(root: hvac.Client, open_client: Open) -> None:
    one, two = (
        open_client(root.auth.token.create(policies=["default"], ttl="5m")["auth"]["client_token"]) for _ in "ab"
    )
    one.write_data("cubbyhole/box", data={"x": "1"})
    assert one.read("cubbyhole/box")["data"] == {"x": "1"}
    assert two.read("cubbyhole/box") is None


def test_mounts_tune_and_move(root: hvac.Client, unique: Unique) -> None:
    before, after = unique("kv"), unique("kv")
    root.sys.enable_secrets_engine("kv", path=before, description="a place", options={"version": "1"})
    root.secrets.kv.v1.create_or_update_secret("x", {"a": "1"}, mount_point=before)
    root.sys.tune_mount_configuration(before, default_lease_ttl="1h", max_lease_ttl="2h")
    assert root.sys.read_mount_configuration(before)["data"]["default_lease_ttl"] == 3600
    root.sys.move_backend(before, after)
    assert f"{after}/" in root.sys.list_mounted_secrets_engines()["data"]
    assert root.secrets.kv.v1.read_secret("x", mount_point=after)["data"] == {"a": "1"}
    root.sys.disable_secrets_engine(after)


def test_what_hvac_raises(root: hvac.Client, open_client: Open) -> None:
    with pytest.raises(errors.InvalidPath):
        root.secrets.kv.v1.read_secret("x", mount_point="not-mounted")
    with pytest.raises(errors.InvalidRequest):
        root.sys.enable_secrets_engine("no-such-engine", path="nothing")
    with pytest.raises(errors.Forbidden):
        open_client("").secrets.kv.v1.read_secret("x", mount_point="secret")
