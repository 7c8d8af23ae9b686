"""Messages on real connections: order, limits, ends."""

import asyncio
import socket
import struct

import pytest
from support.edge import FakeCore, edge, message
from support.node import running_node

from strongroom_node.http.settings import Timeouts
from strongroom_node.sdk.response import Raw, Response

SMALL = {"request_bytes_max": 1000}


_POST = b"POST /v1/a HTTP/1.1\r\nHost: a\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"


async def test_keep_alive():
    async with edge() as node:
        client = await node.connect()
        for number in range(5):
            assert (await client.get(f"/v1/a/{number}")).data["path"] == f"a/{number}"
        assert len(node.listener._connections) == 1


async def test_connection_close_is_answered_and_obeyed():
    async with edge() as node:
        client = await node.connect()
        answer = await client.get("/v1/a", "Connection: close")
        assert answer["Connection"] == "close"
        assert await client.is_closed()


async def test_http_10_closes():
    async with edge() as node:
        client = await node.connect()
        assert (await client.ask(b"GET /v1/a HTTP/1.0\r\nHost: a\r\n\r\n")).status == 200
        assert await client.is_closed()


async def test_pipelined_verbs_are_answered_in_order():
    async with edge() as node:
        client = await node.connect()
        client.send(
            message("LIST", "/v1/a")
            + message("POST", "/v1/b", body=b'{"x": "LIST / HTTP/1.1"}')
            + message("GET", "/v1/sys/health")
            + message("SCAN", "/v1/c")
            + message("DELETE", "/v1/d")
            + message("HELP", "/v1/e")
        )
        assert (await client.reply()).data == {"operation": "list", "path": "a/", "size": 0}
        assert (await client.reply()).data == {"operation": "update", "path": "b", "size": 24}
        assert (await client.reply()).json["initialized"] is True
        assert [(await client.reply()).data["operation"] for _ in range(3)] == ["scan", "delete", "help"]


@pytest.mark.parametrize(
    "body", [b"LIST /v1/x HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\r\n\r\n", b"PROXY TCP4"]
)
async def test_body_that_looks_like_a_message(body):
    async with edge() as node:
        client = await node.connect()
        answer = await client.ask(message("POST", "/v1/b", body=body))
        assert answer.status == 400  # as JSON; the bytes were the body's and nothing else
        assert (await client.get("/v1/after")).data["path"] == "after"
        assert len(node.core.requests) == 1
        chunked = b"POST /v1/b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
        assert (await client.ask(chunked % (len(body), body))).status == 400
        assert await client.is_alive()


async def test_a_body_reaches_the_core_untouched():
    body = b'{"a": "LIST /v1/x HTTP/1.1"}  '
    async with edge() as node:
        client = await node.connect()
        for at in range(len(body)):
            client.send(b"PUT /v1/b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for part in (body[:at], body[at:]):
                if part:
                    client.send(b"%x;why=not\r\n%b\r\n" % (len(part), part))
            assert (await client.ask(b"0\r\nTrailer: x\r\n\r\n")).status == 200
        assert {request.body for request in node.core.requests} == {body}


async def test_split_at_every_byte():
    whole = message("LIST", "/v1/a") + message("POST", "/v1/b", body=b'{"k":1}') + message("GET", "/v1/c")
    async with edge() as node:
        for at in range(1, len(whole)):
            client = await node.connect()
            served = await node.connection()
            served.data_received(whole[:at])
            served.data_received(whole[at:])
            assert [(await client.reply()).data["operation"] for _ in range(3)] == ["list", "update", "read"]
            client.writer.close()
            await node.until(lambda: not node.listener._connections)


async def test_byte_by_byte():
    whole = message("POST", "/v1/b", body=b'{"k":1}') + b"\r\n" + message("GET", "/v1/c")
    async with edge() as node:
        client = await node.connect()
        served = await node.connection()
        for byte in whole:
            served.data_received(bytes([byte]))
        assert [(await client.reply()).data["operation"] for _ in range(2)] == ["update", "read"]


async def test_head_has_no_body_and_keeps_the_connection():
    async with edge() as node:
        client = await node.connect()
        answer = await client.ask(message("HEAD", "/v1/sys/health"), is_head=True)
        assert answer.status == 200
        assert int(answer["Content-Length"]) > 10
        answer = await client.ask(message("HEAD", "/v1/secret/a"), is_head=True)
        assert answer.status == 405
        assert await client.is_alive()


async def test_options_without_cors():
    async with edge() as node:
        client = await node.connect()
        answer = await client.ask(message("OPTIONS", "/v1/secret/a"))
        assert (answer.status, answer.json) == (405, {"errors": []})
        assert await client.is_alive()


async def test_slow_heads_and_bodies():
    async with edge() as node:
        for data in (b"GET /v1/a HTT", _POST + b"Content-Length: 9\r\n\r\n{", _CHUNKED + b"5\r\nab"):
            client = await node.connect()
            served = await node.connection()
            client.send(data)
            await node.until(lambda served=served: served._buffer or served._body)
            node.sweep()
            assert (await client.reply()).status == 408
            assert await client.is_closed()
            client.writer.close()
            await node.until(lambda: not node.listener._connections)
        assert not node.core.requests


async def test_a_trickle_does_not_move_the_deadline():
    async with edge(timeouts=Timeouts(head=5, idle=1000)) as node:
        await node.connect()
        served = await node.connection()
        served.data_received(b"G")
        first = served.deadline
        for byte in b"ET /v1/a HTTP/1.1\r\nX: ":
            served.data_received(bytes([byte]))
        assert served.deadline == first < node.listener.loop.time() + 6


async def test_no_timeouts():
    async with edge(timeouts=Timeouts(0, 0, 0, 0), request_seconds_max=0) as node:
        client = await node.connect()
        for data in (b"", message("GET", "/v1/a"), b"GET", b" /v1/a HTTP/1.1\r\nHost: a\r\n\r\n"):
            client.send(data)
            node.sweep()
        assert [(await client.reply()).status for _ in range(2)] == [200, 200]
        assert (await node.connection()).deadline == 0


async def test_idle_connections_end():
    async with edge() as node:
        client = await node.connect()
        assert (await client.get("/v1/a")).status == 200
        node.sweep()
        assert await client.is_closed()


async def test_a_refused_client_that_stays_is_hung_up_on():
    async with edge() as node:
        client = await node.connect()
        assert (await client.ask(b"nonsense\r\n\r\n")).status == 400
        served = await node.connection()
        client.send(b"more nonsense\r\n\r\n")
        node.sweep()
        await node.until(lambda: served._is_gone)


async def test_connections_max():
    async with edge(connections_max=2) as node:
        clients = [await node.connect() for _ in range(2)]
        assert all([await client.is_alive() for client in clients])
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await (await node.connect()).get("/v1/a")
        clients[0].writer.close()
        await node.until(lambda: len(node.listener._connections) == 1)
        assert await (await node.connect()).is_alive()


def slow_core():
    """A core whose requests wait until `go` is set."""

    async def answer(request):
        core.begun.set()
        await core.go.wait()
        core.ended.append(request.path)
        return Response(data={"path": request.path})

    core = FakeCore(answer)
    core.go, core.begun, core.ended = asyncio.Event(), asyncio.Event(), []
    return core


def leave(client, resets):
    """Close, or reset, a connection."""
    if resets:
        raw = client.writer.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()


@pytest.mark.parametrize("resets", [True, False])
async def test_a_request_outlives_its_client(resets):
    async with edge(slow_core()) as node:
        client = await node.connect()
        client.send(message("POST", "/v1/a", body=b"{}"))
        await node.core.begun.wait()
        served = await node.connection()
        leave(client, resets)
        await node.until(lambda: served._is_gone if resets else served._has_ended)
        assert len(node.listener._connections) == 1  # still counted, still bounded in time
        node.core.go.set()
        await node.until(lambda: not node.listener._connections)
        assert node.core.ended == ["a"]


@pytest.mark.parametrize("resets", [True, False])
async def test_a_request_without_a_client_still_times_out(resets):
    async with edge(slow_core()) as node:
        client = await node.connect()
        client.send(message("POST", "/v1/a", body=b"{}"))
        await node.core.begun.wait()
        served = await node.connection()
        leave(client, resets)
        await node.until(lambda: served._is_gone if resets else served._has_ended)
        node.sweep()
        await node.until(lambda: not node.listener._connections)
        assert node.core.ended == []


async def test_half_close_gets_every_answer():
    async with edge(slow_core()) as node:
        client = await node.connect()
        client.send(message("GET", "/v1/a") + message("GET", "/v1/sys/health") + message("GET", "/v1/b"))
        client.writer.write_eof()
        await node.core.begun.wait()
        node.core.go.set()
        assert (await client.reply()).data["path"] == "a"
        assert (await client.reply()).json["initialized"]
        assert (await client.reply()).data["path"] == "b"
        assert await client.is_closed()


async def test_half_close_amid_a_message():
    async with edge() as node:
        client = await node.connect()
        client.send(message("GET", "/v1/a") + b"GET /v1/b HT")
        client.writer.write_eof()
        assert (await client.reply()).status == 200
        assert await client.is_closed()
        assert len(node.core.requests) == 1


async def test_a_request_that_takes_too_long():
    async with edge(slow_core(), request_seconds_max=5) as node:
        client = await node.connect()
        client.send(message("GET", "/v1/a") + message("GET", "/v1/b"))
        await node.core.begun.wait()
        node.sweep()
        answer = await client.reply()
        assert answer.status == 503
        assert "cancelled" in answer.errors[0]
        assert await client.is_closed()
        assert [request.path for request in node.core.requests] == ["a"]


async def test_a_cancellation_of_the_cores_own_is_an_internal_error():
    async def answer(_request):
        raise asyncio.CancelledError

    async with edge(FakeCore(answer)) as node:
        answer = await (await node.connect()).get("/v1/a")
        assert (answer.status, answer.errors) == (500, ["internal error"])


async def test_requests_run_in_a_task():
    """What engines are built of (time limits, groups of tasks) must work from their first line on."""

    async def answer(_request):
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))
        return Response(data={})

    async with edge(FakeCore(answer)) as node:
        client = await node.connect()
        for method in ("GET", "LIST", "POST"):
            assert (await client.ask(message(method, "/v1/a"))).status == 200


async def test_a_flood_is_bounded_in_memory():
    async with edge(slow_core()) as node:
        client = await node.connect()
        client.send(message("GET", "/v1/first"))
        await node.core.begun.wait()
        served = await node.connection()
        one = message("GET", "/v1/sys/health", "X: " + "y" * 1000)
        client.send(one * 20_000)  # 20 MB
        await node.until(lambda: served._is_paused)
        assert len(served._buffer) < 1 << 20
        node.core.go.set()
        assert (await client.reply()).data["path"] == "first"
        for _ in range(20_000):
            assert (await client.reply()).status == 200
            assert len(served._buffer) < 1 << 20
        assert await client.is_alive()


async def test_a_flood_leaves_others_their_turn():
    async with edge() as node:
        await node.connect()
        served = await node.connection()
        served.data_received(message("GET", "/v1/sys/health") * 1000)
        assert served._yields
        assert served._at < len(served._buffer) // 10


async def test_a_client_that_does_not_read():
    async def answer(_request):
        return Response(raw=Raw(b"x" * (1 << 20), "text/plain"))

    async with edge(FakeCore(answer)) as node:
        client = await node.connect(limit=1)
        served = await node.connection()
        client.send(message("GET", "/v1/a") * 10_000)
        await node.until(lambda: not served._is_writable and served._is_paused)
        node.sweep()  # whether or not a request has just been answered, the deadline is not lost
        assert len(node.core.requests) < 50
        assert len(served._buffer) < 1 << 20
        count = len(node.core.requests)
        await node.until(lambda: not served.is_busy)
        node.sweep()
        await node.until(lambda: served._is_gone)
        assert len(node.core.requests) == count


async def test_a_client_that_reads_late():
    async def answer(_request):
        return Response(raw=Raw(b"x" * (1 << 20), "text/plain"))

    async with edge(FakeCore(answer)) as node:
        client = await node.connect(limit=1 << 22)
        client.send(message("GET", "/v1/a") * 30)
        served = await node.connection()
        await node.until(lambda: not served._is_writable)
        for _ in range(30):
            assert len((await client.reply()).body) == 1 << 20
        assert await served_is_idle(node, served)


async def served_is_idle(node, served):
    await node.until(lambda: served._is_writable and not served.is_busy)
    return served._at == len(served._buffer)


async def test_the_real_core():
    async with running_node() as real, edge(real.core) as node:
        client = await node.connect()
        token = "X-Vault-Token: root"
        body = b'{"data":{"a":1,"b":[100000000000000000000000000000000,-1.5e300,"\\u00e9"]}}'
        assert (await client.ask(message("POST", "/v1/secret/data/k", token, body=body))).status == 200
        assert (await client.get("/v1/secret/data/k", token)).data["data"]["b"][0] == 10**32
        assert (await client.ask(message("LIST", "/v1/secret/metadata", token))).data == {"keys": ["k"]}
        assert (await client.get("/v1/secret/metadata?list=true", token)).data == {"keys": ["k"]}
        assert (await client.get("/v1/secret/data/k")).errors == ["permission denied"]
        assert (await client.get("/v1/secret/data/k", "Authorization: Bearer root")).status == 200
        assert (await client.get("/v1/secret/data/none", token)).json["errors"] == []
        assert (await client.ask(message("DELETE", "/v1/secret/data/k", token))).status == 204
        assert (await client.get("/v1/secret/data/k", token)).status == 404
        assert (await client.get("/v1/sys/seal-status")).json["sealed"] is False
        assert (await client.get("/v1/sys/leader")).status == 200
        assert (await client.get("/")).headers
        for path in ("//", "/v1//secret/data/k", "/v1/" + "a/" * 100, "/v1/secret/data/" + "k" * 600):
            assert (await client.get(path, token)).status in {400, 404}
        await real.core.seal()
        answer = await client.get("/v1/secret/data/k", token)
        assert (answer.status, answer.errors) == (503, ["Vault is sealed"])
        assert (await client.get("/v1/sys/health")).status == 503


@pytest.mark.parametrize("size", [1000, 1 << 24])
async def test_a_client_that_takes_no_last_answer(size):
    """Closing waits until everything is written; not for ever."""

    async def answer(_request):
        return Response(raw=Raw(b"x" * size, "text/plain"))

    async with edge(FakeCore(answer)) as node:
        client = await node.connect(limit=1)
        client.writer.transport.pause_reading()
        served = await node.connection()
        client.send(message("GET", "/v1/a", "Connection: close"))
        await node.until(lambda: served._closes and not served.is_busy)
        node.sweep()
        await node.until(lambda: served._is_gone)


async def test_unfinished_bodies_together_are_bounded_before_anybody_is_known(monkeypatch):
    monkeypatch.setattr("strongroom_node.http.listener.BODIES_BYTES_MAX", 1 << 18)
    head = b"POST /v1/a HTTP/1.1\r\nHost: a\r\nContent-Length: 150000\r\n\r\n"
    async with edge(FakeCore(), request_bytes_max=200_000) as node:
        first, second, small = [await node.connect() for _ in range(3)]
        first.send(head + b" " * 140_000)
        await node.until(lambda: node.listener.body_bytes == 140_000)
        second.send(head + b" " * 140_000)
        assert (await second.reply()).status == 503
        assert (await small.ask(message("POST", "/v1/a", body=b"{}"))).status == 200
        assert node.listener.body_bytes == 140_000
        first.send(b" " * 9_998 + b"{}")
        assert (await first.reply()).status == 200
        assert node.listener.body_bytes == 0


async def test_what_a_lost_connection_held_is_free_again():
    chunked = b"POST /v1/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n"
    async with edge(FakeCore()) as node:
        client = await node.connect()
        client.send(chunked + b" " * 100)
        await node.until(lambda: node.listener.body_bytes == 100)
        client.writer.close()
        await node.until(lambda: not node.listener._connections)
        assert node.listener.body_bytes == 0
