"""One node with a million secrets and 200,000 leases, beside a twin with 100 secrets.

Everything is written over the API, as a client would; then both servers are stopped and started again, and measured: from the unseal
request to the first secret read, resident memory, one page of a listing, and reads of keys all over the store. See benchmarks/README.md.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import hvac
import uvloop

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(PROJECT / "tests")]

import compare  # noqa: E402
import cpu  # noqa: E402
import loadgen  # noqa: E402
import machine  # noqa: E402
from support.server import Server, running_production  # noqa: E402

VALUE_BYTES = 200
PAGE = 100
LOAD_CONNECTIONS = 64
SPREAD = "large, spread"
UNSEAL_SECONDS_WANTED = 1.0
RESIDENT_BYTES_WANTED = 250 * 10**6
PAGE_MS_WANTED = 5.0
READ_RATIO_WANTED = 1.2  # "as fast": within what rounds differ among themselves on a machine that is not idle


@dataclass(slots=True)
class Node:
    """A server's folder, its keys, and what was measured of it."""

    name: str
    folder: Path
    secrets: int
    leases: int
    share: str = ""
    token: str = ""
    measured: dict[str, float] = field(default_factory=dict)


def path_of(number: int) -> str:
    """All in one folder: the worst case for a listing."""
    return f"load/{number:07d}"


def writes(node: Node, address: str) -> Iterator[bytes]:
    host = address.removeprefix("http://")
    body = json.dumps({"data": {"value": "v" * VALUE_BYTES}})
    head = (
        f"HTTP/1.1\r\nHost: {host}\r\nX-Vault-Token: {node.token}\r\nContent-Type: application/json\r\nContent-Length: "
    )
    for number in range(node.secrets):
        yield f"POST /v1/kv2/data/{path_of(number)} {head}{len(body)}\r\n\r\n{body}".encode()
    body = json.dumps({"policies": ["default"], "ttl": "500h", "no_parent": True})
    for _ in range(node.leases):
        yield f"POST /v1/auth/token/create {head}{len(body)}\r\n\r\n{body}".encode()


def fill(node: Node, binary: Path) -> None:
    """Initialise, mount, write everything over the API, and stop the server."""
    with running_production(node.folder, binary=binary) as server:
        client = hvac.Client(url=server.address, token="")
        made = client.sys.initialize(secret_shares=1, secret_threshold=1)
        node.share, node.token = made["keys_base64"][0], made["root_token"]
        client.token = node.token
        client.sys.submit_unseal_key(node.share)
        while client.sys.read_health_status(method="HEAD").status_code != 200:
            pass
        client.sys.enable_secrets_engine("kv", path="kv2", options={"version": "2"})
        compare.write_when_ready(client, 0)
        host, _, port = server.address.removeprefix("http://").partition(":")
        start = time.perf_counter()
        tally = uvloop.run(loadgen.send_all(host, int(port), writes(node, server.address), LOAD_CONNECTIONS))
        seconds = time.perf_counter() - start
        if tally.bad:
            raise SystemExit(f"{node.name}: not every write was answered well: {tally.bad}")
        node.measured["writes_per_second_while_loading"] = round((node.secrets + node.leases) / seconds)
        client.adapter.close()


def first_answer(node: Node, server: Server) -> float:
    """Seconds from sending the unseal request to the first secret read."""
    client = hvac.Client(url=server.address, token=node.token)
    start = time.perf_counter()
    client.sys.submit_unseal_key(node.share)
    while True:
        try:
            client.secrets.kv.v2.read_secret_version(
                path_of(node.secrets // 2), mount_point="kv2", raise_on_deleted_version=True
            )
        except hvac.exceptions.VaultError:
            if time.perf_counter() - start > 120:
                raise
            continue
        seconds = time.perf_counter() - start
        client.adapter.close()
        return seconds


def page_ms(node: Node, server: Server) -> float:
    """Median time of one page of 100 names, from places all over the folder."""
    client = hvac.Client(url=server.address, token=node.token)
    times = []
    chosen = random.Random(1)
    for _ in range(50):
        after = f"{chosen.randrange(node.secrets - PAGE // 2):07d}"
        start = time.perf_counter()
        answer = client.adapter.get("/v1/kv2/metadata/load", params={"list": "true", "after": after, "limit": PAGE})
        times.append(time.perf_counter() - start)
        expected = min(PAGE, node.secrets - int(after) - 1)
        if len(answer["data"]["keys"]) != expected:
            raise SystemExit(
                f"{node.name}: a page after {after} has {len(answer['data']['keys'])} names, not {expected}"
            )
    client.adapter.close()
    return statistics.median(times) * 1000


def read_job(node: Node, server: Server, seconds: float, distinct: int) -> dict:
    """Reads of so many distinct secrets from all over the store, again and again."""
    chosen = random.Random(2)
    host, _, port = server.address.removeprefix("http://").partition(":")
    paths = [f"/v1/kv2/data/{path_of(chosen.randrange(node.secrets))}" for _ in range(distinct)]
    return {
        "method": "GET",
        "paths": paths,
        "host": host,
        "port": int(port),
        "token": node.token,
        "connections": 1,
        "seconds": seconds,
        "warm_seconds": 0.5,
    }


def measure(large: Node, small: Node, options: argparse.Namespace) -> dict:
    """Start both again; alternate the rounds of reads between them."""
    with ExitStack() as stack:
        servers = {
            node.name: stack.enter_context(running_production(node.folder, binary=options.ours))
            for node in (large, small)
        }
        for node in (large, small):
            server = servers[node.name]
            node.measured["unseal_to_first_answer_seconds"] = round(first_answer(node, server), 3)
            node.measured["resident_bytes_after_unseal"] = cpu.resident_bytes(server.process.pid)
            node.measured["list_page_ms"] = round(page_ms(node, server), 2)
        rounds: dict[str, list[dict]] = {large.name: [], small.name: [], SPREAD: []}
        for _ in range(options.rounds):
            for name, node, distinct in ((large.name, large, 100), (small.name, small, 100), (SPREAD, large, 20_000)):
                server = servers[node.name]
                peer = compare.Peer(node.name, server, node.token)
                rounds[name].append(compare.measure(peer, read_job(node, server, options.seconds, distinct)))
        for node in (large, small):
            pid = servers[node.name].process.pid
            node.measured["resident_bytes"] = cpu.resident_bytes(pid)
            node.measured["anonymous_bytes"] = cpu.anonymous_bytes(pid)
            node.measured["read_p50_us"] = statistics.median(one["latency_us"]["p50"] for one in rounds[node.name])
            node.measured["read_cpu_us"] = statistics.median(one["cpu_us_per_request"] for one in rounds[node.name])
            stored = sum(path.stat().st_blocks * 512 for path in (node.folder / "data").rglob("*") if path.is_file())
            node.measured["disk_bytes"] = stored
    return {
        "read_ratio": ratio(rounds[large.name], rounds[small.name]),
        "spread_read_ratio": ratio(rounds[SPREAD], rounds[small.name]),
    }


def ratio(ours: list[dict], theirs: list[dict]) -> float:
    """Median of the rounds' ratios of median latencies."""
    pairs = zip(ours, theirs, strict=True)
    return round(statistics.median(a["latency_us"]["p50"] / b["latency_us"]["p50"] for a, b in pairs), 2)


def verdict(large: Node, summary: dict) -> list[str]:
    checks = (
        ("unseal to first answer, s", large.measured["unseal_to_first_answer_seconds"], UNSEAL_SECONDS_WANTED),
        ("resident bytes", large.measured["resident_bytes"], RESIDENT_BYTES_WANTED),
        ("a page of 100, ms", large.measured["list_page_ms"], PAGE_MS_WANTED),
        ("read time beside 100 secrets", summary["read_ratio"], READ_RATIO_WANTED),
    )
    return [f"{name}: {value}, wanted below {wanted}" for name, value, wanted in checks if value >= wanted]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--secrets", type=int, default=1_000_000)
    parser.add_argument("--leases", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--ours", type=Path, default=Path(sys.executable).with_name("strongroom"))
    parser.add_argument("--no-write", action="store_true", help="print only, write no result file")
    options = parser.parse_args()
    described = machine.describe()
    with tempfile.TemporaryDirectory(prefix="strongroom-scale-") as folder:
        large = Node("large", Path(folder) / "large", options.secrets, options.leases)
        small = Node("small", Path(folder) / "small", 100, 0)
        for node in (small, large):
            print(f"writing {node.secrets:,} secrets and {node.leases:,} leases over the API", flush=True)
            fill(node, options.ours)
        summary = measure(large, small, options)
    missed = verdict(large, summary)
    print(f"{'':34} {'large':>14} {'small':>14}")
    for name in large.measured:
        print(f"{name:34} {large.measured[name]:>14,} {small.measured[name]:>14,}")
    print(f"100 of the million read beside 100 of 100: {summary['read_ratio']}x the time")
    print(f"20,000 of the million beside 100 of 100: {summary['spread_read_ratio']}x (more than the caches hold)")
    print("all wanted values reached" if not missed else "not reached:\n  " + "\n  ".join(missed))
    if options.no_write:
        return
    result = {
        "kind": "scale",
        "date": machine.today(),
        "machine": described,
        "versions": machine.versions(),
        "method": {
            "secrets": options.secrets,
            "leases": options.leases,
            "value_bytes": VALUE_BYTES,
            "layout": "KV version 2, all names in one folder; leases are orphan tokens",
            "reads": "one connection, names chosen evenly over the store, alternating rounds",
        },
        "large": large.measured,
        "small": small.measured,
        **summary,
        "missed": missed,
    }
    path = PROJECT / "benchmarks" / "results" / f"{machine.today()}-scale.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {path.relative_to(PROJECT)}")


if __name__ == "__main__":
    main()
