"""A listener on a real socket over a core that a test directs, and a client that speaks raw bytes."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass

from strongroom_node.core.core import Core
from strongroom_node.http.listener import Listener
from strongroom_node.http.settings import ListenerSettings
from strongroom_node.sdk.response import Raw, Response

PATIENCE_SECONDS = 10.0


class Barrier:
    is_sealed = False


class FakeSettings:
    def __init__(self):
        self.maps = {}

    def read(self, name):
        return self.maps.get(name, {})


class FakeCore:
    """Answers every request with what it was asked, or as `answer` says; remembers them all."""

    leader = Core.leader

    def __init__(self, answer=None):
        self.requests = []
        self.answer = answer
        self.barrier = Barrier()
        self.settings = FakeSettings()
        self.keeper = Barrier()
        self.state = {"initialized": True, "sealed": False, "standby": False}

    async def handle(self, request):
        self.requests.append(request)
        if self.answer is None:
            return Response(
                data={"operation": request.operation.value, "path": request.path, "size": len(request.body)}
            )
        return await self.answer(request)

    def health(self):
        return self.state

    def in_flight(self):
        return {}

    def render_metrics(self, wanted, accept):
        return Raw(b"metrics " + wanted.encode(), "text/plain")


@dataclass
class Reply:
    status: int
    headers: list
    body: bytes

    def __getitem__(self, name):
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(found) == 1, f"{name}: {found}"
        return found[0]

    def __contains__(self, name):
        return any(key.lower() == name.lower() for key, _ in self.headers)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def errors(self):
        return self.json["errors"]

    @property
    def data(self):
        return self.json["data"]


class Client:
    """One connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def send(self, data):
        self.writer.write(data)

    async def reply(self, *, is_head=False):
        """The next answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head[:-4].split("\r\n")
            version, status, _phrase = first.split(" ", 2)
            assert version == "HTTP/1.1"
            headers = [tuple(line.split(": ", 1)) for line in lines]
            made = Reply(int(status), headers, b"")
            if "Content-Length" in made and not is_head:
                made.body = await self.reader.readexactly(int(made["Content-Length"]))
            return made

    async def ask(self, data, **more):
        self.send(data)
        return await self.reply(**more)

    async def get(self, path, *headers):
        return await self.ask(message("GET", path, *headers))

    async def rest(self):
        """Everything until the server hangs up."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.read()

    async def is_closed(self):
        return await self.rest() == b""

    async def is_alive(self):
        """Whether the connection still answers."""
        return (await self.get("/v1/alive")).status == 200


def message(method, path, *headers, body=b""):
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: node", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Edge:
    def __init__(self, core, listener):
        self.core, self.listener, self.clients = core, listener, []

    async def connect(self, **more):
        listener = self.listener
        if listener.settings.path is not None:
            streams = await asyncio.open_unix_connection(str(listener.settings.path), **more)
        else:
            streams = await asyncio.open_connection("127.0.0.1", listener.port, **more)
        self.clients.append(Client(*streams))
        return self.clients[-1]

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                await asyncio.sleep(0)

    async def connection(self):
        """The listener's only connection, once it is there."""
        await self.until(lambda: len(self.listener._connections) == 1)
        return next(iter(self.listener._connections))

    def sweep(self):
        """What the listener does when every deadline has passed."""
        self.listener.sweep(self.listener.loop.time() + 1e9)


@asynccontextmanager
async def edge(core=None, **settings):
    listener = Listener(core or FakeCore(), ListenerSettings(port=0, **settings))
    await listener.start()
    made = Edge(listener.core, listener)
    try:
        yield made
    finally:
        for client in made.clients:
            client.writer.close()
        await listener.drain(0)
