"""Certificates that change while a listener runs."""

import ssl

import pytest
import trustme
from support.edge import edge

from strongroom_node.http.settings import TLSSettings
from strongroom_node.http.tls import TLSInvalid, load_certificates

EC, RSA = trustme.KeyType.ECDSA, trustme.KeyType.RSA


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def write(certificate, folder):
    certificate.cert_chain_pems[0].write_to_path(folder / "server.pem")
    certificate.private_key_pem.write_to_path(folder / "server.key")


def settings(folder, **more):
    return TLSSettings(folder / "server.pem", folder / "server.key", **more)


async def answers(node, authority, *, name="localhost", ciphers=None, certificate=None):
    """The key type of the certificate shown to a client, and whether the client was served."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if ciphers is not None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
    if name is None:
        context.check_hostname = False
    if certificate is not None:
        certificate.configure_cert(context)
    client = await node.connect(ssl=context, server_hostname=name or "")
    return client.writer.get_extra_info("ssl_object").getpeercert()["serialNumber"], await client.is_alive()


@pytest.mark.parametrize(("before", "after"), [(EC, RSA), (RSA, EC)])
@pytest.mark.parametrize("name", ["localhost", None])
async def test_a_certificate_with_another_kind_of_key_replaces_the_old_one(tmp_path, authority, before, after, name):
    """OpenSSL keeps one certificate for each kind of key: the old one must not live on beside the new."""
    either = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
    only_before = "ECDHE-ECDSA-AES128-GCM-SHA256" if before is EC else "ECDHE-RSA-AES128-GCM-SHA256"
    write(authority.issue_cert("localhost", key_type=before), tmp_path)
    async with edge(tls=settings(tmp_path)) as node:
        first, _ = await answers(node, authority, name=name)
        write(authority.issue_cert("localhost", key_type=after), tmp_path)
        node.listener.reload()
        shown = {(await answers(node, authority, name=name, ciphers=ciphers))[0] for ciphers in (None, either)}
        assert len(shown) == 1
        assert first not in shown
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await answers(node, authority, name=name, ciphers=only_before)


async def test_a_client_authority_is_taken_up_and_the_old_one_dropped(tmp_path, authority):
    other = trustme.CA()
    write(authority.issue_cert("localhost"), tmp_path)
    authority.cert_pem.write_to_path(tmp_path / "clients.pem")
    tls = settings(tmp_path, client_ca=tmp_path / "clients.pem", requires_client_certificate=True)
    ours, theirs = authority.issue_cert("one.example"), other.issue_cert("two.example")

    async def is_served(certificate):
        try:
            return (await answers(node, authority, certificate=certificate))[1]
        except (ssl.SSLError, ConnectionError, EOFError):
            return False

    async with edge(tls=tls) as node:
        assert [await is_served(one) for one in (ours, theirs, None)] == [True, False, False]
        (tmp_path / "clients.pem").write_bytes(other.cert_pem.bytes())
        node.listener.reload()
        assert [await is_served(one) for one in (ours, theirs, None)] == [False, True, False]
        (tmp_path / "clients.pem").write_text("not a certificate")
        with pytest.raises(TLSInvalid, match=r"clients\.pem"):
            node.listener.reload()
        assert [await is_served(one) for one in (ours, theirs, None)] == [False, True, False]


def test_a_foreign_context_is_refused(tmp_path):
    """It would go on showing what it has, and nobody would notice."""
    with pytest.raises(TypeError):
        load_certificates(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), settings(tmp_path))
