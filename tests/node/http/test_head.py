"""Heads and bodies as bytes: what two readers could read in two ways is refused."""

import pytest
from support.edge import edge, message

SMALL = {"request_bytes_max": 1000}


@pytest.mark.parametrize("verb", ["TRACE", "CONNECT", "BREW", "PROPFIND", "M-SEARCH", "get", "Get", "GETT", "X" * 30])
async def test_unknown_verbs(verb):
    async with edge() as node:
        client = await node.connect()
        answer = await client.ask(message(verb, "/v1/a"))
        assert answer.status in {400, 405}
        assert answer["Connection"] == "close"
        assert await client.is_closed()
        assert not node.core.requests


_POST = b"POST /v1/a HTTP/1.1\r\nHost: a\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        _POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        _POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        _POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        _POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        _POST + b"Content-Length: 5, 5\r\n\r\nhello",
        _POST + b"Content-Length: +5\r\n\r\nhello",
        _POST + b"Content-Length: -5\r\n\r\nhello",
        _POST + b"Content-Length: 0x5\r\n\r\nhello",
        _POST + b"Content-Length: 5_0\r\n\r\nhello",
        _POST + b"Content-Length: \xd9\xa5\r\n\r\nhello",
        _POST + b"Content-Length: \r\n\r\nhello",
        _POST + b"Content-Length : 5\r\n\r\nhello",
        _POST + b"Content-Length\t: 5\r\n\r\nhello",
        _POST + b"X: a\r\n Content-Length: 5\r\n\r\nhello",
        _POST + b" X: a\r\n\r\n",
        _POST + b"Content-Length: 5\n\r\nhello",
        _POST + b"Content-Length: 5\r\n\nhello\r\n\r\n",
        _POST + b"X: a\rContent-Length: 5\r\n\r\nhello",
        _POST + b"X: a\x00b\r\n\r\n",
        _POST + b"X: \xff\xfe\r\n\r\n",
        _POST + b"\x00: b\r\n\r\n",
        _POST + b": b\r\n\r\n",
        _POST + b"nothing\r\n\r\n",
        _POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        _POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        _POST + b"Transfer-Encoding: identity\r\n\r\nhello",
        _POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        _POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        _POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        _CHUNKED + b"-1\r\n",
        _CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
        _CHUNKED + b"\r\n",
        _CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
        _CHUNKED + b"1\na\n0\n\n",
        _CHUNKED + b"1\r\na\n0\r\n\r\n",
        _CHUNKED + b"1;\x00\r\na\r\n0\r\n\r\n",
        _CHUNKED + b"1;a\nb\r\na\r\n0\r\n\r\n",
        _CHUNKED + b"1 \r\na\r\n0\r\n\r\n",
        _CHUNKED + b" 1\r\na\r\n0\r\n\r\n",
        _CHUNKED + b"0\r\nGET / HTTP/1.1\r\n\r\n",
        _CHUNKED + b"0\r\n folded: a\r\n\r\n",
        _CHUNKED + b"0\r\nA: b\rc\r\n\r\n",
        _CHUNKED + b"0\r\n" + b"A: b\r\n" * 3000,
        _CHUNKED + b"1;" + b"x" * 300,
        _CHUNKED + b"123456789\r\n",
        b"GET /v1/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /v1/a HTTP/1.1\r\n\r\n",
        b"GET /v1/a b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET\t/v1/a HTTP/1.1\r\nHost: a\r\n\r\n",
        b" GET /v1/a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\nGET /v1/a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://[/x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v1/\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v1/a HTTP/1.9\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 100 + b"\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
async def test_smuggling(data):
    """Whatever two readers could read in two ways ends the connection, and nothing behind it is a request."""
    async with edge() as node:
        client = await node.connect()
        client.send(data + message("GET", "/v1/smuggled"))
        answer = await client.reply()
        assert answer.status in {400, 405, 505, 413}
        assert answer["Connection"] == "close"
        assert await client.is_closed()
        assert not node.core.requests


async def test_http_2_is_not_spoken():
    async with edge() as node:
        client = await node.connect()
        assert (await client.ask(b"GET /v1/a HTTP/2.0\r\nHost: a\r\n\r\n")).status == 505


async def test_an_upgrade_is_not_taken_up():
    async with edge() as node:
        client = await node.connect()
        answer = await client.get("/v1/a", "Connection: upgrade", "Upgrade: websocket")
        assert answer.status == 200
        assert await client.is_alive()


@pytest.mark.parametrize("target", ["http://node:8200/v1/a?x=1", "HTTPS://node/v1/a?x=1"])
async def test_absolute_form(target):
    async with edge() as node:
        client = await node.connect()
        assert (await client.get(target)).data["path"] == "a"
        assert (await client.get("ftp://node/v1/a")).status == 400
        assert (await client.get("http://node")).status == 400
        assert await client.is_alive()


async def test_expect_continue():
    async with edge() as node:
        client = await node.connect()
        head = _POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        assert (await client.ask(head)).status == 100
        assert (await client.ask(b"{}")).status == 200
        assert (await client.ask(head + b"{}")).status == 200  # nobody waits: no 100
        assert (await client.ask(_POST + b"Content-Length: 9999999999\r\nExpect: 100-continue\r\n\r\n")).status == 413
        other = await node.connect()
        assert (await other.ask(_POST + b"Content-Length: 2\r\nExpect: tea\r\n\r\n")).status == 417


async def test_oversized_heads():
    async with edge(head_bytes_max=2000) as node:
        for data in (b"GET /v1/" + b"a" * 3000, message("GET", "/v1/a", "X: " + "b" * 3000)):
            client = await node.connect()
            assert (await client.ask(data)).status == 431
            assert await client.is_closed()


async def test_many_headers():
    async with edge() as node:
        client = await node.connect()
        assert (await client.get("/v1/a", *(f"X-{n}: a" for n in range(120)))).status == 200
        assert (await client.get("/v1/a", *(f"X-{n}: a" for n in range(200)))).status == 400
        assert await client.is_closed()


@pytest.mark.parametrize(
    "data",
    [
        _POST + b"Content-Length: 1001\r\n\r\n",
        _POST + b"Content-Length: 99999999999999999\r\n\r\n",
        _CHUNKED + b"3e9\r\n",
        _CHUNKED + b"3e8\r\n" + b" " * 1000 + b"\r\n1\r\n",
    ],
)
async def test_oversized_bodies(data):
    async with edge(**SMALL) as node:
        client = await node.connect()
        answer = await client.ask(data)
        assert (answer.status, answer.errors) == (413, ["http: request body too large"])
        client.send(b" " * 100_000)  # what is still on its way does not reset the answer away
        assert await client.is_closed()


async def test_bodies_at_the_limit():
    async with edge(**SMALL) as node:
        client = await node.connect()
        assert (await client.ask(message("POST", "/v1/a", body=b"{}" + b" " * 998))).data["size"] == 1000
        assert (await client.ask(_CHUNKED + b"3e8\r\n{}" + b" " * 998 + b"\r\n0\r\n\r\n")).data["size"] == 1000


async def test_no_limit_for_bodies():
    async with edge(request_bytes_max=0) as node:
        client = await node.connect()
        assert (await client.ask(_CHUNKED + b"2\r\n{}\r\n0\r\n\r\n")).status == 200
