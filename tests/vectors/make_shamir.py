"""Record key shares that a real server made, with proof of which subsets open it.

Run with the path of an OpenBao binary: `python tests/vectors/make_shamir.py BAO > tests/vectors/shamir.json`.
The server runs in a temporary folder on the loopback interface and is stopped afterwards. For every case the
shares are those of `sys/init`; the key they join to is found by `pyshamir`, another implementation, and the
server itself has accepted one subset (`accepted`) and refused one that is too mixed (`refused`).
"""

import itertools
import json
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import pyshamir

CASES = ((1, 1), (3, 2), (5, 3), (7, 7))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, path, body=None):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/{path}",
        data=None if body is None else json.dumps(body).encode(),
        method="GET" if body is None else "PUT",
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def wait_for_listener(process, port):
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            continue
        return
    raise SystemExit("the server did not start")


def record(binary, shares, threshold):
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "server.hcl")
        config.write_text(
            f'storage "inmem" {{}}\nlistener "tcp" {{ address = "127.0.0.1:{port}"\n tls_disable = true }}\n'
        )
        process = subprocess.Popen(
            [binary, "server", "-config", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_for_listener(process, port)
            _, made = ask(port, "sys/init", {"secret_shares": shares, "secret_threshold": threshold})
            refused = spoil(made["keys"][:threshold])
            assert [ask(port, "sys/unseal", {"key": share}) for share in refused][-1][0] == 400
            accepted = made["keys"][-threshold:]
            answers = [ask(port, "sys/unseal", {"key": share}) for share in accepted]
            assert answers[-1][1]["sealed"] is False, answers
        finally:
            process.terminate()
            process.wait()
    parts = [bytearray.fromhex(share) for share in made["keys"]]
    key = parts[0] if shares == 1 else pyshamir.combine(parts[:threshold])
    for subset in itertools.islice(itertools.combinations(parts, threshold), 20):
        assert shares == 1 or pyshamir.combine([bytearray(part) for part in subset]) == key
    return {
        "shares": shares,
        "threshold": threshold,
        "keys": made["keys"],
        "keys_base64": made["keys_base64"],
        "key": bytes(key).hex(),
        "accepted": accepted,
        "refused": refused,
    }


def spoil(shares):
    """The same shares, one bit of the last one's first byte flipped."""
    last = bytearray.fromhex(shares[-1])
    last[0] ^= 1
    return [*shares[:-1], last.hex()]


def main():
    binary = sys.argv[1]
    version = subprocess.run([binary, "version"], capture_output=True, text=True, check=True).stdout.split(" (")[0]
    document = {
        "provenance": f"sys/init of {version}, by tests/vectors/make_shamir.py; the keys open nothing that exists",
        "cases": [record(binary, shares, threshold) for shares, threshold in CASES],
    }
    json.dump(document, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
