"""A cheap HTTP/1.1 load generator: keep-alive connections on uvloop, requests built beforehand, answers only framed and counted.

Run as a process of its own, so that its CPU time is not the server's. Reads one JSON job from standard input and prints one JSON
result. Closed loop: a connection sends its next request when the last is answered, so latencies are those of `connections` callers
that never pause, and say nothing about an open arrival rate.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import uvloop

HEADER_END = b"\r\n\r\n"


@dataclass(slots=True)
class Tally:
    """What all connections counted together, in the measured window only."""

    latencies: list[float] = field(default_factory=list)
    bad: dict[str, int] = field(default_factory=dict)
    is_measuring: bool = False


class Caller(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, requests: Iterator[bytes], tally: Tally, closed: asyncio.Future[None]) -> None:
        self.requests = requests
        self.tally, self.closed = tally, closed
        self.buffer = b""
        self.is_stopping = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        request = next(self.requests, None)
        if request is None:
            self.is_stopping = True
            self.transport.close()
            return
        self.sent = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        if not whole(self.buffer):
            return
        if self.tally.is_measuring:
            self.tally.latencies.append(time.perf_counter() - self.sent)
            status = self.buffer[9:12].decode()
            if status[0] != "2":
                self.tally.bad[status] = self.tally.bad.get(status, 0) + 1
        self.buffer = b""
        if self.is_stopping:
            self.transport.close()
        else:
            self.ask()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 -- asyncio names it
        if not self.is_stopping:
            self.tally.bad["closed"] = self.tally.bad.get("closed", 0) + 1
        if not self.closed.done():
            self.closed.set_result(None)


def whole(answer: bytes) -> bool:
    """Whether the buffer holds one complete answer (the only one: there is no pipelining)."""
    end = answer.find(HEADER_END)
    if end < 0:
        return False
    head = answer[:end].lower()
    at = head.find(b"content-length: ")
    if at >= 0:
        return len(answer) - end - 4 >= int(head[at + 16 :].split(b"\r\n", 1)[0])
    if b"transfer-encoding: chunked" in head:
        return answer.endswith(b"0\r\n\r\n")
    return answer[9:12] in {b"204", b"304"}


def build(job: dict) -> list[bytes]:
    """The requests, as bytes: each path once, with its body if the job has bodies."""
    out = []
    bodies = job.get("bodies") or [""] * len(job["paths"])
    for path, body in zip(job["paths"], bodies, strict=True):
        head = (
            f"{job['method']} {path} HTTP/1.1\r\nHost: {job['host']}:{job['port']}\r\nX-Vault-Token: {job['token']}\r\n"
        )
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        out.append((head + "\r\n" + body).encode())
    return out


async def run(job: dict) -> None:
    loop = asyncio.get_running_loop()
    tally, requests = Tally(), build(job)
    callers, ends = [], []
    for number in range(job["connections"]):
        end = loop.create_future()
        first = number * len(requests) // job["connections"]
        own = itertools.cycle(requests[first:] + requests[:first])
        _, caller = await loop.create_connection(
            lambda own=own, end=end: Caller(own, tally, end), job["host"], job["port"]
        )
        callers.append(caller)
        ends.append(end)
    await asyncio.sleep(job["warm_seconds"])
    print("measuring", flush=True)
    tally.is_measuring, start = True, time.perf_counter()
    await asyncio.sleep(job["seconds"])
    tally.is_measuring, seconds = False, time.perf_counter() - start
    print(json.dumps(result(tally, seconds)), flush=True)
    for caller in callers:
        caller.is_stopping = True
    await asyncio.wait_for(asyncio.gather(*ends), 30)


async def send_all(host: str, port: int, requests: Iterator[bytes], connections: int) -> Tally:
    """Send every request once, over so many connections; the tally of what was answered."""
    loop = asyncio.get_running_loop()
    tally = Tally(is_measuring=True)
    ends = []
    for _ in range(connections):
        end = loop.create_future()
        await loop.create_connection(lambda end=end: Caller(requests, tally, end), host, port)
        ends.append(end)
    await asyncio.gather(*ends)
    return tally


def result(tally: Tally, seconds: float) -> dict:
    times = sorted(tally.latencies) or [0.0]

    def at(share: float) -> float:
        return round(times[min(len(times) - 1, int(share * len(times)))] * 1e6, 1)

    return {
        "requests": len(tally.latencies),
        "seconds": seconds,
        "not_2xx": tally.bad,
        "latency_us": {"p50": at(0.5), "p95": at(0.95), "p99": at(0.99)},
    }


if __name__ == "__main__":
    uvloop.run(run(json.load(sys.stdin)))
