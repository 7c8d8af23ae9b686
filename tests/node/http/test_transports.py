"""TLS and the PROXY protocol on real sockets."""

import asyncio
import socket
import ssl
from dataclasses import replace
from ipaddress import ip_network

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from support.edge import Client, edge, message

from strongroom_node.http.proxy_protocol import NoProxyHeader, ProxyHeaderInvalid, read_header
from strongroom_node.http.settings import ProxyProtocol, Timeouts, TLSSettings
from strongroom_node.http.tls import TLSInvalid, make_context


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def write(certificate, folder, name="server"):
    certificate.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
    certificate.private_key_pem.write_to_path(folder / f"{name}.key")


@pytest.fixture
def tls(authority, tmp_path):
    """A listener's TLS settings, and what a client trusts."""
    write(authority.issue_cert("127.0.0.1", "localhost"), tmp_path)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return TLSSettings(tmp_path / "server.pem", tmp_path / "server.key")


def trusting(authority, **more):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    for name, value in more.items():
        setattr(context, name, value)
    return context


def tls_client(context):
    return {"ssl": context, "server_hostname": "localhost"}


async def test_tls(authority, tls):
    async with edge(tls=tls) as node:
        client = await node.connect(**tls_client(trusting(authority)))
        assert await client.is_alive()
        assert client.writer.get_extra_info("ssl_object").version() == "TLSv1.3"
        client.send(message("POST", "/v1/a", body=b'{"a":"' + b"x" * (1 << 20) + b'"}') + message("LIST", "/v1/b"))
        assert [(await client.reply()).data["operation"] for _ in range(2)] == ["update", "list"]
        assert (await client.ask(b"nonsense\r\n\r\n")).status == 400
        node.sweep()
        assert await client.is_closed()


@pytest.mark.parametrize(
    ("low", "high", "offered", "agreed"),
    [
        ("tls12", "tls13", ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
        ("tls13", "tls13", ssl.TLSVersion.TLSv1_2, None),
        ("tls12", "tls12", ssl.TLSVersion.TLSv1_3, "TLSv1.2"),
    ],
)
async def test_versions(authority, tls, low, high, offered, agreed):
    async with edge(tls=replace(tls, version_min=low, version_max=high)) as node:
        context = trusting(authority, maximum_version=offered)
        if agreed is None:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await node.connect(**tls_client(context))
            return
        client = await node.connect(**tls_client(context))
        assert client.writer.get_extra_info("ssl_object").version() == agreed
        assert await client.is_alive()


async def test_plain_text_on_a_tls_port(tls):
    async with edge(tls=tls) as node:
        client = await node.connect()
        client.send(message("GET", "/v1/a"))
        assert b"HTTP/1.1 200" not in await client.rest()
        assert not node.core.requests


async def test_required_client_certificates(authority, tls, tmp_path):
    own = authority.issue_cert("client.example")
    strange = trustme.CA().issue_cert("client.example")
    settings = replace(tls, client_ca=tmp_path / "ca.pem", requires_client_certificate=True)
    async with edge(tls=settings) as node:
        context = trusting(authority)
        own.configure_cert(context)
        client = await node.connect(**tls_client(context))
        assert await client.is_alive()
        assert node.core.requests[0].client_certificate
        for certificate in (None, strange):
            context = trusting(authority)
            if certificate is not None:
                certificate.configure_cert(context)
            with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
                await (await node.connect(**tls_client(context))).get("/v1/a")
        assert len(node.core.requests) == 1


@pytest.mark.parametrize(("asks", "shown"), [(True, True), (False, False)])
async def test_optional_client_certificates(authority, tls, tmp_path, asks, shown):
    settings = replace(tls, client_ca=tmp_path / "ca.pem", asks_client_certificate=asks)
    async with edge(tls=settings) as node:
        assert await (await node.connect(**tls_client(trusting(authority)))).is_alive()
        context = trusting(authority)
        authority.issue_cert("client.example").configure_cert(context)
        assert await (await node.connect(**tls_client(context))).is_alive()
        assert [bool(request.client_certificate) for request in node.core.requests] == [False, shown]


async def test_reload(authority, tls, tmp_path):
    async with edge(tls=tls) as node:

        async def serial():
            client = await node.connect(**tls_client(trusting(authority)))
            assert await client.is_alive()
            return client, client.writer.get_extra_info("ssl_object").getpeercert()["serialNumber"]

        before, first = await serial()
        write(authority.issue_cert("localhost"), tmp_path)
        node.listener.reload()
        _, second = await serial()
        assert first != second
        assert await before.is_alive()
        (tmp_path / "server.key").write_text("not a key")
        with pytest.raises(TLSInvalid, match=r"server\.key"):
            node.listener.reload()
        _, third = await serial()
        assert third == second
        write(trustme.CA().issue_cert("localhost"), tmp_path, "other")  # a key that does not belong to the certificate
        (tmp_path / "server.key").write_bytes((tmp_path / "other.key").read_bytes())
        with pytest.raises(TLSInvalid):
            node.listener.reload()
        assert (await serial())[1] == second
        assert await before.is_alive()


@pytest.mark.parametrize(
    "change",
    [
        {"version_min": "tls9"},
        {"version_min": "tls13", "version_max": "tls12"},
        {"cipher_suites": ("TLS_RSA_WITH_RC4_128_SHA",)},
        {"requires_client_certificate": True},
        {"client_ca": __file__},
        {"client_ca": "/nonexistent"},
        {"key": "/nonexistent"},
    ],
)
def test_refused_settings(tls, change):
    with pytest.raises(TLSInvalid):
        make_context(replace(tls, **change))


def test_encrypted_keys_are_refused_without_a_prompt(tls, tmp_path):
    from cryptography.hazmat.primitives import serialization as keys

    loaded = keys.load_pem_private_key(tls.key.read_bytes(), None)
    locked = loaded.private_bytes(
        keys.Encoding.PEM, keys.PrivateFormat.PKCS8, keys.BestAvailableEncryption(b"password")
    )
    tls.key.write_bytes(locked)
    with pytest.raises(TLSInvalid, match="encrypted"):
        make_context(tls)


def test_ciphers(tls):
    context = make_context(
        replace(tls, cipher_suites=("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"))
    )
    offered = {cipher["name"] for cipher in context.get_ciphers() if cipher["protocol"] == "TLSv1.2"}
    assert offered == {"ECDHE-ECDSA-AES256-GCM-SHA384"}


async def test_half_close_under_tls(authority, tls):
    async with edge(tls=tls) as node:
        client = await node.connect(**tls_client(trusting(authority)))
        assert await client.is_alive()
        client.writer.close()
        await node.until(lambda: not node.listener._connections)


async def test_unix_socket_with_tls(authority, tls, tmp_path):
    async with edge(path=tmp_path / "s", tls=tls) as node:
        assert await (await node.connect(**tls_client(trusting(authority)))).is_alive()


# --- PROXY protocol --------------------------------------------------------------------------------------

ALWAYS = ProxyProtocol("use_always")
HERE = (ip_network("127.0.0.0/8"),)
ELSEWHERE = (ip_network("192.0.2.0/24"),)
V2 = b"\r\n\r\n\x00\r\nQUIT\n"


def v2(command=0x21, family=0x11, body=None):
    if body is None:
        body = bytes([9, 8, 7, 6, 127, 0, 0, 1]) + (4711).to_bytes(2, "big") + (8200).to_bytes(2, "big")
    return V2 + bytes([command, family]) + len(body).to_bytes(2, "big") + body


V1 = b"PROXY TCP4 9.8.7.6 127.0.0.1 4711 8200\r\n"
V6 = bytes(15) + b"\x01" + bytes(16) + (4711).to_bytes(2, "big") + bytes(2)


@pytest.mark.parametrize(
    ("header", "source"),
    [
        (V1, ("9.8.7.6", 4711)),
        (b"PROXY TCP6 2001:db8::1 ::1 4711 8200\r\n", ("2001:db8::1", 4711)),
        (v2(), ("9.8.7.6", 4711)),
        (v2(family=0x21, body=V6), ("::1", 4711)),
        (v2(body=v2()[16:] + b"\x04\x00\x03abc"), ("9.8.7.6", 4711)),  # with a further field
        (b"PROXY UNKNOWN\r\n", None),
        (b"PROXY UNKNOWN 1.1.1.1 2.2.2.2 1 2\r\n", None),
        (v2(command=0x20, family=0, body=b""), None),
        (v2(command=0x20), None),
        (v2(family=0x31, body=bytes(216)), None),
        (b"", None),
    ],
)
async def test_sources(header, source):
    async with edge(proxy_protocol=ALWAYS) as node:
        client = await node.connect()
        assert (await client.ask(header + message("GET", "/v1/a"))).status == 200
        request = node.core.requests[0]
        assert source is None or (request.remote_address, request.remote_port) == source
        assert source is not None or request.remote_address == "127.0.0.1"
        assert (await client.ask(V1 + message("GET", "/v1/b"))).status in {400, 405}  # only ever at the beginning
        assert len(node.core.requests) == 1


@pytest.mark.parametrize("header", [V1, v2()])
async def test_headers_in_pieces(header):
    async with edge(proxy_protocol=ALWAYS) as node:
        client = await node.connect()
        client.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in header + message("GET", "/v1/a"):
            client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await client.reply()).status == 200
        assert node.core.requests[0].remote_address == "9.8.7.6"


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY TCP4\r\n",
        b"PROXY TCP4 9.8.7.6 127.0.0.1 4711\r\n",
        b"PROXY TCP4 9.8.7 127.0.0.1 1 2\r\n",
        b"PROXY TCP4 ::1 ::1 1 2\r\n",
        b"PROXY TCP6 1.1.1.1 1.1.1.1 1 2\r\n",
        b"PROXY TCP4 9.8.7.6 127.0.0.1 99999 1\r\n",
        b"PROXY TCP4 9.8.7.6 127.0.0.1 -1 1\r\n",
        b"PROXY TCP4 9.8.7.6 127.0.0.1 " + b"1" * 60 + b" 1\r\n",
        b"PROXY  TCP4 9.8.7.6 127.0.0.1 1 1\r\n",
        b"PROXY TCP4 9.8.7.6 127.0.0.1 1 1 " + b"a" * 200,
        b"PROXY TCP4 \xff 127.0.0.1 1 1\r\n",
        v2(command=0x11),
        v2(command=0x22),
        v2(body=b"short"),
        v2(family=0x21),
        V2 + b"\x21\x11\xff\xff",
    ],
)
async def test_broken_headers(header):
    async with edge(proxy_protocol=ALWAYS) as node:
        client = await node.connect()
        client.send(header + message("GET", "/v1/a"))
        await until_ended(client)
        assert not node.core.requests
        assert await (await node.connect()).is_alive()


async def until_ended(client):
    try:
        assert await client.rest() == b""
    except ConnectionResetError:
        return


@pytest.mark.parametrize("part", [V1[:20], v2()[:14], V2[:3], b"P"])
async def test_truncated_headers(part):
    async with edge(proxy_protocol=ALWAYS) as node:
        client = await node.connect()
        client.send(part)
        client.writer.write_eof()
        await until_ended(client)


async def test_headers_that_do_not_come():
    async with edge(proxy_protocol=ALWAYS, timeouts=Timeouts(proxy_header=0.01)) as node:
        for part in (b"", V1[:9]):
            client = await node.connect()
            client.send(part)
            await until_ended(client)


@pytest.mark.parametrize(
    ("rule", "address"),
    [
        (ProxyProtocol("allow_authorized", HERE), "9.8.7.6"),
        (ProxyProtocol("allow_authorized", ELSEWHERE), "127.0.0.1"),
        (ProxyProtocol("deny_unauthorized", HERE), "9.8.7.6"),
        (ProxyProtocol("deny_unauthorized", ELSEWHERE), None),
    ],
)
@pytest.mark.parametrize("header", [V1, v2()])
async def test_trust(rule, address, header):
    async with edge(proxy_protocol=rule) as node:
        client = await node.connect()
        client.send(header + message("GET", "/v1/a"))
        if address is None:
            await until_ended(client)
            assert not node.core.requests
        else:
            assert (await client.reply()).status == 200
            assert node.core.requests[0].remote_address == address


async def test_without_the_protocol_its_header_is_nonsense():
    async with edge() as node:
        for header in (V1, v2()):
            assert (await (await node.connect()).ask(header + message("GET", "/v1/a"))).status in {400, 405}
        assert not node.core.requests


@pytest.mark.parametrize("header", [V1, v2(), b""])
async def test_tls_in_the_same_packet(authority, tls, header):
    async with edge(proxy_protocol=ALWAYS, tls=tls) as node:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = trusting(authority).wrap_bio(incoming, outgoing, server_hostname="localhost")
        plain = await node.connect()
        with pytest.raises(ssl.SSLWantReadError):
            session.do_handshake()
        plain.send(header + outgoing.read())
        while True:
            incoming.write(await plain.reader.read(65536))
            try:
                session.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.send(outgoing.read())
        session.write(message("GET", "/v1/a"))
        plain.send(outgoing.read())
        await node.until(lambda: node.core.requests)
        assert node.core.requests[0].remote_address == ("9.8.7.6" if header else "127.0.0.1")


async def test_drain_behind_a_proxy():
    async with edge(proxy_protocol=ALWAYS) as node:
        waiting, idle = await node.connect(), await node.connect()
        waiting.send(b"PRO")
        assert (await idle.ask(V1 + message("GET", "/v1/a"))).status == 200
        await asyncio.wait_for(node.listener.drain(5), 5)
        await until_ended(waiting)
        await until_ended(idle)


async def test_connections_max_behind_a_proxy():
    async with edge(proxy_protocol=ALWAYS, connections_max=1) as node:
        assert (await (await node.connect()).ask(V1 + message("GET", "/v1/a"))).status == 200
        other = await node.connect()
        other.send(V1 + message("GET", "/v1/b"))
        await until_ended(other)
        assert isinstance(other, Client)
        assert len(node.core.requests) == 1


@given(
    st.binary(max_size=60)
    | st.binary(max_size=40).map(lambda rest: V2 + rest)
    | st.binary(max_size=99).map(lambda rest: b"PROXY " + rest)
)
def test_any_header(data):
    try:
        found = read_header(data)
    except (NoProxyHeader, ProxyHeaderInvalid):
        return
    assert found is None or 0 < found[1] <= len(data)
