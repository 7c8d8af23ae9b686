"""TLS: what is trusted, and what is not."""

import ssl
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme
from support.fake_vault import FakeVault, running_fake

from strongroom_node.client.client import Client
from strongroom_node.client.errors import ConnectionFailed, SettingsInvalid
from strongroom_node.client.settings import Settings

NAME = "vault.test"


class TLSServer(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], handler: object, context: ssl.SSLContext) -> None:
        super().__init__(address, handler)  # type: ignore[arg-type]
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, *_: object) -> None:
        """A failed handshake is what these tests want."""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "authorities" / "ca.pem"
    path.parent.mkdir()
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(context)
    return context


@pytest.fixture
def vault(server_context: ssl.SSLContext) -> Iterator[FakeVault]:
    with running_fake(TLSServer, context=server_context) as fake:
        fake.address = fake.address.replace("http:", "https:")
        fake.answer("GET", "x", {"data": {"a": "b"}})
        yield fake


def ask(vault: FakeVault, **settings: object) -> object:
    return Client(Settings(address=vault.address)._replace(**settings), "t").call("GET", "x").json()["data"]


def test_trusted_by_file_folder_and_bytes(vault: FakeVault, ca_file: str) -> None:
    for trust in (
        {"ca_cert": ca_file},
        {"ca_path": str(Path(ca_file).parent)},
        {"ca_cert_pem": Path(ca_file).read_text()},
    ):
        assert ask(vault, tls_server_name=NAME, **trust) == {"a": "b"}


def test_unknown_authority(vault: FakeVault) -> None:
    with pytest.raises(ConnectionFailed, match="failed to verify certificate") as failed:
        ask(vault, tls_server_name=NAME, retries_max=2)
    assert not failed.value.is_retryable
    assert vault.asked == []


def test_wrong_name(vault: FakeVault, ca_file: str) -> None:
    for name in ("", "other.test"):
        with pytest.raises(ConnectionFailed, match="failed to verify certificate"):
            ask(vault, ca_cert=ca_file, tls_server_name=name)
    assert vault.asked == []


def test_verification_can_be_skipped(vault: FakeVault) -> None:
    assert ask(vault, skip_verify=True) == {"a": "b"}


def test_client_certificate(
    server_context: ssl.SSLContext, authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    server_context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(server_context)
    issued = authority.issue_cert("client.test")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    issued.private_key_pem.write_to_path(str(key))
    issued.cert_chain_pems[0].write_to_path(str(cert))
    with running_fake(TLSServer, context=server_context) as fake:
        fake.address = fake.address.replace("http:", "https:")
        fake.answer("GET", "x", {"data": {}})
        trust = {"ca_cert": ca_file, "tls_server_name": NAME}
        assert ask(fake, client_cert=str(cert), client_key=str(key), **trust) == {}
        with pytest.raises(ConnectionFailed):
            ask(fake, **trust)


@pytest.mark.parametrize(
    "settings",
    [{"ca_cert": "/nonexistent"}, {"client_cert": "/nonexistent", "client_key": "/nonexistent"}, {"client_cert": "/x"}],
)
def test_bad_files_are_told_before_anything_is_sent(vault: FakeVault, settings: dict[str, str]) -> None:
    with pytest.raises(SettingsInvalid):
        ask(vault, **settings)
    assert vault.asked == []


def test_only_plain_proxies() -> None:
    client = Client(Settings(address="http://vault.invalid", proxy="socks5://127.0.0.1:1"), "t")
    with pytest.raises(SettingsInvalid, match="proxies"):
        client.call("GET", "x")
