"""Forwarding over real TLS: each request once, each outcome told apart, strangers refused."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from strongroom_cluster.forwarding import frames, link, receiver, sender
from strongroom_cluster.forwarding.frames import Ask, Reply, Welcome, encode
from strongroom_cluster.forwarding.link import PROTOCOL, make_forwarding_context
from strongroom_cluster.forwarding.outcome import Answer, Forwarded, ForwardRefused, ForwardUnknown
from strongroom_cluster.forwarding.receiver import ForwardReceiver
from strongroom_cluster.forwarding.sender import ForwardSender
from strongroom_cluster.raft.certificates import issue, make_authority, make_context

AUTHORITY = make_authority(time.time())
HOST = "127.0.0.1"


class Active:
    """An active node that answers on command."""

    def __init__(self) -> None:
        self.seen: list[Forwarded] = []
        self.members = {"n2", "n3"}
        self.changed = asyncio.Event()
        self.gate = asyncio.Event()
        self.cancelled = 0
        self.receiver = ForwardReceiver(issue(AUTHORITY, "n1", time.time()), self.handle, self.members.__contains__)

    @property
    def address(self) -> str:
        return f"{HOST}:{self.receiver.port}"

    async def handle(self, request: Forwarded) -> Answer:
        self.seen.append(request)
        self.changed.set()
        match request.header.get("do"):
            case "wait":
                try:
                    await self.gate.wait()
                except asyncio.CancelledError:
                    self.cancelled += 1
                    self.changed.set()
                    raise
            case "refuse":
                raise ForwardRefused("not active")
            case "break":
                raise RuntimeError("secret detail")
            case "large":
                return Answer({}, bytes(frames.PAYLOAD_BYTES_MAX + 1))
        return Answer({"from": "n1"}, request.payload[::-1])

    async def until(self, condition) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
async def active() -> AsyncIterator[Active]:
    node = Active()
    await node.receiver.listen(HOST, 0)
    yield node
    await node.receiver.close()


@pytest.fixture
async def standby() -> AsyncIterator[ForwardSender]:
    made = ForwardSender(issue(AUTHORITY, "n2", time.time()))
    yield made
    await made.close()


async def start(active: Active, standby: ForwardSender, **header: str) -> asyncio.Task[Answer]:
    count = len(active.seen)
    task = asyncio.ensure_future(standby.forward("n1", active.address, header, b"abc", 5))
    await active.until(lambda: len(active.seen) > count)
    return task


async def settle(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_an_answer_comes_back(active: Active, standby: ForwardSender) -> None:
    answer = await standby.forward("n1", active.address, {"kind": "x"}, b"abc", 5)
    assert answer == Answer({"from": "n1"}, b"cba")
    assert active.seen[0].peer == "n2"
    assert active.seen[0].header == {"kind": "x"}
    assert 4 < active.seen[0].patience_seconds <= 5


async def test_requests_share_a_connection_and_do_not_wait_for_each_other(
    active: Active, standby: ForwardSender
) -> None:
    slow = await start(active, standby, do="wait")
    payloads = [str(number).encode() for number in range(300)]
    answers = await asyncio.gather(*(standby.forward("n1", active.address, {}, data, 5) for data in payloads))
    assert [answer.payload for answer in answers] == [data[::-1] for data in payloads]
    assert len(active.receiver._links) == 1
    assert len(active.seen) == 301  # each once
    active.gate.set()
    assert (await slow).payload == b"cba"
    assert standby.flight == active.receiver.running == active.receiver.running_bytes == 0


async def test_a_large_payload_passes(active: Active, standby: ForwardSender) -> None:
    data = bytes(range(256)) * (1 << 15)
    assert (await standby.forward("n1", active.address, {}, data, 10)).payload == data[::-1]


async def test_the_active_node_may_refuse(active: Active, standby: ForwardSender) -> None:
    with pytest.raises(ForwardRefused, match="not active"):
        await standby.forward("n1", active.address, {"do": "refuse"}, b"", 5)


async def test_a_fault_of_the_active_node_is_unknown_and_tells_nothing(active: Active, standby: ForwardSender) -> None:
    with capture_logs() as logs, pytest.raises(ForwardUnknown) as caught:
        await standby.forward("n1", active.address, {"do": "break"}, b"", 5)
    assert "secret" not in str(caught.value)
    assert "secret" not in str(logs)
    with pytest.raises(ForwardUnknown, match="too large"):
        await standby.forward("n1", active.address, {"do": "large"}, b"", 5)


async def test_what_cannot_be_sent_is_refused(active: Active, standby: ForwardSender, monkeypatch) -> None:
    await standby.forward("n1", active.address, {}, b"", 5)
    monkeypatch.setattr(frames, "PAYLOAD_BYTES_MAX", 10)
    with pytest.raises(ForwardRefused, match="10 bytes"):
        await standby.forward("n1", active.address, {}, bytes(11), 5)
    assert len(active.seen) == 1


async def test_nobody_there_is_refused(active: Active, standby: ForwardSender) -> None:
    address = active.address
    await active.receiver.close()
    with pytest.raises(ForwardRefused, match="reached"):
        await standby.forward("n1", address, {}, b"", 5)


async def test_a_silent_server_is_refused_in_time() -> None:
    async def silent(reader, writer) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, HOST, 0)
    standby = ForwardSender(issue(AUTHORITY, "n2", time.time()), connect_seconds_max=0.05)
    with pytest.raises(ForwardRefused):
        await standby.forward("n1", f"{HOST}:{server.sockets[0].getsockname()[1]}", {}, b"", 5)
    await standby.close()
    server.close()
    await server.wait_closed()


async def test_a_lost_connection_is_unknown(active: Active, standby: ForwardSender) -> None:
    task = await start(active, standby, do="wait")
    next(iter(active.receiver._links)).end()
    with pytest.raises(ForwardUnknown, match="lost"):
        await task
    await active.until(lambda: active.cancelled == 1)
    assert (await standby.forward("n1", active.address, {}, b"ab", 5)).payload == b"ba"
    assert len(active.seen) == 2  # nothing was sent again


async def test_a_time_out_is_unknown_and_cancels(active: Active, standby: ForwardSender) -> None:
    with pytest.raises(ForwardUnknown, match="in time"):
        await standby.forward("n1", active.address, {"do": "wait"}, b"", 0.1)
    await settle(lambda: active.receiver.running == 0)
    assert len(active.seen) == 1


async def test_a_caller_that_goes_cancels_the_request(active: Active, standby: ForwardSender) -> None:
    task = await start(active, standby, do="wait")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await active.until(lambda: active.cancelled == 1)
    await settle(lambda: active.receiver.running == 0)
    assert standby.flight == 0
    assert (await standby.forward("n1", active.address, {}, b"ab", 5)).payload == b"ba"


async def test_a_cancelled_first_caller_does_not_end_the_dial_of_others(active: Active, standby: ForwardSender) -> None:
    first = asyncio.ensure_future(standby.forward("n1", active.address, {}, b"1", 5))
    second = asyncio.ensure_future(standby.forward("n1", active.address, {}, b"2", 5))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).payload == b"2"


async def test_leaving_refuses_what_was_not_begun_and_finishes_the_rest(active: Active, standby: ForwardSender) -> None:
    begun = await start(active, standby, do="wait")
    closing = asyncio.ensure_future(active.receiver.close(5))
    await settle(lambda: active.receiver.is_leaving)
    # Sent before the notice has been read: what counts is where it arrives.
    with pytest.raises(ForwardRefused):
        await standby.forward("n1", active.address, {}, b"", 5)
    active.gate.set()
    assert (await begun).payload == b"cba"
    await closing
    assert len(active.seen) == 1


async def test_a_grace_that_ends_is_unknown(active: Active, standby: ForwardSender) -> None:
    begun = await start(active, standby, do="wait")
    await active.receiver.close(0.01)
    with pytest.raises(ForwardUnknown):
        await begun


async def test_closing_the_sender_ends_everything(active: Active, standby: ForwardSender) -> None:
    begun = await start(active, standby, do="wait")
    await standby.close()
    with pytest.raises(ForwardUnknown):
        await begun
    with pytest.raises(ForwardRefused):
        await standby.forward("n1", active.address, {}, b"", 5)


async def test_another_active_node_gets_another_connection(active: Active, standby: ForwardSender) -> None:
    other = Active()
    other.receiver.renew(issue(AUTHORITY, "n3", time.time()))
    await other.receiver.listen(HOST, 0)
    begun = await start(active, standby, do="wait")
    standby.prepare("n3", other.address)
    assert (await standby.forward("n3", other.address, {}, b"ab", 5)).payload == b"ba"
    active.gate.set()
    assert (await begun).payload == b"cba"  # the old connection lived as long as it was needed
    await settle(lambda: not active.receiver._links)
    await standby.close()
    await other.receiver.close()


async def test_flight_is_bounded_and_in_order(active: Active, standby: ForwardSender, monkeypatch) -> None:
    monkeypatch.setattr(sender, "FLIGHT_MAX", 2)
    monkeypatch.setattr(sender, "WAITING_MAX", 2)
    held = [await start(active, standby, do="wait") for _ in range(2)]
    waiting = [asyncio.ensure_future(standby.forward("n1", active.address, {}, b"%d" % n, 5)) for n in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(ForwardRefused, match="too many"):
        await standby.forward("n1", active.address, {}, b"", 5)
    waiting[0].cancel()
    late = standby.forward("n1", active.address, {}, b"", 0.05)
    await asyncio.sleep(0)
    with pytest.raises(ForwardRefused, match="in time"):  # never sent
        await late
    assert len(active.seen) == 2
    active.gate.set()
    assert (await waiting[1]).payload == b"1"
    await asyncio.gather(*held)
    assert standby.flight == 0
    assert standby._flight._bytes == 0


async def test_bytes_in_flight_are_bounded(active: Active, standby: ForwardSender, monkeypatch) -> None:
    monkeypatch.setattr(sender, "FLIGHT_BYTES_MAX", 10)
    assert (await standby.forward("n1", active.address, {}, bytes(50), 5)).payload == bytes(50)  # alone it may
    held = await start(active, standby, do="wait")
    late = asyncio.ensure_future(standby.forward("n1", active.address, {}, bytes(9), 5))
    small = asyncio.ensure_future(standby.forward("n1", active.address, {}, b"x", 5))
    await asyncio.sleep(0.02)
    assert len(active.seen) == 2
    active.gate.set()
    await asyncio.gather(held, late, small)


async def test_a_busy_active_node_refuses(active: Active, standby: ForwardSender, monkeypatch) -> None:
    monkeypatch.setattr(receiver, "RUNNING_MAX", 1)
    held = await start(active, standby, do="wait")
    with pytest.raises(ForwardRefused, match="busy"):
        await standby.forward("n1", active.address, {}, b"", 5)
    active.gate.set()
    await held


async def test_a_removed_member_is_refused_at_once(active: Active, standby: ForwardSender) -> None:
    await standby.forward("n1", active.address, {}, b"", 5)
    active.members.remove("n2")
    with pytest.raises(ForwardRefused, match="no member"):
        await standby.forward("n1", active.address, {}, b"", 5)
    active.receiver.keep_members()
    await settle(lambda: not standby._open)
    with pytest.raises(ForwardRefused):
        await standby.forward("n1", active.address, {}, b"", 5)
    assert len(active.seen) == 1


async def test_a_node_of_another_name_is_not_sent_anything(active: Active, standby: ForwardSender) -> None:
    with capture_logs() as logs, pytest.raises(ForwardRefused):
        await standby.forward("n9", active.address, {}, b"", 5)
    assert logs[0]["reason"] == "another node answers at this address"
    assert not active.seen


# Strangers


def context(name: str = "n2", authority=AUTHORITY, now: float | None = None, alpn: str = PROTOCOL) -> ssl.SSLContext:
    made = make_context(issue(authority, name, now or time.time(), also_trusted=AUTHORITY.certificate), is_server=False)
    if alpn:
        made.set_alpn_protocols([alpn])
    return made


def nameless(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.maximum_version = version
    return made


async def call(active: Active, tls: ssl.SSLContext, data: bytes) -> bytes:
    """Connect as a stranger would, send, and read until the end."""
    try:
        reader, writer = await asyncio.open_connection(HOST, active.receiver.port, ssl=tls, server_hostname="x")
    except (ssl.SSLError, ConnectionError):
        return b""
    try:
        writer.write(data)
        async with asyncio.timeout(5):
            return await reader.read()
    except (ssl.SSLError, ConnectionError):
        return b""
    finally:
        writer.transport.abort()


ASK = encode(Ask(1, 1000, {}, b"x"))


@pytest.mark.parametrize(
    ("tls", "data", "reason"),
    [
        (nameless, ASK, "no handshake"),
        (lambda: nameless(ssl.TLSVersion.TLSv1_2), ASK, "no handshake"),
        (lambda: context(authority=make_authority(time.time())), ASK, "no handshake"),
        (lambda: context(now=time.time() - 40 * 86400), ASK, "no handshake"),
        (lambda: context("n9"), ASK, "no member"),
        (lambda: context(alpn=""), ASK, "another protocol"),
        (context, (1 << 30).to_bytes(4, "big"), "too large"),
        (context, b"GET / HTTP/1.1\r\n\r\n", "too large"),
        (context, bytes(8), "not msgpack"),
        (context, ASK + ASK, "came twice"),
        (context, encode(Reply(1, {}, b"")), "only answers"),
        (context, encode(Welcome(1)), "only answers"),
    ],
)
async def test_strangers_are_refused_and_logged(active: Active, tls, data: bytes, reason: str) -> None:
    with capture_logs() as logs:
        await call(active, tls(), data)
        await settle(lambda: active.receiver.refusals.count)
    said = [entry["reason"] for entry in logs if entry["event"] == "connection refused"]
    assert len(said) == 1
    assert reason in said[0]
    assert not [request for request in active.seen if data != ASK + ASK]
    await settle(lambda: not active.receiver._links and active.receiver.running == 0)


async def test_plain_text_is_refused(active: Active) -> None:
    _, writer = await asyncio.open_connection(HOST, active.receiver.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    await settle(lambda: active.receiver.refusals.count)
    writer.close()


async def test_calls_without_a_word_are_bounded(active: Active, monkeypatch) -> None:
    monkeypatch.setattr(receiver, "HANDSHAKES_MAX", 2)
    monkeypatch.setattr(receiver, "HANDSHAKE_SECONDS_MAX", 0.1)
    writers = [(await asyncio.open_connection(HOST, active.receiver.port))[1] for _ in range(5)]
    await settle(lambda: active.receiver.refusals.count == 5)
    for writer in writers:
        writer.close()
    assert active.receiver._handshakes == 0


async def test_one_node_may_not_take_all_connections(active: Active) -> None:
    senders = [ForwardSender(issue(AUTHORITY, "n2", time.time())) for _ in range(5)]
    for made in senders[:4]:
        await made.forward("n1", active.address, {}, b"", 5)
    with pytest.raises(ForwardRefused):
        await senders[4].forward("n1", active.address, {}, b"", 5)
    for made in senders:
        await made.close()


async def test_who_does_not_read_answers_is_not_read_from(active: Active, monkeypatch) -> None:
    monkeypatch.setattr(link, "UNSENT_BYTES_MAX", 1 << 16)
    raw = context()
    reader, writer = await asyncio.open_connection(HOST, active.receiver.port, ssl=raw, server_hostname="x", limit=1024)
    for number in range(1, 200):
        writer.write(encode(Ask(number, 60_000, {}, bytes(1 << 18))))
    await settle(lambda: any(not other.is_writable for other in active.receiver._links))
    seen = len(active.seen)
    assert seen < 199
    while len(active.seen) < 199:  # and goes on when it reads
        assert await reader.read(1 << 20)
    writer.transport.abort()


@pytest.mark.parametrize(
    "said",
    [
        Welcome(2),
        Reply(1, {}, b""),
        Ask(1, 1, {}, b""),
    ],
)
async def test_a_server_that_talks_nonsense_is_refused(standby: ForwardSender, said) -> None:
    async def answer(reader, writer) -> None:
        writer.write(encode(said))
        await reader.read()
        writer.close()

    tls = make_forwarding_context(issue(AUTHORITY, "n1", time.time()), is_server=True)
    server = await asyncio.start_server(answer, HOST, 0, ssl=tls)
    with capture_logs(), pytest.raises(ForwardRefused):
        await standby.forward("n1", f"{HOST}:{server.sockets[0].getsockname()[1]}", {}, b"", 5)
    assert standby.refusals.count == 1
    server.close()
    await server.wait_closed()
