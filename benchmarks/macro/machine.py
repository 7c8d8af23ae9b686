"""The machine and the versions a result was measured with; no host name, no path."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


def describe() -> dict[str, object]:
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown"
    )
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**20, 1),
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        "load_average_before": [round(x, 2) for x in os.getloadavg()],
    }


def versions(openbao: Path | None = None) -> dict[str, str]:
    found = {name: version(name) for name in ("strongroom", "aiohttp", "uvloop", "lmdb", "cryptography", "msgspec")}
    if openbao:
        found["openbao"] = subprocess.run(
            [openbao, "version"], capture_output=True, text=True, check=True
        ).stdout.split()[1]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return found | {"commit": commit or "none"}


def today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
