"""What the process itself costs: memory, threads, garbage collection."""

import asyncio
import gc
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from strongroom_node.telemetry.metrics import Reading

_STATM: Final = Path("/proc/self/statm")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


class Runtime:
    """Times the garbage collector from `start` to `stop`, and reads the rest when asked."""

    def __init__(self) -> None:
        self._pause_ns = 0
        self._began = 0

    def start(self) -> None:
        """Begin to time collections."""
        gc.callbacks.append(self._on_collection)

    def stop(self) -> None:
        """End it. Idempotent."""
        if self._on_collection in gc.callbacks:
            gc.callbacks.remove(self._on_collection)

    def readings(self) -> Iterable[Reading]:
        """One reading each; without `/proc` none of memory."""
        runs = sum(generation["collections"] for generation in gc.get_stats())
        yield Reading("runtime.total_gc_runs", runs)
        yield Reading("runtime.total_gc_pause_ns", self._pause_ns)
        yield Reading("runtime.num_goroutines", threading.active_count() + len(_tasks()))
        try:
            sizes = _STATM.read_text().split()
        except OSError:
            return
        yield Reading("runtime.sys_bytes", int(sizes[0]) * _PAGE_BYTES)
        yield Reading("runtime.alloc_bytes", int(sizes[1]) * _PAGE_BYTES)

    def _on_collection(self, phase: str, _info: dict[str, Any]) -> None:
        if phase == "start":
            self._began = time.perf_counter_ns()
        else:
            self._pause_ns += time.perf_counter_ns() - self._began


def _tasks() -> set[asyncio.Task[Any]]:
    try:
        return asyncio.all_tasks()
    except RuntimeError:  # no loop runs in this thread
        return set()
