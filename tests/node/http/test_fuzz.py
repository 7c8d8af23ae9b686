"""Any stream of bytes, in any pieces: always an answer or an end, never a 500, and a sane state behind it."""

import asyncio
import re
from itertools import pairwise

import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st
from support.edge import FakeCore, message

from strongroom_node.http.connection import Connection
from strongroom_node.http.listener import Listener
from strongroom_node.http.settings import JSONLimits, ListenerSettings

SETTINGS = ListenerSettings(
    port=0,
    head_bytes_max=400,
    request_bytes_max=300,
    json_limits=JSONLimits(5, 10, 10),
    custom_headers={"default": {"X-A": "b"}},
)
WORDS = [
    b"GET ", b"LIST ", b"POST ", b"PUT ", b"HEAD ", b"OPTIONS ", b"PATCH ", b"/v1/a", b"/v1/sys/health", b"/", b"http://n/v1/a", b"*",
    b"?list=true", b"?a=%ff", b"%2e%2e/", b"%00", b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b" HTTP/2.0\r\n", b"Host: n\r\n", b"\r\n", b"\r", b"\n", b"\x00", b"\xff",
    b"Content-Length: ", b"0", b"2", b"17", b"400", b"-1", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n",
    b"Connection: upgrade\r\nUpgrade: h2c\r\n", b"Origin: x\r\n", b"X-Vault-Wrap-TTL: x\r\n", b"X-Vault-Token: t\r\n", b": ", b" ", b"\t", b"{}", b'{"a":[1,"x"]}', b"[" * 9,
    b"2\r\n{}\r\n0\r\n\r\n", b"2;x=y\r\n", b"0\r\n\r\n", b"ffffffff\r\n", b"A: b\r\n",
    b"Content-Type: application/merge-patch+json\r\n", b"Content-Type: application/x-www-form-urlencoded\r\n",
    message("GET", "/v1/a"), message("LIST", "/v1/sys/health"), message("POST", "/v1/a", body=b"{}"),
]  # fmt: skip
STREAMS = st.lists(st.sampled_from(WORDS) | st.binary(max_size=5), max_size=40).map(b"".join)
ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) [A-Za-z '-]+\r\n((?:[!-9;-~]+: [^\r\n\x00]*\r\n)*)\r\n")


class Wire:
    """A transport that keeps what is written."""

    def __init__(self, listener):
        self.written, self.is_over, self.is_half = b"", False, False
        self.connection = Connection(listener)
        self.connection.connection_made(self)

    def get_extra_info(self, name):
        return ("127.0.0.1", 1) if name == "peername" else None

    def write(self, data):
        assert not self.is_over
        assert not self.is_half
        self.written += data

    def can_write_eof(self):
        return True

    def write_eof(self):
        self.is_half = True

    def is_closing(self):
        return self.is_over

    def close(self):
        self.is_over = True

    abort = close


def answers(written):
    """Statuses of well-formed answers; whatever is left over fails."""
    found, at = [], 0
    while at < len(written):
        match = ANSWER.match(written, at)
        assert match, written[at : at + 200]
        at = match.end()
        status = int(match[1])
        if status == 100:
            continue
        found.append(status)
        length = re.search(rb"Content-Length: (\d+)\r\n", match[2])
        size = int(length[1]) if length else 0
        body = written[at : at + size]
        if body.startswith(b"{") and body.endswith(b"}"):  # the answer to HEAD has none
            at += size
    assert at == len(written)
    return found


async def feed(pieces):
    listener = Listener(FakeCore(), SETTINGS)
    wire = Wire(listener)
    served = wire.connection
    for piece in pieces:
        if wire.is_over:
            break
        served.data_received(piece)
        async with asyncio.timeout(5):
            while served.is_busy or served._yields:
                await asyncio.sleep(0)
    return listener, wire, served


@settings(max_examples=300)
@given(STREAMS, st.lists(st.integers(0, 400), max_size=6))
def test_any_stream(stream, cuts):
    async def run():
        at = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
        pieces = [stream[a:b] for a, b in pairwise(at)]
        listener, wire, served = await feed(pieces)
        _, whole, _ = await feed([stream] if stream else [])
        found = answers(wire.written)
        assert not [status for status in found if status >= 500 and status != 505]
        # 100 Continue depends on whether the body was there already; nothing else may depend on the pieces
        assert found == answers(whole.written)
        assert [r.path for r in listener.core.requests] == [r.path for r in whole.connection._listener.core.requests]
        check(listener, wire, served)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def check(listener, wire, served):
    """What is left of a connection that has taken a stream ends in an orderly way."""
    if served._closes:
        assert served._lingers or wire.is_over
    else:
        assert served.deadline > 0
        assert len(served._buffer) - served._at < SETTINGS.head_bytes_max
    for _ in range(3):
        served.expire()
    assert wire.is_over
    served.connection_lost(None)
    assert not listener._connections


@settings(max_examples=50)
@given(STREAMS)
def test_a_clean_message_before_any_stream_is_answered(stream):
    async def run():
        _, wire, _ = await feed([message("GET", "/v1/a") + stream])
        assert wire.written.startswith(b"HTTP/1.1 200")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
