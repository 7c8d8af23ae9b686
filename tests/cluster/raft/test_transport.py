"""The cluster port: two nodes of one cluster talk, and everybody else is refused, logged and bounded."""

import asyncio
import datetime as dt
import socket
import ssl
import time
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from strongroom_cluster.raft import certificates, transport
from strongroom_cluster.raft import messages as wire
from strongroom_cluster.raft.certificates import issue, make_authority, make_context
from strongroom_cluster.raft.timeouts import Timings
from strongroom_cluster.raft.transport import GREETING, MtlsTransport

AUTHORITY = make_authority(time.time())


class Ear:
    def __init__(self) -> None:
        self.heard: list[tuple[str, wire.Message]] = []
        self.events: list[str] = []
        self.changed = asyncio.Event()

    def receive(self, peer: str, message: wire.Message) -> None:
        self.heard.append((peer, message))
        self.changed.set()

    def connected(self, peer: str) -> None:
        self.events.append(f"+{peer}")
        self.changed.set()

    def disconnected(self, peer: str) -> None:
        self.events.append(f"-{peer}")
        self.changed.set()


def make(name: str, **members: str) -> MtlsTransport:
    made = MtlsTransport(name, "127.0.0.1", 0, issue(AUTHORITY, name, time.time()), Timings(connect_seconds_max=0.5))
    made.set_peers(members)
    return made


@pytest.fixture
async def server() -> AsyncIterator[tuple[MtlsTransport, Ear]]:
    ear = Ear()
    listening = make("n1", n2="127.0.0.1:1")
    await listening.start(ear)
    yield listening, ear
    await listening.close()


async def until(ear: Ear, condition) -> None:
    async with asyncio.timeout(5):
        while not condition():
            ear.changed.clear()
            await ear.changed.wait()


async def call(server: MtlsTransport, context: ssl.SSLContext, data: bytes) -> bytes:
    """Connect as a stranger would, send, and read until the end; b"" if there never was a word."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context, server_hostname="x")
    except (ssl.SSLError, ConnectionError):
        return b""
    got = b""
    try:
        writer.write(data)
        async with asyncio.timeout(5):
            got = await reader.read()
    except (ssl.SSLError, ConnectionError):
        pass
    finally:
        writer.transport.abort()
    return got


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def client(name: str = "n2", authority=AUTHORITY, now: float | None = None) -> ssl.SSLContext:
    return make_context(issue(authority, name, now or time.time(), also_trusted=AUTHORITY.certificate), is_server=False)


async def refused(server: tuple[MtlsTransport, Ear], context: ssl.SSLContext, data: bytes, reason: str) -> None:
    listening, ear = server
    with capture_logs() as logs:
        await call(listening, context, data)
        async with asyncio.timeout(5):
            while listening.refusals.count == 0:
                await asyncio.sleep(0.005)
    assert not ear.heard
    said = [entry["reason"] for entry in logs if entry["event"] == "connection refused"]
    assert len(said) == 1
    assert reason in said[0]


VOTE = frame(wire.encode(wire.Vote(1 << 40)))


async def test_two_nodes_talk_both_ways_and_reconnect() -> None:
    ears = {name: Ear() for name in ("n1", "n2")}
    nodes = {name: make(name) for name in ears}
    for name, node in nodes.items():
        await node.start(ears[name])
    addresses = {name: f"127.0.0.1:{node.port}" for name, node in nodes.items()}
    nodes["n1"].set_peers({"n2": addresses["n2"]})
    nodes["n2"].set_peers({"n1": addresses["n1"]})
    for name, other in (("n1", "n2"), ("n2", "n1")):
        await until(ears[name], lambda name=name, other=other: f"+{other}" in ears[name].events)
    await asyncio.sleep(0.5)  # long enough for both to have dialled
    big = wire.SnapshotPart(1, 1, 1, 0, bytes(1 << 20), False, 1)
    nodes["n1"].send("n2", wire.Vote(3))
    nodes["n1"].send("n2", big)
    nodes["n2"].send("n1", wire.ReadRequest(5))
    await until(ears["n2"], lambda: len(ears["n2"].heard) == 2)
    await until(ears["n1"], lambda: len(ears["n1"].heard) == 1)
    assert ears["n2"].heard == [("n1", wire.Vote(3)), ("n1", big)]
    assert ears["n1"].heard == [("n2", wire.ReadRequest(5))]
    before = len(ears["n1"].events)
    next(iter(nodes["n2"]._open)).end()
    await until(ears["n1"], lambda: ears["n1"].events[before:][-1:] == ["+n2"])
    for node in nodes.values():
        await node.close()


async def test_no_certificate_is_refused(server) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    await refused(server, context, frame(GREETING) + VOTE, "certificate")


async def test_tls_1_2_is_refused(server) -> None:
    context = client()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    await refused(server, context, frame(GREETING) + VOTE, "protocol")


async def test_an_expired_certificate_is_refused(server) -> None:
    old = time.time() - dt.timedelta(days=40).total_seconds()
    authority = make_authority(old)
    listening, _ = server
    listening.renew(issue(AUTHORITY, "n1", time.time(), also_trusted=authority.certificate))
    await refused(server, client(authority=authority, now=old), frame(GREETING) + VOTE, "expired")


async def test_another_authority_is_refused(server) -> None:
    await refused(server, client(authority=make_authority(time.time())), frame(GREETING) + VOTE, "verify failed")


async def test_a_node_that_is_no_member_is_refused(server) -> None:
    await refused(server, client("n7"), frame(GREETING) + VOTE, "no member")


async def test_garbage_is_refused(server) -> None:
    await refused(server, client(), b"GET / HTTP/1.1\r\n\r\n", "too large")


async def test_another_protocol_is_refused(server) -> None:
    await refused(server, client(), frame(b"strongroom-raft/2"), "another protocol")


async def test_a_frame_that_is_too_large_is_refused(server) -> None:
    await refused(server, client(), frame(GREETING) + (wire.FRAME_BYTES_MAX + 1).to_bytes(4, "big"), "too large")


async def test_a_bad_message_of_a_member_ends_its_connection(server) -> None:
    _, ear = server
    await refused(server, client(), frame(GREETING) + frame(b"\x80\x04\x95."), "not readable")
    await until(ear, lambda: ear.events == ["+n2", "-n2"])


async def test_silence_is_not_waited_for(server) -> None:
    listening, _ = server
    with socket.create_connection(("127.0.0.1", listening.port)):
        async with asyncio.timeout(5):
            while listening.refusals.count == 0:
                await asyncio.sleep(0.01)


async def test_strangers_cannot_fill_the_log_or_the_table(server, monkeypatch) -> None:
    monkeypatch.setattr(transport, "HANDSHAKES_MAX", 2)
    listening, _ = server
    with capture_logs() as logs:
        strangers = [await asyncio.open_connection("127.0.0.1", listening.port) for _ in range(40)]
        async with asyncio.timeout(5):
            while listening.refusals.count < 40:
                await asyncio.sleep(0.01)
        for _, writer in strangers:
            writer.transport.abort()
    assert len([entry for entry in logs if entry["event"] == "connection refused"]) == 10


async def test_a_server_with_another_name_is_not_talked_to() -> None:
    ears = Ear(), Ear()
    other = make("n3")
    await other.start(ears[0])
    node = make("n2", n1=f"127.0.0.1:{other.port}")
    await node.start(ears[1])
    async with asyncio.timeout(5):
        while node.refusals.count == 0:
            await asyncio.sleep(0.01)
    assert not node.connected_peers
    await node.close()
    await other.close()


def test_rotation_of_the_authority() -> None:
    now = time.time()
    new = make_authority(now)
    old_node = issue(AUTHORITY, "n1", now, also_trusted=new.certificate)
    new_node = issue(new, "n2", now, also_trusted=AUTHORITY.certificate)
    for credentials in (old_node, new_node):
        for is_server in (True, False):
            stats = make_context(credentials, is_server=is_server).cert_store_stats()
            assert stats["x509_ca"] == 2
    assert not certificates.renewal_due(new_node, now)
    assert certificates.renewal_due(new_node, now + 16 * 86400)
    assert "PRIVATE" not in repr(new_node) + repr(new)
