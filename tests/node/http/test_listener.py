"""What a listener adds, asks for, hides, and how it ends."""

import asyncio
import contextlib
import time
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
from support.edge import FakeCore, edge, message
from support.node import running_node

from strongroom_node.http.listener import Listener
from strongroom_node.http.settings import CORSSettings, ListenerSettings
from strongroom_node.sdk import errors as sdk
from strongroom_node.sdk.response import Raw, Response

STS = "max-age=31536000; includeSubDomains"


async def test_headers_of_every_answer():
    async with edge() as node:
        client = await node.connect()
        for path in ("/v1/a", "/v1/sys/health", "/", "/nowhere", "/v1/" + "a/" * 500):
            answer = await client.get(path)
            assert answer["Cache-Control"] == "no-store"
            assert answer["Strict-Transport-Security"] == STS
            assert answer["Content-Type"] == "application/json"
            assert abs(parsedate_to_datetime(answer["Date"]).timestamp() - time.time()) < 60
            assert "X-Vault-Hostname" not in answer
        assert "Server" not in answer


async def test_statuses_without_a_body():
    async def answer(request):
        return None if request.path == "none" else Response(raw=Raw(b"text", "text/plain", 304))

    async with edge(FakeCore(answer)) as node:
        client = await node.connect()
        for path, status in (("none", 204), ("same", 304)):
            got = await client.get(f"/v1/{path}")
            assert (got.status, "Content-Length" in got) == (status, False)
        assert (await client.get("/v1/sys/health")).status == 200


async def test_node_headers():
    async with edge(hostname="one.example", raft_node_id="one") as node:
        client = await node.connect()
        for data in (message("GET", "/v1/a"), message("GET", "/v1/sys/health"), b"nonsense\r\n\r\n"):
            answer = await client.ask(data)
            assert answer["X-Vault-Hostname"] == "one.example"
            assert answer["X-Vault-Raft-Node-ID"] == "one"


CUSTOM = {
    "default": {"X-A": "all", "X-B": "all", "strict-transport-security": "max-age=1"},
    "2xx": {"X-B": "fine"},
    "404": {
        "x-b": "gone",
        "X-C": "c",
        "Content-Length": "5",
        "Transfer-Encoding": "chunked",
        "X-Bad": "a\r\nX-Evil: 1",
    },
}


async def test_custom_headers():
    async def answer(request):
        if request.path == "gone":
            raise sdk.NotFound
        return Response(headers={"X-A": "engine"} if request.path == "own" else {}, data={})

    async with edge(FakeCore(answer), custom_headers=CUSTOM) as node:
        client = await node.connect()
        assert (await client.get("/v1/own"))["X-A"] == "all"
        fine, gone = await client.get("/v1/a"), await client.get("/v1/gone")
        assert (fine["X-A"], fine["X-B"], fine["Strict-Transport-Security"]) == ("all", "fine", "max-age=1")
        assert (gone["X-A"], gone["X-B"], gone["X-C"]) == ("all", "gone", "c")
        assert not {"X-Bad", "X-Evil", "Transfer-Encoding"} & {name for name, _ in gone.headers}
        assert int(gone["Content-Length"]) == len(gone.body)
        assert (await client.get("/v1/sys/health"))["X-B"] == "fine"
        assert (await client.ask(b"nonsense\r\n\r\n"))["X-B"] == "all"


async def test_settings_can_change():
    async with edge() as node:
        client = await node.connect()
        assert (await client.get("/v1/sys/in-flight-req")).data["path"]
        node.listener.settings = replace(node.listener.settings, custom_headers=CUSTOM, in_flight_unauthenticated=True)
        answer = await client.get("/v1/sys/in-flight-req")
        assert (answer.json, answer["X-B"]) == ({}, "fine")


async def test_ui_headers():
    async with edge() as node:
        node.core.settings.maps["ui-headers"] = {"X-UI": ["a", "b"], "Content-Length": ["9"]}
        client = await node.connect()
        assert (await client.get("/ui/"))["X-UI"] == "a, b"
        assert "X-UI" not in await client.get("/v1/a")
        node.core.barrier.is_sealed = True
        assert "X-UI" not in await client.get("/ui/")


async def test_ui_headers_of_the_real_core():
    async with running_node() as real, edge(real.core) as node:
        await real.ask("update", "sys/config/ui/headers/X-Frame", values=["none"])
        client = await node.connect()
        assert (await client.get("/ui/index.html"))["X-Frame"] == "none"


async def test_the_root_leads_to_the_ui():
    async with edge() as node:
        client = await node.connect()
        answer = await client.get("/")
        assert (answer.status, answer["Location"]) == (307, "/ui/")
        assert (await client.ask(message("POST", "/", body=b"{}"))).status == 404
        assert (await client.get("/v1")).json == {"errors": []}


async def test_request_header():
    async with edge(requires_request_header=True) as node:
        client = await node.connect()
        for path in ("/v1/a", "/v1/sys/health", "/v1/sys/seal-status"):
            answer = await client.get(path)
            assert (answer.status, answer.errors) == (412, ["missing 'X-Vault-Request' header"])
            assert (await client.get(path, "X-Vault-Request: false")).status == 412
        assert (await client.get("/v1/a", "X-Vault-Request: true")).status == 200
        assert (await client.get("/v1/sys/health", "x-vault-request: TRUE")).status == 200


@pytest.mark.parametrize(
    ("state", "query", "status"),
    [
        ({}, "", 200),
        ({}, "?activecode=299", 299),
        ({}, "?activecode=299&sealedcode=298", 299),
        ({"initialized": False}, "", 501),
        ({"initialized": False}, "?uninitcode=200", 200),
        ({"sealed": True}, "", 503),
        ({"sealed": True}, "?sealedcode=204", 204),
        ({"standby": True}, "", 429),
        ({"standby": True}, "?standbyok=true", 200),
        ({"standby": True}, "?standbyok", 200),
        ({"standby": True}, "?perfstandbyok=1", 200),
        ({"standby": True}, "?standbyok=false", 429),
        ({"standby": True}, "?standbycode=250", 250),
        ({}, "?standbyok=maybe", 400),
        ({}, "?activecode=x", 400),
        ({}, "?activecode=99", 400),
        ({}, "?activecode=1000", 400),
        ({}, "?activecode=600", 400),
        ({}, "?activecode=%D9%A2%D9%A0%D9%A0", 400),
        ({}, "?activecode=200&activecode=201", 400),
        ({}, "?activecode=2000000000000000000000", 400),
    ],
)
async def test_health(state, query, status):
    async with edge() as node:
        node.core.state |= state
        client = await node.connect()
        answer = await client.get("/v1/sys/health" + query)
        assert answer.status == status
        assert (await client.ask(message("HEAD", "/v1/sys/health" + query), is_head=True)).status == status
        assert (await client.ask(message("POST", "/v1/sys/health", body=b"{}"))).status == 405


async def test_leader():
    async with edge() as node:
        client = await node.connect()
        assert (await client.get("/v1/sys/leader")).json["ha_enabled"] is False
        node.core.keeper.is_sealed = True
        assert (await client.get("/v1/sys/leader")).errors == ["Vault is sealed"]
        assert await client.is_alive()


async def test_metrics_only():
    async with edge(metrics_only=True, metrics_unauthenticated=True, metrics_path="/metrics") as node:
        client = await node.connect()
        assert (await client.get("/metrics?format=prometheus")).body == b"metrics prometheus"
        for path in ("/v1/sys/metrics", "/v1/sys/health", "/v1/a", "/", "/v1/sys/seal-status"):
            assert (await client.get(path)).status == 404
    async with edge(metrics_only=True) as node:  # then a token is asked for, in the pipeline
        client = await node.connect()
        assert (await client.get("/v1/sys/metrics")).data["path"] == "sys/metrics"
        assert (await client.get("/v1/sys/init")).status == 404


async def test_metrics_access():
    async with edge(metrics_disallowed=True, metrics_unauthenticated=True) as node:
        assert (await (await node.connect()).get("/v1/sys/metrics")).status == 404
    async with edge(metrics_unauthenticated=True) as node:
        client = await node.connect()
        assert (await client.get("/v1/sys/metrics")).body == b"metrics "
        assert (await client.ask(message("POST", "/v1/sys/metrics", body=b"{}"))).status == 405
    async with edge() as node:
        await (await node.connect()).get("/v1/sys/metrics")
        assert node.core.requests


async def test_disabled_ceremonies():
    async with running_node() as real, edge(real.core, rekey_disabled=True, generate_root_disabled=True) as node:
        client = await node.connect()
        for path in ("rekey/init", "generate-root/attempt"):
            answer = await client.get(f"/v1/sys/{path}")
            assert (answer.status, answer.errors) == (405, ["1 error occurred:\n\t* unsupported operation\n\n"])
        assert (await client.ask(message("PUT", "/v1/sys/unseal", body=b"["))).status == 400
        assert (await client.ask(message("PUT", "/v1/sys/unseal", body=b'{"key":"\xff"}'))).status == 400
        assert (await client.ask(message("HEAD", "/v1/sys/seal-status"), is_head=True)).status == 200
        assert (await client.get("/v1/sys/seal-status")).json["sealed"] is False


# --- CORS ------------------------------------------------------------------------------------------------

ORIGIN = "Origin: https://page.example"
PREFLIGHT = (ORIGIN, "Access-Control-Request-Method: PUT")
CORS = {
    "enabled": True,
    "allowed_origins": ["https://PAGE.example"],
    "allowed_headers": ["X-A"],
    "allow_credentials": True,
}


@pytest.mark.parametrize("of_listener", [True, False])
async def test_cors(of_listener):
    own = CORSSettings(("https://page.example",), ("X-A",), allow_credentials=True)
    async with edge(cors=own if of_listener else None, custom_headers=CUSTOM) as node:
        if not of_listener:
            node.core.settings.maps["cors"] = CORS
        client = await node.connect()
        assert "Vary" not in await client.get("/v1/a")
        for path in ("/v1/sys/health", "/v1/a"):
            answer = await client.get(path, ORIGIN)
            assert answer["Access-Control-Allow-Origin"] == "https://page.example"
        assert (answer["Vary"], answer["Access-Control-Allow-Credentials"], answer["X-A"]) == ("Origin", "true", "all")
        answer = await client.ask(message("OPTIONS", "/v1/a", *PREFLIGHT))
        assert (answer.status, answer["Access-Control-Max-Age"], answer.body) == (200, "300", b"")
        assert "PUT" in answer["Access-Control-Allow-Methods"]
        assert "X-A" in answer["Access-Control-Allow-Headers"]
        assert answer["X-B"] == "fine"
        assert (await client.ask(message("OPTIONS", "/v1/a", ORIGIN))).status == 405
        assert (
            await client.ask(message("OPTIONS", "/v1/a", ORIGIN, "Access-Control-Request-Method: EAT"))
        ).status == 405
        before = len(node.core.requests)
        for origin in ("https://evil.example", "null", "https://page.example.evil", ""):
            answer = await client.get("/v1/a", f"Origin: {origin}")
            assert (answer.status, answer.errors) == (403, ["origin not allowed"])
            assert "Access-Control-Allow-Origin" not in answer
        assert len(node.core.requests) == before


async def test_cors_off():
    async with edge() as node:
        client = await node.connect()
        assert "Access-Control-Allow-Origin" not in await client.get("/v1/a", ORIGIN)
        assert (await client.ask(message("OPTIONS", "/v1/a", *PREFLIGHT))).status == 405
        node.core.settings.maps["cors"] = {**CORS, "allowed_origins": ["*"], "allow_credentials": False}
        answer = await client.get("/v1/a", "Origin: https://any.example")
        assert answer["Access-Control-Allow-Origin"] == "https://any.example"
        assert "Access-Control-Allow-Credentials" not in answer
        node.core.barrier.is_sealed = True
        assert "Access-Control-Allow-Origin" not in await client.get("/v1/a", ORIGIN)


# --- drain -----------------------------------------------------------------------------------------------


def slow_core():
    async def answer(_request):
        core.begun.set()
        await core.go.wait()
        return Response(data={})

    core = FakeCore(answer)
    core.begun, core.go = asyncio.Event(), asyncio.Event()
    return core


async def test_drain():
    async with edge(slow_core()) as node:
        idle, busy, half = [await node.connect() for _ in range(3)]
        assert (await idle.get("/v1/sys/health")).status == 200
        half.send(b"GET /v1/a HT")
        busy.send(message("GET", "/v1/a") + message("GET", "/v1/b"))
        await node.core.begun.wait()
        port = node.listener.port
        draining = asyncio.ensure_future(node.listener.drain(5))
        assert await idle.is_closed()
        assert await half.is_closed()
        assert not draining.done()
        with pytest.raises(OSError, match=r".*"):
            await asyncio.open_connection("127.0.0.1", port)
        node.core.go.set()
        answer = await busy.reply()
        assert (answer.status, answer["Connection"]) == (200, "close")
        assert await busy.is_closed()
        await asyncio.wait_for(draining, 5)
        assert len(node.core.requests) == 1


async def test_drain_ends_what_does_not_end():
    async with edge(slow_core()) as node:
        busy, gone = await node.connect(), await node.connect()
        for client in (busy, gone):
            client.send(message("GET", "/v1/a"))
        await node.until(lambda: len(node.core.requests) == 2)
        gone.writer.transport.abort()
        await asyncio.wait_for(node.listener.drain(0), 5)
        assert (await busy.reply()).status == 503
        assert await busy.is_closed()
        assert not node.listener._connections


async def test_drain_of_an_idle_listener():
    async with edge() as node:
        await asyncio.wait_for(node.listener.drain(60), 5)
    with contextlib.suppress(OSError):
        assert node.listener.is_draining


async def test_an_address_in_use_says_so():
    async with edge() as node:
        with pytest.raises(OSError, match=str(node.listener.port)):
            await Listener(FakeCore(), ListenerSettings(port=node.listener.port)).start()
