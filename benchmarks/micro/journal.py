"""How fast the journal takes entries, is checked at a start, and is replayed.

Claim: syncing dominates; encoding and checking stay below a tenth of what the disk takes. Budgets, no peer.
Run: `python benchmarks/micro/journal.py [folder]`; the folder decides which disk is measured.
"""

import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from strongroom_cluster.journal import FileJournal

ENTRIES = 2_000


def measure(folder: Path, size: int) -> dict[str, float]:
    data = os.urandom(size)
    journal = FileJournal(folder)
    seconds = []
    began_cpu = time.process_time()
    for index in range(1, ENTRIES + 1):
        began = time.perf_counter()
        journal.append(index, 1, data)
        journal.sync()
        seconds.append(time.perf_counter() - began)
    cpu = time.process_time() - began_cpu
    journal.close()
    began = time.perf_counter()
    journal = FileJournal(folder)
    checked = time.perf_counter() - began
    began = time.perf_counter()
    replayed = sum(1 for _ in journal.replay(0))
    took = time.perf_counter() - began
    journal.close()
    seconds.sort()
    return {
        "entry_bytes": size,
        "sync_p50_us": seconds[ENTRIES // 2] * 1e6,
        "sync_p99_us": seconds[ENTRIES * 99 // 100] * 1e6,
        "cpu_us": cpu / ENTRIES * 1e6,
        "check_mb_per_s": ENTRIES * size / checked / 1e6,
        "replay_us": took / replayed * 1e6,
    }


if __name__ == "__main__":
    parent = sys.argv[1] if len(sys.argv) > 1 else None
    results = []
    for entry_bytes in (300, 4096, 40_000):
        with tempfile.TemporaryDirectory(dir=parent) as name:
            results.append({key: round(value, 1) for key, value in measure(Path(name), entry_bytes).items()})
    machine = {"machine": platform.machine(), "cores": os.cpu_count(), "kernel": platform.release()}
    print(json.dumps({**machine, "results": results}, indent=2))
