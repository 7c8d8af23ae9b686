"""Bad input by the thousand: schemathesis reads our own OpenAPI description and tries to break what it describes.

A server error or an answer that does not come in time fails. `make test` runs a short form with fixed inputs; `make fuzz` runs for
minutes with new ones (`STRONGROOM_FUZZ_SECONDS`), and prints the seed of what it found.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hvac
import pytest
from support.server import Server, clean_environment, running_dev

FUZZ_SECONDS = int(os.environ.get("STRONGROOM_FUZZ_SECONDS") or 120)
ANSWER_SECONDS_MAX = 10

# What would end the run rather than test it: it seals, revokes the token in use, throttles everybody, or lets the caller choose the status.
LEFT_OUT = (
    "/sys/(seal|step-down|init|unseal|health|monitor|shutdown)$",
    "/sys/(raw|rekey|rekey-recovery-key|generate-root|quotas|pprof|loggers)(/|$)",
    "/sys/(storage|replication|config/auditing)(/|$)",
    "/sys/(leases/)?revoke-(prefix|force)",
    "/auth/token/(revoke|revoke-self|revoke-orphan|revoke-accessor)$",
    "/auth/token/(revoke|revoke-orphan|revoke-accessor)/",
)


@pytest.fixture
def target() -> Iterator[Server]:
    """A server of its own, as the run leaves it in disorder, with one mount of every kind."""
    with running_dev() as server:
        client = hvac.Client(url=server.address, token=server.token)
        client.sys.enable_secrets_engine("kv", path="kv1", options={"version": "1"})
        client.sys.enable_auth_method("userpass")
        client.adapter.close()
        yield server


def run(server: Server, folder: Path, *options: str, seconds_max: float) -> None:
    """Run schemathesis; the test fails with its report unless it ends clean and the server still answers."""
    answer = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "run",
            f"{server.address}/v1/sys/internal/specs/openapi",
            f"--url={server.address}/v1",
            f"--header=X-Vault-Token: {server.token}",
            "--checks=not_a_server_error",
            f"--max-response-time={ANSWER_SECONDS_MAX}",
            f"--request-timeout={ANSWER_SECONDS_MAX + 5}",
            "--suppress-health-check=all",
            "--warnings=off",
            "--no-color",
            "--exclude-path-regex=" + "|".join(LEFT_OUT),
            *options,
        ],
        cwd=folder,
        env=clean_environment(folder),
        capture_output=True,
        text=True,
        timeout=seconds_max,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout[-6000:] + answer.stderr[-2000:]
    assert server.process.poll() is None
    client = hvac.Client(url=server.address, token=server.token)
    assert client.is_authenticated(), "the run took its own token away: add what did to LEFT_OUT"
    client.adapter.close()


@pytest.mark.timeout(70)
def test_fixed_inputs(target: Server, tmp_path: Path) -> None:
    run(
        target,
        tmp_path,
        "--phases=examples,fuzzing",
        "--max-examples=4",
        "--generation-deterministic",
        "--no-shrink",
        seconds_max=60,
    )


@pytest.mark.slow
@pytest.mark.timeout(FUZZ_SECONDS + 120)
def test_new_inputs(target: Server, tmp_path: Path) -> None:
    run(
        target,
        tmp_path,
        "--phases=examples,coverage,fuzzing",
        "--generation-database=none",
        f"--max-time={FUZZ_SECONDS}",
        "--continue-on-failure",
        seconds_max=FUZZ_SECONDS + 90,
    )
