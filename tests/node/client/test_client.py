"""The client against a fake server: headers, redirects, retries, errors."""

import json
import os
import socket
import socketserver
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from support.fake_vault import FakeVault, running_fake

from strongroom_node.client.client import Client, DryRun
from strongroom_node.client.errors import APIError, ConnectionFailed, ReplyInvalid, SettingsInvalid
from strongroom_node.client.request import curl_command
from strongroom_node.client.settings import Settings, settings_from_environment


class Naps:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def client_of(vault: FakeVault, **settings: object) -> Client:
    return Client(Settings(address=vault.address)._replace(**settings), "hvs.secret", sleep=Naps())


def test_headers_and_body(vault: FakeVault) -> None:
    vault.answer("PUT", "kv/a b", {"data": {}})
    client = client_of(vault, namespace="/team/", wrap_ttl="1m0s", headers=(("Foo", "1"),))
    client.call("PUT", "/kv/a b/", {"k": "<é>"})
    asked = vault.asked[0]
    assert asked.path == "kv/a b"
    assert asked.json == {"k": "<é>"}
    assert b"\\u003c" in asked.body
    assert asked.headers["X-Vault-Token"] == "hvs.secret"
    assert asked.headers["X-Vault-Request"] == "true"
    assert asked.headers["X-Vault-Namespace"] == "team/"
    assert asked.headers["X-Vault-Wrap-TTL"] == "1m0s"
    assert asked.headers["Foo"] == "1"


def test_patch_is_a_merge_patch(vault: FakeVault) -> None:
    vault.answer("PATCH", "kv/a", {})
    client_of(vault).call("PATCH", "kv/a", {"k": None})
    assert vault.asked[0].headers["Content-Type"] == "application/merge-patch+json"


def test_error_text_is_vaults(vault: FakeVault) -> None:
    vault.answer("GET", "kv/a", {"errors": ["one", "two"]}, status=400)
    with pytest.raises(APIError) as failed:
        client_of(vault).call("GET", "kv/a")
    assert str(failed.value) == (
        f"Error making API request.\n\nURL: GET {vault.address}/v1/kv/a\nCode: 400. Errors:\n\n* one\n* two"
    )
    assert "hvs.secret" not in str(failed.value)


def test_raw_error_and_namespace(vault: FakeVault) -> None:
    vault.answer("GET", "kv/a", b"<html>", status=502)
    with pytest.raises(APIError) as failed:
        client_of(vault, namespace="ns1").call("GET", "kv/a")
    assert f"Namespace: ns1/\nURL: GET {vault.address}/v1/kv/a\nCode: 502. Raw Message:\n\n<html>" in str(failed.value)


def test_redirect_is_followed_once_with_the_token_and_the_body(vault: FakeVault) -> None:
    with running_fake() as active:
        active.answer("PUT", "kv/a", {"data": {"k": 1}})
        vault.answer("PUT", "kv/a", status=307, Location=f"{active.address}/v1/kv/a")
        reply = client_of(vault).call("PUT", "kv/a", {"x": 1})
        assert reply.json() == {"data": {"k": 1}}
        assert active.asked[0].headers["X-Vault-Token"] == "hvs.secret"
        assert active.asked[0].json == {"x": 1}


def test_a_redirect_loop_ends(vault: FakeVault) -> None:
    vault.answer("GET", "kv/a", status=307, Location="/v1/kv/a")
    assert client_of(vault).call("GET", "kv/a").status == 307
    assert len(vault.asked) == 2


def test_redirects_can_be_disabled(vault: FakeVault) -> None:
    vault.answer("GET", "kv/a", status=307, Location="/v1/kv/b")
    assert client_of(vault, disable_redirects=True).call("GET", "kv/a").status == 307
    assert len(vault.asked) == 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://[", "http://a:b/"])
def test_strange_redirects_are_refused(vault: FakeVault, location: str) -> None:
    vault.answer("GET", "kv/a", status=307, Location=location)
    with pytest.raises(ConnectionFailed, match="unusable redirect"):
        client_of(vault).call("GET", "kv/a")


def test_the_token_never_leaves_tls_by_a_redirect() -> None:
    client = Client(Settings(address="https://127.0.0.1:1"), "hvs.secret")
    request = client.build("GET", "kv/a")

    class Response:
        def __init__(self) -> None:
            self.headers = {"Location": "http://evil.example/v1/kv/a"}

    with pytest.raises(ConnectionFailed, match="protocol downgrade"):
        client._redirected(request, Response())  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [412, 429, 500, 502, 503])
def test_retries(vault: FakeVault, status: int) -> None:
    vault.answer("GET", "kv/a", {"errors": ["wait"]}, status=status)
    vault.answer("GET", "kv/a", {"errors": ["wait"]}, status=status)
    vault.answer("GET", "kv/a", {"data": {}})
    naps = Naps()
    client = Client(Settings(address=vault.address, retries_max=2), "t", sleep=naps)
    assert client.call("GET", "kv/a").status == 200
    assert naps.seconds == [1.0, 1.5]


@pytest.mark.parametrize("status", [400, 403, 501])
def test_no_retry_where_it_cannot_help(vault: FakeVault, status: int) -> None:
    vault.answer("GET", "kv/a", {"errors": ["no"]}, status=status)
    with pytest.raises(APIError):
        client_of(vault, retries_max=2).call("GET", "kv/a")
    assert len(vault.asked) == 1


def test_no_retries_unless_told(vault: FakeVault) -> None:
    vault.answer("GET", "kv/a", {"errors": ["sealed"]}, status=503)
    with pytest.raises(APIError):
        client_of(vault).call("GET", "kv/a")
    assert len(vault.asked) == 1


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_connection_refused() -> None:
    port = closed_port()
    naps = Naps()
    client = Client(Settings(address=f"http://127.0.0.1:{port}", retries_max=1), "t", sleep=naps)
    with pytest.raises(ConnectionFailed) as failed:
        client.call("PUT", "kv/a", {})
    assert str(failed.value) == (
        f'Put "http://127.0.0.1:{port}/v1/kv/a": dial tcp 127.0.0.1:{port}: connect: connection refused'
    )
    assert naps.seconds == [1.0]


def test_plain_server_for_a_tls_client(vault: FakeVault) -> None:
    client = Client(Settings(address=vault.address.replace("http:", "https:")), "t")
    with pytest.raises(ConnectionFailed, match="server gave HTTP response to HTTPS client"):
        client.call("GET", "kv/a")


class UnixServer(socketserver.UnixStreamServer, ThreadingHTTPServer):
    def server_bind(self) -> None:
        socketserver.UnixStreamServer.server_bind(self)
        self.server_name, self.server_port = "localhost", 0

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, _ = self.socket.accept()
        return connection, ("unix", 0)


def test_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "vault.sock")
    with running_fake(UnixServer, server_address=path) as fake:
        fake.answer("GET", "sys/health", {"sealed": False})
        reply = Client(Settings(address=f"unix://{path}"), "t").call("GET", "sys/health")
        assert reply.json() == {"sealed": False}


def test_dry_client_sends_nothing_but_questions(vault: FakeVault) -> None:
    vault.answer("GET", "a", {"data": {}})
    client = Client(Settings(address=vault.address), "hvs.secret", is_dry=True)
    client.call("GET", "a", is_certain=True)
    with pytest.raises(DryRun) as shown:
        client.call("PUT", "kv/$HOME/`x`", {"v": "it's"})
    assert len(vault.asked) == 1
    text = curl_command(shown.value.request, "vault")
    assert text == (
        'curl -X PUT -H "X-Vault-Request: true" -H "X-Vault-Token: $(vault print token)" '
        f'-d \'{{"v":"it\'"\'"\'s"}}\' "{vault.address}/v1/kv/%24HOME/%60x%60"'
    )


def test_shell_characters_in_headers_are_escaped(vault: FakeVault) -> None:
    client = Client(Settings(address=vault.address, headers=(("Foo", '"$(id)`'),)), "", is_dry=True)
    with pytest.raises(DryRun) as shown:
        client.call("GET", "a")
    assert '-H "Foo: \\"\\$(id)\\`"' in curl_command(shown.value.request, "vault")


@pytest.mark.parametrize("body", [b"not json", b"[1]", b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}"])
def test_nonsense_answers(vault: FakeVault, body: bytes) -> None:
    vault.answer("GET", "a", body)
    with pytest.raises(ReplyInvalid):
        client_of(vault).call("GET", "a").json()


@pytest.mark.parametrize("token", ["a\nb", "a\r\nX-Evil: 1", "a\x00"])
def test_token_cannot_split_a_request(vault: FakeVault, token: str) -> None:
    with pytest.raises(SettingsInvalid, match="non-printable") as failed:
        Client(Settings(address=vault.address), token)
    assert token not in str(failed.value)


@pytest.mark.parametrize("settings", [{"namespace": "a\r\nb"}, {"headers": (("Foo", "a\nb"),)}])
def test_settings_cannot_split_a_request(vault: FakeVault, settings: dict[str, object]) -> None:
    with pytest.raises(SettingsInvalid):
        client_of(vault, **settings)


@pytest.mark.parametrize("address", ["127.0.0.1:8200", "http://", "file:///x", "http://[::1", "http://a:b", ""])
def test_bad_addresses(address: str) -> None:
    with pytest.raises(SettingsInvalid, match="failed to create client: parse"):
        Client(Settings(address=address), "t")


def test_environment() -> None:
    settings = settings_from_environment(
        {"VAULT_ADDR": "http://v", "BAO_ADDR": "http://b", "VAULT_SKIP_VERIFY": "1", "VAULT_CLIENT_TIMEOUT": "5s"}
        | {"VAULT_MAX_RETRIES": "3", "VAULT_NAMESPACE": "n", "VAULT_MFA": "m:1"},
    )
    assert settings.address == "http://b"
    assert settings.skip_verify
    assert settings.timeout_seconds == 5.0
    assert settings.retries_max == 3
    assert settings.headers == (("X-Vault-MFA", "m:1"),)
    assert "m:1" not in repr(settings)


@pytest.mark.parametrize("name", ["VAULT_SKIP_VERIFY", "VAULT_CLIENT_TIMEOUT", "VAULT_MAX_RETRIES"])
def test_bad_variables(name: str) -> None:
    with pytest.raises(SettingsInvalid, match="could not parse"):
        settings_from_environment({name: "maybe"})


def test_plain_proxy(vault: FakeVault) -> None:
    vault.answer("GET", "http://vault.invalid:1234/v1/kv/a", {"data": {"k": 1}})
    client = Client(Settings(address="http://vault.invalid:1234", proxy=vault.address), "t")
    assert client.call("GET", "kv/a").json() == {"data": {"k": 1}}


def test_nothing_secret_in_reprs(vault: FakeVault) -> None:
    vault.answer("GET", "a", {"data": {"k": "hidden"}})
    client = client_of(vault)
    reply = client.call("GET", "a")
    assert "hidden" not in repr(reply)
    assert "hidden" not in repr(reply.secret())
    assert "hvs.secret" not in repr(client.build("GET", "a"))
    assert "hvs.secret" not in repr(client)
    assert json.loads(reply.body)["data"]["k"] == "hidden"
    assert os.environ.get("VAULT_TOKEN", "") != "hvs.secret"
